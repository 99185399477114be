"""Python's math, in which functions take Tensors: `import tinygrad_cnn.math as math`.

A Tensor that stands for one number gives a Tensor. Numbers give what Python's function gives them; its errors are the
same for Tensors (math.sqrt of a negative one raises ValueError). Where a function has no derivative, or one that is
zero, as floor and isnan, a Tensor gives a plain number or boolean.

>>> import tinygrad_cnn as tg
>>> import tinygrad_cnn.math as math
>>> tg.grad(lambda x: math.sqrt(x) + math.floor(x))(4.0)
np.float64(0.25)
"""

from __future__ import annotations

import functools
import math as _math
from collections.abc import Callable
from types import MethodType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_cnn.builtin_functions import number, number_value
from tinygrad_cnn.engine.graph import Array, Handle
from tinygrad_cnn.engine.primitive import Primitive
from tinygrad_cnn.replacements import fallback, holds_tensor, register

if TYPE_CHECKING:
    from math import *  # noqa: F403

# Functions that NumPy does not have.


def _erf(x: Array, /) -> Array:
    return np.float64(_math.erf(x))


def _erfc(x: Array, /) -> Array:
    return np.float64(_math.erfc(x))


def _gamma(x: Array, /) -> Array:
    return np.float64(_math.gamma(x))


def _lgamma(x: Array, /) -> Array:
    return np.float64(_math.lgamma(x))


def _polygamma(x: Array, /, n: int) -> Array:
    """The derivative of order n + 1 of lgamma, by recurrence to x >= 20 and the asymptotic series (DLMF 5.11, 5.15)."""
    if x <= 0 and x == _math.floor(x):
        return np.float64(np.nan)  # a pole
    x = float(x)
    sign, factorial, total = (-1) ** (n + 1), _math.factorial(n), 0.0
    while x < 20:
        total += (-1.0 if n == 0 else sign * factorial) / x ** (n + 1)
        x += 1
    if n == 0:
        total += _math.log(x) - 0.5 / x
    else:
        total += sign * (_math.factorial(n - 1) / x**n + factorial / (2 * x ** (n + 1)))
    for k, bernoulli in enumerate(_BERNOULLI, 1):
        if n == 0:
            total -= bernoulli / (2 * k * x ** (2 * k))
        else:
            total += sign * bernoulli * _math.factorial(2 * k + n - 1) / (_math.factorial(2 * k) * x ** (2 * k + n))
    return np.float64(total)


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)  # B2, B4, ..., B14

erf_of_tensor, erfc_of_tensor, gamma_of_tensor, lgamma_of_tensor, polygamma = (
    Primitive(forward, elementwise=True, singular=True, pure=True)
    for forward in (_erf, _erfc, _gamma, _lgamma, _polygamma)
)
erf_of_tensor.defvjp(lambda g, out, x: g * (2 / _math.sqrt(_math.pi)) * np.exp(-x * x))
erfc_of_tensor.defvjp(lambda g, out, x: -g * (2 / _math.sqrt(_math.pi)) * np.exp(-x * x))
gamma_of_tensor.defvjp(lambda g, out, x: g * out * polygamma(x, n=0))
lgamma_of_tensor.defvjp(lambda g, out, x: g * polygamma(x, n=0))
polygamma.defvjp(lambda g, out, x, n: g * polygamma(x, n=n + 1))


def _log(x: Any, base: Any = None) -> Any:
    return np.log(x) if base is None else np.log(x) / np.log(base)


def _hypot(*coordinates: Any) -> Any:
    return functools.reduce(np.hypot, coordinates, 0.0)


def _dist(p: Any, q: Any) -> Any:
    return _hypot(*[number(x) - number(y) for x, y in zip(p, q, strict=True)])


def _prod(iterable: Any, *, start: Any = 1) -> Any:
    return functools.reduce(np.multiply, iterable, start)


def _sumprod(p: Any, q: Any, /) -> Any:
    return sum([x * y for x, y in zip(p, q, strict=True)])


