"""Functions of each element: y[i] = f(x[i]), and those of two or three arrays that broadcast together."""

from __future__ import annotations

import math

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import Primitive, Rule, elementwise, implements, primitive, to_values
from tinygrad_cnn.stand_in import StandIn

_LN_2, _LN_10 = math.log(2), math.log(10)

# Arithmetic.

elementwise(np.add, lambda g, out, x, y: g, lambda g, out, x, y: g, factors=("1", "1"), complex=True)
elementwise(np.subtract, lambda g, out, x, y: g, lambda g, out, x, y: -g, factors=("1", "-1"), complex=True)
elementwise(np.multiply, lambda g, out, x, y: g * y, lambda g, out, x, y: g * x, bilinear=True, complex=True)
elementwise(np.divide, lambda g, out, x, y: g / y, lambda g, out, x, y: -g * out / y, complex=True, singular=True)
elementwise(np.negative, lambda g, out, x: -g, factors=("-1",), complex=True)
elementwise(np.positive, lambda g, out, x: g, factors=("1",), complex=True)


def _power_x(g: Array, out: Array, x: Array, y: Array) -> Array:
    if isinstance(y, (int, float)):  # which takes a third of the time that a union does
        if isinstance(y, StandIn):  # whether it is 0 is not known; what is computed of numbers keeps the dtype of x
            return np.where(y == 0, g * np.zeros_like(x), g * (y * x ** (y - 1 + (y == 0))))
        return g * (y * x ** (y - 1)) if y else g * np.zeros_like(x)
    # At y = 0 the slope is 0, for x = 0 too. Elsewhere y - 1 stays what it is, for its own derivative is wanted too.
    return g * y * x ** np.where(np.equal(x, 0) & np.equal(y, 0), 1, y - 1)


def _power_y(g: Array, out: Array, x: Array, y: Array) -> Array:
    return g * out * np.log(np.where(x == 0, 1, x))  # 0 ** y has slope 0 in y, where y > 0


elementwise(np.power, _power_x, _power_y, complex=True, singular=True)
elementwise(np.float_power, _power_x, _power_y, singular=True)

# The remainder is x - y floor(x / y), and floor has no slope; fmod truncates instead.

for _modulo in (
    elementwise(np.remainder, lambda g, out, x, y: g, lambda g, out, x, y: -g * np.floor_divide(x, y), singular=True),
    elementwise(np.fmod, lambda g, out, x, y: g, lambda g, out, x, y: -g * np.trunc(np.divide(x, y)), singular=True),
):
    _modulo.defkink(lambda out, x, y: [np.floor(np.divide(x, y))], lambda out, x, y: np.equal(out, 0))


@implements(np.divmod)
def divmod(x: Array, y: Array) -> tuple[Array, Array]:
    """As `np.divmod`: the quotient is a plain array."""
    return np.floor_divide(x, y), np.remainder(x, y)


@implements(np.modf)
def modf(x: Array) -> tuple[Array, Array]:
    """As `np.modf`: the whole part is a plain array."""
    return _fraction(x), np.trunc(x)


@primitive(elementwise=True, pure=True)
def _fraction(x: Array, /) -> Array:
    return np.modf(x)[0]


_fraction.defvjp(lambda g, out, x: g, factors=("1",))
_fraction.defkink(lambda out, x: [np.trunc(x)], lambda out, x: np.equal(out, 0) & np.not_equal(x, 0))


@implements(np.frexp)
def frexp(x: Array) -> tuple[Array, Array]:
    """As `np.frexp`: the exponent is a plain array."""
    _, exponent = np.frexp(to_values(x))
    return np.ldexp(x, -exponent), exponent


elementwise(np.nextafter, lambda g, out, x, y: g, None)  # x, but for a last digit
elementwise(np.heaviside, None, lambda g, out, x, h: g * np.equal(x, 0))

# Powers, exponentials and logarithms.

