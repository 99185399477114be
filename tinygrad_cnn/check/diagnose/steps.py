"""Walking back from the loss one step at a time, with the cotangents that somebody derived by hand put in on the way.

A gradient by hand is a chain: each of its cotangents is computed from those nearer to the loss. Held against autodiff
as a whole, one wrong step makes all that follow look wrong. So autodiff is given the hand's own cotangents wherever it
has them, and asked for one step at a time: what it then gives differs from the hand's just where the hand went wrong.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.check.witnesses.trace import Trace
from tinygrad_cnn.engine.graph import Array, Node
from tinygrad_cnn.engine.primitive import Primitive, Rule
from tinygrad_cnn.engine.sweep import Sweep, seed

_new = object.__new__


@np.errstate(all="ignore")  # what is not finite is told of in the report
def walk_back(
    run: Trace, by_hand: Mapping[Node, Array] | None = None, sway: Callable[[Array], Array] | None = None
) -> dict[Node, Array]:
    """The cotangent that arrives at each node, on a walk from the loss back.

    by_hand   cotangents to go on with instead of those that arrive
    sway      what to make of each cotangent before it is passed on
    """
    by_hand = by_hand or {}
    arrived: dict[Node, Array] = {}
    sweep = Sweep(arrived)
    if run.result is not None:
        arrived[run.result] = seed(run.result)
    for node in reversed(run.nodes):
        g = by_hand.get(node, arrived.get(node))
        if g is not None and node.sources:
            sweep.pass_on(node, g if sway is None else sway(g))
    return arrived


@np.errstate(all="ignore")
def walk_again(
    wanted: Node, arrived: Mapping[Node, Array], by_hand: Mapping[Node, Array], altered: Mapping[Node, Node]
) -> Array:
    """What would have arrived at a node, if the walk had gone through some nodes otherwise.

    arrived, by_hand   what `walk_back` gave, and was given
    altered            nodes to go through instead of others: with other rules, static arguments or operands

    Rules are linear in the cotangent; so only what changes is walked anew, and it is added to what arrived.
    """
    changes: dict[Node, Array] = {}
    waiting = [(-node.order, node) for node in altered]
    heapq.heapify(waiting)
    seen, sweep = set(altered), Sweep(changes)
    while waiting:
        _, node = heapq.heappop(waiting)
        change = None if node in by_hand else changes.get(node)
        if node in altered:
            g = by_hand.get(node, arrived.get(node))
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


def _copied(node: Node, primitive: Any, static_args: dict[str, Any], operands: Sequence[Any]) -> Node:
    made = Node(primitive, operands, node.sources, static_args, node.like if primitive.in_part else node.value)
    made.order = node.order
    return made


def largest(x: Any) -> float:
    """The largest absolute value in an array, NaN if one is; 0 if there is none. It takes no memory for it."""
    x = np.asarray(x)
    if x.dtype.kind == "c":
        x = np.abs(x)
    return float(np.maximum(np.max(x, initial=0.0), -np.min(x, initial=0.0)))


def largest_finite(x: Any) -> float:
    """The largest absolute value that is finite."""
    size = largest(x)
    return size if np.isfinite(size) else largest(np.nan_to_num(x, posinf=0, neginf=0))
