"""The graph as a table, in the order of execution, as a compiler prints what it is about to do."""

from __future__ import annotations

import base64
import html
import os

from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.view.diagram import Box, Diagram

_BEFORE = {"constant": 0, "cotangent": 2}  # of the same order: what is taken stands before, what a rule gives behind
HEAD = ("", "name", "value", "how", "scope", "line")


def to_table(diagram: Diagram) -> str:
    """A line for each box: its number and name, dtype and shape, call, scope, and the source line."""
    found = rows(diagram)
    widths = [max(len(row[i]) for row in [HEAD, *found]) for i in range(len(HEAD))]
    lines = [
        "  ".join(part.ljust(width) for part, width in zip(row, widths, strict=True)).rstrip() for row in [HEAD, *found]
    ]
    return "\n".join([heading(diagram), "", *lines])


def heading(diagram: Diagram) -> str:
    """What the table is of."""
    parameters = f"{diagram.parameters:,} parameter{'' if diagram.parameters == 1 else 's'}"
    return "\n".join([f"{diagram.title}: {diagram.steps:,} steps of {parameters}", *diagram.notes])


def rows(diagram: Diagram) -> list[tuple[str, ...]]:
    """The lines of the table, in parts."""
    return [
        (
            number(box),
            (box.name or "") + (f" × {box.count:,}" if box.count > 1 else ""),
            f"{box.dtype}[{box.shape.replace('scalar', '')}]",
            _how(box),
            "/".join(g.name for g in reversed(list(diagram.ancestors(box.group)))),
            _line(box.line),
        )
        for box in sorted(diagram.boxes.values(), key=lambda box: (box.order, _BEFORE.get(box.kind, 1)))
    ]


def number(box: Box) -> str:
    """%3 for a value, ∂3 for its cotangent, as calls refer to them."""
    if box.number is None:
        return ""
    return f"{'∂' if box.kind == 'cotangent' else '%'}{box.number}"


def _how(box: Box) -> str:
    how = box.formula or box.primitive
    if box.kind == "scope":
        how = f"scope {box.primitive}, closed: {box.summary}"
    parts = [how]
    if box.value is not None:
        parts += [box.value.number or box.value.range, *(f"! {wrong}" for wrong in box.value.wrong)]
    if box.cost is not None:
        parts.append(f"{labels.seconds(box.cost.forward)} forward, {labels.seconds(box.cost.backward)} back")
    if box.mark is not None:
        parts.append(f"{'▶ ' if box.mark.flag else ''}{box.mark.note}")
    if box.change:
        parts.append(box.change)
    return "   ".join(part for part in parts if part)


def _line(line: str) -> str:
    """model.py:57 of a whole path."""
    return os.path.basename(line.split(" in ")[0]) if line else ""


def to_html(diagram: Diagram) -> str:
    """The table for a notebook."""
    cells = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{html.escape(part)}</td>" for part in row) + "</tr>"
        for row in rows(diagram)
    )
    head = "".join(f"<th style='text-align:left'>{part}</th>" for part in HEAD)
    return f"<p>{html.escape(heading(diagram))}</p><table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>"


def to_card(box: Box) -> str:
    """How a notebook shows a Tensor: its value, as a small picture, and the line that computed it. Not its graph, which
    takes time where it is large: `render` draws that.
    """
    value = box.value
    assert value is not None
    facts = [f"{box.dtype}[{', '.join(map(str, box.axes))}]", value.number or value.range]
    if box.primitive:
        facts.append(f"by {box.primitive}, {box.line.rsplit('/', 1)[-1]}")
    parts = [f"<b>{html.escape(box.name or 'Tensor')}</b>  {html.escape('   '.join(fact for fact in facts if fact))}"]
    parts += [
        f'<b style="background:#b00020;color:#fff;padding:0 .3em">{html.escape(wrong)}</b>' for wrong in value.wrong
    ]
    picture = value.picture
    if picture is not None:
        source = f"data:image/png;base64,{base64.b64encode(picture.png).decode()}"
        size = f'width="{2 * picture.width}" height="{2 * picture.height}"'
        parts.append(f'<img src="{source}" {size} alt="{picture.caption}">')
    return f'<div style="line-height:1.6">{"<br>".join(parts)}</div>'
