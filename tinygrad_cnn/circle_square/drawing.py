"""Imitations of hand drawings: outlines of circles, squares and triangles in one wobbling stroke.

They imitate the drawings that the article uses: thin strokes of one pixel, of any size and anywhere in the picture,
corners that are rounded or not, sides that bend, and ends that do not meet or run past each other.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tinygrad_cnn.extras import extra

with extra("cnn", "a drawing"):
    import cv2

Points = Any  # (n, 2) float64: x to the right, y downwards

Shape = Literal["circle", "square", "triangle"]
SHAPES: tuple[Shape, ...] = get_args(Shape)

SIZE = 28  # pixels, of the picture's sides
SMALLEST, USUAL = 8, 17  # pixels, of the longer side of what is drawn on it
FINE = 16  # how many times finer the stroke is drawn before it is averaged down


def draw(shape: Shape, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One drawing: (28, 28) uint8, a dark stroke on white (255). Raises ValueError for a shape that it cannot draw.

    >>> import numpy as np
    >>> drawing = draw("square", np.random.default_rng(0))
    >>> drawing.shape, int(drawing.max()), bool(drawing.min() < 100)
    ((28, 28), 255, True)
    """
    if shape not in SHAPES:
        raise ValueError(f"draw: unknown shape {shape!r}; expected one of {', '.join(SHAPES)}")
    corners = circle(rng) if shape == "circle" else _polygon(shape, rng)
    return drawn(placed(by_hand(corners, shape, rng), rng), rng)


def draw_set(shapes: tuple[Shape, ...], each: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """`each` drawings of every shape, one shape after the other: (len(shapes) * each, 28, 28) uint8."""
    return np.array([draw(shape, rng) for shape in shapes for _ in range(each)])


def circle(rng: np.random.Generator) -> Points:
    """An outline about 0 that closes: the points of a circle, pressed, pulled and dented."""
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    radius = np.ones_like(angle)
    for waves, strength in ((2, 0.07), (3, 0.04), (4, 0.02)):
        radius += strength * rng.standard_normal() * np.cos(waves * angle + rng.uniform(0, 2 * np.pi))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _polygon(shape: Shape, rng: np.random.Generator) -> Points:
    """The corners of a square or a triangle, none of them quite where it should be."""
    if shape == "square":
        turn, angles, spread = rng.normal(0, 6), np.array([45.0, 135.0, 225.0, 315.0]), 6
        stretch = np.array([np.exp(rng.normal(0.1, 0.15)), 1.0])
    else:
        turn, angles, spread = rng.choice([rng.normal(0, 5), rng.uniform(0, 360)]), np.array([90.0, 210.0, 330.0]), 14
        stretch = np.array([1.0, np.exp(rng.normal(0, 0.2))])
    angles = np.radians(angles + rng.normal(0, spread, len(angles)))
    radius = np.exp(rng.normal(0, 0.1, len(angles)))
    corners = np.stack([radius * np.cos(angles), -radius * np.sin(angles)], axis=1) * stretch
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    return corners @ np.array([[cos, -sin], [sin, cos]])


def by_hand(corners: Points, shape: Shape, rng: np.random.Generator) -> Points:
    """The path of the pen along `corners` and back to about where it began: (400, 2)."""
    corners = np.roll(corners, rng.integers(len(corners)), axis=0)[:: rng.choice([-1, 1])]
    closed = np.concatenate([corners, corners[: 1 + len(corners) // 3]])
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    once = along[len(corners)]
    end = once * (1 + np.clip(rng.normal(0.01, 0.03), -0.2, 0.1))
    at = np.linspace(0, end, 400)
    path = np.stack([np.interp(at, along, closed[:, i]) for i in (0, 1)], axis=1)
    path = _rounded(path, rng.uniform(0, 0.02 if shape != "circle" else 0.04))
    t = np.linspace(0, 1, len(path))[:, None]
    for waves in (1, 2, 3, 5, 8):  # a hand that is not steady
        path += 0.05 / waves * rng.standard_normal(2) * np.sin(2 * np.pi * (waves * t + rng.uniform(0, 1, 2)))
    return path + t**2 * rng.normal(0, 0.05, 2)  # and does not come back to where it began


def _rounded(path: Points, share: float) -> Points:
    """`path` with its corners rounded: averaged over this share of its length."""
    reach = int(share * len(path))
    if not reach:
        return path
    padded = np.pad(path, ((reach, reach), (0, 0)), mode="edge")
    kernel = np.ones(2 * reach + 1) / (2 * reach + 1)
    return np.stack([np.convolve(padded[:, i], kernel, mode="valid") for i in (0, 1)], axis=1)


def placed(path: Points, rng: np.random.Generator) -> Points:
    """`path` in pixels: of a size as people draw, anywhere in the picture."""
    low, high = path.min(axis=0), path.max(axis=0)
    longest = np.clip(rng.normal(USUAL, 4.5), SMALLEST, SIZE - 2)
    path = (path - low) * longest / max(high - low)
    free = SIZE - 1 - path.max(axis=0)
    return path + 0.5 + free * np.clip(rng.normal(0.5, 0.25, 2), 0, 1)


def drawn(path: Points, rng: np.random.Generator, pen: tuple[float, float] = (0.75, 0.95)) -> NDArray[np.uint8]:
    """The stroke, averaged down from a finer picture; pen: the least and the greatest width, in pixels."""
    fine = np.zeros((SIZE * FINE, SIZE * FINE), np.uint8)
    points = np.round(path * FINE).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(fine, [points], isClosed=False, color=255, thickness=round(FINE * rng.uniform(*pen)))
    coverage = cv2.resize(fine, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(float)
    return np.round(255 - 0.9 * coverage).astype(np.uint8)
