"""The same operands in another expression: operators, parentheses, factors in or out of a sum."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from tinygrad_cnn.check.diagnose.edits.source_edits.edit import SourceEdit, instead
from tinygrad_cnn.check.diagnose.edits.source_edits.scope import Scope
from tinygrad_cnn.check.diagnose.edits.source_edits.trees import factors_of, summed_in, text, transpose, with_argument
from tinygrad_cnn.check.diagnose.edits.statements import Change

OPERATORS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub, ast.Mult), ast.Sub: (ast.Add,), ast.Mult: (ast.Div, ast.MatMult, ast.Add), ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,), ast.Mod: (ast.FloorDiv,), ast.FloorDiv: (ast.Mod,),
}  # fmt: skip


def operations(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """Another operator, operands exchanged, one operand alone."""
    if isinstance(x, ast.UnaryOp) and isinstance(x.op, ast.USub):
        yield SourceEdit(0.9, Change(holder, at, x.operand), "sign_of", {"x": text(x.operand)})
    if not isinstance(x, ast.BinOp):
        return
    for op in OPERATORS.get(type(x.op), ()):
        cost = 1.3 if op is ast.MatMult else 0.97 if {op, type(x.op)} == {ast.Add, ast.Sub} else 1.05
        yield instead(holder, at, x, ast.BinOp(x.left, op(), x.right), cost)
    if isinstance(x.op, ast.Sub | ast.Div | ast.MatMult):
        within_a_sum = isinstance(x.op, ast.Sub) and isinstance(holder, ast.BinOp)
        yield instead(holder, at, x, ast.BinOp(x.right, x.op, x.left), 1.05 if within_a_sum else 1.0)
    if isinstance(x.op, ast.MatMult) and isinstance(x.left, ast.BinOp) and isinstance(x.left.op, ast.MatMult):
        first, second, third = x.left.left, x.left.right, x.right
        yield instead(holder, at, x, ast.BinOp(ast.BinOp(first, x.op, third), x.op, second), 1.1)
    if isinstance(x.op, ast.MatMult):
        one, two = f"({text(x.left)})", f"({text(x.right)})"
        for a, b in ((two, transpose(x.left)), (transpose(x.right), one), (transpose(x.right), transpose(x.left))):
            yield instead(holder, at, x, f"{a} @ {b}", 1.2)
    yield from _regrouped(holder, at, x)
    more = {ast.Add: "term_missing", ast.Sub: "term_missing", ast.Mult: "factor_missing", ast.Div: "division_missing"}
    if type(x.op) in more:
        change = Change(holder, at, x.left)
        yield SourceEdit(1.0, change, more[type(x.op)], {"x": text(x.right)})
        if isinstance(x.op, ast.Add | ast.Mult):
            yield SourceEdit(1.0, Change(holder, at, x.right), more[type(x.op)], {"x": text(x.left)})
        if isinstance(x.op, ast.Mult) and isinstance(x.left, ast.BinOp) and isinstance(x.left.op, ast.Mult):
            both = {"x": text(ast.BinOp(x.left.right, x.op, x.right))}
            yield SourceEdit(1.2, Change(holder, at, x.left.left), "factor_missing", both)
        if isinstance(x.op, ast.Sub):
            yield instead(holder, at, x, ast.UnaryOp(ast.USub(), x.right), 1.1)
            yield instead(holder, at, x, x.right, 1.12)
    if isinstance(x.op, ast.Pow):
        yield instead(holder, at, x, x.left, 1.0)
    is_power = isinstance(x.op, ast.Div) and isinstance(x.left, ast.BinOp) and isinstance(x.left.op, ast.Pow)
    if is_power and text(x.left.right) == text(x.right):  # type: ignore[attr-defined]
        yield instead(holder, at, x, x.left.left, 1.0)  # type: ignore[attr-defined] # x**2 / 2, whose derivative is x


def _regrouped(holder: Any, at: Any, x: ast.BinOp) -> Iterator[SourceEdit]:
    """Other parentheses, or a factor that belongs to another term."""
    for y, left in ((x.left, True), (x.right, False)):
        if not isinstance(y, ast.BinOp) or type(y.op) is type(x.op) in (ast.Add, ast.Mult, ast.MatMult):
            continue
        if not left:
            yield instead(holder, at, x, ast.BinOp(ast.BinOp(x.left, x.op, y.left), y.op, y.right), 1.1)
        elif not isinstance(y.op, ast.Pow):
            yield instead(holder, at, x, ast.BinOp(y.left, y.op, ast.BinOp(y.right, x.op, x.right)), 1.1)
        if isinstance(x.op, ast.Add | ast.Sub) and isinstance(y.op, ast.Mult | ast.Div):
            other = ast.BinOp(x.right if left else x.left, y.op, y.right)
            yield instead(holder, at, x, ast.BinOp(*((y.left, x.op, other) if left else (other, x.op, y.left))), 1.2)
        is_sum = isinstance(y.op, ast.Add | ast.Sub) and not isinstance(y.left, ast.Constant)
        if isinstance(x.op, ast.Mult) and is_sum:  # (a + b) * c for a * c + b
            factor = x.right if left else x.left
            yield instead(holder, at, x, ast.BinOp(ast.BinOp(y.left, x.op, factor), y.op, y.right), 1.15)
            yield instead(holder, at, x, ast.BinOp(y.left, y.op, ast.BinOp(y.right, x.op, factor)), 1.15)
    if isinstance(x.op, ast.Add | ast.Sub):
        yield from _in_parentheses(holder, at, x)


def _in_parentheses(holder: Any, at: Any, x: ast.BinOp) -> Iterator[SourceEdit]:
    """A sum in parentheses that are missing around it: a * (b - c) / d for a * b - c / d."""
    left, right, op = text(x.left), text(x.right), {ast.Add: "+", ast.Sub: "-"}[type(x.op)]
    for a in _at_edge(x.left, "right", left.endswith):
        for b in _at_edge(x.right, "left", right.startswith):
            if a != left or b != right:
                made = f"{left.removesuffix(a)}({a} {op} {b}){right.removeprefix(b)}"
                yield instead(holder, at, x, made, 1.05)


def _at_edge(x: ast.expr, side: str, is_there: Callable[[str], bool]) -> Iterator[str]:
    """An expression, and those within it that its text begins or ends with."""
    while is_there(text(x)):
        yield text(x)
        if not isinstance(x, ast.BinOp) or isinstance(x.op, ast.Pow):
            return
        x = getattr(x, side)


def factors_moved(holder: Any, at: Any, x: ast.expr, scope: Scope) -> Iterator[SourceEdit]:
    """A factor of a sum, or of a product of matrices, that belongs within it, or the other way round."""
    if not (isinstance(x, ast.BinOp) and isinstance(x.op, ast.Mult)):
        yield from _taken_out(holder, at, x)
        return
    if isinstance(holder, ast.BinOp) and isinstance(holder.op, ast.Mult):
        return  # part of a product that is looked at as a whole
    factors = list(factors_of(x))
    for k, y in enumerate(factors):
        for j, f in enumerate(factors):
            rest = [f"({text(z)})" for i, z in enumerate(factors) if i not in (j, k)]
            for moved in _with_factor(y, f) if j != k else ():
                yield instead(holder, at, x, " * ".join([*rest, f"({moved})"]), 1.25)


def _with_factor(x: ast.expr, factor: ast.expr) -> Iterator[str]:
    """A sum, or a product of matrices, with a factor within it."""
    if isinstance(x, ast.BinOp) and isinstance(x.op, ast.MatMult):
        yield f"(({text(factor)}) * ({text(x.left)})) @ ({text(x.right)})"
        yield f"({text(x.left)}) @ (({text(factor)}) * ({text(x.right)}))"
    elif summed_in(x) is not None:
        yield text(with_argument(x, 0, f"({text(factor)}) * ({text(summed_in(x))})"))  # type: ignore[arg-type]


def _taken_out(holder: Any, at: Any, x: ast.expr) -> Iterator[SourceEdit]:
    """A sum of a product with one of the factors before it."""
    factors = list(factors_of(inner)) if (inner := summed_in(x)) is not None else []
    for k, f in enumerate(factors if len(factors) > 1 else ()):
        rest = " * ".join(f"({text(z)})" for i, z in enumerate(factors) if i != k)
        yield instead(holder, at, x, f"({text(f)}) * {text(with_argument(x, 0, rest))}", 1.25)  # type: ignore[arg-type]
