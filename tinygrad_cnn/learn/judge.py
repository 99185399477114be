"""The process that runs a learner's file: `python -m tinygrad_cnn.learn.judge EXERCISE FILE OUTCOME SECONDS`.

The outcome is written as JSON, or, if its name ends in .html, the graph as a page.

The lines that are still blank are filled in from the solution, so that what is there can be judged: each line as it is
written. A gradient is cross-checked, which says where it is wrong and why; other exercises compare values with those
of the solution.
"""

from __future__ import annotations

import ast
import itertools
import math
import signal
import sys
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

try:
    import resource
except ImportError:  # Windows has no such limits, and the clock's is that of the caller
    resource = None  # type: ignore[assignment]

from tinygrad_cnn.learn import differences
from tinygrad_cnn.learn.blanks import Blank, answers, as_given, assigned_as_in, filled, same_code, without_marks
from tinygrad_cnn.learn.course import Exercise, WrongAnswer, course
from tinygrad_cnn.learn.gradients import cross_check, judged_above, judged_gradient, returned
from tinygrad_cnn.learn.modules import AnswerError, loaded
from tinygrad_cnn.learn.outcome import Line, Outcome, value_of
from tinygrad_cnn.learn.running import BY_THE_CLOCK, FAULT


def judge(exercise: Exercise, path: Path) -> Outcome:
    """The verdict on the answer at `path`."""
    try:
        return _judged(exercise, path)
    except AnswerError as error:
        return error.outcome(_statuses(exercise, path))


def _judged(exercise: Exercise, path: Path) -> Outcome:
    source = path.read_text(encoding="utf-8", errors="replace")
    found = _answers(exercise, source)
    lines = _lines(found)
    if all(line.status in ("blank", "gone") for line in lines):
        return Outcome(solved=False, lines=lines)
    # What is not there yet is as in the solution, so that what is there can be judged.
    missing = _missing(exercise, found)
    gone = [line for line in lines if line.status == "gone"]
    answer = loaded(filled(source, missing), path)
    solution = loaded(without_marks(exercise.solution), exercise.folder / "solution.py")
    if exercise.calls:
        outcome = _judged_values(exercise, lines, answer, solution)
    else:
        find_cause = not _speaks_for_itself(exercise, answer, solution)
        outcome = judged_gradient(exercise, lines, answer, solution, find_cause)
    if outcome.kind and (given := _as_given(exercise, found, outcome)):
        return _mistake_to_find(exercise, outcome, given, answer, solution)
    if outcome.kind and not exercise.calls:
        wrong_now = outcome.first_wrong
        words = _own_words(exercise, "" if wrong_now is None else wrong_now.name, answer)
        outcome = replace(outcome, says=words)
    return replace(outcome, solved=outcome.solved and not missing and not gone)


def _as_given(exercise: Exercise, found: Mapping[str, Blank | None], outcome: Outcome) -> set[str]:
    """The wrong lines that the learner was given and has not changed, if what is found is wrong is one of them."""
    given = as_given(exercise.solution)
    kept = {n for n, b in found.items() if b is not None and n in given and same_code(b.text, given[n])}
    wrong = [line.name for line in outcome.lines if line.status == "wrong"]
    return kept if wrong and wrong[0] in kept else set()


def _mistake_to_find(
    exercise: Exercise, outcome: Outcome, given: set[str], answer: ModuleType, solution: ModuleType
) -> Outcome:
    """Which gradient is wrong at the end, and neither the line nor the reason: these are to be found."""
    lines = [replace(x, status="given" if x.name in given else "unknown") for x in outcome.lines]
    if exercise.calls:
        call = outcome.facts["call"]
        return Outcome(False, lines, "given", {"names": [call], "call": call}, yours=outcome.yours)
    right, values = returned(solution), _values(exercise, answer)
    unlike = [name for name in right if not differences.same(values.get(name), right[name])]
    last = [name for name in unlike if name.removeprefix("dL_d") in answer.parameters]
    return Outcome(False, lines, "given", {"names": last or unlike})


