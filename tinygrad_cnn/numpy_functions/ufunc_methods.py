"""The methods of ufuncs of two operands: outer; and reduce, accumulate, reduceat, which put a ufunc between elements.

np.add.reduce and its kin, which are rules of their own, are in `reductions.py` and `cumulative.py`. All others go step
by step along an axis, and so make a node for each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_cnn.primitives.elementwise  # noqa: F401 (its ufuncs are those whose methods are here)
from tinygrad_cnn.engine.primitive import implementations, to_values
from tinygrad_cnn.numpy_functions.without_derivative import PLAIN, on_values
from tinygrad_cnn.primitives.arguments import absent, axes_of
from tinygrad_cnn.primitives.shaping import laid_out


def _outer(ufunc: np.ufunc) -> Callable[..., Any]:
    def outer(a: Any, b: Any, /, **keywords: Any) -> Any:
        return ufunc(np.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b, **keywords)

    return outer


def _reduce(ufunc: np.ufunc) -> Callable[..., Any]:
    def reduce(
        array: Any, axis: int | tuple[int, ...] | None = 0, dtype: Any = None, keepdims: bool = False,
        initial: Any = absent, where: Any = True,
    ) -> Any:  # fmt: skip
        method, values = f"np.{ufunc.__name__}.reduce", to_values(array)
        if initial is not absent or where is not True:
            raise NotImplementedError(
                f"{method}: initial= and where= are not supported for Tensors. Use np.where on the operand"
            )
        plain = ufunc.reduce(values, axis, dtype, keepdims=keepdims)  # and NumPy's own errors
        if not np.size(array):
            return plain
        axes = axes_of(axis, values.ndim)
        rows = np.moveaxis(array, axes, tuple(range(len(axes)))) if axes else array[None]
        rows = rows.reshape((-1, *rows.shape[len(axes) or 1 :]))
        rows = rows if dtype is None else rows.astype(dtype)
        if len(rows) == 1 and ufunc.identity is not None:  # so that hypot of one element is its absolute value
            return laid_out(ufunc(ufunc.identity, rows[0]).reshape(plain.shape), plain)
        *before, last = _steps(ufunc, rows)
        return laid_out((last if before else np.copy(last)).reshape(plain.shape), plain)

    return reduce


def _accumulate(ufunc: np.ufunc) -> Callable[..., Any]:
    def accumulate(array: Any, axis: int = 0, dtype: Any = None) -> Any:
        plain = ufunc.accumulate(to_values(array), axis, dtype)
        if not plain.size:
            return plain
        rows = np.moveaxis(array if dtype is None else array.astype(dtype), axis, 0)
        return laid_out(np.moveaxis(np.stack(_steps(ufunc, rows)), 0, axis), plain)

    return accumulate


def _steps(ufunc: np.ufunc, rows: Any) -> list[Any]:
    """The first of `rows`, the ufunc of that and the second, the ufunc of that and the third, and so on."""
    found = [rows[0]]
    for row in rows[1:]:
        found.append(ufunc(found[-1], row))
    return found


def _reduceat(ufunc: np.ufunc) -> Callable[..., Any]:
    def reduceat(array: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
        starts = np.asarray(to_values(indices))
        plain = ufunc.reduceat(to_values(array), starts, axis, dtype)
        rows = np.moveaxis(array if dtype is None else array.astype(dtype), axis, 0)
        parts = []
        for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
            parts.append(ufunc.reduce(rows[start:end], axis=0) if start + 1 < end else rows[start])
        return laid_out(np.moveaxis(np.stack(parts), 0, axis), plain) if parts else plain

    return reduceat


_METHODS = {"outer": _outer, "reduce": _reduce, "accumulate": _accumulate, "reduceat": _reduceat}

_UFUNCS = [f for f in implementations if isinstance(f, np.ufunc) and f.nin == 2 and f.nout == 1 and not f.signature]
for _ufunc in _UFUNCS:
    for _name, _make in _METHODS.items():
        _method = on_values(getattr(_ufunc, _name)) if _ufunc in PLAIN else _make(_ufunc)
        implementations.setdefault((_ufunc, _name), _method)
