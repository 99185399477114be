"""Two witnesses side by side, judged by the errors that they are estimated to have."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_cnn.check.explanations.case import SAFETY
from tinygrad_cnn.check.numbers import Slope
from tinygrad_cnn.check.report import Comparison
from tinygrad_cnn.check.steps import largest
from tinygrad_cnn.graph import Array

# A number whose own error is more than this share of the gradient tells nothing of it.
TOO_COARSE = 1e-2


def between_arrays(
    x: Array, y: Array, rounding: float, slopes: Mapping[tuple[int, ...], Slope] | None = None
) -> Comparison:
    """Two gradients, or cotangents, of which each may be off by `rounding`.

    slopes: what numbers say of elements: where there is a kink and both lie between the slopes to its sides, two
    conventions differ, and both are right.
    """
    x, y = np.asarray(x), np.asarray(y)
    if x.shape != y.shape:
        return Comparison(
            "differ", math.inf, rounding, math.inf, (), (math.nan, math.nan), f"shape {x.shape} instead of {y.shape}"
        )
    if not x.size:
        return Comparison("agree")
    with np.errstate(all="ignore"):
        apart = np.asarray(np.abs(x - y), float)
    apart[np.isnan(x) != np.isnan(y)] = np.inf
    apart[(np.isnan(x) & np.isnan(y)) | (x == y)] = 0.0
    both_right = 0
    for index, slope in (slopes or {}).items():
        if slope.kind == "kink" and apart[index] > 0 and _allowed(x[index], slope) and _allowed(y[index], slope):
            apart[index] = 0.0
            both_right += 1
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(apart)), apart.shape))
    most, error = float(apart[index]), max(rounding, np.finfo(float).tiny)
    notes = []
    if both_right:
        notes.append(f"at {both_right} elements at kinks they differ, and both are right")
    unknown = int(np.count_nonzero(np.isnan(x) & np.isnan(y)))
    if unknown == x.size:
        return Comparison("cannot tell", note="both are NaN")
    if unknown:
        notes.append(f"{unknown} elements are NaN in both")
    verdict: Any = "differ" if not most <= SAFETY * error else "agree"
    values = float(x[index]), float(y[index])
    return Comparison(verdict, most, SAFETY * error, most / (SAFETY * error), index, values, "; ".join(notes))


def with_slopes(x: Array, slopes: Mapping[tuple[int, ...], Slope], rounding: float, least: float = 0.0) -> Comparison:
    """A gradient against what numbers say of some of its elements.

    least: how large a slope is that matters, where the gradient itself is smaller.
    """
    size = max([least, largest(np.nan_to_num(x)), *[abs(s.low) for s in slopes.values() if math.isfinite(s.low)]])
    worst = Comparison("agree")
    untold: list[str] = []
    told = 0
    for index, slope in slopes.items():
        error = SAFETY * (slope.error + rounding) if math.isfinite(slope.error) else math.inf
        value = float(x[index])
        apart = slope.distance(value)
        if slope.kind == "unknown":
            untold.append("the loss is not finite there")
        elif slope.kind == "jump":
            untold.append("the loss jumps there")
        elif math.isnan(value):
            worst = Comparison("differ", math.inf, error, math.inf, index, (value, slope.low))
            told += 1
        elif apart <= error and slope.error > TOO_COARSE * size:
            untold.append(f"the numbers are only good to {slope.error:.1g} there")
        else:
            told += 1
            times = apart / (error or np.finfo(float).tiny)
            if times >= worst.times:
                nearest = min(max(value, slope.low), slope.high)
                verdict: Any = "differ" if times > 1 else "agree"
                worst = Comparison(verdict, apart, error, times, index, (value, nearest))
    if not told:
        return Comparison("cannot tell", note=untold[0] if untold else "nothing was measured")
    if untold:
        note = f"of {len(untold)} of {len(slopes)} elements it cannot be told: {untold[0]}"
        return Comparison(worst.verdict, worst.apart, worst.error, worst.times, worst.index, worst.values, note)
    return worst


def _allowed(value: Any, slope: Slope) -> bool:
    return slope.distance(float(value)) <= SAFETY * slope.error + 1e-12 * abs(float(value))
