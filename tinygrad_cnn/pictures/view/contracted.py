"""A diagram of a few boxes alone, with edges for the ways between them."""

from __future__ import annotations

import dataclasses

from tinygrad_cnn.pictures.view.diagram import Diagram, Edge, Flow

_HALVES: tuple[tuple[Flow, Flow], ...] = (("forward", "again"), ("backward", "earlier"))  # within an iteration, and not


def contracted(diagram: Diagram, kept: set[str]) -> Diagram:
    """`diagram` with these boxes alone, and an edge from one to another where there is a way through the others."""
    edges = [e for e in diagram.edges if e.flow == "tie" and {e.tail, e.head} <= kept]
    for within, across in _HALVES:
        leaving: dict[str, list[Edge]] = {}
        for e in diagram.edges:
            if e.flow in (within, across) and e.detail is None:
                leaving.setdefault(e.tail, []).append(e)
        for id in diagram.boxes:
            if id in kept:
                edges += [
                    Edge(id, head, across if is_across else within)
                    for head, is_across in _ways(id, leaving, across, kept)
                ]
    used = {group.id for id in kept for group in diagram.ancestors(diagram.boxes[id].group)}
    hidden = len(diagram.boxes) - len(kept)
    return dataclasses.replace(
        diagram,
        boxes={id: box for id, box in diagram.boxes.items() if id in kept},
        edges=edges,
        groups={id: group for id, group in diagram.groups.items() if id in used},
        notes=[*diagram.notes, *[f"{hidden} boxes between these are not drawn"] * bool(hidden)],
    )


def _ways(id: str, leaving: dict[str, list[Edge]], across: Flow, kept: set[str]) -> dict[tuple[str, bool], None]:
    """Which kept boxes are reached from a box through others alone, and whether in another iteration of a loop."""
    found: dict[tuple[str, bool], None] = {}
    seen, waiting = set[tuple[str, bool]](), [(id, False)]
    while waiting:
        at, is_across = waiting.pop()
        for e in leaving.get(at, ()):
            reached = e.head, is_across or e.flow == across
            if reached[0] in kept:
                found[reached] = None
            elif reached not in seen:
                seen.add(reached)
                waiting.append(reached)
    return found
