"""What is exchanged in an adopted module, for what, and how that is undone."""

from __future__ import annotations

import cmath
import dis
import inspect
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from tinygrad_cnn import builtin_functions
from tinygrad_cnn.adoption.classes import classes_in_use, namespace_with
from tinygrad_cnn.adoption.jitted import interpreting, python_of, uncompiled
from tinygrad_cnn.adoption.wrapped import cell_of, dispatcher_of, dispatching_by_value, uncached
from tinygrad_cnn.advice.callers import knows_tensors
from tinygrad_cnn.replacements import replacements
from tinygrad_cnn.sources import codes_within

_BUILTINS = ("type", "complex", "float", "hasattr", "int", "isinstance", "round")


def exchange(module: ModuleType, is_adopted: Callable[[str], bool]) -> list[Callable[[], None]]:
    """Exchange what `module` has of the table; what undoes each exchange. If one fails, none is left.

    is_adopted: whether a module of this name is adopted, as that is in which a function or a class is defined.
    """
    undos: list[Callable[[], None]] = []
    try:
        undos.extend(_exchanges(module, is_adopted))
    except BaseException:
        for undo in reversed(undos):
            undo()
        raise
    return undos


def counterpart_of(x: Any) -> Any:
    """What `x`, of NumPy, Python or SciPy, is exchanged for; None if it stays."""
    return _counterpart(x, _table())


def _table() -> dict[int, tuple[Any, Any]]:
    """From the identity of what is exchanged to what it is exchanged for, with every module that is in use."""
    import tinygrad_cnn.cmath
    import tinygrad_cnn.math
    import tinygrad_cnn.numpy

    table = dict(replacements)
    if "scipy" in sys.modules:
        import tinygrad_cnn.scipy

        tinygrad_cnn.scipy.counterparts()
        table = dict(replacements)
        table[id(sys.modules["scipy"])] = (sys.modules["scipy"], tinygrad_cnn.scipy)
    for original, counterpart in (
        (np, tinygrad_cnn.numpy), (math, tinygrad_cnn.math), (cmath, tinygrad_cnn.cmath),
        (np.float64, builtin_functions.float64), (np.float32, builtin_functions.float32),
    ):  # fmt: skip
        table[id(original)] = (original, counterpart)
    return table


def _exchanges(module: ModuleType, is_adopted: Callable[[str], bool]) -> Iterator[Callable[[], None]]:
    table = _table()
    names = vars(module)
    functions, values = list(_functions_of(module)), _values_of(module)
    codes = [code for function in functions for code in codes_within(function.__code__)]
    if in_use := classes_in_use(codes):
        table[id(np)] = (np, namespace_with(in_use))
    for name, x in list(names.items()):
        counterpart = _counterpart(x, table)
        if counterpart is None or (isinstance(x, type) and _compared_by_identity(name, codes, names)):
            continue
        names[name] = counterpart
        yield _restoring_item(names, name, x, counterpart)
    for function in functions:
        yield from _exchange_defaults(function, table)
        for cell in function.__closure__ or ():
            yield from _exchange_cell(cell, table)
    for kind in _classes_of(module):
        yield from _exchange_attributes(kind, table)
    for name, x in list(names.items()):
        if not name.startswith("__"):
            yield from _exchange_within(x, table, is_adopted)
    for x in values:
        yield from _exchange_calls(x, module)
    for name in _BUILTINS:
        if name in names or not any(name in code.co_names for code in codes):
            continue
        if name == "hasattr" and knows_tensors(names):
            continue
        if _is_more_than_called(name, codes) if name == "type" else _compared_by_identity(name, codes, names):
            continue
        names[name] = getattr(builtin_functions, name)
        yield _removing_item(names, name, names[name])


