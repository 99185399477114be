"""NumPy's functions, with their variants: axes, masks, initial values, empty arrays, numbers without an axis."""

from __future__ import annotations

import numpy as np
from cases import MASK, Case, takes, unary

ROWS, CUBE = [(3, 4)], [(2, 3, 2)]
LINE, TWO_LINES, NUMBER, NOTHING = [(5,)], [(5,), (3,)], [()], [(0, 3)]
ORDER = np.array([[2, 0, 1], [1, 1, 0]])
HOLES = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 1]], bool)
GRID = np.array([0.0, 0.4, 1.1, 1.3, 2.0])
PADS_BY_NAMED_AXES = takes(lambda: np.pad(np.ones(2), {0: (1, 1)}))


def reduction(name, function, low=-1.5, high=1.7) -> list[Case]:
    """A function that takes axis and keepdims, cubed so that it is not linear."""
    return [
        *unary(name, lambda x: function(x) ** 3, low, high)[:2],
        Case(f"{name}, axis", lambda x: function(x, axis=1) ** 3, CUBE, low, high),
        Case(f"{name}, last axis", lambda x: function(x, axis=-1) ** 3, CUBE, low, high),
        Case(f"{name}, axes", lambda x: function(x, axis=(2, 0)) ** 3, CUBE, low, high),
        Case(f"{name}, no axes", lambda x: function(x, axis=()) ** 3, CUBE, low, high),
        Case(f"{name}, axes kept", lambda x: function(x, axis=(0, -1), keepdims=True) ** 3, CUBE, low, high),
        Case(f"{name}, all kept", lambda x: function(x, keepdims=True) ** 3, CUBE, low, high),
        Case(f"{name} of no rows", lambda x: function(x, axis=1) ** 3, NOTHING, low, high),
    ]


def cumulative(name, function) -> list[Case]:
    return [
        Case(name, lambda x: function(x, axis=0) ** 3, ROWS),
        Case(f"{name}, last axis", lambda x: function(x, axis=-1) ** 3, CUBE),
        Case(f"{name} of a line", lambda x: function(x) ** 3, LINE),
        Case(f"{name} of one element", lambda x: function(x) ** 3, [(1,)]),
        Case(f"{name} of nothing", lambda x: function(x, axis=0) ** 3, NOTHING),
    ]


def quantile(name, function, q) -> list[Case]:
    return [
        Case(name, lambda x: function(x, q) ** 3, LINE),
        Case(f"{name}, axis", lambda x: function(x, q, axis=1) ** 3, ROWS),
        Case(f"{name}, several", lambda x: function(x, [[q, 0.0], [q / 2, 1.0]], axis=(0, -1)) ** 3, CUBE),
        Case(f"{name}, kept", lambda x: function(x, [q, q / 3], axis=0, keepdims=True) ** 3, CUBE),
    ]


METHODS = [
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
]  # fmt: skip

