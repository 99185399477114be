"""Functions that functools has wrapped: those with a cache, and those that go by the class of their argument."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import CellType, FunctionType
from typing import Any

from tinygrad_cnn.engine.graph import Handle
from tinygrad_cnn.replacements import holds_tensor

_CACHED = type(functools.lru_cache(lambda: None))


def uncached(x: Any) -> Any:
    """What a function with a cache is exchanged for, whose keys Tensors cannot be; None for anything else."""
    if type(x) is not _CACHED:
        return None

    @functools.wraps(x)
    def call(*args: Any, **keywords: Any) -> Any:
        if holds_tensor(args) or holds_tensor(keywords.values()):
            return x.__wrapped__(*args, **keywords)
        return x(*args, **keywords)

    for name in ("cache_info", "cache_clear", "cache_parameters"):
        setattr(call, name, getattr(x, name))
    return call


class _ByValue:
    """The implementation for a Tensor: that for the class of its value. It may be one of functions or of methods."""

    def __init__(self, dispatch: Callable[[type], Any]) -> None:
        self.dispatch = dispatch

    def _of(self, args: Any) -> Any:
        return self.dispatch(type(args[0].node.like))

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self._of(args)(*args, **keywords)

    def __get__(self, instance: Any, owner: Any = None) -> Callable[..., Any]:
        return lambda *args, **keywords: self._of(args).__get__(instance, owner)(*args, **keywords)


def dispatcher_of(x: Any) -> Any:
    """The function of `functools.singledispatch` that `x` is, or the one within a method; None for anything else."""
    if isinstance(x, functools.singledispatchmethod):
        x = x.dispatcher
    return x if isinstance(x, FunctionType) and "registry" in vars(x) and "dispatch" in vars(x) else None


def cell_of(dispatcher: FunctionType) -> CellType | None:
    """Where a function of `functools.singledispatch` keeps what finds an implementation."""
    cells = dict(zip(dispatcher.__code__.co_freevars, dispatcher.__closure__ or (), strict=True))
    return cells.get("dispatch")


def dispatching_by_value(dispatch: Callable[[type], Any]) -> Callable[[type], Any]:
    """`dispatch`, which finds the implementation for a class, and for Tensors goes by their value."""
    by_value = _ByValue(dispatch)

    @functools.wraps(dispatch)
    def of(kind: type) -> Any:
        return by_value if issubclass(kind, Handle) else dispatch(kind)

    return of
