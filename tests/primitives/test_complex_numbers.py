"""Complex results of real arguments: no transform drops an imaginary part without a word."""

from __future__ import annotations

import numpy as np
import pytest
from numeric import slope

import tinygrad_cnn as tg

X = np.array([0.7, -0.4, 1.3])
# Functions of real vectors with complex values.
FUNCTIONS = {
    "fft": np.fft.fft,
    "rfft": np.fft.rfft,
    "exp(ix)": lambda x: np.exp(1j * x),
    "a product": lambda x: (x + 1j * x[::-1]) * np.cos(x) / (2 + 1j * x),
    "conj": lambda x: np.conj(x * 1j) ** 2,
    "a power": lambda x: (1 + 1j * x) ** 3,
    "one number": lambda x: np.sum(x * np.exp(1j * x)),
    "a matrix": lambda x: np.outer(x, np.exp(1j * x)),
    "nothing": lambda x: x[:0] * 1j,
}
each_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


def differences(function, x: np.ndarray) -> np.ndarray:
    """The Jacobian of `function`, by differences of its two parts."""
    value = np.asarray(function(x))
    found = np.zeros(value.shape + x.shape, complex)
    for place in np.ndindex(found.shape):
        i, j = place[:-1], place[-1]
        unit = np.eye(len(x))[j]
        found[place] = slope(lambda t, i=i, u=unit: np.asarray(function(x + t * u))[i].real) + 1j * slope(
            lambda t, i=i, u=unit: np.asarray(function(x + t * u))[i].imag
        )
    return found


@each_function
def test_a_jacobian_has_both_parts(function) -> None:
    found = tg.jacobian(function)(X)
    np.testing.assert_allclose(found, differences(function, X), rtol=1e-8, atol=1e-9, strict=True)


def test_the_jacobian_of_the_fourier_transform_is_its_matrix() -> None:
    np.testing.assert_allclose(tg.jacobian(np.fft.fft)(X), np.fft.fft(np.eye(3), axis=0), atol=1e-15)


@each_function
def test_a_derivative_along_a_direction_is_the_jacobian_times_it(function) -> None:
    v = np.array([1.0, -2.0, 0.5])
    value, along = tg.jvp(function, [X], [v])
    np.testing.assert_allclose(value, function(X), strict=True)
    np.testing.assert_allclose(along, tg.jacobian(function)(X) @ v, rtol=1e-13, atol=1e-13)


@each_function
def test_a_pullback_is_the_real_part_of_the_jacobian_transposed(function) -> None:
    value, pullback = tg.vjp(function, X)
    cotangent = np.random.default_rng(0).standard_normal((2, *np.shape(value)))
    g = cotangent[0] - 1j * cotangent[1]
    expected = np.real(np.tensordot(g, tg.jacobian(function)(X), np.ndim(value)))
    np.testing.assert_allclose(pullback(g)[0], expected, rtol=1e-12, atol=1e-13)


def test_a_jacobian_of_float32_is_complex64() -> None:
    for x in (X.astype(np.float32), np.zeros(0, np.float32)):
        assert tg.jacobian(lambda x: 1j * x)(x).dtype == np.complex64


def test_the_jacobian_of_a_jacobian_has_both_parts() -> None:
    second = tg.jacobian(tg.jacobian(lambda x: np.exp(1j * x)))(0.5)
    np.testing.assert_allclose(second, -np.exp(0.5j), rtol=1e-14)


REFUSED = {
    "a cotangent": lambda: tg.vjp(np.sin, 1.0)[1](1j),
    "a cotangent that is a Tensor": lambda: tg.grad(lambda x: tg.vjp(np.sin, x)[1](1j * x)[0])(1.0),
    "a cotangent of backward": lambda: tg.Tensor([1.0]).backward(np.array([1j])),
    "a tangent": lambda: tg.jvp(np.sin, [1.0], [1j]),
    "a primal": lambda: tg.jacobian(np.sin)(np.array([1j])),
    "a result of grad": lambda: tg.grad(lambda x: x * 1j)(1.0),
}


@pytest.mark.parametrize("use", REFUSED.values(), ids=REFUSED)
def test_complex_numbers_are_refused_where_only_real_ones_have_a_meaning(use) -> None:
    with pytest.raises(TypeError, match="complex"):
        use()
