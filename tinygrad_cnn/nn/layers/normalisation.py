"""Normalisation with a scale and a shift that are parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.nn.layers.base import Layer, check_size, initialised, size_of, static
from tinygrad_cnn.nn.normalisation import batch_norm, group_norm, layer_norm, rms_norm

State = dict[str, Array]


@dataclass(frozen=True, repr=False, eq=False)
class BatchNorm(Layer):
    """`nn.batch_norm` of (batch, channels, ...), of vectors, sequences and images alike.

    channels: None for those of the example. Its state is {"mean": (channels,), "variance": (channels,)}, the running
    statistics, at first zeros and ones: `train` normalises by the batch and returns new ones, and the layer called with
    a state normalises by that. Raises ValueError without a state. weight: (channels,), ones, and bias: (channels,),
    zeros, at first.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = np.array([[1.0], [3.0]])
    >>> layer = tg.nn.BatchNorm().init(np.random.default_rng(0), x)
    >>> out, state = layer.train(x, layer.init_state())
    >>> out.ravel().round(2), state
    (array([-1.,  1.]), {'mean': array([0.2]), 'variance': array([1.1])})
    >>> layer(x, state).ravel().round(2)
    array([0.76, 2.67])
    """

    sizes: ClassVar[tuple[str, ...]] = ("channels",)

    channels: int | None = static(None)
    momentum: float = static(0.1, kw_only=True)
    epsilon: float = static(1e-5, kw_only=True)
    weight: Any = field(default=None, kw_only=True)
    bias: Any = field(default=None, kw_only=True)

    def parameters(self, rng: np.random.Generator, x: Array) -> dict[str, Any]:
        return _scale_and_shift(self, x, 1)

    def init_state(self) -> State:
        """Running statistics of mean 0 and variance 1."""
        ones = np.ones_like(initialised(self, self.weight))
        return {"mean": np.zeros_like(ones), "variance": ones}

    def __call__(self, x: Array, state: State | None = None) -> Array:
        return self._normalised(x, state, training=False)[0]

    def predict(self, x: Array, state: State | None = None) -> Array:
        return self(x, state)

    def train(
        self, x: Array, state: State | None = None, rng: np.random.Generator | None = None
    ) -> tuple[Array, State]:
        return self._normalised(x, state, training=True)

    def _normalised(self, x: Array, state: State | None, training: bool) -> tuple[Array, State]:
        weight = initialised(self, self.weight)
        check_size(self, x, 1, weight.shape[0], "channels")
        if state is None:
            raise ValueError(
                f"{self!r}: no state is given; expected model(x, state), with state = model.init_state() at first, and "
                "then what model.train(x, state, rng) returns"
            )
        running = state["mean"], state["variance"]
        out, (mean, variance) = batch_norm(x, running, weight, self.bias, training, self.momentum, self.epsilon)
        return out, {"mean": mean, "variance": variance}


@dataclass(frozen=True, repr=False, eq=False)
class LayerNorm(Layer):
    """`nn.layer_norm` along the last axis: (..., features) to the same.

    features: None for those of the example. weight: (features,), at first ones; bias: (features,), at first zeros.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = np.array([[1.0, 3.0], [10.0, 30.0]])
    >>> tg.nn.LayerNorm().init(np.random.default_rng(0), x)(x).round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """

    sizes: ClassVar[tuple[str, ...]] = ("features",)

    features: int | None = static(None)
    epsilon: float = static(1e-5, kw_only=True)
    weight: Any = field(default=None, kw_only=True)
    bias: Any = field(default=None, kw_only=True)

    def parameters(self, rng: np.random.Generator, x: Array) -> dict[str, Any]:
        return _scale_and_shift(self, x, -1)

    def __call__(self, x: Array) -> Array:
        weight = initialised(self, self.weight)
        check_size(self, x, -1, weight.shape[0], "features")
        return layer_norm(x, weight, self.bias, epsilon=self.epsilon)


@dataclass(frozen=True, repr=False, eq=False)
class RMSNorm(Layer):
    """`nn.rms_norm` along the last axis: (..., features) to the same.

    features: None for those of the example. weight: (features,), at first ones.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = np.array([[3.0, -3.0]])
    >>> tg.nn.RMSNorm().init(np.random.default_rng(0), x)(x).round(3)
    array([[ 1., -1.]])
    """

    sizes: ClassVar[tuple[str, ...]] = ("features",)

    features: int | None = static(None)
    epsilon: float = static(1e-6, kw_only=True)
    weight: Any = field(default=None, kw_only=True)

    def parameters(self, rng: np.random.Generator, x: Array) -> dict[str, Any]:
        made = _scale_and_shift(self, x, -1)
        del made["bias"]
        return made

    def __call__(self, x: Array) -> Array:
        weight = initialised(self, self.weight)
        check_size(self, x, -1, weight.shape[0], "features")
        return rms_norm(x, weight, epsilon=self.epsilon)


@dataclass(frozen=True, repr=False, eq=False)
class GroupNorm(Layer):
    """`nn.group_norm` of (batch, channels, ...), each example for itself.

    groups: how many, a divisor of channels. channels: None for those of the example. weight: (channels,), at first
    ones; bias: (channels,), at first zeros.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = np.array([[1.0, 3.0, 10.0, 30.0]])
    >>> tg.nn.GroupNorm(2).init(np.random.default_rng(0), x)(x).round(3)
    array([[-1.,  1., -1.,  1.]])
    """

    sizes: ClassVar[tuple[str, ...]] = ("groups", "channels")

    groups: int = static()
    channels: int | None = static(None)
    epsilon: float = static(1e-5, kw_only=True)
    weight: Any = field(default=None, kw_only=True)
    bias: Any = field(default=None, kw_only=True)

    def parameters(self, rng: np.random.Generator, x: Array) -> dict[str, Any]:
        return _scale_and_shift(self, x, 1)

    def __call__(self, x: Array) -> Array:
        weight = initialised(self, self.weight)
        check_size(self, x, 1, weight.shape[0], "channels")
        return group_norm(x, self.groups, weight, self.bias, self.epsilon)


def _scale_and_shift(layer: Any, x: Any, axis: int) -> dict[str, Any]:
    what = "features" if axis < 0 else "channels"
    size = getattr(layer, what)
    if size is None:
        size = size_of(layer, x, axis, what)
    return {what: size, "weight": np.ones(size), "bias": np.zeros(size)}
