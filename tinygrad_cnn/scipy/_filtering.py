"""The recursive filter along the last axis: a[0] y[n] = sum of b[k] x[n - k] - sum of a[k] y[n - k] for k > 0."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import signal

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import primitive


@primitive(pure=True)
def lfilter(b: Array, a: Array, x: Array, /) -> Array:
    """As `scipy.signal.lfilter` from rest."""
    return signal.lfilter(b, a, x)


def _backwards(b: Any, a: Any, g: Any) -> Any:
    """The transpose of the filter: it runs from the end."""
    return lfilter(b, a, g[..., ::-1])[..., ::-1]


def _recursion(g: Array, a: Array) -> Array:
    """The cotangent of the right-hand side of the recursion."""
    return _backwards(np.ones(1, a.dtype), a, g)


def _by_delay(h: Array, x: Array, count: int) -> Array:
    """The sum of h[n] x[n - k], for k < count."""
    n = x.shape[-1]
    return np.stack([np.sum(h[..., min(k, n) :] * x[..., : max(n - k, 0)]) for k in range(count)])


lfilter.defvjp(
    lambda g, out, b, a, x: _by_delay(_recursion(g, a), x, len(b)),
    lambda g, out, b, a, x: -_by_delay(_recursion(g, a), out, len(a)),
    lambda g, out, b, a, x: _backwards(b, a, g),
)


def with_state(b: Any, a: Any, x: Any, zi: Any) -> tuple[Any, Any]:
    """The filtered x, and the state after it, from the state `zi` of max(len(a), len(b)) - 1 numbers."""
    size, n = max(len(a), len(b)) - 1, x.shape[-1]
    if zi.shape[-1] != size:
        raise ValueError(f"scipy.signal.lfilter: zi has {zi.shape[-1]} numbers along the axis; expected {size}")
    zi = np.broadcast_to(zi, (*x.shape[:-1], size))
    b, a = b / a[0], a / a[0]
    b, a = (np.concatenate([v, np.zeros(size + 1 - len(v), v.dtype)]) for v in (b, a))
    kick = np.concatenate([zi[..., :n], np.zeros((*x.shape[:-1], max(n - size, 0)), zi.dtype)], -1)
    y = lfilter(b, a, x) + lfilter(np.ones(1, b.dtype), a, kick)
    state = []
    for i in range(size):
        total = zi[..., i + n] if i + n < size else np.zeros(x.shape[:-1], x.dtype)
        for j in range(min(size - i, n)):
            total = total + b[i + 1 + j] * x[..., n - 1 - j] - a[i + 1 + j] * y[..., n - 1 - j]
        state.append(total)
    return y, np.stack(state, -1) if state else np.zeros((*x.shape[:-1], 0), x.dtype)


def steady_state(b: Any, a: Any) -> Any:
    """The state of the filter whose response to a step is steady, as `scipy.signal.lfilter_zi`."""
    size = max(len(a), len(b))
    b, a = b / a[0], a / a[0]
    b, a = (np.concatenate([v, np.zeros(size - len(v), v.dtype)]) for v in (b, a))
    if size == 1:
        return np.zeros(0)
    eye = np.eye(size, dtype=a.dtype)
    return np.linalg.solve(eye[1:, 1:] - eye[1:, :-1] + a[1:, None] * eye[:1, :-1], b[1:] - a[1:] * b[0])
