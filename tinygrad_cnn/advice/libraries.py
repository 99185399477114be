"""A package that works on plain arrays was given a Tensor."""

from __future__ import annotations

import ast
from types import ModuleType

from tinygrad_cnn.advice.callers import Caller
from tinygrad_cnn.advice.expressions import Expression, expression_of
from tinygrad_cnn.advice.functions import has_counterpart, import_of, module_of, public_name_of, public_name_of_frame
from tinygrad_cnn.advice.wording import KEPT, place, whole

PRIMITIVE = "make a primitive of it, with @tg.primitive and its derivative, .defvjp"


def in_library(calls: list[Caller], expression: Expression) -> tuple[str, str]:
    """The function of a package that works on plain arrays, and what to write instead."""
    _, entry, user = calls
    called = expression.node.func if isinstance(expression.node, ast.Call) else expression.node
    function = expression.value(called)
    package = entry.module.partition(".")[0]
    name = public_name_of(function) if module_of(function).partition(".")[0] == package else public_name_of_frame(entry)
    # A function, or a method of an object, such as scipy.stats.norm, which may be called by a name of its own.
    for x in (function, getattr(function, "__self__", None), expression.value(getattr(called, "value", None))):
        if has_counterpart(x) and (x is function or not isinstance(x, ModuleType)):
            ours = import_of(x, package)
            break
    else:
        return name, _ON_ARRAYS.get(package, f"it takes plain arrays only, so {PRIMITIVE}")
    if user.is_adopted:
        return name, f"{KEPT}. Put there what is got by {ours}"
    return name, user.way(ours)


_ON_ARRAYS = {
    "pandas": (
        "a table holds plain arrays. Compute with table.to_numpy() and Tensors; to show a result, make a table of its "
        ".value, which has no gradient"
    ),
    "matplotlib": "a picture needs none, so pass its .value",
}


def lacking_attribute(calls: list[Caller], name: str, instead: str) -> str:
    """The attribute `name` of a Tensor was asked for, and there is none."""
    expression = expression_of(calls[-1])
    lacks = f"a Tensor has no attribute {name!r}"
    if len(calls) > 1 and expression is not None:
        within, instead = in_library(calls, expression)
        return f"{place(expression, whole(expression))}: {lacks}, which {within} asks for: {instead}"
    if calls[0].is_library and expression is not None:
        lacks = f"{place(expression)}: {lacks}"
    return f"{lacks}: {instead}" if instead else lacks