OF_REDUCTIONS: list[Case] = [
    *reduction("np.sum", np.sum),
    *reduction("np.prod", np.prod),
    *reduction("np.mean", np.mean),
    *reduction("np.max", np.max),
    *reduction("np.min", np.min),
    *reduction("np.ptp", np.ptp),
    *reduction("np.var", np.var),
    *[case for case in reduction("np.std", np.std) if "no axes" not in case.name and "one number" not in case.name],
    *reduction("np.nansum", np.nansum),
    *reduction("np.nanprod", np.nanprod),
    *reduction("np.nanmean", np.nanmean),
    *reduction("np.nanmax", np.nanmax),
    *reduction("np.nanmin", np.nanmin),
    *reduction("np.nanvar", np.nanvar),
    *reduction("np.median", np.median)[:5],
    *reduction("np.nanmedian", np.nanmedian)[:4],
    *reduction("np.logaddexp.reduce", lambda x, axis=None, **how: np.logaddexp.reduce(x, axis=axis, **how)),
    *reduction("np.add.reduce", lambda x, axis=None, **how: np.add.reduce(x, axis=axis, **how)),
    *reduction("np.multiply.reduce", lambda x, axis=None, **how: np.multiply.reduce(x, axis=axis, **how)),
    *reduction("np.maximum.reduce", lambda x, axis=None, **how: np.maximum.reduce(x, axis=axis, **how)),
    *reduction("np.minimum.reduce", lambda x, axis=None, **how: np.minimum.reduce(x, axis=axis, **how)),
    Case("np.add.reduce goes along axis 0", lambda x: np.add.reduce(x) ** 3, CUBE),
    Case("np.sum of nothing", lambda x: np.sum(x, axis=0) ** 2, NOTHING),
    Case("np.prod of nothing", lambda x: np.prod(x, axis=0) ** 2, NOTHING),
    Case("np.sum, where", lambda x: np.sum(x, axis=1, where=MASK) ** 3, [(2, 3)]),
    Case("np.sum, where and initial", lambda x: np.sum(x, where=MASK[0], initial=2.0) ** 3, [(2, 3)]),
    Case("np.prod, where", lambda x: np.prod(x, axis=0, where=MASK) ** 3, [(2, 3)]),
    Case("np.prod, where and initial", lambda x: np.prod(x, axis=0, where=MASK[:, :1], initial=2.0) ** 3, [(2, 3)]),
    Case("np.mean, where", lambda x: np.mean(x, axis=1, where=MASK) ** 3, [(2, 3)]),
    Case("np.max, where", lambda x: np.max(x, axis=1, where=MASK, initial=-9.0) ** 3, [(2, 3)]),
    Case("np.min, initial", lambda x: np.min(x, axis=1, initial=-1.0) ** 3, [(2, 3)]),
    Case("np.var, where", lambda x: np.var(x, where=MASK, ddof=1) ** 2, [(2, 3)]),
    Case("np.var, ddof", lambda x: np.var(x, axis=1, ddof=1) ** 2, ROWS),
    Case("np.std, correction", lambda x: np.std(x, axis=1, correction=1, keepdims=True) ** 3, ROWS),
    Case("np.var, mean", lambda x, m: np.var(x, axis=1, mean=m) ** 2, [(3, 4), (3, 1)]),
    Case("np.sum, dtype", lambda x: np.sum(x, axis=0, dtype=np.float64) ** 3, ROWS),
    Case("np.logaddexp.reduce, where", lambda x: np.logaddexp.reduce(x, axis=1, where=MASK, initial=-9.0), [(2, 3)]),
    Case("np.average", lambda x: np.average(x, axis=0) ** 3, ROWS),
    Case("np.average, weighted", lambda x, w: np.average(x, weights=w) ** 2, [(2, 3), (2, 3)], 0.5, 2),
    Case("np.average along weights", lambda x, w: np.average(x, axis=1, weights=w) ** 2, [(2, 3), (3,)], 0.5, 2),
    Case(
        "np.average, weights of axes",
        lambda x, w: np.average(x, axis=(2, 0), weights=w, keepdims=True) ** 2,
        [(2, 3, 4), (4, 2)],
        0.5,
        2,
    ),
    Case("np.average, returned", lambda x, w: np.multiply(*np.average(x, 1, w, True)), [(2, 3), (3,)], 0.5, 2),
    Case("np.nansum with NaN", lambda x: np.nansum(np.where(HOLES, np.nan, x), axis=0) ** 3, ROWS),
    Case("np.nanprod with NaN", lambda x: np.nanprod(np.where(HOLES, np.nan, x), axis=1) ** 3, ROWS),
    Case("np.nanmean with NaN", lambda x: np.nanmean(np.where(HOLES, np.nan, x), axis=1) ** 3, ROWS),
    Case("np.nanmax with NaN", lambda x: np.nanmax(np.where(HOLES, np.nan, x), axis=1) ** 3, ROWS),
    Case("np.nanmin with NaN", lambda x: np.nanmin(np.where(HOLES, np.nan, x), axis=1, keepdims=True) ** 3, ROWS),
    Case("np.nanvar with NaN", lambda x: np.nanvar(np.where(HOLES, np.nan, x), axis=1, ddof=1) ** 2, ROWS),
    Case("np.nanstd with NaN", lambda x: np.nanstd(np.where(HOLES, np.nan, x), axis=1) ** 3, ROWS),
    Case("np.nanmedian with NaN", lambda x: np.nanmedian(np.where(HOLES, np.nan, x), axis=1) ** 3, ROWS),
    Case("np.nancumsum", lambda x: np.nancumsum(np.where(HOLES, np.nan, x), axis=1) ** 3, ROWS),
    Case("np.nancumprod", lambda x: np.nancumprod(np.where(HOLES, np.nan, x)) ** 3, ROWS),
    *cumulative("np.cumsum", np.cumsum),
    *cumulative("np.cumprod", np.cumprod),
    *cumulative("np.cumulative_sum", np.cumulative_sum),
    *cumulative("np.cumulative_prod", np.cumulative_prod),
    Case("np.cumsum, flat", lambda x: np.cumsum(x) ** 3, ROWS),
    Case("np.cumprod, flat", lambda x: np.cumprod(x) ** 2, ROWS),
    Case("np.cumsum of one number", lambda x: np.cumsum(x) ** 3, NUMBER),
    Case("np.cumprod of one number", lambda x: np.cumprod(x) ** 3, NUMBER),
    Case("np.cumulative_sum, initial", lambda x: np.cumulative_sum(x, axis=1, include_initial=True) ** 3, ROWS),
    Case("np.cumulative_prod, initial", lambda x: np.cumulative_prod(x, axis=0, include_initial=True) ** 3, ROWS),
    Case("np.add.accumulate", lambda x: np.add.accumulate(x) ** 3, ROWS),
    Case("np.multiply.accumulate", lambda x: np.multiply.accumulate(x, axis=1) ** 3, ROWS),
    Case("np.cov", lambda x: np.cov(x) ** 2, ROWS),
    Case("np.cov of one variable", lambda x: np.cov(x) ** 2, LINE),
    Case("np.cov of two", lambda x, y: np.cov(x, y, bias=True) ** 2, [(2, 4), (4,)]),
    Case("np.cov of columns", lambda x: np.cov(x, rowvar=False, ddof=0) ** 2, ROWS),
    Case("np.cov, weighted", lambda x: np.cov(x, fweights=[1, 2, 0, 3], aweights=[0.5, 1, 1, 2]) ** 2, ROWS),
    Case("np.corrcoef", lambda x: np.corrcoef(x) ** 2, ROWS),
    Case("np.corrcoef of two", lambda x, y: np.corrcoef(x, y) ** 2, [(4,), (4,)]),
    Case("np.trapezoid", lambda x: np.trapezoid(x, dx=0.5, axis=0) ** 3, ROWS),
    Case("np.trapezoid over x", lambda y, x: np.trapezoid(y, x) ** 2, [(2, 4), (4,)]),
]

