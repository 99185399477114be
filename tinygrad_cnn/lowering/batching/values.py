"""What a value is when a listing is run for many examples at once: the same for all, or one for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = Any


class Batched:
    """The values of an instruction for all examples: an array whose axis 0 runs over them, or a tuple of such."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def is_batched(x: Any) -> bool:
    """Whether it is one value for each example."""
    return type(x) is Batched


def rank(x: Any) -> int:
    """How many axes the value of one example has."""
    return np.ndim(x.value) - 1 if is_batched(x) else np.ndim(x)


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of the value of one example."""
    return np.shape(x.value)[1:] if is_batched(x) else np.shape(x)


def for_each(x: Any, n: int) -> Array:
    """An array whose axis 0 runs over the `n` examples; one value for all is repeated, as a view."""
    return x.value if is_batched(x) else np.broadcast_to(x, (n, *np.shape(x)))


def aligned(operands: Sequence[Any], core: Sequence[int] = ()) -> list[Array]:
    """Arrays that broadcast with each other as those of one example do.

    core: how many of the last axes of each do not broadcast, as those of matrices in a product of them.
    """
    core = core or [0] * len(operands)
    most = max([rank(x) - fixed for x, fixed in zip(operands, core, strict=True)])
    found = []
    for x, fixed in zip(operands, core, strict=True):
        missing = most + fixed - rank(x)
        if is_batched(x):
            n, *shape = x.value.shape
            x = x.value.reshape((n, *[1] * missing, *shape)) if missing else x.value
        found.append(x)
    return found


def elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """The batching rule of a function each element of whose result follows from one element of each operand."""
    return lambda n, *operands, **how: function(*aligned(operands), **how)