def _counterpart(x: Any, table: dict[int, tuple[Any, Any]]) -> Any:
    if type(x) is np.vectorize:
        made = table[id(np.vectorize)][1].__new__(table[id(np.vectorize)][1])
        made.__dict__.update(x.__dict__)
        return made
    if isinstance(x, MethodType) and id(x.__self__) in table:  # as N = scipy.stats.norm.cdf
        return getattr(table[id(x.__self__)][1], x.__name__)
    original, counterpart = table.get(id(x), (None, None))
    if original is x:
        return counterpart
    return uncompiled(x) or uncached(x)


def _classes_of(module: ModuleType) -> list[type]:
    """The classes that are defined in `module`, with those within them."""
    found: list[type] = []
    waiting: list[Any] = list(vars(module).values())
    while waiting:
        x = waiting.pop()
        if isinstance(x, type) and x.__module__ == module.__name__ and x not in found:
            found.append(x)
            waiting.extend(vars(x).values())
    return found


def _values_of(module: ModuleType) -> list[Any]:
    """What the variables of `module` are, and the attributes of its classes."""
    return [*vars(module).values(), *[x for kind in _classes_of(module) for x in vars(kind).values()]]


def _functions_of(module: ModuleType) -> list[FunctionType]:
    """The functions that are defined in `module`, methods and what is wrapped by decorators included."""
    found: dict[int, FunctionType] = {}
    waiting = _values_of(module)
    while waiting:
        x = waiting.pop()
        if isinstance(x, property):
            waiting.extend([x.fget, x.fset])
        if isinstance(x, np.vectorize):
            waiting.append(x.pyfunc)
        if (compiled_from := python_of(x)) is not None:
            waiting.append(compiled_from)
        if isinstance(x, staticmethod | classmethod | MethodType):
            waiting.append(x.__func__)
        if (dispatcher := dispatcher_of(x)) is not None:
            waiting.extend(dispatcher.registry.values())
        try:
            wrapped = inspect.getattr_static(x, "__wrapped__", None)
        except Exception:
            continue  # an object whose attributes are not to be had
        if wrapped is not None and wrapped is not x:
            waiting.append(wrapped)
        if isinstance(x, FunctionType) and x.__globals__ is vars(module) and id(x) not in found:
            found[id(x)] = x
            waiting.extend(map(_contents, x.__closure__ or ()))
    return list(found.values())


