"""Functions of SciPy whose counterparts are tested: a line each, from which many tests are made."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from cases import Case
from numeric import derivatives_agree

import tinygrad_cnn as tg


class Call(NamedTuple):
    """A call of a function of a module, SciPy's or ours, with operands of these shapes."""

    name: str
    function: Callable[..., Any]  # of the module and of the operands
    shapes: list[tuple[int, ...]]
    low: float = -1.5
    high: float = 1.7
    order: int = 2

    def operands(self, dtype: Any = np.float64) -> list[np.ndarray]:
        return Case(self.name, self.function, self.shapes, self.low, self.high).operands(dtype)


def each(calls: list[Call]) -> Any:
    """A test for each of them."""
    return pytest.mark.parametrize("call", calls, ids=lambda call: call.name.replace(" ", "-"))


def values_agree(call: Call, ours: ModuleType, theirs: ModuleType, dtype: Any = np.float64) -> None:
    """Assert that Tensors have SciPy's value, shape and dtype, and that arrays go to SciPy."""
    operands = call.operands(dtype)
    expected = call.function(theirs, *operands)
    if isinstance(expected, float):  # of Python's, as some functions of SciPy return it
        expected = np.float64(expected)
    np.testing.assert_array_equal(call.function(ours, *operands), expected, strict=True)
    found = call.function(ours, *map(tg.Tensor, operands))
    assert isinstance(found, tg.Tensor)
    assert (found.dtype, found.shape) == (expected.dtype, np.shape(expected))
    close = {np.float64: 1e-10, np.float32: 3e-4}[dtype]
    np.testing.assert_allclose(
        found.value, expected, rtol=close, atol=close * max(1, np.max(np.abs(expected), initial=0))
    )


def gradients_agree(call: Call, ours: ModuleType) -> None:
    """Assert that the derivatives are what differences give."""
    derivatives_agree(lambda *xs: call.function(ours, *xs), call.operands(), call.order)


def comparisons_of(calls: list[Call], ours: ModuleType, theirs: ModuleType) -> tuple[Any, Any, Any]:
    """Three tests of each call: of its value, of that in single precision, and of its derivatives."""

    @each(calls)
    def values(call: Call) -> None:
        values_agree(call, ours, theirs)

    @each(calls)
    def values_of_single_precision(call: Call) -> None:
        values_agree(call, ours, theirs, np.float32)

    @each(calls)
    def derivatives(call: Call) -> None:
        gradients_agree(call, ours)

    return values, values_of_single_precision, derivatives
