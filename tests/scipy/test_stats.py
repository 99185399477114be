"""The functions of samples in tinygrad_cnn.scipy.stats, and the distributions of vectors."""

from __future__ import annotations

import numpy as np
import pytest
from numeric import derivatives_agree
from scipy_cases import Call, comparisons_of

import tinygrad_cnn as tg

pytest.importorskip("scipy", reason="SciPy is not installed")

import scipy.stats as theirs

from tinygrad_cnn.scipy import stats as ours

S, V = (5, 3), (6,)
DATA, CLOUD = np.array([0.1, 0.7, -0.4, 1.9]), np.array([[0.1, 0.7, -0.4, 1.9], [0.3, 0.2, 1.1, -0.5]])


def ways(name: str, low: float = -1.5, high: float = 1.7, **keywords: object) -> list[Call]:
    """Calls along the default axis, along another with the axes kept, and of all elements."""
    f = lambda m, x, **more: getattr(m, name)(x, **keywords, **more)
    return [
        Call(f"{name}, {keywords}", f, [S], low, high),
        Call(f"{name} along an axis, {keywords}", lambda m, x: f(m, x, axis=1), [S], low, high),
        Call(f"{name} of all, {keywords}", lambda m, x: f(m, x, axis=None), [S], low, high),
    ]


def kept(name: str, *args: object, low: float = 0.5, high: float = 2) -> Call:
    return Call(f"{name}, axes kept", lambda m, x: getattr(m, name)(x, *args, axis=1, keepdims=True), [S], low, high)


CALLS = [
    *ways("zscore"), *ways("zscore", ddof=1), *ways("gzscore", 0.5, 2),
    Call("zmap", lambda m, x, y: m.zmap(x, y, ddof=1), [S, S]),
    *[call for order in (1, 2, 3) for call in ways("moment", order=order)],
    Call("moment about a center", lambda m, x: m.moment(x, 3, center=0.5), [S]),
    *[call for bias in (True, False) for call in ways("skew", bias=bias)],
    *[call for bias in (True, False) for call in ways("kurtosis", bias=bias, fisher=bias)],
    *ways("sem"), *ways("variation", 0.5, 2), *ways("variation", 0.5, 2, ddof=1),
    *ways("gmean", 0.5, 2), *ways("hmean", 0.5, 2),
    *[call for p in (0, 2, -1.5) for call in ways("pmean", 0.5, 2, p=p)],
    *[
        Call(f"{name} with weights", lambda m, x, w, name=name: getattr(m, name)(x, weights=w), [V, V], 0.5, 2)
        for name in ("gmean", "hmean")
    ],
    *ways("trim_mean", proportiontocut=0.25),
    *ways("iqr"), *ways("iqr", scale="normal", rng=(10, 60)),
    *[
        Call(
            f"median_abs_deviation, {axis}, {scale}",
            lambda m, x, axis=axis, scale=scale: m.median_abs_deviation(np.exp(x), axis, scale=scale),
            [S],
        )
        for axis in (0, 1, None) for scale in (1.0, "normal")
    ],
    *ways("entropy", 0.5, 2), *ways("entropy", 0.5, 2, base=2),
    Call("entropy of two", lambda m, p, q: m.entropy(p, q, axis=1), [S, S], 0.5, 2),
    *ways("circmean", -0.5, 1), *ways("circvar"), *ways("circstd"), *ways("circstd", normalize=True, high=3, low=1),
    *[kept(name) for name in ("skew", "kurtosis", "sem", "variation", "gmean", "hmean", "entropy", "circmean", "iqr")],
    kept("moment", 2), kept("trim_mean", 0.2),
    Call("kurtosis, all kept", lambda m, x: m.kurtosis(x, axis=None, keepdims=True), [S]),
    *[
        Call(f"pearsonr, {k}, {way}", lambda m, x, y, k=k, way=way: m.pearsonr(x, y, alternative=way)[k], [V, V])
        for k in (0, 1) for way in ("two-sided", "less", "greater")
    ],
    Call("pearsonr along an axis", lambda m, x, y: m.pearsonr(x, y, axis=1).statistic, [S, S]),
    *[
        Call(f"linregress, {k}", lambda m, x, y, k=k: getattr(m.linregress(x, y), k), [V, V])
        for k in ("slope", "intercept", "rvalue", "pvalue", "stderr", "intercept_stderr")
    ],
    *[
        Call(f"linregress, {way}", lambda m, x, y, way=way: m.linregress(x, y, alternative=way)[3], [V, V])
        for way in ("less", "greater")
    ],
    *[
        Call(f"gaussian_kde.{name}", lambda m, x, name=name: getattr(m.gaussian_kde(DATA), name)(x), [(4,)])
        for name in ("evaluate", "logpdf", "pdf", "__call__")
    ],
    Call("gaussian_kde of points", lambda m, x: m.gaussian_kde(CLOUD, weights=[1, 2, 3, 1])(x), [(2, 3)]),
    Call("gaussian_kde at a point", lambda m, x: m.gaussian_kde(CLOUD).logpdf(x), [(2,)]),
]  # fmt: skip


test_values_are_scipys, test_values_of_single_precision_are_scipys, test_derivatives_are_what_differences_give = (
    comparisons_of(CALLS, ours, theirs)
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["zscore", "skew", "kurtosis"])
def test_a_sample_without_deviation_gives_nan(name: str) -> None:
    assert np.all(np.isnan(getattr(ours, name)(tg.Tensor([0.1, 0.1, 0.1])).value))


