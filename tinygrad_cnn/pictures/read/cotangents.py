"""The graph that differentiation builds: the engine's own reverse sweep, recorded, and what of it computes what."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.engine.graph import Node, now, recording
from tinygrad_cnn.engine.sweep import pull_back
from tinygrad_cnn.engine.tensor import Tensor, leaf_on


class Sweep(NamedTuple):
    """What a reverse sweep gave and did.

    values  the cotangent of each node that one reached, as an array
    made    for each of these nodes, what was recorded to compute its cotangent from those of others, in order; the last
            is the cotangent itself. It is empty where a rule handed its cotangent on as it was.
    whole   the node that is the cotangent of each node; several may have one in common
    """

    values: dict[Node, Any]
    made: dict[Node, list[Node]]
    whole: dict[Node, Node]


def sweep(roots: Sequence[Node], nodes: Sequence[Node], inputs: Collection[Node]) -> Sweep:
    """Pull ones back from `roots` through `nodes`, which they are computed from, oldest first.

    inputs: leaves that are data; what depends on no other leaf than these has no cotangent. A root of more than one
    element is taken for its sum, and so are several roots. Raises ValueError if the graph holds its arrays no more.
    """
    path: list[Node] = []
    within: set[Node] = set()
    for node in nodes:
        if node not in inputs if not node.sources else any(x in within for _, x in node.sources):
            within.add(node)
            path.append(node)
    if any(node.value is None for node in path):
        raise ValueError(
            "the arrays of this graph were freed, so it has no gradient any more: compute the result again"
        )
    born = now()
    token = recording.set(True)
    try:
        with np.errstate(all="ignore"):
            seeds = {root: leaf_on(np.ones(root.like.shape, root.like.dtype), None) for root in roots}
            found = pull_back({k: v for k, v in seeds.items() if k in within}, path, recorded=True, keep=True)
    finally:
        recording.reset(token)
    whole = {node: g.node for node, g in found.items() if isinstance(g, Tensor)}
    cuts = set(whole.values())
    claimed: set[Node] = set()
    made: dict[Node, list[Node]] = {}
    for node in reversed(
        path
    ):  # from the results on: a cotangent is claimed by the node that it was first computed for
        last = whole.get(node)
        made[node] = []
        if last is None or last in claimed or last.primitive is None:
            continue
        claimed.add(last)
        here, waiting = [last], [last]
        while waiting:
            for _, x in waiting.pop().sources:
                if x.order > born and x not in cuts and x not in claimed:
                    claimed.add(x)
                    here.append(x)
                    waiting.append(x)
        made[node] = sorted(here, key=lambda x: x.order)
    values = {node: g.node.value if isinstance(g, Tensor) else g for node, g in found.items()}
    return Sweep(values, made, whole)
