"""Optimisers: from parameters and their gradients to new parameters.

Parameters may be any nesting of dict, list, tuple, namedtuple and dataclass; what comes back has the same form. What an
optimiser remembers from step to step is its `state`, a tree of the same form for each thing that it remembers.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from tinygrad_cnn import tree

T = TypeVar("T")


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
        rate = self.learning_rate
        return tree.map(lambda p, g: p - rate * g, parameters, gradients)


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
        velocity = tree.map(lambda g: 0 * g, gradients) if self.state is None else self.state
        self.state = tree.map(lambda v, g: self.momentum * v + g, velocity, gradients)
        return tree.map(lambda p, v: p - self.learning_rate * v, parameters, self.state)


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
        zeros = tree.map(lambda g: 0 * g, gradients)
        mean, square = (zeros, zeros) if self.state is None else self.state
        mean = tree.map(lambda m, g: self.beta1 * m + (1 - self.beta1) * g, mean, gradients)
        square = tree.map(lambda s, g: self.beta2 * s + (1 - self.beta2) * g * g, square, gradients)
        self.state = mean, square
        self.steps += 1
        unbias1, unbias2 = 1 - self.beta1**self.steps, 1 - self.beta2**self.steps
        return tree.map(
            lambda p, m, s: p - self.learning_rate * (m / unbias1) / (np.sqrt(s / unbias2) + self.epsilon),
            parameters,
            mean,
            square,
        )
