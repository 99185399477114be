"""tinygrad_cnn.math and cmath: Python's functions of numbers, and of Tensors."""

from __future__ import annotations

import cmath
import math
from typing import Any

import mpmath
import numpy as np
import pytest
from numeric import derivatives_agree

import tinygrad_cnn as tg
import tinygrad_cnn.cmath as tcmath
import tinygrad_cnn.math as tmath

# Where each function is differentiable, and its derivative is not zero.
POINTS: dict[str, tuple[float, ...]] = {
    "acos": (0.3,), "acosh": (1.7,), "asin": (0.3,), "asinh": (0.3,), "atan": (0.3,), "atan2": (0.3, -0.7),
    "atanh": (0.3,), "cbrt": (-0.7,), "copysign": (0.7, -1.2), "cos": (0.3,), "cosh": (0.3,), "degrees": (0.3,),
    "erf": (0.3,), "erfc": (0.3,), "exp": (0.3,), "exp2": (0.3,), "expm1": (0.3,), "fabs": (-0.3,),
    "fma": (0.3, 2.0, 1.0),
    "fmod": (7.3, -2.2), "gamma": (3.3,), "hypot": (0.3, -0.4, 1.2), "lgamma": (0.7,), "log": (0.3,), "log10": (0.3,),
    "log1p": (0.3,), "log2": (0.3,), "pow": (1.3, 2.4), "radians": (30.0,), "remainder": (7.3, 2.2), "sin": (0.3,),
    "sinh": (0.3,), "sqrt": (0.3,), "tan": (0.3,), "tanh": (0.3,),
}  # fmt: skip
STEPS = ("ceil", "floor", "trunc", "isfinite", "isinf", "isnan", "ulp")
AT = [name for name in POINTS if hasattr(math, name)]


def with_name(name: str) -> tuple[Any, Any, tuple[float, ...]]:
    return getattr(tmath, name), getattr(math, name), POINTS[name]


def test_they_have_every_name_of_pythons() -> None:
    for ours, theirs in ((tmath, math), (tcmath, cmath)):
        assert set(dir(theirs)) == set(dir(ours))
        assert ours.pi is theirs.pi
        names: dict[str, Any] = {}
        exec(f"from {ours.__name__} import *", names)
        assert names["sqrt"] is ours.sqrt


def test_every_function_of_numbers_takes_tensors_or_has_no_derivative() -> None:
    of_integers = {"comb", "factorial", "gcd", "isqrt", "lcm", "perm"}
    others = {"dist", "frexp", "fsum", "isclose", "ldexp", "modf", "nextafter", "prod", "sumprod"}  # tested below
    functions = {name for name in dir(math) if callable(getattr(math, name)) and not name.startswith("_")}
    assert functions - of_integers - others - set(STEPS) - POINTS.keys() == set()


@pytest.mark.parametrize("name", AT)
def test_of_numbers_it_is_pythons(name: str) -> None:
    ours, theirs, at = with_name(name)
    assert ours(*at) == theirs(*at)
    assert type(ours(*at)) is float


@pytest.mark.parametrize("name", AT)
def test_of_a_tensor_it_has_the_value_and_the_derivatives(name: str) -> None:
    ours, theirs, at = with_name(name)
    value, _ = tg.vjp(ours, *at)
    assert value == pytest.approx(theirs(*at), rel=1e-15)
    derivatives_agree(ours, [np.array(x) for x in at], order=2)


@pytest.mark.parametrize("name", AT)
def test_an_error_of_pythons_is_one_of_a_tensor(name: str) -> None:
    ours, theirs, _ = with_name(name)
    for x in (-3.0, math.inf, 1e308, 0.0):
        at = (x,) * len(POINTS[name])
        try:
            theirs(*at)
        except (ValueError, OverflowError) as error:
            with pytest.raises(type(error)):
                tg.grad(ours)(*at)


@pytest.mark.parametrize("name", STEPS)
def test_steps_give_plain_numbers(name: str) -> None:
    ours, theirs = getattr(tmath, name), getattr(math, name)
    found = ours(tg.Tensor(2.7))
    assert found == theirs(2.7)
    assert type(found) is type(theirs(2.7))


