"""The functions of each element that models seldom need, and what changes arrays in place: as `cases.py`."""

from __future__ import annotations

import numpy as np
from cases import Case, binary, unary

EVERY_OTHER = np.array([[True, False, True], [False, True, False]])


def in_place(change):
    """A function of arrays, from one that changes its first argument."""

    def function(x, *rest):
        t = x * 1.0 + 0.0 * sum(np.sum(operand) for operand in rest)  # a Tensor, if any of them is
        change(t, *rest)
        return t**3

    return function


CASES: list[Case] = [
    *binary("float_power", np.float_power, 0.5, 2.5),
    *binary("remainder", np.remainder, 0.6, 2.5),
    *binary("fmod", np.fmod, 0.6, 2.5),
    *binary("hypot", np.hypot, 0.5, 2.5),
    *binary("arctan2", np.arctan2, 0.5, 2.5),
    *binary("arctan2 on the left", lambda y, x: np.arctan2(y, -x), 0.5, 2.5),
    *binary("logaddexp2", np.logaddexp2),
    *binary("fmax", lambda x, y: np.fmax(x, y) ** 3),
    *binary("fmin", lambda x, y: np.fmin(x, y) ** 3),
    *binary("copysign", lambda x, y: np.copysign(x, y) ** 3, 0.2, 2),
    *binary("divmod", lambda x, y: divmod(x, y)[1] ** 3, 0.6, 2.5),
    *binary("x % y", lambda x, y: x % y, 0.6, 2.5),
    *unary("cbrt", np.cbrt, 0.5, 3),
    *unary("exp2", np.exp2),
    *unary("log2", np.log2, 0.5, 3),
    *unary("log10", np.log10, 0.5, 3),
    *unary("tan", np.tan, -1.2, 1.2),
    *unary("arcsin", np.arcsin, -0.8, 0.8),
    *unary("arccos", np.arccos, -0.8, 0.8),
    *unary("arctan", np.arctan),
    *unary("sinh", np.sinh),
    *unary("cosh", np.cosh),
    *unary("arcsinh", np.arcsinh),
    *unary("arccosh", np.arccosh, 1.5, 3),
    *unary("arctanh", np.arctanh, -0.8, 0.8),
    *unary("deg2rad", lambda x: np.deg2rad(x) ** 3, 50, 200),
    *unary("radians", lambda x: np.radians(x) ** 3, 50, 200),
    *unary("rad2deg", lambda x: np.rad2deg(x) ** 2, 0.01, 0.02),
    *unary("degrees", lambda x: np.degrees(x) ** 2, 0.01, 0.02),
    *unary("fabs", lambda x: np.fabs(x) ** 3, -2, -0.5),
    *unary("ldexp", lambda x: np.ldexp(x, 2) ** 3),
    *unary("frexp", lambda x: np.frexp(x)[0] ** 3, 1.1, 1.9),
    *unary("i0", np.i0),
    *unary("i0 far from 0", np.i0, 5.0, 9.0),
    *binary("nextafter", lambda x, y: np.nextafter(x, y) ** 3),
    Case("heaviside", lambda x, y: np.heaviside(x * [[0.0, 1.0, 0.0]], y) * y**2, [(2, 3), (3,)]),
    *unary("modf", lambda x: np.modf(x)[0] ** 3, 0.1, 0.9),
    *unary("modf of negative numbers", lambda x: np.modf(x)[0] ** 3, -2.9, -2.1),
    *[
        Case(f"{name}, out=", lambda x, f=f: written(f, x), [(2, 3)])
        for name, f in (
            ("sum", np.sum),
            ("mean", np.mean),
            ("prod", np.prod),
            ("max", np.max),
            ("add.reduce", np.add.reduce),
        )
    ],
    Case("sum of nothing, out=", lambda x: written(np.sum, x), [(0, 3)]),
    *[
        case
        for ufunc in (np.subtract, np.divide, np.hypot, np.float_power, np.logaddexp2, np.fmax, np.add, np.logaddexp)
        for case in (
            Case(f"{ufunc.__name__}.outer", lambda x, y, f=ufunc: f.outer(x, y) ** 2, [(2, 2), (3,)], 0.5, 2.5),
            Case(f"{ufunc.__name__}.reduce", lambda x, f=ufunc: f.reduce(x) ** 2, [(4, 3)], 0.5, 2.5),
            Case(f"{ufunc.__name__}.reduce, axis", lambda x, f=ufunc: f.reduce(x, -1) ** 2, [(2, 4)], 0.5, 2.5),
            Case(f"{ufunc.__name__}.accumulate", lambda x, f=ufunc: f.accumulate(x, 1) ** 2, [(2, 4)], 0.5, 2.5),
            Case(
                f"{ufunc.__name__}.reduceat", lambda x, f=ufunc: f.reduceat(x, [1, 3, 0, 2], 1) ** 2, [(2, 4)], 0.5, 2.5
            ),
        )
    ],
    Case("hypot.reduce of one row", lambda x: np.hypot.reduce(x) ** 3, [(1, 3)], -2, -0.5),
    Case("hypot.reduce of one element", lambda x: np.hypot.reduce(x, axis=None) ** 3, [(1, 1)], -2, -0.5),
    Case("hypot.reduce, axes", lambda x: np.hypot.reduce(x, (0, 2), keepdims=True) ** 3, [(2, 3, 2)], 0.5, 2),
    Case("hypot.reduce of all", lambda x: np.hypot.reduce(x, axis=None) ** 3, [(2, 3, 2)], 0.5, 2),
    Case("maximum.accumulate", lambda x: np.maximum.accumulate(x) ** 3, [(5, 2)]),
    Case("minimum.accumulate", lambda x: np.minimum.accumulate(x, axis=-1) ** 3, [(2, 5)]),
    Case("multiply.reduceat", lambda x: np.multiply.reduceat(x, [0, 2]) ** 2, [(5,)]),
    *unary("x // 1", lambda x: x - x // 1, 0.1, 0.9),
    *unary("x - floor(x)", lambda x: (x - np.floor(x)) ** 3, 0.1, 0.9),
    *unary("+x", lambda x: (+x) ** 3),
    Case("in place: t += x", in_place(lambda t: t.__iadd__(t * t)), [(2, 3)]),
    Case("in place: t[i] = x", in_place(lambda t, x: t.__setitem__(1, x)), [(2, 3), (3,)]),
    Case("in place: t[mask] = 0", in_place(lambda t: t.__setitem__(EVERY_OTHER, 0)), [(2, 3)]),
    Case("in place: t[slices] *= t[slices]", in_place(lambda t: t[:, 1:].__imul__(t[:, :2])), [(2, 3)]),
    Case("in place: np.add.at", in_place(lambda t, x: np.add.at(t, [0, 1, 1], x)), [(2, 3), (3, 3)]),
    Case("in place: np.subtract.at", in_place(lambda t, x: np.subtract.at(t, [0, 1, 1], x)), [(2, 3), (3,)]),
    Case("in place: np.copyto", in_place(lambda t, x: np.copyto(t, x, where=EVERY_OTHER)), [(2, 3), (3,)]),
    Case("in place: np.put", in_place(lambda t, x: np.put(t, [5, 0], x)), [(2, 3), (2,)]),
    Case("in place: np.put, wrapping", in_place(lambda t, x: np.put(t, [7, -1], x, mode="wrap")), [(2, 3), ()]),
    Case("in place: np.put, repeating", in_place(lambda t, x: np.put(t, [5, 0, 4, 5], x)), [(2, 3), (3,)]),
    Case("in place: np.place", in_place(lambda t, x: np.place(t, EVERY_OTHER, x)), [(2, 3), (2,)]),
    Case("in place: np.putmask", in_place(lambda t, x: np.putmask(t, EVERY_OTHER, x)), [(2, 3), (4,)]),
    Case("in place: np.fill_diagonal", in_place(lambda t, x: np.fill_diagonal(t, x)), [(3, 3), (3,)]),
    Case("in place: np.fill_diagonal, tall", in_place(lambda t, x: np.fill_diagonal(t, x, wrap=True)), [(7, 3), (2,)]),
    Case(
        "in place: np.put_along_axis",
        in_place(lambda t, x: np.put_along_axis(t, np.array([[2], [0]]), x, axis=-1)),
        [(2, 3), (2, 1)],
    ),
    Case("in place: t.fill", in_place(lambda t, x: t.fill(x)), [(2, 3), ()]),
    Case("zeros_like", lambda x: filled(np.zeros_like(x), x), [(2, 3)]),
    Case("empty_like", lambda x: filled(np.empty_like(x), x), [(2, 3)]),
    Case("ones_like", lambda x: np.ones_like(x) * x**3, [(2, 3)]),
    Case("full_like", lambda x, y: np.full_like(x + 0 * y, y) ** 3, [(2, 3), (3,)]),
    Case("amax", lambda x: np.amax(x, axis=1) ** 3, [(2, 3)]),
    Case("amin", lambda x: np.amin(x, axis=1) ** 3, [(2, 3)]),
    Case("zeros, like", lambda x: filled(np.zeros((2, 3), like=x), x), [(2, 3)]),
    Case("ones, like", lambda x: filled(np.ones((2, 3), like=x), x), [(2, 3)]),
    Case("empty, like", lambda x: filled(np.empty((2, 3), like=x), x), [(2, 3)]),
    Case("full, like", lambda x: filled(np.full((2, 3), x[1, 1], like=x), x), [(2, 3)]),
    Case("eye, like", lambda x: filled(np.eye(2, 3, like=x), x), [(2, 3)]),
    Case("identity, like", lambda x: filled(np.identity(3, like=x), x), [(3, 3)]),
    Case("tri, like", lambda x: filled(np.tri(2, 3, like=x), x), [(2, 3)]),
    Case("arange, like", lambda x: np.arange(3.0, like=x) * x**3, [(2, 3)]),
    *[
        Case(
            f"{f.__name__}, like, of Tensors and numbers in lists",
            lambda x, f=f: f([[x[0], 1.0], [x[1], x[0]]], like=x) ** 3,
            [(2,)],
        )
        for f in (np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray)
    ],
    Case("array, like, ndmin", lambda x: np.array(x, ndmin=3, like=x) ** 3, [(2,)]),
]


def written(reduce, x):
    """A reduction that is written into an array which other functions made."""
    into = np.ones(3, like=x) * 2.0
    returned = reduce(x**2, axis=0, out=into)
    return into**2 + returned


def filled(t, x):
    t[:, ::2] = x[:, ::2]
    t[:, 1] = t[:, 0] * x[:, 1]
    return t**2
