"""The convolution of arrays of the same number of axes, whose forward function is SciPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import signal

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import primitive


@primitive(bilinear=True, pure=True, name="convolve")
def convolution(a: Array, v: Array, /, mode: str, method: str) -> Array:
    """As `scipy.signal.convolve` in the modes "full" and "valid"; in the latter `v` is the smaller along every axis."""
    return signal.convolve(a, v, mode, method)


def _convolution_a(g: Array, out: Array, a: Array, v: Array, mode: str, method: str) -> Array:
    return convolution(g, np.flip(v), mode="valid" if mode == "full" else "full", method=method)


def _convolution_v(g: Array, out: Array, a: Array, v: Array, mode: str, method: str) -> Array:
    if mode == "full":
        return convolution(g, np.flip(a), mode="valid", method=method)
    return np.flip(convolution(a, np.flip(g), mode="valid", method=method))


convolution.defvjp(_convolution_a, _convolution_v)
convolution.defflops(lambda out, a, v, mode, method: 2 * min(a.size, out.size) * v.size)


def center(x: Any, shape: tuple[int, ...]) -> Any:
    """The middle of `x`, of that shape."""
    starts = [(n - m) // 2 for n, m in zip(x.shape, shape, strict=True)]
    return x[tuple([slice(start, start + m) for start, m in zip(starts, shape, strict=True)])]
