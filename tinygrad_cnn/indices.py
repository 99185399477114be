"""Basic indices, integers and slices: one after the other, as one."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

Axis = int | range  # what is left of an axis: one place, or those of a range


def composed(shape: tuple[int, ...], indices: Iterable[Any]) -> tuple[Any, ...] | None:
    """The index that picks from an array of `shape` what `indices` pick one after the other.

    None if one of them is not of integers, slices and an Ellipsis alone, or goes beyond the array. An Ellipsis in the
    last of them stays: x[0, ...] is an array without axes where x[0] is a number.

    >>> composed((6, 4), [slice(1, None, 2), (1, slice(2))])
    (3, slice(0, 2, 1))
    """
    axes: list[Axis] = [range(n) for n in shape]
    index: Any = ()
    for index in indices:
        parts = _parts(index, sum(isinstance(axis, range) for axis in axes))
        if parts is None:
            return None
        try:
            axes = [axis[next(parts)] if isinstance(axis, range) else axis for axis in axes]
        except IndexError:
            return None
    last = index if isinstance(index, tuple) else (index,)
    array = (Ellipsis,) if any(part is Ellipsis for part in last) else ()
    return (*[_as_slice(axis) if isinstance(axis, range) else axis for axis in axes], *array)


def _parts(index: Any, ndim: int) -> Any:
    """An iterator over one integer or slice for each of `ndim` axes; None if there is another part."""
    parts = list(index) if isinstance(index, tuple) else [index]
    ellipses = sum(part is Ellipsis for part in parts)
    if ellipses > 1 or len(parts) - ellipses > ndim or not all(map(_is_part, parts)):
        return None
    at = parts.index(Ellipsis) if ellipses else len(parts)
    parts[at : at + 1] = [slice(None)] * (ndim - len(parts) + ellipses)
    return iter([part if isinstance(part, slice) else operator.index(part) for part in parts])


def _is_part(part: Any) -> bool:
    if isinstance(part, slice):
        return all(x is None or isinstance(x, int | np.integer) for x in (part.start, part.stop, part.step))
    return part is Ellipsis or (isinstance(part, int | np.integer) and not isinstance(part, bool))


def _as_slice(axis: range) -> slice:
    if not axis:
        return slice(0, 0)
    return slice(axis.start, axis.stop if axis.stop >= 0 else None, axis.step)