# Distributions of vectors.

A = np.array([[0.7, 0.2, -0.4], [0.3, 0.9, 0.1], [-0.2, 0.4, 1.1]])
COV, MEAN = A @ A.T + np.eye(3), np.array([0.1, -0.3, 0.5])
POINTS = np.array([[0.3, 0.1, -0.7], [1.1, -0.4, 0.2]])
SIMPLEX, ALPHA = np.array([0.2, 0.3, 0.5]), np.array([1.5, 2.5, 0.7])

VECTORS = {
    "normal": (lambda m, x, mean, cov: m.multivariate_normal.logpdf(x, mean, cov), [POINTS, MEAN, COV]),
    "normal, density": (lambda m, x, mean, cov: m.multivariate_normal.pdf(x, mean, cov), [POINTS, MEAN, COV]),
    "normal, one point": (lambda m, x, mean, cov: m.multivariate_normal.logpdf(x, mean, cov), [POINTS[0], MEAN, COV]),
    "normal, frozen": (lambda m, x, mean, cov: m.multivariate_normal(mean, cov).logpdf(x), [POINTS, MEAN, COV]),
    "normal, frozen numbers": (lambda m, x: m.multivariate_normal(MEAN, COV).pdf(x), [POINTS]),
    "normal, variances": (lambda m, x, mean, v: m.multivariate_normal.logpdf(x, mean, v), [POINTS, MEAN, ALPHA]),
    "normal, one variance": (lambda m, x, v: m.multivariate_normal.logpdf(x, MEAN, v), [POINTS, np.float64(2)]),
    "normal, one axis": (lambda m, x, v: m.multivariate_normal.logpdf(x, cov=v), [POINTS[0], np.float64(2)]),
    "normal, standard": (lambda m, x: m.multivariate_normal.logpdf(x), [POINTS[0]]),
    "dirichlet": (lambda m, alpha: m.dirichlet.logpdf(SIMPLEX, alpha), [ALPHA]),
    "dirichlet, density": (lambda m, alpha: m.dirichlet.pdf(np.stack([SIMPLEX, SIMPLEX[::-1]]).T, alpha), [ALPHA]),
    "dirichlet, one left out": (lambda m, x, alpha: m.dirichlet.logpdf(x, alpha), [SIMPLEX[:2], ALPHA]),
    "multinomial": (lambda m, p: m.multinomial.logpmf([2, 1, 3], 6, p), [SIMPLEX]),
    "multinomial, mass": (lambda m, p: m.multinomial.pmf([[2, 1, 3], [1, 1, 1]], 6, p), [SIMPLEX]),
}  # fmt: skip


@pytest.mark.parametrize("name", VECTORS)
def test_distributions_of_vectors_have_scipys_values_and_their_derivatives(name: str) -> None:
    call, operands = VECTORS[name]
    expected = call(theirs, *operands)
    np.testing.assert_array_equal(call(ours, *operands), expected)
    found = call(ours, *map(tg.Tensor, operands))
    assert isinstance(found, tg.Tensor)
    assert type(found.value) is type(expected)
    np.testing.assert_allclose(found.value, expected, rtol=1e-11)
    if name.startswith("multinomial"):  # of which SciPy makes the probabilities sum to one
        derivatives_agree(lambda p: call(ours, p / np.sum(p)), operands, order=2)
    else:
        derivatives_agree(lambda *xs: call(ours, *xs), operands, order=2)


def test_a_frozen_normal_distribution_is_in_all_else_what_scipys_is() -> None:
    frozen = ours.multivariate_normal(MEAN, COV)
    assert frozen.rvs(random_state=0).shape == (3,)
    assert frozen.logpdf(POINTS[0]) == theirs.multivariate_normal(MEAN, COV).logpdf(POINTS[0])


T = tg.Tensor([1.0, 2.0, 4.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ours.zscore(T, nan_policy="omit"), NotImplementedError, "zscore: nan_policy='omit' is not supported"),
        (lambda: ours.moment(T, [1, 2]), NotImplementedError, r"order=\[1, 2\] is not supported for Tensors"),
        (lambda: ours.pmean([1.0, 2.0], tg.Tensor(2.0)), NotImplementedError, "p is a Tensor; expected a plain number"),
        (lambda: ours.hmean(-T), ValueError, "a has negative elements; expected none"),
        (lambda: ours.trim_mean(T, 0.7), ValueError, "Proportion too big"),
        (lambda: ours.entropy(T, base=-1), ValueError, "`base` must be a positive number"),
        (lambda: ours.pearsonr(T, [1.0, 2.0]), ValueError, "must be broadcastable"),
        (lambda: ours.median_abs_deviation(T, scale="odd"), ValueError, "odd is not a valid scale value"),
        (lambda: ours.multivariate_normal.logpdf(T, cov=np.zeros((3, 3))), np.linalg.LinAlgError, "singular"),
        (
            lambda: ours.multivariate_normal.logpdf(T, cov=np.diag([1.0, 0, 1]), allow_singular=True),
            NotImplementedError,
            "a singular covariance is not supported for Tensors",
        ),
        (lambda: ours.dirichlet.logpdf(T, T), ValueError, "must be smaller or equal one"),
        (lambda: ours.multinomial.logpmf(T, 7, SIMPLEX), NotImplementedError, "x or n is a Tensor; expected plain"),
        (lambda: ours.rankdata(T), tg.GradientLostError, "gradient"),
    ],
)  # fmt: skip
def test_what_is_not_supported_raises(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()
