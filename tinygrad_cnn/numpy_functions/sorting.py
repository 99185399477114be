"""Functions that put elements in order: sorting, medians and quantiles.

Positions are found on plain numbers; what is differentiated is the picking of elements from there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Handle
from tinygrad_cnn.engine.primitive import implementations, implements, to_values
from tinygrad_cnn.primitives.arguments import Axis, axes_of, refuse_out
from tinygrad_cnn.primitives.shaping import laid_out, thumbnail


@implements(np.sort)
def sort(a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None) -> Any:
    """As `np.sort`. Equal elements stay in the order in which they are, whatever `kind` says."""
    if order is not None:
        raise NotImplementedError("np.sort: order= is not supported for Tensors, which have no fields. Leave it out")
    a, axis = (a.reshape(-1), 0) if axis is None else (a, axis)
    return _in_places(a, np.argsort(to_values(a), axis, kind="stable"), axis)


def _in_places(a: Any, places: Any, axis: int) -> Any:
    """The elements of `a` at `places` along an axis, in an array that lies in memory as `a`."""
    return laid_out(np.take_along_axis(a, places, axis), np.empty_like(a.node.like))


@implements(np.sort_complex)
def sort_complex(a: Any) -> Any:
    """As `np.sort_complex`."""
    return np.sort(a).astype(np.sort_complex(np.zeros(1, a.dtype)).dtype)


@implements(np.partition)
def partition(a: Any, kth: Any, axis: int | None = -1, kind: Any = "introselect", order: Any = None) -> Any:
    """As `np.partition`."""
    if order is not None:
        raise NotImplementedError(
            "np.partition: order= is not supported for Tensors, which have no fields. Leave it out"
        )
    a, axis = (a.reshape(-1), 0) if axis is None else (a, axis)
    return _in_places(a, np.argpartition(to_values(a), kth, axis, kind), axis)


def _median(name: str, middle: Callable[..., Any]) -> Callable[..., Any]:
    def median(
        a: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False
    ) -> Any:
        refuse_out(name, out)
        found = _at(a, axis, keepdims, lambda x: middle(x, axis=x.ndim - 1), a.dtype)
        return laid_out(found, middle(thumbnail(a), axis=axis, keepdims=keepdims)) if np.size(a) else found

    return median


implementations[np.median] = _median("median", np.median)
implementations[np.nanmedian] = _median("nanmedian", np.nanmedian)


def _quantile(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def quantile(
        a: Any, q: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False, method: Any = "linear",
        keepdims: bool = False, *, weights: Any = None,
    ) -> Any:  # fmt: skip
        refuse_out(name, out)
        if weights is not None:
            raise NotImplementedError(f"np.{name}: weights= is not supported for Tensors. Leave it out")
        if isinstance(q, Handle):
            raise NotImplementedError(f"np.{name}: q is a Tensor, but has no derivative. Pass q.value")
        if name.startswith("nan") and np.ndim(q) > 1 and isinstance(axis, tuple) and len(axis) not in (1, a.ndim):
            raise NotImplementedError(
                f"np.{name}: q has {np.ndim(q)} axes, along none or several axes of a; expected at most one, as NumPy "
                "orders the axes of the result differently than documented. Pass q.ravel(), and reshape the result"
            )
        # Where there is nothing, or NaN alone, the dtype is another. Infinities would only make NumPy warn.
        values = to_values(a)
        plain = function(np.where(np.isnan(values), values, 0), q, axis=axis, method=method, keepdims=keepdims)
        found = _at(a, axis, keepdims, lambda x: function(x, q, axis=x.ndim - 1, method=method), plain.dtype)
        return laid_out(found, plain) if np.size(a) else found

    return quantile


for _function in (np.quantile, np.percentile, np.nanquantile, np.nanpercentile):
    implementations[_function] = _quantile(_function.__name__, _function)


def _at(a: Any, axis: Any, keepdims: bool, statistic: Callable[[Any], Any], dtype: Any) -> Any:
    """A statistic of order of `a` along `axis`: the same statistic of 0, 1, 2, ... says where among the sorted it lies.

    Between two elements it is interpolated. NaNs, which are sorted last, are NaN among the places too; where the
    statistic of places is NaN, that of `a` is.
    """
    along = axes_of(axis, a.ndim)
    kept = [i for i in range(a.ndim) if i not in along]
    shape = [a.shape[i] for i in kept]
    rows = np.sort(np.transpose(a, (*kept, *along)).reshape((*shape, math.prod(a.shape[i] for i in along))))
    values = to_values(rows)
    places = statistic(np.where(np.isnan(values), np.nan, np.arange(values.shape[-1], dtype=np.float64)))
    many = np.ndim(places) - len(kept)  # the axes of q, which come first
    rest = [1 if i in along else n for i, n in enumerate(a.shape)] if keepdims else shape
    shape_of_all = (*np.shape(places)[:many], *rest)
    if not values.size:  # there is no element to pick
        return np.full(shape_of_all, np.nan, dtype)[()]
    last = np.moveaxis(np.reshape(places, (-1, *values.shape[:-1])), 0, -1)
    lower = np.floor(np.where(np.isnan(last), 0, last)).astype(np.intp)
    upper = np.ceil(np.where(np.isnan(last), 0, last)).astype(np.intp)
    # At the very place of an element both neighbours are that element, and half of each is exact, for infinities too,
    # of which np.quantile makes NaN.
    share = np.where(upper == lower, 0.5, last - lower).astype(dtype)
    found = np.take_along_axis(rows, lower, -1) * (1 - share) + np.take_along_axis(rows, upper, -1) * share
    found = np.moveaxis(np.where(np.isnan(last), np.nan, found), -1, 0)
    return found.reshape(shape_of_all)
