"""A factor, a term, a function left out, or there twice; another operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.edit import Context, Edit, kind
from tinygrad_cnn.check.diagnose.edits.terms import COMPARISONS, Term, call, constant
from tinygrad_cnn.check.diagnose.edits.textbook import is_reshape, number, operand, reduction
from tinygrad_cnn.check.sentences import over

# What stands in the place of an operator, and what that costs.
EXCHANGED: dict[str, tuple[tuple[str, float], ...]] = {
    "*": (("/", 1.2), ("+", 1.4), ("-", 1.4)), "/": (("*", 1.2), ("-", 1.4), ("+", 1.4)),
    "+": (("-", 0.95), ("*", 1.4), ("/", 1.4)), "-": (("+", 0.95), ("*", 1.4), ("/", 1.4)),
    "@": (("*", 1.3),), "**": (("*", 1.2),),
}  # fmt: skip


@kind(0.85)
def left_out(x: Term, c: Context) -> Iterator[Edit]:
    """Part of an expression is missing."""
    if x not in c.operands:
        return
    if x.op in ("+", "-"):
        a, b = x.args
        likely = 1.15 if number(a) is not None or number(b) is not None else 0.9
        yield Edit({x: a}, likely, "term_missing", {"x": b}, "right")
        yield Edit({x: b if x.op == "+" else Term("-x", [b])}, likely, "term_missing", {"x": a}, "left")
        if x.op == "-":
            yield Edit({x: b}, 1.0, "term_missing", {"x": a}, "left of -")
    elif x.op == "*":
        for name, kept, lost in _either(x):
            yield Edit({x: kept}, 1.0 if c.shape(lost) else 0.85, "factor_missing", {"x": lost}, name)
        a, last = x.args
        while a.op in ("*", "/") and a.op == x.op:  # of a product of several, those behind
            first, middle = a.args
            last = Term("*", [middle, last])
            yield Edit({x: first}, 1.1, "factor_missing", {"x": last}, ("first", len(str(last))))
            a = first
    elif x.op == "@":
        for name, kept, lost in _either(x):
            yield Edit({x: kept}, 1.2, "factor_missing", {"x": lost}, name)
    elif x.op == "/":
        a, b = x.args
        yield Edit({x: a}, 1.0 if c.shape(b) else 0.85, *_divided(b, c), "right")
        if number(a) != 1:
            yield Edit(
                {x: Term("/", [constant(1), b])}, 1.0 if c.shape(a) else 0.85, "factor_missing", {"x": a}, "left"
            )
    elif x.op == "**":
        yield Edit({x: x.args[0]}, 1.0, "other", {"x": x, "y": x.args[0]}, "power")
    elif x.op == "-x":
        yield Edit({x: x.args[0]}, 0.9, "sign_of", {"x": x}, "sign")
    elif reduction(x) is not None:
        yield Edit({x: operand(x)}, 1.0, "reduction_missing", _reduced(x, c), "reduction")
    elif x.op == "call":
        if x is c.program.root and c.is_float(x) and len(x.args) == 2:
            yield Edit({x: call("ones_like", x)}, 1.05, "factor_missing", {"x": x.with_args(x.args)}, "ones")
        for y in x.args[1 : len(x.args) - len(x.data)]:
            if c.is_array(y):
                yield Edit({x: y}, 1.1, "function_missing", {"x": x, "y": y}, "function")
                break
        if is_reshape(x) and reduction(operand(x)) is not None:
            yield Edit({x: operand(operand(x))}, 1.0, "reduction_missing", _reduced(operand(x), c), "reduction")
        if x.args[0].op == "attribute" and c.is_array(x.args[0].args[0]):
            yield Edit({x: x.args[0].args[0]}, 1.1, "function_missing", {"x": x, "y": x.args[0].args[0]}, "method")
    elif x.op == "attribute" and x.data in ("T", "mT"):
        yield Edit({x: x.args[0]}, 1.0, "not_transposed", {"x": x.args[0]}, "transpose")
    elif x.op == "index" and c.is_array(x.args[0]):
        cropped = x is c.program.root and len(c.target.shape) == len(c.shape(x)) and c.target.size > c.value(x).size
        words = {"x": x, "y": x.args[0], "actual": c.target.shape, "expected": c.shape(x)}
        yield Edit(
            {x: x.args[0]}, 1.0 if cropped else 1.1, "not_cropped" if cropped else "index_missing", words, "index"
        )
    elif x.op in COMPARISONS:
        yield Edit({x: x.args[0]}, 1.4, "other", {"x": x, "y": x.args[0]}, "compared")


def _either(x: Term) -> list[tuple[str, Term, Term]]:
    """Which operand is left out, the one that stays, and that one."""
    a, b = x.args
    return [("right", a, b), ("left", b, a)]


def _divided(b: Term, c: Context) -> tuple[str, dict[str, Any]]:
    """That a division is missing, and by what."""
    value = number(b)
    length = c.numbers.lengths.get(value, "") if isinstance(value, int) and value > 2 else ""
    return ("length_missing" if length else "division_missing"), {"x": b, "length": length}


def summands(x: Term) -> list[Term]:
    """The terms of a sum of several."""
    return [*summands(x.args[0]), x.args[1]] if x.op == "+" else [x]


@kind(0.9)
def one_of_several(x: Term, c: Context) -> Iterator[Edit]:
    """Of several contributions that are added up the first or the last alone."""
    if x.op == "+" and x in c.operands and not any(x is y.args[0] for y in c.program.order if y.op == "+"):
        parts = summands(x)
        if len(parts) > 2:
            for which, kept in (("last", parts[0]), ("first", parts[-1])):  # the sweep goes from the last one back
                yield Edit({x: kept}, 0.9, "one_of_several", {"n": len(parts), "which": which, "x": kept}, which)


def _reduced(x: Term, c: Context) -> dict[str, Any]:
    """How a sentence calls a reduction: "sum" over "axis 0"."""
    axes = next((c.value(x.args[k - len(x.data)]) for k, name in enumerate(x.data) if name == "axis"), None)
    if axes is None:
        axes = tuple(range(len(c.shape(operand(x)))))
    return {"name": reduction(x), "axes": over(axes)}


@kind(1.2)
def twice(x: Term, c: Context) -> Iterator[Edit]:
    """A factor or a function is there twice."""
    if x not in c.operands:
        return
    if x.op == "*":
        for name, factor in zip(("left", "right"), x.args, strict=True):
            yield Edit({x: Term("*", [x, factor])}, 1.2, "factor_twice", {"x": factor}, name)
    elif x.op == "/":
        yield Edit({x: Term("/", [x, x.args[1]])}, 1.2, "division_twice", {"x": x.args[1]}, "right")
        if number(x.args[0]) is None:
            yield Edit({x: Term("*", [x, x.args[0]])}, 1.3, "factor_twice", {"x": x.args[0]}, "left")
    elif x.op in ("+", "-"):
        yield Edit({x: Term(x.op, [x, x.args[1]])}, 1.2, "term_twice", {"x": x.args[1]}, "right")
        yield Edit({x: Term("+", [x.args[0], x])}, 1.2, "term_twice", {"x": x.args[0]}, "left")


@kind(0.95)
def other_operator(x: Term, c: Context) -> Iterator[Edit]:
    """Another operator between the same operands."""
    if x not in c.operands or len(x.args) != 2:
        return
    a, b = x.args
    for op, cost in EXCHANGED.get(x.op, ()):
        yield Edit({x: Term(op, [a, b])}, cost, "other", {"x": x, "y": Term(op, [a, b])}, op)
    if x.op in ("/", "-", "**"):
        turned = Term(x.op, [b, a])
        yield Edit({x: turned}, 1.1, "other", {"x": x, "y": turned}, "turned")
    if x.op in COMPARISONS:
        for op in COMPARISONS:
            if op != x.op:
                made = Term(op, [a, b])
                if x.op in ("==", "!=") and np.size(np.unique(np.asarray(c.value(made), bool))) == 1:
                    continue  # x == x.max(): as nothing is larger, x <= x.max() always holds
                cost = 1.0 if op[0] == x.op[0] else 1.4 if op in ("==", "!=") else 1.1
                yield Edit({x: made}, cost, "other", {"x": x, "y": made}, op)
