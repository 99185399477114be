"""How the values of a graph depend on each other, element by element: a sparse Jacobian for each edge."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinygrad_cnn.origins import origin_of
from tinygrad_cnn.pictures.read.cotangents import Sweep
from tinygrad_cnn.pictures.read.local_jacobians import Jacobians, Step, TooLargeError, moved
from tinygrad_cnn.pictures.read.reading import Reading, values
from tinygrad_cnn.pictures.view.diagram import Box, Diagram
from tinygrad_cnn.pictures.view.influence import Array, Jacobian, Link

MOST = 2**22  # entries of all Jacobians of a picture


def links_of(diagram: Diagram, reading: Reading) -> list[Link]:
    """How the values of the boxes of the forward half depend on each other, in the order of execution.

    Where several nodes are drawn as one box there are no links: a picture of that shows parts of them.
    """
    jacobians, left = Jacobians(), MOST
    found: list[Link] = []
    incoming: dict[str, list[Any]] = {}
    for edge in diagram.edges:
        if edge.flow == "forward":
            incoming.setdefault(edge.head, []).append(edge)
    for box in sorted(diagram.boxes.values(), key=lambda box: box.order):
        for edge in incoming.get(box.id, ()):
            try:
                jacobian = _jacobian(diagram, reading, edge.tail, box, edge.position, incoming, jacobians)
                left -= len(jacobian.elements)
                if left < 0:
                    raise TooLargeError(f"all together have more than {MOST:,} weights")
            except (TooLargeError, TypeError) as error:
                found.append(Link(edge.tail, box.id, None, f"not followed through {box.title}: {error}"))
                continue
            found.append(Link(edge.tail, box.id, jacobian))
    return found


def _jacobian(
    diagram: Diagram, reading: Reading, tail: str, head: Box, position: int, incoming: Mapping[str, Any], of: Jacobians
) -> Jacobian:
    if head.count > 1 or diagram.boxes[tail].count > 1:
        raise TypeError("several values are drawn as one; pass fold=False")
    if head.id not in reading.members:  # it was moved before anything was recorded, and something takes it
        edge = next(edge for edges in incoming.values() for edge in edges if edge.tail == head.id)
        return moved(*moving(reading.first(edge.head).operands[edge.position]))
    node = reading.first(head.id)
    if node.value is None or any(x.value is None for _, x in node.sources):
        raise TypeError("its arrays were freed")
    return of.of(Step(node.primitive, values(node), node.static_args, node.value), position)


def moving(array: Any) -> tuple[Callable[[Any], Any], Any]:
    """What moved an array from another, and that other."""
    steps = []
    while (origin := origin_of(array)) is not None:
        steps.append(origin.again)
        array = origin.source

    def move(x: Any) -> Any:
        for step in reversed(steps):
            x = step(x)
        return x

    return move, array


def sizes_of(diagram: Diagram) -> dict[str, int]:
    """How many elements the value of each box has."""
    return {box.id: math.prod(box.axes) for box in diagram.boxes.values()}


def arrays_of(diagram: Diagram, reading: Reading, back: Sweep | None) -> dict[str, Array]:
    """The elements of the values and cotangents of the boxes, flat, of those that are of one node or array."""
    found: dict[str, Any] = {}
    for id, members in reading.members.items():
        if len(members) == 1:
            found[id] = members[0].value
    for edge in diagram.edges:
        tail, head = diagram.boxes[edge.tail], diagram.boxes[edge.head]
        if edge.flow == "forward" and head.id in reading.members and tail.id not in reading.members and tail.count == 1:
            found.setdefault(tail.id, reading.first(head.id).operands[edge.position])
    for edge in diagram.edges:
        if edge.flow == "forward" and edge.head in found and edge.head not in reading.members:
            found[edge.tail] = moving(found[edge.head])[1]
    for of, g in diagram.cotangents().items():
        if back is not None and of in found and reading.first(of) in back.values:
            found[g] = back.values[reading.first(of)]
    return {id: np.reshape(x, -1) for id, x in found.items() if x is not None and np.result_type(x).kind != "c"}
