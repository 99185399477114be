"""The graph as JSON, for other tools.

{"format": "tinygrad_cnn graph", "version": 1, "title": ..., "dtype": ..., "notes": [...],
 "boxes": [{"id", "kind", "name", "primitive", "formula", "shape", "dtype", "bytes", "group", "order", "count", ...}],
 "edges": [{"tail", "head", "flow", "position", "count", "shape"}],
 "groups": [{"id", "kind", "name", "parent"}]}

`Box`, `Edge` and `Group` in `view/diagram.py` explain each of them. What is null or has its default is left out.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from typing import Any

from tinygrad_cnn.pictures.view.diagram import Box, Diagram, Edge, Group
from tinygrad_cnn.pictures.view.values import Value

FORMAT, VERSION = "tinygrad_cnn graph", 1


def to_json(diagram: Diagram) -> str:
    """The whole of `diagram` as JSON on one line for each box and edge."""
    head = {"format": FORMAT, "version": VERSION}
    head |= {"title": diagram.title, "dtype": diagram.dtype, "notes": diagram.notes}
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
    parts = [
        encode(head)[:-1],
        '"boxes":[\n' + ",\n".join([encode(box(b)) for b in diagram.boxes.values()]) + "]",
        '"edges":[\n' + ",\n".join([encode(edge(e)) for e in diagram.edges]) + "]",
        '"groups":[\n' + ",\n".join([encode(group(g)) for g in diagram.groups.values()]) + "]}",
    ]
    return ",\n".join(parts) + "\n"


def box(b: Box) -> dict[str, Any]:
    """A box as JSON has it."""
    found: dict[str, Any] = {
        "id": b.id, "kind": b.kind, "name": b.name, "primitive": b.primitive, "formula": b.formula,
        "shape": list(b.axes), "dtype": b.dtype, "bytes": b.bytes, "order": b.order,
    }  # fmt: skip
    if b.group is not None:
        found["group"] = b.group
    if b.count != 1:
        found["count"] = b.count
        found["shapes"] = b.shape
    if b.line:
        found["line"] = b.line
    if b.is_result:
        found["is_result"] = True
    if b.of:
        found["of"] = b.of
    if b.value is not None:
        found["value"] = value(b.value)
    if b.before is not None:
        found["before"] = value(b.before)
    if b.change:
        found["change"] = b.change
    if b.mark is not None:
        found["mark"] = dataclasses.asdict(b.mark)
    if b.cost is not None:
        found["cost"] = b.cost._asdict()
    return found


def value(v: Value) -> dict[str, Any]:
    """A value as JSON has it, without its picture."""
    found: dict[str, Any] = {"sample": v.sample, "zeros": v.zeros, "wrong": list(v.wrong)}
    if v.number is not None:
        found["number"] = v.number
    for name in ("least", "most", "mean", "std"):
        x = getattr(v, name)
        if x is not None and math.isfinite(x):
            found[name] = x
    if v.counts:
        found["counts"] = list(v.counts)
    if v.absolute:
        found["absolute"] = True
    return found


def picture(v: Value) -> dict[str, Any] | None:
    """The thumbnail of an array, for a page."""
    if v.picture is None:
        return None
    data = base64.b64encode(v.picture.png).decode()
    found = {"png": data, "width": v.picture.width, "height": v.picture.height, "caption": v.picture.caption}
    if v.picture.areas:
        found["areas"] = [list(area) for area in v.picture.areas]
    return found


def edge(e: Edge) -> dict[str, Any]:
    """An edge as JSON has it."""
    found: dict[str, Any] = {
        "tail": e.tail, "head": e.head, "flow": e.flow, "position": e.position, "shape": e.label,
    }  # fmt: skip
    if e.count != 1:
        found["count"] = e.count
    if e.detail:
        found["detail"] = e.detail
    if e.short:
        found["short"] = e.short
    if e.change:
        found["change"] = e.change
    return found


def group(g: Group) -> dict[str, Any]:
    """A group as JSON has it."""
    found: dict[str, Any] = {"id": g.id, "kind": g.kind, "name": g.name, "parent": g.parent}
    if g.caption:
        found["says"] = g.caption
    if g.cost is not None:
        found["cost"] = g.cost._asdict()
    return found
