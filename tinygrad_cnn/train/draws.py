"""The random numbers of a step, drawn before it, so that a compiled program can take them as arguments.

A program draws nothing. So a function is run once with a `Recording` generator, which notes what it asks for, such as
`random((32, 10))`. Before each later run, the same is drawn from that run's generator, and the function gets a
`Replay`, which hands it out in order. Which numbers come is so the same as without a program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.lowering import TracingError

_PLAIN = (bool, int, float, str, type(None), type, np.dtype)
_METHODS = (
    "beta", "binomial", "bytes", "chisquare", "choice", "dirichlet", "exponential", "f", "gamma", "geometric",
    "gumbel", "hypergeometric", "integers", "laplace", "logistic", "lognormal", "logseries", "multinomial",
    "multivariate_hypergeometric", "multivariate_normal", "negative_binomial", "noncentral_chisquare", "noncentral_f",
    "normal", "pareto", "permutation", "permuted", "poisson", "power", "random", "rayleigh", "shuffle", "spawn",
    "standard_cauchy", "standard_exponential", "standard_gamma", "standard_normal", "standard_t", "triangular",
    "uniform", "vonmises", "wald", "weibull", "zipf",
)  # fmt: skip
_NO_ARRAYS = ("bytes", "shuffle", "spawn")  # what gives no array that a program could take


class Call(NamedTuple):
    """A call of a generator's method, with plain arguments."""

    method: str
    args: tuple[Any, ...]
    keywords: dict[str, Any]

    def drawn(self, rng: np.random.Generator) -> Any:
        """What it gives."""
        return getattr(rng, self.method)(*self.args, **self.keywords)


class _Intercepted(np.random.Generator):
    """A generator that passes every call to `_draw`."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def _draw(self, call: Call) -> Any:
        raise NotImplementedError


def _intercepting(method: str) -> Callable[..., Any]:
    def draw(self: _Intercepted, *args: Any, **keywords: Any) -> Any:
        if method in _NO_ARRAYS or not _is_plain([args, keywords]):
            raise TracingError(
                f"rng.{method} was called with more than numbers and shapes that are the same at every step, or gives "
                "no array"
            )
        return self._draw(Call(method, args, keywords))

    return draw


for name in _METHODS:
    setattr(_Intercepted, name, _intercepting(name))


def _is_plain(x: Any) -> bool:
    if isinstance(x, dict):
        x = list(x.values())
    return all(map(_is_plain, x)) if isinstance(x, list | tuple) else isinstance(x, _PLAIN)


class Recording(_Intercepted):
    """Draws from a generator, and notes its calls."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        self.source = rng
        self.calls: list[Call] = []

    def _draw(self, call: Call) -> Any:
        self.calls.append(call)
        return call.drawn(self.source)


class Replay(_Intercepted):
    """Hands out what was drawn for `calls`, in order. Raises TracingError if it is asked for something else."""

    def __init__(self, calls: tuple[Call, ...], drawn: list[Any]) -> None:
        super().__init__()
        self.remaining = list(zip(calls, drawn, strict=True))

    def _draw(self, call: Call) -> Any:
        expected, drawn = self.remaining.pop(0) if self.remaining else (None, None)
        if call != expected:
            raise TracingError(f"rng.{call.method} was called where the step before called {expected}")
        return drawn
