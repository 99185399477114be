"""Optimisers: from parameters and their gradients to new parameters.

Parameters may be any nesting of dict, list, tuple, namedtuple and dataclass; the result has the same tree structure.
What an optimiser keeps from step to step is its `state`: trees of that structure, such as running means.

Where parameters are Tensors, the new ones are new leaves: a training loop keeps no history of its steps. Within
a transform (`tg.grad` of a function that takes a step) the step is recorded like everything else, and can be
differentiated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.engine.graph import differentiating
from tinygrad_cnn.engine.primitive import to_values
from tinygrad_cnn.engine.tensor import Tensor

T = TypeVar("T")


def _without_history(gradients: T) -> T:
    """`gradients` as arrays, unless a transform is to differentiate what is done with them."""
    return gradients if differentiating.get() else tree.map(to_values, gradients)


def _moved(update: Callable[..., Any], parameters: T, *others: Any) -> T:
    """`update` of each parameter and of what belongs to it in `others`; of a Tensor it is a new leaf of that name."""

    def move(p: Any, *xs: Any) -> Any:
        if not isinstance(p, Tensor):
            return update(p, *xs)
        return Tensor(update(p.node.value, *map(to_values, xs)), p.name)

    return tree.map(update if differentiating.get() else move, parameters, *others)


def _number(x: Any) -> Any:
    """`x`, but a Python number for one of NumPy's, whose dtype would become that of float32 parameters."""
    return x.item() if isinstance(x, np.generic) or (isinstance(x, np.ndarray) and x.ndim == 0) else x


class SGD:
    """Gradient descent: p - learning_rate * dL/dp.

    >>> import tinygrad_cnn as tg
    >>> tg.SGD(learning_rate=0.5).step({"w": 1.0}, {"w": 0.25})
    {'w': 0.875}
    """

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate

    def step(self, parameters: T, gradients: T) -> T:
        """The parameters after one step."""
        rate = _number(self.learning_rate)
        return _moved(lambda p, g: p - rate * g, parameters, gradients)


class Momentum:
    """Gradient descent with momentum: v = momentum * v + dL/dp, then p - learning_rate * v.

    >>> import tinygrad_cnn as tg
    >>> optimiser = tg.Momentum(learning_rate=1.0, momentum=0.5)
    >>> w = optimiser.step(10.0, 1.0)
    >>> optimiser.step(w, 1.0)
    7.5
    """

    def __init__(self, learning_rate: float, momentum: float = 0.9) -> None:
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.state: Any = None

    def step(self, parameters: T, gradients: T) -> T:
        """The parameters after one step."""
        rate, momentum = _number(self.learning_rate), _number(self.momentum)
        gradients = _without_history(gradients)
        velocity = tree.map(lambda g: 0 * g, gradients) if self.state is None else self.state
        self.state = tree.map(lambda v, g: momentum * v + g, velocity, gradients)
        return _moved(lambda p, v: p - rate * v, parameters, self.state)


class Adam:
    """Adam: steps of about `learning_rate`, scaled by running means of the gradient and of its square.

    Source: D. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1.

    >>> import tinygrad_cnn as tg
    >>> round(float(tg.Adam(learning_rate=0.1).step(1.0, 5.0)), 6)
    0.9
    """

    def __init__(
        self, learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        self.learning_rate = learning_rate
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.steps = 0
        self.state: Any = None

    def step(self, parameters: T, gradients: T) -> T:
        """The parameters after one step."""
        rate, epsilon = _number(self.learning_rate), _number(self.epsilon)
        beta1, beta2 = _number(self.beta1), _number(self.beta2)
        gradients = _without_history(gradients)
        zeros = tree.map(lambda g: 0 * g, gradients)
        mean, square = (zeros, zeros) if self.state is None else self.state
        mean = tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, mean, gradients)
        square = tree.map(lambda s, g: beta2 * s + (1 - beta2) * g * g, square, gradients)
        self.state = mean, square
        self.steps += 1
        unbias1, unbias2 = 1 - beta1**self.steps, 1 - beta2**self.steps

        def update(p: Any, m: Any, s: Any) -> Any:
            return p - rate * (m / unbias1) / (np.sqrt(s / unbias2) + epsilon)

        return _moved(update, parameters, mean, square)
