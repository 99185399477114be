"""Two graphs in one picture: what is in one of them alone is coloured, and values stand side by side."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
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
            f"render: the graphs to compare have {len(now.boxes):,} "
            f"and {len(before.boxes):,} boxes; expected at most {MOST:,}"
        )
    same = _matched(now, before)
    ids = {id: f"x{id}" for id in before.boxes} | {old: new for new, old in same.items()}  # in what is drawn
    drawn = dataclasses.replace(
        now, boxes={}, edges=[], groups=dict(now.groups), group_boxes=dict(now.group_boxes), notes=list(now.notes)
    )
    for box in now.boxes.values():
        if box.id in same:
            drawn.boxes[box.id] = _with_both_values(box, before.boxes[same[box.id]])
        else:
            drawn.boxes[box.id] = dataclasses.replace(box, change="added")
    _add_removed(drawn, before, ids)
    drawn.edges = _edges(now, before, ids)
    _update_group_boxes(drawn)
    changes = Counter(box.change for box in drawn.boxes.values())
    drawn.notes.append(
        f"{changes['added']} added, {changes['removed']} removed"
        if changes["added"] or changes["removed"]
        else "the same structure; before → now"
    )
    return drawn


def _add_removed(drawn: Diagram, before: Diagram, ids: Mapping[str, str]) -> None:
    """Add the boxes of `before` that are not in `drawn`; ids: what each box of `before` is called there."""
    groups = {(drawn.path(group), group.kind): group.id for group in drawn.groups.values()}
    for box in before.boxes.values():
        id = ids[box.id]
        if id not in drawn.boxes:
            drawn.boxes[id] = dataclasses.replace(
                box, id=id, number=None, change="removed", is_result=False,
                group=_group(before, box.group, drawn, groups),
                of=box.of and ids[box.of],
                rule=box.rule and box.rule._replace(needs=tuple(ids[needed] for needed in box.rule.needs)),
            )  # fmt: skip


def _edges(now: Diagram, before: Diagram, ids: Mapping[str, str]) -> list[Edge]:
    """The edges of both; those of rules, which are drawn when a reader opens them, of `now` alone."""

    def key(e: Edge, tail: str, head: str) -> tuple[Any, ...]:
        return tail, head, e.flow, e.position, e.detail is None

    old = {key(e, ids[e.tail], ids[e.head]): e for e in before.edges}
    new = {key(e, e.tail, e.head): e for e in now.edges}
    edges = []
    for k, e in new.items():
        edges.append(dataclasses.replace(e, change=None if k in old or e.flow == "tie" else "added"))
    for k, e in old.items():
        if k not in new and e.detail is None:
            edges.append(dataclasses.replace(e, tail=ids[e.tail], head=ids[e.head], change="removed", short=None))
    return edges


def _update_group_boxes(drawn: Diagram) -> None:
    """Let each box of a closed group show what the box whose value it has shows now."""
    by_order = {box.order: box for box in drawn.boxes.values() if box.number is not None}
    for id, box in drawn.group_boxes.items():
        if box.order in by_order:
            shown = by_order[box.order]
            drawn.group_boxes[id] = dataclasses.replace(box, value=shown.value, before=shown.before)


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


def _with_both_values(box: Box, old: Box) -> Box:
    """`box` with the value that it had before."""
    if box.value is None or old.value is None or box.value == old.value:
        return box
    both = thumbnails.beside(old.value.picture, box.value.picture)
    return dataclasses.replace(box, value=dataclasses.replace(box.value, picture=both), before=old.value)


def _group(before: Diagram, group: str | None, drawn: Diagram, known: dict[Any, str]) -> str | None:
    """The group of `drawn` that is the same as one of `before`, made if there is none."""
    if group is None:
        return None
    g = before.groups[group]
    key = (before.path(g), g.kind)
    if key not in known:
        parent = _group(before, g.parent, drawn, known)
        known[key] = f"x{g.id}"
        drawn.groups[known[key]] = Group(known[key], g.kind, g.name, parent, g.depth, g.caption)
    return known[key]
