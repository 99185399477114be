"""Functions that lay elements out anew, and change none of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.fitting import sum_to
from tinygrad_cnn.engine.graph import Array, Handle
from tinygrad_cnn.engine.primitive import Primitive, implementations, implements, primitive, to_values
from tinygrad_cnn.primitives.arguments import axes_of, axis_of, refuse_out

Shape = int | tuple[int, ...]


@implements(np.reshape)
@primitive(moves=True, complex=True, pure=True, view_or_copy=True, implied=("shape",))
def reshape(x: Array, /, shape: Shape, order: Any = "C", *, copy: bool | None = None) -> Array:
    """As `np.reshape`, in the orders that say which element goes where: "C" and "F"."""
    if order == "C" and copy is None:
        return x.reshape(shape)
    _check_order("reshape", order)
    return np.reshape(x, shape, order=order, copy=copy)


reshape.defvjp(
    lambda g, out, x, shape, order="C", copy=None: (
        g.reshape(x.shape) if order == "C" else np.reshape(g, x.shape, order=order)
    ),
)


@implements(np.ravel)
@primitive(moves=True, complex=True, pure=True, view_or_copy=True)
def ravel(a: Array, /, order: Any = "C") -> Array:
    """As `np.ravel`, in the orders "C" and "F". It copies where `np.reshape` may still have a view."""
    _check_order("ravel", order)
    row = np.ravel(a, order)
    return row if row.base is not None else row.view()  # only what has a base may be a view in NumPy


ravel.defvjp(lambda g, out, a, order="C": np.reshape(g, np.shape(a), order=order))


def _check_order(name: str, order: Any) -> None:
    if order not in ("C", "F"):
        raise NotImplementedError(
            f"np.{name}: order={order!r} is not supported for Tensors, as it depends on memory layout. Pass 'C' or 'F'"
        )


@implements(np.transpose, np.permute_dims)
@primitive(moves=True, complex=True, pure=True, implied=("axes",))
def transpose(x: Array, /, axes: int | tuple[int, ...] | None = None) -> Array:
    """As `np.transpose`."""
    return x.transpose(axes)


transpose.defvjp(lambda g, out, x, axes=None: g.transpose(None if axes is None else _inverse(axes, g.ndim)))


def _inverse(axes: int | tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """The permutation that undoes `axes`; a number is that of the only axis."""
    return tuple(np.argsort(axes_of(axes, ndim)).tolist())


@implements(np.swapaxes)
@primitive(moves=True, complex=True, pure=True)
def swapaxes(x: Array, /, axis1: int, axis2: int) -> Array:
    """As `np.swapaxes`."""
    return x.swapaxes(axis1, axis2)


swapaxes.defvjp(lambda g, out, x, axis1, axis2: g.swapaxes(axis1, axis2))


def _permuting(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that puts axes in another order: it says which by what it does to axes of length 0, 1, 2, ..."""

    def permute(a: Any, *args: Any, **keywords: Any) -> Any:
        return np.transpose(a, function(np.empty(range(a.ndim)), *args, **keywords).shape)

    return permute


implementations[np.moveaxis] = _permuting(np.moveaxis)
implementations[np.rollaxis] = _permuting(np.rollaxis)


