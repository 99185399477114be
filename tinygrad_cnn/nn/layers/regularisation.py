"""Dropout as a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.nn.layers.base import Layer, static
from tinygrad_cnn.nn.regularisation import dropout


@dataclass(frozen=True, repr=False, eq=False)
class Dropout(Layer):
    """`nn.dropout` in `train`, which draws from the generator given there; a prediction is x itself.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> layer = tg.nn.Dropout(0.5)
    >>> layer(np.ones(4)), layer.train(np.ones(4), None, np.random.default_rng(0))[0]
    (array([1., 1., 1., 1.]), array([2., 0., 0., 0.]))
    """

    rate: float = static(0.5)

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ValueError(f"Dropout: rate is {self.rate!r}; expected a probability, at least 0 and below 1")

    def __call__(self, x: Array) -> Array:
        return x

    def train(self, x: Array, state: Any = None, rng: np.random.Generator | None = None) -> tuple[Array, Any]:
        if rng is None:
            raise ValueError(f"{self!r}: train is given no rng; expected model.train(x, state, rng), a Generator")
        return dropout(x, self.rate, rng), state
