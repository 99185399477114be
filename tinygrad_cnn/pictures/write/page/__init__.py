"""The page: one HTML file to look around in a graph, which loads nothing from elsewhere.

The boxes are written in DOT here, by the same code that writes the static pictures; the page puts those that are
visible together and has Graphviz, which is in it, lay them out whenever a group is opened or closed.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from importlib import resources
from typing import Any

from tinygrad_cnn.extras import extra
from tinygrad_cnn.pictures.view.view import Box, View
from tinygrad_cnn.pictures.write import json_document as document
from tinygrad_cnn.pictures.write.colours import Theme
from tinygrad_cnn.pictures.write.dot import Style, header, node, opening
from tinygrad_cnn.pictures.write.picture import dark

with extra("render", "a page of a graph"):
    import jinja2

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("tinygrad_cnn.pictures.write", "page"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(view: View, closed: set[str], theme: Theme = "auto") -> str:
    """The page of a view, with these groups closed to begin with."""
    scripts = [_file("vendor/viz-global.js"), _file("vendor/svg-pan-zoom.min.js"), _file("page.js")]
    return _templates.get_template("page.html").render(
        title=view.title,
        theme=theme,
        dark=dark(),
        css=_file("page.css"),
        scripts=scripts,
        # Only these scripts may run, whatever a name or a line of source has in it.
        hashes=" ".join(f"'sha256-{_hash(script)}'" for script in scripts),
        data=in_script(contents(view, closed)),
    )


def in_script(data: Any) -> str:
    """JSON that may stand in a script element, whatever is in its strings."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def contents(view: View, closed: set[str]) -> dict[str, Any]:
    """What the page's script reads."""
    every = [*view.boxes.values(), *view.closed.values()]
    images = {box.id: f"{box.id}.png" for box in every if box.value is not None and box.value.picture is not None}
    style = Style(view, "light", images, font="Arial")  # whose widths Graphviz knows where it cannot ask for them
    return {
        "title": view.title,
        "notes": view.notes,
        "dtype": view.dtype,
        "header": header(view, style),
        "boxes": [_box(box, style) for box in every],
        "edges": [document.edge(edge) for edge in view.edges],
        "groups": [
            {
                **document.group(group),
                "dot": opening(group, style),
                "forward": group.forward,
                "backward": group.backward,
            }
            for group in view.groups.values()
        ],
        "closed": sorted(closed),
        "arrows": style.arrows,
        "changes": style.palette.changes,
    }


def _box(box: Box, style: Style) -> dict[str, Any]:
    found = document.box(box)
    found["title"] = box.title
    found["dot"] = node(box, style)
    found["stays"] = box.stays
    for name, value in (("value", box.value), ("before", box.before)):
        if value is not None:
            found[name]["picture"] = document.picture(value)
            found[name]["range"] = value.range
    if box.rule is not None:
        found["rule"] = box.rule._asdict()
    return found


@functools.cache
def _file(name: str) -> str:
    return resources.files("tinygrad_cnn.pictures.write.page").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode()
