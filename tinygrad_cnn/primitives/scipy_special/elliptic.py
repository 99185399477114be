"""Elliptic integrals and the elliptic functions of Jacobi."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.primitives.scipy_special.rules import Rules, unsupported


def rules_of(special: Any) -> dict[str, Rules]:
    """See the package."""

    def ellipkm1_p(g: Array, out: Array, p: Array) -> Array:
        near = np.greater(p, 0.5)  # where the first formula loses no digits, but the second does
        series = np.pi / 8 * special.hyp2f1(1.5, 1.5, 2, 1 - np.where(near, p, 1))
        apart = np.where(near, 0.5, p)
        quotient = (special.ellipe(1 - apart) - apart * special.ellipkm1(apart)) / (2 * apart * (1 - apart))
        return -g * np.where(near, series, quotient)

    return {
        "ellipk": (lambda g, out, m: -ellipkm1_p(g, out, 1 - m),),
        "ellipkm1": (ellipkm1_p,),
        "ellipe": (lambda g, out, m: -g * np.pi / 8 * special.hyp2f1(0.5, 1.5, 2, m),),
        "ellipkinc": (
            lambda g, out, phi, m: g / np.sqrt(1 - m * np.sin(phi) ** 2),
            unsupported("ellipkinc", "m"),
        ),
        "ellipeinc": (
            lambda g, out, phi, m: g * np.sqrt(1 - m * np.sin(phi) ** 2),
            unsupported("ellipeinc", "m"),
        ),
        # sn, cn, dn and the amplitude
        "ellipj": tuple(
            (rule, unsupported("ellipj", "m"))
            for rule in (
                lambda g, out, u, m: g * special.ellipj(u, m)[1] * special.ellipj(u, m)[2],
                lambda g, out, u, m: -g * special.ellipj(u, m)[0] * special.ellipj(u, m)[2],
                lambda g, out, u, m: -g * m * special.ellipj(u, m)[0] * special.ellipj(u, m)[1],
                lambda g, out, u, m: g * special.ellipj(u, m)[2],
            )
        ),
    }
