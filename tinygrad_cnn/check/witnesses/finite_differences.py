"""The third witness: slopes from values of the loss alone, each with an estimate of its own error.

A slope is the limit of differences, extrapolated (Richardson) from three steps; what the last extrapolation changed,
and the noise of the values (how far they are from a smooth curve, over a tiny stretch) divided by the step, estimate
its error. Steps get shorter until noise is what is left of it; an estimate counts only if the differences that it was
made of converge, and if those of shorter steps do not contradict it. Where it can, the loss is computed
in long double, so that steps may be short. A step is only as long as the loss takes the same branches
(`branches.py`), and so never crosses a kink. At a kink there are two slopes, one on each side; so there are where
no branch shows it, but differences to both sides settle on two values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.check.witnesses.branches import Branches
from tinygrad_cnn.check.witnesses.incremental_evaluation import IncrementalLoss
from tinygrad_cnn.check.witnesses.replay import replay
from tinygrad_cnn.check.witnesses.trace import Trace, one_number, trace
from tinygrad_cnn.engine.graph import Array

Kind = Literal["smooth", "kink", "jump", "rough", "noise", "unknown"]
LEVELS = 3  # steps that one estimate is made of
RATIO = 0.43  # of one to the next: no simple fraction, so that a wave that is missed by one step is not missed by all
SHRINK = 8.0
NEAR = 1e-11  # a kink that is nearer than this share of the scale is at the point: rounding may put it on either side
BOUND = 3.0  # how many standard deviations of noise there may be
PLACES = 16  # at which noise is measured
LARGE = 5e4  # elements of a value, on average; of larger ones the time of Python is little
COARSE = 1e-5  # what rounding on the way, in float32, is of a loss at most
DROWNED = 1e-2  # a loss of which so much is noise is little else


class OutOfBudgetError(Exception):
    """The evaluations, or the seconds, that were allowed are used up."""


@dataclass(frozen=True)
class Slope:
    """The derivative along a direction, from differences.

    low, high   where it lies: one number where the loss is smooth, else between the slopes to either side
    error       how far off these may be
    kind        "smooth"; "kink"; "jump", where the loss itself jumps; "rough", where no step is short enough for
                differences to settle; "noise", where the loss is little else; "unknown", where it is not finite
    secant      how steep it is from here to the end of the longest step; beside this an error is small or large
    """

    low: float
    high: float
    error: float
    kind: Kind
    secant: float = 0.0

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

    def moved(x: Array, v: Array, t: Any) -> Array:
        there = np.multiply(t, v, dtype=x.dtype)
        return np.add(x, there, out=there) if x.ndim else np.asarray(x + there)

    return lambda t: [x if v is None else moved(x, v, t) for x, v in zip(leaves, vectors, strict=True)]


class FiniteDifferences:
    """Slopes of `loss` at `leaves`, computed in the precision of `dtype`.

    opaque      the loss takes arrays only, so that its branches cannot be seen
    exhausted   from how often the loss was computed here, whether it may not be computed again
    first       the loss at these leaves, in this precision, if somebody has it
    """

    def __init__(
        self,
        loss: Callable[[Any], Any],
        form: tree.Flat,
        leaves: Sequence[Array],
        dtype: Any,
        opaque: bool = False,
        exhausted: Callable[[int], bool] = lambda used: False,
        first: Trace | None = None,
    ) -> None:
        self.loss, self.form, self.opaque, self.exhausted = loss, form, opaque, exhausted
        self.leaves = [np.asarray(x).astype(dtype, copy=False) for x in leaves]
        self.dtype, self.used = dtype, 0
        if exhausted(0):
            raise OutOfBudgetError
        self._evaluate = self._on_arrays if opaque else self._recorded(first)
        self.value, self.branches = self._at(self.leaves)
        self.noise, self.drowned = self._noise()

    def slope(self, direction: Direction, scale: float) -> Slope:
        """The derivative along `direction`; `scale` is how large the steps are that mean something there.

        Raises OutOfBudgetError.
        """
        if not math.isfinite(self.value):
            return Slope(math.nan, math.nan, math.inf, "unknown")
        precision = max(float(np.finfo(self.dtype).eps), self.noise / max(abs(float(self.value)), 1e-300))
        step, shortest = scale * min(0.1, precision ** (1 / 7)), scale * NEAR
        best: _Pair | None = None
        secant = 0.0
        while True:
            up, down = self._sides(direction, step, shortest)
            if best is None:
                secant = max(abs(float(side.values[0] - self.value)) / side.step for side in (up, down))
            found = self._pair(up, down)
            if best is None or found.betters(best):
                best = found
            step = min(up.step, down.step)
            enough = found.noise > found.error / 10 or best.error < 1e-9 * best.size
            if (found.settled and enough) or step <= shortest:
                break
            step = max(step / SHRINK, shortest)
        jumps = not best.settled and (self._jumps(up) or self._jumps(down))
        slope = best.slope(jumps)
        if self.drowned and slope.distance(0.0) <= slope.error:
            return Slope(-math.inf, math.inf, math.inf, "noise")
        return replace(slope, secant=secant if math.isfinite(secant) else 0.0)

    def _sides(self, direction: Direction, longest: float, shortest: float) -> tuple[_Side, _Side]:
        """Steps to both sides; equally long ones, where the loss is smooth for all that its branches say."""
        up, down = [self._side(direction, sign, longest, shortest) for sign in (1.0, -1.0)]
        if up.as_here and down.as_here and up.step != down.step:
            step = min(up.step, down.step)
            up, down = [
                side if side.step == step else self._side(direction, side.sign, step, step) for side in (up, down)
            ]
        return up, down

    def _side(self, direction: Direction, sign: float, longest: float, shortest: float) -> _Side:
        """The longest step to one side on which the loss goes the same way everywhere, and its values there.

        That is the way that it goes at the point itself, unless it leaves that on the shortest step already: then the
        point is at a kink.
        """
        step, at_kink = longest, None
        while True:
            values, taken, alike = self._along(direction, [sign * h for h in steps_from(step)])
            as_here = alike and taken.same(self.branches)
            if alike and not as_here and at_kink is None:
                at_kink = not self._at(direction(sign * shortest))[1].same(self.branches)
            if as_here or (alike and at_kink) or step <= shortest:
                return _Side(sign, step, values, as_here)
            step = max(step / SHRINK, shortest)

    def _along(self, direction: Direction, steps: Sequence[Any]) -> tuple[list[Any], Branches, bool]:
        """The values at some steps, the branches at the last, and whether all are finite and all branches the same.

        Branches hold the graph that they are of: those of two points are all that is held at once.
        """
        values, before, alike = list[Any](), None, True
        for h in steps:
            value, taken = self._at(direction(h))
            values.append(value)
            alike = alike and bool(np.isfinite(value)) and (before is None or taken.same(before))
            before = taken
        return values, taken, alike

    def _pair(self, up: _Side, down: _Side) -> _Pair:
        """The slopes to both sides; if these are one, as central differences have it, which are better."""
        one, other = self._one_sided(up), self._one_sided(down)
        settled = one.settled and other.settled
        if not (up.as_here and down.as_here) or (settled and _two_slopes(one, other)):  # a kink that no branch shows
            return _Pair(one, other)
        central = self._central(up, down)
        return _Pair(*[replace(central, settled=central.settled and settled)] * 2)

    def _central(self, up: _Side, down: _Side) -> _Estimate:
        steps = steps_from(up.step)
        pairs = zip(up.values, down.values, steps, strict=True)
        noises = [BOUND * self.noise / h for h in steps]
        return extrapolated([float((a - b) / (2 * h)) for a, b, h in pairs], noises, power=2)

    def _one_sided(self, side: _Side) -> _Estimate:
        steps = steps_from(side.step)
        slopes = [float(side.sign * (value - self.value) / h) for value, h in zip(side.values, steps, strict=True)]
        return extrapolated(slopes, [2 * BOUND * self.noise / h for h in steps], power=1)

    def _jumps(self, side: _Side) -> bool:
        """Whether the loss jumps at the point: however short the step, it changes by as much."""
        changes = [abs(float(value - self.value)) for value in side.values]
        smallest, largest = min(changes), max(changes)
        return smallest > 1e3 * self.noise and largest < 1.5 * smallest

    def _at(self, leaves: Sequence[Array]) -> tuple[Any, Branches]:
        if self.exhausted(self.used):
            raise OutOfBudgetError
        self.used += 1
        return self._evaluate(leaves)

    def _on_arrays(self, leaves: Sequence[Array]) -> tuple[Any, Branches]:
        with np.errstate(all="ignore"):
            return one_number(self.loss(self.form.rebuild([x.copy()[()] for x in leaves]))), Branches([], [], ())

    def _recorded(self, first: Trace | None) -> Callable[[Sequence[Array]], tuple[Any, Branches]]:
        """What computes the loss, and sees its branches: its program, or, where it is none, the loss itself."""
        first = first or trace(self.loss, self.form, self.leaves)
        elements = sum(int(np.size(node.like)) for node in first.nodes)
        # Of large arrays a program has buffers and saves little.
        few_and_large = elements > LARGE * len(first.nodes)
        program = None if few_and_large else replay(self.loss, self.form, self.leaves, first)
        return (program or IncrementalLoss(self.loss, self.form, self.leaves, first)).at

    def _noise(self) -> tuple[float, bool]:
        """How much of the value of the loss is rounding: how far it is from a smooth curve over a short stretch.

        And whether so much of it is that slopes which cannot be distinguished from 0 are inconclusive.

        The stretches are so short that every curve is smooth there, if only the values still change along them: of
        values that are rounded to few digits (beside a large constant, or in float32 on the way) it takes longer ones.
        It always takes two: along the first, what is rounded may stand still while the rest of the loss changes. Of the
        second, what is more than that rounding is the curve itself.
        """
        rng = np.random.default_rng(0)
        vectors = [rng.standard_normal(x.shape) * np.maximum(np.abs(x), 0.1 * _size(x)) for x in self.leaves]
        along, eps = along_vectors(self.leaves, vectors), float(np.finfo(self.dtype).eps)
        found, largest = 0.0, abs(float(self.value))
        for k, stretch in enumerate((eps ** (1 / 2), eps ** (2 / 7), 1e-3, 1e-1, 1.0)):
            places = stretch * np.linspace(0.2, 1.2, PLACES) * (1 + 0.1 * rng.random(PLACES))  # on one side of a kink
            points, _, alike = self._along(along, places)
            if not alike:
                break
            values = np.array(points)
            largest = max(largest, float(np.max(np.abs(values))))
            rest, settled = _rest_of_a_polynomial(places / stretch, values), k and len(np.unique(values)) > PLACES / 2
            if not settled or rest < COARSE * largest:
                found = max(found, rest)
            if settled:
                return max(found, eps * largest / 2), found > DROWNED * largest
        return max(4 * eps * largest, found), found > DROWNED * largest


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
    """An extrapolated slope.

    error     how far off it may be, estimated; noise: how much of that is noise
    settled   whether the slopes that went into it come closer and closer, as those of a smooth function do
    """

    slope: float
    error: float
    noise: float
    settled: bool


def steps_from(longest: float) -> list[float]:
    """The steps that one estimate is made of, longest first."""
    return [longest * RATIO**k for k in range(LEVELS)]


def extrapolated(slopes: Sequence[float], noises: Sequence[float], power: int) -> _Estimate:
    """The limit of slopes from steps that get shorter (`steps_from`), and how far off it may be.

    power: 2 if their errors are a series in step ** 2, 1 if in step. Each column of Richardson's table takes one more
    term of that series away; the error is what the last column changed, and the noise that went into it.
    """
    row, noise, before = [slopes[0]], [noises[0]], [slopes[0]]
    for k in range(1, len(slopes)):
        before, noise_before = row, noise
        row, noise = [slopes[k]], [noises[k]]
        for j in range(1, k + 1):
            factor = RATIO ** (-power * j)
            row.append(row[-1] + (row[-1] - before[j - 1]) / (factor - 1))
            noise.append((factor * noise[-1] + noise_before[j - 1]) / (factor - 1))
    changed = max(abs(row[-1] - row[-2]), abs(row[-1] - before[-1]))
    earlier, later = abs(slopes[-2] - slopes[-3]), abs(slopes[-1] - slopes[-2])
    return _Estimate(row[-1], changed + noise[-1], noise[-1], later <= 0.75 * earlier + 2 * noises[-1])


def _two_slopes(one: _Estimate, other: _Estimate) -> bool:
    """Whether the slopes to both sides are two."""
    return abs(one.slope - other.slope) > 4 * max(one.error, other.error)


@dataclass(frozen=True)
class _Pair:
    """The slopes to both sides, from steps of one length; one estimate twice, where there is only one slope."""

    one: _Estimate
    other: _Estimate

    @property
    def error(self) -> float:
        """The larger of the two."""
        return max(x.error if math.isfinite(x.error) else math.inf for x in (self.one, self.other))

    @property
    def noise(self) -> float:
        """The larger of the two."""
        return max(self.one.noise, self.other.noise)

    @property
    def size(self) -> float:
        """How large the slopes are: the smaller of the two."""
        return min(abs(self.one.slope), abs(self.other.slope))

    @property
    def settled(self) -> bool:
        """Whether both are."""
        return self.one.settled and self.other.settled

    def betters(self, before: _Pair) -> bool:
        """Whether this is more trustworthy than what longer steps gave: it may show that those were too long."""
        if self.settled != before.settled:
            return self.settled
        error, pairs = self.error + before.error, ((self.one, before.one), (self.other, before.other))
        return self.error < before.error or any(abs(x.slope - y.slope) > error for x, y in pairs)

    def slope(self, jumps: bool) -> Slope:
        """The slope that it amounts to."""
        if not math.isfinite(self.error):
            return Slope(math.nan, math.nan, math.inf, "unknown")
        if not self.settled:
            return Slope(-math.inf, math.inf, math.inf, "jump" if jumps else "rough")
        low, high = sorted((self.one.slope, self.other.slope))
        if not _two_slopes(self.one, self.other):  # the branches that meet here have the same slope
            low = high = min(self.one, self.other, key=lambda x: x.error).slope
        return Slope(low, high, self.error, "kink" if low < high else "smooth")


def _size(x: Array) -> float:
    """How large the elements of an array are; 1 if they are all zero, or if there is none."""
    return float(np.max(np.abs(x), initial=0)) or 1.0


def scale_of(x: Array, index: tuple[int, ...] | None = None) -> float:
    """What a step of one element of `x` is small beside: its own size, but not much less than that of the others.

    Without an index: what one of all elements together is.
    """
    return _size(x) if index is None else max(abs(float(x[index])), 0.1 * _size(x))
