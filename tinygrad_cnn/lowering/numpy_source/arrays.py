"""Constant arrays in a printed program."""

from __future__ import annotations

from typing import Any

import numpy as np

LARGE = 100


def literal(value: Any) -> str:
    """An expression for a constant array, to the last bit: its elements, or its bytes where there are many."""
    if value.dtype.kind not in "biufc" or value.size > LARGE or not np.isfinite(value).all():
        data = np.ascontiguousarray(value).tobytes().hex()
        return f"np.frombuffer(bytes.fromhex({data!r}), {value.dtype.str!r}).reshape({value.shape})"
    if not value.size:
        return f"np.zeros({value.shape}, np.{value.dtype.name})"
    if value.dtype == np.int64 and value.ndim == 1 and value.size > 2 and np.array_equal(value, np.arange(value.size)):
        return f"np.arange({value.size})"
    usual = value.dtype in (np.float64, np.int64, np.bool_, np.complex128)
    return f"np.array({value.tolist()}{'' if usual else f', np.{value.dtype.name}'})"
