"""Optimisers: from parameters and their gradients to new parameters.

Parameters may be any nesting of dict, list, tuple, namedtuple and dataclass; the result has the same tree structure.
What an optimiser keeps from step to step is its state: a dict of the number of steps and of trees of that structure,
such as running means. `step` keeps it in the optimiser. `init` and `update` are the same as functions, which take the
state and return it, for a step that is compiled or saved:

    state = optimiser.init(parameters)
    parameters, state = optimiser.update(parameters, gradients, state)

Where parameters are Tensors, the new ones are new leaves: a training loop keeps no history of its steps. Within
a transform (`tg.grad` of a function that takes a step) the step is recorded like everything else, and can be
differentiated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.advice.arguments import other_structure
from tinygrad_cnn.engine.graph import differentiating
from tinygrad_cnn.engine.primitive import to_values
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.nn.schedules import Schedule

T = TypeVar("T")
State = dict[str, Any]


_SCALARS = (np.float64, np.float32, np.float16, np.int64, np.int32)
_UNIT = (lambda x: 0 <= x < 1, "a number of at least 0 and below 1")
_POSITIVE = (lambda x: x >= 0, "a number of at least 0")
_RANGES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "learning_rate": (lambda x: x >= 0, "a number of at least 0, or a schedule"),
    "weight_decay": _POSITIVE,
    "epsilon": _POSITIVE,
    "momentum": (lambda x: 0 <= x <= 1, "a number from 0 to 1"),
    "beta1": _UNIT,
    "beta2": _UNIT,
    "decay": _UNIT,
}


def _number(x: Any) -> Any:
    """`x`, but a Python number for one of NumPy's, whose dtype would become that of float32 parameters."""
    return x.item() if type(x) is not float and type(x) in (np.ndarray, *_SCALARS) and not x.ndim else x


class Optimiser:
    """What all optimisers share. Each is a dataclass of hyperparameters, with the rule by which a parameter changes.

    learning_rate  a number, or a schedule: a function of the step, counted from 0
    weight_decay   how much of each parameter is added to its gradient, or with `decoupled` to the change
    kept           the names of the trees that it keeps
    """

    learning_rate: float | Schedule
    weight_decay: float
    state: State | None = None
    kept: tuple[str, ...] = ()
    decoupled: bool = False

    def __post_init__(self) -> None:
        for name, x in vars(self).items():
            holds, expected = _RANGES.get(name, (None, ""))
            if holds and not callable(x) and not isinstance(x, Tensor) and not holds(x):
                raise ValueError(f"{type(self).__name__}: {name} is {x!r}; expected {expected}")

    def change(self, g: Any, kept: list[Any], steps: Any) -> tuple[Any, list[Any]]:
        """The change of a parameter in one step of learning rate 1, and what is kept, from its gradient."""
        raise NotImplementedError

    def init(self, parameters: Any) -> State:
        """The state before the first step."""
        return {"steps": 0, **{name: tree.map(_zeros, parameters) for name in self.kept}}

    def update(self, parameters: T, gradients: T, state: State) -> tuple[T, State]:
        """The parameters and the state after one step. Raises ValueError if the tree structures or shapes differ."""
        steps, rate = state["steps"], self.learning_rate
        rate, decay = _number(rate(steps) if callable(rate) else rate), _number(self.weight_decay)
        if not isinstance(decay, Tensor) and decay == 0:
            decay = None
        trees = {"gradients": gradients, **{name: state[name] for name in self.kept}}
        leaves, names, rebuild = tree.flatten(parameters)
        others = []
        for name, given in trees.items():
            other = tree.flatten(given)
            if other.names != names:
                raise ValueError(
                    other_structure(f"{type(self).__name__}: the tree of {name}", other.names, "the parameters", names)
                )
            others.append(other.leaves)
        moved = [
            self._moved(p, g, kept, steps + 1, rate, decay, name)
            for p, g, *kept, name in zip(leaves, *others, names, strict=True)
        ]
        new = {name: rebuild([kept[k] for _, kept in moved]) for k, name in enumerate(self.kept)}
        return rebuild([p for p, _ in moved]), {"steps": steps + 1, **new}

    def _moved(
        self, p: Any, g: Any, kept: list[Any], steps: Any, rate: Any, decay: Any, name: str
    ) -> tuple[Any, list[Any]]:
        """A parameter after one step, and what is kept of it."""
        leaf = isinstance(p, Tensor) and not differentiating.get()
        x = p.node.value if leaf else p
        if isinstance(g, Tensor) and not differentiating.get():
            g = g.node.value
        if getattr(g, "shape", ()) != getattr(x, "shape", ()):
            raise ValueError(
                f"{type(self).__name__}: the gradient{f' of {name}' if name else ''} has shape {np.shape(g)}; expected "
                f"that of the parameter, {np.shape(x)}"
            )
        if decay is not None and not self.decoupled:
            g = g + decay * x
        change, kept = self.change(g, kept, steps)
        if decay is not None and self.decoupled:
            change = change + decay * x
        new = x - rate * change
        dtype = getattr(x, "dtype", None)
        if dtype is not None and new.dtype != dtype:  # a rate that is computed from the count of a program
            new = new.astype(dtype)
        return (Tensor(new, p.name) if leaf else new), kept

    def step(self, parameters: T, gradients: T) -> T:
        """The parameters after one step; the state is kept in the optimiser."""
        state = self.init(parameters) if self.state is None else self.state
        parameters, self.state = self.update(parameters, gradients, state)
        return parameters


