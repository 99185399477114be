"""The graph that differentiation builds: the engine's own reverse sweep, recorded, split by cotangents."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
    path = _differentiated(nodes, inputs)
    if any(node.value is None for node in path):
        raise ValueError(
            "backward=True: the arrays of this graph were freed, so it has no gradient; compute the result again"
        )
    born = now()
    token = recording.set(True)
    try:
        with np.errstate(all="ignore"):
            within = set(path)
            seeds = {root: leaf_on(np.ones(root.like.shape, root.like.dtype), None) for root in roots if root in within}
            found = pull_back(seeds, path, recorded=True, keep=True)
    finally:
        recording.reset(token)
    whole = {node: g.node for node, g in found.items() if isinstance(g, Tensor)}
    values = {node: g.node.value if isinstance(g, Tensor) else g for node, g in found.items()}
    return Sweep(values, _made(path, whole, born), whole)


def _differentiated(nodes: Sequence[Node], inputs: Collection[Node]) -> list[Node]:
    """Those of `nodes`, oldest first, that have a cotangent: leaves that are not inputs, and what depends on them."""
    found: dict[Node, None] = {}
    for node in nodes:
        if any(x in found for _, x in node.sources) if node.sources else node not in inputs:
            found[node] = None
    return list(found)


def _made(path: Sequence[Node], whole: Mapping[Node, Node], born: int) -> dict[Node, list[Node]]:
    """`Sweep.made`: what was recorded after `born` for the cotangent of each node of `path`, and for no other.

    What is common to several cotangents belongs to that which was computed first, so the results come first.
    """
    cuts = set(whole.values())
    claimed: set[Node] = set()
    made: dict[Node, list[Node]] = {}
    for node in reversed(path):
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
    return made
