"""A learner's source as a module, and what its exceptions are for the learner."""

from __future__ import annotations

import ast
import linecache
import re
import sys
import traceback
import types
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_cnn.learn.outcome import Line, Outcome

_MODULE = "exercise"

# What NumPy says, by the kind of `words.FAILURES` that says it to a learner; the groups fill in its sentence.
_NUMPY = {
    "assigned_shapes": r"input array from shape (?P<actual>\(.*?\)) into shape (?P<expected>\(.*?\))",
    "ragged": r"setting an array element with a sequence.*inhomogeneous|all input arrays must have the same shape",
    "array_for_number": r"setting an array element with a sequence|arrays can be converted to Python scalars",
    "matmul_shapes": r"matmul|not aligned",
    "broadcast_shapes": r"broadcast",
    "truth_of_array": r"^The truth value of an array",
    "reshaped_size": r"cannot reshape array of size (?P<size>\d+) into shape (?P<expected>\(.*?\))",
    "no_such_axis": r"axis (?P<axis>-?\d+) is out of bounds for array of dimension (?P<ndim>\d+)",
    "no_such_index": r"index (?P<index>-?\d+) is out of bounds for axis (?P<axis>\d+) with size (?P<size>\d+)",
    "too_many_indices": r"array is (?P<ndim>\d+)-dimensional, but (?P<n>\d+) were indexed",
    "array_called": r"'numpy.ndarray' object is not callable",
    "blank_used": r"ellipsis",
}
_OF_NUMPY = (ValueError, TypeError, IndexError)


class AnswerError(Exception):
    """The learner's code raised `error`."""

    def __init__(self, error: BaseException, module: types.ModuleType | None, source: str = "") -> None:
        super().__init__(str(error))
        self.error = error
        self.source = source or (getattr(module, "__source__", "") if module else "")
        self.file = str(getattr(module, "__file__", "")) if module else ""

    def outcome(self, lines: list[Line]) -> Outcome:
        """The verdict on the answer: a kind of `words.FAILURES`, and the line."""
        error = self.error
        kind, at = _kind(error), self._at()
        words = error.msg if isinstance(error, SyntaxError) else str(error)  # the line is reported by itself
        message = " ".join(words.split())[:300].rstrip(".?")
        # A line that is still blank has the solution in it, which what was written above made fail.
        hidden = at is not None and any(line.line == at[0] and line.status == "blank" for line in lines)
        if kind in ("matmul_shapes", "broadcast_shapes"):
            operands = self._operands()
            shapes = [f"{'' if hidden else text} {np.shape(x)}".strip() for text, x in operands]
            message = ", ".join(shapes or re.findall(r"\([\d,]+\)", message) or [message])
            if kind == "matmul_shapes" and any(np.ndim(x) == 0 for _, x in operands):
                kind = "matmul_number"
        if kind == "truth_of_array" and at is not None and re.search(r"[<>]|[=!]=", at[1]):
            kind = "truth_of_comparison"
        said = re.search(_NUMPY.get(kind, ""), str(error))
        facts: dict[str, Any] = {"type": type(error).__name__, "message": message, **(said.groupdict() if said else {})}
        return Outcome(solved=False, lines=lines, kind=kind, facts=facts, at=None if hidden else at)

    @property
    def line(self) -> int | None:
        """The line of the learner's code that raised it."""
        return None if (at := self._at()) is None else at[0]

    @property
    def variables(self) -> dict[str, Any]:
        """The local variables of the learner's code where it raised the error."""
        return dict(frames[-1][0].f_locals) if (frames := self._frames()) else {}

    def _frames(self) -> list[tuple[types.FrameType, traceback.FrameSummary]]:
        """Those of the learner's file that the error came through."""
        walk = [frame for frame, _ in traceback.walk_tb(self.error.__traceback__)]
        found = zip(walk, traceback.extract_tb(self.error.__traceback__), strict=True)
        return [(frame, summary) for frame, summary in found if summary.filename == self.file]

    def _operands(self) -> list[tuple[str, Any]]:
        """The operands of the operation or call that failed, with their texts; none if they cannot be found."""
        if not (frames := self._frames()):
            return []
        frame, at = frames[-1]
        if at.colno is None or at.end_colno is None or at.end_lineno != at.lineno:
            return []
        part = linecache.getline(self.file, at.lineno or 0).encode()[at.colno : at.end_colno].decode()
        try:
            texts = [ast.get_source_segment(part, node) or "" for node in _operands_of(ast.parse(part).body[0])]
            values = [(text, eval(text, frame.f_globals, frame.f_locals)) for text in texts]
        except Exception:  # it cannot be evaluated again
            return []
        return [(text, value) for text, value in values if not isinstance(value, str)]  # as of einsum

    def _at(self) -> tuple[int, str] | None:
        """The last line of the learner's file that the error came through."""
        if isinstance(self.error, SyntaxError) and self.error.lineno:
            return self.error.lineno, (self.error.text or "").strip()
        frames = [summary for _, summary in self._frames()]
        if not frames or frames[-1].lineno is None:
            return None
        return frames[-1].lineno, (frames[-1].line or "").strip()


def _operands_of(statement: ast.stmt) -> list[ast.expr]:
    """What an expression or an assignment such as `a += b` combines, of which one may have the wrong shape."""
    if isinstance(statement, ast.AugAssign):
        return [statement.target, statement.value]
    match statement.value if isinstance(statement, ast.Expr) else None:
        case ast.BinOp(left, _, right) | ast.Compare(left, _, [right]):
            return [left, right]
        case ast.Call(_, arguments):
            return arguments
    return []


def _kind(error: BaseException) -> str:
    text = str(error)
    if isinstance(error, IndentationError):
        return "IndentationError"
    if isinstance(error, SyntaxError) and text.startswith("invalid decimal literal"):  # 2x
        return "no_product_sign"
    if isinstance(error, _OF_NUMPY) and (found := [k for k, words in _NUMPY.items() if re.search(words, text, re.S)]):
        return found[0]
    for kind in type(error).__mro__:
        if kind.__name__ in (
            "SyntaxError", "NameError", "ModuleNotFoundError", "ImportError", "IndexError", "KeyError", "TypeError",
            "AttributeError", "ValueError", "ZeroDivisionError", "RecursionError", "FloatingPointError", "SystemExit",
        ):  # fmt: skip
            return kind.__name__
    return "Exception"


def loaded(source: str, path: Path) -> types.ModuleType:
    """The module that `source` makes, as if it stood at `path`. Raises AnswerError."""
    module = types.ModuleType(_MODULE)
    module.__file__ = str(path)
    module.__source__ = source  # type: ignore[attr-defined]
    # The cross-check reads the source of functions, which may have blanks filled in that the file has not.
    linecache.cache[str(path)] = (len(source), None, source.splitlines(keepends=True), str(path))
    sys.modules[_MODULE] = module
    try:
        with np.errstate(all="ignore"):
            exec(compile(source, str(path), "exec"), vars(module))
    except BaseException as error:
        raise AnswerError(error, module, source) from error
    return module
