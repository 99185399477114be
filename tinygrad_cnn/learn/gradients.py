"""An exercise whose answer is a backward pass: `loss`, `parameters` and `by_hand`, which is cross-checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.check import Report
from tinygrad_cnn.check.results import Cause, Results
from tinygrad_cnn.learn import differences
from tinygrad_cnn.learn.course import Exercise
from tinygrad_cnn.learn.modules import AnswerError
from tinygrad_cnn.learn.outcome import Line, Outcome, Status

SECONDS = 2.0  # of the cross-check; the exercises' models take a hundredth


def returned(module: ModuleType) -> Mapping[str, Any]:
    """What the hand-derived gradient of a module returns. Raises AnswerError."""
    try:
        with np.errstate(all="ignore"):
            result = module.by_hand({name: np.array(x) for name, x in module.parameters.items()})
    except BaseException as error:
        raise AnswerError(error, module) from error
    return result if isinstance(result, Mapping) else {}


def judged_gradient(exercise: Exercise, lines: list[Line], answer: ModuleType, solution: ModuleType) -> Outcome:
    """What the cross-check says of it."""
    for name in ("loss", "parameters", "by_hand"):
        if not hasattr(answer, name):
            return Outcome(False, lines, "given_changed", {"name": name})
    values, right = returned(answer), returned(solution)
    for name in right.keys() - values.keys():
        return Outcome(False, lines, "not_returned", {"name": name})
    unlike = [name for name, x in solution.parameters.items() if not differences.same(answer.parameters.get(name), x)]
    if unlike or not differences.same(_loss(answer), solution.loss(solution.parameters)):
        return Outcome(False, lines, "given_changed", {"name": unlike[0] if unlike else "loss"})
    for line in lines:  # what has the wrong shape is best said before anything is computed from it
        if (
            line.status == "unknown"
            and line.name in right
            and np.shape(values[line.name]) != np.shape(right[line.name])
        ):
            kind, facts = differences.difference(values[line.name], right[line.name])
            marked = [replace(x, status="wrong") if x is line else x for x in lines]
            return Outcome(False, marked, kind, facts, at=_at(line), yours=differences.shown(values[line.name]))
    return _outcome(cross_check(answer), lines, values, right)


def cross_check(answer: ModuleType) -> Report:
    """The cross-check of a module's hand-derived gradient."""
    return tg.check.gradients(answer.loss, answer.parameters, by_hand=answer.by_hand, seconds=SECONDS, progress=False)


def _loss(answer: ModuleType) -> Any:
    try:
        return answer.loss(answer.parameters)
    except BaseException as error:
        raise AnswerError(error, answer) from error


def _outcome(report: Results, lines: list[Line], values: Mapping[str, Any], right: Mapping[str, Any]) -> Outcome:
    wrong = _wrong(report, values, right)
    marked = [replace(line, status=_status(line, wrong, right)) for line in lines]
    first = next(iter(wrong), None)
    if first is None:
        return Outcome(solved=True, lines=marked)
    cause, _ = wrong[first]
    kind = (
        cause.kind.split(" and ")[0]
        if cause is not None and cause.kind
        else differences.difference(values[first], right[first])[0]
    )
    facts = differences.difference(values[first], right[first])[1]
    line = next((line for line in marked if line.name == first), None)
    return Outcome(False, marked, kind, {**facts, "name": first}, at=_at(line), yours=differences.shown(values[first]))


def _wrong(
    report: Results, values: Mapping[str, Any], right: Mapping[str, Any]
) -> dict[str, tuple[Cause | None, Status]]:
    """The names whose values are wrong, from the loss back, each with its cause: "wrong", or "follows"."""
    found: dict[str, tuple[Cause | None, Status]] = {}
    for step in report.steps:
        if step.wrong:
            found[step.name] = (step.cause, "wrong")
        elif step.against_autodiff.verdict == "differ":
            found[step.name] = (None, "follows")
    causes = {p.name: p.cause for p in report.parameters}
    for name in values.keys() & right.keys():
        compared = name in found or name in {step.name for step in report.steps}
        if not compared and not differences.same(values[name], right[name]):
            found[name] = (causes.get(name), "wrong")
    return {name: found[name] for name in sorted(found, key=lambda x: found[x][1] == "follows")}


def _status(line: Line, wrong: Mapping[str, tuple[Cause | None, Status]], right: Mapping[str, Any]) -> Status:
    if line.status != "unknown":
        return line.status
    if line.name in wrong:
        return wrong[line.name][1]
    return "right" if line.name in right or not wrong else "unknown"


def _at(line: Line | None) -> tuple[int, str] | None:
    return None if line is None or line.line is None else (line.line, f"{line.name} = {line.written}")
