"""The layers of a network: what a poster draws as one box.

A layer is a group that says so (`Group.layer`), such as what `conv2d` computed. Two things that are written outside of
it belong to it: the bias that is added to its result, and, of a loss for each example, the mean or the sum.
"""

from __future__ import annotations

from tinygrad_cnn.pictures.view.diagram import Diagram

LINEAR = ("convolution", "linear")  # layers with a bias
REDUCTIONS = ("mean", "sum")


def join(diagram: Diagram) -> None:
    """Put biases and the reductions of losses into the groups of their layers; a loss that has none gets one."""
    sources = diagram.sources()
    takers = diagram.takers()
    for box in list(diagram.boxes.values()):
        if box.kind != "primitive" or box.count > 1:
            continue
        flowing = [diagram.boxes[id] for id in sources.get(box.id, ()) if not diagram.boxes[id].stays]
        if len(flowing) != 1 or takers[flowing[0].id] != {box.id}:
            continue
        (x,) = flowing
        around = _layer(diagram, x.group, box.group)
        if box.primitive == "add" and around is not None and diagram.groups[around].layer in LINEAR:
            others = [diagram.boxes[id] for id in sources[box.id] if diagram.boxes[id].stays]
            if len(others) == 1 and others[0].kind == "parameter":
                diagram.put({box.id: around})
        elif box.primitive in REDUCTIONS:
            if around is not None and diagram.groups[around].layer == "loss":
                diagram.put({box.id: around})
            elif x.layer == "loss" and x.group == box.group:
                group = diagram.add_group("scope", "loss", box.group)
                group.layer = "loss"
                diagram.put({x.id: group.id, box.id: group.id})
    diagram.sort_groups()  # those that were made last may be around others


def layers(diagram: Diagram) -> set[str]:
    """The groups that are layers, parts, and those of rules of a derivative, which are one step of what is drawn."""
    kinds = ("rule", "part")
    return {g.id for g in diagram.groups.values() if g.computes or (g.forward and (g.kind in kinds or g.layer))}


def _layer(diagram: Diagram, inner: str | None, outer: str | None) -> str | None:
    """The outermost layer that is around `inner` and stands in `outer`."""
    found = None
    for group in diagram.ancestors(inner):
        if group.id == outer:
            return found
        if group.layer:
            found = group.id if group.parent == outer else found
    return found if outer is None else None
