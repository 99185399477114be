"""Arrays made anew: np.zeros_like(t), np.zeros(shape, like=t) and their kin give Tensors, to be assigned into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array, Constant, differentiating, recording
from tinygrad_cnn.engine.primitive import implementations, implements, operand, to_values
from tinygrad_cnn.engine.tensor import Tensor, leaf_on, leaf_tensor
from tinygrad_cnn.primitives.shaping import array_of, laid_out, row_by_row
from tinygrad_cnn.stand_in import StandIn, tracing

_NUMBERS = (float, int, np.generic)


def new_array(array: Array) -> Array:
    """A Tensor of new elements, where there is something to record and they are floats or complex.

    Within a transform it is a constant, until a Tensor is assigned to it; on the tape, where nobody knows what will be
    differentiated, a leaf.
    """
    if not recording.get() or array.dtype.kind not in "fc":
        return array
    return leaf_on(array, None, Constant) if differentiating.get() else leaf_tensor(array, None)


def _as_tensor(function: Callable[..., Any]) -> Callable[..., Array]:
    def make(*args: Any, **keywords: Any) -> Array:
        # What is left in memory differs from run to run, and a program has to be the same in every one.
        create = np.zeros if function is np.empty and tracing.get() is not None else function
        return new_array(create(*args, **keywords))

    return make


def _of_shape(function: Callable[..., Any]) -> Callable[..., Array]:
    def make(prototype: Array, dtype: Any = None, shape: Any = None, **keywords: Any) -> Array:
        like = prototype.node.like if isinstance(prototype, Tensor) else prototype
        return new_array(function(like, dtype=dtype, shape=shape, **keywords))

    return make


_function: Any
for _function in (np.zeros, np.ones, np.empty, np.eye, np.identity, np.tri):
    implementations[_function] = _as_tensor(_function)
for _function in (np.zeros_like, np.ones_like, np.empty_like):
    implementations[_function] = _of_shape(_function)


@implements(np.full)
def full(shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", **keywords: Any) -> Array:
    """As `np.full`; the elements may be those of a Tensor, which then has its share in the gradient."""
    fill_value = operand(fill_value)
    if isinstance(fill_value, Tensor):
        return _filled(np.zeros(shape, dtype or fill_value.dtype, order), fill_value)
    return new_array(np.full(shape, fill_value, dtype, order))


def _filled(made: Array, fill_value: Tensor) -> Array:
    """The array `made`, as a Tensor, with `fill_value` assigned to all of it."""
    filled = new_array(made)
    filled[...] = fill_value
    return filled


@implements(np.full_like)
def full_like(
    a: Array, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None
) -> Any:
    """As `np.full_like`; see `full`."""
    a, fill_value = operand(a), operand(fill_value)
    if isinstance(fill_value, Tensor):
        like = a.node.like if isinstance(a, Tensor) else a
        return _filled(np.empty_like(like, dtype, order, shape=shape), fill_value)
    return new_array(np.full_like(a.node.like, fill_value, dtype, order, shape=shape))


@implements(np.arange)
def arange(*args: Any, **keywords: Any) -> Any:
    """As `np.arange`. How many numbers there are does not depend on a Tensor smoothly; each of them does."""
    values = dict(zip(("start", "stop", "step", "dtype"), args, strict=False), **keywords)
    if len(args) == 1 and "stop" not in keywords:
        values["stop"] = values.pop("start")
    plain = np.arange(*to_values(args), **{name: to_values(x) for name, x in keywords.items()})
    start, step = values.get("start", 0), values.get("step", 1)
    if plain.dtype.kind != "f" or not (isinstance(start, Tensor) or isinstance(step, Tensor)):
        return new_array(plain)
    return (start + step * np.arange(len(plain))).astype(plain.dtype)


def _converting(function: Callable[..., Any]) -> Callable[..., Any]:
    def convert(x: Any, dtype: Any = None, **keywords: Any) -> Any:
        """As NumPy's with like=t: x may be a Tensor, or Tensors and numbers in lists of lists."""
        made = _stacked(x)
        if not isinstance(made, Tensor):
            return new_array(function(made, dtype, **keywords))
        here = made.node.like.example if isinstance(made.node.like, StandIn) else made.node.like
        plain = function(here, dtype, **keywords)  # a view, or else it shows how NumPy's copy lies in memory
        is_new = made is not x and plain.dtype == here.dtype and plain.strides == here.strides
        if plain is here or (is_new and plain.shape == here.shape):
            return made
        if np.may_share_memory(plain, here):
            return made.reshape(plain.shape)  # with more axes, of length 1
        made = made.astype(plain.dtype)
        return made if isinstance(made, np.ndarray) else laid_out(np.copy(made.reshape(plain.shape)), plain)

    return convert


for _function in (np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray):
    implementations[_function] = _converting(_function)


_MOST_NUMBERS = 256  # in one node: the rule of each is given all of them, so that it costs their square


def _stacked(x: Any) -> Any:
    if not isinstance(x, list | tuple):
        return x
    numbers: list[Any] = []
    shape = _shape_of_numbers(x, numbers)
    if shape is not None and len(numbers) <= _MOST_NUMBERS:
        return array_of(*numbers, shape=shape) if any(isinstance(item, Tensor) for item in numbers) else x
    items = [_stacked(item) for item in x]
    return row_by_row(np.stack(items)) if any(isinstance(item, Tensor) for item in items) else items


def _shape_of_numbers(x: Any, numbers: list[Any]) -> tuple[int, ...] | None:
    """The shape of lists of lists of `numbers`, which are added to those; None if they hold something else."""
    shapes = set()
    for item in x:
        if isinstance(item, list | tuple):
            shapes.add(_shape_of_numbers(item, numbers))
        elif isinstance(item, _NUMBERS) or (isinstance(item, Tensor) and not item.node.like.ndim):
            shapes.add(())
            numbers.append(item)
        else:
            return None
    shape = shapes.pop() if len(shapes) == 1 else None
    return None if shape is None else (len(x), *shape)
