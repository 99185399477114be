"""Functions of each element whose derivatives are no functions of NumPy's: np.sinc and np.i0."""

from __future__ import annotations

import math

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import implements, primitive


@implements(np.sinc)
@primitive(elementwise=True, pure=True)
def sinc(x: Array, /) -> Array:
    """As `np.sinc`."""
    return np.sinc(x)


@primitive(elementwise=True, pure=True, opaque=True)
def _sinc_derivative(x: Array, /, order: int) -> Array:
    """The derivative of `np.sinc` of that order, as exact near 0 as elsewhere.

    With s(u) = sin(u) / u, u s = sin u, so that u s^(k) + k s^(k-1) = sin(u + k pi / 2): each derivative from the one
    before. Where u is small that loses digits, but there the series of s is soon summed.
    """
    u = np.pi * np.asarray(x, np.float64)
    near = np.abs(u) < order + 1
    apart = np.where(near, 1, u)
    recurrence = np.sin(apart) / apart
    for k in range(1, order + 1):
        recurrence = (np.sin(apart + k * np.pi / 2) - k * recurrence) / apart
    small, series = np.where(near, u, 0), np.zeros_like(u)
    for m in range((order + 1) // 2, order + 16):
        series += (-1) ** m / (2 * m + 1) * small ** (2 * m - order) / math.factorial(2 * m - order)
    return (np.pi**order * np.where(near, series, recurrence)).astype(x.dtype)


sinc.defvjp(lambda g, out, x: g * _sinc_derivative(x, order=1))
_sinc_derivative.defvjp(lambda g, out, x, order: g * _sinc_derivative(x, order=order + 1))


_ANGLES = 512  # so many that the sum is exact: the error is that of a Bessel function of this order, minus a few


@implements(np.i0)
@primitive(elementwise=True, pure=True)
def i0(x: Array, /) -> Array:
    """As `np.i0`."""
    return np.i0(x)


@primitive(elementwise=True, pure=True, opaque=True)
def _i0_derivative(x: Array, /, order: int) -> Array:
    """The derivative of `np.i0` of that order: the mean over all angles of cos(angle)^order exp(x cos(angle))."""
    total = np.zeros_like(x)
    for angle in np.arange(_ANGLES) * (2 * np.pi / _ANGLES):
        cosine = math.cos(angle)
        total = total + cosine**order / _ANGLES * np.exp(x * cosine)
    return total


i0.defvjp(lambda g, out, x: g * _i0_derivative(x, order=1))
_i0_derivative.defvjp(lambda g, out, x, order: g * _i0_derivative(x, order=order + 1))
