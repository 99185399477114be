"""A Tensor would become a number or an array, and its gradient be lost: what to write instead, for each cause."""

from __future__ import annotations

import ast
import math
import sys
from types import ModuleType
from typing import Any

import numpy as np

from tinygrad_cnn.advice import callers
from tinygrad_cnn.advice.callers import Caller
from tinygrad_cnn.advice.expressions import UNKNOWN, Expression, expression_of, is_display, root_name

_CONVERSIONS = (
    np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.require, np.asarray_chkfinite
)  # fmt: skip
_WRITERS = (np.fill_diagonal, np.copyto, np.put, np.place, np.putmask)
_INTEGERS: tuple[Any, ...] = (int, range, math.floor, math.ceil, math.trunc)
_SCALED = frozenset(  # distributions with a location or a scale
    ["normal", "uniform", "exponential", "laplace", "logistic", "gumbel", "rayleigh", "multivariate_normal"]
)
_PRIMITIVE = "make a primitive of it, with @tg.primitive and its derivative, .defvjp"
_SHORT = 30  # characters


def has_counterpart(function: Any) -> bool:
    """Whether there is a function for Tensors in place of `function`."""
    return callers.has_counterpart(function)


def conversion(calls: list[Caller], kind: str, tensor: Any) -> str:
    """A Tensor would become an array, or a Python number of a kind: float, int, complex, or integer, for an index."""
    user = calls[-1]
    expression = expression_of(user)
    if expression is None:
        return _without_source(user, kind)
    node = expression.node
    if len(calls) > 1:
        within, instead = _in_library(calls, expression)
        return _lost(expression, tensor, instead, f" in {within}")
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return _assignment(expression, tensor)
    if isinstance(node, ast.Subscript) and not has_counterpart(expression.value(node.value)):
        return _constant(expression, f"write int({_atom(expression, node.slice)}.value), a constant", "an index")
    if isinstance(node, ast.Subscript):
        return _lost(expression, tensor, _swap(expression, node.value))
    if isinstance(node, ast.Call):
        return _call(expression, node, kind, tensor)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant):
        return _constant(expression, f"write {_atom(expression, node.right)}.value, a constant", "text")
    return _lost(expression, tensor, _swap(expression, node))


def no_pickle(calls: list[Caller]) -> str:
    """A Tensor would be pickled."""
    user = calls[-1]
    expression = expression_of(user)
    where = user.line() if expression is None else place(expression)
    return (
        f"{where}: a Tensor cannot be pickled, as a copy in a file or in another process is not connected to this "
        "graph, and its gradient would be lost. Pickle its .value, a constant"
    )


def place(expression: Expression, node: ast.AST | None = None) -> str:
    """Where it is, and as what it stands there."""
    line = expression.node.lineno  # type: ignore[attr-defined]
    return f"line {line} of {expression.caller.file}: `{expression.text(node)}`"


def _without_source(user: Caller, kind: str) -> str:
    what = "an array" if kind == "array" else f"a Python {kind}"
    if user.is_aware:
        instead = _unreachable("the function")
    elif kind == "array" or not user.is_main:
        instead = user.way("`import tinygrad_cnn.numpy as np`")
    else:
        instead = "use NumPy's functions, or tinygrad_cnn.math. For the number without its gradient, write t.value"
    return f"{user.line()}: a Tensor would become {what}, and lose its gradient: {instead}"


# Causes.


def _call(expression: Expression, node: ast.Call, kind: str, tensor: Any) -> str:
    function, name = expression.value(node.func), expression.text(node.func)
    module, owner = _module(function), _class_of(expression, node)
    first = _atom(expression, node.args[0] if node.args else None)
    if function is round:
        given = ", ".join(map(expression.text, node.args))
        return _constant(expression, f"write np.round({given}), a constant", "a rounded number", adoptable=True)
    if any(function is x for x in _INTEGERS) or (kind == "integer" and (owner or _is_numpys(function))):
        return _constant(expression, f"write int({first}.value), a constant", "an integer", adoptable=function is int)
    if module in ("math", "cmath"):
        short = name.rpartition(".")[2]
        return _lost(expression, tensor, _swap(expression, node.func, f"np.{short}" if hasattr(np, short) else ""))
    if function in (float, complex) and expression.caller.is_main:
        instead = f"delete this call, or, for the number without its gradient, write {name}({first}.value)"
        return _lost(expression, tensor, instead)
    if function in (float, complex) or (isinstance(function, type) and issubclass(function, np.generic)):
        return _lost(expression, tensor, _deleted(expression, node))
    if any(function is x for x in _CONVERSIONS) and not _is_list(expression, node, tensor):
        return _lost(expression, tensor, _deleted(expression, node))
    if module == "numpy.random" or owner in (np.random.Generator, np.random.RandomState):
        method = name.rpartition(".")[2]
        if method not in _SCALED:
            return _constant(expression, f"write {first}.value, a constant", "a random draw")
        instead = f"draw without it, then shift and scale the draw, as in mean + scale * rng.{method}()"
        return _lost(expression, tensor, instead)
    if any(function is x for x in _WRITERS) or (owner is np.ndarray and name.endswith((".fill", ".put"))):
        return _assignment(expression, tensor)
    if owner is np.ndarray:
        array, method = node.func.value, node.func.attr  # type: ignore[attr-defined]
        return _lost(expression, tensor, f"write np.{method}({expression.text(array)}, ...)", " in an array's method")
    if type(function).__module__.partition(".")[0] == "numba":
        why = f", as {name} is compiled by numba"
        return _lost(expression, tensor, f"call what it was compiled from, {name}.py_func", why)
    if isinstance(function, np.vectorize):
        return _lost(expression, tensor, _swap(expression, node), f", as {name} was made by NumPy's np.vectorize")
    if function is UNKNOWN or has_counterpart(function):
        return _lost(expression, tensor, _swap(expression, node.func))
    if _is_numpys(function) or module.partition(".")[0] in sys.stdlib_module_names:
        return _lost(expression, tensor, "use other functions of NumPy", f", as {name} takes plain numbers only")
    return _lost(expression, tensor, _PRIMITIVE, f", as {name} is compiled")