OF_ORDER: list[Case] = [
    Case("np.sort", lambda x: np.sort(x) ** 3, ROWS),
    Case("np.sort, axis", lambda x: np.sort(x, axis=0, kind="mergesort") ** 3, ROWS),
    Case("np.sort, flat", lambda x: np.sort(x, axis=None) ** 3, ROWS),
    Case("np.sort of nothing", lambda x: np.sort(x) ** 3, NOTHING),
    Case("np.partition", lambda x: np.partition(x, 2)[..., 2] ** 3, ROWS),
    Case("np.partition, flat", lambda x: np.partition(x, (1, 5), axis=None)[1] ** 3, ROWS),
    *quantile("np.quantile", np.quantile, 0.3),
    *quantile("np.percentile", np.percentile, 70.0),
    # Where q has two axes, and those of a are several, NumPy's own nanquantile orders the axes of the result wrongly.
    *[case for case in quantile("np.nanquantile", np.nanquantile, 0.3) if "several" not in case.name],
    *[case for case in quantile("np.nanpercentile", np.nanpercentile, 70.0) if "several" not in case.name],
    Case("np.nanquantile, q of two axes", lambda x: np.nanquantile(x, [[0.2, 0.9, 0.5]], axis=1) ** 3, CUBE),
    Case("np.nanquantile with NaN", lambda x: np.nanquantile(np.where(HOLES, np.nan, x), [0.2, 0.9], 1) ** 3, ROWS),
    *[
        Case(f"np.quantile, {method}", lambda x, m=method: np.quantile(x, [0.1, 0.55, 1.0], method=m) ** 3, LINE)
        for method in METHODS
    ],
]  # fmt: skip

