"""The linear map of a dense layer."""

from __future__ import annotations

from tinygrad_cnn.engine.graph import Array, scope
from tinygrad_cnn.engine.primitive import OPERANDS, operand


@scope("linear", kind="linear")
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