elementwise(np.square, lambda g, out, x: g * (2 * x), complex=True)
elementwise(np.sqrt, lambda g, out, x: g / (2 * out), complex=True, singular=True)
elementwise(np.reciprocal, lambda g, out, x: -g * out * out, complex=True, singular=True)
elementwise(np.cbrt, lambda g, out, x: g / (3 * out * out), singular=True)
elementwise(np.hypot, lambda g, out, x, y: _share(g, x, out), lambda g, out, x, y: _share(g, y, out)).defkink(
    lambda out, x, y: [np.equal(out, 0)], lambda out, x, y: np.equal(out, 0)
)
elementwise(np.exp, lambda g, out, x: g * out, complex=True)
elementwise(np.expm1, lambda g, out, x: g * np.exp(x), complex=True)
elementwise(np.log, lambda g, out, x: g / x, complex=True, singular=True)
elementwise(np.log1p, lambda g, out, x: g / (1 + x), complex=True, singular=True)
elementwise(np.logaddexp, lambda g, out, x, y: g * np.exp(x - out), lambda g, out, x, y: g * np.exp(y - out))
elementwise(np.exp2, lambda g, out, x: g * out * _LN_2)
elementwise(np.log2, lambda g, out, x: g / (x * _LN_2), complex=True, singular=True)
elementwise(np.log10, lambda g, out, x: g / (x * _LN_10), complex=True, singular=True)
elementwise(np.logaddexp2, lambda g, out, x, y: g * np.exp2(x - out), lambda g, out, x, y: g * np.exp2(y - out))
elementwise(np.ldexp, lambda g, out, x, n: np.ldexp(g, n), None)


def _share(g: Array, x: Array, out: Array) -> Array:
    return g * x / np.where(np.equal(out, 0), 1, out)  # hypot has slope 0 at 0


# Angles, and functions of them.

elementwise(np.sin, lambda g, out, x: g * np.cos(x), complex=True)
elementwise(np.cos, lambda g, out, x: -g * np.sin(x), complex=True)
elementwise(np.tan, lambda g, out, x: g * (1 + out * out), complex=True)
# Of complex numbers the result says on which side of a branch cut they are.
elementwise(
    np.arcsin,
    lambda g, out, x: g / (np.cos(out) if np.iscomplexobj(x) else np.sqrt((1 - x) * (1 + x))),
    complex=True,
    singular=True,
)
elementwise(
    np.arccos,
    lambda g, out, x: -g / (np.sin(out) if np.iscomplexobj(x) else np.sqrt((1 - x) * (1 + x))),
    complex=True,
    singular=True,
)
elementwise(np.arctan, lambda g, out, x: g / (1 + x * x), complex=True)
elementwise(
    np.arctan2,
    lambda g, out, y, x: g * x / (x * x + y * y),
    lambda g, out, y, x: -g * y / (x * x + y * y),
    singular=True,
)
elementwise(np.sinh, lambda g, out, x: g * np.cosh(x), complex=True)
elementwise(np.cosh, lambda g, out, x: g * np.sinh(x), complex=True)
elementwise(np.tanh, lambda g, out, x: g * ((1 - out) * (1 + out)), complex=True, kind="activation")
elementwise(
    np.arcsinh,
    lambda g, out, x: g / (np.cosh(out) if np.iscomplexobj(x) else np.sqrt(x * x + 1)),
    complex=True,
)
elementwise(
    np.arccosh,
    lambda g, out, x: g / (np.sinh(out) if np.iscomplexobj(x) else np.sqrt((x - 1) * (x + 1))),
    complex=True,
    singular=True,
)
elementwise(np.arctanh, lambda g, out, x: g / ((1 - x) * (1 + x)), complex=True, singular=True)
for _to_radians in (np.deg2rad, np.radians):
    elementwise(_to_radians, lambda g, out, x: g * (np.pi / 180))
for _to_degrees in (np.rad2deg, np.degrees):
    elementwise(_to_degrees, lambda g, out, x: g * (180 / np.pi))

# Kinks. Where two operands are equal, each gets half of the cotangent; |x| has slope 0 at 0.


def _sign(out: Array, x: Array, *_: Array) -> list[Array]:
    return [np.asarray(np.sign(x))]


def _is_zero(out: Array, x: Array, *_: Array) -> Array:
    return np.equal(x, 0)


def _slope_at_zero(slope: int) -> Rule:
    return lambda g, out, x: g * np.where(np.equal(x, 0), slope, np.sign(x))


for _absolute in (
    elementwise(np.abs, lambda g, out, x: _abs_x(g, out, x)),
    elementwise(np.fabs, lambda g, out, x: g * np.sign(x)),
):
    _absolute.defkink(
        _sign,
        _is_zero,
        conventions={f"it takes the slope {slope:+d}": [_slope_at_zero(slope)] for slope in (1, -1)},
    )
# A zero has a sign too, and its slope goes by it: copysign(x, x) is x, with slope 1 at 0.
elementwise(np.copysign, lambda g, out, x, y: g * (np.copysign(1.0, x) * np.copysign(1.0, y)), None).defkink(
    _sign, _is_zero
)


def _gets_all(position: int, winner: int) -> Rule:
    """The rule for one operand that, of two that are equal, gives the whole cotangent to the operand `winner`."""

    def rule(g: Array, out: Array, x: Array, y: Array) -> Array:
        mine, other = (x, y) if position == 0 else (y, x)
        return g * (np.equal(mine, out) if position == winner else np.not_equal(other, out))

    return rule


