"""The third witness: slopes from values of the loss alone, each with an estimate of its own error.

A slope is the limit of differences, extrapolated (Richardson) from three steps; what the extrapolation changed last,
and the noise of the values (how far they are from a smooth curve, over a tiny stretch) divided by the step, estimate
its error. Where it can, the loss is computed in long double,
so that steps may be short. A step is only as long as the loss takes the same way at all its branches (`branches.py`),
and so never goes across a kink. At a kink there are two slopes, one on each side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.check.branches import Branches
from tinygrad_cnn.check.trace import one_number, trace
from tinygrad_cnn.graph import Array

Kind = Literal["smooth", "kink", "jump", "unknown"]
LEVELS = 3  # steps of h, h/2, h/4
SHRINK = 8.0
BOUND = 3.0  # how many standard deviations of noise there may be


class OutOfBudgetError(Exception):
    """The evaluations, or the seconds, that were allowed are used up."""


@dataclass(frozen=True)
class Slope:
    """The derivative along a direction, from differences.

    low, high   where it lies: one number where the loss is smooth, else between the slopes to either side
    error       how far off these may be
    kind        "smooth"; "kink"; "jump", where the loss itself jumps; "unknown", where it is not finite
    """

    low: float
    high: float
    error: float
    kind: Kind

    def distance(self, slope: float) -> float:
        """How far `slope` is from lying between `low` and `high`."""
        return max(0.0, self.low - slope, slope - self.high) if slope == slope else math.nan


Direction = Callable[[Any], list[Array]]  # from a distance to the leaves that far along it


def along_element(leaves: Sequence[Array], leaf: int, index: tuple[int, ...]) -> Direction:
    """The direction of one element of one leaf."""

    def moved(t: Any) -> list[Array]:
        there = leaves[leaf].copy()
        there[index] += t
        return [there if k == leaf else x for k, x in enumerate(leaves)]

    return moved


def along_vectors(leaves: Sequence[Array], vectors: Sequence[Array | None]) -> Direction:
    """The direction of a vector for each leaf; None where a leaf stays as it is."""
    return lambda t: [x if v is None else x + t * v for x, v in zip(leaves, vectors, strict=True)]


class Numbers:
    """Slopes of `loss` at `leaves`, computed in the precision of `dtype`.

    evaluations, seconds   how many times the loss may be computed, and until when (by `clock`); None for no limit
    opaque                 the loss takes arrays only, so that its branches cannot be seen
    """

    def __init__(
        self,
        loss: Callable[[Any], Any],
        form: tree.Flat,
        leaves: Sequence[Array],
        dtype: Any,
        opaque: bool = False,
        exhausted: Callable[[int], bool] = lambda used: False,
    ) -> None:
        self.loss, self.form, self.opaque, self.exhausted = loss, form, opaque, exhausted
        self.leaves = [np.asarray(x).astype(dtype) for x in leaves]
        self.dtype, self.used = dtype, 0
        self.value, self.branches = self._at(self.leaves)
        self.noise = self._noise()

    def slope(self, direction: Direction, scale: float) -> Slope:
        """The derivative along `direction`; `scale` is how large the steps are that mean something there.

        Raises OutOfBudgetError.
        """
        if not math.isfinite(self.value):
            return Slope(math.nan, math.nan, math.inf, "unknown")
        precision = max(float(np.finfo(self.dtype).eps), self.noise / max(abs(float(self.value)), 1e-300))
        longest, shortest = scale * min(0.1, precision ** (1 / 7)), scale * min(1e-3, precision**0.7)
        best: tuple[_Estimate, _Estimate] | None = None
        jumps = False
        for _ in range(4):
            up, down = [self._side(direction, sign, longest, shortest) for sign in (1.0, -1.0)]
            if up.as_here and down.as_here:
                pair = (self._central(direction, up, down),) * 2
            else:
                pair = self._one_sided(up), self._one_sided(down)
                jumps = jumps or self._jumps(up) or self._jumps(down)
            if best is None or _worse(pair).error < _worse(best).error:
                best = pair
            worse, longest = _worse(best), min(up.step, down.step) / SHRINK
            # A shorter step helps only where curvature is what is left of the error, not noise.
            if worse.noise > worse.error / 10 or worse.error < 1e-9 * abs(worse.slope) or longest <= shortest:
                break
        assert best is not None
        return _slope(*best, jump=jumps)

    def _side(self, direction: Direction, sign: float, longest: float, shortest: float) -> _Side:
        """The longest step to one side on which the loss goes the same way everywhere, and its values there."""
        step = longest
        while True:
            points = [self._at(direction(sign * step / 2**k)) for k in range(LEVELS)]
            branches = [taken for _, taken in points]
            values = [value for value, _ in points]
            alike = bool(np.all(np.isfinite(values))) and all(taken.same(branches[-1]) for taken in branches[:-1])
            if alike or step <= shortest:
                return _Side(sign, step, values, alike and branches[-1].same(self.branches))
            step = max(step / SHRINK, shortest)

    def _central(self, direction: Direction, up: _Side, down: _Side) -> _Estimate:
        step = min(up.step, down.step)
        if up.step != down.step:
            up, down = [
                side if side.step == step else self._side(direction, side.sign, step, step) for side in (up, down)
            ]
        steps = [step / 2**k for k in range(LEVELS)]
        pairs = zip(up.values, down.values, steps, strict=True)
        noises = [BOUND * self.noise / h for h in steps]
        return extrapolated([float((a - b) / (2 * h)) for a, b, h in pairs], noises, power=2)

    def _one_sided(self, side: _Side) -> _Estimate:
        steps = [side.step / 2**k for k in range(LEVELS)]
        slopes = [float(side.sign * (value - self.value) / h) for value, h in zip(side.values, steps, strict=True)]
        return extrapolated(slopes, [2 * BOUND * self.noise / h for h in steps], power=1)

    def _jumps(self, side: _Side) -> bool:
        """Whether the loss jumps at the point: halving the step then doubles the slope, and again."""
        changes = [abs(float(value - self.value)) for value in side.values]
        smallest, largest = min(changes), max(changes)
        return smallest > 1e3 * self.noise and largest < 1.5 * smallest and not side.as_here and side.step > 0

    def _at(self, leaves: Sequence[Array]) -> tuple[Any, Branches]:
        if self.exhausted(self.used):
            raise OutOfBudgetError
        self.used += 1
        if self.opaque:
            with np.errstate(all="ignore"):
                return one_number(self.loss(self.form.rebuild([x[()] for x in leaves]))), Branches([], [], ())
        run = trace(self.loss, self.form, leaves)
        return run.value, run.branches()

    def _noise(self) -> float:
        """How much of the value of the loss is rounding: how far it is from a smooth curve over a short stretch.

        On shorter and shorter stretches less and less is left of the curve, by powers; what stays is noise.
        """
        rng = np.random.default_rng(0)
        vectors = [rng.standard_normal(x.shape) * np.maximum(np.abs(x), 0.1 * _size(x)) for x in self.leaves]
        along, eps = along_vectors(self.leaves, vectors), float(np.finfo(self.dtype).eps)
        found, largest = math.nan, abs(float(self.value))
        for stretch in (1e-2, 1e-3, eps ** (1 / 3), eps ** (1 / 2), 100 * eps):
            places = stretch * np.linspace(-1, 1, 16) * (1 + 0.1 * rng.random(16))
            points = [self._at(along(t)) for t in places]
            largest = max(largest, abs(float(np.nan_to_num(float(points[0][0])))))
            if not all(math.isfinite(value) and taken.same(points[0][1]) for value, taken in points):
                continue
            rest = _rest_of_a_polynomial(places / stretch, np.array([value for value, _ in points]))
            if rest > found / 10:
                return max(rest, found, eps * largest / 2)
            found = rest
        return max(4 * eps * largest, found if math.isfinite(found) else 0.0)


def _rest_of_a_polynomial(t: Array, values: Array, degree: int = 4) -> float:
    """The standard deviation of values from the polynomial that fits them best.

    It is found by the orthogonalisation of Gram and Schmidt, for NumPy's own fits do not go beyond double.
    """
    rest, basis = values - values[0], list[Array]()
    for power in range(degree + 1):
        column = (t**power).astype(values.dtype)
        for other in basis:
            column = column - np.sum(column * other) * other
        column = column / np.sqrt(np.sum(column * column))
        basis.append(column)
        rest = rest - np.sum(rest * column) * column
    return float(np.sqrt(np.sum(rest * rest) / (len(values) - len(basis))))


@dataclass(frozen=True)
class _Side:
    """Steps to one side, longest first, and the loss there; whether it goes the same way there as at the point."""

    sign: float
    step: float
    values: list[Any]
    as_here: bool


@dataclass(frozen=True)
class _Estimate:
    """An extrapolated slope, its estimated error, and how much of that is noise."""

    slope: float
    error: float
    noise: float


def extrapolated(slopes: Sequence[float], noises: Sequence[float], power: int) -> _Estimate:
    """The limit of slopes from steps that halve, and how far off it may be.

    power: 2 if their errors are a series in step ** 2, 1 if in step. Each column of Richardson's table takes one more
    term of that series away; the error is what the last column changed, and the noise that went into it.
    """
    row, noise, before = [slopes[0]], [noises[0]], [slopes[0]]
    for k in range(1, len(slopes)):
        before, noise_before = row, noise
        row, noise = [slopes[k]], [noises[k]]
        for j in range(1, k + 1):
            factor = 2.0 ** (power * j)
            row.append(row[-1] + (row[-1] - before[j - 1]) / (factor - 1))
            noise.append((factor * noise[-1] + noise_before[j - 1]) / (factor - 1))
    changed = max(abs(row[-1] - row[-2]), abs(row[-1] - before[-1]))
    return _Estimate(row[-1], changed + noise[-1], noise[-1])


def _worse(pair: tuple[_Estimate, _Estimate]) -> _Estimate:
    return max(pair, key=lambda found: found.error if math.isfinite(found.error) else math.inf)


def _slope(one: _Estimate, other: _Estimate, jump: bool = False) -> Slope:
    error = max(one.error, other.error)
    if not math.isfinite(one.slope) or not math.isfinite(other.slope):
        return Slope(math.nan, math.nan, math.inf, "unknown")
    if jump:
        return Slope(-math.inf, math.inf, math.inf, "jump")
    low, high = sorted((one.slope, other.slope))
    if high - low <= 4 * error:  # the ways that meet here go on alike
        middle = one.slope if one.error <= other.error else other.slope
        return Slope(middle, middle, error, "smooth")
    return Slope(low, high, error, "kink")


def _size(x: Array) -> float:
    """How large the elements of an array are; 1 if they are all zero, or if there is none."""
    return float(np.max(np.abs(x), initial=0)) or 1.0


def scale_of(x: Array, index: tuple[int, ...] | None = None) -> float:
    """What a step of one element of `x` is small beside: its own size, but not much less than that of the others.

    Without an index: what one of all elements together is.
    """
    return _size(x) if index is None else max(abs(float(x[index])), 0.1 * _size(x))
