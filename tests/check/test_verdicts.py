"""Verdicts where a difference is no mistake, or nothing can be concluded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

check = tg.check.gradients


@pytest.mark.parametrize(
    ("loss", "w", "first"),
    [
        (lambda w: np.sum(np.log(w)), [1.0, -1.0], "log"),
        (lambda w: np.sum(1 / w), [1.0, 0.0], "divide"),
        (lambda w: np.sum(np.exp(w)), [1.0, 1000.0], "exp"),
        (lambda w: np.sum(w), [1.0, np.inf], None),
    ],
)
def test_of_a_loss_that_is_not_finite_nothing_is_concluded(loss: Any, w: Any, first: str | None) -> None:
    w = np.array(w)
    with np.errstate(all="ignore"):
        by_hand = tg.grad(loss)(w)
    for given in (by_hand, 2 * by_hand, None):
        report = check(loss, w, given)
        assert report.verdict == "The check is inconclusive."
        assert not report.ok
        assert f"The loss is {report.loss} at these parameters" in report.conclusions[0]
        assert first is None or f"that of {first} (test_verdicts.py:" in report.conclusions[0]


DATA = np.array([[1.0, np.nan], [-2.0, 0.5], [4.0, 3.0]])
NAN_BY_AUTODIFF: dict[str, tuple[Any, Any, Any]] = {
    "masked NaN in the data": (
        lambda w: np.nansum(np.abs(DATA * w)),
        [0.5, -1.5],
        lambda w: np.nansum(np.sign(DATA * w) * DATA, axis=0),
    ),
    "a primitive whose rule divides by 0": (lambda w: np.sum(cubed_root_cubed(w)), [0.0, 2.0], np.ones_like),
}


@tg.primitive(elementwise=True)
def cubed_root_cubed(x, /):
    return np.cbrt(x) ** 3


cubed_root_cubed.defvjp(lambda g, out, x: g * np.cbrt(x) * np.cbrt(x) / np.cbrt(x) ** 2)


@pytest.mark.parametrize("name", NAN_BY_AUTODIFF)
def test_where_autodiff_gives_nan_and_the_other_two_agree_the_gradient_is_right(name: str) -> None:
    loss, w, by_hand = NAN_BY_AUTODIFF[name]
    w = np.array(w)
    report = check(loss, w, by_hand)
    assert np.isnan(report.parameters[0].autodiff).any()
    assert report.ok
    assert "Autodiff gives nan for x" in report.conclusions[0]
    assert "test_verdicts.py:" in report.conclusions[1]  # the line
    assert not check(loss, w).ok
    for k in range(2):  # where autodiff is NaN, and where it is not
        assert not check(loss, w, by_hand(w) + 1e-3 * np.eye(2)[k]).ok


def test_where_neither_autodiff_nor_differences_have_a_number_nothing_is_called_wrong() -> None:
    """w ** 1.5 as w * sqrt(w): at 0 its rule gives a NaN, and to one side the loss has no value."""

    def loss(w: Any) -> Any:
        return np.sum(w * np.sqrt(w))

    w = np.array([0.0, 1.0])
    report = check(loss, w, np.array([0.0, 1.5]))
    assert report.ok
    assert any("at element (0,) autodiff gives nan and no finite difference exists" in note for note in report.notes)
    assert not check(loss, w, np.array([0.0, 1.6])).ok


def cholesky_loss(p: Any) -> Any:
    L = np.tril(p["M"])
    S = L @ L.T
    return np.sum(S * S)


def masked_loss(p: Any) -> Any:
    s = p["M"] @ p["M"].T
    masked = np.where(MASK, s, -np.inf)
    A = np.exp(masked)
    return np.sum(A**2)


MASK = np.tril(np.ones((3, 3), bool))


def of_cholesky(p: Any, factor: float = 1.0, mask: Any = np.tril) -> Any:
    L = np.tril(p["M"])
    dL = 4 * L @ L.T @ L
    return {"dL": factor * mask(dL), "dM": factor * np.tril(dL)}


def of_masked(p: Any, factor: float = 1.0, mask: Any = np.tril) -> Any:
    s = p["M"] @ p["M"].T
    dA = 2 * np.where(MASK, np.exp(s), 0.0) + 100 * ~MASK * (mask is np.tril)
    ds = factor * np.where(MASK, dA * np.exp(s), 0.0)
    return {"dA": dA, "ds": ds, "dM": (ds + ds.T) @ p["M"]}


@pytest.mark.parametrize(("loss", "by_hand"), [(cholesky_loss, of_cholesky), (masked_loss, of_masked)])
def test_elements_that_are_thrown_away_make_no_step_wrong(loss: Any, by_hand: Any) -> None:
    p = {"M": 0.5 * np.random.default_rng(0).standard_normal((3, 3))}
    report = check(loss, p, by_hand)
    assert report.ok
    assert not any(step.wrong for step in report.steps)
    assert any("which no parameter's gradient depends on" in note for note in report.notes)
    wrong = check(loss, p, lambda p: by_hand(p, 1.5))
    assert wrong.first_wrong is not None
    assert not wrong.ok


def test_a_relu_at_rest_throws_nothing_away() -> None:
    """It does so at this point only: the mistake before it is one."""

    def loss(p: Any) -> Any:
        z = p["w"] * 3.0
        h = tg.relu(z)
        return np.sum((h - 1) ** 2)

    w = np.array([-1.0, 0.5])
    dh = np.array([0.0, 2 * (1.5 - 1)])  # -2 in the first place
    report = check(loss, {"w": w}, {"dh": dh, "dw": 3 * dh * (w > 0)})
    assert report.first_wrong is not None


SHARES = {
    "even": ([0.5, 0.5], True),
    "uneven": ([0.3, 0.7], True),
    "all to one": ([0.0, 1.0], True),
    "too little": ([0.3, 0.3], False),
    "in full": ([1.0, 1.0], False),
    "out of bounds": ([-0.5, 1.5], False),
}


@pytest.mark.parametrize("shares", SHARES)
@pytest.mark.parametrize("with_steps", [False, True])
def test_a_tie_may_be_shared_as_one_likes_if_all_of_it_is(shares: str, with_steps: bool) -> None:
    def loss(p: Any) -> Any:
        z = 2.0 * p["w"]
        m = np.max(z)
        return m**2

    share, right = SHARES[shares]
    dm = 4.0
    dz = dm * np.array([*share, 0.0])
    named = {"dw": 2 * dz, "dm": dm, "dz": dz} if with_steps else {"dw": 2 * dz}
    report = check(loss, {"w": np.array([1.0, 1.0, 0.5])}, named)
    assert report.ok == right, str(report)
    assert any(step.wrong for step in report.steps) == (with_steps and not right)
    if shares == "uneven":
        assert any("within the bounds" in note or "both are right" in note for note in report.notes)


@pytest.mark.parametrize(("slope", "right"), [(0.0, True), (0.3, True), (1.0, True), (1.2, False), (-0.1, False)])
def test_at_a_kink_any_slope_between_is_right_at_a_step_too(slope: float, right: bool) -> None:
    def loss(p: Any) -> Any:
        z = 2.0 * p["w"]
        h = tg.relu(z)
        return np.sum(3 * h)

    dz = 3 * np.array([slope, 1.0])
    report = check(loss, {"w": np.array([0.0, 1.0])}, {"dz": dz, "dw": 2 * dz})
    assert report.ok == right
    assert any(step.wrong for step in report.steps) == (not right)


# At a kink a gradient checker should estimate the slopes to both sides, and accept what lies between them:
# https://github.com/BVLC/caffe/issues/1334. What Caffe's layers with kinks compute, each with these slopes at 0.
KINKS: dict[str, tuple[Any, float, float]] = {
    "relu": (lambda x: np.maximum(0, x), 0.0, 1.0),
    "hinge loss": (lambda x: np.maximum(0, -2 * x), -2.0, 0.0),
    "elementwise maximum": (lambda x: np.maximum(3 * x, -x), -1.0, 3.0),
    "absolute value": (np.abs, -1.0, 1.0),
}


@pytest.mark.parametrize("name", KINKS)
def test_at_a_kink_what_lies_between_the_slopes_to_both_sides_is_right(name: str) -> None:
    function, left, right = KINKS[name]
    point = np.array([0.0, 0.7])
    for share in (0.0, 0.25, 0.5, 1.0):
        assert check(lambda x: np.sum(function(x)), point, np.array([left + share * (right - left), right])).ok, share
    for outside in (left - 0.1, right + 0.1):
        assert not check(lambda x: np.sum(function(x)), point, np.array([outside, right])).ok


def test_a_factor_that_all_gradients_have_is_said_once() -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 7, 3))

    def loss(p: Any) -> Any:
        h = np.tanh(x @ p["W"])
        r = h - y
        return np.sum(r**2) / 7

    def summed(p: Any) -> Any:
        h = np.tanh(x @ p["W"])
        dr = 2 * (h - y)
        dh = dr
        return {"dr": dr, "dh": dh, "dW": x.T @ (dh * (1 - h**2))}

    report = tg.check.gradients(loss, {"W": np.eye(3)}, summed)
    assert not report.ok
    notes = [note for note in report.notes if "every cotangent and every gradient is 7 times" in note]
    assert len(notes) == 1
    assert "and 7 is the length of axis 0 of" in notes[0]
