"""scipy.special on Tensors: its elementwise functions, and what the others say."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from cases import Case, binary, unary
from numeric import derivatives_agree

import tinygrad_cnn as tg
from tinygrad_cnn.primitives import scipy_special

pytest.importorskip("scipy", reason="SciPy is not installed")

from scipy import special

CASES: list[Case] = [
    *unary("expit", special.expit),
    *unary("logit", special.logit, 0.1, 0.9),
    *unary("log_expit", special.log_expit),
    *unary("erf", special.erf),
    *unary("erfc", special.erfc),
    *unary("erfcx", special.erfcx),
    *unary("erfinv", special.erfinv, -0.8, 0.8),
    *unary("ndtr", special.ndtr),
    *unary("ndtri", special.ndtri, 0.1, 0.9),
    *unary("log_ndtr", special.log_ndtr),
    *unary("gamma", special.gamma, 0.5, 3),
    *unary("gammaln", special.gammaln, 0.5, 3),
    *unary("psi", special.psi, 0.5, 3),
    *binary("betaln", special.betaln, 0.5, 3),
    *binary("xlogy", special.xlogy, 0.5, 3),
    *binary("xlog1py", special.xlog1py, 0.5, 3),
    *unary("entr", special.entr, 0.5, 3),
    *binary("rel_entr", special.rel_entr, 0.5, 3),
    *binary("kl_div", special.kl_div, 0.5, 3),
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))


def test_every_rule_is_tested() -> None:
    tested = {case.function.__name__ for case in CASES}
    assert set(scipy_special.rules_of(special)) <= tested


@each_case
def test_the_derivatives_are_what_differences_give(case: Case) -> None:
    derivatives_agree(case.function, case.operands(), order=3)


@each_case
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_value_dtype_and_gradient_keep_to_scipys(case: Case, dtype: type) -> None:
    operands = case.operands(dtype)
    found, expected = case.function(*map(tg.Tensor, operands)), case.function(*operands)
    np.testing.assert_array_equal(found.value, expected, strict=True)
    for k, x in enumerate(operands):
        gradient = tg.grad(lambda *xs: np.sum(case.function(*xs)), k)(*operands)
        assert (gradient.dtype, gradient.shape) == (x.dtype, x.shape)


def test_zero_times_the_logarithm_of_zero_has_slope_zero() -> None:
    assert tg.grad(special.xlogy, (0, 1))(0.0, 0.0) == (0, 0)
    assert tg.grad(special.xlogy, (0, 1))(0.0, 2.0) == (np.log(2.0), 0)


def test_the_slope_of_the_logistic_function_loses_no_digits_far_from_zero() -> None:
    assert tg.grad(special.expit)(40.0) == pytest.approx(np.exp(-40.0), rel=1e-14)


@pytest.mark.parametrize("function", [special.logsumexp, special.softmax, special.log_softmax])
def test_what_scipy_makes_arrays_for_says_what_to_write(function) -> None:
    with pytest.raises(TypeError, match=r"np\.logaddexp\.reduce\(t, axis\)"):
        tg.grad(lambda x: np.sum(function(x)))(np.ones(3))


def test_what_to_write_for_logsumexp_and_softmax_is_the_same() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3)) * 30
    log_sum = np.logaddexp.reduce(x, 1, keepdims=True)
    np.testing.assert_allclose(log_sum, special.logsumexp(x, 1, keepdims=True), rtol=1e-14)
    np.testing.assert_allclose(np.exp(x - log_sum), special.softmax(x, 1), rtol=1e-12)
    derivatives_agree(lambda x: np.exp(x - np.logaddexp.reduce(x, 1, keepdims=True)), [x / 30], order=2)


def test_a_function_without_a_rule_names_itself() -> None:
    with pytest.raises(NotImplementedError, match="spence does not support Tensors"):
        special.spence(tg.Tensor([0.5]))


@pytest.mark.peers
def test_pytorch_gives_the_same_gradients() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x, y = np.linspace(0.2, 0.9, 5), np.linspace(1.5, 0.4, 5)
    for name in ("expit", "logit", "erf", "erfc", "erfcx", "erfinv", "ndtr", "ndtri", "log_ndtr", "gammaln", "psi"):
        tensor = torch.tensor(x, requires_grad=True)
        getattr(torch.special, name)(tensor).sum().backward()
        ours = tg.grad(lambda x, name=name: np.sum(getattr(special, name)(x)))(x)
        np.testing.assert_allclose(ours, tensor.grad.numpy(), rtol=1e-8, err_msg=name)
    for name in ("xlogy", "xlog1py"):
        pair = [torch.tensor(v, requires_grad=True) for v in (x, y)]
        getattr(torch.special, name)(*pair).sum().backward()
        ours = tg.grad(lambda x, y, name=name: np.sum(getattr(special, name)(x, y)), (0, 1))(x, y)
        np.testing.assert_allclose(ours, [t.grad.numpy() for t in pair], rtol=1e-12, err_msg=name)


def test_scipy_is_not_imported() -> None:
    code = "import sys, tinygrad_cnn as tg; tg.grad(tg.sigmoid)(1.0); assert 'scipy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
