"""Products of the second derivative with vectors: by the rules' own derivatives, and by differences of gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.compared import with_slopes
from tinygrad_cnn.check.diagnose.steps import largest
from tinygrad_cnn.check.report.report import Parameter
from tinygrad_cnn.check.witnesses.autodiff import unit_of
from tinygrad_cnn.check.witnesses.branches import Branches
from tinygrad_cnn.check.witnesses.finite_differences import SHRINK, Kind, Slope, extrapolated, steps_from
from tinygrad_cnn.check.witnesses.hand_derived import matched
from tinygrad_cnn.check.witnesses.trace import as_array, trace
from tinygrad_cnn.engine import tree
from tinygrad_cnn.engine.graph import Array, recording
from tinygrad_cnn.jacobians import hvp

Gradient = Callable[[float], list[Array]]  # so far along the vectors
LONGEST, SHORTEST = 1e-2, 1e-7  # steps, as shares of the vectors
MOST = 512  # elements of a product that are held against differences


def products(
    loss: Callable[[Any], Any],
    form: tree.Flat,
    leaves: Sequence[Array],
    by_hand: Callable[[Any], Any] | None,
    names: Any,
    seed: int,
) -> list[Parameter]:
    """The Hessian times a random vector, for each parameter: by autodiff, and as the slope of gradients along it.

    The slope of autodiff's gradient stands for the numbers, and that of the gradient by hand for the hand.
    """
    rng = np.random.default_rng(seed)
    vectors = [rng.standard_normal(x.shape) * (largest(x) or 1.0) for x in leaves]
    token = recording.set(recording.get() or True)  # a check within no_grad is a check
    try:
        product = hvp(loss, form.rebuild(_own(leaves)), form.rebuild(_own(vectors)))
    finally:
        recording.reset(token)
    exact = [as_array(x) for x in tree.flatten(product).leaves]
    here = trace(loss, form, leaves)
    eps = unit_of(here.nodes)
    precise = [x.astype(np.float64) for x in leaves]

    def moved(t: float) -> list[Array]:
        return [x + t * v for x, v in zip(precise, vectors, strict=True)]

    def by_autodiff(t: float) -> list[Array]:
        run = trace(loss, form, moved(t))
        found = run.cotangents()
        return [np.asarray(found[node]) for node in run.parameters]

    def by_the_hand(t: float) -> list[Array]:
        run = trace(loss, form, moved(t))
        found = matched(by_hand(form.rebuild(_own(moved(t)))), form, run, names).of if by_hand else {}
        return [found[node][1] for node in run.parameters]

    def branches(t: float) -> Branches:
        return trace(loss, form, moved(t)).branches()

    step = LONGEST
    while step > SHORTEST and not _alike([branches(sign * h) for sign in (1, -1) for h in steps_from(step)]):
        step /= SHRINK
    kink = step <= SHORTEST
    if kink:  # then there is a slope to either side
        step = LONGEST
        while step > SHORTEST and not all(_alike([branches(s * h) for h in steps_from(step)]) for s in (1, -1)):
            step /= SHRINK
    slopes = _slopes(by_autodiff, step, kink, eps)
    hand = None if by_hand is None else _slopes(by_the_hand, step, kink, eps)
    sizes = [largest(x) for x in exact], [largest(x) for x in by_autodiff(0.0)]
    sizes[1].extend(slope.secant for of_leaf in slopes for slope in of_leaf.values())
    least = max([1e-3 * size for size in sizes[0]] + [1e-6 * size for size in sizes[1]], default=0.0)  # to matter
    rows = []
    for k, name in enumerate(form.names):
        rounding = 256 * eps * largest(exact[k])
        low, high = _ends(slopes[k], exact[k].shape)
        by_the_hands, hand_auto = None, None
        if hand is not None:
            by_the_hands = _ends(hand[k], exact[k].shape)[0]
            found = with_slopes(exact[k], hand[k], rounding, least)
            hand_auto = replace(found, values=found.values[::-1])
        auto_numbers = with_slopes(exact[k], slopes[k], rounding, least)
        rows.append(
            Parameter(
                name or "x", None, exact[k], by_the_hands, low, high, len(slopes[k]), int(np.sum(low != high)),
                auto_numbers, hand_auto, None,
            )
        )  # fmt: skip
    return rows


def _alike(branches: Sequence[Branches]) -> bool:
    return all(one.same(branches[0]) for one in branches[1:])


def _ends(slopes: Mapping[tuple[int, ...], Slope], shape: tuple[int, ...]) -> tuple[Array, Array]:
    """The lower and the upper end of slopes, NaN where there is none."""
    low, high = np.full(shape, np.nan), np.full(shape, np.nan)
    for index, slope in slopes.items():
        low[index], high[index] = slope.low, slope.high
    return low, high


def _own(leaves: Sequence[Array]) -> list[Any]:
    return [x.copy() if x.ndim else x[()] for x in leaves]


def _slopes(gradient: Gradient, step: float, kink: bool, eps: float) -> list[dict[tuple[int, ...], Slope]]:
    """For each leaf the slopes of its gradient along the vectors, element by element; at a kink, to either side.

    eps: the rounding of one number.
    """
    steps = steps_from(step)
    here, ends = gradient(0.0), [[gradient(sign * h) for sign in (1, -1)] for h in steps]
    found: list[dict[tuple[int, ...], Slope]] = []
    for k, x in enumerate(here):
        noises = [16 * eps * max(largest(end[k]) for pair in ends for end in pair) / h for h in steps]
        slopes: dict[tuple[int, ...], Slope] = {}
        for place in range(0, x.size, max(1, x.size // MOST)):
            index = tuple(int(i) for i in np.unravel_index(place, x.shape))
            up, down = [[float(pair[side][k][index]) for pair in ends] for side in (0, 1)]
            if not kink:
                both = [extrapolated([(a - b) / (2 * h) for a, b, h in zip(up, down, steps, strict=True)], noises, 2)]
            else:
                at = float(x[index])
                both = [
                    extrapolated([sign * (a - at) / h for a, h in zip(side, steps, strict=True)], noises, 1)
                    for sign, side in ((1, up), (-1, down))
                ]
            low, *_, high = sorted([one.slope for one in both] * 2)
            kind: Kind = "kink" if kink else "smooth"
            if not all(one.settled for one in both):
                kind = "rough"
            elif not np.isfinite(high - low):
                kind = "unknown"
            secant = max(abs(ends[0][side][k][index] - x[index]) / steps[0] for side in (0, 1))
            slopes[index] = Slope(low, high, max(one.error for one in both), kind, float(secant))
        found.append(slopes)
    return found
