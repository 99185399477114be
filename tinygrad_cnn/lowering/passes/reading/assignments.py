"""Assignments to an array of one number: what the array is in the end is one expression.

    set_at(zeros, everything, v)                                  v              to the last bit
    set_at(set_at(zeros, np.s_[:, 0:5], a), np.s_[:, 5:10], b)    a and b, concatenated or stacked along the axis

Where something is added to the zeros before, as a gradient does, it is what is added: the sign of a zero may change.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing, Slot
from tinygrad_cnn.lowering.passes.reading.patterns import Made, rewritten

MOST = 4  # assignments, above which a loop says more


def with_joined_assignments(listing: Listing) -> Listing:
    """The listing with expressions in place of assignments that fill an array."""
    return rewritten(listing, _rewrite)


def _rewrite(made: Made, x: Instruction) -> Instruction | None:
    if x.operation != "setitem":
        return None
    return _whole(x) or _joined(made, x)


def _places(x: Instruction) -> Any:
    """The elements that a basic index picks, as numbers of an array of all of them; None of another index."""
    index = x.parameters["index"]
    parts = index if isinstance(index, tuple) else (index,)
    basic = all(part is None or part is Ellipsis or isinstance(part, slice | int | np.integer) for part in parts)
    if not basic or any(isinstance(part, bool) for part in parts):
        return None
    if any(
        isinstance(n, Slot) for part in parts if isinstance(part, slice) for n in (part.start, part.stop, part.step)
    ):
        return None
    shape = x.operands[0].result.shape
    return np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape)[index]


def _value(x: Instruction) -> Instruction | None:
    """What is assigned, if it is an array of the dtype and of as many elements as are assigned to."""
    value = x.parameters["value"]
    if not isinstance(value, Slot):
        return None
    found = x.operands[value.number]
    return found if found.result.dtype == x.result.dtype else None


def _whole(x: Instruction) -> Instruction | None:
    places, value = _places(x), _value(x)
    if places is None or value is None or places.size != x.result.size or value.result.size != places.size:
        return None
    if value.result.kind != "array" or not np.array_equal(places.reshape(-1), np.arange(places.size)):
        return None
    if value.result.shape != places.shape:
        return None
    if value.result.shape == x.result.shape:
        return value
    return x.with_(operation="reshape", operands=(value,), parameters={"shape": x.result.shape})


def _joined(made: Made, x: Instruction) -> Instruction | None:
    """Assignments to parts of a new array side by side along one axis, which together are all of it."""
    pieces: list[tuple[int, int, Instruction]] = []
    at, axis, uses = x, None, 0
    while at.operation == "setitem":
        piece, value = _slab(at), _value(at)
        if piece is None or value is None or axis not in (None, piece[0]) or len(pieces) == MOST:
            return None
        axis, start, stop = piece
        before = at.operands[0]
        added = _added_to(value, before, at)
        if at is not x and made.uses.get(at, 0) > uses:
            return None  # what it is in between is needed elsewhere
        uses = 1 if added is None else 2
        pieces.append((start, stop, value if added is None else added))
        at = before
    pieces.sort(key=lambda piece: piece[0])
    ends = [0, *[stop for _, stop, _ in pieces]]
    if axis is None or len(pieces) < 2 or ends[-1] != x.result.shape[axis] or not _is_zeros(at):
        return None
    if [start for start, _, _ in pieces] != ends[:-1]:
        return None
    values = [value for _, _, value in pieces]
    if any(value.result.dtype != x.result.dtype for value in values):
        return None
    if all(len(value.result.shape) == len(x.result.shape) - 1 for value in values):
        how = {"axis": axis} if axis else {}
        parameters = {"args": ([Slot(k) for k in range(len(values))],), "keywords": how}
        return x.with_(operation="call", operands=tuple(values), parameters=parameters, function=np.stack)
    if any(len(value.result.shape) != len(x.result.shape) for value in values):
        return None
    return x.with_(operation="concatenate", operands=tuple(values), parameters={"axis": axis})


def _is_zeros(x: Instruction) -> bool:
    return x.operation == "full" and x.origin.name is None and bool(x.parameters["value"] == 0)


def _added_to(value: Instruction, before: Instruction, x: Instruction) -> Instruction | None:
    """What `value` adds to what was at the places that `x` assigns to, if it does: x[index] += added."""
    if value.operation != "add":
        return None
    old, added = value.operands
    if _is_zeros(old) and before.operation == "full":
        return added if added.result.shape == value.result.shape else None
    if old.operation != "getitem" or old.operands[0] is not before or len(old.operands) > 1:
        return None
    mine, its = _places(x), _places(old)
    same = mine is not None and its is not None and np.array_equal(mine, its)
    return added if same and added.result.shape == value.result.shape else None


def _slab(x: Instruction) -> tuple[int, int, int] | None:
    """The axis, the start and the stop of an index that cuts one axis, with an integer or a slice, and no other."""
    places, shape = _places(x), x.operands[0].result.shape
    value = _value(x)
    if places is None or not places.size or value is None or value.result.shape != places.shape:
        return None
    everything = np.arange(x.operands[0].result.size).reshape(shape)
    for axis, n in enumerate(shape):
        along = np.unique(np.unravel_index(places.reshape(-1), shape)[axis])
        start, stop = int(along[0]), int(along[-1]) + 1
        if stop - start == n and n > 1:
            continue
        index: tuple[Any, ...] = (*[slice(None)] * axis, slice(start, stop))
        if np.array_equal(everything[index], places) or (
            stop - start == 1 and np.array_equal(everything[(*index[:-1], start)], places)
        ):
            return axis, start, stop
    return None
