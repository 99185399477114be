"""The primitives, by family. A rule stands beneath its forward function.

A rule is given the cotangent `g` of the result, the result `out`, and then the operands and parameters; it returns the
cotangent of one operand, and it is linear in `g`. It is written in NumPy, for arrays and Tensors alike.
"""

from tinygrad_cnn.primitives import (
    complex_numbers,
    convolution,
    cumulative,
    decompositions,
    eigenvalues,
    elementwise,
    fourier,
    indexing,
    linear_algebra,
    rearranging,
    reductions,
    scipy_special,
    shaping,
    special,
    windows,
)

__all__ = [
    "complex_numbers",
    "convolution",
    "cumulative",
    "decompositions",
    "eigenvalues",
    "elementwise",
    "fourier",
    "indexing",
    "linear_algebra",
    "rearranging",
    "reductions",
    "scipy_special",
    "shaping",
    "special",
    "windows",
]
