"""Where a function is not smooth: which way it took at each of its branches, and where two ways meet.

Between two points a function is smooth if it took the same way at both: the same elements were the larger ones, the
same masks held, the same places were picked. That is what `Branches` says of a run, and it is exact: no step is short
enough for differences to tell a kink from a curve, but a mask that changed is a fact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array, Node
from tinygrad_cnn.engine.primitive import Primitive, implementations
from tinygrad_cnn.nn import activations
from tinygrad_cnn.primitives import elementwise, reductions, windows
from tinygrad_cnn.primitives.rearranging import numbered

Choices = Callable[..., list[Array]]
Meeting = Callable[..., Array]


@dataclass(frozen=True)
class Branches:
    """The discrete side of a run: for each node that has one, what was chosen.

    nodes     the nodes
    choices   for each of them, arrays of integers or booleans
    shape     for each node of the whole graph what its primitive is called, and how many choices it has: what Python
              itself branched on is seen in these
    """

    nodes: list[Node]
    choices: list[list[Array]]
    shape: tuple[tuple[str, int], ...]

    def same(self, other: Branches) -> bool:
        """Whether both runs took the same way everywhere."""
        return self.shape == other.shape and not any(True for _ in self.differing(other))

    def differing(self, other: Branches) -> Iterable[tuple[Node, int]]:
        """The nodes at which the runs took different ways, and in how many elements; the graphs have to be alike."""
        for node, mine, theirs in zip(self.nodes, self.choices, other.choices, strict=True):
            count = sum(_unlike(a, b) for a, b in zip(mine, theirs, strict=True))
            if count:
                yield node, count


def _unlike(a: Array, b: Array) -> int:
    """In how many elements two choices differ. The sign of a NaN is a NaN, and like another."""
    if a is b:
        return 0
    if a.shape != b.shape:
        return int(max(a.size, b.size))
    unlike = a != b
    if a.dtype.kind == "f":
        unlike &= (a == a) | (b == b)
    return int(np.count_nonzero(unlike))


def branches_of(nodes: Sequence[Node], known: Mapping[Node, list[Array]] | None = None) -> Branches:
    """The branches among `nodes`; known: the choices of some of them."""
    at, choices, shape = [], [], []
    for node in nodes:
        made = known.get(node) if known else None
        if made is None:
            made = _choices(node)
        # By name: one that is declared within the loss is another object in each run.
        shape.append(("" if node.primitive is None else node.primitive.__name__, len(made)))
        if made:
            at.append(node)
            choices.append(made)
    return Branches(at, choices, tuple(shape))


def _choices(node: Node) -> list[Array]:
    """What was chosen at a node."""
    if node.primitive is None:
        return []
    made, kink = _discrete(node), KINKS.get(node.primitive)
    if kink is not None:
        made += kink.choices(node.value, *node.operands, **node.settings)
    elif node.primitive is MULTIPLY and (by := mask(node)) is not None:
        made.append(by)
    return made


def _discrete(node: Node) -> list[Array]:
    """The masks and places that a node was given: the conditions of `where`, the indices of a pick."""
    found = []
    if "run" in node.settings:  # it moves elements: that of their numbers says where to
        found.append(np.asarray(node.settings["run"](*numbered(node.operands))))
    for x in (*node.operands, *node.settings.values()):
        for part in x if isinstance(x, tuple | list) else (x,):
            # An int may be a place that Python code has worked out.
            if type(part) is int or (isinstance(part, np.ndarray | np.generic) and part.dtype.kind in "biu"):
                found.append(np.asarray(part))
    return found


@dataclass(frozen=True)
class Kink:
    """What is known of a primitive that has kinks.

    choices   from its result, operands and settings: which way each element went
    meeting   the same, but where the ways meet: True for an element at which there is more than one derivative
    """

    choices: Choices
    meeting: Meeting


def meeting(node: Node) -> int:
    """How many elements of a node lie just where two ways meet: a ReLU's input of 0, windows with a tie."""
    return int(np.count_nonzero(meets(node)))


