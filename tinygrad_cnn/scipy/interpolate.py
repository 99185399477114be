"""scipy.interpolate: splines, interp1d and interpolation on grids; by the data and the points of evaluation.

Where no Tensor is among the data, what a class here makes is an object of a subclass of SciPy's, which takes Tensors as
points of evaluation. Where one is, it is an object that can be evaluated, differentiated and integrated.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np

from tinygrad_cnn.engine.primitive import operand, to_values
from tinygrad_cnn.extras import extra
from tinygrad_cnn.primitives.arguments import axis_of
from tinygrad_cnn.replacements import fallback, holds_tensor, register, replaces

with extra("scipy", "tinygrad_cnn.scipy.interpolate"):
    from scipy import interpolate as scipys

    from tinygrad_cnn.scipy._piecewise import (
        Piecewise,
        TensorSpline,
        akima_slopes,
        floats,
        hermite,
        monotone_slopes,
        refuse_knots,
        spline_slopes,
    )

__getattr__, __dir__ = fallback(scipys, globals())


# Piecewise polynomials.


class _AtTensors:
    """A piecewise polynomial of plain numbers that is evaluated at Tensors too."""

    def __call__(self: Any, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        if holds_tensor((x,)):
            return Piecewise(self.c, self.x, self.extrapolate, self.axis)(x, nu, extrapolate)
        return super().__call__(x, nu, extrapolate)  # type: ignore[misc]


class PPoly(_AtTensors, scipys.PPoly):  # type: ignore[misc]
    """As `scipy.interpolate.PPoly`."""

    def __new__(cls, c: Any = None, x: Any = None, extrapolate: Any = None, axis: int = 0) -> Any:
        """Of Tensors, a piecewise polynomial that takes them."""
        if not holds_tensor((c, x)):
            return super().__new__(cls)
        refuse_knots("PPoly", x)
        plain = scipys.PPoly(to_values(operand(c)), x, extrapolate, axis)
        return Piecewise(np.moveaxis(floats(c), (axis, axis + 1), (0, 1)), plain.x, plain.extrapolate, plain.axis)


class CubicHermiteSpline(_AtTensors, scipys.CubicHermiteSpline):  # type: ignore[misc]
    """As `scipy.interpolate.CubicHermiteSpline`."""

    def __new__(cls, x: Any = None, y: Any = None, dydx: Any = None, axis: int = 0, extrapolate: Any = None) -> Any:
        """Of Tensors, a piecewise polynomial that takes them."""
        if not holds_tensor((x, y, dydx)):
            return super().__new__(cls)
        refuse_knots("CubicHermiteSpline", x)
        plain = scipys.CubicHermiteSpline(x, to_values(operand(y)), to_values(operand(dydx)), axis, extrapolate)
        y, dydx = (np.moveaxis(floats(v), axis, 0) for v in (y, dydx))
        return Piecewise(hermite(plain.x, y, dydx), plain.x, plain.extrapolate, plain.axis)


class CubicSpline(_AtTensors, scipys.CubicSpline):  # type: ignore[misc]
    """As `scipy.interpolate.CubicSpline`."""

    def __new__(
        cls, x: Any = None, y: Any = None, axis: int = 0, bc_type: Any = "not-a-knot", extrapolate: Any = None
    ) -> Any:
        """Of Tensors, a piecewise polynomial that takes them."""
        if not holds_tensor((x, y, bc_type)):
            return super().__new__(cls)
        refuse_knots("CubicSpline", x)
        plain = scipys.CubicSpline(x, to_values(operand(y)), axis, to_values(bc_type), extrapolate)
        y = np.moveaxis(floats(y), axis, 0)
        c = hermite(plain.x, y, spline_slopes(plain.x, y, bc_type))
        return Piecewise(c, plain.x, plain.extrapolate, plain.axis)


class PchipInterpolator(_AtTensors, scipys.PchipInterpolator):  # type: ignore[misc]
    """As `scipy.interpolate.PchipInterpolator`."""

    def __new__(cls, x: Any = None, y: Any = None, axis: int = 0, extrapolate: Any = None) -> Any:
        """Of Tensors, a piecewise polynomial that takes them."""
        if not holds_tensor((x, y)):
            return super().__new__(cls)
        refuse_knots("PchipInterpolator", x)
        plain = scipys.PchipInterpolator(x, to_values(operand(y)), axis, extrapolate)
        y = np.moveaxis(floats(y), axis, 0)
        return Piecewise(hermite(plain.x, y, monotone_slopes(plain.x, y)), plain.x, plain.extrapolate, plain.axis)


class Akima1DInterpolator(_AtTensors, scipys.Akima1DInterpolator):  # type: ignore[misc]
    """As `scipy.interpolate.Akima1DInterpolator`."""

    def __new__(cls, x: Any = None, y: Any = None, axis: int = 0, *, method: str = "akima", **more: Any) -> Any:
        """Of Tensors, a piecewise polynomial that takes them."""
        if not holds_tensor((x, y)):
            return super().__new__(cls)
        refuse_knots("Akima1DInterpolator", x)
        plain = scipys.Akima1DInterpolator(x, to_values(operand(y)), axis, method=method, **more)
        y = np.moveaxis(floats(y), axis, 0)
        slopes = akima_slopes(plain.x, y, method)
        return Piecewise(hermite(plain.x, y, slopes), plain.x, plain.extrapolate, plain.axis)


# B-splines.


class BSpline(scipys.BSpline):  # type: ignore[misc]
    """As `scipy.interpolate.BSpline`."""

    def __new__(cls, t: Any = None, c: Any = None, k: Any = None, extrapolate: Any = True, axis: int = 0) -> Any:
        """Of Tensors, a B-spline that takes them."""
        if not holds_tensor((t, c)):
            return super().__new__(cls)
        refuse_knots("BSpline", t)
        plain = scipys.BSpline(t, to_values(operand(c)), k, extrapolate, axis)
        return TensorSpline(plain.t, floats(c), plain.k, plain.extrapolate, plain.axis)

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """As SciPy's."""
        if holds_tensor((x,)):
            c = np.moveaxis(self.c, 0, self.axis)  # SciPy moves the axis to the front
            return TensorSpline(self.t, c, self.k, self.extrapolate, self.axis)(x, nu, extrapolate)
        return super().__call__(x, nu, extrapolate)


