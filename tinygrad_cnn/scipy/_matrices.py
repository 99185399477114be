"""Primitives of real matrices whose forward functions are SciPy's: systems of equations, functions of a matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import Primitive, operand, primitive, to_values


def real(name: str, *arrays: Any) -> list[Any]:
    """The operands of scipy.linalg's function `name`, which are to be finite, as SciPy asks of them, and real."""
    found = []
    for x in map(operand, arrays):
        x = np.asarray(x) if isinstance(x, int | float) else x
        if to_values(x).dtype.kind == "c":
            raise TypeError(
                f"scipy.linalg.{name}: an argument is complex; expected real matrices, as the derivative for complex "
                "ones is not supported"
            )
        np.asarray_chkfinite(to_values(x))
        found.append(x)
    return found


def as_float64(x: Any) -> Any:
    """`x` as SciPy gives it where it computes a single precision result in double precision."""
    return x if x.dtype == np.float64 else x.astype(np.float64)


def transposed(x: Any) -> Any:
    """The matrices of `x`, transposed."""
    return x.swapaxes(-1, -2)


# What of a matrix a solver reads, as the cotangent of all that is computed from it.


def of_symmetric(x: Array, lower: bool) -> Array:
    """An element beside the diagonal stands for two of the symmetric matrix, one in the other triangle for none."""
    both = x + transposed(x)
    return (np.tril(both) if lower else np.triu(both)) - np.eye(x.shape[-1], dtype=x.dtype) * x


_READ: dict[Any, Callable[[Array, bool], Array]] = {
    **dict.fromkeys(["sym", "symmetric", "her", "hermitian", "pos", "positive definite"], of_symmetric),
    "upper triangular": lambda x, lower: np.triu(x),
    "lower triangular": lambda x, lower: np.tril(x),
    "diagonal": lambda x, lower: np.tril(np.triu(x)),
    "tridiagonal": lambda x, lower: np.tril(np.triu(x, -1), 1),
}


@primitive(broadcasts=True, pure=True)
def solve(a: Array, b: Array, /, assume_a: Any, lower: bool, trans: bool) -> Array:
    """The solution of a x = b, or with `trans` of that with the transpose of a; b holds matrices."""
    structure = {} if assume_a is None else {"assume_a": assume_a}
    return linalg.solve(a, b, lower=lower, transposed=trans, **structure)


def _solve_a(g: Array, out: Array, a: Array, b: Array, assume_a: Any, lower: bool, trans: bool) -> Array:
    y = solve(a, g, assume_a=assume_a, lower=lower, trans=not trans)
    whole = -(np.matmul(out, transposed(y)) if trans else np.matmul(y, transposed(out)))
    return _READ[assume_a](whole, lower) if assume_a in _READ else whole


def _solve_b(g: Array, out: Array, a: Array, b: Array, assume_a: Any, lower: bool, trans: bool) -> Array:
    return solve(a, g, assume_a=assume_a, lower=lower, trans=not trans)


solve.defvjp(_solve_a, _solve_b)


@primitive(broadcasts=True, pure=True)
def solve_triangular(a: Array, b: Array, /, trans: bool, lower: bool, unit: bool) -> Array:
    """As `solve`, of a triangle of a, whose diagonal is taken as ones with `unit`."""
    return linalg.solve_triangular(a, b, trans=int(trans), lower=lower, unit_diagonal=unit)


def _triangular_a(g: Array, out: Array, a: Array, b: Array, trans: bool, lower: bool, unit: bool) -> Array:
    y = solve_triangular(a, g, trans=not trans, lower=lower, unit=unit)
    whole = -(np.matmul(out, transposed(y)) if trans else np.matmul(y, transposed(out)))
    beside = int(unit)  # the diagonal is not read
    return np.tril(whole, -beside) if lower else np.triu(whole, beside)


solve_triangular.defvjp(
    _triangular_a,
    lambda g, out, a, b, trans, lower, unit: solve_triangular(a, g, trans=not trans, lower=lower, unit=unit),
)


@primitive(pure=True)
def solve_banded(ab: Array, b: Array, /, below: int, above: int) -> Array:
    """As `scipy.linalg.solve_banded`; ab[above + i - j, j] is the element (i, j) of the matrix."""
    return linalg.solve_banded((below, above), ab, b)


def _band_places(below: int, above: int, n: int) -> tuple[Array, Array, Array]:
    """The row and the column of each element of a band, and whether it lies in the matrix."""
    columns = np.broadcast_to(np.arange(n), (below + above + 1, n))
    rows = columns + np.arange(-above, below + 1)[:, None]
    inside = (rows >= 0) & (rows < n)
    return np.where(inside, rows, 0), columns, inside


def transposed_band(ab: Any, below: int, above: int) -> Any:
    """The band of the transpose, which has `above` diagonals below its own and `below` above it."""
    rows, columns, inside = _band_places(above, below, ab.shape[1])
    return np.where(inside, ab[np.where(inside, above + columns - rows, 0), rows], 0)


def _banded_ab(g: Array, out: Array, ab: Array, b: Array, below: int, above: int) -> Array:
    y = solve_banded(transposed_band(ab, below, above), g, below=above, above=below)
    rows, columns, inside = _band_places(below, above, ab.shape[1])
    products = y[rows] * out[columns]
    return -np.where(inside, products if products.ndim == 2 else np.sum(products, -1), 0)


