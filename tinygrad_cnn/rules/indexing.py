"""Picking elements out of an array, and adding them back to where they were."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tinygrad_cnn.graph import Array
from tinygrad_cnn.primitive import implements, primitive

Index = Any


@implements(operator.getitem)
@primitive
def getitem(x: Array, /, index: Index) -> Array:
    """x[index]: basic, advanced and boolean indexing, as NumPy's."""
    return x[index]


@primitive
def scatter(x: Array, /, index: Index, shape: tuple[int, ...]) -> Array:
    """Zeros of `shape`, with `x` added at `index`; where an element is indexed twice, both are added."""
    out = np.zeros(shape, x.dtype)
    if _is_basic(index):
        out[index] = x
    else:
        np.add.at(out, index, x)
    return out


getitem.vjp(lambda g, out, x, index: scatter(g, index, x.shape))
scatter.vjp(lambda g, out, x, index, shape: g[index])


def _is_basic(index: Index) -> bool:
    """Whether `index` picks no element twice: integers, slices, None and Ellipsis, or one boolean mask."""
    if isinstance(index, np.ndarray) and index.dtype == bool:
        return True
    parts = index if isinstance(index, tuple) else (index,)
    return all(isinstance(part, int | np.integer | slice | type(None) | type(Ellipsis)) for part in parts)
