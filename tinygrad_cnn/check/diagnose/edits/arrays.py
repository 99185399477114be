"""Arrays, to be found by what is in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.executed import LARGE
from tinygrad_cnn.engine.graph import Array


class Arrays:
    """Arrays of floats; another one is among them if it is equal to one up to rounding."""

    def __init__(self, arrays: Sequence[Array]) -> None:
        self.all = arrays
        self._by_size: dict[Any, list[Array]] = {}
        for x in arrays:
            if 0 < x.size <= LARGE and x.dtype.kind == "f":
                self._by_size.setdefault(_keys(x)[0], []).append(x)

    def __contains__(self, x: object) -> bool:
        if not isinstance(x, np.ndarray | np.floating) or np.asarray(x).dtype.kind != "f":
            return False
        x = np.asarray(x)
        near = [y for key in _keys(x) for y in self._by_size.get(key, ())]
        return any(np.allclose(x, y, rtol=1e-9, atol=1e-12 * float(np.max(np.abs(y), initial=0.0))) for y in near)


def _keys(x: Array) -> list[Any]:
    """The keys of an array, of which one at least is the first key of each array that is equal to it to rounding."""
    with np.errstate(all="ignore"):
        size = float(np.sum(np.abs(x), dtype=float))
    if not 0 < size < math.inf:
        return [(x.shape, size)]
    power = round(math.log(size) * 1e6)
    return [(x.shape, power), (x.shape, power - 1), (x.shape, power + 1)]
