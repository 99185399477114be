"""Batching rules of the opaque primitives, most of which take any number of axes in front."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.lowering.batching import indexing
from tinygrad_cnn.lowering.batching.rules import Rule
from tinygrad_cnn.lowering.batching.values import Array, elementwise, for_each, rank

# Each is given the primitive, the number of examples, its operands and its static arguments.


def _in_front(primitive: Any, n: int, x: Any, **static: Any) -> Array:
    """Of what takes any axes in front: the examples are one more."""
    return primitive(x.value, **static)


def _pad(primitive: Any, n: int, x: Any, *, pad_width: Any, **static: Any) -> Array:
    return primitive(x.value, pad_width=((0, 0), *pad_width), **static)


def _im2col(primitive: Any, n: int, x: Any, **static: Any) -> Array:
    if rank(x) == 2:
        return primitive(x.value, **static)
    images = primitive(_merged(x.value), **static)
    return images.reshape((*x.value.shape[:2], *images.shape[1:]))


def _col2im(primitive: Any, n: int, columns: Any, *, shape: tuple[int, ...], **static: Any) -> Array:
    if len(shape) == 2:
        return primitive(columns.value, shape=(n, *shape), **static)
    images = primitive(_merged(columns.value), shape=(n * shape[0], *shape[1:]), **static)
    return images.reshape((n, *shape))


def _merged(x: Array) -> Array:
    """The first two axes as one."""
    return x.reshape((x.shape[0] * x.shape[1], *x.shape[2:]))


def _unpool(primitive: Any, n: int, g: Any, *, winners: list[Any], shape: tuple[int, ...], **static: Any) -> Array:
    won = [winner if winner is True else for_each(winner, n) for winner in winners]
    return primitive(for_each(g, n), winners=won, shape=(n, *shape), **static)


def _array(primitive: Any, n: int, *numbers: Any, shape: tuple[int, ...]) -> Array:
    return np.stack([for_each(x, n) for x in numbers], 1).reshape((n, *shape))


def _at_least_one(primitive: Any, n: int, count: Any, **static: Any) -> Array:
    return np.maximum(count.value, primitive(np.min(count.value), **static)) if n else count.value


def _scatter(primitive: Any, n: int, x: Any, *, index: Any, shape: tuple[int, ...]) -> Array:
    return indexing.scatter(n, x, index=index, shape=shape)


def _copy(primitive: Any, n: int, x: Any, *, order: Any) -> Array:
    return x.value


_RULES: dict[str, Any] = {
    "array": _array,
    "at_least_one": _at_least_one,
    "avg_pool2d": _in_front,
    "col2im": _col2im,
    "copy": _copy,
    "im2col": _im2col,
    "labels_in_range": _in_front,
    "max_pool2d": _in_front,
    "pad": _pad,
    "scatter": _scatter,
    "unpool": _unpool,
}


def rule_of(primitive: Any, operation: str) -> Rule | None:
    """The batching rule of an opaque primitive whose instructions have the name `operation`, or None."""
    if operation in _RULES:
        rule = _RULES[operation]
        return lambda n, *operands, **static: rule(primitive, n, *operands, **static)
    return elementwise(primitive) if primitive.elementwise else None
