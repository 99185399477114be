"""What users get: `Picture`, which Graphviz lays out and which can be saved, and `Graph`, which is to be read."""

from __future__ import annotations

import base64
import functools
import html
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tinygrad_cnn import files
from tinygrad_cnn.pictures.view.diagram import Diagram
from tinygrad_cnn.pictures.write import dot, formats, graphviz, poster
from tinygrad_cnn.pictures.write.colours import PALETTES, Theme, dark_rules, scoped
from tinygrad_cnn.pictures.write.dot import RELAXED, Style
from tinygrad_cnn.pictures.write.geometry import overlapping, places
from tinygrad_cnn.pictures.write.json_document import to_json
from tinygrad_cnn.pictures.write.mermaid import to_mermaid
from tinygrad_cnn.pictures.write.text import to_html, to_table


def to_dot(diagram: Diagram, style: Style) -> str:
    """A diagram in DOT."""
    return poster.to_dot(diagram, style) if diagram.is_poster else dot.to_dot(diagram, style)


COLUMN = 720  # points: a picture that is wider is made narrower, to be read in the column of a page


def width_of(svg: bytes) -> float:
    """The width of an SVG of Graphviz, in points."""
    found = re.search(rb'<svg width="([\d.]+)pt"', svg)
    assert found is not None
    return float(found[1])


IMAGE = re.compile(r'<image xlink:href="(?:[^"]*/)?([a-z]+\d+)\.png"([^>]*)/>')  # a thumbnail, as Graphviz writes it


def position_of(image: str) -> tuple[float, float]:
    """The left and the upper edge of a thumbnail in an SVG."""
    x, y = (re.search(rf' {axis}="([-\d.]+)"', image) for axis in "xy")
    assert x is not None
    assert y is not None
    return float(x[1]), float(y[1])


def _with_titles_on_top(svg: str, paper: str) -> str:
    """An SVG of Graphviz in which the titles of frames, on paper of this colour, are drawn after the arrows."""
    kept: list[str] = []
    titles: dict[str, list[str]] = {}
    within = None  # the frame that lines are in; Graphviz writes an element on each
    for line in svg.split("\n"):  # no other character ends a line of a file
        group = re.match(r'<g id="([^"]*)" class="(\w+)', line)
        if group is not None:
            within = group[1] if group[2] == "cluster" else None
        if within is not None and line.startswith("<text"):
            titles.setdefault(within, []).append(line)
        else:
            kept.append(line)
    end = kept.index("</svg>") - 1  # before the end of the group of all
    style = f'class="title" stroke="{paper}" stroke-width="3" paint-order="stroke"'
    kept[end:end] = [f'<g id="{id}-title" {style}>\n' + "\n".join(texts) + "\n</g>" for id, texts in titles.items()]
    return "\n".join(kept) + "\n"


def _in_a_box(content: str, title: str) -> str:
    """HTML for a notebook, whose cells may be narrower: it keeps its size, and is scrolled."""
    content = content.replace("<svg ", '<svg style="max-width:none" ', 1)
    return (
        f'<div role="region" tabindex="0" aria-label="{html.escape(title)}" style="overflow-x:auto;max-width:100%">'
        f"{content}</div>"
    )


