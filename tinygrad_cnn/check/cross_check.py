"""The cross-check: a gradient by autodiff, by hand and by numbers, and where and why they part."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.check import second_order
from tinygrad_cnn.check.autodiff import faults
from tinygrad_cnn.check.branches import meeting
from tinygrad_cnn.check.by_hand import ByHand, matched
from tinygrad_cnn.check.compared import between_arrays, with_slopes
from tinygrad_cnn.check.explanations import EXPLANATIONS, Case, Explanation, explain
from tinygrad_cnn.check.numbers import Numbers, OutOfBudgetError, Slope, along_element, scale_of
from tinygrad_cnn.check.progress import Progress
from tinygrad_cnn.check.report import Comparison, KinkFound, Parameter, Report, Step
from tinygrad_cnn.check.steps import between, consumers, largest, walk_back
from tinygrad_cnn.check.trace import Trace, as_array, trace
from tinygrad_cnn.graph import Array, Node, source_line

Loss = Callable[[Any], Any]
ALL_OF = 512  # of a parameter of no more elements, all are measured; of a larger one, as many as follow
LARGEST, RANDOM = 24, 24


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
    and the error that the numbers have of their own. Raises ValueError if the loss is not one number or a gradient by
    hand is missing.

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
    began = time.perf_counter()
    form = tree.flatten(params)
    leaves = [_floats(leaf, name) for leaf, name in zip(form.leaves, form.names, strict=True)]
    check = _Check(loss, form, leaves, by_hand, names or {}, explanations, seed)
    with Progress(sum(min(x.size, ALL_OF) for x in leaves), progress) as bar:
        check.measure(lambda used: (evaluations is not None and used >= evaluations)
                      or (seconds is not None and time.perf_counter() - began > seconds), bar)  # fmt: skip
    report = check.report()
    if losses and check.hand is not None:
        _name_the_loss(report, check, losses)
    if order == 2:
        hand = by_hand if callable(by_hand) else None
        report.directions += second_order.products(loss, form, leaves, hand, names or {}, seed)
    report.seconds = time.perf_counter() - began
    return report


def _floats(leaf: Any, name: str) -> Array:
    x = as_array(leaf)
    if x.dtype.kind != "f":
        raise TypeError(f"{name or 'params'} is of {x.dtype}: gradients are for floats only; write 1.0 for 1")
    return x


class _Check:
    """One cross-check at work: what the witnesses said, and what of it was put together."""

    def __init__(
        self,
        loss: Loss,
        form: tree.Flat,
        leaves: list[Array],
        by_hand: Any,
        names: Mapping[str, str],
        explanations: Iterable[Explanation],
        seed: int,
    ) -> None:
        self.loss, self.form, self.leaves = loss, form, leaves
        self.explanations, self.rng = list(explanations), np.random.default_rng(seed)
        self.notes: list[str] = []
        self.slopes: list[dict[tuple[int, ...], Slope]] = [{} for _ in leaves]
        self.used, self.precision = 0, "double"
        self.opaque = False
        try:
            self.run = trace(loss, form, leaves)
        except (TypeError, NotImplementedError) as error:
            if not _takes_arrays(loss, form, leaves):
                raise
            self.opaque = True
            self.notes.append(f"autodiff cannot follow this loss ({_first_line(error)}), so the numbers stand alone")
            self.run = _opaque_run(loss, form, leaves)
        if self.run.result is None and not self.opaque:
            self.notes.append("the loss does not depend on the parameters, so far as autodiff can see")
        self.auto = self.run.cotangents()
        self.exact = None if self.opaque else self._in_long_double()
        self.rounding = {node: self._rounding_of(k, node) for k, node in enumerate(self.run.nodes)}
        self.hand: ByHand | None = None
        if by_hand is not None:
            self.hand = matched(
                by_hand(form.rebuild(_numbers(leaves))) if callable(by_hand) else by_hand, form, self.run, names
            )
            self._note_unknown(self.hand)
            if callable(by_hand) and self.exact is not None:
                self._measure_rounding_by_hand(by_hand, names)

    # Rounding.

    def _in_long_double(self) -> Trace | None:
        """The same run in long double, if every primitive on the way can do that and it goes the same way."""
        if np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
            return None
        try:
            run = trace(self.loss, self.form, [x.astype(np.longdouble) for x in self.leaves])
        except (TypeError, ValueError, NotImplementedError):
            return None
        if run.result is None or not run.is_all(np.longdouble) or len(run.nodes) != len(self.run.nodes):
            return None
        return run if run.branches().same(self.run.branches()) else None

    def _rounding_of(self, k: int, node: Node) -> float:
        """How much of the cotangent of a node is rounding, at the most."""
        cotangent = self.auto.get(node)
        if cotangent is None:
            return 0.0
        unit = float(np.finfo(np.asarray(cotangent).dtype).eps)
        if self.exact is None:
            return 256 * unit * largest(cotangent)
        if not hasattr(self, "_exactly"):
            self._exactly = self.exact.cotangents()
        exactly = self._exactly.get(self.exact.nodes[k])
        apart = 0.0 if exactly is None else largest(cotangent - exactly)
        return max(apart if math.isfinite(apart) else 0.0, 2 * unit * largest(cotangent))

    def _measure_rounding_by_hand(self, by_hand: Callable[[Any], Any], names: Mapping[str, str]) -> None:
        """Take the hand's own rounding into account: what changes when it computes in long double too."""
        assert self.hand is not None
        try:
            with np.errstate(all="ignore"):
                returned = by_hand(self.form.rebuild(_numbers([x.astype(np.longdouble) for x in self.leaves])))
            exactly = matched(returned, self.form, self.run, names).arrays()
        except (TypeError, ValueError, NotImplementedError, AttributeError):
            return
        for node, x in self.hand.arrays().items():
            y = exactly.get(node)
            if y is not None and y.dtype == np.longdouble and y.shape == x.shape:
                apart = largest(x - y)
                if apart < 1e-6 * largest(x):  # more than that is no rounding, but another way at a branch
                    self.rounding[node] = max(self.rounding[node], apart)

    # Numbers.

    def measure(self, exhausted: Callable[[int], bool], bar: Progress) -> None:
        """Take slopes by numbers, of all elements of small parameters and of some of large ones."""
        if self.exact is not None:
            dtype: Any = np.longdouble
            self.precision = "long double"
        else:
            dtype = np.float64
        try:
            numbers = Numbers(self.loss, self.form, self.leaves, dtype, self.opaque, exhausted)
        except OutOfBudgetError:
            self.notes.append("nothing was measured by numbers: the loss may not be computed often enough for that")
            return
        try:
            for leaf, index in self._elements():
                where = along_element(numbers.leaves, leaf, index)
                self.slopes[leaf][index] = numbers.slope(where, scale_of(numbers.leaves[leaf], index))
                bar.advance()
        except OutOfBudgetError:
            missing = sum(x.size for x in self.leaves) - sum(map(len, self.slopes))
            self.notes.append(f"the budget was used up before {missing} elements were measured by numbers")
        self.used = numbers.used

    def _elements(self) -> list[tuple[int, tuple[int, ...]]]:
        """The elements to be measured: first where autodiff and hand differ most, one of each parameter in turn."""
        queues = []
        for k, (x, node) in enumerate(zip(self.leaves, self.run.parameters, strict=True)):
            auto = np.abs(self.auto[node]).reshape(-1) if node in self.auto else np.zeros(x.size)
            apart = auto
            if self.hand is not None and node in self.hand.of and self.hand.of[node][1].shape == x.shape:
                apart = np.abs(self.hand.of[node][1].reshape(-1) - np.reshape(self.auto[node], -1))
            ranked = np.argsort(-np.nan_to_num(apart, nan=np.inf), kind="stable")
            if x.size > ALL_OF:
                largest_auto = np.argsort(-auto, kind="stable")[:LARGEST]
                chosen = [*ranked[:LARGEST], *largest_auto, *self.rng.choice(x.size, RANDOM, replace=False)]
                ranked = np.array(list(dict.fromkeys(int(i) for i in chosen)))
                self.notes.append(
                    f"{node.name or 'params'}: {len(ranked)} of {x.size} elements are measured by numbers"
                )
            queues.append([(k, tuple(int(i) for i in np.unravel_index(place, x.shape))) for place in ranked])
        longest = max(map(len, queues), default=0)
        return [queue[i] for i in range(longest) for queue in queues if i < len(queue)]

    # What is made of it.

    def report(self) -> Report:
        """Everything put together."""
        steps = self._steps()
        wrong = [step for step in steps if step.alone.verdict == "differ"]
        parameters = [self._parameter(k, bool(wrong)) for k in range(len(self.leaves))]
        report = Report(
            loss=float(self.run.value),
            parameters=parameters,
            steps=steps,
            kinks=self._kinks(),
            because=[],
            notes=self.notes,
            precision=self.precision,
            evaluations=self.used,
            seconds=0.0,
            result=self.run.result,
        )
        report.because += _because(report)
        if any(p.auto_numbers is not None and p.auto_numbers.verdict == "differ" for p in parameters):
            report.because += [
                f"{fault[0].upper()}{fault[1:]}." for fault in faults(self.loss, self.form, self.leaves, self.run)
            ]
        return report

    def _parameter(self, k: int, told_by_step: bool) -> Parameter:
        node, x = self.run.parameters[k], self.leaves[k]
        auto = None if self.opaque else np.asarray(self.auto[node])
        hand = self.hand.of[node][1] if self.hand is not None and node in self.hand.of else None
        low, high = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
        for index, slope in self.slopes[k].items():
            low[index], high[index] = slope.low, slope.high
        slopes, rounding = self.slopes[k], self.rounding.get(node, 0.0)
        fits = hand is not None and hand.shape == x.shape
        # What a slope of a parameter has to be to matter, beside those of the others and the loss itself.
        others = [largest(np.nan_to_num(self.auto[other])) for other in self.run.parameters if other in self.auto]
        least = max([1e-3 * size for size in others] + [1e-9 * abs(float(np.nan_to_num(self.run.value)))])
        auto_numbers = None if auto is None or not slopes else with_slopes(auto, slopes, rounding, least)
        hand_numbers = with_slopes(hand, slopes, rounding, least) if slopes and hand is not None and fits else None
        hand_auto = None
        if hand is not None and auto is not None:
            hand_auto = between_arrays(hand, auto, rounding, slopes)
        explanation = None
        if hand_auto is not None and hand is not None and hand_auto.verdict == "differ" and not told_by_step:
            explanation = explain(self._case(node, node.name or "x", hand, {}, auto, rounding), self.explanations)
        kinks = sum(slope.kind == "kink" for slope in slopes.values())
        return Parameter(
            node.name or "x", node, auto, hand, low, high, len(slopes), kinks, auto_numbers, hand_auto, hand_numbers,
            explanation,
        )  # fmt: skip

    def _steps(self) -> list[Step]:
        """The hand's cotangents from the loss back, if it gave any beside those of the parameters."""
        if self.hand is None or self.opaque or not any(node not in set(self.run.parameters) for node in self.hand.of):
            return []
        given = {node: x for node, x in self.hand.arrays().items() if x.shape == node.like.shape}
        arrived = walk_back(self.run, given)
        carried = self._carried(given, arrived)
        used_by = consumers(self.run)
        found = []
        for node in sorted(self.hand.of, key=lambda x: (x.primitive is None, -x.order)):
            name, hand = self.hand.of[node]
            auto = self.auto.get(node)
            if auto is None:
                self.notes.append(f"{name}: autodiff has no cotangent there, so it is not compared")
                continue
            right = arrived.get(node, np.zeros_like(auto))
            step = between(node, used_by, given)
            rounding = self._grown(node, right) + carried.get(node, 0.0)
            alone = between_arrays(hand, right, rounding)
            explanation = None
            if alone.verdict == "differ":
                case = self._case(node, name, hand, given, right, rounding)
                explanation = explain(case, self.explanations)
            found.append(
                Step(
                    name, self.run.names().get(node, "?"), node, auto, hand, np.asarray(right),
                    between_arrays(hand, auto, self.rounding[node]), alone,
                    [(x.primitive.__name__, source_line(x)) for x in step], explanation,
                )
            )  # fmt: skip
        return found

    def _grown(self, node: Node, right: Array) -> float:
        """The rounding of the cotangent of a node, where it is `right` and not what autodiff has."""
        return self.rounding[node] * max(1.0, largest(right) / (largest(self.auto[node]) or 1.0))

    def _carried(self, given: Mapping[Node, Array], arrived: Mapping[Node, Array]) -> dict[Node, float]:
        """How much of what arrives at each node is rounding of the hand's own cotangents, carried along."""
        found: dict[Node, float] = {}
        for _ in range(2):
            shaken = {
                node: x + self.rounding.get(node, 0.0) * self.rng.choice([-1.0, 1.0], x.shape)
                for node, x in given.items()
            }
            for node, x in walk_back(self.run, shaken).items():
                if node in arrived:
                    with np.errstate(invalid="ignore"):
                        apart = largest(np.nan_to_num(x - arrived[node], posinf=0, neginf=0))
                    found[node] = max(found.get(node, 0.0), apart)
        return found

    def _case(
        self, node: Node, name: str, hand: Array, given: Mapping[Node, Array], right: Any, rounding: float
    ) -> Case:
        step = between(node, consumers(self.run), given)

        def again(altered: Mapping[Node, Node]) -> Array:
            arrived = walk_back(self.run, given, altered, wanted=node)
            return np.asarray(arrived.get(node, np.zeros_like(node.like)))

        return Case(name, np.asarray(hand), np.asarray(right), rounding, step, self.run.names(), again)

    def _kinks(self) -> list[KinkFound]:
        names = self.run.names()
        found = []
        for node in self.run.nodes:
            elements = 0 if node.primitive is None else meeting(node)
            if elements:
                name, primitive = names.get(node, ""), node.primitive.__name__
                found.append(KinkFound(name, primitive, source_line(node), elements))
        return found

    def _note_unknown(self, found: ByHand) -> None:
        if found.unknown:
            known = sorted({name for node, name in self.run.names().items() if node.primitive is not None})
            self.notes.append(
                f"no value of the graph is called {', '.join(found.unknown)}, so these are not compared; it has "
                f"{', '.join(known) or 'no names'}: say names={{{found.unknown[0]!r}: ...}}, or name it with tg.named"
            )


