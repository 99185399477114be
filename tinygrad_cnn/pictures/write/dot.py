"""The picture in DOT, the language of Graphviz."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from tinygrad_cnn.declarations import KINDS
from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.view.diagram import Box, Diagram, Edge, Group
from tinygrad_cnn.pictures.write.colours import PALETTES, REACHED, Look, Palette, Theme, on_scale
from tinygrad_cnn.pictures.write.geometry import width_of
from tinygrad_cnn.pictures.write.label import cost, escaped, label, quoted, small, tip

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
    layered steps have the colours of what they are in a network
    narrow  thumbnails stand beneath what is written, and on a card what flows back beneath the value
    relaxed how much is left out that makes a layout tidy and boxes overlap: from 1 on straight columns, from 2 on ranks
            across frames, at 3 frames
    """

    def __init__(
        self,
        diagram: Diagram,
        theme: Theme = "light",
        images: Mapping[str, str] | None = None,
        font: str = FONT,
        relaxed: int = 0,
        layered: bool = False,
        narrow: bool = False,
    ) -> None:
        self.relaxed, self.layered, self.narrow = relaxed, layered, narrow
        self.palette: Palette = PALETTES[theme]
        self.images = images or {}
        self.font = font
        self.dtype = diagram.dtype
        self.arrows = arrows(self.palette)
        self.beside = beside(diagram)
        self.poster = diagram.is_poster
        timed = [box for box in diagram.boxes.values() if self.poster or box.kind != "scope"]
        self.most = max((self.spent(box) for box in timed), default=0.0)
        self.both = any(box.kind == "cotangent" for box in diagram.boxes.values())
        self._boxes = diagram.boxes

    def spent(self, box: Box) -> float:
        """The seconds that the colour of a box stands for: of a card, those of both halves."""
        if box.cost is None:
            return 0.0
        if self.poster and box.kind != "cotangent":
            return box.cost.forward + box.cost.backward
        return box.cost.backward if box.kind == "cotangent" else box.cost.forward

    def ends_beside(self, e: Edge) -> bool:
        """Whether `e` goes to the cotangent of what stands beside a step."""
        return self._boxes[e.head].of in self.beside

    def is_hidden(self, e: Edge) -> bool:
        """Whether `e` ties a parameter to its gradient: their borders show that."""
        return e.flow == "tie" and self._boxes[e.tail].stays


def to_dot(diagram: Diagram, style: Style) -> str:
    """The whole picture."""
    signs, arrows = edges(diagram, style)
    lines = [header(diagram, style), *body(diagram, style, signs, lambda box: node(box, style)), *arrows]
    lines += side_by_side(diagram, style.beside)
    lines.append("}\n")
    return "\n".join(lines)


def body(
    diagram: Diagram, style: Style, signs: Mapping[str | None, list[str]], statement: Callable[[Box], str | None]
) -> list[str]:
    """The boxes, each by its statement, if it has one, and the frames around them.

    signs: what else stands in a group, or in none.
    """
    lines = list(signs.get(None, []))
    frames = framed(diagram, style)
    for item in diagram.nested():
        if isinstance(item, Box):
            lines += filter(None, [statement(item)])
            continue
        event, group = item
        if group.id in frames:
            lines.append("}" if event == "end" else opening(group, style))
        if event == "begin":
            lines += signs.get(group.id, [])
    return lines


RELAXED = 3  # the most of `Style.relaxed`


def framed(diagram: Diagram, style: Style) -> set[str]:
    """The groups that get a frame, those with `Group.fewest` steps or more."""
    if style.relaxed == RELAXED:
        return set()
    counts = dict.fromkeys(diagram.groups, 0)
    for box in diagram.boxes.values():
        if box.group is not None and box.is_step:
            counts[box.group] += 1
    for group in reversed(list(diagram.groups.values())):  # children stand behind their parents
        if group.parent is not None:
            counts[group.parent] += counts[group.id]
    return {id for id, count in counts.items() if count >= diagram.groups[id].fewest}


