"""The recipe `synthetic`: the network of `cnn`, trained on shapes that this package draws, and on no real drawing.

What it costs to draw a shape by program is less than to collect people's drawings, and there is no end of them. Whether
they are varied enough is seen on real ones alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.drawing import Shape
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.ink import Grey, ink
from tinygrad_cnn.circle_square.varied import draw_varied
from tinygrad_cnn.recipes import cnn

SHAPES: dict[str, Shape] = {
    "circle": "circle",
    "ellipse": "circle",
    "oval": "circle",
    "square": "square",
    "rectangle": "square",
    "triangle": "triangle",
}  # by what people call their folders, without a plural s
EACH = 800  # drawings of each class


def shapes_of(names: Sequence[str]) -> list[Shape]:
    """The shapes that classes are. Raises InputError for a class that it cannot draw."""
    for name in names:
        if name.lower().removesuffix("s") not in SHAPES:
            raise InputError(
                f"--recipe synthetic cannot draw the class {name!r}; expected names among {', '.join(SHAPES)}"
            )
    shapes = [SHAPES[name.lower().removesuffix("s")] for name in names]
    if len(set(shapes)) < len(shapes):
        raise InputError(f"--recipe synthetic draws two of the classes {', '.join(names)} alike; leave one of them out")
    return shapes


def drawings(shapes: Sequence[Shape], each: int, rng: np.random.Generator) -> tuple[Grey, Grey, Any]:
    """`each` drawings of every shape, their ink, and their labels."""
    grey = np.array([draw_varied(shape, rng) for shape in shapes for _ in range(each)])
    return grey, ink(grey), np.repeat(np.arange(len(shapes)), each)


def train(shapes: Sequence[Shape], *, seed: int = 0, **how: Any) -> tg.train.Fitted:
    """Train on drawings of these shapes, the classes 0, 1, ...; `how`: see `cnn.fit`."""
    _, inks, labels = drawings(shapes, EACH, np.random.default_rng([seed, 1]))
    return cnn.train(inks, labels, len(shapes), seed=seed, **how)
