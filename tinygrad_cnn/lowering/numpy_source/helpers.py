# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""The functions that printed programs call, as they are printed: each stands alone, and needs NumPy only.

A printed program has those of them that it uses.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np


def sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


def im2col(x, window, stride=(1, 1)):
    """The windows of images as columns: (batch, height, width) to (batch, kh * kw, out_h * out_w)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, window, axis=(-2, -1))[..., :: stride[0], :: stride[1], :, :]
    windows = np.moveaxis(windows, (-2, -1), (-4, -3))  # (batch, ..., kh, kw, out_h, out_w)
    batch, rest = windows.shape[: x.ndim > 2], windows.shape[x.ndim > 2 : -2]
    return windows.reshape(*batch, np.prod(rest), windows.shape[-2] * windows.shape[-1])


def col2im(columns, shape, window, stride=(1, 1)):
    """The transpose of im2col: images of `shape`, with the elements of all windows added up."""
    image = np.zeros(shape, columns.dtype)
    out_h, out_w = (shape[-2] - window[0]) // stride[0] + 1, (shape[-1] - window[1]) // stride[1] + 1
    windows = columns.reshape(*shape[:-2], *window, out_h, out_w)
    for u in range(window[0]):
        for v in range(window[1]):
            rows, across = slice(u, u + stride[0] * out_h, stride[0]), slice(v, v + stride[1] * out_w, stride[1])
            image[..., rows, across] += windows[..., u, v, :, :]
    return image


def max_pool2d(x, window, stride=None):
    """The largest element of each window; without a stride, the windows lie side by side."""
    down, across = window if stride is None else stride
    windows = np.lib.stride_tricks.sliding_window_view(x, window, axis=(-2, -1))
    return windows[..., ::down, ::across, :, :].max(axis=(-2, -1))


def avg_pool2d(x, window, stride=None):
    """The mean of each window; without a stride, the windows lie side by side."""
    down, across = window if stride is None else stride
    out_h, out_w = (x.shape[-2] - window[0]) // down + 1, (x.shape[-1] - window[1]) // across + 1
    total = 0
    for u in range(window[0]):
        for v in range(window[1]):
            total = total + x[..., u : u + down * out_h : down, v : v + across * out_w : across]
    return total / (window[0] * window[1])


def max_unpool(g, x, pooled, window, stride=None):
    """The cotangent of x, from `g`, that of max_pool2d(x): each element that is its window's largest gets it."""
    (down, across), (out_h, out_w) = window if stride is None else stride, pooled.shape[-2:]
    image = np.zeros(x.shape, g.dtype)
    for u in range(window[0]):
        for v in range(window[1]):
            place = (..., slice(u, u + down * out_h, down), slice(v, v + across * out_w, across))
            image[place] += g * (x[place] == pooled)
    return image


def max_unpool_shared(g, x, pooled, window, stride=None):
    """As max_unpool, but elements of a window that tie for the largest share its cotangent equally."""
    (down, across), (out_h, out_w) = window if stride is None else stride, pooled.shape[-2:]
    tied = np.zeros(pooled.shape, np.uint8)
    for u in range(window[0]):
        for v in range(window[1]):
            tied += x[..., u : u + down * out_h : down, v : v + across * out_w : across] == pooled
    return max_unpool(g / tied, x, pooled, window, stride)


def unpool(g, winners, shape, window, stride=None):
    """Images of `shape`, with `g` of each window added to those elements of it that won."""
    (down, across), (out_h, out_w) = window if stride is None else stride, g.shape[-2:]
    image = np.zeros(shape, g.dtype)
    for k, won in enumerate(winners):
        u, v = divmod(k, window[1])
        image[..., u : u + down * out_h : down, v : v + across * out_w : across] += g * won
    return image


def masked(g, cotangent, *operands):
    """The cotangent that a rule gave, but 0 where a cotangent `g` of 0 met an infinite slope."""
    undefined = np.isnan(cotangent) & (g == 0)
    for x in operands:
        undefined = undefined & ~np.isnan(x)
    return np.where(undefined, 0, cotangent)


def set_at(x, index, values):
    """A copy of x, with x[index] = values done."""
    changed = np.copy(x)
    changed[index] = values
    return changed


def add_at(x, index, values):
    """A copy of x, with values added to x[index]; where an element is indexed twice, both are added."""
    changed = np.copy(x)
    np.add.at(changed, index, values)
    return changed


def scatter(g, index, shape):
    """Zeros of `shape`, with `g` added at `index`."""
    image = np.zeros(shape, g.dtype)
    np.add.at(image, index, g)
    return image


HELPERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        sigmoid, im2col, col2im, max_pool2d, avg_pool2d, max_unpool, max_unpool_shared, unpool, masked, set_at, add_at,
        scatter,
    )
}  # fmt: skip


def source_of(name: str) -> str:
    """A helper as it is printed."""
    return inspect.getsource(HELPERS[name])
