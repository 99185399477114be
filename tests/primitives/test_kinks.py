"""What a rule does where a function has no derivative: each convention that a docstring states."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.losses import binary_cross_entropy_shifted


def gradient(f, *x):
    value, pullback = tg.vjp(f, *x)
    return pullback(np.ones_like(value))


def test_maximum_and_minimum_halve_the_cotangent_at_a_tie() -> None:
    x, y = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])
    np.testing.assert_array_equal(gradient(np.maximum, x, y), [[0, 0.5, 1], [1, 0.5, 0]])
    np.testing.assert_array_equal(gradient(np.minimum, x, y), [[1, 0.5, 0], [0, 0.5, 1]])


def test_maximum_of_infinities_has_a_gradient() -> None:
    x, y = np.array([np.inf, -np.inf, np.inf]), np.array([np.inf, -np.inf, 0.0])
    np.testing.assert_array_equal(gradient(np.maximum, x, y), [[0.5, 0.5, 1], [0.5, 0.5, 0]])


def test_abs_has_slope_0_at_0() -> None:
    np.testing.assert_array_equal(gradient(np.abs, np.array([-2.0, 0.0, 2.0])), [[-1, 0, 1]])


def test_a_norm_and_a_standard_deviation_have_slope_0_where_they_are_0() -> None:
    for function in (
        np.linalg.norm,
        lambda x: np.linalg.norm(x, 3),
        np.std,
        np.nanstd,
        lambda x: np.std(x[:1]),
        lambda x: np.std(x, axis=0),
    ):
        np.testing.assert_array_equal(gradient(function, np.full(3, 0.0)), [[0, 0, 0]])
    np.testing.assert_array_equal(gradient(np.std, np.full(3, 7.0)), [[0, 0, 0]])


def test_the_slope_of_copysign_goes_by_the_sign_of_a_zero() -> None:
    x = np.array([0.0, -0.0, 2.0, -2.0])
    np.testing.assert_array_equal(gradient(lambda x: np.copysign(x, x), x), [[1, 1, 1, 1]])
    np.testing.assert_array_equal(gradient(lambda x: np.copysign(x, 1.0), x), [[1, -1, 1, -1]])


def test_the_fraction_of_a_number_has_slope_1_at_whole_numbers_too() -> None:
    np.testing.assert_array_equal(gradient(lambda x: np.modf(x)[0], np.array([-2.0, -0.0, 0.0, 0.5, 3.0])), [[1] * 5])


def test_hypot_of_one_element_is_its_absolute_value() -> None:
    np.testing.assert_array_equal(gradient(np.hypot.reduce, np.array([-3.0])), [[-1]])
    np.testing.assert_array_equal(gradient(np.hypot.reduce, np.array([0.0])), [[0]])


@pytest.mark.parametrize(("at_zero", "slope"), [(0.0, 0.0), (0.25, 0.25), (1.0, 1.0)])
def test_relu_has_the_slope_at_0_that_is_asked_for(at_zero: float, slope: float) -> None:
    (found,) = gradient(lambda x: tg.relu(x, at_zero), np.array([-1.0, 0.0, 1.0]))
    np.testing.assert_array_equal(found, [0, slope, 1])


def test_relu_refuses_a_slope_that_is_no_subgradient() -> None:
    with pytest.raises(ValueError, match=r"at_zero is 1\.5"):
        tg.relu(np.ones(2), at_zero=1.5)


def test_relu_is_exact_for_infinities_and_passes_nan_on() -> None:
    np.testing.assert_array_equal(tg.relu(np.array([-np.inf, np.inf, np.nan])), [0, np.inf, np.nan])


def test_elements_that_tie_for_a_maximum_share_its_cotangent() -> None:
    x = np.array([[3.0, 3.0, 1.0], [2.0, 2.0, 2.0]])
    np.testing.assert_allclose(gradient(lambda x: np.max(x, axis=1), x)[0], [[1 / 2, 1 / 2, 0], [1 / 3] * 3])
    np.testing.assert_allclose(gradient(lambda x: np.min(x, axis=1), x)[0], [[0, 0, 1], [1 / 3] * 3])


TIED = np.array([[[5.0, 5.0, 0.0, 0.0], [1.0, 5.0, 0.0, 0.0]]])


def test_max_pool_shares_the_cotangent_of_a_window_among_those_that_tie() -> None:
    (found,) = gradient(lambda x: tg.max_pool2d(x, 2), TIED)
    np.testing.assert_allclose(found, [[[1 / 3, 1 / 3, 1 / 4, 1 / 4], [0, 1 / 3, 1 / 4, 1 / 4]]])


def test_max_pool_gives_the_whole_cotangent_to_each_that_ties_if_asked_to() -> None:
    (found,) = gradient(lambda x: tg.max_pool2d(x, 2, ties="all"), TIED)
    np.testing.assert_array_equal(found, [[[1, 1, 1, 1], [0, 1, 1, 1]]])


def test_three_hundred_elements_that_tie_are_counted_right() -> None:
    (found,) = gradient(lambda x: tg.max_pool2d(x, (15, 20)), np.ones((15, 20)))
    np.testing.assert_allclose(found, np.full((15, 20), 1 / 300))


def test_max_pool_refuses_another_word_for_ties() -> None:
    with pytest.raises(ValueError, match="ties is 'first'"):
        tg.max_pool2d(np.ones((2, 2)), 2, ties="first")


def test_a_power_has_slope_0_where_the_exponent_is_0_and_the_base_too() -> None:
    np.testing.assert_array_equal(gradient(np.power, np.array([0.0, 2.0]), np.array([0.0, 0.0]))[0], [0, 0])
    np.testing.assert_array_equal(gradient(np.power, np.array([0.0]), np.array([2.0])), [[0], [0]])


def test_the_mixed_derivative_of_a_power_is_right_where_the_exponent_is_0() -> None:
    for first, second in ((0, 1), (1, 0)):
        slope = tg.grad(tg.grad(np.power, first), second)
        assert slope(2.0, 0.0) == 0.5  # of x^y, 1 / x at y = 0
        assert slope(np.float64(2.0), np.float64(3.0)) == pytest.approx(4 + 12 * np.log(2))


def test_sigmoid_does_not_overflow_and_loses_no_digits() -> None:
    x = np.array([-1000.0, -700.0, -40.0, 0.0, 40.0, 1000.0])
    with np.errstate(all="raise", under="ignore"):
        value, slope = tg.sigmoid(x), gradient(tg.sigmoid, x)[0]
    np.testing.assert_allclose(value, [0, np.exp(-700.0), np.exp(-40.0), 0.5, 1, 1], rtol=1e-15)
    np.testing.assert_allclose(
        slope, [0, np.exp(-700.0), np.exp(-40.0), 0.25, np.exp(-40.0), 0], rtol=1e-15, atol=1e-16
    )


def test_the_derivatives_of_sigmoid_are_right_at_0() -> None:
    derivative = tg.sigmoid
    for expected in (1 / 4, 0, -1 / 8, 0, 1 / 4):
        derivative = tg.grad(derivative)
        assert float(derivative(0.0)) == expected


def test_cross_entropy_with_logits_is_finite_for_any_logit() -> None:
    logits = np.array([-1000.0, 1000.0])
    for targets, loss, slope in ((0.0, [0, 1000], [0, 1]), (1.0, [1000, 0], [-1, 0])):
        assert list(tg.binary_cross_entropy_with_logits(logits, targets)) == loss
        (found,) = gradient(lambda z, y=targets: tg.binary_cross_entropy_with_logits(z, y), logits)
        assert list(found) == slope


def test_the_shifted_cross_entropy_has_a_slope_of_the_wrong_sign_beyond_its_pole() -> None:
    slope = tg.grad(lambda s: binary_cross_entropy_shifted(s, 0.0))
    assert slope(1 - 2e-4) > 9_000
    with np.errstate(invalid="ignore"):  # the loss itself is NaN there
        assert slope(1 - 0.5e-4) < -9_000


def test_nan_goes_through_as_in_numpy() -> None:
    x = np.array([[[np.nan, 1.0], [2.0, 3.0]]])
    assert np.isnan(tg.max_pool2d(x, 2)).all()
    assert np.isnan(tg.sigmoid(np.array([np.nan]))).all()
