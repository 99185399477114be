"""What a cross-check finds of the article's gradient, measured on given images at given parameters.

Each finding is a measurement and a sentence made of its numbers: on other images, or at other parameters, it may say
that nothing is wrong. What there is to be found is told in the article's own terms, and in this order.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.gradient_check import (
    LOSSES,
    LossName,
    cross_check,
    elements_at_maximum,
    largest,
    tied_elements,
    without_ties,
)
from tinygrad_cnn.circle_square.hand_derived import EPSILON, hand_derived, max_pool_gradient
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_as_printed, loss_shifted

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Finding:
    """One fact: whether it was found, in a sentence, with the numbers that were measured."""

    title: str
    found: bool
    says: str
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Findings:
    """All findings, and the report on the loss whose gradient the hand-derived one is claimed to be."""

    findings: list[Finding]
    report: tg.check.Report


def investigate(
    x: Floats, y: Floats, p: Parameters, claims: LossName = "printed", progress: bool | None = None
) -> Findings:
    """Cross-check the hand-derived gradient on images (batch, 28, 28) with targets (batch, 1), at parameters `p`.

    claims: the loss of which it is said to be the gradient; the article says that of the printed one.
    """
    others = {f"the {name} one": loss for name, loss in LOSSES.items() if name != claims}
    report = cross_check(LOSSES[claims], x, y, p, losses=others, progress=progress)
    printed = report if claims == "printed" else cross_check(loss_as_printed, x, y, p, evaluations=0)
    untied = cross_check(loss_shifted, without_ties(x), y, p, evaluations=0)
    findings = [
        _another_loss(printed, untied),
        _pole(x, y, p),
        _ties(x, y, p),
        _at_zero(x, y, p),
        _assignment(x, y, p),
        _overflow(x, y, p),
    ]
    return Findings(findings, report)


def _another_loss(printed: tg.check.Report, untied: tg.check.Report) -> Finding:
    title = "The hand-derived gradient is not that of the printed loss"
    of_printed, of_shifted = _largest_difference(printed), _largest_difference(untied)
    numbers = {"from_printed": of_printed, "from_shifted": of_shifted}
    first = printed.first_wrong
    if first is None:
        return Finding(title, False, "Here it agrees with the gradient of the printed loss.", numbers)
    comparisons = [p.hand_derived_vs_autodiff for p in untied.parameters]
    all_agree = all(c is not None and c.verdict == "agree" for c in comparisons)
    agrees = "agrees with" if untied.ok or all_agree else "differs from"
    says = (
        f"It diverges from autodiff at {first.name}, the first step; in the gradient the difference is "
        f"{of_printed:.2g} times the largest element. "
        f"Where no elements tie it {agrees} the gradient of sum of -y log(sigma + eps) - (1 - y) log(1 - sigma - eps), "
        f"to {of_shifted:.1g} of its size, with eps = {EPSILON:g}."
    )
    return Finding(title, True, says, numbers)


def _largest_difference(report: tg.check.Report) -> float:
    """Between the hand-derived gradient and autodiff, relative to the largest element of the gradient."""
    return max(
        c.difference / (largest(p) or 1.0) for p in report.parameters if (c := p.hand_derived_vs_autodiff) is not None
    )


def _pole(x: Floats, y: Floats, p: Parameters) -> Finding:
    """Where dL_dsig of a circle changes its sign, looked for along fc from where sigma is 1/2."""
    title = "It has a pole, and the wrong sign beyond it"
    circle = np.zeros((1, 1))

    def slope(fc: float) -> float:
        return float(hand_derived(x[:1], circle, _with_fc(p, fc)).dL_dsig[0, 0])

    low, high = 0.0, 30.0
    if slope(low) <= 0 or slope(high) >= 0:
        return Finding(title, False, "The slope for a circle has the same sign at every sigma from 1/2 to 1.")
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    sigma = float(tg.sigmoid(low))
    steps = forward(x, p)
    beyond = int(np.sum((steps.sigma[0] > sigma) & (y[:, 0] == 0)))
    there = float(tg.sigmoid(high + 1))
    of_printed = float(tg.grad(lambda s: loss_as_printed(s, circle))(np.array([[there]]))[0, 0])
    lowest = float(loss_as_printed(y.T, y))
    says = (
        f"For a circle dL_dsig passes from {slope(low):.1e} to {slope(high):.1e} at fc = {low:.4f}, which is sigma = "
        f"{sigma:.6f} = 1 - {1 - sigma:.2g}. At sigma = {there:.6f}, beyond it, the slope is {slope(high + 1):.3g}: "
        "a step against it makes the model more certain that the circle is not one. "
        f"{beyond or 'None'} of these images {'is' if beyond < 2 else 'are'} there. "
        f"The printed loss has no pole: its slope there is {of_printed:.3g}, "
        f"and its minimum on these {len(y)} images is {lowest:.4f}, {lowest / np.log(2):.4g} log 2."
    )
    return Finding(title, True, says, {"sigma": sigma, "fc": low, "images_beyond": beyond, "least_loss": lowest})


def _with_fc(p: Parameters, fc: float) -> Parameters:
    """The parameters with which every image has this fc."""
    return replace(p, Wf=np.zeros_like(p.Wf), Bf=np.array([[fc]]))


def _ties(x: Floats, y: Floats, p: Parameters) -> Finding:
    """At windows whose elements tie: of a flat background, all four, if the filter's bias lets it through."""
    title = "Ties in max-pooling are counted in full"
    when, here = "", int(np.sum(_tying(x, p)[0] > 1))
    if not np.any(_tying(x, p)[0] == 4) and p.Bc[0, 0] != 0:
        p = replace(p, Bc=np.abs(p.Bc))
        when = f"At these parameters elements tie and pass a cotangent on in {here} of {_tying(x, p)[0].size} windows. "
        when += f"With Bc = {p.Bc[0, 0]:.4g}, which lets the flat background through: "
    tying, dead = _tying(x, p)
    tied, four = int(np.sum(tying > 1)), int(np.sum(tying == 4))
    report = cross_check(loss_shifted, x, y, p, evaluations=0)
    hand = hand_derived(x, y, p)
    true = float(np.sum(next(q.autodiff for q in report.parameters if q.name == "Bc" and q.autodiff is not None)))
    numbers = {
        "tied_here": here,
        "tied": tied,
        "four_tied": four,
        "tied_at_zero": dead,
        "dL_dBc": float(hand.dL_dBc[0, 0]),
        "true": true,
    }
    if not tied:
        says = (
            f"Here it changes nothing: elements tie in {dead} of {tying.size} windows, all of them where ReLU gives 0."
        )
        return Finding(title, False, says, numbers)
    step = next((s for s in report.steps if s.name == "dL_drelu" and s.wrong), None)
    given = hand.dL_drelu.reshape(len(x), tying.shape[1], 2, tying.shape[2], 2).sum(axis=(2, 4))
    counted = given[tying == 4] / np.where(hand.dL_dmax == 0, 1, hand.dL_dmax)[tying == 4]
    numbers["times_counted"] = float(np.median(counted)) if four else float("nan")
    says = (
        f"{when or 'Here '}in {tied} of {tying.size} windows elements tie and pass a cotangent on, "
        f"in {four} of them all four. Each gets the whole cotangent, where a subgradient divides it among them"
        + (f": a window of four counts {numbers['times_counted']:.6g} times. " if four else ". ")
        + f"The hand-derived dL/dBc is {numbers['dL_dBc']:.6g}; {true:.6g} is right."
        + (f" The check reports for dL_drelu: {step.explanation}." if step is not None and step.explanation else "")
    )
    return Finding(title, True, says, numbers)


