"""Functions that lay elements out anew, and change none of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.backward import sum_to
from tinygrad_cnn.graph import Array
from tinygrad_cnn.primitive import Primitive, implements, primitive

Shape = int | tuple[int, ...]


@implements(np.reshape)
@primitive
def reshape(x: Array, /, shape: Shape) -> Array:
    """As `np.reshape`."""
    return x.reshape(shape)


reshape.vjp(lambda g, out, x, shape: g.reshape(x.shape))


@implements(np.transpose)
@primitive
def transpose(x: Array, /, axes: tuple[int, ...] | None = None) -> Array:
    """As `np.transpose`."""
    return x.transpose(axes)


transpose.vjp(lambda g, out, x, axes=None: g.transpose(None if axes is None else _inverse(axes)))


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes `axes`."""
    return tuple(np.argsort([axis % len(axes) for axis in axes]).tolist())


@implements(np.swapaxes)
@primitive
def swapaxes(x: Array, /, axis1: int, axis2: int) -> Array:
    """As `np.swapaxes`."""
    return x.swapaxes(axis1, axis2)


swapaxes.vjp(lambda g, out, x, axis1, axis2: g.swapaxes(axis1, axis2))


@implements(np.broadcast_to)
@primitive
def broadcast_to(x: Array, /, shape: Shape) -> Array:
    """As `np.broadcast_to`."""
    return np.broadcast_to(x, shape)


broadcast_to.vjp(lambda g, out, x, shape: sum_to(g, x.shape))


def _concatenate(*arrays: Array, axis: int | None = 0) -> Array:
    return np.concatenate(arrays, axis)


joined: Primitive[..., Array] = Primitive(_concatenate, name="concatenate")


@joined.vjp_of_each
def _part(position: int, g: Array, out: Array, *arrays: Array, axis: int | None = 0) -> Array:
    if axis is None:
        start = sum(np.size(x) for x in arrays[:position])
        return g[start : start + np.size(arrays[position])].reshape(np.shape(arrays[position]))
    start = sum(x.shape[axis] for x in arrays[:position])
    index: list[Any] = [slice(None)] * g.ndim
    index[axis] = slice(start, start + arrays[position].shape[axis])
    return g[tuple(index)]


@implements(np.concatenate)
def concatenate(arrays: Any, axis: int | None = 0) -> Array:
    """As `np.concatenate`."""
    return joined(*arrays, axis=axis)
