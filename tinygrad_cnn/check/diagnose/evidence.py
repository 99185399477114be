"""What the witnesses found of one loss, and the walks through its graph that the diagnosis asks for again and again."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.comparisons import compare_arrays
from tinygrad_cnn.check.diagnose.edits.executed import Executed, executed
from tinygrad_cnn.check.diagnose.edits.explained import Upstream, explained, numbers_of
from tinygrad_cnn.check.diagnose.edits.first_wrong_line import Arrays, first_wrong_line
from tinygrad_cnn.check.diagnose.edits.own_line import OtherRun, OwnSource
from tinygrad_cnn.check.diagnose.explanations import Case, Explanation, Fitted, OtherSideOfKink, TiesInFull, explain
from tinygrad_cnn.check.diagnose.explanations.case import LARGE
from tinygrad_cnn.check.diagnose.second_point import FAR, SecondPoint, second_point
from tinygrad_cnn.check.diagnose.steps import between, consumers, walk_again
from tinygrad_cnn.check.results import Cause, Comparison
from tinygrad_cnn.check.witnesses.autodiff import Autodiff, Subject, hand_derived
from tinygrad_cnn.check.witnesses.backward_walk import contributions, walk_back
from tinygrad_cnn.check.witnesses.finite_differences import Slope
from tinygrad_cnn.check.witnesses.hand_derived import HandDerived, by_name
from tinygrad_cnn.check.witnesses.magnitude import largest
from tinygrad_cnn.check.witnesses.sampled_slopes import Sampled
from tinygrad_cnn.engine.graph import Array, Node

ENOUGH = 4.0  # seconds, after which only what is simple is looked for in further steps
STEPS = 3  # steps, after which a quarter of that is enough


@dataclass(frozen=True)
class Walk:
    """Cotangents that were put in on a walk back, and those that arrived."""

    given: dict[Node, Array]
    arrived: dict[Node, Array]


def _of_a_loop(name: str) -> str:
    """What the cotangents of all iterations are called: dh[] of dh[2]."""
    return re.sub(r"\d+", "", name)


@dataclass(frozen=True)
class Evidence:
    """What the three witnesses found, and how it may be explained.

    late                  whether no time is left to look for combined explanations
    by_hand, given_names  the hand-derived gradient, and the names, as they were given
    """

    subject: Subject
    autodiff: Autodiff
    hand_derived: HandDerived | None
    differences: Sampled
    explanations: Sequence[Explanation]
    seed: int = 0
    late: Callable[[], bool] = lambda: False
    by_hand: Any = None
    given_names: Mapping[str, str] = field(default_factory=dict)

    @functools.cached_property
    def names(self) -> dict[Node, str]:
        """What the graph calls its values."""
        return {node: name for name, node in by_name(self.autodiff.run).items()}

    @functools.cached_property
    def used_by(self) -> dict[Node, list[Node]]:
        """For each node those that were computed from it."""
        return consumers(self.autodiff.run)

    @functools.cached_property
    def fitted(self) -> Fitted:
        """The named values, by the shapes that they fit to."""
        return Fitted(self.names)

    @functools.cached_property
    def by_autodiff(self) -> Walk:
        """The walk from the loss back, by autodiff alone."""
        return Walk({}, walk_back(self.autodiff.run))

    @functools.cached_property
    def step_by_step(self) -> Walk:
        """The walk with the hand-derived cotangents put in."""
        arrays = {} if self.hand_derived is None else self.hand_derived.arrays()
        given = {node: x for node, x in arrays.items() if x.shape == node.like.shape}
        return Walk(given, walk_back(self.autodiff.run, given))

    def through(self, node: Node, walk: Walk) -> list[Node]:
        """The nodes whose rules lead to `node` from the nearest cotangents that are given, newest first."""
        return between(node, self.used_by, walk.given)

    def case(self, node: Node, name: str, hand_derived: Array, expected: Array, rounding: float, walk: Walk) -> Case:
        """A hand-derived cotangent of a node, where `expected` arrives."""
        again = functools.partial(walk_again, node, walk.arrived, walk.given)
        step = self.through(node, walk)
        case = Case(name, np.asarray(hand_derived), expected, rounding, step, self.fitted, again)
        called = {} if self.hand_derived is None else {x: name for x, (name, _) in self.hand_derived.of.items()}
        upstream = Upstream(walk.given, called, self.autodiff.run.result)

        def search() -> Cause | None:
            source = self._own_source(node, walk) if callable(self.by_hand) else None
            began = time.process_time()
            try:
                found = explained(case, node, upstream, lambda: self.other_points, self._is_late, source)
                return found if found is not None or source is None else self._first_wrong_line(case, node)
            finally:
                self._spent.append(time.process_time() - began)

        return replace(case, smallest_edit=search)

    @functools.cached_property
    def _spent(self) -> list[float]:
        """Seconds that the explanations took so far."""
        return []

    def _is_late(self) -> bool:
        spent = sum(self._spent)
        return self.late() or spent > ENOUGH or (len(self._spent) >= STEPS and spent > ENOUGH / 4)

    def _own_source(self, node: Node, walk: Walk) -> OwnSource:
        """What the hand-derived gradient executed, for a step of the walk."""
        known: dict[tuple[int, ...], list[Array]] = {}
        for array in (*self._values, *[x for other, x in walk.given.items() if other.order > node.order]):
            known.setdefault(array.shape, []).append(array)
        mends = functools.partial(self._mends, node, walk)
        return OwnSource(self._executed, known, lambda: self._other_runs(node, walk), mends)

    def _mends(self, node: Node, walk: Walk, with_the_edit: AbstractContextManager[bool]) -> bool | None:
        """Whether an edit of the source makes a cotangent right, in all iterations of a loop, and nothing else wrong.

        None if the source cannot be edited so.
        """
        found = None
        try:
            with with_the_edit as done, np.errstate(all="ignore"):
                if done:
                    found = hand_derived(self.subject, Autodiff(self.autodiff.run), self.by_hand, self.given_names)
        except NameError:
            return None
        except Exception:  # whatever somebody's code raises with an edit in it
            return False
        if found is None:
            return None
        before, after = self._wrong(self.hand_derived, walk), self._wrong(found, walk)
        name = _of_a_loop(after.get(node) or before.get(node) or "")
        return after.keys() <= before.keys() and all(_of_a_loop(x) != name for x in after.values())

    def _wrong(self, found: HandDerived | None, walk: Walk) -> dict[Node, str]:
        """The cotangents that are not what arrives, with their names."""
        if found is None:
            return {}
        arrays = found.arrays()
        given = {node: x for node, x in arrays.items() if x.shape == node.like.shape} if walk.given else {}
        arrived = walk_back(self.autodiff.run, given)
        return {
            node: found.of[node][0]
            for node, x in arrays.items()
            if node in arrived
            and compare_arrays(x, np.asarray(arrived[node]), self._rounding(node)).verdict == "differ"
        }

    def _rounding(self, node: Node) -> float:
        return 64 * self.autodiff.rounding.get(node, 0.0) + 1e-12 * largest(np.asarray(self.autodiff.cotangents[node]))

    def _first_wrong_line(self, case: Case, node: Node) -> Cause | None:
        """The line of by_hand that has to be mended, found among all that it computed."""
        if node not in self.autodiff.run.parameters or self.autodiff.opaque is not None:
            return None
        expected = np.asarray(self.autodiff.cotangents[node])

        def is_mended(with_the_edit: AbstractContextManager[bool]) -> bool:
            found, auto = None, Autodiff(self.autodiff.run)
            try:
                with with_the_edit as done, np.errstate(all="ignore"):
                    if done:
                        found = hand_derived(self.subject, auto, self.by_hand, self.given_names)
            except Exception:  # whatever somebody's code raises with an edit in it
                return False
            mine = found.arrays().get(node) if found is not None else None
            if mine is None or mine.shape != expected.shape:
                return False
            size = float(np.max(np.abs(expected), initial=0.0))
            with np.errstate(invalid="ignore"):
                return bool(np.all(np.abs(mine - expected) <= max(1e-9 * size, 8 * case.rounding)))

        values, cotangents = self._all_arrays
        return first_wrong_line(self._executed, values, cotangents, is_mended, numbers_of(case, None), self._is_late)

    @functools.cached_property
    def _all_arrays(self) -> tuple[Arrays, Arrays]:
        values = [np.asarray(x.value) for x in self.autodiff.run.nodes]
        whole = [np.asarray(x) for x in self.autodiff.cotangents.values()]
        return Arrays(values), Arrays([*whole, *contributions(self.autodiff.run)])

    @functools.cached_property
    def _values(self) -> list[Array]:
        return [np.asarray(x.value) for x in self.names if 0 < np.size(x.like) < LARGE]

    @functools.cached_property
    def _executed(self) -> list[Executed]:
        return executed(lambda: self.by_hand(self.subject.arguments()))

    @functools.cached_property
    def _executed_there(self) -> list[list[Executed]]:
        found = []
        for point in self.other_points:
            with point.data():
                found.append(executed(lambda at=point: self.by_hand(at.subject.arguments())))  # type: ignore[misc]
        return found

    def _other_runs(self, node: Node, walk: Walk) -> list[OtherRun]:
        """The same at other points."""
        found = []
        for point, run in zip(self.other_points, self._executed_there, strict=True):
            expected, mine = point.expected(node, step_by_step=bool(walk.given)), point.hand_derived.get(node)
            if expected is not None and mine is not None:
                found.append(OtherRun(run, np.asarray(expected), mine, point.data))
        return found

    @functools.cached_property
    def other_points(self) -> list[SecondPoint]:
        """The witnesses nearby, and far away with other data, if what is right here is right there."""
        step_by_step = bool(self.step_by_step.given)
        here = set(self._wrong(self.hand_derived, self.step_by_step))
        near = second_point(self.subject, self.autodiff, self.by_hand, self.given_names)
        found = [] if near is None else [near]
        for data in (True, False):
            far = second_point(self.subject, self.autodiff, self.by_hand, self.given_names, FAR, data)
            if far is not None and far.wrong(step_by_step) <= here:
                return [*found, far]
        return found

    def explain(self, case: Case) -> Cause | None:
        """The mistake that accounts for a difference."""
        return explain(case, self.explanations)

    def against_autodiff(self, node: Node, hand_derived: Array, slopes: Mapping[tuple[int, ...], Slope]) -> Comparison:
        """A hand-derived cotangent compared with autodiff's.

        Of tied elements each may have the whole cotangent, but not several of them at once.
        """
        rounding = self.autodiff.rounding.get(node, 0.0)
        expected = np.asarray(self.autodiff.cotangents[node])
        found = compare_arrays(hand_derived, expected, rounding, slopes)
        if found.verdict == "agree" and any(slope.kind == "kink" for slope in slopes.values()):
            without_kinks = compare_arrays(hand_derived, expected, rounding)
            case = self.case(node, node.name or "x", hand_derived, expected, rounding, self.by_autodiff)
            if without_kinks.verdict == "differ" and not OtherSideOfKink().explain(case) and TiesInFull().explain(case):
                return without_kinks
        return found
