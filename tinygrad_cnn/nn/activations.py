"""Activations that NumPy lacks. Others are its own functions: `np.tanh`, `np.maximum(0, x)`."""

from __future__ import annotations

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import primitive


@primitive(elementwise=True, pure=True, opaque=True)
def relu(x: Array, /, at_zero: float = 0.0) -> Array:
    """max(0, x), elementwise; its slope at x = 0 is `at_zero`. Raises ValueError if that is not in the range 0 to 1.

    `np.maximum(0, x)` shares the cotangent at a tie, and so has slope 1/2 there; at_zero=1 is the article's
    convention, which passes the cotangent on where x >= 0. Away from 0 they agree.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    >>> tg.grad(lambda x: np.sum(tg.relu(x)))(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 1.])
    """
    if not 0 <= at_zero <= 1:
        raise ValueError(f"relu: at_zero is {at_zero!r}; expected a slope from 0 to 1")
    x = np.asarray(x)
    return np.maximum(x, np.zeros(x.shape, x.dtype))  # of two arrays, at twice the speed of an array and a number


@relu.defvjp
def _relu_x(g: Array, out: Array, x: Array, at_zero: float = 0.0) -> Array:
    if at_zero == 0:
        return g * np.greater(x, 0)
    if at_zero == 1:
        return g * np.greater_equal(x, 0)
    return g * (np.greater(x, 0) + at_zero * np.equal(x, 0))


relu.defkink(
    lambda out, x, **_: [np.sign(x)],
    lambda out, x, **_: np.equal(x, 0),
    conventions={
        "the cotangent is passed on (>= instead of >)": {"at_zero": 1.0},
        "the cotangent is not passed on (> instead of >=)": {"at_zero": 0.0},
        "half of the cotangent is passed on": {"at_zero": 0.5},
    },
)


@primitive(elementwise=True, pure=True, opaque=True)
def sigmoid(x: Array, /) -> Array:
    """1 / (1 + exp(-x)), elementwise, without overflow or loss of precision.

    >>> import tinygrad_cnn as tg
    >>> tg.sigmoid(0.0)
    np.float64(0.5)
    """
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


# As the article has it; its absolute error is that of 1 - out.
sigmoid.defvjp(lambda g, out, x: g * out * (1 - out), factors=("out (1 - out)",))
