"""The convolution of images with filters, and its two gradients: three primitives, each the gradient of the others.

In a textbook a convolution is one product of matrices, that of the filters and of the columns that im2col makes of the
images (`by_columns`). The columns of a batch are too many for the cache, so here the images are taken a few at a time,
and neither padding nor columns are kept for the gradients. What is copied of an image is a band for each column of the
window, which has the rows of the image as long as those of the result. The part of a band that a row of the window
runs over lies together, so that the convolution is one product for each row of the window:

    out = sum over u of  weight[:, :, u, :] @ band[:, :, u : u + out_h]
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator

import numpy as np

from tinygrad_cnn import origins
from tinygrad_cnn.engine.graph import Array, Handle
from tinygrad_cnn.engine.primitive import primitive
from tinygrad_cnn.primitives.windows import col2im, im2col, layout, pad
from tinygrad_cnn.stand_in import StandIn

Two = tuple[int, int]
AT_A_TIME = 1 << 19  # bytes of images that are worked on: they stay in the second cache
FEW = 16  # products of fewer terms are slow, so that the bands of all rows of the window are put into one


def by_columns(x: Array, weight: Array, stride: Two, padding: Two) -> Array:
    """The convolution as in a textbook: pad, im2col, matmul. See `conv2d`."""
    images = x
    if any(padding):
        x = pad(x, pad_width=_around(x.ndim, padding))
    window, filters = weight.shape[-2:], weight.shape[:-3]
    columns = im2col(x, window=window, stride=stride)  # (batch, channels * kh * kw, out_h * out_w)
    if type(columns) is np.ndarray and isinstance(weight, Handle):
        origins.note(columns, images, f"{'pad, ' if any(padding) else ''}im2col", _columns_of(window, stride, padding))
    out = weight.reshape(math.prod(filters), columns.shape[1]) @ columns  # (batch, filters, out_h * out_w)
    return out.reshape(x.shape[0], *filters, *layout(x.shape, window, stride).windows[-2:])


def _columns_of(window: Two, stride: Two, padding: Two) -> Callable[[Array], Array]:
    return lambda x: im2col(pad(x, pad_width=_around(x.ndim, padding)), window=window, stride=stride)


def _around(ndim: int, padding: Two) -> tuple[Two, ...]:
    return ((0, 0),) * (ndim - 2) + tuple([(n, n) for n in padding])


@primitive(bilinear=True, pure=True, kind="convolution")
def convolution(x: Array, weight: Array, /, stride: Two, padding: Two) -> Array:
    """Images (batch, channels, height, width) with filters (filters, channels, kh, kw): (batch, filters, out_h, out_w).

    stride, padding: (down, across). `conv2d` is for users.
    """
    if isinstance(x, StandIn) or isinstance(weight, StandIn):
        return by_columns(x, weight, stride, padding)
    size = _out_size(x.shape, weight.shape[2:], stride, padding)
    out = np.empty((len(x), len(weight), *size), np.result_type(x, weight))
    convolve(out, x, weight, stride, padding)
    return out


@primitive(bilinear=True, pure=True, implied=("shape",))
def image_gradient(g: Array, weight: Array, /, shape: tuple[int, ...], stride: Two, padding: Two) -> Array:
    """The gradient of a convolution with respect to its images, which are of `shape`."""
    if isinstance(g, StandIn) or isinstance(weight, StandIn):
        return _by_windows(g, weight, shape, stride, padding)
    out = np.empty(shape, np.result_type(g, weight))
    put_back(out, g, weight, stride, padding)
    return out


@primitive(bilinear=True, pure=True, implied=("window",))
def weight_gradient(g: Array, x: Array, /, window: Two, stride: Two, padding: Two) -> Array:
    """The gradient of a convolution with respect to its filters, which are windows of `window`."""
    batch, filters, out_h, out_w = g.shape
    if isinstance(g, StandIn) or isinstance(x, StandIn):
        padded = pad(x, pad_width=_around(4, padding)) if any(padding) else x
        columns = im2col(padded, window=window, stride=stride)
        total = np.sum(g.reshape(batch, filters, out_h * out_w) @ columns.swapaxes(-1, -2), 0)
        return total.reshape(filters, x.shape[1], *window)
    dtype = np.result_type(g, x)
    bands = _Bands(x, window, stride, padding, (out_h, out_w))
    total = np.zeros((bands.products, bands.terms, filters), dtype)
    for images, parts in bands:
        columns = np.ascontiguousarray(g[images].reshape(len(parts[0]), filters, out_h * out_w).swapaxes(1, 2))
        for u, part in enumerate(parts):
            total[u] += np.matmul(part, columns).sum(0)
    return np.ascontiguousarray(bands.weights(total).transpose(3, 0, 1, 2))


convolution.defvjp(
    lambda g, out, x, weight, **how: image_gradient(g, weight, shape=x.shape, **how),
    lambda g, out, x, weight, **how: weight_gradient(g, x, window=weight.shape[2:], **how),
)
image_gradient.defvjp(
    lambda h, out, g, weight, shape, **how: convolution(h, weight, **how),
    lambda h, out, g, weight, shape, **how: weight_gradient(g, h, window=weight.shape[2:], **how),
)
weight_gradient.defvjp(
    lambda h, out, g, x, window, **how: convolution(x, h, **how),
    lambda h, out, g, x, window, **how: image_gradient(g, h, shape=x.shape, **how),
)
convolution.defmistake(
    "the filters are flipped, and should not be",
    lambda g, out, x, weight, **how: image_gradient(g, weight[:, :, ::-1, ::-1], shape=x.shape, **how),
    lambda g, out, x, weight, **how: weight_gradient(g, x, window=weight.shape[2:], **how)[:, :, ::-1, ::-1],
)
convolution.defflops(lambda out, x, weight, **_: 2 * out.size * math.prod(weight.shape[1:]))
image_gradient.defflops(lambda out, g, weight, **_: 2 * g.size * math.prod(weight.shape[1:]))
weight_gradient.defflops(lambda out, g, x, **_: 2 * g.size * math.prod(out.shape[1:]))


def _by_windows(g: Array, weight: Array, shape: tuple[int, ...], stride: Two, padding: Two) -> Array:
    """The gradient of the images as in a textbook: that of the columns, put back into the images."""
    (down, across), (height, width) = padding, shape[2:]
    (batch, filters, *size), terms = g.shape, math.prod(weight.shape[1:])
    columns = weight.reshape(filters, terms).T @ g.reshape(batch, filters, math.prod(size))
    padded = (*shape[:2], height + 2 * down, width + 2 * across)
    image = col2im(columns, shape=padded, window=weight.shape[2:], stride=stride)
    return image[:, :, down : down + height, across : across + width] if any(padding) else image


def put_back(out: Array, g: Array, weight: Array, stride: Two, padding: Two) -> None:
    """Write the gradient of the images to `out`."""
    if stride == (1, 1) and weight.dtype.kind == "f" and np.isfinite(weight).all():
        # That of the cotangent with the filters turned round. Not if the zeros around it met an infinite weight.
        turned = weight[:, :, ::-1, ::-1].swapaxes(0, 1)
        (kh, kw), (down, across) = weight.shape[2:], padding
        convolve(out, g, turned, stride, (kh - 1 - down, kw - 1 - across))
        return
    n = _at_a_time(math.prod(out.shape[1:]) * weight.shape[2] * weight.shape[3] * out.itemsize, len(g))
    for k in range(0, len(g), n):
        part = g[k : k + n]
        out[k : k + n] = _by_windows(part, weight, (len(part), *out.shape[1:]), stride, padding)


def convolve(out: Array, x: Array, weight: Array, stride: Two, padding: Two) -> None:
    """Write the convolution to `out`, which is row by row and as large as it is to be.

    Padding that is negative crops; behind the images are as many zeros as it takes.
    """
    batch, filters, *size = out.shape
    rows = out.reshape(batch, filters, math.prod(size))
    bands = _Bands(x, weight.shape[2:], stride, padding, (size[0], size[1]))
    matrices = bands.matrices(weight)
    more = np.empty_like(rows[: bands.at_a_time])
    for images, (first, *others) in bands:
        part = rows[images]
        np.matmul(matrices[0], first, out=part)
        for matrix, band in zip(matrices[1:], others, strict=True):
            part += np.matmul(matrix, band, out=more[: len(part)])


class _Bands:
    """The bands of a batch of images, a few images at a time: iterate for (which images, a matrix for each product).

    products   how many products a convolution has: one for each row of the window, or one in all
    terms      how many numbers are multiplied and added in one
    at_a_time  how many images
    """

    def __init__(self, x: Array, window: Two, stride: Two, padding: Two, size: Two) -> None:
        self.x, self.window = x, window
        (kh, kw), (sh, sw), (out_h, out_w), (top, left) = window, stride, size, padding
        batch, channels, height, width = x.shape
        self.whole = channels * kw < FEW
        # Of each column of the window, the rows of the image: those that the first row of the window runs over, the
        # second, ...; or all rows, those of each remainder by the stride for themselves.
        kinds, rows = (kh, out_h) if self.whole else (sh, out_h + (kh - 1) // sh)
        self.products, self.terms = (1, channels * kw * kh) if self.whole else (kh, channels * kw)
        self.at_a_time = _at_a_time(channels * kw * kinds * rows * out_w * x.itemsize, batch)
        self.bands = np.zeros((self.at_a_time, channels, kw, kinds, rows, out_w), x.dtype)
        self.copies = []
        for kind in range(kinds):
            to_rows, from_rows = _overlap(rows, height, kind - top, sh)
            for v in range(kw):
                to_columns, from_columns = _overlap(out_w, width, v - left, sw)
                part = (slice(None), slice(None), from_rows, from_columns)
                self.copies.append((self.bands[:, :, v, kind, to_rows, to_columns], part))
        flat = self.bands.reshape(self.at_a_time, self.terms, kinds * rows * out_w // (kh if self.whole else 1))
        starts = [0] if self.whole else [(u % sh * rows + u // sh) * out_w for u in range(kh)]
        self.parts = [flat[:, :, start : start + out_h * out_w] for start in starts]

    def __iter__(self) -> Iterator[tuple[slice, list[Array]]]:
        for k in range(0, len(self.x), self.at_a_time):
            images = self.x[k : k + self.at_a_time]
            n = len(images)
            for band, part in self.copies:
                band[:n] = images[part]
            yield slice(k, k + n), [part[:n] for part in self.parts]

    def matrices(self, weight: Array) -> Array:
        """The weights (filters, channels, kh, kw) as a matrix for each product."""
        order = (0, 1, 3, 2) if self.whole else (2, 0, 1, 3)
        return np.ascontiguousarray(weight.transpose(order)).reshape(self.products, len(weight), self.terms)

    def weights(self, matrices: Array) -> Array:
        """A matrix (terms, filters) for each product, as weights (channels, kh, kw, filters)."""
        (kh, kw), channels, filters = self.window, self.x.shape[1], matrices.shape[-1]
        if self.whole:
            return matrices.reshape(channels, kw, kh, filters).swapaxes(1, 2)
        return matrices.reshape(kh, channels, kw, filters).swapaxes(0, 1)


def _at_a_time(size: int, batch: int) -> int:
    """How many images of so many bytes are worked on at a time."""
    return max(1, min(batch, AT_A_TIME // max(size, 1)))


@functools.lru_cache(maxsize=1024)
def _overlap(count: int, size: int, start: int, step: int) -> tuple[slice, slice]:
    """Of places start, start + step, ..., so many: which of them lie in range(size), and where there."""
    first = max(0, -(start // step))
    last = min(count, -((start - size) // step))  # behind the last one
    if first >= last:
        return slice(0), slice(0)
    return slice(first, last), slice(start + first * step, start + (last - 1) * step + 1, step)


def _out_size(shape: tuple[int, ...], window: Two, stride: Two, padding: Two) -> Two:
    """The size of the result, or an error where the window is larger than the images with their padding."""
    (height, width), (down, across) = shape[2:], padding
    out_h, out_w = layout((*shape[:2], height + 2 * down, width + 2 * across), window, stride).windows[-2:]
    return out_h, out_w
