"""A Tensor would be written into a plain array."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from tinygrad_cnn.advice.callers import Caller
from tinygrad_cnn.advice.expressions import Expression, expression_of
from tinygrad_cnn.advice.functions import class_of
from tinygrad_cnn.advice.wording import assigned, atom, lost


def written(calls: list[Caller], name: str, out: bool) -> str:
    """NumPy's function `name` would write into a plain array: its first argument, or that of `out=`."""
    expression = expression_of(calls[-1])
    if expression is None:
        instead = "Omit out= and use the result" if out else "Create it with np.zeros(shape, like=t)"
        return f"{calls[-1].line()}: {name} would write Tensors into a plain array, and lose their gradient. {instead}"
    node = expression.node
    if isinstance(node, ast.AugAssign) and expression.caller.is_library:
        return assignment(expression, None)
    if isinstance(node, ast.AugAssign):
        array, operator = expression.text(node.target), _OPERATORS.get(type(node.op), "+")
        instead = f"write {array} = {array} {operator} {expression.text(node.value)}"
        if not expression.caller.is_main and not expression.caller.is_aware:
            instead = f"{instead}, or {expression.caller.adoption()}"
        return lost(expression, None, instead, f", as {array} is a plain array")
    if out or not isinstance(node, ast.Call):
        caller = expression.caller
        adoptable = caller.is_library and not caller.is_aware
        instead = caller.adoption() if adoptable else "omit out= and use the result"
        return lost(expression, None, instead, f", as out of {name} is a plain array")
    return assignment(expression, None)


_OPERATORS: dict[Any, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.MatMult: "@", ast.Mod: "%",
    ast.FloorDiv: "//",
}  # fmt: skip


_HOLDS = {"i": "holds integers", "u": "holds integers", "b": "holds booleans"}


def assignment(expression: Expression, tensor: Any) -> str:
    """`array[i] = t`, or `array.fill(t)`."""
    node: Any = expression.node
    if isinstance(node, ast.Call):
        method: Any = node.func
        node = method.value if class_of(expression, node) is np.ndarray else node.args[0]
    elif isinstance(node, ast.AugAssign):
        node = node.target
    elif isinstance(node, ast.Subscript):
        node = node.value
    while isinstance(node, ast.Subscript) and isinstance(expression.value(node.value), np.ndarray):
        node = node.value  # node is a view
    array, caller = expression.text(node), expression.caller
    kind = getattr(getattr(expression.value(node), "dtype", None), "kind", "f")
    if kind in "iub":
        return lost(
            expression,
            tensor,
            f"create it with floats, {array} = np.array({array}, float)",
            f", as {array} {_HOLDS[kind]}",
        )
    if caller.is_aware:
        instead = (
            "it was not created within the function that is differentiated. Assign to a copy made there, "
            f"{array} = np.array({array})"
        )
    elif caller.is_library:
        instead = f"{caller.adoption()}, in which np.zeros and its kin make arrays that take Tensors"
    else:
        like = _like(expression, tensor)
        otherwise = "with the np.zeros of tinygrad_cnn.numpy" if caller.is_main else caller.adoption()
        instead = f"create it with np.zeros(shape, like={like}), or {otherwise}"
    return lost(expression, tensor, instead, f", as {array} is a plain array")


def _like(expression: Expression, tensor: Any) -> str:
    """A Tensor in what is assigned, preferably by its name."""
    value = assigned(expression)
    for node in ast.walk(value) if value is not None and tensor is not None else ():
        if isinstance(node, ast.Name) and isinstance(expression.value(node), type(tensor)):
            return node.id
    return atom(expression, value)
