"""Logistic functions, powers and logarithms, x log x and its kin, transformations of data, robust losses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.primitives.scipy_special.rules import Rules

_LN_2, _LN_10 = math.log(2), math.log(10)


def rules_of(special: Any) -> dict[str, Rules]:
    """See the package."""

    def exprel_slope(x: Array) -> Array:  # of (exp(x) - 1) / x
        return special.hyp1f1(2, 3, x) / 2

    def log1prel_slope(x: Array) -> Array:  # of log(1 + x) / x
        return -special.hyp2f1(2, 2, 3, -x) / 2

    return {
        # logistic
        "expit": (lambda g, out, x: g * out * special.expit(-x),),
        "logit": (lambda g, out, x: g / (x * (1 - x)),),
        "log_expit": (lambda g, out, x: g * special.expit(-x),),
        # powers and logarithms
        "expm1": (lambda g, out, x: g * np.exp(x),),
        "log1p": (lambda g, out, x: g / (1 + x),),
        "exp2": (lambda g, out, x: g * out * _LN_2,),
        "exp10": (lambda g, out, x: g * out * _LN_10,),
        "cbrt": (lambda g, out, x: g / (3 * out * out),),
        "cosm1": (lambda g, out, x: -g * np.sin(x),),
        "exprel": (lambda g, out, x: g * exprel_slope(x),),
        "powm1": (lambda g, out, x, y: g * y * x ** (y - 1), lambda g, out, x, y: g * special.xlogy(out + 1, x)),
        # x log x and its kin: 0 log 0 is 0, and so is its slope
        "xlogy": (lambda g, out, x, y: g * _log(x, y), lambda g, out, x, y: g * _quotient(x, y)),
        "xlog1py": (lambda g, out, x, y: g * _log(x, 1 + y), lambda g, out, x, y: g * _quotient(x, 1 + y)),
        "entr": (lambda g, out, x: -g * (np.log(x) + 1),),
        "rel_entr": (lambda g, out, x, y: g * (np.log(x / y) + 1), lambda g, out, x, y: -g * x / y),
        "kl_div": (lambda g, out, x, y: g * np.log(x / y), lambda g, out, x, y: g * (1 - x / y)),
        # transformations of data: boxcox is u exprel(lmbda u) with u = log x
        "boxcox": (
            lambda g, out, x, lmbda: g * x ** (lmbda - 1),
            lambda g, out, x, lmbda: g * np.log(x) ** 2 * exprel_slope(lmbda * np.log(x)),
        ),
        "boxcox1p": (
            lambda g, out, x, lmbda: g * (1 + x) ** (lmbda - 1),
            lambda g, out, x, lmbda: g * np.log1p(x) ** 2 * exprel_slope(lmbda * np.log1p(x)),
        ),
        "inv_boxcox": (
            lambda g, out, y, lmbda: g * out / (1 + lmbda * y),
            lambda g, out, y, lmbda: g * out * y**2 * log1prel_slope(lmbda * y),
        ),
        "inv_boxcox1p": (
            lambda g, out, y, lmbda: g * (1 + out) / (1 + lmbda * y),
            lambda g, out, y, lmbda: g * (1 + out) * y**2 * log1prel_slope(lmbda * y),
        ),
        # robust losses
        "huber": (
            lambda g, out, delta, r: g * np.maximum(np.abs(r) - delta, 0),
            lambda g, out, delta, r: g * np.clip(r, -delta, delta),
        ),
        "pseudo_huber": (_pseudo_huber_delta, lambda g, out, delta, r: g * r / np.sqrt(1 + (r / delta) ** 2)),
    }


def _pseudo_huber_delta(g: Array, out: Array, delta: Array, r: Array) -> Array:
    squared = (r / delta) ** 2
    root = np.sqrt(1 + squared)
    return g * delta * squared**2 / (root * (1 + root) ** 2)


def _log(x: Array, y: Array) -> Array:
    neither = np.equal(x, 0) & np.equal(y, 0)
    return np.where(neither, 0, np.log(np.where(neither, 1, y)))


def _quotient(x: Array, y: Array) -> Array:
    none = np.equal(x, 0)
    return np.where(none, 0, x / np.where(none, 1, y))
