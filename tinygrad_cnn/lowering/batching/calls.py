"""Batching rules of NumPy's functions that are no operation by themselves, such as np.sort and np.linalg.solve.

A rule is given the number of examples and the arguments of the call by name. What is composed of other functions needs
no rule here: see `interpreter.py`.
"""

from __future__ import annotations

import inspect
import string
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.batching import rules
from tinygrad_cnn.lowering.batching.rules import Rule, behind
from tinygrad_cnn.lowering.batching.values import (
    Array,
    Batched,
    aligned,
    for_each,
    is_batched,
    rank,
    shape_of,
)


def rule_of(function: Any) -> Rule | None:
    """The batching rule of a function of NumPy's, given (n, *args, **keywords); or None."""
    if isinstance(function, np.ufunc):
        return _of_ufunc_with_keywords(function)
    ufunc = getattr(function, "__self__", None)
    if isinstance(ufunc, np.ufunc):
        of_method = _METHODS.get(function.__name__)
        return None if of_method is None else lambda n, *args, **keywords: of_method(ufunc, n, *args, **keywords)
    if function not in _CALLS:
        return None
    rule = _CALLS[function]

    def call(n: int, /, *args: Any, **keywords: Any) -> Array:
        bound = inspect.signature(function).bind(*args, **keywords)
        given = {name: x for name, x in bound.arguments.items() if x is not np._NoValue}
        return rule(function, n, **given)

    return call


def same_for_all(*names: str) -> Callable[[Any], Any]:
    """Decorates a rule of which some arguments have to be the same for all examples."""

    def decorate(rule: Any) -> Any:
        def checked(function: Any, n: int, /, **given: Any) -> Array:
            for name in names:
                x = given.get(name)
                if is_batched(x) or (isinstance(x, tuple | list) and any(map(is_batched, x))):
                    raise NotImplementedError(f"np.{function.__name__} whose {name} differs from example to example")
            return rule(function, n, **given)

        return checked

    return decorate


# Of each element.


def _of_ufunc_with_keywords(ufunc: Any) -> Rule:
    def rule(n: int, *operands: Any, where: Any = True, **how: Any) -> Array:
        if where is True:
            return rules.of_ufunc(ufunc)(n, *operands, **how)
        *values, among = aligned([*operands, where])
        return ufunc(*values, where=among, **how)

    return rule


def _elementwise(function: Any, n: int, /, **given: Any) -> Array:
    """Of the first argument, which alone differs from example to example."""
    (name, x), *others = given.items()
    if any(is_batched(other) for _, other in others):
        raise NotImplementedError(f"np.{function.__name__} whose parameters differ from example to example")
    return function(**{name: x.value, **dict(others)}) if name != "x" else function(x.value, **dict(others))


def _clip(function: Any, n: int, /, a: Any, **bounds: Any) -> Array:
    names = [name for name in ("a_min", "a_max", "min", "max") if bounds.get(name) is not None]
    low = next((bounds[name] for name in names if name.endswith("min")), None)
    high = next((bounds[name] for name in names if name.endswith("max")), None)
    a = a if is_batched(a) else Batched(for_each(a, n))
    values = aligned([x for x in (a, low, high) if x is not None])
    ends = iter(values[1:])
    return np.clip(values[0], *[None if x is None else next(ends) for x in (low, high)])


def _searchsorted(function: Any, n: int, /, a: Any, v: Any, side: Any = "left", sorter: Any = None) -> Array:
    if is_batched(sorter):
        raise NotImplementedError("np.searchsorted whose sorter differs from example to example")
    if not is_batched(a):
        return np.searchsorted(a, v.value, side, sorter)
    a = a.value if sorter is None else np.take(a.value, sorter, axis=1)
    ndim = rank(v)
    a = a.reshape((n, *[1] * ndim, a.shape[1]))  # the number of elements that are in front of each of v
    v = v.value[..., None] if is_batched(v) else np.asarray(v)[..., None] if not np.ndim(v) else v[..., None]
    before = np.less(a, v) if side == "left" else np.less_equal(a, v)
    if a.dtype.kind == "f":  # NaN is behind all others
        last = np.isnan(v) & ~np.isnan(a) if side == "left" else np.isnan(v)
        before = before | last
    return np.sum(before, axis=-1)


