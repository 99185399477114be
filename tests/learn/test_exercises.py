"""The exercises: what is given fails with a word, the solution is right, and a wrong answer gets what is promised."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tinygrad_cnn.check.sentences import EDITS
from tinygrad_cnn.learn import gradients, words
from tinygrad_cnn.learn.blanks import blanks_of, filled, without_marks
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
    if wrong.says:
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
    import string

    for table in (words.MISTAKES, words.FAILURES, words.FRAME, words.KEYS):
        for key, texts in table.items():
            fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in texts]
            assert fields[0] == fields[1] or fields[1] <= fields[0], key
            assert all(texts), key


def test_a_contribution_that_is_assigned_where_it_should_be_added_is_found(tmp_path: Path) -> None:
    sweep = next(e for e in EXERCISES if e.number == "8.2")
    solution = without_marks(sweep.solution)
    outcome = judged(sweep, solution.replace("+= pull(g)", "= pull(g)"), tmp_path)
    assert outcome.kind == "assigned"
    assert [line.name for line in outcome.lines if line.status == "wrong"] == ["cotangents[parent.number]"]