# fmax and fmin pass over a NaN where the other operand is none.
for _extreme in (
    elementwise(
        np.maximum,
        lambda g, out, x, y: _where_more(g, x, y),
        lambda g, out, x, y: _where_more(g, y, x),
        kind="activation",
    ),
    elementwise(np.minimum, lambda g, out, x, y: _where_more(g, y, x), lambda g, out, x, y: _where_more(g, x, y)),
    elementwise(np.fmax, lambda g, out, x, y: _chosen(g, out, x, y), lambda g, out, x, y: _chosen(g, out, y, x)),
    elementwise(np.fmin, lambda g, out, x, y: _chosen(g, out, x, y), lambda g, out, x, y: _chosen(g, out, y, x)),
):
    _extreme.defkink(
        lambda out, x, y: [np.greater(x, y), np.equal(x, y)],
        lambda out, x, y: np.broadcast_to(np.equal(x, y), np.shape(out)),
        conventions={
            f"operand {winner} gets the whole cotangent": [_gets_all(0, winner), _gets_all(1, winner)]
            for winner in (0, 1)
        },
        ties_in_full=[lambda g, out, x, y: g * np.equal(x, out), lambda g, out, x, y: g * np.equal(y, out)],
    )


def _abs_x(g: Array, out: Array, x: Array) -> Array:
    if x.dtype.kind != "c":
        return g * np.sign(x)
    return g * np.conj(x) / np.where(np.equal(out, 0), 1, out)  # see complex_numbers.py


@primitive(elementwise=True, pure=True)
def root_of_squares(x: Array, /) -> Array:
    """The square root of a sum of squares: a norm, which like |x| has a kink at 0, and slope 0 there."""
    return np.sqrt(x)


root_of_squares.defvjp(lambda g, out, x: np.where(np.equal(x, 0), 0, g / (2 * np.where(np.equal(x, 0), 1, out))))
root_of_squares.defkink(lambda out, x: [np.equal(x, 0)], _is_zero)


def _where_more(g: Array, x: Array, y: Array) -> Array:
    """`g` where x > y, `g` / 2 where x = y, 0 where x < y."""
    more, no_less = np.greater(x, y), np.greater_equal(x, y)
    twice = g * (more.view(np.int8) + no_less.view(np.int8))
    twice *= 0.5
    return twice


def _chosen(g: Array, out: Array, x: Array, y: Array) -> Array:
    """`g` where x was chosen, `g` / 2 where both are the result."""
    return g * (np.equal(x, out) / np.maximum(np.equal(x, out).astype(g.dtype) + np.equal(y, out), 1))


@implements(np.where)
def where(condition: Array, *choices: Array) -> Array:
    """As `np.where`; the condition is a constant, whatever it was computed from. With no choices, as `np.nonzero`."""
    if len(choices) == 1:
        raise ValueError("either both or neither of x and y should be given")
    if not choices:
        return np.where(_condition(condition))
    return where_of(_condition(condition), *choices)


def _condition(condition: Array) -> Array:
    return np.not_equal(condition, 0) if not hasattr(condition, "dtype") or condition.dtype.kind == "f" else condition


def _where_forward(condition: Array, x: Array, y: Array, /) -> Array:
    return np.where(condition, x, y)


where_of: Primitive[..., Array] = Primitive(_where_forward, "where", elementwise=True, complex=True, pure=True)
where_of.defvjp(
    None,
    lambda g, out, condition, x, y: np.where(condition, g, 0),
    lambda g, out, condition, x, y: np.where(condition, 0, g),
)
# The condition, which is known to be a choice, says where an element is from; two pieces meet where they are equal.
where_of.defkink(
    lambda out, condition, x, y: [],
    lambda out, condition, x, y: np.broadcast_to(np.equal(x, y) & (x is not y), np.shape(out)),
    mask=0,
)


def _astype_forward(x: Array, /, dtype: object) -> Array:
    return x.astype(dtype)


astype: Primitive[..., Array] = Primitive(_astype_forward, "astype", moves=True, complex=True, pure=True)
astype.defvjp(lambda g, out, x, dtype: g)  # the sweep gives every cotangent the dtype of what it is for


@implements(np.astype)
def astype_of_numpy(x: Array, dtype: object, /, *, copy: bool = True, device: object = None) -> Array:
    """As `np.astype`; of integers and booleans it is a plain array."""
    if not copy and x.dtype == np.dtype(dtype):  # type: ignore[call-overload]
        return x
    return astype(x, dtype=dtype) if np.dtype(dtype).kind in "fc" else to_values(x).astype(dtype)  # type: ignore[call-overload]
