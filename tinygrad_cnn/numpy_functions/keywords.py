"""NumPy's keywords out=, where= and dtype=: a Tensor that is given as out is assigned to."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.advice.assignments import written
from tinygrad_cnn.advice.refusals import Refusal
from tinygrad_cnn.engine.conversions import GradientLostError
from tinygrad_cnn.engine.primitive import keyword_calls
from tinygrad_cnn.engine.tensor import Tensor


def ufunc_with_keywords(
    ufunc: np.ufunc, method: str, implementation: Any, inputs: Any, keywords: dict[str, Any]
) -> Any:
    """A ufunc, or a method of one, with the keywords that stand behind its operands."""
    if method == "__call__":
        return _call(ufunc, implementation, inputs, **keywords)
    if hasattr(implementation, "on_values"):
        return implementation(*inputs, **keywords)
    name, into = f"np.{ufunc.__name__}.{method}", keywords.pop("out")
    _check_out(name, into)
    return _written(name, getattr(ufunc, method)(*inputs, **keywords), into)


def function_with_out(function: Any, implementation: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """A NumPy function with `out=`."""
    if hasattr(implementation, "on_values"):
        return implementation(*args, **kwargs)
    name, into = f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1), (kwargs["out"],)
    _check_out(name, into)
    rest = {keyword: x for keyword, x in kwargs.items() if keyword != "out"}
    return _written(name, function(*args, **rest), into)


def _call(
    ufunc: np.ufunc,
    implementation: Any,
    inputs: Any,
    out: Any = None,
    where: Any = True,
    dtype: Any = None,
    casting: str = "same_kind",
    **more: Any,
) -> Any:
    """A ufunc with what stands behind its operands: `out=` a Tensor is assigned to, `where=` needs it."""
    name = f"np.{ufunc.__name__}"
    if out is not None:
        if hasattr(implementation, "on_values") and not any(isinstance(x, Tensor) for x in out):
            return implementation(*inputs, out=out, where=where, dtype=dtype, casting=casting, **more)
        _check_out(name, out)
    if where is not True and out is None:
        raise TypeError(f"{name}: where= leaves the other elements undefined. Use np.where, or pass a Tensor as out=")
    if dtype is not None:
        inputs = [x.astype(dtype) if isinstance(x, Tensor) else np.asarray(x, dtype) for x in inputs]
    if where is not True:
        # Only these elements are computed, as in NumPy: elsewhere the function may have no value, and no slope.
        where = np.broadcast_to(where, out[0].shape)
        inputs = [np.broadcast_to(x, where.shape)[where] if np.ndim(x) else x for x in inputs]
    if more and ufunc.signature is None:  # one of vectors, such as vecdot, has axis= and keepdims=
        keyword = next(iter(more))
        raise NotImplementedError(
            f"{name}: {keyword}= is not supported for Tensors; expected out, where, dtype or casting. Omit {keyword}="
        )
    result = implementation(*inputs, **more)
    return result if out is None else _written(name, result, out, ... if where is True else where, casting)


def _check_out(name: str, out: tuple[Any, ...]) -> None:
    """Raise GradientLostError if a result would be written into something else than Tensors."""
    if not all(isinstance(x, Tensor) for x in out):
        raise GradientLostError(Refusal(written, name, True))


def _written(name: str, result: Any, out: tuple[Any, ...], where: Any = None, casting: Any = "same_kind") -> Any:
    """The Tensors `out`, after `result` was assigned to them as NumPy writes into `out=`.

    where: the elements of `out` that are written to, if the result is broadcast to these; None where the shape of the
    result has to be that of `out`.
    """
    results = result if isinstance(result, tuple) else (result,)
    for x, target in zip(results, out, strict=True):
        fits = np.shape(x) == target.shape if where is None else where is not ... or _broadcasts(x, target)
        if not fits:
            raise ValueError(f"{name}: out has shape {target.shape}; expected {np.shape(x)}, the shape of the result")
        if not np.can_cast(x.dtype, target.dtype, casting):
            raise TypeError(
                f"{name}: out has dtype {target.dtype}; expected one that {x.dtype}, the dtype of the result, can be "
                "cast to"
            )
        target[... if where is None else where] = x
    return out if isinstance(result, tuple) else out[0]


def _broadcasts(x: Any, target: Any) -> bool:
    try:
        return np.broadcast_shapes(np.shape(x), target.shape) == target.shape  # type: ignore[no-any-return]
    except ValueError:
        return False


keyword_calls.update({"ufunc": ufunc_with_keywords, "function": function_with_out})
