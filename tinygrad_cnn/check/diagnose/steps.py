"""The graph one step at a time: which nodes a step goes through, and what arrives if some of them had other rules.

A hand-derived gradient is a chain: each of its cotangents is computed from those nearer to the loss. Compared with
autodiff as a whole, one wrong step makes all that follow look wrong. So autodiff is given the hand-derived cotangents
wherever there are some, and asked for one step at a time: the result differs only where the derivation went wrong.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.check.witnesses.trace import Trace
from tinygrad_cnn.engine.graph import Array, Node
from tinygrad_cnn.engine.primitive import Primitive, Rule
from tinygrad_cnn.engine.sweep import Sweep
from tinygrad_cnn.infinities import Masking

_new = object.__new__


@np.errstate(all="ignore")
def walk_again(
    wanted: Node, arrived: Mapping[Node, Array], given: Mapping[Node, Array], altered: Mapping[Node, Node]
) -> Array:
    """What would have arrived at a node, if the walk had gone through some nodes otherwise.

    arrived, given   what `walk_back` gave, and was given
    altered            nodes to go through instead of others: with other rules, static arguments or operands

    Rules are linear in the cotangent; so only what changes is walked anew, and it is added to what arrived.
    """
    changes: dict[Node, Array] = {}
    waiting = [(-node.order, node) for node in altered]
    heapq.heapify(waiting)
    seen, sweep = set(altered), Sweep(changes, apply=Masking())
    while waiting:
        _, node = heapq.heappop(waiting)
        change = None if node in given else changes.get(node)
        if node in altered:
            g = given.get(node, arrived.get(node))
            if g is None:
                continue
            sweep.pass_on(node, -g)
            sweep.pass_on(altered[node], g if change is None else g + change)
        elif change is not None:
            sweep.pass_on(node, change)
        for _, x in node.sources:
            if x not in seen and x.order > wanted.order:
                seen.add(x)
                heapq.heappush(waiting, (-x.order, x))
    before = np.asarray(arrived.get(wanted, np.zeros_like(wanted.like)))
    return before + changes[wanted] if wanted in changes else before


def consumers(run: Trace) -> dict[Node, list[Node]]:
    """For each node those that were computed from it, oldest first."""
    found: dict[Node, list[Node]] = {node: [] for node in [*run.parameters, *run.nodes]}
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
    return _copied(node, primitive, node.static_args, node.operands)


def with_static_args(node: Node, **static_args: Any) -> Node:
    """A node like this one, with other static arguments."""
    return _copied(node, node.primitive, node.static_args | static_args, node.operands)


def with_operand(node: Node, place: int, x: Any) -> Node:
    """A node like this one, whose rules are given `x` in that place."""
    operands = list(node.operands)
    operands[place] = x
    return _copied(node, node.primitive, node.static_args, operands)


def static_arguments(node: Node) -> dict[str, Any]:
    """The static arguments that a node was given, and the defaults of the others."""
    return {**node.primitive.defaults, **node.static_args}


def _copied(node: Node, primitive: Any, static_args: dict[str, Any], operands: Sequence[Any]) -> Node:
    made = Node(primitive, operands, node.sources, static_args, node.like if primitive.in_part else node.value)
    made.order = node.order
    return made
