"""Orthogonal polynomials, with respect to their argument."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.primitives.scipy_special.rules import Rules, unsupported


def rules_of(special: Any) -> dict[str, Rules]:
    """See the package."""

    def below(name: str, n: Array, *rest: Any) -> Array:
        """The polynomial `name` of degree n - 1: of degree -1, which SciPy does not define everywhere, it is 0."""
        none = np.less(n, 1)
        polynomial: Array = getattr(special, f"eval_{name}")(np.where(none, 0, n - 1), *rest)
        return np.where(none, 0, polynomial)

    def degree(name: str) -> Any:
        return unsupported(f"eval_{name}", "n")

    return {  # None: of a degree that SciPy takes as an integer alone
        "eval_legendre": (degree("legendre"), lambda g, out, n, x: g * (n + 1) / 2 * below("jacobi", n, 1, 1, x)),
        "eval_chebyt": (degree("chebyt"), lambda g, out, n, x: g * n * below("chebyu", n, x)),
        "eval_chebyu": (degree("chebyu"), lambda g, out, n, x: g * 2 * below("gegenbauer", n, 2, x)),
        "eval_hermite": (None, lambda g, out, n, x: g * 2 * n * below("hermite", n, x)),
        "eval_hermitenorm": (None, lambda g, out, n, x: g * n * below("hermitenorm", n, x)),
        "eval_laguerre": (degree("laguerre"), lambda g, out, n, x: -g * below("genlaguerre", n, 1, x)),
        "eval_genlaguerre": (
            degree("genlaguerre"),
            unsupported("eval_genlaguerre", "alpha"),
            lambda g, out, n, alpha, x: -g * below("genlaguerre", n, alpha + 1, x),
        ),
        "eval_gegenbauer": (
            degree("gegenbauer"),
            unsupported("eval_gegenbauer", "alpha"),
            lambda g, out, n, alpha, x: g * 2 * alpha * below("gegenbauer", n, alpha + 1, x),
        ),
        "eval_jacobi": (
            degree("jacobi"),
            unsupported("eval_jacobi", "alpha"),
            unsupported("eval_jacobi", "beta"),
            lambda g, out, n, alpha, beta, x: (
                g * (n + alpha + beta + 1) / 2 * below("jacobi", n, alpha + 1, beta + 1, x)
            ),
        ),
    }
