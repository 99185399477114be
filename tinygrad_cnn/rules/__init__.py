"""The primitives, by kind. A rule stands beneath its forward function.

A rule is given the cotangent `g` of the result, the result `out`, and then the operands and settings; it returns the
cotangent of one operand, and it is linear in `g`. It is written in NumPy, for arrays and Tensors alike.
"""

from tinygrad_cnn.rules import (
    complex_numbers,
    cumulative,
    decompositions,
    elementwise,
    fourier,
    indexing,
    linear_algebra,
    order,
    plain,
    rearranging,
    reductions,
    shaping,
    signals,
    statistics,
    windows,
)

__all__ = [
    "complex_numbers",
    "cumulative",
    "decompositions",
    "elementwise",
    "fourier",
    "indexing",
    "linear_algebra",
    "order",
    "plain",
    "rearranging",
    "reductions",
    "shaping",
    "signals",
    "statistics",
    "windows",
]
