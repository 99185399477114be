"""A learner's source as a module, and what its exceptions are for the learner."""

from __future__ import annotations

import linecache
import sys
import traceback
import types
from pathlib import Path

import numpy as np

from tinygrad_cnn.learn.outcome import Line, Outcome

_MODULE = "exercise"


class AnswerError(Exception):
    """The learner's code raised `error`."""

    def __init__(self, error: BaseException, module: types.ModuleType | None, source: str = "") -> None:
        super().__init__(str(error))
        self.error = error
        self.source = source or (getattr(module, "__source__", "") if module else "")
        self.file = str(getattr(module, "__file__", "")) if module else ""

    def outcome(self, lines: list[Line]) -> Outcome:
        """What is to be said of it: a kind of `words.FAILURES`, and the line."""
        error = self.error
        facts = {"type": type(error).__name__, "message": " ".join(str(error).split())[:300]}
        return Outcome(solved=False, lines=lines, kind=_kind(error), facts=facts, at=self._at())

    def _at(self) -> tuple[int, str] | None:
        """The last line of the learner's file that the error came through."""
        if isinstance(self.error, SyntaxError) and self.error.lineno:
            return self.error.lineno, (self.error.text or "").strip()
        frames = [f for f in traceback.extract_tb(self.error.__traceback__) if f.filename == self.file]
        if not frames or frames[-1].lineno is None:
            return None
        return frames[-1].lineno, (frames[-1].line or "").strip()


def _kind(error: BaseException) -> str:
    text = str(error)
    if isinstance(error, IndentationError):
        return "IndentationError"
    if isinstance(error, ValueError) and ("matmul" in text or "not aligned" in text):
        return "matmul_shapes"
    if isinstance(error, ValueError) and "broadcast" in text:
        return "broadcast_shapes"
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
