"""What a function closes over: the arrays and numbers that it reads without having been given them.

A program reads such arrays at each call, where the function's own operations take them as they are. But what Python
computes of them while the function is traced, such as `1 - Y.T` of an array Y, is a constant of the program. So a
program is good only for as long as what its function closes over is the same: each call compares it. For an array that
takes as long as reading it twice, and no time if it cannot be written to.
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Iterator
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Handle
from tinygrad_cnn.lowering.recorder import equal

MOST = 2000  # objects that are looked into
_NUMBERS = (bool, int, float, complex, str, np.generic)


class Outside:
    """The values that a function closes over, as they were.

    An array that cannot be written to, and is no view, is only looked at for whether it is the same one.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.same: list[tuple[Callable[[], Any], Any]] = []
        self.arrays: list[tuple[Any, Any]] = []
        for read, value in _found(function):
            self.same.append((read, value))
            if isinstance(value, np.ndarray) and (value.flags.writeable or value.base is not None):
                self.arrays.append((value, value.copy()))

    def has_changed(self) -> bool:
        """Whether one of them is another now."""
        for read, value in self.same:
            try:
                now = read()
            except (ValueError, KeyError, AttributeError, IndexError):
                return True
            if now is not value and not (isinstance(now, _NUMBERS) and type(now) is type(value) and now == value):
                return True
        return not all(equal(array, before) for array, before in self.arrays)


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
            if isinstance(value, (np.ndarray, *_NUMBERS)) or callable(value):
                yield read, value
            if not isinstance(value, (np.ndarray, *_NUMBERS)):
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
    elif isinstance(item, Handle):
        yield functools.partial(operator.attrgetter("node.value"), item)
    elif not inspect.ismodule(item) and not inspect.isclass(item):
        try:
            attributes = list(object.__getattribute__(item, "__dict__"))
        except AttributeError:  # it has slots, or is of another language
            return
        yield from [functools.partial(getattr, item, name) for name in attributes]


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
