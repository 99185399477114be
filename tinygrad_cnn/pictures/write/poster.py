"""The poster in DOT: one column of cards, coloured by what each is in a network."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from tinygrad_cnn.pictures.view.diagram import Box, Diagram
from tinygrad_cnn.pictures.view.poster import Card, Poster, poster_of
from tinygrad_cnn.pictures.write import dot
from tinygrad_cnn.pictures.write.colours import Look
from tinygrad_cnn.pictures.write.dot import Style
from tinygrad_cnn.pictures.write.label import (
    BESIDE,
    about_value,
    cost,
    escaped,
    image,
    image_below,
    lines_of,
    noted,
    quoted,
    small,
    tip,
    warnings,
)

SHORT = 12  # characters of a caption that stands beside the range, and not beneath it
MOST = 12  # parameters that a card shows


def to_dot(diagram: Diagram, style: Style) -> str:
    """The whole picture."""
    poster = poster_of(diagram)
    arrows = _edges(poster, style)
    cards = {id: node(card, style) for id, card in poster.cards.items()}
    body = dot.body(diagram, style, {}, lambda box: cards.get(box.id))
    return "\n".join([dot.header(diagram, style, _legend(poster, style)), *body, *arrows, "}\n"])


def look(card: Card, style: Style) -> Look:
    """The colours of a card: of its mark or its cost, or else of what it is."""
    box = card.box
    if box.layer in style.palette.layers and box.mark is None and box.cost is None:
        return style.palette.layers[box.layer]
    kind = "input" if _is_input(box) else box.kind
    fill, ink, _ = dot.colours_of(_worse(card), style)
    line = style.palette.kinds[kind].line
    return Look(style.palette.kinds[kind].fill if box.mark is None and box.cost is None else fill, line, ink)


def _worse(card: Card) -> Box:
    """Of a value and its cotangent, the one whose mark is worse."""
    g = card.cotangent
    if g is not None and g.mark is not None and (card.box.mark is None or g.mark.rank > card.box.mark.rank):
        return g
    return card.box


def _is_input(box: Box) -> bool:
    """Whether it is data: a constant with a card of its own is what the computation begins with."""
    return box.kind in ("input", "constant")


def node(card: Card, style: Style) -> str:
    """The statement of a card."""
    box, (fill, line, ink) = card.box, look(card, style)
    line = dot.border(box, style, line)
    drawn = "filled,rounded" if box.kind in ("primitive", "scope") else "filled"
    if box.change == "removed":
        drawn = f"{drawn},dashed"
    return (
        f'"{box.id}" [id="{box.id}" class="card {box.layer or box.kind}" shape=box style="{drawn}" fillcolor="{fill}" '
        f'color="{line}" fontcolor="{ink}" tooltip={quoted(tip(box))}{dot.thickness(box)} margin="0.08,0.05" '
        f"label=<{_label(card, style, ink)}>]"
    )


def _label(card: Card, style: Style, ink: str) -> str:
    """A row for the name, one for the value and its cotangent, and one for each parameter and its gradient."""
    box, g = card.box, card.cotangent
    both = any(gradient is not None for gradient in (g, *(gradient for _, gradient in card.within)))
    wide = both and not style.narrow
    rows = [f'<TR><TD ALIGN="LEFT"{_columns(wide)}>{_heading(card)}</TD></TR>']
    rows += _rows(_cell(box, style, ink, called=False, of_loop=card.before), g, style, wide, of_loop=card.after)
    for leaf, gradient in card.within[:MOST]:
        rows += _rows(_cell(leaf, style, ink, called=True, of=card.layer), gradient, style, wide, of=card.layer)
    below = [] if box.cost is None else [small(cost(box.cost, whole=True), ink)]
    if len(card.within) > MOST:
        below.append(small(f"and {len(card.within) - MOST:,} more", ink))
    below += [row for one in (box, g) if one is not None for row in noted(one)]
    rows += [f'<TR><TD ALIGN="LEFT"{_columns(wide)}>{row}</TD></TR>' for row in below]
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="2">{"".join(rows)}</TABLE>'


def _columns(both: bool) -> str:
    return ' COLSPAN="2"' if both else ""


def _heading(card: Card) -> str:
    """What a card is, the name of its value, and that of the layer that its parameters are of.

    A layer that has but a place, as layers[5] of a `Sequential`, is as well known by its number among its like.
    """
    box = card.box
    if box.stays:
        return f"<B>{escaped(box.name or ('input' if _is_input(box) else box.primitive))}</B>"
    call = "" if box.kind == "scope" else box.summary.removeprefix(box.primitive)
    row = f"<B>{escaped(box.primitive)}</B>"
    row += f'<FONT POINT-SIZE="10">{escaped(call)}</FONT>' if call else ""
    for name in dict.fromkeys(filter(None, [box.name, "" if card.layer.endswith("]") else card.layer])):
        if name != box.primitive:
            row += f'   <FONT POINT-SIZE="10"><I>{escaped(name)}</I></FONT>'
    if box.is_part:
        row += f'   <FONT POINT-SIZE="10">{escaped(box.summary)}</FONT>'
    if box.count > 1:
        row += f'   <FONT POINT-SIZE="10">× {box.count:,}</FONT>'
    return row


def _rows(
    left: str, gradient: Box | None, style: Style, wide: bool, of: str = "", of_loop: Sequence[Box] = ()
) -> list[str]:
    """The row of a value and its gradient, or a row for each."""
    value = f'<TD ALIGN="LEFT"{_columns(wide and gradient is None)}>{left or " "}</TD>'
    if gradient is None:
        return [f"<TR>{value}</TR>"] if left else []
    kind = style.palette.kinds["cotangent"]
    right = _cell(gradient, style, kind.ink, called=True, of=of, of_loop=of_loop)
    back = f'<TD ALIGN="LEFT" BGCOLOR="{kind.fill}" STYLE="ROUNDED">{right}</TD>'
    if wide:
        return [f"<TR>{value}{back}</TR>"]
    return [f"<TR>{value}</TR>", f"<TR>{back}</TR>"] if left else [f"<TR>{back}</TR>"]


def _cell(box: Box, style: Style, ink: str, *, called: bool, of: str = "", of_loop: Sequence[Box] = ()) -> str:
    """What is shown of a value: its name, if it is not that of the card, its facts, and its thumbnail.

    of: the layer that the card names, and its parameters do not. of_loop: what is taken of another iteration.
    """
    title = box.title.replace(f"{of}.", "", 1) if of else box.title
    name = [f'<FONT POINT-SIZE="10" COLOR="{ink}"><B>{escaped(title)}</B></FONT>'] if called else []
    file = style.images.get(box.id)
    picture = box.value.picture if box.value is not None else None
    caption = picture.caption if picture is not None and box.before is None and len(picture.caption) > SHORT else ""
    lines = lines_of(caption) if style.narrow else [caption]
    facts = "   ".join([*name, *about_value(box, style.dtype, ink, ink, closed=False, captioned=not caption)])
    written = [facts, *(small(line, ink) for line in lines if line)]
    cells = [f'<TD ALIGN="LEFT">{text}</TD>' for text in written if text]
    cells += warnings(box, style.palette)
    when = "↻ {}, of the iteration before" if box.half == "forward" else "↺ {}, of the iteration after"
    for other in dict.fromkeys(other.title for other in of_loop):
        cells.append(f'<TD ALIGN="LEFT">{small(when.format(other), ink)}</TD>')
    rows = [f"<TR>{cell}</TR>" for cell in cells]
    if file is None or picture is None:
        return _table(rows) if rows else ""
    if picture.width <= BESIDE and rows:
        rows[0] = rows[0].removesuffix("</TR>") + f"{image(file, picture, len(rows))}</TR>"
    else:
        rows.append(f"<TR>{image_below(file, picture)}</TR>")
    return _table(rows)


def _table(rows: list[str]) -> str:
    return f'<TABLE ALIGN="LEFT" BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{"".join(rows)}</TABLE>'


def _edges(poster: Poster, style: Style) -> list[str]:
    """The edges between cards: values go down, cotangents up."""
    card_of = {card.cotangent.id: id for id, card in poster.cards.items() if card.cotangent is not None}
    return [
        dot.edge(dataclasses.replace(e, tail=card_of.get(e.tail, e.tail), head=card_of.get(e.head, e.head)), style)
        for e in poster.edges
    ]


def _legend(poster: Poster, style: Style) -> list[tuple[str, Look]]:
    """What the colours mean, of those that appear."""
    kinds = style.palette.kinds
    found = dot.legend_of({card.box.layer for card in poster.cards.values()}, style)
    if any(card.box.kind == "parameter" for card in poster.cards.values()):
        found.insert(0, ("parameter", kinds["parameter"]))
    if any(_is_input(card.box) for card in poster.cards.values()):
        found.insert(0, ("input", kinds["input"]))
    if style.both:
        found.append(("gradient", kinds["cotangent"]))
    return found
