"""The poster: one card for each layer, with all that belongs to it: its value, its parameters, and their gradients."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from tinygrad_cnn.pictures.view.diagram import Box, Diagram, Edge


@dataclass
class Card:
    """A box of a poster.

    box, cotangent  a value and its cotangent, if that is drawn
    before, after   what the step takes of the iteration of a loop before, and the cotangents of that after
    within          the parameters and constants that this step alone takes, each with its gradient, if it has one
    """

    box: Box
    cotangent: Box | None = None
    within: list[tuple[Box, Box | None]] = field(default_factory=list)
    before: list[Box] = field(default_factory=list)
    after: list[Box] = field(default_factory=list)

    @property
    def layer(self) -> str:
        """What all of its parameters are of: "encoder" of "encoder.weight" and "encoder.bias", or ""."""
        owners = {leaf.title.rpartition(".")[0] for leaf, _ in self.within if leaf.kind == "parameter"}
        return owners.pop() if len(owners) == 1 else ""


@dataclass
class Poster:
    """Cards, by the id of their box, in the order of execution, and the edges between them, forward and backward.

    What comes from another iteration of a loop is named in the card, and has no edge.
    """

    cards: dict[str, Card]
    edges: list[Edge]


def poster_of(diagram: Diagram) -> Poster:
    """The poster of a diagram, whose layers are closed."""
    cotangents = {of: diagram.boxes[id] for of, id in diagram.cotangents().items()}
    hosts = hosts_of(diagram)
    cards = {
        box.id: Card(box, cotangents.get(box.id))
        for box in sorted(diagram.boxes.values(), key=lambda box: (box.order, not box.stays))
        if box.half == "forward" and box.id not in hosts
    }
    for id, host in hosts.items():
        if diagram.boxes[host].kind == "scope" and diagram.boxes[id].kind == "constant" and not diagram.boxes[id].name:
            continue  # what a layer computes with within, such as the greatest element of a softmax
        cards[host].within.append((diagram.boxes[id], cotangents.get(id)))
    values = {card.cotangent.id: card for card in cards.values() if card.cotangent is not None}
    for e in diagram.edges:
        if e.flow == "again" and e.head in cards:
            cards[e.head].before.append(diagram.boxes[e.tail])
        elif e.flow == "earlier" and e.head in values:
            values[e.head].after.append(diagram.boxes[e.tail])
    ends = {"forward": set(cards), "backward": set(values)}
    edges = [e for e in diagram.edges if {e.tail, e.head} <= ends.get(e.flow, set())]
    return Poster(cards, edges)


def _data_first(box: Box, own: list[Box]) -> int:
    """The place of what a step takes, among all that it alone takes, in the order of how like data it is.

    Constants are, and parameters are less; least of all what was made of another on the way, such as a mask, or the
    greatest elements of a softmax.
    """
    if box.kind != "constant":
        return 2
    if box.name:
        return 0
    reduced = any(
        box.axes != other.axes
        and len(box.axes) == len(other.axes)
        and all(a in (1, b) for a, b in zip(box.axes, other.axes, strict=True))
        for other in own
    )
    return 3 if reduced or box.dtype == "bool" else 1


def hosts_of(diagram: Diagram) -> dict[str, str]:
    """The leaves and constants that are shown within a card, with the step that is its box.

    Those that one step alone takes, where something else comes into it: what nothing comes before is an input.
    """
    takers = diagram.takers()
    found: dict[str, str] = {}
    for host, sources in diagram.sources().items():
        boxes = [diagram.boxes[id] for id in sources]
        own = [box for box in boxes if box.stays and box.kind != "input" and takers[box.id] == {host}]
        if len(own) == len(boxes):  # nothing else comes in: data rather than a parameter is what it begins with
            own.remove(min(own, key=functools.partial(_data_first, own=own)))
        found.update(dict.fromkeys((box.id for box in own), host))
    return found
