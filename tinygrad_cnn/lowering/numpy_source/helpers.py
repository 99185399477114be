# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""The functions that printed programs call, as they are printed: each needs NumPy only, and those that it calls.

A printed program has those of them that it uses.
"""
# ruff: noqa: B905 (a shorter zip is easier to read)

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np


def sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


def softmax(x, axis):
    """exp(x) over its sum along an axis, without overflow; 0 where all of x is -inf."""
    total = np.logaddexp.reduce(x, axis=axis, keepdims=True)
    return np.exp(x - np.where(total == -np.inf, 0, total))


def larger(x, y):
    """1 where x is larger than y, 1/2 where they are equal, and 0 elsewhere."""
    return np.where(x == y, 0.5, x > y).astype(np.result_type(x, y))


def im2col(x, window, stride=(1, 1)):
    """The windows of images (batch, ..., height, width) as columns: (batch, size, windows)."""
    windows = np.stack([x[at] for at in places(x.shape, window, stride)], axis=-3)
    batch, size = x.shape[: x.ndim > 2], windows.shape[x.ndim > 2 : -2]
    return windows.reshape(*batch, np.prod(size), np.prod(windows.shape[-2:]))


def col2im(columns, shape, window, stride=(1, 1)):
    """The transpose of im2col: images of `shape`, with the elements of all windows added up."""
    image, everywhere = np.zeros(shape, columns.dtype), places(shape, window, stride)
    windows = columns.reshape(*shape[:-2], len(everywhere), *image[everywhere[0]].shape[-2:])
    for k, at in enumerate(everywhere):
        image[at] += windows[..., k, :, :]
    return image


def conv2d(x, kernel, stride=(1, 1)):
    """Images (batch, channels, height, width) with a kernel (filters, channels, kh, kw)."""
    window = kernel.shape[-2:]
    out = kernel.reshape(len(kernel), -1) @ im2col(x, window, stride)
    return out.reshape(*out.shape[:2], *x[places(x.shape, window, stride)[0]].shape[2:])


def conv2d_kernel_gradient(g, x, shape, stride=(1, 1)):
    """The cotangent of the kernel, of `shape`, from `g`, that of conv2d(x, kernel)."""
    g = g.reshape(*g.shape[:2], np.prod(g.shape[2:]))
    return (g @ im2col(x, shape[-2:], stride).mT).sum(axis=0).reshape(shape)


def conv2d_image_gradient(g, kernel, shape, stride=(1, 1)):
    """The cotangent of the images, of `shape`, from `g`, that of conv2d(x, kernel)."""
    g = g.reshape(*g.shape[:2], np.prod(g.shape[2:]))
    return col2im(kernel.reshape(len(kernel), -1).T @ g, shape, kernel.shape[-2:], stride)


def max_pool2d(x, window, stride=None):
    """The largest element of each window; without a stride, the windows lie side by side."""
    return np.max([x[at] for at in places(x.shape, window, stride or window)], axis=0)


def avg_pool2d(x, window, stride=None):
    """The mean of each window; without a stride, the windows lie side by side."""
    everywhere = places(x.shape, window, stride or window)
    return sum(x[at] for at in everywhere) / len(everywhere)


def max_unpool(g, x, pooled, window, stride=None):
    """The cotangent of x, from `g`, that of max_pool2d(x): the largest of each window get it."""
    image = np.zeros(x.shape, g.dtype)
    for at in places(x.shape, window, stride or window):
        image[at] += g * (x[at] == pooled)
    return image


def max_unpool_shared(g, x, pooled, window, stride=None):
    """The cotangent of x, from `g`, that of max_pool2d(x): the largest of each window share it."""
    image, everywhere = np.zeros(x.shape, g.dtype), places(x.shape, window, stride or window)
    g = g / np.sum([x[at] == pooled for at in everywhere], axis=0, dtype=g.dtype)
    for at in everywhere:
        image[at] += g * (x[at] == pooled)
    return image


def unpool(g, winners, shape, window, stride=None):
    """Images of `shape`, with `g` of each window added to those elements of it that won."""
    image = np.zeros(shape, g.dtype)
    for at, won in zip(places(shape, window, stride or window), winners):
        image[at] += g * won
    return image


def places(shape, window, step):
    """For each element of a window, the index of it in all windows of images of `shape`."""
    m, n = shape[-2] - window[0] + 1, shape[-1] - window[1] + 1
    return [np.s_[..., u : u + m : step[0], v : v + n : step[1]] for u, v in np.ndindex(window)]


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
    """A copy of x, with values added to x[index], as often as an element is indexed."""
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
        sigmoid, softmax, larger, im2col, col2im, conv2d, conv2d_kernel_gradient, conv2d_image_gradient, max_pool2d,
        avg_pool2d, max_unpool, max_unpool_shared, unpool, places, masked, set_at, add_at, scatter,
    )
}  # fmt: skip


def with_what_they_call(names: Iterable[str], helpers: dict[str, Callable[..., Any]] = HELPERS) -> list[str]:
    """Helpers, and those that they call, each after what calls it."""
    found = list(names)
    for name in found:
        found += [x for x in helpers[name].__code__.co_names if x in helpers and x not in found]
    return found


def source_of(name: str) -> str:
    """A helper as it is printed."""
    return inspect.getsource(HELPERS[name])