def written(calls: list[Caller], name: str, out: bool) -> str:
    """NumPy's function `name` would write into a plain array: its first argument, or that of `out=`."""
    expression = expression_of(calls[-1])
    if expression is None:
        instead = "Omit out= and use the result" if out else "Create it with np.zeros(shape, like=t)"
        return f"{calls[-1].line()}: {name} would write Tensors into a plain array, and lose their gradient. {instead}"
    node = expression.node
    if isinstance(node, ast.AugAssign):
        array, operator = expression.text(node.target), _OPERATORS.get(type(node.op), "+")
        instead = f"write {array} = {array} {operator} {expression.text(node.value)}"
        if not expression.caller.is_main and not expression.caller.is_aware:
            instead = f"{instead}, or {expression.caller.adoption()}"
        return _lost(expression, None, instead, f", as {array} is a plain array")
    if out or not isinstance(node, ast.Call):
        caller = expression.caller
        adoptable = caller.is_library and not caller.is_aware
        instead = caller.adoption() if adoptable else "omit out= and use the result"
        return _lost(expression, None, instead, f", as out of {name} is a plain array")
    return _assignment(expression, None)


_OPERATORS: dict[Any, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.MatMult: "@", ast.Mod: "%",
    ast.FloorDiv: "//",
}  # fmt: skip


def _assignment(expression: Expression, tensor: Any) -> str:
    """`array[i] = t`, or `array.fill(t)`."""
    node: Any = expression.node
    if isinstance(node, ast.Call):
        method: Any = node.func
        node = method.value if _class_of(expression, node) is np.ndarray else node.args[0]
    elif isinstance(node, ast.Subscript):
        node = node.value
    while isinstance(node, ast.Subscript) and isinstance(expression.value(node.value), np.ndarray):
        node = node.value  # node is a view
    array, caller = expression.text(node), expression.caller
    if caller.is_aware:
        instead = (
            f"it was not created within the function that is differentiated. Assign to a copy made there, "
            f"{array} = np.array({array})"
        )
    elif caller.is_library:
        instead = f"{caller.adoption()}, in which np.zeros and its kin make arrays that take Tensors"
    else:
        like = _atom(expression, _assigned(expression))
        otherwise = "with the np.zeros of tinygrad_cnn.numpy" if caller.is_main else caller.adoption()
        instead = f"create it with np.zeros(shape, like={like}), or {otherwise}"
    return _lost(expression, tensor, instead, f", as {array} is a plain array")


def _constant(expression: Expression, write: str, what: str, adoptable: bool = False) -> str:
    """`what` has no gradient."""
    caller = expression.caller
    instead = caller.adoption() if adoptable and caller.is_library and not caller.is_aware else write
    return f"{place(expression, _whole(expression))} needs a plain number, as {what} has no gradient: {instead}"


def _deleted(expression: Expression, node: ast.Call) -> str:
    """What to do about a conversion that Tensors do not need: np.asarray(t)."""
    caller, swap = expression.caller, _swap(expression, node.func)
    if caller.is_library or caller.is_aware:
        return swap
    return f"delete this call, or {swap if caller.is_main else caller.adoption()}"


def _in_library(calls: list[Caller], expression: Expression) -> tuple[str, str]:
    """The function of a package that works on plain arrays, and what to write instead."""
    _, entry, user = calls
    node = expression.node
    function = expression.value(node.func) if isinstance(node, ast.Call) else UNKNOWN
    package = entry.module.partition(".")[0]
    name = _public(function) if _module(function).partition(".")[0] == package else _public_frame(entry)
    if not isinstance(node, ast.Call) or function is UNKNOWN or not has_counterpart(function):
        return name, _ON_ARRAYS.get(package, f"it takes plain arrays only, so {_PRIMITIVE}")
    if user.is_aware:
        return name, _unreachable(expression.text(node.func))
    module, _, short = name.rpartition(".")
    return name, user.way(f"`from tinygrad_cnn.{module} import {short}`")


