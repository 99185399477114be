"""What a report says of a wrong gradient, compared with what is known: verdict, first wrong step, cause.

A cause is given in words, which a regular expression is for, and often as two lines of code too, `dz = ...` as it is
and as it should be. Lines are run: one has to give the wrong cotangent, the other the right one; a line of `by_hand`
itself is replaced in its source. Lines that can be run decide; words do where there are none.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import numpy as np

from corpus.case import ByHand, Parameters, body_of, compiled
from tinygrad_cnn import tree
from tinygrad_cnn.check.witnesses.hand_derived import by_name
from tinygrad_cnn.check.witnesses.trace import trace

Cause = Literal["found", "none", "false"]
ASSIGNED = re.compile(r"^\s*[A-Za-z_]\w*(?:\[[^\]=]*\])*\s*(\+|-)?=(?!=)\s*")
NUMBERED = re.compile(r"\b([A-Za-z_]\w*)\[(\d+)\]")


class Judged(NamedTuple):
    """verdict: whether the gradient is called wrong; step: whether the right one is named first; said: the cause."""

    verdict: bool
    step: bool
    cause: Cause
    said: str


class Mistake(NamedTuple):
    """A wrong gradient of which everything is known; see `Case`."""

    loss: Callable[[Parameters], Any]
    point: Parameters
    by_hand: ByHand
    right: ByHand
    step: str
    says: str | None


def judged(known: Any, report: Any) -> Judged:
    """A report on `known.by_hand`. known: a Case or a Mistake; with says=None, words that claim numbers are checked."""
    found = first_wrong(report)
    name = "" if found is None else found.name
    expected = known.step.split()
    step = name in expected or f"d{name}" in expected
    words = (found and found.explanation) or ""
    cause: Cause = "none"
    said = words
    if words:
        detail = getattr(found, "cause", None)
        you, right = getattr(detail, "you", None), getattr(detail, "right", None)
        true = None
        if right is not None:
            said += f"\n    you:   {you}\n    right: {right}"
            true = lines_hold(known, name, you, right)
        if true is None and known.says is None:
            true = words_hold(
                words, cotangent(known.by_hand(known.point), name), cotangent(known.right(known.point), name)
            )
        elif true is None:
            true = re.search(known.says, words, re.IGNORECASE) is not None
        cause = "found" if true else "false"
    return Judged(not report.ok, step, cause, said)


def first_wrong(report: Any) -> Any:
    """The first wrong step; of gradients alone, a wrong parameter, one with an explanation if there is one."""
    if report.first_wrong is not None:
        return report.first_wrong
    wrong = [p for p in report.parameters if any(c.verdict == "differ" for c in p.comparisons())]
    return min(wrong, key=lambda p: p.explanation is None, default=None)


def lines_hold(known: Any, step: str, you: str | None, right: str) -> bool | None:
    """Whether the lines give the cotangents that they should; None if they refer to what is not known here."""
    actual, expected = (cotangent(by_hand(known.point), step) for by_hand in (known.by_hand, known.right))
    ran = False
    repaired = None if you is None else replaced(known.by_hand, you, right)
    if repaired is not None:
        try:
            with np.errstate(invalid="raise", divide="raise"):
                return same(cotangent(repaired(known.point), step), cotangent(known.right(known.point), step))
        except FloatingPointError:
            return False
        except Exception:  # it names what there is in the graph alone, or whatever a line may raise
            pass
    for scope in scopes(known):
        values = [evaluated(line, scope) for line in ([right] if you is None else [right, you])]
        if any(value is None for value in values):
            continue
        ran = True
        if same(values[0], expected) and (you is None or same(values[1], actual, size(expected))):
            return True
    return False if ran else None


def replaced(by_hand: ByHand, you: str, right: str) -> ByHand | None:
    """`by_hand` with one of its lines, wherever that is written, replaced; None if it has no such line."""
    source, _ = body_of(by_hand)
    definition = ast.parse(source).body[0]
    try:
        old, new = (statement_of(line) for line in (you, right))
    except (SyntaxError, IndexError):
        return None
    found = False
    for node in ast.walk(definition):
        body = getattr(node, "body", None)
        for place, statement in enumerate(body if isinstance(body, list) else []):
            if first_line(statement) == first_line(old):
                if hasattr(statement, "body"):
                    new.body = statement.body
                body[place], found = new, True
    if not found:
        return None
    return compiled(ast.unparse(ast.fix_missing_locations(definition)), by_hand)


def statement_of(line: str) -> Any:
    """The statement that a line is, or, of a loop or a condition, begins."""
    text = line.strip()
    return ast.parse(text + " pass" if text.endswith(":") else text).body[0]


def first_line(statement: ast.AST) -> str:
    """A statement's, as `ast` writes it."""
    return ast.unparse(statement).splitlines()[0]


