"""The distributions of tinygrad_cnn.scipy.stats: values are SciPy's, derivatives those of differences."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from numeric import derivatives_agree

import tinygrad_cnn as tg

pytest.importorskip("scipy", reason="SciPy is not installed")

import scipy.stats as theirs

from tinygrad_cnn.scipy import stats as ours
from tinygrad_cnn.scipy._densities import CONTINUOUS, DISCRETE

# Shape parameters of each continuous distribution, and points that lie in its standard form's support or about it.
SHAPES = {
    "norm": [], "t": [3.5], "gamma": [2.5], "erlang": [2.0], "beta": [2.5, 1.5], "expon": [], "uniform": [],
    "lognorm": [0.7], "chi2": [3.5], "f": [3.5, 4.5], "laplace": [], "logistic": [], "cauchy": [], "weibull_min": [1.7],
    "weibull_max": [1.7], "pareto": [2.5], "lomax": [2.5], "gumbel_r": [], "gumbel_l": [], "truncnorm": [-0.7, 1.3],
    "invgamma": [2.5], "halfnorm": [], "rayleigh": [], "maxwell": [], "chi": [3.5], "halfcauchy": [], "invgauss": [1.3],
    "wald": [], "skewnorm": [1.3], "genextreme": [0.3], "genpareto": [0.3], "triang": [0.4], "powerlaw": [1.7],
    "exponnorm": [1.3], "vonmises": [1.3], "loguniform": [0.2, 3.0], "reciprocal": [0.2, 3.0], "gennorm": [1.7],
    "fisk": [2.5], "burr12": [2.5, 1.5], "gompertz": [0.7], "hypsecant": [], "johnsonsu": [0.3, 1.3],
    "loggamma": [1.7], "exponweib": [1.5, 1.7], "invweibull": [2.5], "foldnorm": [0.7], "rice": [0.7],
    "poisson": [2.5], "binom": [5.0, 0.3], "bernoulli": [0.3], "nbinom": [3.5, 0.4], "geom": [0.3],
    "betabinom": [5.0, 1.5, 2.5],
}  # fmt: skip
WITHOUT_SHAPES = {  # of which the distribution function has no derivative by (these of) its shape parameters
    "t", "gamma", "erlang", "beta", "chi2", "f", "invgamma", "chi", "gennorm", "loggamma",
}  # fmt: skip
MORE_SHAPES = {
    "genextreme": [[0.0], [-0.3]], "genpareto": [[0.0], [-0.3]], "t": [[np.inf], [1e8]], "triang": [[0.0], [1.0]],
    "truncnorm": [[-np.inf, 1.0], [1.0, 2.5], [-9.0, -7.0]], "gamma": [[1.0], [0.5]],
}  # fmt: skip
POINTS = np.array(
    [-3.0, -0.6, -0.1, 0.0, 0.2, 0.3, 0.55, 0.9, 1.0, 1.5, 1.7, 4.0, np.nan, np.inf, -np.inf]
)  # 0.2 is loc
PROBABILITIES = np.array([-0.1, 0.0, 0.2, 0.5, 0.8, 1.0, 1.1, np.nan])
DENSITIES = ("logpdf", "pdf", "cdf", "sf", "logcdf", "logsf")
LOC, SCALE = 0.2, 1.3


def supports(name: str, method: str) -> bool:
    try:
        getattr(ours, name).standard_function(method, {"logpdf": "log", "pdf": "density"}.get(method, method))
    except NotImplementedError:
        return False
    return True


CONTINUOUS_CALLS = [
    (name, method)
    for name in CONTINUOUS
    for method in (*DENSITIES, "ppf", "isf")
    if supports(name, method)
]  # fmt: skip
each_method = pytest.mark.parametrize(("name", "method"), CONTINUOUS_CALLS)


def test_each_distribution_is_tested() -> None:
    assert set(CONTINUOUS) | set(DISCRETE) == set(SHAPES)


@each_method
def test_values_are_scipys(name: str, method: str) -> None:
    points = PROBABILITIES if method in ("ppf", "isf") else POINTS
    for shapes in [SHAPES[name], *MORE_SHAPES.get(name, [])]:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            expected = getattr(getattr(theirs, name), method)(points, *shapes, LOC, SCALE)
            at_start = getattr(getattr(theirs, name), method)(points[5], *shapes)
        if method in ("logpdf", "pdf"):  # at infinity, where SciPy's is NaN for some, it is the limit
            limit = -np.inf if method == "logpdf" else 0
            expected = np.where(np.isinf(points) & np.isnan(expected), limit, expected)
        found = getattr(getattr(ours, name), method)(tg.Tensor(points), *shapes, loc=LOC, scale=SCALE)
        assert isinstance(found, tg.Tensor)
        np.testing.assert_allclose(found.value, expected, rtol=1e-9, atol=1e-12, err_msg=str(shapes))
        one = getattr(getattr(ours, name), method)(tg.Tensor(points[5]), *shapes)
        assert isinstance(one.value, np.float64)
        np.testing.assert_allclose(one.value, at_start, rtol=1e-9, atol=1e-12)


def middle(name: str, shapes: list[float]) -> np.ndarray:
    """Points of the support at which the density is smooth."""
    return getattr(theirs, name).ppf([0.15, 0.35, 0.6, 0.85], *shapes, LOC, SCALE)


@each_method
def test_derivatives_by_the_point_loc_and_scale_are_what_differences_give(name: str, method: str) -> None:
    shapes = SHAPES[name]
    x = np.array([0.15, 0.35, 0.6, 0.85]) if method in ("ppf", "isf") else middle(name, shapes)
    function = getattr(getattr(ours, name), method)
    derivatives_agree(
        lambda x, loc, scale: function(x, *shapes, loc=loc, scale=scale),
        [x, np.float64(LOC), np.float64(SCALE)],
        order=2,
    )


@pytest.mark.filterwarnings("ignore:The shape parameter of the erlang")
@each_method
def test_derivatives_by_the_shape_parameters_are_what_differences_give(name: str, method: str) -> None:
    shapes = SHAPES[name]
    if not shapes:
        return
    x = np.array([0.15, 0.35, 0.6, 0.85]) if method in ("ppf", "isf") else middle(name, shapes)
    function = getattr(getattr(ours, name), method)

    def of_shapes(*shapes):
        return function(x, *shapes, LOC, SCALE)

    operands = [np.float64(shape) for shape in shapes]
    if name in WITHOUT_SHAPES and method not in ("logpdf", "pdf"):
        with pytest.raises(
            NotImplementedError, match=r"scipy\.special\.\w+: the derivative with respect to \w+ has no"
        ):
            tg.grad(lambda shape: np.sum(of_shapes(shape, *operands[1:])))(operands[0])
    else:
        derivatives_agree(of_shapes, operands, order=2)


DISCRETE_CALLS = [
    (name, method)
    for name in DISCRETE
    for method in ("logpmf", "pmf", "cdf", "sf", "logcdf", "logsf")
    if method in ("logpmf", "pmf") or supports(name, method)
]  # fmt: skip
COUNTS = np.array([-1.0, 0, 1, 2.0, 2.5, 4, 5, 6, np.nan])


@pytest.mark.parametrize(("name", "method"), DISCRETE_CALLS)
def test_discrete_distributions_have_scipys_values_and_derivatives_by_their_parameters(name: str, method: str) -> None:
    shapes = SHAPES[name]
    fixed = 1 if name in ("binom", "betabinom") else 0  # the number of trials
    if name == "nbinom" and method not in ("logpmf", "pmf"):
        fixed = 1
    with np.errstate(all="ignore"):
        expected = getattr(getattr(theirs, name), method)(COUNTS, *shapes, loc=1)
    function = getattr(getattr(ours, name), method)
    found = function(COUNTS, *shapes[:fixed], *map(tg.Tensor, shapes[fixed:]), loc=1)
    np.testing.assert_allclose(found.value, expected, rtol=1e-9, atol=1e-12)
    k = np.array([1.0, 2, 3])
    if name == "bernoulli":
        k = np.array([0.0, 0.0]) if "log" in method and "mf" not in method else np.array([0.0, 1.0])
        if method in ("logcdf", "logsf"):
            k = k[:1]
    derivatives_agree(lambda *rest: function(k, *shapes[:fixed], *rest), [np.float64(p) for p in shapes[fixed:]], 2)


def test_a_frozen_distribution_takes_tensors() -> None:
    x = np.array([0.5, 1.5])
    expected = tg.grad(lambda m: np.sum(ours.norm.logpdf(x, m, 2.0)))(0.3)
    assert tg.grad(lambda m: np.sum(ours.norm(m, 2.0).logpdf(x)))(0.3) == expected
    assert tg.grad(lambda m: np.sum(ours.norm(loc=m, scale=2.0).logpdf(x)))(0.3) == expected
    np.testing.assert_allclose(tg.grad(lambda x: np.sum(ours.norm(0.3, 2.0).logpdf(x)))(x), (0.3 - x) / 4)


def test_a_distribution_is_in_all_else_what_scipys_is() -> None:
    assert isinstance(ours.norm, theirs.rv_continuous)
    assert isinstance(ours.poisson, theirs.rv_discrete)
    assert ours.gamma(2.0).mean() == 2.0
    assert ours.norm.fit([1.0, 3.0]) == (2.0, 1.0)
    assert ours.norm.logpdf(0.5, 1, 2) == theirs.norm.logpdf(0.5, 1, 2)
    assert pickle.loads(pickle.dumps(ours.norm)) is ours.norm
    assert pickle.loads(pickle.dumps(ours.norm(1, 2))).mean() == 1


BOUNDED = [name for name in CONTINUOUS if np.any(np.isfinite(getattr(theirs, name).support(*SHAPES[name])))]


@pytest.mark.parametrize("name", BOUNDED)
def test_a_point_outside_of_the_support_has_gradient_zero_and_changes_no_other(name: str) -> None:
    shapes, density = SHAPES[name], getattr(ours, name).pdf
    low, high = getattr(theirs, name).support(*shapes, LOC, SCALE)
    outside = np.array([x for x in (low - 1, high + 1) if np.isfinite(x)])
    inside = middle(name, shapes)

    def total(x, *parameters):
        return np.sum(density(x, *parameters))

    parameters = tuple(map(float, (*shapes, LOC, SCALE)))
    places = tuple(range(len(parameters) + 1))
    by_all, *rest = tg.grad(total, places)(np.concatenate([outside, inside]), *parameters)
    by_inside, *expected = tg.grad(total, places)(inside, *parameters)
    np.testing.assert_array_equal(by_all[: len(outside)], 0)
    np.testing.assert_allclose(by_all[len(outside) :], by_inside)
    np.testing.assert_allclose(rest, expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ours.poisson.logpmf(tg.Tensor(1.0), 2.0), r"scipy\.stats\.poisson: a count or loc is a Tensor"),
        (lambda: ours.vonmises.cdf(tg.Tensor(1.0), 2.0), r"scipy\.stats\.vonmises\.cdf does not support Tensors"),
        (lambda: ours.betabinom.cdf(1, 5, tg.Tensor(1.0), 2.0), r"scipy\.stats\.betabinom\.cdf does not support"),
    ],
)
def test_what_is_not_supported_names_itself(call, message) -> None:
    with pytest.raises(NotImplementedError, match=message):
        call()
