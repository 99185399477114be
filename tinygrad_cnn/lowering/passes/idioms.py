"""Idioms: several instructions that together are something with a name of its own.

max_unpool          the cotangent of max_pool2d, which a rule computes window element by window element
max_unpool_shared   the same, where elements that tie share it
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing, Slot, same
from tinygrad_cnn.primitives.windows import layout, unpool

Array = Any


def with_idioms(listing: Listing) -> Listing:
    """The listing with idioms in place of what they are made of."""
    return listing.rewritten(_rewrite)


def _rewrite(x: Instruction, operands: Sequence[Instruction]) -> Instruction:
    x = same(x, operands)
    if x.operation == "unpool":
        return _max_unpool(x) or x
    return x


def _max_unpool(x: Instruction) -> Instruction | None:
    """Of an unpool whose winners are the elements that equal the pooled ones."""
    winners = x.parameters["winners"]
    if not all(isinstance(winner, Slot) for winner in winners):
        return None
    shape, window, stride = x.parameters["shape"], x.parameters["window"], x.parameters["stride"]
    images, pooled = set(), set()
    for winner, (_, place) in zip(winners, layout(shape, window, stride).offsets, strict=True):
        equal = x.operands[winner.number]
        if equal.operation != "equal" or equal.operands[0].operation != "getitem":
            return None
        part = equal.operands[0]
        if part.parameters["index"] != place:
            return None
        images.add(part.operands[0])
        pooled.add(equal.operands[1])
    if len(images) != 1 or len(pooled) != 1 or next(iter(images)).result.shape != shape:
        return None
    g, masks = x.operands[0], [x.operands[winner.number] for winner in winners]
    shared = _shared_among(g, masks)
    return x.with_(
        operation="max_unpool" if shared is None else "max_unpool_shared",
        operands=(g if shared is None else shared, *images, *pooled),
        parameters={"window": window, "stride": stride},
        function=max_unpool if shared is None else max_unpool_shared,
    )


def _shared_among(g: Instruction, masks: list[Instruction]) -> Instruction | None:
    """What `g` is a share of, if it is divided by the number of the masks that hold."""
    if g.operation != "divide":
        return None
    counted, total = [], g.operands[1]
    while total.operation == "add":
        total, last = total.operands
        counted.append(last)
    counted.append(total)
    if any(y.operation != "view" or y.result.dtype != np.uint8 for y in counted):
        return None
    return g.operands[0] if [y.operands[0] for y in reversed(counted)] == masks else None


def max_unpool(g: Array, x: Array, pooled: Array, *, window: tuple[int, int], stride: tuple[int, int]) -> Array:
    """The cotangent `g` of max_pool2d(x), for every element that is the largest of its window."""
    at = layout(x.shape, window, stride)
    winners = [np.equal(x[place], pooled) for _, place in at.offsets]
    return unpool.forward(g, winners=winners, shape=x.shape, window=window, stride=stride)


def max_unpool_shared(g: Array, x: Array, pooled: Array, *, window: tuple[int, int], stride: tuple[int, int]) -> Array:
    """As `max_unpool`, but the elements of a window that tie for the largest share its cotangent equally."""
    at = layout(x.shape, window, stride)
    winners = [np.equal(x[place], pooled) for _, place in at.offsets]
    g = g / functools.reduce(np.add, [won.view(np.uint8) for won in winners])
    return unpool.forward(g, winners=winners, shape=x.shape, window=window, stride=stride)
