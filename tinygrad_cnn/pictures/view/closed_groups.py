"""Closed groups: each is drawn as one box, or as one for each half. This is the only place where closing is decided.

A closed group takes the place of the boxes in it by one rule: where several groups around a box are closed, the
outermost counts, and its box for the half that the box is in (`Box.half`) is drawn instead. What comes from outside
(`Box.stays`) is drawn as it is, unless the closed group is a part, which is closed with all that stands in it. An edge
has the groups in it that must be open or closed for it to be drawn. The page applies the same rule to these fields when
a reader opens and closes groups.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tinygrad_cnn.declarations import KINDS
from tinygrad_cnn.pictures.view.diagram import Box, Cost, Diagram, Edge, Group, Mark
from tinygrad_cnn.pictures.view.layers import layers
from tinygrad_cnn.pictures.view.values import Value

Depth = int | str
Collapse = str | Iterable[str]
WORDS = ("layers", "all", "rules")
FULL = 150  # boxes of a poster, from which on scopes are closed


def groups_to_close(diagram: Diagram, depth: Depth = "all", collapse: Collapse = ()) -> set[str]:
    """The groups that are closed, by id: those that are as deep as `depth`, and the scopes that `collapse` names.

    depth: "layers": what says that it is a layer. A number n from 1 on: the scopes that are n deep; 1 is the outermost.
    "all": no scope. With all of these, what rules computed is closed; with "rules" that is open too. collapse: names of
    scopes, or paths ("conv/conv2d"). Raises ValueError for a name that no scope has, and TypeError for anything else.
    """
    groups = diagram.groups.values()
    rules = {group.id for group in groups if group.computes}
    if depth == "rules":
        closed: set[str] = set()
    elif depth == "all":
        closed = rules
    elif depth == "layers":
        closed = layers(diagram)
        closed |= _scopes_to_close(diagram, closed)
    elif isinstance(depth, int) and not isinstance(depth, bool) and depth >= 1:
        closed = rules | {g.id for g in groups if g.depth == depth and g.kind != "loop" and g.forward is not None}
    else:
        raise ValueError(f"render: depth is {depth!r}; expected {', '.join(map(repr, WORDS))}, or a number from 1 on")
    if isinstance(collapse, int):
        raise TypeError(
            f"render: collapse is {collapse}; expected names of scopes (for a number, pass depth={collapse})"
        )
    for name in [collapse] if isinstance(collapse, str) else collapse:
        if not isinstance(name, str):
            raise TypeError(f"render: collapse contains {name!r}; expected names of scopes")
        found = {g.id for g in groups if name in (g.name, diagram.path(g))}
        if not found:
            known = sorted({diagram.path(g) for g in groups if g.kind == "scope"})
            raise ValueError(f"render: no scope is named {name!r}; this graph has {', '.join(known) or 'none'}")
        closed |= found
    return closed


def _scopes_to_close(diagram: Diagram, closed: set[str]) -> set[str]:
    """The scopes that are closed beside layers: none if that leaves `FULL` steps or fewer, or else the innermost.

    They are opened from the outside in, all that are as deep, as long as no more than `FULL` steps are drawn.
    """
    scopes = [g for g in diagram.groups.values() if g.forward and g.kind != "loop" and g.id not in closed]
    fewer: set[str] = set()
    for depth in [*sorted({g.depth for g in scopes}), math.inf]:
        within = {g.id for g in scopes if g.depth == depth}
        if _steps_drawn(diagram, closed | within) > FULL:
            return fewer or within
        fewer = within
    return set()


def _steps_drawn(diagram: Diagram, closed: set[str]) -> int:
    around = _outermost(diagram, closed)
    return len({around[b.group] or b.id for b in diagram.boxes.values() if b.kind == "primitive"})


def _outermost(diagram: Diagram, closed: set[str]) -> dict[str | None, str | None]:
    """The outermost closed group around each group, or itself."""
    found: dict[str | None, str | None] = {None: None}
    for group in diagram.groups.values():
        found[group.id] = found[group.parent] or (group.id if group.id in closed else None)
    return found


def add_group_boxes(diagram: Diagram) -> None:
    """Make the boxes that are drawn in the place of closed groups: one forward, and one for the cotangents, if any.

    They show what leaves the group, the newest of it. A scope of one step needs none, unless it is a layer: the box of
    that step names it.
    """
    inside: dict[str, list[Box]] = {id: [] for id in diagram.groups}
    for box in diagram.boxes.values():
        if not box.stays:
            for group in diagram.ancestors(box.group):
                inside[group.id].append(box)
    takers, cotangents = diagram.takers(), diagram.cotangents()
    steps_of: dict[str, list[Box]] = {}
    for group in diagram.groups.values():
        steps = [box for box in inside[group.id] if box.kind == "primitive"]
        if steps and not group.computes and (len(steps) > 1 or group.kind != "scope" or group.layer):
            steps_of[group.id] = steps
    first = {id: boxes[0].order for id, boxes in steps_of.items()}
    _number([diagram.groups[id] for id in sorted(first, key=first.__getitem__)])
    for group in diagram.groups.values():
        if group.id not in steps_of:
            continue
        steps = steps_of[group.id]
        ids = {box.id for box in steps}
        leaving = [box for box in steps if box.is_result or not takers.get(box.id, set()) <= ids]
        shown = max(leaving or steps[-1:], key=lambda box: box.order)
        group.forward = f"t{group.id}"
        diagram.group_boxes[group.forward] = _forward_box(group, steps, shown)
        back = [box for box in inside[group.id] if box.kind == "cotangent"]
        if back:
            g = diagram.boxes[cotangents[shown.id]] if shown.id in cotangents else back[0]
            group.backward = f"u{group.id}"
            diagram.group_boxes[group.backward] = _backward_box(group, back, shown, g)


def _number(groups: list[Group]) -> None:
    """Number the scopes, layers and rules that stand in one group and have the same name: conv2d 1, conv2d 2."""
    count = Counter((group.parent, group.name) for group in groups)
    known: Counter[Any] = Counter()
    for group in groups:
        key = (group.parent, group.name)
        if group.kind in ("scope", "rule") and count[key] > 1:
            known[key] += 1
            group.number = known[key]


def _forward_box(group: Group, steps: list[Box], shown: Box) -> Box:
    """The box in the place of these steps of a group, with the value of one of them."""
    assert group.forward is not None
    return dataclasses.replace(
        shown,
        id=group.forward,
        kind="scope",
        number=None,
        primitive=group.title,
        layer=group.layer if group.layer in KINDS else "",
        is_part=group.kind == "part",
        summary=f"{sum(box.count for box in steps):,} steps",
        formula="",
        bytes=sum(box.bytes * box.count for box in steps),
        group=group.parent,
        line=steps[0].line,
        count=1,
        is_result=any(box.is_result for box in steps),
        inherited=not any(_arises(box) for box in steps),
        value=_with_what_is_wrong_within(steps, shown),
        mark=_worst(steps),
        cost=group.cost,
        rule=None,
        shows=shown.id,
    )


def _backward_box(group: Group, cotangents: list[Box], shown: Box, g: Box) -> Box:
    """The box in the place of these cotangents of a group, with the value of `g`, the cotangent of `shown`."""
    assert group.backward is not None
    name = g.name
    if name is not None and not shown.name:
        name = f"{name.split('/')[0]}/∂{group.title}"
    return dataclasses.replace(
        g,
        id=group.backward,
        number=None,
        name=name,
        bytes=sum(box.bytes * box.count for box in cotangents),
        group=group.parent,
        count=1,
        of=group.forward,
        inherited=not any(_arises(box) for box in cotangents),
        value=_with_what_is_wrong_within(cotangents, g),
        mark=_worst(cotangents),
        cost=None if group.cost is None else Cost(0.0, group.cost.backward, None, 0.0),
        rule=None,
        shows=g.id,
    )


def _arises(box: Box) -> bool:
    return box.value is not None and bool(box.value.wrong) and not box.inherited


def _with_what_is_wrong_within(boxes: list[Box], shown: Box) -> Value | None:
    """The value of `shown`, with the faults that arise in the other boxes of a closed group, and in which."""
    others = [(box.title, box.value) for box in boxes if _arises(box) and box is not shown]
    within = [f"{wrong} in {title}" for title, value in others if value is not None for wrong in value.wrong]
    if shown.value is None or not within:
        return shown.value
    return dataclasses.replace(shown.value, wrong=(*shown.value.wrong, *within[:2], *["…"][: len(within) - 2]))


def _worst(boxes: list[Box]) -> Mark | None:
    return max((box.mark for box in boxes if box.mark), key=lambda mark: mark.rank, default=None)


def with_closed(diagram: Diagram, closed: set[str], *, is_poster: bool = False) -> Diagram:
    """`diagram` with these groups closed; is_poster: to be drawn as cards."""
    around_each = _outermost(diagram, closed).items()
    outermost = {id: None if around is None else diagram.groups[around] for id, around in around_each}
    boxes: dict[str, Box] = {}
    drawn_as: dict[str, str | None] = {}  # the box that is drawn for each box, if there is one
    for box in diagram.boxes.values():
        around = outermost[box.group]
        stays = around is None or (box.stays and around.kind != "part")
        id = drawn_as[box.id] = box.id if stays else getattr(around, box.half)
        if around is None:
            boxes[box.id] = box
        elif id == box.id:
            boxes[box.id] = dataclasses.replace(box, group=around.parent)
        elif id in diagram.group_boxes:
            boxes[id] = diagram.group_boxes[id]
    used = {group.id for box in boxes.values() for group in diagram.ancestors(box.group)}
    return dataclasses.replace(
        diagram,
        boxes=dict(sorted(boxes.items(), key=lambda item: item[1].order)),
        edges=_edges(diagram.edges, outermost, drawn_as),
        groups={id: group for id, group in diagram.groups.items() if id in used},
        group_boxes={},
        notes=list(diagram.notes),
        is_poster=is_poster,
    )


def _edges(
    edges: Iterable[Edge], outermost: Mapping[str | None, Group | None], drawn_as: Mapping[str, str | None]
) -> list[Edge]:
    """The edges between the boxes that are drawn; those that differ in nothing become one."""
    found: dict[tuple[str, str, str, int], Edge] = {}
    for edge in edges:
        if edge.detail is not None and outermost[edge.detail] is not None:
            continue
        if edge.short is not None and outermost[edge.short] is None:
            continue
        tail, head = drawn_as.get(edge.tail), drawn_as.get(edge.head)
        if tail is None or head is None or (tail == head and edge.tail != edge.head):
            continue
        if (tail, head) == (edge.tail, edge.head):
            key = (tail, head, edge.flow, edge.position)
        else:  # at a closed group, operands are not distinguished
            key = (tail, head, edge.flow, -1)
            edge = dataclasses.replace(edge, tail=tail, head=head)
        known = found.get(key)
        found[key] = edge if known is None else dataclasses.replace(known, count=known.count + edge.count)
    return list(found.values())
