"""What would be lost, in the words of the expression; and the ways of keeping it."""

from __future__ import annotations

import ast
from types import ModuleType
from typing import Any

from tinygrad_cnn.advice.expressions import UNKNOWN, Expression, is_display, root_name
from tinygrad_cnn.advice.functions import has_counterpart, module_of

_SHORT = 30  # characters


def place(expression: Expression, node: ast.AST | None = None) -> str:
    """Where it is, and as what it stands there."""
    line = expression.node.lineno  # type: ignore[attr-defined]
    return f"line {line} of {expression.caller.file}: `{expression.text(node)}`"


def lost(expression: Expression, tensor: Any, instead: str, why: str = "") -> str:
    """The message that the gradient of `tensor` would be lost, why, and what to write instead."""
    where, whose = place(expression, whole(expression)), _gradient_of(expression, tensor)
    return f"{where} would lose the gradient of {whose}{why}: {instead}"


def whole(expression: Expression) -> ast.AST | None:
    """The statement, for an assignment: the instruction has the position of its target alone."""
    assigns = isinstance(getattr(expression.node, "ctx", None), ast.Store)
    return expression.statement if assigns and isinstance(expression.statement, ast.Assign | ast.AugAssign) else None


def _gradient_of(expression: Expression, tensor: Any) -> str:
    """Whose gradient is lost, in the words of the expression."""
    node = expression.node
    if isinstance(node, ast.Call):
        given = [*node.args, *[keyword.value for keyword in node.keywords]]
    elif isinstance(node, ast.BinOp):
        given = [node.left, node.right]
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        given = [node.slice]
    else:
        given = [x for x in [assigned(expression)] if x is not None]
    for x in given if tensor is not None else ():
        if expression.value(x) is tensor:
            return expression.text(x)
        if _holds(expression.value(x), tensor):
            return f"the Tensors in {expression.text(x)}"
    if any(is_display(x) for x in given):
        return "the Tensors in the list"
    text = expression.text(given[0]) if len(given) == 1 else ""
    return text if 0 < len(text) <= _SHORT else "a Tensor"


def assigned(expression: Expression) -> ast.expr | None:
    """What would be written into an array: the last argument of the call, or the right side of the assignment."""
    if isinstance(expression.node, ast.Call):
        return expression.node.args[-1] if expression.node.args else None
    statement = expression.statement
    if isinstance(statement, ast.Assign) and any(isinstance(x, ast.Tuple | ast.List) for x in statement.targets):
        return None
    return statement.value if isinstance(statement, ast.Assign | ast.AugAssign) else None


def is_list(expression: Expression, node: ast.Call, tensor: Any) -> bool:
    """Whether the first argument of a call is a list with `tensor` in it."""
    first = node.args[0] if node.args else None
    return is_display(first) or _holds(expression.value(first), tensor)


def _holds(x: Any, tensor: Any, depth: int = 3) -> bool:
    return isinstance(x, list | tuple) and any(
        item is tensor or (depth > 0 and _holds(item, tensor, depth - 1)) for item in x
    )


def atom(expression: Expression, node: ast.AST | None, otherwise: str = "t") -> str:
    """The text of `node`, if it is short and .value can be written behind it."""
    if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
        return otherwise
    text = expression.text(node)
    return text if len(text) <= _SHORT else otherwise


def constant(expression: Expression, write: str, what: str, adoptable: bool = False) -> str:
    """`what` has no gradient."""
    caller = expression.caller
    adopting = adoptable and caller.is_library and not caller.is_adopted
    instead = caller.adoption() if adopting else edited(expression, write)
    return f"{place(expression, whole(expression))} needs a plain number, as {what} has no gradient: {instead}"


def swap(expression: Expression, function: ast.AST, first: str = "") -> str:
    """How the function gets to be one that takes Tensors: by another import, or by adoption; or `first`."""
    caller, alias = expression.caller, root_name(function)
    owner = expression.value(ast.Name(alias)) if alias else UNKNOWN
    if caller.is_adopted:
        return unreachable(expression.text(function))
    if isinstance(owner, ModuleType) and has_counterpart(owner):
        ours = f"`import tinygrad_cnn.{owner.__name__} as {alias}`"
    elif isinstance(function, ast.Name) and has_counterpart(owner) and alias != getattr(owner, "__name__", alias):
        instead = f"let {alias} be the {owner.__name__} of tinygrad_cnn.{module_of(owner).partition('.')[0]}"
        return caller.adoption() if caller.is_library else instead
    elif isinstance(function, ast.Name) and has_counterpart(owner):
        ours = f"`from tinygrad_cnn.{module_of(owner).partition('.')[0]} import {alias}`"
    elif caller.is_aware:  # and yet the function was NumPy's, or is not among ours
        return f"take {expression.text(function)} from tinygrad_cnn.numpy, or write it with other functions of that"
    else:
        ours = "`import tinygrad_cnn.numpy as np`"
    if first and not caller.is_library:
        return f"write {first}, or {ours if caller.is_main else caller.adoption()}"
    return caller.way(ours)


KEPT = "the module is adopted already, which replaces the names in it, and not what is kept elsewhere"


def unreachable(name: str) -> str:
    """What to do about the function `name` in an adopted module."""
    return f"{KEPT}. Put the function of tinygrad_cnn.numpy or tinygrad_cnn.math where {name} comes from"


def deleted(expression: Expression, node: ast.Call) -> str:
    """What to do about a conversion that Tensors do not need: np.asarray(t)."""
    caller, swapped = expression.caller, swap(expression, node.func)
    if caller.is_aware and not has_counterpart(expression.value(node.func)):
        return edited(expression, "delete this call")
    if caller.is_library or caller.is_adopted:
        return swapped
    return f"delete this call, or {swapped if caller.is_main else caller.adoption()}"


def edited(expression: Expression, instead: str) -> str:
    """`instead`, also for code that one does not edit, and that adoption leaves as it is."""
    caller = expression.caller
    return f"adoption leaves it as it is, so in a copy of {caller.file} {instead}" if caller.is_library else instead
