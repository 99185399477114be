"""scipy.stats: distributions, and functions of samples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Handle
from tinygrad_cnn.engine.primitive import operand, to_values
from tinygrad_cnn.extras import extra
from tinygrad_cnn.replacements import fallback, holds_tensor, register, replaces

with extra("scipy", "tinygrad_cnn.scipy.stats"):
    from scipy import special
    from scipy import stats as scipys

    from tinygrad_cnn.scipy import _distributions, _multivariate

__getattr__, __dir__ = fallback(scipys, globals())
globals().update(_distributions.distributions)
dirichlet, multinomial = _multivariate.dirichlet, _multivariate.multinomial
multivariate_normal = _multivariate.multivariate_normal


def _sample(x: Any, axis: Any = 0) -> tuple[Any, Any]:
    """A sample as floats, and the axis along which its elements lie: of all of them that of the flat sample."""
    x = operand(x)
    if not isinstance(x, Handle):
        x = np.asarray(x) if np.asarray(x).dtype.kind == "f" else np.asarray(x, np.float64)
    return (np.ravel(x), 0) if axis is None else (x, axis)


def _kept(found: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """The statistic `found` with the axes of the sample x, if they are kept."""
    if not keepdims:
        return found
    return np.reshape(found, (1,) * np.ndim(x)) if axis is None else np.expand_dims(found, axis)


def _size(x: Any, axis: Any) -> int:
    return math.prod(x.shape[i] for i in (axis if isinstance(axis, tuple) else (axis,)))


def _moment(x: Any, order: int, axis: Any, center: Any = None) -> Any:
    mean = np.mean(x, axis, keepdims=True) if center is None else center
    return np.mean((x - mean) ** order, axis)


# Standard scores.


@replaces(scipys.zmap)
def zmap(scores: Any, compare: Any, axis: Any = 0, ddof: int = 0) -> Any:
    """As `scipy.stats.zmap`."""
    scores, compare = operand(scores), operand(compare)
    return (scores - np.mean(compare, axis, keepdims=True)) / np.std(compare, axis, ddof=ddof, keepdims=True)


@replaces(scipys.zscore)
def zscore(a: Any, axis: Any = 0, ddof: int = 0) -> Any:
    """As `scipy.stats.zscore`: of a sample without deviation it is NaN."""
    a = operand(a)
    mean, deviation = np.mean(a, axis, keepdims=True), np.std(a, axis, ddof=ddof, keepdims=True)
    none = to_values(deviation) <= np.abs(np.finfo(a.dtype).eps * to_values(mean))
    return (a - mean) / np.where(none, np.nan, deviation)


@replaces(scipys.gzscore)
def gzscore(a: Any, *, axis: Any = 0, ddof: int = 0) -> Any:
    """As `scipy.stats.gzscore`."""
    return zscore(np.log(operand(a)), axis, ddof)


# Moments.


@replaces(scipys.moment)
def moment(a: Any, order: Any = 1, axis: Any = 0, *, center: Any = None, keepdims: bool = False) -> Any:
    """As `scipy.stats.moment`, of one order."""
    if np.ndim(order) or order != int(order):
        raise NotImplementedError(
            f"scipy.stats.moment: order={order!r} is not supported for Tensors; expected an integer"
        )
    x, along = _sample(a, axis)
    if order == 1 and center is None:
        return _kept(0 * np.mean(x, along), a, axis, keepdims)
    return _kept(_moment(x, int(order), along, center), a, axis, keepdims)


@replaces(scipys.skew)
def skew(a: Any, axis: Any = 0, bias: bool = True, *, keepdims: bool = False) -> Any:
    """As `scipy.stats.skew`: of a sample without deviation it is NaN."""
    x, along = _sample(a, axis)
    n, m2 = _size(x, along), _spread(x, along)
    found = _moment(x, 3, along) / m2**1.5
    if not bias and n > 2:
        found = math.sqrt((n - 1) * n) / (n - 2) * found
    return _kept(found, a, axis, keepdims)


@replaces(scipys.kurtosis)
def kurtosis(a: Any, axis: Any = 0, fisher: bool = True, bias: bool = True, *, keepdims: bool = False) -> Any:
    """As `scipy.stats.kurtosis`: of a sample without deviation it is NaN."""
    x, along = _sample(a, axis)
    n, m2 = _size(x, along), _spread(x, along)
    found = _moment(x, 4, along) / m2**2
    if not bias and n > 3:
        found = ((n**2 - 1) * found - 3 * (n - 1) ** 2) / ((n - 2) * (n - 3)) + 3
    return _kept(found - 3 if fisher else found, a, axis, keepdims)


def _spread(x: Any, axis: Any) -> Any:
    """The second moment, or NaN if it is rounding error alone."""
    m2 = _moment(x, 2, axis)
    none = to_values(m2) <= (np.finfo(m2.dtype).eps * np.mean(to_values(x), axis)) ** 2
    return np.where(none, np.nan, m2)[()] if np.any(none) else m2


@replaces(scipys.sem)
def sem(a: Any, axis: Any = 0, ddof: int = 1, *, keepdims: bool = False) -> Any:
    """As `scipy.stats.sem`."""
    x, along = _sample(a, axis)
    return _kept(np.std(x, along, ddof=ddof) / math.sqrt(_size(x, along)), a, axis, keepdims)


@replaces(scipys.variation)
def variation(a: Any, axis: Any = 0, ddof: int = 0, *, keepdims: bool = False) -> Any:
    """As `scipy.stats.variation`."""
    x, along = _sample(a, axis)
    return _kept(np.std(x, along, ddof=ddof) / np.mean(x, along), a, axis, keepdims)


# Means.


def _mean(x: Any, weights: Any, axis: Any) -> Any:
    return np.mean(x, axis) if weights is None else np.average(x, axis, operand(weights))


@replaces(scipys.gmean)
def gmean(a: Any, axis: Any = 0, weights: Any = None, *, keepdims: bool = False) -> Any:
    """As `scipy.stats.gmean`."""
    x, along = _sample(a, axis)
    return _kept(np.exp(_mean(np.log(x), weights, along)), a, axis, keepdims)


@replaces(scipys.hmean)
def hmean(a: Any, axis: Any = 0, *, weights: Any = None, keepdims: bool = False) -> Any:
    """As `scipy.stats.hmean`."""
    x, along = _sample(a, axis)
    return _kept(1 / _mean(1 / _positive("hmean", x), weights, along), a, axis, keepdims)


@replaces(scipys.pmean)
def pmean(a: Any, p: Any, *, axis: Any = 0, weights: Any = None, keepdims: bool = False) -> Any:
    """As `scipy.stats.pmean`; the exponent p is a plain number."""
    if isinstance(p, Handle):
        raise NotImplementedError("scipy.stats.pmean: p is a Tensor; expected a plain number")
    if p == 0:
        return gmean(a, axis, weights=weights, keepdims=keepdims)
    x, along = _sample(a, axis)
    return _kept(_mean(_positive("pmean", x) ** float(p), weights, along) ** (1 / p), a, axis, keepdims)


def _positive(name: str, x: Any) -> Any:
    if np.any(to_values(x) < 0):
        raise ValueError(f"scipy.stats.{name}: a has negative elements; expected none")
    return x


@replaces(scipys.trim_mean)
def trim_mean(a: Any, proportiontocut: float, axis: Any = 0, *, keepdims: bool = False) -> Any:
    """As `scipy.stats.trim_mean`."""
    x, along = _sample(a, axis)
    cut = int(proportiontocut * x.shape[along])
    if 2 * cut > x.shape[along]:
        raise ValueError("Proportion too big.")
    inner = np.moveaxis(np.sort(x, along), along, 0)[cut : x.shape[along] - cut]
    return _kept(np.mean(inner, 0), a, axis, keepdims)


# Quantiles.


@replaces(scipys.iqr)
def iqr(x: Any, axis: Any = None, rng: Any = (25, 75), scale: Any = 1.0, keepdims: bool = False) -> Any:
    """As `scipy.stats.iqr`, by linear interpolation."""
    x = operand(x)
    low, high = np.percentile(x, sorted(rng), axis, keepdims=keepdims)
    return ((high - low) / (special.erfinv(0.5) * 2 * math.sqrt(2) if scale == "normal" else scale)).astype(x.dtype)


@replaces(scipys.median_abs_deviation)
def median_abs_deviation(x: Any, axis: Any = 0, scale: Any = 1.0, *, keepdims: bool = False) -> Any:
    """As `scipy.stats.median_abs_deviation`."""
    if isinstance(scale, str) and scale != "normal":
        raise ValueError(f"{scale} is not a valid scale value.")
    sample, along = _sample(x, axis)
    apart = np.abs(sample - np.median(sample, along, keepdims=True))
    return _kept(np.median(apart, along) / (0.6744897501960817 if scale == "normal" else scale), x, axis, keepdims)


# Information.


@replaces(scipys.entropy)
def entropy(pk: Any, qk: Any = None, base: Any = None, axis: Any = 0, *, keepdims: bool = False) -> Any:
    """As `scipy.stats.entropy`."""
    if base is not None and base <= 0:
        raise ValueError("`base` must be a positive number or `None`.")
    p, along = _sample(pk, axis)
    p = p / np.sum(p, along, keepdims=True)
    if qk is None:
        terms = special.entr(p)
    else:
        q, _ = _sample(qk, axis)
        terms = special.rel_entr(p, q / np.sum(q, along, keepdims=True))
    found = np.sum(terms, along)
    return _kept(found if base is None else found / math.log(base), pk, axis, keepdims)


# Directions.


def _directions(samples: Any, high: Any, low: Any, axis: Any) -> tuple[Any, Any]:
    """The mean sine and cosine of the samples as angles."""
    x, along = _sample(samples, axis)
    angles = x * (2 * np.pi / (high - low))
    return np.mean(np.sin(angles), along), np.mean(np.cos(angles), along)


@replaces(scipys.circmean)
def circmean(samples: Any, high: Any = 2 * np.pi, low: Any = 0, axis: Any = None, *, keepdims: bool = False) -> Any:
    """As `scipy.stats.circmean`."""
    period = high - low
    angle = np.arctan2(*_directions(samples, high, low, axis))
    return _kept((angle * (period / (2 * np.pi)) - low) % period + low, samples, axis, keepdims)


@replaces(scipys.circvar)
def circvar(samples: Any, high: Any = 2 * np.pi, low: Any = 0, axis: Any = None, *, keepdims: bool = False) -> Any:
    """As `scipy.stats.circvar`."""
    return _kept(1 - np.hypot(*_directions(samples, high, low, axis)), samples, axis, keepdims)


@replaces(scipys.circstd)
def circstd(
    samples: Any,
    high: Any = 2 * np.pi,
    low: Any = 0,
    axis: Any = None,
    *,
    normalize: bool = False,
    keepdims: bool = False,
) -> Any:  # fmt: skip
    """As `scipy.stats.circstd`."""
    found = np.sqrt(-2 * np.log(np.hypot(*_directions(samples, high, low, axis))))
    return _kept(found if normalize else found * ((high - low) / (2 * np.pi)), samples, axis, keepdims)


# Correlation.


def _correlation(x: Any, y: Any) -> Any:
    x, y = x - np.mean(x, -1, keepdims=True), y - np.mean(y, -1, keepdims=True)
    return np.sum(x * y, -1) / (np.linalg.norm(x, axis=-1) * np.linalg.norm(y, axis=-1))


@replaces(scipys.pearsonr)
def pearsonr(x: Any, y: Any, *, alternative: str = "two-sided", axis: Any = 0) -> Any:
    """As `scipy.stats.pearsonr`; the statistic and the p-value are Tensors."""
    plain = scipys.pearsonr(to_values(operand(x)), to_values(operand(y)), alternative=alternative, axis=axis)
    (x, axis), (y, _) = _sample(x, axis), _sample(y, axis)
    x, y = np.moveaxis(x, axis, -1), np.moveaxis(y, axis, -1)
    statistic, n = _correlation(x, y), x.shape[-1]

    def result(pvalue: Any) -> Any:
        return type(plain)(statistic=statistic, pvalue=pvalue, alternative=alternative, n=n, x=x, y=y, axis=-1)

    if n == 2:
        return result(plain.pvalue)
    tail = {"two-sided": np.abs(statistic), "greater": statistic, "less": -statistic}[alternative]
    pvalue = special.betaincc(n / 2 - 1, n / 2 - 1, (1 + tail) / 2) * (2 if alternative == "two-sided" else 1)
    return result(pvalue)


@replaces(scipys.linregress)
def linregress(x: Any, y: Any, alternative: str = "two-sided") -> Any:
    """As `scipy.stats.linregress`, of two vectors; all results are Tensors."""
    x, y = operand(x).astype(np.float64), operand(y).astype(np.float64)
    plain = scipys.linregress(to_values(x), to_values(y), alternative=alternative)
    n, mean = len(x), np.mean(x)
    xx, yy = np.mean((x - mean) ** 2), np.mean((y - np.mean(y)) ** 2)
    slope = np.mean((x - mean) * (y - np.mean(y))) / xx
    intercept = np.mean(y) - slope * mean
    if n == 2:
        return type(plain)(slope, intercept, plain.rvalue, plain.pvalue, 0.0, intercept_stderr=0.0)
    r = _correlation(x, y)
    t = r * np.sqrt((n - 2) / ((1 - r + 1e-20) * (1 + r + 1e-20)))
    tail = {"two-sided": -np.abs(t), "greater": -t, "less": t}[alternative]
    pvalue = special.stdtr(n - 2, tail) * (2 if alternative == "two-sided" else 1)
    error = np.sqrt((1 - r**2) * yy / xx / (n - 2))
    return type(plain)(slope, intercept, r, pvalue, error, intercept_stderr=error * np.sqrt(xx + mean**2))


# Kernel densities.


class gaussian_kde(scipys.gaussian_kde):  # type: ignore[misc]  # noqa: N801 (SciPy's name)
    """As `scipy.stats.gaussian_kde`, of plain data, evaluated at Tensors."""

    def evaluate(self, points: Any) -> Any:
        """As SciPy's."""
        if not holds_tensor((points,)):
            return super().evaluate(points)
        return np.sum(self.weights * np.exp(self._exponents(points)), -1) * np.exp(-self.log_det / 2)

    def logpdf(self, x: Any) -> Any:
        """As SciPy's."""
        if not holds_tensor((x,)):
            return super().logpdf(x)
        exponents = self._exponents(x)
        largest = np.max(to_values(exponents), -1, keepdims=True)
        total = np.sum(self.weights * np.exp(exponents - largest), -1)
        return np.log(total) + largest[..., 0] - self.log_det / 2

    __call__ = evaluate

    def _exponents(self, points: Any) -> Any:
        """Those of the kernels: (points, data)."""
        points = np.atleast_2d(operand(points).astype(np.float64))
        if points.shape[0] != self.d:
            if points.shape != (1, self.d):
                raise ValueError(f"points have dimension {points.shape[0]}, dataset has dimension {self.d}")
            points = points.T
        whitening = np.linalg.inv(self.cho_cov)
        apart = (whitening @ points)[:, :, None] - (whitening @ self.dataset)[:, None]
        return -np.sum(apart * apart, 0) / 2


register(scipys.gaussian_kde, gaussian_kde)
