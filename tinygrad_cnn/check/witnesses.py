"""The first two witnesses: autodiff and the hand, each with how much of what it says is rounding."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.check.by_hand import ByHand, matched
from tinygrad_cnn.check.steps import largest
from tinygrad_cnn.check.trace import Trace, as_array, trace
from tinygrad_cnn.graph import Array, Node
from tinygrad_cnn.rules.linear_algebra import matmul

Loss = Callable[[Any], Any]

# Long double has no fast matrix products: about 5 ns a multiplication. So many of them are worth one run in it, and
# so many a run for every difference.
ONE_RUN, EVERY_RUN = 10**8, 10**6


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
        leaves = []
        for leaf, name in zip(form.leaves, form.names, strict=True):
            x = as_array(leaf)
            if x.dtype.kind != "f":
                raise TypeError(f"{name or 'params'} is of {x.dtype}: gradients are for floats only; write 1.0 for 1")
            leaves.append(x.copy())
        return cls(loss, form, leaves)

    def run(self, leaves: Sequence[Array] | None = None) -> Trace:
        """The loss, recorded; at other leaves, if they are given."""
        return trace(self.loss, self.form, self.leaves if leaves is None else leaves)

    def arguments(self, dtype: Any = None) -> Any:
        """The parameters anew, for a function that may do with them what it likes."""
        own = [x.astype(dtype or x.dtype) for x in self.leaves]
        return self.form.rebuild([x if x.ndim else x[()] for x in own])

    def changed(self) -> list[str]:
        """The names of those parameters that somebody has changed in place since."""
        return [
            name or "params"
            for name, mine, theirs in zip(self.form.names, self.leaves, self.form.leaves, strict=True)
            if not np.array_equal(mine, as_array(theirs), equal_nan=True)
        ]


@dataclass
class Autodiff:
    """What autodiff says.

    run          the loss, recorded
    opaque       why it cannot be followed, or None; then nothing else is known
    cotangents   of every value
    exact        the same run in long double, where that is possible
    rounding     how much of each cotangent may be rounding
    products     multiplications in matrix products, of one run
    """

    run: Trace
    opaque: str | None = None
    cotangents: dict[Node, Array] = field(default_factory=dict)
    exact: Trace | None = None
    rounding: dict[Node, float] = field(default_factory=dict)
    products: int = 0

    def grown(self, node: Node, x: Array) -> float:
        """The rounding of the cotangent of a node, where it is `x` and not what autodiff has."""
        return self.rounding[node] * max(1.0, largest(x) / (largest(self.cotangents[node]) or 1.0))


def autodiff(subject: Subject) -> Autodiff:
    """The gradient by autodiff. Raises ValueError if the loss is not one number, or not twice the same."""
    try:
        run = subject.run()
    except (TypeError, NotImplementedError) as error:
        if not _takes_arrays(subject):
            raise
        value = as_array(subject.loss(subject.arguments())).reshape(())
        _same_again(value, as_array(subject.loss(subject.arguments())))
        why = (str(error).splitlines() or [type(error).__name__])[0]
        return Autodiff(replace(trace(lambda _: 0.0, subject.form, subject.leaves), value=value), opaque=why)
    _same_again(run.value, subject.run().value)
    found = Autodiff(run, cotangents=run.cotangents(), products=_products(run))
    if found.products <= ONE_RUN:
        found.exact = _in_long_double(subject, run)
    exactly = None if found.exact is None else found.exact.cotangents()
    shaken = _shaken(subject, run) if exactly is None else None
    for k, node in enumerate(run.nodes):
        if node in found.cotangents:
            found.rounding[node] = _rounding(found, k, node, exactly, shaken)
    for node in run.parameters:
        found.rounding.setdefault(node, 0.0)
    return found


def _rounding(found: Autodiff, k: int, node: Node, exactly: Any, shaken: Any) -> float:
    cotangent = found.cotangents[node]
    unit = float(np.finfo(np.asarray(cotangent).dtype).eps) * largest(cotangent)
    if exactly is not None and found.exact is not None:
        other, least = exactly.get(found.exact.nodes[k]), 2 * unit
    elif shaken is not None:
        run, cotangents = shaken
        other, least = cotangents.get(run.nodes[k]), 32 * unit
    else:
        return 256 * unit
    with np.errstate(invalid="ignore"):
        apart = 0.0 if other is None else largest(cotangent - other)
    return max(apart if math.isfinite(apart) else 0.0, least)


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


def _shaken(subject: Subject, run: Trace) -> tuple[Trace, dict[Node, Array]] | None:
    """The same run with parameters that are off by their own rounding, if it goes the same way."""
    rng = np.random.default_rng(0)
    moved = [
        x * (1 + float(np.finfo(x.dtype).eps) * rng.choice([-1.0, 1.0], x.shape)).astype(x.dtype)
        for x in subject.leaves
    ]
    other = subject.run(moved)
    if other.result is None or len(other.nodes) != len(run.nodes) or not other.branches().same(run.branches()):
        return None
    return other, other.cotangents()


def _products(run: Trace) -> int:
    return sum(
        int(np.size(node.like)) * int(np.shape(node.operands[0])[-1]) for node in run.nodes if node.primitive is matmul
    )


def _same_again(one: Any, other: Any) -> None:
    """ValueError if a loss that was computed twice is not the same, to rounding."""
    x, y = float(one), float(other)
    if abs(x - y) > 1e-9 * abs(x) or math.isnan(x) != math.isnan(y):
        raise ValueError(
            f"the loss is not deterministic: of the same parameters it was {x!r}, and then {y!r}; let it draw its "
            "random numbers from a Generator that it makes anew, with a seed"
        )


def _takes_arrays(subject: Subject) -> bool:
    """Whether the loss can be computed of arrays, so that what failed is to follow it."""
    try:
        subject.loss(subject.arguments())
    except Exception:
        return False
    return True


def hand(subject: Subject, auto: Autodiff, by_hand: Any, names: Mapping[str, str]) -> ByHand:
    """What a function by hand returned, or what it is itself. Its own rounding is added to what autodiff's is.

    Raises ValueError if a gradient is missing, TypeError if one is not of real numbers.
    """
    returned = by_hand(subject.arguments()) if callable(by_hand) else by_hand
    found = matched(returned, subject.form, auto.run, names)
    if callable(by_hand) and auto.exact is not None:
        for node, apart in _rounding_by_hand(subject, auto, by_hand, names, found).items():
            auto.rounding[node] = max(auto.rounding.get(node, 0.0), apart)
    return found


def _rounding_by_hand(
    subject: Subject, auto: Autodiff, by_hand: Callable[[Any], Any], names: Mapping[str, str], found: ByHand
) -> dict[Node, float]:
    """What changes of the hand's cotangents when it computes in long double too; nothing where it cannot."""
    try:
        with np.errstate(all="ignore"):
            returned = by_hand(subject.arguments(np.longdouble))
        exactly = matched(returned, subject.form, auto.run, names).arrays()
    except (TypeError, ValueError, NotImplementedError, AttributeError):
        return {}
    changed = {}
    for node, x in found.arrays().items():
        y = exactly.get(node)
        if y is not None and y.dtype == np.longdouble and y.shape == x.shape:
            apart = largest(x - y)
            if apart < 1e-6 * largest(x):  # more than that is no rounding, but another way at a branch
                changed[node] = apart
    return changed
