"""Another function, other arguments, another comparison or branch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.source_edits.edit import SourceEdit, instead
from tinygrad_cnn.check.diagnose.edits.source_edits.scope import ALIKE, Scope, is_float, is_numeric
from tinygrad_cnn.check.diagnose.edits.source_edits.trees import summed_in, text, transpose, with_argument
from tinygrad_cnn.check.diagnose.edits.statements import Change

SIBLINGS = (
    ("sin", "cos", "tan"), ("sinh", "cosh", "tanh"), ("exp", "log", "expm1", "log1p"), ("maximum", "minimum"),
    ("sum", "mean"), ("max", "min", "argmax", "argmin"), ("sqrt", "square", "abs"), ("zeros_like", "ones_like"),
    ("floor", "ceil"), ("var", "std"), ("dot", "multiply", "outer"), ("zeros", "ones"),
)  # fmt: skip
RESHAPING = ("reshape", "ravel", "flatten", "squeeze", "transpose", "swapaxes")
REDUCTIONS = ("sum", "mean", "max", "min", "prod", "var", "std", "argmax", "argmin")
AXES = (0, 1, 2, -1, -2, (0, 1), (0, 2), (1, 2), (0, 2, 3), (0, 1, 2), (2, 3))
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
OPPOSITE = ({ast.NotEq, ast.Eq}, {ast.Lt, ast.Gt}, {ast.LtE, ast.GtE})


def calls(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """A sibling function, one left out, arguments exchanged, axes."""
    if not isinstance(x, ast.Call):
        return
    f = x.func
    name = f.attr if isinstance(f, ast.Attribute) else f.id if isinstance(f, ast.Name) else ""
    for family in SIBLINGS:
        if name in family:
            for new in family:
                if new != name and isinstance(f, ast.Attribute):
                    cost = 1.0 if {name, new} == {"sum", "mean"} else 1.1
                    yield SourceEdit(cost, Change(f, "attr", new), "other", {"x": name, "y": new})
    if name == "reversed" and len(x.args) == 1:
        yield instead(holder, at, x, x.args[0], 1.1)
    elif name == "range":
        yield instead(holder, at, x, f"reversed({text(x)})", 1.2)
        edge = x.args[1 if len(x.args) > 1 else 0]
        for sign in "+-":
            yield instead(holder, at, x, with_argument(x, len(x.args) > 1, f"{text(edge)} {sign} 1"), 1.2)
    elif len(x.args) == 1 and not isinstance(x.args[0], ast.Starred) and is_numeric(scope.value(x.args[0])):
        y = text(x.args[0])
        yield SourceEdit(1.1, Change(holder, at, x.args[0]), "function_missing", {"x": text(x), "y": y})
        if is_float(scope.value(x.args[0])):
            for z in (y, text(x)):
                for slope in (f"({z}) * (1 - ({z}))", f"(1 - ({z}) ** 2)", f"(({z}) > 0)"):
                    yield instead(holder, at, x, ast.parse(slope, mode="eval").body, 1.35)
    if name == "where" and len(x.args) == 3:
        yield from _branches(holder, at, x, scope)
    if len(x.args) == 2 and name not in ("reshape", "zeros", "ones"):
        yield instead(holder, at, x, ast.Call(f, [x.args[1], x.args[0]], x.keywords), 1.1)
    if isinstance(f, ast.Attribute) and name == "dot" and len(x.args) == 1:
        yield instead(holder, at, x, f"{text(x.args[0])}.dot({text(f.value)})", 1.1)
        yield instead(holder, at, x, f"{text(x.args[0])}.T.dot({text(f.value)}.T)", 1.2)
    if name == "reshape" and isinstance(f, ast.Attribute) and np.ndim(scope.value(f.value)) == 2:
        yield instead(holder, at, x, transpose(f.value), 1.0)
    if name in RESHAPING and isinstance(f, ast.Attribute) and is_numeric(scope.value(f.value)):
        yield SourceEdit(1.2, Change(holder, at, f.value), "function_missing", {"x": text(x), "y": text(f.value)})
    if name in REDUCTIONS:
        yield from _axes(holder, at, x)
        yield from _of_another(x, scope)
        if isinstance(f, ast.Attribute) and text(f.value) not in ("np", "numpy"):
            yield SourceEdit(1.2, Change(holder, at, f.value), "function_missing", {"x": text(x), "y": text(f.value)})


def _branches(holder: Any, at: Any, x: ast.Call, scope: Scope) -> Iterator[SourceEdit]:
    """The two values of np.where exchanged; one that should be 0; a variable for a number."""
    zero_first = isinstance(x.args[1], ast.Constant) and x.args[1].value == 0
    exchanged = ast.Call(x.func, [x.args[0], x.args[2], x.args[1]], x.keywords)
    yield instead(holder, at, x, exchanged, 0.93 if zero_first else 1.1)
    for k in (1, 2):
        y, shape = x.args[k], np.shape(scope.value(x))
        if not isinstance(y, ast.Constant):
            yield instead(x.args, k, y, "0", 0.9)
        elif y.value:
            like = [name for name, z in scope.atoms if is_float(z) and np.shape(z) in ((), shape)]
            for j, name in enumerate(like[:ALIKE]):
                edit = instead(x.args, k, y, name, 1.1 + 0.01 * j)
                yield replace(edit, sentence="factor_more", words={"x": name}) if y.value == 1 else edit


def _axes(holder: Any, at: Any, x: ast.Call) -> Iterator[SourceEdit]:
    of_numpy = isinstance(x.func, ast.Attribute) and text(x.func.value) in ("np", "numpy")
    given = next((k for k in x.keywords if k.arg == "axis"), None)
    positional = x.args[1 if of_numpy else 0 :]
    now = text(given.value) if given is not None else text(positional[0]) if positional else None
    for axis in (*AXES, None):
        if repr(axis) == now or (axis is None and now is None):
            continue
        new = ast.Call(x.func, x.args[: len(x.args) - len(positional)], [k for k in x.keywords if k.arg != "axis"])
        if axis is not None:
            new.keywords.insert(0, ast.keyword("axis", ast.parse(repr(axis), mode="eval").body))
        yield instead(holder, at, x, new, 1.0 if axis in (0, 1, -1) else 1.1)
        if axis is not None and not any(k.arg == "keepdims" for k in x.keywords):
            new.keywords.append(ast.keyword("keepdims", ast.Constant(True)))
            yield instead(holder, at, x, new, 1.1)


def _of_another(x: ast.Call, scope: Scope) -> Iterator[SourceEdit]:
    """A sum of another variable, of whatever shape."""
    if (summed := summed_in(x)) is None or not isinstance(summed, ast.Name):
        return
    shape = np.shape(scope.value(summed))
    others = [name for name, y in scope.atoms if is_float(y) and np.ndim(y) and np.shape(y) != shape]
    for name in others[:ALIKE]:
        yield instead(x.args, 0, summed, name, 1.25)


def comparisons(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """Another comparison."""
    if isinstance(x, ast.Compare) and type(x.ops[0]) in COMPARISONS and not isinstance(scope.value(x.left), str):
        for op in COMPARISONS:
            if op is not type(x.ops[0]):
                cost = 0.96 if {op, type(x.ops[0])} in OPPOSITE else 1.0
                yield instead(holder, at, x, ast.Compare(x.left, [op()], x.comparators), cost)
    if isinstance(x, ast.IfExp):
        yield instead(holder, at, x, ast.IfExp(x.test, x.orelse, x.body), 1.1)
