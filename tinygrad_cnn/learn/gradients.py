"""An exercise whose answer is a backward pass: `loss`, `parameters` and `by_hand`, which is cross-checked."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.learn import differences
from tinygrad_cnn.learn.blanks import filled
from tinygrad_cnn.learn.course import Exercise
from tinygrad_cnn.learn.modules import AnswerError, loaded
from tinygrad_cnn.learn.outcome import Line, Outcome, Status

if TYPE_CHECKING:  # `tg.check` is imported when it is used: for exercises on values that would be half of the time
    from tinygrad_cnn.check import Report
    from tinygrad_cnn.check.results import Cause, Results

SECONDS = 2.0  # of the cross-check; the exercises' models take a hundredth


def returned(module: ModuleType) -> Mapping[str, Any]:
    """What the hand-derived gradient of a module returns. Raises AnswerError."""
    try:
        with np.errstate(all="ignore"):
            result = module.by_hand({name: np.array(x) for name, x in module.parameters.items()})
    except BaseException as error:
        raise AnswerError(error, module) from error
    return result if isinstance(result, Mapping) else {}


def judged_gradient(
    exercise: Exercise, lines: list[Line], answer: ModuleType, solution: ModuleType, find_cause: bool = True
) -> Outcome:
    """What the cross-check says of it; without the search for the cause of a mistake, which is what takes long."""
    for name in ("loss", "parameters", "by_hand"):
        if not hasattr(answer, name):
            return Outcome(False, lines, "given_changed", {"name": name})
    again = lambda lines, above: judged_gradient(exercise, lines, above, solution, find_cause)
    right = returned(solution)
    try:
        values = returned(answer)
    except AnswerError as error:  # what is wrong above made it fail, or is to be looked at first
        values = {name: error.variables.get(name, x) for name, x in right.items()}
        outcome = _wrong_shape(lines, values, right)
        at = error.line if outcome is None else _line_of(outcome)
        above = judged_above(at, exercise, lines, answer, again)
        if above is None and outcome is None:
            raise
        return above or outcome  # type: ignore[return-value]
    for name in right.keys() - values.keys():
        return Outcome(False, lines, "not_returned", {"name": name})
    unlike = [name for name, x in solution.parameters.items() if not differences.same(answer.parameters.get(name), x)]
    if unlike or not differences.same(_loss(answer), solution.loss(solution.parameters)):
        return Outcome(False, lines, "given_changed", {"name": unlike[0] if unlike else "loss"})
    if (outcome := _wrong_shape(lines, values, right)) is not None:
        return judged_above(_line_of(outcome), exercise, lines, answer, again) or outcome
    return _outcome(cross_check(answer, find_cause), lines, values, right)


def judged_above(
    at: int | None,
    exercise: Exercise,
    lines: list[Line],
    answer: ModuleType,
    judged: Callable[[list[Line], ModuleType], Outcome],
) -> Outcome | None:
    """What is wrong above a line of the file, with that line and those below it as in the solution."""
    written = [line for line in lines if line.status == "unknown" and line.line is not None]
    below = {line.name for line in written if at is not None and (line.line or 0) >= at}
    if not below or len(below) == len(written):
        return None
    right = {(b.within, b.name): b.value for b in exercise.blanks if b.name in below}
    kept = [replace(x, status="blank") if x.name in below else x for x in lines]
    path = Path(str(answer.__file__)).with_name("above.py")  # the answer's own source is still to be quoted
    try:
        outcome = judged(kept, loaded(filled(answer.__source__, right), path))
    except AnswerError:
        return None
    if outcome.first_wrong is None:
        return None
    marked = [old if new.name in below else new for old, new in zip(lines, outcome.lines, strict=True)]
    return replace(outcome, lines=marked)


def _line_of(outcome: Outcome) -> int | None:
    return None if outcome.at is None else outcome.at[0]


def _wrong_shape(lines: list[Line], values: Mapping[str, Any], right: Mapping[str, Any]) -> Outcome | None:
    """What has the wrong shape is best said before anything is computed from it."""
    for line in lines:
        if line.status != "unknown" or line.value not in right:
            continue
        yours = values[line.value]
        if np.shape(yours) != np.shape(right[line.value]):
            kind, facts = differences.difference(yours, right[line.value])
            marked = [replace(x, status="wrong") if x is line else x for x in lines]
            return Outcome(False, marked, kind, facts, at=line.at, yours=differences.shown(yours))
    return None


def cross_check(answer: ModuleType, find_cause: bool = True) -> Report:
    """The cross-check of a module's hand-derived gradient."""
    return tg.check.gradients(
        answer.loss,
        answer.parameters,
        by_hand=answer.by_hand,
        explanations=tg.check.EXPLANATIONS if find_cause else (),
        seconds=SECONDS,
        progress=False,
    )


