"""The slopes that the third witness takes: along which elements and directions, and in which precision."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.deadline import Deadline, until
from tinygrad_cnn.check.witnesses.autodiff import EVERY_RUN, Autodiff, Subject
from tinygrad_cnn.check.witnesses.finite_differences import (
    FiniteDifferences,
    OutOfBudgetError,
    Slope,
    along_element,
    along_vectors,
    scale_of,
)
from tinygrad_cnn.check.witnesses.hand_derived import HandDerived
from tinygrad_cnn.check.witnesses.magnitude import largest_finite
from tinygrad_cnn.engine.graph import Array, Node

ALL_OF = 512  # of a parameter of no more elements all are measured, if that is affordable; of others SOME
SOME, FEWEST, DIRECTIONS = 72, 12, 4  # a third by difference, a third by size, a third at random; and directions
AFFORDABLE = 2.0  # seconds, about, that all slopes together may take
EVALUATIONS = 8  # of the loss, about, for a slope
FINE = 64  # so many elements of each parameter are measured in long double; others if double does not settle them
SETTLED = 1e-7  # the error that does, as a share of the largest element of the gradient

Index = tuple[int, ...]
Precision = Literal["double", "long double"]
DTYPES: dict[Precision, Any] = {"double": np.float64, "long double": np.longdouble}


@dataclass
class Sampled:
    """Slopes by finite differences.

    slopes        for each leaf, by element
    along         for each leaf, along random directions (`random_direction`) of it
    evaluations   how often the loss was computed; precision: in which
    notes         what was left out
    """

    slopes: list[dict[Index, Slope]]
    along: list[list[Slope]]
    evaluations: int = 0
    precision: str = "double"
    notes: list[str] = field(default_factory=list)


def how_many(subject: Subject, auto: Autodiff) -> int:
    """How many slopes are going to be taken, about."""
    return sum(n if n == x.size else n + DIRECTIONS for n, x in _numbers(subject, auto))


def _numbers(subject: Subject, auto: Autodiff) -> list[tuple[int, Array]]:
    """Of how many elements of each leaf slopes are taken: as many as the cost of the loss leaves time for.

    The cost is counted and not timed, so that a check does the same each time that it is run.
    """
    each = int(AFFORDABLE / (EVALUATIONS * _seconds(subject, auto))) // max(1, len(subject.leaves))
    return [
        (x.size if x.size <= max(FEWEST, min(ALL_OF, each)) else max(FEWEST, min(SOME, each)), x)
        for x in subject.leaves
    ]


def _seconds(subject: Subject, auto: Autodiff) -> float:
    """What computing the loss once takes, about: a microsecond or two for each operation, and the work of it."""
    elements = sum(x.size for x in subject.leaves) + sum(int(np.size(node.like)) for node in auto.run.computed())
    return float(2e-6 * (1 + len(auto.run.nodes)) + 2e-9 * elements + 2e-10 * auto.products)


def no_slopes(subject: Subject) -> Sampled:
    """What was sampled if nothing was."""
    return Sampled([{} for _ in subject.leaves], [[] for _ in subject.leaves])


def random_direction(shape: tuple[int, ...], number: int) -> Array:
    """A vector of normal numbers, always the same one; large ones are made anew rather than kept."""
    return np.random.default_rng([number, *shape]).standard_normal(shape)


class _Sampler:
    """Takes slopes in either precision, out of one budget. advance: called after each slope."""

    def __init__(
        self, subject: Subject, auto: Autodiff, most: int | None, deadline: Deadline, advance: Callable[[], None]
    ) -> None:
        self.subject, self.autodiff, self.deadline, self.advance = subject, auto, deadline, advance
        self.most = math.inf if most is None else most
        self.differences: dict[Precision, FiniteDifferences] = {}

    def along_element(self, precision: Precision, leaf: int, index: Index) -> Slope:
        """The slope of one element of a leaf."""
        there = self._differences(precision)
        x = there.leaves[leaf]
        slope = there.slope(along_element(there.leaves, leaf, index), scale_of(x, index))
        self.advance()
        return slope

    def along_random(self, precision: Precision, leaf: int, number: int) -> Slope:
        """The slope along the random direction of that number of a leaf."""
        there = self._differences(precision)
        x = there.leaves[leaf]
        vectors: list[Array | None] = [None] * len(there.leaves)
        vectors[leaf] = random_direction(x.shape, number)
        slope = there.slope(along_vectors(there.leaves, vectors), scale_of(x))
        self.advance()
        return slope

    def evaluations(self) -> int:
        """How often the loss was computed, in both precisions."""
        return sum(differences.used for differences in self.differences.values())

    def _differences(self, precision: Precision) -> FiniteDifferences:
        if precision not in self.differences:
            dtype = DTYPES[precision]

            def exhausted(used: int) -> bool:
                elsewhere = [other.used for name, other in self.differences.items() if name != precision]
                return self.deadline.is_over() or used + sum(elsewhere) >= self.most

            first = self.autodiff.run if all(x.dtype == dtype for x in self.subject.leaves) else None
            self.differences[precision] = FiniteDifferences(
                self.subject.loss, self.subject.form, self.subject.leaves, dtype,
                self.autodiff.opaque is not None, exhausted, first,
            )  # fmt: skip
        return self.differences[precision]


def sample_slopes(
    subject: Subject,
    auto: Autodiff,
    derived: HandDerived | None,
    seed: int,
    evaluations: int | None,
    deadline: Deadline,
    advance: Callable[[], None],
) -> Sampled:
    """Take slopes of all elements of small parameters, and of some of large ones.

    evaluations: how often the loss may be computed, if that is limited. advance: called after each slope.
    """
    found = no_slopes(subject)
    sampler = _Sampler(subject, auto, evaluations, deadline, advance)
    numbers = _numbers(subject, auto)
    elements = _elements(numbers, auto, derived, seed, found.notes)
    finished = False
    with until(deadline), contextlib.suppress(OutOfBudgetError):
        for leaf, (n, x) in enumerate(numbers):
            if n < x.size:
                for number in range(DIRECTIONS * seed, DIRECTIONS * (seed + 1)):
                    found.along[leaf].append(sampler.along_random("double", leaf, number))
        for rank, leaf, index in elements:
            found.slopes[leaf][index] = _slope(sampler, rank, leaf, index)
        finished = True
    if not finished:
        missing = len(elements) - sum(map(len, found.slopes))
        found.notes.append(sentences.OUT_OF_BUDGET.format(n=missing) if any(found.slopes) else sentences.NO_BUDGET)
    found.evaluations = sampler.evaluations()
    found.precision = " and ".join(sorted(sampler.differences, reverse=True)) or "double"
    return found


def _slope(sampler: _Sampler, rank: int, leaf: int, index: Index) -> Slope:
    """The slope of one element: in double, unless long double is affordable and worth it."""
    auto = sampler.autodiff
    in_long_double = auto.precisely and auto.products <= EVERY_RUN
    if in_long_double and rank < FINE:
        return sampler.along_element("long double", leaf, index)
    slope = sampler.along_element("double", leaf, index)
    size = largest_finite(auto.cotangents.get(auto.run.parameters[leaf], 0.0))
    if in_long_double and not slope.error <= SETTLED * size:
        return sampler.along_element("long double", leaf, index)
    return slope


def _elements(
    numbers: list[tuple[int, Array]], auto: Autodiff, derived: HandDerived | None, seed: int, notes: list[str]
) -> list[tuple[int, int, Index]]:
    """(rank, leaf, index) of the elements to be measured: one of each parameter in turn, and of each those first in
    which autodiff and the hand-derived gradient differ most.
    """
    rng, queues = np.random.default_rng(seed), []
    for k, ((n, x), node) in enumerate(zip(numbers, auto.run.parameters, strict=True)):
        by_autodiff = np.reshape(auto.cotangents[node], -1) if node in auto.cotangents else np.zeros(x.size)
        differences = _differences(by_autodiff, node, derived)
        if n < x.size:
            third = n // 3
            steepest = _first(by_autodiff, third)
            chosen = [*_first(differences, third), *steepest, *rng.choice(x.size, third, replace=False)]
            ranked = np.array(list(dict.fromkeys(int(i) for i in chosen)))
            notes.append(
                sentences.SAMPLED.format(
                    parameter=node.name or "params", n=len(ranked), size=x.size, directions=DIRECTIONS
                )
            )
        else:
            ranked = _first(differences, x.size)
        places = [tuple(int(i) for i in np.unravel_index(place, x.shape)) for place in ranked]
        queues.append([(rank, k, place) for rank, place in enumerate(places)])
    return _in_turn(queues)


def _differences(by_autodiff: Array, node: Node, derived: HandDerived | None) -> Array:
    """Hand-derived less autodiff, flat; where there is nothing to subtract from, the gradient by autodiff."""
    if derived is None or node not in derived.of or derived.of[node][1].shape != node.like.shape:
        return by_autodiff
    with np.errstate(invalid="ignore"):
        return np.asarray(derived.of[node][1].reshape(-1) - by_autodiff)


def _in_turn(queues: list[list[tuple[int, int, Index]]]) -> list[tuple[int, int, Index]]:
    """The first of each queue, then the second of each, and so on."""
    longest = max(map(len, queues), default=0)
    return [queue[i] for i in range(longest) for queue in queues if i < len(queue)]


def _first(x: Array, n: int) -> Array:
    """The places of the `n` elements with the largest absolute values, the largest first, NaNs before them."""
    size = np.abs(x)
    size[np.isnan(size)] = np.inf
    places = np.argpartition(size, x.size - n)[x.size - n :] if n < x.size else np.arange(x.size)
    return places[np.lexsort((places, -size[places]))]
