"""What functions that take NumPy's arguments have in common: those refused, and axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from tinygrad_cnn.advice.assignments import written
from tinygrad_cnn.advice.refusals import Refusal
from tinygrad_cnn.engine.conversions import GradientLostError
from tinygrad_cnn.engine.graph import Handle
from tinygrad_cnn.engine.primitive import constant, operand

Axis = int | tuple[int, ...] | None
# What almost every call gives, and nothing else: these need no looking into, in the midst of a training step.
_COMMON = frozenset({"axis", "keepdims"})
# The default of an argument for which None is a value of its own.
absent: Any = type("absent", (), {"__repr__": lambda self: "<no value>"})()


def refuse_out(name: str, out: Any) -> None:
    """Raise GradientLostError if an array to write into was given."""
    if out is not None:
        raise GradientLostError(Refusal(written, f"np.{name}", True))


def refuse_tensors(name: str, keywords: dict[str, Any]) -> None:
    """Raise NotImplementedError if a keyword argument is a Tensor: NumPy would lose its gradient."""
    for keyword, x in keywords.items():
        if isinstance(x, Handle):
            raise NotImplementedError(
                f"np.{name}: {keyword} is a Tensor, but has no derivative. Combine it with the result of np.{name}, or "
                "pass its .value"
            )


def without_out(function: Callable[..., Any], place: int) -> Callable[..., Any]:
    """`function` as NumPy's callers call it: with an `out`, by name or in that place behind the operand, of None."""

    def called(a: Any, *args: Any, **keywords: Any) -> Any:
        if args or not keywords.keys() <= _COMMON:
            if len(args) > place:
                refuse_out(function.__name__, args[place])
                args = args[:place] + args[place + 1 :]
            refuse_out(function.__name__, keywords.pop("out", None))
            refuse_tensors(function.__name__, keywords)
            if "where" in keywords:
                keywords["where"] = constant(keywords["where"])
        return function(a, *args, **keywords)

    called.__name__ = function.__name__
    return called


def as_array(x: Any) -> Any:
    """`x`, or the array that a list or a tuple stands for, or the Tensor if there are Tensors in it."""
    return operand(x) if isinstance(x, list | tuple) else x


def given(**keywords: Any) -> dict[str, Any]:
    """Those of `keywords` that a caller gave, to pass on as he gave them."""
    return {name: x for name, x in keywords.items() if x is not absent}


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes of an array that has `ndim` which `axis` means, none of them negative: one, several, or None for all.

    Raises AxisError for one that does not exist, and ValueError for one that is given twice, as NumPy does.
    """
    if axis is None:
        return tuple(range(ndim))
    if type(axis) is int and -ndim <= axis < ndim:  # as in nearly every call, at a fifth of the time
        return (axis % ndim,)
    return normalize_axis_tuple(axis, ndim)


def axis_of(axis: Any, ndim: int) -> int:
    """As `axes_of`, for what takes one axis and no more: TypeError for None and for several."""
    return normalize_axis_index(axis, ndim)


def masked(where: Any, x: Any, instead: Any) -> Any:
    """`x` where `where` holds, else `instead`; `where` is a mask, or True."""
    return x if where is True else np.where(np.broadcast_to(where, np.shape(x)), x, instead)
