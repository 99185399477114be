"""Drawings of more variety than people's in the article's data, for training, and scribbles that show no shape.

Ellipses of any axes, rectangles of any sides and triangles of any angles, in any direction, of any size and place, with
a pen of one to three pixels; strokes wobble, sides bend, and ends do not meet or run past each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinygrad_cnn.circle_square.drawing import SHAPES, Points, Shape, by_hand, circle, drawn, placed

LONGEST = 0.75  # the logarithm of the ratio of the axes, or sides: 2.1
ANGLES = (25, 115)  # degrees, the smallest and the largest of a triangle
FINEST, BOLDEST = 0.75, 3.0  # pixels, of pens


def draw_varied(shape: Shape, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One drawing: (28, 28) uint8, a dark stroke on white. Raises ValueError for a shape that it cannot draw.

    >>> import numpy as np
    >>> draw_varied("triangle", np.random.default_rng(0)).shape
    (28, 28)
    """
    if shape not in SHAPES:
        raise ValueError(f"draw_varied: unknown shape {shape!r}; expected one of {', '.join(SHAPES)}")
    if shape == "circle":
        outline = circle(rng) * [np.exp(rng.uniform(0, LONGEST)), 1]
    elif shape == "square":
        outline = _rectangle(rng)
    else:
        outline = _triangle(rng)
    path = placed(by_hand(_rotated(outline, rng), shape, rng), rng)
    return drawn(path, rng, _pen(np.ptp(path, axis=0).min() / 5))


def draw_scribble(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A drawing of none of the shapes: a zigzag, a line, a spiral, a loop, a star or a cross, (28, 28) uint8.

    >>> import numpy as np
    >>> draw_scribble(np.random.default_rng(0)).shape
    (28, 28)
    """
    scribble = _SCRIBBLES[rng.integers(len(_SCRIBBLES))]
    points = _rotated(scribble(rng), rng)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.linspace(0, along[-1], 400)
    path = np.stack([np.interp(at, along, points[:, i]) for i in (0, 1)], axis=1)
    path = placed(path, rng)
    return drawn(path, rng, _pen(np.ptp(path, axis=0).max() / 12))


def _rectangle(rng: np.random.Generator) -> Points:
    corners = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * [np.exp(rng.uniform(0, LONGEST)), 1]
    corners = corners + rng.normal(0, 0.1, (4, 2))
    corners[:, 0] += rng.normal(0, 0.12) * corners[:, 1]  # it leans
    return corners


def _triangle(rng: np.random.Generator) -> Points:
    """Three points at random, until their angles are such that people would call it a triangle."""
    while True:
        corners = rng.uniform(-1, 1, (3, 2))
        sides = np.roll(corners, -1, axis=0) - corners
        sides /= np.linalg.norm(sides, axis=1, keepdims=True)
        angles = np.degrees(np.arccos(-(sides * np.roll(sides, 1, axis=0)).sum(axis=1)))
        if angles.min() > ANGLES[0] and angles.max() < ANGLES[1]:
            corners -= corners.mean(axis=0)
            return corners / np.abs(corners).max()


def _zigzag(rng: np.random.Generator) -> Points:
    return rng.uniform(-1, 1, (rng.integers(4, 9), 2))


def _line(rng: np.random.Generator) -> Points:
    return np.array([[-1.0, 0.0], [1.0, 0.0]]) + rng.normal(0, 0.2, (2, 2))


def _spiral(rng: np.random.Generator) -> Points:
    t = np.linspace(0, 1, 200)[:, None]
    angle = 2 * np.pi * rng.uniform(1.6, 4) * t
    return t * np.hstack([np.cos(angle), np.sin(angle)])


def _loop(rng: np.random.Generator) -> Points:
    t = np.linspace(0, 1, 200)[:, None]
    waves = [(w * rng.uniform(0.5, 1), rng.uniform(0, 1, 2), rng.standard_normal(2) / w) for w in (1, 2, 3)]
    return np.sum([strength * np.sin(2 * np.pi * (w * t + phase)) for w, phase, strength in waves], axis=0)


def _star(rng: np.random.Generator) -> Points:
    n = rng.integers(4, 7)
    k = np.arange(2 * n + 1)
    radius = np.where(k % 2, rng.uniform(0.3, 0.5), 1)
    return np.stack([radius * np.cos(np.pi * k / n), radius * np.sin(np.pi * k / n)], axis=1)


def _cross(rng: np.random.Generator) -> Points:
    return np.array([[-1, 0], [1, 0], [0, 0], [0, -1], [0, 1]]) + rng.normal(0, 0.1, (5, 2))


_SCRIBBLES = (_zigzag, _line, _spiral, _loop, _star, _cross)


def _pen(bold: float) -> tuple[float, float]:
    """The widths of pens with which a drawing does not become a blot."""
    return FINEST, float(np.clip(bold, FINEST, BOLDEST))


def _rotated(points: Points, rng: np.random.Generator) -> Points:
    """By any angle."""
    angle = rng.uniform(0, 2 * np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    return points @ np.array([[cos, -sin], [sin, cos]])
