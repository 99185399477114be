"""The picture in DOT, the language of Graphviz."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping

from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.view.diagram import Box, Cost, Diagram, Edge, Group
from tinygrad_cnn.pictures.view.thumbnails import Thumbnail
from tinygrad_cnn.pictures.view.values import Value
from tinygrad_cnn.pictures.write.colours import HEAT, PALETTES, SEVERITY, Palette, Theme, on_scale

FONT = "Helvetica,Arial,DejaVu Sans,sans-serif"
_SHAPES = {
    "input": ("note", "filled"),
    "parameter": ("box", "filled"),
    "constant": ("box", "filled,dashed"),
    "primitive": ("box", "filled,rounded"),
    "scope": ("folder", "filled"),
    "cotangent": ("box", "filled,rounded"),
    "rule": ("box", "filled,rounded,dashed"),
}


class Style:
    """How a diagram is written: colours, the font, and the files of thumbnails, by the id of the box.

    most    the seconds of the most expensive step, where steps are coloured by their time
    arrows  how edges look, by what flows
    beside  the parameters and constants that stand beside the step that takes them, with that step
    both    the backward half is drawn too
    """

    def __init__(
        self, diagram: Diagram, theme: Theme = "light", images: Mapping[str, str] | None = None, font: str = FONT
    ) -> None:
        self.palette: Palette = PALETTES[theme]
        self.images = images or {}
        self.font = font
        self.dtype = diagram.dtype
        self.arrows = arrows(self.palette)
        self.beside = beside(diagram)
        self.most = max((_spent(box) for box in diagram.boxes.values() if box.kind != "scope"), default=0.0)
        self.both = any(box.kind == "cotangent" for box in diagram.boxes.values())
        self._boxes = diagram.boxes

    def ends_beside(self, e: Edge) -> bool:
        """Whether `e` goes to the cotangent of what stands beside a step."""
        return self._boxes[e.head].of in self.beside

    def is_hidden(self, e: Edge) -> bool:
        """Whether `e` ties a parameter to its gradient: their borders show that."""
        return e.flow == "tie" and self._boxes[e.tail].stays


def to_dot(diagram: Diagram, style: Style) -> str:
    """The whole picture."""
    lines = [header(diagram, style)]
    frames = framed(diagram)
    for item in diagram.nested():
        if isinstance(item, Box):
            lines.append(node(item, style))
        else:
            event, group = item
            if group.id in frames:
                lines.append("}" if event == "end" else opening(group, style))
    lines += edges(diagram, style)
    lines += side_by_side(diagram, style.beside)
    lines.append("}\n")
    return "\n".join(lines)


def framed(diagram: Diagram) -> set[str]:
    """The groups that get a frame, those with `Group.fewest` steps or more."""
    counts = dict.fromkeys(diagram.groups, 0)
    for box in diagram.boxes.values():
        if box.group is not None and box.is_step:
            counts[box.group] += 1
    for group in reversed(list(diagram.groups.values())):  # children stand behind their parents
        if group.parent is not None:
            counts[group.parent] += counts[group.id]
    return {id for id, count in counts.items() if count >= diagram.groups[id].fewest}


def header(diagram: Diagram, style: Style) -> str:
    """The beginning, with what holds for all."""
    palette = style.palette
    caption = "   ·   ".join(
        [
            f"all {diagram.dtype}" if _uniform(diagram) else f"{diagram.dtype} unless another dtype is shown",
            *diagram.notes,
        ]
    )
    return (
        "digraph {\n"
        f'graph [rankdir=TB newrank=true bgcolor="{palette.paper}" '
        f'fontname="{style.font}" fontsize=9 fontcolor="{palette.faint}" nodesep=0.25 ranksep=0.32 pad=0.12 '
        f'labelloc=b labeljust=l tooltip=" " label={_text(caption)}]\n'
        f'node [fontname="{style.font}" fontsize=11 margin="0.07,0.03" height=0.28 width=0.5 penwidth=1]\n'
        f'edge [fontname="{style.font}" fontsize=9 arrowsize=0.55 penwidth=1 color="{palette.forward}" '
        f'fontcolor="{palette.faint}"]'
    )


def _uniform(diagram: Diagram) -> bool:
    return all(box.dtype == diagram.dtype for box in diagram.boxes.values())


def opening(group: Group, style: Style) -> str:
    """The beginning of the frame of a group."""
    palette = style.palette
    dashed = ",dashed" if group.kind != "scope" else ""
    name = f"<B>{_escaped(group.name)}</B>" if group.kind == "scope" else _escaped(group.name)
    if group.kind == "loop":
        name += f'<FONT POINT-SIZE="9" COLOR="{palette.faint}">   {_escaped(group.caption)}</FONT>'
    cost = ""
    if group.cost is not None:
        cost = f"   {_small(_cost(group.cost, whole=True), palette.faint)}"
    tip = _text(group.caption or group.name)
    return (
        f'subgraph "cluster_{group.id}" {{ graph [id="{group.id}" class="{group.kind}" label=<{name}{cost}> '
        f'labelloc=t labeljust=l margin=6 style="filled,rounded{dashed}" color="{palette.frame}" '
        f'fillcolor="{palette.group}" fontcolor="{palette.ink}" fontsize=11 tooltip={tip}]'
    )


def node(box: Box, style: Style) -> str:
    """The statement of a box."""
    fill, ink, faint = _colours(box, style)
    border, shape, drawn = _outline(box, style)
    straight = ""
    if not box.stays:  # edges within a group of DOT are drawn straight
        straight = f' group="{"back" if box.half == "backward" else "forth"}"'
    return (
        f'"{box.id}" [id="{box.id}" class="{box.kind}" shape={shape} style="{drawn}" fillcolor="{fill}" '
        f'color="{border}" fontcolor="{ink}" tooltip={_text(tip(box))}{straight}{_width(box)} '
        f"label=<{label(box, style, ink, faint)}>]"
    )


def _colours(box: Box, style: Style) -> tuple[str, str, str]:
    """Fill, writing, and small writing: by the mark or the cost of a box, or else by its kind."""
    if box.mark is not None:
        fill, ink = on_scale(SEVERITY, box.mark.severity)
        return fill, ink, ink
    if box.cost is not None and style.most:
        fill, ink = on_scale(HEAT, _spent(box) / style.most)
        return fill, ink, ink
    look = style.palette.kinds[box.kind]
    return look.fill, look.ink, style.palette.faint


def _outline(box: Box, style: Style) -> tuple[str, str, str]:
    """The colour of the border, the shape, and DOT's style of a box."""
    shape, drawn = _SHAPES[box.kind]
    if _is_parameter_or_gradient(box):
        drawn = "filled"
    elif box.change == "removed" and "dashed" not in drawn:
        drawn = f"{drawn},dashed"
    return style.palette.changes.get(box.change or "", style.palette.kinds[box.kind].line), shape, drawn


