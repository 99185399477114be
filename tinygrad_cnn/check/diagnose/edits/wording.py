"""An edit in words, and as two lines of code: what is written, and what should be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.edits.edit import Edit
from tinygrad_cnn.check.diagnose.edits.right_program import UNKNOWN
from tinygrad_cnn.check.diagnose.edits.terms import Term, in_order

LONG = 100  # characters of a line of code
SHORT = 60  # characters of a term in a sentence
MANY = 60  # terms of a line


def in_words(edits: Sequence[Edit], root: Term, alternatives: bool) -> str:
    """The mistake as a clause. alternatives: whether other edits account for the same."""
    clauses = [_clause(edit, root) for edit in edits]
    found = clauses[0] if len(clauses) == 1 else sentences.AND.format(one=clauses[0], other=clauses[1])
    return sentences.FOR_INSTANCE.format(mistake=found) if alternatives else found


def _clause(edit: Edit, root: Term) -> str:
    words = {name: shown(x, root) if isinstance(x, Term) else x for name, x in edit.words.items()}
    clause = sentences.EDITS[edit.sentence].format(**words)
    n = edit.words.get("iterations")
    return clause if n is None else sentences.IN_ALL_ITERATIONS.format(mistake=clause, n=n)


def shown(x: Term, root: Term | None = None) -> str:
    """A term in a sentence; the whole result is "it"."""
    if x is root:
        return "it"
    text = code(x)
    if text is None or len(text) > SHORT:
        return sentences.PART.format(operation=_outermost(x))
    return text


def _outermost(x: Term) -> str:
    if x.op == "call":
        return str(x.args[0].data)
    return x.op


def code(x: Term) -> str | None:
    """A term as a line of code; None if that is too long, or part of it has no name."""
    terms = in_order([x])
    if len(terms) > MANY or any(y.op == "name" and y.data == UNKNOWN for y in terms):
        return None
    text = str(x)
    return text if len(text) <= LONG else None


def lines(name: str, root: Term, edited: Term) -> tuple[str | None, str | None]:
    """What is written and what should be, as assignments; None for both if one is too long."""
    you, right = code(edited), code(root)
    if you is None or right is None or max(len(you), len(right)) + len(name) + 3 > LONG or you == right:
        return None, None
    return f"{name} = {you}", f"{name} = {right}"


_: Any = None
