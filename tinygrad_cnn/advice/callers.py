"""Whose code a call is in, and how Tensors get through it: by another import, or by adoption."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any

from tinygrad_cnn.sources import is_engine, line_of

# What layers above know.
# The modules of adopted code, and what undoes their adoption, by name: `tg.adopt` enters them.
adopted: dict[str, list[Callable[[], None]]] = {}


def knows_tensors(names: dict[str, Any]) -> bool:
    """Whether the module with the variables `names` imports this package, and so may ask a Tensor for what is ours."""
    package = sys.modules[__name__.partition(".")[0]]
    ours = {id(package), *[id(x) for name, x in list(vars(package).items()) if name in package.__all__]}
    return any(id(x) in ours for x in list(names.values()))


def check_is_meant(name: str) -> None:
    """Raise AttributeError if adopted code asks a Tensor for `name`, which is ours, and does not know of Tensors.

    There, x.value is an attribute of quantities with units, and code goes on without it if x has none.
    """
    if adopted:
        frame = sys._getframe(2)
        names = frame.f_globals
        if names.get("__name__") in adopted and not (knows_tensors(names) or knows_tensors(frame.f_locals)):
            raise AttributeError(name)


def no_counterpart(function: Any) -> bool:
    """Whether there is a function for Tensors in place of `function`; `namespaces.py` puts another one here."""
    return False


has_counterpart: Callable[[Any], bool] = no_counterpart

# Packages whose work is done by compiled code, on arrays: what is said of a call is said where it leads into one.
ON_ARRAYS = frozenset(["scipy", "pandas", "sklearn", "torch", "jax", "jaxlib", "matplotlib", "numba", "llvmlite"])

_OF_PYTHON = os.path.join(os.path.dirname(os.__file__), "")
_PACKAGES = ("site-packages", "dist-packages")
_NUMPY = os.path.join(os.path.dirname(importlib.util.find_spec("numpy").origin), "")  # type: ignore[union-attr, arg-type]


class _Memo(dict[str, bool]):
    """Whether a file is the engine's or NumPy's."""

    def __missing__(self, filename: str) -> bool:
        self[filename] = is_engine[filename] or filename.startswith(_NUMPY)
        return self[filename]


is_inside = _Memo()


class Caller:
    """One frame of Python, at the instruction that was executed when this was made."""

    __slots__ = ("frame", "instruction", "is_adopted")

    def __init__(self, frame: Any, instruction: int | None = None) -> None:
        self.frame = frame
        self.instruction: int = frame.f_lasti if instruction is None else instruction
        self.is_adopted = self.module in adopted

    @property
    def code(self) -> CodeType:
        """What is executed."""
        return self.frame.f_code  # type: ignore[no-any-return]

    @property
    def module(self) -> str:
        """The name of the module that it is in."""
        return self.frame.f_globals.get("__name__", "")  # type: ignore[no-any-return]

    @property
    def is_main(self) -> bool:
        """Whether it is the program itself, or what is typed in."""
        return self.module in ("__main__", "") or self.code.co_filename.startswith("<")

    @property
    def is_library(self) -> bool:
        """Whether it is installed, so that one does not edit it."""
        filename = self.code.co_filename
        return filename.startswith((_OF_PYTHON, "<frozen")) or any(folder in filename for folder in _PACKAGES)

    @property
    def is_aware(self) -> bool:
        """Whether its NumPy is ours, by adoption or by import."""
        return self.is_adopted or any(
            isinstance(x, ModuleType) and x.__name__ == "tinygrad_cnn.numpy"
            for x in list(self.frame.f_globals.values())
        )

    @property
    def file(self) -> str:
        """The file as one knows it: with the folders of its package."""
        parts = self.code.co_filename.split(os.sep)
        count = self.module.count(".") + 1 + (parts[-1] == "__init__.py") if not self.is_main else 1
        return "/".join(parts[-count:])

    def line(self) -> str:
        """Where it is, as "file:line in function"."""
        return line_of((self.code, self.instruction))

    def way(self, ours: str) -> str:
        """How the functions that its code calls get to take Tensors: by the import `ours`, or by adoption."""
        if self.is_main:
            return f"write {ours}"
        return self.adoption() if self.is_library else f"write {ours}, or {self.adoption()}"

    def adoption(self) -> str:
        """What adopts its module; if it is installed, with the others of the package, which it will call."""
        package = self.module.partition(".")[0]
        if self.is_library and package != self.module:
            return f"adopt the package: tg.adopt({package})"
        return f"adopt the module: tg.adopt({self.module})"


def calls_into_engine() -> list[Caller]:
    """The frame that called into the engine, directly or through NumPy; and, if it is in a package that works on
    arrays, the one that called into that, after the last within it.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and is_inside[frame.f_code.co_filename]:
        frame = frame.f_back
    found = [Caller(frame)]
    if works_on_arrays(frame):
        outermost: Any = frame
        user = frame.f_back
        while user is not None and (is_inside[user.f_code.co_filename] or works_on_arrays(user)):
            outermost, user = user, user.f_back
        if user is not None:
            found += [Caller(outermost), Caller(user)]
    return found


def works_on_arrays(frame: Any) -> bool:
    """Whether the code of `frame` is in one of the packages that work on arrays."""
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0] in ON_ARRAYS
