"""Distributions of scipy.stats that take Tensors: for a point, loc, scale and the shape parameters.

A distribution here is an object of a subclass of its class in SciPy, and so is in all other respects what SciPy's is;
`frozen = norm(loc, scale)` takes Tensors too, as SciPy's frozen distribution calls the methods here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from tinygrad_cnn.engine.graph import Handle
from tinygrad_cnn.engine.primitive import operand, to_values
from tinygrad_cnn.replacements import holds_tensor, register
from tinygrad_cnn.scipy._densities import CONTINUOUS, DISCRETE, Standard

# What each method returns below its support, above it, and what it is made from if the distribution does not define it.
_METHODS: dict[str, tuple[float, float, Callable[[Standard], Any]]] = {
    "log": (-np.inf, -np.inf, lambda d: d.log),
    "density": (0, 0, lambda d: lambda x, *shapes: np.exp(d.log(x, *shapes))),
    "cdf": (0, 1, lambda d: d.cdf or _exp(d.logcdf) or _rest(d.sf)),
    "sf": (1, 0, lambda d: d.sf or _exp(d.logsf) or _rest(d.cdf)),
    "logcdf": (-np.inf, 0, lambda d: d.logcdf or _log(_METHODS["cdf"][2](d))),
    "logsf": (0, -np.inf, lambda d: d.logsf or _log(_METHODS["sf"][2](d))),
}


def _exp(f: Any) -> Any:
    return f and (lambda *args: np.exp(f(*args)))


def _log(f: Any) -> Any:
    return f and (lambda *args: np.log(f(*args)))


def _rest(f: Any) -> Any:
    return f and (lambda *args: 1 - f(*args))


def _method(name: str, key: str) -> Callable[..., Any]:
    """A method of a distribution: SciPy's own without a Tensor."""

    def method(self: Any, x: Any, *args: Any, **keywords: Any) -> Any:
        if not holds_tensor((x, *args)) and not (keywords and holds_tensor(keywords.values())):
            return getattr(super(_Distribution, self), name)(x, *args, **keywords)
        shapes, loc, scale = self._parse_args(*args, **keywords)
        function = self.standard_function(name, key)
        with np.errstate(all="ignore"):
            return self.on_tensors(key, function, _operand(x), _operand(loc), _operand(scale), map(_operand, shapes))

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"As SciPy's `{name}`."
    return method


def _operand(x: Any) -> Any:
    """In double precision, in which scipy.stats computes."""
    x = operand(x)
    if isinstance(x, Handle):
        return x if x.dtype == np.float64 else x.astype(np.float64)  # type: ignore[attr-defined]
    return np.asarray(x, np.float64)


def _where(condition: Any, x: Any, y: Any) -> Any:
    found = np.where(condition, x, y)
    return found if found.ndim else found[()]


class _Distribution:
    """What continuous and discrete distributions have in common."""

    name: str
    standard: Standard

    def standard_function(self, name: str, key: str) -> Callable[..., Any]:
        """The function of the standard distribution by which the method is computed."""
        found = _METHODS[key][2](self.standard) if key in _METHODS else getattr(self.standard, key)
        if found is None:
            raise NotImplementedError(
                f"scipy.stats.{self.name}.{name} does not support Tensors: it has no derivative in terms of SciPy's "
                "functions. Pass plain numbers or arrays"
            )
        return found  # type: ignore[no-any-return]

    def __reduce__(self) -> Any:
        return distribution, (self.name,)


def _inner(low: Any, high: Any) -> Any:
    """A point of the support, at which a function is computed in place of a point outside."""
    low, high = np.broadcast_arrays(np.asarray(low, np.float64), np.asarray(high, np.float64))
    from_low, from_high = np.where(np.isfinite(low), low, 0), np.where(np.isfinite(high), high, 0)
    both = (from_low + from_high) / 2
    one_sided = np.where(np.isfinite(low), from_low + 1, np.where(np.isfinite(high), from_high - 1, 0))
    return np.where(np.isfinite(low) & np.isfinite(high), both, one_sided)


