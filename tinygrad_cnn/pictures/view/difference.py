"""Two graphs in one picture: what is in one of them alone is coloured, and values stand side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from difflib import SequenceMatcher
from typing import Any

from tinygrad_cnn.pictures.view import thumbnails
from tinygrad_cnn.pictures.view.diagram import Box, Diagram, Edge, Group

MOST = 5_000  # boxes of each: what is alike is looked for as in two texts, which takes time


def compare(now: Diagram, before: Diagram) -> Diagram:
    """`now`, with what it has in common with `before` and what not.

    A step of the one is that of the other if it has the same name, primitive, scope and shape, and stands at the same
    place among the steps that are alike, as lines of two versions of a text do. Raises ValueError for graphs of more
    than `MOST` boxes.
    """
    if max(len(now.boxes), len(before.boxes)) > MOST:
        raise ValueError(
            f"a difference is made of graphs of up to {MOST:,} boxes; these have {len(now.boxes):,} "
            f"and {len(before.boxes):,}"
        )
    same = _matched(now, before)
    to_now = {old: new for new, old in same.items()}
    drawn = dataclasses.replace(
        now, boxes={}, edges=[], groups=dict(now.groups), group_boxes=dict(now.group_boxes), notes=list(now.notes)
    )
    groups = {(now.path(g), g.kind): g.id for g in now.groups.values()}
    for box in now.boxes.values():
        old = before.boxes[same[box.id]] if box.id in same else None
        drawn.boxes[box.id] = _beside(box, old) if old is not None else dataclasses.replace(box, change="added")
    removed = [box for box in before.boxes.values() if box.id not in to_now]
    for box in removed:
        drawn.boxes[f"x{box.id}"] = dataclasses.replace(
            box, id=f"x{box.id}", number=None, change="removed", is_result=False,
            group=_group(before, box.group, drawn, groups),
            of=box.of and to_now.get(box.of, f"x{box.of}"),
            rule=box.rule and box.rule._replace(needs=tuple(to_now.get(id, f"x{id}") for id in box.rule.needs)),
        )  # fmt: skip
    old_edges: dict[Any, Edge] = {
        (to_now.get(e.tail, f"x{e.tail}"), to_now.get(e.head, f"x{e.head}"), e.flow, e.position, e.detail is None): e
        for e in before.edges
    }
    new_edges = {(e.tail, e.head, e.flow, e.position, e.detail is None): e for e in now.edges}
    for key, e in new_edges.items():
        change = None if key in old_edges or e.flow == "tie" else "added"
        drawn.edges.append(dataclasses.replace(e, change=change))
    for key, e in old_edges.items():
        if key not in new_edges and e.detail is None:
            drawn.edges.append(dataclasses.replace(e, tail=key[0], head=key[1], change="removed", short=None))
    for group in drawn.groups.values():
        for half in (group.forward, group.backward):
            if half in drawn.group_boxes:
                box = drawn.group_boxes[half]
                inner = _shown(drawn, box)
                if inner is not None:
                    drawn.group_boxes[half] = dataclasses.replace(box, value=inner.value, before=inner.before)
    added = sum(box.change == "added" for box in drawn.boxes.values())
    drawn.notes.append(
        f"{added} added, {len(removed)} removed" if added or removed else "the same structure; before → now"
    )
    return drawn


def _matched(now: Diagram, before: Diagram) -> dict[str, str]:
    """From the boxes of `now` to those of `before` that are the same step."""
    same = _aligned(now, before, lambda box: box.kind not in ("cotangent", "rule"))
    mirrored = before.cotangents()
    for box in now.boxes.values():
        if box.of in same and same[box.of] in mirrored:
            same[box.id] = mirrored[same[box.of]]
    return same | _aligned(now, before, lambda box: box.kind == "rule")


def _aligned(now: Diagram, before: Diagram, chosen: Callable[[Box], bool]) -> dict[str, str]:
    ours, theirs = ([box for box in diagram.boxes.values() if chosen(box)] for diagram in (now, before))
    matcher = SequenceMatcher(
        None, [_key(now, box) for box in ours], [_key(before, box) for box in theirs], autojunk=False
    )
    blocks = matcher.get_matching_blocks()
    return {ours[a + i].id: theirs[b + i].id for a, b, size in blocks for i in range(size)}


def _key(diagram: Diagram, box: Box) -> Any:
    return (
        box.kind,
        box.name,
        box.primitive,
        box.shape,
        diagram.path(diagram.groups[box.group]) if box.group else "",
    )


def _beside(box: Box, old: Box) -> Box:
    """`box` with the value that it had before."""
    if box.value is None or old.value is None or box.value == old.value:
        return box
    both = thumbnails.beside(old.value.picture, box.value.picture)
    return dataclasses.replace(box, value=dataclasses.replace(box.value, picture=both), before=old.value)


def _shown(drawn: Diagram, closed: Box) -> Box | None:
    """The box whose value a closed group shows."""
    same = (box for box in drawn.boxes.values() if box.order == closed.order and box.number is not None)
    return next(same, None)


def _group(before: Diagram, group: str | None, drawn: Diagram, known: dict[Any, str]) -> str | None:
    """The group of `drawn` that is the same as one of `before`, made if there is none."""
    if group is None:
        return None
    g = before.groups[group]
    key = (before.path(g), g.kind)
    if key not in known:
        parent = _group(before, g.parent, drawn, known)
        known[key] = f"x{g.id}"
        drawn.groups[known[key]] = Group(known[key], g.kind, g.name, parent, g.depth, g.says)
    return known[key]
