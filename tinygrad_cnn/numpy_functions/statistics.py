"""Means and moments: expressions of sums."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinygrad_cnn.engine.primitive import implements
from tinygrad_cnn.primitives.arguments import Axis, absent, as_array, axes_of, axis_of, masked, refuse_out
from tinygrad_cnn.primitives.complex_numbers import conjugated, squared_size
from tinygrad_cnn.primitives.elementwise import root_of_squares
from tinygrad_cnn.primitives.reductions import count
from tinygrad_cnn.stand_in import StandIn, is_known


@implements(np.var)
def var(
    a: Any, axis: Axis = None, dtype: Any = None, out: None = None, ddof: float = 0, keepdims: bool = False,
    *, where: Any = True, mean: Any = absent, correction: float = absent,
) -> Any:  # fmt: skip
    """As `np.var`."""
    refuse_out("var", out)
    if correction is not absent:
        if ddof != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = correction
    a = as_array(a)
    kept = masked(where, a, 0)  # so that nothing of an element left out, which may be NaN, takes part
    if mean is absent:
        mean = np.mean(kept, axis, dtype, keepdims=True, where=where)
    squares = np.sum(squared_size(kept - mean), axis, dtype, keepdims=keepdims, where=where)
    degrees = np.maximum(count(a, axis, where, keepdims) - ddof, 0)
    if is_known(np.any(degrees <= 0)):
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return squares / (degrees if isinstance(degrees, StandIn) else np.asarray(degrees, squares.dtype))


@implements(np.std)
def std(a: Any, *args: Any, **keywords: Any) -> Any:
    """As `np.std`. Where all elements are equal it has a kink, and its slope there is 0."""
    return root_of_squares(np.var(a, *args, **keywords))


@implements(np.nanvar)
def nanvar(
    a: Any, axis: Axis = None, dtype: Any = None, out: None = None, ddof: float = 0, keepdims: bool = False,
    *, where: Any = True, **keywords: Any,
) -> Any:  # fmt: skip
    """As `np.nanvar`, which is NaN where there are no degrees of freedom."""
    present = ~np.isnan(a) & where
    found = np.var(a, axis, dtype, out, ddof, keepdims, where=present, **keywords)
    few = np.sum(present, axis, keepdims=keepdims) <= keywords.get("correction", ddof)
    return np.where(few, np.nan, found) if isinstance(few, StandIn) or np.any(few) else found


@implements(np.nanstd)
def nanstd(a: Any, *args: Any, **keywords: Any) -> Any:
    """As `np.nanstd`."""
    return root_of_squares(np.nanvar(a, *args, **keywords))


@implements(np.average)
def average(a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """As `np.average`."""
    a = as_array(a)
    axis = None if axis is None else axes_of(axis, np.ndim(a))
    if weights is None:
        result = np.mean(a, axis, keepdims=keepdims)
        total: Any = np.asarray(count(a, axis), result.dtype)
    else:
        weights = _laid_along(as_array(weights), a, axis)
        total = np.sum(weights, axis, keepdims=keepdims)
        if is_known(np.any(total == 0)):
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        result = np.sum(a * weights, axis, keepdims=keepdims) / total
    return (result, np.copy(np.broadcast_to(total, result.shape))) if returned else result


def _laid_along(weights: Any, a: Any, axis: Axis) -> Any:
    """Weights of the axes `axis` of `a`, as an array that broadcasts with `a`."""
    if weights.shape == np.shape(a):
        return weights
    if axis is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    axes = axes_of(axis, np.ndim(a))
    if weights.shape != tuple(a.shape[i] for i in axes):
        raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
    ordered = np.transpose(weights, np.argsort(axes).tolist())
    return ordered.reshape([n if i in axes else 1 for i, n in enumerate(a.shape)])


@implements(np.cov)
def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None,
    fweights: Any = None, aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    """As `np.cov`; the weights are constants."""
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    m, y = as_array(m), as_array(y)
    for name, x in (("m", m), ("y", y)):
        if np.ndim(x) > 2 and x is not None:
            raise ValueError(f"{name} has more than 2 dimensions")
    if dtype is None:
        dtype = np.result_type(m, np.float64) if y is None else np.result_type(m, y, np.float64)
    rows = np.atleast_2d(m).astype(dtype)
    rows = rows.T if not rowvar and np.ndim(m) == 2 else rows
    if y is not None:
        more = np.atleast_2d(y).astype(dtype)
        rows = np.concatenate([rows, more.T if not rowvar and len(more) != 1 else more])
    weights = _weights(fweights, aweights, rows.shape[1])
    total = rows.shape[1] if weights is None else np.sum(weights)
    ddof = (0 if bias else 1) if ddof is None else ddof
    lost = ddof if aweights is None or not ddof else ddof * np.sum(weights * np.asarray(aweights)) / total
    centred = rows - np.average(rows, axis=1, weights=weights, keepdims=True)
    if total - lost <= 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.asarray(1, rows.real.dtype) / np.maximum(total - lost, 0)
        weighted = centred if weights is None else centred * weights
        return np.squeeze((centred @ np.transpose(conjugated(weighted))) * scale)


def _weights(frequencies: Any, importances: Any, n: int) -> Any:
    """The weight of each of `n` observations, from how often it was made and how much it counts; or None."""
    weights: Any = None
    for name, given in (("fweights", frequencies), ("aweights", importances)):
        if given is None:
            continue
        given = np.asarray(given)
        if given.ndim != 1:
            raise RuntimeError(f"cannot handle multidimensional {name}")
        if len(given) != n:
            raise RuntimeError(f"incompatible numbers of samples and {name}")
        if np.any(given < 0):
            raise ValueError(f"{name} cannot be negative")
        if name == "fweights" and np.any(given != np.around(given)):
            raise TypeError("fweights must be integer")
        weights = given if weights is None else weights * given
    return weights


@implements(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """As `np.corrcoef`."""
    covariance = np.cov(x, y, rowvar, dtype=dtype)
    if covariance.ndim == 0:
        return covariance / covariance
    deviation = np.sqrt(np.real(np.diagonal(covariance)))
    found = covariance / deviation[:, None] / deviation[None, :]
    if found.dtype.kind == "c":
        return np.clip(np.real(found), -1, 1) + 1j * np.clip(np.imag(found), -1, 1)
    return np.clip(found, -1, 1)


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """As `np.trapezoid`."""
    y, x, dx = as_array(y), as_array(x), as_array(dx)
    if x is not None:
        dx = np.diff(x, axis=0 if np.ndim(x) == 1 else axis)
        if dx.ndim == 1:
            dx = dx.reshape([-1 if i == axis_of(axis, y.ndim) else 1 for i in range(y.ndim)])
    ends = np.moveaxis(y, axis, 0)
    pairs = np.moveaxis(ends[1:] + ends[:-1], 0, axis)
    return np.sum(dx * pairs / 2.0, axis)
