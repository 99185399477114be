"""Right gradients at kinks and ties: of each of the slopes that there are, any one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edited_gradients.model import Model


def relu_at_zero(rng: Any) -> Model:
    """A ReLU at 0 in some elements, with any slope between 0 and 1 there."""
    z = rng.standard_normal((3, 4)) * (rng.random((3, 4)) < 0.6)
    weight, slope = 1 + rng.random((3, 4)), float(rng.choice([0.0, 0.5, 1.0]))

    def loss(p: Any) -> Any:
        return np.sum(weight * np.maximum(p["z"], 0))

    def by_hand(p: Any) -> Any:
        return {"dz": weight * ((p["z"] > 0) + slope * (p["z"] == 0))}

    return Model(f"ReLU at 0, slope {slope}", loss, by_hand, {"z": z})


def absolute_at_zero(rng: Any) -> Model:
    """|w| at 0, as in a lasso, with a slope of -1, 0 or 1 there."""
    w = rng.standard_normal(6) * (rng.random(6) < 0.5)
    slope = float(rng.choice([-1.0, 0.0, 1.0]))

    def loss(p: Any) -> Any:
        return 0.3 * np.sum(np.abs(p["w"])) + 0.5 * np.sum((p["w"] - 1) ** 2)

    def by_hand(p: Any) -> Any:
        w = p["w"]
        return {"dw": 0.3 * (np.sign(w) + slope * (w == 0)) + w - 1}

    return Model(f"|w| at 0, slope {slope:g}", loss, by_hand, {"w": w})


def tied_maximum(rng: Any) -> Model:
    """The largest of several that tie: one gets all, or all get their share."""
    x = rng.integers(0, 3, 5).astype(float)
    shared = bool(rng.integers(2))

    def loss(p: Any) -> Any:
        return 2 * np.max(p["x"])

    def by_hand(p: Any) -> Any:
        x = p["x"]
        is_max = 1.0 * (x == x.max())
        one = np.zeros_like(x)
        one[np.argmax(x)] = 1
        return {"dx": 2 * (is_max / is_max.sum() if shared else one)}

    return Model(f"the largest of equals, {'shared' if shared else 'one'}", loss, by_hand, {"x": x})


def pooling_ties(rng: Any) -> Model:
    """Max pooling of windows with ties; the first of them gets all, as in PyTorch."""
    x = rng.integers(0, 3, (4, 4)).astype(float)
    goal = rng.standard_normal((2, 2))

    def loss(p: Any) -> Any:
        return np.sum(goal * np.max(p["x"].reshape(2, 2, 2, 2), axis=(1, 3)))

    def by_hand(p: Any) -> Any:
        dx = np.zeros((4, 4))
        for i in range(2):
            for j in range(2):
                a, b = np.unravel_index(np.argmax(p["x"][2 * i : 2 * i + 2, 2 * j : 2 * j + 2]), (2, 2))
                dx[2 * i + a, 2 * j + b] = goal[i, j]
        return {"dx": dx}

    return Model("max pooling, ties", loss, by_hand, {"x": x})


def hinge_at_margin(rng: Any) -> Model:
    """A hinge exactly at its margin."""
    m = rng.choice([-0.5, 0.5, 1.0, 2.0], 6)
    passes = float(rng.integers(2))

    def loss(p: Any) -> Any:
        return np.sum(np.maximum(0, 1 - p["m"]))

    def by_hand(p: Any) -> Any:
        m = p["m"]
        return {"dm": -1.0 * (m < 1) - passes * (m == 1)}

    return Model("hinge at its margin", loss, by_hand, {"m": m})


def clipped(rng: Any) -> Model:
    """clip at its ends."""
    x = rng.choice([-2.0, -1.0, 0.3, 1.0, 1.5], 7)
    weight, passes = 1 + rng.random(7), bool(rng.integers(2))

    def loss(p: Any) -> Any:
        return np.sum(weight * np.clip(p["x"], -1, 1))

    def by_hand(p: Any) -> Any:
        x = p["x"]
        return {"dx": weight * ((x >= -1) & (x <= 1) if passes else (x > -1) & (x < 1))}

    return Model("clip at its ends", loss, by_hand, {"x": x})


def huber_at_threshold(rng: Any) -> Model:
    """Huber's loss at its threshold, where it is smooth but for the second derivative."""
    e = rng.choice([-2.0, -1.0, 0.5, 1.0, 3.0], 6)

    def loss(p: Any) -> Any:
        e = p["e"]
        return np.sum(np.where(np.abs(e) <= 1, 0.5 * e**2, np.abs(e) - 0.5))

    def by_hand(p: Any) -> Any:
        return {"de": np.clip(p["e"], -1, 1)}

    return Model("Huber's loss at its threshold", loss, by_hand, {"e": e})


def sorted_pairs(rng: Any) -> Model:
    """Sorted numbers of which some tie: either order is right."""
    x = rng.integers(0, 4, 5).astype(float)
    weight = np.arange(5.0)

    def loss(p: Any) -> Any:
        return np.sum(weight * np.sort(p["x"]))

    def by_hand(p: Any) -> Any:
        dx = np.zeros(5)
        dx[np.argsort(p["x"], kind="stable")] = weight
        return {"dx": dx}

    return Model("sorted, with ties", loss, by_hand, {"x": x})


KINDS: list[Callable[[Any], Model]] = [
    relu_at_zero,
    absolute_at_zero,
    tied_maximum,
    pooling_ties,
    hinge_at_margin,
    clipped,
    huber_at_threshold,
    sorted_pairs,
]


def at_kinks(number: int) -> Model:
    """One of them, at a random point."""
    return KINDS[number % len(KINDS)](np.random.default_rng([7, number]))
