"""Pixels: (height, width, 4) uint8, of red, green, blue and opacity. Their colours, their size, and their PNG files."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EIGHT_BITS_OF_RGBA = (8, 6, 0, 0, 0)
_EIGHT_BITS_OF_A_TABLE = (8, 3, 0, 0, 0)

# From blue through white to red: the diverging scheme RdBu of ColorBrewer (C. Brewer, colorbrewer2.org), backwards.
_BLUE_TO_RED = [
    (5, 48, 97), (33, 102, 172), (67, 147, 195), (146, 197, 222), (209, 229, 240), (247, 247, 247),
    (253, 219, 199), (244, 165, 130), (214, 96, 77), (178, 24, 43), (103, 0, 31),
]  # fmt: skip


def _table(colours: Any) -> Array:
    """256 colours, with these at equal distances among them."""
    at, given = np.linspace(0, 1, 256), np.array(colours, float)
    channels = [np.interp(at, np.linspace(0, 1, len(given)), channel) for channel in given.T]
    return np.stack([*channels, np.full(256, 255.0)], axis=1).round().astype(np.uint8)


_DIVERGING, _GREY = _table(_BLUE_TO_RED), _table([(0, 0, 0), (255, 255, 255)])


def diverging(at: Array) -> Array:
    """Pixels of numbers in 0..1: from blue at 0 through white at 1/2 to red at 1."""
    return _coloured(at, _DIVERGING)


def grey(at: Array) -> Array:
    """Pixels of numbers in 0..1: from black to white."""
    return _coloured(at, _GREY)


def _coloured(at: Array, table: Array) -> Array:
    return table[np.round(255 * at).clip(0, 255).astype(np.uint8)]


def shrunk(pixels: Array, height: int, width: int) -> Array:
    """Fewer pixels, each the average of the area that it stands for."""
    for axis, count in enumerate((height, width)):
        pixels = _averages(pixels, count, axis)
    return pixels.round().astype(np.uint8)


def _averages(pixels: Array, count: int, axis: int) -> Array:
    if pixels.shape[axis] == count:
        return pixels
    x = np.moveaxis(pixels, axis, 0).astype(float)
    edges = np.linspace(0, len(x), count + 1)
    whole = edges.astype(int)
    within = (edges - whole)[:, None, None] * x[np.minimum(whole, len(x) - 1)]
    up_to = np.pad(np.cumsum(x, axis=0), ((1, 0), (0, 0), (0, 0)))[whole] + within
    return np.moveaxis(np.diff(up_to, axis=0) * (count / len(x)), 0, axis)


def encoded(pixels: Array) -> bytes:
    """Pixels as a PNG file."""
    height, width = pixels.shape[:2]
    return _file(width, _EIGHT_BITS_OF_RGBA, pixels.reshape(height, 4 * width))


def encoded_in_few_colours(pixels: Array) -> bytes:
    """As `encoded`, but with a table of at most 256 colours, which takes less than a half.

    Where there are more, each channel has fewer levels, evenly spaced, of which black and white are two.
    """
    height, width = pixels.shape[:2]
    table, places = _table_of(pixels)
    levels = 128
    while len(table) > 256:
        coarse = np.round(pixels * ((levels - 1) / 255)) * (255 / (levels - 1))
        table, places = _table_of(coarse.round().astype(np.uint8))
        levels //= 2
    colours = _chunk(b"PLTE", table[:, :3].tobytes()) + _chunk(b"tRNS", table[:, 3].tobytes())
    return _file(width, _EIGHT_BITS_OF_A_TABLE, places.reshape(height, width).astype(np.uint8), colours)


def _table_of(pixels: Array) -> tuple[Array, Array]:
    """The colours that there are, and the place of each pixel's among them."""
    whole = np.ascontiguousarray(pixels).view(np.uint32)
    colours, places = np.unique(whole, return_inverse=True)
    return colours.view(np.uint8).reshape(-1, 4), places


def _file(width: int, kind: tuple[int, ...], rows: Array, colours: bytes = b"") -> bytes:
    """A PNG file of rows of bytes; colours: the chunks of a table of colours, if pixels are places in one."""
    data = np.pad(rows, ((0, 0), (1, 0))).tobytes()  # each row begins with its filter: 0, none
    return b"".join(
        [
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), *kind)),
            colours,
            _chunk(b"IDAT", zlib.compress(data, 9)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def decoded(png: bytes) -> Array:
    """The pixels of a PNG file that `encoded` has made."""
    width, height = struct.unpack_from(">II", png, 16)
    begin = png.index(b"IDAT") + 4
    (length,) = struct.unpack_from(">I", png, begin - 8)
    rows = np.frombuffer(zlib.decompress(png[begin : begin + length]), np.uint8).reshape(height, 1 + 4 * width)
    return rows[:, 1:].reshape(height, width, 4)
