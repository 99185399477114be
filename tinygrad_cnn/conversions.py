"""Who asks a Tensor for its number: a person who writes float(t), or a function by which the gradient would be lost."""

from __future__ import annotations

import ast
import builtins
import dis
import functools
import itertools
import linecache
from contextvars import ContextVar
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

# Of the module math: these have no derivative, or one that is zero. (Of a Tensor they are plain numbers.)
_PLAIN = frozenset(["ceil", "floor", "isclose", "isfinite", "isinf", "isnan", "trunc"])

# The number that float(t) or t.item() last gave, and the `order` of the node that it is the number of.
number_taken: ContextVar[tuple[Any, int]] = ContextVar("number_taken", default=(None, -1))


def loses_the_gradient(caller: FrameType) -> str | None:
    """What is called in `caller`, and takes the number of a Tensor without a word; None for float(t), or if unknown.

    Python asks in one way, whether a person wrote float(t), or math.exp(t), or array[i] = t. What it was is found out
    from the instruction that is at work, and from the source beside it.
    """
    if caller.f_globals.get("__name__", "").split(".")[0] == "numpy":
        return f"{caller.f_code.co_qualname}, within NumPy,"
    operation = dis.opname[caller.f_code.co_code[caller.f_lasti]]
    if operation == "STORE_SUBSCR":
        return "array[i] = t"
    if not operation.startswith("CALL"):
        return None
    name, *attributes = _called(caller.f_code, caller.f_lasti) or ("float",)
    if name == "float":
        return None
    called: Any = caller.f_locals.get(name, caller.f_globals.get(name, getattr(builtins, name, None)))
    for attribute in attributes:
        called = getattr(called, attribute, None) if isinstance(called, ModuleType | np.ndarray | np.ufunc) else None
    words = ".".join([name, *attributes])
    if isinstance(getattr(called, "__self__", None), np.ndarray | np.ufunc):
        return words
    module = str(getattr(called, "__module__", None)).split(".")[0]
    if module == "numpy" or (module == "math" and called.__name__ not in _PLAIN):
        return words
    return None


@functools.lru_cache(maxsize=4096)
def _called(code: CodeType, instruction: int) -> tuple[str, ...]:
    """The name of what an instruction calls, such as ("math", "exp"); empty if it is none, or nobody knows."""
    first, last, start, end = next(itertools.islice(code.co_positions(), instruction // 2, None))
    if first is None or last is None:
        return ()
    lines = [line.encode() for line in linecache.getlines(code.co_filename)[first - 1 : last]]
    if not lines:
        return ()
    lines[-1] = lines[-1][:end]  # columns are counted in bytes
    lines[0] = lines[0][start:]
    try:
        call = ast.parse(b"(" + b"".join(lines) + b")", mode="eval").body
    except (SyntaxError, ValueError):
        return ()
    names: list[str] = []
    part: Any = call.func if isinstance(call, ast.Call) else None
    while isinstance(part, ast.Attribute):
        names.append(part.attr)
        part = part.value
    return (part.id, *reversed(names)) if isinstance(part, ast.Name) else ()