def test_functions_of_several_numbers_and_results() -> None:
    derivatives_agree(lambda x: tmath.dist([x[0], 1.0], (2.0, x[1])), [np.array([0.3, 0.5])], order=2)
    derivatives_agree(lambda x: tmath.dist(x, [2.0, 1.0]), [np.array([0.3, 0.5])], order=2)
    derivatives_agree(lambda x: tmath.fsum(u * x[1] for u in x), [np.array([0.3, 0.5])], order=2)
    derivatives_agree(lambda x: tmath.prod([x[0], 2, x[1]], start=x[0]), [np.array([0.3, 0.5])], order=2)
    derivatives_agree(lambda x: tmath.log(x[0], x[1]), [np.array([0.3, 2.5])], order=2)
    derivatives_agree(lambda x: tmath.modf(x)[0] ** 2, [np.array(2.3)], order=2)
    derivatives_agree(lambda x: tmath.frexp(x)[0] ** 2, [np.array(6.3)], order=2)
    derivatives_agree(lambda x: tmath.ldexp(x, 3) ** 2, [np.array(0.3)], order=2)
    assert tmath.frexp(tg.Tensor(6.3))[1] == 3
    assert tmath.modf(tg.Tensor(-2.3))[1] == -2.0
    assert tmath.isclose(tg.Tensor(1.0), 1.0 + 1e-12)
    assert tmath.fsum([0.1] * 10) == 1.0  # exactly, as Python's
    assert tmath.prod([2, 3]) == 6
    if hasattr(math, "sumprod"):
        derivatives_agree(lambda x: tmath.sumprod(x, [x[0], 2.0]), [np.array([0.3, 0.5])], order=2)


@pytest.mark.parametrize("n", range(5))
@pytest.mark.parametrize("x", [0.04, 0.5, 1.0, 1.46, 3.0, 19.99, 20.0, 57.0, 1e5, -0.5, -2.3])
def test_polygamma(n: int, x: float) -> None:
    expected = float(mpmath.polygamma(n, mpmath.mpf(x)))
    assert float(tmath.polygamma(np.float64(x), n=n)) == pytest.approx(expected, rel=1e-13, abs=1e-14)


def test_polygamma_has_no_value_at_a_pole() -> None:
    assert np.isnan(tmath.polygamma(np.float64(-2.0), n=0))


def test_an_array_of_one_element_is_a_number_and_one_of_more_is_not() -> None:
    assert tg.grad(lambda x: tmath.exp(x))(np.array([0.0])).tolist() == [1.0]
    with pytest.raises(TypeError, match="length-1"):
        tg.grad(lambda x: tmath.exp(x))(np.ones(2))


OF_COMPLEX: dict[str, Any] = {
    "acos": 0.3 + 0.2j, "acosh": -1.3 + 0.2j, "asin": 0.3 - 0.2j, "asinh": 0.3 + 0.2j, "atan": 0.3 + 0.2j,
    "atanh": 0.3 + 0.2j, "cos": 0.3 + 0.2j, "cosh": 0.3 + 0.2j, "exp": 0.3 + 0.2j, "log": -0.3 + 0.2j,
    "log10": 0.3 + 0.2j, "phase": 0.3 + 0.2j, "sin": 0.3 + 0.2j, "sinh": 0.3 + 0.2j, "sqrt": -0.3 + 0.2j,
    "tan": 0.3 + 0.2j, "tanh": 0.3 + 0.2j,
}  # fmt: skip


@pytest.mark.parametrize("name", OF_COMPLEX)
def test_complex_functions(name: str) -> None:
    ours, theirs, z = getattr(tcmath, name), getattr(cmath, name), OF_COMPLEX[name]

    def parts(x: Any, y: Any) -> Any:
        w = ours(x + 1j * y)
        return np.real(w) + 2 * np.imag(w)

    w = theirs(z)
    assert ours(z) == w
    assert tg.vjp(parts, z.real, z.imag)[0] == pytest.approx(w.real + 2 * w.imag, rel=1e-14)
    derivatives_agree(parts, [np.array(z.real), np.array(z.imag)], order=1)


def test_complex_functions_of_real_tensors_are_complex() -> None:
    assert tg.vjp(lambda x: np.imag(tcmath.sqrt(x)), -4.0)[0] == 2.0
    derivatives_agree(lambda x: np.imag(tcmath.sqrt(x)), [np.array(-4.0)], order=2)
    derivatives_agree(lambda r, phi: np.real(tcmath.rect(r, phi)), [np.array(1.4), np.array(0.3)], order=2)
    derivatives_agree(lambda x: sum(tcmath.polar(x + 0.7j)), [np.array(1.4)], order=2)
    derivatives_agree(lambda x: np.real(tcmath.log(x + 0.7j, 3.0)), [np.array(1.4)], order=2)
    assert tcmath.isnan(tg.Tensor(1.0)) is False
