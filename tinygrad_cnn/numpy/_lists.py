"""Functions of arrays, for which lists of Tensors are arrays: np.sum([t, u]), np.exp([t, u]), np.concatenate([[t], a]).

NumPy hands a call to a Tensor that is itself an argument. It makes an array of a list first, which Tensors refuse. So
NumPy's function is called as it is, and only if a Tensor refused, again with Tensors in place of the lists: a call
without a list of Tensors costs no more than one more call in Python.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from types import MethodType
from typing import Any

import numpy as np

from tinygrad_cnn.engine.conversions import GradientLostError
from tinygrad_cnn.engine.primitive import implementations, operand
from tinygrad_cnn.replacements import holds_tensor, register

# The first argument of these is a sequence of arrays, and not an array.
_OF_SEQUENCES = frozenset(
    [
        np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack, np.linalg.multi_dot, np.lexsort,
        np.histogramdd, np.ravel_multi_index,
    ]
)  # fmt: skip
_BY_CALLBACK = frozenset([np.piecewise, np.apply_along_axis, np.apply_over_axes])


def no_method(call: Callable[..., Any], original: Any) -> Any:
    """`call`, whose first parameter is not used, with the name of `original`, and in its place as its counterpart.

    As NumPy's ufuncs and built-in functions, and unlike a function of Python, it is no method where it is an attribute
    of a class; bound already, it is not bound again.
    """
    functools.update_wrapper(call, original)
    counterpart = MethodType(call, np)
    register(original, counterpart)
    return counterpart


def _ufunc_of_lists(ufunc: np.ufunc) -> Any:
    """A ufunc that takes lists of Tensors, as do those of its methods that take arrays."""

    def taking_lists(_: Any, *args: Any, **keywords: Any) -> Any:
        try:
            return ufunc(*args, **keywords)
        except (TypeError, ValueError) as caught:
            error = caught
        try:
            return again(ufunc, args, keywords, error)
        finally:
            del error  # its traceback refers to this frame, and the frame to what may be large

    function = no_method(taking_lists, ufunc)
    attributes = vars(taking_lists)
    for name in ("nin", "nout", "nargs", "ntypes", "types", "identity", "signature", "at", "resolve_dtypes"):
        attributes[name] = getattr(ufunc, name)
    for name in ("reduce", "accumulate", "reduceat", "outer"):
        attributes[name] = of_lists(getattr(ufunc, name))
    return function


def of_lists(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, of NumPy, which takes lists of Tensors for arrays too."""

    @functools.wraps(function)
    def taking_lists(*args: Any, **keywords: Any) -> Any:
        try:
            return function(*args, **keywords)
        except (TypeError, ValueError) as caught:
            error = caught
        try:
            return again(function, args, keywords, error)
        finally:
            del error  # its traceback refers to this frame, and the frame to what may be large

    return taking_lists


def refused_by_tensor(error: BaseException) -> bool:
    """Whether NumPy tried to make an array of a Tensor. It hides the error of a Tensor as the cause of its own."""
    return isinstance(error, GradientLostError) or isinstance(error.__cause__, GradientLostError)


def again(function: Callable[..., Any], args: Any, keywords: Any, error: BaseException) -> Any:
    """The call of `function`, with each list of Tensors as one Tensor. Raises `error` if it has another reason."""
    if not refused_by_tensor(error):
        raise error
    if function in _OF_SEQUENCES and holds_tensor(args):
        return function([operand(x) for x in args[0]], *args[1:], **keywords)
    if function in _BY_CALLBACK:  # of an array, by a function that closes over Tensors
        args = args if function is np.piecewise else [_as_operand(x) for x in args]  # of that a list holds functions
        return implementations[function](*args, **keywords)
    if holds_tensor(x for x in (*args, *keywords.values()) if isinstance(x, list | tuple)):
        return function(*[_as_operand(x) for x in args], **{name: _as_operand(x) for name, x in keywords.items()})
    raise error


def _as_operand(x: Any) -> Any:
    return operand(x) if isinstance(x, list | tuple) and holds_tensor(x) else x


def aware(module: Any, names: Iterable[str]) -> dict[str, Any]:
    """Those functions of `module`, of NumPy, that take Tensors, by name, and so that they take lists of Tensors too."""
    found: dict[str, Any] = {}
    made: dict[int, Any] = {}
    for name in names:
        function = vars(module).get(name)
        if id(function) not in made:
            if isinstance(function, np.ufunc):
                made[id(function)] = _ufunc_of_lists(function)
            elif callable(function) and function in implementations:
                made[id(function)] = of_lists(function)
                register(function, made[id(function)])
            else:
                continue
        found[name] = made[id(function)]
    return found


functions = aware(np, np.__all__)
