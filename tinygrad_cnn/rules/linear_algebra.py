"""Products of matrices."""

from __future__ import annotations

import numpy as np

from tinygrad_cnn.graph import Array
from tinygrad_cnn.primitive import elementwise

# A vector stands for a matrix of one row on the left of the product, of one column on its right; the result lacks that
# axis, so its cotangent is given it back.


def _matmul_x(g: Array, out: Array, x: Array, y: Array) -> Array:
    if y.ndim == 1:
        return g[..., None] * y
    if x.ndim == 1:
        return (y @ g[..., None])[..., 0]
    return g @ y.swapaxes(-1, -2)


def _matmul_y(g: Array, out: Array, x: Array, y: Array) -> Array:
    if x.ndim == 1:
        return g * x if y.ndim == 1 else x[:, None] * g[..., None, :]
    if y.ndim == 1:
        return (x.swapaxes(-1, -2) @ g[..., None])[..., 0]
    return x.swapaxes(-1, -2) @ g


elementwise(np.matmul, _matmul_x, _matmul_y)  # elementwise over the stack: stacks of matrices broadcast together
