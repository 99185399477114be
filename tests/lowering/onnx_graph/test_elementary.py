"""The functions that ONNX lacks, as they are composed: compared with NumPy's, without a graph."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_cnn.lowering.onnx_graph import elementary, rearranged

EDGES = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-300, -1e-300, 1e300, -1e300, 1.0, -1.0])
WIDE = np.concatenate(
    [np.linspace(-30, 30, 2001), np.geomspace(1e-12, 1e3, 400), -np.geomspace(1e-12, 1e3, 400), EDGES]
)
INNER = np.concatenate([np.linspace(-1, 1, 2001), np.geomspace(1e-12, 1, 300), -np.geomspace(1e-12, 1, 300)])
ABOVE = np.concatenate([1 + np.geomspace(1e-10, 1e10, 500), [1.0, np.inf]])

ONE = {
    "trunc": WIDE, "cbrt": WIDE, "log1p": np.concatenate([INNER, EDGES, ABOVE]), "expm1": WIDE, "exp2": WIDE,
    "sinh": WIDE, "cosh": WIDE, "arcsinh": WIDE, "arccosh": ABOVE, "arctanh": INNER, "arctan": WIDE, "arcsin": INNER,
    "arccos": INNER, "isfinite": WIDE, "signbit": WIDE[~np.isnan(WIDE)],
}  # fmt: skip
A, B = (x.reshape(-1) for x in np.meshgrid(*[np.concatenate([np.linspace(-3, 3, 25), EDGES, [7.5, -2.25]])] * 2))
TWO = (
    "fmax",
    "fmin",
    "copysign",
    "hypot",
    "logaddexp",
    "logaddexp2",
    "arctan2",
    "remainder",
    "floor_divide",
    "heaviside",
)


@pytest.mark.parametrize("name", ONE)
def test_a_function_of_one_number_is_as_numpys(name: str) -> None:
    with np.errstate(all="ignore"):
        found, expected = getattr(elementary, name)(ONE[name]), getattr(np, name)(ONE[name])
    np.testing.assert_allclose(found, expected, rtol=2e-15 if name not in ("cbrt", "cosh", "sinh") else 8e-15, atol=0)
    assert np.array_equal(np.signbit(found[found == 0]), np.signbit(expected[expected == 0])) or name == "trunc"


@pytest.mark.parametrize("name", TWO)
def test_a_function_of_two_numbers_is_as_numpys(name: str) -> None:
    a, b = (A[~np.isnan(B)], B[~np.isnan(B)]) if name == "copysign" else (A, B)
    with np.errstate(all="ignore"):
        found, expected = getattr(elementary, name)(a, b), getattr(np, name)(a, b)
    cancels = 2.3e-16 if name.startswith("logaddexp") else 1e-300  # a sum that is close to 0
    np.testing.assert_allclose(found, expected, rtol=4e-15, atol=cancels)


def test_erfc_is_as_pythons() -> None:
    x = np.concatenate([np.linspace(-6, 26, 3001), [0.0, np.inf, -np.inf, np.nan, 40.0, -40.0]])
    with np.errstate(all="ignore"):
        found = elementary.erfc(x)
    np.testing.assert_allclose(found, [math.erfc(v) for v in x], rtol=2e-13, atol=1e-305)  # exp(-x x) loses digits


@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted_counts(side) -> None:
    a, v = np.array([0.0, 1.0, 1.0, 3.0]), np.array([[-1.0, 1.0], [2.0, 3.0]])
    np.testing.assert_array_equal(rearranged.searchsorted(a, v, side), np.searchsorted(a, v, side))


@pytest.mark.parametrize(("shape", "window", "stride"), [((2, 6, 4), (2, 2), (2, 2)), ((2, 3, 7, 5), (3, 2), (2, 1))])
def test_windows_are_looked_up_and_added(shape, window, stride) -> None:
    from tinygrad_cnn.primitives.windows import col2im, im2col

    x = np.random.default_rng(0).normal(size=shape)
    columns = im2col.forward(x, window=window, stride=stride)
    np.testing.assert_array_equal(rearranged.im2col(x, window=window, stride=stride), columns)
    back = rearranged.col2im(columns, shape=shape, window=window, stride=stride)
    np.testing.assert_allclose(back, col2im.forward(columns, shape=shape, window=window, stride=stride), rtol=1e-14)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.subtract, np.logaddexp])
@pytest.mark.parametrize("n", [1, 2, 7, 16])
def test_a_running_sum_takes_in_everything_before(ufunc, n) -> None:
    x = np.random.default_rng(0).normal(size=(2, n))
    np.testing.assert_allclose(rearranged.running(ufunc)(x, 1), ufunc.accumulate(x, 1), rtol=1e-13)
