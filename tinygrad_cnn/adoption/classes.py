"""NumPy's classes as attributes of the module numpy: np.float64(x), and the pattern `case np.ndarray():`.

In the modules that use them so, Tensors need what stands for the classes. Elsewhere they stay NumPy's own.
"""

from __future__ import annotations

import dis
import functools
from collections.abc import Iterable, Iterator
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from tinygrad_cnn import builtin_functions
from tinygrad_cnn.builtin_functions import StandIn

_CALLED = ("float64", "float32")
_PATTERNS = (*_CALLED, "ndarray", "floating", "inexact", "number", "generic")


def classes_in_use(codes: Iterable[CodeType]) -> frozenset[str]:
    """The names of the classes that are called, or are patterns, and are not compared by identity."""
    used, compared, views = set(), set(), False
    for code in codes:
        views = views or "view" in code.co_names  # x.view(np.ndarray) needs NumPy's own
        if not set(_PATTERNS).isdisjoint(code.co_names):
            for name, is_called, after in _attributes(code):
                if (name in _CALLED and is_called) or (name in _PATTERNS and after == ("LOAD_CONST", "MATCH_CLASS")):
                    used.add(name)
                if after[:1] == ("IS_OP",):
                    compared.add(name)
    return frozenset(used - compared - ({"ndarray"} if views else set()))


def _attributes(code: CodeType) -> Iterator[tuple[str, bool, tuple[str, ...]]]:
    """The attributes that are loaded: their names, whether they are called, and the next two operations.

    For a call, a NULL is put on the stack: by the load itself, or beside it, which depends on the version of Python.
    """
    instructions = [x for x in dis.get_instructions(code) if x.opname != "CACHE"]
    for i, x in enumerate(instructions):
        if x.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            before, after = instructions[max(i - 2, 0) : i], instructions[i + 1 : i + 3]
            is_called = (
                x.opname == "LOAD_METHOD"
                or ("LOAD_METHOD" not in dis.opmap and (x.arg or 0) & 1 == 1)
                or any(y.opname == "PUSH_NULL" for y in (*before, *after[:1]))
                or (before[-1].opname == "LOAD_GLOBAL" and (before[-1].arg or 0) & 1 == 1)
            )
            yield x.argval, is_called, tuple([y.opname for y in after])


@functools.lru_cache
def namespace_with(names: frozenset[str]) -> Any:
    """`tinygrad_cnn.numpy`, with what stands for these classes."""
    import tinygrad_cnn.numpy

    made = ModuleType("tinygrad_cnn.numpy", tinygrad_cnn.numpy.__doc__)
    vars(made).update(vars(tinygrad_cnn.numpy))
    for name in names:
        own, original = vars(builtin_functions).get(name), getattr(np, name)
        is_ours = isinstance(own, StandIn)
        vars(made)[name] = own if is_ours else StandIn(name, (original,), {"original": original})
    return made
