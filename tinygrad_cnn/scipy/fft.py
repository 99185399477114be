"""scipy.fft: as np.fft, and the cosine and sine transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import operand, primitive
from tinygrad_cnn.extras import extra
from tinygrad_cnn.primitives.arguments import axes_of
from tinygrad_cnn.replacements import fallback, replaces

with extra("scipy", "tinygrad_cnn.scipy.fft"):
    from scipy import fft as scipys

__getattr__, __dir__ = fallback(scipys, globals())


def _declared(original: Any, function: Callable[..., Any]) -> Any:
    function.__name__ = function.__qualname__ = original.__name__
    function.__doc__ = f"As `scipy.fft.{original.__name__}`."
    return replaces(original, f"scipy.fft.{original.__name__}")(function)


# Fourier transforms are NumPy's.


def _along_one(original: Any) -> Any:
    of_numpy = getattr(np.fft, original.__name__)

    def transform(x: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
        return of_numpy(operand(x), n, axis, norm)

    return _declared(original, transform)


def _along_two(original: Any) -> Any:
    of_numpy = getattr(np.fft, original.__name__)

    def transform(x: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
        return of_numpy(operand(x), s, axes, norm)

    return _declared(original, transform)


def _along_many(original: Any) -> Any:
    of_numpy = getattr(np.fft, original.__name__)

    def transform(x: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
        return of_numpy(operand(x), s, axes, norm)

    return _declared(original, transform)


fft, ifft, rfft, irfft = map(_along_one, (scipys.fft, scipys.ifft, scipys.rfft, scipys.irfft))
hfft, ihfft = map(_along_one, (scipys.hfft, scipys.ihfft))
fft2, ifft2, rfft2, irfft2 = map(_along_two, (scipys.fft2, scipys.ifft2, scipys.rfft2, scipys.irfft2))
fftn, ifftn, rfftn, irfftn = map(_along_many, (scipys.fftn, scipys.ifftn, scipys.rfftn, scipys.irfftn))
fftshift = _declared(scipys.fftshift, lambda x, axes=None: np.fft.fftshift(operand(x), axes))
ifftshift = _declared(scipys.ifftshift, lambda x, axes=None: np.fft.ifftshift(operand(x), axes))


# Cosine and sine transforms.

_OTHER_TYPE = {1: 1, 2: 3, 3: 2, 4: 4}  # that of the inverse


@primitive(pure=True)
def _orthogonal(x: Array, /, family: str, kind: int, axis: int) -> Array:
    """The transform with norm="ortho", whose matrix is orthogonal."""
    return getattr(scipys, family)(x, kind, axis=axis, norm="ortho")


_orthogonal.defvjp(
    lambda g, out, x, family, kind, axis: _orthogonal(g, family=family, kind=_OTHER_TYPE[kind], axis=axis)
)


@primitive(pure=True)
def _unscaled(x: Array, /, family: str, kind: int, axis: int) -> Array:
    """The transform with norm="backward"."""
    return getattr(scipys, family)(x, kind, axis=axis)


@_unscaled.defvjp
def _unscaled_x(g: Array, out: Array, x: Array, family: str, kind: int, axis: int) -> Array:
    """The transpose of a matrix is that of the inverse type, but for a factor of the elements at the ends.

    The matrix of the types 2 and 3 is a matrix of cosines or sines, and its transpose, of which the first column (of
    sines the last) counts half; that of type 1 has such columns at both ends, if it is of cosines.
    """
    inner = np.ones(x.shape[axis], x.dtype)
    if kind in (2, 3):
        inner[0 if family == "dct" else -1] = 2
    elif kind == 1 and family == "dct":
        inner[[0, -1]] = 2
    shape = [1] * x.ndim
    shape[axis] = -1
    inner = inner.reshape(shape)
    before, after = (inner if kind in (1, 2) else 1), (inner if kind in (1, 3) else 1)
    return _unscaled(g * before, family=family, kind=_OTHER_TYPE[kind], axis=axis) / after


def _transform(x: Any, family: str, type: int, n: Any, axis: int, norm: Any, inverse: bool) -> Any:
    x = operand(x)
    if type not in _OTHER_TYPE:
        raise ValueError(f"scipy.fft.{family}: type is {type!r}; expected 1, 2, 3 or 4")
    if norm not in (None, "backward", "ortho", "forward"):
        raise ValueError(f"Invalid norm value {norm!r}, should be None, 'ortho', 'backward' or 'forward'")
    if n is not None and n != x.shape[axis]:
        x = np.moveaxis(x, axis, -1)
        missing = n - x.shape[-1]
        x = x[..., :n] if missing < 0 else np.concatenate([x, np.zeros((*x.shape[:-1], missing), x.dtype)], -1)
        x = np.moveaxis(x, -1, axis)
    type = _OTHER_TYPE[type] if inverse else type
    if norm == "ortho":
        return _orthogonal(x, family=family, kind=type, axis=axis)
    found = _unscaled(x, family=family, kind=type, axis=axis)
    if (norm == "forward") == inverse:
        return found
    count = x.shape[axis] + (0 if type != 1 else -1 if family == "dct" else 1)
    return found / (2 * count)


def _cosine_or_sine(original: Any, family: str, inverse: bool) -> Any:
    def transform(x: Any, type: int = 2, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
        return _transform(x, family, type, n, axis, norm, inverse)

    return _declared(original, transform)


def _several(original: Any, family: str, inverse: bool) -> Any:
    def transform(x: Any, type: int = 2, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
        x = operand(x)
        if axes is None and s is not None:
            axes = tuple(range(-len(s), 0))
        along = axes_of(axes, x.ndim)
        for axis, n in zip(along, [None] * len(along) if s is None else s, strict=True):
            x = _transform(x, family, type, n, axis, norm, inverse)
        return x

    return _declared(original, transform)


dct, dst = _cosine_or_sine(scipys.dct, "dct", False), _cosine_or_sine(scipys.dst, "dst", False)
idct, idst = _cosine_or_sine(scipys.idct, "dct", True), _cosine_or_sine(scipys.idst, "dst", True)
dctn, dstn = _several(scipys.dctn, "dct", False), _several(scipys.dstn, "dst", False)
idctn, idstn = _several(scipys.idctn, "dct", True), _several(scipys.idstn, "dst", True)
