"""Products of the second derivative with vectors: by the rules' own derivatives, and by differences of gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.check.diagnose.comparisons import compare_with_slopes
from tinygrad_cnn.check.results import Comparison, Parameter
from tinygrad_cnn.check.witnesses.autodiff import unit_of
from tinygrad_cnn.check.witnesses.branches import Branches
from tinygrad_cnn.check.witnesses.finite_differences import SHRINK, Kind, Slope, extrapolated, steps_from
from tinygrad_cnn.check.witnesses.hand_derived import matched
from tinygrad_cnn.check.witnesses.magnitude import largest
from tinygrad_cnn.check.witnesses.trace import as_array, trace
from tinygrad_cnn.engine.graph import Array, recording
from tinygrad_cnn.jacobians import hvp

Gradient = Callable[[float], list[Array]]  # at a distance along the vectors
Slopes = dict[tuple[int, ...], Slope]  # by element
LONGEST, SHORTEST = 1e-2, 1e-7  # steps, as shares of the vectors
MOST = 512  # elements of a product that are compared with differences


def products(
    loss: Callable[[Any], Any],
    form: tree.Flat,
    leaves: Sequence[Array],
    by_hand: Callable[[Any], Any] | None,
    names: Mapping[str, str],
    seed: int,
) -> list[Parameter]:
    """The Hessian times a random vector, for each parameter: by autodiff, and as the slope of gradients along it.

    The slope of autodiff's gradient stands for finite differences, that of the hand-derived gradient for itself.
    """
    rng = np.random.default_rng(seed)
    vectors = [rng.standard_normal(x.shape) * (largest(x) or 1.0) for x in leaves]
    exact = _by_autodiff(loss, form, leaves, vectors)
    line = _Line(loss, form, [x.astype(np.float64) for x in leaves], vectors, by_hand, names)
    eps = unit_of(trace(loss, form, leaves).nodes)
    step, kink = _longest_step(line)
    slopes = _slopes(line.gradient, step, kink, eps)
    derived = None if by_hand is None else _slopes(line.hand_derived, step, kink, eps)
    # What a slope has to be to matter, beside those of all parameters.
    sizes = [1e-3 * largest(x) for x in exact] + [1e-6 * largest(x) for x in line.gradient(0.0)]
    sizes += [1e-6 * slope.secant for of_leaf in slopes for slope in of_leaf.values()]
    least = max(sizes, default=0.0)
    return [
        _row(name or "x", exact[k], slopes[k], None if derived is None else derived[k], eps, least)
        for k, name in enumerate(form.names)
    ]


def _by_autodiff(
    loss: Callable[[Any], Any], form: tree.Flat, leaves: Sequence[Array], vectors: Sequence[Array]
) -> list[Array]:
    token = recording.set(recording.get() or True)  # a check within no_grad is a check
    try:
        product = hvp(loss, form.rebuild(_own(leaves)), form.rebuild(_own(vectors)))
    finally:
        recording.reset(token)
    return [as_array(x) for x in tree.flatten(product).leaves]


@dataclass(frozen=True)
class _Line:
    """The loss along the vectors, at a distance t from the point."""

    loss: Callable[[Any], Any]
    form: tree.Flat
    leaves: Sequence[Array]
    vectors: Sequence[Array]
    by_hand: Callable[[Any], Any] | None
    names: Mapping[str, str]

    def at(self, t: float) -> list[Array]:
        """The parameters there."""
        return [x + t * v for x, v in zip(self.leaves, self.vectors, strict=True)]

    def branches(self, t: float) -> Branches:
        """The branches that the loss takes there."""
        return trace(self.loss, self.form, self.at(t)).branches()

    def gradient(self, t: float) -> list[Array]:
        """The gradient there, by autodiff."""
        run = trace(self.loss, self.form, self.at(t))
        found = run.cotangents()
        return [np.asarray(found[node]) for node in run.parameters]

    def hand_derived(self, t: float) -> list[Array]:
        """The hand-derived gradient there."""
        assert self.by_hand is not None
        run = trace(self.loss, self.form, self.at(t))
        returned = self.by_hand(self.form.rebuild(_own(self.at(t))))
        found = matched(returned, self.form, run, self.names).of
        return [found[node][1] for node in run.parameters]


def _longest_step(line: _Line) -> tuple[float, bool]:
    """The longest step within which the loss takes the same branches, and whether the point is at a kink.

    At a kink each side has branches, and a slope, of its own.
    """
    step = LONGEST
    while step > SHORTEST:
        if _alike([line.branches(sign * h) for sign in (1, -1) for h in steps_from(step)]):
            return step, False
        step /= SHRINK
    step = LONGEST
    while step > SHORTEST:
        if all(_alike([line.branches(sign * h) for h in steps_from(step)]) for sign in (1, -1)):
            break
        step /= SHRINK
    return step, True


def _alike(branches: Sequence[Branches]) -> bool:
    return all(one.same(branches[0]) for one in branches[1:])


def _row(name: str, exact: Array, slopes: Slopes, derived: Slopes | None, eps: float, least: float) -> Parameter:
    """The product for one parameter, compared."""
    rounding = 256 * eps * largest(exact)
    low, high = _ends(slopes, exact.shape)
    hand_derived: Array | None = None
    vs_autodiff: Comparison | None = None
    if derived is not None:
        hand_derived = _ends(derived, exact.shape)[0]
        found = compare_with_slopes(exact, derived, rounding, least)
        vs_autodiff = replace(found, values=found.values[::-1])
    return Parameter(
        name=name,
        node=None,
        autodiff=exact,
        hand_derived=hand_derived,
        low=low,
        high=high,
        measured=len(slopes),
        kinks=int(np.sum(low != high)),
        autodiff_vs_differences=compare_with_slopes(exact, slopes, rounding, least),
        hand_derived_vs_autodiff=vs_autodiff,
        hand_derived_vs_differences=None,
    )


def _ends(slopes: Slopes, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """The lower and the upper end of slopes, NaN where there is none."""
    low, high = np.full(shape, np.nan), np.full(shape, np.nan)
    for index, slope in slopes.items():
        low[index], high[index] = slope.low, slope.high
    return low, high


def _own(leaves: Sequence[Array]) -> list[Any]:
    return [x.copy() if x.ndim else x[()] for x in leaves]


def _slopes(gradient: Gradient, step: float, kink: bool, eps: float) -> list[Slopes]:
    """For each leaf the slopes of its gradient along the vectors, element by element; at a kink, on either side.

    eps: the rounding of one number.
    """
    steps = steps_from(step)
    here = gradient(0.0)
    up, down = [[gradient(sign * h) for h in steps] for sign in (1, -1)]  # by step, by leaf
    found = []
    for k, x in enumerate(here):
        noises = [16 * eps * max(largest(at[k]) for at in up + down) / h for h in steps]
        slopes: Slopes = {}
        for place in range(0, x.size, max(1, x.size // MOST)):
            index = tuple(int(i) for i in np.unravel_index(place, x.shape))
            values = float(x[index]), [float(at[k][index]) for at in up], [float(at[k][index]) for at in down]
            slopes[index] = _slope(*values, steps, noises, kink)
        found.append(slopes)
    return found


def _slope(
    here: float, up: list[float], down: list[float], steps: list[float], noises: list[float], kink: bool
) -> Slope:
    """The slope of one element of a gradient, from its values at the point and after steps to both sides."""
    if kink:
        forward = [(a - here) / h for a, h in zip(up, steps, strict=True)]
        backward = [(here - b) / h for b, h in zip(down, steps, strict=True)]
        estimates = [extrapolated(forward, noises, power=1), extrapolated(backward, noises, power=1)]
    else:
        central = [(a - b) / (2 * h) for a, b, h in zip(up, down, steps, strict=True)]
        estimates = [extrapolated(central, noises, power=2)]
    ends = [one.slope for one in estimates]
    low, high = float(np.min(ends)), float(np.max(ends))  # NaN if one is
    kind: Kind = "kink" if kink else "smooth"
    if not all(one.settled for one in estimates):
        kind = "rough"
    elif not np.isfinite(high - low):
        kind = "unknown"
    secant = max(abs(up[0] - here), abs(down[0] - here)) / steps[0]
    return Slope(low, high, max(one.error for one in estimates), kind, secant)
