"""How wide text is in a terminal: a letter of Korean, Chinese or Japanese takes two columns, an accent none."""

from __future__ import annotations

import unicodedata


def width(text: str) -> int:
    """The columns that `text` takes.

    >>> width("가중치 W"), width("e\u0301")
    (8, 1)
    """
    if text.isascii():
        return len(text)
    return sum(_width(c) for c in text)


def _width(c: str) -> int:
    if unicodedata.category(c) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def padded(text: str, to: int) -> str:
    """`text` with spaces behind it, `to` columns wide.

    >>> padded("가중치", 8) + "|"
    '가중치  |'
    """
    return text + " " * (to - width(text))


def shortened(text: str, to: int) -> str:
    """`text` in at most `to` columns, with an ellipsis where something is left out.

    >>> shortened("가중치 W", 6), shortened("W", 6)
    ('가중…', 'W')
    """
    if width(text) <= to:
        return text
    end, taken = 0, 1  # the ellipsis
    while taken + _width(text[end]) <= to:
        taken += _width(text[end])
        end += 1
    return text[:end] + "…"