OF_SHAPES: list[Case] = [
    Case(
        "np.reshape, order F", lambda x: np.reshape(x, (2, 6), order="F") ** np.arange(1, 13).reshape(2, 6), ROWS, 0.5
    ),
    Case("np.ravel", lambda x: np.ravel(x) ** 3, ROWS),
    Case("np.ravel, order F", lambda x: np.ravel(x, order="F") ** 3, ROWS),
    Case("np.ravel of one number", lambda x: np.ravel(x) ** 3, NUMBER),
    Case("np.permute_dims", lambda x: np.permute_dims(x, (1, 2, 0)) ** 3, CUBE),
    Case("np.moveaxis", lambda x: np.moveaxis(x, 0, -1) ** 3, CUBE),
    Case("np.moveaxis of several", lambda x: np.moveaxis(x, (0, 1), (-1, 0)) ** 3, CUBE),
    Case("np.rollaxis", lambda x: np.rollaxis(x, 2, 1) ** 3, CUBE),
    Case("np.expand_dims", lambda x: np.expand_dims(x, (0, -1)) ** 3, ROWS),
    Case("np.squeeze", lambda x: np.squeeze(x) ** 3, [(1, 3, 1)]),
    Case("np.squeeze, axis", lambda x: np.squeeze(x, axis=-1) ** 3, [(1, 3, 1)]),
    Case("np.broadcast_arrays", lambda x, y: np.multiply(*np.broadcast_arrays(x, y)), [(3, 1), (4,)]),
    Case("np.atleast_1d", lambda x: np.atleast_1d(x) ** 3, NUMBER),
    Case("np.atleast_2d", lambda x, y: np.multiply(*np.atleast_2d(x, y)), [(3,), ()]),
    Case("np.atleast_3d", lambda x: np.atleast_3d(x) ** 3, ROWS),
    Case("np.copy", lambda x: np.copy(x) ** 3, ROWS),
    Case("np.concat, dtype", lambda x, y: np.concat([x, y], axis=1, dtype=np.float64) ** 3, [(2, 1), (2, 3)]),
    Case("np.concatenate with arrays", lambda x: np.concatenate([[1.0, 2.0], x, (3.0,)]) ** 3, LINE),
    Case("np.stack", lambda x, y: np.stack([x, y], axis=1) ** 3, [(2, 3), (2, 3)]),
    Case("np.stack, last axis", lambda x, y: np.stack((x, y), -1) ** 3, [(), ()]),
    Case("np.hstack", lambda x, y: np.hstack([x, y]) ** 3, [(2, 3), (2, 1)]),
    Case("np.hstack of numbers", lambda x, y: np.hstack([x, y, 2.0]) ** 3, [(), (2,)]),
    Case("np.vstack", lambda x, y: np.vstack([x, y]) ** 3, [(3,), (2, 3)]),
    Case("np.dstack", lambda x, y: np.dstack([x, y]) ** 3, [(3,), (1, 3, 2)]),
    Case("np.column_stack", lambda x, y: np.column_stack([x, y]) ** 3, [(3,), (3, 2)]),
    Case("np.block", lambda x, y, z: np.block([[x, y], [z]]) ** 3, [(2, 2), (2, 1), (1, 3)]),
    Case("np.block of numbers", lambda x, y: np.block([x, 1.0, y]) ** 3, [(), (3,)]),
    Case("np.split", lambda x: np.split(x, 2, axis=1)[1] ** 3, ROWS),
    Case("np.split at places", lambda x: np.concatenate(np.split(x, [1, 2, 7])[::-1]) ** 3, ROWS),
    Case("np.split at places that go back", lambda x: np.concatenate(np.split(x, [2, 1])) ** 3, ROWS),
    Case("np.array_split", lambda x: np.array_split(x, 3)[0] ** 3, LINE),
    Case("np.hsplit", lambda x: np.hsplit(x, 2)[0] ** 3, ROWS),
    Case("np.vsplit", lambda x: np.vsplit(x, [1])[1] ** 3, ROWS),
    Case("np.dsplit", lambda x: np.dsplit(x, 2)[1] ** 3, CUBE),
    Case("np.unstack", lambda x: np.unstack(x, axis=1)[2] ** 3, ROWS),
]

