"""The first two witnesses: autodiff and the hand-derived gradient, each with an estimate of its rounding."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.deadline import NEVER, Deadline, time_left, until
from tinygrad_cnn.check.witnesses.backward_walk import walk_back
from tinygrad_cnn.check.witnesses.bindings import Bindings
from tinygrad_cnn.check.witnesses.hand_derived import HandDerived, matched, refuse_unknown
from tinygrad_cnn.check.witnesses.magnitude import largest, largest_finite
from tinygrad_cnn.check.witnesses.raised import module_to_adopt, raised_at
from tinygrad_cnn.check.witnesses.trace import Trace, as_array, one_number, trace
from tinygrad_cnn.check.witnesses.unpacked import names_in_source
from tinygrad_cnn.engine.conversions import GradientLostWarning
from tinygrad_cnn.engine.graph import Array, Node

Loss = Callable[[Any], Any]

# Long double has no fast matrix products: about 5 ns a multiplication. So many of them are worth one run in it, and
# so many a run for every difference. It takes twice the memory: so many elements of all values are worth that.
ONE_RUN, EVERY_RUN = 10**8, 10**6
SECONDS = 5e-9  # of a multiplication in it
ELEMENTS = 2 * 10**6
FOR_ROUNDING = 0.5  # of the seconds that a check may take
DRAWN = 4096  # random signs that are drawn at once


@dataclass(frozen=True)
class Subject:
    """What is checked: a loss at a point, which is kept as it was when the check began."""

    loss: Loss
    form: tree.Flat
    leaves: Sequence[Array]

    @classmethod
    def of(cls, loss: Loss, params: Any) -> Subject:
        """The subject; TypeError if a parameter is not of floats."""
        form = tree.flatten(params)
        form = form._replace(names=names_in_source(loss, form.names))
        leaves = []
        for leaf, name in zip(form.leaves, form.names, strict=True):
            x = as_array(leaf)
            if x.dtype.kind != "f":
                raise TypeError(f"{name or 'params'} has dtype {x.dtype}; expected floats: write 1.0 for 1")
            leaves.append(x.copy())
        return cls(loss, form, leaves)

    def run(self, leaves: Sequence[Array] | None = None) -> Trace:
        """The loss, recorded; at other leaves, if they are given."""
        return trace(self.loss, self.form, self.leaves if leaves is None else leaves)

    def beside(self) -> list[Trace]:
        """The loss, recorded a little to either side of the point."""
        rng = np.random.default_rng(0)
        away = [1e-6 * (largest(x) or 1.0) * rng.standard_normal(x.shape) for x in self.leaves]
        return [
            self.run([(x + sign * v).astype(x.dtype) for x, v in zip(self.leaves, away, strict=True)])
            for sign in (1, -1)
        ]

    def arguments(self, dtype: Any = None) -> Any:
        """A copy of the parameters, for a function that may change it."""
        return self.form.rebuild(self.copies(dtype))

    def copies(self, dtype: Any = None) -> list[Any]:
        """Copies of the leaves."""
        own = [x.astype(dtype or x.dtype) for x in self.leaves]
        return [x if x.ndim else x[()] for x in own]

    def changed(self, leaves: Sequence[Any] | None = None) -> list[str]:
        """The names of those parameters that somebody has changed in place since; `leaves`: of copies of them."""
        return [
            name or "params"
            for name, mine, theirs in zip(self.form.names, self.leaves, leaves or self.form.leaves, strict=True)
            if not _alike(mine, as_array(theirs))
        ]


def _alike(x: Array, y: Array) -> bool:
    """As np.array_equal with equal_nan=True, which copies both."""
    if x.shape != y.shape:
        return False
    return bool(np.all(x == y)) or bool(np.all((x == y) | ((x != x) & (y != y))))


@dataclass
class Autodiff:
    """The gradient by autodiff.

    run          the loss, recorded
    opaque       why it cannot be followed, or None; then nothing else is known
    cotangents   of every value
    precisely    whether it can be computed in long double too
    in_long_double   the gradients, if they can be computed in it
    rounding     how much of each cotangent may be rounding
    products     multiplications in matrix products, of one run
    """

    run: Trace
    opaque: str | None = None
    cotangents: dict[Node, Array] = field(default_factory=dict)
    precisely: bool = False
    in_long_double: dict[Node, Array] = field(default_factory=dict)
    rounding: dict[Node, float] = field(default_factory=dict)
    products: int = 0

    def rounding_at(self, node: Node, x: Array) -> float:
        """The rounding of the cotangent of a node, if it were `x` instead of what autodiff gives."""
        return self.rounding[node] * max(1.0, largest_finite(x) / (largest_finite(self.cotangents[node]) or 1.0))


def autodiff(subject: Subject, deadline: Deadline = NEVER) -> Autodiff:
    """The gradient by autodiff. Raises ValueError if the loss is not one number, or not twice the same.

    Its rounding is bounded more coarsely where there is no time left to measure it.
    """
    error, lost = None, list[str]()
    with Bindings() as bound, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", GradientLostWarning)
        try:
            run = subject.run()
        except Exception as raised:  # whatever it is: arrays will show whether it is the loss's own
            error = raised
    for warning in caught:
        if issubclass(warning.category, GradientLostWarning):
            lost.append(str(warning.message))
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    if error is not None:
        return _opaque(subject, error, deadline)
    if run.result is None and _changes(subject, run.value):
        return _opaque(subject, lost[0] if lost else sentences.NUMBER_RETURNED, deadline, run.value)
    if lost and not _is_slope(subject, run):
        return _opaque(subject, lost[0], deadline)
    run = bound.names(run)
    with until(deadline.share(FOR_ROUNDING)):
        _same_again(run.value, subject.run().value)
    found = Autodiff(run, cotangents=run.cotangents(), products=_products(run))
    with until(deadline.share(FOR_ROUNDING)):
        found.rounding = _rounding(subject, found)
    return found if found.rounding else _coarsely(found)


def _rounding(subject: Subject, found: Autodiff) -> dict[Node, float]:
    """The rounding of each cotangent, measured in three ways."""
    run, others = found.run, []
    small = found.products <= ONE_RUN and sum(int(np.size(node.like)) for node in run.nodes) <= ELEMENTS
    time_left(3 * SECONDS * found.products if small else 0.0)
    if small and (precise := _in_long_double(subject, run)) is not None:
        others.append(_differences(found, precise, found.in_long_double))
        found.precisely = True
    if (moved := _moved(subject, run)) is not None:
        others.append(_differences(found, moved))
        del moved  # it is as large as the graph
    others.append(_summed(run, found.cotangents))
    least = 2 if found.precisely else 32 if len(others) > 1 else 256
    rounding = {}
    for node, cotangent in found.cotangents.items():
        unit = unit_of([node]) * largest_finite(cotangent)
        estimates = [other.get(node, 0.0) for other in others]
        rounding[node] = max([least * unit, *[x for x in estimates if math.isfinite(x)]])
    return rounding


def _coarsely(found: Autodiff) -> Autodiff:
    """With a rounding that was not measured."""
    for node, cotangent in found.cotangents.items():
        found.rounding[node] = 4096 * unit_of([node]) * largest_finite(cotangent)
    return found


def _differences(found: Autodiff, other: Trace, gradients: dict[Node, Array] | None = None) -> dict[Node, float]:
    """How far the cotangents of another run, with the same nodes, are from those that were found.

    gradients: to which its gradients are added.
    """
    cotangents, differences = other.cotangents(), {}
    if gradients is not None:
        pairs = zip(found.run.parameters, other.parameters, strict=True)
        gradients |= {mine: cotangents[theirs] for mine, theirs in pairs}
    for node, counterpart in zip(found.run.nodes, other.nodes, strict=True):
        if node in found.cotangents and counterpart in cotangents:
            with np.errstate(invalid="ignore"):
                differences[node] = largest(found.cotangents[node] - cotangents[counterpart])
    return differences


def rounding_of_values(subject: Subject, run: Trace) -> dict[Node, float]:
    """How much of each value of the forward pass may be rounding: what it changes by with that of the parameters."""
    other, found = _moved(subject, run), {}
    for k, node in enumerate(run.nodes):
        least = (256 if other is None else 8) * unit_of([node]) * largest_finite(node.value)
        with np.errstate(invalid="ignore"):
            change = 0.0 if other is None else largest_finite(np.asarray(node.value) - np.asarray(other.nodes[k].value))
        found[node] = max(least, change)
    return found


def _in_long_double(subject: Subject, run: Trace) -> Trace | None:
    """The same run in long double, if every primitive on the way can do that and it goes the same way."""
    if np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
        return None
    try:
        exact = subject.run([x.astype(np.longdouble) for x in subject.leaves])
    except (TypeError, ValueError, NotImplementedError):
        return None
    if exact.result is None or not exact.is_all(np.longdouble) or len(exact.nodes) != len(run.nodes):
        return None
    return exact if exact.branches().same(run.branches()) else None


def unit_of(nodes: Sequence[Node]) -> float:
    """The rounding of 1 in the coarsest dtype among nodes."""
    return max((float(np.finfo(node.like.dtype).eps) for node in nodes), default=0.0)


def _moved(subject: Subject, run: Trace) -> Trace | None:
    """The same run with parameters that are off by their rounding, or that on the way, if it goes the same way."""
    rng, coarsest = np.random.default_rng(0), unit_of(run.computed())
    with np.errstate(invalid="ignore"):  # of an infinite parameter
        moved = [
            x + x * (max(float(np.finfo(x.dtype).eps), coarsest) * signs(rng, x.shape)).astype(x.dtype)
            for x in subject.leaves
        ]
    other = subject.run(moved)
    if other.result is None or len(other.nodes) != len(run.nodes) or not other.branches().same(run.branches()):
        return None
    return other


def _summed(run: Trace, cotangents: Mapping[Node, Array]) -> dict[Node, float]:
    """How far off each cotangent is, if each on the way is off by its rounding, and sums are summed in another order.

    To add n numbers one by one costs the rounding of about sqrt(n) of the additions.
    """
    rng, found, eps = np.random.default_rng(0), dict[Node, float](), unit_of(run.computed())
    if not eps:
        return found
    off = math.sqrt(eps)  # so much, that the rounding of these walks themselves is nothing beside it
    share = math.sqrt(max(_terms(node) for node in run.computed())) * eps / off
    for _ in range(2):
        perturbation = _Perturbation(rng, off)
        arrived = walk_back(run, perturb=perturbation)
        with np.errstate(invalid="ignore"):
            for node, g in arrived.items():
                if node in cotangents:
                    difference = share * largest_finite(g - cotangents[node])
                    found[node] = max(found.get(node, 0.0), difference)
    return found


class _Perturbation:
    """Multiplies the elements of an array by 1 + `off` or 1 - `off`, at random.

    Of a graph of many small values, the factors of many are drawn at once.
    """

    def __init__(self, rng: np.random.Generator, off: float) -> None:
        self.rng, self.off = rng, off
        self.factors, self.used = np.empty(0), 0

    def __call__(self, x: Array) -> Array:
        n = int(np.size(x))
        if n > DRAWN:
            return x * (1 + self.off * signs(self.rng, np.shape(x)))
        if self.used + n > len(self.factors):
            self.factors, self.used = 1 + self.off * signs(self.rng, (DRAWN,)), 0
        self.used += n
        return x * self.factors[self.used - n : self.used].reshape(np.shape(x))


def signs(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """-1 or 1 at random, in little memory."""
    return 2 * rng.integers(0, 2, shape, np.int8) - 1


def _terms(node: Node) -> int:
    """How many numbers are added for one of a result, or of a cotangent of what it was computed from; about."""
    sizes = [int(np.size(node.like)), *[int(np.size(x.like)) for _, x in node.sources]]
    return max(_products_at(node) // max(1, sizes[0]), 1, max(sizes) // max(1, min(sizes)))


def _products(run: Trace) -> int:
    return sum(map(_products_at, run.nodes))


def _products_at(node: Node) -> int:
    """How many products of two numbers a node adds up, such as those of a product of matrices."""
    primitive = node.primitive
    if primitive is None or not primitive.bilinear or primitive.elementwise or primitive.flops is None:
        return 0
    return int(primitive.flops(node.like, *node.operands, **node.static_args)) // 2


def _same_again(one: Any, other: Any) -> None:
    """ValueError if a loss that was computed twice is not the same, to rounding."""
    x, y = float(one), float(other)
    if abs(x - y) > 1e-9 * abs(x) or math.isnan(x) != math.isnan(y):
        raise ValueError(
            f"the loss is not deterministic: at the same parameters it was {x!r}, and then {y!r}; draw its random "
            "numbers from a Generator that the loss creates itself, with a seed"
        )


def _opaque(subject: Subject, why: Exception | str, deadline: Deadline, value: Any = None) -> Autodiff:
    """What is left if autodiff cannot follow a loss: its value, which may be known. Raises what it raises on arrays."""
    value = one_number(subject.loss(subject.arguments())) if value is None else value
    with until(deadline):
        _same_again(value, one_number(subject.loss(subject.arguments())))
    reason = why if isinstance(why, str) else f"{raised_at(why)}{why}".splitlines()[0] or type(why).__name__
    run = replace(trace(lambda _: 0.0, subject.form, subject.leaves), value=value)
    reason = reason.split(". ")[0].rstrip(".")
    module = None if isinstance(why, str) else module_to_adopt(why)
    return Autodiff(run, opaque=reason if module is None else reason + sentences.TO_ADOPT.format(module=module))


def _changes(subject: Subject, value: Any) -> bool:
    """Whether a loss whose result has no history depends on the parameters all the same."""
    rng = np.random.default_rng(0)
    for size in (1e-4, 1e-2):
        away = [
            (x + size * (largest_finite(x) or 1.0) * rng.standard_normal(x.shape)).astype(x.dtype)
            for x in subject.leaves
        ]
        try:
            other = subject.run(away).value
        except Exception:  # out of its domain; the next may be within
            continue
        if other != value and not (np.isnan(other) and np.isnan(value)):
            return True
    return False


def _is_slope(subject: Subject, run: Trace) -> bool:
    """Whether the gradient by autodiff is about the slope along a random direction, where some history was lost."""
    rng = np.random.default_rng(0)
    v = [(largest_finite(x) or 1.0) * rng.standard_normal(x.shape) for x in subject.leaves]
    up, down = [
        subject.run([(x + h * y).astype(x.dtype) for x, y in zip(subject.leaves, v, strict=True)]).value
        for h in (1e-5, -1e-5)
    ]
    cotangents = run.cotangents()
    terms = [np.vdot(cotangents[node], y) for node, y in zip(run.parameters, v, strict=True)]
    size = sum(map(abs, terms)) + abs(up - down) / 2e-5
    return bool(abs(sum(terms) - (up - down) / 2e-5) <= 1e-2 * size) or not np.isfinite(up - down)


def hand_derived(
    subject: Subject, auto: Autodiff, by_hand: Any, names: Mapping[str, str], deadline: Deadline = NEVER
) -> HandDerived:
    """The hand-derived gradient: what a function returned, or what was given. Its rounding is added to autodiff's.

    Raises ValueError if a gradient is missing, TypeError if one is not of real numbers.
    """
    refuse_unknown(names, auto.run)
    if not callable(by_hand):
        return matched(by_hand, subject.form, auto.run, names)
    given = subject.copies()
    returned = by_hand(subject.form.rebuild([*given]))
    found = replace(matched(returned, subject.form, auto.run, names), changed=subject.changed(given))
    del given
    with until(deadline):
        rounding = _hand_derived_rounding(subject, auto, by_hand, names, found) if auto.precisely else {}
        for node, difference in rounding.items():
            auto.rounding[node] = max(auto.rounding.get(node, 0.0), difference)
    return found


def _hand_derived_rounding(
    subject: Subject, auto: Autodiff, by_hand: Callable[[Any], Any], names: Mapping[str, str], found: HandDerived
) -> dict[Node, float]:
    """How much hand-derived cotangents change when they are computed in long double; nothing where they cannot be.

    Keeps those in `found`.
    """
    time_left(3 * SECONDS * auto.products)
    try:
        with np.errstate(all="ignore"):
            returned = by_hand(subject.arguments(np.longdouble))
        exactly = matched(returned, subject.form, auto.run, names).arrays()
    except Exception:  # it need not be able to do that
        return {}
    changed = {}
    for node, x in found.arrays().items():
        y = exactly.get(node)
        if y is not None and y.dtype == np.longdouble and y.shape == x.shape:
            found.in_long_double[node] = y
            with np.errstate(invalid="ignore"):
                difference = largest(x - y)
            if difference < 1e-6 * largest(x):  # more than that is not rounding, but another branch
                changed[node] = difference
    return changed
