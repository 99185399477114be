"""Walking back from the loss one step at a time, with the cotangents that somebody derived by hand put in on the way.

A gradient by hand is a chain: each of its cotangents is computed from those nearer to the loss. Held against autodiff
as a whole, one wrong step makes all that follow look wrong. So autodiff is given the hand's own cotangents wherever it
has them, and asked for one step at a time: what it then gives differs from the hand's just where the hand went wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.backward import pull_back, seed
from tinygrad_cnn.check.trace import Trace
from tinygrad_cnn.graph import Array, Node
from tinygrad_cnn.primitive import Primitive, Rule

_new = object.__new__


def walk_back(
    run: Trace,
    by_hand: Mapping[Node, Array] | None = None,
    altered: Mapping[Node, Node] | None = None,
    wanted: Node | None = None,
    sway: Callable[[Array], Array] | None = None,
) -> dict[Node, Array]:
    """The cotangent that arrives at each node, on a walk from the loss back.

    by_hand   cotangents to go on with instead of those that arrive
    altered   nodes to go through instead of others: such as have another rule (`with_rules`, `with_settings`)
    wanted    go no further than to this node
    sway      what to make of each cotangent before it is passed on
    """
    by_hand, altered = by_hand or {}, altered or {}
    arrived: dict[Node, Array] = {}
    if run.result is not None:
        arrived[run.result] = seed(run.result)
    for node in reversed(run.nodes):
        if node is wanted:
            break
        g = by_hand.get(node, arrived.get(node))
        if g is None or not node.sources:
            continue
        g = g if sway is None else sway(g)
        for x, cotangent in _one_step(altered.get(node, node), g).items():
            arrived[x] = arrived[x] + cotangent if x in arrived else cotangent
    return arrived


def _one_step(node: Node, g: Array) -> dict[Node, Array]:
    """What the rules of one node make of its cotangent: those of what it was computed from."""
    leaves = {x: Node(None, (), (), {}, x.like) for _, x in node.sources}
    alone = Node(node.primitive, node.operands, [(k, leaves[x]) for k, x in node.sources], node.settings, node.like)
    found = pull_back({alone: g}, [*leaves.values(), alone])
    return {x: found[leaf] for x, leaf in leaves.items() if leaf in found}


def consumers(run: Trace) -> dict[Node, list[Node]]:
    """For each node those that were computed from it, oldest first."""
    found: dict[Node, list[Node]] = {node: [] for node in run.nodes}
    for node in run.nodes:
        for x in dict.fromkeys(x for _, x in node.sources):
            if x in found:
                found[x].append(node)
    return found


def between(node: Node, used_by: Mapping[Node, Sequence[Node]], known: Mapping[Node, Any]) -> list[Node]:
    """The nodes whose rules lead to `node` from the nearest nodes that are `known`, newest first: that is one step."""
    found: set[Node] = set()
    waiting = list(used_by[node])
    while waiting:
        user = waiting.pop()
        if user not in found:
            found.add(user)
            if user not in known:
                waiting.extend(used_by[user])
    return sorted(found, key=lambda x: -x.order)


def with_rules(node: Node, rules: Sequence[Rule | None]) -> Node:
    """A node like this one, whose primitive has other rules."""
    primitive: Any = _new(Primitive)
    primitive.__dict__.update(node.primitive.__dict__)
    primitive.rules, primitive.in_part = rules, False
    return _copied(node, primitive, node.settings, node.operands)


def with_settings(node: Node, **settings: Any) -> Node:
    """A node like this one, with other settings."""
    return _copied(node, node.primitive, node.settings | settings, node.operands)


def with_operand(node: Node, place: int, x: Any) -> Node:
    """A node like this one, whose rules are given `x` in that place."""
    operands = list(node.operands)
    operands[place] = x
    return _copied(node, node.primitive, node.settings, operands)


def _copied(node: Node, primitive: Any, settings: dict[str, Any], operands: Sequence[Any]) -> Node:
    made = Node(primitive, operands, node.sources, settings, node.like)
    made.order = node.order
    return made


def largest(x: Any) -> float:
    """The largest absolute value in an array; 0 if there is none."""
    return float(np.max(np.abs(x), initial=0.0))
