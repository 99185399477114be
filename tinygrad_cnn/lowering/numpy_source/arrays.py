"""Constant arrays in a printed program."""

from __future__ import annotations

from typing import Any

import numpy as np

LARGE = 100


def literal(value: Any, np_name: str = "np") -> str:
    """An expression for a constant array, to the last bit: its elements, or its bytes where there are many.

    np_name: the name of the module that has the functions
    """
    if value.ndim == 2 and len(value) > 2 and value.dtype.kind in "iuf":
        for name in ("eye", "tri"):
            m, n = value.shape
            usual = value.dtype == np.float64 and (name == "eye" or np_name == "np")  # JAX's tri is float32
            same_type = "" if usual else f", dtype={np_name}.{value.dtype.name}"
            if _same_bits(value, getattr(np, name)(m, n, dtype=value.dtype)):
                return f"{np_name}.{name}({m}{'' if m == n else f', {n}'}{same_type})"
    if value.dtype.kind not in "biufc" or value.size > LARGE or not np.isfinite(value).all():
        data = np.ascontiguousarray(value).tobytes().hex()
        return f"{np_name}.frombuffer(bytes.fromhex({data!r}), {value.dtype.str!r}).reshape({value.shape})"
    if not value.size:
        return f"{np_name}.zeros({value.shape}, {np_name}.{value.dtype.name})"
    if value.dtype == np.int64 and value.ndim == 1 and value.size > 2 and np.array_equal(value, np.arange(value.size)):
        return f"{np_name}.arange({value.size})"
    usual = value.dtype in (np.float64, np.int64, np.bool_, np.complex128)
    return f"{np_name}.array({value.tolist()}{'' if usual else f', {np_name}.{value.dtype.name}'})"


def _same_bits(a: Any, b: Any) -> bool:
    return bool(np.ascontiguousarray(a).tobytes() == b.tobytes())
