"""The formats of pictures, and which of them the name of a file means."""

from __future__ import annotations

import os
from pathlib import Path

FORMATS = ("svg", "png", "pdf", "html", "dot", "mermaid", "txt", "json")
_ENDINGS = {"mmd": "mermaid", "htm": "html", "gv": "dot", "text": "txt"}


def format_of(path: str | os.PathLike[str] | None, format: str | None) -> str:
    """The format that is meant: by its name, or by what a file's name ends in. Raises ValueError if it is none."""
    if format is None:
        if path is None:
            return "svg"
        ending = Path(path).suffix[1:].lower()
        format = _ENDINGS.get(ending, ending)
        if not format:
            raise ValueError(
                f"{os.fspath(path)!r}: its name does not say in which format; there are {', '.join(FORMATS)}"
            )
    if format not in FORMATS:
        raise ValueError(unknown(format))
    return format


def unknown(format: str) -> str:
    """What is said of a format that there is not."""
    return f"{format!r} is no format of a picture; there are {', '.join(FORMATS)}"
