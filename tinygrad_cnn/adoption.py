"""Code that cannot be edited, differentiated: in its modules, NumPy's functions are exchanged for ours.

    with tg.adopt(filterpy.kalman):
        tg.grad(loss)(x)

What is exchanged, in a module and in what is defined there (class bodies, default arguments, what a function closes
over, and what it imports when it is called):

- the modules numpy, numpy.linalg, numpy.fft, math, cmath and those of SciPy, for `tinygrad_cnn.numpy`,
  `tinygrad_cnn.math`, `tinygrad_cnn.scipy`, ...;
- functions imported from them, for those of the same names there;
- Python's float, complex, int, round and isinstance, for `builtin_functions`, where the module uses them.

The exchanged functions go by what they are given, and by whether a transform runs in this thread: to other threads, and
to calls without Tensors, nothing changes.
"""

from __future__ import annotations

import builtins
import cmath
import dis
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import itertools
import math
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from types import CellType, CodeType, FunctionType, ModuleType, TracebackType
from typing import Any

import numpy as np

from tinygrad_cnn import builtin_functions
from tinygrad_cnn.advice.callers import adopted
from tinygrad_cnn.replacements import replacements

_BUILTINS = ("complex", "float", "int", "isinstance", "round")


class adopt:  # noqa: N801 (used as a word, like no_grad)
    """Let Tensors flow through the code of `modules`, which was written for NumPy alone.

    modules: modules of Python, or packages, with all of their modules that are imported, now or later.

    Holds from the call until `tg.adopt.undo()`, or until the end of the `with` block. A module may be adopted several
    times: it stays so until the last of the blocks ends. Raises TypeError for what is no module, and ValueError for one
    without code in Python, which cannot be adopted: its functions go on raising GradientLostError.

    >>> import statistics, numpy as np, tinygrad_cnn as tg
    >>> with tg.adopt(statistics):
    ...     tg.grad(lambda x: statistics.NormalDist(x, 1.0).pdf(0.5))(0.0).round(4)
    np.float64(0.176)
    >>> tg.adopt.modules()
    ()
    """

    def __init__(self, *modules: ModuleType) -> None:
        if not modules:
            raise TypeError("adopt: no module was given; expected one or more, as in tg.adopt(filterpy)")
        self._modules = [_checked(module) for module in modules]
        with _lock:
            for module in self._modules:
                _hold(module)

    def __enter__(self) -> adopt:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with _lock:
            for module in self._modules:
                _release(module.__name__)

    @staticmethod
    def modules() -> tuple[str, ...]:
        """The names of the modules and packages that are adopted now."""
        return tuple(_holders)

    @staticmethod
    def undo(*modules: ModuleType) -> None:
        """Undo the adoption of `modules`, or of all, however often each was adopted."""
        with _lock:
            for name in [_checked(module).__name__ for module in modules] or list(_holders):
                if name in _holders:
                    _holders[name] = 1
                    _release(name)


_lock = threading.RLock()
_holders: dict[str, int] = {}  # how often each module or package is adopted


def _checked(module: Any) -> Any:
    if not isinstance(module, ModuleType) and not _stands_for_a_module(module):
        defined = getattr(module, "__module__", None)
        hint = f": tg.adopt({defined})" if isinstance(defined, str) else ""
        kind = getattr(module, "__name__", None) or repr(module)
        raise TypeError(f"adopt: {kind} is of type {type(module).__name__}; expected a module or a package{hint}")
    name = module.__name__
    if name.partition(".")[0] == "tinygrad_cnn" or name == "numpy":
        raise ValueError(f"adopt: {name} takes Tensors as it is; expected a module that calls NumPy's functions")
    if not _is_python(module):
        raise ValueError(
            f"adopt: {name} is compiled, or built into Python; expected a module written in Python. Call its functions "
            "with arrays, and declare their derivatives with @tg.primitive"
        )
    return module


def _stands_for_a_module(x: Any) -> bool:
    """Whether `x` is what a module has put in its own place among those that are imported."""
    name = getattr(x, "__name__", None)
    return isinstance(name, str) and sys.modules.get(name) is x


def _is_python(module: ModuleType) -> bool:
    """Whether there is code in Python in `module`: its own, or, for a package, that of its modules."""
    file = getattr(module, "__file__", None)
    if file is not None:
        return not file.endswith(tuple(importlib.machinery.EXTENSION_SUFFIXES))
    spec = getattr(module, "__spec__", None)
    built_in = spec is not None and spec.origin in ("built-in", "frozen")
    return hasattr(module, "__path__") or not (built_in or module.__name__ in sys.builtin_module_names)


def _hold(module: ModuleType) -> None:
    name = module.__name__
    _holders[name] = _holders.get(name, 0) + 1
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
        _importing.begin()
    for other in _parts_of(module):
        if other.__name__ not in adopted:
            adopted[other.__name__] = list(_exchange(other))


def _release(name: str) -> None:
    if name not in _holders:  # undone by `undo` within the block
        return
    _holders[name] -= 1
    if not _holders[name]:
        del _holders[name]
    for other in list(adopted):
        if not _is_held(other):
            for undo in reversed(adopted.pop(other)):
                undo()
    if not _holders and _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
        _importing.end()