def _because(report: Report, prefix: str = "") -> list[str]:
    """What is wrong, in sentences."""
    said = []
    wrong = [step for step in report.steps if step.alone.verdict == "differ"]
    for k, step in enumerate(wrong):
        first = "The first wrong step" if k == 0 else "Another wrong step, even given what came in,"
        why = f"Why: {step.explanation}." if step.explanation else "No explanation accounts for it."
        said.append(f"{first} is {step.name}, {_from(step)}. {_at(step.alone)} {why}")
    harmed = [p.name for p in report.parameters if p.hand_auto is not None and p.hand_auto.verdict == "differ"]
    if wrong and not harmed:
        said.append("The gradient of no parameter is changed by it.")
    elif len(wrong) == 1 and report.steps[-1] is not wrong[0]:
        said.append("All other steps are right, given that one.")
    for p in report.parameters:
        if not wrong and p.name in harmed:
            why = f"Why: {p.explanation}." if p.explanation else "No explanation accounts for it."
            said.append(f"The gradient of {p.name} by hand is wrong. {_at(p.hand_auto)} {why}")
    for p in report.parameters:
        if p.auto_numbers is not None and p.auto_numbers.verdict == "differ":
            at = _at(p.auto_numbers, "by autodiff", "and {} by numbers")
            said.append(f"Autodiff and numbers contradict each other on {p.name}. {at}")
    return said


