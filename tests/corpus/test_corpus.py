"""Each mistake of the corpus is one: as it was, the gradient is wrong, first at that step; corrected, it is right."""

from __future__ import annotations

import pytest

import tinygrad_cnn as tg
from corpus import SEEN
from corpus.case import Case, is_held_back
from corpus.held_back import HELD_BACK
from corpus.judge import judged

ALL = [*SEEN, *HELD_BACK]
each = pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in ALL])


def test_a_name_decides_which_half_a_case_is_in() -> None:
    assert [is_held_back(case.name) for case in ALL] == [False] * len(SEEN) + [True] * len(HELD_BACK)
    assert len({case.name for case in ALL}) == len(ALL)


def test_no_mistake_is_in_both_halves() -> None:
    """Two of one thread are different ones, and their sources say in brackets which."""
    halves = [{case.source.split()[0]: case.source for case in half} for half in (SEEN, HELD_BACK)]
    shared = [url for url in halves[0] if url.startswith("http") and url in halves[1]]
    assert all("(" in half[url] for half in halves for url in shared), shared


@each
def test_the_gradient_is_right_once_it_is_corrected(case: Case) -> None:
    report = tg.check.gradients(case.loss, case.point, case.right)
    assert report.ok, report
    assert report.first_wrong is None, report


@each
def test_the_gradient_as_it_was_is_wrong_at_that_step(case: Case) -> None:
    report = tg.check.gradients(case.loss, case.point, case.by_hand, explanations=[])
    found = judged(case, report)
    assert found.verdict, report
    assert found.step, report


@each
def test_the_case_says_where_it_is_from(case: Case) -> None:
    assert case.source
    assert case.cause.endswith(".")