OF_REARRANGEMENTS: list[Case] = [
    Case("np.roll", lambda x: np.roll(x, 2) ** np.arange(1, 5), ROWS, 0.5),
    Case("np.roll along axes", lambda x: np.roll(x, (1, -1), axis=(0, 1)) ** np.arange(1, 5), ROWS, 0.5),
    Case("np.rot90", lambda x: np.rot90(x) ** np.arange(1, 4), ROWS, 0.5),
    Case("np.flip", lambda x: np.flip(x, -1) ** np.arange(1, 5), ROWS, 0.5),
    Case("np.flip of one number", lambda x: np.flip(x) ** 3, NUMBER),
    Case("np.fliplr", lambda x: np.fliplr(x) ** np.arange(1, 5), ROWS, 0.5),
    Case("np.flipud", lambda x: np.flipud(x) ** 3, ROWS),
    Case("np.tile", lambda x: np.tile(x, (2, 1, 2)) ** 3, ROWS),
    Case("np.tile of one number", lambda x: np.tile(x, 3) ** 3, NUMBER),
    Case("np.repeat", lambda x: np.repeat(x, 2) ** 3, ROWS),
    Case("np.repeat, each", lambda x: np.repeat(x, [2, 0, 1], axis=0) ** 3, ROWS),
    Case("np.diag of a line", lambda x: np.diag(x, 1) ** 3, LINE),
    Case("np.diag of a matrix", lambda x: np.diag(x, -1) ** 3, ROWS),
    Case("np.diagflat", lambda x: np.diagflat(x) ** 3, [(2, 2)]),
    Case("np.diagonal", lambda x: np.diagonal(x, 1, 0, 1) ** 3, CUBE),
    Case("np.tril", lambda x: np.tril(x, -1) ** 3, ROWS),
    Case("np.triu", lambda x: np.triu(x) ** 3, CUBE),
    Case("np.delete", lambda x: np.delete(x, [0, 2], axis=1) ** 3, ROWS),
    Case("np.insert", lambda x, y: np.insert(x, [1, 2], y, axis=1) ** 3, [(3, 4), (3, 2)]),
    Case("np.insert of a number", lambda x, y: np.insert(x, 2, y) ** 3, [(5,), ()]),
    Case("np.append", lambda x, y: np.append(x, y) ** 3, [(2, 3), (2,)]),
    Case("np.append, axis", lambda x, y: np.append(x, y, axis=0) ** 3, [(2, 3), (1, 3)]),
    Case("np.resize", lambda x: np.resize(x, (2, 4)) ** 3, LINE),
    Case("np.compress", lambda x: np.compress([True, False, True], x, axis=0) ** 3, ROWS),
    Case("np.extract", lambda x: np.extract(x > 0, x) ** 3, ROWS),
    Case("np.take", lambda x: np.take(x, [[0, 5], [5, -1]]) ** 3, ROWS),
    Case("np.take, axis", lambda x: np.take(x, [2, 2, 0], axis=1) ** 3, ROWS),
    Case("np.take of one", lambda x: np.take(x, 3) ** 3, ROWS),
    Case("np.take, clip", lambda x: np.take(x, [-3, 9], axis=0, mode="clip") ** 3, ROWS),
    Case("np.take, wrap", lambda x: np.take(x, [-3, 9], axis=0, mode="wrap") ** 3, ROWS),
    Case("np.take_along_axis", lambda x: np.take_along_axis(x, ORDER, axis=1) ** 3, [(2, 3)]),
    Case("np.choose", lambda x, y: np.choose([0, 1, 1], [x, y]) ** 3, [(3,), (3,)]),
    Case("np.choose, broadcasting", lambda x, y: np.choose([[0], [1]], [x, y]) ** 3, [(3,), ()]),
    Case("np.select", lambda x, y: np.select([MASK, ~MASK[0]], [x * x, y], 0.5) ** 3, [(2, 3), (3,)]),
    Case("np.select, default", lambda x, y: np.select([MASK], [x * y], default=y) ** 3, [(2, 3), ()]),
    Case("np.trim_zeros", lambda x: np.trim_zeros(np.pad(x, 2)) ** 3, LINE),
    *[
        Case(f"np.pad, {mode}", lambda x, mode=mode: np.pad(x, ((2, 1), (0, 5)), mode) ** 3, ROWS)
        for mode in ("edge", "reflect", "symmetric", "wrap", "mean", "maximum", "minimum", "median", "linear_ramp")
    ],
    *[
        Case(f"np.pad, {mode}, odd", lambda x, m=mode: np.pad(x, ((4, 1), (0, 9)), m, reflect_type="odd") ** 3, ROWS)
        for mode in ("reflect", "symmetric")
    ],
    *[
        Case(f"np.pad, {mode} of few", lambda x, mode=mode: np.pad(x, 1, mode, stat_length=((2, 1), (3, 2))) ** 3, ROWS)
        for mode in ("mean", "maximum", "median")
    ],
    Case("np.pad, ramps", lambda x: np.pad(x, (3, 2), "linear_ramp", end_values=(1.0, -2.0)) ** 3, ROWS),
    Case("np.pad, two constants", lambda x: np.pad(x, (1, 2), constant_values=(3.0, 4.0)) ** 3, ROWS),
    *([Case("np.pad by named axes", lambda x: np.pad(x, {-1: (1, 2)}) ** 3, ROWS)] if PADS_BY_NAMED_AXES else []),
]  # fmt: skip