@functools.wraps(scipys.make_interp_spline)
def make_interp_spline(*args: Any, **keywords: Any) -> Any:
    """As `scipy.interpolate.make_interp_spline`; the spline takes Tensors as points of evaluation too."""
    made = _make_interp_spline(*args, **keywords)
    return _of_class(made, BSpline) if isinstance(made, scipys.BSpline) else made


@replaces(scipys.make_interp_spline)
def _make_interp_spline(x: Any, y: Any, k: int = 3, t: Any = None, bc_type: Any = None, axis: int = 0) -> Any:
    """The coefficients are a matrix, which is made, times y."""
    refuse_knots("make_interp_spline", x, () if t is None else t)
    if not (bc_type is None or isinstance(bc_type, str)):
        raise NotImplementedError(
            f"scipy.interpolate.make_interp_spline: bc_type={bc_type!r} is not supported for Tensors; expected "
            "None or a string"
        )
    y = floats(y)
    axis = axis_of(axis, y.ndim)
    plain = scipys.make_interp_spline(x, np.eye(y.shape[axis]), k, t, bc_type)
    rows = np.moveaxis(y, axis, 0)
    c = (plain.c @ rows.reshape((len(rows), -1))).reshape((-1, *rows.shape[1:]))
    return TensorSpline(plain.t, np.moveaxis(c, 0, axis), plain.k, True, axis)


register(scipys.make_interp_spline, make_interp_spline)


@replaces(scipys.splev)
def splev(x: Any, tck: Any, der: int = 0) -> Any:
    """As `scipy.interpolate.splev` of one spline, which is extrapolated."""
    if not isinstance(tck, tuple):
        return tck(x, der)
    t, c, k = tck
    if isinstance(c, list | tuple) and np.ndim(c[0]):
        raise NotImplementedError(
            "scipy.interpolate.splev: a spline of several dimensions is not supported for Tensors"
        )
    return BSpline(t, operand(c)[: len(t) - k - 1], k)(floats(x), der)


class _FittedAtTensors:
    """A spline that FITPACK has fitted to plain numbers, evaluated at Tensors too."""

    def __call__(self: Any, x: Any, nu: int = 0, ext: Any = None) -> Any:
        if not holds_tensor((x,)):
            return super().__call__(x, nu, ext)  # type: ignore[misc]
        ext = self.ext if ext is None else ext
        if ext not in (0, "extrapolate"):
            raise NotImplementedError(
                f"scipy.interpolate.UnivariateSpline: ext={ext!r} is not supported for Tensors; expected 0"
            )
        t, c, k = self._eval_args
        return TensorSpline(t, c[: len(t) - k - 1], k, True, 0)(x, nu)

    def derivative(self: Any, n: int = 1) -> Any:
        """As SciPy's."""
        return _of_class(super().derivative(n), UnivariateSpline)  # type: ignore[misc]

    def antiderivative(self: Any, n: int = 1) -> Any:
        """As SciPy's."""
        return _of_class(super().antiderivative(n), UnivariateSpline)  # type: ignore[misc]


