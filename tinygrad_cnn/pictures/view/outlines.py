"""Outlines of elements in a thumbnail, in colours that no thumbnail has."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.pictures.view.pixels import Array

# In red, green, blue: what is followed, what it was computed from, and what it influences.
COLOURS = {"pixel": (255, 255, 255), "before": (0xF2, 0xA9, 0x00), "after": (0x00, 0xA8, 0x8F)}
BLACK = (0, 0, 0)
WIDTH = 2  # pixels


def outline(framed: Array, lit: Any, strengths: Any, kind: str) -> None:
    """Draw the outline of the elements that are `lit` into their pixels, which have a border of one pixel around them.

    strengths: how much of the colour each element is filled with, in 0..1.
    """
    height, width = framed.shape[0] - 2, framed.shape[1] - 2
    colour = np.array(COLOURS[kind])
    fill = _largest(strengths, height, width)[..., None]
    inner = framed[1:-1, 1:-1, :3]
    inner[...] = (inner * (1 - fill) + colour * fill).round().astype(np.uint8)
    mask = np.pad(_largest(lit.astype(np.uint8), height, width) > 0, 1)
    ring = mask
    for _ in range(WIDTH):
        ring = _wider(ring)
    framed[_wider(ring) & ~mask, :3] = BLACK
    framed[ring & ~mask, :3] = colour


def _largest(of: Any, height: int, width: int) -> Array:
    """For each of so many pixels, the largest of the elements that it shows."""
    for axis, count in enumerate((height, width)):
        starts = np.arange(count) * of.shape[axis] // count
        of = np.maximum.reduceat(of, starts, axis)
    return of  # type: ignore[no-any-return]


def _wider(mask: Array) -> Array:
    """A mask and the pixels around it."""
    around = np.pad(mask, 1)
    rows = around[:-2] | around[1:-1] | around[2:]
    return rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]  # type: ignore[no-any-return]
