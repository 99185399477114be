"""The boxes of a gradient: beside each value its cotangent, and how rules compute it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from tinygrad_cnn.engine.graph import Node
from tinygrad_cnn.pictures.read.cotangents import Sweep
from tinygrad_cnn.pictures.read.faults import arises
from tinygrad_cnn.pictures.read.reading import Reading, dtype, primitive_of
from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.view.diagram import Box, Diagram, Edge
from tinygrad_cnn.pictures.view.values import describe, describe_all


def draw_backward(diagram: Diagram, reading: Reading, back: Sweep, values: bool, inside: bool) -> None:
    """Put the cotangents that a sweep gave into `diagram`; inside: with what its rules did, where nothing is folded."""
    mirrored = _mirror(diagram, reading, back, values)
    if inside and not reading.is_folded:
        rules = _Rules(diagram, reading, back, mirrored, values)
        for node, made in back.made.items():
            if made:
                rules.draw(node, made)


def _mirror(diagram: Diagram, reading: Reading, back: Sweep, values: bool) -> dict[str, str]:
    """A cotangent box for each box that a cotangent reached; the ids of these by the ids of those."""
    takers: dict[str, list[Edge]] = {}
    for edge in diagram.edges:
        takers.setdefault(edge.tail, []).append(edge)
    of, order = _result(reading), len(diagram.boxes)
    reached: dict[str, list[Any]] = {}  # the cotangents of each box
    for id, members in reading.members.items():
        found = [back.values[node] for node in members if node in back.values]
        if found:
            reached[id] = found
    mirrored = {id: f"g{reading.numbers[id]}" for id in reversed(reading.members) if id in reached}
    for id, g in mirrored.items():
        box = diagram.boxes[id]
        incoming = [edge for edge in takers.get(id, []) if edge.head in mirrored and _has_rule(reading, edge)]
        order += 1
        diagram.boxes[g] = Box(
            g,
            "cotangent",
            f"∂{of}/∂{box.title}",
            _by(diagram, incoming, box.is_result),
            box.shape,
            box.dtype,
            box.bytes,
            order,
            axes=box.axes,
            number=box.number,
            group=box.group,
            stays=box.stays,
            count=box.count,
            of=id,
            line=box.line,
            value=describe_all(reached[id], flows=True) if values else None,
        )
        for edge in incoming:
            flow: Any = "earlier" if edge.flow == "again" else "backward"
            diagram.edges.append(Edge(mirrored[edge.head], g, flow, box.shape, edge.position, edge.count))
        diagram.edges.append(Edge(id, g, "tie"))
    return mirrored


def _node_of(diagram: Diagram, reading: Reading, cotangent: str) -> Node:
    """The first node of the box whose cotangent this is."""
    of = diagram.boxes[cotangent].of
    assert of is not None
    return reading.first(of)


def _result(reading: Reading) -> str:
    """What the cotangents are derivatives of: L, if it is a loss or has no name."""
    name = reading.names.get(reading.roots[0]) if len(reading.roots) == 1 else None
    return "L" if name is None or name == "loss" else labels.clean(name)


def _by(diagram: Diagram, incoming: Sequence[Edge], is_result: bool) -> str:
    """What computes a cotangent, in words."""
    if len(incoming) + is_result > 1:
        return f"sum of {len(incoming) + is_result}"
    return f"vjp of {diagram.boxes[incoming[0].head].primitive}" if incoming else "seed"


def _has_rule(reading: Reading, edge: Edge) -> bool:
    return reading.first(edge.head).primitive.rules[edge.position] is not None


class _Rules:
    """Draws what was recorded for each cotangent, in a group of its own, which is closed by default.

    givers    the cotangent boxes that a recorded node is, in order
    incoming  the edges to each cotangent
    """

    def __init__(
        self, diagram: Diagram, reading: Reading, back: Sweep, mirrored: Mapping[str, str], values: bool
    ) -> None:
        self.diagram, self.reading, self.back, self.mirrored, self.values = diagram, reading, back, mirrored, values
        self.numbers = itertools.count(1)
        self.givers: dict[Node, dict[str, None]] = {}
        for node, whole in back.whole.items():
            self.givers.setdefault(whole, {})[mirrored[reading.ids[node]]] = None
        self.incoming: dict[str, list[Edge]] = {}
        for edge in diagram.edges:
            if edge.flow == "backward":
                self.incoming.setdefault(edge.head, []).append(edge)

    def draw(self, node: Node, made: Sequence[Node]) -> None:
        """Draw what was `made` for the cotangent of `node`, the last of which is that cotangent."""
        g = self.diagram.boxes[self.mirrored[self.reading.ids[node]]]
        incoming = self.incoming.get(g.id, [])
        group = _rule_group(self.diagram, g, incoming) if len(made) > 1 else None
        here = {made[-1]: g.id}
        for x in made[:-1]:
            here[x] = f"r{next(self.numbers)}"
            self.diagram.boxes[here[x]] = _rule_box(here[x], x, g, self.values)
        given: dict[Node | None, dict[str, None]] = {}  # of each recorded node, the boxes that it comes in from
        for edge in incoming:
            whole = self.back.whole.get(_node_of(self.diagram, self.reading, edge.tail))
            given.setdefault(whole, {})[edge.tail] = None
        for x in made:
            for position, source in x.sources:
                shape = labels.shape(source.like.shape)
                if source in self.reading.ids:
                    tail = self.reading.ids[source]
                    self.diagram.edges.append(Edge(tail, here[x], "use", shape, position, detail=group))
                elif group is not None:
                    giver = here.get(source) or self._giver(source, given.get(source, {}), x)
                    if giver is not None:
                        self.diagram.edges.append(Edge(giver, here[x], "backward", shape, position, detail=group))

    def _giver(self, source: Node, given: dict[str, None], taker: Node) -> str | None:
        """The cotangent that `source` is; of several that are one and the same node, the one that `taker` was given.

        A step of a rule was given that of the step whose rule it is; one that adds what came in, the next of those,
        from the newest to the oldest, as the sweep does.
        """
        if source not in self.givers:
            return None
        of = None if taker.scope is None else taker.scope.rule_of
        if of in self.reading.ids:
            tail = self.mirrored.get(self.reading.ids[of])
            if tail in self.givers[source]:
                if len(given) > 1:
                    given.pop(tail, None)
                return tail
        if given:
            tail = next(reversed(given))
            if len(given) > 1:
                del given[tail]
            return tail
        return next(iter(self.givers[source]))


def _rule_group(diagram: Diagram, g: Box, incoming: Sequence[Edge]) -> str:
    """The group of what was recorded for the cotangent `g`; while it is closed, edges to `g` are drawn in its place."""
    group = diagram.add_group("rule", g.primitive, g.group)
    group.backward, group.computes = g.id, True
    g.group = group.id
    for edge in incoming:
        edge.short = group.id
    return group.id


def _rule_box(id: str, x: Node, g: Box, values: bool) -> Box:
    """The box of a step that was recorded on the way to the cotangent `g`."""
    return Box(
        id,
        "rule",
        None,
        primitive_of(x),
        labels.shape(x.like.shape),
        dtype(x.like.dtype),
        x.like.nbytes,
        g.order,
        axes=x.like.shape,
        group=g.group,
        line=g.line,
        inherited=values and not arises(x),
        value=describe(x.value, flows=True) if values else None,
    )
