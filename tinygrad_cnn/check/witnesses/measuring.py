"""Which elements numbers are asked for, and in which precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.steps import largest_finite
from tinygrad_cnn.check.report.progress import Progress
from tinygrad_cnn.check.witnesses.autodiff import EVERY_RUN, Autodiff, Subject
from tinygrad_cnn.check.witnesses.finite_differences import (
    Numbers,
    OutOfBudgetError,
    Slope,
    along_element,
    along_vectors,
    scale_of,
)
from tinygrad_cnn.check.witnesses.hand_derived import ByHand
from tinygrad_cnn.engine.graph import Array

ALL_OF = 512  # of a parameter of no more elements, all are measured; of a larger one, as many as follow
LARGEST, RANDOM, DIRECTIONS = 24, 24, 4
FINE = 64  # so many elements of each parameter are measured in long double; others if double does not settle them
SETTLED = 1e-7  # the error that does, as a share of the largest element of the gradient

Index = tuple[int, ...]


@dataclass
class Measured:
    """What numbers say.

    slopes        for each leaf, by element
    along         for each leaf, along random directions (`random_direction`) of it
    evaluations   how often the loss was computed; precision: in what
    notes         what was left out
    """

    slopes: list[dict[Index, Slope]]
    along: list[list[Slope]]
    evaluations: int = 0
    precision: str = "double"
    notes: list[str] = field(default_factory=list)


def how_many(subject: Subject) -> int:
    """How many elements are going to be measured, about."""
    return sum(x.size if x.size <= ALL_OF else 2 * LARGEST + RANDOM + DIRECTIONS for x in subject.leaves)


def nothing(subject: Subject) -> Measured:
    """Nothing was measured."""
    return Measured([{} for _ in subject.leaves], [[] for _ in subject.leaves])


def random_direction(shape: tuple[int, ...], number: int) -> Array:
    """A vector of normal numbers, always the same one; large ones are made anew rather than kept."""
    return np.random.default_rng([number, *shape]).standard_normal(shape)


def measure(
    subject: Subject, auto: Autodiff, hand: ByHand | None, seed: int, exhausted: Callable[[int], bool], bar: Progress
) -> Measured:
    """Take slopes by numbers: of all elements of small parameters, and of some of large ones."""
    found = nothing(subject)
    in_long_double = auto.precisely and auto.products <= EVERY_RUN
    used = {"double": 0, "long double": 0}

    def numbers(precision: str) -> Numbers:
        dtype: Any = np.longdouble if precision == "long double" else np.float64
        others = used["double"] + used["long double"]
        first = auto.run if all(x.dtype == dtype for x in subject.leaves) else None
        return Numbers(
            subject.loss, subject.form, subject.leaves, dtype, auto.opaque is not None,
            lambda n: exhausted(n + others), first,
        )  # fmt: skip

    at_work: dict[str, Numbers] = {}

    def slope(precision: str, leaf: int, index: Index | None, number: int = 0) -> Slope:
        """Along an element, or along the random direction of that number."""
        if precision not in at_work:
            at_work[precision] = numbers(precision)
        n = at_work[precision]
        x = n.leaves[leaf]
        if index is None:
            vectors = [random_direction(x.shape, number) if k == leaf else None for k in range(len(n.leaves))]
            taken = n.slope(along_vectors(n.leaves, vectors), scale_of(x))
        else:
            taken = n.slope(along_element(n.leaves, leaf, index), scale_of(x, index))
        used[precision] = n.used
        bar.advance()
        return taken

    elements = _elements(subject, auto, hand, seed, found.notes)
    try:
        for leaf, x in enumerate(subject.leaves):
            for number in range(DIRECTIONS if x.size > ALL_OF else 0):
                found.along[leaf].append(slope("double", leaf, None, number + DIRECTIONS * seed))
        for rank, leaf, index in elements:
            if in_long_double and rank < FINE:
                taken = slope("long double", leaf, index)
            else:
                taken = slope("double", leaf, index)
                size = largest_finite(auto.cotangents.get(auto.run.parameters[leaf], 0.0))
                if in_long_double and not taken.error <= SETTLED * size:
                    taken = slope("long double", leaf, index)
            found.slopes[leaf][index] = taken
    except OutOfBudgetError:
        missing = len(elements) - sum(map(len, found.slopes))
        if any(found.slopes):
            found.notes.append(f"the budget was used up before {missing} elements were measured by numbers")
        else:
            found.notes.append("nothing was measured by numbers: the loss may not be computed often enough for that")
    found.evaluations = sum(n.used for n in at_work.values())
    found.precision = " and ".join(sorted(at_work, reverse=True)) or "double"
    return found


def _elements(
    subject: Subject, auto: Autodiff, hand: ByHand | None, seed: int, notes: list[str]
) -> list[tuple[int, int, Index]]:
    """(rank, leaf, index) of the elements to be measured: one of each parameter in turn, and of each the elements
    first in which autodiff and hand differ most.
    """
    rng, queues = np.random.default_rng(seed), []
    for k, (x, node) in enumerate(zip(subject.leaves, auto.run.parameters, strict=True)):
        by_autodiff = np.reshape(auto.cotangents[node], -1) if node in auto.cotangents else np.zeros(x.size)
        apart = by_autodiff
        if hand is not None and node in hand.of and hand.of[node][1].shape == x.shape:
            with np.errstate(invalid="ignore"):
                apart = hand.of[node][1].reshape(-1) - by_autodiff
        if x.size > ALL_OF:
            steepest = _first(by_autodiff, LARGEST)
            chosen = [*_first(apart, LARGEST), *steepest, *rng.choice(x.size, RANDOM, replace=False)]
            ranked = np.array(list(dict.fromkeys(int(i) for i in chosen)))
            notes.append(
                f"{node.name or 'params'}: {len(ranked)} of {x.size} elements are measured by numbers, and slopes "
                f"along {DIRECTIONS} random directions of all of them"
            )
        else:
            ranked = _first(apart, x.size)
        places = [tuple(int(i) for i in np.unravel_index(place, x.shape)) for place in ranked]
        queues.append([(rank, k, place) for rank, place in enumerate(places)])
    longest = max(map(len, queues), default=0)
    return [queue[i] for i in range(longest) for queue in queues if i < len(queue)]


def _first(x: Array, n: int) -> Array:
    """The places of the `n` elements with the largest absolute values, the largest first, NaNs before them."""
    size = np.abs(x)
    size[np.isnan(size)] = np.inf
    places = np.argpartition(size, x.size - n)[x.size - n :] if n < x.size else np.arange(x.size)
    return places[np.lexsort((places, -size[places]))]