def _at(comparison: Comparison | None, one: str = "by hand", other: str = "and should be {}") -> str:
    """The element that is furthest off, in a sentence."""
    if comparison is None:
        return ""
    if not math.isfinite(comparison.apart) and comparison.note:
        return f"It has {comparison.note}." if comparison.note.startswith("shape") else f"{comparison.note}."
    element = f"Element {comparison.index}" if comparison.index else "It"
    x, y = comparison.values
    return f"{element} is {x:.6g} {one} {other.format(f'{y:.6g}')}."


def _from(step: Step) -> str:
    """Through what a step goes: "through max_pool2d (model.py:55)"."""
    if not step.through:
        return "at the loss itself"
    return "through " + ", ".join(dict.fromkeys(f"{name} ({short(line)})" for name, line in step.through))


def short(line: str) -> str:
    """Without the folders and the function: "model.py:55"."""
    return os.path.basename(line.rsplit(" in ", 1)[0])


def _name_the_loss(report: Report, check: _Check, losses: Mapping[str, Loss]) -> None:
    """See whether the gradient by hand is that of another loss, and if so, what remains to be said of it."""
    found: dict[str, Report] = {}
    for name, loss in losses.items():
        other = _Check(loss, check.form, check.leaves, None, {}, check.explanations, 0)
        if check.hand is not None and len(other.run.parameters) == len(check.run.parameters):
            other.hand = _carried_over(check, other)
            found[name] = other.report()
    name = min(found, key=lambda name: _mistakes(found[name]), default="")
    if not name or _mistakes(found[name]) >= _mistakes(report):
        return
    rest, right = found[name], {step.name: step.alone.verdict != "differ" for step in found[name].steps}
    why = f"it is the gradient of another loss, {name}"
    report.another_loss = name
    report.steps = [
        replace(step, explanation=why) if step.alone.verdict == "differ" and right.get(step.name) else step
        for step in report.steps
    ]
    report.because = _because(report) if report.steps else []
    report.because.insert(0, f"By hand it is not the gradient of this loss, but of another: {name}.")
    if not report.steps:
        report.because += [f"Against that loss: {sentence}" for sentence in rest.because]


