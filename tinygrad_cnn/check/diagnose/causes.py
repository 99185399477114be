"""The causes of what is wrong with one gradient, looked for together: a line that is mended may mend all parameters."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.deadline import Effort
from tinygrad_cnn.check.diagnose.comparisons import compare_arrays
from tinygrad_cnn.check.diagnose.edits.explained import Upstream, explained
from tinygrad_cnn.check.diagnose.edits.repair import Repair
from tinygrad_cnn.check.diagnose.edits.statements import Source, Statement
from tinygrad_cnn.check.diagnose.explanations.case import Case
from tinygrad_cnn.check.diagnose.moved_data import is_data
from tinygrad_cnn.check.diagnose.repaired import Repaired, is_slight
from tinygrad_cnn.check.diagnose.second_point import FAR, SecondPoint, second_point
from tinygrad_cnn.check.results import Cause
from tinygrad_cnn.check.witnesses.autodiff import Autodiff, Subject
from tinygrad_cnn.check.witnesses.backward_walk import walk_back
from tinygrad_cnn.check.witnesses.hand_derived import HandDerived
from tinygrad_cnn.check.witnesses.magnitude import largest
from tinygrad_cnn.engine.graph import Array, Node

STEPS, MANY = 1e6, 3  # operations that are tried for one of the first few steps, and how few these are
REPAIRS, PAIRS = 2e6, 1e6  # for edits of the source, and for pairs of them
PLAIN = 1.15  # an edit of the source that costs no more is the cause, whatever else would account for the numbers
RATHER = 0.27  # what a more expensive one may cost more than an edit of the right program
UNSHOWN = 0.18  # and what more than that, if the other cannot be shown as a line
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

    def of(self, case: Case, node: Node, upstream: Upstream) -> Cause | None:
        """The cause of what is wrong with a cotangent: the edit of the source that mends it, if it is cheap."""
        if self.effort.deadline.is_over():
            self.unfinished.append(case.name)
            return None
        repair = None if is_slight(case.hand_derived, case.expected) else self._repair(node)
        alone = not upstream.given and node in self.autodiff.run.parameters  # one line may mend all of them
        if repair is not None and (alone or repair.cost <= PLAIN):
            return repair.cause
        self._searches += 1
        effort = self.effort.part(STEPS if self._searches <= MANY else LATER, AT_LEAST)
        found = explained(case, node, upstream, lambda: self.other_points, effort)
        rather = RATHER if found is None or found[1].you is not None else RATHER + UNSHOWN
        if repair is not None and (found is None or repair.cost < found[0] + rather):
            return repair.cause
        if found is None and not is_slight(case.hand_derived, case.expected):
            pair = next((x for x in self._pairs if node in x.mends), None)
            if pair is not None:
                return pair.cause
        if found is None and effort.ended:
            self.unfinished.append(case.name)
        if found is None:
            return None
        maker = self.maker_of(case.hand_derived)
        return replace(found[1], line=None if maker is None else maker.place_written)

    def maker_of(self, cotangent: Array) -> Statement | None:
        """The statement of the source that made a cotangent; the last one, where several did."""
        made = (x for x in self.source.statements if any(np.array_equal(y, cotangent) for y in x.makes))
        return next(made, None)

    def mended(self, node: Node) -> Cause | None:
        """The edit of the source that makes a cotangent right."""
        repair = self._repair(node)
        return None if repair is None else repair.cause

    def _repair(self, node: Node) -> Repair | None:
        return next((repair for repair in self._repairs if node in repair.mends), None)

    @functools.cached_property
    def source(self) -> Source:
        """What the hand-derived gradient executes, but for what the loss executes too."""
        if not callable(self.by_hand):
            return Source(lambda: None, ())
        arguments, loss = self.subject.arguments, self.subject.loss
        return Source(lambda: self.by_hand(arguments()), [lambda: loss(arguments())])

    @functools.cached_property
    def _repairs(self) -> list[Repair]:
        """The edits of the source that make the gradient right."""
        return [] if self._repaired is None else self._repaired.repairs(self.effort.part(REPAIRS))

    @functools.cached_property
    def _pairs(self) -> list[Repair]:
        """Pairs of edits of one line that make it right."""
        return [] if self._repaired is None else self._repaired.repairs(self.effort.part(PAIRS), in_pairs=True)

    @functools.cached_property
    def _repaired(self) -> Repaired | None:
        if not callable(self.by_hand) or self.hand_derived is None:
            return None
        return Repaired(
            self.subject,
            self.autodiff,
            self.by_hand,
            self.given_names,
            self.hand_derived,
            self.expected,
            lambda: self.other_points,
            self.source,
        )

    def notes(self) -> list[str]:
        """What was not looked for to the end."""
        if not self.unfinished:
            return []
        why = sentences.TIME_OVER if self.effort.deadline.is_over() else sentences.ENOUGH_TRIED
        return [sentences.NOT_TO_THE_END.format(names=sentences.listed(list(dict.fromkeys(self.unfinished))), why=why)]

    def _wrong(self, arrays: Mapping[Node, Array], given: Mapping[Node, Array]) -> set[Node]:
        """The nodes of hand-derived cotangents that are not what arrives, step by step from those that are given."""
        cotangents = self.autodiff.cotangents
        arrived = walk_back(self.autodiff.run, given) if given else cotangents
        wrong = set()
        for node, x in arrays.items():
            if node in arrived:
                rounding = 64 * self.autodiff.rounding.get(node, 0.0) + 1e-12 * largest(np.asarray(cotangents[node]))
                if compare_arrays(x, np.asarray(arrived[node]), rounding).verdict == "differ":
                    wrong.add(node)
        return wrong

    @functools.cached_property
    def other_points(self) -> list[SecondPoint]:
        """The witnesses nearby, and far away with other data, large and small, if what is right here is right there."""
        arrays = {} if self.hand_derived is None else self.hand_derived.arrays()
        given = {node: x for node, x in arrays.items() if x.shape == node.like.shape}
        here = self._wrong(arrays, given)
        near = second_point(self.subject, self.autodiff, self.by_hand, self.given_names)
        found = [] if near is None else [near]
        for data in (1.0, SMALL, None) if is_data([self.subject.loss, self.by_hand]) else (None,):
            if data is None and len(found) > 1:
                break
            far = second_point(self.subject, self.autodiff, self.by_hand, self.given_names, FAR, data)
            if far is not None and far.wrong(bool(given)) <= here:
                found.append(far)
        return found
