"""Distributions of vectors: the logarithm of the density of multivariate_normal, dirichlet and multinomial."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import gammaln, xlogy

from tinygrad_cnn.engine.graph import Handle
from tinygrad_cnn.engine.primitive import operand, to_values
from tinygrad_cnn.replacements import holds_tensor, register

_LN_2_PI = math.log(2 * math.pi)
_Normal: Any = type(stats.multivariate_normal)
_FrozenNormal: Any = type(stats.multivariate_normal())


def _floats(x: Any) -> Any:
    x = operand(x)
    return x.astype(np.float64) if isinstance(x, Handle) else np.asarray(x, np.float64)  # type: ignore[attr-defined]


def _squeezed(x: Any) -> Any:
    x = np.squeeze(x)
    return x if x.ndim else x[()]


def _normal_logpdf(x: Any, mean: Any, cov: Any, dim: int) -> Any:
    """The rows of x are points. Of the covariance the lower triangle is read, as SciPy reads it."""
    x = _floats(x)
    if x.ndim < 2:
        x = x.reshape((-1, 1) if dim == 1 and x.ndim else (1, -1))
    mean = np.zeros(dim) if mean is None else np.reshape(_floats(mean), (dim,))
    cov = _floats(cov)
    cov = cov * np.eye(dim) if cov.ndim == 0 else np.diag(cov) if cov.ndim == 1 else cov
    factor = np.linalg.cholesky(cov)
    apart = np.linalg.solve(factor, np.reshape(x - mean, (-1, dim)).T)
    log_root = np.sum(np.log(np.diagonal(factor)))
    found = -np.sum(apart * apart, 0) / 2 - log_root - dim * _LN_2_PI / 2
    return _squeezed(found.reshape(np.broadcast_shapes(x.shape, (dim,))[:-1]))


def _covariance(cov: Any, dim: int, allow_singular: bool) -> Any:
    """The matrix of a covariance, which has to be regular."""
    if isinstance(cov, stats.Covariance):
        cov = cov.covariance
    if allow_singular and not holds_tensor((cov,)) and np.linalg.matrix_rank(np.atleast_2d(cov)) < dim:
        raise NotImplementedError(
            "scipy.stats.multivariate_normal: a singular covariance is not supported for Tensors; expected "
            "a regular one"
        )
    return cov


class _AwareNormal(_Normal):  # type: ignore[misc]
    """As `scipy.stats.multivariate_normal`."""

    def __call__(
        self, mean: Any = None, cov: Any = 1, allow_singular: bool = False, seed: Any = None, **more: Any
    ) -> Any:
        """The distribution with that mean and covariance, whose logpdf and pdf take Tensors."""
        if holds_tensor((mean, cov)):
            return _NormalOfTensors(self, mean, cov, allow_singular)
        return _AwareFrozenNormal(mean, cov, allow_singular, seed, **more)

    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """As SciPy's `logpdf`."""
        if not holds_tensor((x, mean, cov)):
            return super().logpdf(x, mean, cov, allow_singular)
        dim, _, _ = self._process_parameters(*(to_values(_listed(v)) for v in (mean, cov)), allow_singular)
        return _normal_logpdf(x, mean, _covariance(cov, dim, allow_singular), dim)

    def pdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """As SciPy's `pdf`."""
        if not holds_tensor((x, mean, cov)):
            return super().pdf(x, mean, cov, allow_singular)
        return np.exp(self.logpdf(x, mean, cov, allow_singular))


def _listed(x: Any) -> Any:
    return operand(x) if isinstance(x, list | tuple) else x


class _AwareFrozenNormal(_FrozenNormal):  # type: ignore[misc]
    """As SciPy's, for points that are Tensors."""

    def logpdf(self, x: Any) -> Any:
        if not holds_tensor((x,)):
            return super().logpdf(x)
        cov = _covariance(self.cov_object.covariance, self.dim, self.allow_singular)
        return _normal_logpdf(x, self.mean, cov, self.dim)

    def pdf(self, x: Any) -> Any:
        return np.exp(self.logpdf(x)) if holds_tensor((x,)) else super().pdf(x)


class _NormalOfTensors:
    """A frozen multivariate normal distribution whose mean or covariance is a Tensor."""

    def __init__(self, dist: Any, mean: Any, cov: Any, allow_singular: bool) -> None:
        self._dist, self.mean, self.cov, self.allow_singular = dist, mean, cov, allow_singular

    def logpdf(self, x: Any) -> Any:
        """As SciPy's `logpdf`."""
        return self._dist.logpdf(x, self.mean, self.cov, self.allow_singular)

    def pdf(self, x: Any) -> Any:
        """As SciPy's `pdf`."""
        return self._dist.pdf(x, self.mean, self.cov, self.allow_singular)


class _AwareDirichlet(type(stats.dirichlet)):  # type: ignore[misc]
    """As `scipy.stats.dirichlet`."""

    def logpdf(self, x: Any, alpha: Any) -> Any:
        """As SciPy's `logpdf`."""
        if not holds_tensor((x, alpha)):
            return super().logpdf(x, alpha)
        x, alpha = _floats(x), _floats(alpha)
        super().logpdf(to_values(x), to_values(alpha))  # SciPy's own errors of arguments
        if x.shape[0] != alpha.shape[0]:
            x = np.concatenate([x, 1 - np.sum(x, 0, keepdims=True)])
        constant = np.sum(gammaln(alpha)) - gammaln(np.sum(alpha))
        return _squeezed(np.sum(xlogy(alpha - 1, x.T).T, 0) - constant)

    def pdf(self, x: Any, alpha: Any) -> Any:
        """As SciPy's `pdf`."""
        return np.exp(self.logpdf(x, alpha)) if holds_tensor((x, alpha)) else super().pdf(x, alpha)


class _AwareMultinomial(type(stats.multinomial)):  # type: ignore[misc]
    """As `scipy.stats.multinomial`, with respect to p."""

    def logpmf(self, x: Any, n: Any, p: Any) -> Any:
        """As SciPy's `logpmf`; the counts x and n are plain."""
        if not holds_tensor((x, n, p)):
            return super().logpmf(x, n, p)
        if holds_tensor((x, n)):
            raise NotImplementedError(
                "scipy.stats.multinomial: x or n is a Tensor; expected plain numbers, as they are "
                "counts. Pass its .value"
            )
        p = _floats(p)
        plain = super().logpmf(x, n, to_values(p))
        found = gammaln(np.asarray(n) + 1) + np.sum(xlogy(np.asarray(x), p) - gammaln(np.asarray(x) + 1), -1)
        return np.where(np.isfinite(plain), found, plain)

    def pmf(self, x: Any, n: Any, p: Any) -> Any:
        """As SciPy's `pmf`."""
        return np.exp(self.logpmf(x, n, p)) if holds_tensor((x, n, p)) else super().pmf(x, n, p)


def _aware(original: Any, kind: type) -> Any:
    made: Any = object.__new__(kind)
    made.__dict__.update(original.__dict__)
    register(original, made)
    return made


multivariate_normal = _aware(stats.multivariate_normal, _AwareNormal)
dirichlet = _aware(stats.dirichlet, _AwareDirichlet)
multinomial = _aware(stats.multinomial, _AwareMultinomial)
