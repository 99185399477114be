"""Windows that slide over the last two axes of images: padding, im2col and its transpose col2im, pooling.

An image has `height` rows and `width` columns. A window of (kh, kw) with stride (sh, sw) has
out_h = (height - kh) // sh + 1 places down, and out_w = (width - kw) // sw + 1 across; what does not fill a whole
window at the lower or right edge is left out.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any, Literal, NamedTuple

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import Rule, implements, primitive, to_values
from tinygrad_cnn.primitives import rearranging
from tinygrad_cnn.primitives.shaping import in_order, order_of

Pair = int | tuple[int, int]
Ties = Literal["share", "all"]


@implements(np.pad)
def _pad(array: Any, pad_width: Any, mode: Any = "constant", **keywords: Any) -> Any:
    """As `np.pad`."""
    order: Any = order_of(array)
    if mode != "constant":
        return in_order(rearranging.pad(array, pad_width, mode, **keywords), order)
    values = keywords.pop("constant_values", 0)
    if keywords:
        raise ValueError(f"unsupported keyword arguments for mode 'constant': {set(keywords)}")
    if isinstance(values, int | float) and not isinstance(pad_width, dict):
        fortran = {"order": "F"} if order == "F" else {}
        return pad(array, _widths(array.ndim, pad_width), values, **fortran)
    if to_values(values) is not values:
        raise NotImplementedError("np.pad: constant_values is a Tensor, but has no derivative. Use np.concatenate")
    around = np.pad(np.zeros(array.shape, array.dtype), pad_width, constant_values=values)
    if not array.size:
        found = np.zeros_like(array, shape=around.shape, order=order)
        found[...] = around
        return found
    inside = np.pad(np.ones(array.shape, bool), pad_width)
    return in_order(np.where(inside, rearranging.pad(array, pad_width, "edge"), around), order)


def _widths(ndim: int, pad_width: Any) -> tuple[tuple[int, int], ...]:
    """(before, behind) for each axis."""
    widths = np.asarray(pad_width)
    if widths.dtype.kind not in "iu":
        raise TypeError(f"np.pad: pad_width is {pad_width!r}; expected integers")
    return tuple([(before, behind) for before, behind in np.broadcast_to(widths, (ndim, 2)).tolist()])


@primitive(moves=True, pure=True, opaque=True, implied=("pad_width",))
def pad(x: Array, /, pad_width: tuple[tuple[int, int], ...], constant_values: float = 0.0, order: Any = "C") -> Array:
    """As `np.pad` with a constant: for each axis, so many elements are added (before, behind)."""
    shape, inside = _around(x.shape, pad_width)
    out = np.full(shape, constant_values, x.dtype, order) if constant_values else np.zeros(shape, x.dtype, order)
    out[inside] = x
    return out


@pad.defvjp
def _pad_x(g: Array, out: Array, x: Array, pad_width: tuple[tuple[int, int], ...], **how: Any) -> Array:
    return g[_around(x.shape, pad_width)[1]]


for _corner, _kept in (
    ("upper left", lambda n: slice(n)),
    ("lower right", lambda n: slice(-n if n else None, None)),
):
    pad.defmistake(
        f"the padding is cropped at the wrong place: it keeps the {_corner} corner",
        lambda g, out, x, _kept=_kept, **how: g[tuple([_kept(n) for n in x.shape])],
    )


@functools.lru_cache(maxsize=256)
def _around(shape: tuple[int, ...], widths: tuple[tuple[int, int], ...]) -> tuple[tuple[int, ...], tuple[slice, ...]]:
    """The shape of an array with elements added around it, and where it lies there."""
    if any(before < 0 or behind < 0 for before, behind in widths):
        raise ValueError("index can't contain negative values")
    inside = tuple([slice(before, before + n) for n, (before, _) in zip(shape, widths, strict=True)])
    return tuple([before + n + behind for n, (before, behind) in zip(shape, widths, strict=True)]), inside


@primitive(moves=True, windowed=True, pure=True, opaque=True)
def im2col(x: Array, /, window: Pair, stride: Pair = 1) -> Array:
    """The windows of images as the columns of a matrix.

    x: (height, width), (batch, height, width) or (batch, channels, height, width). Returns (kh * kw, out_h * out_w),
    (batch, kh * kw, out_h * out_w) or (batch, channels * kh * kw, out_h * out_w): a column is a window, flattened
    row by row and channel by channel, and the columns are in the order of the positions of the window, row by row.
    Raises ValueError if the window is larger than the image. The article's im2col takes a single image.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.im2col(np.arange(9.0).reshape(3, 3), 2)
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.],
           [3., 4., 6., 7.],
           [4., 5., 7., 8.]])
    """
    at = layout(x.shape, window, stride)
    x = np.ascontiguousarray(x)
    *outer, down, across = x.strides
    shape, element, steps = at.windows, x.dtype, (*outer, down, across, at.stride[0] * down, at.stride[1] * across)
    if at.stride[1] == 1 and x.size and not element.hasobject:  # (NumPy counts who refers to an object)
        # What a row of windows takes from a row of the image lies together.
        shape, steps = shape[:-1], steps[:-1]
        element = _bytes(at.windows[-1] * element.itemsize)
    columns = np.empty(at.columns, x.dtype)
    # The windows, as views, are copied element by element, or row by row, which is twice as fast.
    np.ndarray(shape, element, columns)[...] = np.ndarray(shape, element, x, 0, steps)
    columns.setflags(write=False)  # so that a graph may keep it without a copy
    return columns


@functools.lru_cache
def _bytes(count: int) -> np.dtype[Any]:
    return np.dtype((np.void, count))


@primitive(pure=True, opaque=True, implied=("shape",))
def col2im(columns: Array, /, shape: tuple[int, ...], window: Pair, stride: Pair = 1) -> Array:
    """The transpose of `im2col`: images of `shape`, with the elements of all windows added up.

    columns: as returned by `im2col` for images of `shape`. Where windows overlap, an element of the image is the sum of
    the elements of all windows that cover it. The article's col2im assigns instead of adding; the two agree only if no
    windows overlap.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.col2im(np.ones((4, 4)), (3, 3), 2)
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    """
    at = layout(shape, window, stride)
    if columns.shape != at.columns:
        raise ValueError(
            f"col2im: columns have shape {columns.shape}; expected {at.columns}, for images of shape {shape}"
        )
    windows = columns.reshape(at.windows)
    image = np.zeros(shape, columns.dtype)
    for (u, v), place in at.offsets:
        if at.disjoint:
            image[place] = windows[..., u, v, :, :]  # no two windows overlap: there is nothing to add to
        else:
            image[place] += windows[..., u, v, :, :]
    return image


im2col.defvjp(lambda g, out, x, window, stride=1: col2im(g, x.shape, window, stride))
col2im.defvjp(lambda g, out, columns, shape, window, stride=1: im2col(g, window, stride))
col2im.defflops(lambda out, columns, **_: columns.size)


@primitive(pure=True, opaque=True, implied=("shape", "winners"))
def unpool(g: Array, /, winners: list[Any], shape: tuple[int, ...], window: Pair, stride: Pair | None) -> Array:
    """The transpose of pooling: images of `shape`, with `g` of each window added to those elements of it that won.

    winners: for each element of the window, in which windows it has a share: booleans of the shape of `g`, or True.
    """
    at = layout(shape, window, stride)
    image = (np.empty if at.tiles else np.zeros)(shape, g.dtype)
    for (_, place), won in zip(at.offsets, winners, strict=True):
        if at.disjoint:
            np.multiply(g, won, out=image[place])  # no two windows overlap: there is nothing to add to
        else:
            image[place] += g * won
    return image


@unpool.defvjp
def _unpool_g(
    h: Array, out: Array, g: Array, winners: list[Any], shape: tuple[int, ...], window: Pair, stride: Pair | None
) -> Array:
    offsets = layout(shape, window, stride).offsets
    return functools.reduce(np.add, [h[place] * won for (_, place), won in zip(offsets, winners, strict=True)])


@primitive(windowed=True, pure=True, opaque=True, kind="pooling")
def max_pool2d(x: Array, /, window: Pair, stride: Pair | None = None, ties: Ties = "share") -> Array:
    """The largest element of each window.

    x: (..., height, width); returns (..., out_h, out_w). window and stride: a number, or (down, across); by
    default the stride is the window, so that windows do not overlap. ties: if several elements of a window are its
    maximum, "share" divides the cotangent equally among them, which is a subgradient; "all" gives the whole cotangent
    to each, which is not a subgradient, but is what the article's gradient does. Raises ValueError if
    the window is larger than the image.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.max_pool2d(np.array([[1.0, 2.0, 0.0, 0.0], [4.0, 3.0, 0.0, 5.0]]), 2)
    array([[4., 5.]])
    """
    if ties not in ("share", "all"):
        raise ValueError(f"max_pool2d: ties is {ties!r}; expected 'share' or 'all'")
    at = layout(x.shape, window, stride)
    *_, kw, _, _ = at.windows
    rows = functools.reduce(np.maximum, [x[..., down, :] for _, (_, down, _) in at.offsets[::kw]])
    return functools.reduce(np.maximum, [rows[..., across] for _, (_, _, across) in at.offsets[:kw]])


@max_pool2d.defvjp
def _max_pool_x(
    g: Array, out: Array, x: Array, window: Pair, stride: Pair | None = None, ties: Ties = "share"
) -> Array:
    winners = _winners(out, x, window, stride)
    if ties == "share":
        ones = [won.view(np.uint8) for won in winners]
        g = g / functools.reduce(np.add, ones if len(ones) < 256 else [np.uint32(0), *ones])
    return unpool(g, winners=winners, shape=x.shape, window=window, stride=stride)


def _winners(out: Array, x: Array, window: Pair, stride: Pair | None = None, **_: Any) -> list[Array]:
    """For each element of the window, in which windows it is the maximum."""
    return [np.equal(x[place], out) for _, place in layout(x.shape, window, stride).offsets]


def _to_one_winner(last: bool) -> Rule:
    """The rule that gives the whole cotangent of a window to the first of its elements that tie, or to the last."""

    def rule(g: Array, out: Array, x: Array, window: Pair, stride: Pair | None = None, **_: Any) -> Array:
        image, given = np.zeros(x.shape, g.dtype), np.zeros(out.shape, bool)
        places = [place for _, place in layout(x.shape, window, stride).offsets]
        for place in places[:: -1 if last else 1]:
            won = np.equal(x[place], out) & ~given
            image[place] += g * won
            given |= won
        return image

    return rule


max_pool2d.defkink(
    _winners,
    lambda out, x, window, stride=None, **_: np.sum(_winners(out, x, window, stride), axis=0) > 1,
    conventions={
        "the first one gets the whole cotangent": [_to_one_winner(last=False)],
        "the last one gets the whole cotangent": [_to_one_winner(last=True)],
    },
    ties_in_full={"ties": "all"},
)


@primitive(windowed=True, pure=True, opaque=True, kind="pooling")
def avg_pool2d(x: Array, /, window: Pair, stride: Pair | None = None) -> Array:
    """The mean of each window.

    x: (..., height, width); returns (..., out_h, out_w). window and stride as in `max_pool2d`. Raises ValueError if
    the window is larger than the image.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.avg_pool2d(np.array([[1.0, 2.0, 0.0, 0.0], [4.0, 3.0, 0.0, 6.0]]), 2)
    array([[2.5, 1.5]])
    """
    return functools.reduce(np.add, [x[place] for _, place in layout(x.shape, window, stride).offsets]) / _size(window)


avg_pool2d.defvjp(
    lambda g, out, x, window, stride=None: unpool(g / _size(window), [True] * _size(window), x.shape, window, stride)
)


def _size(window: Pair) -> int:
    return math.prod(pair(window, "window"))


for _pooling in (max_pool2d, avg_pool2d):
    _pooling.defflops(lambda out, x, window, **_: out.size * _size(window))
unpool.defflops(lambda out, g, window, **_: g.size * _size(window))


# Where the windows lie.


class Layout(NamedTuple):
    """Where the windows lie on images of a shape.

    windows  the shape of all windows: that of the images but for the last two axes, then kh, kw, out_h, out_w
    stride   (down, across)
    columns  the shape of `im2col`: as the windows, with channel, kh and kw made into one axis, out_h and out_w too
    offsets  for each element (u, v) of the window, the part of the images that it runs over
    disjoint no two windows overlap
    tiles    every element of the images is in just one window
    """

    windows: tuple[int, ...]
    stride: tuple[int, int]
    columns: tuple[int, ...]
    offsets: list[tuple[tuple[int, int], tuple[Any, ...]]]
    disjoint: bool
    tiles: bool


def layout(shape: tuple[int, ...], window: Pair, stride: Pair | None) -> Layout:
    """Where windows lie on images of `shape`; without a stride, side by side."""
    try:
        return _layout(shape, window, stride)
    except TypeError:  # lists, which cannot be looked up
        return _layout(shape, pair(window, "window"), None if stride is None else pair(stride, "stride"))


@functools.lru_cache(maxsize=256, typed=True)
def _layout(shape: tuple[int, ...], window: Pair, stride: Pair | None) -> Layout:
    (kh, kw), (sh, sw) = pair(window, "window"), pair(window if stride is None else stride, "stride")
    if len(shape) < 2:
        raise ValueError(f"windows: the images have shape {shape}; expected at least two axes, (..., height, width)")
    height, width = shape[-2:]
    if kh > height or kw > width:
        raise ValueError(f"windows: window is {kh} x {kw}; expected at most the size of an image, {height} x {width}")
    out_h, out_w = (height - kh) // sh + 1, (width - kw) // sw + 1
    batch, channels = shape[: min(len(shape) - 2, 1)], shape[1:-2]
    offsets = [
        ((u, v), (..., slice(u, u + sh * (out_h - 1) + 1, sh), slice(v, v + sw * (out_w - 1) + 1, sw)))
        for u, v in itertools.product(range(kh), range(kw))
    ]
    disjoint = sh >= kh and sw >= kw
    return Layout(
        windows=(*shape[:-2], kh, kw, out_h, out_w),
        stride=(sh, sw),
        columns=(*batch, math.prod(channels) * kh * kw, out_h * out_w),
        offsets=offsets,
        disjoint=disjoint,
        tiles=disjoint and out_h * kh == height and out_w * kw == width,
    )


def pair(x: Pair, name: str, least: int = 1) -> tuple[int, int]:
    """`x` as (down, across), or an error that names it."""
    if type(x) is int and x >= least:
        return x, x
    both = tuple(x) if isinstance(x, list | tuple) else (x, x)
    if len(both) != 2 or not all(isinstance(n, int | np.integer) and n >= least for n in both):
        raise ValueError(f"{name} is {x!r}; expected an integer of at least {least}, or a pair (down, across) of them")
    return int(both[0]), int(both[1])