class Picture:
    """A picture of a graph. In a notebook it shows itself; `save` writes it to a file.

    dot, svg, png, pdf   made at their first use; the text in DOT is without thumbnails
    html                 a page to look around in, if format="html" was asked for
    notes                what a reader has to know, such as what was folded
    """

    _formats: tuple[str, ...] = formats.FORMATS

    def __init__(
        self, diagram: Diagram, theme: Theme = "auto", page: tuple[Diagram, set[str], bool] | None = None
    ) -> None:
        self.diagram = diagram
        self.notes = list(diagram.notes)
        self._theme: Theme = theme
        self._page = page

    def __repr__(self) -> str:
        return f"<Picture of {self.diagram.title}: {len(self.diagram.boxes)} boxes>"

    def save(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write it to `path`, in `format` or what the name ends in; whole, or not at all.

        Where nothing can lay it out, its DOT text is written beside, and RuntimeError raised.
        """
        to, chosen = Path(path), formats.format_of(path, format, self._formats)
        try:
            data = self.content(chosen)
        except graphviz.NoEngineError as error:
            instead = to.with_suffix(".dot")
            files.write(instead, self.dot.encode())
            raise graphviz.NoEngineError(f"{error}. The picture is in {instead}, as DOT") from None
        files.write(to, data)

    def content(self, format: str) -> bytes:
        """What a file of this format holds."""
        match format:
            case "svg":
                return self.svg.encode()
            case "png":
                return self.png
            case "pdf":
                return self.pdf
            case "html":
                return self.html.encode()
            case "dot":
                return self.dot.encode()
            case "mermaid":
                return to_mermaid(self.diagram).encode()
            case "txt":
                return f"{self.text()}\n".encode()
            case "json":
                return to_json(self.diagram).encode()
            case _:
                raise ValueError(formats.unknown(format))

    def text(self, within: int | None = None) -> str:
        """The graph as a table, in lines of at most so many columns."""
        return to_table(self.diagram, within)

    @functools.cached_property
    def dot(self) -> str:
        """The picture in DOT, without thumbnails."""
        return to_dot(self.diagram, Style(self.diagram, self._theme))

    @functools.cached_property
    def svg(self) -> str:
        """The picture as SVG; thumbnails are in it, and with the theme "auto" it is dark where its reader's page is."""
        return self.svg_with({})

    def svg_with(self, instead: Mapping[str, Callable[[float, float, str], str]]) -> str:
        """The picture as SVG, with what `instead` puts in the place of thumbnails, by the id of the box.

        It is called with the left and the upper edge of the place, and the colour of the writing beside it.
        """
        text = self.layout
        pictures = self._pictures()

        def inline(match: re.Match[str]) -> str:
            if match[1] in instead:
                writing = match.string.rindex("<text", 0, match.start())
                ink = re.compile('fill="([^"]*)"').search(match.string, writing)
                return instead[match[1]](*position_of(match[0]), ink[1] if ink else PALETTES[self._theme].ink)
            data = base64.b64encode(pictures[match[1]]).decode()
            return f'<image xlink:href="data:image/png;base64,{data}"{match[2]}/>'

        text = IMAGE.sub(inline, text)
        # The names of Graphviz's nodes are read out as text; and letters are to be as wide as it has measured them.
        text = re.sub(r"<title>[^<]*</title>\n?", "", text)
        text = _with_titles_on_top(text, PALETTES[self._theme].group)
        style = "text{white-space:pre;text-rendering:geometricPrecision}"
        if self._theme == "auto":
            style += f"@media (prefers-color-scheme:dark){{{dark_rules()}}}"
        # A point is one pixel, and not 4/3: letters eleven pixels high can be read on a screen, and more fits on it.
        text = re.sub(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"', r'<svg width="\1" height="\2"', text, count=1)
        begin = text.index("<svg")  # after a document type, which has an address
        at = text.index(">", begin)
        name = f"tinygrad-cnn-graph-{self._theme}"
        title = html.escape(f"The graph of {self.diagram.title}")
        head = f'role="img" aria-label="{title}" class="{name}"'
        return f"{text[begin:at]} {head}>\n<title>{title}</title><style>{scoped(style, name)}</style>{text[at + 1 :]}"

    @functools.cached_property
    def png(self) -> bytes:
        """The picture as a PNG, with 144 pixels in an inch."""
        return self._written("png", 144, self._layout[0])

    @functools.cached_property
    def pdf(self) -> bytes:
        """The picture as a PDF."""
        return self._written("pdf", None, self._layout[0])

    @property
    def layout(self) -> str:
        """The SVG of Graphviz, which says where everything is."""
        return self._layout[1].decode()

    def _pictures(self) -> dict[str, bytes]:
        """The thumbnails, by the id of the box."""
        boxes = self.diagram.boxes.values()
        return {
            box.id: box.value.picture.png for box in boxes if box.value is not None and box.value.picture is not None
        }

    @functools.cached_property
    def _layout(self) -> tuple[dict[str, Any], bytes]:
        """How the picture is laid out, as arguments of `Style`, and the SVG so."""
        laid_out = self._tidiest(narrow=False)
        if width_of(laid_out[1]) > COLUMN:
            narrow = self._tidiest(narrow=True)
            if width_of(narrow[1]) < width_of(laid_out[1]):
                return narrow
        return laid_out

    def _tidiest(self, narrow: bool) -> tuple[dict[str, Any], bytes]:
        """The layout that leaves out the least for no two boxes to overlap (see `Style.relaxed`)."""
        for relaxed in range(RELAXED):
            options = {"relaxed": relaxed, "narrow": narrow}
            svg = self._written("svg", None, options)
            if not overlapping(places(svg.decode())):
                return options, svg
        options = {"relaxed": RELAXED, "narrow": narrow}
        return options, self._written("svg", None, options)

    def _written(self, format: str, dpi: int | None, options: dict[str, Any]) -> bytes:
        pictures = self._pictures()
        if not pictures:
            style = Style(self.diagram, self._theme, **options)
            return graphviz.laid_out(to_dot(self.diagram, style), format, None, dpi)
        with files.temporary_folder() as folder:
            for id, png in pictures.items():
                (folder / f"{id}.png").write_bytes(png)
            style = Style(self.diagram, self._theme, {id: f"{id}.png" for id in pictures}, **options)
            return graphviz.laid_out(to_dot(self.diagram, style), format, folder, dpi)

    @functools.cached_property
    def html(self) -> str:
        """The page, in one file that loads nothing."""
        if self._page is None:
            raise ValueError("this picture was not drawn as a page: pass format='html', or a path that ends in .html")
        from tinygrad_cnn.pictures.write.page import to_page

        return to_page(*self._page, theme=self._theme)

    def _repr_svg_(self) -> str | None:
        try:
            return self.svg
        except graphviz.NoEngineError:
            return None

    def _repr_html_(self) -> str | None:
        if self._page is not None:
            return f'<iframe srcdoc="{html.escape(self.html)}" style="width:100%;height:720px;border:0"></iframe>'
        svg = self._repr_svg_()
        if svg is not None:
            return _in_a_box(svg, f"The graph of {self.diagram.title}")
        return f"<p>{html.escape(graphviz.WHAT_TO_INSTALL)}</p><pre>{html.escape(self.dot)}</pre>"


class Graph:
    """The graph of a Tensor, to be read: `print` gives a table in the order of execution.

    It holds a description of the graph, and not the graph, so it keeps no array alive.

    notes  what a reader has to know, such as what was folded

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = tg.Tensor([1.0, 2.0], "x")
    >>> y = np.sum(np.exp(x) * x)
    >>> print(tg.graph(y))  # doctest: +NORMALIZE_WHITESPACE, +ELLIPSIS
    y: 3 steps of 1 parameter
    <BLANKLINE>
        name  value       how               scope  line
    %0  x     float64[2]  parameter                ...
    %1        float64[2]  exp(x)                   ...
    %2        float64[2]  multiply(%1, x)          ...
    %3  y     float64[]   sum(%2...)               ...
    """

    def __init__(self, diagram: Diagram) -> None:
        self._diagram = diagram
        self.notes = list(diagram.notes)

    def __str__(self) -> str:
        return to_table(self._diagram)

    def __repr__(self) -> str:
        return f"<Graph of {self._diagram.title}: {len(self._diagram.boxes)} boxes, {len(self._diagram.edges)} edges>"

    def __len__(self) -> int:
        return len(self._diagram.boxes)

    def dot(self) -> str:
        """The picture in DOT, the language of Graphviz."""
        return to_dot(self._diagram, Style(self._diagram))

    def mermaid(self) -> str:
        """The picture in Mermaid, which GitHub draws."""
        return to_mermaid(self._diagram)

    def json(self) -> str:
        """The graph as JSON, for other tools; `write/json_document.py` says what is in it."""
        return to_json(self._diagram)

    def _repr_svg_(self) -> str | None:
        return Picture(self._diagram)._repr_svg_()

    def _repr_html_(self) -> str:
        svg, title = self._repr_svg_(), f"The graph of {self._diagram.title}"
        picture = "" if svg is None else _in_a_box(svg, title)
        return picture + _in_a_box(to_html(self._diagram), f"{title}, as a table")
