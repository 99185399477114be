"""The reverse sweep with cotangents that somebody derived put in on the way, or each perturbed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tinygrad_cnn.check.deadline import time_left
from tinygrad_cnn.check.witnesses.trace import Trace
from tinygrad_cnn.engine.graph import Array, Node
from tinygrad_cnn.engine.sweep import Sweep, dependence, seed
from tinygrad_cnn.infinities import Apply, masked_sweep


@np.errstate(all="ignore")  # the report says what is not finite
def walk_back(
    run: Trace, given: Mapping[Node, Array] | None = None, perturb: Callable[[Array], Array] | None = None
) -> dict[Node, Array]:
    """The cotangent that arrives at each node, on a walk from the loss back.

    given     cotangents to go on with instead of those that arrive
    perturb   what to make of each cotangent before it is passed on
    """
    known = given or {}
    seeds = {} if run.result is None else {run.result: seed(run.result)}

    def walk(apply: Apply | None) -> dict[Node, Array]:
        arrived = dict(seeds)
        sweep = Sweep(arrived, apply=apply)
        for node in reversed(run.nodes):
            time_left()
            g = known.get(node, arrived.get(node))
            if g is not None and node.sources:
                sweep.pass_on(node, g if perturb is None else perturb(g))
        return arrived

    return masked_sweep(walk, lambda: dependence(seeds, run.nodes))
