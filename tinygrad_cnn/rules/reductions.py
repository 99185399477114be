"""Functions that reduce an array along axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_cnn.graph import Array
from tinygrad_cnn.primitive import implements, primitive

Axis = int | tuple[int, ...] | None

_add: Any = np.add.reduce
_maximum: Any = np.maximum.reduce
_minimum: Any = np.minimum.reduce


@implements(np.sum, (np.add, "reduce"))
@primitive
def sum(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """As `np.sum`."""
    return _add(x, axis=axis, keepdims=keepdims)


sum.vjp(
    lambda g, out, x, axis=None, keepdims=False: np.broadcast_to(_restored(g, x, axis, keepdims), x.shape),
)


@implements(np.mean)
@primitive
def mean(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """As `np.mean`."""
    return np.mean(x, axis=axis, keepdims=keepdims)


mean.vjp(
    lambda g, out, x, axis=None, keepdims=False: np.broadcast_to(
        _restored(g, x, axis, keepdims) / _count(x, axis), x.shape
    ),
)


@implements(np.max, np.amax, (np.maximum, "reduce"))
@primitive
def max(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """As `np.max`. Elements that tie for the maximum share its cotangent equally."""
    return _maximum(x, axis=axis, keepdims=keepdims)


@implements(np.min, np.amin, (np.minimum, "reduce"))
@primitive
def min(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """As `np.min`. Elements that tie for the minimum share its cotangent equally."""
    return _minimum(x, axis=axis, keepdims=keepdims)


def _shared(g: Array, out: Array, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    tied = np.equal(x, _restored(out, x, axis, keepdims))
    return _restored(g, x, axis, keepdims) / tied.sum(axis=axis, keepdims=True, dtype=g.dtype) * tied


max.vjp(_shared)
min.vjp(_shared)


def _restored(g: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
    """`g` with the axes that a reduction of `x` took away put back, of length 1."""
    if keepdims or axis is None:
        return g  # that of a whole array is one number, and broadcasts as it is
    gone = _axes(x, axis)
    return g.reshape([1 if i in gone else n for i, n in enumerate(x.shape)])


def _axes(x: Array, axis: Axis) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    return tuple([i % x.ndim for i in (axis if isinstance(axis, tuple) else (axis,))])


def _count(x: Array, axis: Axis) -> int:
    return math.prod(x.shape[i] for i in _axes(x, axis))