OF_SIGNALS: list[Case] = [
    Case("np.clip", lambda x: np.clip(x, -0.5, 0.7) ** 3, ROWS),
    Case("np.clip by Tensors", lambda x, y, z: np.clip(x, y - 1, z + 0.5) ** 3, [(3, 4), (4,), ()]),
    Case("np.clip, one bound", lambda x: np.clip(x, None, 0.5) ** 3, ROWS),
    Case("np.clip, min", lambda x: np.clip(x, min=0.1) ** 3, ROWS),
    Case("np.nan_to_num", lambda x: np.nan_to_num(np.where(HOLES, np.nan, x), nan=2.0) ** 3, ROWS),
    *unary("np.sinc", np.sinc),
    *unary("np.sinc near 0", np.sinc, -1e-3, 1e-3),
    *unary("np.sinc far from 0", np.sinc, 2.0, 5.0),
    Case("np.unwrap", lambda x: np.unwrap(x * 8) ** 3, ROWS),
    Case("np.unwrap, axis", lambda x: np.unwrap(x, axis=0, period=1.0) ** 3, ROWS),
    Case("np.diff", lambda x: np.diff(x) ** 3, ROWS),
    Case("np.diff, twice", lambda x: np.diff(x, 2, axis=0) ** 3, ROWS),
    Case("np.diff, longer", lambda x, y: np.diff(x, prepend=0.0, append=y) ** 3, [(3, 4), (3, 2)]),
    Case("np.ediff1d", lambda x, y: np.ediff1d(x, to_end=y, to_begin=[1.0, 2.0]) ** 3, [(2, 3), (2,)]),
    Case("np.gradient", lambda x: np.gradient(x) ** 3, LINE),
    Case("np.gradient, both axes", lambda x: np.stack(np.gradient(x, 0.5, 2.0, edge_order=2)) ** 3, ROWS),
    Case("np.gradient, places", lambda f, x: np.gradient(f, np.sort(x)) ** 2, [(4,), (4,)], 0, 2),
    Case("np.gradient, places, parabolas", lambda f: np.gradient(f, GRID, edge_order=2) ** 3, LINE),
    Case("np.gradient, an axis and a step", lambda f, h: np.gradient(f, h, axis=-1) ** 2, [(3, 4), ()], 0.5, 2),
    Case("np.interp", lambda x, fp: np.interp(x, GRID, fp) ** 3, [(2, 3), (5,)], 0, 2),
    Case("np.interp by places", lambda x, xp: np.interp(x, np.sort(xp), GRID), [(3,), (5,)]),
    Case("np.interp of one number", lambda x: np.interp(x, GRID, GRID**2, left=-1.0, right=3.0) ** 3, NUMBER, 0, 2),
    Case("np.interp, period", lambda x, fp: np.interp(x, GRID, fp, period=2.5) ** 3, [(4,), (5,)], -4, 5),
    *[
        Case(f"np.{function.__name__}, {mode}, {name}", lambda a, v, f=function, mode=mode: f(a, v, mode) ** 2, shapes)
        for function in (np.convolve, np.correlate)
        for mode in ("full", "same", "valid")
        for name, shapes in (
            ("5 and 3", TWO_LINES), ("3 and 5", TWO_LINES[::-1]), ("4 and 4", [(4,), (4,)]), ("5 and 2", [(5,), (2,)]),
            ("2 and 6", [(2,), (6,)]),
        )
    ],
]  # fmt: skip