def _width(box: Box) -> str:
    """The border: double for results, parameters and their gradients, thick for what to look at."""
    double = " peripheries=2" if box.is_result or _is_parameter_or_gradient(box) else ""
    if box.change:
        return f"{double} penwidth=2.4"
    if box.mark is not None and box.mark.flag:
        return f"{double} penwidth=3.0"
    return double


def _is_parameter_or_gradient(box: Box) -> bool:
    return box.kind == "parameter" or (box.kind == "cotangent" and box.stays)


def label(box: Box, style: Style, ink: str, faint: str) -> str:
    """What stands in a box: its name, what computed it, and what is shown of its value."""
    rows = [_heading(box, faint), *_about_value(box, style, ink, faint)]
    if box.value is not None and box.before is not None:  # its second row has both ranges, and no place for more
        rows[0] += "".join(f"  {_small(part, faint)}" for part in _type(box, style))
    if box.value is not None and box.value.wrong:
        wrong = _escaped(", ".join(box.value.wrong))
        # What follows from an earlier fault is written small: the one to look at is where it arises.
        said = _small(", ".join(box.value.wrong), style.palette.wrong)
        rows.append(
            said if box.inherited else f'<FONT POINT-SIZE="10" COLOR="{style.palette.wrong}"><B>! {wrong}</B></FONT>'
        )
    if box.cost is not None:
        rows.append(_small(_cost(box.cost, whole=not style.both), faint))
    if box.mark is not None and (box.mark.note or box.mark.flag):
        rows.append(f'<FONT POINT-SIZE="10">{"▶ " if box.mark.flag else ""}{_escaped(box.mark.note)}</FONT>')
    cells = [f'<TD ALIGN="LEFT">{row}</TD>' for row in rows]
    image = style.images.get(box.id)
    picture = box.value.picture if box.value is not None else None
    if image is not None and picture is not None:
        cells[0] += _image(image, picture, len(rows))
    elif len(rows) == 1:
        return rows[0]
    return _table(cells)


