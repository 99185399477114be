"""Outputs of any shape made into one number: their sum, each times a random number, which is its cotangent."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.check.witnesses.trace import as_array
from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.tensor import Tensor


def is_differentiable(x: Any) -> bool:
    """Whether `x` is an array or number of floats."""
    if isinstance(x, Tensor):
        return True
    if isinstance(x, bool | int | str | bytes | dict | tuple | list) or x is None or callable(x):
        return False
    dtype = getattr(x, "dtype", None)
    return isinstance(x, float) or getattr(dtype, "kind", "") == "f" or "torch.float" in str(dtype)


def weights_of(outputs: Sequence[Any], seed: int) -> list[Array]:
    """A cotangent for each output, at random; 1 for an output that is one number, for many a loss assumes that."""
    rng = np.random.default_rng(seed)
    made = []
    for x in outputs:
        shape = as_array(x).shape
        made.append(np.ones(shape) if np.prod(shape, dtype=int) == 1 else rng.standard_normal(shape))
    return made


def weighted(outputs: Sequence[Any], weights: Sequence[Array]) -> Any:
    """The sum of the outputs times their weights."""
    return sum(np.sum(x * w) for x, w in zip(outputs, weights, strict=True))


@contextlib.contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """A block in which NumPy's global random numbers are those that follow `seed`; afterwards they go on as before."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)
