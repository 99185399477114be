"""For the page: the documentation and the source of each step, and the source of each rule."""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import textwrap
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Node
from tinygrad_cnn.pictures.read.cotangents import Sweep
from tinygrad_cnn.pictures.read.reading import Reading
from tinygrad_cnn.pictures.read.rule_needs import RESULT, needed
from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.view.diagram import Diagram, Rule

LINES = 24  # of source that are shown


def explain(diagram: Diagram, reading: Reading, back: Sweep | None) -> None:
    """Say at each box of a step what its primitive is, and at each cotangent which rules computed it from what."""
    for id in reading.members:
        node = reading.first(id)
        if node.primitive is not None:
            diagram.boxes[id].rule = Rule(_first_words(node), _source(node.primitive.forward))
    if back is None:
        return
    taken: dict[str, dict[int, str]] = {}  # of each step, the boxes that it takes, by position
    for edge in diagram.edges:
        if edge.flow in ("forward", "again"):
            taken.setdefault(edge.head, {})[edge.position] = edge.tail
    sources: dict[str, dict[str, None]] = {}  # of the rules of each cotangent, in order
    needs: dict[str, dict[str, None]] = {}
    for edge in diagram.edges:
        if edge.flow not in ("backward", "earlier") or edge.detail is not None:
            continue
        of = diagram.boxes[edge.tail].of
        assert of is not None  # what flows backward is a cotangent
        node = next(node for node in reading.members[of] if node in back.values)
        read = needed(node, edge.position, back.values[node], taken[of])
        among = {**taken[of], RESULT: of}
        sources.setdefault(edge.head, {})[_rule(node, edge.position)] = None
        needs.setdefault(edge.head, {}).update((box, None) for position, box in among.items() if position in read)
    for id in sources:
        diagram.boxes[id].rule = Rule("", "\n\n".join(sources[id]), tuple(needs[id]))


def _first_words(node: Node) -> str:
    """The first paragraph of the documentation."""
    paragraphs = (inspect.getdoc(node.primitive) or "").split("\n\n")
    if isinstance(node.primitive.forward, np.ufunc):
        del paragraphs[0]  # the signature
    return labels.clean(" ".join(paragraphs[0].split()), 300) if paragraphs else ""


def _rule(node: Node, position: int) -> str:
    rule: Any = node.primitive.rules[position]
    return _source(getattr(rule, "func", rule))


@functools.lru_cache(maxsize=1024)
def _source(function: Any) -> str:
    """The source of a function, without its documentation and blank lines; nothing where it is not to be had."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return ""
    lines = source.split("\n")
    with contextlib.suppress(SyntaxError):  # a lambda from the middle of an expression
        statement = ast.parse(source).body[0]
        if isinstance(statement, ast.FunctionDef) and ast.get_docstring(statement) and len(statement.body) > 1:
            docstring = statement.body[0]
            del lines[docstring.lineno - 1 : docstring.end_lineno]
    lines = [labels.clean(line.expandtabs(4), 140) for line in lines if line.strip()]
    return "\n".join(lines if len(lines) <= LINES else [*lines[:LINES], "…"])
