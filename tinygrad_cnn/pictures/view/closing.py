"""Groups that are closed: each drawn as one box, or one for each direction."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from tinygrad_cnn.pictures.view.view import Box, Edge, Group, Shown, View

Collapse = int | str | Iterable[str] | None


def shut(view: View, collapse: Collapse) -> set[str]:
    """The groups that `collapse` closes, by id.

    None: what rules computed. 0: nothing. A number n from 1 on: scopes that are n deep (1 is the outermost), and what
    rules computed. Names: the scopes of these names, or of these paths ("conv/conv2d"), and what rules computed.
    Raises ValueError for a name that no scope has, and TypeError for what is neither.
    """
    rules = set(view.shut)
    if collapse is None:
        return rules
    if isinstance(collapse, bool) or (isinstance(collapse, int) and collapse < 0):
        raise ValueError(f"collapse: {collapse!r} is no depth, which is a number from 0 on; 1 closes every scope")
    if isinstance(collapse, int):
        if collapse == 0:
            return set()
        return rules | {
            g.id for g in view.groups.values() if g.depth == collapse and g.kind != "loop" and g.forward in view.closed
        }
    names = [collapse] if isinstance(collapse, str) else list(collapse)
    chosen = set(rules)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"collapse: {name!r} is neither a depth nor the name of a scope")
        found = {g.id for g in view.groups.values() if name in (g.name, path(view, g))}
        if not found:
            known = sorted({path(view, g) for g in view.groups.values() if g.kind == "scope"})
            raise ValueError(f"collapse: no scope is called {name!r}; there are {', '.join(known) or 'none'}")
        chosen |= found
    return chosen


def path(view: View, group: Group) -> str:
    """The names of scopes from the outermost to this one: "conv/conv2d"."""
    return "/".join(g.name for g in reversed(list(view.ancestors(group.id))) if g.kind != "loop")


def draw_closed(view: View) -> None:
    """Make the boxes that stand for groups when they are closed: one forward, and one for its cotangents if it has any.

    They show what leaves the group, the newest of it. A scope of one step needs none, for that step says as much.
    """
    inside: dict[str, list[Box]] = {id: [] for id in view.groups}
    for box in view.boxes.values():
        if not box.stays:
            for group in view.ancestors(box.group):
                inside[group.id].append(box)
    takers: dict[str, set[str]] = {}
    for edge in view.edges:
        if edge.flow in ("forward", "again"):
            takers.setdefault(edge.tail, set()).add(edge.head)
    for group in view.groups.values():
        forward = [box for box in inside[group.id] if box.kind == "primitive"]
        back = [box for box in inside[group.id] if box.kind == "cotangent"]
        if group.backward is not None or not forward or (len(forward) < 2 and group.kind != "loop"):
            continue
        ids = {box.id for box in forward}
        leaving = [box for box in forward if box.is_result or not takers.get(box.id, set()) <= ids] or forward[-1:]
        shown = max(leaving, key=lambda box: box.order)
        group.forward = f"t{group.id}"
        view.closed[group.forward] = dataclasses.replace(
            shown,
            id=group.forward,
            kind="scope",
            primitive=group.name,
            says=f"{sum(box.count for box in forward):,} steps",
            formula="",
            bytes=sum(box.bytes * box.count for box in forward),
            group=group.parent,
            line=forward[0].line,
            count=1,
            is_result=any(box.is_result for box in forward),
            mark=_worst(forward),
            cost=group.cost,
            rule=None,
        )
        if back:
            g = view.boxes.get(f"g{shown.id[1:]}", back[0])
            group.backward = f"u{group.id}"
            view.closed[group.backward] = dataclasses.replace(
                g,
                id=group.backward,
                name=g.name if shown.name or g.name is None else f"{g.name.split('/')[0]}/∂{group.name}",
                bytes=sum(box.bytes * box.count for box in back),
                group=group.parent,
                count=1,
                of=group.forward,
                mark=_worst(back),
                cost=None,
                rule=None,
            )


def _worst(boxes: list[Box]) -> Shown | None:
    return max((box.mark for box in boxes if box.mark), key=lambda mark: (mark.flag, mark.severity), default=None)


def collapsed(view: View, closed: set[str]) -> View:
    """`view` with these groups closed."""
    drawn = dataclasses.replace(view, boxes={}, edges=[], groups={}, closed={}, notes=list(view.notes))
    outermost: dict[str | None, str | None] = {None: None}  # of each group, the outermost closed one around it, or it
    for group in view.groups.values():
        chain = [g.id for g in view.ancestors(group.id) if g.id in closed]
        outermost[group.id] = chain[-1] if chain else None
    stands: dict[str, str | None] = {}  # what is drawn for each box
    for box in view.boxes.values():
        within = outermost[box.group]
        if within is None:
            drawn.boxes[box.id] = box
            stands[box.id] = box.id
            continue
        group = view.groups[within]
        if box.stays or box.id == group.backward:
            drawn.boxes[box.id] = dataclasses.replace(box, group=group.parent)
            stands[box.id] = box.id
            continue
        half = group.backward if box.kind == "cotangent" or box.id.startswith("r") else group.forward
        stands[box.id] = half
        if half is not None and half in view.closed:
            drawn.boxes[half] = view.closed[half]
    drawn.boxes = dict(sorted(drawn.boxes.items(), key=lambda item: item[1].order))
    seen: dict[tuple[str, str, str, int], Edge] = {}
    for edge in view.edges:
        if edge.detail is not None and outermost[edge.detail] is not None:
            continue
        if edge.short is not None and outermost[edge.short] is None:
            continue
        tail, head = stands.get(edge.tail), stands.get(edge.head)
        if tail is None or head is None or (tail == head and edge.tail != edge.head):
            continue
        whole = tail == edge.tail and head == edge.head
        key = (tail, head, edge.flow, edge.position if whole else -1)
        if key in seen:
            known = seen[key]
            seen[key] = dataclasses.replace(known, count=known.count + edge.count)
        else:
            seen[key] = edge if whole else dataclasses.replace(edge, tail=tail, head=head)
    drawn.edges = list(seen.values())
    used = {group.id for box in drawn.boxes.values() for group in view.ancestors(box.group)}
    drawn.groups = {id: group for id, group in view.groups.items() if id in used}
    return drawn
