"""The causes of what is wrong with one gradient, looked for together: a line that is mended may mend all parameters."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.deadline import Effort
from tinygrad_cnn.check.diagnose.comparisons import compare_arrays
from tinygrad_cnn.check.diagnose.edits.arrays import Arrays
from tinygrad_cnn.check.diagnose.edits.executed import Executed, executed
from tinygrad_cnn.check.diagnose.edits.explained import Upstream, explained, numbers_of
from tinygrad_cnn.check.diagnose.edits.first_wrong_line import first_wrong_line
from tinygrad_cnn.check.diagnose.edits.own_line import OtherRun, OwnSource
from tinygrad_cnn.check.diagnose.edits.repair import Repair
from tinygrad_cnn.check.diagnose.edits.rerun import Correction
from tinygrad_cnn.check.diagnose.explanations.case import Case
from tinygrad_cnn.check.diagnose.repaired import Repaired, is_slight
from tinygrad_cnn.check.diagnose.second_point import FAR, SecondPoint, second_point
from tinygrad_cnn.check.results import Cause
from tinygrad_cnn.check.witnesses.autodiff import Autodiff, Subject, hand_derived
from tinygrad_cnn.check.witnesses.backward_walk import contributions, walk_back
from tinygrad_cnn.check.witnesses.hand_derived import HandDerived
from tinygrad_cnn.check.witnesses.magnitude import largest
from tinygrad_cnn.engine.graph import Array, Node

STEPS, MANY = 1e6, 3  # operations that are tried for one of the first few steps, and how few these are
REPAIRS = 2e6  # for edits of the source
LATER = 1e5  # for one of the others
AT_LEAST = 2e4  # for any

SMALL = 0.1  # data so many times as large, for which other branches may be taken


@dataclass
class Causes:
    """Looks for causes.

    by_hand, given_names  the hand-derived gradient, and the names, as they were given
    hand_derived          what it gave
    names                 what the graph calls its values
    expected              the cotangents that should come out, each with its rounding
    effort                what may still be tried
    unfinished            what was looked for, but not to the end
    """

    subject: Subject
    autodiff: Autodiff
    by_hand: Any
    given_names: Mapping[str, str]
    hand_derived: HandDerived | None
    names: Mapping[Node, str]
    expected: Mapping[Node, tuple[Array, float]]
    effort: Effort
    unfinished: list[str] = field(default_factory=list)
    _searches: int = 0
    _corrections: list[tuple[Cause, set[Node]]] = field(default_factory=list)

    def of(self, case: Case, node: Node, upstream: Upstream) -> Cause | None:
        """The cause of what is wrong with a cotangent: what was found for another one, if that mends this one too."""
        of_all = not upstream.given and node in self.autodiff.run.parameters
        for cause, right in self._corrections if of_all else ():
            if node in right:
                return cause
        if of_all and (cause_of_all := self.mended(node)) is not None:
            return cause_of_all
        if self.effort.deadline.is_over():
            self.unfinished.append(case.name)
            return None
        self._searches += 1
        effort = self.effort.part(STEPS if self._searches <= MANY else LATER, AT_LEAST)
        has_source = callable(self.by_hand) and not is_slight(case.hand_derived, case.expected)
        source = self._source(node, upstream) if has_source else None
        found = explained(case, node, upstream, lambda: self.other_points, effort, source)
        if found is None and source is not None and of_all and self.autodiff.opaque is None:
            mends = functools.partial(self._makes_right, node)
            values, cotangents = self._arrays
            found = first_wrong_line(self.executed, values, cotangents, mends, numbers_of(case, None), effort)
        if isinstance(found, Correction):
            if of_all:
                with contextlib.suppress(Exception):  # whatever somebody's code raises with an edit in it
                    wrong = self._wrong_with(found.made())
                    right = set() if wrong is None else {x for x in self.autodiff.run.parameters if x not in wrong}
                    self._corrections.append((found.cause, right))
            return found.cause
        if found is None and effort.ended:
            self.unfinished.append(case.name)
        return found

    def mended(self, node: Node) -> Cause | None:
        """The edit of the source that makes a cotangent right."""
        return next((repair.cause for repair in self._repairs if node in repair.mends), None)

    @functools.cached_property
    def _repairs(self) -> list[Repair]:
        """The edits of the source that make the gradient right."""
        if not callable(self.by_hand) or self.hand_derived is None:
            return []
        repaired = Repaired(
            self.subject,
            self.autodiff,
            self.by_hand,
            self.given_names,
            self.hand_derived,
            self.expected,
            lambda: self.other_points,
        )
        return repaired.repairs(self.effort.part(REPAIRS))

    def notes(self) -> list[str]:
        """What was not looked for to the end."""
        if not self.unfinished:
            return []
        why = sentences.TIME_OVER if self.effort.deadline.is_over() else sentences.ENOUGH_TRIED
        return [sentences.NOT_TO_THE_END.format(names=sentences.listed(list(dict.fromkeys(self.unfinished))), why=why)]

    def _source(self, node: Node, upstream: Upstream) -> OwnSource:
        """What the hand-derived gradient executed, for the step that leads to a node."""
        given = Arrays([np.asarray(x) for other, x in upstream.given.items() if other.order > node.order])
        mends = functools.partial(self._mends, node, bool(upstream.given))
        return OwnSource(
            self.executed, [self._values, given], lambda: self._other_runs(node, bool(upstream.given)), mends
        )

    def _mends(self, node: Node, step_by_step: bool, with_the_edit: AbstractContextManager[bool]) -> bool | None:
        """Whether an edit of the source makes a cotangent right, in all iterations of a loop, and nothing else wrong.

        None if the source cannot be edited so.
        """
        try:
            after = self._wrong_with(with_the_edit, step_by_step)
        except NameError:
            return None
        except Exception:  # whatever somebody's code raises with an edit in it
            return False
        if after is None:
            return None
        before = self._wrong(self.hand_derived, step_by_step)
        name = _of_a_loop(after.get(node) or before.get(node) or "")
        return after.keys() <= before.keys() and all(_of_a_loop(x) != name for x in after.values())

    def _makes_right(self, node: Node, with_the_edit: AbstractContextManager[bool]) -> bool:
        """Whether an edit of the source makes the gradient of a parameter right."""
        try:
            after = self._wrong_with(with_the_edit)
        except Exception:  # whatever somebody's code raises with an edit in it
            return False
        return after is not None and node not in after

    def _wrong_with(
        self, with_the_edit: AbstractContextManager[bool], step_by_step: bool = False
    ) -> dict[Node, str] | None:
        """The cotangents that are wrong with an edit of the source, with their names; None if that cannot be made."""
        with with_the_edit as done, np.errstate(all="ignore"):
            if not done:
                return None
            found = hand_derived(self.subject, Autodiff(self.autodiff.run), self.by_hand, self.given_names)
        return self._wrong(found, step_by_step)

    def _wrong(self, found: HandDerived | None, step_by_step: bool) -> dict[Node, str]:
        """The cotangents that are not what arrives, with their names."""
        if found is None:
            return {}
        arrays, cotangents = found.arrays(), self.autodiff.cotangents
        given = {node: x for node, x in arrays.items() if x.shape == node.like.shape} if step_by_step else {}
        arrived = walk_back(self.autodiff.run, given) if given else cotangents
        wrong = {}
        for node, x in arrays.items():
            if node in arrived:
                rounding = 64 * self.autodiff.rounding.get(node, 0.0) + 1e-12 * largest(np.asarray(cotangents[node]))
                if compare_arrays(x, np.asarray(arrived[node]), rounding).verdict == "differ":
                    wrong[node] = found.of[node][0]
        return wrong

    @functools.cached_property
    def _arrays(self) -> tuple[Arrays, Arrays]:
        """All values, and all cotangents by autodiff, whole and what each is the sum of."""
        values = [np.asarray(x.value) for x in self.autodiff.run.nodes]
        whole = [np.asarray(x) for x in self.autodiff.cotangents.values()]
        return Arrays(values), Arrays([*whole, *contributions(self.autodiff.run)])

    @functools.cached_property
    def _values(self) -> Arrays:
        return Arrays([np.asarray(x.value) for x in self.names])

    @functools.cached_property
    def executed(self) -> list[Executed]:
        """What the hand-derived gradient executes, where it is a function."""
        return executed(self.by_hand, self.subject.arguments())

    @functools.cached_property
    def _executed_there(self) -> list[list[Executed]]:
        found = []
        for point in self.other_points:
            with point.data():
                found.append(executed(self.by_hand, point.subject.arguments()))
        return found

    def _other_runs(self, node: Node, step_by_step: bool) -> list[OtherRun]:
        """The same at other points."""
        found = []
        for point, run in zip(self.other_points, self._executed_there, strict=True):
            expected, mine = point.expected(node, step_by_step), point.hand_derived.get(node)
            if expected is not None and mine is not None:
                found.append(OtherRun(run, np.asarray(expected), mine, point.data))
        return found

    @functools.cached_property
    def other_points(self) -> list[SecondPoint]:
        """The witnesses nearby, and far away with other data, large and small, if what is right here is right there."""
        arrays = {} if self.hand_derived is None else self.hand_derived.arrays()
        step_by_step = any(x.shape == node.like.shape for node, x in arrays.items())
        here = set(self._wrong(self.hand_derived, step_by_step))
        near = second_point(self.subject, self.autodiff, self.by_hand, self.given_names)
        found = [] if near is None else [near]
        for data in (1.0, SMALL, None):
            if data is None and len(found) > 1:
                break
            far = second_point(self.subject, self.autodiff, self.by_hand, self.given_names, FAR, data)
            if far is not None and far.wrong(step_by_step) <= here:
                found.append(far)
        return found


def _of_a_loop(name: str) -> str:
    """What the cotangents of all iterations are called: dh[] of dh[2]."""
    return re.sub(r"\d+", "", name)