def _zeros(p: Any) -> Any:
    p = to_values(p)
    return np.zeros_like(p) if hasattr(p, "dtype") else 0.0


@dataclass(eq=False)
class SGD(Optimiser):
    """Gradient descent: p - learning_rate * dL/dp.

    With momentum, v = momentum * v + dL/dp is used for the gradient, or with nesterov dL/dp + momentum * v. Raises
    ValueError for a momentum not in the range 0 to 1, or nesterov without momentum.

    Source: I. Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    >>> import tinygrad_cnn as tg
    >>> tg.SGD(learning_rate=0.5).step({"w": 1.0}, {"w": 0.25})
    {'w': 0.875}
    """

    learning_rate: float | Schedule
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.momentum, Tensor) or self.momentum != 0:
            self.kept = ("velocity",)
        elif self.nesterov:
            raise ValueError(f"{type(self).__name__}: nesterov is True and momentum 0; expected a momentum above 0")

    def change(self, g: Any, kept: list[Any], steps: Any) -> tuple[Any, list[Any]]:
        """See `Optimiser`."""
        if not kept:
            return g, kept
        momentum = _number(self.momentum)
        velocity = momentum * kept[0] + g
        return g + momentum * velocity if self.nesterov else velocity, [velocity]


@dataclass(eq=False)
class Momentum(SGD):
    """Gradient descent with momentum: v = momentum * v + dL/dp, then p - learning_rate * v.

    >>> import tinygrad_cnn as tg
    >>> optimiser = tg.Momentum(learning_rate=1.0, momentum=0.5)
    >>> w = optimiser.step(10.0, 1.0)
    >>> optimiser.step(w, 1.0)
    7.5
    """

    momentum: float = 0.9


@dataclass(eq=False)
class Adam(Optimiser):
    """Adam: steps of about `learning_rate`, scaled by running means of the gradient and of its square.

    Source: D. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1.

    >>> import tinygrad_cnn as tg
    >>> round(float(tg.Adam(learning_rate=0.1).step(1.0, 5.0)), 6)
    0.9
    """

    learning_rate: float | Schedule = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    kept = ("mean", "square")

    def change(self, g: Any, kept: list[Any], steps: Any) -> tuple[Any, list[Any]]:
        """See `Optimiser`."""
        beta1, beta2, (mean, square) = _number(self.beta1), _number(self.beta2), kept
        mean = beta1 * mean + (1 - beta1) * g
        square = beta2 * square + (1 - beta2) * g * g
        unbias1, unbias2 = 1 - beta1**steps, 1 - beta2**steps
        return mean / unbias1 / (np.sqrt(square / unbias2) + _number(self.epsilon)), [mean, square]


@dataclass(eq=False)
class AdamW(Adam):
    """Adam with weight decay that is not scaled: learning_rate * weight_decay * p is subtracted from each parameter.

    Source: I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", 2019.

    >>> import tinygrad_cnn as tg
    >>> round(float(tg.nn.AdamW(learning_rate=0.1, weight_decay=0.5).step(1.0, 5.0)), 6)
    0.85
    """

    weight_decay: float = 0.01
    decoupled = True


@dataclass(eq=False)
class RMSprop(Optimiser):
    """The gradient divided by the root of a running mean of its square.

    Source: T. Tieleman and G. Hinton, "Lecture 6.5: rmsprop", 2012.

    >>> import tinygrad_cnn as tg
    >>> round(float(tg.nn.RMSprop(learning_rate=0.1, decay=0.75).step(1.0, 5.0)), 6)
    0.8
    """

    learning_rate: float | Schedule = 0.01
    decay: float = 0.99
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    kept = ("square",)

    def change(self, g: Any, kept: list[Any], steps: Any) -> tuple[Any, list[Any]]:
        """See `Optimiser`."""
        decay = _number(self.decay)
        square = decay * kept[0] + (1 - decay) * g * g
        return g / (np.sqrt(square) + _number(self.epsilon)), [square]


@dataclass(eq=False)
class Adagrad(Optimiser):
    """The gradient divided by the root of the sum of all its squares so far.

    Source: J. Duchi et al., "Adaptive subgradient methods for online learning and stochastic optimization", 2011.

    >>> import tinygrad_cnn as tg
    >>> round(float(tg.nn.Adagrad(learning_rate=0.1).step(1.0, 5.0)), 6)
    0.9
    """

    learning_rate: float | Schedule = 0.01
    epsilon: float = 1e-10
    weight_decay: float = 0.0
    kept = ("sum",)

    def change(self, g: Any, kept: list[Any], steps: Any) -> tuple[Any, list[Any]]:
        """See `Optimiser`."""
        total = kept[0] + g * g
        return g / (np.sqrt(total) + _number(self.epsilon)), [total]


@dataclass(eq=False)
class Lion(Optimiser):
    """Steps of `learning_rate` in the direction of the sign of a running mean; its weight decay is that of `AdamW`.

    Source: X. Chen et al., "Symbolic discovery of optimization algorithms", 2023.

    >>> import tinygrad_cnn as tg
    >>> round(float(tg.nn.Lion(learning_rate=0.1).step(1.0, 5.0)), 6)
    0.9
    """

    learning_rate: float | Schedule = 1e-4
    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = 0.0
    kept = ("mean",)
    decoupled = True

    def change(self, g: Any, kept: list[Any], steps: Any) -> tuple[Any, list[Any]]:
        """See `Optimiser`."""
        beta1, beta2, (mean,) = _number(self.beta1), _number(self.beta2), kept
        return np.sign(beta1 * mean + (1 - beta1) * g), [beta2 * mean + (1 - beta2) * g]
