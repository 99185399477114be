"""A training step as one program: the loss, its gradient and the optimiser's update; or the same run eagerly."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.engine.primitive import to_values
from tinygrad_cnn.engine.transforms import value_and_grad
from tinygrad_cnn.lowering import TracingError, compile, data_parallel  # noqa: A004
from tinygrad_cnn.lowering.jax_source.parallel import devices_of, is_first_process, lost_processes

Rng = np.random.Generator | None


class Loss:
    """The user's loss with one signature: (model, state, x, y, rng) to (number, state).

    takes_state  whether the user's takes a state; otherwise it is passed through
    takes_rng    whether it has a parameter `rng`
    """

    def __init__(self, function: Callable[..., Any], state: Any) -> None:
        try:
            parameters = set(inspect.signature(function).parameters)
        except (TypeError, ValueError):  # a function of C
            parameters = set()
        self.function, self.takes_rng = function, "rng" in parameters
        self.takes_state = state is not None or "state" in parameters

    def __call__(self, model: Any, state: Any, x: Any, y: Any, rng: Rng) -> tuple[Any, Any]:
        """The number, and the new state."""
        keywords = {"rng": rng} if self.takes_rng else {}
        if not self.takes_state:
            return self.function(model, x, y, **keywords), state
        result = self.function(model, state, x, y, **keywords)
        if not isinstance(result, tuple) or len(result) != 2:
            raise TypeError(f"fit: the loss returned {type(result).__name__}; with state, expected (number, state)")
        return result


def update_step(loss: Loss, optimiser: Any) -> Callable[..., Any]:
    """One step: (model, state, memory, x, y, rng) to (value, model, state, memory). memory: the optimiser's state."""

    def step(model: Any, state: Any, memory: Any, x: Any, y: Any, rng: Rng) -> Any:
        (value, state), gradients = value_and_grad(loss, has_aux=True)(model, state, x, y, rng)
        model, memory = optimiser.update(model, gradients, memory)
        return value, model, state, memory

    return step


class Runner:
    """Runs a function, whose last arguments are x, y and a Generator or None, as a program where it can be traced.

    In place of the Generator it is called with a function that makes it, for a step may have to be run again.

    backend: how the last call was run: "c", "numpy", or "eager", with the reason after a colon; empty before the first.
    """

    def __init__(self, function: Callable[..., Any], compiled: bool) -> None:
        self.function, self.compiled, self.backend, self.writes = function, compiled, "", True
        self.programs: dict[Any, Callable[..., Any]] = {}  # for batches of a kind
        self.untraceable: dict[Any, str] = {}  # kinds of batches for which there is no program, and why
        self.contiguous: set[Any] = set()  # kinds whose programs are known to return such arrays by themselves

    def __call__(self, *args: Any) -> Any:
        """What the function returns for C-contiguous arrays, as C-contiguous arrays.

        An array that comes back from a file is one too: so a step has the same program, and the same rounding.
        """
        *others, x, y, make_rng = args
        kind = (x.shape, x.dtype, y.shape, y.dtype)
        if self.compiled and kind not in self.untraceable:
            try:
                if kind not in self.programs:
                    self.programs[kind] = compile(self.function)
                program = self.programs[kind]
                result = program(*others, x, y, make_rng and make_rng())
                self.backend = program.backend  # type: ignore[attr-defined]
                if kind in self.contiguous:
                    return result
                results = tree.map(plain, result)
                if all(map(operator.is_, tree.flatten(result).leaves, tree.flatten(results).leaves)):
                    self.contiguous.add(kind)
                return results
            except TracingError as error:
                self.untraceable[kind] = str(error)
        self.backend = f"eager: {self.untraceable[kind]}" if self.compiled else "eager"
        return tree.map(plain, self.function(*others, x, y, make_rng and make_rng()))


class ParallelRunner:
    """Runs such a function on many devices of JAX's; see `tg.data_parallel`. What it returns stays on the devices.

    backend  "jax", and on how many devices
    writes   whether this process is the one, of several, that writes files
    """

    def __init__(self, function: Callable[..., Any], devices: int) -> None:
        self.function, self.count = function, devices
        self.devices = devices_of("fit", devices)
        self.writes = is_first_process()
        self.programs: dict[int | None, Callable[..., Any]] = {}
        self.backend = f"jax: {devices} devices" if devices > 1 else "jax: 1 device"

    def __call__(self, *args: Any) -> Any:
        """What the function returns. Of a last batch that the devices cannot share equally, each computes all."""
        *others, x, y, make_rng = args
        axis = 0 if len(x) % self.count == 0 else None
        if axis not in self.programs:
            axes = (*[None] * len(others), axis, axis, None)
            self.programs[axis] = data_parallel(self.function, axes, self.devices)
        with lost_processes("fit"):
            value, *after = self.programs[axis](*others, x, y, make_rng and make_rng())
            value = float(value)  # what fails on a device is known when it has finished
        return value, *tree.map(_number_again, tuple(after), tuple(others))


def _number_again(x: Any, before: Any) -> Any:
    """A number that was one before the step, such as that of the steps; an array stays where it is."""
    return type(before)(x) if type(before) in (int, float) else x


def fetched(x: Any) -> Any:
    """An array as NumPy's, wherever the steps have left it; another leaf, such as a number or a generator, as it is."""
    return np.array(x) if hasattr(x, "__array__") and not isinstance(x, np.ndarray | np.generic) else x


def plain(x: Any) -> Any:
    """A leaf without its graph, C-contiguous if it is an array."""
    x = to_values(x)
    return x.copy() if isinstance(x, np.ndarray) and not x.flags.c_contiguous else x
