"""What comes from outside (names of files and classes, messages of libraries) as it may be printed."""

from __future__ import annotations


def printable(text: object) -> str:
    r"""`text` in one line that does what it shows: control characters, among them ESC and newline, are escaped.

    >>> print(printable("a\nb\x1b[1m.png"))
    a\nb\x1b[1m.png
    """
    return "".join([c if c.isprintable() else repr(c)[1:-1] for c in str(text)])
