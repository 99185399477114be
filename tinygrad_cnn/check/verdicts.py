"""What qualifies a difference: it is no mistake if nothing depends on it, if it is a convention, or next to a NaN.

The diagnosis compares arrays. Here the comparisons are read again, for what they mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.autodiff_faults import faults
from tinygrad_cnn.check.diagnose.comparisons import compare_arrays
from tinygrad_cnn.check.diagnose.evidence import Evidence
from tinygrad_cnn.check.diagnose.explanations.case import SAFETY
from tinygrad_cnn.check.results import Cause, Comparison, ForwardValue, Parameter, Step
from tinygrad_cnn.check.tie_shares import shares_are_allowed
from tinygrad_cnn.check.witnesses.autodiff import rounding_of_values
from tinygrad_cnn.check.witnesses.branches import mask
from tinygrad_cnn.check.witnesses.hand_derived import matched
from tinygrad_cnn.check.witnesses.magnitude import largest_finite
from tinygrad_cnn.engine.graph import Array, Node, source_line
from tinygrad_cnn.engine.sweep import pull_back


def forward_values(evidence: Evidence) -> list[ForwardValue]:
    """The values of the forward pass that were returned with the gradients, in their order; the loss last."""
    derived, auto, found = evidence.hand_derived, evidence.autodiff, list[ForwardValue]()
    if derived is None or not (derived.forward or derived.loss is not None):
        return []
    rounding = rounding_of_values(evidence.subject, auto.run) if auto.opaque is None else {}
    for node in sorted(derived.forward, key=lambda node: node.order):
        name, x = derived.forward[node]
        comparison = compare_arrays(x, np.asarray(node.value), rounding[node])
        found.append(ForwardValue(name, evidence.names.get(node, name), comparison))
    if derived.loss is not None:
        of_loss = 64 * float(np.finfo(float).eps) * abs(float(auto.run.value))
        if auto.run.result is not None:
            of_loss = max(of_loss, rounding[auto.run.result])
        comparison = compare_arrays(derived.loss.reshape(()), np.asarray(auto.run.value), of_loss)
        found.append(ForwardValue("loss", "", comparison))
    return found


# A loss that is not finite.


def without_a_loss(rows: Sequence[Parameter]) -> list[Parameter]:
    """Parameters of a loss that is not finite: no comparison says anything."""
    nothing = Comparison("inconclusive", note=sentences.LOSS_WITHOUT_VALUE)
    return [
        replace(
            row,
            cause=None,
            autodiff_vs_differences=nothing,
            hand_derived_vs_autodiff=row.hand_derived_vs_autodiff and nothing,
            hand_derived_vs_differences=row.hand_derived_vs_differences and nothing,
        )
        for row in rows
    ]


def why_not_finite(evidence: Evidence) -> str:
    """That the loss is not finite, and where the first such value is computed."""
    run = evidence.autodiff.run
    said = sentences.LOSS_NOT_FINITE.format(loss=float(run.value))
    first = next((node for node in run.computed() if not np.all(np.isfinite(node.value))), None)
    if first is None:
        return said
    called = f"{first.primitive.__name__} ({sentences.file_and_line(source_line(first))})"
    return f"{said} {sentences.FIRST_VALUE_NOT_FINITE.format(primitive=called)}"


# Where autodiff gives NaN.


def beside_nan(evidence: Evidence, rows: Sequence[Parameter], notes: list[str]) -> list[Parameter]:
    """Parameters, compared with autodiff only where it gives a number: no gradient is wrong for differing from a NaN.

    Adds to `notes`.
    """
    return [_beside_nan(evidence, k, row, notes) for k, row in enumerate(rows)]


def _beside_nan(evidence: Evidence, k: int, row: Parameter, notes: list[str]) -> Parameter:
    hand, by_autodiff = row.hand_derived, row.autodiff
    if hand is None or by_autodiff is None or hand.shape != by_autodiff.shape or row.node is None:
        return row
    broken = ~np.isfinite(by_autodiff) & np.isfinite(hand)
    other = row.hand_derived_vs_differences
    if not broken.any() or (other is not None and other.verdict == "differ"):
        return row
    value = by_autodiff[broken][0]
    nothing = Comparison("inconclusive", note=sentences.AUTODIFF_WITHOUT_VALUE.format(value=value))
    rounding, slopes = evidence.autodiff.rounding.get(row.node, 0.0), evidence.differences.slopes[k]
    compared = compare_arrays(hand, np.where(broken, hand, by_autodiff), rounding, slopes)
    if compared.verdict == "differ":
        return replace(row, hand_derived_vs_autodiff=compared)
    if not np.all(np.isfinite(row.low[broken])):
        index = tuple(int(i) for i in np.argwhere(broken & ~np.isfinite(row.low))[0])
        notes.append(sentences.UNCONFIRMED.format(parameter=row.name, value=value, index=index))
    return replace(
        row,
        cause=None,
        autodiff_vs_differences=None if row.autodiff_vs_differences is None else nothing,
        hand_derived_vs_autodiff=nothing if broken.all() else replace(compared, note=nothing.note),
    )


def which_makes_nan(evidence: Evidence, before: Sequence[Parameter], after: Sequence[Parameter]) -> list[str]:
    """Of parameters for which autodiff gives no number, that the hand-derived gradient is right, and the line."""
    found = []
    for one, other in zip(before, after, strict=True):
        confirmed = (
            other.hand_derived_vs_differences is not None and other.hand_derived_vs_differences.verdict == "agree"
        )
        wrong = other.hand_derived_vs_autodiff is not None and other.hand_derived_vs_autodiff.verdict == "differ"
        if other is not one and one.autodiff is not None and confirmed and not wrong:
            broken = ~np.isfinite(one.autodiff)
            if np.all(np.isfinite(one.low[broken])):
                value = one.autodiff[broken][0]
                found.append(sentences.AUTODIFF_NOT_FINITE.format(value=value, parameter=one.name))
    return found + (faults(evidence.subject, evidence.autodiff.run) if found else [])


# Steps.


def qualified(evidence: Evidence, steps: Sequence[Step], notes: list[str]) -> list[Step]:
    """Steps, those right that differ only where it does not matter. Adds to `notes`."""
    return [_qualified(evidence, step, notes) if step.wrong else step for step in steps]


def _qualified(evidence: Evidence, step: Step, notes: list[str]) -> Step:
    hand, expected = step.hand_derived, step.expected
    if hand.shape != expected.shape:
        return step
    broken = ~np.isfinite(expected) & np.isfinite(hand)
    if broken.any():
        if broken.all():
            nothing = Comparison(
                "inconclusive", note=sentences.AUTODIFF_WITHOUT_VALUE.format(value=expected[broken][0])
            )
            return replace(step, given_upstream=nothing, against_autodiff=nothing, cause=None)
        expected = np.where(broken, hand, expected)
        rounding = step.given_upstream.error / SAFETY
        step = replace(step, given_upstream=compare_arrays(hand, expected, rounding))
        if not step.wrong:
            return replace(step, cause=None)
    differs = np.abs(hand - expected) > step.given_upstream.error
    n = int(np.count_nonzero(differs))
    elements = sentences.count(n, "element")
    if not _reaches_a_parameter(evidence, step.node, differs):
        return _right(step, sentences.NO_EFFECT.format(step=step.name, elements=elements), notes)
    if _is_of_a_symmetric_matrix(evidence, step.node, hand - expected, step.given_upstream.error):
        return _right(step, sentences.SYMMETRIC.format(step=step.name), notes)
    walk = evidence.step_by_step
    if shares_are_allowed(evidence, step.node, hand, expected, walk, step.given_upstream.error):
        return _right(step, sentences.TIE_SHARED.format(step=step.name, elements=elements), notes)
    return step


def _is_of_a_symmetric_matrix(evidence: Evidence, node: Node, difference: Array, error: float) -> bool:
    """Whether a difference is one of conventions: it is antisymmetric, and no parameter gets anything of such.

    A matrix such as B @ B.T is symmetric whatever B is. np.linalg.cholesky reads one triangle of it.
    """
    shape = difference.shape
    if not node.sources or len(shape) < 2 or shape[-1] != shape[-2]:
        return False
    if not largest_finite(difference + np.swapaxes(difference, -1, -2)) <= 2 * error:
        return False
    run, x = evidence.autodiff.run, np.random.default_rng(0).standard_normal(shape)
    nodes = run.nodes[: run.nodes.index(node) + 1]
    sizes = []
    for seeds in (x - np.swapaxes(x, -1, -2), x + np.swapaxes(x, -1, -2)):
        with np.errstate(all="ignore"):
            arrived = pull_back({node: seeds.astype(node.like.dtype)}, nodes, keep=True)
        sizes.append([largest_finite(arrived[p]) if p in arrived else 0.0 for p in run.parameters])
    return any(sizes[1]) and all(one <= SMALL * other for one, other in zip(*sizes, strict=True))


def _right(step: Step, note: str, notes: list[str]) -> Step:
    notes.append(note)
    verdict = replace(step.given_upstream, verdict="agree", difference=0.0, note=note)
    return replace(step, given_upstream=verdict, cause=None, convention=note)


def _reaches_a_parameter(evidence: Evidence, node: Node, differs: Array) -> bool:
    """Whether the gradient of a parameter depends on these elements of the cotangent of a node.

    Numbers at random, so that none cancel, are carried back from there. Nothing depends on them if all that arrives is
    exactly 0, and not because a relu happens to be at rest at this point: what reaches a kink counts as arrived.
    """
    if not node.sources:
        return True
    run = evidence.autodiff.run
    seeds = np.where(differs, np.random.default_rng(0).uniform(1, 2, differs.shape), 0.0)
    with np.errstate(all="ignore"):
        arrived = pull_back({node: seeds.astype(node.like.dtype)}, run.nodes[: run.nodes.index(node) + 1], keep=True)
    reached = [x for x, g in arrived.items() if x is not node and np.any(g != 0)]
    return _has_kink(node) or any(not x.sources or _has_kink(x) for x in reached)


def _has_kink(node: Node) -> bool:
    """Whether the primitive of a node has another slope elsewhere, other than by a mask that it is given."""
    kink = None if node.primitive is None else node.primitive.kink
    return kink is not None and bool(kink.conventions or kink.ties_in_full) and mask(node) is None


SMALL = 1e-9  # relative: what cancels, but for rounding
MOST, MORE = 64, 8  # elements at a kink that are looked at together, and how many more gradients are taken near by
NEAR = 1e-7  # how near, relative to the parameters
FURTHER = 8  # standard deviations


def along_conventions(evidence: Evidence, k: int, row: Parameter) -> Parameter:
    """The parameter in place `k`; wrong, if conventions that are each right by themselves are no slope together.

    Of elements that tie, each may lie within its bounds while they get too little of a cotangent together. At a kink,
    what is right is a mean of the gradients near by; so it has to lie in the space that these span.
    """
    pair, hand = row.hand_derived_vs_autodiff or row.hand_derived_vs_differences, row.hand_derived
    if (
        pair is None
        or pair.verdict != "agree"
        or hand is None
        or not 1 < row.kinks <= MOST
        or evidence.deadline.is_over()
    ):
        return row
    if row.autodiff is None and not callable(evidence.by_hand):
        return row
    slopes = evidence.differences.slopes[k]
    places = [index for index, slope in slopes.items() if slope.kind == "kink"]
    at = np.array([hand[index] for index in places])
    if row.autodiff is not None and np.all(np.abs(at - [row.autodiff[index] for index in places]) <= pair.error):
        return row
    near = np.array([[g[index] for index in places] for g in _gradients_near(evidence, k, places)])
    if not near.size or not np.all(np.isfinite(near)):
        return row
    mean = near.mean(axis=0)
    coordinates = np.linalg.lstsq((near - mean).T, at - mean, rcond=1e-5)[0]
    rest = np.abs(at - mean - (near - mean).T @ coordinates)
    worst, size = int(np.argmax(rest)), float(np.max(np.abs(near)))
    if rest[worst] <= 1e-4 * size:
        return row
    explanation = sentences.NOT_TOGETHER.format(elements=sentences.count(len(places), "element"))
    values = float(at[worst]), float((mean + (near - mean).T @ coordinates)[worst])
    wrong = Comparison("differ", float(rest[worst]), pair.error, math.inf, places[worst], values, explanation)
    if row.autodiff is None:
        return replace(row, hand_derived_vs_differences=wrong, cause=Cause(explanation))
    return replace(row, hand_derived_vs_autodiff=wrong, cause=Cause(explanation))


def _gradients_near(evidence: Evidence, k: int, places: Sequence[tuple[int, ...]]) -> list[Array]:
    """The gradient of a parameter at points near by: by autodiff, or hand-derived where that cannot follow.

    Each element at a kink is once moved up, and once down, further than all others are: of many that tie, one that is
    moved at random with the others may never be the largest.
    """
    rng, found, subject = np.random.default_rng(0), [], evidence.subject
    for number in range(2 * len(places) + MORE):
        away = [NEAR * (largest_finite(x) or 1.0) * rng.standard_normal(x.shape) for x in subject.leaves]
        if number < 2 * len(places):
            away[k][places[number // 2]] = (
                (1 - 2 * (number % 2)) * FURTHER * NEAR * (largest_finite(subject.leaves[k]) or 1.0)
            )
        leaves = [(x + v).astype(x.dtype) for x, v in zip(subject.leaves, away, strict=True)]
        if evidence.autodiff.opaque is None:
            run = subject.run(leaves)
            found.append(np.asarray(run.cotangents()[run.parameters[k]]))
        else:
            run = evidence.autodiff.run
            returned = evidence.by_hand(subject.form.rebuild([x if x.ndim else x[()] for x in leaves]))
            found.append(matched(returned, subject.form, run, evidence.given_names).arrays()[run.parameters[k]])
    return found
