"""np.r_ and np.c_, whose items may be Tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.primitive import operand
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.replacements import holds_tensor, register


class Concatenator:
    """What np.r_ and np.c_ are: an object that is indexed with what it concatenates.

    original      NumPy's
    axis, ndim, first  along which axis; how many axes each item has at least; and at which of these those of an item
                  with fewer begin, counted from the end if it is negative (NumPy's `trans1d`)
    """

    def __init__(self, original: Any, axis: int, ndim: int, first: int) -> None:
        self.original, self.axis, self.ndim, self.first = original, axis, ndim, first

    def __getitem__(self, key: Any) -> Any:
        items = key if isinstance(key, tuple) else (key,)
        if not holds_tensor(items):
            return self.original[key]
        axis, ndim, first = self.axis, self.ndim, self.first
        if isinstance(items[0], str):
            axis, ndim, first = self._directive(items[0])
            items = items[1:]
        operands = [np.r_[x] if isinstance(x, slice) else operand(x) for x in items]
        dtype = np.result_type(*operands)  # in which a Python number weighs less than an array
        return np.concatenate([_with_axes(_cast(x, dtype), ndim, first) for x in operands], axis=axis)

    def _directive(self, text: str) -> tuple[int, int, int]:
        try:
            numbers = [int(number) for number in text.split(",")]
        except ValueError:
            raise ValueError(f"np.r_: {text!r} is not supported for Tensors; expected numbers, as in '0,2'") from None
        return tuple(numbers + [self.axis, self.ndim, self.first][len(numbers) :])  # type: ignore[return-value]

    def __len__(self) -> int:
        return 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)


def _cast(x: Any, dtype: Any) -> Any:
    return x.astype(dtype) if isinstance(x, Tensor) else np.asarray(x, dtype)


def _with_axes(x: Any, ndim: int, first: int) -> Any:
    """`x` with at least `ndim` axes."""
    shape = np.shape(x) or (1,)
    if len(shape) >= ndim:
        return np.reshape(x, shape)
    missing = ndim - len(shape)
    before = first if first >= 0 else missing + first + 1
    return np.reshape(x, (1,) * before + shape + (1,) * (missing - before))


functions = {"r_": Concatenator(np.r_, 0, 1, -1), "c_": Concatenator(np.c_, -1, 2, 0)}
for _name, _object in functions.items():
    register(getattr(np, _name), _object)
