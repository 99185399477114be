"""t.flat: the elements of a Tensor one behind the other, row by row, to be read and assigned to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_cnn.engine.primitive import operand
from tinygrad_cnn.engine.tensor import Tensor


class Flat:
    """As `np.flatiter`, which is what `ndarray.flat` is."""

    def __init__(self, base: Tensor) -> None:
        self.base = base

    def __len__(self) -> int:
        return self.base.size

    def __iter__(self) -> Iterator[Any]:
        return (self.base[place] for place in np.ndindex(self.base.shape))

    def __getitem__(self, index: Any) -> Any:
        found = self.base.reshape(-1)[index]
        return found.copy() if found.ndim else found

    def __setitem__(self, index: Any, values: Any) -> None:
        places = np.arange(len(self))[index]
        values = operand(values)
        if np.ndim(values) and np.ndim(places):  # from the beginning again where they are too few
            values = np.resize(values, np.shape(places))
        self.base[np.unravel_index(places, self.base.shape)] = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.base.reshape(-1), dtype)

    def copy(self) -> Tensor:
        """The elements in one axis."""
        return self.base.flatten()


def _set(base: Tensor, values: Any) -> None:
    Flat(base)[:] = values


Tensor.flat = property(Flat, _set, doc="Its elements one behind the other, as `ndarray.flat`.")
