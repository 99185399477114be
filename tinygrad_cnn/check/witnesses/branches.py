"""Where a function is not smooth: which branches it took, and where two branches meet.

Between two points a function is smooth if it took the same branches at both: the same elements were the larger ones,
the same masks held, the same places were picked. `Branches` records that of a run, and it is exact: no step is short
enough for differences to distinguish a kink from a curve, but a mask that changed is a fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array, Node
from tinygrad_cnn.stand_in import StandIn


@dataclass(frozen=True)
class Branches:
    """The discrete side of a run: for each node that has one, what was chosen.

    nodes     the nodes, or numbers that stand for them
    choices   for each of them, arrays of integers or booleans
    shape     for each node of the whole graph what its primitive is called, and how many choices it has: what Python
              itself branched on is seen in these
    """

    nodes: Sequence[Any]
    choices: list[list[Array]]
    shape: tuple[tuple[str, int], ...]

    def same(self, other: Branches) -> bool:
        """Whether both runs took the same branches everywhere."""
        return self.shape == other.shape and not any(True for _ in self.differing(other))

    def differing(self, other: Branches) -> Iterable[tuple[Any, int]]:
        """The nodes at which the runs took different branches, and in how many elements; of graphs that are alike."""
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
    made, kink = _discrete(node), node.primitive.kink
    if kink is not None:
        made += kink.choices(node.value, *node.operands, **node.static_args)
    elif (by := mask(node)) is not None:
        made.append(by)
    return made


def _discrete(node: Node) -> list[Array]:
    """The masks and places that a node was given: the conditions of `where`, the indices of a pick."""
    found = []
    for x in (*node.operands, *node.static_args.values()):
        if type(x) in _REAL or (type(x) is np.ndarray and x.dtype.kind == "f"):
            continue  # most are
        for part in x if isinstance(x, tuple | list) else (x,):
            # An int may be a place that Python code has worked out.
            if type(part) is int or (isinstance(part, np.ndarray | np.generic) and part.dtype.kind in "biu"):
                found.append(_as_array(part))
    return found


_REAL = (float, np.float64)


def _as_array(x: Array | int) -> Array:
    """`x` as an array; while a loss is traced, what stands for one is one."""
    return x if isinstance(x, StandIn) else np.asarray(x)


def meeting(node: Node) -> int:
    """How many elements of a node are exactly where two branches meet: a ReLU's input of 0, windows with a tie."""
    return int(np.count_nonzero(meets(node)))


def meets(node: Node) -> Array:
    """For each element of a node, whether two branches meet there; False, if it has no branches."""
    if node.primitive is None:
        return np.False_
    kink = node.primitive.kink
    if kink is not None:
        return kink.meeting(node.value, *node.operands, **node.static_args)
    if mask(node) is not None:
        return np.broadcast_to(np.equal(node.operands[node.sources[0][0]], 0), np.shape(node.value))
    return np.False_


def mask(node: Node) -> Array | None:
    """What decides which branch each element takes, at a `where` or a product with zeros and ones; None elsewhere.

    It is a constant of the graph, whatever it was computed from.
    """
    primitive = node.primitive
    if primitive is None:
        return None
    if primitive.kink is not None and primitive.kink.mask is not None:
        return _as_array(node.operands[primitive.kink.mask])
    if primitive.elementwise and primitive.bilinear and len(node.sources) == 1:
        other = _as_array(node.operands[1 - node.sources[0][0]])
        if other.ndim and (other.dtype.kind == "b" or _zeros_and_ones(other)):
            return other
    return None


def _zeros_and_ones(x: Array) -> bool:
    """Whether all elements are 0 or 1; of what stands for an array while a loss is traced, those that it has then."""
    shown = x.example if isinstance(x, StandIn) else x
    return bool(np.all((shown == 0) | (shown == 1)))
