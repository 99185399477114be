"""The graph as a table, in the order of execution, as a compiler prints what it is about to do."""

from __future__ import annotations

import html
import os

from tinygrad_cnn.pictures.view import labels as words
from tinygrad_cnn.pictures.view.view import Box, View

_BEFORE = {"constant": 0, "cotangent": 2}  # of the same order: what is taken stands before, what a rule gives behind
HEAD = ("", "name", "value", "how", "scope", "line")


def table(view: View) -> str:
    """A line for each box: its number and name, dtype and shape, call, scope, and the line that asked for it."""
    found = rows(view)
    widths = [max(len(row[i]) for row in [HEAD, *found]) for i in range(len(HEAD))]
    lines = [
        "  ".join(part.ljust(width) for part, width in zip(row, widths, strict=True)).rstrip() for row in [HEAD, *found]
    ]
    return "\n".join([heading(view), "", *lines])


def heading(view: View) -> str:
    """What the table is of."""
    parameters = f"{view.parameters:,} parameter{'' if view.parameters == 1 else 's'}"
    said = [f"{view.title}: {view.steps:,} steps of {parameters}", *view.notes]
    return "\n".join(said)


def rows(view: View) -> list[tuple[str, ...]]:
    """The lines of the table, in parts."""
    return [
        (
            number(box),
            (box.name or "") + (f" × {box.count:,}" if box.count > 1 else ""),
            f"{box.dtype}[{box.shape.replace('scalar', '')}]",
            _how(box),
            "/".join(g.name for g in reversed(list(view.ancestors(box.group)))),
            _line(box.line),
        )
        for box in sorted(view.boxes.values(), key=lambda box: (box.order, _BEFORE.get(box.kind, 1)))
    ]


def number(box: Box) -> str:
    """%3 for a value, ∂3 for its cotangent, as calls refer to them."""
    return {"n": "%", "g": "∂"}.get(box.id[0], "") + box.id[1:] if box.id[0] in "ng" else ""


def _how(box: Box) -> str:
    how = box.formula or box.primitive
    if box.kind == "scope":
        how = f"scope {box.primitive}, closed: {box.says}"
    parts = [how]
    if box.value is not None:
        parts += [box.value.number or box.value.range, *(f"! {wrong}" for wrong in box.value.wrong)]
    if box.cost is not None:
        parts.append(f"{words.seconds(box.cost.forward)} forward, {words.seconds(box.cost.backward)} back")
    if box.mark is not None:
        parts.append(f"{'▶ ' if box.mark.flag else ''}{box.mark.note}")
    if box.change:
        parts.append(box.change)
    return "   ".join(part for part in parts if part)


def _line(line: str) -> str:
    """model.py:57 of a whole path."""
    return os.path.basename(line.split(" in ")[0]) if line else ""


def as_html(view: View) -> str:
    """The table for a notebook."""
    cells = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{html.escape(part)}</td>" for part in row) + "</tr>"
        for row in rows(view)
    )
    head = "".join(f"<th style='text-align:left'>{part}</th>" for part in HEAD)
    return f"<p>{html.escape(heading(view))}</p><table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>"
