"""What a report says of a wrong gradient, compared with what is known: verdict, first wrong step, cause.

A cause may be given in words, which `Case.says` is for, or as two lines of code, `you: dz = ...` and `right: dz = ...`.
Lines are run: what is yours has to give the wrong cotangent, what is right the right one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from corpus.case import Case

Cause = Literal["found", "none", "false"]
LINE = re.compile(r"^\s*(you|right):\s*(?:\w+(?:\[[^\]]*\])*\s*=(?!=)\s*)?(.+?)\s*$", re.MULTILINE)


class Judged(NamedTuple):
    """verdict: whether the gradient is called wrong; step: whether the right one is named first; said: the cause."""

    verdict: bool
    step: bool
    cause: Cause
    said: str


def judged(case: Case, report: Any) -> Judged:
    """A report on `case.by_hand`."""
    name, said = first_wrong(report)
    expected = case.step.split()
    step = name in expected or name in [value.removeprefix("d") for value in expected]
    cause: Cause = "none"
    if said:
        true = run(case, said, name)
        found = true if true is not None else re.search(case.says, said, re.IGNORECASE) is not None
        cause = "found" if found else "false"
    return Judged(not report.ok, step, cause, said)


def first_wrong(report: Any) -> tuple[str, str]:
    """The first wrong cotangent and its explanation; of gradients alone, of the first parameter that has one."""
    if report.first_wrong is not None:
        return report.first_wrong.name, report.first_wrong.explanation or ""
    wrong = [p for p in report.parameters if any(c.verdict == "differ" for c in p.comparisons())]
    wrong.sort(key=lambda p: p.explanation is None)
    return (wrong[0].name, wrong[0].explanation or "") if wrong else ("", "")


def run(case: Case, said: str, step: str) -> bool | None:
    """Whether the lines of code in an explanation do what they claim; None if there are none."""
    lines = LINE.findall(said)
    if not any(whose == "right" for whose, _ in lines):
        return None
    scope = scope_of(case)
    values = {"you": cotangent(case.by_hand(case.point), step), "right": cotangent(case.right(case.point), step)}
    return all(same(evaluated(line, scope), values[whose]) for whose, line in lines)


def scope_of(case: Case) -> dict[str, Any]:
    """What a line of code may refer to: the parameters, the variables of `by_hand`, and those of the loss."""
    module = case.by_hand.__globals__
    return {**module, **case.point, **variables(case.loss, case.point), **variables(case.by_hand, case.point)}


def variables(function: Callable[..., Any], point: Any) -> dict[str, Any]:
    """The variables of a function when it returns."""
    found: dict[str, Any] = {}

    def profile(frame: Any, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is function.__code__:
            found.update(frame.f_locals)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        function(point)
    finally:
        sys.setprofile(before)
    return found


def cotangent(returned: dict[str, Any], step: str) -> Any:
    """That of a step, `dh` or `dh[2]`, in what `by_hand` returned."""
    name, *indices = re.split(r"[\[\]]+", step.rstrip("]"))
    found = returned.get(name, returned.get("d" + name))
    for index in indices:
        found = found[int(index)]
    return found


def evaluated(line: str, scope: dict[str, Any]) -> Any:
    """The value of an expression; None if it has none here."""
    try:
        return eval(line, dict(scope))
    except Exception:  # whatever a line that somebody else wrote may raise
        return None


def same(value: Any, expected: Any) -> bool:
    """Equal to rounding, in the same shape."""
    if value is None or np.shape(value) != np.shape(expected):
        return False
    return bool(np.allclose(value, expected, rtol=1e-7, atol=1e-9 * float(np.max(np.abs(expected), initial=0.0))))
