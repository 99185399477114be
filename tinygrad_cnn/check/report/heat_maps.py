"""Arrays as small pictures, in colours that show sign and size: blue below 0, white at 0, red above."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.pictures.view.pixels import diverging, encoded

MOST_SLICES = 4  # of a stack of images
MOST_PIXELS = 512  # along a side
NOT_FINITE = (0xE8, 0xA3, 0x00, 255)
NOT_MEASURED = (0x80, 0x80, 0x80, 60)


@dataclass(frozen=True)
class HeatMap:
    """One picture: PNG as a data URL, how large to show it (in CSS pixels), and which slice of the array it is.

    axes: its rows and columns in words, with the slice: "[0, 2]: 3 rows, 4 columns".
    """

    url: str
    width: int
    height: int
    index: tuple[int, ...]
    axes: str


@dataclass(frozen=True)
class Side:
    """An array as heat maps, with its range as a caption; `number` instead, if it has one element."""

    maps: list[HeatMap]
    caption: str
    number: str | None = None


def side_by_side(*arrays: Array) -> list[Side]:
    """Arrays of one shape as heat maps, all but the last on one scale; masked elements were not measured.

    Of a stack, the slices with most in the last; of those that are alike in that, with most in the first.
    """
    ranked = np.lexsort((-_most(arrays[0]), -_most(arrays[-1])))[:MOST_SLICES]
    chosen = sorted(int(k) for k in ranked)
    size = max((np.abs(_finite(x)).max(initial=0) for x in arrays[:-1]), default=0.0)
    return [_side(x.astype(float), chosen, size if x is not arrays[-1] else None) for x in arrays]


def _most(x: Array) -> Array:
    """The largest absolute value that is finite, of each image of a stack."""
    images = np.nan_to_num(_as_images(np.ma.filled(x.astype(float), np.nan)), posinf=0, neginf=0)
    return np.asarray(np.abs(images).max(axis=(1, 2), initial=0))


def _side(x: Array, chosen: list[int], size: float | None) -> Side:
    finite = _finite(x)
    if x.size == 1:
        return Side([], "", f"{float(x.reshape(())):.6g}")
    if not x.size:
        return Side([], "no elements")
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (np.nan, np.nan)
    caption = f"{low:.3g} to {high:.3g}"
    unmeasured = int(np.ma.getmaskarray(x).sum())
    broken = x.size - finite.size - unmeasured
    caption += f", {broken} not finite" * bool(broken) + f", {unmeasured} not measured" * bool(unmeasured)
    size = size or max(abs(low), abs(high)) or 1.0
    images, leading = _as_images(x), x.shape[:-2]
    return Side(
        [
            _heat_map(images[k], size, tuple(int(i) for i in np.unravel_index(k, leading)) if leading else ())
            for k in chosen
        ],
        caption,
    )


def _finite(x: Array) -> Array:
    x = np.ma.filled(x.astype(float), np.nan)
    return x[np.isfinite(x)]


def _as_images(x: Array) -> Array:
    """(n, height, width): the last two axes are an image; a vector is one row."""
    x = x if x.ndim > 1 else x.reshape(1, -1)
    return x.reshape(math.prod(x.shape[:-2]), *x.shape[-2:])


def _heat_map(image: Array, size: float, index: tuple[int, ...]) -> HeatMap:
    image, unmeasured = image[:MOST_PIXELS, :MOST_PIXELS], np.ma.getmaskarray(image)[:MOST_PIXELS, :MOST_PIXELS]
    image = np.ma.filled(image, np.nan)
    with np.errstate(over="ignore"):
        pixels = diverging(np.nan_to_num(image, nan=0, posinf=0, neginf=0) / size / 2 + 0.5)
    pixels[~np.isfinite(image)] = NOT_FINITE  # it stands out
    pixels[unmeasured] = NOT_MEASURED
    pixel = max(1, min(12, 140 // max(image.shape)))
    url = "data:image/png;base64," + base64.b64encode(encoded(pixels)).decode()
    rows, columns = sentences.count(image.shape[0], "row"), sentences.count(image.shape[1], "column")
    at = f"[{', '.join(map(str, index))}]: " if index else ""
    return HeatMap(url, image.shape[1] * pixel, max(image.shape[0] * pixel, 10), index, f"{at}{rows}, {columns}")
