"""Training with `backward()` and `.grad`: a step that is recorded is warned of, and one that is not costs the same."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

STEPS: dict[str, Callable[[Any], Any]] = {
    "W = W - rate * W.grad": lambda W: W - 0.1 * W.grad,
    "W = -rate * W.grad + W": lambda W: -0.1 * W.grad + W,
    "W -= rate * W.grad": lambda W: W.__isub__(0.1 * W.grad),
    "with another direction": lambda W: W - 0.1 * np.sign(W.grad),
}


def losses(W: Any, step: Callable[[Any], Any], steps: int) -> list[float]:
    found = []
    for _ in range(steps):
        loss = np.sum(W**2)
        loss.backward()
        found.append(loss.item())
        W = step(W)
    return found


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("start", [3.0, np.array([1.0, -2.0, 0.5])], ids=["number", "array"])
def test_a_recorded_training_step_is_warned_of_once_for_a_line(step: Callable[[Any], Any], start: Any) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        losses(tg.Tensor(start), step, 6)
    assert len(caught) == 1
    assert "with tg.no_grad():" in str(caught[0].message)
    assert caught[0].filename == __file__


def unrecorded(W: Any) -> Any:
    with tg.no_grad():
        W -= 0.1 * W.grad
    return W


@pytest.mark.parametrize(
    "step",
    [unrecorded, lambda W: tg.Tensor(W.value - 0.1 * W.grad), lambda W: tg.SGD(0.1).step(W, W.grad)],
    ids=["no_grad", "a new Tensor", "an optimiser"],
)
def test_a_training_step_without_a_record_makes_no_graph(step: Callable[[Any], Any]) -> None:
    W = tg.Tensor([1.0, -2.0, 0.5])
    found = losses(W, step, 4)
    np.testing.assert_allclose(found, 5.25 * 0.64 ** np.arange(4))


def test_what_is_no_training_step_is_not_warned_of() -> None:
    W, target = tg.Tensor([1.0, 2.0]), np.array([0.5, -1.0])
    for _ in range(3):  # several losses of one parameter
        np.sum((W - target) ** 2).backward()
    hidden = W + 1.0  # several losses of one hidden value
    for _ in range(3):
        np.sum(hidden**2).backward()
        np.sum((hidden - target) ** 2).backward()
