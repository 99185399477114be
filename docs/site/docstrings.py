"""Docstrings as they are written here, as reStructuredText.

They are prose in the style of NumPy's, with Markdown's code spans, tables of parameters set in columns, and examples;
`numpydoc` and `napoleon` look for headings that they do not have. A docstring is read paragraph by paragraph.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

SPAN = re.compile(r"(`+[^`]+`+)")
ROW = re.compile(r"(\S(?:.*?\S)?) {2,}(\S.*)")  # `name   what it is`

NAMED = re.compile(r"(?:^|(?<=[.;] ))([a-z_]\w*(?:, [a-z_]\w*)*): ")  # `name: what it is`, where a sentence may begin


def as_rst(docstring: str) -> str:
    """A docstring, whose first line begins at the margin, as reStructuredText."""
    first, _, rest = docstring.partition("\n")
    text = f"{first}\n{textwrap.dedent(rest)}".strip("\n")
    return "\n\n".join(_block(paragraph) for paragraph in _paragraphs(text))


def _paragraphs(text: str) -> Iterator[str]:
    yield from (part.strip("\n") for part in re.split(r"\n\s*\n", text) if part.strip())


def _block(paragraph: str) -> str:
    lines = paragraph.split("\n")
    if lines[0].lstrip().startswith(">>>"):
        return textwrap.dedent(paragraph)
    if lines[0].startswith(" "):  # code, set off from the text
        return "::\n\n" + textwrap.indent(textwrap.dedent(paragraph), "    ")
    if ROW.fullmatch(lines[0]) and not lines[0].startswith("- "):
        return _table(lines)
    if lines[0].startswith("- "):
        return "\n".join(_inline(line) for line in lines)
    text = " ".join(line.strip() for line in lines)  # what is indented continues the line above
    return _items(text) if NAMED.match(text) else _inline(text)


def _items(text: str) -> str:
    """`name: what it is. another: ...` as a definition list."""
    _, *parts = NAMED.split(text)
    return "\n".join(
        f"``{name}``\n    {_inline(rest.strip())}" for name, rest in zip(parts[::2], parts[1::2], strict=True)
    )


def _table(lines: list[str]) -> str:
    """Rows of `name   what it is`, continued by indented lines, as a definition list."""
    items: list[list[str]] = []
    for line in lines:
        row = ROW.fullmatch(line)
        if row and not line.startswith(" "):
            items.append([f"``{row[1]}``", row[2]])
        elif line.startswith(" ") and items:
            items[-1].append(line.strip())
        else:  # a name with a line of its own, or a sentence beneath the table
            items.append([f"``{line.strip()}``"])
    return "\n".join(f"{name}\n    {_inline(' '.join(text)) or '..'}" for name, *text in items)


def _inline(text: str) -> str:
    """Code spans of Markdown become literals; what is markup only in reStructuredText is escaped."""
    parts = SPAN.split(text)
    for i, part in enumerate(parts):
        if i % 2:
            parts[i] = f"\\ ``{part.strip('`')}``\\ " if parts[i - 1][-1:].isalnum() else f"``{part.strip('`')}``"
            if parts[i + 1][:1].isalnum():
                parts[i] += "\\ "
        else:
            parts[i] = re.sub(r"([*|\\]|(?<=\w)_(?!\w))", r"\\\1", part)
    return "".join(parts)


def setup(app):
    """Have Sphinx read docstrings so."""

    def process(app, what, name, obj, options, lines):
        lines[:] = as_rst("\n".join(lines)).split("\n")

    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True}
