"""The exercises: what is given fails with a word, the solution is right, and a wrong answer gets what is promised."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import numpy as np
import pytest

from tinygrad_cnn.check.sentences import EDITS
from tinygrad_cnn.learn import differences, gradients, words
from tinygrad_cnn.learn.blanks import as_given, blanks_of, filled, same_code, without_marks
from tinygrad_cnn.learn.course import HINTS, LANGUAGES, Exercise, WrongAnswer, course
from tinygrad_cnn.learn.judge import judge
from tinygrad_cnn.learn.lesson import paragraphs
from tinygrad_cnn.learn.outcome import Outcome

EXERCISES = course()
WRONG = [(exercise, wrong) for exercise in EXERCISES for wrong in exercise.wrong]
WIDTH = 88  # columns of an editor


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found is not to depend on how busy the machine is."""
    monkeypatch.setattr(gradients, "SECONDS", 60.0)


def judged(exercise: Exercise, source: str, folder: Path) -> Outcome:
    path = folder / "answer.py"
    path.write_text(source, encoding="utf-8")
    return judge(exercise, path)


def answered(exercise: Exercise, wrong: WrongAnswer) -> str:
    places = {(b.within, b.name): wrong.blanks[b.name] for b in exercise.blanks if b.name in wrong.blanks}
    return filled(without_marks(exercise.solution), places)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.number)
def test_what_is_given_is_not_yet_right_and_the_solution_is(exercise: Exercise, tmp_path: Path) -> None:
    for language in LANGUAGES:
        given = exercise.starter(language)
        assert max(map(len, given.splitlines())) <= WIDTH
        outcome = judged(exercise, given, tmp_path)
        assert not outcome.solved
        assert "raises" not in " ".join(paragraphs(outcome, language))
    right = judged(exercise, without_marks(exercise.solution), tmp_path)
    assert right.solved, paragraphs(right, "en")
    assert {line.status for line in right.lines} == {"right"}


@pytest.mark.parametrize(("exercise", "wrong"), WRONG, ids=[f"{e.number}-{'-'.join(w.blanks)}" for e, w in WRONG])
def test_a_wrong_answer_gets_the_explanation_that_is_promised(
    exercise: Exercise, wrong: WrongAnswer, tmp_path: Path
) -> None:
    outcome = judged(exercise, answered(exercise, wrong), tmp_path)
    assert not outcome.solved
    given = as_given(exercise.solution)
    if given and all(same_code(f"{name} = {value}", given[name]) for name, value in wrong.blanks.items()):
        assert (outcome.kind, outcome.says, outcome.at) == ("given", {}, None)  # to find it is the exercise
    elif wrong.says:
        assert outcome.says == wrong.says
    else:
        assert outcome.kind == wrong.kind
        assert not outcome.says
    # It names the line that was answered wrongly, and never says what is right.
    if outcome.first_wrong is not None:
        assert outcome.first_wrong.name in wrong.blanks
    own = "" if outcome.at is None else outcome.at[1]  # the learner's line, which may have the right one in it
    said = " ".join(paragraphs(outcome, "en")).replace(own, "")
    solutions = {b.name: b.value for b in exercise.blanks}
    assert not [name for name in wrong.blanks if len(solutions[name]) > 8 and solutions[name] in said]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.number)
def test_each_line_is_judged_as_it_is_filled_in(exercise: Exercise, tmp_path: Path) -> None:
    if "# given" in exercise.solution:
        pytest.skip("it has lines to mend and no blanks")
    source = exercise.starter("en")
    for n, blank in enumerate(exercise.blanks[:-1], 1):
        source = filled(source, {(blank.within, blank.name): blank.value})
        outcome = judged(exercise, source, tmp_path)
        assert not outcome.solved
        assert outcome.kind == "", paragraphs(outcome, "en")
        assert [line.name for line in outcome.lines if line.status == "right"] == [b.name for b in exercise.blanks[:n]]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.number)
def test_an_exercise_is_whole(exercise: Exercise) -> None:
    ast.parse(exercise.solution)
    assert blanks_of(exercise.solution)
    assert exercise.wrong
    assert 1 <= exercise.minutes <= 10
    for language in LANGUAGES:
        assert exercise.title[language]
        assert len(set(exercise.hints[language])) == HINTS
    for wrong in exercise.wrong:
        assert bool(wrong.kind) != bool(wrong.says), "a wrong answer promises a kind, or words of its own"
        assert not wrong.kind or wrong.kind in {**words.MISTAKES, **words.FAILURES}
        assert not wrong.says or set(wrong.says) == set(LANGUAGES)


def test_every_mistake_that_the_cross_check_finds_has_a_sentence_for_learners() -> None:
    assert EDITS.keys() <= words.MISTAKES.keys()