class _Continuous(_Distribution):
    def on_tensors(self: Any, key: str, function: Any, x: Any, loc: Any, scale: Any, shapes: Any) -> Any:
        """The method named by `key`, at x or of the probability x."""
        shapes = list(shapes)
        plain = [to_values(shape) for shape in shapes]
        low, high = self._get_support(*plain)
        valid = np.asarray(self._argcheck(*plain)) & (to_values(scale) > 0) & ~np.isnan(to_values(x))
        if key in ("ppf", "isf"):
            return self._quantile(key, function, x, loc, scale, shapes, (low, high), valid)
        z = (x - loc) / scale
        at = to_values(z)
        closed = key in ("log", "density")
        inside = ((at >= low) & (at <= high) & np.isfinite(at) if closed else (at > low) & (at < high)) & valid
        everywhere = inside.all()  # then nothing is to be masked
        found = function(z if everywhere else np.where(inside, z, _inner(low, high)), *shapes)
        found = found - np.log(scale) if key == "log" else found / scale if key == "density" else found
        if everywhere:
            return found if found.ndim else found[()]
        below, above, _ = _METHODS[key]
        found = np.where(inside, found, np.where(at >= high, above, below))
        return _where(valid, found, np.nan)

    def _quantile(
        self: Any, key: str, function: Any, q: Any, loc: Any, scale: Any, shapes: Any, ends: Any, valid: Any
    ) -> Any:
        at = to_values(q)
        inside = (at > 0) & (at < 1) & valid
        low, high = ends if key == "ppf" else ends[::-1]
        found = function(np.where(inside, q, 0.5), *shapes)
        found = np.where(inside, found, np.where(at == 0, low, high)) * scale + loc
        return _where(valid & (at >= 0) & (at <= 1), found, np.nan)


class _Discrete(_Distribution):
    def on_tensors(self: Any, key: str, function: Any, k: Any, loc: Any, scale: Any, shapes: Any) -> Any:
        """The method named by `key`, at the count k."""
        if holds_tensor((k, loc)):
            raise NotImplementedError(
                f"scipy.stats.{self.name}: a count or loc is a Tensor; expected plain numbers, as a discrete "
                "distribution has no derivative with respect to them. Pass its .value"
            )
        shapes = list(shapes)
        plain = [to_values(shape) for shape in shapes]
        low, high = self._get_support(*plain)
        k = k - loc
        valid = np.asarray(self._argcheck(*plain)) & ~np.isnan(k)
        if key in ("log", "density"):
            inside = (k >= low) & (k <= high) & (np.floor(k) == k) & valid
        else:
            inside = (k >= low) & (k < high) & valid
        if inside.all():
            found = function(k, *shapes)
            return found if found.ndim else found[()]
        found = function(np.where(inside, k, low), *shapes)
        below, above, _ = _METHODS[key]
        found = np.where(inside, found, np.where(k >= high, above, below))
        return _where(valid, found, np.nan)


for _key in ("cdf", "sf", "logcdf", "logsf"):
    setattr(_Distribution, _key, _method(_key, _key))
_Continuous.logpdf, _Continuous.pdf = _method("logpdf", "log"), _method("pdf", "density")  # type: ignore[attr-defined]
_Continuous.ppf, _Continuous.isf = _method("ppf", "ppf"), _method("isf", "isf")  # type: ignore[attr-defined]
_Discrete.logpmf, _Discrete.pmf = _method("logpmf", "log"), _method("pmf", "density")  # type: ignore[attr-defined]


def _aware(name: str, standard: Standard, base: type) -> Any:
    """The counterpart of SciPy's distribution `name`, registered as such."""
    original = getattr(stats, name)
    kind: Any = type(type(original).__name__, (base, type(original)), {"standard": standard, "__module__": __name__})
    made = object.__new__(kind)
    made.__dict__.update(original.__dict__)
    register(original, made)
    return made


def distribution(name: str) -> Any:
    """The distribution of that name, as pickle finds it."""
    return distributions[name]


distributions: dict[str, Any] = {
    **{name: _aware(name, standard, _Continuous) for name, standard in CONTINUOUS.items()},
    **{name: _aware(name, standard, _Discrete) for name, standard in DISCRETE.items()},
}
