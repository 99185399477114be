"""Functions of JAX: its gradients, among them those of `custom_vjp`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from tinygrad_cnn.check.report.report import Report
from tinygrad_cnn.check.subjects.other_libraries import Function, argument_names, checked, imported
from tinygrad_cnn.check.subjects.weighted import is_differentiable


def jax(
    function: Callable[..., Any],
    args: Any,
    *,
    forward: Callable[..., Any] | None = None,
    seed: int = 0,
    **how: Any,
) -> Report:
    """Check the gradient that JAX computes of a function, such as one with a `custom_vjp`, at kinks and ties too.

    function: a function of arrays that returns one or a tuple of them. args: an array, or a tuple of arguments;
    gradients are checked of those of floats, all in double.

    The loss is the sum of the outputs times random numbers; an output that is a single number counts as it is. JAX's
    gradient is compared with finite differences of its own forward pass. forward: the same in NumPy; then autodiff of
    this is a witness too, and mistakes are explained. seed: of the random numbers. how: what else
    `tg.check.gradients` takes.

    Raises MissingExtraError if JAX is not installed.

    >>> import numpy as np, pytest, tinygrad_cnn as tg
    >>> jnp = pytest.importorskip("jax.numpy")
    >>> tg.check.jax(lambda x: jnp.max(x), np.array([1.0, 1.0, 0.0])).ok
    True
    """
    return checked(_Jax(function, args), forward, seed, how)


class _Jax(Function):
    """A function of JAX, of arrays by name."""

    library = "JAX"

    def __init__(self, function: Callable[..., Any], args: Any) -> None:
        jax = imported("jax")

        self.jax, self.function = jax, function
        self.place(args, argument_names(function))

    def numbers(self, x: Any) -> Any:
        """An input as an array of doubles; what is not of floats as it is."""
        return np.asarray(x, float) if is_differentiable(x) else x

    def outputs(self, p: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any], Any]:
        """The outputs."""
        with self._double():
            return *self.apart(self.function(*self._arguments(p))), None

    def gradients(self, p: Mapping[str, Any], weights: list[Any]) -> tuple[dict[str, Any], dict[str, Any], float]:
        """The gradients, and the loss."""

        def loss(p: Mapping[str, Any]) -> Any:
            outputs, _ = self.apart(self.function(*self._arguments(p)))
            return sum((x * w).sum() for x, w in zip(outputs, weights, strict=True))

        with self._double():
            value, found = self.jax.value_and_grad(loss)({name: self.jax.numpy.asarray(x) for name, x in p.items()})
            return {name: np.asarray(x) for name, x in found.items()}, {}, float(value)

    def _arguments(self, p: Mapping[str, Any]) -> list[Any]:
        return [self.jax.numpy.asarray(p[name]) if name in p else x for name, x in self.inputs.items()]

    @contextlib.contextmanager
    def _double(self) -> Iterator[None]:
        """A block in which JAX computes in double."""
        before = self.jax.config.jax_enable_x64
        self.jax.config.update("jax_enable_x64", True)
        try:
            yield
        finally:
            self.jax.config.update("jax_enable_x64", before)
