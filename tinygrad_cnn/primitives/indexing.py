"""Picking elements out of an array, adding them back to where they were, and NumPy's functions that assign.

Assignment itself is in `engine/mutation/`.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tinygrad_cnn.advice.assignments import written
from tinygrad_cnn.advice.refusals import Refusal
from tinygrad_cnn.engine.conversions import GradientLostError
from tinygrad_cnn.engine.graph import Array, Constant, Handle, Node, handle_on, recording
from tinygrad_cnn.engine.mutation.versions import Version, add_at, index_add, is_basic
from tinygrad_cnn.engine.primitive import fixed, implements, primitive, to_values
from tinygrad_cnn.stand_in import StandIn

Index = Any
_INTEGERS = frozenset([int])


@primitive(name="getitem", moves=True, complex=True, pure=True)
def picked(x: Array, /, index: Index) -> Array:
    """x[index]: basic, advanced and boolean indexing, as NumPy's."""
    return x[index]


def _place_in(index: Index) -> int | None:
    """Of an array of how many axes `index` picks one element; None if that is no matter of integers alone."""
    if type(index) is int:
        return 1
    if type(index) is tuple and index and type(index[0]) is int and _INTEGERS.issuperset(map(type, index)):
        return len(index)
    return None


@implements(operator.getitem)
def getitem(x: Array, index: Index) -> Array:
    """x[index]. Of a version, the part is copied, and so the whole may go on to the next version."""
    mode: Any = recording.get()
    node = x.node if isinstance(x, Handle) else None
    if mode is True and type(node) is Node and _place_in(index) == node.like.ndim:
        number = node.value[index]
        if type(number) is np.float64:  # one element, in half the time of what follows
            return handle_on(Node(picked, [node.value], [(0, node)], {"index": index}, number))
    if not mode or not isinstance(node, Version) or node.read:
        return picked(x, index=index)
    index = fixed(index)
    part = (node.value if node.array is None else node.array)[index]
    is_view = isinstance(part, np.ndarray) and is_basic(index)
    if is_view:
        part = part.copy(order="K")
    kind = Constant if node.constant else Node
    result: Any = handle_on(kind(picked, (node.like,), ((0, node),), {"index": index}, part))
    if is_view:
        result.node.like = node.like[index]  # which lies in memory as NumPy's view does, and as the copy does not
    if mode is not True:
        mode.made(result.node)
    return x.follow(result) if is_view else result


@primitive(complex=True, pure=True, opaque=True, implied=("shape",))
def scatter(x: Array, /, index: Index, shape: tuple[int, ...]) -> Array:
    """Zeros of `shape`, with `x` added at `index`; where an element is indexed twice, both are added."""
    return add_at(np.zeros(shape, x.dtype), x, index)


def _alike(total: Array, g: Array) -> Array:
    """`total`, to which `g` can be added: in a trace a sum may begin with plain zeros, as in a jvp."""
    return np.copy(g.lift(total)) if isinstance(g, StandIn) and not isinstance(total, StandIn) else total


picked.defvjp(lambda g, out, x, index: scatter(g, index, x.shape))
picked.defvjp_in_part(
    adding=lambda total, g, out, x, index: (
        index_add(total, index, g)
        if isinstance(g, Handle) or isinstance(total, Handle)
        else add_at(_alike(total, g), g, index)
    )
)
scatter.defvjp(lambda g, out, x, index, shape: g[index])
scatter.defflops(lambda out, x, index, shape: x.size)


# Functions that change an array in place: what they are given must be a Tensor.


@implements(np.copyto)
def copyto(dst: Array, src: Array, casting: str = "same_kind", where: Any = True) -> None:
    """As `np.copyto`."""
    _assignable(dst, "copyto")[...] = src if where is True else np.where(where, src, dst)


@implements(np.put)
def put_flat(a: Array, ind: Any, v: Array, mode: Any = "raise") -> None:
    """As `np.put`."""
    places = np.take(np.arange(a.size), np.ravel(ind), mode=mode)
    _put_in_a_row(_assignable(a, "put"), places, v, np.arange(places.size))


@implements(np.place)
def place(arr: Array, mask: Any, vals: Array) -> None:
    """As `np.place`."""
    if np.size(vals) == 1:
        putmask(arr, mask, vals)
        return
    places = np.flatnonzero(to_values(mask))
    if places.size and not np.size(vals):
        raise ValueError("Cannot insert from an empty array!")
    _put_in_a_row(_assignable(arr, "place"), places, vals, np.arange(places.size))


@implements(np.putmask)
def putmask(a: Array, mask: Any, values: Array) -> None:
    """As `np.putmask`."""
    if isinstance(to_values(mask), StandIn):  # which elements it is, is not known
        in_a_row = np.ravel(values)[np.arange(a.size) % np.size(values)]
        _assignable(a, "putmask")[...] = np.where(mask, in_a_row.reshape(a.shape), a)
        return
    places = np.flatnonzero(to_values(mask))
    _put_in_a_row(_assignable(a, "putmask"), places, values, places)


def _put_in_a_row(x: Array, places: Any, values: Array, order: Any) -> None:
    """Assign to the elements of `x` at `places`, counted row by row, those of `values` at `order`, again and again."""
    values = np.ravel(values)
    if not places.size or not values.size:
        return
    chosen = values[order % values.size]
    if x.ndim:
        x[np.unravel_index(places, x.shape)] = chosen
    else:
        x[...] = chosen[-1]


@implements(np.fill_diagonal)
def fill_diagonal(a: Array, val: Array, wrap: bool = False) -> None:
    """As `np.fill_diagonal`."""
    marked = np.zeros(a.shape, int)
    np.fill_diagonal(marked, 1, wrap)
    values = np.ravel(val)
    where = np.nonzero(marked)
    _assignable(a, "fill_diagonal")[where] = values[np.arange(len(where[0])) % values.size]


@implements(np.put_along_axis)
def put_along_axis(arr: Array, indices: Any, values: Array, axis: int | None) -> None:
    """As `np.put_along_axis`."""
    _assignable(arr, "put_along_axis")
    if axis is None:
        arr[np.unravel_index(np.asarray(indices).ravel(), arr.shape)] = np.ravel(values)
        return
    axis = range(arr.ndim)[axis]
    grid: list[Any] = list(np.ogrid[tuple(slice(n) for n in arr.shape)])
    grid[axis] = indices
    arr[tuple(grid)] = values


def _assignable(x: Any, name: str) -> Any:
    if not isinstance(x, Handle | StandIn) and recording.get():
        raise GradientLostError(Refusal(written, f"np.{name}", False))
    return x


@implements((np.add, "at"))
def add_to(x: Array, index: Index, v: Array) -> None:
    """As `np.add.at`: x, a Tensor, is changed in place."""
    _change(x, index, v, np.add)


@implements((np.subtract, "at"))
def subtract_from(x: Array, index: Index, v: Array) -> None:
    """As `np.subtract.at`."""
    _change(x, index, np.negative(v), np.subtract)


def _change(x: Array, index: Index, v: Array, ufunc: np.ufunc) -> None:
    if not isinstance(x, Handle) and recording.get():
        raise GradientLostError(Refusal(written, f"np.{ufunc.__name__}.at", False))
    changed = index_add(x, index, v)
    if isinstance(x, Handle):
        x.become(changed)
    else:
        x[...] = changed
