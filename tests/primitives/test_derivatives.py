"""Every rule, compared with finite differences: three derivatives deep."""

from __future__ import annotations

import numpy as np
import pytest
from all_cases import each_case
from cases import Case
from numeric import derivatives_agree

import tinygrad_cnn as tg


@each_case
def test_the_derivatives_are_what_differences_give(case: Case) -> None:
    derivatives_agree(case.function, case.operands(), order=case.order)


@each_case
def test_a_tensor_has_the_value_that_numpy_computes(case: Case) -> None:
    operands = case.operands()
    result = case.function(*[tg.Tensor(x) for x in operands])
    np.testing.assert_allclose(result.value, case.function(*operands), rtol=1e-13, atol=1e-15, strict=True)


@each_case
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_gradient_has_the_dtype_and_shape_of_what_it_is_for(case: Case, dtype: type) -> None:
    operands = case.operands(dtype)
    try:
        case.function(*operands)
    except (TypeError, RuntimeWarning):  # NumPy 2.2 divides by zero in sinc of a half
        pytest.skip(f"NumPy has no {case.name} in {dtype.__name__}")
    for i, x in enumerate(operands):
        gradient = tg.grad(lambda *args: np.sum(case.function(*args)), argnums=i)(*operands)
        assert gradient.dtype == dtype
        assert gradient.shape == x.shape


@each_case
def test_in_float32_the_gradient_is_that_of_float64_to_its_precision(case: Case) -> None:
    exact = tg.grad(lambda *args: np.sum(case.function(*args)))(*case.operands())
    single = tg.grad(lambda *args: np.sum(case.function(*args)))(*case.operands(np.float32))
    np.testing.assert_allclose(single, exact, rtol=2e-4, atol=2e-5)


@each_case
def test_the_pullback_and_the_derivative_along_a_direction_are_transposes(case: Case) -> None:
    operands = case.operands()
    rng = np.random.default_rng(1)
    tangents = [rng.standard_normal(x.shape) for x in operands]
    value, out = tg.jvp(case.function, operands, tangents)
    cotangent = rng.standard_normal(np.shape(value))
    _, pullback = tg.vjp(case.function, *operands)
    pulled = pullback(cotangent)
    assert np.sum(cotangent * out) == pytest.approx(
        sum(np.sum(c * t) for c, t in zip(pulled, tangents, strict=True)), rel=1e-11, abs=1e-11
    )


def test_a_wrong_rule_is_found() -> None:
    @tg.primitive
    def cube(x, /):
        return x**3

    cube.defvjp(lambda g, out, x: 2 * g * x**2)
    with pytest.raises(AssertionError, match="derivative 1"):
        derivatives_agree(cube, [np.array([0.5, 1.0])], order=1)