def _loss(answer: ModuleType) -> Any:
    try:
        return answer.loss(answer.parameters)
    except BaseException as error:
        raise AnswerError(error, answer) from error


def _outcome(report: Results, lines: list[Line], values: Mapping[str, Any], right: Mapping[str, Any]) -> Outcome:
    wrong = _wrong(report, values, right)
    order = [line.value for line in lines if line.value in wrong]
    if order:  # the first of the file follows from no other
        wrong[order[0]] = (wrong[order[0]][0], "wrong")
    marked = [replace(line, status=_status(line, wrong, right)) for line in lines]
    if not wrong:
        return Outcome(solved=True, lines=marked)
    # Of several, all that is said is of the first line of the file.
    line = next((line for line in marked if line.status == "wrong"), None)
    first = next(iter(wrong)) if line is None else line.value
    cause, _ = wrong[first]
    kind, facts = differences.difference(values[first], right[first])
    if cause is not None and cause.kind and kind not in differences.PLAIN:
        kind, more = _kind(cause, line.written if line is not None else "")
        facts = {**facts, **more}
    return Outcome(
        False,
        marked,
        kind,
        {**facts, "name": first},
        at=None if line is None else line.at,
        yours=differences.shown(values[first]),
    )


def _kind(cause: Cause, written: str) -> tuple[str, dict[str, str]]:
    """The kind of mistake that a cause is for a learner, and what fills in its sentence.

    Where it is that one expression stands for another, the learner is told what of the line differs.
    """
    kind = cause.kind.split(" and ")[0]
    if kind == "sign_of" and re.search(r":\s*-1\s*\]", written):
        return "reversed", {}  # the sign of a step
    stands = re.match(r"(?:for instance, )?(.+) stands where (.+) should$", cause.words)
    if kind != "other" or stands is None:
        return kind, {}
    try:
        yours, right = _differing(*(ast.parse(text, mode="eval").body for text in stands.groups()))
    except SyntaxError:  # it is shortened
        return kind, {}
    names = ast.unparse(yours), ast.unparse(right)
    if isinstance(yours, ast.Call) and isinstance(right, ast.Call):  # the same function, with other arguments
        return ("axis", {}) if "axis" in "".join(names) else (kind, {})
    if names in (("mean", "sum"), ("np.mean", "np.sum")):
        return "mean_for_sum", {}
    if names in (("sum", "mean"), ("np.sum", "np.mean")):
        return "sum_for_mean", {}
    leaf = isinstance(yours, ast.Name | ast.Constant)
    if leaf and names[0] != written and re.search(rf"\b{names[0]}\b", written):
        return "stands", {"part": names[0]}
    return kind, {}


def _differing(yours: ast.AST, right: ast.AST) -> tuple[ast.AST, ast.AST]:
    """The smallest parts of two expressions that differ, the rest being alike."""
    if type(yours) is type(right) and not isinstance(yours, ast.Name | ast.Constant):
        sides = [list(ast.iter_child_nodes(x)) for x in (yours, right)]
        if len(sides[0]) == len(sides[1]):
            unlike = [pair for pair in zip(*sides, strict=True) if ast.dump(pair[0]) != ast.dump(pair[1])]
            if len(unlike) == 1 and not isinstance(unlike[0][0], ast.keyword | ast.operator | ast.expr_context):
                return _differing(*unlike[0])
    return yours, right


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
    compared = {step.name for step in report.steps}
    others = [n for n in right if n not in compared and n in values and not differences.same(values[n], right[n])]
    # What is no gradient was computed before, and what was computed from it follows.
    before = [name for name in others if name not in causes and not name.startswith("dL_")]
    if before:
        wrong = [name for name in [*found, *others] if name not in before]
        return {**dict.fromkeys(before, (None, "wrong")), **dict.fromkeys(wrong, (None, "follows"))}
    found |= {name: (causes.get(name), "wrong") for name in others}
    return {name: found[name] for name in sorted(found, key=lambda x: found[x][1] == "follows")}


def _status(line: Line, wrong: Mapping[str, tuple[Cause | None, Status]], right: Mapping[str, Any]) -> Status:
    if line.status != "unknown":
        return line.status
    if line.value in wrong:
        return wrong[line.value][1]
    return "right" if line.value in right or not wrong else "unknown"
