"""The first line that does not give what it should, of a gradient whose only results are those of the parameters.

Whoever derives a loop by hand computes the cotangent of every value on the way, if not under a name that is returned.
So what the lines made is looked for among all values and cotangents of the graph. A line that made none of these, and
one edit of which makes a cotangent that is missing, is the wrong one, if the gradient is right once the edit is in all
executions of the line: `by_hand` is run again with it.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from tinygrad_cnn.check.deadline import Effort
from tinygrad_cnn.check.diagnose.edits.arrays import Arrays
from tinygrad_cnn.check.diagnose.edits.edit import Context
from tinygrad_cnn.check.diagnose.edits.executed import LARGE, Executed
from tinygrad_cnn.check.diagnose.edits.numbers import Numbers
from tinygrad_cnn.check.diagnose.edits.own_line import place_of
from tinygrad_cnn.check.diagnose.edits.own_program import (
    Maker,
    OwnProgram,
    as_line,
    assigned,
    evaluate,
    may_be_evaluated,
    own_program,
)
from tinygrad_cnn.check.diagnose.edits.rerun import Correction, exchanged
from tinygrad_cnn.check.diagnose.edits.search import Found, by_cost, smallest
from tinygrad_cnn.check.diagnose.edits.terms import Term, replaced
from tinygrad_cnn.check.diagnose.edits.wording import LONG, in_words, mended_by
from tinygrad_cnn.check.results import Cause
from tinygrad_cnn.engine.graph import Array

LINES, EDITS, RERUNS = 60, 400, 12  # lines that are looked at, edits of one, and runs of the whole with an edit
MISSING = 2  # cotangents that a line should perhaps have made
DEAREST = 1.6  # that an edit may be


def first_wrong_line(
    run: Sequence[Executed],
    values: Arrays,
    cotangents: Arrays,
    mends: Callable[[AbstractContextManager[bool]], bool],
    numbers: Numbers,
    effort: Effort,
) -> Correction | None:
    """The edit of one line that makes the gradient right.

    values      those of the graph
    cotangents  those of the graph, by autodiff, whole and what each is the sum of
    mends       whether the gradient is right if it is computed within a context, which gives whether it could be made
    """
    seen: set[int] = set()
    reruns = 0
    made = Arrays(_made(run))
    missing = [x for x in cotangents.all if x not in made and x not in values]
    for k, x in enumerate(run):
        if id(x.statement) in seen or len(seen) >= LINES or effort.is_over():
            continue
        seen.add(id(x.statement))
        for _, value, text in assigned(x.statement):
            own = _line(run, k, value, text)
            if own is None or own.program.value in values or own.program.value in cotangents:
                continue
            for found in _edits(own, cotangents, missing, numbers, effort):
                reruns += 1
                if reruns > RERUNS:
                    return None
                right = replaced(own.program.root, found.exchanged())
                if mends(exchanged(x, value, right)):
                    return Correction(
                        _cause(x, text, own, right, found), found.cost, functools.partial(exchanged, x, value, right)
                    )
    return None


def _line(run: Sequence[Executed], k: int, value: ast.expr, text: str) -> OwnProgram | None:
    """The right side of a line, of the variables before it."""
    if not may_be_evaluated(value, run[k]):
        return None
    try:
        made = evaluate(value, run[k])
    except Exception:  # whatever somebody's expression raises when it is evaluated again
        return None
    if not isinstance(made, np.ndarray) or made.dtype.kind != "f" or not 1 < made.size <= LARGE:
        return None
    return own_program(run, Maker(k, value, text), made, lambda *_: False, right_side=True)


def _made(run: Sequence[Executed]) -> list[Array]:
    """All arrays that there were variables for."""
    found = {id(x): x for step in run for x in (step.after or {}).values() if isinstance(x, np.ndarray)}
    return list(found.values())


def _edits(
    own: OwnProgram, cotangents: Arrays, missing: Sequence[Array], numbers: Numbers, effort: Effort
) -> Iterator[Found]:
    """Edits of a line by which it makes a cotangent of the graph, first any of them, then one that nothing made."""
    now = np.asarray(own.program.value, float)
    context = Context(own.program, list(own.leaves), now, lambda _: False, numbers)
    with np.errstate(all="ignore"):
        for number, edit in enumerate(by_cost(context, effort)):
            if number >= EDITS or edit.cost > DEAREST or effort.is_over():
                break
            if edit.fits:
                continue
            value = own.program.edited(edit.exchanged)
            effort.spend(own.program.taken())
            if np.shape(value) == now.shape and np.asarray(value) in cotangents:
                yield Found([edit], edit.cost)
        for target in [x for x in missing if x.shape == now.shape][:MISSING]:
            context = Context(
                own.program, list(own.leaves), target, functools.partial(_is_in, Arrays([target])), numbers
            )
            found = smallest(context, lambda _: True, effort)
            if found is not None:
                yield found


def _is_in(arrays: Arrays, x: Any) -> bool:
    return np.asarray(x) in arrays


def _cause(x: Executed, text: str, own: OwnProgram, mended: Term, found: Found) -> Cause:
    words, kind = (
        in_words(found.edits, own.program, bool(found.others), of_a_line=True),
        mended_by(found.kind()),
    )
    at = place_of(x.code.co_filename, x.statement)
    you, right = as_line(text, own.program.root), as_line(text, mended)
    if max(len(you), len(right)) > LONG or you == right:
        return Cause(words, kind, line=at)
    return Cause(words, kind, you, right, at)