def header(diagram: Diagram, style: Style, legend: Sequence[tuple[str, Look]] = ()) -> str:
    """The beginning, with what holds for all.

    legend: what the colours of boxes mean.
    """
    palette = style.palette
    caption = "   ·   ".join(
        [
            f"all {diagram.dtype}" if _uniform(diagram) else f"{diagram.dtype} unless another dtype is shown",
            *diagram.notes,
        ]
    )
    return (
        "digraph {\n"
        f'graph [rankdir=TB newrank={"false" if style.relaxed > 1 else "true"} bgcolor="{palette.paper}" '
        f'fontname="{style.font}" fontsize=9 fontcolor="{palette.faint}" nodesep=0.25 ranksep=0.32 pad=0.12 '
        f'labelloc=b labeljust=l tooltip=" " label={_caption(caption, legend, style)}]\n' + defaults(style)
    )


def defaults(style: Style) -> str:
    """What holds for all boxes and arrows."""
    palette = style.palette
    return (
        f'node [fontname="{style.font}" fontsize=11 margin="0.07,0.03" height=0.28 width=0.5 penwidth=1]\n'
        f'edge [fontname="{style.font}" fontsize=9 arrowsize=0.55 penwidth=1 color="{palette.forward}" '
        f'fontcolor="{palette.faint}"]'
    )


def legend_of(layers: Collection[str], style: Style) -> list[tuple[str, Look]]:
    """What the colours of these kinds of layers mean."""
    return [(kind, style.palette.layers[kind]) for kind in KINDS if kind in layers]


def _caption(caption: str, legend: Sequence[tuple[str, Look]], style: Style) -> str:
    """What is written beneath a picture: a legend, if there is one, and what a reader has to know."""
    if style.most:
        heat = style.palette.heat
        scale = [(labels.seconds(style.most * (i + 1) / len(heat)), colour) for i, (colour, _) in enumerate(heat)]
        entries = [("up to", None), *scale]
    else:
        entries = [(what, look.fill) for what, look in legend]
    if not entries:
        return quoted(caption)
    faint = style.palette.faint
    cells = "".join(
        (
            f'<TD BORDER="1" COLOR="{faint}" BGCOLOR="{fill}" FIXEDSIZE="TRUE" WIDTH="11" HEIGHT="11"></TD>'
            if fill
            else ""
        )
        + f"<TD>{small(what, faint)}</TD>"
        for what, fill in entries
    )
    wide = sum(20 + round(width_of(what, 9, False)) for what, _ in entries)
    size = f'ALIGN="LEFT" FIXEDSIZE="TRUE" WIDTH="{wide}" HEIGHT="18"'
    row = f'<TABLE {size} BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="1"><TR>{cells}</TR></TABLE>'
    return (
        f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1"><TR><TD ALIGN="LEFT">{row}</TD></TR>'
        f'<TR><TD ALIGN="LEFT">{small(caption, faint)}</TD></TR></TABLE>>'
    )


def _uniform(diagram: Diagram) -> bool:
    return all(box.dtype == diagram.dtype for box in diagram.boxes.values())


def opening(group: Group, style: Style) -> str:
    """The beginning of the frame of a group."""
    palette = style.palette
    dashed = ",dashed" if group.kind != "scope" else ""
    name = f"<B>{escaped(group.title)}</B>" if group.kind == "scope" else escaped(group.title)
    if group.kind == "loop":
        name += f'<FONT POINT-SIZE="9" COLOR="{palette.faint}">   {escaped(group.caption)}</FONT>'
    total = ""
    if group.cost is not None:
        total = f"   {small(cost(group.cost, whole=True), palette.faint)}"
    hint = quoted(group.caption or group.name)
    return (
        f'subgraph "cluster_{group.id}" {{ graph [id="{group.id}" class="{group.kind}" label=<{name}{total}> '
        f'labelloc=t labeljust=l margin=6 style="filled,rounded{dashed}" color="{palette.frame}" '
        f'fillcolor="{palette.group}" fontcolor="{palette.ink}" fontsize=11 tooltip={hint}]'
    )


def node(box: Box, style: Style) -> str:
    """The statement of a box."""
    fill, ink, faint = colours_of(box, style)
    border, shape, drawn = _outline(box, style)
    straight = ""
    if not box.stays and not style.relaxed:  # edges within a group of DOT are drawn straight
        straight = f' group="{"back" if box.half == "backward" else "forth"}"'
    return (
        f'"{box.id}" [id="{box.id}" class="{box.kind}" shape={shape} style="{drawn}" fillcolor="{fill}" '
        f'color="{border}" fontcolor="{ink}" tooltip={quoted(tip(box))}{straight}{thickness(box)}{_link(box)} '
        f"label=<{_label(box, style, ink, faint)}>]"
    )


