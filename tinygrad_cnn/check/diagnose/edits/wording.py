"""An edit in words, and as two lines of code: what is written, and what should be."""

from __future__ import annotations

from collections.abc import Sequence

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.edits.edit import Edit
from tinygrad_cnn.check.diagnose.edits.evaluation import Program
from tinygrad_cnn.check.diagnose.edits.right_program import UNKNOWN
from tinygrad_cnn.check.diagnose.edits.terms import COMPARISONS, Term, in_order

LONG = 100  # characters of a line of code
SHORT = 100  # characters of a term in a sentence
AROUND = 30  # characters of a term that a smaller one is shown within
MANY = 60  # terms of a line

# The mistake, as `sentences.EDITS` names it, that an edit of a line mends: a factor that is to be taken out
# is one too many. Of an edit that is not here, the mistake has the same name.
MENDS = {
    "term_missing": "term_more",
    "factor_missing": "factor_more",
    "division_missing": "division_more",
    "function_missing": "other",
    "not_transposed": "transposed",
    "transposed": "not_transposed",
    "factor_more": "factor_missing",
    "division_more": "division_missing",
    "term_more": "term_missing",
    "added": "assigned",
    "assigned": "added",
}


def in_words(edits: Sequence[Edit], program: Program, alternatives: bool) -> str:
    """The mistake as a clause. alternatives: whether others account for the same."""
    clauses = [_clause(edit, program) for edit in edits]
    found = clauses[0] if len(clauses) == 1 else sentences.AND.format(one=clauses[0], other=clauses[1])
    return sentences.FOR_INSTANCE.format(mistake=found) if alternatives else found


def _clause(edit: Edit, program: Program) -> str:
    given = dict(edit.words)
    if edit.sentence == "other":
        given["x"], given["y"] = _around(given["x"], given["y"], program)
    root = None if "y" in given else program.root
    words = {name: shown(x, root) if isinstance(x, Term) else x for name, x in given.items()}
    clause = sentences.EDITS[edit.sentence].format(**words)
    n = edit.words.get("iterations")
    return clause if n is None else sentences.IN_ALL_ITERATIONS.format(mistake=clause, n=n)


def _around(x: Term, y: Term, program: Program) -> tuple[Term, Term]:
    """What is exchanged, with enough around it to be found: 1 - h for 1 - h**2, not h for h**2."""
    while True:
        users = [z for z in program.order if x in z.args]
        if len(users) != 1 or users[0].op not in ("-", "+", "**", "-x", *COMPARISONS):
            return x, y
        (user,) = users
        if len(str(user)) > AROUND or (user.op in ("+", "-") and not any(z.op == "constant" for z in user.args)):
            return x, y
        x, y = user, user.with_args([y if z is x else z for z in user.args])


def shown(x: Term, root: Term | None = None) -> str:
    """A term in a sentence; the whole result is "it"."""
    if x is root:
        return "it"
    if x.size > MANY or (x.op == "name" and x.data == UNKNOWN):
        return sentences.PART
    text = str(x).replace(UNKNOWN, "...")
    return text if len(text) <= SHORT else f"{text[: SHORT - 4]} ..."


def code(x: Term) -> str | None:
    """A term as a line of code; None if that is too long, or part of it has no name."""
    if x.size > MANY or any(y.op == "name" and y.data == UNKNOWN for y in in_order([x])):
        return None
    text = str(x)
    return text if len(text) <= LONG else None


def lines(name: str, root: Term, edited: Term) -> tuple[str | None, str | None]:
    """What is written and what should be, as assignments; None for both if one is too long."""
    you, right = code(edited), code(root)
    if (
        (edited.op == "*" and edited.args[0].data == 0)
        or you is None
        or right is None
        or max(len(you), len(right)) + len(name) + 3 > LONG
        or you == right
    ):
        return None, None
    return f"{name} = {you}", f"{name} = {right}"


def says_nothing(words: str) -> bool:
    """Whether words name nothing that the reader could look for."""
    return sentences.PART in words
