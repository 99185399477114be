"""The primitives, by kind. A rule stands beneath its forward function.

A rule is given the cotangent `g` of the result, the result `out`, and then the operands and settings; it returns the
cotangent of one operand, and it is linear in `g`. It is written in NumPy, for arrays and Tensors alike.
"""

from tinygrad_cnn.rules import (
    applying,
    complex_numbers,
    cumulative,
    decompositions,
    elementwise,
    fourier,
    grids,
    indexing,
    linear_algebra,
    order,
    plain,
    polynomials,
    rearranging,
    reductions,
    scipy_special,
    sets,
    shaping,
    signals,
    special,
    statistics,
    ufunc_methods,
    windows,
)

__all__ = [
    "applying",
    "complex_numbers",
    "cumulative",
    "decompositions",
    "elementwise",
    "fourier",
    "grids",
    "indexing",
    "linear_algebra",
    "order",
    "plain",
    "polynomials",
    "rearranging",
    "reductions",
    "scipy_special",
    "sets",
    "shaping",
    "signals",
    "special",
    "statistics",
    "ufunc_methods",
    "windows",
]
