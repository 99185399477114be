"""Layers made of others, and of functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.nn.layers.base import Layer, static


@dataclass(frozen=True, repr=False, eq=False)
class Function(Layer):
    """A function of x as a layer without parameters, as `Sequential` makes of one.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.Function(np.tanh)(np.zeros(2))
    array([0., 0.])
    """

    function: Callable[[Array], Array] = static()

    def __call__(self, x: Array) -> Array:
        return self.function(x)


def _as_layer(name: str, x: Any) -> Layer:
    if isinstance(x, Layer):
        return x
    if not callable(x) or isinstance(x, type):
        raise TypeError(f"{name}: {x!r} is no layer; expected layers, such as nn.Linear(None, 3), and functions of x")
    return Function(x)


@dataclass(frozen=True, repr=False, eq=False, init=False)
class Sequential(Layer):
    """Layers, and functions, one after another.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> from tinygrad_cnn import nn
    >>> x = np.zeros((2, 1, 8, 8))
    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3, padding="same"), nn.relu, nn.MaxPool2d(2), nn.Flatten(),
    ...                       nn.Linear(None, 3)).init(np.random.default_rng(0), x)
    >>> model(x).shape
    (2, 3)
    >>> print(model)
    layer                                         output        parameters                      count
    -------------------------------------------------------------------------------------------------
                 Sequential()                     (2, 3)
      layers[0]  Conv2d(1, 4, 3, padding='same')  (2, 4, 8, 8)  weight (4, 1, 3, 3), bias (4,)     40
      layers[1]  Function(relu)                   (2, 4, 8, 8)
      layers[2]  MaxPool2d(2)                     (2, 4, 4, 4)
      layers[3]  Flatten()                        (2, 64)
      layers[4]  Linear(64, 3)                    (2, 3)        weight (3, 64), bias (3,)         195
    -------------------------------------------------------------------------------------------------
    total                                                                                         235
    """

    layers: tuple[Any, ...] = ()

    def __init__(self, *given: Any, layers: tuple[Any, ...] = ()) -> None:
        object.__setattr__(self, "layers", tuple([_as_layer("Sequential", x) for x in (*given, *layers)]))

    def __call__(self, x: Array, state: Any = None) -> Array:
        if state is not None:
            return self.predict(x, state)
        for layer in self.layers:
            x = layer(x)
        return x


@dataclass(frozen=True, repr=False, eq=False)
class Residual(Layer):
    """`x + layer(x)`, or shortcut(x) + layer(x) where the layer changes the shape.

    Raises ValueError if the shapes differ.

    Source: K. He et al., "Deep residual learning for image recognition", 2016.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.Residual(np.negative)(np.ones(2))
    array([0., 0.])
    """

    layer: Any
    shortcut: Any = None

    def __post_init__(self) -> None:
        for name in ("layer", "shortcut"):
            given = getattr(self, name)
            object.__setattr__(self, name, None if given is None else _as_layer("Residual", given))

    def __call__(self, x: Array, state: Any = None) -> Array:
        if state is not None:
            return self.predict(x, state)
        out = self.layer(x)
        skipped = x if self.shortcut is None else self.shortcut(x)
        if np.shape(out) != np.shape(skipped):
            raise ValueError(
                f"Residual: the layer's result has shape {np.shape(out)} and what is added to it {np.shape(skipped)}; "
                "expected the same. Pass a shortcut, such as nn.Conv2d(None, filters, 1)"
            )
        return skipped + out


@dataclass(frozen=True, repr=False, eq=False)
class Flatten(Layer):
    """All axes but the first as one: (batch, ...) to (batch, features).

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.Flatten()(np.zeros((5, 2, 3))).shape
    (5, 6)
    """

    def __call__(self, x: Array) -> Array:
        return np.reshape(x, (len(x), -1))
