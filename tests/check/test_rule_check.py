"""A rule compared with finite differences of its forward function."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.check.witnesses.rule_check import rule_slope
from tinygrad_cnn.engine.primitive import implementations
from tinygrad_cnn.primitives import fourier, linear_algebra, reductions

RNG = np.random.default_rng(0)
X, Z = RNG.uniform(0.2, 0.8, (3, 4)), RNG.standard_normal((3, 4)) + 1j * RNG.standard_normal((3, 4))


@pytest.mark.parametrize(
    ("primitive", "operands", "static_args"),
    [
        (implementations[np.exp], [X], {}),
        (implementations[np.multiply], [X, X[0]], {}),  # broadcast
        (linear_algebra.matmul, [X, X.T], {}),
        (reductions.sum, [X], {"axis": 0}),
        (fourier.fft, [X], {"axis": -1, "norm": None}),  # from real to complex numbers
        (fourier.irfft, [Z], {"n": 6, "axis": 1, "norm": None}),  # and back
        (implementations[np.multiply], [Z, X], {}),
    ],
    ids=["exp", "broadcast", "matmul", "sum", "real to complex", "complex to real", "complex"],
)
def test_the_rules_of_primitives_agree_with_differences(primitive, operands, static_args) -> None:
    for position in range(len(operands)):
        slope = rule_slope(primitive, operands, static_args, position, RNG)
        assert slope is not None
        assert slope.agree, str(slope)


@pytest.mark.parametrize(
    "rule",
    [lambda g, out, x: 2 * g * x**2, lambda g, out, x: -3 * g * x**2, lambda g, out, x: g * np.nan],
    ids=["factor", "sign", "NaN"],
)
def test_a_wrong_rule_does_not_agree(rule) -> None:
    cube = tg.primitive(lambda x, /: x**3)
    cube.defvjp(rule)
    slope = rule_slope(cube, [X], {}, 0, RNG)
    assert slope is not None
    assert not slope.agree


def test_differences_are_inconclusive_where_the_function_is_not_finite_or_jumps() -> None:
    for forward in (np.arccosh, lambda x: np.floor(1000 * x)):
        made = tg.primitive(lambda x, /, forward=forward: forward(x))
        made.defvjp(lambda g, out, x: g)
        assert rule_slope(made, [X], {}, 0, RNG) is None


def test_a_cotangent_of_another_shape_is_an_error_unless_operands_broadcast() -> None:
    made = tg.primitive(lambda x, /: 2 * x)
    made.defvjp(lambda g, out, x: 2 * g.T)
    with pytest.raises(ValueError, match=r"cotangent of shape \(4, 3\); expected the operand's shape, \(3, 4\)"):
        rule_slope(made, [X], {}, 0, RNG)
