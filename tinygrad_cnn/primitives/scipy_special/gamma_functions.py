"""Gamma and beta functions, complete and incomplete; binomial coefficients; hypergeometric functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import Primitive
from tinygrad_cnn.primitives.scipy_special.rules import Rules, unsupported


def rules_of(special: Any) -> dict[str, Rules]:
    """See the package."""
    psi: Any = getattr(special, "psi", None)
    polygamma = polygamma_of(special)

    def gamma_density(a: Array, x: Array) -> Array:
        return np.exp(special.xlogy(a - 1, x) - x - special.gammaln(a))

    def beta_density(a: Array, b: Array, x: Array) -> Array:
        return np.exp(special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b))

    return {
        "gamma": (lambda g, out, x: g * out * psi(x),),
        "gammaln": (lambda g, out, x: g * psi(x),),
        "loggamma": (lambda g, out, x: g * psi(x),),
        "rgamma": (lambda g, out, x: -g * out * psi(x),),
        "gammasgn": (None,),
        "psi": (lambda g, out, x: g * polygamma(x, n=1),),
        "beta": (
            lambda g, out, a, b: g * out * (psi(a) - psi(a + b)),
            lambda g, out, a, b: g * out * (psi(b) - psi(a + b)),
        ),
        "betaln": (
            lambda g, out, a, b: g * (psi(a) - psi(a + b)),
            lambda g, out, a, b: g * (psi(b) - psi(a + b)),
        ),
        "poch": (
            lambda g, out, z, m: g * out * (psi(z + m) - psi(z)),
            lambda g, out, z, m: g * out * psi(z + m),
        ),
        "binom": (
            lambda g, out, n, k: g * out * (psi(n + 1) - psi(n - k + 1)),
            lambda g, out, n, k: g * out * (psi(n - k + 1) - psi(k + 1)),
        ),
        # incomplete, and their inverses
        "gammainc": (unsupported("gammainc", "a"), lambda g, out, a, x: g * gamma_density(a, x)),
        "gammaincc": (unsupported("gammaincc", "a"), lambda g, out, a, x: -g * gamma_density(a, x)),
        "gammaincinv": (unsupported("gammaincinv", "a"), lambda g, out, a, y: g / gamma_density(a, out)),
        "gammainccinv": (unsupported("gammainccinv", "a"), lambda g, out, a, y: -g / gamma_density(a, out)),
        "betainc": (
            unsupported("betainc", "a"),
            unsupported("betainc", "b"),
            lambda g, out, a, b, x: g * beta_density(a, b, x),
        ),
        "betaincc": (
            unsupported("betaincc", "a"),
            unsupported("betaincc", "b"),
            lambda g, out, a, b, x: -g * beta_density(a, b, x),
        ),
        "betaincinv": (
            unsupported("betaincinv", "a"),
            unsupported("betaincinv", "b"),
            lambda g, out, a, b, y: g / beta_density(a, b, out),
        ),
        "betainccinv": (
            unsupported("betainccinv", "a"),
            unsupported("betainccinv", "b"),
            lambda g, out, a, b, y: -g / beta_density(a, b, out),
        ),
        # hypergeometric
        "hyp0f1": (unsupported("hyp0f1", "v"), lambda g, out, v, z: g * special.hyp0f1(v + 1, z) / v),
        "hyp1f1": (
            unsupported("hyp1f1", "a"),
            unsupported("hyp1f1", "b"),
            lambda g, out, a, b, z: g * special.hyp1f1(a + 1, b + 1, z) * a / b,
        ),
        "hyperu": (
            unsupported("hyperu", "a"),
            unsupported("hyperu", "b"),
            lambda g, out, a, b, x: -g * special.hyperu(a + 1, b + 1, x) * a,
        ),
        "hyp2f1": (
            unsupported("hyp2f1", "a"),
            unsupported("hyp2f1", "b"),
            unsupported("hyp2f1", "c"),
            lambda g, out, a, b, c, z: g * special.hyp2f1(a + 1, b + 1, c + 1, z) * a * b / c,
        ),
    }


def polygamma_of(special: Any) -> Primitive[..., Array]:
    """The derivatives of the digamma function, each of which is that of the one before."""

    def polygamma(x: Array, /, n: Any) -> Array:
        return special.polygamma(n, x).astype(x.dtype)  # which computes in float64

    made: Primitive[..., Array] = Primitive(polygamma, elementwise=True, singular=True, pure=True)
    made.defvjp(lambda g, out, x, n: g * made(x, n=n + 1))
    return made
