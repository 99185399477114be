"""The source of what is wrong: the line that somebody wrote, with those around it."""

from __future__ import annotations

import contextlib
import linecache
import textwrap
from dataclasses import replace

from tinygrad_cnn.check.deadline import until
from tinygrad_cnn.check.diagnose.edits.statements import Statement
from tinygrad_cnn.check.diagnose.evidence import Evidence
from tinygrad_cnn.check.results import Parameter, Step, Written

AROUND = 2  # lines before and after


def steps_with_source(evidence: Evidence, steps: list[Step]) -> list[Step]:
    """The steps, the first wrong one with the lines of `by_hand` that are to be mended, or that made it."""
    first = next((step for step in steps if step.wrong), None)
    if first is None:
        return steps
    return [replace(step, written=_written(evidence, step)) if step is first else step for step in steps]


def parameters_with_source(evidence: Evidence, parameters: list[Parameter]) -> list[Parameter]:
    """The same for parameters: the first whose hand-derived gradient is wrong."""
    first = next((p for p in parameters if p.is_wrong), None)
    if first is None:
        return parameters
    return [replace(p, written=_written(evidence, p)) if p is first else p for p in parameters]


def _written(evidence: Evidence, row: Step | Parameter) -> Written | None:
    """The lines around the cause of what is wrong with a step, or around the statement that made its array."""
    if not callable(evidence.by_hand) or row.hand_derived is None or evidence.deadline.is_over():
        return None
    with until(evidence.deadline), contextlib.suppress(Exception):  # whatever it raises when it is called again
        return _found(evidence, row)
    return None


def _found(evidence: Evidence, row: Step | Parameter) -> Written | None:
    assert row.hand_derived is not None
    place = None if row.cause is None else row.cause.line
    if place is None:
        statement = evidence.causes.maker_of(row.hand_derived)
    else:
        statement = next((x for x in evidence.causes.source.statements if x.place_written == place), None)
    return None if statement is None else _around(statement)


def _around(x: Statement) -> Written | None:
    """The lines around a statement; of one with a body, around its first line."""
    first, every = x.node.lineno, linecache.getlines(x.file)
    last = first if hasattr(x.node, "body") else x.node.end_lineno or first
    begin, end = max(first - AROUND, 1), min(last + AROUND, len(every))
    if first > len(every):
        return None
    text = textwrap.dedent("".join(every[begin - 1 : end])).splitlines()
    return Written(x.place_written, first, last, tuple(enumerate(text, begin)))
