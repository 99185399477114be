"""The graph as a table, in the order of execution, as a compiler prints what it is about to do."""

from __future__ import annotations

import base64
import html
import os
import textwrap
from collections.abc import Sequence

from tinygrad_cnn import columns
from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.view.diagram import Box, Diagram

_BEFORE = {"constant": 0, "cotangent": 2}  # of the same order: what is taken stands before, what a rule gives behind
HEAD = ("", "name", "value", "how", "scope", "line")
NAME, HOW = HEAD.index("name"), HEAD.index("how")
LEAST = 32  # columns for what a box does, of which a call has at least CALL
CALL = 10
GAP, BETWEEN = "  ", "   "  # between columns, and between a call and what is said of its value


def to_table(diagram: Diagram, within: int | None = None) -> str:
    """A line for each box: its number and name, dtype and shape, call, scope, and the source line.

    within: the columns of the terminal. Where lines are longer, what a box does is shortened, and where that is not
    enough, the source line and the scope are left out, and names are shortened.
    """
    table = [HEAD, *rows(diagram)]
    widths = [max(columns.width(row[i]) for row in table) for i in range(len(HEAD))]
    if within is not None:
        shown = len(HEAD)
        while shown > HOW + 1 and _total(widths[:shown]) - widths[HOW] + min(LEAST, widths[HOW]) > within:
            shown -= 1
        widths = widths[:shown]
        for column, least in ((HOW, LEAST), (NAME, CALL), (HOW, CALL)):
            widths[column] -= max(0, min(_total(widths) - within, widths[column] - least))
    lines = [
        GAP.join(columns.padded(_shortened(part, to), to) for part, to in zip(row, widths, strict=False)).rstrip()
        for row in table
    ]
    about = heading(diagram)
    if within is not None:
        about = "\n".join(part for line in about.split("\n") for part in textwrap.wrap(line, within))
    return "\n".join([about, "", *lines])


def _shortened(cell: str, to: int) -> str:
    """A cell in so many columns: the call is shortened before what is said of its value."""
    call, between, facts = cell.partition(BETWEEN)
    left = to - columns.width(between + facts)
    return columns.shortened(call, left) + between + facts if left >= CALL else columns.shortened(cell, to)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


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
    return BETWEEN.join(part for part in parts if part)


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
