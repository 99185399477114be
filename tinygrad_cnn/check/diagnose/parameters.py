"""The gradient of one parameter: the witnesses compared in pairs, and why the hand-derived one is wrong."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.deadline import until
from tinygrad_cnn.check.diagnose.comparisons import compare_arrays, compare_with_slopes
from tinygrad_cnn.check.diagnose.evidence import Evidence
from tinygrad_cnn.check.diagnose.explanations import OtherSideOfKink
from tinygrad_cnn.check.diagnose.small_elements import beside_larger
from tinygrad_cnn.check.results import Cause, Comparison, Parameter
from tinygrad_cnn.check.witnesses.finite_differences import Slope
from tinygrad_cnn.check.witnesses.magnitude import largest_finite
from tinygrad_cnn.check.witnesses.sampled_slopes import DIRECTIONS, random_direction
from tinygrad_cnn.engine.graph import Array

FEW = 3  # elements, which may agree with something by accident
Along = list[tuple[Callable[[], Array], Slope]]  # directions, with the slopes along them


def parameter(evidence: Evidence, k: int) -> Parameter:
    """What there is to say of the parameter in place `k`, but for the cause of what is wrong."""
    auto, node = evidence.autodiff, evidence.autodiff.run.parameters[k]
    by_autodiff = None if auto.opaque is not None else np.asarray(auto.cotangents[node])
    hand_derived = None
    if evidence.hand_derived is not None and node in evidence.hand_derived.of:
        hand_derived = evidence.hand_derived.of[node][1]
    slopes = evidence.differences.slopes[k]
    low, high = _ends(slopes, evidence.subject.leaves[k].shape)
    vs_autodiff = None
    if hand_derived is not None and by_autodiff is not None:
        vs_autodiff = evidence.against_autodiff(node, hand_derived, slopes)
        vs_autodiff = beside_larger(evidence, node, vs_autodiff, hand_derived, by_autodiff, slopes)
    vs_differences = None if hand_derived is None else _against_differences(evidence, k, hand_derived, low)
    return Parameter(
        name=node.name or "x",
        node=node,
        autodiff=by_autodiff,
        hand_derived=hand_derived,
        low=low,
        high=high,
        measured=len(slopes),
        kinks=sum(slope.kind == "kink" for slope in slopes.values()),
        autodiff_vs_differences=None if by_autodiff is None else _with_slopes(evidence, k, by_autodiff),
        hand_derived_vs_autodiff=vs_autodiff,
        hand_derived_vs_differences=vs_differences,
    )


def _ends(slopes: dict[tuple[int, ...], Slope], shape: tuple[int, ...]) -> tuple[Array, Array]:
    """The lower and the upper ends of slopes, NaN where there is none; one array, if all are the same."""
    low = np.full(shape, np.nan)
    high = low.copy() if any(slope.low != slope.high for slope in slopes.values()) else low
    for index, slope in slopes.items():
        low[index], high[index] = slope.low, slope.high
    return low, high


def _against_differences(evidence: Evidence, k: int, hand_derived: Array, low: Array) -> Comparison | None:
    """The hand-derived gradient compared with finite differences; where it has another shape, only if that is news."""
    if hand_derived.shape == low.shape:
        return _with_slopes(evidence, k, hand_derived)
    return compare_arrays(hand_derived, low, 0.0) if evidence.autodiff.opaque is not None else None


def _with_slopes(evidence: Evidence, k: int, x: Array) -> Comparison | None:
    """A gradient compared with finite differences; None if none were taken."""
    node, slopes = evidence.autodiff.run.parameters[k], evidence.differences.slopes[k]
    along: Along = []
    for number, slope in enumerate(evidence.differences.along[k]):
        direction = functools.partial(random_direction, np.shape(x), number + DIRECTIONS * evidence.seed)
        along.append((direction, slope))
    if not slopes and not along:
        return None
    return compare_with_slopes(x, slopes, evidence.autodiff.rounding.get(node, 0.0), _least(evidence, k), along)


def _least(evidence: Evidence, k: int) -> float:
    """How large a slope of a parameter has to be to matter, beside those of the others, the loss and its secants."""
    auto = evidence.autodiff
    sizes = [1e-9 * abs(float(np.nan_to_num(auto.run.value)))]
    for node in auto.run.parameters:
        if node in auto.cotangents:
            sizes.append(1e-3 * largest_finite(auto.cotangents[node]))
    for slope in [*evidence.differences.slopes[k].values(), *evidence.differences.along[k]]:
        sizes.append(1e-6 * slope.secant)
    return max(sizes)


def with_causes(evidence: Evidence, rows: Sequence[Parameter]) -> list[Parameter]:
    """The parameters with why they are wrong. Small ones come first: what is found for one may be the cause of all."""
    found = list(rows)
    for k in sorted(range(len(rows)), key=lambda k: (rows[k].size < FEW, rows[k].size)):
        row = rows[k]
        if row.hand_derived is None or row.cause is not None:
            continue
        if row.hand_derived_vs_autodiff is not None and row.hand_derived_vs_autodiff.note == sentences.SMALL_ELEMENT:
            continue  # what would account for the others, to their rounding, says nothing of it
        with until(evidence.deadline):
            if row.hand_derived_vs_autodiff is not None and row.hand_derived_vs_autodiff.verdict == "differ":
                found[k] = replace(row, cause=_explained_by_autodiff(evidence, k, row.hand_derived))
            elif row.autodiff is None and row.hand_derived_vs_differences is not None:
                found[k] = replace(row, cause=_explained_by_differences(evidence, k, row))
            continue
        evidence.causes.unfinished.append(row.name)
    return found


def _explained_by_autodiff(evidence: Evidence, k: int, hand_derived: Array) -> Cause | None:
    """Why a hand-derived gradient differs from autodiff."""
    auto, node = evidence.autodiff, evidence.autodiff.run.parameters[k]
    expected, rounding = np.asarray(auto.cotangents[node]), auto.rounding.get(node, 0.0)
    case = evidence.case(node, node.name or "x", hand_derived, expected, rounding, evidence.by_autodiff)
    found = evidence.explain(case)
    if evidence.differences.slopes[k] and found is not None and found.words == OtherSideOfKink().explain(case):
        found = replace(found, words=found.words + sentences.CONVENTIONS_TOGETHER)
    return found


def _explained_by_differences(evidence: Evidence, k: int, row: Parameter) -> Cause | None:
    """Why a hand-derived gradient differs from finite differences, where there is no graph to look at."""
    comparison, hand_derived, low = row.hand_derived_vs_differences, row.hand_derived, row.low
    if comparison is None or comparison.verdict != "differ" or not np.array_equal(low, row.high):
        return None
    assert hand_derived is not None
    error = max((slope.error for slope in evidence.differences.slopes[k].values()), default=0.0)
    node = evidence.autodiff.run.parameters[k]
    case = evidence.case(node, node.name or "x", hand_derived, low, error, evidence.by_autodiff)
    return evidence.explain(replace(case, step=[], again=lambda _: low))
