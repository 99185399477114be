"""The picture in DOT, the language of Graphviz."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping

from tinygrad_cnn.pictures.read.thumbnails import Thumbnail
from tinygrad_cnn.pictures.read.values import Value
from tinygrad_cnn.pictures.view import labels as words
from tinygrad_cnn.pictures.view.view import Box, Cost, Edge, Group, View
from tinygrad_cnn.pictures.write.colours import (
    HEAT,
    PALETTES,
    SEVERITY,
    Palette,
    Theme,
    on_scale,
)

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
    """How a view is written: colours, the font, and the files of thumbnails, by the id of the box.

    most    the seconds of the dearest step, where steps are coloured by what they cost
    arrows  how edges look, by what flows
    beside  what stands beside the step that takes it
    """

    def __init__(
        self, view: View, theme: Theme = "light", images: Mapping[str, str] | None = None, font: str = FONT
    ) -> None:
        self.palette: Palette = PALETTES[theme]
        self.images = images or {}
        self.font = font
        self.dtype = view.dtype
        self.arrows = arrows(self.palette)
        self.beside = beside(view)
        self._stay = {box.id for box in view.boxes.values() if box.stays}
        self.most = max((_spent(box) for box in view.boxes.values() if box.kind != "scope"), default=0.0)
        self._labels: dict[tuple[str, str], Edge] = {}  # the edge at which the shape of what leaves a box is said
        for e in view.edges:
            if e.flow in ("forward", "backward") and e.tail not in self.beside and f"n{e.head[1:]}" not in self.beside:
                self._labels.setdefault((e.tail, e.flow), e)

    def is_labelled(self, e: Edge) -> bool:
        """Whether the shape of what flows is said at `e`: once for each box that it leaves, if that does not say it."""
        return self._labels.get((e.tail, e.flow)) is e

    def stays(self, id: str) -> bool:
        """Whether a box comes from outside, as parameters do."""
        return id in self._stay


def dot(view: View, style: Style) -> str:
    """The whole picture."""
    lines = [header(view, style)]
    children: dict[str | None, list[str]] = {}
    for group in view.groups.values():
        children.setdefault(group.parent, []).append(group.id)
    inside: dict[str | None, list[Box]] = {}
    for box in view.boxes.values():
        inside.setdefault(box.group, []).append(box)
    # Depth first, with a stack of what is still to be written: a group may be as deep as memory allows.
    with_frames = framed(view, inside, children)
    waiting: list[str | Group] = [view.groups[id] for id in reversed(children.get(None, []))]
    lines += [node(box, style) for box in inside.get(None, [])]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            lines.append(item)
            continue
        if item.id in with_frames:
            lines.append(opening(item, style))
            waiting.append("}")
        lines += [node(box, style) for box in inside.get(item.id, [])]
        waiting += [view.groups[id] for id in reversed(children.get(item.id, []))]
    lines += [edge(e, style) for e in view.edges]
    lines += pairs(view)
    lines.append("}\n")
    return "\n".join(lines)


def framed(view: View, inside: Mapping[str | None, list[Box]], children: Mapping[str | None, list[str]]) -> set[str]:
    """The groups that get a frame: what has but one step, and is no loop, is told in the box of that step."""
    counts: dict[str, int] = {}
    for group in reversed(list(view.groups.values())):  # children stand behind their parents
        steps = sum(box.kind in ("primitive", "scope", "rule") for box in inside.get(group.id, []))
        counts[group.id] = steps + sum(counts[id] for id in children.get(group.id, []))
    return {id for id, count in counts.items() if count > 1 or view.groups[id].kind != "scope"}


def header(view: View, style: Style) -> str:
    """The beginning, with what holds for all."""
    palette = style.palette
    says = "   ·   ".join(
        [f"all {view.dtype}" if _uniform(view) else f"{view.dtype} where no other is said", *view.notes]
    )
    return (
        "digraph {\n"
        f'graph [rankdir=TB newrank=true bgcolor="{palette.paper}" '
        f'fontname="{style.font}" fontsize=9 fontcolor="{palette.faint}" nodesep=0.25 ranksep=0.32 pad=0.12 '
        f'labelloc=b labeljust=l tooltip=" " label={_text(says)}]\n'
        f'node [fontname="{style.font}" fontsize=11 margin="0.07,0.03" height=0.28 width=0.5 penwidth=1]\n'
        f'edge [fontname="{style.font}" fontsize=9 arrowsize=0.55 penwidth=1 color="{palette.forward}" '
        f'fontcolor="{palette.faint}"]'
    )


def _uniform(view: View) -> bool:
    return all(box.dtype == view.dtype for box in view.boxes.values())


def opening(group: Group, style: Style) -> str:
    """The beginning of the frame of a group."""
    palette = style.palette
    dashed = ",dashed" if group.kind != "scope" else ""
    name = f"<B>{_escaped(group.name)}</B>" if group.kind == "scope" else _escaped(group.name)
    if group.kind == "loop":
        name += f'<FONT POINT-SIZE="9" COLOR="{palette.faint}">   {_escaped(group.says)}</FONT>'
    cost = ""
    if group.cost is not None:
        cost = f"   {_small(_cost(group.cost), palette.faint)}"
    tip = _text(group.says or group.name)
    return (
        f'subgraph "cluster_{group.id}" {{ graph [id="{group.id}" class="{group.kind}" label=<{name}{cost}> '
        f'labelloc=t labeljust=l margin=6 style="filled,rounded{dashed}" color="{palette.frame}" '
        f'fillcolor="{palette.group}" fontcolor="{palette.ink}" fontsize=11 tooltip={tip}]'
    )


def node(box: Box, style: Style) -> str:
    """The statement of a box."""
    palette = style.palette
    look = palette.kinds[box.kind]
    shape, drawn = _SHAPES[box.kind]
    fill, ink, faint = look.fill, look.ink, palette.faint
    wide = 1.0
    if box.mark is not None:
        fill, ink = on_scale(SEVERITY, box.mark.severity)
        faint = ink
        wide = 3.0 if box.mark.flag else 1.0
    elif box.cost is not None and style.most:
        fill, ink = on_scale(HEAT, _spent(box) / style.most)
        faint = ink
    line = palette.changes.get(box.change or "", look.line)
    if box.change:
        wide = 2.4
        drawn = drawn if box.change == "added" or "dashed" in drawn else f"{drawn},dashed"
    extra = ""
    if not box.stays:  # straight ways, where there is but one
        extra = f' group="{"back" if box.kind in ("cotangent", "rule") else "forth"}"'
    if box.kind == "parameter" or (box.kind == "cotangent" and box.stays):
        extra += " peripheries=2"
        drawn = "filled"
    elif box.is_result:
        extra += " peripheries=2"
    if wide != 1.0:
        extra += f" penwidth={wide}"
    return (
        f'"{box.id}" [id="{box.id}" class="{box.kind}" shape={shape} style="{drawn}" fillcolor="{fill}" color="{line}" '
        f'fontcolor="{ink}" tooltip={_text(tip(box))}{extra} label=<{label(box, style, ink, faint)}>]'
    )


def label(box: Box, style: Style, ink: str, faint: str) -> str:
    """What stands in a box: its name, what computed it, and what of its value is to be seen."""
    palette = style.palette
    title = f"<B>{_escaped(box.title)}</B>"
    by = "" if box.kind in ("input", "parameter", "constant") else box.says or box.primitive
    if box.kind == "scope" and box.name:
        title = f"<B>{_escaped(box.primitive)}</B>"
        by = box.says if box.name == box.primitive else f"{box.name}, {box.says}"
    if by == box.name:
        by = ""
    if not box.name and by.startswith(box.primitive):  # its call is its name
        title, by = f"<B>{_escaped(box.primitive)}</B>{_escaped(by[len(box.primitive) :])}", ""
    first = title + (f'  <FONT POINT-SIZE="10" COLOR="{faint}">{_escaped(by)}</FONT>' if by else "")
    if box.count > 1:
        first += f'  <FONT POINT-SIZE="10">× {box.count:,}</FONT>'
    small = []
    if box.dtype != style.dtype:
        small.append(box.dtype)
    if box.stays or box.is_result:
        small.append(box.shape)
    value, before = box.value, box.before
    rows = [first]
    if value is not None and before is not None:
        rows[0] += "".join(f"  {_small(part, faint)}" for part in small)  # beneath there is no room
        rows.append(_small(f"{before.number or before.range}  →  {value.number or value.range}", ink))
    else:
        if value is not None and (box.kind != "scope" or value.number is not None):
            small.append(_short(value))
        if any(small):  # Graphviz shows nothing at all of a label in which an element is empty
            rows.append(_small("   ".join(filter(None, small)), faint))
    if value is not None and value.wrong:
        wrong = _escaped(", ".join(value.wrong))
        rows.append(f'<FONT POINT-SIZE="10" COLOR="{palette.wrong}"><B>! {wrong}</B></FONT>')
    if box.cost is not None:
        rows.append(_small(_cost(box.cost), faint))
    if box.mark is not None and (box.mark.note or box.mark.flag):
        rows.append(f'<FONT POINT-SIZE="10">{"▶ " if box.mark.flag else ""}{_escaped(box.mark.note)}</FONT>')
    image = style.images.get(box.id)
    picture: Thumbnail | None = value.picture if value is not None else None
    if image is None or picture is None:
        if len(rows) == 1:
            return rows[0]
        return _table([f'<TD ALIGN="LEFT">{row}</TD>' for row in rows])
    cell = (  # with a cell between, for an image fills the width of its own
        f'<TD ROWSPAN="{len(rows)}" FIXEDSIZE="TRUE" WIDTH="6" HEIGHT="1"></TD>'
        f'<TD ROWSPAN="{len(rows)}" FIXEDSIZE="TRUE" WIDTH="{picture.width + 2}" HEIGHT="{picture.height + 2}">'
        f'<IMG SRC="{html.escape(image)}" SCALE="TRUE"/></TD>'
    )
    cells = [f'<TD ALIGN="LEFT">{row}</TD>' for row in rows]
    cells[0] += cell
    return _table(cells)


def _table(rows: list[str]) -> str:
    inner = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{inner}</TABLE>'


def _small(text: str, colour: str) -> str:
    return f'<FONT POINT-SIZE="9" COLOR="{colour}">{_escaped(text)}</FONT>'


def _short(value: Value) -> str:
    if value.number is not None:
        return value.number
    return "   ".join(part for part in (value.range, value.picture.says if value.picture else "") if part)


def _cost(cost: Cost) -> str:
    parts = [words.seconds(cost.forward)] if cost.forward else []
    if cost.backward:
        parts.append(f"back {words.seconds(cost.backward)}")
    if cost.flops:
        parts.append(words.many(cost.flops, "flop"))
    return "  ".join([*parts, words.many(cost.bytes, "B")])


def _spent(box: Box) -> float:
    if box.cost is None:
        return 0.0
    return box.cost.backward if box.kind == "cotangent" else box.cost.forward


def edge(e: Edge, style: Style) -> str:
    """The statement of an edge."""
    tail, head, flow = e.tail, e.head, e.flow
    look = style.arrows["hidden" if flow == "tie" and style.stays(tail) else flow]
    if e.change:
        look += f' color="{style.palette.changes[e.change]}" penwidth=2'
    if e.label and style.is_labelled(e):
        look += f" xlabel={_text(f' {e.label} ')}"
    if flow == "backward" and f"n{head[1:]}" not in style.beside:
        # Against its way, so that the forward graph alone decides about the ranks.
        tail, head, look = head, tail, f"{look} dir=back"
    return f'"{tail}" -> "{head}" [{look}]'


def arrows(palette: Palette) -> dict[str, str]:
    """How an edge looks, by what flows. A parameter and its gradient are told by their borders: their tie is hidden."""
    return {
        "forward": 'class="forward"',
        "again": 'class="again" style=dashed constraint=false',
        "backward": f'class="backward" color="{palette.backward}"',
        "earlier": f'class="backward" style=dashed constraint=false color="{palette.backward}"',
        "use": f'class="use" style=dotted constraint=false arrowhead=open color="{palette.faint}"',
        "tie": f'class="tie" style=dotted arrowhead=none color="{palette.faint}"',
        "hidden": 'class="tie" style=invis constraint=false',
    }


def pairs(view: View) -> list[str]:
    """What stands side by side: a value and its cotangent, and a step and the one thing that comes from outside."""
    guests = beside(view)
    mirrored = {box.of: box.id for box in view.boxes.values() if box.of and (not box.stays or box.of in guests)}
    return [f'{{rank=same; "{a}"; "{b}"}}' for a, b in (*mirrored.items(), *guests.items())]


def beside(view: View) -> dict[str, str]:
    """The parameters and constants that stand beside the step that takes them, for it takes no other, nor they it."""
    takers: dict[str, set[str]] = {}
    for e in view.edges:
        if e.flow in ("forward", "again"):
            takers.setdefault(e.tail, set()).add(e.head)
    taken = {
        id: next(iter(heads))
        for id, heads in takers.items()
        if len(heads) == 1 and view.boxes[id].kind in ("parameter", "constant")
    }
    guests = Counter(taken.values())
    return {leaf: taker for leaf, taker in taken.items() if guests[taker] == 1}


def tip(box: Box) -> str:
    """What is said of a box when one points at it."""
    parts = [box.formula or box.title, f"{box.dtype}[{box.shape}]"]
    if box.line:
        parts.append(box.line)
    return "\n".join(parts)


def _escaped(text: str) -> str:
    return html.escape(text, quote=True)


def _text(text: str) -> str:
    """A quoted string of DOT, in which nothing is markup or an escape."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
