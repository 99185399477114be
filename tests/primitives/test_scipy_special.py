"""scipy.special on Tensors: its elementwise functions, and what the others say."""

from __future__ import annotations

import re
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
    *unary("expm1", special.expm1),
    *unary("log1p", special.log1p, -0.5, 2),
    *unary("exp2", special.exp2),
    *unary("exp10", special.exp10, -1, 0.5),
    *unary("cbrt", special.cbrt, 0.5, 2),
    *unary("cosm1", special.cosm1),
    *unary("exprel", special.exprel),
    *binary("powm1", special.powm1, 0.5, 2),
    *binary("xlogy", special.xlogy, 0.5, 3),
    *binary("xlog1py", special.xlog1py, 0.5, 3),
    *unary("entr", special.entr, 0.5, 3),
    *binary("rel_entr", special.rel_entr, 0.5, 3),
    *binary("kl_div", special.kl_div, 0.5, 3),
    *binary("boxcox", special.boxcox, 0.5, 2),
    *binary("boxcox1p", special.boxcox1p, 0.5, 2),
    *binary("inv_boxcox", special.inv_boxcox, 0.5, 2),
    *binary("inv_boxcox1p", special.inv_boxcox1p, 0.5, 2),
    *unary("huber within delta", lambda r: special.huber(2.0, r)),
    *unary("huber beyond delta", lambda delta: special.huber(delta, np.array([2.0, -3.0, 4.0])), 0.3, 1.6),
    *unary("huber of large residuals", lambda r: special.huber(0.2, r), 0.3, 1.6),
    *binary("pseudo_huber", special.pseudo_huber, 0.5, 2),
    *unary("erf", special.erf),
    *unary("erfc", special.erfc),
    *unary("erfcx", special.erfcx),
    *unary("erfi", special.erfi),
    *unary("erfinv", special.erfinv, -0.8, 0.8),
    *unary("erfcinv", special.erfcinv, 0.2, 1.8),
    *unary("dawsn", special.dawsn),
    *unary("ndtr", special.ndtr),
    *unary("ndtri", special.ndtri, 0.1, 0.9),
    *unary("log_ndtr", special.log_ndtr),
    *unary("ndtri_exp", special.ndtri_exp, -3, -0.1),
    *binary("owens_t", special.owens_t),
    *unary("expi", special.expi, 0.5, 3),
    *unary("exp1", special.exp1, 0.5, 3),
    *unary("expn", lambda x: special.expn(np.array([1, 2, 3]), x), 0.5, 3),
    *unary("sici, sine", lambda x: special.sici(x)[0]),
    *unary("sici, cosine", lambda x: special.sici(x)[1], 0.5, 3),
    *unary("shichi, sine", lambda x: special.shichi(x)[0]),
    *unary("shichi, cosine", lambda x: special.shichi(x)[1], 0.5, 3),
    *unary("fresnel, sine", lambda x: special.fresnel(x)[0]),
    *unary("fresnel, cosine", lambda x: special.fresnel(x)[1]),
    *unary("gamma", special.gamma, 0.5, 3),
    *unary("gammaln", special.gammaln, 0.5, 3),
    *unary("loggamma", special.loggamma, 0.5, 3),
    *unary("rgamma", special.rgamma, 0.5, 3),
    *unary("gammasgn", special.gammasgn, 0.5, 3),
    *unary("psi", special.psi, 0.5, 3),
    *binary("beta", special.beta, 0.5, 3),
    *binary("betaln", special.betaln, 0.5, 3),
    *binary("poch", special.poch, 0.5, 3),
    *binary("binom", lambda n, k: special.binom(n + 3, k), 0.5, 3),
    *unary("gammainc", lambda x: special.gammainc(2.5, x), 0.5, 3),
    *unary("gammaincc", lambda x: special.gammaincc(2.5, x), 0.5, 3),
    *unary("gammaincinv", lambda y: special.gammaincinv(2.5, y), 0.2, 0.8),
    *unary("gammainccinv", lambda y: special.gammainccinv(2.5, y), 0.2, 0.8),
    *unary("betainc", lambda x: special.betainc(2.5, 1.5, x), 0.2, 0.8),
    *unary("betaincc", lambda x: special.betaincc(2.5, 1.5, x), 0.2, 0.8),
    *unary("betaincinv", lambda y: special.betaincinv(2.5, 1.5, y), 0.2, 0.8),
    *unary("betainccinv", lambda y: special.betainccinv(2.5, 1.5, y), 0.2, 0.8),
    *unary("hyp0f1", lambda z: special.hyp0f1(1.5, z)),
    *unary("hyp1f1", lambda z: special.hyp1f1(1.5, 2.5, z)),
    *unary("hyperu", lambda x: special.hyperu(1.5, 2.5, x), 0.5, 3),
    *unary("hyp2f1", lambda z: special.hyp2f1(1.5, 0.5, 2.5, z), -0.8, 0.8),
    *unary("j0", special.j0),
    *unary("j1", special.j1),
    *unary("jv", lambda z: special.jv(1.5, z), 0.5, 3),
    *unary("jv of whole order", lambda z: special.jv(2, z)),
    *unary("y0", special.y0, 0.5, 3),
    *unary("y1", special.y1, 0.5, 3),
    *unary("yn", lambda x: special.yn(2, x), 0.5, 3),
    *unary("yv", lambda z: special.yv(1.5, z), 0.5, 3),
    *unary("i0", special.i0),
    *unary("i1", special.i1),
    *unary("iv", lambda z: special.iv(1.5, z), 0.5, 3),
    *unary("i0e", special.i0e, 0.5, 3),
    *unary("i0e of negative numbers", special.i0e, -3, -0.5),
    *unary("i1e", special.i1e, 0.5, 3),
    *unary("i1e of negative numbers", special.i1e, -3, -0.5),
    *unary("ive", lambda z: special.ive(1.5, z), 0.5, 3),
    *unary("k0", special.k0, 0.5, 3),
    *unary("k1", special.k1, 0.5, 3),
    *unary("kn", lambda x: special.kn(2, x), 0.5, 3),
    *unary("kv", lambda z: special.kv(1.5, z), 0.5, 3),
    *unary("k0e", special.k0e, 0.5, 3),
    *unary("k1e", special.k1e, 0.5, 3),
    *unary("kve", lambda z: special.kve(1.5, z), 0.5, 3),
    *unary("airy, Ai", lambda z: special.airy(z)[0]),
    *unary("airy, Ai'", lambda z: special.airy(z)[1]),
    *unary("airy, Bi", lambda z: special.airy(z)[2]),
    *unary("airy, Bi'", lambda z: special.airy(z)[3]),
    *unary("ellipk", special.ellipk, -2, 0.8),
    *unary("ellipkm1", special.ellipkm1, 0.3, 0.8),
    *unary("ellipe", special.ellipe, -2, 0.8),
    *unary("ellipkinc", lambda phi: special.ellipkinc(phi, 0.7), -1, 1),
    *unary("ellipeinc", lambda phi: special.ellipeinc(phi, 0.7), -1, 1),
    *unary("ellipj, sn", lambda u: special.ellipj(u, 0.7)[0]),
    *unary("ellipj, cn", lambda u: special.ellipj(u, 0.7)[1]),
    *unary("ellipj, dn", lambda u: special.ellipj(u, 0.7)[2]),
    *unary("ellipj, amplitude", lambda u: special.ellipj(u, 0.7)[3]),
    *unary("eval_legendre", lambda x: special.eval_legendre(np.array([0, 1, 4]), x)),
    *unary("eval_chebyt", lambda x: special.eval_chebyt(np.array([0, 1, 4]), x)),
    *unary("eval_chebyu", lambda x: special.eval_chebyu(np.array([0, 1, 4]), x)),
    *unary("eval_hermite", lambda x: special.eval_hermite(np.array([0, 1, 4]), x)),
    *unary("eval_hermitenorm", lambda x: special.eval_hermitenorm(np.array([0, 1, 4]), x)),
    *unary("eval_laguerre", lambda x: special.eval_laguerre(np.array([0, 1, 4]), x)),
    *unary("eval_genlaguerre", lambda x: special.eval_genlaguerre(np.array([0, 1, 4]), 0.5, x)),
    *unary("eval_gegenbauer", lambda x: special.eval_gegenbauer(np.array([0, 1, 4]), 0.5, x)),
    *unary("eval_jacobi", lambda x: special.eval_jacobi(np.array([0, 1, 4]), 0.5, 1.5, x)),
    *unary("stdtr", lambda t: special.stdtr(3.5, t)),
    *unary("stdtrit", lambda p: special.stdtrit(3.5, p), 0.2, 0.8),
    *unary("chdtr", lambda x: special.chdtr(3.5, x), 0.5, 3),
    *unary("chdtrc", lambda x: special.chdtrc(3.5, x), 0.5, 3),
    *unary("chdtri", lambda p: special.chdtri(3.5, p), 0.2, 0.8),
    *unary("fdtr", lambda x: special.fdtr(3.5, 4.5, x), 0.5, 3),
    *unary("fdtrc", lambda x: special.fdtrc(3.5, 4.5, x), 0.5, 3),
    *unary("fdtri", lambda p: special.fdtri(3.5, 4.5, p), 0.2, 0.8),
    *binary("gdtr", lambda a, x: special.gdtr(a, 2.5, x), 0.5, 3),
    *binary("gdtrc", lambda a, x: special.gdtrc(a, 2.5, x), 0.5, 3),
    *unary("pdtr", lambda m: special.pdtr(np.array([0, 2, 3]), m), 0.5, 3),
    *unary("pdtrc", lambda m: special.pdtrc(np.array([0, 2, 3]), m), 0.5, 3),
    *unary("bdtr", lambda p: special.bdtr(np.array([0.0, 2, 3]), 5, p), 0.2, 0.8),
    *unary("bdtrc", lambda p: special.bdtrc(np.array([0.0, 2, 3]), 5, p), 0.2, 0.8),
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))