# Along an axis.


@same_for_all("kth", "shift", "axis", "repeats")
def _along_axis(function: Any, n: int, /, axis: Any = -1, **given: Any) -> Array:
    """Of the first argument along an axis; None is the axis of all of its elements in a row."""
    name = next(iter(given))
    x = given.pop(name).value
    if axis is None:
        return function(x.reshape((n, int(np.prod(x.shape[1:])))), axis=1, **given)
    return function(x, axis=behind(axis, x.ndim - 1), **given)


def _by_default(axis: Any) -> Any:
    """As `_along_axis`, of a function with another default."""
    return lambda function, n, /, **given: _along_axis(function, n, **{"axis": axis, **given})


def _arg(function: Any, n: int, /, a: Any, axis: Any = None, keepdims: bool = False, **given: Any) -> Array:
    ndim = rank(a)
    found = _along_axis(function, n, a=a, axis=axis)
    if not keepdims:
        return found
    return found.reshape((n, *[1] * ndim)) if axis is None else np.expand_dims(found, behind(axis, ndim))


@same_for_all("shift", "axis")
def _roll(function: Any, n: int, /, a: Any, shift: Any, axis: Any = None) -> Array:
    x = a.value
    if axis is None:
        return np.roll(x.reshape((n, int(np.prod(x.shape[1:])))), shift, 1).reshape(x.shape)
    return np.roll(x, shift, behind(axis, rank(a)))


def _flip(function: Any, n: int, /, m: Any, axis: Any = None) -> Array:
    return np.flip(m.value, behind(axis, rank(m)))


@same_for_all("repeats")
def _repeat(function: Any, n: int, /, a: Any, repeats: Any, axis: Any = None) -> Array:
    x = a.value
    if axis is None:
        return np.repeat(x.reshape((n, int(np.prod(x.shape[1:])))), repeats, 1)
    return np.repeat(x, repeats, behind(axis, rank(a)))


def _take(function: Any, n: int, /, a: Any, indices: Any, axis: Any = None, mode: Any = "raise", **_: Any) -> Array:
    if axis is None:
        shape = (int(np.prod(shape_of(a))),)
        a = Batched(a.value.reshape((n, *shape))) if is_batched(a) else a.reshape(shape)
        axis = 0
    if not is_batched(indices):
        return np.take(a.value, indices, behind(axis, rank(a)), mode=mode)
    axis %= rank(a)
    size = shape_of(a)[axis]
    if mode != "raise":
        indices = Batched(indices.value % size if mode == "wrap" else np.clip(indices.value, 0, size - 1))
    index = (*[slice(None)] * axis, indices)
    return rules.RULES["getitem"](n, a, index=index)


def _take_along_axis(function: Any, n: int, /, arr: Any, indices: Any, axis: Any = -1) -> Array:
    x, places = for_each(arr, n), for_each(indices, n)
    if axis is None:
        x = x.reshape((n, int(np.prod(x.shape[1:]))))
        axis = 0
    return np.take_along_axis(x, places, behind(axis, x.ndim - 1))


@same_for_all("initial", "q", "axis", "ddof", "correction")
def _reduction(function: Any, n: int, /, a: Any, axis: Any = None, where: Any = True, **how: Any) -> Array:
    values = for_each(a, n)
    if where is not True:
        how["where"] = aligned([Batched(values), where])[1]
    if is_batched(how.get("mean")):
        how["mean"] = how["mean"].value
    return function(values, axis=behind(axis, rank(a)), **how)


def _percentile(function: Any, n: int, /, a: Any, q: Any, axis: Any = None, keepdims: Any = False, **how: Any) -> Array:
    found = _reduction(function, n, a=a, axis=axis, q=q, keepdims=keepdims is True, **how)
    return np.moveaxis(found, np.ndim(q), 0) if np.ndim(q) else found


