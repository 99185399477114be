"""Products of the second derivative with vectors: by the rules' own derivatives, and by differences of gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.check.by_hand import matched
from tinygrad_cnn.check.compared import between_arrays, with_slopes
from tinygrad_cnn.check.numbers import SHRINK, Slope, extrapolated, steps_from
from tinygrad_cnn.check.report import Parameter
from tinygrad_cnn.check.steps import largest
from tinygrad_cnn.check.trace import as_array, trace
from tinygrad_cnn.graph import Array
from tinygrad_cnn.transforms import hvp

Gradient = Callable[[list[Array]], list[Array]]
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
    point, along = form.rebuild(_own(leaves)), form.rebuild(_own(vectors))
    exact = [as_array(x) for x in tree.flatten(hvp(loss, point, along)).leaves]

    def by_autodiff(moved: list[Array]) -> list[Array]:
        run = trace(loss, form, moved)
        found = run.cotangents()
        return [np.asarray(found[node]) for node in run.parameters]

    def by_the_hand(moved: list[Array]) -> list[Array]:
        run = trace(loss, form, moved)
        found = matched(by_hand(form.rebuild(_own(moved))), form, run, names).of if by_hand else {}
        return [found[node][1] for node in run.parameters]

    def alike(t: float) -> bool:
        moved = [x + t * v for x, v in zip(leaves, vectors, strict=True)]
        return trace(loss, form, moved).branches().same(here)

    here = trace(loss, form, leaves).branches()
    step = 1e-2
    while step > 1e-7 and not all(alike(sign * h) for sign in (1, -1) for h in steps_from(step)):
        step /= SHRINK
    slopes = _slopes(by_autodiff, leaves, vectors, step)
    hand = None if by_hand is None else _slopes(by_the_hand, leaves, vectors, step)
    rows = []
    for k, name in enumerate(form.names):
        rounding = 256 * float(np.finfo(np.float64).eps) * largest(exact[k])
        low, by_slopes = np.full(leaves[k].shape, np.nan), slopes[k]
        for index, slope in by_slopes.items():
            low[index] = slope.low
        hand_array, hand_auto = None, None
        if hand is not None:
            hand_array = np.full(leaves[k].shape, np.nan)
            for index, slope in hand[k].items():
                hand_array[index] = slope.low
            measured = tuple(np.array(list(hand[k])).T) if hand[k] else ()
            error = max((slope.error for slope in hand[k].values()), default=0.0)
            hand_auto = between_arrays(hand_array[measured], exact[k][measured], rounding + error)
        rows.append(
            Parameter(
                name or "x", None, exact[k], hand_array, low, low, len(by_slopes), 0,
                with_slopes(exact[k], by_slopes, rounding), hand_auto, None,
            )
        )  # fmt: skip
    return rows


def _own(leaves: Sequence[Array]) -> list[Any]:
    return [x.copy() if x.ndim else x[()] for x in leaves]


def _slopes(
    gradient: Gradient, leaves: Sequence[Array], vectors: Sequence[Array], step: float
) -> list[dict[tuple[int, ...], Slope]]:
    """For each leaf the slopes of its gradient along the vectors, element by element."""
    steps = steps_from(step)
    ends = [
        [gradient([x + sign * h * v for x, v in zip(leaves, vectors, strict=True)]) for sign in (1, -1)] for h in steps
    ]
    found: list[dict[tuple[int, ...], Slope]] = []
    for k, x in enumerate(leaves):
        noise = 16 * float(np.finfo(np.float64).eps) * max(largest(end[k]) for pair in ends for end in pair)
        slopes: dict[tuple[int, ...], Slope] = {}
        for place in range(0, x.size, max(1, x.size // MOST)):
            index = tuple(int(i) for i in np.unravel_index(place, x.shape))
            raw = [float(up[k][index] - down[k][index]) / (2 * h) for (up, down), h in zip(ends, steps, strict=True)]
            best = extrapolated(raw, [noise / h for h in steps], power=2)
            slopes[index] = Slope(
                best.slope, best.slope, best.error, "smooth" if np.isfinite(best.slope) else "unknown"
            )
        found.append(slopes)
    return found