def _of_class(spline: Any, kind: type) -> Any:
    spline.__class__ = kind
    return spline


class UnivariateSpline(_FittedAtTensors, scipys.UnivariateSpline):  # type: ignore[misc]
    """As `scipy.interpolate.UnivariateSpline`, of plain numbers, evaluated at Tensors."""


class InterpolatedUnivariateSpline(_FittedAtTensors, scipys.InterpolatedUnivariateSpline):  # type: ignore[misc]
    """As `scipy.interpolate.InterpolatedUnivariateSpline`, of plain numbers, evaluated at Tensors."""


# interp1d.

_DEGREES = {"zero": 0, "slinear": 1, "quadratic": 2, "cubic": 3}


class _Interpolation:
    """What interp1d makes of Tensors."""

    def __init__(self, plain: Any, y: Any, kind: Any) -> None:
        self.plain, self.y, self.kind, self.x, self.axis = plain, y, kind, plain.x, plain.axis

    def __call__(self, x: Any) -> Any:
        """The value at x."""
        x = floats(x)
        at = to_values(x)
        fill = self.plain.fill_value
        extrapolated = isinstance(fill, str)
        outside = (at < self.x[0]) | (at > self.x[-1])
        if not extrapolated and self.plain.bounds_error and np.any(outside):
            self.plain(at)  # raises
        y = np.moveaxis(self.y, self.axis, 0)
        if self.kind == "linear":
            steps = np.diff(self.x).reshape((-1,) + (1,) * (y.ndim - 1))
            found = Piecewise(np.stack([(y[1:] - y[:-1]) / steps, y[:-1]]), self.x, True, 0)(x)
        elif self.kind in ("nearest", "nearest-up", "previous", "next"):
            places = scipys.interp1d(self.x, np.arange(len(self.x)), self.kind, bounds_error=False, fill_value=fill)(at)
            missing = np.isnan(places).reshape(at.shape + (1,) * (y.ndim - 1))
            found = np.where(missing, np.nan, y[np.where(np.isnan(places), 0, places).astype(int)])
        else:
            found = make_interp_spline(self.x, y, _DEGREES.get(self.kind, self.kind))(x)
        if not extrapolated:
            below, above = fill if isinstance(fill, tuple) and len(fill) == 2 else (fill, fill)
            shape = at.shape + (1,) * (y.ndim - 1)
            found = np.where((at > self.x[-1]).reshape(shape), above, found)
            found = np.where((at < self.x[0]).reshape(shape), below, found)
            found = np.where(np.isnan(at).reshape(shape), np.nan, found)
        axis = self.axis
        return np.moveaxis(found, list(range(at.ndim)), list(range(axis, axis + at.ndim))) if axis else found


class interp1d(scipys.interp1d):  # type: ignore[misc]  # noqa: N801 (SciPy's name)
    """As `scipy.interpolate.interp1d`."""

    def __new__(
        cls, x: Any = None, y: Any = None, kind: Any = "linear", axis: int = -1, *args: Any, **more: Any
    ) -> Any:
        """Of Tensors, an interpolation that takes them."""
        if not holds_tensor((x, y)):
            return super().__new__(cls)
        refuse_knots("interp1d", x)
        y = floats(y)
        plain = scipys.interp1d(x, to_values(y), kind, axis, *args, **more)
        order = np.argsort(x, kind="mergesort")  # SciPy sorts, too
        return _Interpolation(plain, np.moveaxis(np.moveaxis(y, axis, 0)[order], 0, plain.axis), kind)

    def __init__(self, x: Any, y: Any, kind: Any = "linear", *args: Any, **more: Any) -> None:
        super().__init__(x, y, kind, *args, **more)
        self._named_kind = kind

    def __call__(self, x: Any) -> Any:
        """As SciPy's."""
        return _Interpolation(self, self.y, self._named_kind)(x) if holds_tensor((x,)) else super().__call__(x)


# Grids.


