"""Arrays as small pictures: stacks of images as a contact sheet, matrices as heat maps, vectors as strips."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.view.outlines import outline
from tinygrad_cnn.pictures.view.pixels import decoded, diverging, encoded, grey, shrunk

# In points, as they are shown; a PNG has DENSITY pixels for each.
TILE = 28  # the longer side of an image in a contact sheet
TILES = 5  # of a contact sheet
WIDE, HIGH = 140, 28  # of a heat map, at most
STRIP = 9  # the height of a vector's
HALF = 19  # the height of each of two that stand one above the other, at most
DENSITY = 2
QUANTILE = 0.97  # of the absolute values that are not 0: what is larger has the full colour
TYPICAL = 4  # times their median, at most: so a typical element has a colour that is seen
GAP = 2

# Of a picture in which an element is followed: fewer images, which are larger.
FOLLOWED_TILE, FOLLOWED_TILES = 44, 3

BORDER = (0xA8, 0xB0, 0xBA, 255)
NAN, INF = (0xE6, 0x00, 0xC8), (0x00, 0xA0, 0x50)  # magenta and green, in red, green, blue


class Lit(NamedTuple):
    """Elements that are drawn with an outline, flat, in C order, and filled the more, the larger their weights are.

    kind  "pixel", what is followed; "before", what it was computed from; "after", what it influences
    """

    kind: str
    elements: Any
    weights: Any


class Tiles(NamedTuple):
    """What a thumbnail shows: matrices side by side, each in a box so wide and high, in points, and which they are.

    firsts  if they are of one array, the number of the first element of each
    lit     which elements of that array are drawn with an outline
    """

    matrices: tuple[Any, ...]
    width: int
    height: int
    which: str
    firsts: tuple[int, ...] = ()
    lit: Lit | None = None


class Area(NamedTuple):
    """A rectangle of pixels that shows `rows` by `columns` elements, evenly, from that of number `first` on."""

    x: int
    y: int
    width: int
    height: int
    first: int
    rows: int
    columns: int


class Thumbnail(NamedTuple):
    """A PNG file, how wide and high it is shown, in points, and what it shows; or its numbers, where `kept` is set.

    areas  where its elements are in it, if they are of one array
    """

    png: bytes
    width: int
    height: int
    caption: str
    tiles: Tiles | None = None
    areas: tuple[Area, ...] = ()


# Whether thumbnails are but their numbers: those of a film's frames, whose scale is known when all have been computed.
kept: ContextVar[bool] = ContextVar("kept", default=False)


def thumbnail(array: Any, lit: Lit | None = None) -> Thumbnail | None:
    """A picture of `array`, of real numbers and any number of axes; None for one without elements.

    Where nothing is negative, 0 is black and the largest element white; else colours diverge from white at 0, to blue
    below and red above. The full colour is for the 97th percentile of the absolute values that are not 0, or for
    `TYPICAL` times their median, if that is less, so that a few large elements do not hide the others. Where these two
    are far from each other, the elements are of many orders of magnitude: then colours are by a root of them, such that
    the median is seen. Where elements exceed the full colour, and where a root is taken, the caption says so.
    NaN is magenta, Inf green. Three axes or more are a stack of images, of which a few are shown, evenly spread; of
    long ones, such as the columns of im2col, the first alone. lit: elements with an outline; images with some of them
    are shown first.
    """
    x = np.asarray(array, np.float64)
    if not x.size:
        return None
    x = x.squeeze()
    if x.ndim < 2:
        return _of_tiles(Tiles((x.reshape(1, -1),), WIDE, STRIP, "", (0,), lit), x)
    images = x.reshape(-1, *x.shape[-2:])
    height, width = images.shape[-2:]
    if len(images) > 1 and max(height, width) <= 3 * min(height, width):
        side, most = (TILE, TILES) if lit is None else (FOLLOWED_TILE, FOLLOWED_TILES)
        size = (side, side)
    else:
        size, most = (WIDE, HIGH), 1
    chosen = _chosen(x.shape[:-2], most, lit)
    matrices, firsts = tuple([images[i] for i in chosen]), tuple([i * height * width for i in chosen])
    return _of_tiles(Tiles(matrices, *size, _count(len(chosen), len(images)), firsts, lit), x)


def _chosen(axes: tuple[int, ...], most: int, lit: Lit | None) -> list[int]:
    """The places of the images that are shown, at most so many: evenly spread, but those that have lit elements."""
    spread = _spread(axes, most) if most > 1 else [0]
    if lit is None:
        return spread
    wanted = np.flatnonzero(lit.elements.reshape(math.prod(axes), -1).any(axis=1)).tolist()
    if len(wanted) > most:
        return spread
    others = [i for i in spread if i not in wanted]
    return sorted([*wanted, *others[max(0, len(others) + len(wanted) - most) :]] if len(wanted) < most else wanted)


def _spread(axes: tuple[int, ...], most: int = TILES) -> list[int]:
    """The places, in a stack of these axes, of so many images, evenly spread along each axis.

    Of images with channels, those of the places alone might be all of one channel.
    """
    along = [np.linspace(0, n - 1, most).round().astype(int) for n in axes]
    places = np.unique(np.ravel_multi_index(along, axes))
    count = math.prod(axes)
    if len(places) < min(most, count):  # all axes are short
        places = np.unique(np.linspace(0, count - 1, most).round().astype(int))
    return places.tolist()  # type: ignore[no-any-return]


def side_by_side(arrays: Mapping[str, Any], whole: Any) -> Thumbnail:
    """Arrays beside each other, by what each is called, on the scale of the `whole`; of a stack, its first image."""
    width = WIDE // len(arrays) - GAP
    matrices = []
    for array in arrays.values():
        x = np.asarray(array, np.float64).squeeze()
        matrices.append(x[(0,) * (x.ndim - 2)] if x.ndim > 2 else x.reshape(1, -1) if x.ndim < 2 else x)
    height = STRIP if all(len(x) == 1 for x in matrices) else HIGH
    return _of_tiles(Tiles(tuple(matrices), width, height, ", ".join(arrays)), whole)


def on_one_scale(frames: Iterable[Tiles]) -> list[Thumbnail]:
    """Thumbnails of what is shown one after the other, on the scale of all of their numbers."""
    several = list(frames)
    scale = _scale(np.concatenate([matrix.reshape(-1) for tiles in several for matrix in tiles.matrices]))
    return [_drawn(tiles, scale) for tiles in several]


def _of_tiles(tiles: Tiles, whole: Any) -> Thumbnail:
    """The matrices on the scale of the `whole`; or their numbers alone, if these are kept."""
    if kept.get():
        copies = tuple([matrix.copy() for matrix in tiles.matrices])
        return Thumbnail(b"", 0, 0, tiles.which, tiles._replace(matrices=copies))
    return _drawn(tiles, _scale(whole))


def _drawn(tiles: Tiles, scale: _Scale) -> Thumbnail:
    """The matrices, coloured by a scale."""
    pixels = [_bordered(_fitted(_coloured(x, scale), tiles.width, tiles.height)) for x in tiles.matrices]
    if tiles.lit is not None:
        strengths = _strengths(tiles.lit)
        for first, matrix, framed in zip(tiles.firsts, tiles.matrices, pixels, strict=True):
            part, shape = slice(first, first + matrix.size), matrix.shape
            lit, fill = tiles.lit.elements[part].reshape(shape), strengths[part].reshape(shape)
            outline(framed, lit, fill, tiles.lit.kind)
    return _thumbnail(_row(pixels), _said(tiles.which, scale.caption))._replace(areas=_areas(tiles, pixels))


def _strengths(lit: Lit) -> Any:
    """How much of its colour each element is filled with, from its weight; that of a pixel itself stays as it is."""
    sizes = np.abs(np.nan_to_num(lit.weights, posinf=np.finfo(float).max, neginf=np.finfo(float).max))
    most = sizes.max(initial=0)
    if lit.kind == "pixel" or not most:
        return np.zeros(sizes.shape)
    return np.where(lit.elements & (sizes > 0), 0.15 + 0.6 * sizes / most, 0)


def _areas(tiles: Tiles, framed: list[Any]) -> tuple[Area, ...]:
    """Where the elements of matrices are that stand side by side, each in a frame."""
    found, left = [], 1
    for first, matrix, pixels in zip(tiles.firsts, tiles.matrices, framed, strict=False):
        height, width = pixels.shape[0] - 2, pixels.shape[1] - 2
        found.append(Area(left, 1, width, height, first, *matrix.shape))
        left += width + 2 + GAP * DENSITY
    return tuple(found)


def _row(tiles: list[Any]) -> Any:
    """Pixels side by side, with gaps between them."""
    height = max(len(tile) for tile in tiles)
    gap = np.zeros((height, GAP * DENSITY, 4), np.uint8)
    padded = [np.pad(tile, ((0, height - len(tile)), (0, 0), (0, 0))) for tile in tiles]
    return np.concatenate([part for tile in padded for part in (tile, gap)][:-1], axis=1)


def beside(left: Thumbnail | None, right: Thumbnail | None) -> Thumbnail | None:
    """Two thumbnails one above the other: what was before, and what is now."""
    if left is None or right is None:
        return right or left
    above, below = (_lower(decoded(part.png), HALF * DENSITY) for part in (left, right))
    width = max(above.shape[1], below.shape[1])
    rows = [np.pad(part, ((0, 0), (0, width - part.shape[1]), (0, 0))) for part in (above, below)]
    gap = np.zeros((GAP * DENSITY, width, 4), np.uint8)
    return _thumbnail(np.concatenate([rows[0], gap, rows[1]]), right.caption)


def _lower(pixels: Any, most: int) -> Any:
    """`pixels` no higher than `most`, in their proportions."""
    height, width = pixels.shape[:2]
    if height <= most:
        return pixels
    return shrunk(pixels, most, max(1, round(width * most / height)))


def _count(shown: int, of: int) -> str:
    return "" if shown == of else f"{shown} of {of}"


def _said(*parts: str) -> str:
    return ", ".join(filter(None, parts))


class _Scale(NamedTuple):
    """From numbers to colours: whether they diverge from 0, what has the full colour, of what the root is taken before,
    and how a caption says so.
    """

    diverges: bool
    top: float
    caption: str
    root: int = 1


def _scale(whole: Any) -> _Scale:
    """The scale of an array: see `thumbnail`."""
    finite = whole[np.isfinite(whole)]
    sizes = np.abs(finite[finite != 0])
    if not sizes.size:
        return _Scale(False, 1.0, "")
    diverges, most = bool(finite.min() < 0), float(sizes.max())
    with np.errstate(over="ignore"):
        # An element that is there, and none between two: of a few elements one is not to pull up the percentile.
        high, typical = float(np.quantile(sizes, QUANTILE, method="lower")), float(np.median(sizes))
        top = min(high, TYPICAL * typical)
    plus = "±" if diverges else ""
    if high > TYPICAL * top:  # so many elements are so much larger that most would have the full colour, or almost none
        root = math.ceil((math.log(high) - math.log(typical)) / math.log(TYPICAL))
        return _Scale(
            diverges, high, f"colours to {plus}{labels.number(high, 2)} by the {labels.ordinal(root)} root", root
        )
    if most <= (1 if diverges else TYPICAL) * top:  # of images, whose white is often rare, only outliers are cut off
        return _Scale(diverges, most, "")
    said = f"colours to {plus}{labels.number(top, 2)}"
    return _Scale(diverges, top, said if most > 2 * top else "")


def _coloured(image: Any, scale: _Scale) -> Any:
    """(height, width, 4) uint8, of (height, width) floats."""
    with np.errstate(over="ignore"):
        at = np.nan_to_num(image, nan=0.0, posinf=0.0, neginf=0.0) / scale.top
        at = at if scale.root == 1 else np.sign(at) * np.abs(at) ** (1 / scale.root)
        pixels = diverging(at / 2 + 0.5) if scale.diverges else grey(at)
    pixels[np.isnan(image)] = (*NAN, 255)
    pixels[np.isinf(image)] = (*INF, 255)
    return pixels


def _fitted(pixels: Any, width: int, height: int) -> Any:
    """`pixels` in a box of `width` by `height` points: elements grow in whole steps, or are averaged to shrink."""
    width, height = width * DENSITY, height * DENSITY
    rows, columns = pixels.shape[:2]
    if rows <= height and columns <= width:
        if rows == 1:  # a strip fills its height; a cell of it is no wider than high
            step = max(1, min(width // columns, height))
            return pixels.repeat(height, axis=0).repeat(step, axis=1)
        step = max(1, min(width // columns, height // rows))
        return pixels.repeat(step, axis=0).repeat(step, axis=1)
    scale = min(1.0, height / rows), min(1.0, width / columns)
    if rows > 1 and max(rows, columns) <= 3 * min(rows, columns):
        scale = (min(scale), min(scale))  # an image keeps its proportions
    if rows == 1:
        return shrunk(pixels, 1, max(1, math.floor(columns * scale[1]))).repeat(height, axis=0)
    return shrunk(pixels, max(1, math.floor(rows * scale[0])), max(1, math.floor(columns * scale[1])))


def _bordered(pixels: Any) -> Any:
    framed = np.empty((pixels.shape[0] + 2, pixels.shape[1] + 2, 4), np.uint8)
    framed[...] = BORDER
    framed[1:-1, 1:-1] = pixels
    return framed


def _thumbnail(pixels: Any, caption: str) -> Thumbnail:
    height, width = pixels.shape[:2]
    return Thumbnail(encoded(pixels), -(-width // DENSITY), -(-height // DENSITY), caption)
