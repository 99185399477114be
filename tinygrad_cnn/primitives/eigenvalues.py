"""Eigenvalues and eigenvectors of matrices that need not be symmetric, which are complex in general."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import implements, primitive, to_values
from tinygrad_cnn.primitives.decompositions import doubt_vectors, square_matrices


def _t(x: Array) -> Array:
    return x.swapaxes(-1, -2)


@primitive(complex=True, pure=True)
def _eig(a: Array, /) -> Array:
    """Eigenvalues as the first row, and beneath them the eigenvectors; complex."""
    w, v = np.linalg.eig(a)
    packed = np.concatenate([w[..., None, :], v], -2)
    return packed.astype(np.result_type(packed.dtype, np.complex64))


@_eig.defvjp
def _eig_a(g: Array, out: Array, a: Array) -> Array:
    """Giles, 2008. A vector is a multiple of any that it is: here its own multiple does not change.

    Equal eigenvalues: right for what depends on the space of their vectors, and not on the choice of these.
    """
    w, v = out[..., 0, :], out[..., 1:, :]
    gaps = w[..., None, :] - w[..., :, None]
    distinct = np.not_equal(gaps, 0)
    inner = np.where(distinct, _t(v) @ g[..., 1:, :] / np.where(distinct, gaps, 1), 0)
    inner = inner + g[..., 0, None, :] * np.eye(a.shape[-1])
    return np.linalg.solve(_t(v), inner @ _t(v))


_eig.defdoubt(lambda g, out, a: doubt_vectors("np.linalg.eig", out[..., 0, :], g[..., 1:, :]))


def _has_real_values(a: Any, packed: Any) -> bool:
    """Whether NumPy gives real arrays: for a real matrix none of whose eigenvalues has an imaginary part."""
    return a.dtype.kind != "c" and not np.any(np.imag(to_values(packed[..., 0, :])))


@implements(np.linalg.eig)
def eig(a: Any) -> Any:
    """As `np.linalg.eig`: the vectors have length 1, and the largest element of a complex one is real.

    The gradient is not to be trusted through the vectors where two eigenvalues are nearly equal: see `eigh`.
    """
    square_matrices("eig", a)
    packed = _eig(a)
    w, v = np.copy(packed[..., 0, :]), packed[..., 1:, :]
    v = v / np.sqrt(np.sum(np.real(v) ** 2 + np.imag(v) ** 2, axis=-2, keepdims=True))
    if _has_real_values(a, packed):
        w, v = np.real(w), np.real(v)
    else:
        values = to_values(v)
        largest = np.take_along_axis(v, np.argmax(np.abs(values), axis=-2)[..., None, :], -2)
        phase = np.conj(largest) / np.abs(largest)
        v = v * (phase / to_values(phase))  # which is 1, and keeps what is real so
    return type(np.linalg.eig(np.eye(1)))(w, v)


@implements(np.linalg.eigvals)
def eigvals(a: Any) -> Any:
    """As `np.linalg.eigvals`."""
    square_matrices("eigvals", a)
    packed = _eig(a)
    w = np.copy(packed[..., 0, :])
    return np.real(w) if _has_real_values(a, packed) else w
