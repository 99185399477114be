"""Sums over all examples, as of the cotangents of a parameter that is the same for all of them.

Most of these are sums of products, such as x[:, None] * g. The sum is then one product of matrices, and no array holds
a cotangent of the parameter for each example.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.batching.values import Array, Batched, is_batched, shape_of
from tinygrad_cnn.lowering.instructions import Instruction, Listing
from tinygrad_cnn.lowering.operations import run

_PASSES = frozenset(["transpose", "reshape", "negative"])  # a sum of these is this of the sum


class Sums:
    """How the outputs at the places `summed` of a listing are summed.

    later  the instructions that need not be run before, for only the sums need them
    """

    def __init__(self, listing: Listing, summed: Sequence[int]) -> None:
        uses = Counter([*[y for x in listing.instructions for y in x.operands], *listing.outputs])
        self.later: set[Instruction] = set()
        waiting = [listing.outputs[k] for k in summed]
        for x in waiting:
            if uses[x] == 1 and (x.operation in ("matmul", "multiply") or x.operation in _PASSES or _adds_alike(x)):
                self.later.add(x)
                if x.operation not in ("matmul", "multiply"):
                    waiting += x.operands

    def of(self, x: Instruction, n: int, values: dict[Instruction, Any], run_one: Callable[..., Any]) -> Array:
        """The sum of the value of `x` over `n` examples. run_one: runs an instruction for all of them."""
        total: Any = None
        waiting = [x]
        while waiting:
            y = waiting.pop()
            if y in self.later and y.operation == "add":
                waiting += reversed(y.operands)
                continue
            if y in self.later and y.operation in _PASSES:
                term = run(y, [self.of(y.operands[0], n, values, run_one)])
            elif y in self.later:
                operands = [values[operand] for operand in y.operands]
                term = _of_products(y.operation, operands)
                term = summed(run_one(y, n, operands), n) if term is None else term
            else:
                term = summed(values[y], n)
            total = term if total is None else total + term
        return total


def _adds_alike(x: Instruction) -> bool:
    return x.operation == "add" and all(y.result.shape == x.result.shape for y in x.operands)


def summed(x: Any, n: int) -> Array:
    """The sum over all examples of what is one value for each, or the same for all."""
    return np.sum(x.value, axis=0) if is_batched(x) else x * n


def _of_products(operation: str, operands: list[Any]) -> Array | None:
    """The sum over all examples of products of matrices, or of a column and a row; None for other products."""
    if not all(type(x) is Batched for x in operands):
        return None
    a, b = operands
    shapes = shape_of(a), shape_of(b)
    if operation == "matmul":
        if len(shapes[0]) != 2 or len(shapes[1]) != 2:
            return None
        n, rows, inner = a.value.shape
        return np.transpose(a.value, (1, 0, 2)).reshape((rows, n * inner)) @ b.value.reshape((n * inner, shapes[1][1]))
    ndim = max(map(len, shapes))
    first, second = [(1,) * (ndim - len(shape)) + shape for shape in shapes]
    if any(k > 1 and m > 1 for k, m in zip(first, second, strict=True)):
        return None
    ahead = max([axis for axis in range(ndim) if first[axis] != 1], default=-1)
    behind = min([axis for axis in range(ndim) if second[axis] != 1], default=ndim)
    if ahead > behind:
        return None
    n = len(a.value)
    rows, columns = math.prod(first), math.prod(second)
    product = a.value.reshape((n, rows)).T @ b.value.reshape((n, columns))
    return product.reshape(np.broadcast_shapes(first, second))
