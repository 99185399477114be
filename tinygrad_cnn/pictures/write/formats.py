"""The formats of pictures, and the format that the name of a file stands for."""

from __future__ import annotations

import os
from pathlib import Path

FORMATS = ("svg", "png", "pdf", "html", "dot", "mermaid", "txt", "json")
FILM_FORMATS = ("svg", "gif", "png")
_ENDINGS = {"mmd": "mermaid", "htm": "html", "gv": "dot", "text": "txt", "apng": "png"}


def format_of(path: str | os.PathLike[str] | None, format: str | None, known: tuple[str, ...] = FORMATS) -> str:
    """The format that was asked for, or else that of the ending of a file's name. Raises ValueError for others.

    known: `FORMATS`, or `FILM_FORMATS`, in which png is an animated PNG.
    """
    if format is None:
        if path is None:
            return "svg"
        ending = Path(path).suffix[1:].lower()
        format = _ENDINGS.get(ending, ending)
        if not format:
            raise ValueError(
                f"{os.fspath(path)!r} has no ending that names a format; pass format=, one of {', '.join(known)}"
            )
    if format not in known:
        raise ValueError(unknown(format, known))
    return format


def unknown(format: str, known: tuple[str, ...] = FORMATS) -> str:
    """The message about a format that is not among those `known`, of pictures or of films."""
    if known == FILM_FORMATS:
        return f"unknown format {format!r} for a film; expected one of {', '.join(known)}"
    with_frames = " (pass frames= for a film)" if format in FILM_FORMATS else ""
    return f"unknown format {format!r}; expected one of {', '.join(known)}{with_frames}"
