"""numpy.random. Within a transform, the arrays that it draws can be assigned Tensors to, as those of np.zeros.

What is drawn is what NumPy draws. The parameters of a distribution are numbers: a Tensor among them is refused, but for
those that move and stretch it, as normal(mean, deviation) and uniform(low, high) do, and what is chosen from.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import MethodType
from typing import Any

import numpy as np

from tinygrad_cnn.builtin_functions import StandIn
from tinygrad_cnn.engine.graph import differentiating
from tinygrad_cnn.engine.primitive import operand
from tinygrad_cnn.numpy_functions.creation import new_array
from tinygrad_cnn.replacements import holds_tensor, register


def _new(drawn: Any) -> Any:
    return new_array(drawn) if type(drawn) is np.ndarray and drawn.dtype.kind == "f" else drawn


def _normal(draw: Callable[..., Any], loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
    return loc + scale * draw(size=_size(size, loc, scale))


def _uniform(draw: Callable[..., Any], low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
    return low + (high - low) * draw(size=_size(size, low, high))


def _size(size: Any, *parameters: Any) -> Any:
    shape = np.broadcast_shapes(*map(np.shape, parameters))
    return size if size is not None or not shape else shape


def _permutation(draw: Callable[..., Any], x: Any, axis: int = 0) -> Any:
    x = operand(x)
    return np.take(x, draw(np.shape(x)[axis]), axis=axis)


def _choice(draw: Callable[..., Any], a: Any, *args: Any, axis: int = 0, **keywords: Any) -> Any:
    a = operand(a)
    return np.take(a, draw(np.shape(a)[axis], *args, **keywords), axis=axis)


_OF_TENSORS: dict[str, Callable[..., Any]] = {
    "normal": _normal, "uniform": _uniform, "laplace": _normal, "gumbel": _normal, "logistic": _normal,
    "permutation": _permutation, "choice": _choice,
}  # fmt: skip


def _drawing(method: Any, name: str) -> Callable[..., Any]:
    """`method`, of a source of random numbers, whose arrays are new."""
    of_tensors = _OF_TENSORS.get(name)

    @functools.wraps(method)
    def draw(self: Any, *args: Any, **keywords: Any) -> Any:
        if not differentiating.get():
            return method(self, *args, **keywords)
        if of_tensors is not None and holds_tensor((*args, *keywords.values())):
            return of_tensors(functools.partial(method, self), *args, **keywords)
        return _new(method(self, *args, **keywords))

    return draw


def _methods(kind: type) -> dict[str, Any]:
    names = [name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))]
    return {name: _drawing(getattr(kind, name), name) for name in names if name != "spawn"}


class RandomState(np.random.RandomState, metaclass=StandIn):
    """As `np.random.RandomState`."""

    original = np.random.RandomState
    locals().update(_methods(np.random.RandomState))


class Generator(np.random.Generator, metaclass=StandIn):
    """As `np.random.Generator`."""

    original = np.random.Generator
    locals().update(_methods(np.random.Generator))


def default_rng(seed: Any = None) -> Any:
    """As `np.random.default_rng`."""
    made = np.random.default_rng(seed)
    return made if made is seed else Generator(made.bit_generator)


_global: Any = np.random.rand.__self__  # type: ignore[attr-defined]
for _name in np.random.__all__:
    _function = getattr(np.random, _name)
    if getattr(_function, "__self__", None) is _global:
        _counterpart = MethodType(_drawing(getattr(np.random.RandomState, _function.__name__), _name), _global)
        globals()[_name] = _counterpart
        register(_function, _counterpart)
for _original, _own in (
    (np.random.RandomState, RandomState), (np.random.Generator, Generator), (np.random.default_rng, default_rng),
    (np.random, sys.modules[__name__]),
):  # fmt: skip
    register(_original, _own)


def __getattr__(name: str) -> Any:
    return getattr(np.random, name)


def __dir__() -> list[str]:
    return dir(np.random)
