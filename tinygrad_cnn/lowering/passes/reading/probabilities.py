"""What the gradients of logsumexp, of maximum and of minimum are made of.

    softmax(x, axis)   exp(x - logsumexp(x)), which is the gradient of logsumexp, with 0 where all of x is -inf
    larger(x, y)       1 where x > y, 1/2 where they are equal, and else 0: the gradient of maximum(x, y)

softmax computes what the instructions do, to the last bit; `larger` as well, unless twice the cotangent is infinite.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing
from tinygrad_cnn.lowering.passes.reading.patterns import Made, axes, is_float, number_of, rewritten, unnamed

Array = Any


def with_probabilities(listing: Listing) -> Listing:
    """The listing with `softmax` and `larger`."""
    return rewritten(listing, _rewrite)


def _rewrite(made: Made, x: Instruction) -> Instruction | None:
    if x.operation == "exp":
        return _softmax(x)
    return _half_at_ties(made, x) if x.operation == "multiply" else None


def _softmax(x: Instruction) -> Instruction | None:
    (difference,) = x.operands
    if difference.operation != "subtract" or not is_float(x):
        return None
    logits, chosen = difference.operands
    if chosen.operation == "reshape":
        chosen = chosen.operands[0]
    if chosen.operation != "where":
        return None
    condition, zero, total = chosen.operands
    if condition.operation != "equal" or condition.operands[0] is not total or number_of(zero) != 0:
        return None
    if number_of(condition.operands[1]) != -np.inf or total.operation != "reduce" or total.operands[0] is not logits:
        return None
    if total.parameters["ufunc"] != "logaddexp" or set(total.parameters) - {"ufunc", "axis", "dtype", "keepdims"}:
        return None
    along, shape = axes(total), logits.result.shape
    if total.parameters["dtype"] is not None or along is None or len(along) != 1 or x.result.shape != shape:
        return None
    kept = tuple([1 if axis in along else n for axis, n in enumerate(shape)])
    if difference.operands[1].result.shape != kept and len(shape) > 1:
        return None
    return x.with_(operation="softmax", operands=(logits,), parameters={"axis": along[0]}, function=softmax)


def _half_at_ties(made: Made, x: Instruction) -> Instruction | None:
    """Of g * ((a > b) + (a >= b)) * 0.5, as the rule of maximum has it."""
    twice, half = x.operands
    if twice.operation != "multiply" or number_of(half) != 0.5 or twice.origin.name is not None:
        return None
    g, count = twice.operands
    if count.operation != "add" or count.result.dtype != np.int8 or any(y.operation != "view" for y in count.operands):
        return None
    if count.result.kind != "array" or not count.result.shape:
        return None
    more, no_less = (y.operands[0] for y in count.operands)
    if (more.operation, no_less.operation) not in (("greater", "greater_equal"), ("less", "less_equal")):
        return None
    if more.operands != no_less.operands or not any(is_float(y) for y in more.operands):
        return None
    if any(y.result.dtype != x.result.dtype for y in more.operands if y.result.kind != "number") or not is_float(g):
        return None
    a, b = more.operands if more.operation == "greater" else more.operands[::-1]
    chosen = Instruction("larger", (a, b), {}, more.result, unnamed(x), larger)
    chosen = made.add(chosen.with_(result=_float(more, x)))
    return x.with_(operands=(g, chosen))


def _float(mask: Instruction, x: Instruction) -> Any:
    return type(mask.result)(mask.result.shape, x.result.dtype, mask.result.kind, ())


def softmax(x: Array, *, axis: int) -> Array:
    """exp(x) over its sum along an axis."""
    total = np.logaddexp.reduce(x, axis=axis, keepdims=True)
    return np.exp(x - np.where(total == -np.inf, 0, total))


def larger(x: Array, y: Array) -> Array:
    """1 where x is larger than y, 1/2 where they are equal, and 0 elsewhere."""
    return np.where(x == y, 0.5, x > y).astype(np.result_type(x, y))
