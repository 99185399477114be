"""Python source as HTML, with keywords, strings, numbers and comments in colours that go with light and dark themes."""

from __future__ import annotations

import html
import io
import keyword
import tokenize

COLOURS = {"keyword": "#8250df", "string": "#0a7d4f", "number": "#b3541e", "comment": "#7a828c"}


def highlighted(source: str, classes: bool = False) -> str:
    """The source in a <pre>; every character of it is escaped.

    classes: say what a token is by a class, for a page that has colours of its own
    """
    marks = {kind: f'class="{kind}"' if classes else f'style="color:{colour}"' for kind, colour in COLOURS.items()}
    lines = source.splitlines(keepends=True)
    parts: list[str] = []
    row, column = 1, 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        parts.append(html.escape(_between(lines, (row, column), token.start)))
        kind = _kind(token)
        text = html.escape(token.string)
        parts.append(f"<span {marks[kind]}>{text}</span>" if kind else text)
        row, column = token.end
    return f"<pre>{''.join(parts)}</pre>"


def _kind(token: tokenize.TokenInfo) -> str | None:
    if token.type == tokenize.NAME:
        return "keyword" if keyword.iskeyword(token.string) else None
    return {tokenize.STRING: "string", tokenize.NUMBER: "number", tokenize.COMMENT: "comment"}.get(token.type)


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text between two places, which is white space."""
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]] if start[0] <= len(lines) else ""
    first = lines[start[0] - 1][start[1] :] if start[0] <= len(lines) else ""
    last = lines[end[0] - 1][: end[1]] if end[0] <= len(lines) else ""
    return first + "".join(lines[start[0] : end[0] - 1]) + last
