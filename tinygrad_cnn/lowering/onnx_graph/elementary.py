"""Elementwise functions that ONNX lacks, or that onnxruntime lacks in float64, composed of those that there are.

Each is NumPy; `expansion.py` traces it. They are as exact as NumPy's to a few units in the last place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = Any


def isfinite(x: Array) -> Array:
    return ~(np.isnan(x) | np.isinf(x))


def signbit(x: Array) -> Array:
    return (x < 0) | ((x == 0) & (np.reciprocal(x) < 0))


def copysign(x: Array, y: Array) -> Array:
    return np.where(signbit(y), -np.abs(x), np.abs(x))


def trunc(x: Array) -> Array:
    return np.where(x < 0, np.ceil(x), np.floor(x))


def modf(x: Array) -> tuple[Array, Array]:
    whole = trunc(x)
    return copysign(np.where(np.isinf(x), 0, x - whole), x), whole


def heaviside(x: Array, at_zero: Array) -> Array:
    return np.where(x > 0, 1, np.where(x < 0, 0, np.where(x == 0, at_zero, x)))


def fmax(x: Array, y: Array) -> Array:
    return np.where(np.isnan(x), y, np.where(np.isnan(y), x, np.maximum(x, y)))


def fmin(x: Array, y: Array) -> Array:
    return np.where(np.isnan(x), y, np.where(np.isnan(y), x, np.minimum(x, y)))


def remainder(x: Array, y: Array) -> Array:
    """The rest has the sign of the divisor."""
    rest = np.fmod(x, y)
    return np.where((rest != 0) & ((rest < 0) != (y < 0)), rest + y, copysign_of_zero(rest, y))


def copysign_of_zero(x: Array, y: Array) -> Array:
    return np.where(x == 0, copysign(x, y), x)


def floor_divide(x: Array, y: Array) -> Array:
    """As NumPy has it for floats: the quotient of what is left when the rest is taken away."""
    rest = np.fmod(x, y)
    quotient = (x - rest) / y
    quotient = np.where((rest != 0) & ((rest < 0) != (y < 0)), quotient - 1, quotient)
    below = np.floor(quotient)
    whole = np.where(quotient - below > 0.5, below + 1, below)
    return np.where(y == 0, x / y, copysign_of_zero(whole, x / y))


def floor_divide_integers(x: Array, y: Array) -> Array:
    """0 where the divisor is 0, as NumPy has it. What is divided is a multiple, as the operator Div rounds to 0."""
    divisor = np.where(y == 0, 1, y)
    return np.where(y == 0, 0, np.floor_divide(x - np.remainder(x, divisor), divisor))


def remainder_integers(x: Array, y: Array) -> Array:
    return np.where(y == 0, 0, np.remainder(x, np.where(y == 0, 1, y)))


def fmod_integers(x: Array, y: Array) -> Array:
    return np.where(y == 0, 0, np.fmod(x, np.where(y == 0, 1, y)))


def divmod_(x: Array, y: Array) -> tuple[Array, Array]:
    return np.floor_divide(x, y), np.remainder(x, y)


def left_shift(x: Array, by: Array) -> Array:
    return x * (2**by)


def right_shift(x: Array, by: Array) -> Array:
    return np.floor_divide(x, 2**by)


def ldexp(x: Array, exponent: Array) -> Array:
    """In two steps, so that neither power overflows where the result does not."""
    half = np.floor_divide(exponent, 2)
    two = np.asarray(2, x.dtype)
    return x * two ** half.astype(x.dtype) * two ** (exponent - half).astype(x.dtype)


def hypot(x: Array, y: Array) -> Array:
    large, small = np.maximum(np.abs(x), np.abs(y)), np.minimum(np.abs(x), np.abs(y))
    ratio = small / np.where(large == 0, 1, large)
    return np.where(np.isinf(x) | np.isinf(y), np.inf, large * np.sqrt(1 + ratio * ratio))


def cbrt(x: Array) -> Array:
    """A power, and a step of Newton's method."""
    size = np.abs(x)
    root = np.power(size, 1 / 3)
    inner = (size > 0) & ~np.isinf(size)
    safe = np.where(inner, root, 1)
    return copysign(np.where(inner, root - (root - size / (safe * safe)) / 3, size), x)


# Exponentials and logarithms.


def log1p(x: Array) -> Array:
    """W. Kahan's: the error of 1 + x cancels."""
    u = 1 + x
    exact = (u == 1) | (u == np.inf)
    return np.where(exact, x, np.log(u) * (x / np.where(exact, 1, u - 1)))