def _judged_values(exercise: Exercise, lines: list[Line], answer: ModuleType, solution: ModuleType) -> Outcome:
    """The answer of an exercise whose `calls` give values."""
    source, path = answer.__source__, Path(str(answer.__file__))
    try:
        mistakes = _mistakes(exercise, answer, solution)
    except AnswerError as error:
        again = lambda lines, above: _judged_values(exercise, lines, above, solution)
        if (above := judged_above(error.line, exercise, lines, answer, again)) is None:
            raise
        return above
    if not mistakes:
        right_lines = [replace(line, status="right") if line.status == "unknown" else line for line in lines]
        return Outcome(solved=True, lines=right_lines)
    swapped, of = assigned_as_in(exercise.solution, source)
    operator = ""
    if len(of) == 1 and _gives(exercise, swapped, path, solution):
        wrong, operator = {of[0].name}, "assigned" if swapped.count("+=") > source.count("+=") else "added"
    else:
        wrong = _wrong_blanks(exercise, lines, answer, solution)
    lines = [
        replace(line, status="wrong" if line.name in wrong else "right") if line.status == "unknown" else line
        for line in lines
    ]
    # Of several, all that is said is of the first of them, as if the others were right.
    first = next((line for line in lines if line.status == "wrong"), None)
    if first is not None and len(wrong) > 1:
        others = {(b.within, b.name): b.value for b in exercise.blanks if b.name in wrong - {first.name}}
        try:
            alone = loaded(filled(source, others), path.with_name("alone.py"))
            if of_it := _mistakes(exercise, alone, solution):
                answer, mistakes = alone, of_it
        except AnswerError as error:
            return error.outcome(lines)
    call, yours, (kind, facts) = mistakes[0]
    if kind in ("sign", "times") and any(mistake[2] != (kind, facts) for mistake in mistakes):
        kind, facts = "number", {}  # of a single number that was a coincidence
    facts, at = {**facts, "call": call}, None if first is None else first.at
    says = _own_words(exercise, "" if first is None else first.name, answer)
    return Outcome(False, lines, operator or kind, facts, says, at, _shown_of_call(call, yours, answer))


def _mistakes(
    exercise: Exercise, answer: ModuleType, solution: ModuleType
) -> list[tuple[str, Any, tuple[str, dict[str, Any]]]]:
    """The calls that give a wrong value, with it and how it differs, until one raises. Raises AnswerError."""
    mistakes: list[tuple[str, Any, tuple[str, dict[str, Any]]]] = []
    for call in exercise.calls:
        right = answer_of(call, solution)
        try:
            yours = answer_of(call, answer)
        except AnswerError:
            if not mistakes:
                raise
            break  # a line that it made fail later is not the one to look at
        if not differences.same(yours, right):
            mistakes.append((call, yours, differences.difference(yours, right)))
    return mistakes


def _shown_of_call(call: str, value: Any, answer: ModuleType) -> str:
    """A value, with the names that the function returns, if there are several."""
    if isinstance(value, tuple):
        function = call.partition("(")[0]
        for node in ast.walk(ast.parse(answer.__source__)):
            if isinstance(node, ast.FunctionDef) and node.name == function and isinstance(node.body[-1], ast.Return):
                names = getattr(node.body[-1].value, "elts", [])
                if len(names) == len(value) and all(isinstance(name, ast.Name) for name in names):
                    return "\n".join(f"{n.id} = {differences.shown(x)}" for n, x in zip(names, value, strict=True))
    return differences.shown(value)


def _gives(exercise: Exercise, source: str, path: Path, solution: ModuleType) -> bool:
    """Whether all calls give what they give in the solution."""
    try:
        answer = loaded(source, path)
        return all(differences.same(answer_of(c, answer), answer_of(c, solution)) for c in exercise.calls)
    except AnswerError:  # the learner's, in another line
        return False


def answer_of(call: str, answer: ModuleType) -> Any:
    """The value of an expression in the learner's module. Raises AnswerError."""
    try:
        with np.errstate(all="ignore"):
            return eval(call, vars(answer))
    except BaseException as error:
        raise AnswerError(error, answer) from error


def _wrong_blanks(exercise: Exercise, lines: list[Line], answer: ModuleType, solution: ModuleType) -> set[str]:
    """The fewest blanks without which everything would be right."""
    written = [line.name for line in lines if line.status == "unknown"]
    source, path = answer.__source__, Path(str(answer.__file__))
    values = {b.name: ((b.within, b.name), b.value) for b in exercise.blanks}
    for n in range(1, len(written)):
        for names in itertools.combinations(written, n):
            if _gives(exercise, filled(source, dict(values[name] for name in names)), path, solution):
                return set(names)
    return set(written)


def _speaks_for_itself(exercise: Exercise, answer: ModuleType, solution: ModuleType) -> bool:
    """Whether the exercise has words for the first line with other numbers, or the numbers show what is wrong.

    The line may be right all the same, as at a tie.
    """
    right = _values(exercise, solution)
    try:
        values = _values(exercise, answer)
    except AnswerError:
        return False
    for name in (blank.name for blank in exercise.blanks):
        value = value_of(name)
        if value in right and not differences.same(values.get(value), right[value]):
            plain = differences.difference(values.get(value), right[value])[0] in differences.PLAIN
            return plain or bool(_own_words(exercise, name, answer))
    return False


