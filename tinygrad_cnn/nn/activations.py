"""Activations that NumPy lacks. Others are its own functions: `np.tanh`, `np.maximum(0, x)`."""

from __future__ import annotations

import math
import sys
from typing import Literal

import numpy as np

from tinygrad_cnn.engine.graph import Array, scope
from tinygrad_cnn.engine.primitive import operand, primitive


@primitive(elementwise=True, pure=True, opaque=True, kind="activation")
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


@primitive(elementwise=True, pure=True, opaque=True, kind="activation")
def sigmoid(x: Array, /) -> Array:
    """1 / (1 + exp(-x)), elementwise, without overflow or loss of precision.

    >>> import tinygrad_cnn as tg
    >>> tg.sigmoid(0.0)
    np.float64(0.5)
    """
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


# As the article has it; its absolute error is that of 1 - out.
sigmoid.defvjp(lambda g, out, x: g * out * (1 - out), factors=("out (1 - out)",))


@scope("leaky_relu", kind="activation")
def leaky_relu(x: Array, slope: float = 0.01) -> Array:
    """`x` where it is positive, and slope * x elsewhere, also at 0 for the derivative; elementwise.

    Source: A. Maas et al., "Rectifier nonlinearities improve neural network acoustic models", 2013.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.leaky_relu(np.array([-2.0, 3.0]), 0.1)
    array([-0.2,  3. ])
    """
    x = operand(x)
    return np.where(np.greater(x, 0), x, slope * x)


@scope("elu", kind="activation")
def elu(x: Array, alpha: float = 1.0) -> Array:
    """`x` where it is positive, and alpha (exp(x) - 1) elsewhere, also at 0 for the derivative; elementwise.

    Source: D. Clevert et al., "Fast and accurate deep network learning by exponential linear units", 2016.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.elu(np.array([-1000.0, 0.0, 3.0]))
    array([-1.,  0.,  3.])
    """
    x = operand(x)
    above = np.greater(x, 0)
    return np.where(above, x, alpha * np.expm1(np.where(above, 0, x)))


@scope("gelu", kind="activation")
def gelu(x: Array, approximate: Literal["none", "tanh"] = "none") -> Array:
    """`x` times the probability that a standard normal number is below x; elementwise.

    approximate: "none" computes it from the error function, "tanh" as x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715
    x**3))), which differs by less than 0.0005. Raises ValueError for anything else.

    Source: D. Hendrycks and K. Gimpel, "Gaussian error linear units", 2016.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.gelu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    x = operand(x)
    if approximate == "none":
        return x * (0.5 * _erfc(x * -math.sqrt(0.5)))
    if approximate == "tanh":
        return x * (0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))))
    raise ValueError(f"gelu: approximate is {approximate!r}; expected 'none' or 'tanh'")


@primitive(elementwise=True, pure=True, opaque=True, name="erfc")
def _erfc(x: Array, /) -> Array:
    """1 - erf(x), which NumPy lacks: SciPy's where it is in use, and else Python's of each element."""
    x = np.asarray(x)
    special = sys.modules.get("scipy.special")
    if special is not None:
        return special.erfc(x)
    return np.fromiter(map(math.erfc, x.ravel().tolist()), x.dtype, x.size).reshape(x.shape)


_erfc.defvjp(lambda g, out, x: -g * (2 / math.sqrt(math.pi)) * np.exp(-x * x))


@scope("silu", kind="activation")
def silu(x: Array) -> Array:
    """`x` times sigmoid(x), elementwise; also named swish.

    Source: S. Elfwing et al., "Sigmoid-weighted linear units", 2018.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.silu(np.array([-1000.0, 0.0, 1000.0]))
    array([  -0.,    0., 1000.])
    """
    x = operand(x)
    return x * sigmoid(x)


@scope("softplus", kind="activation")
def softplus(x: Array) -> Array:
    """log(1 + exp(x)), elementwise, without overflow or loss of precision; its derivative is the sigmoid.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.softplus(np.array([-1000.0, 0.0, 1000.0])).round(4)
    array([0.000e+00, 6.931e-01, 1.000e+03])
    """
    return np.logaddexp(0, operand(x))
