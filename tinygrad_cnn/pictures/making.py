"""From what a user asks for to a picture or a text."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from tinygrad_cnn.engine.graph import Node
from tinygrad_cnn.pictures.read.build import view_of
from tinygrad_cnn.pictures.view.closing import collapsed, shut
from tinygrad_cnn.pictures.view.marks import Mark
from tinygrad_cnn.pictures.view.view import View
from tinygrad_cnn.pictures.write.formats import format_of
from tinygrad_cnn.pictures.write.picture import Picture
from tinygrad_cnn.pictures.write.summary import Graph


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
    from tinygrad_cnn.pictures.view.difference import difference

    return difference(view, view_of(against, values=shown, explained=explained, **options))
