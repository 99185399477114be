"""Windows, running sums, sorting and looking up, composed of what ONNX has: indexing, reductions, TopK.

Each is NumPy; `expansion.py` traces it.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import mapped
from tinygrad_cnn.primitives.windows import layout

Array = Any
Pair = tuple[int, int]


# Windows. Images and their gradients are looked up by the places of their elements, so that all dtypes will do.


def im2col(x: Array, *, window: Pair, stride: Pair) -> Array:
    columns = _windows(x, window, stride)  # (..., kh * kw, windows)
    batch = x.shape[: min(x.ndim - 2, 1)]
    size = math.prod(x.shape[1:-2]) * window[0] * window[1]
    return columns.reshape(*batch, size, columns.shape[-1])


def col2im(columns: Array, *, shape: tuple[int, ...], window: Pair, stride: Pair) -> Array:
    """Each element of an image is the sum of those of the columns that it stands in."""
    out = layout(shape[-2:], window, stride).windows[-2:]
    return _added(columns.reshape(*shape[:-2], window[0] * window[1], out[0] * out[1]), shape, window, stride)


def _windows(x: Array, window: Pair, stride: Pair) -> Array:
    """The windows of the last two axes: (..., kh * kw, out_h * out_w)."""
    height, width = x.shape[-2:]
    at = layout((height, width), window, stride)
    if at.tiles:
        (kh, kw), (down, across) = window, at.windows[-2:]
        split, n = x.reshape(*x.shape[:-2], down, kh, across, kw), x.ndim - 2
        order = (*range(n), n + 1, n + 3, n, n + 2)
        return split.transpose(order).reshape(*x.shape[:-2], kh * kw, down * across)
    return np.take(x.reshape(*x.shape[:-2], height * width), _places((height, width), window, stride), axis=-1)


def _places(size: Pair, window: Pair, stride: Pair) -> Array:
    """Which elements of an image, counted row by row, are in each window: (kh * kw, windows)."""
    numbers = np.arange(size[0] * size[1]).reshape(size)
    return np.stack([numbers[place].reshape(-1) for _, place in layout(size, window, stride).offsets])


def _added(windows: Array, shape: tuple[int, ...], window: Pair, stride: Pair) -> Array:
    """The transpose of `_windows`."""
    height, width = shape[-2:]
    at = layout((height, width), window, stride)
    if at.tiles:
        (kh, kw), (down, across) = window, at.windows[-2:]
        n = len(shape) - 2
        split = windows.reshape(*shape[:-2], kh, kw, down, across)
        return split.transpose(*range(n), n + 2, n, n + 3, n + 1).reshape(shape)
    places = _places((height, width), window, stride).reshape(-1)
    none = len(places)
    holders: list[list[int]] = [[] for _ in range(height * width)]
    for k, place in enumerate(places.tolist()):
        holders[place].append(k)
    most = max(1, *map(len, holders))
    index = np.array([[*found, *[none] * (most - len(found))] for found in holders]).T  # (most, height * width)
    flat = windows.reshape(*shape[:-2], none)
    flat = np.concatenate([flat, np.zeros_like(flat[..., :1])], axis=-1)  # a zero for those that are in fewer windows
    return np.sum(np.take(flat, index, axis=-1), axis=-2).reshape(shape)


def conv2d(x: Array, kernel: Array, *, stride: Pair) -> Array:
    out = layout(x.shape[-2:], kernel.shape[-2:], stride).windows[-2:]
    columns = im2col(x, window=(kernel.shape[-2], kernel.shape[-1]), stride=stride)
    return (kernel.reshape(len(kernel), -1) @ columns).reshape(x.shape[0], kernel.shape[0], *out)


def conv2d_kernel_gradient(g: Array, x: Array, *, shape: tuple[int, ...], stride: Pair) -> Array:
    columns = im2col(x, window=(shape[-2], shape[-1]), stride=stride)
    return np.einsum("nfw,nkw->fk", _flattened(g), columns).reshape(shape)


def conv2d_image_gradient(g: Array, kernel: Array, *, shape: tuple[int, ...], stride: Pair) -> Array:
    columns = kernel.reshape(len(kernel), -1).T @ _flattened(g)
    return col2im(columns, shape=shape, window=kernel.shape[-2:], stride=stride)


def _flattened(g: Array) -> Array:
    return g.reshape(g.shape[0], g.shape[1], g.shape[2] * g.shape[3])


def avg_pool2d(x: Array, *, window: Pair, stride: Pair) -> Array:
    out = layout(x.shape[-2:], window, stride).windows[-2:]
    return np.mean(_windows(x, window, stride), axis=-2).reshape(*x.shape[:-2], *out)


def max_pool2d(x: Array, *, window: Pair, stride: Pair, ties: str = "share") -> Array:
    out = layout(x.shape[-2:], window, stride).windows[-2:]
    return np.max(_windows(x, window, stride), axis=-2).reshape(*x.shape[:-2], *out)


def max_unpool(g: Array, x: Array, pooled: Array, *, window: Pair, stride: Pair) -> Array:
    won = _windows(x, window, stride) == _as_windows(pooled)
    return _added(_as_windows(g) * won.astype(g.dtype), x.shape, window, stride)


def max_unpool_shared(g: Array, x: Array, pooled: Array, *, window: Pair, stride: Pair) -> Array:
    won = (_windows(x, window, stride) == _as_windows(pooled)).astype(g.dtype)
    shared = _as_windows(g) / np.sum(won, axis=-2, keepdims=True)
    return _added(shared * won, x.shape, window, stride)


def _as_windows(x: Array) -> Array:
    """(..., 1, windows)"""
    return x.reshape(*x.shape[:-2], 1, x.shape[-2] * x.shape[-1])


def unpool(g: Array, *, winners: Sequence[Any], shape: tuple[int, ...], window: Pair, stride: Pair) -> Array:
    parts = [_as_windows(g if won is True else g * won) for won in winners]
    return _added(np.concatenate(parts, axis=-2), shape, window, stride)


def larger(x: Array, y: Array) -> Array:
    return np.where(x == y, 0.5, np.where(x > y, 1.0, 0.0))


def masked(g: Array, cotangent: Array, *operands: Array) -> Array:
    undefined = np.isnan(cotangent) & (g == 0)
    for x in operands:
        undefined = undefined & ~np.isnan(x)
    return np.where(undefined, 0, cotangent)


def labels_in_range(labels: Array, *, name: str, what: str, count: int, ignored: int | None) -> Array:
    """A label that is out of range is looked up out of range, so that a runtime reports it as the function does."""
    if ignored is not None:
        labels = np.where(labels == ignored, 0, labels)
    return _looked_up(np.arange(count), np.where(labels < 0, count, labels))


def at_least_one(count: Array, *, name: str, ignored: int) -> Array:
    return count + _looked_up(np.zeros(1, np.int64), np.where(count == 0, 1, 0))


def _looked_up(table: Array, places: Array) -> Array:
    return places.lift(table)[places]  # NumPy asks the table alone whether this is to be traced


# Running sums and the like: in log(n) steps, in each of which every element takes in what another has taken in.


ASSOCIATIVE = frozenset([
    np.add, np.multiply, np.maximum, np.minimum, np.fmax, np.fmin, np.logaddexp, np.logaddexp2, np.hypot,
    np.logical_and, np.logical_or, np.logical_xor, np.bitwise_and, np.bitwise_or, np.bitwise_xor,
])  # fmt: skip
FEW = 64


def _few(n: int) -> int:
    if not 0 < n <= FEW:
        raise NotImplementedError(f"{n} elements would be as many operators; expected 1 to {FEW}")
    return n


def running(ufunc: Any, first: int | None = 0) -> Callable[..., Array]:
    """`accumulate` of a ufunc, along the axis `first` unless it is given; None: of all elements."""

    def accumulate(x: Array, axis: int | None = first, dtype: Any = None, out: None = None) -> Array:
        if dtype is not None:
            x = x.astype(dtype)
        if axis is None:
            x, axis = x.reshape(-1), 0
        n, axis = x.shape[axis], axis % x.ndim
        if ufunc not in ASSOCIATIVE:
            parts = [_along(x, axis, k, k + 1) for k in range(_few(n))]
            return np.concatenate(list(itertools.accumulate(parts, ufunc)), axis=axis)
        step = 1
        while step < n:
            before, behind = _along(x, axis, 0, n - step), _along(x, axis, step, n)
            x = np.concatenate([_along(x, axis, 0, step), ufunc(before, behind)], axis=axis)
            step *= 2
        return x

    return accumulate


def _along(x: Array, axis: int, start: int, stop: int) -> Array:
    return x[(slice(None),) * axis + (slice(start, stop),)]


def reduced_stepwise(ufunc: Any, x: Array, axis: Any, keepdims: bool) -> Array:
    """A reduction by a ufunc that has no operator for it, one element after the other."""
    (axis,) = axis if isinstance(axis, tuple) else (axis,)
    n = x.shape[axis]
    parts = [_along(x, axis % x.ndim, k, k + 1) for k in range(_few(n))]
    start = [np.zeros_like(parts[0])] if ufunc is np.hypot else []  # of one element, its size
    total = functools.reduce(ufunc, [*start, *parts])
    return total if keepdims else total.reshape(x.shape[: axis % x.ndim] + x.shape[axis % x.ndim + 1 :])


def reduceat(ufunc: Any) -> Callable[..., Array]:
    def reduce(x: Array, indices: Any, axis: int = 0, dtype: Any = None, out: None = None) -> Array:
        places, n, axis = [int(k) for k in indices], x.shape[axis], axis % x.ndim
        parts = []
        for start, stop in zip(places, [*places[1:], n], strict=True):
            part = _along(x, axis, start, max(stop, start + 1))
            parts.append(reduced_stepwise(ufunc, part, axis, True))
        return np.concatenate(parts, axis=axis)

    return reduce


def outer(ufunc: Any) -> Callable[..., Array]:
    def of(x: Array, y: Array, **how: Any) -> Array:
        return ufunc(np.reshape(x, np.shape(x) + (1,) * np.ndim(y)), y)

    return of


# Sorting. TopK keeps the order of those that are equal; NaN it puts anywhere, so these are put last in a second step.


def argsort(x: Array, axis: int | None = -1, kind: Any = None, order: None = None, *, stable: Any = None) -> Array:
    if axis is None:
        x, axis = x.reshape(-1), 0
    if x.dtype.kind != "f":
        return np.argsort(x, axis, kind="stable")
    undefined = np.isnan(x)
    first = np.argsort(np.where(undefined, np.inf, x), axis, kind="stable")
    again = np.argsort(np.take_along_axis(undefined, first, axis).astype(np.int8), axis, kind="stable")
    return np.take_along_axis(first, again, axis)


def sort(x: Array, axis: int | None = -1, kind: Any = None, order: None = None, *, stable: Any = None) -> Array:
    if axis is None:
        x, axis = x.reshape(-1), 0
    return np.take_along_axis(x, argsort(x, axis), axis)


def argpartition(x: Array, kth: Any, axis: int | None = -1, kind: str = "", order: None = None) -> Array:
    return argsort(x, axis)


def partition(x: Array, kth: Any, axis: int | None = -1, kind: str = "", order: None = None) -> Array:
    return sort(x, axis)


def searchsorted(a: Array, v: Array, side: str = "left", sorter: None = None) -> Array:
    among, each = a, np.reshape(v, (*np.shape(v), 1))
    before = among < each if side == "left" else among <= each
    return np.sum(before.astype(np.int64), axis=-1)


# Looking up.


def take(a: Array, indices: Any, axis: int | None = None, out: None = None, mode: str = "raise") -> Array:
    if axis is None:
        a, axis = a.reshape(-1), 0
    n = a.shape[axis]
    if isinstance(indices, list | tuple):
        indices = np.array(indices, dtype=None if indices else int)
    if mode == "wrap":
        indices = np.remainder(indices, n)
    elif mode == "clip":
        indices = np.minimum(np.maximum(indices, 0), n - 1)
    return a[(slice(None),) * (axis % a.ndim) + (indices,)]


def clip(
    a: Array, a_min: Any = None, a_max: Any = None, out: None = None, *, min: Any = None, max: Any = None
) -> Array:
    least, most = (a_min if a_min is not None else min), (a_max if a_max is not None else max)
    if least is not None:
        a = np.maximum(a, least)
    return a if most is None else np.minimum(a, most)


def moved(function: Callable[..., Array]) -> Callable[..., Array]:
    """A function that only moves elements, or makes zeros: each is looked up where it is for any elements."""

    def by_place(*args: Any, **keywords: Any) -> Array:
        flat: list[Array] = []
        size = 1

        def numbered(x: Any) -> Any:
            nonlocal size
            if not hasattr(x, "lift"):
                return x
            numbers = np.arange(size, size + math.prod(x.shape)).reshape(x.shape)
            size += numbers.size
            flat.append(x.reshape(-1))
            return numbers

        places = np.asarray(function(*mapped(args, numbered), **mapped(keywords, numbered)))
        if np.any(places == 0):
            return np.concatenate([np.zeros_like(flat[0][:1]), *flat])[places]
        return (flat[0] if len(flat) == 1 else np.concatenate(flat))[places - 1]

    return by_place


def is_moving_pad(array: Array = None, pad_width: Any = None, mode: Any = "constant", **how: Any) -> bool:
    """Whether np.pad only moves elements."""
    return mode in ("edge", "reflect", "symmetric", "wrap") and not how


def append(arr: Array, values: Array, axis: int | None = None) -> Array:
    return concatenate([arr, values], axis)


def select(condlist: Sequence[Array], choicelist: Sequence[Array], default: Any = 0) -> Array:
    chosen = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        chosen = np.where(condition, choice, chosen)
    return chosen


def choose(a: Any, choices: Sequence[Array], out: None = None, mode: str = "raise") -> Array:
    return select([np.equal(a, k) for k in range(len(choices))], choices)


def unwrap(p: Array, discont: Any = None, axis: int = -1, *, period: float = 2 * math.pi) -> Array:
    n, axis = p.shape[axis], axis % p.ndim
    step = _along(p, axis, 1, n) - _along(p, axis, 0, n - 1)
    low = -period / 2
    inner = np.remainder(step - low, period) + low
    inner = np.where((inner == low) & (step > 0), period / 2, inner)
    correction = np.where(np.abs(step) < (period / 2 if discont is None else discont), 0, inner - step)
    return np.concatenate([_along(p, axis, 0, 1), _along(p, axis, 1, n) + np.cumsum(correction, axis)], axis=axis)


def triangle(function: Callable[..., Array]) -> Callable[..., Array]:
    def of(m: Array, k: int = 0) -> Array:
        if m.ndim == 1:
            m = m * np.ones((m.shape[0], 1), m.dtype)
        kept = function(np.ones(m.shape[-2:], bool), k)
        return np.where(kept, m, np.zeros((), m.dtype))

    return of


def _axes(x: Array, axis: Any) -> Sequence[int]:
    return range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)


def flip(m: Array, axis: Any = None) -> Array:
    axes = [a % m.ndim for a in _axes(m, axis)]
    return m[tuple([slice(None, None, -1) if k in axes else slice(None) for k in range(m.ndim)])]


def convolve(a: Array, v: Array, mode: str = "full") -> Array:
    return correlate(a, v[::-1], mode) if a.shape[0] >= v.shape[0] else correlate(v, a[::-1], mode)


def correlate(a: Array, v: Array, mode: str = "valid") -> Array:
    """Each result is the product of a part of the longer with the whole of the shorter one."""
    n, m = a.shape[0], v.shape[0]
    if n < m:  # the result is read backwards
        return correlate(v, a, mode)[::-1]
    before, behind = {"valid": (0, 0), "same": (m // 2, m - 1 - m // 2), "full": (m - 1, m - 1)}[mode]
    padded = np.concatenate([np.zeros(before, a.dtype), a, np.zeros(behind, a.dtype)])
    count = n + before + behind - m + 1
    return padded[np.arange(count)[:, None] + np.arange(m)] @ v


def outer_product(a: Array, b: Array, out: None = None) -> Array:
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


def dot(a: Array, b: Array, out: None = None) -> Array:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) <= 2:
        return a @ b
    return np.einsum("...i,jik->...jk", a, b) if b.ndim == 3 else np.tensordot(a, b, (-1, -2))


def vecdot(x: Array, y: Array, axis: int = -1) -> Array:
    return np.sum(x * y, axis=axis)


def matvec(a: Array, x: Array) -> Array:
    return np.einsum("...ij,...j->...i", a, x)


def vecmat(x: Array, a: Array) -> Array:
    return np.einsum("...i,...ij->...j", x, a)


def mean_where(a: Array, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = False, *,
               where: Any = True) -> Array:  # fmt: skip
    where = np.broadcast_to(where, a.shape)
    count = np.sum(where, axis=axis, keepdims=keepdims is True)
    return np.sum(np.where(where, a, 0), axis=axis, keepdims=keepdims is True) / count.astype(a.dtype)


def stack(arrays: Sequence[Array], axis: int = 0) -> Array:
    return np.concatenate([np.expand_dims(x, axis) for x in arrays], axis)


def concatenate(arrays: Sequence[Array], axis: int | None = 0, **how: Any) -> Array:
    """With axis=None, or with numbers among the arrays."""
    dtype = how.get("dtype")
    arrays = [np.asarray(x) if not hasattr(x, "shape") else x for x in arrays]
    if axis is None:
        arrays, axis = [x.reshape(-1) for x in arrays], 0
    return np.concatenate([x if dtype is None else x.astype(dtype) for x in arrays], axis=axis)


def full_like(a: Array, fill_value: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None,
              **how: Any) -> Array:  # fmt: skip
    value = np.asarray(fill_value) if not hasattr(fill_value, "astype") else fill_value
    return np.broadcast_to(value.astype(dtype or a.dtype), a.shape if shape is None else tuple(shape))


# Statistics of order. What NumPy makes of 0, 1, 2, ... says where among the sorted elements a statistic lies.


def statistic(function: Callable[..., Array], ignores_nan: bool) -> Callable[..., Array]:
    """np.median, np.quantile and the like."""

    def of(a: Array, *args: Any, axis: Any = None, keepdims: bool = False, **how: Any) -> Array:
        rest = list(args)
        if "q" in inspect.signature(function).parameters and "q" not in how:
            how = {"q": rest.pop(0), **how}
        axis = rest[0] if rest else axis
        axes = sorted([k % a.ndim for k in _axes(a, axis)])
        kept = [k for k in range(a.ndim) if k not in axes]
        shape = [a.shape[k] for k in kept]
        n = math.prod(a.shape[k] for k in axes)
        rows: Array = np.sort(a.transpose(*kept, *axes).reshape((*shape, n)))
        places: Array
        if ignores_nan:
            if how.get("method", "linear") != "linear":
                raise NotImplementedError(f"method={how.get('method')!r} of what may be NaN is not composed")
            q = np.asarray(how.get("q", 0.5))
            count = np.sum((~np.isnan(rows)).astype(a.dtype), axis=-1)
            places = np.maximum(q.reshape((*q.shape, *[1] * len(shape))) * (count - 1), 0)
        else:
            found: Array = np.asarray(function(np.arange(n, dtype=float), axis=-1, **how))
            places = np.broadcast_to(found.reshape((*found.shape, *[1] * len(shape))), (*found.shape, *shape))
            places = rows.lift(np.array(places))
        many = places.ndim - len(shape)
        rows = rows.reshape((*[1] * many, *shape, n))
        below = np.floor(places)
        picked = [_at_places(rows, np.minimum(k, n - 1)) for k in (below, below + 1)]
        weight = (places - below).astype(a.dtype)
        exact = (picked[0] == picked[1]) | (weight == 0)  # of two infinities there is no difference
        value = np.where(exact, picked[0], picked[0] * (1 - weight) + np.where(exact, 0, picked[1]) * weight)
        if not ignores_nan:
            value = np.where(np.isnan(rows[..., -1]), np.nan, value)
        if keepdims:
            value = value.reshape((*value.shape[:many], *[1 if k in axes else m for k, m in enumerate(a.shape)]))
        return value

    return of


def nanpercentile(a: Array, q: Any, *args: Any, **how: Any) -> Array:
    return statistic(np.nanquantile, True)(a, np.asarray(q) / 100, *args, **how)


def _at_places(rows: Array, places: Array) -> Array:
    return np.take_along_axis(rows, places.astype(np.int64)[..., None], axis=-1)[..., 0]