def meets(node: Node) -> Array:
    """For each element of a node, whether two ways meet there; False, if it has no branches."""
    kink = KINKS.get(node.primitive)
    if kink is not None:
        return kink.meeting(node.value, *node.operands, **node.settings)
    if node.primitive is MULTIPLY and mask(node) is not None:
        return np.broadcast_to(np.equal(node.operands[node.sources[0][0]], 0), np.shape(node.value))
    return np.False_


def mask(node: Node) -> Array | None:
    """What says of each element which way it goes, at a `where` or a product with zeros and ones; None elsewhere.

    It is a constant of the graph, whatever it was computed from.
    """
    if node.primitive is elementwise.where_of:
        return np.asarray(node.operands[0])
    if node.primitive is MULTIPLY and len(node.sources) == 1:
        other = np.asarray(node.operands[1 - node.sources[0][0]])
        if other.ndim and (other.dtype.kind == "b" or np.all((other == 0) | (other == 1))):
            return other
    return None


def _larger(out: Array, x: Array, y: Array) -> list[Array]:
    return [np.greater(x, y), np.equal(x, y)]


def _sign(out: Array, x: Array, *_: Array) -> list[Array]:
    return [np.asarray(np.sign(x))]


def _zero(out: Array, x: Array, *_: Array) -> Array:
    return np.equal(x, 0)


def _extreme(out: Array, x: Array, axis: Any = None, keepdims: bool = False, **_: Any) -> list[Array]:
    whole = out if keepdims or axis is None else np.expand_dims(out, axis)
    return [np.equal(x, whole)]


def _several(out: Array, x: Array, axis: Any = None, keepdims: bool = False, **_: Any) -> Array:
    return np.sum(_extreme(out, x, axis, keepdims)[0], axis=axis) > 1


def _winners(out: Array, x: Array, window: Any, stride: Any = None, **_: Any) -> list[Array]:
    return [np.equal(x[place], out) for _, place in windows.layout(x.shape, window, stride).offsets]


def tied(out: Array, x: Array, window: Any, stride: Any = None, **_: Any) -> Array:
    """For each window of a max-pooling, whether several elements are its maximum."""
    return np.sum(_winners(out, x, window, stride), axis=0) > 1


def _alike(out: Array, condition: Array, x: Array, y: Array) -> Array:
    """Where two ways give the same; nowhere, if they are one."""
    return np.broadcast_to(np.equal(x, y) & (x is not y), np.shape(out))


MULTIPLY = implementations[np.multiply]

# The condition of `where` is among what a node was given; its two ways meet where they give the same.
KINKS: dict[Primitive[..., Any] | Any, Kink] = {
    windows.max_pool2d: Kink(_winners, tied),
    activations.relu: Kink(lambda out, x, **_: _sign(out, x), lambda out, x, **_: _zero(out, x)),
    reductions.max: Kink(_extreme, _several),
    reductions.min: Kink(_extreme, _several),
    elementwise.where_of: Kink(lambda out, *_: [], _alike),
}
_ufunc: Any
for _ufunc in (np.maximum, np.minimum, np.fmax, np.fmin):
    KINKS[implementations[_ufunc]] = Kink(_larger, lambda out, x, y: np.broadcast_to(np.equal(x, y), out.shape))
for _ufunc in (np.abs, np.fabs, np.copysign):
    KINKS[implementations[_ufunc]] = Kink(_sign, _zero)
for _ufunc in (np.remainder, np.fmod):
    KINKS[implementations[_ufunc]] = Kink(
        lambda out, x, y: [np.floor(np.divide(x, y))], lambda out, x, y: np.equal(out, 0)
    )
KINKS[implementations[np.hypot]] = Kink(lambda out, *_: [np.equal(out, 0)], lambda out, *_: np.equal(out, 0))
