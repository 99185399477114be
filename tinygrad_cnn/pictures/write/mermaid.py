"""The picture in Mermaid, which GitHub and many wikis draw."""

from __future__ import annotations

import re

from tinygrad_cnn.pictures.view.diagram import Box, Diagram
from tinygrad_cnn.pictures.write.colours import LIGHT

_SHAPES = {
    "input": ("[/", "/]"),
    "parameter": ("[[", "]]"),
    "constant": ("[", "]"),
    "primitive": ("(", ")"),
    "scope": ("[", "]"),
    "cotangent": ("(", ")"),
    "rule": ("(", ")"),
}
_ARROWS = {"forward": "-->", "again": "-.->", "backward": "-->", "earlier": "-.->", "use": "-.->", "tie": "-.-"}


def to_mermaid(diagram: Diagram) -> str:
    """A flowchart."""
    lines = ["flowchart TD"]
    for item in diagram.nested():
        if isinstance(item, Box):
            lines.append(_node(item))
        else:
            event, group = item
            lines.append("end" if event == "end" else f'subgraph {group.id}["{_escaped(group.name)}"]')
    for e in diagram.edges:
        label = f'|"{_escaped(e.label)}"|' if e.label and e.flow in ("forward", "backward") else ""
        lines.append(f"{e.tail} {_ARROWS[e.flow]}{label} {e.head}")
    for kind, look in LIGHT.kinds.items():
        lines.append(f"classDef {kind} fill:{look.fill},stroke:{look.line},color:{look.ink}")
    return "\n".join(lines) + "\n"


def _node(box: Box) -> str:
    begin, end = _SHAPES[box.kind]
    title = _escaped(box.title)
    by = "" if box.kind in ("input", "parameter", "constant") else box.summary or box.primitive
    second = f"<br>{_escaped(by)}" if box.name and by not in ("", box.name) else ""
    times = f" × {box.count:,}" if box.count > 1 else ""
    return f'{box.id}{begin}"{title}{times}{second}"{end}:::{box.kind}'


def _escaped(text: str) -> str:
    """Text in a label, in which nothing is markup: all but letters, digits and the plainest signs as numbers."""
    return re.sub(r"[^\w .,:×…/∂+=()\[\]|-]", lambda match: f"#{ord(match[0])};", text)
