"""The edits of the source of a hand-derived gradient that make it right, here and at other points."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinygrad_cnn.check.deadline import Effort
from tinygrad_cnn.check.diagnose.edits.repair import Repair, Trial, repairs
from tinygrad_cnn.check.diagnose.edits.statements import LARGE, Source, executed_lines
from tinygrad_cnn.check.diagnose.fewer_iterations import Shortened, shortened
from tinygrad_cnn.check.diagnose.outcome import Outcome, outcome
from tinygrad_cnn.check.diagnose.second_point import SecondPoint
from tinygrad_cnn.check.witnesses.autodiff import Autodiff, Subject, hand_derived
from tinygrad_cnn.check.witnesses.hand_derived import HandDerived
from tinygrad_cnn.engine.graph import Array, Node

WITHIN = 1e-9  # relative
FEW = 3  # elements that are no evidence of a factor
LONG, SAVED = 400, 4  # executed lines from which on a shorter run pays, and how many times shorter it has to be
SLIGHT = 0.03  # relative: what is wrong by less is noise as likely as a slip of the pen


@dataclass
class Repaired:
    """A hand-derived gradient whose source is to be mended.

    derived       what it gave
    expected      what it should have given, each cotangent with its rounding
    other_points  where what is mended has to be right too
    source        what it executes
    """

    subject: Subject
    autodiff: Autodiff
    by_hand: Callable[[Any], Any]
    names: Mapping[str, str]
    derived: HandDerived
    expected: Mapping[Node, tuple[Array, float]]
    other_points: Callable[[], Sequence[SecondPoint]]
    source: Source

    def repairs(self, effort: Effort, in_pairs: bool = False) -> list[Repair]:
        """The edits, one after the other. in_pairs: pairs of edits of one statement."""
        subject, parameters = self.subject, set(self.autodiff.run.parameters)
        arrays = {node: x for node, x in self.derived.arrays().items() if node in self.expected}
        known = sorted(arrays, key=lambda x: (x in parameters, -x.order))
        wrong = [x for x in known if not self._agrees(x, arrays[x])]
        if all(is_slight(arrays[x], self.expected[x][0]) for x in wrong):
            return []
        if not self.source.statements or not wrong:
            return []
        trial = Trial(
            source=self.source,
            run=outcome(self.by_hand, subject, self.derived.of, self._matched_anew),
            wrong=wrong,
            right=[x for x in known if x not in wrong],
            is_right=self._is_right,
            agrees=self._agrees,
            factor=lambda node, x: _factor(x, *self.expected[node]),
            confirm=self._holds_elsewhere,
            effort=effort,
            lines=self.source.lines,
            in_pairs=in_pairs,
        )
        return repairs(replace(trial, shorter=self._shorter(trial)))

    def _shorter(self, trial: Trial) -> Trial | None:
        """The same with loops of few iterations, if it is as wrong then, and if that saves much."""
        if trial.lines < LONG or self.autodiff.opaque is not None:
            return None
        functions = [self.subject.loss, self.by_hand, *trial.source.functions]
        for short in shortened(functions):
            with contextlib.suppress(Exception), short():  # whatever somebody's code raises if a number is another
                lines = executed_lines(lambda: self.by_hand(self.subject.arguments()))
                if lines < trial.lines / SAVED and (found := self._with(short, trial)) is not None:
                    return replace(found, lines=lines)
        return None

    def _with(self, short: Shortened, trial: Trial) -> Trial | None:
        """A trial within a context, for parameters alone; None if other things are wrong there."""
        run = self.subject.run()
        mine = dict(zip(run.parameters, self.autodiff.run.parameters, strict=True))
        derived = hand_derived(self.subject, Autodiff(run), self.by_hand, self.names)
        if derived.of.keys() - mine.keys() or set(mine.values()) != {*trial.wrong, *trial.right}:
            return None
        of = {mine[x]: pair for x, pair in derived.of.items()}
        expected = {mine[x]: np.asarray(y) for x, y in run.cotangents().items() if x in mine}
        if [x for x in of if not _agree(of[x][1], expected[x], 0.0)] != [x for x in of if x in trial.wrong]:
            return None
        again = outcome(self.by_hand, self.subject, of, dict)
        if again().keys() != of.keys():
            return None

        def within() -> Mapping[Node, Array]:
            with short():
                return again()

        return replace(
            trial,
            run=within,
            agrees=lambda node, x: _agree(x, expected[node], 0.0),
            factor=lambda node, x: _factor(x, expected[node], 0.0),
        )

    def _agrees(self, node: Node, x: Array) -> bool:
        expected, rounding = self.expected[node]
        return _agree(x, expected, 8 * rounding)

    def _is_right(self, x: Array) -> bool:
        """Whether an array is a value of the graph, or a cotangent as it should be."""
        if x.dtype.kind != "f" or not np.any(x):
            return False
        if x.size < FEW:  # other values may be the same by chance, but for a parameter's
            return x.size > 1 and any(np.array_equal(x, node.value) for node in self.autodiff.run.parameters)
        alike = self._right_arrays.get((x.shape, _digits(x)), ())
        return any(_agree(x, y, 0.0) for y in alike)

    @functools.cached_property
    def _right_arrays(self) -> dict[Any, list[Array]]:
        found: dict[Any, list[Array]] = {}
        for x in (
            *(np.asarray(node.value) for node in self.autodiff.run.nodes),
            *(x for x, _ in self.expected.values()),
        ):
            if x.dtype.kind == "f" and FEW <= x.size <= LARGE:
                found.setdefault((x.shape, _digits(x)), []).append(x)
        return found

    def _matched_anew(self) -> dict[Node, Array]:
        return hand_derived(self.subject, Autodiff(self.autodiff.run), self.by_hand, self.names).arrays()

    def _holds_elsewhere(self, run: Callable[[Outcome], Any], mended: Sequence[Node]) -> bool:
        for point, there in self._elsewhere:
            with point.data():
                found = run(there)
            for node in mended:
                expected = point.expected(node, step_by_step=False)
                if found is None or expected is None or node not in found:
                    return False
                if not _agree(found[node], np.asarray(expected), 0.0):
                    return False
        return True

    @functools.cached_property
    def _elsewhere(self) -> list[tuple[SecondPoint, Outcome]]:
        """Other points, with what the gradient returns there."""
        found = []
        for point in self.other_points():
            names = {node: name for node, (name, _) in self.derived.of.items()}
            of = {node: (names.get(node, ""), x) for node, x in point.hand_derived.items()}
            slowly = functools.partial(point.matched_anew, self.by_hand, self.names)
            with point.data():
                found.append((point, outcome(self.by_hand, point.subject, of, slowly)))
        return found


def _digits(x: Array) -> str:
    """A few digits of an array, by which most others are known to be different."""
    return f"{float(np.max(np.abs(x))):.6g}"


def _factor(x: Array, expected: Array, rounding: float) -> float | None:
    """What a cotangent has to be multiplied by to be right, to rounding, if there is such a number."""
    size = float(np.sum(x * x)) if x.shape == expected.shape and x.dtype.kind == "f" else 0.0
    if not 0 < size < np.inf or len(np.unique(np.abs(expected[expected != 0]))) < FEW:
        return None
    factor = float(np.sum(x * expected)) / size
    return factor if _agree(factor * x, expected, 8 * rounding) else None


def _agree(x: Array, expected: Array, rounding: float) -> bool:
    """Whether a cotangent is right, to rounding."""
    if x.shape != expected.shape or x.dtype.kind not in "fiu":
        return False
    size = float(np.max(np.abs(expected), initial=0.0))
    with np.errstate(invalid="ignore"):
        return bool(np.all(np.abs(x - expected) <= max(WITHIN * size, rounding)))


def is_slight(x: Array, expected: Array) -> bool:
    """Whether a cotangent is so little wrong that it may be noise, for which any right line would be an explanation."""
    if x.shape != expected.shape or x.dtype.kind not in "fiu":
        return False
    with np.errstate(all="ignore"):
        return bool(np.max(np.abs(x - expected), initial=0.0) < SLIGHT * np.max(np.abs(expected), initial=0.0))
