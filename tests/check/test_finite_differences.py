"""Slopes by finite differences: right to the error that they estimate, and honest at kinks, jumps and edges."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import tree
from tinygrad_cnn.check.witnesses.finite_differences import (
    FiniteDifferences,
    OutOfBudgetError,
    Slope,
    along_element,
    extrapolated,
    scale_of,
    steps_from,
)


def slopes(loss: Callable[[Any], Any], point: Any, dtype: Any = np.longdouble, **how: Any) -> list[Slope]:
    form = tree.flatten(point)
    numbers = FiniteDifferences(loss, form, form.leaves, dtype, **how)
    found = []
    for k, x in enumerate(numbers.leaves):
        for index in np.ndindex(x.shape):
            found.append(numbers.slope(along_element(numbers.leaves, k, index), scale_of(x, index)))
    return found


SMOOTH: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "exp": (np.exp, np.exp),
    "sin of a square": (lambda x: np.sin(x * x), lambda x: 2 * x * np.cos(x * x)),
    "a fast wave": (lambda x: np.sin(40 * x), lambda x: 40 * np.cos(40 * x)),
    "sigmoid": (tg.sigmoid, lambda x: tg.sigmoid(x) * (1 - tg.sigmoid(x))),
    "a small difference of large numbers": (lambda x: (1e8 + np.exp(x)) - 1e8, np.exp),
    "a polynomial": (lambda x: x**5 - 3 * x**2 + x, lambda x: 5 * x**4 - 6 * x + 1),
    "a constant": (lambda x: 0 * x + 3, lambda x: 0 * x),
}


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
@pytest.mark.parametrize("name", SMOOTH)
@settings(max_examples=25, deadline=None)
@given(st.floats(-3, 3).filter(lambda x: x == 0 or abs(x) > 1e-3))
def test_of_a_smooth_function_the_slope_is_right_to_its_own_error(name: str, dtype: type, x: float) -> None:
    f, derivative = SMOOTH[name]
    (slope,) = slopes(f, x, dtype)
    true = float(derivative(np.longdouble(x)))
    assert slope.kind == "smooth"
    assert abs(slope.low - true) <= slope.error + 1e-16 * abs(true)


@pytest.mark.parametrize("name", SMOOTH)
def test_the_error_in_long_double_is_small(name: str) -> None:
    f, derivative = SMOOTH[name]
    (slope,) = slopes(f, 0.7)
    assert slope.error < 1e-8 * max(1.0, abs(float(derivative(0.7))))


def test_at_a_kink_there_are_two_slopes() -> None:
    for loss, low, high in [
        (np.abs, -1, 1),
        (lambda x: np.maximum(0, 3 * x), 0, 3),
        (lambda x: np.minimum(x, -x), -1, 1),
        (lambda x: tg.relu(x) + x, 1, 2),
        (lambda x: np.where(x > 0, x * x + 2 * x, np.sin(x)), 1, 2),
        (lambda x: np.max(np.stack([x, 4 * x])), 1, 4),
        (lambda x: np.sort(np.stack([x, 2 * x, 5 * x]))[2], 1, 5),
        (lambda x: np.median(np.stack([x, 0 * x, -x])), 0, 0),
    ]:
        (slope,) = slopes(loss, 0.0)
        assert (slope.low, slope.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))
        assert slope.kind == ("kink" if low != high else "smooth")


@pytest.mark.parametrize("away", [1e-3, 1e-6, 1e-9, -1e-7])
def test_a_kink_within_the_usual_step_is_not_stepped_across(away: float) -> None:
    (slope,) = slopes(lambda x: np.abs(x) + np.exp(x), away)
    assert slope.kind == "smooth"
    assert abs(slope.low - (math.copysign(1, away) + math.exp(away))) <= slope.error
    assert slope.error < 1e-3


@pytest.mark.parametrize("away", [1e-3, 1e-6, 1e-9])
def test_beside_a_kink_there_is_one_slope_however_near_it_is(away: float) -> None:
    """In an array whose other elements are large, so that usual steps are much longer than the way to the kink."""
    slope, _ = slopes(lambda w: np.sum(np.abs(w)), np.array([away, 5.0]))
    assert slope.kind == "smooth"
    assert abs(slope.low - 1) <= slope.error < 1e-3


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
@settings(max_examples=100, deadline=None)
@given(st.floats(2, 6), st.floats(-1, 1), st.floats(0, 2))
def test_a_wave_that_is_much_shorter_than_the_parameter_is_large_is_not_missed(
    dtype: type, frequency: float, phase: float, size: float
) -> None:
    """sin(s x) at a large x: differences over many waves converge to something now and then, but not to the slope."""
    s, x = 10.0**frequency, 10.0**size

    def loss(x: Any) -> Any:
        return np.sin(s * x + phase)

    (slope,) = slopes(loss, x, dtype)
    true = float(s * np.cos(s * np.longdouble(x) + phase))
    assert abs(slope.low - true) <= slope.error + 4 * np.finfo(float).eps * s * s * x
    assert slope.error < 1e-2 * s


def test_a_bump_that_is_narrower_than_the_steps_is_not_missed() -> None:
    """At both ends of every usual step it is 0, so that central differences alone would say that the slope is 0."""
    (slope,) = slopes(lambda x: np.exp(-((x - 1e4) ** 2)), 1e4 + 0.5)
    assert slope.low == pytest.approx(-math.exp(-0.25), rel=1e-6)


def test_a_kink_that_no_branch_shows_is_seen_in_the_slopes_to_both_sides() -> None:
    """Within a primitive of somebody's own, or a loss that takes arrays only."""

    def loss(x: Any) -> float:
        return abs(float(x)) + math.exp(float(x))

    (slope,) = slopes(loss, 0.0, np.float64, opaque=True)
    assert (slope.kind, slope.low, slope.high) == ("kink", pytest.approx(0, abs=1e-6), pytest.approx(2))
    for away in (1e-2, 1e-5, -1e-4):
        slope, _ = slopes(lambda w: loss(w[0]) + loss(w[1]), np.array([away, 3.0]), np.float64, opaque=True)
        assert slope.kind == "smooth"
        assert abs(slope.low - (math.copysign(1, away) + math.exp(away))) <= slope.error < 1e-3


