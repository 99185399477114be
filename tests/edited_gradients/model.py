"""A model: a loss in NumPy, and its gradient as a textbook derives it, which is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Parameters = dict[str, Any]
ByHand = Callable[[Parameters], dict[str, Any]]


class Model(NamedTuple):
    """In `by_hand`, cotangents have names that begin with d, and nothing else has; all of them are returned."""

    name: str
    loss: Callable[[Parameters], Any]
    by_hand: ByHand
    point: Parameters


def normal(seed: int, *shape: int) -> Any:
    """Normally distributed numbers, the same at each call."""
    return np.random.default_rng(seed).standard_normal(shape)


_FOUND: list[Model] = []


def gradient_of(loss: Callable[[Parameters], Any], **point: Any) -> Callable[[ByHand], ByHand]:
    """Enter the function that follows, the gradient of `loss`, into the table, with a point."""

    def enter(by_hand: ByHand) -> ByHand:
        _FOUND.append(Model(loss.__name__.replace("_", " "), loss, by_hand, point))
        return by_hand

    return enter


def models() -> list[Model]:
    """Those that were imported."""
    return _FOUND
