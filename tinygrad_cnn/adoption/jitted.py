"""Functions that numba has compiled: of Tensors, they are the Python that they were compiled from."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.replacements import holds_tensor


def python_of(x: Any) -> Callable[..., Any] | None:
    """The function of Python that numba compiled `x` from; None if `x` is no such thing, or writes into arguments."""
    if not type(x).__module__.startswith("numba."):
        return None
    compiled = getattr(x, "_dispatcher", x) if type(x).__name__ == "DUFunc" else x
    found = getattr(compiled, "py_func", None)
    return found if callable(found) and type(x).__name__ != "GUFunc" else None


def uncompiled(x: Any) -> Any:
    """What a function that numba has compiled is exchanged for; None for anything else."""
    python = python_of(x)
    if python is None:
        return None
    of_tensors = python
    if type(x).__name__ == "DUFunc":
        from tinygrad_cnn.numpy import vectorize

        of_tensors = vectorize(python)

    @functools.wraps(python)
    def call(*args: Any, **keywords: Any) -> Any:
        plain = not holds_tensor(args) and not holds_tensor(keywords.values())
        if plain and not keywords and _is_compiled_for(x, args):
            return x(*args)
        return of_tensors(*args, **keywords)

    return call


def interpreting(python: Callable[..., Any]) -> Callable[..., Any]:
    """What numba calls for arguments that it has not compiled a function for, to get what it then calls with them.

    So those that hold the function since before the adoption can pass Tensors to it, too.
    """

    def call(*args: Any, **keywords: Any) -> Any:
        return python(*[x.value if type(x).__name__ == "OmittedArg" else x for x in args], **keywords)

    return lambda *args, **keywords: call


def _is_compiled_for(x: Any, args: tuple[Any, ...]) -> bool:
    """Whether `x` has been compiled for such arguments. For others it cannot be, while its module has our functions."""
    if type(x).__name__ == "DUFunc":
        kinds = "".join([np.asarray(arg).dtype.char for arg in args])
        return any(loop.partition("->")[0] == kinds for loop in x.types)
    return tuple([x.typeof_pyval(arg) for arg in args]) in x.overloads