class _Grid:
    """What RegularGridInterpolator makes of Tensors."""

    def __init__(self, plain: Any, values: Any) -> None:
        self.plain, self.values, self.grid, self.method = plain, values, plain.grid, plain.method

    def __call__(self, xi: Any, method: Any = None) -> Any:
        """The values at the points xi, (..., axes)."""
        method = self.method if method is None else method
        if method not in ("linear", "nearest"):
            raise NotImplementedError(
                f"scipy.interpolate.RegularGridInterpolator: method={method!r} is not supported for Tensors; expected "
                "'linear' or 'nearest'"
            )
        axes = len(self.grid)
        xi = np.stack(np.broadcast_arrays(*map(floats, xi)), -1) if isinstance(xi, tuple) else floats(xi)
        if xi.ndim == 1 and axes > 1:
            xi = xi[None]
        elif xi.ndim == 0 or xi.shape[-1] != axes:
            xi = xi[..., None]
        at = to_values(xi)
        if self.plain.bounds_error:
            self.plain(at)  # raises
        found = self._linear(xi) if method == "linear" else self._nearest(at)
        others = (1,) * (found.ndim - at.ndim + 1)
        if self.plain.fill_value is not None:
            outside = np.any([(at[..., i] < g[0]) | (at[..., i] > g[-1]) for i, g in enumerate(self.grid)], 0)
            found = np.where(outside.reshape(outside.shape + others), self.plain.fill_value, found)
        return np.where(np.any(np.isnan(at), -1).reshape(at.shape[:-1] + others), np.nan, found)

    def _places(self, at: Any) -> list[Any]:
        return [
            np.clip(np.searchsorted(g, at[..., i], side="right") - 1, 0, len(g) - 2) for i, g in enumerate(self.grid)
        ]

    def _linear(self, xi: Any) -> Any:
        places = self._places(to_values(xi))
        others = (1,) * (self.values.ndim - len(self.grid))
        shares = []
        for i, (g, place) in enumerate(zip(self.grid, places, strict=True)):
            share = (xi[..., i] - g[place]) / (g[place + 1] - g[place])
            shares.append(np.reshape(share, share.shape + others))
        total: Any = 0.0
        for corner in itertools.product((0, 1), repeat=len(places)):
            term = self.values[tuple([place + side for place, side in zip(places, corner, strict=True)])]
            for share, side in zip(shares, corner, strict=True):
                term = term * (share if side else 1 - share)
            total = total + term
        return total

    def _nearest(self, at: Any) -> Any:
        nearest = []
        for i, (g, place) in enumerate(zip(self.grid, self._places(at), strict=True)):
            share = (at[..., i] - g[place]) / (g[place + 1] - g[place])
            nearest.append(np.where(share <= 0.5, place, place + 1))
        return self.values[tuple(nearest)]


class RegularGridInterpolator(scipys.RegularGridInterpolator):  # type: ignore[misc]
    """As `scipy.interpolate.RegularGridInterpolator`."""

    def __new__(cls, points: Any = None, values: Any = None, *args: Any, **more: Any) -> Any:
        """Of Tensors, an interpolation that takes them."""
        if not holds_tensor((points, values)):
            return super().__new__(cls)
        refuse_knots("RegularGridInterpolator", *points)
        plain = scipys.RegularGridInterpolator(points, to_values(operand(values)), *args, **more)
        falling = tuple(i for i, g in enumerate(points) if len(g) > 1 and g[0] > g[-1])
        values = floats(values)
        return _Grid(plain, np.flip(values, falling) if falling else values)

    def __call__(self, xi: Any, method: Any = None, **more: Any) -> Any:
        """As SciPy's."""
        if not holds_tensor((xi,)):
            return super().__call__(xi, method, **more)
        return _Grid(self, self.values)(xi, method, **more)


@replaces(scipys.interpn)
def interpn(
    points: Any, values: Any, xi: Any, method: str = "linear", bounds_error: bool = True, fill_value: Any = np.nan
) -> Any:
    """As `scipy.interpolate.interpn`, by the methods "linear" and "nearest"."""
    made = RegularGridInterpolator(points, values, method=method, bounds_error=bounds_error, fill_value=fill_value)
    return made(xi)


for _kind in (
    PPoly, CubicHermiteSpline, CubicSpline, PchipInterpolator, Akima1DInterpolator, BSpline, UnivariateSpline,
    InterpolatedUnivariateSpline, interp1d, RegularGridInterpolator,
):  # fmt: skip
    register(getattr(scipys, _kind.__name__), _kind)