def _mistakes(report: Report) -> int:
    if report.steps:
        return sum(step.alone.verdict == "differ" for step in report.steps)
    return sum(p.hand_auto is not None and p.hand_auto.verdict == "differ" for p in report.parameters)


def _carried_over(check: _Check, other: _Check) -> ByHand:
    """The hand's cotangents, with their rounding, for the values of the same names in another graph."""
    assert check.hand is not None
    names, theirs = check.run.names(), {name: node for node, name in other.run.names().items()}
    alike = {node: theirs[names[node]] for node in check.hand.of if names.get(node) in theirs}
    alike |= dict(zip(check.run.parameters, other.run.parameters, strict=True))
    for node, counterpart in alike.items():
        other.rounding[counterpart] = max(other.rounding.get(counterpart, 0.0), check.rounding.get(node, 0.0))
    return ByHand({alike[node]: pair for node, pair in check.hand.of.items() if node in alike}, [])


def _numbers(leaves: Sequence[Array]) -> list[Any]:
    return [x[()].copy() if x.ndim else x[()] for x in leaves]


def _takes_arrays(loss: Loss, form: tree.Flat, leaves: Sequence[Array]) -> bool:
    """Whether the loss can be computed of arrays, so that what failed is to follow it."""
    try:
        loss(form.rebuild(_numbers(leaves)))
    except Exception:
        return False
    return True


def _opaque_run(loss: Loss, form: tree.Flat, leaves: Sequence[Array]) -> Trace:
    run = trace(lambda _: 0.0, form, leaves)
    return replace(run, value=as_array(loss(form.rebuild(_numbers(leaves)))).reshape(()))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
