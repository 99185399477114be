"""Where in the user's code something was asked for.

Of a call, the code object and the instruction are kept, and not the frame, which would keep every local variable alive;
the line is worked out only when somebody asks for it.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any

Source = tuple[CodeType, int]  # a code object, and the position of an instruction in it

# All of the package is the engine, but for what uses it as anybody might: the article's model, and the command.
PACKAGE = os.path.join(os.path.dirname(__file__), "")
_USERS = tuple(PACKAGE + name for name in ("circle_square", "cli", "__main__.py"))


class _Memo(dict[str, bool]):
    """Whether a file is one of the engine's."""

    def __missing__(self, filename: str) -> bool:
        self[filename] = filename.startswith(PACKAGE) and not filename.startswith(_USERS)
        return self[filename]


is_engine = _Memo()


def codes_within(code: CodeType) -> Iterator[CodeType]:
    """A code object, and those of the functions and classes that are defined in it."""
    yield code
    for x in code.co_consts:
        if isinstance(x, CodeType):
            yield from codes_within(x)


def calling_line() -> str:
    """Where the user's code called into the engine, directly or through NumPy, as "file:line in function"."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and (
        is_engine[frame.f_code.co_filename] or frame.f_globals.get("__name__", "").startswith("numpy.")
    ):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}"


def line_of(source: Source) -> str:
    """The line of an instruction, as "file:line in function"."""
    code, instruction = source
    line = next(itertools.islice(code.co_positions(), instruction // 2, None))[0]
    return f"{code.co_filename}:{line} in {code.co_qualname}"
