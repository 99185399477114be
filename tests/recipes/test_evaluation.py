"""What is known of predictions: accuracy and its interval, confusion, calibration; and the folds of a test."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from tinygrad_cnn.recipes.evaluation import Evaluation, folds_of, joined, mean_interval, wilson


@pytest.mark.parametrize(("right", "of"), [(0, 4), (4, 4), (2, 4), (96, 100), (150, 150), (1, 1000)])
def test_wilsons_interval_is_scipys(right: int, of: int) -> None:
    expected = scipy.stats.binomtest(right, of).proportion_ci(method="wilson")
    np.testing.assert_allclose(wilson(right, of), [expected.low, expected.high], rtol=1e-12, atol=1e-15)


def test_the_interval_of_a_mean_contains_it_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    within = [low < 0.9 < high for low, high in (mean_interval(rng.normal(0.9, 0.05, 40)) for _ in range(2000))]
    assert np.mean(within) == pytest.approx(0.95, abs=0.02)


def an_evaluation() -> Evaluation:
    probabilities = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.5, 0.3, 0.2], [0.05, 0.05, 0.9], [0.6, 0.3, 0.1]])
    return Evaluation(probabilities, np.array([0, 1, 1, 2, 2]), list("abcde"), ("x", "y", "z"))


def test_an_evaluation_counts() -> None:
    found = an_evaluation()
    assert found.right == 3
    assert found.said.tolist() == [0, 1, 0, 2, 0]
    assert found.confusion.tolist() == [[1, 0, 0], [1, 1, 0], [1, 0, 1]]
    assert found.wrong.tolist() == [4, 2]  # the surest first
    assert found.unsure == 2
    assert found.sentence() == "3 of 5 right, 60.0% (95 % interval 23.1% to 88.2%)"
    assert [wrong["name"] for wrong in found.as_data()["wrong"]] == ["e", "c"]


def test_calibration_bins_hold_every_drawing_once_and_its_error_is_their_mean_distance() -> None:
    found = an_evaluation()
    rows = found.calibration(2)
    assert [(row["drawings"], row["accuracy"]) for row in rows] == [(2, 0), (3, 1)]
    np.testing.assert_allclose([row["mean_probability"] for row in rows], [0.55, 2.5 / 3])
    assert sum(row["drawings"] for row in found.calibration()) == 5


def test_probabilities_that_mean_what_they_say_have_almost_no_calibration_error() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.5, 1, 20_000)
    labels = (rng.random(20_000) > p).astype(int)
    found = Evaluation(np.stack([p, 1 - p], axis=1), labels, [""] * 20_000, ("a", "b"))
    assert found.calibration_error < 0.01
    swapped = Evaluation(found.probabilities, 1 - labels, found.names, found.classes)
    assert swapped.calibration_error > 0.4


@pytest.mark.parametrize("count", [2, 5, 7])
def test_folds_test_each_drawing_once_and_have_classes_in_proportion(count: int) -> None:
    labels = np.repeat([0, 1, 2], [20, 35, 14])
    divisions = folds_of(labels, count)
    assert sorted(i for _, test in divisions for i in test) == list(range(69))
    for train, test in divisions:
        assert not set(train) & set(test)
        assert len(train) + len(test) == 69
        for k in range(3):
            assert abs((labels[test] == k).sum() - (labels == k).sum() / count) < 1


def test_evaluations_are_joined_in_order() -> None:
    both = joined([an_evaluation(), an_evaluation()])
    assert (both.right, both.names) == (6, list("abcdeabcde"))
