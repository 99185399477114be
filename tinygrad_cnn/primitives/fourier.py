"""Fourier transforms along one axis, and along several, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import Primitive, implementations, primitive, to_values
from tinygrad_cnn.primitives.arguments import axis_of, refuse_out
from tinygrad_cnn.primitives.shaping import laid_out, thumbnail

# The matrix of a transform is symmetric, so each is its own transpose.


@primitive(complex=True, pure=True)
def fft(x: Array, /, axis: int, norm: Any) -> Array:
    """As `np.fft.fft`."""
    return np.fft.fft(x, axis=axis, norm=norm)


@primitive(complex=True, pure=True)
def ifft(x: Array, /, axis: int, norm: Any) -> Array:
    """As `np.fft.ifft`."""
    return np.fft.ifft(x, axis=axis, norm=norm)


fft.defvjp(lambda g, out, x, axis, norm: np.fft.fft(g, axis=axis, norm=norm))
ifft.defvjp(lambda g, out, x, axis, norm: np.fft.ifft(g, axis=axis, norm=norm))


@primitive(complex=True, pure=True)
def rfft(x: Array, /, axis: int, norm: Any) -> Array:
    """As `np.fft.rfft`: the first half of `fft`, of which the second is the mirror image."""
    return np.fft.rfft(x, axis=axis, norm=norm)


rfft.defvjp(lambda g, out, x, axis, norm: np.fft.fft(_sized(g, x.shape[axis], axis), axis=axis, norm=norm))


@primitive(complex=True, pure=True)
def irfft(x: Array, /, n: int, axis: int, norm: Any) -> Array:
    """As `np.fft.irfft`."""
    return np.fft.irfft(x, n, axis, norm)


@irfft.defvjp
def _irfft_x(g: Array, out: Array, x: Array, n: int, axis: int, norm: Any) -> Array:
    """Each element but the first, and the last if n is even, stands for its mirror image too, and so counts twice."""
    twice = np.full(x.shape[axis], 2.0)
    twice[0] = 1
    if n % 2 == 0:
        twice[-1] = 1
    shape = [1] * x.ndim
    shape[axis] = -1
    other = {"backward": "forward", "forward": "backward"}.get(norm or "backward", norm)
    return np.conj(np.fft.rfft(g, axis=axis, norm=other)) * twice.reshape(shape)


def _sized(x: Any, n: int | None, axis: int) -> Any:
    """`x` cropped to n elements along `axis`, or filled up with zeros."""
    axis = axis_of(axis, x.ndim)
    have = x.shape[axis]
    if n is None or n == have:
        return x
    if n < 1:
        raise ValueError(f"Invalid number of FFT data points ({n}) specified.")
    before = (slice(None),) * axis
    if n < have:
        return x[(*before, slice(n))]
    shape = [*x.shape[:axis], n - have, *x.shape[axis + 1 :]]
    return np.concatenate([x, np.zeros_like(to_values(x), shape=shape)], axis)


def _thumbnail_size(a: Any, n: int, axis: int) -> int:
    """How many elements a thumbnail of `a` has to be filled up to, if `a` is to n: NumPy fills up a copy."""
    have: int = a.shape[axis]
    return min(have, 2) + (n > have)


def _along_one(function: Callable[..., Any], transform: Primitive[..., Array]) -> Callable[..., Any]:
    def along(a: Any, n: int | None = None, axis: int = -1, norm: Any = None, out: None = None) -> Any:
        refuse_out(f"fft.{transform.__name__}", out)
        found = transform(_sized(a, n, axis), axis=axis, norm=norm)
        if n is None or not np.size(a):
            return found
        # An array that is cropped or filled up first may lie in memory otherwise than the one that NumPy goes by.
        return laid_out(found, function(thumbnail(a), _thumbnail_size(a, n, axis), axis))

    return along


for _function, _transform in ((np.fft.fft, fft), (np.fft.ifft, ifft), (np.fft.rfft, rfft)):
    implementations[_function] = _along_one(_function, _transform)


def _irfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None, out: None = None) -> Any:
    refuse_out("fft.irfft", out)
    n = 2 * (a.shape[axis_of(axis, a.ndim)] - 1) if n is None else n
    if n < 1:
        raise ValueError(f"Invalid number of FFT data points ({n}) specified.")
    found = irfft(_sized(a, n // 2 + 1, axis), n=n, axis=axis, norm=norm)
    if not np.size(a):
        return found
    return laid_out(found, np.fft.irfft(thumbnail(a), 2 * _thumbnail_size(a, n // 2 + 1, axis) - 2 or 1, axis))


implementations[np.fft.irfft] = _irfft

# Those of arrays that are their own mirror image: the roles of the two directions are exchanged.

_OTHER: dict[Any, Any] = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


def _hfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None, out: None = None) -> Any:
    return np.fft.irfft(np.conj(a), n, axis, _OTHER[norm], out)


def _ihfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None, out: None = None) -> Any:
    return np.conj(np.fft.rfft(a, n, axis, _OTHER[norm], out))


implementations[np.fft.hfft], implementations[np.fft.ihfft] = _hfft, _ihfft


def _along_many(name: str, each: Any, last: Any, default: Any) -> Callable[..., Any]:
    """A transform along several axes: `last` along the last of them, `each` along the others."""

    def along(a: Any, s: Any = None, axes: Any = default, norm: Any = None, out: None = None) -> Any:
        refuse_out(f"fft.{name}", out)
        if axes is None:
            axes = range(-len(s), 0) if s is not None else range(-a.ndim, 0)
        lengths = [None] * len(axes) if s is None else [None if n == -1 else n for n in s]
        if len(lengths) != len(axes):
            raise ValueError("Shape and axes have different lengths.")
        if not len(axes):
            return a
        steps = [(each, n, axis) for n, axis in zip(lengths[:-1], axes[:-1], strict=True)]
        final = (last, lengths[-1], axes[-1])
        for transform, n, axis in [*steps, final] if last is np.fft.irfft else [final, *reversed(steps)]:
            a = transform(a, n, axis, norm)
        return a

    return along


for _name, _each, _last in (
    ("fft", np.fft.fft, np.fft.fft), ("ifft", np.fft.ifft, np.fft.ifft),
    ("rfft", np.fft.fft, np.fft.rfft), ("irfft", np.fft.ifft, np.fft.irfft),
):  # fmt: skip
    implementations[getattr(np.fft, f"{_name}n")] = _along_many(f"{_name}n", _each, _last, None)
    implementations[getattr(np.fft, f"{_name}2")] = _along_many(f"{_name}2", _each, _last, (-2, -1))


def _shifted(by: Callable[[int], int]) -> Callable[..., Any]:
    def shift(x: Any, axes: Any = None) -> Any:
        axes = tuple(range(x.ndim)) if axes is None else axes if isinstance(axes, tuple | list) else (axes,)
        return np.roll(x, [by(x.shape[i]) for i in axes], tuple(axes))

    return shift


implementations[np.fft.fftshift] = _shifted(lambda n: n // 2)
implementations[np.fft.ifftshift] = _shifted(lambda n: -(n // 2))
