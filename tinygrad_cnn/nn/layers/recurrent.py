"""Recurrent layers over time: (..., time, inputs) to (..., time, hidden).

What a layer returns is its `returns`:

    "outputs"  those at each time, (..., time, hidden)
    "last"     the last one, (..., hidden)
    "both"     the outputs and the last state, with which `layer(more, state)` goes on

The state is (..., hidden), of an LSTM a pair of them, (h, c), and zeros by default. weight_x: (gates * hidden, inputs),
at first by Glorot's uniform initialiser; weight_h: (gates * hidden, hidden), at first orthogonal; bias_x and bias_h:
(gates * hidden,), at first zeros. Gates and their order are those of PyTorch. `Sequential` stacks several.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.nn.initialisers import glorot_uniform, orthogonal
from tinygrad_cnn.nn.layers.base import Layer, check_size, initialised, size_of, static
from tinygrad_cnn.nn.layers.dense import Initialiser
from tinygrad_cnn.nn.recurrent import gru, lstm, rnn

Returns = Literal["outputs", "last", "both"]


@dataclass(frozen=True, repr=False, eq=False)
class _Recurrent(Layer):
    """What the three share."""

    gates: ClassVar[int] = 1
    sizes: ClassVar[tuple[str, ...]] = ("inputs", "hidden")

    inputs: int | None = static()
    hidden: int = static()
    returns: Returns = static("outputs", kw_only=True)
    initialiser: Initialiser = static(glorot_uniform, kw_only=True)
    recurrent_initialiser: Initialiser = static(orthogonal, kw_only=True)
    weight_x: Any = field(default=None, kw_only=True)
    weight_h: Any = field(default=None, kw_only=True)
    bias_x: Any = field(default=None, kw_only=True)
    bias_h: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.returns not in ("outputs", "last", "both"):
            raise ValueError(
                f"{type(self).__name__}: returns is {self.returns!r}; expected 'outputs', 'last' or 'both'"
            )

    def parameters(self, rng: np.random.Generator, x: Array, state: Any = None) -> dict[str, Any]:
        inputs = size_of(self, x, -1, "features") if self.inputs is None else self.inputs
        rows = self.gates * self.hidden
        return {
            "inputs": inputs,
            "weight_x": self.initialiser(rng, (rows, inputs)),
            "weight_h": self.recurrent_initialiser(rng, (rows, self.hidden)),
            "bias_x": np.zeros(rows),
            "bias_h": np.zeros(rows),
        }

    def __call__(self, x: Array, state: Any = None) -> Any:
        weight = initialised(self, self.weight_x)
        check_size(self, x, -1, weight.shape[1], "features")
        outputs, last = self._over_time(x, state)
        if self.returns == "outputs":
            return outputs
        return outputs[..., -1, :] if self.returns == "last" else (outputs, last)

    def _over_time(self, x: Array, state: Any) -> tuple[Array, Any]:
        raise NotImplementedError


@dataclass(frozen=True, repr=False, eq=False)
class RNN(_Recurrent):
    """`nn.rnn`, with the parameters and results of the module.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = np.ones((5, 7, 3))
    >>> tg.nn.RNN(None, 4).init(np.random.default_rng(0), x)(x).shape
    (5, 7, 4)
    """

    activation: Callable[[Array], Array] = static(np.tanh, kw_only=True)

    def _over_time(self, x: Array, state: Any) -> tuple[Array, Any]:
        return rnn(x, self.weight_x, self.weight_h, self.bias_x, self.bias_h, state, self.activation)


@dataclass(frozen=True, repr=False, eq=False)
class LSTM(_Recurrent):
    """`nn.lstm`, with the parameters and results of the module; the bias of the forget gate is 1 at first, as in Keras.

    Source of that bias: R. Jozefowicz et al., "An empirical exploration of recurrent network architectures", 2015.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = np.ones((5, 7, 3))
    >>> layer = tg.nn.LSTM(None, 4, returns="both").init(np.random.default_rng(0), x)
    >>> outputs, (h, c) = layer(x)
    >>> outputs.shape, h.shape, c.shape
    ((5, 7, 4), (5, 4), (5, 4))
    >>> more, _ = layer(x, (h, c))
    >>> np.array_equal(more, layer(np.concatenate([x, x], axis=1))[0][:, 7:])
    True
    """

    gates: ClassVar[int] = 4

    def parameters(self, rng: np.random.Generator, x: Array, state: Any = None) -> dict[str, Any]:
        made = super().parameters(rng, x, state)
        made["bias_x"][self.hidden : 2 * self.hidden] = 1.0
        return made

    def _over_time(self, x: Array, state: Any) -> tuple[Array, Any]:
        return lstm(x, self.weight_x, self.weight_h, self.bias_x, self.bias_h, state)


@dataclass(frozen=True, repr=False, eq=False)
class GRU(_Recurrent):
    """`nn.gru`, with the parameters and results of the module.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = np.ones((5, 7, 3))
    >>> tg.nn.GRU(None, 4, returns="last").init(np.random.default_rng(0), x)(x).shape
    (5, 4)
    """

    gates: ClassVar[int] = 3

    def _over_time(self, x: Array, state: Any) -> tuple[Array, Any]:
        return gru(x, self.weight_x, self.weight_h, self.bias_x, self.bias_h, state)
