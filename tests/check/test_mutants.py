"""Planted mistakes are found where they are and for what they are; gradients that are right raise no alarm."""

from __future__ import annotations

import pytest
from mutants import MUTANTS, RIGHT, Mutant, Right

import tinygrad_cnn as tg


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m.system.name}, {m.kind}, {m.step}")
def test_the_step_of_a_planted_mistake_is_found(mutant: Mutant) -> None:
    report = tg.check.gradients(mutant.system.loss, mutant.system.point, mutant.by_hand, evaluations=0)
    assert report.first_wrong is not None
    assert report.first_wrong.name == mutant.step
    assert not report.ok
    if mutant.cause is not None:
        assert mutant.cause in str(report.first_wrong.explanation)


@pytest.mark.parametrize("right", RIGHT, ids=lambda r: r.name)
def test_a_right_gradient_raises_no_alarm(right: Right) -> None:
    report = tg.check.gradients(right.loss, right.point, right.by_hand)
    assert report.ok, str(report)
    assert report.conclusions == []


def test_there_are_as_many_as_there_should_be() -> None:
    assert len(MUTANTS) >= 40
    assert sum(mutant.cause is not None for mutant in MUTANTS) >= 36
    assert len(RIGHT) >= 10
