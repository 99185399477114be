"""The cross-check: autodiff, the hand-derived gradient and finite differences, and where and why they diverge."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from tinygrad_cnn.adoption import adopt
from tinygrad_cnn.check import sentences, verdicts
from tinygrad_cnn.check.deadline import Deadline, timed, until
from tinygrad_cnn.check.diagnose import second_order
from tinygrad_cnn.check.diagnose.autodiff_faults import faults
from tinygrad_cnn.check.diagnose.evidence import Evidence
from tinygrad_cnn.check.diagnose.explanations import EXPLANATIONS, Explanation
from tinygrad_cnn.check.diagnose.hand_derived_steps import steps
from tinygrad_cnn.check.diagnose.kinks import kinks
from tinygrad_cnn.check.diagnose.parameters import parameter, with_causes
from tinygrad_cnn.check.diagnose.written import parameters_with_source, steps_with_source
from tinygrad_cnn.check.report.progress import Progress
from tinygrad_cnn.check.report.report import Report
from tinygrad_cnn.check.report.summary import conclusions, second_derivatives, wrong_values
from tinygrad_cnn.check.results import Cause, Parameter
from tinygrad_cnn.check.witnesses.autodiff import Autodiff, Loss, Subject, autodiff, hand_derived
from tinygrad_cnn.check.witnesses.hand_derived import HandDerived, by_name, listed
from tinygrad_cnn.check.witnesses.sampled_slopes import how_many, no_slopes, sample_slopes
from tinygrad_cnn.collection import seldom_collected
from tinygrad_cnn.engine.conversions import GradientLostWarning

FOR_DIFFERENCES = 0.75  # of the seconds that a check may take; the rest is for the explanations


def gradients(
    loss: Loss,
    params: Any,
    by_hand: Any = None,
    *,
    names: Mapping[str, str] | None = None,
    losses: Mapping[str, Loss] | None = None,
    modules: Sequence[ModuleType] = (),
    explanations: Sequence[Explanation] = EXPLANATIONS,
    order: int = 1,
    evaluations: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Report:
    """Compare the gradient of `loss` at `params` by autodiff, hand-derived, and by finite differences.

    loss: a function of `params` that returns one number, written in NumPy. params: floats, arrays of floats, or any
    nesting of them. by_hand: a function of `params`, or what it returned, as arrays of NumPy, PyTorch or JAX: gradients
    with the tree structure of the parameters; a tuple or list with one for each, in their order; or a dict, namedtuple,
    dataclass or other object with gradients and cotangents of intermediate values by name (dL_dWc, dfc, grad_conv,
    ...), and values of the forward pass by theirs (conv). Also a tuple of these: (loss, gradients),
    (gradients, intermediate values), ...

    names: a dict from a name that `by_hand` uses to the name in the graph: of the variable that the value was assigned
    to, that given by `tg.named`, or, of a value without a name, of its primitive ("tanh", "tanh[1]"). losses: a dict
    of other losses whose gradient the hand-derived one might be. modules: modules whose code the loss runs, which was
    written for NumPy alone, so that autodiff can follow it there (`tg.adopt`). explanations: mistakes to look for, the
    simplest first. order: 2 also checks products with the second derivative. evaluations: a limit on how often the loss
    is computed for finite differences. seconds: a limit on how long the check takes. The loss is always computed and
    differentiated once, and `by_hand` called once; the report says what was left out for lack of time. A call of
    `by_hand`, or of the loss on arrays, is not interrupted once it has begun. seed: for the choice of elements of large
    parameters, and of random directions. progress: whether to show a progress bar; None shows it on a terminal, if the
    check takes long.

    Verdicts rest on estimated errors: the rounding of autodiff and of the hand-derived gradient, measured by computing
    both in long double, and the error of each finite difference. Raises ValueError if the loss is not one number or
    not deterministic, or if a hand-derived gradient is missing; TypeError if a parameter is not
    of floats. A loss that autodiff cannot follow is compared with finite differences alone, and a note says why.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> report = tg.check.gradients(lambda w: np.sum(np.tanh(w) ** 2), np.array([0.5, 1.0]), lambda w: 2 * np.tanh(w))
    >>> report.ok
    False
    >>> print(report.parameters[0].hand_derived_vs_autodiff.verdict)
    differ
    """
    _validate(order, seed)
    deadline = Deadline(seconds)
    if seconds is not None:
        loss = timed(loss, deadline)
        by_hand = timed(by_hand, deadline) if callable(by_hand) else by_hand
    with adopt(*modules) if modules else nullcontext(), warnings.catch_warnings(), seldom_collected():
        warnings.simplefilter("ignore", GradientLostWarning)  # a note says what it says
        subject = Subject.of(loss, params)
        auto = autodiff(subject, deadline)
        if order == 2 and auto.opaque is not None:
            raise ValueError(f"order=2 needs a loss that autodiff can follow, and this one it cannot ({auto.opaque})")
        derived = None if by_hand is None else hand_derived(subject, auto, by_hand, names or {}, deadline)
        most = deadline if derived is None else deadline.share(FOR_DIFFERENCES)
        sampled = no_slopes(subject)
        if math.isfinite(float(auto.run.value)):
            with Progress(how_many(subject, auto), progress) as bar:
                sampled = sample_slopes(subject, auto, derived, seed, evaluations, most, bar.advance)
        report = _report(Evidence(subject, auto, derived, sampled, explanations, seed, deadline, by_hand, names or {}))
        if losses and derived is not None:
            with until(deadline):
                _look_for_another_loss(report, subject, auto, derived, losses, explanations)
        if order == 2:
            function = by_hand if callable(by_hand) else None
            with until(deadline):
                report.directions += second_order.products(
                    loss, subject.form, subject.leaves, function, names or {}, seed
                )
            if not report.directions:
                report.notes.append(sentences.NO_TIME_FOR_SECOND_DERIVATIVES)
            report.conclusions += second_derivatives(report.directions)
            report.notes += _notes_on_values(report.directions)
    changed = subject.changed()
    if changed:
        report.notes.append(sentences.CHANGED_IN_PLACE.format(names=", ".join(changed)))
    report.seconds = deadline.passed()
    return report


def _validate(order: int, seed: int) -> None:
    if order not in (1, 2):
        raise ValueError(f"order is {order!r}; expected 1, for gradients, or 2, for Hessian-vector products too")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed is {seed!r}; expected a non-negative integer")


@np.errstate(all="ignore")  # the report says what is not finite
def _report(evidence: Evidence) -> Report:
    """The report on one loss."""
    auto, notes = evidence.autodiff, [*_notes(evidence), *evidence.differences.notes]
    finite, forward = math.isfinite(float(auto.run.value)), verdicts.forward_values(evidence)
    found = verdicts.qualified(evidence, steps(evidence, notes), notes)
    explain = finite and not any(step.wrong for step in found)  # else the step explains what is wrong with a parameter
    every = range(len(evidence.subject.leaves))
    measured = [verdicts.along_conventions(evidence, k, parameter(evidence, k)) for k in every]
    measured = with_causes(evidence, measured) if explain else measured
    parameters = verdicts.beside_nan(evidence, measured, notes) if finite else verdicts.without_a_loss(measured)
    notes += [*_notes_on_values(parameters), *evidence.causes.notes()]
    if finite:
        what_is_wrong = wrong_values(forward) + conclusions(found, parameters)
        what_is_wrong += verdicts.which_makes_nan(evidence, measured, parameters)
    else:
        what_is_wrong = [verdicts.why_not_finite(evidence), *wrong_values(forward)]
    if any(p.autodiff_vs_differences and p.autodiff_vs_differences.verdict == "differ" for p in parameters):
        with until(evidence.deadline):
            what_is_wrong += faults(evidence.subject, auto.run)
    if any(step.wrong for step in found):
        found = steps_with_source(evidence, found)
    else:
        parameters = parameters_with_source(evidence, parameters)
    return Report(
        loss=float(auto.run.value),
        parameters=parameters,
        steps=found,
        kinks=kinks(evidence),
        conclusions=what_is_wrong,
        notes=notes,
        precision=evidence.differences.precision,
        evaluations=evidence.differences.evaluations,
        seconds=0.0,
        result=auto.run.result,
        forward=forward,
    )


def _notes(evidence: Evidence) -> list[str]:
    """What there is to know of the witnesses themselves."""
    notes, derived = [], evidence.hand_derived
    if evidence.autodiff.opaque is not None:
        notes.append(sentences.OPAQUE.format(reason=evidence.autodiff.opaque))
    elif evidence.autodiff.run.result is None:
        notes.append(sentences.INDEPENDENT)
    if derived is not None and derived.changed:
        notes.append(sentences.HAND_DERIVED_CHANGES.format(names=", ".join(derived.changed)))
    if derived is not None and derived.unknown:
        known = listed(name for node, name in evidence.names.items() if node.primitive is not None)
        notes.append(
            sentences.UNKNOWN_NAMES.format(
                unknown=", ".join(derived.unknown), known=known or "no names", first=derived.unknown[0]
            )
        )
    return notes if derived is None else notes + list(dict.fromkeys(derived.notes))


def _notes_on_values(parameters: Sequence[Parameter]) -> list[str]:
    """Notes on witnesses that agree: elements that were not compared, and values that are not finite."""
    notes = []
    for p in parameters:
        if p.autodiff is not None and not np.all(np.isfinite(p.autodiff)):
            broken = np.argwhere(~np.isfinite(p.autodiff))
            index = tuple(int(i) for i in broken[0])
            note = sentences.NOT_FINITE.format(parameter=p.name, value=p.autodiff[index], index=index)
            if len(broken) > 1:
                note += sentences.NOT_FINITE_ELSEWHERE.format(n=len(broken) - 1)
            notes.append(note)
        said = [c.note for c in p.comparisons() if c.verdict == "agree" and c.note != sentences.ALONG]
        notes += [f"{p.name}: {note}" for note in said if note]
    return list(dict.fromkeys(notes))


# Another loss.


def _look_for_another_loss(
    report: Report,
    subject: Subject,
    auto: Autodiff,
    derived: HandDerived,
    losses: Mapping[str, Loss],
    explanations: Sequence[Explanation],
) -> None:
    """If the hand-derived gradient fits another of the losses better, say so, and what is left to say of it."""
    found: dict[str, Report] = {}
    for name, loss in losses.items():
        other_subject = replace(subject, loss=loss)
        other = autodiff(other_subject)
        if other.opaque is None and auto.opaque is None:
            carried = _carried_over(auto, derived, other)
            found[name] = _report(Evidence(other_subject, other, carried, no_slopes(subject), explanations))
    name = min(found, key=lambda name: _mistakes(found[name]), default="")
    if not name or _mistakes(found[name]) >= _mistakes(report):
        return
    right = {step.name for step in found[name].steps if not step.wrong}
    why = sentences.OF_ANOTHER_LOSS.format(loss=name)
    report.another_loss = name
    report.steps = [
        replace(step, cause=Cause(why)) if step.wrong and step.name in right else step for step in report.steps
    ]
    report.conclusions = [sentences.ANOTHER_LOSS.format(loss=name)]
    if report.steps:
        report.conclusions += conclusions(report.steps, report.parameters)
    else:
        report.conclusions += [
            sentences.AGAINST_ANOTHER_LOSS.format(sentence=sentence) for sentence in found[name].conclusions
        ]


def _mistakes(report: Report) -> int:
    """How many steps are wrong, or, without steps, gradients."""
    if report.steps:
        return sum(step.wrong for step in report.steps)
    pairs = [p.hand_derived_vs_autodiff for p in report.parameters]
    return sum(pair is not None and pair.verdict == "differ" for pair in pairs)


def _carried_over(auto: Autodiff, derived: HandDerived, other: Autodiff) -> HandDerived:
    """The hand-derived cotangents, with their rounding, for the values of the same names in another graph."""
    counterparts, names = by_name(other.run), {node: name for name, node in by_name(auto.run).items()}
    alike = {node: counterparts[names[node]] for node in derived.of if names.get(node) in counterparts}
    alike |= dict(zip(auto.run.parameters, other.run.parameters, strict=True))
    for node, counterpart in alike.items():
        other.rounding[counterpart] = max(other.rounding.get(counterpart, 0.0), auto.rounding.get(node, 0.0))
    return HandDerived({alike[node]: pair for node, pair in derived.of.items() if node in alike}, [])
