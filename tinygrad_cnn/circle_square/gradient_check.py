"""The model's gradient, cross-checked: autodiff, the article's hand-derived gradient, and finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.hand_derived import hand_derived
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_as_printed, loss_shifted

Floats = NDArray[np.float64]
Loss = Callable[[Any, Any], Any]  # of (sigma, y)

LossName = Literal["printed", "shifted"]
LOSSES: dict[str, Loss] = {"printed": loss_as_printed, "shifted": loss_shifted}

# What the model calls what the hand-derived gradient calls otherwise.
NAMES = {"dL_dsig": "sigma", "dL_dmax": "max_pool"}

EVALUATIONS = 300  # of the loss, for the finite differences of one check at the end of training: half a second


class CheckedLoss(NamedTuple):
    """One loss on one batch: what is checked, in how many windows elements tie, and the report."""

    name: str
    title: str
    tied_windows: int
    report: tg.check.Report


def cross_check(
    loss: Loss,
    x: Floats,
    y: Floats,
    p: Parameters,
    losses: dict[str, Loss] | None = None,
    conventions: dict[str, Any] | None = None,
    **how: Any,
) -> tg.check.Report:
    """The hand-derived gradient against autodiff of a loss of (sigma, y), and finite differences of it.

    losses: others, by name, of which it might be the gradient. conventions: of `forward`, at ties and at 0. how: as for
    `tg.check.gradients`.
    """

    def of(loss: Loss) -> Callable[[Parameters], Any]:
        return lambda p: loss(forward(x, p, **(conventions or {})).sigma, y)

    return tg.check.gradients(
        of(loss),
        p,
        lambda p: hand_derived(x, y, p),
        names=NAMES,
        losses={name: of(other) for name, other in (losses or {}).items()},
        **how,
    )


def check_losses(x: Floats, y: Floats, p: Parameters, evaluations: int = EVALUATIONS) -> list[CheckedLoss]:
    """Cross-check the gradient at `p`, on images (batch, 28, 28) and targets (batch, 1).

    Three times: of the shifted loss where nothing ties, which is what the hand-derived gradient is right for; of the
    shifted loss on the images as they are, where ties count; and of the loss that the article prints.
    """

    def checked(name: str, title: str, loss: Loss, x: Floats) -> CheckedLoss:
        with np.errstate(all="ignore"):  # beyond the pole of the shifted loss it is NaN, and the report says so
            report = cross_check(loss, x, y, p, evaluations=evaluations, progress=False)
            return CheckedLoss(name, title, int(np.sum(tied_elements(x, p) > 1)), report)

    return [
        checked("shifted", "the shifted loss, where nothing is tied", loss_shifted, without_ties(x)),
        checked("shifted_with_ties", "the shifted loss, on the images as they are", loss_shifted, x),
        checked("printed", "the loss that is printed, on the images as they are", loss_as_printed, x),
    ]


def without_ties(x: Floats) -> Floats:
    """The images with up to a ten-thousandth of a stroke's brightness added, so that no two pixels are alike."""
    return x + np.random.default_rng(0).uniform(0, 1e-4 * np.max(x), x.shape)


def elements_at_maximum(x: Floats, p: Parameters) -> NDArray[np.intp]:
    """How many elements of each pooling window are its maximum: (batch, 14, 14)."""
    steps = forward(x, p)
    batch, height, width = steps.relu.shape
    windows = steps.relu.reshape(batch, height // 2, 2, width // 2, 2)
    at_maximum: NDArray[np.bool_] = windows == steps.max_pool[:, :, None, :, None]
    count: NDArray[np.intp] = at_maximum.sum(axis=(2, 4))
    return count


def tied_elements(x: Floats, p: Parameters) -> NDArray[np.intp]:
    """As `elements_at_maximum`, but 0 for a window that passes no cotangent on, for ReLU gives 0 there."""
    return np.where(forward(x, p).max_pool > 0, elements_at_maximum(x, p), 0)


def largest(parameter: tg.check.Parameter) -> float:
    """The largest element of its gradient by autodiff, in absolute value."""
    return float(np.max(np.abs(np.asarray(parameter.autodiff)), initial=0))


def relative(comparison: tg.check.Comparison, parameter: tg.check.Parameter) -> float:
    """The difference relative to the largest element of the gradient; NaN where it is not known."""
    if comparison.verdict == "inconclusive":
        return float("nan")
    if comparison.difference == 0:
        return 0.0
    with np.errstate(all="ignore"):
        return float(np.divide(comparison.difference, largest(parameter)))


def difference(comparison: tg.check.Comparison | None, parameter: tg.check.Parameter) -> str:
    """A comparison as the cell of a table: a tick or a cross, the absolute difference, and the relative one in
    brackets.
    """
    if comparison is None:
        return "not compared"
    if comparison.verdict == "inconclusive":
        return f"? {comparison.note}"
    sign = "✓" if comparison.verdict == "agree" else "✗"
    return f"{sign} {comparison.difference:.1e} ({relative(comparison, parameter):.0e})"
