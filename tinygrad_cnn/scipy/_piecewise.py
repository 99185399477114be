"""Piecewise polynomials and B-splines with respect to where they are evaluated, and to their coefficients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import interpolate

from tinygrad_cnn.engine.graph import Array, Handle
from tinygrad_cnn.engine.primitive import operand, primitive, to_values
from tinygrad_cnn.scipy._matrices import solve_banded


def floats(x: Any) -> Any:
    """In double precision, in which scipy.interpolate computes."""
    x = operand(x)
    if isinstance(x, Handle):
        return x if x.dtype == np.float64 else x.astype(np.float64)  # type: ignore[attr-defined]
    return np.asarray(x, np.float64)


def refuse_knots(name: str, *knots: Any) -> None:
    """Raise if the knots of an interpolation are Tensors."""
    if any(isinstance(operand(x), Handle) for x in knots):
        raise NotImplementedError(
            f"scipy.interpolate.{name}: x is a Tensor, which is not supported for the points that are interpolated; "
            "expected a plain array, as y and the points of evaluation alone may be Tensors"
        )


class Piecewise:
    """A piecewise polynomial, as scipy.interpolate.PPoly, whose coefficients may be Tensors.

    c: (degree + 1, intervals, ...), the highest power first; x: the ends of the intervals, ascending and plain.
    """

    def __init__(self, c: Any, x: Any, extrapolate: Any, axis: int) -> None:
        self.c, self.x, self.extrapolate, self.axis = c, np.asarray(x, np.float64), extrapolate, axis

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """The value at x, or that of the derivative of order nu."""
        x = floats(x)
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        first, last = self.x[0], self.x[-1]
        if extrapolate == "periodic":
            x = x - np.floor((to_values(x) - first) / (last - first)) * (last - first)
        at = to_values(x)
        i = np.clip(np.searchsorted(self.x, at, side="right") - 1, 0, len(self.x) - 2)
        apart = np.reshape(x - self.x[i], at.shape + (1,) * (self.c.ndim - 2))
        degree = len(self.c) - 1
        found: Any = np.zeros(at.shape + self.c.shape[2:])
        for k in range(nu, degree + 1)[::-1]:  # Horner's scheme
            found = found * apart + math.perm(k, nu) * self.c[degree - k][i]
        if not extrapolate:
            outside = (at < first) | (at > last)
            found = np.where(outside.reshape(apart.shape), np.nan, found)
        return on_axis(found, at.ndim, self.axis)

    def derivative(self, nu: int = 1) -> Piecewise:
        """The derivative of order nu; of a negative order the antiderivative."""
        if nu < 0:
            return self.antiderivative(-nu)
        degree = len(self.c) - 1
        powers = [math.perm(k, nu) * self.c[degree - k] for k in range(nu, degree + 1)[::-1]]
        c = np.stack(powers) if powers else np.zeros((1, *self.c.shape[1:]))
        return Piecewise(c, self.x, self.extrapolate, self.axis)

    def antiderivative(self, nu: int = 1) -> Piecewise:
        """The antiderivative, which is 0 at the first of the ends."""
        if nu < 1:
            return self.derivative(-nu)
        degree = len(self.c) - 1
        powers = [self.c[degree - k] / (k + 1) for k in range(degree + 1)[::-1]]
        width = np.diff(self.x).reshape((-1,) + (1,) * (self.c.ndim - 2))
        pieces = sum(power * width ** (degree + 1 - j) for j, power in enumerate(powers))
        start = np.cumsum(np.concatenate([np.zeros((1, *self.c.shape[2:])), pieces[:-1]]), 0)
        found = Piecewise(np.stack([*powers, start]), self.x, self.extrapolate, self.axis)
        if self.extrapolate == "periodic":
            found.extrapolate = False
        return found if nu == 1 else found.antiderivative(nu - 1)

    def integrate(self, a: Any, b: Any, extrapolate: Any = None) -> Any:
        """The integral from a to b."""
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        if extrapolate == "periodic":
            raise NotImplementedError(
                "scipy.interpolate: the integral of a periodic spline is not supported for Tensors"
            )
        whole = self.antiderivative()
        return whole(b, 0, extrapolate) - whole(a, 0, extrapolate)


def on_axis(found: Any, ndim: int, axis: int) -> Any:
    """The values (points of `ndim` axes, others), with the points in the place of the interpolated axis."""
    if axis:
        found = np.moveaxis(found, list(range(ndim)), list(range(axis, axis + ndim)))
    return found


def hermite(x: Any, y: Any, slopes: Any) -> Any:
    """The coefficients of the cubic polynomials with values `y` and `slopes` at the knots x."""
    dx = np.diff(x).reshape((-1,) + (1,) * (y.ndim - 1))
    chord = (y[1:] - y[:-1]) / dx
    t = (slopes[:-1] + slopes[1:] - 2 * chord) / dx
    return np.stack([t / dx, (chord - slopes[:-1]) / dx - t, slopes[:-1], y[:-1]])


# Slopes at the knots.

_NAMED = {"natural": (2, 0.0), "clamped": (1, 0.0)}


def spline_slopes(x: Any, y: Any, bc_type: Any) -> Any:
    """Those of the cubic spline, which has a continuous second derivative and satisfies the conditions at the ends."""
    n, dx = len(x), np.diff(x)
    start, end = (bc_type, bc_type) if isinstance(bc_type, str) else bc_type
    start, end = (_NAMED.get(bc, bc) if isinstance(bc, str) else bc for bc in (start, end))
    column = dx.reshape((-1,) + (1,) * (y.ndim - 1))
    chord = (y[1:] - y[:-1]) / column
    if n == 2:
        start, end = ((1, chord[0]) if bc in ("not-a-knot", "periodic") else bc for bc in (start, end))
    inner = 3 * (column[1:] * chord[:-1] + column[:-1] * chord[1:])
    if "periodic" in (start, end):
        return _periodic_slopes(dx, column, chord, inner)
    band = np.zeros((3, n))
    band[0, 2:], band[1, 1:-1], band[2, :-2] = dx[:-1], 2 * (dx[:-1] + dx[1:]), dx[1:]
    if n == 3 and start == end == "not-a-knot":  # a parabola through three points
        start, end = _parabola(column, chord)
    ends = []
    for bc, place, steps, here, next_one, sign in (
        (start, 0, dx[:2], chord[0], chord[min(1, n - 2)], -1),
        (end, -1, dx[::-1][:2], chord[-1], chord[max(-2, 1 - n)], 1),
    ):
        beside = (0, 1) if place == 0 else (2, -2)
        if isinstance(bc, str):  # not-a-knot
            d = steps[0] + steps[1]
            band[1, place], band[beside] = steps[1], d
            ends.append(((steps[0] + 2 * d) * steps[1] * here + steps[0] ** 2 * next_one) / d)
        elif bc[0] == 1:
            band[1, place] = 1
            band[beside] = 0
            ends.append(bc[1] + 0 * here)
        else:
            band[1, place], band[beside] = 2 * steps[0], steps[0]
            ends.append(sign * 0.5 * bc[1] * steps[0] ** 2 + 3 * steps[0] * here)
    right = np.concatenate([ends[0][None], inner, ends[1][None]])
    return solve_banded(band, right.reshape((n, -1)), below=1, above=1).reshape(y.shape)


def _parabola(column: Any, chord: Any) -> Any:
    bend = (chord[1] - chord[0]) / (column[0] + column[1])
    return (1, chord[0] - bend * column[0]), (1, chord[1] + bend * column[1])


def _periodic_slopes(dx: Any, column: Any, chord: Any, inner: Any) -> Any:
    """The knots form a circle, of which the first is the last one too."""
    n = len(dx)
    if n == 2:
        slope = np.sum(chord / column, 0) / np.sum(1 / column, 0)
        return np.stack([slope] * 3)
    matrix = np.zeros((n, n))
    for i in range(n):
        matrix[i, i], matrix[i, (i + 1) % n], matrix[i, i - 1] = 2 * (dx[i - 1] + dx[i]), dx[i - 1], dx[i]
    first = 3 * (column[0] * chord[-1] + column[-1] * chord[0])
    right = np.concatenate([first[None], inner])
    slopes = np.linalg.solve(matrix, right.reshape((n, -1))).reshape(right.shape)
    return np.concatenate([slopes, slopes[:1]])


def monotone_slopes(x: Any, y: Any) -> Any:
    """Those of the interpolation by PCHIP: harmonic means of the slopes of chords, and 0 at an extremum."""
    column = np.diff(x).reshape((-1,) + (1,) * (y.ndim - 1))
    chord = (y[1:] - y[:-1]) / column
    if len(x) == 2:
        return np.concatenate([chord, chord])
    sign = np.sign(to_values(chord))
    extremum = (sign[1:] != sign[:-1]) | (sign[1:] == 0)
    one, two = 2 * column[1:] + column[:-1], column[1:] + 2 * column[:-1]
    before, behind = np.where(extremum, 1, chord[:-1]), np.where(extremum, 1, chord[1:])
    inner = np.where(extremum, 0, (one + two) / (one / before + two / behind))
    ends = [_monotone_end(column[i], column[j], chord[i], chord[j])[None] for i, j in ((0, 1), (-1, -2))]
    return np.concatenate([ends[0], inner, ends[1]])


def _monotone_end(h0: Any, h1: Any, m0: Any, m1: Any) -> Any:
    d = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    at, zero, one = np.sign(to_values(d)), np.sign(to_values(m0)), np.sign(to_values(m1))
    steep = (zero != one) & (np.abs(to_values(d)) > 3 * np.abs(to_values(m0)))
    return np.where(at != zero, 0, np.where(steep, 3 * m0, d))


def akima_slopes(x: Any, y: Any, method: str) -> Any:
    """Means of the slopes of the chords beside a knot, weighted by how much those beyond them change."""
    column = np.diff(x).reshape((-1,) + (1,) * (y.ndim - 1))
    chord = (y[1:] - y[:-1]) / column
    if len(x) == 2:
        return np.concatenate([chord, chord])
    first, last = 2 * chord[:1] - chord[1:2], 2 * chord[-1:] - chord[-2:-1]
    chord = np.concatenate([2 * first - chord[:1], first, chord, last, 2 * last - chord[-1:]])
    change = np.abs(chord[1:] - chord[:-1])
    if method == "makima":
        change = change + np.abs(chord[1:] + chord[:-1]) / 2
    behind, before = change[2:], change[:-2]
    total = behind + before
    defined = to_values(total) > 1e-9 * np.max(to_values(total), initial=0)
    weighted = chord[1:-2] + before / np.where(defined, total, 1) * (chord[2:-1] - chord[1:-2])
    return np.where(defined, weighted, (chord[3:] + chord[:-3]) / 2)


# B-splines.


@primitive(pure=True)
def basis(x: Array, /, t: Any, k: int, nu: int, extrapolate: Any) -> Array:
    """The derivatives of order nu of all B-splines of degree k on the knots t, at each of the points x."""
    return interpolate.BSpline(t, np.eye(len(t) - k - 1), k, extrapolate)(x, nu)


@basis.defvjp
def _basis_x(g: Array, out: Array, x: Array, t: Any, k: int, nu: int, extrapolate: Any) -> Array:
    return np.sum(g * basis(x, t=t, k=k, nu=nu + 1, extrapolate=extrapolate), -1)


class TensorSpline:
    """As scipy.interpolate.BSpline, whose coefficients may be Tensors."""

    def __init__(self, t: Any, c: Any, k: int, extrapolate: Any, axis: int) -> None:
        self.t, self.c, self.k, self.extrapolate, self.axis = np.asarray(t, np.float64), c, k, extrapolate, axis

    @property
    def tck(self) -> tuple[Any, Any, int]:
        """Knots, coefficients, degree."""
        return self.t, self.c, self.k

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """The value at x, or that of the derivative of order nu."""
        x = floats(x)
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        c = np.moveaxis(self.c, self.axis, 0)
        each = basis(np.ravel(x), t=self.t, k=self.k, nu=nu, extrapolate=extrapolate)
        found = each @ c[: each.shape[1]].reshape((each.shape[1], -1))
        return on_axis(found.reshape(x.shape + c.shape[1:]), x.ndim, self.axis)

    def _changed(self, how: str, nu: int) -> TensorSpline:
        n = len(self.t) - self.k - 1
        plain = getattr(interpolate.BSpline(self.t, np.eye(n), self.k, self.extrapolate), how)(nu)
        c = np.moveaxis(self.c, self.axis, 0)
        changed = (plain.c @ c[:n].reshape((n, -1))).reshape((-1, *c.shape[1:]))
        return TensorSpline(plain.t, np.moveaxis(changed, 0, self.axis), plain.k, plain.extrapolate, self.axis)

    def derivative(self, nu: int = 1) -> TensorSpline:
        """The derivative of order nu."""
        return self._changed("derivative", nu)

    def antiderivative(self, nu: int = 1) -> TensorSpline:
        """The antiderivative of order nu."""
        return self._changed("antiderivative", nu)

    def integrate(self, a: float, b: float, extrapolate: Any = None) -> Any:
        """The integral from a to b, which are plain numbers."""
        n = len(self.t) - self.k - 1
        weights = interpolate.BSpline(self.t, np.eye(n), self.k, self.extrapolate).integrate(a, b, extrapolate)
        c = np.moveaxis(self.c, self.axis, 0)
        return (weights @ c[:n].reshape((n, -1))).reshape(c.shape[1:])
