"""Edits of the source of a hand-derived gradient: what is mended, and that nothing of it stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 9, 9)), RNG.normal(size=(6, 4, 4))
STRIDE = 2
WORDS = np.array([[0, 3, 1], [2, 2, 0]])
GOAL = RNG.normal(size=(2, 3, 4))
LABELS = RNG.integers(0, 3, 8)
POINTS = RNG.normal(size=(8, 5))
K = {"K": RNG.normal(size=(3, 3))}
E = {"E": RNG.normal(size=(5, 4))}
W = {"W": RNG.normal(size=(5, 3)), "b": np.zeros(3)}


def convolution(p: Any) -> Any:
    rows = [
        [np.sum(X[:, STRIDE * i : STRIDE * i + 3, STRIDE * j : STRIDE * j + 3] * p["K"], axis=(1, 2)) for j in range(4)]
        for i in range(4)
    ]
    return 0.5 * np.sum((np.stack([np.stack(row, -1) for row in rows], 1) - Y) ** 2)


def windows_without_stride(p: Any) -> Any:
    dK = np.zeros((3, 3))
    for n in range(6):
        for i in range(4):
            for j in range(4):
                a = X[n, i * STRIDE : i * STRIDE + 3, j * STRIDE : j * STRIDE + 3]
                dy = np.sum(a * p["K"]) - Y[n, i, j]
                dK += dy * X[n, i : i + 3, j : j + 3]
    return {"K": dK}


def lookup(p: Any) -> Any:
    return 0.5 * np.sum((p["E"][WORDS] - GOAL) ** 2)


def rows_overwritten(p: Any) -> Any:
    dE = np.zeros((5, 4))
    dE[WORDS] = p["E"][WORDS] - GOAL
    return {"E": dE}


def cross_entropy(p: Any) -> Any:
    z = POINTS @ p["W"] + p["b"]
    z = z - np.max(z, axis=1, keepdims=True)
    return np.mean(np.log(np.sum(np.exp(z), axis=1)) - z[np.arange(8), LABELS])


def softmax(p: Any) -> Any:
    e = np.exp(POINTS @ p["W"] + p["b"])
    return e / e.sum(axis=1, keepdims=True)


def not_divided(p: Any) -> Any:
    dz = softmax(p)
    dz[np.arange(8), LABELS] -= 1
    return {"W": POINTS.T @ dz, "b": dz.sum(axis=0)}


def divided_in_the_loop(p: Any) -> Any:
    dz = softmax(p)
    for i in range(8):
        dz[i, LABELS[i]] -= 1
        dz = dz / 8
    return {"W": POINTS.T @ dz, "b": dz.sum(axis=0)}


def returns_too_early(p: Any) -> Any:
    dW, db = np.zeros((5, 3)), np.zeros(3)
    dz = softmax(p)
    for i in range(8):
        dz[i, LABELS[i]] -= 1
        dW += np.outer(POINTS[i], dz[i]) / 8
        db += dz[i] / 8
        if i == 4:
            break
    return {"W": dW, "b": db}


@pytest.mark.parametrize(
    ("loss", "parameters", "by_hand", "right"),
    [
        (
            convolution,
            K,
            windows_without_stride,
            "dK += dy * a",
        ),
        (lookup, E, rows_overwritten, "np.add.at(dE, WORDS, p['E'][WORDS] - GOAL)"),
    ],
)
def test_the_line_is_mended(loss: Any, parameters: Any, by_hand: Callable[..., Any], right: str) -> None:
    report = tg.check.gradients(loss, parameters, by_hand, evaluations=0)
    causes = [p.cause for p in report.parameters]
    assert [cause.right for cause in causes if cause] == [right]


@pytest.mark.parametrize(
    ("by_hand", "said"),
    [
        (not_divided, r"after `dz\[np.arange\(8\), LABELS\] -= 1` the line `dz = dz / \S+` is missing"),
        (divided_in_the_loop, r"`dz = dz / 8` should stand after the loop"),
        (returns_too_early, r"`break` should not be there"),
    ],
)
def test_a_line_that_is_missing_or_in_the_wrong_place_is_the_cause_of_all(by_hand: Any, said: str) -> None:
    report = tg.check.gradients(cross_entropy, W, by_hand, evaluations=0)
    causes = [p.cause for p in report.parameters]
    assert all(cause is not None for cause in causes)
    assert causes[0] == causes[1]
    assert re.search(said, causes[0].words)


def test_two_mistakes_are_mended_one_after_the_other() -> None:
    def by_hand(p: Any) -> Any:
        dz = softmax(p)
        dz[np.arange(8), LABELS] -= 1
        dz = dz / 8
        return {"W": POINTS.T @ dz * 2, "b": -dz.sum(axis=0)}

    causes = [p.cause for p in tg.check.gradients(cross_entropy, W, by_hand, evaluations=0).parameters]
    assert all(cause is not None for cause in causes)
    assert causes[0] != causes[1]


HELD = {"W": np.zeros((5, 3)), "b": np.zeros(3)}


def test_the_second_mistake_is_mended_where_nothing_mends_the_first_and_where_the_arrays_are_always_the_same() -> None:
    def by_hand(p: Any) -> Any:
        dz = softmax(p)
        dz[np.arange(8), LABELS] -= 1
        dz = dz / 8
        HELD["W"][...] = np.sin(POINTS.T + 0.3) @ dz**3
        HELD["b"][...] = dz.sum(axis=0) ** 2
        return HELD

    of_weights, of_biases = (p.cause for p in tg.check.gradients(cross_entropy, W, by_hand, evaluations=0).parameters)
    assert of_weights is None
    assert of_biases is not None
    assert of_biases.right == "HELD['b'][...] = dz.sum(axis=0)"


def test_nothing_of_an_edit_stays() -> None:
    before = {name: value.copy() for name, value in globals().items() if isinstance(value, np.ndarray)}
    code, given = rows_overwritten.__code__, rows_overwritten(E)["E"]
    tg.check.gradients(lookup, E, rows_overwritten, evaluations=0)
    assert rows_overwritten.__code__ is code
    np.testing.assert_array_equal(rows_overwritten(E)["E"], given)
    for name, value in before.items():
        np.testing.assert_array_equal(globals()[name], value)


def test_no_edit_multiplies_two_long_axes() -> None:
    x, y = RNG.normal(size=(60_000, 2)), RNG.normal(size=60_000)
    largest = []

    def loss(p: Any) -> Any:
        return np.mean((x @ p["w"] - y) ** 2)

    def by_hand(p: Any) -> Any:
        error = x @ p["w"] - y
        gradient = error @ x / len(y)
        largest.append(max(np.size(error), np.size(gradient)))
        return {"w": gradient}

    report = tg.check.gradients(loss, {"w": np.ones(2)}, by_hand, evaluations=0)
    assert report.parameters[0].cause is not None
    assert max(largest) <= x.size


def test_an_edit_that_would_overwrite_data_leaves_them_as_they_are() -> None:
    data = RNG.normal(size=(4, 3))

    def loss(p: Any) -> Any:
        return np.sum((data - p["m"]) ** 2)

    def by_hand(p: Any) -> Any:
        dm = np.zeros(3)
        for i in range(4):
            row = data[i]
            dm = dm + 3 * (p["m"] - row)
        return {"m": dm}

    kept = data.copy()
    report = tg.check.gradients(loss, {"m": np.ones(3)}, by_hand, evaluations=0)
    assert report.parameters[0].cause is not None
    np.testing.assert_array_equal(data, kept)


def test_a_gradient_that_no_edit_mends_has_no_cause() -> None:
    noise = 1 + 0.01 * RNG.normal(size=(5, 3))

    def by_hand(p: Any) -> Any:
        z = 1.01 * (POINTS @ (p["W"] * noise)) + 1.02 * p["b"]
        e = np.exp(z)
        dz = (e / e.sum(axis=1, keepdims=True) - np.eye(3)[LABELS]) / 8
        return {"W": POINTS.T @ dz, "b": dz.sum(axis=0)}

    report = tg.check.gradients(cross_entropy, W, by_hand, evaluations=0)
    assert [p.cause for p in report.parameters] == [None, None]


def test_the_kind_of_a_cause_is_the_mistake_whether_the_program_or_the_line_was_edited() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 6, 3))

    def loss(p: dict[str, Any]) -> Any:
        return np.sum((x * p["w"] - y) ** 2) / len(x)

    def with_another(p: dict[str, Any]) -> dict[str, Any]:
        de = 2 * (x * p["w"] - y) / len(x)
        return {"w": np.sum(de * x * p["w"], axis=0)}

    def without_factor(p: dict[str, Any]) -> dict[str, Any]:
        de = (x * p["w"] - y) / len(x)
        return {"w": np.sum(de * x, axis=0)}

    parameters = {"w": np.array([0.5, -1.0, 2.0])}
    for by_hand, kind in ((with_another, "factor_more"), (without_factor, "factor_missing")):
        (row,) = tg.check.gradients(loss, parameters, by_hand=by_hand, progress=False).parameters
        assert row.cause is not None
        assert row.cause.kind == kind, row.cause


SEEN = np.array([1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0])


def masked(p: Any) -> Any:
    return np.sum(SEEN * (POINTS @ p["w"]) ** 2) / np.sum(SEEN)


def divided_by_all(p: Any) -> Any:
    error = 2 * (POINTS @ p["w"]) * SEEN
    return {"w": POINTS.T @ error / error.size}


def loss_with_mask_and_offset(p: Any) -> Any:
    z = POINTS @ p["w"]
    return 0.5 * np.sum((SEEN + 1) * z**2) / np.sum(SEEN)


def not_regrouped(p: Any) -> Any:
    z = POINTS @ p["w"]
    dz = SEEN + 1 * z
    return {"w": POINTS.T @ dz / np.sum(SEEN)}


def slope_and_mean_missing(p: Any) -> Any:
    h = np.tanh(POINTS @ p["w"])
    dz = 2 * h * (1 - h)
    return {"w": POINTS.T @ dz}


def with_mean_penalty(p: Any) -> Any:
    return np.mean((POINTS @ p["w"]) ** 2) + np.mean(p["w"] ** 2)


def shape_the_wrong_way_round(p: Any) -> Any:
    features, count = POINTS.shape
    return {"w": POINTS.T @ (2 * POINTS @ p["w"] / count) + 2 * p["w"] / features}


def mean_of_squares(p: Any) -> Any:
    return np.mean(np.tanh(POINTS @ p["w"]) ** 2)


@pytest.mark.parametrize(
    ("loss", "by_hand", "right"),
    [
        (masked, divided_by_all, "return {'w': POINTS.T @ error / SEEN.sum()}"),
        (loss_with_mask_and_offset, not_regrouped, "dz = (SEEN + 1) * z"),
        (with_mean_penalty, shape_the_wrong_way_round, "count, features = POINTS.shape"),
        (mean_of_squares, slope_and_mean_missing, r"dz = 2 * h * (1 - h ** 2) / "),
    ],
)
def test_the_line_is_what_it_should_be(loss: Any, by_hand: Any, right: str) -> None:
    report = tg.check.gradients(loss, {"w": RNG.normal(size=5)}, by_hand, evaluations=0)
    cause = report.parameters[0].cause
    assert cause is not None
    assert cause.right.startswith(right)


def test_a_gradient_that_is_wrong_by_a_factor_alone_is_not_explained_by_an_edit_and_another_factor() -> None:
    def by_hand(p: Any) -> Any:
        return {"w": 1.234 * POINTS.T @ (2 * (POINTS @ p["w"]) * SEEN) / np.sum(SEEN)}

    report = tg.check.gradients(masked, {"w": RNG.normal(size=5)}, by_hand, evaluations=0)
    cause = report.parameters[0].cause
    assert cause is not None
    assert cause.words == "there is a factor 1.234 too many"
    assert cause.right == "return {'w': POINTS.T @ (2 * (POINTS @ p['w']) * SEEN) / np.sum(SEEN)}"
