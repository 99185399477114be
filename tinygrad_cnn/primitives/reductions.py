"""Functions that reduce an array along axes: sums, products, means and extremes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import Rule, implementations, implements, primitive
from tinygrad_cnn.primitives.arguments import (
    Axis,
    absent,
    axes_of,
    given,
    masked,
    refuse_out,
    refuse_tensors,
    without_out,
)
from tinygrad_cnn.primitives.shaping import number

_add: Any = np.add.reduce
_multiply: Any = np.multiply.reduce
_maximum: Any = np.maximum.reduce
_minimum: Any = np.minimum.reduce
_logaddexp: Any = np.logaddexp.reduce


@primitive(complex=True, pure=True)
def sum(x: Array, /, axis: Axis = None, dtype: Any = None, keepdims: bool = False, **among: Any) -> Array:
    """As `np.sum`; `among` are its `initial` and `where`."""
    return _add(x, axis, dtype, None, keepdims, **among)


@sum.defvjp
def _sum_x(
    g: Array, out: Array, x: Array, axis: Axis = None, dtype: Any = None, keepdims: bool = False, **among: Any
) -> Array:
    return masked(among.get("where", True), _stretched(_restored(g, x, axis, keepdims), x.shape), 0)


@primitive(complex=True, pure=True)
def mean(x: Array, /, axis: Axis = None, dtype: Any = None, keepdims: bool = False, *, where: Any = True) -> Array:
    """As `np.mean`."""
    if where is True:
        return np.mean(x, axis, dtype, keepdims=keepdims)
    return np.mean(x, axis, dtype, keepdims=keepdims, where=where)


@mean.defvjp
def _mean_x(
    g: Array, out: Array, x: Array, axis: Axis = None, dtype: Any = None, keepdims: bool = False, where: Any = True
) -> Array:
    each = _restored(g, x, axis, keepdims) / count(x, axis, where)
    return masked(where, _stretched(each, x.shape), 0)


@primitive(complex=True, pure=True)
def prod(x: Array, /, axis: Axis = None, dtype: Any = None, keepdims: bool = False, **among: Any) -> Array:
    """As `np.prod`. Its derivatives are right where factors are zero."""
    return _multiply(x, axis, dtype, None, keepdims, **among)


@prod.defvjp
def _prod_x(
    g: Array, out: Array, x: Array, axis: Axis = None, dtype: Any = None, keepdims: bool = False, **among: Any
) -> Array:
    where = among.get("where", True)
    others = _products_of_the_others(masked(where, x, 1), reduced_axes(x, axis)) * among.get("initial", 1)
    return masked(where, _restored(g, x, axis, keepdims) * others, 0)


def _products_of_the_others(x: Array, axes: tuple[int, ...]) -> Array:
    """For each element, the product of all others along `axes`: of those before it times those behind it."""
    order = (*axes, *[i for i in range(x.ndim) if i not in axes])
    moved = x.transpose(order)
    rows = moved.reshape((math.prod(moved.shape[: len(axes)]), *moved.shape[len(axes) :]))
    one = np.ones_like(rows[:1])
    before = np.cumprod(np.concatenate([one, rows[:-1]]), axis=0)
    behind = np.cumprod(np.concatenate([one, rows[:0:-1]]), axis=0)[::-1]
    return (before * behind).reshape(moved.shape).transpose(np.argsort(order).tolist())


@primitive(pure=True)
def max(x: Array, /, axis: Axis = None, keepdims: bool = False, **among: Any) -> Array:
    """As `np.max`. Elements that tie for the maximum share its cotangent equally; so do NaNs."""
    return _maximum(x, axis, None, None, keepdims, **among)


@primitive(pure=True)
def min(x: Array, /, axis: Axis = None, keepdims: bool = False, **among: Any) -> Array:
    """As `np.min`. Elements that tie for the minimum share its cotangent equally; so do NaNs."""
    return _minimum(x, axis, None, None, keepdims, **among)


def _shared(g: Array, out: Array, x: Array, axis: Axis = None, keepdims: bool = False, **among: Any) -> Array:
    tied = np.equal(x, _restored(out, x, axis, keepdims)) | np.isnan(x)
    if among.get("where", True) is not True:
        tied = tied & among["where"]
    shares = tied.sum(axis=axis, keepdims=True, dtype=g.dtype)
    if "initial" in among:
        shares = np.maximum(shares, 1)  # none ties where the initial value is beyond all
    return _restored(g, x, axis, keepdims) / shares * tied


def _to_each_tied(g: Array, out: Array, x: Array, axis: Axis = None, keepdims: bool = False, **among: Any) -> Array:
    return _restored(g, x, axis, keepdims) * np.equal(x, _restored(out, x, axis, keepdims))


def _to_one_tied(last: bool) -> Rule:
    """The rule that gives the whole cotangent to the first of the elements that tie, or to the last."""

    def rule(g: Array, out: Array, x: Array, axis: Axis = None, keepdims: bool = False, **among: Any) -> Array:
        axes = reduced_axes(x, axis)
        order = [*[k for k in range(x.ndim) if k not in axes], *axes]
        kept = [x.shape[k] for k in order[: x.ndim - len(axes)]]
        rows = x.transpose(order).reshape(*kept, -1)[..., :: -1 if last else 1]
        first = np.argmax(np.equal(rows, out.reshape(*kept, 1)), axis=-1)[..., None]
        given = np.zeros(rows.shape, g.dtype)
        np.put_along_axis(given, first, g.reshape(*kept, 1), axis=-1)
        given = given[..., :: -1 if last else 1].reshape([x.shape[k] for k in order])
        return given.transpose(np.argsort(order))

    return rule


def _tied(out: Array, x: Array, axis: Axis = None, keepdims: bool = False, **among: Any) -> Array:
    return np.equal(x, _restored(out, x, axis, keepdims))


for _extremum in (max, min):
    _extremum.defvjp(_shared)
    _extremum.defkink(
        lambda *given, **keywords: [_tied(*given, **keywords)],
        lambda out, x, axis=None, keepdims=False, **among: (
            np.sum(_tied(out, x, axis, keepdims), axis=axis, keepdims=keepdims) > 1
        ),
        conventions={
            "the first one gets the whole cotangent": [_to_one_tied(last=False)],
            "the last one gets the whole cotangent": [_to_one_tied(last=True)],
        },
        ties_in_full=[_to_each_tied],
    )


@implements(np.ptp)
def ptp(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False) -> Any:
    """As `np.ptp`."""
    refuse_out("ptp", out)
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


@primitive(pure=True)
def logaddexp(x: Array, /, axis: Axis = None, dtype: Any = None, keepdims: bool = False, **among: Any) -> Array:
    """As `np.logaddexp.reduce`: the logarithm of the sum of exponentials."""
    return _logaddexp(x, axis, dtype, None, keepdims, **among)


@logaddexp.defvjp
def _logaddexp_x(
    g: Array, out: Array, x: Array, axis: Axis = None, dtype: Any = None, keepdims: bool = False, **among: Any
) -> Array:
    # A sum of nothing but exp(-inf) is 0, and each share of it 0 too.
    whole = np.where(np.equal(out, -np.inf), 0, out)
    where = among.get("where", True)
    share = np.exp(masked(where, x, -np.inf) - _restored(whole, x, axis, keepdims))
    return masked(where, _restored(g, x, axis, keepdims) * share, 0)


for _reduced in (sum, mean, prod, max, min, logaddexp):
    _reduced.defflops(lambda out, x, **_: x.size)

for _function, _place, *_names in (
    (sum, 2, np.sum), (prod, 2, np.prod), (mean, 2, np.mean), (max, 1, np.max, np.amax), (min, 1, np.min, np.amin),
):  # fmt: skip
    implements(*_names)(without_out(_function, _place))


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    """The method `reduce` of a ufunc, from the function of that name: it goes along axis 0 if none is given."""

    def reduce(x: Any, axis: Axis = 0, dtype: Any = None, keepdims: bool = False, **among: Any) -> Any:
        if among.get("initial", absent) is None:
            raise NotImplementedError("ufunc.reduce: initial=None is not supported for Tensors. Leave it out")
        if dtype is not None:
            among["dtype"] = dtype
        return function(x, axis=axis, keepdims=keepdims, **among)

    return reduce


for _ufunc, _whole in ((np.add, sum), (np.multiply, prod), (np.logaddexp, logaddexp)):
    implementations[_ufunc, "reduce"] = _reduction(without_out(_whole, 2))


def _extreme(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a function that takes no dtype."""

    def reduce(x: Any, axis: Axis = 0, dtype: Any = None, keepdims: bool = False, **among: Any) -> Any:
        return function(x if dtype is None else np.astype(x, dtype), axis=axis, keepdims=keepdims, **among)

    return reduce


