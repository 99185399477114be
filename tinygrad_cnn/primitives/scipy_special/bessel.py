"""Bessel and Airy functions, with respect to their argument: by the order they have no closed derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.primitives.scipy_special.rules import Rules, unsupported


def rules_of(special: Any) -> dict[str, Rules]:
    """See the package."""
    s = special
    return {
        # J and Y
        "j0": (lambda g, out, x: -g * s.j1(x),),
        "j1": (lambda g, out, x: g * (s.j0(x) - s.jv(2, x)) / 2,),
        "jv": (unsupported("jv", "v"), lambda g, out, v, z: g * (s.jv(v - 1, z) - s.jv(v + 1, z)) / 2),
        "y0": (lambda g, out, x: -g * s.y1(x),),
        "y1": (lambda g, out, x: g * (s.y0(x) - s.yv(2, x)) / 2,),
        "yn": (unsupported("yn", "n"), lambda g, out, n, x: g * (s.yv(n - 1.0, x) - s.yv(n + 1.0, x)) / 2),
        "yv": (unsupported("yv", "v"), lambda g, out, v, z: g * (s.yv(v - 1, z) - s.yv(v + 1, z)) / 2),
        # I and K, and those with an e, which are scaled by exp(-|x|) and exp(x)
        "i0": (lambda g, out, x: g * s.i1(x),),
        "i1": (lambda g, out, x: g * (s.i0(x) + s.iv(2, x)) / 2,),
        "iv": (unsupported("iv", "v"), lambda g, out, v, z: g * (s.iv(v - 1, z) + s.iv(v + 1, z)) / 2),
        "i0e": (lambda g, out, x: g * (s.i1e(x) - np.sign(x) * out),),
        "i1e": (lambda g, out, x: g * ((s.i0e(x) + s.ive(2, x)) / 2 - np.sign(x) * out),),
        "ive": (
            unsupported("ive", "v"),
            lambda g, out, v, z: g * ((s.ive(v - 1, z) + s.ive(v + 1, z)) / 2 - np.sign(z) * out),
        ),
        "k0": (lambda g, out, x: -g * s.k1(x),),
        "k1": (lambda g, out, x: -g * (s.k0(x) + s.kv(2, x)) / 2,),
        "kn": (unsupported("kn", "n"), lambda g, out, n, x: -g * (s.kv(n - 1.0, x) + s.kv(n + 1.0, x)) / 2),
        "kv": (unsupported("kv", "v"), lambda g, out, v, z: -g * (s.kv(v - 1, z) + s.kv(v + 1, z)) / 2),
        "k0e": (lambda g, out, x: g * (out - s.k1e(x)),),
        "k1e": (lambda g, out, x: g * (out - (s.k0e(x) + s.kve(2, x)) / 2),),
        "kve": (
            unsupported("kve", "v"),
            lambda g, out, v, z: g * (out - (s.kve(v - 1, z) + s.kve(v + 1, z)) / 2),
        ),
        # Ai, its derivative, Bi, its derivative
        "airy": (
            (lambda g, out, z: g * s.airy(z)[1],),
            (lambda g, out, z: g * z * s.airy(z)[0],),
            (lambda g, out, z: g * s.airy(z)[3],),
            (lambda g, out, z: g * z * s.airy(z)[2],),
        ),
    }
