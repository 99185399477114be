"""Mistakes that are seen in the numbers alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.explanations.case import Case, Explanation, broadcast, is_float
from tinygrad_cnn.check.diagnose.steps import largest
from tinygrad_cnn.engine.graph import Array

SOME = 32  # elements that are tried before all are


class InFloat32(Explanation):
    """Computed with 32 bits, where 64 were asked for."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if case.hand.shape != case.right.shape or not np.array_equal(case.hand, case.hand.astype(np.float32)):
            return None
        unit = float(np.finfo(np.float32).eps) * largest(case.right)
        apart = largest(case.hand - case.right)
        if not 0 < apart < 200 * unit or case.rounding > unit / 100:
            return None
        return "it is computed in float32: its numbers have 32 bits, and it is off by the rounding of such"


class Sign(Explanation):
    """The sign is wrong."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        return "the sign is wrong" if case.accounts(-case.right) else None


class Factor(Explanation):
    """A constant factor: 2, 1/2, the length of an axis where a mean was a sum, or another."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if case.hand.shape != case.right.shape:
            return None
        size = float(np.sum(case.right * case.right))
        factor = float(np.sum(case.right * case.hand)) / size if size else 0.0
        if not np.any(case.hand) and case.right.size:
            return "it is 0 in every element"
        if not math.isfinite(factor) or factor == 0 or not case.accounts(factor * case.right):
            return None
        return _named_factor(factor, case)


def _named_factor(factor: float, case: Case) -> str | None:
    sign = "minus " if factor < 0 else ""
    factor = abs(factor)
    values = [(node.like.shape, name) for node, name in case.names.items() if node.primitive is not None]
    lengths = [((axis,), shape, name) for shape, name in values for axis in range(len(shape))]
    several = [(axes, shape, name) for shape, name in values for axes in subsets(len(shape)) if len(axes) > 1]
    found = _number_of_elements(factor, lengths, sign) or plainly(factor) or _number_of_elements(factor, several, sign)
    if found is not None:
        return found if found.startswith("it is") else f"it is {sign}{found} times what it should be"
    if case.right.size < 3:  # of so few numbers, some factor always holds
        return None
    words = f"it is {sign}{factor:.6g} times what it should be, in every element"
    for (axis,), shape, name in lengths:
        for root, said in ((math.sqrt(shape[axis]), "the root"), (1 / math.sqrt(shape[axis] or 1), "1 by the root")):
            if shape[axis] > 2 and math.isclose(factor, root, rel_tol=1e-6):
                return f"{words}: {said} of the length of axis {axis} of {name}, {shape}"
    return words


Lengths = Sequence[tuple[tuple[int, ...], tuple[int, ...], str]]  # axes, shape and name of a value


def _number_of_elements(factor: float, lengths: Lengths, sign: str) -> str | None:
    """A factor that is as many elements as a value has along some axes, or 1 by that."""
    for axes, shape, name in lengths:
        n = math.prod(shape[axis] for axis in axes)
        along = f"the length of axis {axes[0]}" if len(axes) == 1 else f"the number of elements along axes {axes}"
        along += f" of {name}, {shape}"
        if n > 2 and math.isclose(factor, n, rel_tol=1e-6):
            return f"it is {sign}{n} times what it should be, {along}: perhaps a sum where a mean is meant"
        if n > 2 and math.isclose(factor, 1 / n, rel_tol=1e-6):
            return f"it is {sign}1/{n} of what it should be, {along}: perhaps a mean where a sum is meant"
    return None


def plainly(factor: float) -> str | None:
    """A factor that people forget, in words; None for others."""
    plain = ((2.0, "2"), (0.5, "1/2"), (4.0, "4"), (0.25, "1/4"))
    return next((words for value, words in plain if math.isclose(factor, value, rel_tol=1e-6)), None)


class Transposed(Explanation):
    """The axes are reversed."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if case.right.ndim < 2 or not case.accounts(case.right.T):
            return None
        shapes = f": {case.hand.shape} where {case.right.shape} is right"
        return "it is transposed" + (shapes if case.hand.shape != case.right.shape else "")


class PermutedAxes(Explanation):
    """The axes are in another order."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if not 2 < case.right.ndim < 6:
            return None
        for axes in itertools.permutations(range(case.right.ndim)):
            if list(axes) != sorted(axes) and case.accounts(case.right.transpose(axes)):
                return f"its axes are permuted: it is the right one with transpose{axes}"
        return None


class Reversed(Explanation):
    """Back to front along some axes: a convolution, where a cross-correlation is meant."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        for axes in subsets(case.right.ndim):
            if case.accounts(np.flip(case.right, axes)):
                kernel = axes == (case.right.ndim - 2, case.right.ndim - 1)
                flipped = ", as the kernel of a convolution where a cross-correlation is meant" if kernel else ""
                return f"it is back to front along {_axes(axes)}{flipped}"
        return None


class Reshaped(Explanation):
    """The right numbers, in another shape."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if case.hand.shape == case.right.shape or case.hand.size != case.right.size:
            return None
        if not case.accounts(case.right.reshape(case.hand.shape)):
            return None
        return f"the numbers are right, but in shape {case.hand.shape} instead of {case.right.shape}"


