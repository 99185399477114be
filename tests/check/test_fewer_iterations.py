"""Edits of a long loop are tried in a short one first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.check.diagnose.fewer_iterations import FEW, shortened

RNG = np.random.default_rng(0)
LENGTH = 120
PLACES, GOALS = RNG.normal(size=(LENGTH, 3)), RNG.normal(size=(LENGTH, 2))
PARAMETERS = {"W": RNG.normal(size=(3, 2)), "U": RNG.normal(size=(2, 2)) / 2}
Gradient = Callable[..., Any]


class Counted:
    """A recurrent network and its gradient, which counts the iterations of the backward loop."""

    def __init__(self, slope: Callable[[Any, int], Any]) -> None:
        self.slope, self.iterations = slope, 0

    def by_hand(self, p: Any) -> Any:
        hs = [np.zeros(2)]
        for t in range(LENGTH):
            hs.append(np.tanh(PLACES[t] @ p["W"] + hs[-1] @ p["U"]))
        dW, dU, dh = np.zeros((3, 2)), np.zeros((2, 2)), np.zeros(2)
        for t in reversed(range(LENGTH)):
            self.iterations += 1
            dh = dh + hs[t + 1] - GOALS[t]
            dz = dh * self.slope(hs[t + 1], t)
            dW += np.outer(PLACES[t], dz)
            dU += np.outer(hs[t], dz)
            dh = p["U"] @ dz
        return {"W": dW, "U": dU}


def loss(p: Any) -> Any:
    h, total = np.zeros(2), 0.0
    for t in range(LENGTH):
        h = np.tanh(PLACES[t] @ p["W"] + h @ p["U"])
        total = total + 0.5 * np.sum((h - GOALS[t]) ** 2)
    return total


def everywhere(h: Any, t: int) -> Any:
    return 1 - h


def late(h: Any, t: int) -> Any:
    return 1 - h if t > 50 else 1 - h**2


def test_few_iterations_of_a_long_loop_are_run_to_find_what_is_wrong_in_all() -> None:
    counted = Counted(everywhere)
    report = tg.check.gradients(loss, PARAMETERS, counted.by_hand, evaluations=0)
    cause = report.parameters[0].cause
    assert cause is not None
    assert cause.right == "return 1 - h ** 2"
    assert counted.iterations < 30 * LENGTH


def test_what_is_wrong_late_in_a_loop_is_looked_for_in_all_of_it() -> None:
    report = tg.check.gradients(loss, PARAMETERS, Counted(late).by_hand, evaluations=0)
    cause = report.parameters[0].cause
    assert cause is not None
    assert cause.right == "return 1 - h ** 2 if t > 50 else 1 - h ** 2"


def test_what_is_shortened_is_as_it_was_afterwards() -> None:
    before = (LENGTH, PLACES, GOALS)
    found = []
    for short in shortened([loss]):
        with short():
            found.append((LENGTH, len(PLACES), len(GOALS)))
    assert (FEW, FEW, FEW) in found
    assert all(x is y for x, y in zip(before, (LENGTH, PLACES, GOALS), strict=True))
