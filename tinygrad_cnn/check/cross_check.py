"""The cross-check: a gradient by autodiff, by hand and by numbers, and where and why they part."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.compared import between_arrays, with_slopes
from tinygrad_cnn.check.diagnose.explanations import (
    EXPLANATIONS,
    Case,
    Explanation,
    Fitted,
    OtherSideOfKink,
    TiesInFull,
    explain,
)
from tinygrad_cnn.check.diagnose.faults import faults
from tinygrad_cnn.check.diagnose.steps import between, consumers, largest, largest_finite, walk_again, walk_back
from tinygrad_cnn.check.report.progress import Progress
from tinygrad_cnn.check.report.report import Comparison, KinkFound, Parameter, Report, Step
from tinygrad_cnn.check.report.sentences import second_derivatives, sentences
from tinygrad_cnn.check.witnesses import second_order
from tinygrad_cnn.check.witnesses.autodiff import Autodiff, Loss, Subject, autodiff, hand, signs
from tinygrad_cnn.check.witnesses.branches import mask, meeting
from tinygrad_cnn.check.witnesses.finite_differences import Slope
from tinygrad_cnn.check.witnesses.hand_derived import ByHand, by_name, listed
from tinygrad_cnn.check.witnesses.measuring import DIRECTIONS, Measured, how_many, measure, nothing, random_direction
from tinygrad_cnn.check.witnesses.trace import Trace
from tinygrad_cnn.engine.graph import Array, Node, source_line

FOR_NUMBERS = 0.75  # of the seconds that a check may take; the rest is for the explanations


def gradients(
    loss: Loss,
    params: Any,
    by_hand: Any = None,
    *,
    names: Mapping[str, str] | None = None,
    losses: Mapping[str, Loss] | None = None,
    explanations: Sequence[Explanation] = EXPLANATIONS,
    order: int = 1,
    evaluations: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Report:
    """Hold the gradient of `loss` at `params` by autodiff, by hand and by numbers against each other.

    loss: a function of `params` that returns one number, written in NumPy. params: floats, arrays of floats, or any
    nesting of them. by_hand: a function of `params`, or what it returned: gradients in the form of the parameters, or
    by name with cotangents of values on the way (dL_dWc, dL_dfc, dL_dconv, ...), as arrays of NumPy, PyTorch or JAX.

    names: what the graph calls a value, by the name that `by_hand` has for it; the graph's own names are those of the
    variables that values were assigned to, or of `tg.named`. losses: other losses, by name, of which the gradient by
    hand might be. explanations: mistakes to be looked for, from the simplest on. order: with 2, products with the
    second derivative too. evaluations, seconds: how often, and how long, the loss may be computed for the numbers;
    seed: of the elements of large parameters that are measured, and of directions. progress: whether to show a bar;
    None: where there is a terminal and it takes long.

    Verdicts are by estimated errors: rounding of autodiff and of the hand, measured by computing both in long double,
    and the error that the numbers have of their own. Raises ValueError if the loss is not one number, or not the same
    when it is computed twice, or if a gradient by hand is missing; TypeError if a parameter is not of floats.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> report = tg.check.gradients(lambda w: np.sum(np.tanh(w) ** 2), np.array([0.5, 1.0]), lambda w: 2 * np.tanh(w))
    >>> report.ok
    False
    >>> print(report.parameters[0].hand_auto.verdict)
    differ
    """
    if order not in (1, 2):
        raise ValueError(
            f"order is {order!r}, but a cross-check is of order 1, gradients, or 2, Hessian-vector products"
        )
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed is {seed!r}; expected an integer that is not negative")
    began = time.perf_counter()

    def late(share: float = 1.0) -> bool:
        return seconds is not None and time.perf_counter() - began > share * seconds

    def exhausted(used: int) -> bool:
        share = 1.0 if by_hand is None else FOR_NUMBERS
        return late(share) or (evaluations is not None and used >= evaluations)

    subject = Subject.of(loss, params)
    auto = autodiff(subject)
    if order == 2 and auto.opaque is not None:
        raise ValueError(f"order=2 is for a loss that autodiff can follow; this one it cannot ({auto.opaque})")
    theirs = None if by_hand is None else hand(subject, auto, by_hand, names or {})
    with Progress(how_many(subject), progress) as bar:
        measured = measure(subject, auto, theirs, seed, exhausted, bar)
    report = _report(_Check(subject, auto, theirs, measured, explanations, seed, late))
    if losses and theirs is not None:
        _name_the_loss(report, subject, auto, theirs, losses, explanations)
    if order == 2:
        function = by_hand if callable(by_hand) else None
        report.directions += second_order.products(loss, subject.form, subject.leaves, function, names or {}, seed)
        report.because += second_derivatives(report.directions)
        report.notes += _of_comparisons(report.directions)
    changed = subject.changed()
    if changed:
        report.notes.append(
            f"{', '.join(changed)} was changed in place by the loss or by_hand; it was checked as it was"
        )
    report.seconds = time.perf_counter() - began
    return report


class _Check:
    """What the witnesses said, and what is asked of it again and again."""

    def __init__(
        self,
        subject: Subject,
        auto: Autodiff,
        hand: ByHand | None,
        measured: Measured,
        explanations: Sequence[Explanation],
        seed: int = 0,
        late: Callable[[], bool] = lambda: False,
    ) -> None:
        self.subject, self.auto, self.hand, self.measured = subject, auto, hand, measured
        self.seed, self.explain = seed, functools.partial(explain, explanations=explanations, late=late)
        self.names, self.used_by = {node: name for name, node in by_name(auto.run).items()}, consumers(auto.run)
        self.fitted = Fitted(self.names)

    @functools.cached_property
    def whole_way(self) -> _Walk:
        """From the loss on, by autodiff alone."""
        return _Walk({}, walk_back(self.auto.run))

    @functools.cached_property
    def step_by_step(self) -> _Walk:
        """With the hand's cotangents put in on the way."""
        arrays = {} if self.hand is None else self.hand.arrays()
        given = {node: x for node, x in arrays.items() if x.shape == node.like.shape}
        return _Walk(given, walk_back(self.auto.run, given))

    def through(self, node: Node, walk: _Walk) -> list[Node]:
        """The nodes whose rules lead to `node` from the nearest cotangents that are given, newest first."""
        return between(node, self.used_by, walk.given)

    def case(self, node: Node, name: str, hand: Array, right: Array, rounding: float, walk: _Walk) -> Case:
        """The hand's cotangent of a node, where `right` arrives."""
        again = functools.partial(walk_again, node, walk.arrived, walk.given)
        return Case(name, np.asarray(hand), right, rounding, self.through(node, walk), self.fitted, again)


