"""What stands in a box, as the labels of DOT that are written like HTML."""

from __future__ import annotations

import html
import re

from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.view.diagram import Box, Cost
from tinygrad_cnn.pictures.view.thumbnails import Thumbnail
from tinygrad_cnn.pictures.view.values import Value
from tinygrad_cnn.pictures.write.colours import Palette

LINE = 30  # characters in a line of a narrow caption, unless a clause is longer
BESIDE = 60  # points: a narrower thumbnail stands to the right of what is written about it, else below


def label(
    box: Box, ink: str, faint: str, *, palette: Palette, dtype: str, image_file: str | None, whole: bool, narrow: bool
) -> str:
    """What stands in a box: its name, what computed it, and what is shown of its value.

    dtype: that of most boxes, which is not repeated. whole: a cost is written with the time of the rules, too. narrow:
    a wide thumbnail stands below, and its caption in lines.
    """
    picture = box.value.picture if box.value is not None else None
    below = narrow and picture is not None and box.before is None and picture.width > BESIDE
    rows = [heading(box, faint), *about_value(box, dtype, ink, faint, captioned=not below)]
    if box.value is not None and box.before is not None:  # its second row has both ranges, and no place for more
        rows[0] += "".join(f"  {small(part, faint)}" for part in type_and_shape(box, dtype))
    faults = warnings(box, palette)
    if box.cost is not None:
        rows.append(small(cost(box.cost, whole=whole), faint))
    rows += noted(box)
    if below and picture is not None:
        rows[2:2] = [small(line, faint) for line in lines_of(picture.caption) if line]
    cells = [f'<TD ALIGN="LEFT">{row}</TD>' for row in rows]
    cells[2:2] = faults
    if image_file is not None and picture is not None:
        if below:
            cells.append(image_below(image_file, picture))
        else:
            cells[0] += image(image_file, picture, len(cells))
    cells[0] += spacer(cells)
    return table(cells)


def spacer(rows: list[str]) -> str:
    """An empty cell behind rows: where Graphviz measures letters as a screen hints them, they are up to 3% wider."""
    longest = max(len(re.sub("<[^>]*>|&[a-z0-9#]*;", "", row)) for row in rows)
    return f'<TD ROWSPAN="{len(rows)}" FIXEDSIZE="TRUE" WIDTH="{2 + longest // 7}" HEIGHT="1"></TD>'


def warnings(box: Box, palette: Palette) -> list[str]:
    """A cell on what is wrong with a value, on paper; small where that follows from an earlier fault."""
    if box.value is None or not box.value.wrong:
        return []
    text = escaped(", ".join(box.value.wrong))
    written = (
        f'<FONT POINT-SIZE="9">{text}</FONT>' if box.inherited else f'<FONT POINT-SIZE="10"><B>! {text}</B></FONT>'
    )
    look = f'BGCOLOR="{palette.kinds["primitive"].fill}" STYLE="ROUNDED"'
    return [f'<TD ALIGN="LEFT" {look}><FONT COLOR="{palette.wrong}">{written}</FONT></TD>']


def noted(box: Box) -> list[str]:
    """A row on the mark of a box."""
    if box.mark is None or not (box.mark.note or box.mark.flag):
        return []
    return [f'<FONT POINT-SIZE="10">{"▶ " if box.mark.flag else ""}{escaped(box.mark.note)}</FONT>']


def heading(box: Box, faint: str) -> str:
    """The first row: the name of a box and what computed it."""
    title, by = (
        escaped(box.title),
        "" if box.kind in ("input", "parameter", "constant") else box.summary or box.primitive,
    )
    call = ""
    if box.kind == "scope" and box.name:
        title = escaped(box.primitive)
        by = box.summary if box.name == box.primitive else f"{box.name}, {box.summary}"
    if by == box.name:
        by = ""
    if not box.name and by.startswith(box.primitive):  # its call is its name
        title, call, by = escaped(box.primitive), escaped(by[len(box.primitive) :]), ""
    row = f"<B>{title}</B>{call}"
    if by:
        row += f'  <FONT POINT-SIZE="10" COLOR="{faint}">{escaped(by)}</FONT>'
    if box.count > 1:
        row += f'  <FONT POINT-SIZE="10">× {box.count:,}</FONT>'
    return row