def _heading(box: Box, faint: str) -> str:
    """The first row: the name of a box and what computed it."""
    title, by = (
        _escaped(box.title),
        "" if box.kind in ("input", "parameter", "constant") else box.summary or box.primitive,
    )
    call = ""
    if box.kind == "scope" and box.name:
        title = _escaped(box.primitive)
        by = box.summary if box.name == box.primitive else f"{box.name}, {box.summary}"
    if by == box.name:
        by = ""
    if not box.name and by.startswith(box.primitive):  # its call is its name
        title, call, by = _escaped(box.primitive), _escaped(by[len(box.primitive) :]), ""
    row = f"<B>{title}</B>{call}"
    if by:
        row += f'  <FONT POINT-SIZE="10" COLOR="{faint}">{_escaped(by)}</FONT>'
    if box.count > 1:
        row += f'  <FONT POINT-SIZE="10">× {box.count:,}</FONT>'
    return row


def _type(box: Box, style: Style) -> list[str]:
    """The dtype, if it is not that of the caption, and the shape, but for one number; a cotangent has its value's."""
    parts = [box.dtype] if box.dtype != style.dtype else []
    return parts if not box.axes or (box.half == "backward" and not box.stays) else [*parts, box.shape]


def _about_value(box: Box, style: Style, ink: str, faint: str) -> list[str]:
    """The second row, of the value, or of what it was before and is now; none where there is nothing to write."""
    value, before = box.value, box.before
    if value is not None and before is not None:
        return [_small(f"{before.number or before.range}  →  {value.number or value.range}", ink)]
    parts = _type(box, style)
    if value is not None and (box.kind != "scope" or value.number is not None):
        parts.append(_short(value))
    # Without the test, a label would have an empty element, and of such a label Graphviz shows nothing at all.
    return [_small("   ".join(filter(None, parts)), faint)] if any(parts) else []


def _image(file: str, picture: Thumbnail, rows: int) -> str:
    """The cells of a thumbnail to the right of `rows` rows; the first is empty, for an image fills all of its own."""
    return (
        f'<TD ROWSPAN="{rows}" FIXEDSIZE="TRUE" WIDTH="8" HEIGHT="1"></TD>'
        f'<TD ROWSPAN="{rows}" FIXEDSIZE="TRUE" WIDTH="{picture.width + 2}" HEIGHT="{picture.height + 2}">'
        f'<IMG SRC="{html.escape(file)}" SCALE="TRUE"/></TD>'
    )


def _table(rows: list[str]) -> str:
    inner = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{inner}</TABLE>'


def _small(text: str, colour: str) -> str:
    return f'<FONT POINT-SIZE="9" COLOR="{colour}">{_escaped(text)}</FONT>'


def _short(value: Value) -> str:
    if value.number is not None:
        return value.number
    return "   ".join(part for part in (value.range, value.picture.caption if value.picture else "") if part)


def _cost(cost: Cost, *, whole: bool) -> str:
    """whole: with the time of the rules, which otherwise stands at the cotangents that they give."""
    parts = [labels.seconds(cost.forward)] if cost.forward else []
    if cost.backward and (whole or not cost.forward):
        parts.append(f"back {labels.seconds(cost.backward)}")
    if cost.flops:
        parts.append(labels.many(cost.flops, "flop"))
    return "  ".join([*parts, labels.many(cost.bytes, "B")])


def _spent(box: Box) -> float:
    if box.cost is None:
        return 0.0
    return box.cost.backward if box.kind == "cotangent" else box.cost.forward


