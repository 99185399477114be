"""What a function closes over: the arrays and numbers that it reads without having been given them.

A program reads such arrays at each call, where the function's own operations take them as they are. But what Python
computes of them while the function is traced, such as `1 - Y.T` of an array Y, is a constant of the program. So a
program is good only for as long as what its function closes over has not changed.
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Iterator
from types import FunctionType, MethodType
from typing import Any

import numpy as np

MOST = 2000  # objects that are looked into
_NUMBERS = (bool, int, float, complex, str, np.generic)


class Outside:
    """The values that a function closes over, as they were."""

    def __init__(self, function: Callable[..., Any], arrays: bool) -> None:
        found = list(_found(function))
        self.numbers = [(read, value) for read, value in found if isinstance(value, _NUMBERS)]
        self.arrays = [
            (value, value.copy())
            for _, value in found
            if arrays and isinstance(value, np.ndarray) and (value.flags.writeable or value.base is not None)
        ]

    def has_changed(self) -> bool:
        """Whether one of them is another now."""
        for read, value in self.numbers:
            now = read()
            if now is not value and (type(now) is not type(value) or now != value):
                return True
        return any(
            not np.array_equal(array, before, equal_nan=array.dtype.kind in "fc") for array, before in self.arrays
        )


def _found(function: Any) -> Iterator[tuple[Callable[[], Any], Any]]:
    """How to read each value that a function closes over, and what it is."""
    waiting: list[Any] = [function]
    seen: set[int] = set()
    while waiting and len(seen) < MOST:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        for read in _reads(item):
            try:
                value = read()
            except (ValueError, KeyError, AttributeError, IndexError):  # a variable that has no value yet
                continue
            if isinstance(value, (np.ndarray, *_NUMBERS)):
                yield read, value
            else:
                waiting.append(value)


def _reads(item: Any) -> Iterator[Callable[[], Any]]:
    """How to read what an item refers to: a function's variables, a container's items, an object's attributes."""
    if isinstance(item, MethodType):
        yield from [functools.partial(getattr, item, name) for name in ("__func__", "__self__")]
    elif isinstance(item, functools.partial):
        yield from map(_held, (item.func, *item.args, *item.keywords.values()))
    elif isinstance(item, FunctionType):
        yield from _reads_of_function(item)
    elif isinstance(item, dict | list | tuple):
        keys = list(item) if isinstance(item, dict) else range(len(item))
        yield from [functools.partial(operator.getitem, item, key) for key in keys]
    elif isinstance(getattr(item, "__dict__", None), dict) and not inspect.ismodule(item) and not inspect.isclass(item):
        yield from [functools.partial(getattr, item, name) for name in list(item.__dict__)]


def _reads_of_function(function: FunctionType) -> Iterator[Callable[[], Any]]:
    """How to read the variables of a function. The functions of NumPy and of this package have none that change."""
    package = (function.__module__ or "").split(".")[0]
    if package in ("numpy", "scipy"):
        return
    for cell in function.__closure__ or ():
        yield functools.partial(getattr, cell, "cell_contents")
    yield from map(_held, (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()))
    if package != "tinygrad_cnn":
        space = function.__globals__
        yield from [functools.partial(operator.getitem, space, x) for x in _names(function.__code__) if x in space]


def _held(value: Any) -> Callable[[], Any]:
    return lambda: value


def _names(code: Any) -> Iterator[str]:
    """The names that code may read as globals, that of functions within it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if hasattr(constant, "co_names"):
            yield from _names(constant)
