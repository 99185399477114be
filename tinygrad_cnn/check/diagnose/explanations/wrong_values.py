"""Mistakes that the values alone show."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
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


class Sign(Explanation):
    """The sign is wrong."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        return sentences.SIGN if case.accounts(-case.expected) else None


class Factor(Explanation):
    """A constant factor: 2, 1/2, the length of an axis where a mean was a sum, or another."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if case.hand_derived.shape != case.expected.shape:
            return None
        size = float(np.sum(case.expected * case.expected))
        factor = float(np.sum(case.expected * case.hand_derived)) / size if size else 0.0
        if not np.any(case.hand_derived) and case.expected.size:
            return sentences.ZERO
        if not math.isfinite(factor) or factor == 0 or not case.accounts(factor * case.expected):
            return None
        return _named_factor(factor, case)


def _named_factor(factor: float, case: Case) -> str | None:
    """A factor in words: a length of some value first, then a plain number, then any."""
    sign = "minus " if factor < 0 else ""
    factor = abs(factor)
    values = [(node.like.shape, name) for node, name in case.names.items() if node.primitive is not None]
    lengths: Lengths = [((axis,), shape, name) for shape, name in values for axis in range(len(shape))]
    found = _number_of_elements(factor, lengths, sign)
    if found is not None:
        return found
    plain = plainly(factor)
    if plain is not None:
        return sentences.TIMES.format(factor=f"{sign}{plain}")
    several: Lengths = [(axes, shape, name) for shape, name in values for axes in subsets(len(shape)) if len(axes) > 1]
    found = _number_of_elements(factor, several, sign)
    if found is not None:
        return found
    if case.expected.size < 3:  # of so few numbers, some factor always holds
        return None
    words = sentences.TIMES_EVERYWHERE.format(factor=f"{sign}{factor:.6g}")
    for (axis,), shape, name in lengths:
        root = math.sqrt(shape[axis])
        for value, called in ((root, "the root"), (1 / (root or 1.0), "1 over the root")):
            if shape[axis] > 2 and math.isclose(factor, value, rel_tol=1e-6):
                return sentences.ROOT_OF_LENGTH.format(factor=words, root=called, axis=axis, name=name, shape=shape)
    return words


Lengths = Sequence[tuple[tuple[int, ...], tuple[int, ...], str]]  # axes, shape and name of a value


def _number_of_elements(factor: float, lengths: Lengths, sign: str) -> str | None:
    """A factor that is as many elements as a value has along some axes, or 1 by that."""
    for axes, shape, name in lengths:
        n = math.prod(shape[axis] for axis in axes)
        if len(axes) == 1:
            length = sentences.LENGTH.format(axis=axes[0], name=name, shape=shape)
        else:
            length = sentences.LENGTHS.format(axes=axes, name=name, shape=shape)
        if n > 2 and math.isclose(factor, n, rel_tol=1e-6):
            return sentences.SUM_FOR_MEAN.format(factor=f"{sign}{n}", length=length)
        if n > 2 and math.isclose(factor, 1 / n, rel_tol=1e-6):
            return sentences.MEAN_FOR_SUM.format(factor=f"{sign}1/{n}", length=length)
    return None


def plainly(factor: float) -> str | None:
    """A factor that people forget, in words; None for others."""
    plain = ((2.0, "2"), (0.5, "1/2"), (4.0, "4"), (0.25, "1/4"))
    return next((words for value, words in plain if math.isclose(factor, value, rel_tol=1e-6)), None)


class Transposed(Explanation):
    """The axes are reversed."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if case.expected.ndim < 2 or not case.accounts(case.expected.T):
            return None
        if case.hand_derived.shape == case.expected.shape:
            return sentences.TRANSPOSED
        return sentences.TRANSPOSED_SHAPE.format(actual=case.hand_derived.shape, expected=case.expected.shape)


class PermutedAxes(Explanation):
    """The axes are in another order."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if not 2 < case.expected.ndim < 6:
            return None
        for axes in itertools.permutations(range(case.expected.ndim)):
            if list(axes) != sorted(axes) and case.accounts(case.expected.transpose(axes)):
                return sentences.PERMUTED.format(axes=axes)
        return None


class Reversed(Explanation):
    """Reversed along some axes: a convolution where a cross-correlation is meant."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        for axes in subsets(case.expected.ndim):
            if case.accounts(np.flip(case.expected, axes)):
                kernel = axes == (case.expected.ndim - 2, case.expected.ndim - 1)
                return (sentences.FLIPPED_KERNEL if kernel else sentences.REVERSED).format(axes=_axes(axes))
        return None