def words_hold(words: str, actual: Any, expected: Any) -> bool:
    """Whether words that claim a sign, a factor or a transpose are so; others are not judged."""
    times = re.match(r"it is (minus )?(\d[\d.e+-]*(?:/\d+)?) (?:times|of) what it should be", words)
    if words == "the sign is wrong":
        return same(-np.asarray(actual), expected)
    if words == "it is transposed":
        return same(np.transpose(actual), expected)
    if times is not None and "; and " not in words:
        numerator, _, denominator = times[2].partition("/")
        factor = (-1 if times[1] else 1) * float(numerator) / float(denominator or 1)
        return bool(np.allclose(actual, factor * np.asarray(expected), rtol=1e-5))  # the factor is in six digits
    return True


def scopes(known: Any) -> Iterator[dict[str, Any]]:
    """What names may mean: the values of the graph; or the variables of `by_hand`, at each line that it ran."""
    module = known.by_hand.__globals__
    forward = variables(known.loss, known.point)
    helping = {**module, **last(forward), **known.point}
    within = variables(known.by_hand, known.point)
    form = tree.flatten(known.point)
    graph = {name: node.value for name, node in by_name(trace(known.loss, form, form.leaves)).items()}
    for counters in distinct_counters(forward):
        yield {**helping, **last(within), **counters, **graph, **known.by_hand(known.point)}
    for local in within:  # a list of theirs is indexed as such, whatever the values of the graph are called
        theirs = {name: value for name, value in graph.items() if name.partition("[")[0] not in local}
        yield {**helping, **theirs, **local}


def last(snapshots: list[dict[str, Any]]) -> dict[str, Any]:
    """The variables at the end."""
    return snapshots[-1] if snapshots else {}


def distinct_counters(snapshots: list[dict[str, Any]]) -> list[dict[str, int]]:
    """The loop variables of a function, in each iteration."""
    counters = [{name: value for name, value in local.items() if type(value) is int} for local in snapshots]
    return list({tuple(x.items()): x for x in reversed(counters)}.values()) or [{}]


def variables(function: Callable[..., Any], point: Parameters) -> list[dict[str, Any]]:
    """The variables of a function at each line that it runs, and when it returns."""
    found: list[dict[str, Any]] = []

    def local(frame: Any, event: str, _: Any) -> Any:
        if event in ("line", "return"):
            found.append(dict(frame.f_locals))
        return local

    def called(frame: Any, event: str, _: Any) -> Any:
        return local if frame.f_code is function.__code__ else None

    before = sys.gettrace()
    sys.settrace(called)
    try:
        function(point)
    finally:
        sys.settrace(before)
    return found


def cotangent(returned: dict[str, Any], step: str) -> Any:
    """That of a step, `dh` or `dh[2]`, in what `by_hand` returned."""
    name, *indices = re.split(r"[\[\]]+", step.rstrip("]"))
    found: Any = returned.get(name, returned.get("d" + name))
    for index in indices:
        found = found[int(index)]
    return found


def evaluated(line: str, scope: dict[str, Any]) -> Any:
    """The value of an assignment; None if it has none here."""
    assigned = ASSIGNED.match(line)
    if assigned is not None and assigned[1]:  # +=: what is added is not the whole
        return None
    names = dict(scope)

    def numbered(found: re.Match[str]) -> str:
        if found[0] not in scope:
            return found[0]
        names[f"{found[1]}__{found[2]}"] = scope[found[0]]
        return f"{found[1]}__{found[2]}"

    text = NUMBERED.sub(numbered, line if assigned is None else line[assigned.end() :])
    try:
        with np.errstate(all="ignore"):
            return eval(text, names)
    except Exception:  # whatever a line that somebody else wrote may raise
        return None


def size(x: Any) -> float:
    """The largest element."""
    return float(np.max(np.abs(x), initial=0.0))


def same(value: Any, expected: Any, least: float = 0.0) -> bool:
    """Equal to rounding, in the same shape. least: what rounding is relative to, at least."""
    if expected is None or np.shape(value) != np.shape(expected):
        return False
    try:
        return bool(np.allclose(value, expected, rtol=1e-7, atol=1e-9 * max(size(expected), least)))
    except TypeError:
        return False