OF_POLYNOMIALS: list[Case] = [
    Case("np.polyval", np.polyval, [(3,), (2, 2)]),
    Case("np.polyval of one number", np.polyval, [(4,), ()]),
    Case("np.polyadd", lambda x, y: np.polyadd(x, y) ** 3, TWO_LINES),
    Case("np.polyadd, the longer last", lambda x, y: np.polyadd(x, y) ** 3, TWO_LINES[::-1]),
    Case("np.polysub", lambda x, y: np.polysub(x, y) ** 3, TWO_LINES),
    Case("np.polymul", np.polymul, TWO_LINES),
    Case("np.polymul, zeros in front", lambda x, y: np.polymul(x * [0.0, 0.0, 1.0, 1.0, 1.0], y), TWO_LINES),
    Case("np.polymul by nothing", lambda x: np.polymul(x, [0.0]), LINE),
    Case("np.polydiv, quotient", lambda x, y: np.polydiv(x, y)[0], TWO_LINES, 0.5, 2),
    Case("np.polydiv, remainder", lambda x, y: np.polydiv(x, y)[1], TWO_LINES, 0.5, 2),
    Case("np.polydiv by a longer one", lambda x, y: np.polydiv(x, y)[1] ** 3, TWO_LINES[::-1]),
    Case("np.polyder", lambda x: np.polyder(x) ** 3, LINE),
    Case("np.polyder, twice", lambda x: np.polyder(x, 2) ** 3, LINE),
    Case("np.polyint", lambda x: np.polyint(x) ** 3, LINE),
    Case("np.polyint, twice", lambda x, k: np.polyint(x + 0 * k[0], 2, k) ** 3, [(5,), (2,)]),
    Case("np.polyint, one constant", lambda x, k: np.polyint(x + 0 * k, 3, k) ** 3, [(3,), ()]),
    Case("np.poly", lambda x: np.poly(x) ** 2, [(4,)]),
    Case("np.poly1d", lambda p, x: (np.poly1d(p) * np.poly1d(p))(x), [(3,), (2,)]),
    Case("np.vander", lambda x: np.vander(x) ** 2, [(4,)]),
    Case("np.vander, increasing", lambda x: np.vander(x, 3, increasing=True) ** 2, LINE),
    Case("np.vander, no columns", lambda x: np.vander(x, 0) ** 2, LINE),
    Case("np.polyfit", lambda x, y: np.polyfit(x, y, 2), [(5,), (5,)]),
    Case("np.polyfit, weighted", lambda x, y, w: np.polyfit(x, y, 1, w=w), [(5,), (5, 2), (5,)], 0.5, 2),
    Case("np.polyfit, full", lambda x, y: np.polyfit(x, y, 1, full=True)[1], [(5,), (5, 2)]),
    Case("np.polyfit, covariance", lambda x, y: np.polyfit(x, y, 1, cov=True)[1], [(5,), (5,)]),
    Case("np.polyfit, unscaled", lambda x, y: np.polyfit(x, y, 1, cov="unscaled")[1], [(5,), (5, 2)]),
]

OF_GRIDS: list[Case] = [
    Case("np.linspace", lambda a, b: np.linspace(a, b, 4) ** 3, [(), ()]),
    Case("np.linspace of arrays", lambda a, b: np.linspace(a, b, 4, axis=-1) ** 3, [(2, 1), (3,)]),
    Case("np.linspace without its end", lambda a: np.linspace(0.5, a, 3, endpoint=False) ** 3, NUMBER),
    Case("np.linspace, its step", lambda a, b: np.linspace(a, b, 3, retstep=True)[1] ** 3, [(), ()]),
    Case("np.linspace of one", lambda a, b: np.linspace(a, b, 1) ** 3, [(), ()]),
    Case("np.linspace of none", lambda a, b: np.linspace(a, b, 0) ** 3, [(2,), ()]),
    Case("np.logspace", lambda a, b: np.logspace(a, b, 4), [(), ()], -0.5, 0.5),
    Case("np.logspace, bases", lambda a, b: np.logspace(0.5, a, 4, base=b), [(), (3,)], 0.5, 2),
    Case("np.geomspace", lambda a, b: np.geomspace(a, b, 4), [(2,), ()], 0.5, 2),
    Case("np.geomspace, below 0", lambda a, b: np.geomspace(-a, -b, 4, endpoint=False), [(), ()], 0.5, 2),
    Case("np.meshgrid", lambda x, y: np.multiply(*np.meshgrid(x, y)) ** 2, TWO_LINES),
    Case("np.meshgrid, ij", lambda x, y: np.multiply(*np.meshgrid(x, y, indexing="ij")) ** 2, TWO_LINES),
    Case("np.meshgrid, sparse", lambda x, y: np.subtract(*np.meshgrid(x, y, sparse=True)) ** 3, TWO_LINES),
    Case("np.meshgrid of three", lambda x, y: np.prod(np.stack(np.meshgrid(x, y, [2.0])), 0) ** 2, TWO_LINES),
    Case("np.ix_", lambda x, y: np.multiply(*np.ix_(x, y)) ** 2, TWO_LINES),
]

