"""The poster: one card for each layer, with all that belongs to it: its value, its parameters, and their gradients."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinygrad_cnn.pictures.view.diagram import Box, Diagram, Edge


@dataclass
class Card:
    """A box of a poster.

    box, cotangent  a value and its cotangent, if that is drawn
    within          the parameters and constants that this step alone takes, each with its gradient, if it has one
    """

    box: Box
    cotangent: Box | None = None
    within: list[tuple[Box, Box | None]] = field(default_factory=list)

    @property
    def layer(self) -> str:
        """What all of its parameters are of: "layers[5]" of "layers[5].weight" and "layers[5].bias", or ""."""
        owners = {leaf.title.rpartition(".")[0] for leaf, _ in self.within if leaf.kind == "parameter"}
        return owners.pop() if len(owners) == 1 else ""


@dataclass
class Poster:
    """Cards, by the id of their box, in the order of execution, and the edges between them, forward and backward."""

    cards: dict[str, Card]
    edges: list[Edge]


def poster_of(diagram: Diagram) -> Poster:
    """The poster of a diagram, whose layers are closed."""
    cotangents = {of: diagram.boxes[id] for of, id in diagram.cotangents().items()}
    hosts = _hosts(diagram)
    cards = {
        box.id: Card(box, cotangents.get(box.id))
        for box in sorted(diagram.boxes.values(), key=lambda box: (box.order, not box.stays))
        if box.half == "forward" and box.id not in hosts
    }
    for id, host in hosts.items():
        if diagram.boxes[host].kind == "scope" and diagram.boxes[id].kind == "constant" and not diagram.boxes[id].name:
            continue  # what a layer computes with within, such as the greatest element of a softmax
        cards[host].within.append((diagram.boxes[id], cotangents.get(id)))
    values = {card.cotangent.id for card in cards.values() if card.cotangent is not None}
    ends = {"forward": set(cards), "again": set(cards), "backward": values, "earlier": values}
    edges = [e for e in diagram.edges if {e.tail, e.head} <= ends.get(e.flow, set())]
    return Poster(cards, edges)


def _hosts(diagram: Diagram) -> dict[str, str]:
    """The leaves and constants that are shown within a card, with the step that is its box.

    Those that one step alone takes, where something else comes into it: what nothing comes before is an input.
    """
    takers = diagram.takers()
    coming: dict[str, dict[str, None]] = {}
    for edge in diagram.edges:
        if edge.flow in ("forward", "again"):
            coming.setdefault(edge.head, {})[edge.tail] = None
    found: dict[str, str] = {}
    for host, sources in coming.items():
        boxes = [diagram.boxes[id] for id in sources]
        own = [box for box in boxes if box.stays and box.kind != "input" and takers[box.id] == {host}]
        if len(own) == len(boxes):  # nothing else comes in: data rather than a parameter is what it begins with
            first = next((box for box in own if box.kind == "constant"), own[0])
            own.remove(first)
        found.update(dict.fromkeys((box.id for box in own), host))
    return found
