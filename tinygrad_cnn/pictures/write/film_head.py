"""What stands above a film: the name of the frame, the result, and its curve, which grows."""

from __future__ import annotations

import math
from typing import NamedTuple

from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.view.film import Film

HEIGHT = 66  # points
LEAST = 330  # points: the width below which a picture is widened
LEFT, RIGHT = 150, 16  # of the curve, from both edges
TOP, BOTTOM = 10, 46  # of the curve
DOT = 3.0  # the radius of the point that moves
LOG = 30  # times the least: a curve of numbers above 0 that reaches so far has a logarithmic scale
MARGIN = 16  # to the left of what is written
NAME, VALUE, TICK = 26, 44, 58  # the baselines of what is written
NAME_SIZE, VALUE_SIZE, TICK_SIZE = 14, 11, 9
BASELINE = 0.76  # of the height of a line, from its upper edge
STROKE = 1.6  # the width of the curve as far as it has grown; the whole of it is one point wide


class Head(NamedTuple):
    """The words of each frame, and the points of the curve: None where it is not finite.

    names, values  of the frames: "epoch 20", and "loss 0.12"
    points         of the curve, or of a straight line where there is none
    ticks          what is written beneath the curve: its beginning, its scale and its end
    """

    names: list[str]
    values: list[str]
    points: list[tuple[float, float] | None]
    ticks: tuple[str, str, str]


def head_of(film: Film, width: float) -> Head:
    """What stands above a film that is so wide."""
    count = len(film.frames)
    across = [LEFT + (width - LEFT - RIGHT) * i / max(count - 1, 1) for i in range(count)]
    ticks = film.frames[0], "", film.frames[-1] if count > 1 else ""
    finite = [] if film.curve is None else [x for x in film.curve.values if math.isfinite(x)]
    if film.curve is None or not finite:
        return Head(film.frames, [""] * count, [(x, (TOP + BOTTOM) / 2) for x in across], ticks)
    least, most = min(finite), max(finite)
    is_log = least > 0 and most > LOG * least
    title = labels.clean(film.curve.title, 12)
    values = [f"{title} {labels.number(x)}" for x in film.curve.values]

    def height(x: float) -> float:
        low, high, at = (math.log(least), math.log(most), math.log(x)) if is_log else (least, most, x)
        share = 0.0 if high == low else at / (high - low) - low / (high - low)
        return BOTTOM - DOT - share * (BOTTOM - TOP - 2 * DOT)

    points = [(x, height(y)) if math.isfinite(y) else None for x, y in zip(across, film.curve.values, strict=True)]
    return Head(film.frames, values, points, (ticks[0], "log scale" if is_log else "", ticks[2]))


def places_of_ticks(width: float) -> tuple[float, float, float]:
    """Where ticks are written in a film of this width: beneath the beginning, the middle and the end of the curve."""
    return LEFT, (LEFT + width - RIGHT) / 2, width - RIGHT


def pieces(points: list[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """The parts of a curve between its gaps."""
    found: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is not None:
            found[-1].append(point)
        elif found[-1]:
            found.append([])
    return [piece for piece in found if piece]
