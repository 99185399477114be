"""Mistakes that the values alone show: computed in float32, or with an epsilon in a denominator."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.deadline import time_left
from tinygrad_cnn.check.diagnose.explanations.case import Case, broadcast, is_float
from tinygrad_cnn.check.diagnose.explanations.search import Explanation
from tinygrad_cnn.check.witnesses.magnitude import largest
from tinygrad_cnn.engine.graph import Array

SOME = 32  # elements that are tried before all are


class InFloat32(Explanation):
    """Computed in float32, where the parameters are float64."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        derived = case.hand_derived
        if derived.shape != case.expected.shape or not np.array_equal(derived, derived.astype(np.float32)):
            return None
        unit = float(np.finfo(np.float32).eps) * largest(case.expected)
        if not 0 < largest(derived - case.expected) < 200 * unit or case.rounding > unit / 100:
            return None
        return sentences.IN_FLOAT32


class Epsilon(Explanation):
    """An epsilon in a denominator that the loss does not have."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if case.hand_derived.shape != case.expected.shape or case.hand_derived.size < 2:
            return None
        known = (
            np.isfinite(case.hand_derived)
            & np.isfinite(case.expected)
            & (case.hand_derived != 0)
            & (case.expected != 0)
        )
        if np.count_nonzero(known) < 2:
            return None
        with np.errstate(all="ignore"):
            ratio = np.where(known, case.expected / np.where(known, case.hand_derived, 1), 1)
        for name, value in _likely(list(_denominators(case)), ratio, known):
            for words, candidates in ((name, [value]), (f"{name} or 1 - {name}", [value, 1 - value])):
                epsilon = _constant([d * (ratio - 1) for d in candidates], known)
                if epsilon and abs(epsilon) < 0.1 * largest(value):
                    explained = _closest(case, [d / (d + s * epsilon) for d in candidates for s in (1, -1)])
                    if case.accounts(explained):
                        return sentences.EPSILON.format(epsilon=abs(epsilon), denominator=words)
        return None


def _denominators(case: Case) -> Iterator[tuple[str, Array]]:
    yield from case.values().items()
    for node in case.step:
        time_left()
        for x in (*node.operands, node.like):
            if is_float(x):
                fitted = broadcast(np.asarray(x), case.expected.shape)
                if fitted is not None:
                    yield f"an operand of {node.primitive.__name__}", fitted


def _likely(values: list[tuple[str, Array]], ratio: Array, known: Array) -> list[tuple[str, Array]]:
    """Those of many values with which `_constant` has an answer, by the first few elements."""
    some = tuple(places[:SOME] for places in np.nonzero(known))
    if not values:
        return values
    with np.errstate(all="ignore"):
        few = np.array([value[some] for _, value in values], float)
        sizes = np.abs(np.array([few, 1 - few]) * (ratio[some] - 1))  # (2, values, elements)
        near = [np.min(np.abs(sizes - first), axis=0) <= 0.01 * first for first in sizes[:, :, :1]]
    likely = np.any(np.all(near, axis=-1), axis=0)
    return [value for value, is_likely in zip(values, likely, strict=True) if is_likely]


def _constant(found: list[Array], known: Array) -> float | None:
    """The number that for each element one of `found` has, but for its sign; None if there is none."""
    sizes = [np.abs(x[known]) for x in found]
    for candidate in np.unique([float(np.median(x)) for x in sizes]):
        if candidate > 0 and np.all(np.min([np.abs(x - candidate) for x in sizes], axis=0) < 1e-3 * candidate):
            return float(candidate)
    return None


def _closest(case: Case, factors: list[Array]) -> Array:
    """`expected` times that of the factors which, element by element, comes closest to the hand-derived gradient."""
    with np.errstate(all="ignore"):
        tried = np.array([case.expected * factor for factor in factors])
    off = np.abs(tried - case.hand_derived)
    best = np.argmin(np.where(np.isfinite(off), off, np.inf), axis=0)
    return np.take_along_axis(tried, best[None], axis=0)[0]