def test_what_is_computed_in_float32_on_the_way_has_the_noise_of_float32() -> None:
    for x in (0.7, 1e-3, 50.0):
        (slope,) = slopes(lambda x: np.float64(np.sin(np.float32(float(x)))), x, np.float64, opaque=True)
        assert abs(slope.low - math.cos(x)) <= slope.error < 1e-2


def test_a_factor_in_float32_is_noise_though_the_others_change_smoothly() -> None:
    for x in np.random.default_rng(0).uniform(-3, 3, 50):
        (slope,) = slopes(lambda x: x / (1 + np.exp(-x, dtype=np.float32)), x, np.float64, opaque=True)
        sigmoid = 1 / (1 + np.exp(-x))
        true = sigmoid + x * sigmoid * (1 - sigmoid)
        assert abs(slope.low - true) <= slope.error <= 1e-3


def test_a_jump_is_called_a_jump() -> None:
    (slope,) = slopes(lambda x: np.where(x > 0, x + 1, x), 0.0)
    assert slope.kind == "jump"
    (slope,) = slopes(lambda x: float(x) + (float(x) > 0), 0.0, np.float64, opaque=True)
    assert slope.kind == "jump"


def test_where_differences_never_settle_no_slope_is_reported() -> None:
    (slope,) = slopes(lambda x: abs(float(x)) ** 0.2, 0.0, np.float64, opaque=True)
    assert (slope.kind, slope.error) == ("rough", math.inf)


def test_beside_the_edge_of_where_the_loss_is_defined_the_steps_are_short() -> None:
    (slope,) = slopes(np.sqrt, 1e-6)
    assert slope.low == pytest.approx(500, rel=1e-6)
    (slope,) = slopes(np.log, 1e-4)
    assert slope.low == pytest.approx(1e4, rel=1e-6)


def test_where_the_loss_is_not_finite_nothing_is_known() -> None:
    with np.errstate(all="ignore"):
        (slope,) = slopes(lambda x: np.log(x) * 0, 0.0)
    assert slope.kind == "unknown"
    assert slope.error == math.inf


def test_what_python_branches_on_is_a_branch_too() -> None:
    (slope,) = slopes(lambda x: x * 3 if x > 0 else x * 1, 0.0)
    assert (slope.kind, slope.low, slope.high) == ("kink", pytest.approx(1), pytest.approx(3))


def test_a_loss_of_arrays_alone_has_slopes_too() -> None:
    (slope,) = slopes(lambda x: float(np.exp(float(x))), 0.5, np.float64, opaque=True)
    assert abs(slope.low - math.exp(0.5)) <= slope.error


def test_evaluations_are_counted_and_limited() -> None:
    form = tree.flatten(1.0)
    numbers = FiniteDifferences(np.exp, form, form.leaves, np.float64, exhausted=lambda used: used >= 70)
    with pytest.raises(OutOfBudgetError):
        _ = [numbers.slope(along_element(numbers.leaves, 0, ()), 1.0) for _ in range(20)]
    assert numbers.used == 70


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=4), st.floats(0.01, 0.5))
def test_extrapolation_is_exact_for_the_errors_that_it_is_made_for(terms: list[float], step: float) -> None:
    """Of a + b h^2 + c h^4, three steps give a."""
    a, b, c, _ = terms
    values = [a + b * h**2 + c * h**4 for h in steps_from(step)]
    found = extrapolated(values, [1e-15] * 3, power=2)
    assert abs(found.slope - a) <= found.error + 1e-12


def test_steps_measure_by_the_size_of_the_parameters() -> None:
    assert scale_of(np.array([1000.0, 1.0]), (0,)) == 1000
    assert scale_of(np.array([1000.0, 1.0]), (1,)) == 100
    assert scale_of(np.zeros(3), (1,)) == pytest.approx(0.1)