solve_banded.defvjp(
    _banded_ab,
    lambda g, out, ab, b, below, above: solve_banded(transposed_band(ab, below, above), g, below=above, above=below),
)


@primitive(pure=True)
def solve_sylvester(a: Array, b: Array, q: Array, /) -> Array:
    """The solution of a x + x b = q."""
    return linalg.solve_sylvester(a, b, q)


def _sylvester_q(g: Array, out: Array, a: Array, b: Array, q: Array) -> Array:
    return solve_sylvester(transposed(a), transposed(b), g)


solve_sylvester.defvjp(
    lambda g, out, a, b, q: -_sylvester_q(g, out, a, b, q) @ transposed(out),
    lambda g, out, a, b, q: -transposed(out) @ _sylvester_q(g, out, a, b, q),
    _sylvester_q,
)


# Riccati equations: dX solves the Lyapunov equation of the closed loop a - b k.


@primitive(pure=True)
def continuous_riccati(a: Array, b: Array, q: Array, r: Array, /) -> Array:
    """As `scipy.linalg.solve_continuous_are`; q and r are symmetric."""
    return linalg.solve_continuous_are(a, b, q, r)


@primitive(pure=True)
def discrete_riccati(a: Array, b: Array, q: Array, r: Array, /) -> Array:
    """As `scipy.linalg.solve_discrete_are`; q and r are symmetric."""
    return linalg.solve_discrete_are(a, b, q, r)


def discrete_lyapunov(a: Any, q: Any) -> Any:
    """The solution of a x a.T - x + q = 0."""
    n = a.shape[-1]
    return np.linalg.solve(np.eye(n * n) - np.kron(a, a), np.reshape(q, n * n)).reshape(n, n)


def _continuous(g: Array, out: Array, a: Array, b: Array, q: Array, r: Array) -> tuple[Array, Array, Array]:
    gain = np.linalg.solve(r, b.T @ out)
    loop = a - b @ gain
    return gain, solve_sylvester(loop, loop.T, -(g + g.T) / 2), out


def _discrete(g: Array, out: Array, a: Array, b: Array, q: Array, r: Array) -> tuple[Array, Array, Array]:
    gain = np.linalg.solve(r + b.T @ out @ b, b.T @ out @ a)
    loop = a - b @ gain
    return gain, discrete_lyapunov(loop, (g + g.T) / 2), out @ loop


def _riccati_rules(solved: Callable[..., tuple[Array, Array, Array]]) -> list[Callable[..., Array]]:
    def of_a(*args: Array) -> Array:
        _, share, factor = solved(*args)
        return 2 * factor @ share

    def of_b(*args: Array) -> Array:
        gain, share, factor = solved(*args)
        return -2 * factor @ share @ gain.T

    def of_r(*args: Array) -> Array:
        gain, share, _ = solved(*args)
        return gain @ share @ gain.T

    return [of_a, of_b, lambda *args: solved(*args)[1], of_r]


continuous_riccati.defvjp(*_riccati_rules(_continuous))
discrete_riccati.defvjp(*_riccati_rules(_discrete))


# Functions of a matrix.


def matrix_function(original: Callable[..., Any]) -> Primitive[..., Array]:
    """The primitive of a function of square matrices that has a power series, or is analytic.

    Its derivative at A in the direction E is a block of its value for [[A, E], [0, A]] (N. Higham, "Functions of
    Matrices", 2008, equation 3.16), and the cotangent is the derivative at the transpose in the direction g.
    """
    name = original.__name__

    def forward(a: Array, /, **parameters: Any) -> Array:
        found = np.asarray(original(a, **parameters))
        if found.dtype.kind != "c":
            return found
        if np.max(np.abs(found.imag), initial=0) > 1e3 * np.finfo(a.dtype).eps * np.max(np.abs(found), initial=0):
            raise NotImplementedError(
                f"scipy.linalg.{name}: the result is complex, and is not supported for Tensors; expected a matrix of "
                "which it is real"
            )
        return found.real

    made: Primitive[..., Array] = Primitive(forward, name, pure=True)

    @made.defvjp
    def _(g: Array, out: Array, a: Array, **parameters: Any) -> Array:
        return made(with_direction(transposed(a), g), **parameters)[..., : a.shape[-1], a.shape[-1] :]

    return made


def with_direction(a: Any, e: Any) -> Any:
    """The matrices [[a, e], [0, a]]."""
    zeros = np.zeros(a.shape, a.dtype)
    return np.concatenate([np.concatenate([a, e], -1), np.concatenate([zeros, a], -1)], -2)


# The factors of a matrix whose rows are rearranged.


@primitive(pure=True)
def lu(a: Array, /, order: Any) -> Array:
    """The packed factors of a[order]: beneath the diagonal those of the left one, whose diagonal is 1."""
    return linalg.lu_factor(a)[0]


@lu.defvjp
def _lu_a(g: Array, out: Array, a: Array, order: Any) -> Array:
    left, right = np.tril(out, -1) + np.eye(len(a), dtype=a.dtype), np.triu(out)
    inner = np.tril(left.T @ np.tril(g, -1), -1) + np.triu(np.triu(g) @ right.T)
    half = solve_triangular(left, inner, trans=True, lower=True, unit=True)
    return solve_triangular(right, half.T, trans=False, lower=False, unit=False).T[np.argsort(order)]
