"""Distributions in their standard form: with loc=0 and scale=1, and between the ends of the support.

A function here is given the point x (or the probability q) and the shape parameters, in SciPy's order. What a
distribution does not define follows from the rest: see `_distributions`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special as s

from tinygrad_cnn.engine.graph import Array

Function = Callable[..., Any]


@dataclasses.dataclass(frozen=True)
class Standard:
    """The functions of a distribution: `log` is that of its density, or of the mass of a discrete one."""

    log: Function
    cdf: Function | None = None
    sf: Function | None = None
    logcdf: Function | None = None
    logsf: Function | None = None
    ppf: Function | None = None
    isf: Function | None = None


_LN_2, _LN_PI, _LN_2_PI, _ROOT_2 = math.log(2), math.log(math.pi), math.log(2 * math.pi), math.sqrt(2)


def _log(x: Array) -> Array:
    """log(x), and -inf at 0 with slope 0: the density is 0 there."""
    none = np.equal(x, 0)
    return np.where(none, -np.inf, np.log(np.where(none, 1, x)))


def _none_at_0(log: Function) -> Function:
    """The logarithm of a density that is 0 at 0, where it has slope 0."""

    def function(x: Array, *shapes: Array) -> Array:
        none = np.equal(x, 0)
        return np.where(none, -np.inf, log(np.where(none, 1, x), *shapes))

    return function


def _t(x: Array, df: Array) -> Array:
    finite = np.isfinite(df)
    n = np.where(finite, df, 1)
    log = np.log(s.poch(n / 2, 0.5)) - (_LN_PI + np.log(n)) / 2 - (n + 1) / 2 * np.log1p(x * x / n)
    return np.where(finite, log, -(x * x + _LN_2_PI) / 2)


def _f(x: Array, n: Array, m: Array) -> Array:
    powers = s.xlogy(n / 2 - 1, x) + n / 2 * np.log(n) + m / 2 * np.log(m)
    return powers - (n + m) / 2 * np.log(m + n * x) - s.betaln(n / 2, m / 2)


@_none_at_0
def _lognorm(x: Array, width: Array) -> Array:
    log = np.log(x)
    return -((log / width) ** 2) / 2 - log - np.log(width) - _LN_2_PI / 2


def _log_between(a: Array, b: Array) -> Array:
    """log(Phi(b) - Phi(a)), in the tail that loses no digits."""
    right = np.greater(a, 0)
    low, high = np.where(right, -b, a), np.where(right, -a, b)
    above = s.log_ndtr(high)
    return above + np.log(-np.expm1(s.log_ndtr(low) - above))


def _log1p_over(x: Array) -> Array:
    """log(1 + x) / x, smooth at 0."""
    return s.hyp2f1(1, 1, 2, -x)


def _genextreme_log(x: Array, c: Array) -> Array:  # of the expected number of larger ones
    return -x * _log1p_over(-c * x)


def _invgauss_logcdf(x: Array, mu: Array) -> Array:
    root = np.sqrt(x)
    below, tail = s.log_ndtr((x / mu - 1) / root), 2 / mu + s.log_ndtr(-(x / mu + 1) / root)
    return np.logaddexp(below, tail)


def _invgauss_logsf(x: Array, mu: Array) -> Array:
    root = np.sqrt(x)
    above, tail = s.log_ndtr((1 - x / mu) / root), 2 / mu + s.log_ndtr(-(x / mu + 1) / root)
    return above + np.log1p(-np.exp(tail - above))


@_none_at_0
def _invgauss(x: Array, mu: Array) -> Array:
    return -_LN_2_PI / 2 - 1.5 * np.log(x) - (x / mu - 1) ** 2 / (2 * x)


def _exponnorm_tail(x: Array, k: Array) -> Array:
    return np.exp((0.5 / k - x) / k + s.log_ndtr(x - 1 / k))


def _triang(x: Array, c: Array) -> Array:
    rising = np.less(x, c) | np.equal(c, 1)
    height = np.where(rising, x / np.where(rising, np.where(np.equal(c, 0), 1, c), 1), 0)
    falling = np.where(rising, 0, (1 - x) / np.where(rising, 1, 1 - np.where(rising, 0, c)))
    return _LN_2 + _log(height + falling)


def _triang_cdf(x: Array, c: Array) -> Array:
    rising = np.less(x, c) | np.equal(c, 1)
    below = x * x / np.where(rising, c, 1)
    return np.where(rising, below, 1 - (1 - x) ** 2 / (1 - np.where(rising, 0, c)))


def _gennorm_tail(x: Array, beta: Array) -> Array:
    return s.gammaincc(1 / beta, np.abs(x) ** beta) / 2


def _choose(n: Array, k: Array) -> Array:
    return -np.log(n + 1) - s.betaln(n - k + 1, k + 1)


def _binom(k: Array, n: Array, p: Array) -> Array:
    counted = s.gammaln(n + 1) - s.gammaln(k + 1) - s.gammaln(n - k + 1)
    return counted + s.xlogy(k, p) + s.xlog1py(n - k, -p)


CONTINUOUS: dict[str, Standard] = {
    "norm": Standard(
        lambda x: -(x * x + _LN_2_PI) / 2,
        cdf=s.ndtr, sf=lambda x: s.ndtr(-x), logcdf=s.log_ndtr, logsf=lambda x: s.log_ndtr(-x),
        ppf=s.ndtri, isf=lambda q: -s.ndtri(q),
    ),
    "t": Standard(
        _t,
        cdf=lambda x, df: s.stdtr(df, x), sf=lambda x, df: s.stdtr(df, -x),
        ppf=lambda q, df: s.stdtrit(df, q), isf=lambda q, df: -s.stdtrit(df, q),
    ),
    "gamma": Standard(
        lambda x, a: s.xlogy(a - 1, x) - x - s.gammaln(a),
        cdf=lambda x, a: s.gammainc(a, x), sf=lambda x, a: s.gammaincc(a, x),
        ppf=lambda q, a: s.gammaincinv(a, q), isf=lambda q, a: s.gammainccinv(a, q),
    ),
    "beta": Standard(
        lambda x, a, b: s.xlogy(a - 1, x) + s.xlog1py(b - 1, -x) - s.betaln(a, b),
        cdf=lambda x, a, b: s.betainc(a, b, x), sf=lambda x, a, b: s.betaincc(a, b, x),
        ppf=lambda q, a, b: s.betaincinv(a, b, q), isf=lambda q, a, b: s.betainccinv(a, b, q),
    ),
    "expon": Standard(
        lambda x: -x,
        cdf=lambda x: -np.expm1(-x), logsf=lambda x: -x,
        ppf=lambda q: -np.log1p(-q), isf=lambda q: -np.log(q),
    ),
    "uniform": Standard(lambda x: 0 * x, cdf=lambda x: x, ppf=lambda q: q),
    "lognorm": Standard(
        _lognorm,
        cdf=lambda x, w: s.ndtr(np.log(x) / w), sf=lambda x, w: s.ndtr(-np.log(x) / w),
        logcdf=lambda x, w: s.log_ndtr(np.log(x) / w), logsf=lambda x, w: s.log_ndtr(-np.log(x) / w),
        ppf=lambda q, w: np.exp(w * s.ndtri(q)), isf=lambda q, w: np.exp(-w * s.ndtri(q)),
    ),
    "chi2": Standard(
        lambda x, df: s.xlogy(df / 2 - 1, x) - x / 2 - s.gammaln(df / 2) - _LN_2 / 2 * df,
        cdf=lambda x, df: s.chdtr(df, x), sf=lambda x, df: s.chdtrc(df, x),
        ppf=lambda q, df: 2 * s.gammaincinv(df / 2, q), isf=lambda q, df: s.chdtri(df, q),
    ),
    "f": Standard(
        _f,
        cdf=lambda x, n, m: s.fdtr(n, m, x), sf=lambda x, n, m: s.fdtrc(n, m, x),
        ppf=lambda q, n, m: s.fdtri(n, m, q),
    ),
    "laplace": Standard(
        lambda x: -_LN_2 - np.abs(x),
        cdf=lambda x: np.where(x > 0, 1 - np.exp(-np.abs(x)) / 2, np.exp(-np.abs(x)) / 2),
        sf=lambda x: np.where(x > 0, np.exp(-np.abs(x)) / 2, 1 - np.exp(-np.abs(x)) / 2),
        ppf=lambda q: np.where(q > 0.5, -1, 1) * np.log(2 * np.minimum(q, 1 - q)),
    ),
    "logistic": Standard(
        lambda x: s.log_expit(x) + s.log_expit(-x),
        cdf=s.expit, sf=lambda x: s.expit(-x), logcdf=s.log_expit, logsf=lambda x: s.log_expit(-x),
        ppf=s.logit, isf=lambda q: -s.logit(q),
    ),
    "cauchy": Standard(
        lambda x: -_LN_PI - np.log1p(x * x),
        cdf=lambda x: np.arctan2(1, -x) / np.pi, sf=lambda x: np.arctan2(1, x) / np.pi,
        ppf=lambda q: -1 / np.tan(np.pi * q), isf=lambda q: 1 / np.tan(np.pi * q),
    ),
    "weibull_min": Standard(
        lambda x, c: np.log(c) + s.xlogy(c - 1, x) - x**c,
        cdf=lambda x, c: -np.expm1(-(x**c)), logsf=lambda x, c: -(x**c),
        ppf=lambda q, c: (-np.log1p(-q)) ** (1 / c), isf=lambda q, c: (-np.log(q)) ** (1 / c),
    ),
    "weibull_max": Standard(
        lambda x, c: np.log(c) + s.xlogy(c - 1, -x) - (-x) ** c,
        logcdf=lambda x, c: -((-x) ** c), sf=lambda x, c: -np.expm1(-((-x) ** c)),
        ppf=lambda q, c: -((-np.log(q)) ** (1 / c)),
    ),
    "pareto": Standard(
        lambda x, b: np.log(b) - (b + 1) * np.log(x),
        cdf=lambda x, b: -np.expm1(-b * np.log(x)), logsf=lambda x, b: -b * np.log(x),
        ppf=lambda q, b: np.exp(-np.log1p(-q) / b), isf=lambda q, b: q ** (-1 / b),
    ),
    "lomax": Standard(
        lambda x, c: np.log(c) - (c + 1) * np.log1p(x),
        cdf=lambda x, c: -np.expm1(-c * np.log1p(x)), logsf=lambda x, c: -c * np.log1p(x),
        ppf=lambda q, c: np.expm1(-np.log1p(-q) / c),
    ),
    "gumbel_r": Standard(
        lambda x: -x - np.exp(-x),
        logcdf=lambda x: -np.exp(-x), sf=lambda x: -np.expm1(-np.exp(-x)),
        ppf=lambda q: -np.log(-np.log(q)), isf=lambda q: -np.log(-np.log1p(-q)),
    ),
    "gumbel_l": Standard(
        lambda x: x - np.exp(x),
        cdf=lambda x: -np.expm1(-np.exp(x)), logsf=lambda x: -np.exp(x),
        ppf=lambda q: np.log(-np.log1p(-q)), isf=lambda q: np.log(-np.log(q)),
    ),
    "truncnorm": Standard(
        lambda x, a, b: -(x * x + _LN_2_PI) / 2 - _log_between(a, b),
        logcdf=lambda x, a, b: _log_between(a, x) - _log_between(a, b),
        logsf=lambda x, a, b: _log_between(x, b) - _log_between(a, b),
    ),
    "invgamma": Standard(
        _none_at_0(lambda x, a: -(a + 1) * np.log(x) - s.gammaln(a) - 1 / x),
        cdf=lambda x, a: s.gammaincc(a, 1 / x), sf=lambda x, a: s.gammainc(a, 1 / x),
        ppf=lambda q, a: 1 / s.gammainccinv(a, q), isf=lambda q, a: 1 / s.gammaincinv(a, q),
    ),
    "halfnorm": Standard(
        lambda x: (_LN_2 - _LN_PI - x * x) / 2,
        cdf=lambda x: s.erf(x / _ROOT_2), sf=lambda x: s.erfc(x / _ROOT_2),
        ppf=lambda q: s.ndtri((1 + q) / 2), isf=lambda q: -s.ndtri(q / 2),
    ),
    "rayleigh": Standard(
        lambda x: _log(x) - x * x / 2,
        cdf=lambda x: -np.expm1(-x * x / 2), logsf=lambda x: -x * x / 2,
        ppf=lambda q: np.sqrt(-2 * np.log1p(-q)), isf=lambda q: np.sqrt(-2 * np.log(q)),
    ),
    "maxwell": Standard(
        lambda x: (_LN_2 - _LN_PI - x * x) / 2 + 2 * _log(x),
        cdf=lambda x: s.gammainc(1.5, x * x / 2), sf=lambda x: s.gammaincc(1.5, x * x / 2),
        ppf=lambda q: np.sqrt(2 * s.gammaincinv(1.5, q)), isf=lambda q: np.sqrt(2 * s.gammainccinv(1.5, q)),
    ),
    "chi": Standard(
        lambda x, df: s.xlogy(df - 1, x) - x * x / 2 - s.gammaln(df / 2) + _LN_2 * (1 - df / 2),
        cdf=lambda x, df: s.gammainc(df / 2, x * x / 2), sf=lambda x, df: s.gammaincc(df / 2, x * x / 2),
        ppf=lambda q, df: np.sqrt(2 * s.gammaincinv(df / 2, q)),
        isf=lambda q, df: np.sqrt(2 * s.gammainccinv(df / 2, q)),
    ),
    "halfcauchy": Standard(
        lambda x: _LN_2 - _LN_PI - np.log1p(x * x),
        cdf=lambda x: 2 / np.pi * np.arctan(x), sf=lambda x: 2 / np.pi * np.arctan2(1, x),
        ppf=lambda q: np.tan(np.pi / 2 * q), isf=lambda q: 1 / np.tan(np.pi / 2 * q),
    ),
    "invgauss": Standard(_invgauss, logcdf=_invgauss_logcdf, logsf=_invgauss_logsf),
    "wald": Standard(
        lambda x: _invgauss(x, 1.0),
        logcdf=lambda x: _invgauss_logcdf(x, 1.0), logsf=lambda x: _invgauss_logsf(x, 1.0),
    ),
    "skewnorm": Standard(
        lambda x, a: _LN_2 - (x * x + _LN_2_PI) / 2 + s.log_ndtr(a * x),
        cdf=lambda x, a: s.ndtr(x) - 2 * s.owens_t(x, a), sf=lambda x, a: s.ndtr(-x) + 2 * s.owens_t(x, a),
    ),
    "genextreme": Standard(
        lambda x, c: _genextreme_log(x, c) - np.exp(_genextreme_log(x, c)) - np.log1p(-c * x),
        logcdf=lambda x, c: -np.exp(_genextreme_log(x, c)),
        sf=lambda x, c: -np.expm1(-np.exp(_genextreme_log(x, c))),
        ppf=lambda q, c: -np.log(-np.log(q)) * s.exprel(c * np.log(-np.log(q))),
    ),
    "genpareto": Standard(
        lambda x, c: -(c + 1) * x * _log1p_over(c * x),
        cdf=lambda x, c: -np.expm1(-x * _log1p_over(c * x)), logsf=lambda x, c: -x * _log1p_over(c * x),
        ppf=lambda q, c: -s.boxcox1p(-q, -c), isf=lambda q, c: -s.boxcox(q, -c),
    ),
    "triang": Standard(_triang, cdf=_triang_cdf),
    "powerlaw": Standard(
        lambda x, a: np.log(a) + s.xlogy(a - 1, x),
        logcdf=lambda x, a: a * np.log(x), sf=lambda x, a: -np.expm1(a * np.log(x)),
        ppf=lambda q, a: q ** (1 / a),
    ),
    "exponnorm": Standard(
        lambda x, k: -np.log(k) + (0.5 / k - x) / k + s.log_ndtr(x - 1 / k),
        cdf=lambda x, k: s.ndtr(x) - _exponnorm_tail(x, k), sf=lambda x, k: s.ndtr(-x) + _exponnorm_tail(x, k),
    ),
    "vonmises": Standard(lambda x, kappa: kappa * s.cosm1(x) - _LN_2_PI - np.log(s.i0e(kappa))),
    "loguniform": Standard(
        lambda x, a, b: -np.log(x) - np.log(np.log(b) - np.log(a)),
        cdf=lambda x, a, b: (np.log(x) - np.log(a)) / (np.log(b) - np.log(a)),
        ppf=lambda q, a, b: np.exp(np.log(a) + q * (np.log(b) - np.log(a))),
    ),
    "gennorm": Standard(
        lambda x, beta: np.log(beta) - _LN_2 - s.gammaln(1 / beta) - np.abs(x) ** beta,
        cdf=lambda x, beta: np.where(x > 0, 1 - _gennorm_tail(x, beta), _gennorm_tail(x, beta)),
        sf=lambda x, beta: np.where(x > 0, _gennorm_tail(x, beta), 1 - _gennorm_tail(x, beta)),
    ),
    "fisk": Standard(
        lambda x, c: np.log(c) + s.xlogy(c - 1, x) - 2 * np.log1p(x**c),
        cdf=lambda x, c: s.expit(c * np.log(x)), sf=lambda x, c: s.expit(-c * np.log(x)),
        logcdf=lambda x, c: s.log_expit(c * np.log(x)), logsf=lambda x, c: s.log_expit(-c * np.log(x)),
        ppf=lambda q, c: np.exp(s.logit(q) / c), isf=lambda q, c: np.exp(-s.logit(q) / c),
    ),
    "burr12": Standard(
        lambda x, c, d: np.log(c) + np.log(d) + s.xlogy(c - 1, x) - (d + 1) * np.log1p(x**c),
        cdf=lambda x, c, d: -np.expm1(-d * np.log1p(x**c)), logsf=lambda x, c, d: -d * np.log1p(x**c),
    ),
    "gompertz": Standard(
        lambda x, c: np.log(c) + x - c * np.expm1(x),
        cdf=lambda x, c: -np.expm1(-c * np.expm1(x)), logsf=lambda x, c: -c * np.expm1(x),
        ppf=lambda q, c: np.log1p(-np.log1p(-q) / c), isf=lambda q, c: np.log1p(-np.log(q) / c),
    ),
    "hypsecant": Standard(
        lambda x: _LN_2 - _LN_PI - np.abs(x) - np.log1p(np.exp(-2 * np.abs(x))),
        cdf=lambda x: 2 / np.pi * np.arctan(np.exp(x)), sf=lambda x: 2 / np.pi * np.arctan(np.exp(-x)),
        ppf=lambda q: np.log(np.tan(np.pi / 2 * q)), isf=lambda q: -np.log(np.tan(np.pi / 2 * q)),
    ),
    "johnsonsu": Standard(
        lambda x, a, b: np.log(b) - np.log1p(x * x) / 2 - ((a + b * np.arcsinh(x)) ** 2 + _LN_2_PI) / 2,
        cdf=lambda x, a, b: s.ndtr(a + b * np.arcsinh(x)), sf=lambda x, a, b: s.ndtr(-a - b * np.arcsinh(x)),
        ppf=lambda q, a, b: np.sinh((s.ndtri(q) - a) / b), isf=lambda q, a, b: np.sinh((-s.ndtri(q) - a) / b),
    ),
    "loggamma": Standard(
        lambda x, c: c * x - np.exp(x) - s.gammaln(c),
        cdf=lambda x, c: s.gammainc(c, np.exp(x)), sf=lambda x, c: s.gammaincc(c, np.exp(x)),
    ),
    "exponweib": Standard(
        lambda x, a, c: np.log(a * c) + s.xlogy(a - 1, -np.expm1(-(x**c))) - x**c + s.xlogy(c - 1, x),
        logcdf=lambda x, a, c: a * np.log(-np.expm1(-(x**c))),
    ),
    "invweibull": Standard(
        _none_at_0(lambda x, c: np.log(c) - (c + 1) * np.log(x) - x**-c),
        logcdf=lambda x, c: -(x**-c), sf=lambda x, c: -np.expm1(-(x**-c)),
    ),
    "foldnorm": Standard(
        lambda x, c: np.logaddexp(c * x, -c * x) - (x * x + c * c + _LN_2_PI) / 2,
        cdf=lambda x, c: (s.erf((x - c) / _ROOT_2) + s.erf((x + c) / _ROOT_2)) / 2,
        sf=lambda x, c: s.ndtr(c - x) + s.ndtr(-c - x),
    ),
    "rice": Standard(lambda x, b: _log(x) - (x - b) ** 2 / 2 + np.log(s.i0e(x * b))),
}  # fmt: skip
CONTINUOUS["erlang"] = CONTINUOUS["gamma"]
CONTINUOUS["reciprocal"] = CONTINUOUS["loguniform"]

# Of counts k, which are plain numbers: whole ones for `log`, any for the others.
DISCRETE: dict[str, Standard] = {
    "poisson": Standard(
        lambda k, mu: s.xlogy(k, mu) - s.gammaln(k + 1) - mu,
        cdf=lambda k, mu: s.pdtr(np.floor(k), mu), sf=lambda k, mu: s.pdtrc(np.floor(k), mu),
    ),
    "binom": Standard(
        _binom,
        cdf=lambda k, n, p: s.betaincc(np.floor(k) + 1, n - np.floor(k), p),
        sf=lambda k, n, p: s.betainc(np.floor(k) + 1, n - np.floor(k), p),
    ),
    "bernoulli": Standard(lambda k, p: _binom(k, 1, p), cdf=lambda k, p: 1 - p, sf=lambda k, p: p),
    "nbinom": Standard(
        lambda k, n, p: s.gammaln(n + k) - s.gammaln(k + 1) - s.gammaln(n) + n * np.log(p) + s.xlog1py(k, -p),
        cdf=lambda k, n, p: s.betainc(n, np.floor(k) + 1, p), sf=lambda k, n, p: s.betaincc(n, np.floor(k) + 1, p),
    ),
    "geom": Standard(
        lambda k, p: s.xlog1py(k - 1, -p) + np.log(p),
        cdf=lambda k, p: -np.expm1(np.floor(k) * np.log1p(-p)), logsf=lambda k, p: np.floor(k) * np.log1p(-p),
    ),
    "betabinom": Standard(lambda k, n, a, b: _choose(n, k) + s.betaln(k + a, n - k + b) - s.betaln(a, b)),
}  # fmt: skip
