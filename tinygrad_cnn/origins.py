"""What an array was moved from, before it met a Tensor.

The columns of images that are plain arrays are computed at once, and no node is recorded for them. A picture, which is
to begin with the images, looks up here what they were.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Origin(NamedTuple):
    """source: the array that another was moved from; steps: how, in words; again: what does it."""

    source: Any
    steps: str
    again: Callable[[Any], Any]


_origins: dict[int, tuple[weakref.ref[Any], Origin]] = {}


def note(moved: Any, source: Any, steps: str, again: Callable[[Any], Any]) -> None:
    """Note that the array `moved` is `again(source)`, for as long as it lives."""
    key = id(moved)
    _origins[key] = weakref.ref(moved, lambda _: _origins.pop(key, None)), Origin(source, steps, again)


def origin_of(array: Any) -> Origin | None:
    """What an array was moved from; None if that is not known, or has been written to since."""
    known = _origins.get(id(array))
    if known is None or known[0]() is not array:
        return None
    origin = known[1]
    return origin if _are_equal(origin.again(origin.source), array) else None


def first_origin_of(array: Any) -> Origin | None:
    """As `origin_of`, but of what that was moved from too, and so on."""
    found = origin_of(array)
    before = None if found is None else first_origin_of(found.source)
    if found is None or before is None:
        return found
    return Origin(before.source, f"{before.steps}, {found.steps}", found.again)


def _are_equal(x: Any, y: Any) -> bool:
    return bool(np.array_equal(x, y, equal_nan=True))
