"""What is missing at the right side as a whole, or at one of its terms."""

from __future__ import annotations

import ast
import functools
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.source_edits.edit import SourceEdit
from tinygrad_cnn.check.diagnose.edits.source_edits.scope import Scope, broadcasts, is_float
from tinygrad_cnn.check.diagnose.edits.source_edits.trees import as_operand, parsed, text
from tinygrad_cnn.check.diagnose.edits.statements import Change, Statement

CLOSE = 1e-8  # relative


def at_terms(holder: Any, at: str, scope: Scope) -> Iterator[SourceEdit]:
    """A sign, a factor, a division or a term that is missing."""
    waiting: list[tuple[Any, Any, ast.expr, bool]] = [(holder, at, getattr(holder, at), True)]
    while waiting:
        where, place, x, whole = waiting.pop()
        if isinstance(x, ast.Starred):
            continue
        if isinstance(x, ast.Tuple | ast.List):
            waiting += [(x.elts, k, y, True) for k, y in enumerate(x.elts)]
            continue
        if isinstance(x, ast.Dict):
            waiting += [(x.values, k, y, True) for k, y in enumerate(x.values)]
            continue
        if isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and x.func.attr in ("append", "at", "insert"):
            waiting.append((x.args, len(x.args) - 1, x.args[-1], True))
            continue
        if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Add | ast.Sub):
            waiting += [(x, "left", x.left, False), (x, "right", x.right, False)]
        if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Mult | ast.Div):
            waiting += [(x, side, y, False) for side in ("left", "right") if _is_sum(y := getattr(x, side))]
        if isinstance(x, ast.BinOp) and isinstance(x.op, ast.MatMult):
            waiting += [(x, "left", x.left, False), (x, "right", x.right, False)]
        if isinstance(x, ast.Call) and x.args and not isinstance(x.args[0], ast.Starred):
            waiting += [(x.args, k, y, False) for k, y in enumerate(x.args[:2])]
        if isinstance(x, ast.ListComp | ast.GeneratorExp):
            waiting.append((x, "elt", x.elt, False))
            continue
        value = scope.value(x)
        if value is None and not whole:
            continue
        if value is None or is_float(value):
            yield from _missing(where, place, x, value, whole, scope)


def _missing(where: Any, place: Any, x: ast.expr, value: Any, whole: bool, scope: Scope) -> Iterator[SourceEdit]:
    old, aside = text(x), 0.0 if whole else 0.1
    inner = f"({old})" if isinstance(x, ast.BinOp | ast.UnaryOp | ast.IfExp | ast.Compare) else old
    if not _begins_with_a_sign(x):
        change, cost = Change(where, place, parsed(_negated(x) or f"-{inner}", x)), 0.9 + aside
        if isinstance(where, ast.BinOp) and isinstance(where.op, ast.Add | ast.Sub) and place == "right":
            change, cost = Change(where, "op", ast.Sub() if isinstance(where.op, ast.Add) else ast.Add()), 0.95
        yield SourceEdit(cost, change, "sign" if whole else "sign_of", {"x": old})

    def made(source: str, cost: float, sentence: str, factor: str) -> SourceEdit:
        change = Change(where, place, functools.partial(parsed, source, x))
        return SourceEdit(cost + aside, change, sentence, {"x": factor})

    for k, number in enumerate(("2", "0.5")):
        yield made(f"{number} * {inner}", 1.1 + 0.02 * k, "factor_more", number)
    for n in scope.counts:
        cost = 1.15 if "." not in n else 1.22 if n.endswith(".shape[0]") else 1.25
        is_length = scope.value(parsed(n, x)) in (*np.shape(value), np.size(value))
        yield made(f"{inner} / {n}", cost, "length_missing" if is_length else "division_more", n)
        if not re.search(r"/ \S*(size|shape|len)", old):
            yield made(f"{inner} * {n}", cost + 0.1, "factor_more", n)
    for name, y in scope.atoms:
        if is_float(y) and not np.ndim(y):
            yield made(f"{inner} * {name}", 1.2, "factor_more", name)
            yield made(f"{inner} / {name}", 1.25, "division_more", name)
    beside = _beside(where, place)
    if beside is not None and np.ndim(among := scope.value(beside)) > np.ndim(value):
        for name, y in scope.atoms:  # as xhat before the mean of xhat * g
            if isinstance(y, np.ndarray) and is_float(y) and y.shape == np.shape(among):
                yield made(f"{name} * {inner}", 1.2, "factor_more", name)
    if not isinstance(value, np.ndarray) or not value.ndim:
        return
    for axis in range(value.ndim):
        for kept in ("", ", keepdims=True"):
            source = f"np.sum({old}, axis={axis}{kept})"
            change = Change(where, place, functools.partial(parsed, source, x))
            yield SourceEdit(1.3 + aside, change, "other", {"x": old, "y": source})
    for mask in scope.masks(value.shape):
        yield made(f"{inner} * ({mask})", 1.3, "factor_more", mask)
    floats = is_float(value)  # and so is what is like it
    for name in scope.like(old, value):
        if not _is_sum(x) and name.split("[")[0] in old.replace("(", " ").replace(".", " ").split():
            continue
        name = as_operand(name)
        if floats:
            yield made(f"{inner} * {name}", 1.25, "factor_more", name)
            yield made(f"{inner} / {name}", 1.35, "division_more", name)
            yield made(f"{inner} + {name}", 1.25, "term_more", name)
            yield made(f"{inner} - {name}", 1.27, "term_more", f"-{name}")
            if name.startswith("("):
                continue
            yield made(f"{inner} * ({name} > 0)", 1.4, "factor_more", f"({name} > 0)")
            yield made(f"{inner} * (1 - {name} ** 2)", 1.45, "factor_more", f"(1 - {name} ** 2)")
            for sign, sentence in (("*", "factor_more"), ("/", "division_more")):
                yield made(f"{inner} {sign} ({name} * (1 - {name}))", 1.45, sentence, f"{name} * (1 - {name})")
    for name, y in scope.atoms:  # vectors along an axis, as gamma is
        if is_float(y) and np.ndim(y) and y.shape != value.shape and broadcasts(y.shape, value.shape):
            yield made(f"{inner} * {name}", 1.4, "factor_more", name)
        elif is_float(y) and np.ndim(y) == 2 and 1 in y.shape and broadcasts(y.T.shape, value.shape):
            yield made(f"{inner} * {name}.T", 1.4, "factor_more", f"{name}.T")


