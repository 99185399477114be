"""A Tensor is an argument of a function that would make a number or an array of it."""

from __future__ import annotations

import ast
import functools
import math
import sys
from typing import Any

import numpy as np

from tinygrad_cnn.advice.assignments import assignment
from tinygrad_cnn.advice.expressions import UNKNOWN, Expression
from tinygrad_cnn.advice.functions import class_of, has_counterpart, is_numpys, module_of
from tinygrad_cnn.advice.libraries import PRIMITIVE
from tinygrad_cnn.advice.wording import atom, constant, deleted, edited, is_list, lost, swap

_CONVERSIONS = (
    np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.require, np.asarray_chkfinite
)  # fmt: skip
_BY_ITEMS = (list, tuple, map, filter, sum, max, min, sorted, set, all, any, zip, next, functools.reduce)
_WRITERS = (np.fill_diagonal, np.copyto, np.put, np.place, np.putmask)
_INTEGERS: tuple[Any, ...] = (int, range, math.floor, math.ceil, math.trunc)
# A draw as an expression of its parameters, and of a draw without them.
_OF_PARAMETERS = {
    **{name: f"loc + scale * rng.{name}()" for name in ("normal", "laplace", "logistic", "gumbel")},
    **{name: f"scale * rng.{name}()" for name in ("exponential", "rayleigh")},
    "uniform": "low + (high - low) * rng.random()",
    "multivariate_normal": "mean + np.linalg.cholesky(cov) @ rng.normal(size=n)",
}


def of_call(expression: Expression, node: ast.Call, kind: str, tensor: Any) -> str:
    """What to write in place of the call `node`; for `kind`, see `lost_gradients.conversion`."""
    function, name = expression.value(node.func), expression.text(node.func)
    module, owner = module_of(function), class_of(expression, node)
    first = atom(expression, node.args[0] if node.args else None)
    if function is round:
        given = ", ".join(map(expression.text, node.args))
        return constant(expression, f"write np.round({given}), a constant", "a rounded number", adoptable=True)
    if any(function is x for x in _INTEGERS) or (kind == "integer" and (owner or is_numpys(function))):
        return constant(expression, f"write int({first}.value), a constant", "an integer", adoptable=function is int)
    if any(function is x for x in _BY_ITEMS):  # the conversion is made by what is called for each item
        return lost(expression, tensor, swap(expression, node))
    if isinstance(node.func, ast.Attribute) and node.func.attr == "__array__":
        return lost(expression, tensor, deleted(expression, node))
    if module in ("math", "cmath"):
        short = name.rpartition(".")[2]
        return lost(expression, tensor, swap(expression, node.func, f"np.{short}" if hasattr(np, short) else ""))
    if any(function is x for x in (float, complex)) and expression.caller.is_main:
        instead = f"delete this call, or, for the number without its gradient, write {name}({first}.value)"
        return lost(expression, tensor, instead)
    if any(function is x for x in (float, complex)) or (
        isinstance(function, type) and issubclass(function, np.generic)
    ):
        return lost(expression, tensor, deleted(expression, node))
    if any(function is x for x in _CONVERSIONS) and not is_list(expression, node, tensor):
        return lost(expression, tensor, deleted(expression, node))
    if module == "numpy.random" or owner in (np.random.Generator, np.random.RandomState):
        method = name.rpartition(".")[2]
        drawn = _OF_PARAMETERS.get(method)
        if drawn is None:
            return constant(expression, f"write {first}.value, a constant", "a random draw")
        aware = expression.caller.is_aware
        return lost(expression, tensor, f"write {drawn}" if aware else swap(expression, node.func, drawn))
    if any(function is x for x in _WRITERS) or (owner is np.ndarray and name.endswith((".fill", ".put"))):
        return assignment(expression, tensor)
    if owner is np.ndarray:
        array, method = node.func.value, node.func.attr  # type: ignore[attr-defined]
        caller = expression.caller
        instead = edited(expression, f"write np.{method}({expression.text(array)}, ...)")
        if caller.is_library and not caller.is_aware:
            instead = caller.adoption()
        return lost(expression, tensor, instead, f", as {expression.text(array)} is a plain array")
    if isinstance(function, np.vectorize):
        return lost(expression, tensor, swap(expression, node), f", as {name} was made by NumPy's np.vectorize")
    if function is UNKNOWN or has_counterpart(function):
        return lost(expression, tensor, swap(expression, node.func))
    if is_numpys(function) or module.partition(".")[0] in sys.stdlib_module_names:
        takes = "arrays" if is_numpys(function) else "numbers"
        instead = edited(expression, "use other functions of NumPy")
        return lost(expression, tensor, instead, f", as {name} takes plain {takes} only")
    return lost(expression, tensor, PRIMITIVE, f", as {name} is compiled")