implementations[np.maximum, "reduce"] = _extreme(without_out(max, 1))
implementations[np.minimum, "reduce"] = _extreme(without_out(min, 1))


# NaNs left out.


@implements(np.nansum)
def nansum(
    a: Any, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False,
    initial: Any = absent, where: Any = absent,
) -> Any:  # fmt: skip
    """As `np.nansum`."""
    among = given(initial=initial, where=where)
    return np.sum(np.where(np.isnan(a), 0, a), axis, dtype, out, keepdims, **among)


@implements(np.nanprod)
def nanprod(
    a: Any, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False,
    initial: Any = absent, where: Any = absent,
) -> Any:  # fmt: skip
    """As `np.nanprod`."""
    among = given(initial=initial, where=where)
    return np.prod(np.where(np.isnan(a), 1, a), axis, dtype, out, keepdims, **among)


@implements(np.nanmean)
def nanmean(
    a: Any, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    """As `np.nanmean`."""
    return np.mean(a, axis, dtype, out, keepdims, where=~np.isnan(a) & where)


def _without_nan(name: str, function: Callable[..., Any], least: float) -> Callable[..., Any]:
    def extreme(
        a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = absent, where: Any = True
    ) -> Any:
        refuse_out(name, out)
        refuse_tensors(name, {"initial": initial})
        if not np.size(a) or (where is not True and initial is absent):
            return function(a, axis=axis, keepdims=keepdims, **given(initial=initial), where=where)
        present = ~np.isnan(a)
        first = least if initial is absent else initial
        found = function(a, axis=axis, keepdims=keepdims, initial=first, where=present & where)
        if initial is not absent:
            return found
        # A slice of NaNs alone gives NaN.
        return number(np.where(np.any(present, axis=axis, keepdims=keepdims), found, np.nan))

    return extreme


implementations[np.nanmax] = _without_nan("nanmax", np.max, -np.inf)
implementations[np.nanmin] = _without_nan("nanmin", np.min, np.inf)


def _restored(g: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
    """`g` with the axes that a reduction of `x` took away put back, of length 1."""
    if keepdims or axis is None:
        return g  # that of a whole array is one number, and broadcasts as it is
    gone = reduced_axes(x, axis)
    return g.reshape([1 if i in gone else n for i, n in enumerate(x.shape)])


def reduced_axes(x: Array, axis: Axis) -> tuple[int, ...]:
    """The axes that a reduction of `x` takes away. NumPy's take 0 and -1 for an array that has none, too."""
    return axes_of(axis, x.ndim) if x.ndim else ()


def _stretched(x: Array, shape: tuple[int, ...]) -> Array:
    """As `np.broadcast_to`, but sooner done where `x` is a number: an array all of whose strides are 0."""
    if issubclass(type(x), np.generic):  # and is no StandIn, which has no memory
        return np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
    return np.broadcast_to(x, shape)


def count(x: Array, axis: Axis, where: Any = True, keepdims: bool = True) -> Any:
    """How many elements of `x` a reduction goes over: a number, or with a mask an array of the dtype of `x`."""
    if where is True:
        return math.prod(x.shape[i] for i in reduced_axes(x, axis))
    return _add(np.broadcast_to(where, x.shape), axis, x.dtype, None, keepdims)
