"""Whether an expression that somebody wrote may be evaluated again: it changes nothing, and takes nothing away."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
from collections.abc import Mapping
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

BUILTINS = frozenset(
    ["abs", "all", "any", "bool", "complex", "dict", "divmod", "enumerate", "float", "int", "isinstance", "len", "list",
     "map", "max", "min", "pow", "range", "reversed", "round", "set", "slice", "sorted", "str", "sum", "tuple", "zip"]
)  # fmt: skip
LIBRARIES = ("numpy", "scipy", "math", "cmath", "operator", "functools", "itertools", "tinygrad_cnn")
OF_CONTAINERS = frozenset(["copy", "count", "get", "index", "items", "keys", "values"])  # methods
IN_PLACE = frozenset(["byteswap", "fill", "partition", "put", "resize", "setfield", "setflags", "sort"])  # of arrays


def is_pure(node: ast.expr, names: Mapping[str, Any]) -> bool:
    """Whether all that an expression calls is known to change nothing. names: what names in it mean."""
    return all(_is_pure_call(x, names) for x in _calls(node))


@functools.lru_cache(maxsize=4096)
def _calls(node: ast.AST) -> tuple[ast.Call, ...]:
    return tuple([x for x in ast.walk(node) if isinstance(x, ast.Call)])


def _is_pure_call(call: ast.Call, names: Mapping[str, Any]) -> bool:
    try:
        function = _value(call.func, names)
    except (AttributeError, LookupError, TypeError):  # a method of something that has to be computed first
        return isinstance(call.func, ast.Attribute) and _is_method_of_arrays(call.func.attr)
    return _is_pure_function(function)


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of a name, or of an attribute of one."""
    if isinstance(node, ast.Name):
        return names[node.id] if node.id in names else getattr(builtins, node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, names), node.attr)
    raise TypeError(ast.unparse(node))


def _is_method_of_arrays(name: str) -> bool:
    return hasattr(np.ndarray, name) and name not in IN_PLACE


def _is_pure_function(function: Any) -> bool:
    function = function.__func__ if isinstance(function, MethodType) else function
    if isinstance(function, FunctionType) and not _is_of(function.__module__, LIBRARIES):
        return _changes_nothing(function)
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if owner is builtins or isinstance(function, type):
        return name in BUILTINS or _is_of(function.__module__, LIBRARIES)
    if owner is not None and not isinstance(owner, ModuleType | type):
        if isinstance(owner, list | dict | tuple):
            return name in OF_CONTAINERS
        return isinstance(owner, np.ndarray | np.generic | np.ufunc | int | float | str) and name not in IN_PLACE
    return _is_of(getattr(function, "__module__", None) or type(function).__module__, LIBRARIES)


def _is_of(module: Any, packages: tuple[str, ...]) -> bool:
    root, _, rest = str(module).partition(".")
    return root in packages and not rest.startswith(("random", "check"))


@functools.lru_cache(maxsize=512)
def _changes_nothing(function: FunctionType) -> bool:
    """Whether a function of somebody's own assigns to variables of its own alone, and calls what does so too."""
    try:
        tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return False
    own = {x.id for x in ast.walk(tree) if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)}
    for x in ast.walk(tree):
        if isinstance(x, ast.Global | ast.Nonlocal | ast.Yield | ast.YieldFrom | ast.Await | ast.Delete):
            return False
        if isinstance(x, ast.Attribute | ast.Subscript) and isinstance(x.ctx, ast.Store):
            base: Any = x
            while isinstance(base, ast.Attribute | ast.Subscript):
                base = base.value
            if not isinstance(base, ast.Name) or base.id not in own:
                return False
    closed = inspect.getclosurevars(function)
    names = {**function.__globals__, **closed.nonlocals, function.__name__: abs}  # it may call itself
    local = own | set(inspect.signature(function).parameters)
    calls = [x for x in _calls(tree) if not (isinstance(x.func, ast.Name) and x.func.id in local)]
    return all(_is_pure_call(x, names) for x in calls)
