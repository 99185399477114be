"""Picking elements out of an array, adding them back to where they were, and assigning to a part of an array.

A node never changes, so `t[i] = v` makes a new node, a version of the array, and moves the handle `t` to it. A loop
that fills an array of n elements makes n versions; that it does not copy the array n times is what `Version` is for.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array, Handle, Node, handle_on, recording
from tinygrad_cnn.engine.primitive import (
    Primitive,
    constant,
    fixed,
    implements,
    primitive,
    to_values,
)
from tinygrad_cnn.engine.sweep import sum_to

Index = Any


@primitive
def picked(x: Array, /, index: Index) -> Array:
    """x[index]: basic, advanced and boolean indexing, as NumPy's."""
    return x[index]


picked.__name__ = "getitem"


@implements(operator.getitem)
def getitem(x: Array, index: Index) -> Array:
    """x[index]. Of a version, the part is copied, and so the whole may go on to the next version."""
    mode: Any = recording.get()
    node = x.node if isinstance(x, Handle) else None
    if not mode or not isinstance(node, Version) or node.read:
        return picked(x, index=index)
    index = fixed(index)
    part = (node.value if node.array is None else node.array)[index]
    is_view = isinstance(part, np.ndarray) and _is_basic(index)
    if is_view:
        part = part.copy(order="K")
    result: Any = handle_on(Node(picked, (node.like,), ((0, node),), {"index": index}, part), x.kind)
    if is_view:
        result.node.like = node.like[index]  # which lies in memory as NumPy's view does, and as the copy does not
    if mode is not True:
        mode.made(result.node)
    return x.follow(result) if is_view else result


@primitive
def scatter(x: Array, /, index: Index, shape: tuple[int, ...]) -> Array:
    """Zeros of `shape`, with `x` added at `index`; where an element is indexed twice, both are added."""
    return add_at(np.zeros(shape, x.dtype), x, index)


picked.defvjp(lambda g, out, x, index: scatter(g, index, x.shape))
picked.defvjp_in_part(
    adding=lambda total, g, out, x, index: (
        index_add(total, index, g) if isinstance(g, Handle) or isinstance(total, Handle) else add_at(total, g, index)
    )
)
scatter.defvjp(lambda g, out, x, index, shape: g[index])


def add_at(array: Array, x: Array, index: Index) -> Array:
    """Add `x` to the elements of `array` at `index`, in place; where an element is indexed twice, both are added."""
    if picks_once(index):
        array[index] += x
    else:
        np.add.at(array, index, x)
    return array


def put_at(array: Array, x: Array, index: Index) -> Array:
    """Assign `x` to the elements of `array` at `index`, in place."""
    array[index] = x
    return array


def picks_once(index: Index) -> bool:
    """Whether `index` picks no element twice, and is known to: NumPy's basic indexing, or one boolean mask."""
    return _is_basic(index) or (isinstance(index, np.ndarray) and index.dtype == bool)