def _moving(function: Any, n: int, /, **given: Any) -> Array:
    """Of what only moves or repeats elements: the numbers of the elements are moved, and then looked up."""
    name = "a" if "a" in given else next(iter(given))
    x = given[name]
    if not is_batched(x) or any(is_batched(other) for other in given.values() if other is not x):
        raise NotImplementedError(f"np.{function.__name__} whose parameters differ from example to example")
    if given.get("order", "C") not in ("C", "F"):
        raise NotImplementedError(f"np.{function.__name__} in an order that depends on the memory layout")
    shape = shape_of(x)
    size = int(np.prod(shape))
    numbers = np.arange(size).reshape(shape)
    given[name] = numbers
    if function is np.reshape:
        places = np.reshape(numbers, given["shape"], given.get("order", "C"))
    else:
        places = function(*given.values())
    return np.take(x.value.reshape((n, size)), places, axis=1)


@same_for_all("obj", "axis")
def _insert(function: Any, n: int, /, arr: Any, *, values: Any, **given: Any) -> Array:
    """Both arrays, numbered through, and looked up where the function moves the numbers."""
    size, count = int(np.prod(shape_of(arr))), int(np.prod(shape_of(values)))
    numbers = np.arange(size).reshape(shape_of(arr))
    added = np.arange(size, size + count).reshape(shape_of(values))
    flat = [for_each(x, n).reshape((n, k)) for x, k in ((arr, size), (values, count))]
    if function is np.insert:
        places = np.insert(numbers, given["obj"], added, given.get("axis"))
        flat[1] = flat[1].astype(flat[0].dtype)
    else:
        places = np.append(numbers, added, given.get("axis"))
    return np.take(np.concatenate(flat, 1), places, axis=1)


@same_for_all("shape", "dtype")
def _full_like(function: Any, n: int, /, a: Any, fill_value: Any, **how: Any) -> Array:
    like = np.full_like(np.empty(shape_of(a), (a.value if is_batched(a) else a).dtype), 0, how.get("dtype"), "C", True,
                        how.get("shape"))  # fmt: skip
    return np.broadcast_to(aligned([fill_value, like])[0], (n, *like.shape)).astype(like.dtype)


@same_for_all("k")
def _diagflat(function: Any, n: int, /, v: Any, k: int = 0) -> Array:
    return _diag(function, n, Batched(v.value.reshape((n, int(np.prod(shape_of(v)))))), k)


def _concatenate(function: Any, n: int, *, arrays: Any, axis: Any = 0, **how: Any) -> Array:
    every = [for_each(x, n) for x in arrays]
    if axis is None:
        return np.concatenate([x.reshape((n, int(np.prod(x.shape[1:])))) for x in every], 1, **how)
    return np.concatenate(every, behind(axis, every[0].ndim - 1), **how)


def _choose(function: Any, n: int, /, a: Any, choices: Any, mode: str = "raise", **_: Any) -> Array:
    listed = [Batched(x) for x in np.moveaxis(choices.value, 1, 0)] if is_batched(choices) else list(choices)
    which, *values = aligned([a, *listed])
    how: dict[str, Any] = {"mode": mode}
    return np.choose(which, list(np.broadcast_arrays(*values)), **how)


def _select(function: Any, n: int, /, condlist: Any, choicelist: Any, default: Any = 0) -> Array:
    count = len(condlist)
    *values, last = aligned([*condlist, *choicelist, default])
    whole = list(np.broadcast_arrays(*values))
    return np.select(whole[:count], whole[count:], last)


# Matrices.


def _matrices(function: Any, n: int, /, **given: Any) -> Any:
    """Of the last axes of the first argument, which alone differs from example to example."""
    (_, x), *others = given.items()
    if any(is_batched(other) for _, other in others):
        raise NotImplementedError(f"np.linalg.{function.__name__} whose parameters differ from example to example")
    return function(x.value, **dict(others))


def _solve(function: Any, n: int, /, a: Any, b: Any) -> Array:
    vector = rank(b) == 1
    if vector:
        b = Batched(b.value[..., None]) if is_batched(b) else b[..., None]
    found = np.linalg.solve(*aligned([a, b], core=[2, 2]))
    return found[..., 0] if vector else found


def _triangle(function: Any, n: int, /, m: Any, k: Any = 0) -> Array:
    if is_batched(k):
        raise NotImplementedError(f"np.{function.__name__} whose k differs from example to example")
    x = m.value
    return function(x if rank(m) > 1 else np.broadcast_to(x[:, None, :], (n, x.shape[1], x.shape[1])), k)


