"""Functions of NumPy that are made of core operations: each is traced as what it is defined as here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing, Result, Slot, filled, same
from tinygrad_cnn.lowering.masking import masked_cotangent
from tinygrad_cnn.lowering.passes import optimised
from tinygrad_cnn.lowering.recorder import TracingError
from tinygrad_cnn.lowering.trace import traced

Array = Any
_NO = np._NoValue
SCIPYS = {  # ufuncs of SciPy that are elementwise operations here
    "expit": "sigmoid", "erf": "erf", "erfc": "erfc", "gammaln": "gammaln", "psi": "psi", "xlogy": "xlogy",
    "xlog1py": "xlog1py", "log1p": "log1p", "expm1": "expm1", "exp2": "exp2", "cbrt": "cbrt",
}  # fmt: skip


def with_definitions(listing: Listing) -> Listing:
    """The listing with functions in place of which their definitions stand."""
    return listing.rewritten(_rewrite)


def _rewrite(x: Instruction, operands: Sequence[Instruction]) -> Any:
    x = same(x, operands)
    call = x.operands[0] if x.operation == "item" else x
    if x.result.kind == "tuple":
        return x
    if call.operation not in ("call", "masked", "vecdot", "matvec", "vecmat"):
        return x
    if _is_scipys(x):
        return x.with_(operation=SCIPYS[x.function.__name__], parameters={}, function=None)
    if x.operation == "call" and x.function is np.where and len(x.parameters["args"]) == 3:
        return _where(x)
    definition = _definition_of(call)
    if definition is None:
        return x
    number = x.parameters["number"] if x.operation == "item" else None

    def function(*given: Array) -> Array:
        made = definition(*given) if call.operation != "call" else definition(
            *filled(call.parameters["args"], given), **filled(call.parameters["keywords"], given)
        )  # fmt: skip
        return made if number is None else made[number]

    def of_constants(*given: Array) -> Array:
        """The same, with constants for those operands that are: such as quantiles."""
        known = [
            y.parameters.get("value") if y.operation in ("constant", "closed_over") else None for y in call.operands
        ]
        return function(*[operand if value is None else value for operand, value in zip(given, known, strict=True)])

    return _traced(x, call, function) or _traced(x, call, of_constants) or x


def _where(x: Instruction) -> list[Instruction]:
    """np.where of what is no plain number: of constants of NumPy's."""
    made = [
        x.operands[a.number] if isinstance(a, Slot) else Instruction("constant", (), {"value": a}, Result.of(a))
        for a in (a if isinstance(a, Slot | bool | int | float) else np.asarray(a) for a in x.parameters["args"])
    ]
    chosen = x.with_(operation="where", operands=tuple(made), parameters={}, function=None)
    return [*[y for y in made if y not in x.operands], chosen]


def _is_scipys(x: Instruction) -> bool:
    if x.operation != "call" or not isinstance(x.function, np.ufunc) or x.function.__name__ not in SCIPYS:
        return False
    return not x.parameters["keywords"] and len(x.parameters["args"]) == len(x.operands)


def _definition_of(x: Instruction) -> Callable[..., Array] | None:
    if x.operation == "masked":
        return masked_cotangent
    if x.operation != "call":
        return _PRODUCTS.get(x.operation) if x.function is None and not x.parameters else None
    ufunc = getattr(x.function, "__self__", None)
    if isinstance(ufunc, np.ufunc):
        return _outer(ufunc) if x.function.__name__ == "outer" else None
    try:
        return _DEFINITIONS.get(x.function)
    except TypeError:
        return None


