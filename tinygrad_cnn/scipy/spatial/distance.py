"""scipy.spatial.distance, by metrics that have a derivative. A distance that is 0 has slope 0, as a norm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Handle
from tinygrad_cnn.engine.primitive import operand, to_values
from tinygrad_cnn.extras import extra
from tinygrad_cnn.primitives.elementwise import root_of_squares
from tinygrad_cnn.replacements import fallback, replaces

with extra("scipy", "tinygrad_cnn.scipy.spatial.distance"):
    from scipy.spatial import distance as scipys
    from scipy.special import rel_entr

__getattr__, __dir__ = fallback(scipys, globals())


def _weighted(terms: Any, w: Any) -> Any:
    return np.sum(terms if w is None else w * terms, -1)


# The metrics, of vectors along the last axis.


def _minkowski(u: Any, v: Any, p: Any = 2, w: Any = None) -> Any:
    if p <= 0:
        raise ValueError("p must be greater than 0")
    d = u - v
    if p == np.inf:
        return np.max(np.abs(d), -1)
    return np.linalg.norm(d if w is None else d * w ** (1 / p), p, -1)


def _sqeuclidean(u: Any, v: Any, w: Any = None) -> Any:
    return _weighted((u - v) ** 2, w)


def _cityblock(u: Any, v: Any, w: Any = None) -> Any:
    return _weighted(np.abs(u - v), w)


def _chebyshev(u: Any, v: Any) -> Any:
    return np.max(np.abs(u - v), -1)


def _cosine(u: Any, v: Any, w: Any = None) -> Any:
    if w is not None:
        w = w / np.sum(w)
    return 1 - _weighted(u * v, w) / np.sqrt(_weighted(u * u, w) * _weighted(v * v, w))


def _correlation(u: Any, v: Any, w: Any = None) -> Any:
    if w is not None:
        w = w / np.sum(w)
    u, v = (x - np.expand_dims(np.mean(x, -1) if w is None else _weighted(x, w), -1) for x in (u, v))
    return _cosine(u, v, w)


def _braycurtis(u: Any, v: Any, w: Any = None) -> Any:
    return _weighted(np.abs(u - v), w) / _weighted(np.abs(u + v), w)


def _canberra(u: Any, v: Any, w: Any = None) -> Any:
    size = np.abs(u) + np.abs(v)
    none = np.equal(size, 0)
    return _weighted(np.where(none, 0, np.abs(u - v) / np.where(none, 1, size)), w)


def _seuclidean(u: Any, v: Any, V: Any) -> Any:
    return root_of_squares(np.sum((u - v) ** 2 / V, -1))


def _mahalanobis(u: Any, v: Any, VI: Any) -> Any:
    d = u - v
    return root_of_squares(np.sum((d @ VI) * d, -1))


def _jensenshannon(u: Any, v: Any, base: Any = None) -> Any:
    u, v = u / np.sum(u, -1, keepdims=True), v / np.sum(v, -1, keepdims=True)
    middle = (u + v) / 2
    divergence = np.sum(rel_entr(u, middle), -1) + np.sum(rel_entr(v, middle), -1)
    return root_of_squares((divergence if base is None else divergence / np.log(base)) / 2)


_METRICS: dict[str, Callable[..., Any]] = {
    "euclidean": lambda u, v, w=None: _minkowski(u, v, 2, w), "sqeuclidean": _sqeuclidean, "minkowski": _minkowski,
    "cityblock": _cityblock, "chebyshev": _chebyshev, "cosine": _cosine, "correlation": _correlation,
    "braycurtis": _braycurtis, "canberra": _canberra, "seuclidean": _seuclidean, "mahalanobis": _mahalanobis,
    "jensenshannon": _jensenshannon,
}  # fmt: skip


def _vector(name: str, x: Any) -> Any:
    x = operand(x)
    x = x if isinstance(x, Handle) else np.asarray(x)
    if x.ndim != 1:
        raise ValueError(f"scipy.spatial.distance.{name}: Input vector should be 1-D, but has shape {x.shape}.")
    return x


def _prepared(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a metric, of which SciPy has the arrays in double precision."""
    arrays = {key: operand(x) for key, x in parameters.items() if key in ("w", "V", "VI") and x is not None}
    return {**parameters, **{key: _double(x) for key, x in arrays.items()}}


def _double(x: Any) -> Any:
    return x.astype(np.float64) if isinstance(x, Handle) else np.asarray(x, np.float64)  # type: ignore[attr-defined]


def _of_vectors(original: Any) -> Callable[..., Any]:
    """The distance of two vectors, with the parameters of SciPy's function that the metric has."""
    name, metric = original.__name__, _METRICS[original.__name__]

    def distance(u: Any, v: Any, **parameters: Any) -> Any:
        u, v = _vector(name, u), _vector(name, v)
        if u.shape != v.shape:
            raise ValueError(
                f"scipy.spatial.distance.{name}: u and v have shapes {u.shape} and {v.shape}; expected one"
            )
        if name in ("euclidean", "braycurtis", "canberra", "seuclidean"):  # in double precision, as in SciPy
            u, v = _double(u), _double(v)
        return metric(u, v, **_prepared(parameters))

    return distance