class Summed(Explanation):
    """A sum over an axis along which something was broadcast is missing, or there is one too many."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        for axes in subsets(case.hand.ndim):
            summed = np.sum(case.hand, axis=axes)
            if summed.size == case.right.size and _is(summed.reshape(case.right.shape), case.right, case):
                if case.hand.size == case.right.size:
                    continue
                return (
                    f"a sum over {_axes(axes)} is missing: by hand it has shape {case.hand.shape}, and what is "
                    f"broadcast has shape {case.right.shape}"
                )
        for axes in subsets(case.right.ndim):
            summed = np.sum(case.right, axis=axes, keepdims=True)
            if summed.size == case.right.size:
                continue
            if case.hand.shape == case.right.shape and case.accounts(np.broadcast_to(summed, case.right.shape)):
                return f"it is summed over {_axes(axes)}, and should not be"
            if case.hand.size == summed.size and case.accounts(summed.reshape(case.hand.shape)):
                return f"it is summed over {_axes(axes)}, and should not be: shape {case.hand.shape}"
        return None


def subsets(ndim: int) -> Iterator[tuple[int, ...]]:
    """Some of so many axes, few first."""
    for size in range(1, min(ndim, 5) + 1):
        yield from itertools.combinations(range(ndim), size)


def _axes(axes: tuple[int, ...]) -> str:
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {axes}"


def _is(x: Array, y: Array, case: Case) -> bool:
    return largest(x - y) <= 8 * case.rounding * math.sqrt(max(case.hand.size, 1))


class FactorOfValue(Explanation):
    """A factor of the chain rule that is missing, or one too many, and is a value of the graph or made of one."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if case.hand.shape != case.right.shape or case.hand.size < 2:
            return None
        some = np.unravel_index(np.argsort(-np.abs(case.right), axis=None)[:SOME], case.right.shape)
        few = replace(case, hand=case.hand[some], right=case.right[some])
        known = case.values() | case.results()
        varying = {name: value for name, value in known.items() if np.ptp(value[some]) > 0}
        for form, made in FORMS.items():
            for name, value in varying.items():
                with np.errstate(all="ignore"):
                    here = made(value[some])
                    if few.accounts(few.right * here) and case.accounts(case.right * made(value)):
                        return f"there is a factor {form.format(name)} too many"
                    if few.accounts(few.right / here) and case.accounts(case.right / made(value)):
                        return f"the factor {form.format(name)} is missing"
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
        if case.hand.ndim != case.right.ndim or case.hand.shape == case.right.shape:
            return None
        margins = [(a - b) / 2 for a, b in zip(case.hand.shape, case.right.shape, strict=True)]
        if min(margins) < 0:
            return None
        corners = [(int(m), int(m) + n) for m, n in zip(margins, case.right.shape, strict=True)]
        inside = case.hand[tuple([slice(*corner) for corner in corners])]
        if not _is(inside, case.right, case):
            return None
        return f"the padding is not cropped: shape {case.hand.shape} where {case.right.shape} is right"


class Moved(Explanation):
    """Moved by one along an axis: a window that is off by one."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if case.hand.shape != case.right.shape:
            return None
        for axis, n in enumerate(case.right.shape):
            if n < 3:
                continue
            rest = (slice(None),) * axis
            first, last = (*rest, slice(None, -1)), (*rest, slice(1, None))
            for by, here, there in (("before", last, first), ("after", first, last)):
                if largest(case.right[there]) and _is(case.hand[here], case.right[there], case):
                    return f"it is off by one along axis {axis}: an element has what the one {by} it should have"
        return None


class Epsilon(Explanation):
    """An epsilon in a denominator that the loss does not have."""

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if case.hand.shape != case.right.shape or case.hand.size < 2:
            return None
        known = np.isfinite(case.hand) & np.isfinite(case.right) & (case.hand != 0) & (case.right != 0)
        if np.count_nonzero(known) < 2:
            return None
        with np.errstate(all="ignore"):
            ratio = np.where(known, case.right / np.where(known, case.hand, 1), 1)
        for name, value in _likely(list(_denominators(case)), ratio, known):
            for words, candidates in ((name, [value]), (f"{name} or 1 - {name}", [value, 1 - value])):
                epsilon = _constant([d * (ratio - 1) for d in candidates], known)
                if epsilon and abs(epsilon) < 0.1 * largest(value):
                    explained = _closest(case, [d / (d + s * epsilon) for d in candidates for s in (1, -1)])
                    if case.accounts(explained):
                        return f"there is an epsilon of {abs(epsilon):.4g} in a denominator, beside {words}"
        return None


def _denominators(case: Case) -> Iterator[tuple[str, Array]]:
    yield from case.values().items()
    for node in case.step:
        for x in (*node.operands, node.like):
            if is_float(x):
                fitted = broadcast(np.asarray(x), case.right.shape)
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
    """`right` times that of the factors which, element by element, comes closest to the hand's."""
    with np.errstate(all="ignore"):
        tried = np.array([case.right * factor for factor in factors])
    off = np.abs(tried - case.hand)
    best = np.argmin(np.where(np.isfinite(off), off, np.inf), axis=0)
    return np.take_along_axis(tried, best[None], axis=0)[0]
