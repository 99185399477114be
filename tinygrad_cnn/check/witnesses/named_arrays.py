"""Names of arrays that no source text of the user's shows, such as the cotangents that a layer is given."""

from __future__ import annotations

import weakref

import numpy as np

from tinygrad_cnn.engine.graph import Array

_NAMES: dict[int, tuple[weakref.ref[Array], str]] = {}


def give_name(x: Array, name: str) -> None:
    """What to call this array, the object itself, for as long as it exists."""
    key = id(x)
    _NAMES[key] = weakref.ref(x, lambda _: _NAMES.pop(key, None)), name


def name_given(x: Array) -> str | None:
    """What this array is called, if it was given a name."""
    there, name = _NAMES.get(id(x), (None, ""))
    return name if there is not None and there() is x else None


def name_of_equal(x: Array) -> str | None:
    """What an array of the same elements is called, if one was given a name."""
    for there, name in _NAMES.values():
        named = there()
        if named is not None and np.array_equal(named, x):
            return name
    return None
