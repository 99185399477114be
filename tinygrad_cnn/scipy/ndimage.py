"""scipy.ndimage: filters, and arrays that are shifted, turned, scaled or read between their elements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Handle
from tinygrad_cnn.engine.primitive import operand, to_values
from tinygrad_cnn.extras import extra
from tinygrad_cnn.primitives.arguments import axes_of
from tinygrad_cnn.primitives.elementwise import root_of_squares
from tinygrad_cnn.replacements import fallback, holds_tensor, replaces

with extra("scipy", "tinygrad_cnn.scipy.ndimage"):
    from scipy import ndimage as scipys

    from tinygrad_cnn.scipy._convolution import convolution
    from tinygrad_cnn.scipy._resampling import resampled

__getattr__, __dir__ = fallback(scipys, globals())

_PADDING = {
    "reflect": "symmetric", "grid-mirror": "symmetric", "constant": "constant", "grid-constant": "constant",
    "nearest": "edge", "mirror": "reflect", "wrap": "wrap", "grid-wrap": "wrap",
}  # fmt: skip


def _image(name: str, x: Any) -> Any:
    x = operand(x)
    if isinstance(x, Handle):
        return x
    x = np.asarray(x)
    if x.dtype.kind != "f":
        raise TypeError(
            f"scipy.ndimage.{name}: input has dtype {x.dtype}, to which SciPy rounds the result; expected floats "
            "where a Tensor is given. Pass input.astype(float)"
        )
    return x


def _padded(x: Any, widths: Any, mode: str, cval: float) -> Any:
    if mode not in _PADDING:
        raise RuntimeError("boundary mode not supported")
    pad: Any = np.pad
    values = {"constant_values": cval} if _PADDING[mode] == "constant" else {}
    return pad(x, widths, _PADDING[mode], **values)


def _each(value: Any, count: int) -> list[Any]:
    """One value for each axis."""
    if isinstance(value, Handle) and value.node.like.ndim == 0:
        return [value] * count
    if isinstance(value, str) or not (isinstance(value, Sequence) or np.ndim(value)):
        return [value] * count
    if len(value) != count:
        raise RuntimeError("sequence argument must have length equal to input rank")
    return list(value)


# Filters.


def _correlated(name: str, x: Any, weights: Any, mode: str, cval: float, origin: Any, flipped: bool) -> Any:
    """The correlation of x with weights of as many axes, or their convolution."""
    x, weights = _image(name, x), operand(weights)
    weights = weights if isinstance(weights, Handle) else np.asarray(weights)
    if weights.ndim != x.ndim:
        raise RuntimeError("filter weights array has incorrect shape.")
    widths = []
    for size, shifted in zip(weights.shape, _each(origin, x.ndim), strict=True):
        if flipped:
            shifted = -shifted - (1 - size % 2)
        before = size // 2 + shifted
        if not 0 <= before < size:
            raise ValueError("invalid origin")
        widths.append((before, size - 1 - before))
    kernel = weights if flipped else np.flip(weights)
    kernel = kernel.astype(x.dtype) if kernel.dtype != x.dtype else kernel
    return convolution(_padded(x, widths, mode, cval), kernel, mode="valid", method="direct")


@replaces(scipys.correlate)
def correlate(input: Any, weights: Any, mode: str = "reflect", cval: float = 0.0, origin: Any = 0) -> Any:
    """As `scipy.ndimage.correlate`."""
    return _correlated("correlate", input, weights, mode, cval, origin, flipped=False)


@replaces(scipys.convolve)
def convolve(input: Any, weights: Any, mode: str = "reflect", cval: float = 0.0, origin: Any = 0) -> Any:
    """As `scipy.ndimage.convolve`."""
    return _correlated("convolve", input, weights, mode, cval, origin, flipped=True)


def _along(name: str, x: Any, weights: Any, axis: int, mode: str, cval: float, origin: int, flipped: bool) -> Any:
    x, weights = _image(name, x), operand(weights)
    shape, origins = [1] * x.ndim, [0] * x.ndim
    shape[axis], origins[axis] = -1, origin
    return _correlated(name, x, np.reshape(weights, shape), mode, cval, origins, flipped)


@replaces(scipys.correlate1d)
def correlate1d(
    input: Any, weights: Any, axis: int = -1, mode: str = "reflect", cval: float = 0.0, origin: int = 0
) -> Any:
    """As `scipy.ndimage.correlate1d`."""
    return _along("correlate1d", input, weights, axis, mode, cval, origin, flipped=False)


@replaces(scipys.convolve1d)
def convolve1d(
    input: Any, weights: Any, axis: int = -1, mode: str = "reflect", cval: float = 0.0, origin: int = 0
) -> Any:
    """As `scipy.ndimage.convolve1d`."""
    return _along("convolve1d", input, weights, axis, mode, cval, origin, flipped=True)


def _gaussian_weights(sigma: Any, order: int, radius: int) -> Any:
    """The derivative of that order of a Gaussian, whose elements sum to one."""
    x = np.arange(-radius, radius + 1)
    bell = np.exp(-0.5 / (sigma * sigma) * x**2)
    bell = bell / np.sum(bell)
    if order == 0:
        return bell
    powers = np.arange(order + 1)
    factor: Any = np.eye(order + 1)[0]  # of the bell, as a polynomial in x: its derivative is q' - x q / sigma²
    for _ in range(order):
        raised = np.concatenate([np.zeros(1), factor[:-1]])
        lowered = np.concatenate([factor[1:] * powers[1:], np.zeros(1)])
        factor = lowered - raised / (sigma * sigma)
    return (x[:, None] ** powers) @ factor * bell


def _blurred(
    name: str, x: Any, sigma: Any, axis: int, order: int, mode: str, cval: float, truncate: float, radius: Any
) -> Any:
    if order < 0:
        raise ValueError("order must be non-negative")
    reach = int(truncate * float(to_values(sigma)) + 0.5) if radius is None else radius
    weights = _gaussian_weights(sigma, order, reach)[::-1]
    return _along(name, x, weights, axis, mode, cval, 0, flipped=False)


@replaces(scipys.gaussian_filter1d)
def gaussian_filter1d(
    input: Any, sigma: Any, axis: int = -1, order: int = 0, mode: str = "reflect", cval: float = 0.0,
    truncate: float = 4.0, *, radius: Any = None,
) -> Any:  # fmt: skip
    """As `scipy.ndimage.gaussian_filter1d`, with respect to sigma too; the radius is taken as constant."""
    return _blurred("gaussian_filter1d", input, sigma, axis, order, mode, cval, truncate, radius)


@replaces(scipys.gaussian_filter)
def gaussian_filter(
    input: Any, sigma: Any, order: Any = 0, mode: Any = "reflect", cval: float = 0.0, truncate: float = 4.0,
    *, radius: Any = None, axes: Any = None,
) -> Any:  # fmt: skip
    """As `scipy.ndimage.gaussian_filter`, with respect to sigma too; the radius is taken as constant."""
    x = _image("gaussian_filter", input)
    along = axes_of(axes, x.ndim)
    settings = [_each(value, len(along)) for value in (sigma, order, mode, radius)]
    for axis, width, n, kind, reach in zip(along, *settings, strict=True):
        if to_values(width) > 1e-15:
            x = _blurred("gaussian_filter", x, width, axis, n, kind, cval, truncate, reach)
    return x


@replaces(scipys.uniform_filter1d)
def uniform_filter1d(
    input: Any, size: int, axis: int = -1, mode: str = "reflect", cval: float = 0.0, origin: int = 0
) -> Any:
    """As `scipy.ndimage.uniform_filter1d`."""
    if size < 1:
        raise RuntimeError("incorrect filter size")
    return _along("uniform_filter1d", input, np.full(size, 1 / size), axis, mode, cval, origin, flipped=False)


@replaces(scipys.uniform_filter)
def uniform_filter(input: Any, size: Any = 3, mode: Any = "reflect", cval: float = 0.0, origin: Any = 0) -> Any:
    """As `scipy.ndimage.uniform_filter`."""
    x = _image("uniform_filter", input)
    for axis, n, kind, shifted in zip(range(x.ndim), *(_each(v, x.ndim) for v in (size, mode, origin)), strict=True):
        x = _along("uniform_filter", x, np.full(n, 1 / n), axis, kind, cval, shifted, flipped=False)
    return x


def _smoothed_difference(name: str, x: Any, axis: int, mode: Any, cval: float, smoothing: list[float]) -> Any:
    x = _image(name, x)
    modes = _each(mode, x.ndim)
    (axis,) = axes_of(axis, x.ndim)
    found = _along(name, x, [-1.0, 0, 1], axis, modes[axis], cval, 0, flipped=False)
    for other in range(x.ndim):
        if other != axis:
            found = _along(name, found, smoothing, other, modes[other], cval, 0, flipped=False)
    return found


@replaces(scipys.sobel)
def sobel(input: Any, axis: int = -1, mode: Any = "reflect", cval: float = 0.0) -> Any:
    """As `scipy.ndimage.sobel`."""
    return _smoothed_difference("sobel", input, axis, mode, cval, [1.0, 2, 1])


@replaces(scipys.prewitt)
def prewitt(input: Any, axis: int = -1, mode: Any = "reflect", cval: float = 0.0) -> Any:
    """As `scipy.ndimage.prewitt`."""
    return _smoothed_difference("prewitt", input, axis, mode, cval, [1.0, 1, 1])


@replaces(scipys.laplace)
def laplace(input: Any, mode: Any = "reflect", cval: float = 0.0) -> Any:
    """As `scipy.ndimage.laplace`."""
    x = _image("laplace", input)
    modes = enumerate(_each(mode, x.ndim))
    return sum(_along("laplace", x, [1.0, -2, 1], axis, kind, cval, 0, flipped=False) for axis, kind in modes)


def _by_axis(input: Any, sigma: Any, order: int, mode: Any, cval: float) -> list[Any]:
    """The Gaussian derivatives of that order along each axis."""
    x = operand(input)
    orders = [[order if i == axis else 0 for i in range(x.ndim)] for axis in range(x.ndim)]
    return [gaussian_filter(x, sigma, each, mode=mode, cval=cval) for each in orders]


@replaces(scipys.gaussian_laplace)
def gaussian_laplace(input: Any, sigma: Any, mode: Any = "reflect", cval: float = 0.0) -> Any:
    """As `scipy.ndimage.gaussian_laplace`."""
    return sum(_by_axis(input, sigma, 2, mode, cval))


@replaces(scipys.gaussian_gradient_magnitude)
def gaussian_gradient_magnitude(input: Any, sigma: Any, mode: Any = "reflect", cval: float = 0.0) -> Any:
    """As `scipy.ndimage.gaussian_gradient_magnitude`: where it is 0 its slope is 0, as that of a norm."""
    return root_of_squares(sum(part * part for part in _by_axis(input, sigma, 1, mode, cval)))


def _extreme(name: str, x: Any, size: Any, mode: Any, cval: float, origin: Any, choose: Any, axes: Any) -> Any:
    x = _image(name, x)
    along = axes_of(axes, x.ndim)
    settings = [_each(value, len(along)) for value in (size, mode, origin)]
    for axis, n, kind, shifted in zip(along, *settings, strict=True):
        before = n // 2 + shifted
        if n < 1 or not 0 <= before < n:
            raise ValueError("invalid origin" if n > 0 else "incorrect filter size")
        widths = [(0, 0)] * x.ndim
        widths[axis] = (before, n - 1 - before)
        rows = np.moveaxis(_padded(x, widths, kind, cval), axis, 0)
        windows = np.stack([rows[k : k + x.shape[axis]] for k in range(n)])
        x = np.moveaxis(choose(windows, axis=0), 0, axis)
    return x


@replaces(scipys.maximum_filter)
def maximum_filter(input: Any, size: Any = None, mode: Any = "reflect", cval: float = 0.0, origin: Any = 0) -> Any:
    """As `scipy.ndimage.maximum_filter` of a size; equal elements share the cotangent."""
    return _extreme("maximum_filter", input, _given(size), mode, cval, origin, np.max, None)


@replaces(scipys.minimum_filter)
def minimum_filter(input: Any, size: Any = None, mode: Any = "reflect", cval: float = 0.0, origin: Any = 0) -> Any:
    """As `scipy.ndimage.minimum_filter` of a size; equal elements share the cotangent."""
    return _extreme("minimum_filter", input, _given(size), mode, cval, origin, np.min, None)


@replaces(scipys.maximum_filter1d)
def maximum_filter1d(
    input: Any, size: int, axis: int = -1, mode: str = "reflect", cval: float = 0.0, origin: int = 0
) -> Any:
    """As `scipy.ndimage.maximum_filter1d`."""
    return _extreme("maximum_filter1d", input, size, mode, cval, origin, np.max, axis)


@replaces(scipys.minimum_filter1d)
def minimum_filter1d(
    input: Any, size: int, axis: int = -1, mode: str = "reflect", cval: float = 0.0, origin: int = 0
) -> Any:
    """As `scipy.ndimage.minimum_filter1d`."""
    return _extreme("minimum_filter1d", input, size, mode, cval, origin, np.min, axis)


def _given(size: Any) -> Any:
    if size is None:
        raise RuntimeError("no footprint or filter size provided")
    return size


# Between the elements.


def _grid(shape: Sequence[int]) -> list[Any]:
    return [np.asarray(c, np.float64) for c in np.indices(shape, sparse=True)]


@replaces(scipys.map_coordinates)
def map_coordinates(
    input: Any, coordinates: Any, order: int = 3, mode: str = "constant", cval: float = 0.0, prefilter: bool = True
) -> Any:
    """As `scipy.ndimage.map_coordinates` of order 0 to 3, with respect to the coordinates too."""
    x, coordinates = _image("map_coordinates", input), operand(coordinates)
    coordinates = coordinates.astype(np.float64) if hasattr(coordinates, "astype") else np.asarray(coordinates)
    if coordinates.ndim < 1 or coordinates.shape[0] != x.ndim:
        raise RuntimeError("invalid shape for coordinate array")
    return resampled("map_coordinates", x, list(coordinates), order, mode, cval, prefilter)


@replaces(scipys.shift)
def shift(
    input: Any, shift: Any, order: int = 3, mode: str = "constant", cval: float = 0.0, prefilter: bool = True
) -> Any:
    """As `scipy.ndimage.shift` of order 0 to 3, with respect to the shift too."""
    x = _image("shift", input)
    coordinates = [c - by for c, by in zip(_grid(x.shape), _each(operand(shift), x.ndim), strict=True)]
    return resampled("shift", x, coordinates, order, mode, cval, prefilter)


@replaces(scipys.zoom)
def zoom(
    input: Any, zoom: Any, order: int = 3, mode: str = "constant", cval: float = 0.0, prefilter: bool = True
) -> Any:
    """As `scipy.ndimage.zoom` of order 0 to 3; the zoom, by which the shape is, is plain."""
    if holds_tensor((zoom,)):
        raise NotImplementedError(
            "scipy.ndimage.zoom: zoom is a Tensor; expected plain numbers, as the shape depends on it"
        )
    x = _image("zoom", input)
    shape = [round(n * by) for n, by in zip(x.shape, _each(zoom, x.ndim), strict=True)]
    coordinates = [
        c * ((n - 1) / (m - 1) if m > 1 else 1) for c, n, m in zip(_grid(shape), x.shape, shape, strict=True)
    ]
    return resampled("zoom", x, coordinates, order, mode, cval, prefilter)


def _transformed(
    name: str, x: Any, matrix: Any, offset: Any, shape: Any, order: int, mode: str, cval: float, prefilter: bool
) -> Any:
    grid = _grid(shape)
    if matrix.ndim == 1:
        coordinates = [matrix[i] * grid[i] + offset[i] for i in range(x.ndim)]
    else:
        coordinates = [sum(matrix[i, j] * grid[j] for j in range(x.ndim)) + offset[i] for i in range(x.ndim)]
    return resampled(name, x, coordinates, order, mode, cval, prefilter)


@replaces(scipys.affine_transform)
def affine_transform(
    input: Any, matrix: Any, offset: Any = 0.0, output_shape: Any = None, order: int = 3, mode: str = "constant",
    cval: float = 0.0, prefilter: bool = True,
) -> Any:  # fmt: skip
    """As `scipy.ndimage.affine_transform` of order 0 to 3, with respect to the matrix and the offset too."""
    x, matrix = _image("affine_transform", input), operand(matrix)
    n = x.ndim
    offset = _each(operand(offset), n)
    if matrix.ndim == 2 and matrix.shape[1] == n + 1:
        if matrix.shape[0] not in (n, n + 1):
            raise ValueError(f"scipy.ndimage.affine_transform: matrix has shape {matrix.shape}; expected {(n, n + 1)}")
        matrix, offset = matrix[:n, :n], [matrix[i, n] for i in range(n)]
    if matrix.ndim not in (1, 2) or any(size != n for size in matrix.shape):
        raise RuntimeError("affine matrix has wrong number of rows")
    shape = x.shape if output_shape is None else output_shape
    return _transformed("affine_transform", x, matrix, offset, shape, order, mode, cval, prefilter)


@replaces(scipys.rotate)
def rotate(
    input: Any, angle: Any, axes: Any = (1, 0), reshape: bool = True, order: int = 3, mode: str = "constant",
    cval: float = 0.0, prefilter: bool = True,
) -> Any:  # fmt: skip
    """As `scipy.ndimage.rotate` of order 0 to 3, with respect to the angle too; the shape is taken as constant."""
    x = _image("rotate", input)
    first, second = sorted(axes_of(tuple(axes), x.ndim))
    plain = scipys.rotate(np.zeros(x.shape), to_values(angle), axes, reshape, order=0)  # its shape, and SciPy's errors
    radians = operand(angle) * (math.pi / 180)
    cosine, sine = np.cos(radians), np.sin(radians)
    rows = {first: (cosine, sine), second: (-sine, cosine)}
    grid = _grid(plain.shape)
    middle_in, middle_out = ([(s.shape[i] - 1) / 2 for i in (first, second)] for s in (x, plain))
    coordinates = list(grid)
    for k, axis in enumerate((first, second)):
        a, b = rows[axis]
        coordinates[axis] = a * (grid[first] - middle_out[0]) + b * (grid[second] - middle_out[1]) + middle_in[k]
    return resampled("rotate", x, coordinates, order, mode, cval, prefilter)


@replaces(scipys.center_of_mass)
def center_of_mass(input: Any) -> Any:
    """As `scipy.ndimage.center_of_mass`, without labels."""
    x = operand(input)
    total = np.sum(x)
    return tuple([np.sum(x * c) / total for c in _grid(x.shape)])