@dataclass(frozen=True)
class _Walk:
    """Cotangents that were put in on a walk back, and those that arrived."""

    given: dict[Node, Array]
    arrived: dict[Node, Array]


def _report(check: _Check) -> Report:
    """Everything put together."""
    auto, notes = check.auto, [*_notes(check), *check.measured.notes]
    steps = _steps(check, notes)
    told = any(step.wrong for step in steps)
    parameters = [_parameter(check, k, told) for k in range(len(check.subject.leaves))]
    notes += _of_comparisons(parameters)
    because = sentences(steps, parameters)
    if any(p.auto_numbers is not None and p.auto_numbers.verdict == "differ" for p in parameters):
        subject = check.subject
        found = faults(subject.loss, subject.form, subject.leaves, auto.run)
        because += [f"{fault}." for fault in found]
    return Report(
        loss=float(auto.run.value),
        parameters=parameters,
        steps=steps,
        kinks=_kinks(check),
        because=because,
        notes=notes,
        precision=check.measured.precision,
        evaluations=check.measured.evaluations,
        seconds=0.0,
        result=auto.run.result,
    )


def _notes(check: _Check) -> list[str]:
    notes = []
    if check.auto.opaque is not None:
        notes.append(f"autodiff cannot follow this loss ({check.auto.opaque}), so the numbers stand alone")
    elif check.auto.run.result is None:
        notes.append("the loss does not depend on the parameters, so far as autodiff can see")
    if check.hand is not None and check.hand.changed:
        changed = ", ".join(check.hand.changed)
        notes.append(f"by_hand changes {changed} in place; it was given a copy here, which other code does not give it")
    if check.hand is not None and check.hand.unknown:
        known = listed(name for node, name in check.names.items() if node.primitive is not None)
        unknown = ", ".join(check.hand.unknown)
        notes.append(
            f"no value of the graph is called {unknown}, so these are not compared; it has {known or 'no names'}: say "
            f"names={{{check.hand.unknown[0]!r}: ...}}, or name it with tg.named"
        )
    return notes


def _of_comparisons(parameters: Sequence[Parameter]) -> list[str]:
    """What is to be known of witnesses that agree: elements that were not compared, and values that are none."""
    notes = []
    for p in parameters:
        if p.auto is not None and not np.all(np.isfinite(p.auto)):
            broken = np.argwhere(~np.isfinite(p.auto))
            notes.append(
                f"{p.name}: autodiff gives {p.auto[tuple(broken[0])]} at element {tuple(int(i) for i in broken[0])}"
                + f", and at {len(broken) - 1} others nothing finite" * (len(broken) > 1)
            )
        notes += [f"{p.name}: {c.note}" for c in p.comparisons() if c.verdict == "agree" and c.note]
    return list(dict.fromkeys(notes))


