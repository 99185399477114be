"""tinygrad_cnn.scipy.special: values are SciPy's, derivatives those of differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy_cases import Call, comparisons_of

import tinygrad_cnn as tg

pytest.importorskip("scipy", reason="SciPy is not installed")

import scipy.special as theirs

from tinygrad_cnn.scipy import special as ours

N = np.array([[0], [1], [3]])

CALLS = [
    Call("logsumexp", lambda m, x: m.logsumexp(x), [(2, 3)]),
    Call("logsumexp of one number", lambda m, x: m.logsumexp(x), [()]),
    Call("logsumexp over an axis", lambda m, x: m.logsumexp(x, axis=1), [(2, 3)]),
    Call("logsumexp over axes, kept", lambda m, x: m.logsumexp(x, (0, -1), keepdims=True), [(2, 3, 2)]),
    Call("logsumexp with weights", lambda m, x, b: m.logsumexp(x, 1, b**2), [(2, 3), (2, 3)]),
    Call("logsumexp with a weight of 0", lambda m, x: m.logsumexp(x, b=np.array([1.0, 0.0, 2.0])), [(2, 3)]),
    Call("logsumexp with a sign", lambda m, x, b: m.logsumexp(x, 1, b - 2, return_sign=True)[0], [(2, 3), (3,)]),
    Call("softmax", lambda m, x: m.softmax(x), [(2, 3)]),
    Call("softmax over an axis", lambda m, x: m.softmax(x, axis=1), [(2, 3)]),
    Call("log_softmax", lambda m, x: m.log_softmax(x), [(2, 3)]),
    Call("log_softmax over axes", lambda m, x: m.log_softmax(x, axis=(0, 1)), [(2, 3, 2)]),
    Call("polygamma", lambda m, x: m.polygamma(1, x), [(2, 3)], 0.5, 3),
    Call("polygamma of orders", lambda m, x: m.polygamma(N, x), [(2,)], 0.5, 3),
    Call("multigammaln", lambda m, x: m.multigammaln(x, 3), [(2, 3)], 1.5, 3),
    Call("factorial", lambda m, x: m.factorial(x), [(5,)], -0.5, 3),
    Call("factorial of one number", lambda m, x: m.factorial(x), [()], 0.5, 3),
    Call("comb", lambda m, n, k: m.comb(n + 3, k), [(2, 3), (3,)], 0.5, 3),
    Call("comb of more than there are", lambda m, n: m.comb(n, 5.0), [(2, 3)], 0.5, 3),
    Call("comb with repetition", lambda m, n, k: m.comb(n, k, repetition=True), [(2, 3), (3,)], 0.5, 3),
    Call("perm", lambda m, n, k: m.perm(n + 3, k), [(2, 3), (3,)], 0.5, 3),
    Call("zeta", lambda m, q: m.zeta(2.5, q), [(2, 3)], 0.5, 3),
    Call("lambertw", lambda m, x: np.real(m.lambertw(x)), [(2, 3)], -0.3, 3),
    Call("lambertw, the other branch", lambda m, x: np.real(m.lambertw(x, -1)), [(2, 3)], -0.3, -0.1),
    *[
        Call(f"{name}{of}", lambda m, x, name=name, d=d: getattr(m, name)(N, x, d), [(2,)], 0.5, 3)
        for name in ("spherical_jn", "spherical_yn", "spherical_in", "spherical_kn")
        for of, d in (("", False), (", derivative", True))
    ],
    *[
        Call(f"{name} of order {n}", lambda m, x, name=name, n=n: getattr(m, name)(1.5, x, n), [(3,)], 0.5, 3)
        for name in ("jvp", "yvp", "ivp", "kvp")
        for n in (0, 1, 2, 3)
    ],
]  # fmt: skip
if hasattr(theirs, "softplus"):
    CALLS.append(Call("softplus", lambda m, x: m.softplus(x), [(2, 3)]))


test_values_are_scipys, test_values_of_single_precision_are_scipys, test_derivatives_are_what_differences_give = (
    comparisons_of(CALLS, ours, theirs)
)


def test_the_sign_of_a_sum_of_exponentials_is_plain() -> None:
    _, sign = ours.logsumexp(tg.Tensor([1.0, 2.0]), b=[1.0, -1.0], return_sign=True)
    assert sign == -1.0


@pytest.mark.parametrize("largest", [1000.0, -1000.0])
def test_sums_of_exponentials_do_not_overflow(largest: float) -> None:
    x = largest + np.array([0.0, -1.0, -2.0])
    for name in ("logsumexp", "softmax", "log_softmax"):
        np.testing.assert_allclose(getattr(ours, name)(tg.Tensor(x)).value, getattr(theirs, name)(x), rtol=1e-13)
    np.testing.assert_allclose(tg.grad(ours.logsumexp)(x), theirs.softmax(x), rtol=1e-13)


def test_the_logarithm_of_a_sum_of_nothing_is_minus_infinity() -> None:
    assert ours.logsumexp(tg.Tensor([-np.inf, -np.inf])).value == -np.inf
    assert tg.grad(ours.logsumexp)(np.array([-np.inf, 0.0])).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: ours.polygamma(t, 1.0), TypeError, r"scipy\.special\.polygamma: n is a Tensor"),
        (lambda t: ours.spherical_jn(t, 1.0), TypeError, r"scipy\.special\.spherical_jn: n is a Tensor"),
        (lambda t: ours.zeta(t), NotImplementedError, r"scipy\.special\.zeta: the derivative with respect to x"),
        (lambda t: ours.zeta(t, 2.0), NotImplementedError, r"scipy\.special\.zeta: the derivative with respect to x"),
        (lambda t: ours.jvp(t, 2.0), NotImplementedError, r"scipy\.special\.jv: the derivative with respect to v"),
        (lambda t: np.real(ours.lambertw(-t)), NotImplementedError, "where the value is real; expected k=0 and z >="),
        (lambda t: ours.comb(t, 2, exact=True), NotImplementedError, r"comb: exact=True is not supported for Tensors"),
        (lambda t: ours.multigammaln(t - 2, 2), ValueError, "not met"),
    ],
)  # fmt: skip
def test_what_is_not_supported_raises(call, error, message) -> None:
    with pytest.raises(error, match=message):
        tg.grad(call)(2.5)