def _declared(original: Any, function: Callable[..., Any]) -> Any:
    function.__name__ = function.__qualname__ = original.__name__
    function.__doc__ = f"As `scipy.spatial.distance.{original.__name__}`."
    return replaces(original)(function)


def _with_weights(original: Any) -> Any:
    distance = _of_vectors(original)
    return _declared(original, lambda u, v, w=None: distance(u, v, w=w))


euclidean, sqeuclidean = _with_weights(scipys.euclidean), _with_weights(scipys.sqeuclidean)
cityblock, braycurtis = _with_weights(scipys.cityblock), _with_weights(scipys.braycurtis)
canberra, cosine = _with_weights(scipys.canberra), _with_weights(scipys.cosine)
chebyshev = _declared(scipys.chebyshev, lambda u, v: _of_vectors(scipys.chebyshev)(u, v))


@replaces(scipys.minkowski)
def minkowski(u: Any, v: Any, p: Any = 2, w: Any = None) -> Any:
    """As `scipy.spatial.distance.minkowski`; p is a plain number."""
    return _of_vectors(scipys.euclidean)(u, v, w=w) if p == 2 else _of_vectors(scipys.minkowski)(u, v, p=p, w=w)


@replaces(scipys.correlation)
def correlation(u: Any, v: Any, w: Any = None, centered: bool = True) -> Any:
    """As `scipy.spatial.distance.correlation`."""
    return _of_vectors(scipys.correlation if centered else scipys.cosine)(u, v, w=w)


@replaces(scipys.seuclidean)
def seuclidean(u: Any, v: Any, V: Any) -> Any:
    """As `scipy.spatial.distance.seuclidean`."""
    return _of_vectors(scipys.seuclidean)(u, v, V=V)


@replaces(scipys.mahalanobis)
def mahalanobis(u: Any, v: Any, VI: Any) -> Any:
    """As `scipy.spatial.distance.mahalanobis`."""
    return _of_vectors(scipys.mahalanobis)(u, v, VI=VI)


@replaces(scipys.jensenshannon)
def jensenshannon(p: Any, q: Any, base: Any = None, *, axis: int = 0, keepdims: bool = False) -> Any:
    """As `scipy.spatial.distance.jensenshannon`."""
    p, q = (np.moveaxis(operand(x), axis, -1) for x in (p, q))
    found = _jensenshannon(p, q, base)
    return np.expand_dims(found, axis) if keepdims else found


# Of all pairs.


def _points(name: str, x: Any) -> Any:
    x = _double(operand(x))
    if x.ndim != 2:
        raise ValueError(f"scipy.spatial.distance.{name}: an array has shape {x.shape}; expected 2 dimensions")
    return x


def _metric(name: str, metric: Any, points: list[Any], parameters: dict[str, Any]) -> Callable[[Any, Any], Any]:
    if callable(metric):
        metric = getattr(metric, "__name__", metric)
    if metric not in _METRICS:
        raise NotImplementedError(
            f"scipy.spatial.distance.{name}: metric={metric!r} is not supported for Tensors; expected one of "
            f"{', '.join(_METRICS)}"
        )
    parameters = _prepared(parameters)
    if metric == "seuclidean" and parameters.get("V") is None:
        parameters["V"] = np.var(np.concatenate(points), 0, ddof=1)
    if metric == "mahalanobis" and parameters.get("VI") is None:
        parameters["VI"] = np.linalg.inv(np.cov(np.concatenate(points).T)).T
    return lambda u, v: _METRICS[metric](u, v, **parameters)


@replaces(scipys.cdist)
def cdist(XA: Any, XB: Any, metric: Any = "euclidean", **kwargs: Any) -> Any:
    """As `scipy.spatial.distance.cdist`."""
    XA, XB = _points("cdist", XA), _points("cdist", XB)
    if XA.shape[1] != XB.shape[1]:
        raise ValueError("XA and XB must have the same number of columns (i.e. feature dimension.)")
    return _metric("cdist", metric, [XA, XB], kwargs)(XA[:, None], XB[None])


@replaces(scipys.pdist)
def pdist(X: Any, metric: Any = "euclidean", **kwargs: Any) -> Any:
    """As `scipy.spatial.distance.pdist`."""
    X = _points("pdist", X)
    rows, columns = np.triu_indices(len(X), 1)
    return _metric("pdist", metric, [X], kwargs)(X[rows], X[columns])


@replaces(scipys.squareform)
def squareform(X: Any, force: str = "no", checks: bool = True) -> Any:
    """As `scipy.spatial.distance.squareform`: of a matrix its upper triangle is read."""
    X = operand(X)
    plain = scipys.squareform(to_values(X), force, checks)
    if X.ndim == 2:
        return X[np.triu_indices(len(X), 1)]
    rows, columns = np.triu_indices(len(plain), 1)
    places = np.zeros(plain.shape, int)
    places[rows, columns] = places[columns, rows] = np.arange(len(rows))
    return X[places] * (1 - np.eye(len(plain))).astype(X.dtype) if len(rows) else np.zeros(plain.shape)
