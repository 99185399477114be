"""Functions that apply a function of the caller's to parts of an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.primitive import implements, to_values
from tinygrad_cnn.numpy_functions.creation import new_array
from tinygrad_cnn.primitives.arguments import axis_of
from tinygrad_cnn.stand_in import StandIn


@implements(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """As `np.apply_along_axis`."""
    axis = axis_of(axis, arr.ndim)
    rows = np.moveaxis(arr, axis, -1)
    outer = rows.shape[:-1]
    if 0 in outer:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    results = np.stack([func1d(rows[i], *args, **kwargs) for i in np.ndindex(outer)])
    inner = results.shape[1:]
    found = results.reshape(outer + inner)
    return np.moveaxis(found, range(len(outer), found.ndim), range(axis, axis + len(inner)))


@implements(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """As `np.apply_over_axes`."""
    ndim = np.ndim(a)
    for axis in np.atleast_1d(axes).tolist():
        axis = axis_of(axis, ndim)
        found = func(a, axis)
        a = found if found.ndim == a.ndim else np.expand_dims(found, axis)
        if a.ndim != ndim:
            raise ValueError("function is not returning an array of the correct shape")
    return a


@implements(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """As `np.piecewise`."""
    conditions = to_values(condlist)
    if np.isscalar(conditions) or (not isinstance(conditions[0], list | np.ndarray) and np.ndim(x)):
        conditions = [conditions]
    if any(isinstance(condition, StandIn) for condition in conditions):
        conditions = np.stack(conditions).astype(bool)
    else:
        conditions = np.asarray(conditions, bool)
    if len(conditions) == len(funclist) - 1:
        conditions = np.concatenate([conditions, ~np.any(conditions, axis=0, keepdims=True)])
    if len(conditions) != len(funclist):
        n = len(conditions)
        raise ValueError(f"with {n} condition(s), either {n} or {n + 1} functions are expected")
    found = new_array(np.zeros_like(to_values(x)))
    for condition, function in zip(conditions, funclist, strict=True):
        if not callable(function):
            found[condition] = function
        elif np.any(condition):
            found[condition] = function(x[condition], *args, **kw)
    return found
