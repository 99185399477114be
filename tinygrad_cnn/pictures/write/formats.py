"""The formats of pictures, and the format that the name of a file stands for."""

from __future__ import annotations

import os
from pathlib import Path

FORMATS = ("svg", "png", "pdf", "html", "dot", "mermaid", "txt", "json")
_ENDINGS = {"mmd": "mermaid", "htm": "html", "gv": "dot", "text": "txt"}


def format_of(path: str | os.PathLike[str] | None, format: str | None) -> str:
    """The format that was asked for, or else that of the ending of a file's name. Raises ValueError for others."""
    if format is None:
        if path is None:
            return "svg"
        ending = Path(path).suffix[1:].lower()
        format = _ENDINGS.get(ending, ending)
        if not format:
            raise ValueError(
                f"{os.fspath(path)!r} has no ending that names a format; pass format=, one of {', '.join(FORMATS)}"
            )
    if format not in FORMATS:
        raise ValueError(unknown(format))
    return format


def unknown(format: str) -> str:
    """The message about a format that does not exist."""
    return f"unknown format {format!r}; expected one of {', '.join(FORMATS)}"
