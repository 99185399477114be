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
_OPERATORS: dict[type[ast.operator], str] = {ast.MatMult: "@", ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


# What NumPy says of an assignment: of an array to one element, and of an array to a part of another shape.
_ARRAY_FOR_NUMBER = ("setting an array element with a sequence", "arrays can be converted to Python scalars")
_ASSIGNED = re.compile(r"could not broadcast input array from shape (\(.*?\)) into shape (\(.*?\))")


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
        if kind in ("matmul_shapes", "broadcast_shapes") and (operands := self._operands()):
            message = f" {operands[1]} ".join(
                f"{'' if hidden else text} {np.shape(x)}".strip() for text, x in operands[0]
            )
            if kind == "matmul_shapes" and any(np.ndim(x) == 0 for _, x in operands[0]):
                kind = "matmul_number"
        facts: dict[str, Any] = {"type": type(error).__name__, "message": message}
        if kind == "assigned_shapes" and (shapes := _ASSIGNED.search(str(error))):
            facts |= {"actual": shapes[1], "expected": shapes[2]}
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

    def _operands(self) -> tuple[list[tuple[str, Any]], str] | None:
        """The two operands of the operation that failed, with their texts, and its operator."""
        if not (frames := self._frames()):
            return None
        frame, at = frames[-1]
        if at.colno is None or at.end_colno is None or at.end_lineno != at.lineno:
            return None
        part = linecache.getline(self.file, at.lineno or 0).encode()[at.colno : at.end_colno].decode()
        try:
            node = ast.parse(part, mode="eval").body
            if not isinstance(node, ast.BinOp) or type(node.op) not in _OPERATORS:
                return None
            texts = [ast.get_source_segment(part, side) or "" for side in (node.left, node.right)]
            return [(t, eval(t, frame.f_globals, frame.f_locals)) for t in texts], _OPERATORS[type(node.op)]
        except Exception:  # it cannot be evaluated again
            return None

    def _at(self) -> tuple[int, str] | None:
        """The last line of the learner's file that the error came through."""
        if isinstance(self.error, SyntaxError) and self.error.lineno:
            return self.error.lineno, (self.error.text or "").strip()
        frames = [summary for _, summary in self._frames()]
        if not frames or frames[-1].lineno is None:
            return None
        return frames[-1].lineno, (frames[-1].line or "").strip()


def _kind(error: BaseException) -> str:
    text = str(error)
    if isinstance(error, IndentationError):
        return "IndentationError"
    if isinstance(error, SyntaxError) and text.startswith("invalid decimal literal"):  # 2x
        return "no_product_sign"
    if isinstance(error, ValueError) and ("matmul" in text or "not aligned" in text):
        return "matmul_shapes"
    if isinstance(error, ValueError | TypeError) and any(words in text for words in _ARRAY_FOR_NUMBER):
        return "array_for_number"
    if isinstance(error, ValueError) and _ASSIGNED.search(text):
        return "assigned_shapes"
    if isinstance(error, ValueError) and "broadcast" in text:
        return "broadcast_shapes"
    if isinstance(error, ValueError) and text.startswith("The truth value of an array"):
        return "truth_of_array"
    if isinstance(error, TypeError) and "ellipsis" in text:
        return "blank_used"
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
