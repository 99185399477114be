"""A Tensor would become a number or an array, and its gradient be lost: what to write instead, for each cause."""

from __future__ import annotations

import ast
from typing import Any

from tinygrad_cnn.advice.assignments import assignment
from tinygrad_cnn.advice.callers import Caller
from tinygrad_cnn.advice.calls import of_call
from tinygrad_cnn.advice.expressions import expression_of, is_display
from tinygrad_cnn.advice.functions import has_counterpart
from tinygrad_cnn.advice.libraries import in_library
from tinygrad_cnn.advice.wording import atom, constant, edited, lost, place, swap, unreachable


def conversion(calls: list[Caller], kind: str, tensor: Any) -> str:
    """A Tensor would become an array, or a Python number of a kind: float, int, complex, or integer, for an index."""
    user = calls[-1]
    expression = expression_of(user)
    if expression is None:
        return _without_source(user, kind)
    node = expression.node
    if len(calls) > 1:
        within, instead = in_library(calls, expression)
        return lost(expression, tensor, instead, f" in {within}")
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return assignment(expression, tensor)
    if isinstance(node, ast.Subscript) and not has_counterpart(expression.value(node.value)):
        return constant(expression, f"write int({atom(expression, node.slice)}.value), a constant", "an index")
    if isinstance(node, ast.Subscript):
        return lost(expression, tensor, swap(expression, node.value))
    if isinstance(node, ast.Call):
        return of_call(expression, node, kind, tensor)
    if isinstance(node, ast.BinOp) and is_display(node.right):
        array = expression.text(node.left)
        instead = "make a Tensor of the list, with the np.array of tinygrad_cnn.numpy"
        return lost(expression, tensor, edited(expression, instead), f", as {array} is a plain array")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant):
        return constant(expression, f"write {atom(expression, node.right)}.value, a constant", "text")
    return lost(expression, tensor, swap(expression, node))


def no_pickle(calls: list[Caller]) -> str:
    """A Tensor would be pickled."""
    user = calls[-1]
    expression = expression_of(user)
    where = user.line() if expression is None else place(expression)
    return (
        f"{where}: a Tensor cannot be pickled, as a copy in a file or in another process is not connected to this "
        "graph, and its gradient would be lost. Pickle its .value, a constant"
    )


def _without_source(user: Caller, kind: str) -> str:
    what = "an array" if kind == "array" else f"a Python {kind}"
    if user.is_adopted:
        instead = unreachable("the function")
    elif kind == "array" or not user.is_main:
        instead = user.way("`import tinygrad_cnn.numpy as np`")
    else:
        instead = "use NumPy's functions, or tinygrad_cnn.math. For the number without its gradient, write t.value"
    return f"{user.line()}: a Tensor would become {what}, and lose its gradient: {instead}"