def expm1(x: Array) -> Array:
    """W. Kahan's: the error of exp(x) cancels."""
    u = np.exp(x)
    plain = (u == 1) | np.isinf(u) | (u - 1 == -1)
    logarithm = np.log(np.where(plain, 2, u))
    return np.where(u == 1, x, np.where(plain, u - 1, (u - 1) * (x / logarithm)))


def exp2(x: Array) -> Array:
    return np.power(np.asarray(2, x.dtype), x)


def log2(x: Array) -> Array:
    return np.log(x) * (1 / math.log(2))


def log10(x: Array) -> Array:
    return np.log(x) * (1 / math.log(10))


def logaddexp(x: Array, y: Array) -> Array:
    largest = np.maximum(x, y)
    apart = np.where(x == y, 0, -np.abs(x - y))  # also where both are infinite
    return largest + np.log1p(np.exp(apart))


def logaddexp2(x: Array, y: Array) -> Array:
    largest = np.maximum(x, y)
    apart = np.where(x == y, 0, -np.abs(x - y))
    return largest + np.log1p(np.exp2(apart)) * (1 / math.log(2))


def sigmoid(x: Array) -> Array:
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


# Hyperbolic functions.


def sinh(x: Array) -> Array:
    size = np.abs(x)
    grown = np.expm1(np.minimum(size, 22))
    small = (grown + grown / (grown + 1)) / 2
    half = np.exp(size / 2)
    return copysign(np.where(size < 22, small, half / 2 * half), x)


def cosh(x: Array) -> Array:
    half = np.exp(np.abs(x) / 2)
    return half / 2 * half + 1 / (2 * half) / half


def arcsinh(x: Array) -> Array:
    """For large x, log(2 x): its square would overflow."""
    size = np.abs(x)
    inner = np.minimum(size, 1e8)
    square = inner * inner
    near = np.log1p(inner + square / (1 + np.sqrt(1 + square)))
    return copysign(np.where(size < 1e8, near, np.log(np.maximum(size, 1)) + math.log(2)), x)


def arccosh(x: Array) -> Array:
    above = np.where(x < 1e8, x, 1) - 1
    near = np.log1p(above + np.sqrt(above * (above + 2)))
    return np.where(x < 1e8, near, np.log(x) + math.log(2))


def arctanh(x: Array) -> Array:
    size = np.abs(x)
    return copysign(np.log1p(2 * size / (1 - size)) / 2, x)


# Trigonometric functions.


def tan(x: Array) -> Array:
    return np.sin(x) / np.cos(x)


def arctan(x: Array) -> Array:
    """Source: S. Moshier, "Methods and Programs for Mathematical Functions", 1989: atan in the library Cephes."""
    size = np.abs(x)
    far, middle = size > 2.414213562373095, size > 0.66
    inner = np.where(far, -1 / np.where(far, size, 1), np.where(middle, (size - 1) / (size + 1), size))
    start = np.where(far, math.pi / 2, np.where(middle, math.pi / 4, 0))
    rest = np.where(far, 6.123233995736766e-17, np.where(middle, 3.061616997868383e-17, 0))  # of pi beyond its float
    square = inner * inner
    ratio = square * polynomial(square, _ATAN_ABOVE) / polynomial(square, _ATAN_BELOW)
    return copysign(start + (inner * ratio + inner + rest), x)


_ATAN_ABOVE = (-8.750608600031904122785e-1, -1.615753718733365076637e1, -7.500855792314704667340e1,
               -1.228866684490136173410e2, -6.485021904942025371773e1)  # fmt: skip
_ATAN_BELOW = (1.0, 2.485846490142306297962e1, 1.650270098316988542046e2, 4.328810604912902668951e2,
               4.853903996359136964868e2, 1.945506571482613964425e2)  # fmt: skip


def arcsin(x: Array) -> Array:
    return 2 * np.arctan(x / (1 + np.sqrt((1 - x) * (1 + x))))


def arccos(x: Array) -> Array:
    return 2 * np.arctan(np.sqrt((1 - x) / (1 + x)))


