"""NumPy functions that are composed of primitives, that have no derivative, or that make arrays anew."""

from tinygrad_cnn.numpy_functions import (
    applying,
    creation,
    flat,
    grids,
    keywords,
    lacking,
    polynomials,
    scimath,
    sets,
    signals,
    sorting,
    statistics,
    ufunc_methods,
    without_derivative,
)

__all__ = [
    "applying",
    "creation",
    "flat",
    "grids",
    "keywords",
    "lacking",
    "polynomials",
    "scimath",
    "sets",
    "signals",
    "sorting",
    "statistics",
    "ufunc_methods",
    "without_derivative",
]
