"""Layers: convolution and the linear map."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array, scope
from tinygrad_cnn.engine.primitive import OPERANDS, operand
from tinygrad_cnn.primitives.convolution import by_columns, convolution
from tinygrad_cnn.primitives.windows import Pair, pair


@scope("conv2d")
def conv2d(
    x: Array, weight: Array, bias: Array | None = None, stride: Pair = 1, padding: int | tuple[int, int] = 0
) -> Array:
    """The cross-correlation of images with filters.

    x: (batch, channels, height, width), weight: (filters, channels, kh, kw); returns (batch, filters, out_h, out_w),
    where out_h = (height + 2 padding - kh) // stride + 1. Alternatively, as in the article, one channel and one filter:
    x (batch, height, width), weight (kh, kw); returns (batch, out_h, out_w). bias: (filters,), or one number
    for one filter. stride, padding: a number, or (down, across). Raises ValueError if the shapes do not fit.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.conv2d(np.ones((1, 4, 4)), np.ones((3, 3)), padding=1)
    array([[[4., 6., 6., 4.],
            [6., 9., 9., 6.],
            [6., 9., 9., 6.],
            [4., 6., 6., 4.]]])
    """
    if not isinstance(x, OPERANDS) or not isinstance(weight, OPERANDS):
        x, weight = operand(x), operand(weight)
    single = len(x.shape) == 3 and len(weight.shape) == 2
    if not single and (len(x.shape) != 4 or len(weight.shape) != 4):
        raise ValueError(
            f"conv2d: x has shape {x.shape} and weight {weight.shape}; expected (batch, channels, height, width) and "
            "(filters, channels, kh, kw), or (batch, height, width) and (kh, kw)"
        )
    if not single and x.shape[1] != weight.shape[1]:
        raise ValueError(
            f"conv2d: x has {x.shape[1]} channels; expected {weight.shape[1]}, for weight of shape {weight.shape}"
        )
    down, across = pair(padding, "conv2d: padding", least=0)
    if bias is not None and np.size(bias) != (1 if single else weight.shape[0]):
        raise ValueError(f"conv2d: bias has shape {np.shape(bias)}; expected one number for each filter")
    how: Any = {"stride": pair(stride, "stride"), "padding": (down, across)}
    out = by_columns(x, weight, **how) if single else convolution(x, weight, **how)
    if bias is None:
        return out
    return out + np.reshape(bias, (-1, 1, 1))


@scope("linear")
def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """`x @ weight.T + bias`.

    x: (..., inputs), weight: (outputs, inputs), bias: (outputs,); returns (..., outputs). Raises ValueError if the
    shapes do not fit.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.linear(np.array([[1.0, 2.0]]), np.array([[1.0, 1.0], [0.0, 3.0]]), np.array([0.5, 0.0]))
    array([[3.5, 6. ]])
    """
    if not isinstance(x, OPERANDS) or not isinstance(weight, OPERANDS):
        x, weight = operand(x), operand(weight)
    if not x.shape or len(weight.shape) != 2 or x.shape[-1] != weight.shape[-1]:
        raise ValueError(
            f"linear: x has shape {x.shape} and weight {weight.shape}; expected (..., inputs) and (outputs, inputs)"
        )
    out = x @ weight.T
    return out if bias is None else out + bias
