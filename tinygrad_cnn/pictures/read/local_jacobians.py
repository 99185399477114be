"""The Jacobian of a single step, sparse: for each element of the result, the elements of an operand that it is computed
from, and the derivative by each of them, its weight.

An element is computed from another if its derivative by that is not 0 at *some* values of the operands; the weight is
the derivative at the values that there are, and may be 0. So a relu has its operand on the dead side too, with weight
0, and the maximum of a window has all of the window, of which the largest has weight 1. What a primitive that is not
declared pure does at other values is not known: of such a one, only weights other than 0 are found.

Nothing here knows a primitive. Where one is declared to be elementwise or to move elements, it follows from
broadcasting, or from moving the digits of their numbers, what goes where. For all others the rule shows it. Pulled
back from halves of the result along each of its axes, a cotangent shows which places along each axis of the operand a
place along an axis of the result may depend on: few of a matrix product, a convolution or a reduction, and all of what
mixes everything. Elements of the result that have no such candidate in common are pulled back at once (Curtis, Powell
and Reid, 1974); where that takes fewer passes, elements of the operand are pushed forward at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.engine.fitting import sum_to
from tinygrad_cnn.engine.transforms import jvp
from tinygrad_cnn.infinities import generic
from tinygrad_cnn.pictures.view.influence import Array, Jacobian

MOST = 2**20  # entries of a Jacobian
FEW = 64  # places along an axis that are pulled back one by one
MOST_PASSES = 1024  # VJPs or JVPs for one
MOST_CANDIDATES = 2**26  # places along an axis of an operand, over all elements of the result


class TooLargeError(ValueError):
    """A Jacobian has more entries, or takes more passes, than are computed."""


class Step(NamedTuple):
    """A call of a primitive: what it was given, and what it gave."""

    primitive: Any
    operands: Sequence[Any]
    static_args: dict[str, Any]
    out: Any

    def at(self, operands: Sequence[Any]) -> Step:
        """The same step with other operands."""
        return self._replace(operands=operands, out=self.primitive.forward(*operands, **self.static_args))

    def pull(self, position: int, g: Array) -> Array:
        """The cotangent of an operand, given the cotangent `g` of the result."""
        shape = np.shape(self.operands[position])
        found = self.primitive.rules[position](g, self.out, *self.operands, **self.static_args)
        return np.asarray(found if np.shape(found) == shape else sum_to(found, shape))

    def push(self, position: int, tangent: Array) -> Array:
        """The derivative of the result along `tangent`, a tangent of an operand."""

        def function(x: Any) -> Any:
            return self.primitive(*_with(self.operands, position, x), **self.static_args)

        return np.asarray(jvp(function, [self.operands[position]], [tangent])[1])


class Jacobians:
    """Makes Jacobians of steps. It keeps the structure of each, for steps that differ from it in values alone."""

    def __init__(self) -> None:
        self._known: dict[Any, _Structure] = {}

    def of(self, step: Step, position: int) -> Jacobian:
        """The Jacobian of `step` by the operand at `position`.

        Raises TypeError for complex numbers, and TooLargeError.
        """
        primitive, operand = step.primitive, step.operands[position]
        if "c" in (np.result_type(step.out).kind, np.result_type(operand).kind):
            raise TypeError(f"{primitive.__name__}: between complex numbers, a derivative is not one number")
        if np.size(step.out) > MOST:
            raise TooLargeError(f"{np.size(step.out):,} elements (at most {MOST:,})")
        with np.errstate(all="ignore"):
            if primitive.elementwise:
                return _elementwise(step, position)
            if primitive.moves:
                zeros = [np.zeros_like(x) if np.result_type(x).kind == "f" else x for x in step.operands]
                return moved(lambda x: primitive.forward(*_with(zeros, position, x), **step.static_args), operand)
            if not np.size(step.out) * np.size(operand) or primitive.rules[position] is None:  # constant but for jumps
                return _by_rows(np.zeros(0, int), np.zeros(0, int), np.zeros(0), np.size(step.out))
            return self._probed(step, position)

    def _probed(self, step: Step, position: int) -> Jacobian:
        """The Jacobian as the rule shows it."""
        key = _key(step, position)
        structure = self._known.get(key) if key is not None else None
        if structure is not None:
            weights = structure.weights(step)
            if structure.explains(step, weights):
                return _by_rows(structure.rows, structure.elements, weights, np.size(step.out))
        steps = [step, *_elsewhere(step)]
        structure = _Structure(steps, position)
        several = [structure.weights(other) for other in steps]
        used = np.any([weights != 0 for weights in several], axis=0)  # as NaN is
        structure.keep(used)
        if key is not None:
            self._known[key] = structure
        return _by_rows(structure.rows, structure.elements, several[0][used], np.size(step.out))


def _elementwise(step: Step, position: int) -> Jacobian:
    shape, operand = np.shape(step.out), step.operands[position]
    elements = np.broadcast_to(np.arange(np.size(operand)).reshape(np.shape(operand)), shape).reshape(-1)
    weights = np.zeros(shape)
    if step.primitive.rules[position] is not None:
        operands = [np.broadcast_to(x, shape) if isinstance(x, np.ndarray) else x for x in step.operands]
        g = np.ones(shape, np.result_type(step.out))
        weights[...] = step.primitive.rules[position](g, step.out, *operands, **step.static_args)
    return Jacobian(np.arange(elements.size + 1), elements, weights.reshape(-1))


def moved(move: Callable[[Array], Any], operand: Any) -> Jacobian:
    """The Jacobian of `move`, which moves, repeats or drops elements, and may put constants beside them.

    The digits of the numbers of elements are moved, of which a half is precise enough to hold one.
    """
    x = np.asarray(operand)
    numbers = np.arange(x.size).reshape(x.shape)
    still = np.asarray(move(np.zeros_like(x)))
    is_moved = (np.asarray(move(np.ones_like(x))) - still == 1).reshape(-1)  # not where there is a constant, even NaN
    elements = np.zeros(still.size, np.int64)
    for shift in range(0, max(1, int(x.size - 1).bit_length()), 8):
        digits = np.asarray(move((numbers >> shift & 255).astype(x.dtype))) - still
        elements[is_moved] += digits.reshape(-1)[is_moved].astype(np.int64) << shift
    rows = np.flatnonzero(is_moved)
    return _by_rows(rows, elements[rows], np.ones(len(rows)), still.size)


class _Structure:
    """The entries of Jacobians by an operand that may differ from 0, of steps that differ in values alone.

    rows, elements  of each entry, the element of the result, and that of the operand
    """

    def __init__(self, steps: Sequence[Step], position: int) -> None:
        self.position = position
        out, operand = np.asarray(steps[0].out), np.asarray(steps[0].operands[position])
        _refuse_if_large(steps[-1], position)
        axes = [_supports(steps, position, axis) for axis in range(out.ndim)]
        of_rows = [_colours(of) for of in axes]
        of_elements = [_colours([of[b].T for of in axes]) for b in range(operand.ndim)]
        passes = [_combined(of_rows, out.shape), _combined(of_elements, operand.shape)]
        counts = [int(colours.max(initial=0)) + 1 for colours in passes]
        self.is_pulled = counts[0] <= counts[1]
        if min(counts) > MOST_PASSES:
            raise TooLargeError(f"{min(counts):,} passes (at most {MOST_PASSES:,})")
        self.rows, self.elements = _entries(axes, out.shape, operand.shape)
        self._colours = passes[0 if self.is_pulled else 1]

    def keep(self, used: Array) -> None:
        """Keep these of the entries."""
        self.rows, self.elements = self.rows[used], self.elements[used]

    def weights(self, step: Step) -> Array:
        """The derivatives of `step` for each entry."""
        at, seen = (self.rows, self.elements) if self.is_pulled else (self.elements, self.rows)
        give = step.pull if self.is_pulled else step.push
        like = np.asarray(step.out if self.is_pulled else step.operands[self.position])
        found, colours = np.zeros(len(at)), self._colours[at]
        order = np.argsort(colours, kind="stable")
        for part in np.split(order, np.flatnonzero(np.diff(colours[order])) + 1):
            if part.size:
                seed = (self._colours == colours[part[0]]).reshape(like.shape).astype(like.dtype)
                found[part] = give(self.position, seed).reshape(-1)[seen[part]]
        return found

    def explains(self, step: Step, weights: Array) -> bool:
        """Whether no entry is missing: what is pulled back from random numbers is what these weights make of them."""
        g = generic(np.asarray(step.out), np.random.default_rng(1))
        size = np.size(step.operands[self.position])
        expected = np.bincount(self.elements, weights * np.reshape(g, -1)[self.rows], size)
        found = step.pull(self.position, g).reshape(-1)
        scale = np.bincount(self.elements, np.abs(weights * np.reshape(g, -1)[self.rows]), size)
        precision = 64 * np.finfo(found.dtype).eps
        return bool(np.all((np.abs(found - expected) <= precision * (scale + scale.mean())) | np.isnan(found)))


def _refuse_if_large(step: Step, position: int) -> None:
    """Raise TooLargeError if the first, middle and last row suggest it, before much is computed."""
    size = np.size(step.out)
    counts = []
    for row in (0, size // 2, size - 1):
        g = np.zeros(size, np.result_type(step.out))
        g[row] = 1
        counts.append(np.count_nonzero(step.pull(position, g.reshape(np.shape(step.out)))))
    if min(counts) * size > MOST:
        raise TooLargeError(f"some {min(counts) * size:,} weights (at most {MOST:,})")


def _supports(steps: Sequence[Step], position: int, axis: int) -> list[Array]:
    """Along each axis of the operand, the places that each place along an axis of the result may depend on.

    A boolean matrix for each: [place along `axis`, place along that of the operand]. For each bit of the number of a
    place, those are pulled back at once that have it, and those that do not. That is exact where a place depends on one
    place, and nearly so on those of a window: there, each place is pulled back by itself, if they are few.
    """
    shape = np.shape(steps[0].operands[position])
    length = np.shape(steps[0].out)[axis]
    places, behind = np.arange(length), [1] * (np.ndim(steps[0].out) - axis - 1)
    found = [np.ones((length, n), bool) for n in shape]
    rng = np.random.default_rng(0)

    def narrow(chosen: Array) -> None:
        mask = chosen.reshape(-1, *behind)
        reached = np.any([s.pull(position, generic(np.asarray(s.out), rng) * mask) != 0 for s in steps], axis=0)
        for b, supports in enumerate(found):
            supports[chosen] &= reached.any(axis=tuple([a for a in range(len(shape)) if a != b]))

    for bit in range(int(length - 1).bit_length()):
        for has in (0, 1):
            narrow((places >> bit & 1) == has)
    if 2 < length <= FEW and any(not matrix.all() and matrix.sum(axis=0).max() > 1 for matrix in found):
        for place in places:
            narrow(places == place)
    return found


def _colours(supports: Sequence[Array]) -> Array:
    """Numbers of places along an axis: of two that have the same, some of these matrices have disjoint rows."""
    if not supports:
        return np.zeros(0, int)
    length = len(supports[0])
    if any(np.all(matrix.sum(axis=0) <= 1) for matrix in supports):
        return np.zeros(length, int)
    if length > MOST_PASSES**2 // 256:
        return np.arange(length)
    conflicts = np.all([matrix.astype(np.float32) @ matrix.T.astype(np.float32) > 0 for matrix in supports], axis=0)
    colours = np.zeros(length, int)
    for place in range(1, length):
        taken = np.zeros(place + 1, bool)
        taken[colours[:place][conflicts[place, :place]]] = True
        colours[place] = int(np.argmin(taken))
    return colours


def _combined(colours: Sequence[Array], shape: tuple[int, ...]) -> Array:
    """A number for each element, flat, from those of its places along each axis: equal only if these are."""
    found = np.zeros(shape, np.int64)
    for axis, (own, length) in enumerate(zip(colours, shape, strict=True)):
        own = own if len(own) else np.arange(length)
        found = found * (int(own.max(initial=0)) + 1) + own.reshape(-1, *[1] * (len(shape) - axis - 1))
    return found.reshape(-1)


def _entries(axes: Sequence[Sequence[Array]], shape: tuple[int, ...], of: tuple[int, ...]) -> tuple[Array, Array]:
    """The entries that all these matrices allow: elements of a result of `shape`, and of an operand of shape `of`."""
    size = math.prod(shape)
    if size * max(of, default=1) > MOST_CANDIDATES:
        raise TooLargeError(f"{size:,} elements that depend on {math.prod(of):,}")
    rows, elements = np.arange(size), np.zeros(size, np.int64)
    for b, length in enumerate(of):
        allowed = np.ones((*shape, length), bool)
        for axis, matrices in enumerate(axes):
            allowed &= matrices[b].reshape(-1, *[1] * (len(shape) - axis - 1), length)
        row, place = np.nonzero(allowed.reshape(size, length))
        counts = np.bincount(row, minlength=size)
        repeated = counts[rows]
        total = int(repeated.sum())
        if total > 4 * MOST:
            raise TooLargeError(f"{total:,} weights (at most {MOST:,})")
        within = np.arange(total) - np.repeat(np.cumsum(repeated) - repeated, repeated)
        first = (np.cumsum(counts) - counts)[rows]
        elements = np.repeat(elements, repeated) * length + place[np.repeat(first, repeated) + within]
        rows = np.repeat(rows, repeated)
    return rows, elements


def _elsewhere(step: Step) -> list[Step]:
    """The step at other values: random ones, and equal ones if it chooses by values, so that all of them tie."""
    if not step.primitive.pure:
        return []
    found: list[Step] = []
    rng = np.random.default_rng(2)
    elsewhere: list[Callable[[Array], Array]] = [
        lambda x: rng.uniform(1, 2, x.shape),
        lambda x: x * rng.uniform(1, 1.01, x.shape) + rng.uniform(0, 0.01, x.shape),
    ]
    for values in elsewhere:  # nearby, where it is not defined anywhere
        found = _runs(step, values)
        if found:
            break
    return found + (_runs(step, lambda x: np.full(x.shape, 1.5)) if step.primitive.kink is not None else [])


def _runs(step: Step, values: Callable[[Array], Array]) -> list[Step]:
    """The step at these values in place of floats, if it is defined there."""
    operands = [
        values(np.asarray(x, np.float64)) if isinstance(x, np.ndarray | np.floating) and x.dtype.kind == "f" else x
        for x in step.operands
    ]
    try:
        other = step.at(operands)
    except Exception:  # whatever a primitive raises: at the values that there are, it has run
        return []
    return [other] if np.all(np.isfinite(other.out)) else []


def _key(step: Step, position: int) -> Any:
    """What steps have in common that differ in values alone; None if it is not known that this has no influence."""
    if not step.primitive.pure or step.primitive.kink is not None:
        return None
    operands = []
    for x in step.operands:
        if isinstance(x, np.ndarray | np.floating) and x.dtype.kind == "f":
            operands.append((x.shape, x.dtype))
        elif isinstance(x, np.ndarray):
            return None
        else:
            operands.append(x)
    key = (step.primitive, position, *operands, *sorted(step.static_args.items()))
    try:
        hash(key)
    except TypeError:
        return None
    return key


def _with(operands: Sequence[Any], position: int, x: Any) -> list[Any]:
    return [x if i == position else y for i, y in enumerate(operands)]


def _by_rows(rows: Array, elements: Array, weights: Array, size: int) -> Jacobian:
    if len(rows) > MOST:
        raise TooLargeError(f"{len(rows):,} weights (at most {MOST:,})")
    order = np.lexsort((elements, rows))
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=size))])
    return Jacobian(starts, elements[order], weights[order])
