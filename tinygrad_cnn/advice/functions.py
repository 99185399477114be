"""What a function is that was given a Tensor, and whether there is another one for Tensors."""

from __future__ import annotations

import ast
import sys
from types import ModuleType
from typing import Any

import numpy as np

from tinygrad_cnn.advice import callers
from tinygrad_cnn.advice.callers import Caller
from tinygrad_cnn.advice.expressions import UNKNOWN, Expression


def has_counterpart(function: Any) -> bool:
    """Whether there is a function for Tensors in place of `function`."""
    return callers.has_counterpart(function)


def module_of(function: Any) -> str:
    """The name of the module that it was defined in, or that it is, or ""."""
    module = getattr(function, "__module__", None)
    if isinstance(function, ModuleType):
        return function.__name__
    return module if isinstance(module, str) else ""


def class_of(expression: Expression, call: ast.Call) -> Any:
    """The class of NumPy whose method is called, or None; by the name of the method, if the object is not known."""
    if not isinstance(call.func, ast.Attribute):
        return None
    owner = expression.value(call.func.value)
    if isinstance(owner, ModuleType | type | np.ufunc):
        return None
    if owner is not UNKNOWN:
        return type(owner)
    if isinstance(call.func.value, ast.Name):
        return None
    return next((kind for kind in (np.ndarray, np.random.Generator) if hasattr(kind, call.func.attr)), None)


def is_numpys(function: Any) -> bool:
    """Whether it is a function or a class of NumPy, or a ufunc."""
    return isinstance(function, np.ufunc) or module_of(function).partition(".")[0] == "numpy"


def public_name_of(function: Any) -> str:
    """The name of a function, or of the class of an object, as users know it."""
    return _public_name(f"{module_of(function)}.{getattr(function, '__qualname__', type(function).__name__)}")


def public_name_of_frame(caller: Caller) -> str:
    """The name of the function that a frame is of, as users know it."""
    return _public_name(f"{caller.module}.{caller.code.co_qualname}")


def _public_name(name: str) -> str:
    """For instance scipy.linalg.solve for scipy.linalg._basic.solve."""
    name = name.partition(".<locals>")[0]
    return ".".join([part for part in name.split(".") if not part.startswith("_")])


def import_of(x: Any, package: str) -> str:
    """The import of the counterpart of `x`, of SciPy: a function, an object, or a module."""
    if isinstance(x, ModuleType):
        return f"`import tinygrad_cnn.{_public_name(x.__name__)}`"
    name = public_name_of(x)
    for module in [m for n, m in sorted(sys.modules.items()) if n.count(".") == 1 and n.startswith(f"{package}.")]:
        for own, value in vars(module).items():
            if value is x:
                name = f"{module.__name__}.{own}"
    module_name, _, short = name.rpartition(".")
    return f"`from tinygrad_cnn.{module_name} import {short}`"