def test_the_sentences_are_there_in_both_languages() -> None:
    for table in (words.MISTAKES, words.FAILURES, words.FRAME, words.KEYS):
        for key, texts in table.items():
            fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in texts]
            assert fields[1] <= fields[0], key
            assert all(texts), key
            assert not re.search(r"\}`?\(?(이|가|을|를|은|는|과|와|로|으로)", texts[1]), (
                f"{key}: its particle depends on a name"
            )


def test_a_contribution_that_is_assigned_where_it_should_be_added_is_found(tmp_path: Path) -> None:
    sweep = next(e for e in EXERCISES if e.number == "8.2")
    solution = without_marks(sweep.solution)
    outcome = judged(sweep, solution.replace("+= pull(g)", "= pull(g)"), tmp_path)
    assert outcome.kind == "assigned"
    assert [line.name for line in outcome.lines if line.status == "wrong"] == ["cotangents[parent.number]"]


# Two lines that are wrong independently: what is said is of the first one of the file, all of it.
TWO_WRONG = [
    ("2.2", {"dL_dW": "-dL_dz @ x.T", "dL_dx": "2 * W.T @ dL_dz"}, "dL_dW", "sign"),
    ("2.2", {"dL_dW": "2 * dL_dz @ x.T", "dL_dx": "-W.T @ dL_dz"}, "dL_dW", "factor_more"),
    ("8.4", {"pull_a": "lambda g: 2 * g @ b.T", "pull_sum": "lambda g: g"}, "pull_a", "scale_everywhere"),
    ("8.4", {"pull_x": "lambda g: x > 0", "pull_sum": "lambda g: g"}, "pull_x", "other"),
    ("2.5", {"dL_dz": "z - y", "dL_db": "np.sum(dL_dz)"}, "dL_dz", "length_missing"),
    ("2.5", {"dL_dz": "z - y", "dL_dw": "x @ dL_dz"}, "dL_dz", "length_missing"),
    ("2.5", {"dL_dz": "z - y", "dL_dw": "x.T @ dL_dz / m", "dL_db": "dL_dz.mean(axis=0, keepdims=True)"}, "dL_dz", ""),
    ("5.2", {"dL_dmax_pool": "2 * (max_pool - y)", "is_max": "relu <= 9"}, "dL_dmax_pool", "scale_everywhere"),
    ("6.4", {"dL_dconv": "np.maximum(0, dL_drelu)", "dL_dBc": "np.sum(dL_dconv)"}, "dL_dconv", "some_elements"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "blanks", "name", "kind"), TWO_WRONG)
def test_name_reason_line_and_values_are_of_one_line(
    number: str, blanks: dict[str, str], name: str, kind: str, tmp_path: Path
) -> None:
    exercise = next(e for e in EXERCISES if e.number == number)
    outcome = judged(exercise, answered(exercise, WrongAnswer(blanks)), tmp_path)
    assert outcome.name == name
    assert not kind or outcome.kind == kind
    assert outcome.at is not None
    assert outcome.at[1] == f"{name} = {blanks[name]}"
    if not exercise.calls:
        assert outcome.yours == judged(exercise, answered(exercise, WrongAnswer({name: blanks[name]})), tmp_path).yours
    (follows,) = [p for p in paragraphs(outcome, "en") if "only because" in p] or [""]
    assert name not in follows


@pytest.mark.parametrize("exercise", [e for e in EXERCISES if as_given(e.solution)], ids=lambda e: e.number)
def test_the_mistake_that_is_to_be_found_is_not_told(exercise: Exercise, tmp_path: Path) -> None:
    (given,) = as_given(exercise.solution).values()
    outcome = judged(exercise, exercise.starter("en"), tmp_path)
    assert (outcome.kind, outcome.at, outcome.says) == ("given", None, {})
    assert {line.status for line in outcome.lines} <= {"given", "unknown"}
    for language in LANGUAGES:
        assert given not in " ".join(paragraphs(outcome, language))


def test_the_line_is_quoted_as_it_is_written(tmp_path: Path) -> None:
    exercise = next(e for e in EXERCISES if e.number == "8.2")
    source = without_marks(exercise.solution).replace("+= pull(g)", "+=  g")
    outcome = judged(exercise, source, tmp_path)
    assert outcome.at is not None
    assert outcome.at[1] == "cotangents[parent.number] +=  g"


def test_an_assignment_of_a_wrong_shape_says_which_shapes(tmp_path: Path) -> None:
    exercise = next(e for e in EXERCISES if e.number == "4.4")
    outcome = judged(exercise, answered(exercise, WrongAnswer({"rows[3 * u + v]": "np.zeros(5)"})), tmp_path)
    assert paragraphs(outcome, "en")[0] == "An array of shape (5,) is assigned to a place of shape (16,)."


