"""Image files: reading any as a 28 x 28 drawing, and writing."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tinygrad_cnn.circle_square.drawing import SIZE
from tinygrad_cnn.circle_square.errors import InputError

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}

LARGEST = 2**28  # bytes of a file: more than any drawing has

Grey = NDArray[np.uint8]


class Drawing(NamedTuple):
    """A drawing as it was read: (28, 28) uint8, dark on light, and whether the file had it light on dark."""

    grey: Grey
    was_light_on_dark: bool


def read_drawing(path: Path) -> Drawing:
    """The image file `path` as a drawing.

    Colour becomes grey and transparency white; a picture of another size is made square, with its background, and
    resized to 28 x 28 by averaging areas; a light drawing on dark is inverted. Raises InputError for what is no image,
    or no drawing.
    """
    grey = _decode(path)
    background = int(np.median(grey))
    if int(grey.max()) - int(grey.min()) < 16:
        shade = "white" if background > 239 else "black" if background < 16 else "of one shade"
        raise InputError(f"{path}: nothing is drawn on it, it is all {shade}")
    light_on_dark = background < 128
    if light_on_dark:
        grey, background = 255 - grey, 255 - background
    return Drawing(_resized(grey, background), light_on_dark)


def write_image(path: Path, grey: Grey) -> None:
    """Write `grey` as a PNG file."""
    ok, encoded = cv2.imencode(".png", grey)
    if not ok:
        raise InputError(f"{path}: OpenCV cannot encode this picture as PNG")
    path.write_bytes(encoded.tobytes())


def _decode(path: Path) -> Grey:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    if len(data) > LARGEST:
        raise InputError(f"{path}: the file is larger than {LARGEST >> 20} MB, which no drawing is")
    if not data:
        raise InputError(f"{path}: the file is empty (0 bytes)")
    with _complaints() as said:
        try:
            pixels: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error:
            pixels = None
    if _is_cut_off(data, b"".join(said).lower()):
        raise InputError(f"{path}: the image is cut off: its end is missing")
    if pixels is None:
        raise InputError(f"{path}: this is no image that can be read, or it is damaged")
    return _grey(pixels)


def _is_cut_off(data: bytes, complaints: bytes) -> bool:
    """Whether the codec missed the end, and maybe made something up for it; those of some versions say nothing."""
    if any(words in complaints for words in (b"premature end", b"incomplete", b"end of input")):
        return True
    ends = {b"\x89PNG": b"IEND", b"\xff\xd8\xff": b"\xff\xd9"}
    return any(data.startswith(begin) and end not in data for begin, end in ends.items())


def _grey(pixels: Any) -> Grey:
    if pixels.dtype == np.uint16:
        pixels = (pixels // 257).astype(np.uint8)
    elif pixels.dtype != np.uint8:
        pixels = (255 * np.clip(pixels, 0, 1)).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        opaque = pixels[..., 3:] / 255
        pixels = np.round(pixels[..., :3] * opaque + 255 * (1 - opaque)).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    return pixels.reshape(pixels.shape[:2])  # type: ignore[no-any-return]


def _resized(grey: Grey, background: int) -> Grey:
    height, width = grey.shape
    if height != width:
        side = max(height, width)
        square = np.full((side, side), background, np.uint8)
        top, left = (side - height) // 2, (side - width) // 2
        square[top : top + height, left : left + width] = grey
        grey = square
    if grey.shape == (SIZE, SIZE):
        return grey
    return cv2.resize(grey, (SIZE, SIZE), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


@contextlib.contextmanager
def _complaints() -> Iterator[list[bytes]]:
    """What libpng and libjpeg write to the terminal themselves, kept from it: our message says it."""
    found: list[bytes] = []
    with tempfile.TemporaryFile() as file:
        kept = os.dup(2)
        try:
            os.dup2(file.fileno(), 2)
            yield found
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            found.append(file.read())
