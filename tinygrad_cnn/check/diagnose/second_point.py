"""The witnesses at a second point: an explanation that holds at the first by accident does not hold there."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn.check.witnesses.autodiff import Autodiff, Subject, hand_derived
from tinygrad_cnn.check.witnesses.backward_walk import walk_back
from tinygrad_cnn.check.witnesses.magnitude import largest
from tinygrad_cnn.check.witnesses.trace import Trace
from tinygrad_cnn.engine.graph import Array, Node

AWAY = 0.03  # of the size of a parameter


@dataclass
class SecondPoint:
    """The parameters moved a little, the loss and the hand-derived gradient computed again.

    subject       the loss there
    run           the loss, recorded there
    counterparts  for each node of the first run that of the second
    hand_derived  the hand-derived cotangents there, by the nodes of the first run
    """

    subject: Subject
    run: Trace
    counterparts: Mapping[Node, Node]
    hand_derived: Mapping[Node, Array]

    def value(self, node: Node) -> Any:
        """The value of a node there."""
        return self.counterparts[node].value

    @functools.cached_property
    def arrived(self) -> dict[Node, Array]:
        """What arrives, step by step, there."""
        given = {self.counterparts[node]: x for node, x in self.hand_derived.items()}
        return walk_back(self.run, {node: x for node, x in given.items() if x.shape == node.like.shape})

    def expected(self, node: Node, step_by_step: bool) -> Array | None:
        """The cotangent that arrives at a node there, by autodiff, or step by step from those that are hand-derived."""
        arrived = self.arrived if step_by_step else walk_back(self.run)
        return arrived.get(self.counterparts[node])


def second_point(subject: Subject, auto: Autodiff, by_hand: Any, names: Mapping[str, str]) -> SecondPoint | None:
    """The second point; None if the gradient is no function, or goes another way there."""
    if not callable(by_hand) or auto.opaque is not None:
        return None
    rng = np.random.default_rng(5)
    leaves = []
    for x in subject.leaves:
        size = AWAY * (np.abs(x) + 0.1 * largest(x))
        leaves.append(np.asarray(x + size * rng.standard_normal(x.shape)).astype(x.dtype))
    try:
        other = Subject(subject.loss, subject.form, leaves)
        run = other.run()
        if [x.primitive for x in run.nodes] != [x.primitive for x in auto.run.nodes]:
            return None
        found = hand_derived(other, Autodiff(run), by_hand, names)
    except Exception:  # whatever somebody's code raises at another point
        return None
    mine = dict(zip(auto.run.nodes, run.nodes, strict=True)) | dict(
        zip(auto.run.parameters, run.parameters, strict=True)
    )
    back = {there: node for node, there in mine.items()}
    return SecondPoint(other, run, mine, {back[node]: x for node, x in found.arrays().items() if node in back})