def _parameter(check: _Check, k: int, told_by_step: bool) -> Parameter:
    auto, node, x = check.auto, check.auto.run.parameters[k], check.subject.leaves[k]
    by_autodiff = None if auto.opaque is not None else np.asarray(auto.cotangents[node])
    hand = check.hand.of[node][1] if check.hand is not None and node in check.hand.of else None
    slopes, rounding = check.measured.slopes[k], auto.rounding.get(node, 0.0)
    low = np.full(x.shape, np.nan)
    high = low.copy() if any(slope.low != slope.high for slope in slopes.values()) else low
    for index, slope in slopes.items():
        low[index], high[index] = slope.low, slope.high
    # What a slope of a parameter has to be to matter, beside those of the others, the loss itself and its curves.
    others = [largest_finite(auto.cotangents[other]) for other in auto.run.parameters if other in auto.cotangents]
    curves = [1e-6 * slope.secant for slope in [*slopes.values(), *check.measured.along[k]]]
    least = max([1e-3 * size for size in others] + [1e-9 * abs(float(np.nan_to_num(auto.run.value)))] + curves)
    along = [
        (functools.partial(random_direction, x.shape, number + DIRECTIONS * check.seed), slope)
        for number, slope in enumerate(check.measured.along[k])
    ]
    auto_numbers = None
    if by_autodiff is not None and (slopes or along):
        auto_numbers = with_slopes(by_autodiff, slopes, rounding, least, along)
    hand_numbers, hand_auto, explanation = None, None, None
    if hand is not None:
        if hand.shape != x.shape:
            hand_numbers = between_arrays(hand, low, 0.0) if by_autodiff is None else None
        elif slopes or along:
            hand_numbers = with_slopes(hand, slopes, rounding, least, along)
        if by_autodiff is not None:
            hand_auto = _held_against_autodiff(check, node, hand, by_autodiff, slopes)
            if hand_auto.verdict == "differ" and not told_by_step:
                case = check.case(node, node.name or "x", hand, by_autodiff, rounding, check.whole_way)
                explanation = check.explain(case)
                if slopes and explanation is not None and explanation == OtherSideOfKink().explain(case):
                    explanation += "; each of these is a convention, but together they are no slope of the loss"
        elif hand_numbers is not None and hand_numbers.verdict == "differ" and np.array_equal(low, high):
            right, error = low, max((slope.error for slope in slopes.values()), default=0.0)
            case = Case(node.name or "x", hand, right, error, [], check.fitted, lambda _: right)
            explanation = check.explain(case)
    kinks = sum(slope.kind == "kink" for slope in slopes.values())
    return Parameter(
        node.name or "x", node, by_autodiff, hand, low, high, len(slopes), kinks, auto_numbers, hand_auto, hand_numbers,
        explanation,
    )  # fmt: skip


def _held_against_autodiff(
    check: _Check, node: Node, hand: Array, right: Array, slopes: Mapping[tuple[int, ...], Slope]
) -> Comparison:
    """The hand against autodiff. Of elements that tie each may have it all, but not several of them at once."""
    rounding = check.auto.rounding.get(node, 0.0)
    found = between_arrays(hand, right, rounding, slopes)
    if found.verdict == "agree" and any(slope.kind == "kink" for slope in slopes.values()):
        strictly = between_arrays(hand, right, rounding)
        case = check.case(node, node.name or "x", hand, right, rounding, check.whole_way)
        if strictly.verdict == "differ" and not OtherSideOfKink().explain(case) and TiesInFull().explain(case):
            return strictly
    return found


def _steps(check: _Check, notes: list[str]) -> list[Step]:
    """The hand's cotangents from the loss back, if it gave any beside those of the parameters."""
    auto, parameters = check.auto, set(check.auto.run.parameters)
    if check.hand is None or auto.opaque is not None or parameters.issuperset(check.hand.of):
        return []
    walk = check.step_by_step
    carried = _carried(auto, walk)
    found = []
    for node in sorted(check.hand.of, key=lambda x: (x in parameters, -x.order)):
        name, hand = check.hand.of[node]
        if node not in auto.cotangents:
            notes.append(f"{name}: autodiff has no cotangent there, so it is not compared")
            continue
        right = np.asarray(walk.arrived.get(node, np.zeros_like(auto.cotangents[node])))
        rounding = auto.grown(node, right) + carried.get(node, 0.0)
        slopes = check.measured.slopes[auto.run.parameters.index(node)] if node in parameters else {}
        whole = _held_against_autodiff(check, node, hand, np.asarray(auto.cotangents[node]), slopes)
        alone = between_arrays(hand, right, rounding)
        explanation, convention = None, None
        if alone.verdict == "differ":
            case = check.case(node, name, hand, right, rounding, walk)
            convention = OtherSideOfKink().explain(case)
            if convention is not None:
                alone = replace(alone, verdict="agree", apart=0.0, note=convention)
                notes.append(f"{name}: {convention}; that is a convention, and as right")
            elif whole.verdict == "differ":
                explanation = check.explain(case)
        through = [(x.primitive.__name__, source_line(x)) for x in check.through(node, walk)]
        value, by_autodiff = check.names.get(node, "?"), auto.cotangents[node]
        found.append(Step(name, value, node, by_autodiff, hand, right, whole, alone, through, explanation, convention))
    apart = [step.name for step in found if step.alone.verdict == "differ" and not step.wrong]
    if apart:
        notes.append(f"{', '.join(apart)}: right, though not what follows from the cotangents before")
    return found