def _own_words(exercise: Exercise, name: str, answer: ModuleType) -> dict[str, str]:
    """What the exercise says of an answer that gives the same numbers as this one.

    name: the blank that is wrong, "" if it is not known.
    """
    try:
        values = _values(exercise, answer)
    except AnswerError:
        return {}
    for wrong in exercise.wrong:
        if not wrong.says or (name and name not in wrong.blanks):
            continue
        if wrong.any_number and _alike_but_for_numbers(exercise, wrong, answer):
            return dict(wrong.says)
        places = {(b.within, b.name): wrong.blanks[b.name] for b in exercise.blanks if b.name in wrong.blanks}
        try:
            source = filled(without_marks(exercise.solution), places)
            known = _values(exercise, loaded(source, exercise.folder / "wrong.py"))
        except AnswerError:
            continue
        value = value_of(name)
        if value in values and value in known:
            alike = differences.same(values[value], known[value])
        else:
            alike = differences.same(list(values.values()), list(known.values()))
        if alike:
            return dict(wrong.says)
    return {}


def _alike_but_for_numbers(exercise: Exercise, wrong: WrongAnswer, answer: ModuleType) -> bool:
    """Whether the answer has the code of a wrong one, with any numbers in it."""
    source = filled(answer.__source__, {(b.within, b.name): wrong.blanks.get(b.name, b.value) for b in exercise.blanks})
    found, listed = (answers(text, list(exercise.blanks)) for text in (answer.__source__, source))
    pairs = [(found[name], listed[name]) for name in wrong.blanks]
    return all(a is not None and b is not None and same_code(a.text, b.text, any_number=True) for a, b in pairs)


def _values(exercise: Exercise, module: ModuleType) -> Mapping[str, Any]:
    """What an answer gives, by name or call, until it raises. Raises AnswerError if it gives nothing."""
    if not exercise.calls:
        try:
            return returned(module)
        except AnswerError as error:
            return error.variables
    values: dict[str, Any] = {}
    for call in exercise.calls:
        try:
            values[call] = answer_of(call, module)
        except AnswerError:
            if not values:
                raise
            break
    return values


def _missing(exercise: Exercise, found: Mapping[str, Blank | None]) -> dict[tuple[str, str], str]:
    """What the solution has in place of the blanks that are not filled in yet."""
    return {(b.within, b.name): b.value for b in exercise.blanks if (at := found[b.name]) is not None and at.empty}


def _answers(exercise: Exercise, source: str) -> dict[str, Blank | None]:
    try:
        return answers(source, exercise.blanks)
    except SyntaxError as error:
        raise AnswerError(error, None) from error


def _lines(found: Mapping[str, Blank | None]) -> list[Line]:
    """The blanks, of which nothing is known yet but whether they are filled in."""
    return [
        Line(name, "gone") if at is None else Line(name, "blank" if at.empty else "unknown", at.line, at.value, at.text)
        for name, at in found.items()
    ]


def _statuses(exercise: Exercise, path: Path) -> list[Line]:
    """The blanks of a file that may be no valid Python."""
    try:
        return _lines(answers(path.read_text(encoding="utf-8", errors="replace"), exercise.blanks))
    except SyntaxError:
        return [Line(blank.name, "unknown") for blank in exercise.blanks]


def write_page(exercise: Exercise, path: Path, out: Path) -> None:
    """Write the graph with the learner's own cotangents, as the cross-check's page, if there are any yet."""
    source = path.read_text(encoding="utf-8", errors="replace")
    try:
        found = _answers(exercise, source)
        answer = loaded(filled(source, _missing(exercise, found)), path)
        returned(answer)
    except AnswerError:
        return
    if not exercise.calls and any(line.status == "unknown" for line in _lines(found)):
        cross_check(answer).to_html(out)


def main(arguments: list[str]) -> None:
    """Judge a file, and write the outcome where the caller looks for it.

    It may take so many seconds of the processor. The caller stops it after a time by the clock. If the caller was
    killed before that, it ends by itself after twice as long, whatever the learner's file does.
    """
    number, path, out, seconds = arguments
    limit = float(seconds)
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 2 * BY_THE_CLOCK * limit)
    if resource is not None:
        whole = 1 + math.ceil(limit)  # one more, for what the judge itself does
        resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 1))
    exercise = next(e for e in course() if e.number == number)
    try:
        if out.endswith(".html"):
            write_page(exercise, Path(path), Path(out))
        else:
            Path(out).write_text(judge(exercise, Path(path)).to_json(), encoding="utf-8")
    except BaseException:  # a fault of ours, which the caller reports
        traceback.print_exc()
        raise SystemExit(FAULT) from None


if __name__ == "__main__":
    main(sys.argv[1:])