def _is_basic(index: Index) -> bool:
    """Whether `index` is NumPy's basic indexing, which gives a view: integers, slices, None and Ellipsis."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        isinstance(part, int | np.integer | slice | type(None) | type(Ellipsis)) and not isinstance(part, bool)
        for part in parts
    )


# Assignment.


class Version(Node):
    """A node made by assignment to a part of an array: the array with that part replaced, or added to.

    array  the elements; None when the next version has taken the array over and written to it
    read   somebody has seen the array, or may hold it: the next version has to make a copy

    As long as nobody looks at the whole of it, an array is handed on from version to version, and each assignment costs
    as much as the part that it writes. Whoever asks for the value of a version whose array was taken over gets it all
    the same: it is computed anew, from the last version that has its array.
    """

    __slots__ = ("array", "read")
    array: Array
    read: bool

    @property
    def value(self) -> Array:
        """The array, which stays with this version from now on."""
        if self.array is None:
            self.array = self._again()
        self.read = True
        return self.array

    @value.setter
    def value(self, array: Array) -> None:
        self.array = array
        self.read = False

    def _again(self) -> Array:
        versions: list[Version] = []
        base: Any = self
        while isinstance(base, Version) and base.array is None:
            versions.append(base)
            base = base.sources[0][1] if base.sources[0][0] == 0 else base.operands[0]
        array = (base.array if isinstance(base, Version) else base.value if isinstance(base, Node) else base).copy()
        for version in reversed(versions):
            _IN_PLACE[version.primitive](array, version.operands[1], version.settings["index"])
        return array


def _new_version(made_by: Primitive[..., Array], x: Array, v: Array, index: Index) -> Array:
    """What `made_by` makes of x, v and index, as a version of x; an array if neither is a Tensor."""
    write = _IN_PLACE[made_by]
    if not isinstance(x, Handle) and not isinstance(v, Handle):
        return write(np.array(x), v, index)
    index = fixed(index)
    kind = x.kind if isinstance(x, Handle) else v.kind
    sources = [(position, operand.node) for position, operand in enumerate((x, v)) if isinstance(operand, Handle)]
    v = v.node.value if isinstance(v, Handle) else constant(v)
    base = x.node if isinstance(x, Handle) else None
    if isinstance(base, Version) and not base.read and base.array is not None:
        array, first = base.array, base.like
        write(array, v, index)
        base.array = None
    else:
        first = base.value if base is not None else constant(x)
        array = write(np.array(first), v, index)
    mode: Any = recording.get()
    if not mode:
        return array
    node = Version(made_by, (first, v), sources, {"index": index}, array)
    node.like = first  # that of the first version, as which all others are
    if base is not None:
        node.like, node.name = base.like, base.name
    if mode is not True:
        mode.made(node)
    return handle_on(node, kind)


def _put(x: Array, v: Array, /, index: Index) -> Array:
    return put_at(np.array(x), v, index)


put: Primitive[..., Array] = Primitive(_put, name="setitem")
put.defvjp(
    lambda g, out, x, v, index: _new_version(put, g, 0.0, index),
    lambda g, out, x, v, index: _to_shape_of(v, _surviving(g[index], x, index)),
)
put.defvjp_in_part(overwriting=lambda g, out, x, v, index: put_at(g, 0, index))


@implements(operator.setitem)
def setitem(x: Array, index: Index, v: Array) -> Array:
    """`x` with x[index] = v done: a new array, or the Tensor that the handle x is to be moved to."""
    return _new_version(put, x, v, index)


def _index_add(x: Array, v: Array, /, index: Index) -> Array:
    return add_at(np.array(x), v, index)


added: Primitive[..., Array] = Primitive(_index_add, name="index_add")
added.defvjp(
    lambda g, out, x, v, index: g,
    lambda g, out, x, v, index: _to_shape_of(v, g[index]),
)
added.defvjp_in_part(overwriting=lambda g, out, x, v, index: g)

_IN_PLACE = {put: put_at, added: add_at}


def index_add(x: Array, index: Index, v: Array) -> Array:
    """`x` with v added to x[index]; where an element is indexed twice, both are added, as by `np.add.at`.

    x: any shape; v: of a shape that broadcasts to that of x[index]. Returns a new array of the shape of x, and leaves x
    as it is.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.index_add(np.zeros(3), [0, 2, 2], np.array([1.0, 10.0, 100.0]))
    array([  1.,   0., 110.])
    """
    return _new_version(added, x, v, index)


def _surviving(g: Array, x: Array, index: Index) -> Array:
    """`g`, of what was assigned to x[index], without what another assignment to the same element came after."""
    if picks_once(index):
        return g
    order = np.arange(g.size).reshape(g.shape)
    last = np.zeros(x.shape, order.dtype)
    last[index] = order
    return np.where(last[index] == order, g, 0)


def _to_shape_of(v: Array, g: Array) -> Array:
    """`g` of what was assigned, as the cotangent of the `v` that was stretched to it."""
    shape = np.shape(v)
    if len(shape) > g.ndim:  # NumPy lets v have leading axes of length 1 that x[index] has not
        g = g.reshape((1,) * (len(shape) - g.ndim) + g.shape)
    return sum_to(g, shape)


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
    places = np.flatnonzero(to_values(mask))
    if places.size and not np.size(vals):
        raise ValueError("Cannot insert from an empty array!")
    _put_in_a_row(_assignable(arr, "place"), places, vals, np.arange(places.size))


@implements(np.putmask)
def putmask(a: Array, mask: Any, values: Array) -> None:
    """As `np.putmask`."""
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
    if not isinstance(x, Handle) and recording.get():
        raise TypeError(
            f"np.{name} would write a Tensor into an array, and lose its gradient: begin with np.zeros_like(t)"
        )
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
        raise TypeError(f"np.{ufunc.__name__}.at would write a Tensor into an array: use tg.index_add")
    changed = index_add(x, index, v)
    if isinstance(x, Handle):
        x.become(changed)
    else:
        x[...] = changed
