"""Cotangents brought to the shape and dtype of their operand: summed over broadcast axes, and cast."""

from __future__ import annotations

import functools

import numpy as np

from tinygrad_cnn.engine.graph import Array, Node, source_line


def fit(cotangent: Array, value: Array, node: Node, position: int) -> Array:
    """The cotangent of an operand with the shape and dtype of its value, or an error that names the wrong rule."""
    if not hasattr(cotangent, "shape") or not hasattr(cotangent, "dtype"):
        raise TypeError(
            f"{node.primitive.__name__}: the rule for operand {position} returned {cotangent!r}; expected an array of "
            f"the operand's shape, {value.shape} ({source_line(node)})"
        )
    if cotangent.shape != value.shape:
        if not node.primitive.broadcasts:
            raise ValueError(
                f"{node.primitive.__name__}: the rule for operand {position} returned a cotangent of shape "
                f"{cotangent.shape}; expected the operand's shape, {value.shape} ({source_line(node)})"
            )
        cotangent = sum_to(cotangent, value.shape)
    if cotangent.dtype == value.dtype:
        return cotangent
    if cotangent.dtype.kind == "c" != value.dtype.kind:
        cotangent = np.real(cotangent)
    return cotangent.astype(value.dtype)


def sum_to(x: Array, shape: tuple[int, ...]) -> Array:
    """`x` summed over the axes along which an array of `shape` was broadcast to its shape."""
    return np.add.reduce(x, axis=_stretched_axes(x.shape, shape)).reshape(shape)


@functools.lru_cache(maxsize=1024)
def _stretched_axes(to: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    added = len(to) - len(shape)
    return (*range(added), *[axis for axis, n in enumerate(shape, added) if n == 1 and to[axis] != 1])