def test_every_rule_is_tested() -> None:
    tested = {re.split("[ ,]", case.name)[0] for case in CASES}
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


UNSUPPORTED = [
    (name, position)
    for name, rules in scipy_special.rules_of(special).items()
    for of_output in (rules if isinstance(rules[0], tuple) else [rules])[:1]
    for position, rule in enumerate(of_output)
    if rule is not None and "unsupported" in rule.__qualname__
]


@pytest.mark.filterwarnings("ignore:non-integer arg n")
@pytest.mark.parametrize(("name", "position"), UNSUPPORTED)
def test_a_derivative_without_a_closed_form_raises_and_names_the_argument(name: str, position: int) -> None:
    function = getattr(special, name)
    operands = [2.0, 2.0, 2.0, 0.5][-function.nin :]

    def first(*xs):
        found = function(*xs)
        return found[0] if isinstance(found, tuple) else found

    with pytest.raises(
        NotImplementedError, match=rf"^scipy\.special\.{name}: the derivative with respect to \w+ has no"
    ):
        tg.grad(first, position)(*operands)


def test_zero_times_the_logarithm_of_zero_has_slope_zero() -> None:
    assert tg.grad(special.xlogy, (0, 1))(0.0, 0.0) == (0, 0)
    assert tg.grad(special.xlogy, (0, 1))(0.0, 2.0) == (np.log(2.0), 0)


def test_the_slope_of_the_logistic_function_loses_no_digits_far_from_zero() -> None:
    assert tg.grad(special.expit)(40.0) == pytest.approx(np.exp(-40.0), rel=1e-14)


@pytest.mark.parametrize("function", [special.logsumexp, special.softmax, special.log_softmax])
def test_what_scipy_makes_arrays_for_says_what_to_write(function) -> None:
    with pytest.raises(TypeError, match=rf"from tinygrad_cnn\.scipy\.special import {function.__name__}"):
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
