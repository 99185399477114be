"""Another operand: a variable, a number, a divisor, a filter that is reversed."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.source_edits.edit import SourceEdit, instead
from tinygrad_cnn.check.diagnose.edits.source_edits.scope import ALIKE, Scope, dtype_kind, is_float, is_numeric
from tinygrad_cnn.check.diagnose.edits.source_edits.trees import factors_of, is_called, is_transposed, parsed, text
from tinygrad_cnn.check.diagnose.edits.statements import Change


def variables(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """Another variable of the same shape; transposed or not; squared; its slope."""
    if not isinstance(x, ast.Name | ast.Subscript | ast.Attribute) or is_called(holder, at):
        return
    value = scope.value(x)
    if not is_numeric(value):
        return
    atoms = {name for name, _ in scope.atoms}
    beside = {"left": "right", "right": "left"}.get(at, "") if isinstance(holder, ast.BinOp) else ""
    cancels = text(getattr(holder, beside)) if beside and isinstance(holder.op, ast.Sub | ast.Div) else ""
    around = text(holder) if isinstance(holder, ast.expr) else ""
    for k, name in enumerate(name for name in scope.like(text(x), value) if name not in (cancels, around)):
        cost = (0.95 if isinstance(value, np.ndarray) else 1.1) + (0.0 if name in atoms else 0.08)
        yield instead(holder, at, x, name, cost + 0.01 * k)
    if isinstance(holder, ast.Subscript) and at == "value" and isinstance(value, np.ndarray):
        for name, y in scope.atoms:
            if np.ndim(y) == value.ndim and np.shape(y) != value.shape and dtype_kind(y) == dtype_kind(value):
                yield instead(holder, at, x, name, 1.15)
    if not is_float(value) or isinstance(holder, ast.Subscript):
        return
    yield instead(holder, at, x, f"{text(x)} ** 2", 1.15)
    yield instead(holder, at, x, f"np.sqrt({text(x)})", 1.4)
    yield instead(holder, at, x, f"(1 - {text(x)})", 1.45)
    yield instead(holder, at, x, f"np.exp({text(x)})", 1.45)
    if np.size(value) > 1 and 0 < np.min(value) <= np.max(value) < 1:  # probabilities
        yield instead(holder, at, x, f"({text(x)} * (1 - {text(x)}))", 1.45)
        yield instead(holder, at, x, f"({text(x)} / (1 - {text(x)}))", 1.45)
    if np.size(value) > 1 and isinstance(holder, ast.BinOp | ast.keyword | list):
        yield instead(holder, at, x, f"({text(x)} > 0)", 1.3)
    of_shape = isinstance(holder, ast.Attribute) and holder.attr in ("shape", "size", "T")
    if np.ndim(value) == 2 and not is_transposed(x) and not of_shape:
        change = Change(holder, at, parsed(f"{text(x)}.T", x))
        yield SourceEdit(1.0, change, "transposed", {"x": text(x)})


def index_arithmetic(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """A whole number that is computed as another one is elsewhere in the function: 3 * g + j for 2 * j + g."""
    if isinstance(x, ast.BinOp) and text(x) in scope.numbers:
        for k, other in enumerate(y for y in scope.numbers[:ALIKE] if y != text(x)):
            yield instead(holder, at, x, other, 1.15 + 0.01 * k)


def attributes(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """What should not be transposed."""
    if isinstance(x, ast.Attribute) and x.attr == "T":
        yield SourceEdit(0.93, Change(holder, at, x.value), "not_transposed", {"x": text(x.value)})


def constants(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """Another number: off by one, double, half, of the other sign, inverse; another truth value."""
    if not isinstance(x, ast.Constant) or (isinstance(holder, ast.keyword) and holder.arg == "axis"):
        return
    c = x.value
    if isinstance(c, bool):
        yield instead(holder, at, x, repr(not c), 1.1)
    elif isinstance(c, int | float):
        half = c // 2 if isinstance(c, int) and c % 2 == 0 else c / 2
        others, nearby, seldom = [2 * c, half, c + 1, c - 1, -c, c - 0.5, 1 / c if c else 1, 0, 1], [], []
        if isinstance(holder, ast.BinOp) and isinstance(holder.op, ast.Mult | ast.Div):  # a length is likelier
            others, nearby, seldom = [2 * c, half, -c], [c + 1, c - 1], [c - 0.5, 1 / c if c else 1, 0, 1]
        yield from _for_a_number(holder, at, x, scope)
        if isinstance(c, int) and isinstance(holder, ast.Subscript | ast.Slice | ast.Tuple | list):
            others = [c + 1, c - 1]
            for name, value in scope.atoms:
                if type(value) is int and name.isidentifier():
                    yield instead(holder, at, x, name, 1.1)
        for first, chosen in ((1.0, others), (1.1, nearby), (1.26, seldom)):
            for k, new in enumerate(dict.fromkeys(n for n in chosen if n != c)):
                yield instead(holder, at, x, repr(new), first + 0.02 * k)


def _for_a_number(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """An array where a number is: for 1 - h it would be y - h, for x / 4 it would be x / n."""
    if isinstance(holder, ast.BinOp) and isinstance(holder.op, ast.Add | ast.Sub | ast.Mult | ast.Div):
        beside = scope.value(holder.left if at == "right" else holder.right)
        if isinstance(beside, np.ndarray) and beside.ndim:
            for k, (name, y) in enumerate(scope.atoms):
                if k < ALIKE and isinstance(y, np.ndarray) and y.shape == beside.shape:
                    yield instead(holder, at, x, name, 1.25)


def divisors(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """Another count of what is averaged over."""
    if isinstance(holder, ast.BinOp) and isinstance(holder.op, ast.Div) and at == "right":
        value = scope.value(x)
        cost = 1.1 if isinstance(x, ast.Constant) else 1.05
        cancels = {y.value for y in factors_of(holder.left) if isinstance(y, ast.Constant)}  # 2 * x / 2
        for n in scope.counts if isinstance(value, int | float | np.number) else ():
            if scope.value(parsed(n, x)) not in (value, *cancels):
                yield instead(holder, at, x, n, cost)


def flips(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """A filter that is not reversed, along its last axis or its last two."""
    value = scope.value(x) if isinstance(x, ast.Name) and not isinstance(holder, ast.Subscript) else None
    if not isinstance(value, np.ndarray) or not is_float(value) or not value.ndim or value.shape[-1] < 2:
        return
    if isinstance(holder, ast.Assign | ast.Call | list | ast.BinOp | ast.Attribute) and not is_called(holder, at):
        for reversed_axes in ("::-1", "::-1, ::-1", ":, ::-1")[: 1 if value.ndim == 1 else 3 if value.ndim == 2 else 0]:
            yield instead(holder, at, x, f"{text(x)}[{reversed_axes}]", 1.3)


def renamed(node: ast.stmt, scope: Scope) -> Iterator[SourceEdit]:
    """Another variable wherever one is mentioned several times, as in y * (1 - y)."""
    value = getattr(node, "value", None)
    if not isinstance(value, ast.BinOp | ast.UnaryOp | ast.Call):
        return
    found = [x.id for x in ast.walk(value) if isinstance(x, ast.Name)]
    for name in dict.fromkeys(x for x in found if found.count(x) > 1):
        x = scope.names.get(name)
        for k, new in enumerate(scope.like(name, x) if isinstance(x, np.ndarray) and x.ndim and is_float(x) else ()):
            source = re.sub(rf"(?<![\w.]){name}\b", lambda _, new=new: new, text(value))  # type: ignore[misc]
            if new.isidentifier() and new not in found:
                change = Change(node, "value", functools.partial(parsed, source, value))
                yield SourceEdit(1.0 + 0.01 * k, change, "other", {"x": name, "y": new})
