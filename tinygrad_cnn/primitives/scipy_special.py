"""The elementwise functions of scipy.special that models use. SciPy is not needed: it is looked at where it is in use.

A ufunc of SciPy asks a Tensor for its implementation as NumPy's do. When one is met for the first time it is looked up
in the module that the caller has imported, by its name, and declared from the rules here.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import Primitive, elementwise, finders

_ROOT_PI, _ROOT_2_PI = math.sqrt(math.pi), math.sqrt(2 * math.pi)


def find(ufunc: np.ufunc) -> Callable[..., Any] | None:
    """The primitive of `ufunc`, if it is one of scipy.special's that has rules here."""
    special: Any = sys.modules.get("scipy.special")
    if special is None or getattr(special, ufunc.__name__, None) is not ufunc:
        return None
    rules = rules_of(special).get(ufunc.__name__)
    return elementwise(ufunc, *rules) if rules else None


finders.append(find)


def rules_of(special: Any) -> dict[str, tuple[Callable[..., Array] | None, ...]]:
    """The rules by the names of ufuncs; what they call is of the module `special`, and so is differentiated again."""
    polygamma = _polygamma(special)
    return {
        # logistic
        "expit": (lambda g, out, x: g * out * special.expit(-x),),
        "logit": (lambda g, out, x: g / (x * (1 - x)),),
        "log_expit": (lambda g, out, x: g * special.expit(-x),),
        # of the normal distribution
        "erf": (lambda g, out, x: g * (2 / _ROOT_PI) * np.exp(-x * x),),
        "erfc": (lambda g, out, x: -g * (2 / _ROOT_PI) * np.exp(-x * x),),
        "erfcx": (lambda g, out, x: g * (2 * x * out - 2 / _ROOT_PI),),
        "erfinv": (lambda g, out, x: g * (_ROOT_PI / 2) * np.exp(out * out),),
        "ndtr": (lambda g, out, x: g / _ROOT_2_PI * np.exp(-x * x / 2),),
        "ndtri": (lambda g, out, x: g * _ROOT_2_PI * np.exp(out * out / 2),),
        "log_ndtr": (lambda g, out, x: g / _ROOT_2_PI * np.exp(-x * x / 2 - out),),
        # gamma
        "gamma": (lambda g, out, x: g * out * special.psi(x),),
        "gammaln": (lambda g, out, x: g * special.psi(x),),
        "psi": (lambda g, out, x: g * polygamma(x, n=1),),
        "betaln": (
            lambda g, out, a, b: g * (special.psi(a) - special.psi(a + b)),
            lambda g, out, a, b: g * (special.psi(b) - special.psi(a + b)),
        ),
        # x log x and its kin: 0 log 0 is 0, and so is its slope
        "xlogy": (lambda g, out, x, y: g * _log(x, y), lambda g, out, x, y: g * _quotient(x, y)),
        "xlog1py": (lambda g, out, x, y: g * _log(x, 1 + y), lambda g, out, x, y: g * _quotient(x, 1 + y)),
        "entr": (lambda g, out, x: -g * (np.log(x) + 1),),
        "rel_entr": (lambda g, out, x, y: g * (np.log(x / y) + 1), lambda g, out, x, y: -g * x / y),
        "kl_div": (lambda g, out, x, y: g * np.log(x / y), lambda g, out, x, y: g * (1 - x / y)),
    }


def _log(x: Array, y: Array) -> Array:
    neither = np.equal(x, 0) & np.equal(y, 0)
    return np.where(neither, 0, np.log(np.where(neither, 1, y)))


def _quotient(x: Array, y: Array) -> Array:
    none = np.equal(x, 0)
    return np.where(none, 0, x / np.where(none, 1, y))


def _polygamma(special: Any) -> Primitive[..., Array]:
    """The derivatives of the digamma function, each of which is that of the one before."""

    def polygamma(x: Array, /, n: int) -> Array:
        return special.polygamma(n, x).astype(x.dtype)  # which computes in float64

    made: Primitive[..., Array] = Primitive(polygamma, elementwise=True, pure=True)
    made.defvjp(lambda g, out, x, n: g * made(x, n=n + 1))
    return made