def _tying(x: Floats, p: Parameters) -> tuple[NDArray[np.intp], int]:
    """How many elements tie in each window that passes a cotangent on; in how many others several tie."""
    tying = tied_elements(x, p)
    return tying, int(np.sum((elements_at_maximum(x, p) > 1) & (tying == 0)))


def _at_zero(x: Floats, y: Floats, p: Parameters) -> Finding:
    """At conv = 0: with Bc = 0 the background is there, whatever the filter."""
    title = "At conv = 0 the ReLU passes the cotangent"
    here = int(np.sum(forward(x, p).conv == 0))
    p = p if here else replace(p, Bc=np.zeros((1, 1)))
    elements = int(np.sum(forward(x, p).conv == 0))
    when = "" if here else "At these parameters conv is 0 nowhere; with Bc = 0 it is: "
    report = cross_check(loss_shifted, x, y, p, conventions={"ties": "all"}, evaluations=0)
    step = next((s for s in report.steps if s.name == "dL_dconv" and s.convention is not None), None)
    numbers: dict[str, float] = {"elements_here": here, "elements": elements}
    if step is None:
        return Finding(
            title, False, f"{when}conv is 0 at {elements} elements, and nothing is passed on there.", numbers
        )
    given = step.given_upstream
    says = (
        f"{when}{'c' if when else 'C'}onv is 0 at {elements} elements, and there the hand-derived gradient passes a "
        f"cotangent on ({given.values[0]:.3g} at {given.index}) where ReLU's slope is taken as 0. The check "
        f"reports: {step.convention}. Both are conventions: state the one that you use."
    )
    return Finding(title, True, says, numbers)