def type_and_shape(box: Box, dtype: str) -> list[str]:
    """The dtype, if it is not that of the caption, and the shape, but for one number; a cotangent has its value's."""
    parts = [box.dtype] if box.dtype != dtype else []
    return parts if not box.axes or (box.half == "backward" and not box.stays) else [*parts, box.shape]


def about_value(
    box: Box, dtype: str, ink: str, faint: str, *, closed: bool = True, captioned: bool = True
) -> list[str]:
    """The second row, of the value, or of what it was before and is now; none where there is nothing to write."""
    value, before = box.value, box.before
    if value is not None and before is not None:
        return [small(f"{before.number or before.range}  →  {value.number or value.range}", ink)]
    parts = type_and_shape(box, dtype)
    if value is not None and (not closed or box.kind != "scope" or value.number is not None):
        parts.append(short(value, captioned))
    # Without the test, a label would have an empty element, and of such a label Graphviz shows nothing at all.
    return [small("   ".join(filter(None, parts)), faint)] if any(parts) else []


def image(file: str, picture: Thumbnail, rows: int) -> str:
    """The cells of a thumbnail to the right of `rows` rows; the first is empty, for an image fills all of its own."""
    return (
        f'<TD ROWSPAN="{rows}" FIXEDSIZE="TRUE" WIDTH="8" HEIGHT="1"></TD>'
        f'<TD ROWSPAN="{rows}" FIXEDSIZE="TRUE" WIDTH="{picture.width + 2}" HEIGHT="{picture.height + 2}">'
        f'<IMG SRC="{html.escape(file)}" SCALE="TRUE"/></TD>'
    )


def image_below(file: str, picture: Thumbnail) -> str:
    """The cell of a thumbnail that has a row of its own."""
    size = f'FIXEDSIZE="TRUE" WIDTH="{picture.width + 2}" HEIGHT="{picture.height + 2}"'
    cell = f'<TR><TD {size}><IMG SRC="{html.escape(file)}" SCALE="TRUE"/></TD></TR>'
    return f'<TD ALIGN="LEFT"><TABLE ALIGN="LEFT" {size} BORDER="0" CELLSPACING="0" CELLPADDING="0">{cell}</TABLE></TD>'


def lines_of(caption: str) -> list[str]:
    """A caption in lines, each of as many of its clauses as fit."""
    lines = [""]
    for clause in caption.split(", "):
        together = f"{lines[-1]}, {clause}" if lines[-1] else clause
        if len(together) > LINE:
            lines.append(clause)
        else:
            lines[-1] = together
    return lines


def table(rows: list[str]) -> str:
    """Rows of cells."""
    inner = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{inner}</TABLE>'


def small(text: str, colour: str) -> str:
    """Text in the size of captions."""
    return f'<FONT POINT-SIZE="9" COLOR="{colour}">{escaped(text)}</FONT>'


def short(value: Value, captioned: bool = True) -> str:
    """A value in a few words; captioned: with what its thumbnail shows."""
    if value.number is not None:
        return value.number
    return "   ".join(
        part for part in (value.range, value.picture.caption if value.picture and captioned else "") if part
    )


def cost(of: Cost, *, whole: bool) -> str:
    """A cost in words; whole: with the time of the rules, which otherwise stands at the cotangents that they give."""
    parts = [labels.seconds(of.forward)] if of.forward else []
    if of.backward and (whole or not of.forward):
        parts.append(f"back {labels.seconds(of.backward)}")
    if of.flops:
        parts.append(labels.many(of.flops, "flop"))
    return "  ".join([*parts, *([labels.many(of.bytes, "B")] if of.bytes else [])])


def tip(box: Box) -> str:
    """The tooltip of a box."""
    parts = [box.formula or box.title, f"{box.dtype}[{box.shape}]"]
    if box.line:
        parts.append(box.line)
    return "\n".join(parts)


def escaped(text: str) -> str:
    """Text in a label, in which nothing is markup."""
    return html.escape(text, quote=True)


def quoted(text: str) -> str:
    """A quoted string of DOT, in which nothing is markup or an escape."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
