"""Image files: reading any as a 28 x 28 drawing, and writing."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinygrad_cnn.circle_square import inputs
from tinygrad_cnn.circle_square.drawing import SIZE, SMALLEST, USUAL
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.extras import extra

with extra("cnn", "an image file"):
    import cv2
    from PIL import Image

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "PPM")

LARGEST = 2**28  # bytes of a file: more than any drawing has

Grey = NDArray[np.uint8]

LARGEST_SIDE = 8192  # pixels: a square picture has 2**26, more than most cameras take

INVERTED = "light on dark, and was inverted"
ENLARGED = "drawn small, and was enlarged"
CHANGES = {INVERTED: "are light on dark, and were inverted", ENLARGED: "are drawn small, and were enlarged"}

COLOUR, TRANSPARENT, DEEP = "in colour, and was made grey", "transparent, and was laid on white", "of 16 bits a pixel"
CONVERSIONS = {
    COLOUR: "are in colour, and were made grey",
    TRANSPARENT: "are transparent, and were laid on white",
    DEEP: "are of 16 bits a pixel",
}

FAINTEST = 100  # shades from the background, of the darkest pixel
INK = 32  # how many shades from the background: what is nearer is paper


class Picture(NamedTuple):
    """An image file as it was read, of any size.

    grey         (height, width) uint8, dark on light
    changes      what was done to it, of CHANGES
    conversions  how its pixels became grey ones of 8 bits, of CONVERSIONS
    """

    grey: Grey
    changes: tuple[str, ...]
    conversions: tuple[str, ...]


class Drawing(NamedTuple):
    """A drawing as it was read.

    grey     (28, 28) uint8, dark on light
    changes  what was done to it, of CHANGES
    doubt    in what it is unlike everything that a model may have been trained on, or None
    """

    grey: Grey
    changes: tuple[str, ...]
    doubt: str | None


def read_picture(path: Path) -> Picture:
    """The image file `path` in grey, dark on light.

    Colour becomes grey and transparency white; a light drawing on dark is inverted. Raises InputError for what is no
    image, or is all of one shade.
    """
    grey, conversions = _decode(path)
    background = int(np.median(grey))
    if int(grey.max()) - int(grey.min()) < 16:
        shade = "white" if background > 239 else "black" if background < 16 else "of one shade"
        raise InputError(f"{path}: the image is empty, all {shade}")
    if background < 128:
        return Picture(255 - grey, (INVERTED,), conversions)
    return Picture(grey, (), conversions)


def read_drawing(path: Path) -> Drawing:
    """The image file `path` as a drawing. Raises InputError for what is no image, or no drawing."""
    return as_drawing(read_picture(path))


def as_drawing(picture: Picture) -> Drawing:
    """A picture as a drawing of 28 x 28 pixels. What is 28 x 28 stays as it is.

    A picture of another size is made square, with its background, and resized by averaging areas; if what is drawn on
    it would then be smaller than people draw in 28 x 28 pixels, it is cut out and enlarged to the size that they
    mostly draw in, in the middle, because the model knows shapes by where their lines are.
    """
    grey, changes, _ = picture
    background = int(np.median(grey))
    if grey.shape != (SIZE, SIZE):
        left, top, width, height = _box(grey, background)
        if max(width, height) * SIZE < SMALLEST * max(grey.shape):
            # With a margin, so that what is cut out takes as much of the picture as is usual.
            side = max(round(max(width, height) * SIZE / USUAL), 1)
            grey = _square(grey[top : top + height, left : left + width], side, background)
            changes += (ENLARGED,)
        grey = cv2.resize(_square(grey, max(grey.shape), background), (SIZE, SIZE), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return Drawing(grey, changes, _doubt(grey, int(np.median(grey))))


def _doubt(grey: Grey, background: int) -> str | None:
    """The bounds are those of the drawings that come with the package and of 150 that people drew, with a margin."""
    darkest = int(np.abs(grey.astype(int) - background).max())
    if darkest < FAINTEST:
        return "its lines are fainter than those of any drawing that the model may have been trained on"
    _, _, width, height = _box(grey, background)
    if max(width, height) < SMALLEST:
        return "it is smaller than any drawing that the model may have been trained on"
    return None


def write_image(path: Path, grey: Grey) -> None:
    """Write `grey` as a PNG file."""
    ok, encoded = cv2.imencode(".png", grey)
    if not ok:
        raise InputError(f"{path}: OpenCV cannot encode this picture as PNG")
    path.write_bytes(encoded.tobytes())


def _decode(path: Path) -> tuple[Grey, tuple[str, ...]]:
    """The pixels, and how they were converted.

    By Pillow: of damage it raises exceptions, where OpenCV's libraries print to the terminal.
    """
    data = inputs.read(path, LARGEST, "drawing")
    if not data:
        raise InputError(f"{path}: the file is empty (0 bytes)")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            if max(image.size) > LARGEST_SIDE:
                width, height = image.size
                raise InputError(f"{path}: it has {width} x {height} pixels; expected at most {LARGEST_SIDE} on a side")
            if image.format == "PNG":
                image.verify()  # of every part; decoding alone stops when all pixels are there
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            if any(tile[0] == "libtiff" for tile in image.tile):
                return _grey(_by_opencv(data))
            image.load()
            return _grey(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError(f"{path}: it is too large; expected at most {LARGEST_SIDE} pixels on a side") from None
    except InputError:
        raise
    except Exception as error:  # a damaged file may make a decoder raise anything
        if isinstance(error, OSError | EOFError | ValueError) and "truncated" in str(error).lower():
            raise InputError(f"{path}: the image is truncated") from None
        raise InputError(f"{path}: not an image in a supported format, or a damaged one") from None


def _by_opencv(data: bytes) -> Image.Image:
    """A compressed TIFF: libtiff prints what it finds wrong, which OpenCV can turn off, and Pillow cannot."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    pixels: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels.dtype == np.uint16:
        pixels = (pixels // 257).astype(np.uint8)
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB)
    return Image.fromarray(pixels)


