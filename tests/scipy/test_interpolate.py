"""tinygrad_cnn.scipy.interpolate: values are SciPy's, derivatives those of differences."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy_cases import Call, each, gradients_agree, values_agree

import tinygrad_cnn as tg

pytest.importorskip("scipy", reason="SciPy is not installed")

import scipy.interpolate as theirs

from tinygrad_cnn.scipy import interpolate as ours

X = np.array([0.0, 0.7, 1.5, 2.1, 3.3, 4.0])
AT = np.array([[0.1, 0.9, 1.6], [2.9, 3.4, 3.9]])  # not at a knot, where third derivatives jump
STEEP = np.array([0, 0.01, 5, -5, 1, 9.0])
SQUARES = np.arange(10.0).reshape(2, 5) ** 2
OUT = np.array([-0.5, 0.3, 4.4])
Y = (6,)


def circle(y):
    return np.concatenate([y, y[:1]])


def both(name: str, make, shapes=(Y,), **more) -> list[Call]:
    """Evaluated at plain points and at Tensors, with derivatives by both."""
    plain = [np.cos(np.arange(shape[0]) * 1.3) for shape in shapes]
    return [
        Call(f"{name}, at plain points", lambda m, *ys: make(m, *ys)(AT), [*shapes], **more),
        Call(f"{name}, at Tensors", lambda m, x, *ys: make(m, *ys)(AT + x / 20), [(2, 3), *shapes], **more),
        Call(f"{name}, of plain data", lambda m, x: make(m, *plain)(AT + x / 20), [(2, 3)]),
    ]


CALLS = [
    *[
        call
        for bc in (
            "not-a-knot", "natural", "clamped", ("clamped", "natural"), ((1, 0.7), (2, -0.3)), ("not-a-knot", (2, 0.5)),
        )
        for call in both(f"CubicSpline, {bc}", lambda m, y, bc=bc: m.CubicSpline(X, y, bc_type=bc))
    ],
    *both("CubicSpline, periodic", lambda m, y: m.CubicSpline(X, circle(y), bc_type="periodic"), [(5,)]),
    *[
        Call(f"CubicSpline of {n}, {bc}", lambda m, y, n=n, bc=bc: m.CubicSpline(X[:n], y, bc_type=bc)(AT), [(n,)])
        for n in (2, 3, 4) for bc in ("not-a-knot", "natural")
    ],
    *[
        Call(
            f"CubicSpline of {n} points, periodic",
            lambda m, y, n=n: m.CubicSpline(X[:n], circle(y), bc_type="periodic")(AT), [(n - 1,)],
        )
        for n in (2, 3, 4)
    ],
    Call("CubicSpline, slopes", lambda m, y, s: m.CubicSpline(X, y, bc_type=((1, s), (1, 2 * s)))(AT), [Y, ()]),
    Call("CubicSpline of columns", lambda m, y: m.CubicSpline(X, y)(AT), [(6, 2)]),
    Call("CubicSpline along an axis", lambda m, x, y: m.CubicSpline(X, y, axis=1)(AT + x / 20), [(2, 3), (2, 6, 2)]),
    Call("CubicSpline at one point", lambda m, x, y: m.CubicSpline(X, y)(1.2 + x / 20), [(), Y]),
    *[
        Call(f"CubicSpline, {nu}", lambda m, x, y, nu=nu: m.CubicSpline(X, y)(AT + x / 20, nu), [(2, 3), Y], order=1)
        for nu in (1, 2, 3)
    ],
    Call("CubicSpline.derivative", lambda m, x, y: m.CubicSpline(X, y).derivative()(AT + x / 20), [(2, 3), Y]),
    *[
        Call(
            f"CubicSpline.antiderivative {n}",
            lambda m, x, y, n=n: m.CubicSpline(X, y).antiderivative(n)(AT + x / 20),
            [(2, 3), Y],
        )
        for n in (1, 2)
    ],
    Call("CubicSpline.integrate", lambda m, y: m.CubicSpline(X, y).integrate(0.3, 3.6), [Y]),
    Call("CubicSpline, extrapolated", lambda m, y: m.CubicSpline(X, y)(OUT), [Y]),
    Call(
        "CubicSpline, extrapolated periodically",
        lambda m, x, y: m.CubicSpline(X, circle(y), bc_type="periodic")(OUT * 5 + x / 20),
        [(3,), (5,)],
    ),
    *both("PchipInterpolator", lambda m, y: m.PchipInterpolator(X, y)),
    *both("PchipInterpolator, monotone", lambda m, y: m.PchipInterpolator(X, np.cumsum(np.exp(y)))),
    Call("PchipInterpolator, steep", lambda m, y: m.PchipInterpolator(X, y / 1000 + STEEP)(AT), [Y]),
    Call("PchipInterpolator of two points", lambda m, y: m.PchipInterpolator(X[:2], y)(AT), [(2,)]),
    Call("PchipInterpolator of columns", lambda m, y: m.PchipInterpolator(X, y)(AT), [(6, 2)]),
    *both("CubicHermiteSpline", lambda m, y, s: m.CubicHermiteSpline(X, y, s), [Y, Y]),
    *[
        call for how in ("akima", "makima")
        for call in both(f"Akima1DInterpolator, {how}", lambda m, y, how=how: m.Akima1DInterpolator(X, y, method=how))
    ],
    Call("Akima1DInterpolator of two points", lambda m, y: m.Akima1DInterpolator(X[:2], y)(0.3), [(2,)]),
    Call("Akima1DInterpolator of a line", lambda m, s: m.Akima1DInterpolator(X, X * s)(AT), [()]),
    *[
        Call(f"{name}, {nu}", lambda m, x, name=name, nu=nu: getattr(m, name)(X, np.sin(X))(AT + x / 20, nu), [(2, 3)])
        for name in ("UnivariateSpline", "InterpolatedUnivariateSpline") for nu in (0, 1)
    ],
    *[
        Call(f"UnivariateSpline.{f}", lambda m, x, f=f: getattr(m.UnivariateSpline(X, X), f)()(AT + x / 20), [(2, 3)])
        for f in ("derivative", "antiderivative")
    ],
    *both("PPoly", lambda m, c: m.PPoly(c.reshape(3, 5), X), [(15,)]),
    Call("PPoly, not extrapolated", lambda m, c: np.nan_to_num(m.PPoly(c, X, extrapolate=False)(OUT)), [(3, 5)]),
    *[
        call for k in (1, 2, 3)
        for call in both(f"make_interp_spline, {k}", lambda m, y, k=k: m.make_interp_spline(X, y, k))
    ],
    Call("make_interp_spline, natural", lambda m, y: m.make_interp_spline(X, y, bc_type="natural")(AT), [Y]),
    Call("make_interp_spline along an axis", lambda m, y: m.make_interp_spline(X, y, axis=1)(AT), [(2, 6)]),
    *both("BSpline", lambda m, c: m.BSpline(np.array([0, 0, 0, 1, 2, 3, 4, 4, 4.0]), c, 2)),
    Call("BSpline along an axis", lambda m, x: m.BSpline(np.arange(8.0), SQUARES, 2, axis=1)(AT + x / 20), [(2, 3)]),
    Call("BSpline of columns", lambda m, c: m.BSpline(np.arange(9.0), c, 2)(AT), [(6, 2)]),
    Call("BSpline.derivative", lambda m, c: m.BSpline(np.arange(9.0), c, 2).derivative()(AT), [Y]),
    Call("BSpline.antiderivative", lambda m, c: m.BSpline(np.arange(9.0), c, 2).antiderivative()(AT), [Y]),
    Call("BSpline.derivative of columns", lambda m, c: m.BSpline(np.arange(9.0), c, 2).derivative()(AT), [(6, 2)]),
    Call("BSpline.integrate of columns", lambda m, c: m.BSpline(np.arange(9.0), c, 2).integrate(2.3, 4.5), [(6, 2)]),
    Call("CubicSpline.derivative of columns", lambda m, y: m.CubicSpline(X, y).derivative()(AT), [(6, 2)]),
    Call("CubicSpline.integrate of columns", lambda m, y: m.CubicSpline(X, y).integrate(0.3, 3.6), [(6, 2)]),
    Call("BSpline.integrate", lambda m, c: m.BSpline(np.arange(9.0), c, 2).integrate(2.3, 4.5), [Y]),
    Call("splev", lambda m, x: m.splev(AT + x / 20, theirs.splrep(X, np.sin(X)), 1), [(2, 3)]),
    Call("splev of coefficients", lambda m, c: m.splev(AT, (np.arange(9.0), c, 2)), [Y]),
    *[
        call for kind in ("linear", "slinear", "quadratic", "cubic", 2)
        for call in both(f"interp1d, {kind}", lambda m, y, kind=kind: m.interp1d(X, y, kind))
    ],
    *[
        Call(f"interp1d, {kind}", lambda m, y, kind=kind: m.interp1d(X, y, kind)(AT), [Y])
        for kind in ("nearest", "nearest-up", "previous", "next", "zero")
    ],
    Call("interp1d, unsorted", lambda m, y: m.interp1d(X[::-1], y)(AT), [Y]),
    Call("interp1d of rows", lambda m, x, y: m.interp1d(X, y)(AT + x / 20), [(2, 3), (2, 6)]),
    Call("interp1d of columns", lambda m, x, y: m.interp1d(X, y, "cubic", axis=0)(AT + x / 20), [(2, 3), (6, 2)]),
    Call("interp1d, extrapolated", lambda m, y: m.interp1d(X, y, fill_value="extrapolate")(OUT), [Y]),
    Call("interp1d, filled", lambda m, y: m.interp1d(X, y, bounds_error=False, fill_value=(7.0, 8.0))(OUT), [Y]),
    *[
        Call(f"RegularGridInterpolator, {name}", call, shapes)
        for name, call, shapes in [
            ("values", lambda m, v: m.RegularGridInterpolator(AXES, v)(GRID), [(3, 4)]),
            ("points", lambda m, x, v: m.RegularGridInterpolator(AXES, v)(GRID + x / 20), [(4, 2), (3, 4)]),
            ("plain", lambda m, x: m.RegularGridInterpolator(AXES, np.outer(*AXES))(GRID + x / 20), [(4, 2)]),
            ("vectors", lambda m, x, v: m.RegularGridInterpolator(AXES, v)(GRID + x / 20), [(4, 2), (3, 4, 2)]),
            ("one point", lambda m, x, v: m.RegularGridInterpolator(AXES, v)(GRID[0] + x / 20), [(2,), (3, 4)]),
            ("one axis", lambda m, x, v: m.RegularGridInterpolator((X,), v)(AT[0] + x / 20), [(3,), (6,)]),
            ("falling", lambda m, v: m.RegularGridInterpolator((X[2::-1], X[:4]), v)(GRID), [(3, 4)]),
            ("nearest", lambda m, v: m.RegularGridInterpolator(AXES, v, method="nearest")(GRID), [(3, 4)]),
            ("filled", lambda m, v: m.RegularGridInterpolator((X,), v, bounds_error=False, fill_value=7.0)(OUT), [Y]),
            ("beyond", lambda m, v: m.RegularGridInterpolator((X,), v, bounds_error=False, fill_value=None)(OUT), [Y]),
        ]
    ],
    Call("interpn", lambda m, x, v: m.interpn((X[:3], X[:4]), v, (GRID[:, 0] + x / 20, GRID[:, 1])), [(4,), (3, 4)]),
]  # fmt: skip
AXES = (X[:3], X[:4])
GRID = np.array([[0.2, 1.0], [1.1, 0.3], [0.9, 1.9], [1.2, 1.6]])


@each(CALLS)
def test_values_are_scipys(call: Call) -> None:
    values_agree(call, ours, theirs)


@each(CALLS)
def test_derivatives_are_what_differences_give(call: Call) -> None:
    gradients_agree(call, ours)


def test_single_precision_is_computed_in_double_precision_as_in_scipy() -> None:
    y = np.float32([1, 3, 2, 5, 4, 6])
    for name in ("CubicSpline", "PchipInterpolator", "make_interp_spline"):
        found, expected = (getattr(m, name)(X, v)(AT) for m, v in ((ours, tg.Tensor(y)), (theirs, y)))
        assert found.dtype == expected.dtype
        assert tg.grad(lambda y, name=name: np.sum(getattr(ours, name)(X, y)(AT)))(y).dtype == np.float32


def test_objects_of_plain_numbers_are_scipys() -> None:
    spline = ours.CubicSpline(X, np.sin(X))
    assert isinstance(spline, theirs.CubicSpline)
    np.testing.assert_array_equal(spline.derivative()(AT), theirs.CubicSpline(X, np.sin(X)).derivative()(AT))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(spline))(AT), spline(AT))
    assert len(spline.roots()) == len(theirs.CubicSpline(X, np.sin(X)).roots())
    assert tg.grad(spline.derivative())(1.2) == pytest.approx(float(spline(1.2, 2)))
    assert isinstance(ours.interp1d(X, X), theirs.interp1d)


T = tg.Tensor(np.arange(6.0))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ours.CubicSpline(T, X), NotImplementedError, r"scipy\.interpolate\.CubicSpline: x is a Tensor, which"),
        (lambda: ours.interp1d(T, X), NotImplementedError, r"scipy\.interpolate\.interp1d: x is a Tensor, which is"),
        (lambda: ours.BSpline(T, X, 1), NotImplementedError, r"scipy\.interpolate\.BSpline: x is a Tensor, which is"),
        (lambda: ours.RegularGridInterpolator((T,), X), NotImplementedError, "x is a Tensor, which is not supported"),
        (lambda: ours.CubicSpline(X[::-1], T), ValueError, "must be strictly increasing"),
        (lambda: ours.CubicSpline(X, T, bc_type="odd"), ValueError, "odd"),
        (lambda: ours.CubicSpline(X, T).roots(), AttributeError, "roots"),
        (lambda: ours.interp1d(X, T)(OUT), ValueError, "below the interpolation range's minimum value"),
        (lambda: ours.RegularGridInterpolator((X,), T)(OUT), ValueError, "out of bounds"),
        (lambda: ours.RegularGridInterpolator((X,), T, "cubic")(AT[0]), NotImplementedError, "method='cubic' is not"),
        (lambda: ours.make_interp_spline(X, T, bc_type=([(1, 0.0)], [(1, 0.0)])), NotImplementedError, "bc_type="),
        (lambda: ours.splev(T, (X, [X, X], 2)), NotImplementedError, "a spline of several dimensions"),
        (lambda: ours.RBFInterpolator(X[:, None], T), tg.GradientLostError, "gradient"),
        (lambda: ours.UnivariateSpline(X, T), tg.GradientLostError, "gradient"),
        (lambda: ours.UnivariateSpline(X, X, ext=1)(T), NotImplementedError, "ext=1 is not supported for Tensors"),
    ],
)  # fmt: skip
def test_what_is_not_supported_raises(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()
