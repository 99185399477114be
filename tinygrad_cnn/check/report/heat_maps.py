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
LONGEST = 140  # CSS pixels of the longer side of a picture
MOST_PIXELS = 512  # along a side
EVEN = 0.179  # the luminance on which black and white have the same contrast
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


def side_by_side(*arrays: Array, only: tuple[int, ...] | None = None, longest: int = LONGEST) -> list[Side]:
    """Arrays of one shape as heat maps, all but the last on one scale; masked elements were not measured.

    Of a stack, the slices with most in the last; of those that are alike in that, with most in the first. only: of a
    stack, this slice alone. longest: the longer side of a picture, in CSS pixels.
    """
    if only is None:
        ranked = np.lexsort((-_most(arrays[0]), -_most(arrays[-1])))[:MOST_SLICES]
        chosen = sorted(int(k) for k in ranked)
    else:
        chosen = [int(np.ravel_multi_index(only, arrays[0].shape[:-2]))] if only else [0]
    size = largest_of(*arrays[:-1])
    return [_side(floats(x), chosen, size if x is not arrays[-1] else None, longest) for x in arrays]


def floats(x: Array) -> Array:
    """The elements as floats; of complex ones, their absolute values."""
    return np.abs(x) if np.iscomplexobj(x) else x.astype(float)


def largest_of(*arrays: Array) -> float:
    """The largest absolute value that is finite."""
    return float(max((np.abs(_finite(x)).max(initial=0) for x in arrays), default=0.0))


def colours_of(x: float, size: float) -> tuple[str, str]:
    """The colour of a number in a heat map whose full colours are for +-`size`, and what to write on it with."""
    red, green, blue = pixel = _pixels(np.full((1, 1), x), size or 1.0)[0, 0, :3]
    luminance = float((pixel / 255) ** 2.2 @ [0.2126, 0.7152, 0.0722])
    return f"#{red:02x}{green:02x}{blue:02x}", "#fff" if luminance < EVEN else "#000"


def _most(x: Array) -> Array:
    """The largest absolute value that is finite, of each image of a stack."""
    images = np.nan_to_num(_as_images(np.ma.filled(floats(x), np.nan)), posinf=0, neginf=0)
    return np.asarray(np.abs(images).max(axis=(1, 2), initial=0))


def _side(x: Array, chosen: list[int], size: float | None, longest: int) -> Side:
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
            _heat_map(images[k], size, longest, tuple(int(i) for i in np.unravel_index(k, leading)) if leading else ())
            for k in chosen
        ],
        caption,
    )


def _finite(x: Array) -> Array:
    x = np.ma.filled(floats(x), np.nan)
    return x[np.isfinite(x)]


def _as_images(x: Array) -> Array:
    """(n, height, width): the last two axes are an image; a vector is one row."""
    x = x if x.ndim > 1 else x.reshape(1, -1)
    return x.reshape(math.prod(x.shape[:-2]), *x.shape[-2:])


def _heat_map(image: Array, size: float, longest: int, index: tuple[int, ...]) -> HeatMap:
    image, unmeasured = image[:MOST_PIXELS, :MOST_PIXELS], np.ma.getmaskarray(image)[:MOST_PIXELS, :MOST_PIXELS]
    pixels = _pixels(np.ma.filled(image, np.nan), size)
    pixels[unmeasured] = NOT_MEASURED
    pixel = max(1, min(longest * 12 // LONGEST, longest // max(image.shape)))
    url = "data:image/png;base64," + base64.b64encode(encoded(pixels)).decode()
    rows, columns = sentences.count(image.shape[0], "row"), sentences.count(image.shape[1], "column")
    at = f"[{', '.join(map(str, index))}]: " if index else ""
    return HeatMap(url, image.shape[1] * pixel, max(image.shape[0] * pixel, 10), index, f"{at}{rows}, {columns}")


def _pixels(image: Array, size: float) -> Array:
    """In colours that diverge from white at 0 to the full ones at +-`size`; what is not finite stands out."""
    with np.errstate(over="ignore"):
        pixels = diverging(np.nan_to_num(image, nan=0, posinf=0, neginf=0) / size / 2 + 0.5)
    pixels[~np.isfinite(image)] = NOT_FINITE
    return pixels