def _grey(image: Image.Image) -> tuple[Grey, tuple[str, ...]]:
    if image.mode == "F":
        return np.asarray(255 * np.clip(np.nan_to_num(np.asarray(image)), 0, 1), np.uint8), ()
    if image.mode.startswith("I"):
        return np.asarray(np.clip(np.asarray(image), 0, 65535) // 257, np.uint8), (DEEP,)
    conversions: tuple[str, ...] = ()
    if image.has_transparency_data:
        *colours, opaque = [np.asarray(channel) for channel in image.convert("RGBA").split()]
        pixels = np.stack([_over_white(colour, opaque) for colour in colours], axis=2)
        conversions += (TRANSPARENT,) if (opaque < 255).any() else ()
    elif image.mode in ("1", "L"):
        return np.array(image.convert("L")), ()
    else:
        pixels = np.asarray(image.convert("RGB"))
    conversions += (COLOUR,) if np.ptp(pixels, axis=2).max() >= INK else ()
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), conversions  # type: ignore[return-value]


def _over_white(colour: Grey, opaque: Grey) -> Grey:
    """Rounded to the nearest, in 16 bits, which just hold it."""
    blended = colour * opaque.astype(np.uint16)
    blended += 255 * (255 - opaque.astype(np.uint16)) + 127
    return (blended // 255).astype(np.uint8)


def _box(grey: Grey, background: int) -> tuple[int, int, int, int]:
    """Left, top, width and height of what is drawn."""
    ink = np.abs(grey.astype(np.int16) - background) >= INK
    if not ink.any():
        ink = grey != background
    ys, xs = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return int(xs[0]), int(ys[0]), int(xs[-1] - xs[0] + 1), int(ys[-1] - ys[0] + 1)


def _square(grey: Grey, side: int, background: int) -> Grey:
    """`grey` in the middle of a square."""
    height, width = grey.shape
    square = np.full((side, side), background, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = grey
    return square
