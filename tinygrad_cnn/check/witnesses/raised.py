"""Where in the user's code an exception came from."""

from __future__ import annotations

import linecache
import os
from types import FrameType

from tinygrad_cnn.names import span_of
from tinygrad_cnn.sources import is_engine

MOST = 80  # characters of an expression that are quoted


def raised_at(error: BaseException) -> str:
    """File, line and expression, as "model.py:12, `int(h[0])`: "; nothing if the message has the line itself."""
    frame_and_instruction = _innermost(error)
    if frame_and_instruction is None:
        return ""
    frame, instruction = frame_and_instruction
    file = os.path.basename(frame.f_code.co_filename)
    if file in str(error):
        return ""
    line, last, start, end = span_of(frame.f_code, instruction)
    text = linecache.getline(frame.f_code.co_filename, line or 0)
    expression = text.encode()[start : end if last == line else None].decode(errors="replace").strip()
    quoted = f", `{expression}`" if 0 < len(expression) <= MOST else ""
    return f"{file}:{line}{quoted}: {type(error).__name__}: "


def module_to_adopt(error: BaseException) -> str | None:
    """The module in which an array of NumPy was to be filled with Tensors; None for other errors."""
    found = _innermost(error)
    if found is None or not isinstance(error, ValueError) or "setting an array element" not in str(error):
        return None
    return str(found[0].f_globals.get("__name__"))


def _innermost(error: BaseException) -> tuple[FrameType, int] | None:
    """The innermost frame of the user's, and the instruction in it."""
    at, found = error.__traceback__, None
    while at is not None:
        frame = at.tb_frame
        library = frame.f_globals.get("__name__", "").partition(".")[0] in ("numpy", "scipy")
        if not is_engine[frame.f_code.co_filename] and not library:
            found = frame, at.tb_lasti
        at = at.tb_next
    return found
