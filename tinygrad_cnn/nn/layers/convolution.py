"""Convolutions with filters that are parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.nn.convolutions import conv1d, conv2d, conv_transpose2d
from tinygrad_cnn.nn.initialisers import he_normal
from tinygrad_cnn.nn.layers.base import Layer, check_size, initialised, size_of, static
from tinygrad_cnn.nn.layers.dense import Initialiser
from tinygrad_cnn.nn.padding import Padding
from tinygrad_cnn.primitives.windows import Pair, pair


@dataclass(frozen=True, repr=False, eq=False)
class Conv2d(Layer):
    """`nn.conv2d` with filters: (..., channels, height, width) to (..., filters, out_h, out_w).

    channels: None for those of the example. window: the size of a filter, a number or (down, across). stride, padding,
    dilation, groups: those of `nn.conv2d`. weight: (filters, channels / groups, *window), at first by He's normal
    initialiser; bias: (filters,), at first zeros.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = np.ones((5, 3, 8, 8))
    >>> layer = tg.nn.Conv2d(None, 16, 3, padding="same").init(np.random.default_rng(0), x)
    >>> layer, layer(x).shape
    (Conv2d(3, 16, 3, padding='same'), (5, 16, 8, 8))
    """

    sizes: ClassVar[tuple[str, ...]] = ("channels", "filters", "groups")

    channels: int | None = static()
    filters: int = static()
    window: Pair = static()
    stride: Pair = static(1, kw_only=True)
    padding: Padding = static(0, kw_only=True)
    dilation: Pair = static(1, kw_only=True)
    groups: int = static(1, kw_only=True)
    use_bias: bool = static(True, kw_only=True)
    initialiser: Initialiser = static(he_normal, kw_only=True)
    weight: Any = field(default=None, kw_only=True)
    bias: Any = field(default=None, kw_only=True)

    def parameters(self, rng: np.random.Generator, x: Array) -> dict[str, Any]:
        channels = size_of(self, x, -3, "channels") if self.channels is None else self.channels
        window = pair(self.window, "Conv2d: window")
        return _parameters(self, rng, channels, (self.filters, channels // self.groups, *window))

    def __call__(self, x: Array) -> Array:
        weight = initialised(self, self.weight)
        check_size(self, x, -3, weight.shape[1] * self.groups, "channels")
        return conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


@dataclass(frozen=True, repr=False, eq=False)
class Conv1d(Layer):
    """`nn.conv1d` with filters: (..., channels, time) to (..., filters, out).

    channels, window and the others as in `Conv2d`; weight: (filters, channels / groups, window).

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = np.ones((5, 2, 20))
    >>> tg.nn.Conv1d(None, 4, 3, padding=(2, 0)).init(np.random.default_rng(0), x)(x).shape
    (5, 4, 20)
    """

    sizes: ClassVar[tuple[str, ...]] = ("channels", "filters", "groups")

    channels: int | None = static()
    filters: int = static()
    window: int = static()
    stride: int = static(1, kw_only=True)
    padding: Literal["same", "valid"] | Pair = static(0, kw_only=True)
    dilation: int = static(1, kw_only=True)
    groups: int = static(1, kw_only=True)
    use_bias: bool = static(True, kw_only=True)
    initialiser: Initialiser = static(he_normal, kw_only=True)
    weight: Any = field(default=None, kw_only=True)
    bias: Any = field(default=None, kw_only=True)

    def parameters(self, rng: np.random.Generator, x: Array) -> dict[str, Any]:
        channels = size_of(self, x, -2, "channels") if self.channels is None else self.channels
        return _parameters(self, rng, channels, (self.filters, channels // self.groups, self.window))

    def __call__(self, x: Array) -> Array:
        weight = initialised(self, self.weight)
        check_size(self, x, -2, weight.shape[1] * self.groups, "channels")
        return conv1d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


@dataclass(frozen=True, repr=False, eq=False)
class ConvTranspose2d(Layer):
    """`nn.conv_transpose2d` with filters: (..., channels, height, width) to (..., filters, out_h, out_w).

    channels: None for those of the example. stride, padding, output_padding, dilation, groups: those of
    `nn.conv_transpose2d`. weight: (channels, filters / groups, *window), at first by He's normal initialiser, with the
    fan-in of a `Conv2d` of as many channels; bias: (filters,), at first zeros.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = np.ones((5, 8, 4, 4))
    >>> tg.nn.ConvTranspose2d(None, 2, 2, stride=2).init(np.random.default_rng(0), x)(x).shape
    (5, 2, 8, 8)
    """

    sizes: ClassVar[tuple[str, ...]] = ("channels", "filters", "groups")

    channels: int | None = static()
    filters: int = static()
    window: Pair = static()
    stride: Pair = static(1, kw_only=True)
    padding: Pair = static(0, kw_only=True)
    output_padding: Pair = static(0, kw_only=True)
    dilation: Pair = static(1, kw_only=True)
    groups: int = static(1, kw_only=True)
    use_bias: bool = static(True, kw_only=True)
    initialiser: Initialiser = static(he_normal, kw_only=True)
    weight: Any = field(default=None, kw_only=True)
    bias: Any = field(default=None, kw_only=True)

    def parameters(self, rng: np.random.Generator, x: Array) -> dict[str, Any]:
        channels = size_of(self, x, -3, "channels") if self.channels is None else self.channels
        window = pair(self.window, "ConvTranspose2d: window")
        made = _parameters(self, rng, channels, (self.filters, channels // self.groups, *window))
        weight = made["weight"].reshape(self.groups, -1, channels // self.groups, *window)
        return {**made, "weight": np.swapaxes(weight, 1, 2).reshape(channels, -1, *window)}

    def __call__(self, x: Array) -> Array:
        weight = initialised(self, self.weight)
        check_size(self, x, -3, weight.shape[0], "channels")
        return conv_transpose2d(
            x, weight, self.bias, self.stride, self.padding, self.output_padding, self.dilation, self.groups
        )


def _parameters(layer: Any, rng: np.random.Generator, channels: int, shape: tuple[int, ...]) -> dict[str, Any]:
    groups = layer.groups
    if channels % groups or layer.filters % groups:
        raise ValueError(f"{layer!r}: groups is {groups}; expected a divisor of {channels} channels and of the filters")
    bias = np.zeros(layer.filters) if layer.use_bias else None
    return {"channels": channels, "weight": layer.initialiser(rng, shape), "bias": bias}