def _assignment(x: Floats, y: Floats, p: Parameters) -> Finding:
    """The article's backward pass of pooling compared with autodiff, with strides of 2 and of 1."""
    title = "Its col2im assigns where it should add"
    relu = forward(x, p).relu[:2] + np.random.default_rng(0).uniform(0, 1e-3, (2, *x.shape[1:]))
    found = {}
    for stride in (2, 1):
        max_pool = tg.max_pool2d(relu, 2, stride)
        cotangent = np.random.default_rng(1).standard_normal(max_pool.shape)
        by_hand = max_pool_gradient(cotangent, relu, max_pool, 2, stride)
        found[stride] = _of_pooling(relu, stride, cotangent, by_hand)
    compared = {stride: parameter.hand_derived_vs_autodiff for stride, parameter in found.items()}
    apart = {stride: 0.0 if comparison is None else comparison.difference for stride, comparison in compared.items()}
    numbers = {"apart_at_stride_2": apart[2], "apart_at_stride_1": apart[1]}
    if found[1].explanation is None:
        return Finding(title, False, "With a stride of 1 it agrees with autodiff too.", numbers)
    says = (
        "With the model's stride of 2, where windows of 2 x 2 lie side by side, it agrees with autodiff (to "
        f"{apart[2]:.1g}). With a stride of 1, where they overlap, it is off by {apart[1]:.3g}: {found[1].explanation}."
    )
    return Finding(title, True, says, numbers)


def _of_pooling(relu: Floats, stride: int, cotangent: Floats, by_hand: Floats) -> Any:
    """Autodiff's backward pass of pooling compared with a hand-derived one."""

    def loss(relu: Any) -> Any:
        return np.sum(cotangent * tg.max_pool2d(relu, 2, stride))

    return tg.check.gradients(loss, relu, by_hand, evaluations=0).parameters[0]


def _overflow(x: Floats, y: Floats, p: Parameters) -> Finding:
    """The fc below which exp(-fc) overflows, looked for between 0 and -2000."""
    title = "1 / (1 + exp(-fc)) overflows"

    def overflows(fc: float) -> bool:
        with np.errstate(over="raise"):
            try:
                hand_derived(x[:1], y[:1], _with_fc(p, fc))
            except FloatingPointError:
                return True
        return False

    low, high = -2000.0, 0.0
    if not overflows(low):
        return Finding(title, False, "It does not, down to fc = -2000.")
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if overflows(middle) else (low, middle)
    least = float(np.min(forward(x, p).fc))
    says = (
        f"Below fc = {high:.4f} exp(-fc) is more than the largest float, and NumPy warns; the least fc of these images "
        f"is {least:.4g}. tg.sigmoid({low:.2f}) is {float(tg.sigmoid(low)):.3g}, without a warning."
    )
    return Finding(title, True, says, {"fc": high, "least_fc": least})
