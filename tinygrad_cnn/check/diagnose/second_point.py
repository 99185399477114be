"""The witnesses at other points: an explanation that holds at the first by accident does not hold there."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.moved_data import moved
from tinygrad_cnn.check.witnesses.autodiff import Autodiff, Subject, hand_derived
from tinygrad_cnn.check.witnesses.backward_walk import walk_back
from tinygrad_cnn.check.witnesses.magnitude import largest
from tinygrad_cnn.check.witnesses.trace import Trace
from tinygrad_cnn.engine.graph import Array, Node

NEAR, FAR = 0.03, 0.3  # of the size of a parameter
ZERO = 0.1  # the size of a parameter that is 0
WITHIN = 1e-8  # relative, of a cotangent that is right

DataMoved = Callable[[], contextlib.AbstractContextManager[None]]


@dataclass
class SecondPoint:
    """The parameters moved, the loss and the hand-derived gradient computed again.

    subject       the loss there
    run           the loss, recorded there
    counterparts  for each node of the first run that of the second
    hand_derived  the hand-derived cotangents there, by the nodes of the first run
    data          a context within which functions find the data of this point
    """

    subject: Subject
    run: Trace
    counterparts: Mapping[Node, Node]
    hand_derived: Mapping[Node, Array]
    data: DataMoved

    def value(self, node: Node) -> Any:
        """The value of a node there."""
        return self.counterparts[node].value

    @functools.cached_property
    def constants(self) -> dict[int, Any]:
        """What stands there for each array that is an operand of the first run, by its identity."""
        found = {}
        for mine, there in self.counterparts.items():
            for x, y in zip(mine.operands or (), there.operands or (), strict=False):
                if isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and x.shape == y.shape:
                    found[id(x)] = y
        return found

    @functools.cached_property
    def arrived(self) -> dict[Node, Array]:
        """What arrives, step by step, there."""
        given = {self.counterparts[node]: x for node, x in self.hand_derived.items()}
        return walk_back(self.run, {node: x for node, x in given.items() if x.shape == node.like.shape})

    @functools.cached_property
    def by_autodiff(self) -> dict[Node, Array]:
        """What arrives there by autodiff alone."""
        return walk_back(self.run)

    def matched_anew(self, by_hand: Any, names: Mapping[str, str]) -> dict[Node, Array]:
        """What the hand-derived gradient returns there, by the nodes of the first run."""
        found = hand_derived(self.subject, Autodiff(self.run), by_hand, names).arrays()
        return {node: found[there] for node, there in self.counterparts.items() if there in found}

    def expected(self, node: Node, step_by_step: bool) -> Array | None:
        """The cotangent that arrives at a node there, by autodiff, or step by step from those that are hand-derived."""
        return (self.arrived if step_by_step else self.by_autodiff).get(self.counterparts[node])

    def wrong(self, step_by_step: bool) -> set[Node]:
        """The nodes whose hand-derived cotangent is not what arrives there."""
        found = set()
        for node, x in self.hand_derived.items():
            y = self.expected(node, step_by_step)
            if y is not None and not (x.shape == np.shape(y) and largest(x - y) <= WITHIN * (largest(y) or 1.0)):
                found.add(node)
        return found


def second_point(
    subject: Subject,
    auto: Autodiff,
    by_hand: Any,
    names: Mapping[str, str],
    away: float = NEAR,
    data: float | None = None,
) -> SecondPoint | None:
    """Another point, at so large a distance; None if the gradient is no function, or goes another way there.

    data   with other data, of so many times the size
    """
    if not callable(by_hand) or auto.opaque is not None:
        return None
    rng = np.random.default_rng(5)
    leaves = []
    for x in subject.leaves:
        size = away * (np.abs(x) + 0.1 * (largest(x) or 10 * ZERO))
        leaves.append(np.asarray(x + size * rng.standard_normal(x.shape)).astype(x.dtype))
    there = contextlib.nullcontext if data is None else functools.partial(moved, [subject.loss, by_hand], 7, data)
    try:
        other = Subject(subject.loss, subject.form, leaves)
        with there(), np.errstate(all="ignore"):
            run = other.run()
            if [x.primitive for x in run.nodes] != [x.primitive for x in auto.run.nodes]:
                return None
            if not np.isfinite(run.value):  # out of the domain of the loss, nothing is right
                return None
            found = hand_derived(other, Autodiff(run), by_hand, names)
    except Exception:  # whatever somebody's code raises at another point
        return None
    mine = dict(zip(auto.run.nodes, run.nodes, strict=True)) | dict(
        zip(auto.run.parameters, run.parameters, strict=True)
    )
    back = {there: node for node, there in mine.items()}
    arrays = {back[node]: x for node, x in found.arrays().items() if node in back}
    if not all(np.all(np.isfinite(x)) for x in arrays.values()):
        return None
    return SecondPoint(other, run, mine, arrays, there)
