"""Error functions and the normal distribution; exponential, sine and Fresnel integrals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.primitives.scipy_special.rules import Rules, unsupported

_ROOT_PI, _ROOT_2_PI = math.sqrt(math.pi), math.sqrt(2 * math.pi)


def rules_of(special: Any) -> dict[str, Rules]:
    """See the package."""

    def expn_x(g: Array, out: Array, n: Array, x: Array) -> Array:
        first = np.equal(n, 0)  # exp(-x) / x
        return -g * np.where(first, out * (1 + 1 / x), special.expn(np.where(first, 0, n - 1), x))

    return {
        "erf": (lambda g, out, x: g * (2 / _ROOT_PI) * np.exp(-x * x),),
        "erfc": (lambda g, out, x: -g * (2 / _ROOT_PI) * np.exp(-x * x),),
        "erfcx": (lambda g, out, x: g * (2 * x * out - 2 / _ROOT_PI),),
        "erfi": (lambda g, out, x: g * (2 / _ROOT_PI) * np.exp(x * x),),
        "erfinv": (lambda g, out, x: g * (_ROOT_PI / 2) * np.exp(out * out),),
        "erfcinv": (lambda g, out, x: -g * (_ROOT_PI / 2) * np.exp(out * out),),
        "dawsn": (lambda g, out, x: g * (1 - 2 * x * out),),
        # of the normal distribution
        "ndtr": (lambda g, out, x: g / _ROOT_2_PI * np.exp(-x * x / 2),),
        "ndtri": (lambda g, out, x: g * _ROOT_2_PI * np.exp(out * out / 2),),
        "log_ndtr": (lambda g, out, x: g / _ROOT_2_PI * np.exp(-x * x / 2 - out),),
        "ndtri_exp": (lambda g, out, y: g * _ROOT_2_PI * np.exp(out * out / 2 + y),),
        "owens_t": (
            lambda g, out, h, a: -g / (2 * _ROOT_2_PI) * np.exp(-h * h / 2) * special.erf(h * a / math.sqrt(2)),
            lambda g, out, h, a: g * np.exp(-h * h * (1 + a * a) / 2) / (2 * np.pi * (1 + a * a)),
        ),
        # integrals
        "expi": (lambda g, out, x: g * np.exp(x) / x,),
        "exp1": (lambda g, out, x: -g * np.exp(-x) / x,),
        "expn": (unsupported("expn", "n"), expn_x),
        "sici": (
            (lambda g, out, x: g * np.sinc(x / np.pi),),
            (lambda g, out, x: g * np.cos(x) / x,),
        ),
        "shichi": (
            (lambda g, out, x: g * (special.exprel(x) + special.exprel(-x)) / 2,),
            (lambda g, out, x: g * np.cosh(x) / x,),
        ),
        "fresnel": (
            (lambda g, out, x: g * np.sin(np.pi / 2 * x * x),),
            (lambda g, out, x: g * np.cos(np.pi / 2 * x * x),),
        ),
    }
