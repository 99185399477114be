"""Versions: what assignment to a part of an array makes.

A node never changes, so `t[i] = v` makes a new node, a version of the array, and moves the handle `t` to it. A loop
that fills an array of n elements makes n versions; that it does not copy the array n times is what `Version` is for.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tinygrad_cnn.engine.fitting import sum_to
from tinygrad_cnn.engine.graph import Array, Handle, Node, handle_on, recording
from tinygrad_cnn.engine.primitive import Primitive, constant, fixed, implements, operand
from tinygrad_cnn.stand_in import StandIn

Index = Any
_BASIC = frozenset([int, slice, type(None), type(Ellipsis)])


def add_at(array: Array, x: Array, index: Index) -> Array:
    """Add `x` to the elements of `array` at `index`, in place; where an element is indexed twice, both are added."""
    if picks_once(index) and not (isinstance(array, StandIn) and is_traced(index)):
        array[index] += x
    else:
        np.add.at(array, index, x)
    return array


def _copy(x: Array, v: Array) -> Array:
    return np.copy(v.lift(x) if isinstance(v, StandIn) else x)


def put_at(array: Array, x: Array, index: Index) -> Array:
    """Assign `x` to the elements of `array` at `index`, in place."""
    array[index] = x
    return array


def picks_once(index: Index) -> bool:
    """Whether `index` picks no element twice, and is known to: NumPy's basic indexing, or one boolean mask."""
    return is_basic(index) or (isinstance(index, np.ndarray) and index.dtype == bool)


def is_traced(index: Index) -> bool:
    """Whether a part of `index` is traced: then which elements it picks is not known."""
    return any(isinstance(part, StandIn) for part in (index if isinstance(index, tuple) else (index,)))


def is_basic(index: Index) -> bool:
    """Whether `index` is NumPy's basic indexing, which gives a view: integers, slices, None and Ellipsis."""
    if type(index) in _BASIC:
        return True
    parts = index if isinstance(index, tuple) else (index,)
    return _BASIC.issuperset(map(type, parts)) or all(
        isinstance(part, int | np.integer | slice | type(None) | type(Ellipsis)) and not isinstance(part, bool)
        for part in parts
    )


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
            _IN_PLACE[version.primitive](array, version.operands[1], version.static_args["index"])
        return array


class ConstantVersion(Version):
    """A version of a `Constant`, by an assignment of what is constant too."""

    __slots__ = ("lent",)
    constant = True


def new_version(made_by: Primitive[..., Array], x: Array, v: Array, index: Index) -> Array:
    """What `made_by` makes of x, v and index, as a version of x; an array if neither is a Tensor."""
    write = _IN_PLACE[made_by]
    v = operand(v)  # a list of Tensors is one
    if not isinstance(x, Handle) and not isinstance(v, Handle):
        return write(_copy(x, v), v, index)
    index = fixed(index)
    sources = [(position, operand.node) for position, operand in enumerate((x, v)) if isinstance(operand, Handle)]
    v = v.node.value if isinstance(v, Handle) else constant(v)
    base = x.node if isinstance(x, Handle) else None
    if isinstance(base, Version) and not base.read and base.array is not None:
        array, first = base.array, base.like
        write(array, v, index)
        base.array = None
    else:
        first = base.value if base is not None else constant(x)
        array = write(_copy(first, v), v, index)
    mode: Any = recording.get()
    if not mode:
        return array
    kind = ConstantVersion if all(node.constant for _, node in sources) else Version
    node = kind(made_by, (first, v), sources, {"index": index}, array)
    node.like = first  # that of the first version, as which all others are
    if base is not None:
        node.like, node.name = base.like, base.name
    if mode is not True:
        mode.made(node)
    return handle_on(node)


def _put(x: Array, v: Array, /, index: Index) -> Array:
    return put_at(_copy(x, v), v, index)


put: Primitive[..., Array] = Primitive(_put, "setitem", moves=True, complex=True, pure=True)
put.defvjp(
    lambda g, out, x, v, index: new_version(put, g, 0.0, index),
    lambda g, out, x, v, index: _to_shape_of(v, _surviving(g[index], x, index)),
)
put.defvjp_in_part(overwriting=lambda g, out, x, v, index: put_at(g, 0, index))


@implements(operator.setitem)
def setitem(x: Array, index: Index, v: Array) -> Array:
    """`x` with x[index] = v done: a new array, or the Tensor that the handle x is to be moved to."""
    return new_version(put, x, v, index)


def _index_add(x: Array, v: Array, /, index: Index) -> Array:
    return add_at(_copy(x, v), v, index)


added: Primitive[..., Array] = Primitive(_index_add, "index_add", complex=True, pure=True)
added.defvjp(
    lambda g, out, x, v, index: g,
    lambda g, out, x, v, index: _to_shape_of(v, g[index]),
)
added.defflops(lambda out, x, v, index: np.size(v))
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
    return new_version(added, x, v, index)


def _surviving(g: Array, x: Array, index: Index) -> Array:
    """`g`, of what was assigned to x[index], without what another assignment to the same element came after."""
    if picks_once(index):
        return g
    order = np.arange(g.size).reshape(g.shape)
    last = np.zeros_like(x, order.dtype)
    last[index] = order
    return np.where(last[index] == order, g, 0)


def _to_shape_of(v: Array, g: Array) -> Array:
    """`g` of what was assigned, as the cotangent of the `v` that was stretched to it."""
    shape = np.shape(v)
    if len(shape) > g.ndim:  # NumPy lets v have leading axes of length 1 that x[index] has not
        g = g.reshape((1,) * (len(shape) - g.ndim) + g.shape)
    return sum_to(g, shape)