def _begins_with_a_sign(x: ast.expr) -> bool:
    """Whether it is something negative times something, of which the sign is an edit by itself."""
    while isinstance(x, ast.BinOp) and isinstance(x.op, ast.Mult | ast.Div | ast.MatMult):
        x = x.left
    return isinstance(x, ast.UnaryOp) and isinstance(x.op, ast.USub)


def _negated(x: ast.expr) -> str:
    """The same with the other sign, written without one: h - y for y - h; "" where there is no such difference."""
    if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Sub) and not isinstance(x.left, ast.Constant):
        return f"({text(x.right)}) - ({text(x.left)})"
    if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Mult | ast.Div | ast.MatMult):
        for side in ("left", "right"):
            if negated := _negated(getattr(x, side)):
                kept = {"left": f"({text(x.left)})", "right": f"({text(x.right)})"} | {side: f"({negated})"}
                op = {ast.Mult: "*", ast.Div: "/", ast.MatMult: "@"}[type(x.op)]
                return f"{kept['left']} {op} {kept['right']}"
    return ""


def _is_sum(x: ast.expr) -> bool:
    """Whether it is a sum or a difference, not one of a number, as 1 - h is."""
    is_one = isinstance(x, ast.BinOp) and isinstance(x.op, ast.Add | ast.Sub)
    return is_one and not isinstance(x.left, ast.Constant)  # type: ignore[attr-defined]


def _beside(where: Any, place: Any) -> ast.expr | None:
    """The other term of a sum of two."""
    if not isinstance(where, ast.BinOp) or not isinstance(where.op, ast.Add | ast.Sub):
        return None
    return where.right if place == "left" else where.left


def factor_of(statement: Statement, factor: float | None) -> SourceEdit | None:
    """The edit that multiplies a statement's right side by a factor that is a sign, 2, or a length, or 1 / these."""
    node = statement.node
    x = getattr(node, "value", None)
    if (
        factor is None
        or not isinstance(node, ast.Assign | ast.AugAssign)
        or isinstance(x, ast.Tuple | ast.List | ast.Dict)
    ):
        return None
    inner = f"({text(x)})"  # type: ignore[arg-type]
    if math.isclose(factor, -1, rel_tol=CLOSE):
        return SourceEdit(0.9, Change(node, "value", parsed(f"-{inner}", node)), "sign", {"x": text(x)})  # type: ignore[arg-type]
    scope = Scope(statement)
    for source in ("2", *scope.counts):
        n = scope.value(parsed(source, node))
        for sign, sentence, value in (("*", "factor_more", n), ("/", "division_more", 1 / n)):
            if math.isclose(abs(factor), value, rel_tol=CLOSE):
                made = f"{'-' if factor < 0 else ''}{inner} {sign} {source}"
                return SourceEdit(1.1, Change(node, "value", parsed(made, node)), sentence, {"x": source})
    return None
