"""What a program was made for beside its arguments' arrays and numbers: what its function closes over, and the objects
that it was given.

A program reads arrays at each call, where the function's own operations take them as they are. But what Python
computes of them while the function is traced, such as `1 - Y.T` of an array Y, is a constant of the program, and so is
all else: numbers, attributes, how many items a list has, which function a name stands for. So a program is good only
for as long as all of that is the same: each call compares it. For an array that takes as long as reading it twice, and
no time if it cannot be written to.

The objects are followed from one to the next: variables of functions, items of containers, attributes of objects,
classes and modules. Modules and functions of NumPy, of this package and of Python itself have nothing that changes.
"""

from __future__ import annotations

import dataclasses
import dis
import functools
import inspect
import operator
import sys
import sysconfig
from collections import deque
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Handle
from tinygrad_cnn.lowering.recorder import equal

Read = Callable[[], Any]

_OF_COMPILED = __name__.replace("closures", "compiled")
MOST = 2000  # objects that are looked into, the nearest first
_NUMBERS = (bool, int, float, complex, str, np.generic)
_LOOKED_INTO = (FunctionType, MethodType, ModuleType, CodeType, functools.partial, type, Handle)
_UNSET = object()
_UNREADABLE = (ValueError, KeyError, AttributeError, IndexError)  # a variable has no value, or an item is gone
_UNCHANGING = frozenset({"numpy", "scipy", *sys.stdlib_module_names} - {"__main__"})


class Outside:
    """What a function, and objects that are its arguments, refer to, as it was.

    An array that cannot be written to, and is no view, is only looked at for whether it is the same one.
    """

    def __init__(self, function: Callable[..., Any], *objects: Any) -> None:
        self.roots = (function, *objects)  # kept, so that what is known of them by `id` stays theirs
        self.same: list[tuple[Read, Any]] = []
        self.sizes: list[tuple[Read, Any]] = []
        self.arrays: list[tuple[Any, Any]] = []
        self.fixed: list[Any] = []
        for read, value in _found(self.roots):
            if not isinstance(read, _Held):
                self.same.append((read, value))
            if isinstance(value, np.ndarray):
                if value.flags.writeable or value.base is not None:
                    self.arrays.append((value, value.copy()))
                else:
                    self.fixed.append(value)
            elif (size := _size(value)) is not None:
                self.sizes.append((size, size()))

    def has_changed(self) -> bool:
        """Whether something is another now."""
        for read, value in self.same:
            try:
                now = read()
            except _UNREADABLE:
                return True
            if now is not value and not (isinstance(now, _NUMBERS) and type(now) is type(value) and now == value):
                return True
        if any(read() != size for read, size in self.sizes) or any(array.flags.writeable for array in self.fixed):
            return True
        return not all(equal(array, before) for array, before in self.arrays)


def _found(roots: tuple[Any, ...]) -> Iterator[tuple[Read, Any]]:
    """How to read each value that is reached from some objects, and what it is; the objects themselves first."""
    waiting: deque[Any] = deque()
    for root in roots:
        yield _Held(root), root
        waiting.append(root)
    seen: set[int] = set()
    while waiting and len(seen) < MOST:
        item = waiting.popleft()
        if id(item) in seen:
            continue
        seen.add(id(item))
        for read in _reads(item):
            try:
                value = read()
            except _UNREADABLE:
                continue
            yield read, value
            if not isinstance(value, (np.ndarray, *_NUMBERS)):
                waiting.append(value)


def _size(item: Any) -> Read | None:
    """How to read what a container has places for: the keys of a dict, the length of a list, an object's attributes."""
    if isinstance(item, list | deque):
        return functools.partial(len, item)
    if isinstance(item, set):
        return functools.partial(frozenset, item)
    keys = item if isinstance(item, dict) else None if isinstance(item, _LOOKED_INTO) else _attributes(item)
    return None if keys is None else functools.partial(list, keys)