# What NumPy raises becomes a lesson with the shapes, not in NumPy's words: exercise 2.2, dL_dz (2, 4) and x (3, 4).
RAISED = [
    ("dL_dz @ x", "matmul_shapes", "dL_dz (2, 4), x (3, 4)"),
    ("np.dot(dL_dz, x)", "matmul_shapes", "dL_dz (2, 4), x (3, 4)"),
    ("np.matmul(dL_dz, 3)", "matmul_number", "dL_dz (2, 4), 3 ()"),
    ("(dL_dz * x) * 2", "broadcast_shapes", "dL_dz (2, 4), x (3, 4)"),
    ("np.multiply(dL_dz, x)", "broadcast_shapes", "dL_dz (2, 4), x (3, 4)"),
    ("np.einsum('ij,jk', dL_dz, x)", "broadcast_shapes", "dL_dz (2, 4), x (3, 4)"),
    ("dL_dz == x", "broadcast_shapes", "dL_dz (2, 4), x (3, 4)"),
    ("x if x == 0 else dL_dz", "truth_of_comparison", "True or False for each element"),
    ("x and dL_dz", "truth_of_array", "this is an array"),
    ("float(dL_dz)", "array_for_number", "one number belongs"),
    ("np.array([dL_dz, x])", "ragged", "different shapes"),
    ("np.stack([dL_dz, x])", "ragged", "different shapes"),
    ("dL_dz.reshape(5)", "reshaped_size", "there are 8, and shape (5,)"),
    ("dL_dz.sum(axis=3)", "no_such_axis", "no axis 3: the number of axes is 2"),
    ("dL_dz[:, 9]", "no_such_index", "no index 9: the length of axis 1 is 4"),
    ("dL_dz[0, 0, 0]", "too_many_indices", "3, where the number of axes is 2"),
    ("dL_dz(x)", "array_called", "[ ]"),
]


@pytest.mark.parametrize(("code", "kind", "says"), RAISED)
def test_what_numpy_raises_is_a_lesson_with_the_line(code: str, kind: str, says: str, tmp_path: Path) -> None:
    exercise = next(e for e in EXERCISES if e.number == "2.2")
    outcome = judged(exercise, answered(exercise, WrongAnswer({"dL_dW": code})), tmp_path)
    assert outcome.kind == kind
    assert outcome.at is not None
    assert outcome.at[1] == f"dL_dW = {code}"
    assert says in paragraphs(outcome, "en")[0]
    assert "operands" not in paragraphs(outcome, "en")[0]


def test_a_step_of_any_size_is_a_chord(tmp_path: Path) -> None:
    exercise = EXERCISES[0]
    (chord,) = [wrong for wrong in exercise.wrong if wrong.any_number]
    for h in ("1", "0.3", "1e-8"):
        wrong = WrongAnswer({"return": f"(f(x + {h}) - f(x)) / {h}"})
        assert judged(exercise, answered(exercise, wrong), tmp_path).says == chord.says
    assert judged(exercise, answered(exercise, WrongAnswer({"return": "3 * x"})), tmp_path).says == {}


def test_a_function_of_numbers_that_is_given_an_array_has_a_sentence(tmp_path: Path) -> None:
    exercise = next(e for e in EXERCISES if e.number == "6.4")
    outcome = judged(exercise, answered(exercise, WrongAnswer({"dL_dconv": "max(0, dL_drelu)"})), tmp_path)
    assert outcome.kind == "truth_of_array"


def test_a_value_that_is_no_gradient_is_not_said_to_be_one(tmp_path: Path) -> None:
    exercise = next(e for e in EXERCISES if e.number == "5.3")
    outcome = judged(exercise, answered(exercise, WrongAnswer({"ties": "np.zeros((3, 3))"})), tmp_path)
    assert "gradient" not in paragraphs(outcome, "en")[0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.array([True, False]), "[ True False]\nshape (2,)"),
        (True, "True"),
        ([14.0, 3.0], "[14.0, 3.0]"),
        ([object()], "[object]"),
        ([np.zeros(2), np.ones((1, 2))], "[0]  [0. 0.]\n     shape (2,)\n[1]  [[1. 1.]]\n     shape (1, 2)"),
        ({"W": np.ones(2), "n": 3}, "['W']  [1. 1.]\n     shape (2,)\n['n']  3.0"),
        (-0.0, "0.0"),
    ],
)
def test_a_value_is_shown_as_it_is(value: object, text: str) -> None:
    assert differences.shown(value) == text


def test_a_factor_is_a_fraction_where_that_is_exact() -> None:
    right = np.arange(1.0, 5)
    factors = {1 / 3: "1/3", 0.5: "0.5", 1 / 7: "1/7", 2.0: "2", 0.1: "0.1"}
    for factor, text in factors.items():
        assert differences.difference(factor * right, right) == ("scale_everywhere", {"factor": text})


def test_several_values_are_shown_with_their_names(tmp_path: Path) -> None:
    exercise = next(e for e in EXERCISES if e.number == "1.3")
    first = exercise.blanks[0].name
    outcome = judged(exercise, answered(exercise, WrongAnswer({first: "7.25"})), tmp_path)
    assert [line.partition(" = ")[0] for line in outcome.yours.splitlines()] == ["dL_du", "dL_dx"]
