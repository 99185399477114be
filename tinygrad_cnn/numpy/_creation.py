"""Functions that make arrays. Within a transform, what they make can be assigned Tensors to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Handle, differentiating
from tinygrad_cnn.engine.primitive import implementations, operand
from tinygrad_cnn.numpy._lists import again, no_method, refused_by_tensor
from tinygrad_cnn.numpy_functions.creation import new_array
from tinygrad_cnn.replacements import holds_tensor, register

is_differentiating = differentiating.get
functions: dict[str, Any] = {}
_function: Any


def _making(function: Any) -> Callable[..., Any]:
    """`function`, whose result is new."""

    def make(_: Any, *args: Any, **keywords: Any) -> Any:
        try:
            made = function(*args, **keywords)
        except (TypeError, ValueError, NotImplementedError) as caught:
            error = caught
        else:
            return new_array(made) if is_differentiating() and type(made) is np.ndarray else made
        try:
            if function in _OF_TENSORS and holds_tensor((*args, *keywords.values())):
                return implementations[function](*args, **keywords)
            return again(function, args, keywords, error)
        finally:
            del error  # its traceback refers to this frame, and the frame to what may be large

    return make


_OF_TENSORS = frozenset([np.full, np.full_like, np.arange])
for _function in (
    np.zeros, np.ones, np.empty, np.full, np.eye, np.identity, np.tri, np.arange, np.linspace, np.logspace,
    np.geomspace, np.zeros_like, np.ones_like, np.empty_like, np.full_like, np.copy, np.diag, np.diagflat, np.tile,
    np.repeat, np.vander, np.fromstring, np.frombuffer, np.loadtxt, np.genfromtxt,
):  # fmt: skip
    functions[_function.__name__] = no_method(_making(_function), _function)


def _is_small(a: Any) -> bool:
    """Whether to look for Tensors in `a` is cheaper than to wait for them to refuse, and to make the error."""
    return isinstance(a, list | tuple) and 0 < len(a) < 100 and (not isinstance(a[0], list) or len(a[0]) < 10)


def _converting(function: Any) -> Callable[..., Any]:
    """`function`, which makes an array of what it is given unless that is one; a Tensor of Tensors."""
    of_tensors = implementations[function]

    def convert(_: Any, *args: Any, **keywords: Any) -> Any:
        a = args[0] if args else None
        if isinstance(a, Handle) or (is_differentiating() and _is_small(a) and holds_tensor((a,))):
            return of_tensors(*args, **keywords)
        try:
            made = function(*args, **keywords)
        except (TypeError, ValueError) as error:
            if isinstance(a, list | tuple):
                made = None if refused_by_tensor(error) else error
            else:
                made = operand(a) if differentiating.get() and hasattr(a, "__array__") else error
            if isinstance(made, Exception):
                raise
        if made is None:
            return of_tensors(*args, **keywords)
        if isinstance(made, Handle):  # of an object that holds an array that was made within the transform
            return of_tensors(made, *args[1:], **keywords)
        if made is a or not is_differentiating():
            return made
        return new_array(made) if type(made) is np.ndarray and made.base is None else made  # a view is not new

    return convert


for _function in (np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray):
    functions[_function.__name__] = no_method(_converting(_function), _function)


def require(a: Any, dtype: Any = None, requirements: Any = None, **keywords: Any) -> Any:
    """As `np.require`. A Tensor is as NumPy's arrays are by default: aligned, writeable, and its own owner."""
    if not holds_tensor([a]):
        return np.require(a, dtype, requirements, **keywords)
    wanted = "".join(requirements or ()).upper()
    convert = np.asfortranarray if "F" in wanted else np.ascontiguousarray if "C" in wanted else np.asanyarray
    return implementations[convert](a, dtype)


def asarray_chkfinite(a: Any, dtype: Any = None, order: Any = None) -> Any:
    """As `np.asarray_chkfinite`."""
    a = functions["asarray"](a, dtype=dtype, order=order)
    if a.dtype.kind in "fc" and not np.isfinite(a).all():
        raise ValueError("array must not contain infs or NaNs")
    return a


def fromiter(iter: Any, dtype: Any, count: int = -1, **keywords: Any) -> Any:
    """As `np.fromiter`."""
    if not differentiating.get():
        return np.fromiter(iter, dtype, count, **keywords)
    items = list(iter) if count < 0 else [x for _, x in zip(range(count), iter, strict=False)]
    if len(items) < count:
        raise ValueError("iterator too short")
    return functions["array"](items, dtype) if items else new_array(np.empty(0, dtype))


def fromfunction(function: Any, shape: Any, *, dtype: Any = float, like: Any = None, **keywords: Any) -> Any:
    """As `np.fromfunction`."""
    return function(*np.indices(shape, dtype=dtype), **keywords)


def isscalar(element: Any) -> bool:
    """As `np.isscalar`: True for a Tensor that stands for a number."""
    return np.isscalar(element.node.like if isinstance(element, Handle) else element)


for _own in (require, asarray_chkfinite, fromiter, fromfunction, isscalar):
    functions[_own.__name__] = _own
    register(getattr(np, _own.__name__), _own)
