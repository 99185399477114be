"""Distribution functions: Student's t, chi-squared, F, gamma, Poisson, binomial; and quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.primitives.scipy_special.rules import Rules, unsupported


def rules_of(special: Any) -> dict[str, Rules]:
    """See the package."""

    def t_density(df: Array, t: Array) -> Array:
        return np.exp(-(df + 1) / 2 * np.log1p(t * t / df) - special.betaln(df / 2, 0.5)) / np.sqrt(df)

    def chi2_density(v: Array, x: Array) -> Array:
        return np.exp(special.xlogy(v / 2 - 1, x / 2) - x / 2 - special.gammaln(v / 2)) / 2

    def f_density(n: Array, d: Array, x: Array) -> Array:
        logarithm = special.xlogy(n / 2 - 1, x) - (n + d) / 2 * np.log1p(n * x / d)
        return np.exp(logarithm + n / 2 * np.log(n / d) - special.betaln(n / 2, d / 2))

    def gamma_density(a: Array, b: Array, x: Array) -> Array:  # without a factor of a or x
        return np.exp(special.xlogy(b - 1, a * x) - a * x - special.gammaln(b))

    def poisson_mass(k: Array, m: Array) -> Array:
        return np.exp(special.xlogy(np.floor(k), m) - m - special.gammaln(np.floor(k) + 1))

    def binomial_p(k: Array, n: Array, p: Array) -> Array:  # the derivative of bdtrc by p
        k = np.floor(k)
        logarithm = special.xlogy(k, p) + special.xlog1py(n - k - 1, -p) - special.betaln(k + 1, n - k)
        return np.exp(logarithm)

    return {
        "stdtr": (unsupported("stdtr", "df"), lambda g, out, df, t: g * t_density(df, t)),
        "stdtrit": (unsupported("stdtrit", "df"), lambda g, out, df, p: g / t_density(df, out)),
        "chdtr": (unsupported("chdtr", "v"), lambda g, out, v, x: g * chi2_density(v, x)),
        "chdtrc": (unsupported("chdtrc", "v"), lambda g, out, v, x: -g * chi2_density(v, x)),
        "chdtri": (unsupported("chdtri", "v"), lambda g, out, v, p: -g / chi2_density(v, out)),
        "fdtr": (
            unsupported("fdtr", "dfn"),
            unsupported("fdtr", "dfd"),
            lambda g, out, dfn, dfd, x: g * f_density(dfn, dfd, x),
        ),
        "fdtrc": (
            unsupported("fdtrc", "dfn"),
            unsupported("fdtrc", "dfd"),
            lambda g, out, dfn, dfd, x: -g * f_density(dfn, dfd, x),
        ),
        "fdtri": (
            unsupported("fdtri", "dfn"),
            unsupported("fdtri", "dfd"),
            lambda g, out, dfn, dfd, p: g / f_density(dfn, dfd, out),
        ),
        "gdtr": (
            lambda g, out, a, b, x: g * x * gamma_density(a, b, x),
            unsupported("gdtr", "b"),
            lambda g, out, a, b, x: g * a * gamma_density(a, b, x),
        ),
        "gdtrc": (
            lambda g, out, a, b, x: -g * x * gamma_density(a, b, x),
            unsupported("gdtrc", "b"),
            lambda g, out, a, b, x: -g * a * gamma_density(a, b, x),
        ),
        # of counts: steps in k, whose derivative is 0
        "pdtr": (None, lambda g, out, k, m: -g * poisson_mass(k, m)),
        "pdtrc": (None, lambda g, out, k, m: g * poisson_mass(k, m)),
        "bdtr": (None, unsupported("bdtr", "n"), lambda g, out, k, n, p: -g * binomial_p(k, n, p)),
        "bdtrc": (None, unsupported("bdtrc", "n"), lambda g, out, k, n, p: g * binomial_p(k, n, p)),
    }
