"""Pooling: the largest element or the mean of each window, of the whole image, or of as many regions as asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array, scope
from tinygrad_cnn.engine.primitive import operand
from tinygrad_cnn.nn.padding import Padding, sides
from tinygrad_cnn.primitives import windows
from tinygrad_cnn.primitives.windows import Pair, Ties, pair


def max_pool2d(x: Array, window: Pair, stride: Pair | None = None, ties: Ties = "share", padding: Padding = 0) -> Array:
    """The largest element of each window.

    x: (..., height, width); returns (..., out_h, out_w). window and stride: a number, or (down, across); by
    default the stride is the window, so that windows do not overlap. ties: if several elements of a window are its
    maximum, "share" divides the cotangent equally among them, which is a subgradient; "all" gives the whole cotangent
    to each, which is not a subgradient, but is what the article's gradient does. padding: as in `conv2d`, but with
    -inf, so that no padding is the largest; less than the window. Raises ValueError if the window is larger than the
    image.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.max_pool2d(np.array([[1.0, 2.0, 0.0, 0.0], [4.0, 3.0, 0.0, 5.0]]), 2)
    array([[4., 5.]])
    """
    if padding != 0:
        x = _padded("max_pool2d", x, window, stride, padding, -np.inf)
    return windows.max_pool2d(x, window, stride, ties=ties)


def avg_pool2d(x: Array, window: Pair, stride: Pair | None = None, padding: Padding = 0) -> Array:
    """The mean of each window.

    x: (..., height, width); returns (..., out_h, out_w). window and stride as in `max_pool2d`. padding: as in
    `conv2d`, with zeros, which count in the mean; less than the window. Raises ValueError if the window is larger than
    the image.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.avg_pool2d(np.array([[1.0, 2.0, 0.0, 0.0], [4.0, 3.0, 0.0, 6.0]]), 2)
    array([[2.5, 1.5]])
    """
    if padding != 0:
        x = _padded("avg_pool2d", x, window, stride, padding, 0.0)
    return windows.avg_pool2d(x, window, stride)


def _padded(name: str, x: Array, window: Pair, stride: Pair | None, padding: Padding, value: float) -> Array:
    x = _images(name, x)
    size = pair(window, f"{name}: window")
    around = sides(padding, name, x.shape[-2:], size, size if stride is None else pair(stride, f"{name}: stride"))
    if any(max(both) >= k for both, k in zip(around, size, strict=True)):
        raise ValueError(f"{name}: padding is {padding!r}; expected less than the window, {size[0]} x {size[1]}")
    if x.dtype.kind != "f":
        x = x.astype(np.float64)
    return np.pad(x, [*[(0, 0)] * (len(x.shape) - 2), *around], constant_values=value)


def _images(name: str, x: Any) -> Array:
    x = operand(x)
    if np.ndim(x) < 2 or not x.shape[-2] or not x.shape[-1]:
        raise ValueError(f"{name}: x has shape {np.shape(x)}; expected (..., height, width) of at least one pixel")
    return x


@scope("global_max_pool2d", kind="pooling")
def global_max_pool2d(x: Array) -> Array:
    """The largest element of each image: (..., height, width) to (...). Tied elements share the cotangent.

    Raises ValueError for images without pixels.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.global_max_pool2d(np.arange(12.0).reshape(2, 2, 3))
    array([ 5., 11.])
    """
    return np.max(_images("global_max_pool2d", x), axis=(-2, -1))


@scope("global_avg_pool2d", kind="pooling")
def global_avg_pool2d(x: Array) -> Array:
    """The mean of each image: (..., height, width) to (...). Raises ValueError for images without pixels.

    Source: M. Lin et al., "Network in network", 2014.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.global_avg_pool2d(np.arange(12.0).reshape(2, 2, 3))
    array([2.5, 8.5])
    """
    return np.mean(_images("global_avg_pool2d", x), axis=(-2, -1))


@scope("adaptive_max_pool2d", kind="pooling")
def adaptive_max_pool2d(x: Array, size: Pair) -> Array:
    """The largest element of each of `size` regions, whatever the size of the images.

    x: (..., height, width); returns (..., *size). size: a number, or (down, across). Region i of n goes from
    floor(i height / n) to ceil((i + 1) height / n), so that regions may overlap by a row. Raises ValueError for
    images without pixels.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.adaptive_max_pool2d(np.arange(15.0).reshape(3, 5), 2)
    array([[ 7.,  9.],
           [12., 14.]])
    """
    return _adaptive("adaptive_max_pool2d", np.max, windows.max_pool2d, x, size)


@scope("adaptive_avg_pool2d", kind="pooling")
def adaptive_avg_pool2d(x: Array, size: Pair) -> Array:
    """The mean of each of `size` regions, which are those of `adaptive_max_pool2d`.

    x: (..., height, width); returns (..., *size). Raises ValueError for images without pixels.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.adaptive_avg_pool2d(np.arange(15.0).reshape(3, 5), 2)
    array([[ 3.5,  5.5],
           [ 8.5, 10.5]])
    """
    return _adaptive("adaptive_avg_pool2d", np.mean, windows.avg_pool2d, x, size)


def _adaptive(name: str, reduce: Any, pool: Callable[..., Array], x: Array, size: Pair) -> Array:
    x = _images(name, x)
    (height, width), (rows, columns) = x.shape[-2:], pair(size, f"{name}: size")
    if height % rows == 0 and width % columns == 0:
        return pool(x, (height // rows, width // columns))
    across = _regions(width, columns)
    return np.stack(
        [
            np.stack([reduce(x[..., a:b, c:d], axis=(-2, -1)) for c, d in across], axis=-1)
            for a, b in _regions(height, rows)
        ],
        axis=-2,
    )


def _regions(size: int, count: int) -> list[tuple[int, int]]:
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
