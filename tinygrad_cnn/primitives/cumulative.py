"""Sums and products of all elements so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import implementations, implements, primitive, to_values
from tinygrad_cnn.primitives.arguments import axis_of, refuse_out, without_out


@primitive(complex=True, pure=True)
def cumsum(x: Array, /, axis: int | None = None, dtype: Any = None) -> Array:
    """As `np.cumsum`."""
    return np.cumsum(x, axis, dtype)


@cumsum.defvjp
def _cumsum_x(g: Array, out: Array, x: Array, axis: int | None = None, **how: Any) -> Array:
    if axis is None or not x.ndim:
        return np.cumsum(g[::-1])[::-1].reshape(x.shape)
    return np.flip(np.cumsum(np.flip(g, axis), axis), axis)


@primitive(complex=True, pure=True)
def cumprod(x: Array, /, axis: int | None = None, dtype: Any = None) -> Array:
    """As `np.cumprod`. Its derivatives are right where factors are zero."""
    return np.cumprod(x, axis, dtype)


@cumprod.defvjp
def _cumprod_x(g: Array, out: Array, x: Array, axis: int | None = None, **how: Any) -> Array:
    if axis is None or not x.ndim:
        return _cumprod_rows(g, x.reshape(-1)).reshape(x.shape)
    return _cumprod_rows(g.swapaxes(0, axis), x.swapaxes(0, axis)).swapaxes(0, axis)


def _cumprod_rows(g: Array, x: Array) -> Array:
    """The cotangent of x[k] is x[0] ... x[k-1] times s[k], where s[k] = g[k] + x[k+1] s[k+1].

    The recurrence is solved by doubling: with `reach` terms of each s[k] summed, and the products of `reach` factors,
    twice as many follow from those that lie `reach` further on. Nothing is divided by, so x may be zero.
    """
    s, factors, reach = g, x[1:], 1
    while reach < x.shape[0]:
        s = np.concatenate([s[:-reach] + factors * s[reach:], s[-reach:]])
        factors, reach = factors[:-reach] * factors[reach:], 2 * reach
    return np.concatenate([np.ones_like(x[:1]), np.cumprod(x[:-1], axis=0)]) * s


for _cumulative in (cumsum, cumprod):
    _cumulative.defflops(lambda out, x, **_: x.size)

implementations[np.cumsum] = without_out(cumsum, 2)
implementations[np.cumprod] = without_out(cumprod, 2)


def _accumulate(function: Callable[..., Any]) -> Callable[..., Any]:
    def accumulate(x: Any, axis: Any = 0, dtype: Any = None) -> Any:
        if axis is None or (isinstance(axis, tuple) and len(axis) != 1):
            raise ValueError("accumulate does not allow multiple axes")
        return function(x, axis[0] if isinstance(axis, tuple) else axis, dtype)

    return accumulate


implementations[np.add, "accumulate"] = _accumulate(np.cumsum)
implementations[np.multiply, "accumulate"] = _accumulate(np.cumprod)


def _with_initial(name: str, function: Callable[..., Any], initial: int) -> Callable[..., Any]:
    def cumulative(
        x: Any, /, *, axis: int | None = None, dtype: Any = None, out: None = None, include_initial: bool = False
    ) -> Any:
        refuse_out(name, out)
        x = np.atleast_1d(x)
        if axis is None:
            if x.ndim > 1:
                raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
            axis = 0
        result = function(x, axis, dtype)
        if not include_initial:
            return result
        axis = axis_of(axis, x.ndim)
        shape = [*x.shape[:axis], 1, *x.shape[axis + 1 :]]
        first = np.full_like(to_values(result), initial, shape=shape)
        return np.concatenate([first, result], axis)

    return cumulative


implementations[np.cumulative_sum] = _with_initial("cumulative_sum", np.cumsum, 0)
implementations[np.cumulative_prod] = _with_initial("cumulative_prod", np.cumprod, 1)


@implements(np.nancumsum)
def nancumsum(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """As `np.nancumsum`."""
    return np.cumsum(np.where(np.isnan(a), 0, a), axis, dtype, out)


@implements(np.nancumprod)
def nancumprod(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """As `np.nancumprod`."""
    return np.cumprod(np.where(np.isnan(a), 1, a), axis, dtype, out)
