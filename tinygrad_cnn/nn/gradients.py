"""What is done to gradients before a step, and to parameters after it."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.transforms import stop_gradient

T = TypeVar("T")


def global_norm(gradients: Any) -> Array:
    """The square root of the sum of the squares of all elements of a tree, without overflow.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.global_norm({"W": np.array([3.0, 0.0]), "b": np.array(4.0)})
    np.float64(5.0)
    """
    leaves = tree.flatten(gradients).leaves
    unit: Any = 0.0  # the size of the largest element
    for g in stop_gradient(leaves):
        unit = np.maximum(unit, np.max(np.abs(g), initial=0.0))
    unit = np.where(np.isfinite(unit) & (unit > 0), unit, 1.0)[()]
    return unit * np.sqrt(sum([np.sum(np.square(g / unit)) for g in leaves], 0.0))


def clip_by_norm(gradients: T, largest: float) -> T:
    """The gradients, scaled down together so that their `global_norm` is at most `largest`.

    Raises ValueError if `largest` is not positive. A NaN stays a NaN.

    Source: R. Pascanu et al., "On the difficulty of training recurrent neural networks", 2013.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.clip_by_norm({"W": np.array([3.0, 0.0]), "b": np.array([4.0])}, 1.0)
    {'W': array([0.6, 0. ]), 'b': array([0.8])}
    """
    _positive("clip_by_norm", largest)
    norm = global_norm(gradients)
    scale = largest / np.maximum(norm, largest)
    return tree.map(lambda g: _kept(g * scale, g), gradients)


def clip_by_value(gradients: T, largest: float) -> T:
    """The gradients, each element limited to -largest to largest. Raises ValueError if `largest` is not positive.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.clip_by_value({"W": np.array([3.0, -0.5])}, 1.0)
    {'W': array([ 1. , -0.5])}
    """
    _positive("clip_by_value", largest)
    return tree.map(lambda g: np.clip(g, -largest, largest), gradients)


def moving_average(average: T, parameters: T, decay: float = 0.999) -> T:
    """The exponential moving average of parameters over the steps: decay * average + (1 - decay) * parameters.

    Raises ValueError if the tree structures differ, or decay is not in the range 0 to 1.

    Source: B. Polyak and A. Juditsky, "Acceleration of stochastic approximation by averaging", 1992.

    >>> import tinygrad_cnn as tg
    >>> tg.nn.moving_average({"w": 1.0}, {"w": 3.0}, decay=0.5)
    {'w': 2.0}
    """
    if not 0 <= decay <= 1:
        raise ValueError(f"moving_average: decay is {decay!r}; expected a number from 0 to 1")
    return tree.map(lambda old, new: decay * old + (1 - decay) * new, average, parameters)


def _kept(new: Any, old: Any) -> Any:
    """`new` with the dtype of `old`, which the norm of other leaves does not change."""
    dtype = getattr(old, "dtype", None)
    return new if dtype is None or new.dtype == dtype else new.astype(dtype)


def _positive(name: str, largest: float) -> None:
    if not largest > 0 or math.isnan(largest):
        raise ValueError(f"{name}: largest is {largest!r}; expected a positive number")
