"""How large an array is."""

from __future__ import annotations

from typing import Any

import numpy as np

SMALL = 10**4  # elements: of so few a copy costs less than a second reduction


def largest(x: Any) -> float:
    """The largest absolute value in an array, NaN if one is; 0 if there is none. Large arrays are not copied."""
    x = np.asarray(x)
    if (x.dtype.kind == "f" and x.size < SMALL) or x.dtype.kind == "c":
        return float(np.maximum.reduce(np.abs(x), axis=None, initial=0.0))
    return float(np.maximum(np.max(x, initial=0.0), -np.min(x, initial=0.0)))


def largest_finite(x: Any) -> float:
    """The largest absolute value that is finite."""
    size = largest(x)
    return size if np.isfinite(size) else largest(np.nan_to_num(x, posinf=0, neginf=0))
