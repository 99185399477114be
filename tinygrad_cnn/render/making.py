"""From what a user asks for to a picture or a text, and to its file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinygrad_cnn.graph import Node
from tinygrad_cnn.render import document, mermaid, text
from tinygrad_cnn.render.building import view_of
from tinygrad_cnn.render.collapse import collapsed, shut
from tinygrad_cnn.render.engines import NoEngine
from tinygrad_cnn.render.marks import Mark
from tinygrad_cnn.render.picture import Picture
from tinygrad_cnn.render.summary import Graph
from tinygrad_cnn.render.view import View

FORMATS = ("svg", "png", "pdf", "html", "dot", "mermaid", "txt", "json")
_ENDINGS = {"mmd": "mermaid", "htm": "html", "gv": "dot", "text": "txt"}


def picture(
    result: Any, path: str | os.PathLike[str] | None, format: str | None, *, theme: str, collapse: Any, **options: Any
) -> Picture:
    """See `render`."""
    if theme not in ("light", "dark", "auto"):
        raise ValueError(f"theme is {theme!r}, but has to be 'light', 'dark' or 'auto'")
    chosen = format_of(path, format)
    view = _view(result, explained=chosen == "html", **options)
    closed = shut(view, collapse)
    made = Picture(collapsed(view, closed), theme, page=(view, closed) if chosen == "html" else None)  # type: ignore[arg-type]
    if path is not None:
        made.save(path, chosen)
    return made


def summary(result: Any, *, collapse: Any, **options: Any) -> Graph:
    """See `graph`."""
    return Graph(_view(result, explained=False, **options), collapse)


def _view(
    result: Any, *, values: str | None, against: Any, explained: bool, marks: Mapping[Node, Mark] | None, **options: Any
) -> View:
    if values not in (None, "thumbnails"):
        raise ValueError(f"values is {values!r}, but has to be 'thumbnails' or None")
    shown = values is not None or explained
    view = view_of(result, values=shown, explained=explained, marks=marks, **options)
    if against is None:
        return view
    from tinygrad_cnn.render.difference import difference

    return difference(view, view_of(against, values=shown, explained=explained, **options))


def format_of(path: str | os.PathLike[str] | None, format: str | None) -> str:
    """The format that is meant, by its name or by what a file's name ends in. Raises ValueError if there is none such."""
    if format is None:
        if path is None:
            return "svg"
        ending = Path(path).suffix[1:].lower()
        format = _ENDINGS.get(ending, ending)
    if format not in FORMATS:
        asked = f"{format!r} is no format of a picture" if format else f"{os.fspath(path or '')!r}: no format is named"
        raise ValueError(f"{asked}; there are {', '.join(FORMATS)}")
    return format


def content(made: Picture, format: str) -> bytes:
    """The file that a picture is in a format."""
    match format:
        case "svg":
            return made.svg.encode()
        case "png":
            return made.png
        case "pdf":
            return made.pdf
        case "html":
            return made.html.encode()
        case "dot":
            return made.dot.encode()
        case "mermaid":
            return mermaid.mermaid(made.view).encode()
        case "txt":
            return (text.table(made.view) + "\n").encode()
        case _:
            return document.document(made.view).encode()


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        aside.write_bytes(data)
        aside.replace(path)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink()


def save(made: Picture, path: Path, format: str) -> None:
    """Write a picture; where nothing can lay it out, its DOT text, and say so."""
    try:
        data = content(made, format)
    except NoEngine as error:
        instead = path.with_suffix(".dot")
        write(instead, made.dot.encode())
        raise NoEngine(f"{error}. The picture is in {instead}, as DOT") from None
    write(path, data)
