"""Opaque primitives that have no helper here, such as a user's: their forward functions, as they are written.

A forward function stands alone if it uses NumPy, `math`, Python's builtins, and numbers of its module.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np


def source_of(function: Callable[..., Any], name: str) -> tuple[str, set[str]] | None:
    """A function as source that stands alone, under another name, and the modules that it imports; None if it cannot.

    Decorators, types and the marks of positional arguments are left out; numbers of its module are written into it.
    """
    function = inspect.unwrap(function)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    (definition,) = tree.body
    if not isinstance(definition, ast.FunctionDef) or function.__closure__:
        return None
    space, local = function.__globals__, _assigned(definition)
    imports: set[str] = set()
    numbers: dict[str, Any] = {}
    for node in ast.walk(ast.Module(definition.body, [])):
        if not isinstance(node, ast.Name) or node.id in local or node.id not in space:
            if isinstance(node, ast.Name) and node.id not in local and not hasattr(builtins, node.id):
                return None
            continue
        value = space[node.id]
        if isinstance(value, ModuleType) and value.__name__ in ("numpy", "math") and node.id in ("np", "math"):
            imports.add(value.__name__)
        elif type(value) in (int, float):
            numbers[node.id] = value
        else:
            return None
    definition.name, definition.decorator_list, definition.returns = name, [], None
    for argument in [*definition.args.posonlyargs, *definition.args.args, *definition.args.kwonlyargs]:
        argument.annotation = None
    definition.args.args = [*definition.args.posonlyargs, *definition.args.args]
    definition.args.posonlyargs = []
    if ast.get_docstring(definition) is None:
        definition.body.insert(0, ast.Expr(ast.Constant(f"The primitive {name}.")))
    written = ast.unparse(ast.fix_missing_locations(_Numbers(numbers).visit(definition)))
    return written + "\n", imports


def _assigned(definition: ast.FunctionDef) -> set[str]:
    names = {argument.arg for argument in ast.walk(definition.args) if isinstance(argument, ast.arg)}
    return names | {
        node.id for node in ast.walk(definition) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


class _Numbers(ast.NodeTransformer):
    """Writes numbers in place of the names that they have in a module."""

    def __init__(self, numbers: dict[str, Any]) -> None:
        self.numbers = numbers

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self.numbers[node.id]) if node.id in self.numbers else node


def arguments_of(function: Callable[..., Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Those of the static arguments that are not the defaults, for a shorter line."""
    defaults = {p.name: p.default for p in inspect.signature(function).parameters.values()}
    return {
        name: value
        for name, value in parameters.items()
        if isinstance(value, np.ndarray) or defaults.get(name, inspect.Parameter.empty) is inspect.Parameter.empty
        or type(value) is not type(defaults[name]) or value != defaults[name]
    }  # fmt: skip


def positional(function: Callable[..., Any], keywords: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Keywords of a call as positional arguments, where the function requires them, and the others in its order."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return [], keywords
    required = [p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    if not required or [p.name for p in parameters[: len(required)]] != required or set(required) - set(keywords):
        return [], keywords
    rest = {p.name: keywords[p.name] for p in parameters if p.name in keywords and p.name not in required}
    if len(rest) + len(required) < len(keywords):
        return [], keywords
    return [keywords[name] for name in required], rest
