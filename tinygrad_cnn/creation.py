"""Arrays made anew: np.zeros_like(t), np.zeros(shape, like=t) and their kin give Tensors, to be assigned into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.graph import Array, recording
from tinygrad_cnn.primitive import implementations, implements
from tinygrad_cnn.tensor import Tensor


def _leaf(array: Array) -> Array:
    """A Tensor of new elements, where there is something to record and they are floats."""
    return Tensor(array) if recording.get() and array.dtype.kind == "f" else array


def _as_tensor(function: Callable[..., Any]) -> Callable[..., Array]:
    def make(*args: Any, **settings: Any) -> Array:
        return _leaf(function(*args, **settings))

    return make


def _of_shape(function: Callable[..., Any]) -> Callable[..., Array]:
    def make(prototype: Array, dtype: Any = None, shape: Any = None, **settings: Any) -> Array:
        like = prototype.node.like if isinstance(prototype, Tensor) else prototype
        return _leaf(np.asarray(function(like, dtype=dtype, shape=shape, **settings)))

    return make


_function: Any
for _function in (np.zeros, np.ones, np.empty, np.eye, np.identity, np.arange, np.tri):
    implementations[_function] = _as_tensor(_function)
for _function in (np.zeros_like, np.ones_like, np.empty_like):
    implementations[_function] = _of_shape(_function)


@implements(np.full)
def full(shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", **settings: Any) -> Array:
    """As `np.full`; the elements may be those of a Tensor, which then has its share in the gradient."""
    if isinstance(fill_value, Tensor):
        return np.broadcast_to(fill_value, shape).copy()
    return _leaf(np.full(shape, fill_value, dtype, order))


@implements(np.full_like)
def full_like(
    a: Array, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None
) -> Any:
    """As `np.full_like`; see `full`."""
    if isinstance(fill_value, Tensor):
        return np.broadcast_to(fill_value, np.shape(a) if shape is None else shape).astype(dtype or a.dtype)
    return _leaf(np.full_like(a.node.like, fill_value, dtype, order, shape=shape))


@implements(np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray)
def array(x: Any, dtype: Any = None, **settings: Any) -> Array:
    """As `np.array(x, like=t)`: x may be a Tensor, or Tensors and numbers in lists of lists."""
    made = _stacked(x)
    if not isinstance(made, Tensor):
        return _leaf(np.array(made, dtype, **settings))
    made = made.copy() if dtype is None else made.astype(dtype)
    return made[(None,) * (settings.get("ndmin", 0) - made.ndim)]


def _stacked(x: Any) -> Any:
    if not isinstance(x, list | tuple):
        return x
    items = [_stacked(item) for item in x]
    return np.stack(items) if any(isinstance(item, Tensor) for item in items) else items
