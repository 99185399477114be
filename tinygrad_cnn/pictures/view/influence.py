"""Which elements of other values an element was computed from, and which it influenced: cones in a graph.

They are composed of the Jacobians of single steps. A cone has the elements that a path of entries leads to, whatever
their weights; the weight of an element is the derivative, the sum over all paths of the products along them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Jacobian(NamedTuple):
    """The Jacobian of a result by an operand, row by row; a row is for an element of the result, in C order.

    starts    where the entries of each row begin, and where those of the last end
    elements  of each entry, the element of the operand, in C order
    weights   of each entry, the derivative
    """

    starts: Array
    elements: Array
    weights: Array

    @property
    def rows(self) -> Array:
        """Of each entry, the element of the result."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


class Link(NamedTuple):
    """How the value of the box `head` depends on that of `tail`, which it was computed from.

    why  what a reader is told where there is no Jacobian, so that cones end here
    """

    tail: str
    head: str
    jacobian: Jacobian | None
    why: str = ""


class Reach(NamedTuple):
    """Elements of a value, flat, in C order: which are in a cone, and the derivative by or of each of them."""

    elements: Array
    weights: Array


class Cone(NamedTuple):
    """An element, with what it was computed from and what it influenced, by the ids of boxes.

    itself  the element, of the value of `box`, with the weight 1
    cut     what is told where the cone ends for want of a Jacobian
    """

    box: str
    element: int
    itself: Reach
    before: dict[str, Reach]
    after: dict[str, Reach]
    cut: list[str]

    def of(self, id: str) -> Reach | None:
        """What of the value of a box is in the cone."""
        return self.itself if id == self.box else self.before.get(id) or self.after.get(id)


def cone_of(links: Sequence[Link], sizes: Mapping[str, int], box: str, element: int) -> Cone:
    """The cone of an element of the value of `box`.

    links: in the order of execution of their heads. sizes: how many elements the value of each box has.
    """
    cut: dict[str, None] = {}
    itself = _nothing(sizes[box])
    itself.elements[element], itself.weights[element] = True, 1.0
    before = _followed(reversed(links), sizes, {box: itself}, cut, forward=False)
    after = _followed(links, sizes, {box: itself}, cut, forward=True)
    del before[box], after[box]
    return Cone(box, element, itself, before, after, list(cut))


def _nothing(size: int) -> Reach:
    return Reach(np.zeros(size, bool), np.zeros(size))


def _followed(
    links: Iterable[Link], sizes: Mapping[str, int], found: dict[str, Reach], cut: dict[str, None], *, forward: bool
) -> dict[str, Reach]:
    """`found`, with what links lead to from there, forward or backward."""
    for tail, head, jacobian, why in links:
        near, far = (tail, head) if forward else (head, tail)
        if near not in found:
            continue
        if jacobian is None:
            cut[why] = None
            continue
        rows, elements = jacobian.rows, jacobian.elements
        of, to = (elements, rows) if forward else (rows, elements)
        taken = np.flatnonzero(found[near].elements[of])
        if not taken.size:
            continue
        reach = found.setdefault(far, _nothing(sizes[far]))
        reach.elements[to[taken]] = True
        with np.errstate(all="ignore"):
            np.add.at(reach.weights, to[taken], jacobian.weights[taken] * found[near].weights[of[taken]])
    return found
