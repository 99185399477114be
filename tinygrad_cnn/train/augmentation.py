"""Augmentation: images changed at random, as drawings of the same thing differ, with OpenCV.

Each function takes images and a generator, and returns as many images of the same shape, dtype and range. Images are
(batch, height, width), or (batch, channels, height, width), whose channels change alike; uint8, float32 or float64.
`background` is the shade of the paper: 0 for bright strokes on black, 255 for dark ones on white. A strength of 0
changes nothing. With a `train.DataLoader`:

    train.DataLoader(x, y, transform=lambda batch, rng: (rotate(batch[0], rng, 10), batch[1]))
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tinygrad_cnn.extras import extra

with extra("cnn", "augmentation"):
    import cv2

Images = TypeVar("Images", bound=NDArray[Any])
_DTYPES = ("uint8", "float32", "float64")


def affine(
    images: Images,
    rng: np.random.Generator,
    *,
    degrees: float = 0,
    scale: float = 0,
    stretch: float = 0,
    shear: float = 0,
    shift: float = 0,
    background: float = 0,
) -> Images:
    """Each image rotated, scaled, stretched, sheared and shifted at random, about its centre, with one interpolation.

    degrees   rotated by -degrees to degrees
    scale     larger or smaller by a factor of up to 1 + scale
    stretch   wider and lower, or narrower and higher, so that width to height changes by a factor of up to 1 + stretch
    shear     a row moves sideways by up to shear times its distance from the centre
    shift     moved by up to so many pixels across, and down

    The logarithms of the factors, and the others, are uniform. Raises ValueError for a strength that is negative or not
    finite.

    >>> import numpy as np
    >>> images = np.zeros((2, 28, 28), np.uint8)
    >>> images[:, 10:18, 10] = 255
    >>> affine(images, np.random.default_rng(0), degrees=180, stretch=1).shape
    (2, 28, 28)
    """
    _check("affine", images, degrees=degrees, scale=scale, stretch=stretch, shear=shear, shift=shift)
    n, (height, width) = len(images), images.shape[-2:]
    at, larger, wider, slanted, across, down = rng.uniform(-1, 1, (6, n))
    angle, slope = np.radians(degrees * at), shear * slanted
    size = (1 + scale) ** larger
    aspect = math.sqrt(1 + stretch) ** wider
    cos, sin = np.cos(angle), np.sin(angle)
    # First the rotation, so that what is stretched and sheared lies in any direction.
    row_x = np.stack([cos, -sin], axis=1) * (size * aspect)[:, None]
    row_y = np.stack([sin, cos], axis=1) * (size / aspect)[:, None]
    matrices = np.stack([row_x + slope[:, None] * row_y, row_y], axis=1)  # (batch, 2, 2)
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    moved = centre + shift * np.stack([across, down], axis=1) - matrices @ centre
    return _each(
        images,
        lambda image, k: cv2.warpAffine(
            image,
            np.column_stack([matrices[k], moved[k]]),
            (width, height),
            flags=cv2.INTER_LINEAR,
            borderValue=background,
        ),
    )


def rotate(images: Images, rng: np.random.Generator, degrees: float = 15, background: float = 0) -> Images:
    """Each image rotated about its centre by -degrees to degrees.

    >>> import numpy as np
    >>> rotate(np.ones((1, 3, 3)), np.random.default_rng(0), 0)[0, 0]
    array([1., 1., 1.])
    """
    return affine(images, rng, degrees=degrees, background=background)


def scale(images: Images, rng: np.random.Generator, strength: float = 0.2, background: float = 0) -> Images:
    """Each image larger or smaller by a factor of up to 1 + strength.

    >>> import numpy as np
    >>> scale(np.ones((1, 3, 3)), np.random.default_rng(0), 0)[0, 0]
    array([1., 1., 1.])
    """
    return affine(images, rng, scale=strength, background=background)


def stretch(images: Images, rng: np.random.Generator, strength: float = 0.2, background: float = 0) -> Images:
    """Each image wider and lower, or narrower and higher: width to height changes by a factor of up to 1 + strength.

    >>> import numpy as np
    >>> stretch(np.ones((1, 3, 3)), np.random.default_rng(0), 0)[0, 0]
    array([1., 1., 1.])
    """
    return affine(images, rng, stretch=strength, background=background)


def shear(images: Images, rng: np.random.Generator, strength: float = 0.2, background: float = 0) -> Images:
    """Each row of an image moved sideways, by up to strength times its distance from the centre.

    >>> import numpy as np
    >>> shear(np.ones((1, 3, 3)), np.random.default_rng(0), 0)[0, 0]
    array([1., 1., 1.])
    """
    return affine(images, rng, shear=strength, background=background)


def shift(images: Images, rng: np.random.Generator, pixels: float = 2, background: float = 0) -> Images:
    """Each image moved by up to so many pixels across, and down.

    >>> import numpy as np
    >>> shift(np.ones((1, 3, 3)), np.random.default_rng(0), 0)[0, 0]
    array([1., 1., 1.])
    """
    return affine(images, rng, shift=pixels, background=background)


def stroke_width(
    images: Images, rng: np.random.Generator, thicker: float = 1, thinner: float = 0, background: float = 0
) -> Images:
    """Strokes of each image thicker by up to so many pixels on either side, or thinner.

    Between whole numbers of pixels it interpolates. What is thinner than twice `thinner` may vanish.

    >>> import numpy as np
    >>> images = np.zeros((1, 9, 9))
    >>> images[:, :, 4] = 1
    >>> stroke_width(images, np.random.default_rng(0), 2)[0, 4].round(2)
    array([0.  , 0.  , 0.27, 1.  , 1.  , 1.  , 0.27, 0.  , 0.  ])
    """
    _check("stroke_width", images, thicker=thicker, thinner=thinner)
    amounts = rng.uniform(-thinner, thicker, len(images))

    def change(image: Any, k: int) -> Any:
        ink = cv2.absdiff(image, np.full_like(image, background))
        whole, part = divmod(abs(amounts[k]), 1)
        morph = cv2.dilate if amounts[k] > 0 else cv2.erode
        less, more = (ink if not pixels else morph(ink, _disc(int(pixels))) for pixels in (whole, whole + 1))
        mixed = less if not part else cv2.addWeighted(less, 1 - part, more, part, 0)
        return cv2.absdiff(mixed, np.full_like(image, background)) if background else mixed

    return _each(images, change)


def elastic(
    images: Images, rng: np.random.Generator, pixels: float = 1, grid: int = 4, background: float = 0
) -> Images:
    """Each image deformed as if drawn on rubber: `grid` x `grid` points are moved, and what lies between with them.

    pixels: the standard deviation of their displacement. Raises ValueError for a grid of less than 2 points.

    Source: P. Simard et al., "Best practices for convolutional neural networks applied to visual document analysis",
    2003; with a smooth field of few points instead of noise that is blurred.

    >>> import numpy as np
    >>> elastic(np.ones((1, 3, 3)), np.random.default_rng(0), 0)[0, 0]
    array([1., 1., 1.])
    """
    _check("elastic", images, pixels=pixels)
    if grid < 2:
        raise ValueError(f"elastic: grid is {grid}; expected at least 2 points on a side")
    height, width = images.shape[-2:]
    fields = (pixels * rng.standard_normal((len(images), grid, grid, 2))).astype(np.float32)
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=2).astype(np.float32)

    def change(image: Any, k: int) -> Any:
        moved = places + cv2.resize(fields[k], (width, height), interpolation=cv2.INTER_CUBIC)
        return cv2.remap(image, moved[..., 0], moved[..., 1], cv2.INTER_LINEAR, borderValue=background)

    return _each(images, change)


def _disc(radius: int) -> Any:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def _each(images: Images, change: Any) -> Images:
    """`change(image, k)` of each image, and of each of its channels."""
    out: Any = np.empty_like(images)
    for k in range(len(images)):
        for place in np.ndindex(images.shape[1:-2]):
            out[(k, *place)] = change(np.ascontiguousarray(images[(k, *place)]), k)
    return out  # type: ignore[no-any-return]


def _check(name: str, images: Any, **strengths: float) -> None:
    if not isinstance(images, np.ndarray) or images.ndim not in (3, 4) or images.dtype.name not in _DTYPES:
        given = f"{images.dtype} {images.shape}" if isinstance(images, np.ndarray) else f"a {type(images).__name__}"
        raise ValueError(
            f"{name}: images is {given}; expected an array (batch, height, width) or (batch, channels, height, width) "
            f"of {', '.join(_DTYPES)}"
        )
    for which, strength in strengths.items():
        if not 0 <= strength < math.inf:
            raise ValueError(f"{name}: {which} is {strength}; expected a finite number of at least 0")
