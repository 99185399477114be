"""Recurrent networks over time. Gates and their order are those of PyTorch.

x: (..., time, inputs). weight_x: (gates * hidden, inputs), weight_h: (gates * hidden, hidden), bias_x and bias_h:
(gates * hidden,). The state is (..., hidden), zeros by default. Returned are the outputs (..., time, hidden) and the
last state, with which the next part of a sequence goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array, scope
from tinygrad_cnn.engine.primitive import operand
from tinygrad_cnn.nn.activations import sigmoid
from tinygrad_cnn.nn.linear_map import linear


@scope("rnn", kind="layer")
def rnn(
    x: Array,
    weight_x: Array,
    weight_h: Array,
    bias_x: Array | None = None,
    bias_h: Array | None = None,
    state: Array | None = None,
    activation: Callable[[Array], Array] = np.tanh,
) -> tuple[Array, Array]:
    """At each time, h = activation(weight_x @ x + bias_x + weight_h @ h + bias_h).

    Shapes are those of the module, with one gate; returns the outputs (..., time, hidden) and the last h. Raises
    ValueError if the shapes do not fit, or the sequence is empty.

    Source: J. Elman, "Finding structure in time", 1990.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> outputs, h = tg.nn.rnn(np.ones((3, 1)), np.array([[1.0]]), np.array([[2.0]]), activation=lambda h: h)
    >>> outputs.ravel(), h
    (array([1., 3., 7.]), array([7.]))
    """
    inputs, h = _start("rnn", 1, x, weight_x, weight_h, bias_x, bias_h, state)
    outputs = []
    for at in inputs:
        h = activation(at + linear(h, weight_h, bias_h))
        outputs.append(h)
    return np.stack(outputs, -2), h


@scope("lstm", kind="layer")
def lstm(
    x: Array,
    weight_x: Array,
    weight_h: Array,
    bias_x: Array | None = None,
    bias_h: Array | None = None,
    state: tuple[Array, Array] | None = None,
) -> tuple[Array, tuple[Array, Array]]:
    """Long short-term memory: c = forget * c + input * tanh(candidate), h = output * tanh(c).

    Shapes are those of the module, with four gates in the order input, forget, candidate, output; state: (h, c).
    Returns the outputs (..., time, hidden) and the last (h, c). Raises ValueError if the shapes do not fit, or the
    sequence is empty.

    Source: S. Hochreiter and J. Schmidhuber, "Long short-term memory", 1997; F. Gers et al., "Learning to
    forget", 2000.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> outputs, (h, c) = tg.nn.lstm(np.ones((5, 3)), np.zeros((8, 3)), np.zeros((8, 2)))
    >>> outputs.shape, h, c
    ((5, 2), array([0., 0.]), array([0., 0.]))
    """
    inputs, h = _start("lstm", 4, x, weight_x, weight_h, bias_x, bias_h, None if state is None else state[0])
    c = np.zeros_like(h) if state is None else operand(state[1])
    if np.shape(c)[-1:] != np.shape(h)[-1:]:
        raise ValueError(f"lstm: c has shape {np.shape(c)}; expected (..., hidden), {np.shape(h)[-1]}")
    outputs = []
    for at in inputs:
        keep, forget, candidate, show = _split(at + linear(h, weight_h, bias_h), 4)
        c = sigmoid(forget) * c + sigmoid(keep) * np.tanh(candidate)
        h = sigmoid(show) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, -2), (h, c)


@scope("gru", kind="layer")
def gru(
    x: Array,
    weight_x: Array,
    weight_h: Array,
    bias_x: Array | None = None,
    bias_h: Array | None = None,
    state: Array | None = None,
) -> tuple[Array, Array]:
    """Gated recurrent unit: h = (1 - update) * tanh(new) + update * h.

    Shapes are those of the module, with three gates in the order reset, update, new, of which new takes reset *
    (weight_h @ h + bias_h). Returns the outputs (..., time, hidden) and the last h. Raises ValueError if the shapes do
    not fit, or the sequence is empty.

    Source: K. Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> outputs, h = tg.nn.gru(np.ones((2, 3)), np.zeros((3, 3)), np.zeros((3, 1)), state=np.array([8.0]))
    >>> outputs.ravel(), h
    (array([4., 2.]), array([2.]))
    """
    inputs, h = _start("gru", 3, x, weight_x, weight_h, bias_x, bias_h, state)
    outputs = []
    for at in inputs:
        (reset_x, update_x, new_x), (reset_h, update_h, new_h) = _split(at, 3), _split(linear(h, weight_h, bias_h), 3)
        update = sigmoid(update_x + update_h)
        h = (1 - update) * np.tanh(new_x + sigmoid(reset_x + reset_h) * new_h) + update * h
        outputs.append(h)
    return np.stack(outputs, -2), h


def _split(gates: Array, count: int) -> list[Array]:
    size = gates.shape[-1] // count
    return [gates[..., k * size : (k + 1) * size] for k in range(count)]


def _start(
    name: str, gates: int, x: Any, weight_x: Any, weight_h: Any, bias_x: Any, bias_h: Any, state: Any
) -> tuple[list[Array], Array]:
    """What the inputs add to the gates at each time, and the first state."""
    x, weight_x, weight_h = operand(x), operand(weight_x), operand(weight_h)
    shapes = np.shape(x), np.shape(weight_x), np.shape(weight_h)
    if list(map(len, shapes[1:])) != [2, 2] or len(shapes[0]) < 2 or not shapes[0][-2]:
        fits = False
    else:
        rows, hidden = shapes[2]
        fits = rows == gates * hidden and shapes[1] == (rows, shapes[0][-1])
        fits = fits and all(b is None or np.shape(b) == (rows,) for b in (bias_x, bias_h))
        fits = fits and (state is None or np.shape(state)[-1:] == (hidden,))
    if not fits:
        count = "" if gates == 1 else f"{gates} "
        more = {"bias_x": bias_x, "bias_h": bias_h, "state": state}
        also = "".join(f", {what} {np.shape(given)}" for what, given in more.items() if given is not None)
        raise ValueError(
            f"{name}: x has shape {shapes[0]}, weight_x {shapes[1]}, weight_h {shapes[2]}{also}; expected (..., time, "
            f"inputs) with at least one time, ({count}hidden, inputs), ({count}hidden, hidden), biases "
            f"({count}hidden,), a state (..., hidden)"
        )
    inputs = linear(x, weight_x, bias_x)
    if state is None:
        state = np.zeros((*shapes[0][:-2], hidden), inputs.dtype)
    return [inputs[..., t, :] for t in range(shapes[0][-2])], operand(state)