def _diagonal(function: Any, n: int, /, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    ndim = rank(a)
    return np.diagonal(a.value, offset, behind(axis1, ndim), behind(axis2, ndim))


def _diag(function: Any, n: int, /, v: Any, k: int = 0) -> Array:
    if rank(v) == 2:
        return np.diagonal(v.value, k, 1, 2)
    size = v.value.shape[1]
    matrix = np.eye(size + abs(k), k=k, dtype=bool)
    if not size:
        return np.broadcast_to(np.zeros_like(v.value, shape=()), (n, *matrix.shape))
    places = np.clip(np.arange(size + abs(k)) - max(-k, 0), 0, size - 1)  # which element is in each row
    return np.where(matrix, np.take(v.value, places, axis=1)[:, :, None], 0)


def _einsum(function: Any, n: int, /, **given: Any) -> Array:
    operands = list(given.pop("operands"))
    keywords = {**given.pop("kwargs", {}), **given}
    if isinstance(operands[0], str):
        subscripts, *arrays = operands
    else:
        subscripts, arrays = _as_string(operands)
    terms, arrow, result = subscripts.replace(" ", "").partition("->")
    if not arrow:  # those that occur once, in alphabetical order
        letters = terms.replace(",", "").replace("...", "")
        result = ("..." if "..." in terms else "") + "".join(sorted(x for x in set(letters) if letters.count(x) == 1))
    example = next(x for x in string.ascii_letters if x not in subscripts)
    named = [example + term if is_batched(x) else term for term, x in zip(terms.split(","), arrays, strict=True)]
    values = [x.value if is_batched(x) else x for x in arrays]
    return np.einsum(f"{','.join(named)}->{example}{result}", *values, **keywords)


def _as_string(operands: list[Any]) -> tuple[str, list[Any]]:
    """The subscripts of np.einsum(x, [0, 1], y, [1, 2], [0, 2]) as "ab,bc->ac", and the arrays."""
    lists = [*operands[1::2], operands[-1]] if len(operands) % 2 else operands[1::2]
    terms = ["".join(["..." if axis is Ellipsis else string.ascii_letters[axis] for axis in axes]) for axes in lists]
    arrays = operands[: len(operands) - len(operands) % 2 : 2]
    return ",".join(terms[: len(arrays)]) + ("->" + terms[-1] if len(operands) % 2 else ""), arrays


# Signals.


@same_for_all("mode")
def _convolve(function: Any, n: int, /, a: Any, v: Any, mode: Any = None) -> Array:
    """One product for each element of the shorter of the two."""
    of_correlation = function is np.correlate
    mode = mode or ("valid" if of_correlation else "full")
    if not isinstance(mode, str):
        raise NotImplementedError(f"np.{function.__name__} with mode {mode!r}")
    a, v = for_each(a, n), for_each(v, n)
    if of_correlation:
        v = np.conjugate(v)[:, ::-1]
    long, short = (a, v) if a.shape[1] >= v.shape[1] else (v, a)
    most, least = long.shape[1], short.shape[1]
    if not least:
        raise ValueError(f"np.{function.__name__}: an array is empty")
    padded = np.pad(long, ((0, 0), (least - 1, least - 1)))
    full = sum(short[:, k, None] * padded[:, least - 1 - k : 2 * least + most - 2 - k] for k in range(least))
    if mode == "full":
        return full
    if mode == "valid":
        return full[:, least - 1 : most]
    # NumPy exchanges the two if the second is longer: a correlation is reversed before it is cropped.
    start = least // 2 if of_correlation and a.shape[1] < v.shape[1] else (least - 1) // 2
    return full[:, start : start + most]


@same_for_all("pad_width")
def _pad(function: Any, n: int, /, array: Any, pad_width: Any, mode: Any = "constant", **how: Any) -> Array:
    if callable(mode) or any(map(is_batched, how.values())):
        raise NotImplementedError("np.pad with a function, or with values that differ from example to example")
    ndim = rank(array)
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(axis, pad_width.get(axis - ndim, 0)) for axis in range(ndim)]
        pad_width = [(width, width) if isinstance(width, int) else width for width in pad_width]
    how = {**how.pop("kwargs", {}), **how}

    def of_all(widths: Any, of_examples: Any) -> Any:
        return (of_examples, *[tuple(pair) for pair in np.broadcast_to(widths, (ndim, 2)).tolist()])

    paired = ("constant_values", "end_values", "stat_length")
    how = {k: of_all(v, (1, 1) if k == "stat_length" else (0, 0)) if k in paired and v is not None else v
           for k, v in how.items()}  # fmt: skip
    return np.pad(array.value, of_all(pad_width, (0, 0)), mode, **how)


