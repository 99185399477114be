"""The source of what is wrong: the line that somebody wrote, with those around it."""

from __future__ import annotations

import contextlib
import inspect
import linecache
import os
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
    if place is not None:
        found = next((x for x in evidence.causes.source.statements if x.place_written == place), None)
        return _from_file(evidence, place) if found is None else _around(found)
    made = evidence.causes.maker_of(row.hand_derived)
    return None if made is None else _around(made)


def _around(x: Statement) -> Written | None:
    """The lines around a statement; of one with a body, around its first line."""
    last = x.node.lineno if hasattr(x.node, "body") else x.node.end_lineno or x.node.lineno
    return _lines(x.file, x.node.lineno, last)


def _from_file(evidence: Evidence, place: str) -> Written | None:
    """The lines around a place that was not executed, if it is in the file of `by_hand`."""
    path, number = (
        getattr(getattr(inspect.unwrap(evidence.by_hand), "__code__", None), "co_filename", ""),
        place.rsplit(":", 1)[1],
    )
    return _lines(path, int(number), int(number)) if place == f"{os.path.basename(path)}:{number}" else None


def _lines(path: str, first: int, last: int) -> Written | None:
    every = linecache.getlines(path)
    begin, end = max(first - AROUND, 1), min(last + AROUND, len(every))
    if not first <= len(every):
        return None
    text = textwrap.dedent("".join(every[begin - 1 : end])).splitlines()
    return Written(f"{os.path.basename(path)}:{first}", first, last, tuple(enumerate(text, begin)))