def _modf(x: Any) -> Any:
    return x - np.trunc(x), number_value(np.trunc(x))


def _frexp(x: Any) -> Any:
    exponent = _math.frexp(number_value(x))[1]
    return np.ldexp(x, -exponent), exponent


_OF_TENSORS: dict[str, Callable[..., Any]] = {
    "acos": np.arccos, "acosh": np.arccosh, "asin": np.arcsin, "asinh": np.arcsinh, "atan": np.arctan,
    "atan2": np.arctan2, "atanh": np.arctanh, "cbrt": np.cbrt, "copysign": np.copysign, "cos": np.cos,
    "cosh": np.cosh, "degrees": np.degrees, "dist": _dist, "erf": erf_of_tensor, "erfc": erfc_of_tensor,
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "fabs": np.fabs, "fma": lambda x, y, z: x * y + z,
    "fmod": np.fmod, "frexp": _frexp, "fsum": sum, "gamma": gamma_of_tensor, "hypot": _hypot, "ldexp": np.ldexp,
    "lgamma": lgamma_of_tensor, "log": _log, "log10": np.log10, "log1p": np.log1p, "log2": np.log2, "modf": _modf,
    "pow": np.power, "prod": _prod, "radians": np.radians, "sin": np.sin, "sinh": np.sinh, "sqrt": np.sqrt,
    "sumprod": _sumprod, "tan": np.tan, "tanh": np.tanh,
    "remainder": lambda x, y: x - y * np.rint(x / y),
}  # fmt: skip
_OF_ITERABLES = frozenset(["dist", "fsum", "prod", "sumprod"])
_STEPS = ("ceil", "floor", "trunc", "isclose", "isfinite", "isinf", "isnan", "ulp", "nextafter")


def of_numbers(original: Any, of_tensors: Callable[..., Any]) -> Callable[..., Any]:
    """`original`, of numbers, which is `of_tensors` where one of them is a Tensor."""

    def call(_: Any, *args: Any, **keywords: Any) -> Any:
        for x in args:
            if isinstance(x, Handle):
                original(*[number_value(x) for x in args], **keywords)  # whose errors are ours
                return of_tensors(*[number(x) for x in args], **keywords)
        return original(*args, **keywords)

    return call


def _of_iterables(original: Any, of_tensors: Callable[..., Any]) -> Callable[..., Any]:
    """`original`, of iterables of numbers, which is `of_tensors` where one of the numbers is a Tensor."""

    def call(_: Any, *args: Any, **keywords: Any) -> Any:
        args = tuple(x if isinstance(x, list | tuple | np.ndarray | Handle) else list(x) for x in args)
        if not holds_tensor((*args, *keywords.values())):
            return original(*args, **keywords)
        return of_tensors(*[[number(item) for item in x] for x in args], **keywords)

    return call


def of_values(original: Any) -> Callable[..., Any]:
    """`original` of the values of Tensors."""

    def call(_: Any, *args: Any, **keywords: Any) -> Any:
        return original(*[number_value(x) for x in args], **{name: number_value(x) for name, x in keywords.items()})

    return call


def exchanged(module: ModuleType, calls: dict[str, Callable[[Any], Callable[..., Any]]]) -> dict[str, Any]:
    """The counterparts of the functions of `module`, by name; `calls` makes each from the original.

    They are methods bound already: as Python's own, they are no methods where they are attributes of a class.
    """
    found = {}
    for name, make in calls.items():
        original = getattr(module, name, None)  # some are newer than the oldest Python that is supported
        if original is not None:
            found[name] = MethodType(functools.update_wrapper(make(original), original), module)
            register(original, found[name])
    return found


_calls: dict[str, Callable[[Any], Callable[..., Any]]] = dict.fromkeys(_STEPS, of_values)
for _name, _function in _OF_TENSORS.items():
    _calls[_name] = functools.partial(_of_iterables if _name in _OF_ITERABLES else of_numbers, of_tensors=_function)

globals().update(exchanged(_math, _calls))
__getattr__, __dir__ = fallback(_math, globals())
