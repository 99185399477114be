"""Constant arrays in a printed program."""

from __future__ import annotations

from typing import Any

import numpy as np

LARGE = 100


def literal(value: Any) -> str:
    """An expression for a constant array, to the last bit: its elements, or its bytes where there are many."""
    if value.ndim == 2 and len(value) > 2 and value.dtype.kind in "iuf":
        same_type = "" if value.dtype == np.float64 else f", dtype=np.{value.dtype.name}"
        for name, (m, n) in (("eye", value.shape), ("tri", value.shape)):
            if _same_bits(value, getattr(np, name)(m, n, dtype=value.dtype)):
                return f"np.{name}({m}{'' if m == n else f', {n}'}{same_type})"
    if value.dtype.kind not in "biufc" or value.size > LARGE or not np.isfinite(value).all():
        data = np.ascontiguousarray(value).tobytes().hex()
        return f"np.frombuffer(bytes.fromhex({data!r}), {value.dtype.str!r}).reshape({value.shape})"
    if not value.size:
        return f"np.zeros({value.shape}, np.{value.dtype.name})"
    if value.dtype == np.int64 and value.ndim == 1 and value.size > 2 and np.array_equal(value, np.arange(value.size)):
        return f"np.arange({value.size})"
    usual = value.dtype in (np.float64, np.int64, np.bool_, np.complex128)
    return f"np.array({value.tolist()}{'' if usual else f', np.{value.dtype.name}'})"


def _same_bits(a: Any, b: Any) -> bool:
    return bool(np.ascontiguousarray(a).tobytes() == b.tobytes())
