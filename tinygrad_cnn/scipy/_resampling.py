"""Arrays between their elements: by B-splines of degree 0 to 3, with respect to the array and to the coordinates."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from scipy import ndimage

from tinygrad_cnn.engine.primitive import to_values

MODES = ("reflect", "grid-mirror", "constant", "grid-constant", "nearest", "mirror", "grid-wrap", "wrap")


def resampled(name: str, x: Any, coordinates: Any, order: int, mode: str, cval: float, prefilter: bool) -> Any:
    """The values of x at the coordinates, of which there is one array for each axis of x."""
    if order not in (0, 1, 2, 3):
        raise NotImplementedError(
            f"scipy.ndimage.{name}: order={order!r} is not supported for Tensors; expected 0, 1, 2 or 3"
        )
    if mode not in MODES:
        raise RuntimeError("boundary mode not supported")
    mode = "reflect" if mode == "grid-mirror" else mode
    padding = 0
    dtype = x.dtype
    if prefilter and order > 1:
        x, padding = _spline_coefficients(x, order, mode, cval)
    neighbours: list[list[tuple[Any, Any, Any]]] = []  # for each axis: place, weight, whether it lies in the array
    outside: Any = False
    for c, n in zip(coordinates, x.shape, strict=True):
        c = c + padding
        at = to_values(c)
        if mode == "constant":
            beyond = (at < 0) | (at > n - 1)
            outside, c = outside | beyond, np.where(beyond, 0, c)
        elif mode != "grid-constant":
            c = _into(c, n, mode)
        neighbours.append(_taps(c, n, order, mode))
    total: Any = 0.0
    for corner in itertools.product(*neighbours):
        term = x[tuple([place for place, _, _ in corner])]
        if mode == "grid-constant":
            term = np.where(np.all([inside for _, _, inside in corner], 0), term, cval)
        for _, weight, _ in corner:
            term = term if weight is None else term * weight
        total = total + term
    if mode == "constant":
        total = np.where(outside, cval, total)
    return total if total.dtype == dtype else total.astype(dtype)


def _into(c: Any, n: int, mode: str) -> Any:
    """The coordinate in the array that stands for `c`: it differs by a constant, or its sign too."""
    at = to_values(c)
    if n == 1:
        return np.zeros_like(at)
    if mode == "nearest":
        return np.where(at < 0, 0, np.where(at > n - 1, n - 1, c))
    if mode in ("wrap", "grid-wrap"):
        period = n - 1 if mode == "wrap" else n
        turns = np.floor(at / period)
        inside = (at >= 0) & (at <= n - 1) if mode == "wrap" else turns == 0
        return c - np.where(inside, 0, turns * period)
    if mode == "mirror":
        period = 2 * (n - 1)
        rest = c - np.floor(at / period) * period
        return np.where(to_values(rest) > n - 1, period - rest, rest)
    period = 2 * n  # reflect
    rest = c - np.floor((at + 0.5) / period) * period
    return np.where(to_values(rest) > n - 0.5, period - 1 - rest, rest)


def _taps(c: Any, n: int, order: int, mode: str) -> list[tuple[Any, Any, Any]]:
    """The elements along an axis that have a share in the value at c."""
    at = to_values(c)
    middle = np.floor(at if order % 2 else at + 0.5).astype(int)
    start, f = middle - order // 2, c - middle
    weights: list[Any]
    if order == 0:
        weights = [None]
    elif order == 1:
        weights = [1 - f, f]
    elif order == 2:
        weights = [(0.5 - f) ** 2 / 2, 0.75 - f * f, (0.5 + f) ** 2 / 2]
    else:
        r = 1 - f
        weights = [r**3 / 6, 2 / 3 - f * f * (1 - f / 2), 2 / 3 - r * r * (1 - r / 2), f**3 / 6]
    found = []
    for k, weight in enumerate(weights):
        place = start + k
        inside = (place >= 0) & (place < n)
        if mode == "grid-constant":
            place = np.where(inside, place, 0)
        else:  # "constant" and "wrap" have splines that are mirrored at the ends
            place = _into(place, n, "mirror" if mode in ("constant", "wrap") else mode).astype(int)
        found.append((place, weight, inside))
    return found


def _spline_coefficients(x: Any, order: int, mode: str, cval: float) -> tuple[Any, int]:
    """The coefficients of the spline through the elements of x, and by how many elements x was padded, as in SciPy."""
    padding = 12 if mode in ("nearest", "grid-constant") else 0
    if padding:
        values: Any = {"constant_values": cval} if mode == "grid-constant" else {}
        x = np.pad(x, padding, "edge" if mode == "nearest" else "constant", **values)
    x = x.astype(np.float64)
    for axis, n in enumerate(x.shape):
        if n > 1:
            matrix = ndimage.spline_filter1d(np.eye(n), order, 0, mode=mode)
            x = np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)
    return x, padding
