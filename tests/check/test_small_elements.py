"""An element that is far smaller than the largest is not hidden by the rounding of that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

W = np.array([-15.0, 0.0, 15.0])
A = np.random.default_rng(0).normal(size=(6, 3))


def exponentials(w: Any) -> Any:
    return np.sum(np.exp(w))


def scaled_sums(w: Any) -> Any:
    return np.sum(np.tanh(A @ (np.array([1e-7, 1.0, 1e7]) * w / 1e7)) * np.array([1.0, -1, 2, 1, -1, 1]))


def by_hand_of_sums(w: Any, error: float = 0.0) -> Any:
    scales = np.array([1e-7, 1.0, 1e7]) / 1e7
    h = np.tanh(A @ (scales * w))
    return scales * (A.T @ ((1 - h**2) * np.array([1.0, -1, 2, 1, -1, 1]))) * np.array([1 + error, 1, 1])


@pytest.mark.parametrize(
    ("loss", "by_hand"),
    [
        (exponentials, lambda w: np.exp(w) * np.array([1.01, 1, 1])),
        (scaled_sums, lambda w: by_hand_of_sums(w, 0.01)),
    ],
)
def test_a_small_element_that_is_wrong_by_a_percent_is_called_wrong(loss: Any, by_hand: Any) -> None:
    report = tg.check.gradients(loss, W, by_hand)
    assert not report.ok
    pair = report.parameters[0].hand_derived_vs_autodiff
    assert pair is not None
    assert pair.index == (0,)
    assert report.parameters[0].cause is None


def cancels(w: Any) -> Any:
    return np.sum((w - np.mean(w)) ** 2) + 1e-7 * np.sum(w[:1]) - np.sum(np.cos(1e6 * w[2:]))


@pytest.mark.parametrize(
    ("loss", "by_hand"),
    [
        (exponentials, lambda w: np.exp(w)),
        (exponentials, lambda w: (np.exp(w) + 1e5) - 1e5),  # rounded itself: in long double it is right
        (scaled_sums, by_hand_of_sums),
        (lambda w: np.sum(np.log(1 + np.exp(w))), lambda w: 1 - 1 / (1 + np.exp(w))),
        (cancels, lambda w: 2 * w - 2 * np.mean(w) + np.array([1e-7, 0, 1e6 * np.sin(1e6 * w[2])])),
        (cancels, lambda w: 2 * w - 2 / 3 * np.sum(w) + np.array([1e-7, 0, 1e6 * np.sin(1e6 * w[2])])),
    ],
)
def test_what_is_rounded_is_right(loss: Any, by_hand: Any) -> None:
    for w in (W, W / 15, np.array([1.0, 1.0, 1.0 + 1e-9])):
        assert tg.check.gradients(loss, w, by_hand).ok


def test_the_cotangent_of_a_symmetric_matrix_may_be_symmetric_or_that_of_one_triangle() -> None:
    weight, identity = np.tril(A[:3]), np.eye(3)

    def loss(p: Any) -> Any:
        S = p["B"] @ p["B"].T + identity
        L = np.linalg.cholesky(S)
        return np.sum(weight * L)

    def by_hand(p: Any, triangle: bool = False, factor: float = 1.0) -> Any:
        L = np.linalg.cholesky(p["B"] @ p["B"].T + identity)
        P = np.tril(L.T @ weight)
        inverse = np.linalg.inv(L)
        dS = factor * inverse.T @ (P - np.diag(np.diag(P)) / 2) @ inverse
        dS = (dS + dS.T) / 2
        dB = (dS + dS.T) @ p["B"]
        return {"dS": 2 * np.tril(dS) - np.diag(np.diag(dS)) if triangle else dS, "dB": dB}

    point = {"B": A[3:]}
    report = tg.check.gradients(loss, point, by_hand)
    assert report.ok
    assert report.first_wrong is None
    assert any("symmetric" in note for note in report.notes)
    assert tg.check.gradients(loss, point, lambda p: by_hand(p, triangle=True)).first_wrong is None
    wrong = tg.check.gradients(loss, point, lambda p: by_hand(p, factor=2.0)).first_wrong
    assert wrong is not None
    assert wrong.name == "dS"