TWICE = np.array([1, 3, 0, 1, 2])

OF_SETS: list[Case] = [
    Case("np.unique", lambda x: np.unique(x[TWICE]) ** 3, LINE),
    Case("np.unique, rows", lambda x: np.unique(x[[1, 0, 1]], axis=0) ** 3, ROWS),
    Case("np.unique and more", lambda x: np.unique(x, True, True, True)[0][::-1] ** 3, ROWS),
    Case("np.unique_values", lambda x: np.sort(np.unique_values(x[TWICE])) ** 3, LINE),
    Case("np.unique_all", lambda x: np.unique_all(x[TWICE]).values ** 3, LINE),
    Case("np.unique_counts", lambda x: np.unique_counts(x[TWICE]).values ** 3, LINE),
    Case("np.unique_inverse", lambda x: np.unique_inverse(x[TWICE]).values ** 3, LINE),
    Case("np.union1d", lambda x, y: np.union1d(x, y) ** 3, TWO_LINES),
    Case("np.intersect1d", lambda x: np.intersect1d(x, x[:, 1:]) ** 3, ROWS),
    Case("np.setdiff1d", lambda x: np.setdiff1d(x, x[:, 1]) ** 3, ROWS),
    Case("np.setxor1d", lambda x: np.setxor1d(x[1:], x[:4]) ** 3, LINE),
    Case("np.bincount, weighted", lambda w: np.bincount(TWICE, w, minlength=6) ** 3, LINE),
    Case("np.histogram, weighted", lambda w: np.histogram(GRID, 3, weights=w)[0] ** 3, LINE),
    Case("np.histogram, its edges", lambda x: np.histogram(x, 3)[1] ** 3, LINE),
    Case("np.histogram, a density", lambda x: np.histogram(x, 3, density=True)[0] ** 3, LINE),
    Case("np.histogram of given edges", lambda x: np.histogram(GRID, np.sort(x), density=True)[0] ** 3, [(3,)], 0, 2),
    Case("np.histogram_bin_edges", lambda x: np.histogram_bin_edges(x, 4) ** 3, ROWS),
]

OF_FUNCTIONS: list[Case] = [
    Case("np.apply_along_axis", lambda x: np.apply_along_axis(lambda row: row[::-1] ** 3, 0, x), CUBE),
    Case("np.apply_along_axis to numbers", lambda x: np.apply_along_axis(lambda row: np.prod(row), 1, x), ROWS),
    Case("np.apply_along_axis to matrices", lambda x: np.apply_along_axis(np.diag, -1, x) ** 3, ROWS),
    Case("np.apply_over_axes", lambda x: np.apply_over_axes(np.prod, x, [0, -1]) ** 2, CUBE),
    Case("np.piecewise", lambda x: np.piecewise(x, [x < 0, x > 1], [np.square, np.exp, 0.5]) ** 2, ROWS),
    Case("np.piecewise, with more", lambda x: np.piecewise(x, [x < 0], [np.power, 0.5], 3) ** 2, ROWS),
    Case("np.sort_complex", lambda x: np.real(np.sort_complex(x)) ** 3, ROWS),
]

CASES = [*OF_REDUCTIONS, *OF_ORDER, *OF_SHAPES, *OF_REARRANGEMENTS, *OF_SIGNALS]
CASES += [*OF_POLYNOMIALS, *OF_GRIDS, *OF_SETS, *OF_FUNCTIONS]
