"""Two witnesses compared, judged by the errors that they are estimated to have."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.explanations.case import SAFETY
from tinygrad_cnn.check.results import Comparison
from tinygrad_cnn.check.witnesses.finite_differences import Slope
from tinygrad_cnn.check.witnesses.magnitude import largest_finite
from tinygrad_cnn.engine.graph import Array

TOO_COARSE = 1e-2  # a finite difference with an error of more than this share of the gradient is inconclusive
Slopes = Mapping[tuple[int, ...], Slope]  # by element


def compare_arrays(x: Array, y: Array, rounding: float, slopes: Slopes | None = None) -> Comparison:
    """Two gradients, or cotangents, of which each may be off by `rounding`.

    slopes: by finite differences, of some elements; where there is a kink and both arrays lie between the slopes on its
    two sides, two conventions differ, and both are right.
    """
    x, y = np.asarray(x), np.asarray(y)
    if x.shape != y.shape:
        note = sentences.SHAPE_INSTEAD.format(actual=x.shape, expected=y.shape)
        return Comparison("differ", math.inf, rounding, math.inf, (), (math.nan, math.nan), note)
    if not x.size:
        return Comparison("agree")
    differences = _differences(x, y)
    conventions = [index for index, slope in (slopes or {}).items() if _two_conventions(x[index], y[index], slope)]
    for index in conventions:
        differences[index] = 0.0
    both_nan = int(np.count_nonzero(np.isnan(x) & np.isnan(y)))
    if both_nan == x.size:
        return Comparison("inconclusive", note=sentences.BOTH_NAN)
    notes = []
    if conventions:
        notes.append(sentences.BOTH_CONVENTIONS.format(elements=sentences.count(len(conventions), "element")))
    if both_nan:
        notes.append(sentences.SOME_NAN.format(n=both_nan))
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(differences)), differences.shape))
    difference, error = float(differences[index]), SAFETY * max(rounding, np.finfo(float).tiny)
    verdict: Any = "agree" if difference <= error else "differ"
    values = float(x[index]), float(y[index])
    return Comparison(verdict, difference, error, difference / error, index, values, "; ".join(notes))


def _differences(x: Array, y: Array) -> Array:
    """Absolute differences: 0 where both are NaN or the same infinity, infinite where one is NaN. One copy of x."""
    with np.errstate(all="ignore"):
        differences = np.array(x - y, float, copy=None, ndmin=x.ndim)
        np.abs(differences, out=differences)
    differences[np.isnan(x) != np.isnan(y)] = np.inf
    differences[(np.isnan(x) & np.isnan(y)) | (x == y)] = 0.0
    return differences


def _two_conventions(one: Any, other: Any, slope: Slope) -> bool:
    """Whether two different values at a kink both lie between the slopes on its two sides."""
    return bool(slope.kind == "kink" and one != other and _allowed(one, slope) and _allowed(other, slope))


def _allowed(value: Any, slope: Slope) -> bool:
    return slope.distance(float(value)) <= SAFETY * slope.error + 1e-12 * abs(float(value))


def compare_with_slopes(
    x: Array,
    slopes: Slopes,
    rounding: float,
    least: float = 0.0,
    along: Sequence[tuple[Callable[[], Array], Slope]] = (),
) -> Comparison:
    """A gradient compared with finite differences of some of its elements, and of it along some directions.

    least: how large a slope is that matters, where the gradient itself is smaller. along: directions, each with the
    slope along it; a direction is a function, for it is as large as the gradient.
    """
    size = max([least, largest_finite(x), *[abs(s.low) for s in slopes.values() if math.isfinite(s.low)]])
    elements = [_with_slope(float(x[index]), slope, rounding, size, index) for index, slope in slopes.items()]
    directions = []
    for direction, slope in along:
        v = direction()
        length, value = float(np.linalg.norm(v)), float(np.vdot(np.asarray(x, float), v))
        one = _with_slope(value, slope, 4 * rounding * length, max(size, abs(value)), ())
        directions.append(replace(one, note=one.note or sentences.ALONG))
        del v  # before the next one, which is as large as the gradient
    return _combined(elements, directions)


def _combined(elements: list[Comparison], directions: list[Comparison]) -> Comparison:
    """One comparison for all: the element that differs most, else the one that comes closest to its error."""
    found = elements + directions
    conclusive = [one for one in found if one.verdict != "inconclusive"]
    inconclusive = [one for one in found if one.verdict == "inconclusive"]
    if not conclusive:
        return inconclusive[0] if inconclusive else Comparison("inconclusive", note=sentences.NOTHING_MEASURED)
    wrong = [one for one in elements if one.verdict == "differ"]
    if wrong:
        worst = max(wrong, key=lambda one: one.difference)
    else:
        worst = max(conclusive, key=lambda one: one.difference_over_error)
    if not inconclusive:
        return worst
    slopes = sentences.count(len(found), "slope")
    note = sentences.SOME_INCONCLUSIVE.format(n=len(inconclusive), slopes=slopes, reason=inconclusive[0].note)
    return replace(worst, note=f"{worst.note}; {note}" if worst.note else note)


def _with_slope(value: float, slope: Slope, rounding: float, size: float, index: tuple[int, ...]) -> Comparison:
    """One element compared with a finite difference."""
    if slope.kind in sentences.NO_SLOPE:
        return Comparison("inconclusive", note=sentences.NO_SLOPE[slope.kind])
    error = SAFETY * (slope.error + rounding) if math.isfinite(slope.error) else math.inf
    if math.isnan(value):
        return Comparison("differ", math.inf, error, math.inf, index, (value, slope.low))
    difference = slope.distance(value)
    if difference <= error and slope.error > TOO_COARSE * size:
        return Comparison("inconclusive", note=sentences.TOO_COARSE.format(error=slope.error))
    ratio, nearest = difference / (error or np.finfo(float).tiny), min(max(value, slope.low), slope.high)
    return Comparison("differ" if ratio > 1 else "agree", difference, error, ratio, index, (value, nearest))