def _is_held(name: str) -> bool:
    return any(name == held or name.startswith(f"{held}.") for held in _holders)


def _parts_of(module: ModuleType) -> list[ModuleType]:
    """`module`, and if it is a package, those of its modules that are imported and written in Python."""
    prefix = f"{module.__name__}."
    inner = [other for name, other in list(sys.modules.items()) if name.startswith(prefix)]
    return [other for other in (module, *inner) if isinstance(other, ModuleType) and _is_python(other)]


# What is exchanged.


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
    for original, counterpart in ((np, tinygrad_cnn.numpy), (math, tinygrad_cnn.math), (cmath, tinygrad_cnn.cmath)):
        table[id(original)] = (original, counterpart)
    return table


def _exchange(module: ModuleType) -> Iterator[Callable[[], None]]:
    """Exchange what `module` has of the table; yields what undoes each exchange."""
    table = _table()
    names = vars(module)
    for name, x in list(names.items()):
        counterpart = _counterpart(x, table)
        if counterpart is not None:
            names[name] = counterpart
            yield _restoring_item(names, name, x, counterpart)
    functions = list(_functions_of(module))
    for function in functions:
        yield from _exchange_defaults(function, table)
        for cell in function.__closure__ or ():
            yield from _exchange_cell(cell, table)
    for kind in _classes_of(module):
        yield from _exchange_attributes(kind, table)
    codes = [code for function in functions for code in _codes(function.__code__)]
    for name in _BUILTINS:
        if (
            name not in names
            and any(name in code.co_names for code in codes)
            and not _compared_by_identity(name, codes)
        ):
            names[name] = getattr(builtin_functions, name)
            yield _removing_item(names, name, names[name])


def _counterpart(x: Any, table: dict[int, tuple[Any, Any]]) -> Any:
    if type(x) is np.vectorize:
        made = table[id(np.vectorize)][1].__new__(table[id(np.vectorize)][1])
        made.__dict__.update(x.__dict__)
        return made
    original, counterpart = table.get(id(x), (None, None))
    return counterpart if original is x else None


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


def _functions_of(module: ModuleType) -> list[FunctionType]:
    """The functions that are defined in `module`, methods and what is wrapped by decorators included."""
    found: dict[int, FunctionType] = {}
    waiting: list[Any] = [*vars(module).values()]
    for kind in _classes_of(module):
        waiting.extend(vars(kind).values())
    while waiting:
        x = waiting.pop()
        if isinstance(x, property):
            waiting.extend([x.fget, x.fset])
        if isinstance(x, np.vectorize):
            waiting.append(x.pyfunc)
        try:
            wrapped = inspect.getattr_static(x, "__wrapped__", None) or getattr(x, "__func__", None)
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


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _compared_by_identity(name: str, codes: Sequence[CodeType]) -> bool:
    """Whether there is `type(x) is float`, which is false for every stand-in."""
    for code in codes:
        if name in code.co_names:
            instructions = list(dis.get_instructions(code))
            for one, then in itertools.pairwise(instructions):
                if then.opname == "IS_OP" and one.opname in ("LOAD_GLOBAL", "LOAD_NAME") and one.argval == name:
                    return True
    return False


# An exchange is undone unless something else was put there meanwhile.


def _restoring_item(names: dict[str, Any], name: str, old: Any, new: Any) -> Callable[[], None]:
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


# Modules that are imported later.


class _Finder(importlib.abc.MetaPathFinder):
    """Finds nothing itself; lets the modules of adopted packages be adopted after they are executed."""

    def __init__(self) -> None:
        self._within = threading.local()

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        """The spec that the other finders give, with a loader that adopts."""
        if getattr(self._within, "found", False) or not _is_held(fullname):
            return None
        self._within.found = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._within.found = False
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _AdoptingLoader(spec.loader.name, spec.loader.path)
        return spec


class _AdoptingLoader(importlib.machinery.SourceFileLoader):
    """Executes a module, and adopts it."""

    def exec_module(self, module: ModuleType) -> None:
        """As any loader's."""
        super().exec_module(module)
        with _lock:
            if _is_held(module.__name__) and module.__name__ not in adopted:
                adopted[module.__name__] = list(_exchange(module))


class _Importing:
    """Python's `__import__`, which gives a function of an adopted module the counterpart of what it imports."""

    def __init__(self) -> None:
        self.original: Any = None

    def begin(self) -> None:
        """Take the place of Python's."""
        self.original, builtins.__import__ = builtins.__import__, self

    def end(self) -> None:
        """Leave it to Python's, if nothing else has taken it."""
        if builtins.__import__ is self:
            builtins.__import__ = self.original

    def __call__(self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        module = self.original(name, globals, locals, fromlist, level)
        if level or globals is None or globals.get("__name__") not in adopted:
            return module
        counterpart = _counterpart(module, _table())
        return module if counterpart is None else counterpart


_finder, _importing = _Finder(), _Importing()