def arctan2(y: Array, x: Array) -> Array:
    """By quadrants; of two infinities, that of 1 and 1."""
    both = np.isinf(x) & np.isinf(y)
    across, up = np.where(both, 1, np.abs(x)), np.where(both, 1, np.abs(y))
    none = (across == 0) & (up == 0)
    steep = up > across
    ratio = np.where(steep, across, up) / np.where(none, 1, np.where(steep, up, across))
    angle = np.arctan(ratio)
    angle = np.where(steep, math.pi / 2 - angle, angle)
    return copysign(np.where(signbit(x), math.pi - angle, angle), y) + 0 * (np.sign(x) + np.sign(y))


def sinc(x: Array) -> Array:
    angle = math.pi * np.where(x == 0, 1e-20, x)
    return np.sin(angle) / angle


def sinc_derivative(x: Array, *, order: int) -> Array:
    """As primitives/special.py has it: a recurrence, and near 0 a series."""
    angle = math.pi * x
    near = np.abs(angle) < order + 1
    apart = np.where(near, 1, angle)
    recurrence = np.sin(apart) / apart
    for k in range(1, order + 1):
        recurrence = (np.sin(apart + k * math.pi / 2) - k * recurrence) / apart
    small = np.where(near, angle, 0)
    powers = range((order + 1) // 2, order + 16)
    terms = [(-1) ** m / (2 * m + 1) / math.factorial(2 * m - order) for m in powers]
    series = polynomial(small * small, terms[::-1])
    if order % 2:
        series = small * series
    return math.pi**order * np.where(near, series, recurrence)


def i0(x: Array) -> Array:
    return i0_derivative(x, order=0)


def i0_derivative(x: Array, *, order: int) -> Array:
    """The mean over all angles, as primitives/special.py has it, with the angles along an axis of their own."""
    cosine = np.cos(np.arange(512) * (2 * np.pi / 512)).astype(x.dtype)
    return np.sum(cosine**order / 512 * np.exp(x[..., None] * cosine), axis=-1)


def erfc(x: Array) -> Array:
    """1 - erf(x) in float64: a series near 0, and Cephes' quotients of polynomials elsewhere."""
    size = np.abs(x)
    near = size < 1
    square = np.where(near, x * x, 0)
    inner = np.where(near, x, 0) * polynomial(square, _ERF_ABOVE) / polynomial(square, _ERF_BELOW)
    outer = np.where(near, 1, np.minimum(size, 27))
    medium = polynomial(outer, _ERFC_ABOVE) / polynomial(outer, _ERFC_BELOW)
    large = polynomial(outer, _ERFC_FAR_ABOVE) / polynomial(outer, _ERFC_FAR_BELOW)
    tail = np.exp(-outer * outer) * np.where(outer < 8, medium, large)
    tail = np.where(size > 27, 0, tail)
    return np.where(near, 1 - inner, np.where(x < 0, 2 - tail, np.where(np.isnan(x), x, tail)))


_ERF_ABOVE = (9.60497373987051638749e0, 9.00260197203842689217e1, 2.23200534594684319226e3,
              7.00332514112805075473e3, 5.55923013010394962768e4)  # fmt: skip
_ERF_BELOW = (1.0, 3.35617141647503099647e1, 5.21357949780152679795e2, 4.59432382970980127987e3,
              2.26290000613890934246e4, 4.92673942608635921086e4)  # fmt: skip
_ERFC_ABOVE = (2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687e0,
               4.86371970985681366614e1, 1.96520832956077098242e2, 5.26445194995477358631e2,
               9.34528527171957607540e2, 1.02755188689515710272e3, 5.57535335369399327526e2)  # fmt: skip
_ERFC_BELOW = (1.0, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2,
               9.75708501743205489753e2, 1.82390916687909736289e3, 2.24633760818710981792e3,
               1.65666309194161350182e3, 5.57535340817727675546e2)  # fmt: skip
_ERFC_FAR_ABOVE = (5.64189583547755073984e-1, 1.27536670759978104416e0, 5.01905042251180477414e0,
                   6.16021097993053585195e0, 7.40974269950448939160e0, 2.97886665372100240670e0)  # fmt: skip
_ERFC_FAR_BELOW = (1.0, 2.26052863220117276590e0, 9.39603524938001434673e0, 1.20489539808096656605e1,
                   1.70814450747565897222e1, 9.60896809063285878198e0, 3.36907645100081516050e0)  # fmt: skip


def polynomial(x: Array, coefficients: Sequence[float]) -> Array:
    """By Horner's rule; the coefficient of the highest power first."""
    value = coefficients[0]
    for c in coefficients[1:]:
        value = value * x + c
    return value
