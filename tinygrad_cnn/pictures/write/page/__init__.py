"""The page: one HTML file to look around in a graph, which loads nothing from elsewhere.

The boxes are written in DOT here, by the same code that writes the static pictures. Which of them are drawn follows
from the groups that are closed, by the rule of `view/closed_groups.py`: its terms are fields of boxes, edges and
groups, which the script applies whenever a reader opens or closes a group. Graphviz, which is in the page, then lays
them out.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import zlib
from importlib import resources
from typing import Any

from tinygrad_cnn.extras import extra
from tinygrad_cnn.pictures.view.closed_groups import with_closed
from tinygrad_cnn.pictures.view.diagram import Box, Diagram, Group
from tinygrad_cnn.pictures.view.poster import Card, hosts_of, poster_of
from tinygrad_cnn.pictures.write import json_document
from tinygrad_cnn.pictures.write.colours import Theme, dark_rules
from tinygrad_cnn.pictures.write.dot import Style, defaults, node, sign
from tinygrad_cnn.pictures.write.poster import node as card

with extra("render", "a page of a graph"):
    import jinja2

# A frame is laid out by itself, so that there are no clusters, and no caption.
HEADER = "digraph {\ngraph [rankdir=TB bgcolor=transparent nodesep=0.25 ranksep=0.32 pad=0]\n"

# The page's own script, in the order in which it is written; `script/page.js` says what it offers to all.
SCRIPTS = (
    "page", "theme", "groups", "frames", "dot", "engine", "layout", "drawing", "sight", "steps", "elements", "panel",
    "actions", "search", "controls", "legend", "link", "saving", "cones", "pixel", "start",
)  # fmt: skip

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("tinygrad_cnn.pictures.write", "page"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def to_page(diagram: Diagram, closed: set[str], is_poster: bool = False, theme: Theme = "auto") -> str:
    """The page of a diagram, with these groups closed to begin with; as a poster, of cards."""
    scripts = {"graphviz": _file("vendor/viz-global.js"), "script": _script()}
    return _templates.get_template("page.html").render(
        title=diagram.title,
        theme=theme,
        dark=dark_rules(),
        css=_file("page.css"),
        drawing_css=_file("drawing.css"),
        scripts=scripts.items(),
        # Only these scripts may run, whatever a name or a line of source has in it.
        hashes=" ".join(f"'sha256-{_hash(script)}'" for script in scripts.values()),
        data=packed(contents(diagram, closed, is_poster)),
    )


# What the script reads of a box when it draws or shows that box.
LATER = ("dot", "card", "sign", "value", "before", "rule")


def packed(data: dict[str, Any]) -> str:
    """What the script reads, compressed: on the first line all but what is read later, and that of each box on another;
    on the last, how elements depend on each other.

    A browser then has a page of 10,000 steps before it has parsed what is in its closed groups. In base64 nothing can
    end a script element.
    """
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
    lines = []
    for name in ("boxes", "group_boxes"):
        lines += [encode({key: box.pop(key) for key in LATER if key in box}) for box in data[name]]
    influence = encode(data.pop("influence"))
    text = "\n".join([encode(data), *lines, influence])
    return base64.b64encode(zlib.compress(text.encode(), 6)).decode()


def contents(diagram: Diagram, closed: set[str], is_poster: bool) -> dict[str, Any]:
    """What the page's script reads."""
    every = [*diagram.boxes.values(), *diagram.group_boxes.values()]
    images = {box.id: f"{box.id}.png" for box in every if box.value is not None and box.value.picture is not None}
    # The widths of Arial are those that Graphviz knows where it cannot ask for them.
    style = Style(diagram, "light", images, font="Arial", layered=True)
    has_loops = any(edge.flow in ("again", "earlier") for edge in diagram.edges)
    cards = _cards(diagram, closed, images) if is_poster else {}

    def written(box: Box) -> dict[str, Any]:
        return _box(box, style, diagram.dtype, has_loops) | cards.get(box.id, {})

    return {
        "title": diagram.title,
        "notes": diagram.notes,
        "dtype": diagram.dtype,
        "header": HEADER + defaults(style),
        "boxes": [written(box) for box in diagram.boxes.values()],
        "group_boxes": [written(box) for box in diagram.group_boxes.values()],
        "edges": [[e.tail, e.head, e.flow, e.position, e.detail, e.short, e.change] for e in diagram.edges],
        "groups": [_group(group) for group in diagram.groups.values()],
        "closed": sorted(closed),
        "is_poster": is_poster,
        "looks": {kind: look._asdict() for kind, look in (style.palette.kinds | style.palette.layers).items()},
        "pixel": diagram.pixel,
        "influence": diagram.influence,
    }


def _cards(diagram: Diagram, closed: set[str], images: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The card of every box, whatever is open: its statement, and what is within it.

    What a step alone takes does not depend on what is open elsewhere. So the cards are those of a few posters: of the
    one in which all is open, and of those in which all groups are closed that are equally deep.
    """
    rules = {group.id for group in diagram.groups.values() if group.computes}
    nested = {group.id: len(list(diagram.ancestors(group.id))) for group in diagram.groups.values() if group.forward}
    states = [{id for id, depth in nested.items() if depth == level} for level in sorted({0, *nested.values()})]
    first = with_closed(diagram, closed, is_poster=True)
    style = Style(first, "light", images, font="Arial")
    cotangents = {of: diagram.boxes[id] for of, id in diagram.cotangents().items()}
    alone = {id: Card(box, cotangents.get(id)) for id, box in diagram.boxes.items() if box.half == "forward"}
    found = {id: {"card": card(one, style), "within": []} for id, one in alone.items()}
    for state in states:
        drawn = with_closed(diagram, rules | state)
        within: dict[str, list[str]] = {}
        for leaf, host in hosts_of(drawn).items():
            within.setdefault(host, []).append(leaf)
        for id, one in poster_of(drawn).cards.items():
            if within.get(id) or id not in alone:
                found[id] = {"card": card(one, style), "within": within.get(id, [])}
    return found


def _box(box: Box, style: Style, dtype: str, has_loops: bool) -> dict[str, Any]:
    found = json_document.box(box)
    found |= {
        "title": box.title,
        "dot": node(box, style),
        "half": box.half,
        "layer": box.layer,
        "stays": box.stays,
        "is_step": box.is_step,
        "numbered": box.number is not None,
    }
    if has_loops:
        found["sign"] = sign(f"i{box.id}", box, style)
    for name, value in (("value", box.value), ("before", box.before)):
        if value is not None:
            found[name]["picture"] = json_document.picture(value)
            found[name]["range"] = value.range
    if box.rule is not None:
        found["rule"] = box.rule._asdict()
    if box.shows is not None:
        found["shows"] = box.shows
    if box.dtype == dtype:
        del found["dtype"]
    return {key: field for key, field in found.items() if field is not None and field is not False and field != ""}


def _group(group: Group) -> dict[str, Any]:
    return json_document.group(group) | {
        "forward": group.forward,
        "backward": group.backward,
        "computes": group.computes,
        "fewest": group.fewest,
    }


@functools.cache
def _script() -> str:
    """All files of the script in one function, so that none of their names is a global variable."""
    return "\n".join(['"use strict";', "(async () => {", *(_file(f"script/{name}.js") for name in SCRIPTS), "})();"])


@functools.cache
def _file(name: str) -> str:
    return resources.files("tinygrad_cnn.pictures.write.page").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode()
