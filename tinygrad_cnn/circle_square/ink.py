"""Ink: what is drawn on a picture, without where, how large and with which pen it was drawn.

A model that sees ink need not learn that a small circle in a corner and a large one in the middle are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_cnn.circle_square.drawing import SIZE
from tinygrad_cnn.extras import extra

with extra("cnn", "ink"):
    import cv2

Grey = NDArray[np.uint8]
Bits = NDArray[np.bool_]

SIDE = 56  # pixels, of a picture of ink
LONGER = 44  # pixels, of the longer side of what is drawn on it
SPECK = 0.08  # of all ink: a smaller piece of it is dirt
FILLED = 9  # pixels to the nearest paper: a stroke this wide is an area, whose outline is meant


def ink(pictures: Sequence[Grey] | Grey) -> Grey:
    """The ink of each picture, as one thin bright line on black: (batch, 56, 56) uint8.

    pictures: (height, width) uint8 each, of any size, strokes darker or brighter than the paper. Specks are left out;
    the rest is cut out, scaled so that its longer side has 44 pixels, put in the middle, thinned to its middle line and
    drawn 3 pixels wide. Of a filled area the outline is taken. A picture of one shade has no ink, and stays black.

    >>> import numpy as np
    >>> picture = np.full((40, 90), 255, np.uint8)
    >>> picture[10:20, 20:60], picture[12:18, 22:58] = 0, 255  # a frame
    >>> here, moved = ink([picture, np.roll(picture, 15, axis=1)])
    >>> here.shape, bool((here == moved).all()), here.any(axis=1).sum() < here.any(axis=0).sum()
    ((56, 56), True, np.True_)
    """
    cut_out = [_cut_out(_without_specks(_contrast(picture))) for picture in pictures]
    lines = thinned(np.array(cut_out).reshape(-1, SIDE, SIDE) >= 100)
    pen = np.ones((3, 3), np.uint8)
    return np.array([cv2.dilate(255 * line.astype(np.uint8), pen) for line in lines], np.uint8).reshape(-1, SIDE, SIDE)


def as_input(inks: Grey) -> NDArray[np.float32]:
    """Ink (batch, 56, 56) as a model takes it: (batch, 1, 28, 28) float32, 0..1, averaged by area."""
    halves = inks.reshape(len(inks), 1, SIZE, SIDE // SIZE, SIZE, SIDE // SIZE)
    averaged: NDArray[np.float32] = (halves.mean(axis=(3, 5)) / 255).astype(np.float32)
    return averaged


def _contrast(picture: Grey) -> Grey:
    """How far each pixel is from the paper: 255 the farthest."""
    distance = np.abs(picture.astype(np.int16) - int(np.median(picture)))
    return (distance * (255 / max(int(distance.max()), 1))).astype(np.uint8)


def _without_specks(picture: Grey) -> Grey:
    count, pieces, found, _ = cv2.connectedComponentsWithStats((picture >= 64).astype(np.uint8), connectivity=8)
    areas = found[:, cv2.CC_STAT_AREA]
    specks = [k for k in range(1, count) if areas[k] < SPECK * areas[1:].sum()]
    if not specks:
        return picture
    dirt = cv2.dilate(np.isin(pieces, specks).astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.where(dirt, np.uint8(0), picture)


def _cut_out(picture: Grey) -> Grey:
    ys, xs = np.flatnonzero((picture >= 64).any(axis=1)), np.flatnonzero((picture >= 64).any(axis=0))
    if not len(ys):
        return np.zeros((SIDE, SIDE), np.uint8)
    width, height = xs[-1] - xs[0] + 1, ys[-1] - ys[0] + 1
    scale = LONGER / max(width, height)
    if scale < 1:  # averaged, so that a thin line does not fall between the pixels that are kept
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 / scale)  # type: ignore[assignment]
    middle = (SIDE - 1) / 2
    moved = [middle - scale * (xs[0] + xs[-1]) / 2, middle - scale * (ys[0] + ys[-1]) / 2]
    matrix = np.array([[scale, 0, moved[0]], [0, scale, moved[1]]])
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    scaled: Any = cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=how)
    drawn = (scaled >= 100).astype(np.uint8)
    if cv2.distanceTransform(drawn, cv2.DIST_L2, 3).max() >= FILLED:
        return 255 * cv2.morphologyEx(drawn, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))  # type: ignore[return-value]
    return scaled  # type: ignore[no-any-return]


def thinned(pictures: Bits) -> Bits:
    """Lines thinned to one pixel, all pictures (batch, height, width) at once.

    Source: T. Y. Zhang and C. Y. Suen, "A fast parallel algorithm for thinning digital patterns", 1984.

    >>> import numpy as np
    >>> thick = np.zeros((1, 5, 7), bool)
    >>> thick[0, 1:4] = True
    >>> thinned(thick).sum(axis=1)
    array([[0, 1, 1, 1, 1, 0, 0]])
    """
    around = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))  # clockwise, from above
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1))).astype(np.uint8)
    height, width = pictures.shape[1:]
    within = padded[:, 1:-1, 1:-1]
    changed = True
    while changed:
        changed = False
        for first in (True, False):
            n = [padded[:, 1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width] for dy, dx in around]
            neighbours = sum(n[1:], start=n[0])
            begins = sum(((1 - n[i]) & n[(i + 1) % 8] for i in range(8)), start=np.zeros_like(within))
            up, right, down, left = n[0], n[2], n[4], n[6]
            edge = (right & down & (up | left)) if first else (up & left & (right | down))
            removed = (within == 1) & (neighbours >= 2) & (neighbours <= 6) & (begins == 1) & (edge == 0)
            if removed.any():
                within[removed] = 0
                changed = True
    return within.astype(bool)
