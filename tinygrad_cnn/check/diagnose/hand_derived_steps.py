"""The hand-derived cotangents one by one, from the loss back: which step is wrong, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.comparisons import compare_arrays
from tinygrad_cnn.check.diagnose.edits.numbers import Named, Numbers
from tinygrad_cnn.check.diagnose.evidence import Evidence
from tinygrad_cnn.check.diagnose.explanations import OtherSideOfKink
from tinygrad_cnn.check.results import Step
from tinygrad_cnn.check.witnesses.autodiff import signs
from tinygrad_cnn.check.witnesses.backward_walk import walk_back
from tinygrad_cnn.check.witnesses.magnitude import largest
from tinygrad_cnn.engine.graph import Node, source_line

ALIKE = 1e-8  # relative
SEVERAL = 3  # steps, of which it is worth saying that they have a factor in common


def steps(evidence: Evidence, notes: list[str]) -> list[Step]:
    """A step for each hand-derived cotangent; none if there are only those of parameters. Adds to `notes`."""
    auto, parameters = evidence.autodiff, set(evidence.autodiff.run.parameters)
    if evidence.hand_derived is None or auto.opaque is not None or parameters.issuperset(evidence.hand_derived.of):
        return []
    carried, found = _carried_rounding(evidence), []
    for node in sorted(evidence.hand_derived.of, key=lambda x: (x in parameters, -x.order)):
        if node in auto.cotangents:
            found.append(_step(evidence, node, carried.get(node, 0.0), notes))
        else:
            notes.append(sentences.NOT_IN_THE_GRAPH.format(step=evidence.hand_derived.of[node][0]))
    common = _common_factor(found, evidence)
    if common is not None:
        times, names = common
        notes.append(sentences.COMMON_FACTOR.format(names=sentences.listed(names), factor=f"{times:.6g}"))
        return [_as_a_convention(step) for step in found]
    factor = _factor_of_all(found)
    if factor is not None and len(found) >= SEVERAL:
        notes.append(_of_all(factor, evidence))
    only_here = [step.name for step in found if step.given_upstream.verdict == "differ" and not step.wrong]
    if only_here:
        notes.append(sentences.RIGHT_BY_ITSELF.format(steps=", ".join(only_here)))
    return found


def _common_factor(found: list[Step], evidence: Evidence) -> tuple[float, list[str]] | None:
    """The factor of some cotangents on the way, and which, if others and those of the parameters are right.

    Where not all have it, it is a number that somebody may have left for later: a length, 2 or 1/2.
    """
    parameters = set(evidence.autodiff.run.parameters)
    on_the_way = [step for step in found if step.node not in parameters]
    ends = [step for step in found if step.node in parameters]
    if not any(step.wrong for step in on_the_way) or any(step.against_autodiff.verdict != "agree" for step in ends):
        return None
    scaled = [step for step in on_the_way if step.against_autodiff.verdict != "agree"]
    factor = _factor_of_all(scaled) if ends else None
    if factor is None:
        return None
    named = _named(factor, evidence)
    left_for_later = named is not None and (named.meaning or named.digits in ("2", "1/2"))
    return (factor, [step.name for step in scaled]) if scaled == on_the_way or left_for_later else None


def _factor_of_all(steps: list[Step]) -> float | None:
    """What all cotangents are times autodiff's; None if there is no such factor, or it is 1."""
    factors = []
    for step in steps:
        size = float(np.sum(step.autodiff * step.autodiff))
        if step.hand_derived.shape != step.autodiff.shape or not 0 < size < np.inf:
            return None
        factor = float(np.sum(step.autodiff * step.hand_derived)) / size
        if not largest(step.hand_derived - factor * step.autodiff) <= ALIKE * largest(step.hand_derived):
            return None
        factors.append(factor)
    common = bool(factors) and np.allclose(factors, factors[0], rtol=ALIKE) and abs(factors[0] - 1) > ALIKE
    return factors[0] if common else None


def _of_all(factor: float, evidence: Evidence) -> str:
    """The note that all is right but for a factor."""
    named = _named(factor, evidence)
    digits = f"{factor:.6g}" if named is None else f"{'-' if factor < 0 else ''}{named.digits}"
    meaning = "" if named is None or not named.meaning else sentences.WHICH_IS.format(x=named.number, y=named.meaning)
    return sentences.FACTOR_OF_ALL.format(factor=digits, meaning=meaning)


def _named(factor: float, evidence: Evidence) -> Named | None:
    """What the size of a factor is."""
    return Numbers([(name, node.like.shape) for node, name in evidence.names.items()], []).name(abs(factor))


def _as_a_convention(step: Step) -> Step:
    """A step that is as right as the factor that all have."""
    given = replace(step.given_upstream, verdict="agree", difference=0.0, note=sentences.AS_ALL_STEPS)
    return replace(step, given_upstream=given, cause=None, convention=sentences.AS_ALL_STEPS)


def _step(evidence: Evidence, node: Node, carried: float, notes: list[str]) -> Step:
    auto, walk = evidence.autodiff, evidence.step_by_step
    assert evidence.hand_derived is not None
    name, hand_derived = evidence.hand_derived.of[node]
    expected = np.asarray(walk.arrived.get(node, np.zeros_like(auto.cotangents[node])))
    rounding = auto.rounding_at(node, expected) + carried
    parameters = auto.run.parameters
    slopes = evidence.differences.slopes[parameters.index(node)] if node in parameters else {}
    against_autodiff = evidence.against_autodiff(node, hand_derived, slopes)
    given_upstream = compare_arrays(hand_derived, expected, rounding)
    cause, convention = None, None
    if given_upstream.verdict == "differ":
        case = evidence.case(node, name, hand_derived, expected, rounding, walk)
        convention = OtherSideOfKink().explain(case)
        if convention is not None:
            given_upstream = replace(given_upstream, verdict="agree", difference=0.0, note=convention)
            notes.append(sentences.CONVENTION.format(step=name, convention=convention))
        elif against_autodiff.verdict == "differ":
            cause = evidence.explain(case)
    return Step(
        name=name,
        value=evidence.names.get(node, "?"),
        node=node,
        autodiff=auto.cotangents[node],
        hand_derived=hand_derived,
        expected=expected,
        against_autodiff=against_autodiff,
        given_upstream=given_upstream,
        through=[(x.primitive.__name__, source_line(x)) for x in evidence.through(node, walk)],
        cause=cause,
        convention=convention,
    )


def _carried_rounding(evidence: Evidence) -> dict[Node, float]:
    """How much of what arrives at each node is rounding of the hand-derived cotangents upstream."""
    auto, walk = evidence.autodiff, evidence.step_by_step
    rng, found = np.random.default_rng(0), dict[Node, float]()
    for _ in range(2):
        perturbed = {node: x + auto.rounding.get(node, 0.0) * signs(rng, x.shape) for node, x in walk.given.items()}
        for node, x in walk_back(auto.run, perturbed).items():
            if node in walk.arrived:
                with np.errstate(invalid="ignore"):
                    difference = largest(np.nan_to_num(x - walk.arrived[node], posinf=0, neginf=0))
                found[node] = max(found.get(node, 0.0), difference)
    return found