def colours_of(box: Box, style: Style) -> tuple[str, str, str]:
    """Fill, writing, and small writing: by the mark or the cost of a box, or else by its kind."""
    if box.mark is not None:
        fill, ink = on_scale(style.palette.severity, box.mark.severity)
        return fill, ink, ink
    if box.cost is not None and style.most:
        fill, ink = on_scale(style.palette.heat, style.spent(box) / style.most)
        return fill, ink, ink
    if style.layered and box.layer and box.half == "forward":
        look = style.palette.layers[box.layer]
        return look.fill, look.ink, look.ink
    look = style.palette.kinds[box.kind]
    return look.fill, look.ink, style.palette.faint


def _outline(box: Box, style: Style) -> tuple[str, str, str]:
    """The colour of the border, the shape, and DOT's style of a box."""
    shape, drawn = _SHAPES[box.kind]
    if _is_parameter_or_gradient(box):
        drawn = "filled"
    elif box.change == "removed" and "dashed" not in drawn:
        drawn = f"{drawn},dashed"
    return border(box, style, style.palette.kinds[box.kind].line), shape, drawn


def border(box: Box, style: Style, usual: str) -> str:
    """The colour of a border: of what was changed, or reached, or else as usual."""
    return style.palette.changes.get(box.change or "") or REACHED.get(box.reached or "") or usual


def thickness(box: Box) -> str:
    """The border: double for results, parameters and their gradients, thick for what to look at."""
    double = " peripheries=2" if box.is_result or _is_parameter_or_gradient(box) else ""
    if box.change or box.reached in REACHED:
        return f"{double} penwidth=2.4"
    if box.mark is not None and box.mark.flag:
        return f"{double} penwidth=3.0"
    return double


def _link(box: Box) -> str:
    """Where a click on the box leads."""
    return f" URL={quoted(box.mark.link)}" if box.mark is not None and box.mark.link else ""


def _is_parameter_or_gradient(box: Box) -> bool:
    return box.kind == "parameter" or (box.kind == "cotangent" and box.stays)


def _label(box: Box, style: Style, ink: str, faint: str) -> str:
    file = style.images.get(box.id)
    return label(
        box,
        ink,
        faint,
        palette=style.palette,
        dtype=style.dtype,
        image_file=file,
        whole=not style.both,
        narrow=style.narrow,
    )


def edges(diagram: Diagram, style: Style) -> tuple[dict[str | None, list[str]], list[str]]:
    """The statements of all edges, after those of signs, by the group that they stand in.

    What flows from one iteration of a loop to another is not drawn across the loop: where it is taken stands its name,
    with a sign that it is that of the iteration before, or, of a cotangent, of the one after.
    """
    signs = Signs(diagram, style)
    lines = []
    for e in diagram.edges:
        if e.flow in ("again", "earlier"):
            lines.append(signs.edge(e, e.head))
        else:
            lines.append(edge(e, style))
    return signs.statements, lines


class Signs:
    """The names of values of another iteration, where they are taken: once in each group."""

    def __init__(self, diagram: Diagram, style: Style) -> None:
        self.diagram, self.style = diagram, style
        self.statements: dict[str | None, list[str]] = {}
        self._known: dict[tuple[str, str | None], str] = {}

    def edge(self, e: Edge, head: str) -> str:
        """The statement of an edge of a loop, drawn from a sign to the box `head`."""
        box, group = self.diagram.boxes[e.tail], self.diagram.boxes[head].group
        id = self._known.get((e.tail, group))
        if id is None:
            id = self._known[e.tail, group] = f"i{len(self._known)}"
            self.statements.setdefault(group, []).append(sign(id, box, self.style))
        look = self.style.arrows[e.flow].replace(" constraint=false", "")
        if e.change:
            look += f' color="{self.style.palette.changes[e.change]}"'
        if e.flow == "earlier":
            return f'"{head}" -> "{id}" [{look} dir=back]'
        return f'"{id}" -> "{head}" [{look}]'


def sign(id: str, box: Box, style: Style) -> str:
    """The statement of what names the value of a box that is of another iteration."""
    arrow, when = ("↻", "before") if box.half == "forward" else ("↺", "after")
    return (
        f'"{id}" [id="{id}" class="sign" shape=plaintext margin=0.02 height=0.2 width=0.1 '
        f'tooltip="of the iteration {when}" label=<{small(f"{arrow} {box.title}", style.palette.faint)}>]'
    )


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