def _reads(item: Any) -> Iterator[Read]:
    """How to read what an item refers to: a function's variables, a container's items, an object's attributes."""
    if isinstance(item, MethodType):
        yield from [functools.partial(getattr, item, name) for name in ("__func__", "__self__")]
    elif isinstance(item, functools.partial):
        yield from map(_Held, (item.func, item.args, item.keywords))
    elif isinstance(item, FunctionType):
        yield from _reads_of_function(item)
    elif isinstance(item, dict | list | tuple | deque):
        keys = list(item) if isinstance(item, dict) else range(len(item))
        yield from [functools.partial(operator.getitem, item, key) for key in keys]
    elif isinstance(item, set | frozenset):
        yield from map(_Held, item)
    elif isinstance(item, Handle):
        yield functools.partial(operator.attrgetter("node.value"), item)
    elif isinstance(item, staticmethod | classmethod):
        yield functools.partial(getattr, item, "__func__")
    elif isinstance(item, property):
        yield from [functools.partial(getattr, item, name) for name in ("fget", "fset")]
    elif isinstance(item, type):
        if _is_of_users(item.__module__) and not _is_installed(item.__module__):
            yield from [functools.partial(inspect.getattr_static, item, name) for name in _of_class(item)]
    elif not isinstance(item, ModuleType):
        yield _Held(type(item))
        yield from [functools.partial(getattr, item, name) for name in _attributes(item) or ()]
        yield from [functools.partial(getattr, item, name, _UNSET) for name in _slots(type(item))]


def _attributes(item: Any) -> dict[str, Any] | None:
    """The attributes of an object, but for those in slots."""
    try:
        return object.__getattribute__(item, "__dict__")  # type: ignore[no-any-return]
    except AttributeError:  # it has slots only, or is of another language
        return None


def _slots(kind: type) -> list[str]:
    """The slots of the objects of a class that was written in Python."""
    if not kind.__flags__ & _OF_PYTHON:
        return []
    return [name for base in kind.__mro__ for name, x in vars(base).items() if isinstance(x, MemberDescriptorType)]


_OF_PYTHON = 1 << 9  # Py_TPFLAGS_HEAPTYPE


def _of_class(kind: type) -> list[str]:
    """The attributes of a class and of those that it is derived from, but for what Python itself adds."""
    return [
        name
        for base in kind.__mro__
        if _is_of_users(base.__module__)
        for name, x in vars(base).items()
        if not isinstance(x, MemberDescriptorType) and (isinstance(x, FunctionType) or not name.startswith("__"))
    ]


_INSTALLED = tuple({sysconfig.get_path(name) for name in ("purelib", "platlib")})


@functools.cache
def _is_of_users(module: str | None) -> bool:
    """Whether what a module defines may change: it is not one of NumPy, of Python or of this package."""
    return (module or "").split(".")[0] not in (*_UNCHANGING, "tinygrad_cnn", "builtins")


@functools.cache
def _is_installed(module: str) -> bool:
    """Whether a module is one of an installed package. Its classes are not looked into: they are large."""
    return (getattr(sys.modules.get(module), "__file__", None) or "").startswith(_INSTALLED)


def _reads_of_function(function: FunctionType) -> Iterator[Read]:
    """How to read the variables of a function. The functions of NumPy and of this package have none that change."""
    module = function.__globals__.get("__name__")  # not __module__, which functools.wraps copies
    if (module or "").split(".")[0] in _UNCHANGING:
        return
    if module == _OF_COMPILED and "__wrapped__" in vars(function):
        yield _Held(vars(function)["__wrapped__"])  # and not the programs that it has made
        return
    for cell in function.__closure__ or ():
        yield functools.partial(getattr, cell, "cell_contents")
    yield from [functools.partial(getattr, function, name) for name in ("__defaults__", "__kwdefaults__")]
    if not _is_of_users(module):
        return
    yield _Held(vars(function))
    space = function.__globals__
    for name in _globals_of(function.__code__):
        if name not in space:
            continue
        yield functools.partial(operator.getitem, space, name)
        value = space[name]
        if isinstance(value, ModuleType) and _is_of_users(value.__name__):
            yield from [functools.partial(getattr, value, x) for x in _names_of(function.__code__)]


@dataclasses.dataclass
class _Held:
    """Reads what is always the same, for what it refers to in turn."""

    value: Any

    def __call__(self) -> Any:
        return self.value


@functools.lru_cache(maxsize=4096)
def _globals_of(code: CodeType) -> tuple[str, ...]:
    """The names that code reads as globals, that of functions within it included."""
    loads = ("LOAD_GLOBAL", "LOAD_NAME")
    own = [x.argval for x in dis.get_instructions(code) if x.opname in loads]
    within = [name for constant in code.co_consts if isinstance(constant, CodeType) for name in _globals_of(constant)]
    return tuple(dict.fromkeys([*own, *within]))


def _names_of(code: CodeType) -> Iterator[str]:
    """The names that code may read as attributes, that of functions within it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_of(constant)
