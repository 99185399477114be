"""Other data: of the same kind, found by functions while a context lasts, and nobody's arrays are changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinygrad_cnn.check.diagnose.moved_data import moved, other_array

RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 3))
KEPT = {"y": np.eye(3)[[0, 2, 1, 1]], "n": 3}
INDEX = np.array([0, 2])


def reads() -> tuple[Any, ...]:
    return X, KEPT["y"], INDEX


def calls_another() -> tuple[Any, ...]:
    return reads()


def closes_over(x: Any) -> Any:
    return lambda: (x, KEPT["y"], INDEX)


@pytest.mark.parametrize("function", [reads, calls_another, closes_over(X)])
def test_functions_find_other_data_within_it_and_their_own_again_after_it(function: Any) -> None:
    x, y, index = (np.copy(value) for value in function())
    with moved([function], seed=1):
        there = function()
        assert np.all(there[0] != x)
        assert there[1].shape == y.shape
        assert there[2] is INDEX
    for now, before in zip(function(), (x, y, index), strict=True):
        assert np.array_equal(now, before)


def test_data_are_restored_after_an_error() -> None:
    def fails() -> None:
        with moved([reads], seed=1):
            assert X is not before
            raise ZeroDivisionError

    before = X
    with pytest.raises(ZeroDivisionError):
        fails()
    assert X is before


@pytest.mark.parametrize(
    ("data", "holds"),
    [
        (np.eye(3)[[0, 1, 1]], lambda x: np.all(np.sort(x, axis=1) == [0, 0, 1])),  # one-hot
        (np.array([1.0, 0.0, 1.0, 0.0]), lambda x: set(x) == {0.0, 1.0}),  # flags
        (RNG.normal(size=(4, 4)), lambda x: not np.array_equal(x, x.T)),
        ((np.abs(np.arange(6)[:, None] - np.arange(6)) <= 1) * 1.0, lambda x: np.array_equal(x, x.T)),  # symmetric
        (X @ X.T, lambda x: np.array_equal(x, x.T)),
        (np.array([0.2, 0.3, 0.5]), lambda x: np.isclose(x.sum(), 1) and np.all(x > 0)),  # probabilities
        (np.array([0.1, 2.0, 3.0]), lambda x: np.all(x > 0)),  # positive
        (np.ones(4), lambda x: len(np.unique(x)) == 4),  # what is equal is no longer
    ],
)
def test_what_data_are_they_remain(data: Any, holds: Any) -> None:
    for seed in range(5):
        assert holds(other_array(data, np.random.default_rng(seed)))


def test_other_data_may_be_small() -> None:
    assert np.abs(other_array(X, np.random.default_rng(0), scale=1e-3)).max() < 0.1