def _carried(auto: Autodiff, walk: _Walk) -> dict[Node, float]:
    """How much of what arrives at each node is rounding of the hand's own cotangents, carried along."""
    rng, found = np.random.default_rng(0), dict[Node, float]()
    for _ in range(2):
        shaken = {node: x + auto.rounding.get(node, 0.0) * signs(rng, x.shape) for node, x in walk.given.items()}
        for node, x in walk_back(auto.run, shaken).items():
            if node in walk.arrived:
                with np.errstate(invalid="ignore"):
                    apart = largest(np.nan_to_num(x - walk.arrived[node], posinf=0, neginf=0))
                found[node] = max(found.get(node, 0.0), apart)
    return found


def _kinks(check: _Check) -> list[KinkFound]:
    found, beside = dict[tuple[str, str], list[Node]](), None
    for place, node in enumerate(check.auto.run.nodes):
        elements, by = meeting(node), mask(node)
        if elements and by is not None:  # a mask that is no branch, as that of dropout, stays as it is
            beside = check.subject.beside() if beside is None else beside
            there = [_mask_at(run, place, node) for run in beside]
            if all(x is not None and np.array_equal(by, x) for x in there):
                continue
        if elements:
            found.setdefault((node.primitive.__name__, source_line(node)), []).append(node)
    return [
        KinkFound(listed(check.names[x] for x in nodes if x in check.names), name, line, sum(map(meeting, nodes)))
        for (name, line), nodes in found.items()
    ]


def _mask_at(run: Trace, place: int, node: Node) -> Array | None:
    """The mask of the counterpart of `node` in another run; None if it has none."""
    alike = place < len(run.nodes) and run.nodes[place].primitive is node.primitive
    return mask(run.nodes[place]) if alike else None


# Another loss.


def _name_the_loss(
    report: Report,
    subject: Subject,
    auto: Autodiff,
    theirs: ByHand,
    losses: Mapping[str, Loss],
    explanations: Sequence[Explanation],
) -> None:
    """See whether the gradient by hand is that of another loss, and if so, what remains to be said of it."""
    found: dict[str, Report] = {}
    for name, loss in losses.items():
        other_subject = replace(subject, loss=loss)
        other = autodiff(other_subject)
        if other.opaque is None and auto.opaque is None:
            carried = _carried_over(auto, theirs, other)
            found[name] = _report(_Check(other_subject, other, carried, nothing(subject), explanations))
    name = min(found, key=lambda name: _mistakes(found[name]), default="")
    if not name or _mistakes(found[name]) >= _mistakes(report):
        return
    right = {step.name: not step.wrong for step in found[name].steps}
    why = f"it is the gradient of another loss, {name}"
    report.another_loss = name
    report.steps = [
        replace(step, explanation=why) if step.wrong and right.get(step.name) else step for step in report.steps
    ]
    report.because = sentences(report.steps, report.parameters) if report.steps else []
    report.because.insert(0, f"By hand it is not the gradient of this loss, but of another: {name}.")
    if not report.steps:
        report.because += [f"Against that loss: {sentence}" for sentence in found[name].because]


def _mistakes(report: Report) -> int:
    if report.steps:
        return sum(step.wrong for step in report.steps)
    return sum(p.hand_auto is not None and p.hand_auto.verdict == "differ" for p in report.parameters)


def _carried_over(auto: Autodiff, theirs: ByHand, other: Autodiff) -> ByHand:
    """The hand's cotangents, with their rounding, for the values of the same names in another graph."""
    counterparts, names = by_name(other.run), {node: name for name, node in by_name(auto.run).items()}
    alike = {node: counterparts[names[node]] for node in theirs.of if names.get(node) in counterparts}
    alike |= dict(zip(auto.run.parameters, other.run.parameters, strict=True))
    for node, counterpart in alike.items():
        other.rounding[counterpart] = max(other.rounding.get(counterpart, 0.0), auto.rounding.get(node, 0.0))
    return ByHand({alike[node]: pair for node, pair in theirs.of.items() if node in alike}, [])
