"""Factors and signs: a number that multiplies an array stands once, and a minus outside of what it is the minus of.

    h + h                      2 * h                 to the last bit
    a + (-b)                   a - b                 to the last bit
    0.5 * (2 * x)              x                     the last place
    -c * a + c * b             c * (b - a)           the last place; a / n - b / n too
    (1 / n) * g                g / n                 the last place; where n is a whole number above 2
    a * (2 * b)                (2 * a) * b           the last place; where a is smaller than b
    (-a) * b, (-a) / b         -(a * b), -(a / b)    to the last bit
    (-a).sum()                 -a.sum()              the sign of a zero
    a.sum() / count            a.mean()              to the last bit
    0 + x                      x                     the sign of a zero; of cotangents

What the user's code says stays as it is written: all of these but `a + (-b)` and `mean` are for cotangents.
"""

from __future__ import annotations

import math

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing
from tinygrad_cnn.lowering.passes.reading.patterns import (
    Made,
    axes,
    is_count,
    is_float,
    is_sum,
    number_of,
    rewritten,
    unnamed,
)


def with_few_factors(listing: Listing) -> Listing:
    """The listing with factors and signs collected."""
    return rewritten(listing, _rewrite)


def _rewrite(made: Made, x: Instruction) -> Instruction | None:
    if not is_float(x) or x.result.dtype == np.float16:
        return None
    if x.operation == "add" and x.operands[0] is x.operands[1] and x.origin.half == "cotangent":
        return x.with_(operation="multiply", operands=(made.number(2), x.operands[0]))
    if x.operation in ("add", "subtract"):
        return _sum(made, x)
    if x.operation == "divide" and (found := _mean(made, x)):
        return found
    if x.origin.half != "cotangent":
        return None
    if x.operation in ("multiply", "divide"):
        return _product(made, x)
    if x.operation == "negative":
        return _negative(made, x)
    if is_sum(x) or (x.operation == "mean" and x.parameters["dtype"] is None):
        return _of_negative(made, x)
    return None


def _minus(made: Made, x: Instruction) -> Instruction | None:
    """What `x` is the negative of, if it is a negation or has a negative factor, and nothing else needs it."""
    if not made.is_inner(x):
        return None
    if x.operation == "negative":
        return x.operands[0]
    factor = _scaled(made, x)
    if factor is None or factor[0] >= 0:
        return None
    return made("multiply", (made.number(-factor[0]), factor[1]), x.result, unnamed(x))


def _shared(made: Made, x: Instruction) -> tuple[int, Instruction] | None:
    """The array and the count that `x` is the quotient of."""
    if x.operation != "divide" or not made.is_inner(x) or not is_float(x.operands[0]):
        return None
    return (x.operands[1].parameters["value"], x.operands[0]) if is_count(x.operands[1]) else None


def _scaled(made: Made, x: Instruction) -> tuple[float, Instruction] | None:
    """The number and the array that `x` is the product of."""
    if x.operation != "multiply" or not is_float(x) or not made.is_inner(x):
        return None
    for number, other in (x.operands, x.operands[::-1]):
        value = number_of(number)
        if value is not None and is_float(other):
            return value, other
    return None


def _sum(made: Made, x: Instruction) -> Instruction | None:
    a, b = x.operands
    if not is_float(a) or not is_float(b):
        zero = number_of(a) if x.operation == "add" and x.origin.half == "cotangent" else None
        return _as(x, b) if zero == 0 and b.result == x.result else None
    if x.origin.half == "cotangent":
        if (found := _common_factor(made, x)) is not None:
            return found
        if (
            x.operation == "add"
            and _is_zero(a)
            and a.result.dtype == b.result.dtype
            and b.result.shape == x.result.shape
        ):
            return _as(x, b)
        if (minus := _minus(made, b)) is not None:
            return x.with_(operation="subtract" if x.operation == "add" else "add", operands=(a, minus))
    if x.operation == "add" and a.operation == "negative" and made.is_inner(a) and b.operation != "negative":
        return x.with_(operation="subtract", operands=(b, a.operands[0]))
    if x.operation == "add" and b.operation == "negative" and made.is_inner(b):
        return x.with_(operation="subtract", operands=(a, b.operands[0]))
    return None


def _is_zero(x: Instruction) -> bool:
    if x.operation == "scalar":
        return number_of(x.operands[0]) == 0
    return x.operation in ("full", "constant") and x.origin.name is None and bool(np.all(x.parameters["value"] == 0))


def _as(x: Instruction, other: Instruction) -> Instruction:
    """`other` in place of `x`, under the name that `x` has."""
    if x.origin.name is None or other.origin.name is not None or not other.operands:
        return other
    return other.with_(origin=x.origin)