def _reshaping(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that adds or removes axes of length 1: what shape is left it says by an array of one number."""

    def change(a: Any, *args: Any, **keywords: Any) -> Any:
        return a.reshape(function(np.broadcast_to(0, a.shape), *args, **keywords).shape)

    return change


implementations[np.expand_dims] = _reshaping(np.expand_dims)
implementations[np.squeeze] = _reshaping(np.squeeze)


def _at_least(function: Callable[..., Any]) -> Callable[..., Any]:
    def raised(*arrays: Any) -> Any:
        results = tuple([np.reshape(x, function(np.broadcast_to(0, np.shape(x))).shape) for x in arrays])
        return results[0] if len(results) == 1 else results

    return raised


for _function in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    implementations[_function] = _at_least(_function)


@primitive(moves=True, complex=True, pure=True, implied=("shape",))
def broadcast_to(x: Array, /, shape: Shape) -> Array:
    """As `np.broadcast_to`."""
    return np.broadcast_to(x, shape)


broadcast_to.defvjp(lambda g, out, x, shape: sum_to(g, x.shape))


@implements(np.broadcast_to)
def _broadcast_to(array: Any, shape: Shape, subok: bool = False) -> Any:
    return broadcast_to(array, shape)


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    """As `np.broadcast_arrays`."""
    shape = np.broadcast_shapes(*[np.shape(x) for x in args])
    # What is not stretched may be assigned to.
    return tuple(
        [x if isinstance(x, Handle) and x.node.like.shape == shape else np.broadcast_to(x, shape) for x in args]
    )


@primitive(name="copy", moves=True, complex=True, pure=True, opaque=True)
def copied(x: Array, /, order: Any) -> Array:
    """A copy, which lies in memory as `order` says: what is assigned to the one does not change the other.

    order: one of NumPy's, or the axes from that of the longest stride to that of the shortest.
    """
    if not isinstance(order, tuple):
        return np.array(x, order=order)
    strides, step = [0] * x.ndim, x.itemsize
    for axis in reversed(order):
        strides[axis], step = step, step * x.shape[axis]
    copy = np.ndarray(x.shape, x.dtype, strides=tuple(strides))
    copy[...] = x
    return copy


copied.defvjp(lambda g, out, x, order: g)


@implements(np.copy)
def copy(a: Any, order: Any = "K", subok: bool = False) -> Any:
    """As `np.copy`."""
    if order == "A":
        order = order_of(a)
    return copied(a, order=order)


def order_of(x: Any) -> str:
    """The order in which NumPy lays out what it makes of `x`, where it asks for the flags of `x` alone."""
    like = x.node.like if isinstance(x, Handle) else np.asarray(x)
    return "F" if like.flags.fnc else "C"


# What is assigned to a result later depends on how it lies in memory, so that this is part of what a function gives.


def laid_out(x: Any, like: Any) -> Any:
    """`x`, which is nobody else's, as NumPy's result is: copied if that lies otherwise, as a number if it is one.

    like: that result, or another array that lies in memory as it does, of the same number of axes.
    """
    here = x.node.like if isinstance(x, Handle) else x
    if not like.ndim:
        return number(x) if isinstance(like, np.generic) else np.copy(x)
    axes = sorted(range(like.ndim), key=lambda axis: -like.strides[axis])
    step = here.itemsize
    for axis in reversed(axes):
        if here.shape[axis] > 1 and here.strides[axis] != step:
            return copied(x, order=tuple(axes))
        step *= here.shape[axis]
    return x


def row_by_row(x: Any) -> Any:
    """`x`, which is nobody else's, or a copy of it that lies in memory row by row, as most of NumPy's results do."""
    here = x.node.like if isinstance(x, Handle) else x
    return x if here.flags.c_contiguous else copied(x, order="C")


def in_order(x: Any, order: str) -> Any:
    """`x`, which is nobody else's, or a copy of it that lies in memory in the order "C" or "F"."""
    return laid_out(x, np.empty((2,) * x.ndim, order=order))  # type: ignore[call-overload]


def number(x: Any) -> Any:
    """`x`, which is nobody else's, but as a number if it has no axes, as most of NumPy's results are."""
    return x if x.ndim else x[()]


def thumbnail(x: Any) -> Any:
    """Zeros that lie in memory as `x`, but no more than two of them along each axis.

    Of them NumPy's function shows how its result lies.
    """
    here = x.node.like if isinstance(x, Handle) else x if isinstance(x, np.ndarray) else np.asarray(x)
    return np.zeros_like(here[(slice(2),) * here.ndim])


# Joining.


def _concatenate(*arrays: Array, axis: int | None, starts: tuple[int, ...], **how: Any) -> Array:
    return np.concatenate(arrays, axis, **how)


_AT_ONCE = 256
joined: Primitive[..., Array] = Primitive(_concatenate, "concatenate", moves=True, complex=True, pure=True)


@joined.defvjp_argnum
def _part(
    position: int, g: Array, out: Array, *arrays: Array, axis: int | None, starts: tuple[int, ...], **how: Any
) -> Array:
    part = slice(starts[position], starts[position + 1])
    if axis is None:
        return g[part].reshape(np.shape(arrays[position]))
    return g[(*[slice(None)] * axis_of(axis, g.ndim), part)]


@implements(np.concatenate, np.concat)
def concatenate(arrays: Any, /, axis: int | None = 0, out: None = None, **how: Any) -> Array:
    """As `np.concatenate`; `how` are its `dtype` and `casting`."""
    refuse_out("concatenate", out)
    arrays = list(arrays)
    if len(arrays) > _AT_ONCE:  # the rule of each is given all of them, so that very many at once cost their square
        parts = [arrays[k : k + _AT_ONCE] for k in range(0, len(arrays), _AT_ONCE)]
        return np.concatenate([np.concatenate(part, axis, **how) for part in parts], axis, **how)
    lengths = [np.size(x) if axis is None else sum(np.shape(x)[axis : axis + 1 or None]) for x in arrays]
    # Where each begins is reckoned once, and not anew in the rule of each.
    return joined(*arrays, axis=axis, starts=(0, *itertools.accumulate(lengths)), **how)


@implements(np.stack)
def stack(arrays: Any, axis: int = 0, out: None = None, **how: Any) -> Any:
    """As `np.stack`."""
    refuse_out("stack", out)
    arrays = list(arrays)
    shapes = {np.shape(x) for x in arrays}
    if len(shapes) > 1:
        raise ValueError("all input arrays must have the same shape")
    if shapes == {()} and axis in (0, -1) and not how and len(arrays) <= _AT_ONCE:
        return array_of(*arrays, shape=(len(arrays),))
    return np.concatenate([np.expand_dims(x, axis) for x in arrays], axis, **how)


@primitive(name="array", moves=True, complex=True, pure=True, opaque=True, implied=("shape",))
def array_of(*numbers: Array, shape: tuple[int, ...]) -> Array:
    """An array of `shape` of these numbers, row by row: one node, where `np.stack` makes one for each number."""
    return np.array(numbers).reshape(shape)


array_of.defvjp_argnum(lambda position, g, out, *numbers, shape: g.reshape(-1)[position])


@implements(np.hstack)
def hstack(tup: Any, **how: Any) -> Any:
    """As `np.hstack`."""
    arrays = [np.atleast_1d(x) for x in tup]
    return np.concatenate(arrays, 0 if arrays[0].ndim == 1 else 1, **how)


@implements(np.vstack)
def vstack(tup: Any, **how: Any) -> Any:
    """As `np.vstack`."""
    return np.concatenate([np.atleast_2d(x) for x in tup], 0, **how)


@implements(np.dstack)
def dstack(tup: Any) -> Any:
    """As `np.dstack`."""
    return np.concatenate([np.atleast_3d(x) for x in tup], 2)


@implements(np.column_stack)
def column_stack(tup: Any) -> Any:
    """As `np.column_stack`."""
    return np.concatenate([x if np.ndim(x) > 1 else np.atleast_2d(x).T for x in tup], 1)


@implements(np.block)
def block(arrays: Any) -> Any:
    """As `np.block`."""
    result = np.block(to_values(arrays))  # nesting that is uneven, or shapes that do not fit, are found here
    depth = _depth(arrays)
    found = _block(arrays, result.ndim, -depth)
    return laid_out(found if depth else np.copy(found), result)


def _depth(nested: Any) -> int:
    return 1 + _depth(nested[0]) if isinstance(nested, list) else 0


def _block(nested: Any, ndim: int, axis: int) -> Any:
    """Blocks joined along `axis`, each of them joined along the next; all have `ndim` axes."""
    if isinstance(nested, list):
        return np.concatenate([_block(x, ndim, axis + 1) for x in nested], axis)
    return np.reshape(nested, (1,) * (ndim - np.ndim(nested)) + np.shape(nested))


# Splitting.


@implements(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """As `np.split`."""
    return _pieces(ary, np.split(np.arange(ary.shape[axis]), to_values(indices_or_sections)), axis)


@implements(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """As `np.array_split`."""
    return _pieces(ary, np.array_split(np.arange(ary.shape[axis]), to_values(indices_or_sections)), axis)


def _pieces(x: Any, places: list[Any], axis: int) -> list[Any]:
    """The parts of `x` along `axis` whose places are each a run of whole numbers."""
    before = (slice(None),) * axis_of(axis, x.ndim)
    return [x[(*before, slice(i[0], i[-1] + 1) if i.size else slice(0))] for i in places]


@implements(np.hsplit)
def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """As `np.hsplit`."""
    if ary.ndim == 0:
        raise ValueError("hsplit only works on arrays of 1 or more dimensions")
    return np.split(ary, indices_or_sections, 1 if ary.ndim > 1 else 0)


@implements(np.vsplit)
def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """As `np.vsplit`."""
    if ary.ndim < 2:
        raise ValueError("vsplit only works on arrays of 2 or more dimensions")
    return np.split(ary, indices_or_sections, 0)


@implements(np.dsplit)
def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """As `np.dsplit`."""
    if ary.ndim < 3:
        raise ValueError("dsplit only works on arrays of 3 or more dimensions")
    return np.split(ary, indices_or_sections, 2)


@implements(np.unstack)
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """As `np.unstack`."""
    if x.ndim == 0:
        raise ValueError("Input array must be at least 1-d.")
    return tuple(np.moveaxis(x, axis, 0))
