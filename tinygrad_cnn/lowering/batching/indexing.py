"""Batching rules of what takes an index: it may be the same for all examples, or have arrays of one for each.

NumPy puts the axis of the examples where the rules of advanced indexing put it; here it comes first.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.batching.values import Array, Batched, for_each, is_batched, rank, shape_of
from tinygrad_cnn.stand_in import StandIn

Index = list[Any]


def getitem(n: int, x: Any, *, index: Any) -> Array:
    """x[index], of each example."""
    parts = expanded(index, rank(x))
    arrays = [k for k, part in enumerate(parts) if not (part is None or isinstance(part, slice))]
    if not arrays or not any(is_batched(parts[k]) or np.ndim(parts[k]) for k in arrays):
        from_the_end = isinstance(index, tuple) and index[:1] == (Ellipsis,)  # which is as it is for one example
        return x.value[index if from_the_end else (slice(None), *parts)]  # basic indexing
    most = max(rank(parts[k]) for k in arrays)
    together = arrays[-1] - arrays[0] == len(arrays) - 1
    for k in arrays:
        parts[k] = _of_rank(parts[k], most)
    if not any(is_batched(parts[k]) for k in arrays):
        picked = x.value[(slice(None), *parts)]
        return picked if together else np.moveaxis(picked, most, 0)
    at = arrays[0] if together else 0  # where the axes of the arrays are in the result for one example
    at = len([part for part in parts[:at] if part is None or isinstance(part, slice)])
    parts = [part.value if is_batched(part) else part for part in parts]
    if is_batched(x):
        examples = np.arange(n).reshape(n, *[1] * most)
        picked = x.value[(examples, *parts)]  # the axes of the arrays come first
        if together and at:
            return np.moveaxis(picked, range(1, most + 1), range(1 + at, 1 + at + most))
        return picked
    picked = x[tuple(parts)]
    return np.moveaxis(picked, at, 0) if at else picked


def setitem(n: int, x: Any, *, value: Any, index: Any) -> Array:
    """A copy of x in which `value` is at `index`, of each example."""
    return _changed(n, x, value, index, add=False)


def add_at(n: int, x: Any, *, value: Any, index: Any) -> Array:
    """A copy of x to which `value` is added at `index`, of each example; twice where an element is indexed twice."""
    return _changed(n, x, value, index, add=True)


def scatter(n: int, x: Any, *, index: Any, shape: tuple[int, ...]) -> Array:
    """Zeros of `shape`, with `x` added at `index`, of each example."""
    return add_at(n, np.zeros(shape, x.value.dtype if is_batched(x) else x.dtype), value=x, index=index)


def _changed(n: int, x: Any, value: Any, index: Any, add: bool) -> Array:
    if _is_mask(index):
        return _where_masked(n, x, value, index, add)
    parts = expanded(index, rank(x))
    shape = (n, *shape_of(x))
    whole = np.zeros_like(for_each(x, n), shape=shape)
    whole[...] = for_each(x, n)
    if all(part is None or isinstance(part, slice) or _is_plain_integer(part) for part in parts):
        place = (slice(None), *parts)
        given = _fitting(value, rank(Batched(np.broadcast_to(False, shape)[place])), n)
        if add:
            whole[place] = whole[place] + given
        else:
            whole[place] = given
        return whole
    # Which elements are meant, by their numbers when all examples lie in a row.
    numbers = np.arange(math.prod(shape)).reshape(shape)
    numbers = whole.lift(numbers) if isinstance(whole, StandIn) else numbers
    places = getitem(n, Batched(numbers), index=index)
    given = np.broadcast_to(_fitting(value, rank(Batched(places)), n), places.shape)
    in_a_row = whole.reshape(-1)
    if add:
        np.add.at(in_a_row, places, given)
    else:
        in_a_row[places] = given
    return in_a_row.reshape(shape)


def _is_mask(part: Any) -> bool:
    array = part.value if is_batched(part) else part
    return getattr(array, "dtype", None) == np.bool_ and (is_batched(part) or isinstance(part, StandIn))


def _where_masked(n: int, x: Any, value: Any, mask: Any, add: bool) -> Array:
    """x[mask] = value, where the elements that are meant differ from example to example."""
    behind = rank(x) - rank(mask)
    if rank(value) > behind:
        if shape_of(value)[: rank(value) - behind] != (1,):
            raise NotImplementedError("x[mask] = values, where each example has another number of values")
        value = Batched(value.value[:, 0]) if is_batched(value) else value[0]
    old = for_each(x, n)
    spread = for_each(mask, n).reshape(old.shape[: 1 + rank(mask)] + (1,) * behind)
    value = _fitting(value, rank(x), n)
    return np.where(spread, old + value if add else value, old).astype(old.dtype)


def _is_plain_integer(part: Any) -> bool:
    return not is_batched(part) and not np.ndim(part)


def _fitting(value: Any, most: int, n: int) -> Array:
    """What is assigned, so that it broadcasts to a place of `most` axes in each example."""
    if not is_batched(value):
        return value if np.ndim(value) <= most else np.reshape(value, np.shape(value)[np.ndim(value) - most :])
    shape = shape_of(value)
    shape = shape[len(shape) - most :] if len(shape) > most else (*[1] * (most - len(shape)), *shape)
    return value.value.reshape(n, *shape)


def expanded(index: Any, ndim: int) -> Index:
    """The parts of an index, with slices for an ellipsis and integers for a mask, one for each axis or new axis."""
    parts: Index = []
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, list):
            part = np.asarray(part)
        if isinstance(part, slice) and any(is_batched(end) for end in (part.start, part.stop, part.step)):
            raise NotImplementedError("a slice whose ends differ from example to example")
        if _is_mask(part):
            raise NotImplementedError("a mask that differs from example to example, among other indices")
        if getattr(part, "dtype", None) == np.bool_ or isinstance(part, bool):
            if not np.ndim(part):
                raise NotImplementedError("an index of True or False")
            parts += np.nonzero(part)
        else:
            parts.append(part)
    taken = len([part for part in parts if part is not None and part is not Ellipsis])
    rest = [slice(None)] * (ndim - taken)
    if not any(part is Ellipsis for part in parts):
        return [*parts, *rest]
    at = next(k for k, part in enumerate(parts) if part is Ellipsis)
    return [*parts[:at], *rest, *parts[at + 1 :]]


def _of_rank(part: Any, most: int) -> Any:
    """An array of an index with `most` axes for each example."""
    if not is_batched(part):
        return part
    n, *shape = part.value.shape
    return Batched(part.value.reshape(n, *[1] * (most - len(shape)), *shape))
