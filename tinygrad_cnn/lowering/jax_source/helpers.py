# mypy: ignore-errors
"""The functions that printed programs of JAX call, where they are written otherwise than for NumPy.

All other helpers are those of `numpy_source.helpers`, with `jnp` for `np`. Nothing here is called, so that a program
can be written where JAX is not installed: what is printed imports it.
"""
# ruff: noqa: B905 (a shorter zip is easier to read)

from __future__ import annotations

import inspect
import math
import re
from typing import TYPE_CHECKING

from tinygrad_cnn.lowering.numpy_source import helpers as of_numpy

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp


def im2col(x, window, stride=(1, 1)):
    """The windows of images (batch, ..., height, width) as columns: (batch, size, windows)."""
    windows = jnp.stack([x[at] for at in places(x.shape, window, stride)], axis=-3)
    batch, size = x.shape[: x.ndim > 2], windows.shape[x.ndim > 2 : -2]
    return windows.reshape(*batch, math.prod(size), math.prod(windows.shape[-2:]))


def col2im(columns, shape, window, stride=(1, 1)):
    """The transpose of im2col: images of `shape`, with the elements of all windows added up."""
    image, everywhere = jnp.zeros(shape, columns.dtype), places(shape, window, stride)
    windows = columns.reshape(*shape[:-2], len(everywhere), *image[everywhere[0]].shape[-2:])
    for k, at in enumerate(everywhere):
        image = image.at[at].add(windows[..., k, :, :])
    return image


def conv2d_kernel_gradient(g, x, shape, stride=(1, 1)):
    """The cotangent of the kernel, of `shape`, from `g`, that of conv2d(x, kernel)."""
    g = g.reshape(*g.shape[:2], math.prod(g.shape[2:]))
    return (g @ im2col(x, shape[-2:], stride).mT).sum(axis=0).reshape(shape)


def conv2d_image_gradient(g, kernel, shape, stride=(1, 1)):
    """The cotangent of the images, of `shape`, from `g`, that of conv2d(x, kernel)."""
    g = g.reshape(*g.shape[:2], math.prod(g.shape[2:]))
    return col2im(kernel.reshape(len(kernel), -1).T @ g, shape, kernel.shape[-2:], stride)


def max_pool2d(x, window, stride=None):
    """The largest element of each window; without a stride, the windows lie side by side."""
    return jnp.stack([x[at] for at in places(x.shape, window, stride or window)]).max(axis=0)


def max_unpool(g, x, pooled, window, stride=None):
    """The cotangent of x, from `g`, that of max_pool2d(x): the largest of each window get it."""
    image = jnp.zeros(x.shape, g.dtype)
    for at in places(x.shape, window, stride or window):
        image = image.at[at].add(g * (x[at] == pooled))
    return image


def max_unpool_shared(g, x, pooled, window, stride=None):
    """The cotangent of x, from `g`, that of max_pool2d(x): the largest of each window share it."""
    image, everywhere = jnp.zeros(x.shape, g.dtype), places(x.shape, window, stride or window)
    g = g / sum((x[at] == pooled).astype(g.dtype) for at in everywhere)
    for at in everywhere:
        image = image.at[at].add(g * (x[at] == pooled))
    return image


def unpool(g, winners, shape, window, stride=None):
    """Images of `shape`, with `g` of each window added to those elements of it that won."""
    image = jnp.zeros(shape, g.dtype)
    for at, won in zip(places(shape, window, stride or window), winners):
        image = image.at[at].add(g * won)
    return image


def places(shape, window, step):
    """For each element of a window, the index of it in all windows of images of `shape`."""
    m, n = shape[-2] - window[0] + 1, shape[-1] - window[1] + 1
    corners = [(u, v) for u in range(window[0]) for v in range(window[1])]
    return [jnp.s_[..., u : u + m : step[0], v : v + n : step[1]] for u, v in corners]


def scatter(g, index, shape):
    """Zeros of `shape`, with `g` added at `index`."""
    return jnp.zeros(shape, g.dtype).at[index].add(g)


def sliding_window_view(x, window_shape, axis=None):
    """The windows of x along some axes, which are its last axes."""
    sizes = (window_shape,) if isinstance(window_shape, int) else window_shape
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    for n, k in zip(sizes, axes):
        places = jnp.arange(x.shape[k] - n + 1)[:, None] + jnp.arange(n)
        x = jnp.moveaxis(jnp.take(x, places, axis=k), k % x.ndim + 1, -1)
    return x


def erfc(x):
    """1 - erf(x)."""
    return jax.scipy.special.erfc(x)


def i0_derivative(x, order):
    """The derivative of i0 of that order: the mean over all angles of cos(angle)^order exp(x cos(angle))."""
    cosine = jnp.cos(jnp.arange(512) * (2 * math.pi / 512)).astype(x.dtype)
    return (cosine**order * jnp.exp(x[..., None] * cosine)).mean(axis=-1)


def integer_quotient(x, y):
    """X // y of integers, and 0 where y is 0, as in NumPy."""
    return jnp.where(y == 0, 0, x // jnp.where(y == 0, 1, y))


def integer_remainder(x, y):
    """X % y of integers, and 0 where y is 0, as in NumPy."""
    return jnp.where(y == 0, 0, x % jnp.where(y == 0, 1, y))


def labels_in_range(labels, name, what, count, ignored):
    """The labels, those that are ignored as 0. Out of range, they raise; under a transformation, nothing can."""
    labels = jnp.where(labels == ignored, 0, labels) if ignored is not None else labels
    if not isinstance(labels, jax.core.Tracer) and ((labels < 0) | (labels >= count)).any():
        raise ValueError(f"{name}: {what} are not all from 0 to {count - 1}")
    return labels


def at_least_one(count, name, ignored):
    """A count. If it is 0, that raises; under a transformation, nothing can, and a mean over it is NaN."""
    if not isinstance(count, jax.core.Tracer) and count == 0:
        raise ValueError(f"{name}: all labels are {ignored}, which is ignored")
    return count


OWN = {
    function.__name__: function
    for function in (
        im2col, col2im, conv2d_kernel_gradient, conv2d_image_gradient, max_pool2d, max_unpool, max_unpool_shared,
        unpool, places, scatter, sliding_window_view, erfc, i0_derivative, integer_quotient, integer_remainder,
        labels_in_range, at_least_one,
    )
}  # fmt: skip
HELPERS = {**of_numpy.HELPERS, **OWN}


def source_of(name: str) -> str:
    """A helper, as it is printed."""
    source = inspect.getsource(HELPERS[name])
    return source if name in OWN else re.sub(r"(?<![\w.])np\.", "jnp.", source)
