"""Shapes: an axis of length one that broadcasting adds by itself is not written, nor a transposition that cancels.

x - x.mean(axis=0, keepdims=True)     x - x.mean(axis=0)       to the last bit
v.reshape(1, 5) * x                   v * x                    to the last bit
np.broadcast_to(v, (3, 5)) * x        v * x                    to the last bit
a[:, None] * b[None, :]               np.outer(a, b)           to the last bit
the scatter of a diagonal             np.diag(v)               the sign of a zero
g * W.T, a column times a row         g @ W.T                  the sign of a zero; of cotangents
(A.T @ b).T                           b.T @ A                  the last place; of cotangents
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing, Result, Slot
from tinygrad_cnn.lowering.passes.reading.patterns import Made, axes, is_float, rewritten, unnamed

ELEMENTWISE = frozenset(["add", "subtract", "multiply", "divide", "maximum", "minimum"])
FLIPPED = (1, 0)


def with_plain_shapes(listing: Listing) -> Listing:
    """The listing without axes and transpositions that say nothing."""
    return rewritten(listing, _rewrite)


def _rewrite(made: Made, x: Instruction) -> Instruction | None:
    if x.operation == "multiply" and (found := _outer(x) or _column_times_row(x)):
        return found
    if x.operation in ELEMENTWISE and x.result.kind == "array":
        return _without_ones(made, x)
    if x.operation == "reshape":
        return _diagonal(x)
    if x.operation == "transpose" and x.parameters["axes"] == FLIPPED and x.origin.half == "cotangent":
        return _transposed_product(made, x)
    return None


def _without_ones(made: Made, x: Instruction) -> Instruction | None:
    """Without what broadcasting does by itself: an operand that is broadcast, or (1, n) in place of (n,)."""
    for position, operand in enumerate(x.operands):
        other = x.operands[1 - position]
        shape = operand.result.shape
        if operand.operation == "broadcast_to" and not operand.origin.name:
            inner = operand.operands[0]
            if np.broadcast_shapes(inner.result.shape, other.result.shape) == x.result.shape and is_float(inner):
                return x.with_(operands=(inner, other) if position == 0 else (other, inner))
        if other.result.shape != x.result.shape or len(shape) != len(x.result.shape) or operand.origin.name:
            continue
        plain = _plain(made, operand)
        if plain is not None:
            operands = list(x.operands)
            operands[position] = plain
            return x.with_(operands=tuple(operands))
    return None


def _plain(made: Made, x: Instruction) -> Instruction | None:
    shape = x.result.shape
    ones = next((k for k, n in enumerate(shape) if n != 1), len(shape))
    if x.operation == "reshape" and ones and x.operands[0].result.shape == shape[ones:] and shape[ones:]:
        return x.operands[0]
    if x.operation in ("negative", "multiply", "divide") and x.origin.name is None:
        position = next((k for k, y in enumerate(x.operands) if y.result.shape == shape), None)
        rest = [y for k, y in enumerate(x.operands) if k != position]
        if position is None or any(y.result.shape for y in rest):
            return None
        inner = _plain(made, x.operands[position])
        if inner is None or inner is x.operands[position]:
            return None
        operands = tuple([inner if k == position else y for k, y in enumerate(x.operands)])
        return made.add(x.with_(operands=operands, result=_of_shape(x, inner.result.shape)))
    if x.operation not in ("reduce", "mean") or not x.parameters["keepdims"] or x.origin.name:
        return None
    along = axes(x)
    if along is None or along != tuple(range(len(along))) or len(along) == len(shape):
        return None
    parameters = {**x.parameters, "keepdims": False}
    return made.add(x.with_(parameters=parameters, result=_of_shape(x, shape[len(along) :])))


def _of_shape(x: Instruction, shape: tuple[int, ...]) -> Result:
    return Result.of(np.empty(shape, x.result.dtype))


def _vector(x: Instruction, shape: tuple[int, int]) -> Instruction | None:
    """The vector that a column or a row was made of."""
    if x.origin.name is not None or x.operation not in ("getitem", "reshape") or x.result.shape != shape:
        return None
    index: Any = x.parameters.get("index", ())
    if x.operation == "getitem" and (not isinstance(index, tuple) or any(isinstance(i, Slot | int) for i in index)):
        return None
    vector = x.operands[0]
    return vector if len(x.operands) == 1 and vector.result.shape == (max(shape),) else None


def _outer(x: Instruction) -> Instruction | None:
    if len(x.result.shape) != 2 or not is_float(x) or 1 in x.result.shape:
        return None
    (m, n), (a, b) = x.result.shape, x.operands
    for column, row in ((a, b), (b, a)):
        left, right = _vector(column, (m, 1)), _vector(row, (1, n))
        if left is not None and right is not None and left.result.dtype == right.result.dtype:
            parameters = {"args": (Slot(0), Slot(1)), "keywords": {}}
            return x.with_(operation="call", operands=(left, right), parameters=parameters, function=np.outer)
    return None


def _diagonal(x: Instruction) -> Instruction | None:
    """Of the gradient of np.diag, which adds to where the elements came from; the first place is for none."""
    (rest,) = x.operands
    if rest.operation != "getitem" or rest.operands[0].operation != "scatter" or len(rest.operands) > 1:
        return None
    values, *places = rest.operands[0].operands
    n = values.result.size
    if rest.parameters["index"] != slice(1, None) or x.result.shape != (n, n) or len(values.result.shape) != 1:
        return None
    if len(places) != 1 or places[0].operation != "constant" or rest.operands[0].parameters["index"] != (Slot(1),):
        return None
    if not np.array_equal(places[0].parameters["value"], np.arange(n) * (n + 1) + 1):
        return None
    parameters = {"args": (Slot(0),), "keywords": {}}
    return x.with_(operation="call", operands=(values,), parameters=parameters, function=np.diag)


def _column_times_row(x: Instruction) -> Instruction | None:
    if x.origin.half != "cotangent" or len(x.result.shape) != 2 or 1 in x.result.shape or not is_float(x):
        return None
    m, n = x.result.shape
    for column, row in (x.operands, x.operands[::-1]):
        fits = column.result.shape == (m, 1) and row.result.shape == (1, n)
        if fits and column.result.dtype == row.result.dtype and "transpose" in (column.operation, row.operation):
            return x.with_(operation="matmul", operands=(column, row))
    return None


def _transposed_product(made: Made, x: Instruction) -> Instruction | None:
    """(A.T @ B).T as B.T @ A, if nothing else needs the product."""
    (product,) = x.operands
    if product.operation != "matmul" or not made.is_inner(product) or len(product.result.shape) != 2:
        return None
    a, b = product.operands
    if len(a.result.shape) != 2 or len(b.result.shape) != 2:
        return None
    if not any(y.operation == "transpose" for y in (a, b)):
        return None
    return x.with_(operation="matmul", operands=(_flipped(made, b), _flipped(made, a)), parameters={})


def _flipped(made: Made, x: Instruction) -> Instruction:
    if x.operation == "transpose" and x.parameters["axes"] == FLIPPED:
        return x.operands[0]
    return made("transpose", (x,), _of_shape(x, x.result.shape[::-1]), unnamed(x), axes=FLIPPED)