def _common_factor(made: Made, x: Instruction) -> Instruction | None:
    """As c * (a + b), what is c * a + c * b, for numbers that differ in sign at most."""
    shares = [_shared(made, y) for y in x.operands]
    if shares[0] is not None and shares[1] is not None and shares[0][0] == shares[1][0]:
        inner = made(x.operation, (shares[0][1], shares[1][1]), x.result, unnamed(x))
        return x.with_(operation="divide", operands=(inner, made.count(shares[0][0])))
    first, second = (_scaled(made, y) for y in x.operands)
    if first is None or second is None or abs(first[0]) != abs(second[0]) or first[1].result != second[1].result:
        return None
    sign = 1 if x.operation == "add" else -1
    (c, a), (d, b) = first, (sign * second[0], second[1])
    if c == d:
        inner, factor = made("add", (a, b), x.result, unnamed(x)), c
    else:
        plus, minus = (a, b) if c > 0 else (b, a)
        inner, factor = made("subtract", (plus, minus), x.result, unnamed(x)), abs(c)
    return x.with_(operation="multiply", operands=(made.number(factor), inner))


def _product(made: Made, x: Instruction) -> Instruction | None:
    a, b = x.operands
    if x.operation == "multiply":
        for number, other in ((a, b), (b, a)):
            value = number_of(number)
            if value is None or not is_float(other):
                continue
            if value == 1 and other.result == x.result:
                return _as(x, other)
            if value == -1 and other.result == x.result:
                return x.with_(operation="negative", operands=(other,))
            inner = _scaled(made, other)
            count = 1 / value if value else 0.0
            is_share = 2 < abs(count) < 2**53 and round(count) == count and 1 / round(count) == value
            if inner is not None and not is_share:
                product = value * inner[0]
                if len(repr(product)) <= max(8, len(repr(value)), len(repr(inner[0]))):
                    return x.with_(operands=(made.number(_short(product)), inner[1]))
            if is_share:
                share = x.with_(operation="divide", operands=(other, made.count(abs(round(count)))))
                return share if count > 0 else x.with_(operation="negative", operands=(made.add(share),))
        if a.result.size != b.result.size:
            position = 0 if a.result.size > b.result.size else 1
            large, small = x.operands[position], x.operands[1 - position]
            inner = _scaled(made, large) if is_float(small) else None
            if inner is not None:
                scaled = made("multiply", (made.number(inner[0]), small), small.result, unnamed(x))
                return x.with_(operands=(scaled, inner[1]))
    if x.operation == "divide" and not is_count(b) and is_float(a):
        value = number_of(b)
        if value is not None and value > 2 and value == int(value) and value < 2**53:
            return x.with_(operands=(a, made.count(int(value))))
    negatives = [y.operation == "negative" and made.is_inner(y) for y in (a, b)]
    if any(negatives):
        plain = [y.operands[0] if negative else y for y, negative in zip((a, b), negatives, strict=True)]
        if all(negatives):
            return x.with_(operands=tuple(plain))
        product_of_plain = made.add(x.with_(operands=tuple(plain), origin=unnamed(x)))
        return x.with_(operation="negative", operands=(product_of_plain,))
    return None


def _short(value: float) -> float:
    """A whole number without its decimal point."""
    return int(value) if value == int(value) and abs(value) < 2**53 else value


def _negative(made: Made, x: Instruction) -> Instruction | None:
    (a,) = x.operands
    if a.operation == "negative":
        return _as(x, a.operands[0])
    if a.operation == "subtract" and made.is_inner(a):
        return x.with_(operation="subtract", operands=a.operands[::-1])
    return None


def _of_negative(made: Made, x: Instruction) -> Instruction | None:
    (a,) = x.operands
    if a.operation != "negative" or a.origin.name is not None:
        return None
    return x.with_(
        operation="negative",
        operands=(made.add(x.with_(operands=a.operands, origin=unnamed(x))),),
        parameters={},
    )


def _mean(made: Made, x: Instruction) -> Instruction | None:
    """A sum, or its negative, divided by how many there are."""
    total, number = x.operands
    if number.operation != "constant" or number.result.shape or not made.is_inner(total):
        return None
    negated = total.operation == "negative"
    inner = total.operands[0] if negated else total
    if not is_sum(inner) or inner.result.kind != x.result.kind or inner.origin.name is not None:
        return None
    along = axes(inner)
    shape = inner.operands[0].result.shape
    if along is None or float(number.parameters["value"]) != math.prod([shape[axis] for axis in along]):
        return None
    how = {"axis": inner.parameters["axis"], "dtype": None, "keepdims": inner.parameters["keepdims"]}
    mean = x.with_(operation="mean", operands=inner.operands, parameters=how)
    return x.with_(operation="negative", operands=(made.add(mean.with_(origin=unnamed(x))),)) if negated else mean
