"""Functions of sequences: differences, interpolation, convolution; and of their elements, limited and mended."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import implements, primitive, to_values
from tinygrad_cnn.primitives.arguments import absent, axes_of, axis_of, refuse_out
from tinygrad_cnn.primitives.shaping import laid_out, number, row_by_row
from tinygrad_cnn.stand_in import StandIn

# Elements.


@implements(np.clip)
def clip(
    a: Any, a_min: Any = absent, a_max: Any = absent, out: None = None,
    *, min: Any = absent, max: Any = absent,
    **keywords: Any,
) -> Any:  # fmt: skip
    """As `np.clip`: the larger of `a` and the one bound, then the smaller of that and the other."""
    refuse_out("clip", out)
    if keywords:
        raise NotImplementedError(
            f"np.clip: {next(iter(keywords))}= is not supported for Tensors. Use np.where on the result"
        )
    if (a_min is absent) != (a_max is absent):
        raise TypeError("clip() missing 1 required positional argument: 'a_max'")
    if a_min is not absent and (min is not absent or max is not absent):
        raise ValueError("Passing `min` or `max` keyword argument when `a_min` and `a_max` are provided is forbidden.")
    low, high = (min, max) if a_min is absent else (a_min, a_max)
    if isinstance(a, int | float):  # here it is an array of its own dtype, and not a number that takes on another's
        a = np.asarray(a)[()]
    if (low is absent or low is None) and (high is absent or high is None):
        return np.positive(a)
    if low is not absent and low is not None:
        a = np.maximum(a, low)
    if high is not absent and high is not None:
        a = np.minimum(a, high)
    return a


@implements(np.nan_to_num)
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """As `np.nan_to_num`; an element that is replaced has slope 0."""
    if not copy and isinstance(x.node.like, np.ndarray):
        x[...] = nan_to_num(x, True, nan, posinf, neginf)
        return number(x)
    limits = np.finfo(x.dtype)
    x = np.where(np.isnan(x), nan, x)
    x = np.where(np.equal(x, np.inf), limits.max if posinf is None else posinf, x)
    return number(np.where(np.equal(x, -np.inf), limits.min if neginf is None else neginf, x))


@implements(np.unwrap)
def unwrap(p: Any, discont: float | None = None, axis: int = -1, *, period: float = 2 * np.pi) -> Any:
    """As `np.unwrap`: what is added to the elements, multiples of the period, is constant."""
    values = to_values(p)
    unwrapped = np.unwrap(values, discont, axis, period=period)
    return p + np.where(np.equal(unwrapped, values), 0, unwrapped - values)  # no difference of infinities


# Differences.


@implements(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = absent, append: Any = absent) -> Any:
    """As `np.diff`."""
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n!r}")
    if n == 0:
        return a
    if np.ndim(a) == 0:
        raise ValueError("diff requires input that is at least one dimensional")
    shape = list(np.shape(a))
    shape[axis_of(axis, len(shape))] = 1
    ends = [None if x is absent else np.broadcast_to(x, shape) if np.ndim(x) == 0 else x for x in (prepend, append)]
    parts = [x for x in (ends[0], a, ends[1]) if x is not None]
    rows = np.moveaxis(np.concatenate(parts, axis) if len(parts) > 1 else a, axis, 0)
    for _ in range(n):
        rows = rows[1:] - rows[:-1]
    return np.moveaxis(rows, 0, axis)


@implements(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """As `np.ediff1d`."""
    differences = np.diff(np.ravel(ary))
    parts = [np.ravel(x) for x in (to_begin, differences, to_end) if x is not None]
    return np.concatenate(parts, dtype=differences.dtype, casting="same_kind")


@implements(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    """As `np.gradient`; the spacing may be Tensors too."""
    values: Any = to_values((f, *varargs))
    np.gradient(*values, axis=axis, edge_order=edge_order)  # NumPy's own errors of arguments
    axes = axes_of(axis, np.ndim(f))
    spacing = list(varargs) * len(axes) if len(varargs) == 1 else list(varargs) or [1.0] * len(axes)
    found = tuple([_slopes(f, dx, i, edge_order) for dx, i in zip(spacing, axes, strict=True)])
    return found[0] if len(found) == 1 else found


def _slopes(f: Any, dx: Any, axis: int, edge_order: int) -> Any:
    """Central differences along `axis`, of parabolas through three points; at the edges of a line or a parabola."""
    given, f = f, np.moveaxis(f, axis, 0)
    n = len(f)
    steps = np.diff(dx) if np.ndim(dx) else np.broadcast_to(dx, (n - 1,))
    steps = steps.reshape((n - 1,) + (1,) * (f.ndim - 1))
    slopes = (f[1:] - f[:-1]) / steps
    before, behind = steps[:-1], steps[1:]
    if np.ndim(dx):
        inner = (behind * slopes[:-1] + before * slopes[1:]) / (before + behind)
    else:  # the same, but without the element between, which may be infinite
        inner = (f[2:] - f[:-2]) / (2 * dx)
    first, last = slopes[:1], slopes[-1:]
    if edge_order == 2:
        first = first - (slopes[1:2] - first) * steps[:1] / (steps[:1] + steps[1:2])
        last = last + (last - slopes[-2:-1]) * steps[-1:] / (steps[-1:] + steps[-2:-1])
    found = np.moveaxis(np.concatenate([first, inner, last]), 0, axis)
    found = found if f.dtype.kind != "f" else found.astype(f.dtype)
    return laid_out(found, np.empty_like(to_values(given)))


# Interpolation.


@implements(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """As `np.interp`, with derivatives by x, xp and fp; at a node it has the slope of the line to its right."""
    values: Any = to_values([x, xp, fp])
    of_arrays: Any = np.interp
    of_arrays(*values, period=period)  # NumPy's own errors of arguments
    x, xp, fp = _as(np.float64, x), _as(np.float64, xp), _as(complex if np.iscomplexobj(values[2]) else np.float64, fp)
    if period is not None:
        period = abs(period)
        x, xp = _remainder(x, period), _remainder(xp, period)
        order = np.argsort(to_values(xp))
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
        left = right = None
    places, nodes = to_values(x), to_values(xp)
    left, right = fp[0] if left is None else left, fp[-1] if right is None else right
    if len(nodes) == 1:
        inside = np.broadcast_to(fp[0], places.shape) + 0 * x
    else:
        i = np.clip(np.searchsorted(nodes, places, side="right") - 1, 0, len(nodes) - 2)
        # Between nodes that are one, of one value, NumPy has that value: the line through them is level.
        begin, end, low, high = (_elements(a, k) for a in (xp, fp) for k in (i, i + 1))
        level = np.equal(begin, end) & np.equal(low, high)
        run = np.where(level, 1, end - begin)
        inside = low + (x - begin) * ((high - low) / run)
    return number(np.where(places < nodes[0], left, np.where(places > nodes[-1], right, inside)))


def _elements(a: Any, places: Any) -> Any:
    """`a[places]`, where the places may be traced, and `a` not."""
    return np.take(places.lift(a) if isinstance(places, StandIn) and isinstance(a, np.ndarray) else a, places)


def _as(dtype: Any, x: Any) -> Any:
    return x.astype(dtype) if hasattr(x, "astype") else np.asarray(x, dtype)


def _remainder(x: Any, period: float) -> Any:
    """`x` modulo `period`, from which it differs by a constant."""
    return x - period * np.floor(to_values(x) / period)


# Convolution.


@primitive(bilinear=True, pure=True)
def _full_convolution(a: Array, v: Array, /) -> Array:
    return np.convolve(a, v)


_full_convolution.defvjp(
    lambda g, out, a, v: np.correlate(g, v, "valid"),
    lambda g, out, a, v: np.correlate(g, a, "valid"),
)


_full_convolution.defflops(lambda out, a, v: 2 * a.size * v.size)


@implements(np.convolve)
def convolve(a: Any, v: Any, mode: Any = "full") -> Any:
    """As `np.convolve`."""
    longer, shorter = np.atleast_1d(a), np.atleast_1d(v)
    if np.size(shorter) > np.size(longer):
        longer, shorter = shorter, longer
    if not np.size(shorter):
        raise ValueError("v cannot be empty" if np.size(longer) else "a cannot be empty")
    return _part_of(_full_convolution(longer, shorter), len(longer), len(shorter), mode)


@implements(np.correlate)
def correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    """As `np.correlate`, of real numbers."""
    a, v = np.atleast_1d(a), np.atleast_1d(v)
    if len(v) > len(a):
        return row_by_row(np.correlate(v, a, mode)[::-1])
    return np.convolve(a, v[::-1], mode)


def _part_of(full: Any, n: int, m: int, mode: str) -> Any:
    """That part of the convolution of `n` elements with `m <= n` which `mode` names."""
    if mode == "full":
        return full
    if mode == "same":
        return full[(m - 1) // 2 : (m - 1) // 2 + n]
    if mode == "valid":
        return full[m - 1 : n]
    raise ValueError(f"mode must be one of 'valid', 'same', or 'full' (got {mode!r})")
