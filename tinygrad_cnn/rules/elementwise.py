"""Functions of each element: y[i] = f(x[i]), and those of two or three arrays that broadcast together."""

from __future__ import annotations

import numpy as np

from tinygrad_cnn.graph import Array
from tinygrad_cnn.primitive import Primitive, elementwise, implementations, implements, primitive

# Arithmetic.

elementwise(np.add, lambda g, out, x, y: g, lambda g, out, x, y: g)
elementwise(np.subtract, lambda g, out, x, y: g, lambda g, out, x, y: -g)
elementwise(np.multiply, lambda g, out, x, y: g * y, lambda g, out, x, y: g * x)
elementwise(np.divide, lambda g, out, x, y: g / y, lambda g, out, x, y: -g * out / y)
elementwise(np.negative, lambda g, out, x: -g)
elementwise(np.positive, lambda g, out, x: g)


def _power_x(g: Array, out: Array, x: Array, y: Array) -> Array:
    if isinstance(y, int | float):
        return g * (y * x ** (y - 1)) if y else g * np.zeros_like(x)
    return g * y * x ** np.where(y == 0, 1, y - 1)  # at y = 0 the slope is 0, for x = 0 too


def _power_y(g: Array, out: Array, x: Array, y: Array) -> Array:
    return g * out * np.log(np.where(x == 0, 1, x))  # 0 ** y has slope 0 in y, where y > 0


elementwise(np.power, _power_x, _power_y)

# Powers, exponentials and logarithms.

elementwise(np.square, lambda g, out, x: g * (2 * x))
elementwise(np.sqrt, lambda g, out, x: g / (2 * out))
elementwise(np.reciprocal, lambda g, out, x: -g * out * out)
elementwise(np.exp, lambda g, out, x: g * out)
elementwise(np.expm1, lambda g, out, x: g * np.exp(x))
elementwise(np.log, lambda g, out, x: g / x)
elementwise(np.log1p, lambda g, out, x: g / (1 + x))
elementwise(np.logaddexp, lambda g, out, x, y: g * np.exp(x - out), lambda g, out, x, y: g * np.exp(y - out))
elementwise(np.sin, lambda g, out, x: g * np.cos(x))
elementwise(np.cos, lambda g, out, x: -g * np.sin(x))
elementwise(np.tanh, lambda g, out, x: g * ((1 - out) * (1 + out)))


@primitive
def sigmoid(x: Array, /) -> Array:
    """1 / (1 + exp(-x)), which does not overflow and loses no digits. Element by element, of any shape.

    >>> import tinygrad_cnn as tg
    >>> tg.sigmoid(0.0)
    np.float64(0.5)
    """
    small = np.exp(np.copysign(x, -1))
    return np.where(np.signbit(x), small, 1)[()] / (1 + small)


sigmoid.vjp(lambda g, out, x: g * out * (1 - out))  # as the article has it; its absolute error is that of 1 - out

# Kinks. Where two operands are equal, each gets half of the cotangent; |x| has slope 0 at 0.

elementwise(np.abs, lambda g, out, x: g * np.sign(x))
elementwise(np.maximum, lambda g, out, x, y: _where_more(g, x, y), lambda g, out, x, y: _where_more(g, y, x))
elementwise(np.minimum, lambda g, out, x, y: _where_more(g, y, x), lambda g, out, x, y: _where_more(g, x, y))


def _where_more(g: Array, x: Array, y: Array) -> Array:
    """G where x > y, g / 2 where x = y, 0 where x < y."""
    more, no_less = np.greater(x, y), np.greater_equal(x, y)
    twice = g * (more.view(np.int8) + no_less.view(np.int8))
    twice *= 0.5
    return twice


@implements(np.where)
def where(condition: Array, *choices: Array) -> Array:
    """As `np.where`; the condition is a constant, whatever it was computed from."""
    if len(choices) != 2:
        return np.where(_condition(condition), *choices)
    return _where(_condition(condition), *choices)


def _condition(condition: Array) -> Array:
    return np.not_equal(condition, 0) if not hasattr(condition, "dtype") or condition.dtype.kind == "f" else condition


def _where_forward(condition: Array, x: Array, y: Array, /) -> Array:
    return np.where(condition, x, y)


_where: Primitive[..., Array] = Primitive(_where_forward, name="where", broadcasts=True)
_where.vjp(
    None,
    lambda g, out, condition, x, y: np.where(condition, g, 0),
    lambda g, out, condition, x, y: np.where(condition, 0, g),
)


def _astype_forward(x: Array, /, dtype: object) -> Array:
    return x.astype(dtype)


astype: Primitive[..., Array] = Primitive(_astype_forward, name="astype")
astype.vjp(lambda g, out, x, dtype: g)  # the sweep gives every cotangent the dtype of what it is for
implementations[np.astype] = astype
