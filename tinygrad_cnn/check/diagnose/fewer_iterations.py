"""The same functions with loops of few iterations: what is wrong in a long loop is mostly wrong in a short one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.moved_data import exchanged, places_of, value_in

MANY, FEW = 16, 3  # iterations of a loop that is shortened, and those that are left

Shortened = Callable[[], AbstractContextManager[None]]


def shortened(functions: Sequence[Any]) -> Iterator[Shortened]:
    """Contexts within which a large number that functions find elsewhere than in their arguments is small.

    It may be how many iterations a loop has. Lists, and axes of arrays, that are as long are shortened with it.
    """
    places = places_of(functions)
    numbers = {n for place in places for n in _numbers(value_in(place)) if n >= MANY}
    for n in sorted(numbers, reverse=True):
        yield functools.partial(exchanged, places, functools.partial(_shorter, n))


def _numbers(value: Any) -> Iterator[int]:
    """The numbers that may be those of iterations."""
    if type(value) is int:
        yield value
    elif isinstance(value, np.ndarray):
        yield from value.shape
    elif isinstance(value, list | tuple):
        yield len(value)
    elif type(value) is dict:
        for x in value.values():
            yield from _numbers(x) if not isinstance(x, dict) else ()


def _shorter(n: int, value: Any) -> Any:
    """A value with FEW in place of `n`; the value itself if there is no `n` in it."""
    if type(value) is int and value == n:
        return FEW
    if isinstance(value, np.ndarray) and n in value.shape:
        return value[tuple([slice(FEW) if m == n else slice(None) for m in value.shape])]
    if isinstance(value, list | tuple) and len(value) == n:
        return value[:FEW]
    if type(value) is dict and n in _numbers(value):
        return {key: x if isinstance(x, dict) else _shorter(n, x) for key, x in value.items()}
    return value
