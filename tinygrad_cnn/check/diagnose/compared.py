"""Two witnesses side by side, judged by the errors that they are estimated to have."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.explanations.case import SAFETY, count
from tinygrad_cnn.check.diagnose.steps import largest_finite
from tinygrad_cnn.check.report.report import Comparison
from tinygrad_cnn.check.witnesses.finite_differences import Slope
from tinygrad_cnn.engine.graph import Array

# A number whose own error is more than this share of the gradient tells nothing of it.
TOO_COARSE = 1e-2
# Why there is no slope.
_NO_SLOPE: dict[str, str] = {
    "unknown": "the loss is not finite there",
    "jump": "the loss jumps there",
    "noise": "rounding is as large as the loss there",
    "rough": "differences do not settle there, however short the steps",
}


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
        apart = np.array(x - y, float, copy=None, ndmin=x.ndim)
        np.abs(apart, out=apart)
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
        notes.append(f"at {count(both_right, 'element')} at a kink two conventions differ, and both are right")
    unknown = int(np.count_nonzero(np.isnan(x) & np.isnan(y)))
    if unknown == x.size:
        return Comparison("cannot tell", note="both are NaN")
    if unknown:
        notes.append(f"{unknown} elements are NaN in both")
    verdict: Any = "differ" if not most <= SAFETY * error else "agree"
    values = float(x[index]), float(y[index])
    return Comparison(verdict, most, SAFETY * error, most / (SAFETY * error), index, values, "; ".join(notes))


def with_slopes(
    x: Array,
    slopes: Mapping[tuple[int, ...], Slope],
    rounding: float,
    least: float = 0.0,
    along: Sequence[tuple[Callable[[], Array], Slope]] = (),
) -> Comparison:
    """A gradient against what numbers say of some of its elements, and of it along some directions.

    least: how large a slope is that matters, where the gradient itself is smaller. along: directions, each with what
    numbers say; a direction is a function, for it is as large as the gradient.
    """
    size = max([least, largest_finite(x), *[abs(s.low) for s in slopes.values() if math.isfinite(s.low)]])
    found = [_with_slope(float(x[index]), slope, rounding, size, index) for index, slope in slopes.items()]
    for direction, slope in along:
        v = direction()
        length, value = float(np.linalg.norm(v)), float(np.vdot(np.asarray(x, float), v))
        one = _with_slope(value, slope, 4 * rounding * length, max(size, abs(value)), ())
        found.append(replace(one, note=one.note or "along a random direction"))
        del v  # before the next one, which is as large as the gradient
    told = [one for one in found if one.verdict != "cannot tell"]
    untold = [one for one in found if one.verdict == "cannot tell"]
    if not told:
        return untold[0] if untold else Comparison("cannot tell", note="nothing was measured")
    wrong = [one for one in found[: len(slopes)] if one.verdict == "differ"]  # elements: the farthest off tells
    worst = max(wrong, key=lambda one: one.apart) if wrong else max(told, key=lambda one: one.times)
    if untold:
        note = f"{len(untold)} of {count(len(found), 'number')} cannot be told: {untold[0].note}"
        return replace(worst, note=f"{worst.note}; {note}" if worst.note else note)
    return worst


def _with_slope(value: float, slope: Slope, rounding: float, size: float, index: tuple[int, ...]) -> Comparison:
    """One number against what numbers say of it."""
    error = SAFETY * (slope.error + rounding) if math.isfinite(slope.error) else math.inf
    apart = slope.distance(value)
    if slope.kind in _NO_SLOPE:
        return Comparison("cannot tell", note=_NO_SLOPE[slope.kind])
    if math.isnan(value):
        return Comparison("differ", math.inf, error, math.inf, index, (value, slope.low))
    if apart <= error and slope.error > TOO_COARSE * size:
        return Comparison("cannot tell", note=f"the numbers are only good to {slope.error:.1g} there")
    times, nearest = apart / (error or np.finfo(float).tiny), min(max(value, slope.low), slope.high)
    return Comparison("differ" if times > 1 else "agree", apart, error, times, index, (value, nearest))


def _allowed(value: Any, slope: Slope) -> bool:
    return slope.distance(float(value)) <= SAFETY * slope.error + 1e-12 * abs(float(value))