def _traced(x: Instruction, call: Instruction, function: Callable[..., Array]) -> list[Instruction] | None:
    """The instructions of a function of the operands; None if it is not defined for such operands."""
    examples = [_example(y) for y in call.operands]
    try:
        listing = with_definitions(optimised(traced(function, tuple(examples), {})))
    except (TracingError, TypeError, ValueError, NotImplementedError, IndexError, AttributeError):
        return None
    (made,) = listing.outputs if len(listing.outputs) == 1 else (None,)
    if made is None or (made.result.shape, made.result.dtype) != (x.result.shape, x.result.dtype):
        return None
    given = dict(zip([a.instruction for a in listing.arguments], call.operands, strict=True))
    new: dict[Instruction, Instruction] = {}
    for y in listing.instructions:
        if y in given:
            new[y] = given[y]
            continue
        operands = tuple([new[z] for z in y.operands])
        new[y] = y.with_(operands=operands, origin=x.origin if y is made else _unnamed(x, y))
    if new[made] in call.operands:
        return None
    return [y for y in new.values() if y not in call.operands]


def _unnamed(x: Instruction, y: Instruction) -> Any:
    """Where what is within a definition is from: the line of the call."""
    return type(x.origin)(local=y.origin.local, half=x.origin.half, scope=x.origin.scope, line=x.origin.line)


def _example(y: Instruction) -> Any:
    """Something like an operand. Its elements do not matter, but should give no error."""
    value = np.ones(y.result.shape, y.result.dtype)
    if y.result.kind == "array":
        if value.ndim > 1 and value.shape[-1] == value.shape[-2]:
            value[...] = np.eye(value.shape[-1], dtype=value.dtype)
        return value
    return value[()] if y.result.kind == "scalar" else value.item()


# Sums, and what follows from them.


def _count(a: Array, axis: Any) -> int:
    shape = np.shape(a)
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return int(np.prod([shape[k] for k in axes]))


def _refuse(**given: Any) -> None:
    """Leave a function as it is if it is called with one of these."""
    if any(value is not None and value is not _NO for value in given.values()):
        raise NotImplementedError


def _keeping(keepdims: Any) -> dict[str, Any]:
    return {} if keepdims is _NO else {"keepdims": bool(keepdims)}


def _sum(a: Array, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _NO, initial: Any = _NO,
         where: Any = True) -> Array:  # fmt: skip
    _refuse(out=out, initial=initial, dtype=dtype)
    return np.sum(np.where(where, a, 0), axis, **_keeping(keepdims))


def _prod(a: Array, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _NO, initial: Any = _NO,
          where: Any = True) -> Array:  # fmt: skip
    _refuse(out=out, initial=initial, dtype=dtype)
    return np.prod(np.where(where, a, 1), axis, **_keeping(keepdims))


def _mean(
    a: Array, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _NO, *, where: Any = True
) -> Array:
    _refuse(out=out, dtype=dtype)
    if where is True:
        raise NotImplementedError  # a core operation
    there = np.broadcast_to(where, np.shape(a))
    return _sum(a, axis, keepdims=keepdims, where=there) / np.sum(there, axis, **_keeping(keepdims))


def _var(a: Array, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = _NO, *,
         where: Any = True, mean: Any = _NO, correction: Any = _NO) -> Array:  # fmt: skip
    _refuse(dtype=dtype, out=out, mean=mean, correction=correction)
    if where is not True:
        raise NotImplementedError
    difference = a - np.mean(a, axis, keepdims=True)
    return np.sum(difference * difference, axis, **_keeping(keepdims)) / max(_count(a, axis) - ddof, 0)


def _average(a: Array, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = _NO) -> Array:
    if weights is None or returned:
        return np.mean(a, axis, **_keeping(keepdims))
    if np.shape(weights) != np.shape(a):
        weights = np.reshape(weights, [-1 if k == axis % np.ndim(a) else 1 for k in range(np.ndim(a))])
        weights = np.broadcast_to(weights, np.shape(a))
    return np.sum(a * weights, axis, **_keeping(keepdims)) / np.sum(weights, axis, **_keeping(keepdims))


def _ptp(a: Array, axis: Any = None, out: Any = None, keepdims: Any = _NO) -> Array:
    _refuse(out=out)
    return np.max(a, axis, **_keeping(keepdims)) - np.min(a, axis, **_keeping(keepdims))


