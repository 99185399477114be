"""Polynomials, by their coefficients from the highest power down, as NumPy's functions of that name take them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.primitive import implements, to_values
from tinygrad_cnn.primitives.arguments import as_array
from tinygrad_cnn.primitives.shaping import row_by_row


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """As `np.polyval`, by Horner's rule; differentiable by the coefficients too."""
    x = as_array(x)
    p = as_array(p) if to_values(p) is p else p
    result: Any = np.zeros_like(x)
    for coefficient in p:
        result = result * x + coefficient
    return result


@implements(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    """As `np.polyadd`."""
    longer, shorter = np.atleast_1d(a1), np.atleast_1d(a2)
    if len(shorter) > len(longer):
        longer, shorter = shorter, longer
    return longer + np.pad(shorter, (len(longer) - len(shorter), 0))


@implements(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    """As `np.polysub`."""
    return np.polyadd(a1, -as_array(a2))


@implements(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    """As `np.polymul`: the convolution of the coefficients, without zeros in front of the factors."""
    first, second = (np.trim_zeros(np.atleast_1d(a), "f") for a in (a1, a2))
    first, second = (x if len(x) else np.zeros(1, x.dtype) for x in (first, second))
    return np.convolve(first, second)


@implements(np.polydiv)
def polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    """As `np.polydiv`: the quotient and the remainder."""
    u, v = np.atleast_1d(u) + 0.0, np.atleast_1d(v) + 0.0
    rest = u + 0.0 * v[0]  # of the dtype of both
    scale, quotient = 1.0 / v[0], []
    for k in range(len(u) - len(v) + 1):
        quotient.append(scale * rest[k])
        head, part, tail = rest[:k], rest[k : k + len(v)], rest[k + len(v) :]
        rest = np.concatenate([head, part - quotient[k] * v, tail])
    while len(rest) > 1 and np.allclose(rest[0], 0, rtol=1e-14):
        rest = rest[1:]
    return (np.stack(quotient) if quotient else np.zeros(1, rest.dtype)), rest


@implements(np.polyder)
def polyder(p: Any, m: int = 1) -> Any:
    """As `np.polyder`."""
    if m < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    for _ in range(m):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


@implements(np.polyint)
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """As `np.polyint`; the constants of integration, from the first on, are `k`."""
    if m < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    constants = np.zeros(m) if k is None else np.atleast_1d(k)
    if len(constants) == 1 < m:
        constants = np.repeat(constants, m)
    if len(constants) < m:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for n in range(m):
        p = np.concatenate([p / np.arange(len(p), 0, -1), constants[n : n + 1]])
    return p


@implements(np.poly)
def poly(seq_of_zeros: Any) -> Any:
    """As `np.poly`, of a sequence of zeros."""
    if np.ndim(seq_of_zeros) != 1:
        raise NotImplementedError(
            "np.poly: a matrix is not supported for Tensors, as its eigenvalues may be complex. Use "
            "np.linalg.eigvalsh for a symmetric one"
        )
    dtype = np.mintypecode([seq_of_zeros.dtype.char])
    coefficients: Any = np.ones(1, dtype)
    for zero in seq_of_zeros.astype(dtype):
        lower = np.pad(coefficients[1:], (0, 1)) - zero * coefficients
        coefficients = np.concatenate([coefficients[:1], lower])
    return coefficients


@implements(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """As `np.vander`: the powers of each element in a row."""
    if np.ndim(x) != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    columns = len(x) if N is None else N
    x = x.astype(np.promote_types(x.dtype, int))
    factors = [np.ones((len(x), 1)), np.repeat(x[:, None], max(columns - 1, 0), axis=1)]
    powers = np.cumprod(np.concatenate(factors, axis=1), axis=1)[:, :columns]
    return row_by_row(powers if increasing else np.flip(powers, 1))


@implements(np.polyfit)
def polyfit(
    x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:  # fmt: skip
    """As `np.polyfit`; the rank is taken as constant."""
    x, y, w = as_array(x) + 0.0, as_array(y) + 0.0, as_array(w)
    of_arrays: Any = np.polyfit
    of_arrays(*to_values([x, y]), deg, rcond, full, to_values(w), cov)  # NumPy's own errors and warnings
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    powers, values = np.vander(x, deg + 1), y
    if w is not None:
        powers, values = powers * w[:, None], (y.T * w).T
    scale = np.sqrt(np.sum(powers * powers, axis=0))
    powers = powers / scale
    coefficients, residuals, rank, singular_values = np.linalg.lstsq(powers, values, rcond)
    coefficients = (coefficients.T / scale).T
    if full:
        return coefficients, residuals, rank, singular_values, rcond
    if not cov:
        return coefficients
    covariance = np.linalg.inv(powers.T @ powers) / np.outer(scale, scale)
    factor = 1 if cov == "unscaled" else residuals / (len(x) - deg - 1)
    return coefficients, (covariance if np.ndim(y) == 1 else covariance[:, :, None]) * factor


@implements(np.roots)
def roots(p: Any) -> Any:
    """As `np.roots`: the eigenvalues of the companion matrix. Which coefficients are zero is taken as constant."""
    p = np.atleast_1d(as_array(p))
    if p.ndim != 1:
        raise ValueError("Input must be a rank-1 array.")
    nonzero = np.flatnonzero(to_values(p))
    if not len(nonzero):
        return np.array([])
    zeros = len(p) - 1 - nonzero[-1]
    p = p[nonzero[0] : nonzero[-1] + 1]
    if len(p) < 2:
        return np.zeros(zeros)
    companion = np.concatenate([(-p[1:] / p[0])[None, :], np.eye(len(p) - 2, len(p) - 1, dtype=p.dtype)])
    found = np.linalg.eigvals(companion)
    return np.concatenate([found, np.zeros(zeros, found.dtype)])