# The methods of ufuncs.


def _accumulate(ufunc: Any, n: int, array: Any, axis: int = 0, dtype: Any = None, **_: Any) -> Array:
    return ufunc.accumulate(array.value, behind(axis, rank(array)), dtype)


def _outer(ufunc: Any, n: int, a: Any, b: Any, **how: Any) -> Array:
    if is_batched(a):
        a = Batched(a.value.reshape((*a.value.shape, *[1] * rank(b))))
    else:
        a = np.reshape(a, (*np.shape(a), *[1] * rank(b)))
    return ufunc(*aligned([a, b]), **how)


def _reduceat(ufunc: Any, n: int, array: Any, indices: Any, axis: int = 0, dtype: Any = None, **_: Any) -> Array:
    if is_batched(indices):
        raise NotImplementedError(f"np.{ufunc.__name__}.reduceat whose indices differ from example to example")
    return ufunc.reduceat(array.value, indices, behind(axis, rank(array)), dtype)


_METHODS: dict[str, Any] = {"accumulate": _accumulate, "outer": _outer, "reduceat": _reduceat}

_CALLS: dict[Any, Any] = {
    **dict.fromkeys((np.argmax, np.argmin), _arg),
    **dict.fromkeys((np.cumsum, np.cumprod), _by_default(None)),
    **dict.fromkeys((np.sort, np.argsort, np.partition, np.argpartition, np.unwrap), _along_axis),
    **dict.fromkeys(
        (np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.fft.hfft, np.fft.ihfft), _along_axis
    ),
    **dict.fromkeys(
        (np.nan_to_num, np.sinc, np.i0, np.round, np.around, np.isposinf, np.isneginf, np.fix, np.angle), _elementwise
    ),
    **dict.fromkeys((np.median, np.nanmedian, np.var, np.std, np.nanmax, np.nanmin, np.nansum, np.nanprod, np.nanmean,
                     np.nanvar, np.nanstd, np.mean, np.sum, np.prod, np.max, np.min, np.all, np.any, np.count_nonzero),
                    _reduction),
    **dict.fromkeys((np.quantile, np.percentile, np.nanquantile, np.nanpercentile), _percentile),
    **dict.fromkeys(
        (np.linalg.cholesky, np.linalg.det, np.linalg.eigh, np.linalg.eigvalsh, np.linalg.inv, np.linalg.pinv,
         np.linalg.qr, np.linalg.slogdet, np.linalg.svd, np.linalg.svdvals, np.linalg.cond, np.linalg.matrix_rank),
        _matrices,
    ),
    **dict.fromkeys((np.tril, np.triu), _triangle),
    **dict.fromkeys((np.convolve, np.correlate), _convolve),
    **dict.fromkeys((np.rot90, np.fliplr, np.flipud, np.tile, np.resize, np.delete, np.compress, np.ravel, np.reshape),
                    _moving),
    np.choose: _choose,
    np.clip: _clip,
    np.concatenate: _concatenate,
    **dict.fromkeys((np.insert, np.append), _insert),
    np.diag: _diag,
    np.diagflat: _diagflat,
    np.diagonal: _diagonal,
    np.einsum: _einsum,
    np.flip: _flip,
    np.full_like: _full_like,
    np.linalg.matmul: lambda function, n, /, **given: rules.matmul(n, *given.values()),
    np.linalg.solve: _solve,
    np.pad: _pad,
    np.repeat: _repeat,
    np.roll: _roll,
    np.searchsorted: _searchsorted,
    np.select: _select,
    np.take: _take,
    np.take_along_axis: _take_along_axis,
    np.where: lambda function, n, /, **given: np.where(*aligned([given["condition"], given["x"], given["y"]])),
}  # fmt: skip
