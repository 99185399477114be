"""Pooling of images, as layers without parameters."""

from __future__ import annotations

from dataclasses import dataclass

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.nn.layers.base import Layer, static
from tinygrad_cnn.nn.padding import Padding
from tinygrad_cnn.nn.pooling import adaptive_avg_pool2d, avg_pool2d, global_avg_pool2d, max_pool2d
from tinygrad_cnn.primitives.windows import Pair


@dataclass(frozen=True, repr=False, eq=False)
class MaxPool2d(Layer):
    """`nn.max_pool2d`, the largest element of each window: (..., height, width) to (..., out_h, out_w).

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.MaxPool2d(2)(np.zeros((5, 3, 8, 8))).shape
    (5, 3, 4, 4)
    """

    window: Pair = static()
    stride: Pair | None = static(None, kw_only=True)
    padding: Padding = static(0, kw_only=True)

    def __call__(self, x: Array) -> Array:
        return max_pool2d(x, self.window, self.stride, padding=self.padding)


@dataclass(frozen=True, repr=False, eq=False)
class AvgPool2d(Layer):
    """`nn.avg_pool2d`, the mean of each window: (..., height, width) to (..., out_h, out_w).

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.AvgPool2d(2)(np.zeros((5, 3, 8, 8))).shape
    (5, 3, 4, 4)
    """

    window: Pair = static()
    stride: Pair | None = static(None, kw_only=True)
    padding: Padding = static(0, kw_only=True)

    def __call__(self, x: Array) -> Array:
        return avg_pool2d(x, self.window, self.stride, padding=self.padding)


@dataclass(frozen=True, repr=False, eq=False)
class GlobalAvgPool2d(Layer):
    """The mean of each image: (..., height, width) to (...).

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.GlobalAvgPool2d()(np.zeros((5, 3, 8, 8))).shape
    (5, 3)
    """

    def __call__(self, x: Array) -> Array:
        return global_avg_pool2d(x)


@dataclass(frozen=True, repr=False, eq=False)
class AdaptiveAvgPool2d(Layer):
    """The mean of each of `size` regions, whatever the size of the images: (..., height, width) to (..., *size).

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.AdaptiveAvgPool2d((2, 3))(np.zeros((5, 3, 8, 8))).shape
    (5, 3, 2, 3)
    """

    size: Pair = static()

    def __call__(self, x: Array) -> Array:
        return adaptive_avg_pool2d(x, self.size)