def lacking_attribute(calls: list[Caller], name: str, instead: str) -> str:
    """The attribute `name` of a Tensor was asked for, and there is none."""
    expression = expression_of(calls[-1])
    lacks = f"a Tensor has no attribute {name!r}"
    if len(calls) > 1 and expression is not None:
        within, instead = _in_library(calls, expression)
        return f"{place(expression, _whole(expression))}: {lacks}, which {within} asks for: {instead}"
    if calls[0].is_library and expression is not None:
        lacks = f"{place(expression)}: {lacks}"
    return f"{lacks}: {instead}" if instead else lacks


_ON_ARRAYS = {
    "pandas": (
        "a table holds plain arrays. Compute with table.to_numpy() and Tensors; to show a result, make a table of its "
        ".value, which has no gradient"
    ),
    "matplotlib": "a picture needs none, so pass its .value",
}


# What to write.


def _swap(expression: Expression, function: ast.AST, first: str = "") -> str:
    """How the function gets to be one that takes Tensors: by another import, or by adoption; or `first`."""
    caller, alias = expression.caller, root_name(function)
    owner = expression.value(ast.Name(alias)) if alias else UNKNOWN
    if caller.is_aware:
        return _unreachable(expression.text(function))
    if isinstance(owner, ModuleType) and has_counterpart(owner):
        ours = f"`import tinygrad_cnn.{owner.__name__} as {alias}`"
    elif isinstance(function, ast.Name) and has_counterpart(owner):
        ours = f"`from tinygrad_cnn.{_module(owner).partition('.')[0]} import {alias}`"
    else:
        ours = "`import tinygrad_cnn.numpy as np`"
    if first and not caller.is_library:
        return f"write {first}, or {ours if caller.is_main else caller.adoption()}"
    return caller.way(ours)


def _unreachable(name: str) -> str:
    return (
        f"the module is adopted already, which replaces the names in it, and not what is kept elsewhere. Put the "
        f"function of tinygrad_cnn.numpy or tinygrad_cnn.math where {name} comes from"
    )


# What the expression holds.


def _lost(expression: Expression, tensor: Any, instead: str, why: str = "") -> str:
    where, whose = place(expression, _whole(expression)), _gradient_of(expression, tensor)
    return f"{where} would lose the gradient of {whose}{why}: {instead}"


def _whole(expression: Expression) -> ast.AST | None:
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
        given = [x for x in [_assigned(expression)] if x is not None]
    for x in given if tensor is not None else ():
        if expression.value(x) is tensor:
            return expression.text(x)
        if _holds(expression.value(x), tensor):
            return f"the Tensors in {expression.text(x)}"
    if any(is_display(x) for x in given):
        return "the Tensors in the list"
    text = expression.text(given[0]) if len(given) == 1 else ""
    return text if 0 < len(text) <= _SHORT else "a Tensor"


def _assigned(expression: Expression) -> ast.expr | None:
    """What would be written into an array: the last argument of the call, or the right side of the assignment."""
    if isinstance(expression.node, ast.Call):
        return expression.node.args[-1] if expression.node.args else None
    statement = expression.statement
    if isinstance(statement, ast.Assign) and any(isinstance(x, ast.Tuple | ast.List) for x in statement.targets):
        return None
    return statement.value if isinstance(statement, ast.Assign | ast.AugAssign) else None


def _is_list(expression: Expression, node: ast.Call, tensor: Any) -> bool:
    first = node.args[0] if node.args else None
    return is_display(first) or _holds(expression.value(first), tensor)


def _holds(x: Any, tensor: Any, depth: int = 3) -> bool:
    return isinstance(x, list | tuple) and any(
        item is tensor or (depth > 0 and _holds(item, tensor, depth - 1)) for item in x
    )


def _atom(expression: Expression, node: ast.AST | None, otherwise: str = "t") -> str:
    """The text of `node`, if it is short and .value can be written behind it."""
    if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
        return otherwise
    text = expression.text(node)
    return text if len(text) <= _SHORT else otherwise


# What a function is.


def _module(function: Any) -> str:
    module = getattr(function, "__module__", None)
    if isinstance(function, ModuleType):
        return function.__name__
    return module if isinstance(module, str) else ""


def _class_of(expression: Expression, call: ast.Call) -> Any:
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


def _is_numpys(function: Any) -> bool:
    return isinstance(function, np.ufunc) or _module(function).partition(".")[0] == "numpy"


def _public(function: Any) -> str:
    return _public_name(f"{_module(function)}.{getattr(function, '__qualname__', type(function).__name__)}")


def _public_frame(caller: Caller) -> str:
    return _public_name(f"{caller.module}.{caller.code.co_qualname}")


def _public_name(name: str) -> str:
    """The name as which users know it: scipy.linalg.solve for scipy.linalg._basic.solve."""
    return ".".join([part for part in name.split(".") if not part.startswith("_")])
