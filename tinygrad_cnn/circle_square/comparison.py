"""The honest table: autodiff beside the gradient derived by hand beside central differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.hand_derived import hand_derived
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_as_printed, loss_shifted

Floats = NDArray[np.float64]
STEP = 1e-5  # of the differences


class Difference(NamedTuple):
    """How far two gradients of one parameter are apart: at most, and relative to the largest element of the second."""

    absolute: float
    relative: float


class Row(NamedTuple):
    """One parameter: how far the three gradients of it are apart."""

    parameter: str
    largest: float  # of autodiff, in absolute value
    auto_hand: Difference
    auto_numeric: Difference
    hand_numeric: Difference


class Table(NamedTuple):
    """One loss on one batch, a row for each parameter; `says` is what it is that is compared."""

    name: str
    says: str
    tied_windows: int
    rows: list[Row]


def compare(x: Floats, y: Floats, p: Parameters) -> list[Table]:
    """Compare the gradients of the model at `p`, on images (batch, 28, 28) and targets (batch, 1).

    Three times: of the shifted loss where no window is tied, which is what the gradient by hand is right for; of the
    shifted loss on the images as they are, where ties count; and of the loss that the article prints.
    """
    # A ten-thousandth of a stroke's brightness, so that no two pixels are alike.
    untied = x + np.random.default_rng(0).uniform(0, 1e-4 * np.max(x), x.shape)
    return [
        _table("shifted", "the shifted loss, where nothing is tied", loss_shifted, untied, y, p),
        _table("shifted_with_ties", "the shifted loss, on the images as they are", loss_shifted, x, y, p),
        _table("printed", "the loss that is printed, on the images as they are", loss_as_printed, x, y, p),
    ]


def _table(name: str, says: str, loss: Callable[..., Any], x: Floats, y: Floats, p: Parameters) -> Table:
    def of(p: Parameters) -> Any:
        return loss(forward(x, p).sigma, y)

    with np.errstate(all="ignore"):  # the shifted loss is NaN beyond its pole, and the differences then are too
        auto = tg.grad(of)(p)
        hand = hand_derived(x, y, p)
        numeric = {field.name: _central_differences(of, p, field.name) for field in fields(p)}
    rows = []
    for parameter, differences in numeric.items():
        by_auto, by_hand = getattr(auto, parameter), getattr(hand, f"dL_d{parameter}")
        rows.append(
            Row(
                parameter,
                float(np.max(np.abs(by_auto))),
                _difference(by_auto, by_hand),
                _difference(by_auto, differences),
                _difference(by_hand, differences),
            )
        )
    return Table(name, says, tied_windows(x, p), rows)


def tied_windows(x: Floats, p: Parameters) -> int:
    """In how many pooling windows that let a cotangent through more than one element is the maximum."""
    steps = forward(x, p)
    batch, height, width = steps.relu.shape
    windows = steps.relu.reshape(batch, height // 2, 2, width // 2, 2)
    at_maximum = np.sum(windows == steps.max_pool[:, :, None, :, None], axis=(2, 4))
    return int(np.sum((at_maximum > 1) & (steps.max_pool > 0)))


def _difference(a: Floats, b: Floats) -> Difference:
    absolute = float(np.max(np.abs(a - b)))
    largest = float(np.max(np.abs(b)))
    return Difference(absolute, absolute / largest if largest else np.inf if absolute else 0.0)


def _central_differences(loss: Callable[[Parameters], Any], p: Parameters, name: str) -> Floats:
    value = getattr(p, name)
    slopes = np.empty(value.shape)
    for index in np.ndindex(value.shape):
        moved = []
        for step in (STEP, -STEP):
            shifted = value.copy()
            shifted[index] += step
            moved.append(float(loss(replace(p, **{name: shifted}))))
        slopes[index] = (moved[0] - moved[1]) / (2 * STEP)
    return slopes
