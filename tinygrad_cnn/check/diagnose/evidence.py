"""What the witnesses found of one loss, and the walks through its graph that the diagnosis asks for again and again."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinygrad_cnn.check.deadline import Deadline, Effort, until
from tinygrad_cnn.check.diagnose.causes import Causes
from tinygrad_cnn.check.diagnose.comparisons import compare_arrays
from tinygrad_cnn.check.diagnose.edits.explained import Upstream
from tinygrad_cnn.check.diagnose.explanations import Case, Explanation, Fitted, OtherSideOfKink, TiesInFull, explain
from tinygrad_cnn.check.diagnose.steps import between, consumers, walk_again
from tinygrad_cnn.check.results import Cause, Comparison
from tinygrad_cnn.check.witnesses.autodiff import Autodiff, Subject
from tinygrad_cnn.check.witnesses.backward_walk import walk_back
from tinygrad_cnn.check.witnesses.finite_differences import Slope
from tinygrad_cnn.check.witnesses.hand_derived import HandDerived, by_name
from tinygrad_cnn.check.witnesses.sampled_slopes import Sampled
from tinygrad_cnn.engine.graph import Array, Node

ENOUGH = 4e6  # operations, after which only what is simple is looked for


@dataclass(frozen=True)
class Walk:
    """Cotangents that were put in on a walk back, and those that arrived."""

    given: dict[Node, Array]
    arrived: dict[Node, Array]


@dataclass(frozen=True)
class Evidence:
    """What the three witnesses found, and how it may be explained.

    deadline              when the check has to end
    by_hand, given_names  the hand-derived gradient, and the names, as they were given
    """

    subject: Subject
    autodiff: Autodiff
    hand_derived: HandDerived | None
    differences: Sampled
    explanations: Sequence[Explanation]
    seed: int = 0
    deadline: Deadline = field(default_factory=Deadline)
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
        return replace(
            case,
            smallest_edit=lambda: self.causes.of(case, node, upstream),
            source_edit=lambda: self.causes.mended(node),
            deadline=self.deadline,
        )

    @functools.cached_property
    def causes(self) -> Causes:
        """Looks for the smallest edits that account for what is wrong."""
        effort = Effort(ENOUGH, self.deadline)
        return Causes(
            self.subject,
            self.autodiff,
            self.by_hand,
            self.given_names,
            self.hand_derived,
            self.names,
            self._expected,
            effort,
        )

    @functools.cached_property
    def _expected(self) -> dict[Node, tuple[Array, float]]:
        """What each cotangent should be, with its rounding: by autodiff, or else by differences of all elements."""
        auto = self.autodiff
        if auto.opaque is None:
            return {node: (np.asarray(x), auto.rounding.get(node, 0.0)) for node, x in auto.cotangents.items()}
        found = {}
        for node, slopes in zip(auto.run.parameters, self.differences.slopes, strict=True):
            if len(slopes) == np.size(node.like) and all(x.low == x.high for x in slopes.values()):
                x = np.empty(np.shape(node.like))
                for index, slope in slopes.items():
                    x[index] = slope.low
                found[node] = x, max((slope.error for slope in slopes.values()), default=0.0)
        return found

    def explain(self, case: Case) -> Cause | None:
        """The mistake that accounts for a difference."""
        with until(self.deadline):
            return explain(case, self.explanations)
        self.causes.unfinished.append(case.name)
        return None

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
