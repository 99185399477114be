"""Code that cannot be edited, differentiated: in its modules, NumPy's functions are exchanged for ours.

    with tg.adopt(filterpy.kalman):
        tg.grad(loss)(x)

What is exchanged, in a module and in what is defined there (class bodies, default arguments, what a function closes
over, what it imports when it is called, dicts, and objects of adopted classes that are variables of the module):

- the modules numpy, numpy.linalg, numpy.fft, math, cmath and those of SciPy, for `tinygrad_cnn.numpy`,
  `tinygrad_cnn.math`, `tinygrad_cnn.scipy`, ...;
- functions imported from them, for those of the same names there;
- functions compiled by numba, for the Python that they were compiled from, where an argument is a Tensor;
- Python's float, complex, int, round and isinstance, for `builtin_functions`, where the module uses them.

The exchanged functions go by what they are given, and by whether a transform runs in this thread: to other threads, and
to calls without Tensors, nothing changes.
"""

from __future__ import annotations

import importlib.machinery
import sys
import threading
from types import ModuleType, TracebackType
from typing import Any

from tinygrad_cnn.adoption.exchange import exchange
from tinygrad_cnn.adoption.imports import Imports
from tinygrad_cnn.advice.callers import adopted


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
    _imports.begin()
    try:
        for other in _parts_of(module):
            if other.__name__ not in adopted:
                adopted[other.__name__] = exchange(other, _is_held)
    except BaseException:
        _release(name)
        raise


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
    if not _holders:
        _imports.end()


def _adopt_later(module: ModuleType) -> None:
    """Adopt a module of an adopted package, which has just been executed."""
    with _lock:
        if _is_held(module.__name__) and module.__name__ not in adopted:
            adopted[module.__name__] = exchange(module, _is_held)


def _is_held(name: str) -> bool:
    return any(name == held or name.startswith(f"{held}.") for held in _holders)


def _parts_of(module: ModuleType) -> list[ModuleType]:
    """`module`, and if it is a package, those of its modules that are imported and written in Python."""
    prefix = f"{module.__name__}."
    inner = [other for name, other in list(sys.modules.items()) if name.startswith(prefix)]
    return [other for other in (module, *inner) if isinstance(other, ModuleType) and _is_python(other)]


_imports = Imports(_is_held, _adopt_later)