def _nan(function: Any, filled_with: float) -> Callable[..., Array]:
    def defined(a: Array, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _NO, initial: Any = _NO,
                where: Any = _NO) -> Array:  # fmt: skip
        _refuse(dtype=dtype, out=out, initial=initial, where=where)
        return function(np.where(np.isnan(a), filled_with, a), axis, **_keeping(keepdims))

    return defined


def _nanmean(
    a: Array, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _NO, *, where: Any = _NO
) -> Array:
    _refuse(dtype=dtype, out=out, where=where)
    there = np.logical_not(np.isnan(a))
    total = np.sum(np.where(there, a, 0), axis, **_keeping(keepdims))
    return total / np.sum(there, axis, **_keeping(keepdims))


def _nanvar(a: Array, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = _NO, *,
            where: Any = _NO, mean: Any = _NO, correction: Any = _NO) -> Array:  # fmt: skip
    _refuse(dtype=dtype, out=out, where=where, mean=mean, correction=correction)
    there = np.logical_not(np.isnan(a))
    difference = np.where(there, a - _nanmean(a, axis, keepdims=True), 0)
    count = np.sum(there, axis, **_keeping(keepdims))
    return np.sum(difference * difference, axis, **_keeping(keepdims)) / (count - ddof)


def _nanextreme(function: Any, worst: float) -> Callable[..., Array]:
    def defined(
        a: Array, axis: Any = None, out: Any = None, keepdims: Any = _NO, initial: Any = _NO, where: Any = _NO
    ) -> Array:
        _refuse(out=out, initial=initial, where=where)
        found = function(np.where(np.isnan(a), worst, a), axis, **_keeping(keepdims))
        return np.where(np.all(np.isnan(a), axis, **_keeping(keepdims)), np.nan, found)

    return defined


def _of_root(variance: Callable[..., Array]) -> Callable[..., Array]:
    return lambda *args, **how: np.sqrt(variance(*args, **how))


def _cumulative(function: Any) -> Callable[..., Array]:
    def defined(
        x: Array, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: bool = False
    ) -> Array:
        _refuse(dtype=dtype, out=out)
        axis = 0 if axis is None else axis
        found = function(x, axis)
        if include_initial:
            shape = [1 if k == axis % np.ndim(x) else n for k, n in enumerate(np.shape(x))]
            found = np.concatenate([np.full(shape, 0.0 if function is np.cumsum else 1.0, found.dtype), found], axis)
        return found

    return defined


def _flat(function: Any) -> Callable[..., Array]:
    def defined(a: Array, axis: Any = None, dtype: Any = None, out: Any = None) -> Array:
        _refuse(dtype=dtype, out=out)
        if axis is not None or np.ndim(a) == 1:
            raise NotImplementedError  # a core operation
        return function(np.reshape(a, -1), 0)

    return defined


def _nancumulative(function: Any, neutral: float) -> Callable[..., Array]:
    def defined(a: Array, axis: Any = None, dtype: Any = None, out: Any = None) -> Array:
        _refuse(dtype=dtype, out=out)
        a = np.where(np.isnan(a), neutral, a)
        return function(np.reshape(a, -1), 0) if axis is None else function(a, axis)

    return defined