def _contents(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty yet
        return None


def _exchange_cell(cell: CellType, table: dict[int, tuple[Any, Any]]) -> Iterator[Callable[[], None]]:
    old = _contents(cell)
    counterpart = _counterpart(old, table)
    if counterpart is not None:
        cell.cell_contents = counterpart
        yield _restoring_attribute(cell, "cell_contents", old, counterpart)


def _exchange_defaults(function: FunctionType, table: dict[int, tuple[Any, Any]]) -> Iterator[Callable[[], None]]:
    old = function.__defaults__ or ()
    new = tuple([x if (found := _counterpart(x, table)) is None else found for x in old])
    if any(x is not y for x, y in zip(old, new, strict=True)):
        function.__defaults__ = new
        yield _restoring_attribute(function, "__defaults__", old, new)
    keywords: dict[str, Any] = function.__kwdefaults__ or {}
    for name, x in keywords.items():
        counterpart = _counterpart(x, table)
        if counterpart is not None:
            keywords[name] = counterpart
            yield _restoring_item(keywords, name, x, counterpart)


def _exchange_attributes(kind: type, table: dict[int, tuple[Any, Any]]) -> Iterator[Callable[[], None]]:
    for name, x in list(vars(kind).items()):
        counterpart = _counterpart(x.__func__ if isinstance(x, staticmethod) else x, table)
        if counterpart is None:
            continue
        new = staticmethod(counterpart) if isinstance(x, staticmethod) else counterpart
        try:
            setattr(kind, name, new)
        except (AttributeError, TypeError):  # the class does not let itself be changed
            continue
        yield _restoring_attribute(kind, name, x, new)


def _exchange_within(
    x: Any, table: dict[int, tuple[Any, Any]], is_adopted: Callable[[str], bool]
) -> Iterator[Callable[[], None]]:
    """Exchange what `x`, a variable of a module, holds: a dict, an object of an adopted class, a function made by one.

    So it is with a table of functions by their names, an object that has the module numpy as its backend, and
    what a decorator of another module returned.
    """
    if isinstance(x, FunctionType):
        if is_adopted(str(x.__globals__.get("__name__"))):
            for cell in x.__closure__ or ():
                yield from _exchange_cell(cell, table)
        return
    inside = x if type(x) is dict else _attributes(x, is_adopted)
    for key, old in list(inside.items()):
        counterpart = _counterpart(old, table)
        if counterpart is not None:
            inside[key] = counterpart
            yield _restoring_item(inside, key, old, counterpart)


def _attributes(x: Any, is_adopted: Callable[[str], bool]) -> dict[Any, Any]:
    """What `x` has of its own, if it is an object of an adopted class. No code of that class is run."""
    if isinstance(x, type) or not is_adopted(str(type(x).__module__)):
        return {}
    try:
        found = object.__getattribute__(x, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else {}


def _exchange_calls(x: Any, module: ModuleType) -> Iterator[Callable[[], None]]:
    """Exchange what `x` calls, so that it is exchanged wherever somebody else holds `x`."""
    if (dispatcher := dispatcher_of(x)) is not None and dispatcher.__module__ == module.__name__:
        old = dispatcher.dispatch
        new = dispatching_by_value(old)
        for owner, name in ((dispatcher, "dispatch"), (cell_of(dispatcher), "cell_contents")):
            if owner is not None:
                setattr(owner, name, new)
                yield _restoring_attribute(owner, name, old, new)
    python = python_of(x)
    if python is not None and python.__module__ == module.__name__ and type(x).__name__ == "CPUDispatcher":
        x._compile_for_args = interpreting(python)
        yield _removing_item(vars(x), "_compile_for_args", x._compile_for_args)


def _loads(name: str, codes: Sequence[CodeType]) -> Iterator[tuple[dis.Instruction, ...]]:
    """Each instruction that loads a global variable, between the ones before and after it."""
    for code in codes:
        if name in code.co_names:
            instructions = [x for x in dis.get_instructions(code) if x.opname not in ("PRECALL", "CACHE")]
            for before, load, after in zip(instructions, instructions[1:], instructions[2:], strict=False):
                if load.opname == "LOAD_GLOBAL" and load.argval == name:
                    yield before, load, after


def _is_more_than_called(name: str, codes: Sequence[CodeType]) -> bool:
    """Whether a function is loaded other than to be called, as in isinstance(x, type): it is not exchanged then."""
    return any(not load.arg & 1 for _, load, _ in _loads(name, codes))  # type: ignore[operator]


def _compared_by_identity(name: str, codes: Sequence[CodeType], names: dict[str, Any]) -> bool:
    """Whether there is `kind is float`, which is false of every stand-in, unless that kind is of our own `type`."""
    return any(
        after.opname == "IS_OP" and not (before.opname == "CALL" and names.get("type") is builtin_functions.type)
        for before, _, after in _loads(name, codes)
    )


# An exchange is undone unless something else was put there meanwhile.


def _restoring_item(names: dict[Any, Any], name: Any, old: Any, new: Any) -> Callable[[], None]:
    def undo() -> None:
        if names.get(name) is new:
            names[name] = old

    return undo


def _removing_item(names: dict[str, Any], name: str, new: Any) -> Callable[[], None]:
    def undo() -> None:
        if names.get(name) is new:
            del names[name]

    return undo


def _restoring_attribute(owner: Any, name: str, old: Any, new: Any) -> Callable[[], None]:
    def undo() -> None:
        if (vars(owner)[name] if isinstance(owner, type) else getattr(owner, name)) is new:
            setattr(owner, name, old)

    return undo