def edges(diagram: Diagram, style: Style) -> list[str]:
    """The statements of all edges.

    What flows from one iteration of a loop to another is not drawn across the loop: where it is taken stands its name,
    with a sign that it is that of the iteration before, or, of a cotangent, of the one after.
    """
    lines: list[str] = []
    signs: dict[tuple[str, str | None], str] = {}
    for e in diagram.edges:
        if e.flow not in ("again", "earlier"):
            lines.append(edge(e, style))
            continue
        place = e.tail, diagram.boxes[e.head].group
        if place not in signs:
            signs[place] = f"i{len(signs)}"
            lines.append(_sign(signs[place], diagram.boxes[e.tail], place[1], style))
        look = style.arrows[e.flow].replace(" constraint=false", "")
        if e.change:
            look += f' color="{style.palette.changes[e.change]}"'
        ends = (signs[place], e.head) if e.flow == "again" else (e.head, signs[place])
        back = " dir=back" if e.flow == "earlier" else ""
        lines.append(f'"{ends[0]}" -> "{ends[1]}" [{look}{back}]')
    return lines


def _sign(id: str, box: Box, group: str | None, style: Style) -> str:
    """The name of a value of another iteration, in the frame of the loop."""
    sign, when = ("↻", "before") if box.half == "forward" else ("↺", "after")
    node = (
        f'"{id}" [id="{id}" class="sign" shape=plaintext margin=0.02 height=0.2 width=0.1 '
        f'tooltip="of the iteration {when}" label=<{_small(f"{sign} {box.title}", style.palette.faint)}>]'
    )
    return node if group is None else f'subgraph "cluster_{group}" {{ {node} }}'


def edge(e: Edge, style: Style) -> str:
    """The statement of an edge."""
    tail, head = e.tail, e.head
    look = style.arrows["hidden" if style.is_hidden(e) else e.flow]
    if e.change:
        look += f' color="{style.palette.changes[e.change]}" penwidth=2'
    if e.flow == "backward" and not style.ends_beside(e):
        # Written against its direction, so that the forward half alone decides about the ranks.
        tail, head, look = head, tail, f"{look} dir=back"
    return f'"{tail}" -> "{head}" [{look}]'


def arrows(palette: Palette) -> dict[str, str]:
    """How an edge looks, by what flows. The tie of a parameter and its gradient is hidden: their borders show it."""
    return {
        "forward": 'class="forward"',
        "again": 'class="again" style=dashed constraint=false',
        "backward": f'class="backward" color="{palette.backward}"',
        "earlier": f'class="backward" style=dashed constraint=false color="{palette.backward}"',
        "use": f'class="use" style=dotted constraint=false arrowhead=open color="{palette.faint}"',
        "tie": f'class="tie" style=dotted arrowhead=none color="{palette.faint}"',
        "hidden": 'class="tie" style=invis constraint=false',
    }


def side_by_side(diagram: Diagram, beside: Mapping[str, str]) -> list[str]:
    """What stands side by side: a value and its cotangent, and a step and the one thing that comes from outside."""
    pairs = [(of, g) for of, g in diagram.cotangents().items() if not diagram.boxes[g].stays or of in beside]
    return [f'{{rank=same; "{a}"; "{b}"}}' for a, b in (*pairs, *beside.items())]


def beside(diagram: Diagram) -> dict[str, str]:
    """The parameters and constants that one step alone takes, where it takes no other such, with the step."""
    taken = {
        id: next(iter(takers))
        for id, takers in diagram.takers().items()
        if len(takers) == 1 and diagram.boxes[id].kind in ("parameter", "constant")
    }
    guests = Counter(taken.values())
    return {leaf: taker for leaf, taker in taken.items() if guests[taker] == 1}


def tip(box: Box) -> str:
    """The tooltip of a box."""
    parts = [box.formula or box.title, f"{box.dtype}[{box.shape}]"]
    if box.line:
        parts.append(box.line)
    return "\n".join(parts)


def _escaped(text: str) -> str:
    return html.escape(text, quote=True)


def _text(text: str) -> str:
    """A quoted string of DOT, in which nothing is markup or an escape."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
