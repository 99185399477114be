"""For the page: what each step does and each rule is, in the words and the source of those who wrote them."""

from __future__ import annotations

import functools
import inspect
import textwrap
from typing import Any

import numpy as np

from tinygrad_cnn.graph import Node
from tinygrad_cnn.render import words
from tinygrad_cnn.render.reading import Reading
from tinygrad_cnn.render.view import Rule, View

LINES = 24  # of source that are shown


def explain(view: View, reading: Reading) -> None:
    """Say at each box of a step what its primitive is, and at each cotangent which rules computed it."""
    for id in reading.members:
        node = reading.first(id)
        if node.primitive is not None:
            view.boxes[id].rule = Rule(_first_words(node), _source(node.primitive.forward))
    for edge in view.edges:
        if edge.flow in ("backward", "earlier") and edge.detail is None:
            rule = _rule(reading.first(f"n{edge.tail[1:]}"), edge.position)
            g = view.boxes[edge.head]
            known = g.rule.source.split("\n\n") if g.rule is not None else []
            g.rule = Rule("", "\n\n".join([*known, *([rule] if rule not in known else [])]))


def _first_words(node: Node) -> str:
    """The first paragraph of what the documentation says."""
    paragraphs = (inspect.getdoc(node.primitive) or "").split("\n\n")
    if isinstance(node.primitive.forward, np.ufunc):
        del paragraphs[0]  # the signature
    return words.clean(" ".join(paragraphs[0].split()), 300) if paragraphs else ""


def _rule(node: Node, position: int) -> str:
    rule: Any = node.primitive.rules[position]
    return _source(getattr(rule, "func", rule))


@functools.lru_cache(maxsize=1024)
def _source(function: Any) -> str:
    """The source of a function, without blank lines; nothing where it is not to be had, as that of a ufunc."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return ""
    lines = [words.clean(line.expandtabs(4), 140) for line in source.split("\n") if line.strip()]
    return "\n".join(lines if len(lines) <= LINES else [*lines[:LINES], "…"])
