"""Dense layers and tables of vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.nn.initialisers import glorot_uniform, uniform
from tinygrad_cnn.nn.labels import embedding
from tinygrad_cnn.nn.layers.base import Layer, check_size, initialised, size_of, static
from tinygrad_cnn.nn.linear_map import linear

Initialiser = Callable[[np.random.Generator, tuple[int, ...]], Array]


@dataclass(frozen=True, repr=False, eq=False)
class Linear(Layer):
    """`x @ weight.T + bias`: (..., inputs) to (..., outputs).

    inputs: None for those of the example. weight: (outputs, inputs), at first by Glorot's uniform initialiser; bias:
    (outputs,), at first zeros.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> layer = tg.nn.Linear(None, 3).init(np.random.default_rng(0), np.ones((5, 2)))
    >>> layer, layer(np.ones((5, 2))).shape
    (Linear(2, 3), (5, 3))
    """

    sizes: ClassVar[tuple[str, ...]] = ("inputs", "outputs")

    inputs: int | None = static()
    outputs: int = static()
    use_bias: bool = static(True, kw_only=True)
    initialiser: Initialiser = static(glorot_uniform, kw_only=True)
    weight: Any = field(default=None, kw_only=True)
    bias: Any = field(default=None, kw_only=True)

    def parameters(self, rng: np.random.Generator, x: Array) -> dict[str, Any]:
        inputs = size_of(self, x, -1, "features") if self.inputs is None else self.inputs
        weight = self.initialiser(rng, (self.outputs, inputs))
        return {"inputs": inputs, "weight": weight, "bias": np.zeros(self.outputs) if self.use_bias else None}

    def __call__(self, x: Array) -> Array:
        weight = initialised(self, self.weight)
        check_size(self, x, -1, weight.shape[1], "features")
        return linear(x, weight, self.bias)


@dataclass(frozen=True, repr=False, eq=False)
class Embedding(Layer):
    """A vector for each of `rows` integers: indices of any shape to (*shape, features).

    weight: (rows, features), at first uniform from -0.05 to 0.05, as in Keras.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> layer = tg.nn.Embedding(10, 4).init(np.random.default_rng(0), np.array([[1, 2, 3]]))
    >>> layer(np.array([[1, 2, 3]])).shape
    (1, 3, 4)
    """

    sizes: ClassVar[tuple[str, ...]] = ("rows", "features")

    rows: int = static()
    features: int = static()
    initialiser: Initialiser = static(uniform, kw_only=True)
    weight: Any = field(default=None, kw_only=True)

    def parameters(self, rng: np.random.Generator, x: Array) -> dict[str, Any]:
        return {"weight": self.initialiser(rng, (self.rows, self.features))}

    def __call__(self, x: Array) -> Array:
        return embedding(x, initialised(self, self.weight))