class Reshaped(Explanation):
    """The right values, in another shape."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if case.hand_derived.shape == case.expected.shape or case.hand_derived.size != case.expected.size:
            return None
        if not case.accounts(case.expected.reshape(case.hand_derived.shape)):
            return None
        return sentences.RESHAPED.format(actual=case.hand_derived.shape, expected=case.expected.shape)


class Summed(Explanation):
    """A sum over an axis along which something was broadcast is missing, or there is one too many."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        for axes in subsets(case.hand_derived.ndim):
            summed = np.sum(case.hand_derived, axis=axes)
            if summed.size == case.expected.size and _is(summed.reshape(case.expected.shape), case.expected, case):
                if case.hand_derived.size == case.expected.size:
                    continue
                return sentences.SUM_MISSING.format(
                    axes=_axes(axes), actual=case.hand_derived.shape, expected=case.expected.shape
                )
        for axes in subsets(case.expected.ndim):
            summed = np.sum(case.expected, axis=axes, keepdims=True)
            if summed.size == case.expected.size:
                continue
            if case.hand_derived.shape == case.expected.shape and case.accounts(
                np.broadcast_to(summed, case.expected.shape)
            ):
                return sentences.SUMMED.format(axes=_axes(axes))
            if case.hand_derived.size == summed.size and case.accounts(summed.reshape(case.hand_derived.shape)):
                return sentences.SUMMED_SHAPE.format(axes=_axes(axes), actual=case.hand_derived.shape)
        return None


def subsets(ndim: int) -> Iterator[tuple[int, ...]]:
    """Some of so many axes, few first."""
    for size in range(1, min(ndim, 5) + 1):
        yield from itertools.combinations(range(ndim), size)


def _axes(axes: tuple[int, ...]) -> str:
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {axes}"


def _is(x: Array, y: Array, case: Case) -> bool:
    return largest(x - y) <= 8 * case.rounding * math.sqrt(max(case.hand_derived.size, 1))


class FactorOfValue(Explanation):
    """A factor of the chain rule that is missing, or one too many, and is a value of the graph or made of one."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if case.hand_derived.shape != case.expected.shape or case.hand_derived.size < 2:
            return None
        some = np.unravel_index(np.argsort(-np.abs(case.expected), axis=None)[:SOME], case.expected.shape)
        few = replace(case, hand_derived=case.hand_derived[some], expected=case.expected[some])
        known = case.values() | case.results()
        varying = {name: value for name, value in known.items() if np.ptp(value[some]) > 0}
        for form, made in FORMS.items():
            for name, value in varying.items():
                with np.errstate(all="ignore"):
                    here = made(value[some])
                    if few.accounts(few.expected * here) and case.accounts(case.expected * made(value)):
                        return sentences.FACTOR_TOO_MANY.format(factor=form.format(name))
                    if few.accounts(few.expected / here) and case.accounts(case.expected / made(value)):
                        return sentences.FACTOR_MISSING.format(factor=form.format(name))
        return None


FORMS: dict[str, Any] = {
    "{0}": lambda v: v,
    "(1 - {0})": lambda v: 1 - v,
    "(1 + {0})": lambda v: 1 + v,
    "{0} (1 - {0})": lambda v: v * (1 - v),
    "(1 - {0}^2)": lambda v: 1 - v * v,
    "{0}^2": lambda v: v * v,
}


class NotCropped(Explanation):
    """What was padded is not cropped again."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if case.hand_derived.ndim != case.expected.ndim or case.hand_derived.shape == case.expected.shape:
            return None
        margins = [(a - b) / 2 for a, b in zip(case.hand_derived.shape, case.expected.shape, strict=True)]
        if min(margins) < 0:
            return None
        corners = [(int(m), int(m) + n) for m, n in zip(margins, case.expected.shape, strict=True)]
        inside = case.hand_derived[tuple([slice(*corner) for corner in corners])]
        if not _is(inside, case.expected, case):
            return None
        return sentences.NOT_CROPPED.format(actual=case.hand_derived.shape, expected=case.expected.shape)


class OffByOne(Explanation):
    """OffByOne by one along an axis: a window that is off by one."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if case.hand_derived.shape != case.expected.shape:
            return None
        for axis, n in enumerate(case.expected.shape):
            if n < 3:
                continue
            rest = (slice(None),) * axis
            first, last = (*rest, slice(None, -1)), (*rest, slice(1, None))
            for by, here, there in (("before", last, first), ("after", first, last)):
                if largest(case.expected[there]) and _is(case.hand_derived[here], case.expected[there], case):
                    return sentences.OFF_BY_ONE.format(axis=axis, neighbour=by)
        return None


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