def _cov(m: Array, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None, fweights: Any = None,
         aweights: Any = None, *, dtype: Any = None) -> Array:  # fmt: skip
    _refuse(fweights=fweights, aweights=aweights, dtype=dtype)
    rows = np.atleast_2d(m)
    if not rowvar and np.ndim(m) > 1:
        rows = np.transpose(rows)
    if y is not None:
        others = np.atleast_2d(y)
        rows = np.concatenate([rows, others if rowvar or np.ndim(y) < 2 else np.transpose(others)], 0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    difference = rows - np.mean(rows, 1, keepdims=True)
    return np.squeeze(difference @ np.transpose(difference) / (np.shape(rows)[1] - ddof))


def _corrcoef(x: Array, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Array:
    found = _cov(x, y, rowvar, dtype=dtype)
    if np.ndim(found) == 0:
        return found / found
    deviation = np.sqrt(np.diagonal(found))
    return np.clip(found / deviation[:, None] / deviation[None, :], -1, 1)


def _trapezoid(y: Array, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Array:
    y = np.moveaxis(y, axis, -1)
    width = dx if x is None else np.diff(np.moveaxis(x, axis, -1) if np.ndim(x) > 1 else x)
    return np.sum(width * (y[..., 1:] + y[..., :-1]) / 2.0, -1)


def _diff(a: Array, n: int = 1, axis: int = -1, prepend: Any = _NO, append: Any = _NO) -> Array:
    _refuse(prepend=prepend, append=append)
    axis = axis % np.ndim(a)
    before = (*[slice(None)] * axis, slice(None, -1))
    behind = (*[slice(None)] * axis, slice(1, None))
    for _ in range(n):
        a = a[behind] - a[before]
    return a


# Products.


def _dot(a: Array, b: Array, out: Any = None) -> Array:
    _refuse(out=out)
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        return a @ b
    return _tensordot(a, b, ([-1], [-2 if np.ndim(b) > 1 else 0]))


def _inner(a: Array, b: Array) -> Array:
    return a * b if np.ndim(a) == 0 or np.ndim(b) == 0 else _tensordot(a, b, ([-1], [-1]))


def _outer_product(a: Array, b: Array, out: Any = None) -> Array:
    _refuse(out=out)
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


def _tensordot(a: Array, b: Array, axes: Any = 2) -> Array:
    if isinstance(axes, int):
        left, right = list(range(np.ndim(a) - axes, np.ndim(a))), list(range(axes))
    else:
        left, right = [list(given) if isinstance(given, list | tuple) else [given] for given in axes]
    left, right = [k % np.ndim(a) for k in left], [k % np.ndim(b) for k in right]
    kept, others = [k for k in range(np.ndim(a)) if k not in left], [k for k in range(np.ndim(b)) if k not in right]
    terms = int(np.prod([np.shape(a)[k] for k in left]))
    shape = [np.shape(a)[k] for k in kept] + [np.shape(b)[k] for k in others]
    rows = np.reshape(np.transpose(a, (*kept, *left)), (-1 if terms else int(np.prod(shape[: len(kept)])), terms))
    columns = np.reshape(np.transpose(b, (*right, *others)), (terms, -1 if terms else int(np.prod(shape[len(kept) :]))))
    return np.reshape(rows @ columns, shape)


def _kron(a: Array, b: Array) -> Array:
    ndim = max(np.ndim(a), np.ndim(b))
    a = np.reshape(a, (*[1] * (ndim - np.ndim(a)), *np.shape(a)))
    b = np.reshape(b, (*[1] * (ndim - np.ndim(b)), *np.shape(b)))
    apart = np.reshape(a, [n for m in np.shape(a) for n in (m, 1)]) * np.reshape(
        b, [n for m in np.shape(b) for n in (1, m)]
    )
    return np.reshape(apart, [n * m for n, m in zip(np.shape(a), np.shape(b), strict=True)])


def _outer(ufunc: np.ufunc) -> Callable[..., Array]:
    return lambda a, b: ufunc(np.reshape(a, (*np.shape(a), *[1] * np.ndim(b))), b)


def _trace(a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Array:
    _refuse(dtype=dtype, out=out)
    return np.sum(np.diagonal(a, offset, axis1, axis2), -1)


def _cross(a: Array, b: Array, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Array:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    if np.shape(a)[-1] != 3 or np.shape(b)[-1] != 3:
        raise NotImplementedError
    parts = [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return np.moveaxis(np.stack(parts, -1), -1, axisc)


def _matrix_power(a: Array, n: int) -> Array:
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 0:
        return np.broadcast_to(np.eye(np.shape(a)[-1], dtype=a.dtype), np.shape(a)) + 0 * a
    found = a
    for _ in range(n - 1):
        found = found @ a
    return found


def _multi_dot(arrays: Sequence[Array], *, out: Any = None) -> Array:
    _refuse(out=out)
    found = arrays[0]
    for a in arrays[1:]:
        found = found @ a
    return found


def _norm(x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    if ord is not None and ((axis is None and np.ndim(x) != 1) or isinstance(axis, tuple)) and ord != "fro":
        raise NotImplementedError  # of a matrix
    if ord in (None, 2, "fro"):
        return np.sqrt(np.sum(x * x, axis, keepdims=keepdims))
    if ord == 1:
        return np.sum(np.abs(x), axis, keepdims=keepdims)
    if ord == np.inf:
        return np.max(np.abs(x), axis, keepdims=keepdims)
    if ord == -np.inf:
        return np.min(np.abs(x), axis, keepdims=keepdims)
    if isinstance(ord, int | float) and ord != 0:
        return np.sum(np.abs(x) ** ord, axis, keepdims=keepdims) ** (1 / ord)
    raise NotImplementedError


def _vector_norm(x: Array, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Array:
    if axis is None and np.ndim(x) > 1 and not keepdims:
        x = np.reshape(x, -1)
    return _norm(x, ord, axis, keepdims)


def _correlate(a: Array, v: Array, mode: str = "valid") -> Array:
    n, m = len(a), len(v)
    if n < m:
        return np.flip(_correlate(v, a, mode))
    before = {"full": m - 1, "same": m // 2, "valid": 0}[mode]
    size = {"full": n + m - 1, "same": n, "valid": n - m + 1}[mode]
    padded = np.pad(a, (before, max(0, size + m - 1 - before - n)))
    return padded[np.arange(size)[:, None] + np.arange(m)] @ v


def _convolve(a: Array, v: Array, mode: str = "full") -> Array:
    if len(v) > len(a):
        a, v = v, a
    if mode == "same":  # as NumPy centres it
        whole, start = _correlate(a, np.flip(v), "full"), (len(v) - 1) // 2
        return whole[start : start + len(a)]
    return _correlate(a, np.flip(v), mode)


# Elementwise, and what follows from order.


def _clip(a: Array, a_min: Any = _NO, a_max: Any = _NO, out: Any = None, *, min: Any = _NO, max: Any = _NO) -> Array:
    _refuse(out=out)
    low, high = [y if x is _NO else x for x, y in ((a_min, min), (a_max, max))]
    if low is not _NO and low is not None:
        a = np.maximum(a, low)
    return a if high is _NO or high is None else np.minimum(a, high)


def _take(a: Array, indices: Array, axis: Any = None, out: Any = None, mode: str = "raise") -> Array:
    _refuse(out=out)
    n = np.size(a) if axis is None else np.shape(a)[axis]
    if mode == "raise" and axis is not None:
        raise NotImplementedError  # a core operation
    if mode == "wrap":
        indices = np.remainder(indices, n)
    elif mode == "clip":
        indices = np.minimum(np.maximum(indices, 0), n - 1)
    return np.take(np.reshape(a, -1) if axis is None else a, indices, 0 if axis is None else axis)


def _round(a: Array, decimals: int = 0, out: Any = None) -> Array:
    _refuse(out=out)
    if np.result_type(a).kind != "f":
        raise NotImplementedError
    scale = 10.0 ** abs(decimals)
    return np.rint(a * scale) / scale if decimals > 0 else np.rint(a / scale) * scale if decimals < 0 else np.rint(a)


def _isclose(a: Array, b: Array, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Array:
    near = np.logical_and(np.abs(a - b) <= atol + rtol * np.abs(b), np.isfinite(b))
    found = np.logical_or(near, np.equal(a, b))
    return np.logical_or(found, np.logical_and(np.isnan(a), np.isnan(b))) if equal_nan else found


def _sinc(x: Array) -> Array:
    y = np.pi * np.where(np.equal(x, 0), 1.0e-20, x)
    return np.sin(y) / y


def _nan_to_num(x: Array, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Array:
    limits = np.finfo(x.dtype)
    x = np.where(np.isnan(x), nan, x)
    x = np.where(np.equal(x, np.inf), float(limits.max) if posinf is None else posinf, x)
    return np.where(np.equal(x, -np.inf), float(limits.min) if neginf is None else neginf, x)


def _select(condlist: Sequence[Array], choicelist: Sequence[Array], default: Any = 0) -> Array:
    found = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        found = np.where(condition, choice, found)
    return found


def _sort(a: Array, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Array:
    if axis is not None:
        raise NotImplementedError  # a core operation
    return np.sort(np.reshape(a, -1))


def _flat_argument(function: Any) -> Callable[..., Array]:
    def defined(a: Array, axis: Any = None, out: Any = None, *, keepdims: Any = _NO) -> Array:
        _refuse(out=out, keepdims=keepdims)
        if axis is not None or np.ndim(a) == 1:
            raise NotImplementedError  # a core operation
        return function(np.reshape(a, -1), 0)

    return defined


def _median(
    a: Array, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False
) -> Array:
    _refuse(out=out)
    return _quantile(a, 0.5, axis, keepdims=keepdims)


def _quantile(a: Array, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
              method: str = "linear", keepdims: bool = False, *, weights: Any = None) -> Array:  # fmt: skip
    _refuse(out=out, weights=weights)
    q = np.asarray(q) if isinstance(q, list) else q
    if method != "linear" or not isinstance(q, float | int | np.ndarray | np.generic):
        raise NotImplementedError
    if isinstance(axis, tuple):
        axes = [k % np.ndim(a) for k in axis]
        kept = [k for k in range(np.ndim(a)) if k not in axes]
        shape = [1 if k in axes else n for k, n in enumerate(np.shape(a))]
        lines = np.reshape(np.transpose(a, (*kept, *axes)), (*[np.shape(a)[k] for k in kept], -1))
        found = _quantile(lines, q, -1)
        return np.reshape(found, (*np.shape(q), *shape)) if keepdims else found
    if axis is None:
        shape = [1] * np.ndim(a)
        a, axis = np.reshape(a, -1), 0
        return np.reshape(_quantile(a, q, 0), (*np.shape(q), *shape)) if keepdims else _quantile(a, q, 0)
    line = np.moveaxis(np.sort(a, axis), axis, 0)
    n = np.shape(line)[0]
    at = np.asarray(q, np.float64) * (n - 1)
    below = np.floor(at).astype(int)
    part = np.reshape(at - below, (*np.shape(q), *[1] * (np.ndim(line) - 1)))
    low, high = line[below], line[np.minimum(below + 1, n - 1)]
    found = np.where(part < 0.5, low + (high - low) * part, high - (high - low) * (1 - part))
    found = np.where(np.isnan(line[-1]), np.nan, found)
    return np.expand_dims(found, np.ndim(q) + axis % np.ndim(a)) if keepdims else found


def _percentile(a: Array, q: Any, *args: Any, **how: Any) -> Array:
    return _quantile(a, np.true_divide(q, 100) if isinstance(q, list | np.ndarray) else q / 100, *args, **how)


def _linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
              axis: int = 0) -> Array:  # fmt: skip
    _refuse(dtype=dtype)
    if retstep or axis != 0 or num < 2:
        raise NotImplementedError
    ndim = max(np.ndim(start), np.ndim(stop))
    places = np.reshape(np.arange(num, dtype=np.float64), (-1, *[1] * ndim))
    made = places * ((stop - start) / (num - 1 if endpoint else num)) + start
    if endpoint:
        made[-1] = stop
    return made


def _interp(x: Array, xp: Array, fp: Array, left: Any = None, right: Any = None, period: Any = None) -> Array:
    _refuse(period=period)
    n = len(xp)
    j = np.minimum(np.maximum(np.sum(np.reshape(x, (*np.shape(x), 1)) >= xp, -1) - 1, 0), n - 2)
    low, high, start, end = np.take(fp, j), np.take(fp, j + 1), np.take(xp, j), np.take(xp, j + 1)
    inside = low + (x - start) * ((high - low) / (end - start))
    found = np.where(np.equal(x, xp[-1]), fp[-1], inside)
    found = np.where(x > xp[-1], fp[-1] if right is None else right, found)
    return np.where(x < xp[0], fp[0] if left is None else left, found)


def _searchsorted(a: Array, v: Array, side: str = "left", sorter: Any = None) -> Array:
    _refuse(sorter=sorter)
    v = np.reshape(v, (*np.shape(v), 1))
    return np.sum(v > a if side == "left" else v >= a, -1)


def _polyval(p: Array, x: Array) -> Array:
    found = 0 * x
    for k in range(len(p)):
        found = found * x + p[k]
    return found


_PRODUCTS: dict[str, Callable[..., Array]] = {
    "vecdot": lambda a, b: np.sum(a * b, -1),
    "matvec": lambda a, b: (a @ b[..., None])[..., 0],
    "vecmat": lambda a, b: (a[..., None, :] @ b)[..., 0, :],
}
_DEFINITIONS: dict[Any, Callable[..., Array]] = {
    np.sum: _sum, np.prod: _prod, np.mean: _mean, np.var: _var, np.std: _of_root(_var), np.average: _average,
    np.ptp: _ptp, np.nansum: _nan(np.sum, 0.0), np.nanprod: _nan(np.prod, 1.0), np.nanmean: _nanmean,
    np.nanvar: _nanvar, np.nanstd: _of_root(_nanvar), np.nanmax: _nanextreme(np.max, -np.inf),
    np.nanmin: _nanextreme(np.min, np.inf), np.cumsum: _flat(np.cumsum), np.cumprod: _flat(np.cumprod),
    np.nancumsum: _nancumulative(np.cumsum, 0.0), np.nancumprod: _nancumulative(np.cumprod, 1.0),
    np.cov: _cov, np.corrcoef: _corrcoef, np.trapezoid: _trapezoid, np.diff: _diff, np.dot: _dot, np.inner: _inner,
    np.outer: _outer_product,
    np.vdot: lambda a, b: np.sum(np.reshape(a, -1) * np.reshape(b, -1)), np.tensordot: _tensordot, np.kron: _kron,
    np.trace: _trace, np.cross: _cross, np.vecdot: lambda a, b, axis=-1: np.sum(a * b, axis),
    np.linalg.outer: _outer_product, np.linalg.matmul: lambda a, b: a @ b, np.linalg.tensordot: _tensordot,
    np.linalg.cross: lambda a, b, axis=-1: _cross(a, b, axis=axis),
    np.linalg.vecdot: lambda a, b, axis=-1: np.sum(a * b, axis),
    np.linalg.trace: lambda a, offset=0: np.sum(np.diagonal(a, offset, -2, -1), -1),
    np.linalg.matrix_power: _matrix_power, np.linalg.multi_dot: _multi_dot, np.linalg.norm: _norm,
    np.linalg.vector_norm: _vector_norm,
    np.linalg.matrix_norm: lambda x, **how: _norm(x, how.pop("ord", "fro"), (-2, -1), **how),
    np.correlate: _correlate, np.convolve: _convolve, np.clip: _clip, np.sinc: _sinc, np.nan_to_num: _nan_to_num,
    np.select: _select, np.argmax: _flat_argument(np.argmax), np.argmin: _flat_argument(np.argmin),
     np.sort: _sort, np.median: _median, np.quantile: _quantile, np.percentile: _percentile,
    np.linspace: _linspace, np.take: _take,
    np.round: _round, np.isclose: _isclose, np.interp: _interp, np.searchsorted: _searchsorted, np.polyval: _polyval,
}  # fmt: skip
for _name, _function in (("cumulative_sum", np.cumsum), ("cumulative_prod", np.cumprod)):
    if hasattr(np, _name):  # since NumPy 2.1
        _DEFINITIONS[getattr(np, _name)] = _cumulative(_function)
