"""Where in the user's code an exception came from."""

from __future__ import annotations

import linecache
import os

from tinygrad_cnn.names import span_of
from tinygrad_cnn.sources import is_engine

MOST = 80  # characters of an expression that are quoted


def raised_at(error: BaseException) -> str:
    """File, line and expression, as "model.py:12, `int(h[0])`: "; nothing if the message has the line itself."""
    at, found = error.__traceback__, None
    while at is not None:
        code = at.tb_frame.f_code
        library = at.tb_frame.f_globals.get("__name__", "").partition(".")[0] in ("numpy", "scipy")
        if not is_engine[code.co_filename] and not library:
            found = code, at.tb_lasti
        at = at.tb_next
    if found is None:
        return ""
    code, instruction = found
    file = os.path.basename(code.co_filename)
    if file in str(error):
        return ""
    line, last, start, end = span_of(code, instruction)
    text = linecache.getline(code.co_filename, line or 0)
    expression = text.encode()[start : end if last == line else None].decode(errors="replace").strip()
    quoted = f", `{expression}`" if 0 < len(expression) <= MOST else ""
    return f"{file}:{line}{quoted}: {type(error).__name__}: "
