"""Complex numbers on the way from real Tensors to a real result, as a Fourier transform makes them.

A Tensor that a person makes is real, and so is what is differentiated. Between them, the cotangent of z = u + iv is
dL/du - i dL/dv. With that convention the rule of a function that is complex-differentiable is that for real numbers,
without a conjugate, and a linear map has its transpose. Where an operand is real, the sweep takes the real part.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import elementwise, implements, primitive
from tinygrad_cnn.primitives.shaping import in_order, order_of


@primitive(moves=True, pure=True)
def real(x: Array, /) -> Array:
    """The real part of complex numbers."""
    return np.real(x)


real.defvjp(lambda g, out, x: g)


@implements(np.real)
def real_of_numpy(val: Array) -> Array:
    """As `np.real`: of what is real it is that itself."""
    return real(val) if val.dtype.kind == "c" else val


@primitive(moves=True, pure=True)
def imag(x: Array, /) -> Array:
    """The imaginary part."""
    return np.imag(x)


imag.defvjp(lambda g, out, x: g * -1j if x.dtype.kind == "c" else np.zeros_like(g))


@implements(np.imag)
def imag_of_numpy(val: Array) -> Array:
    """As `np.imag`: of what is real it is zeros."""
    found = imag(val)
    if val.dtype.kind == "c":
        return found
    return found if isinstance(val.node.like, np.generic) else in_order(found, order_of(val))


elementwise(np.conjugate, lambda g, out, x: np.conj(g), complex=True)


@implements(np.angle)
def angle(z: Any, deg: bool = False) -> Any:
    """As `np.angle`."""
    turned = np.arctan2(np.imag(z) if np.iscomplexobj(z) else 0, np.real(z))
    return turned * (180 / np.pi) if deg else turned


@implements(np.real_if_close)
def real_if_close(a: Any, tol: float = 100) -> Any:
    """As `np.real_if_close`: which it is, the values decide. Of a number it makes an array without axes."""
    a = a if isinstance(a.node.like, np.ndarray) else np.copy(a)
    return a if np.iscomplexobj(np.real_if_close(a.node.value, tol)) else np.real(a)


def conjugated(x: Any) -> Any:
    """`x`, or its conjugate if it is complex."""
    return np.conj(x) if np.iscomplexobj(x) else x


def squared_size(x: Any) -> Any:
    """|x| squared, which is real."""
    return np.real(x * np.conj(x)) if np.iscomplexobj(x) else np.square(x)
