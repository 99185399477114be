"""Ties: whether the shares that tied elements get of a cotangent are within bounds, and add up to it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.evidence import Evidence, Walk
from tinygrad_cnn.check.diagnose.steps import with_rules, with_static_args
from tinygrad_cnn.check.witnesses.branches import meeting
from tinygrad_cnn.declarations import Change
from tinygrad_cnn.engine.graph import Array, Node
from tinygrad_cnn.engine.sweep import Sweep


@np.errstate(all="ignore")
def shares_are_allowed(
    evidence: Evidence, node: Node, hand_derived: Array, expected: Array, walk: Walk, error: float
) -> bool | None:
    """Whether two cotangents of `node` differ only in how a primitive with ties, or at a kink, distributes its own.

    Each element at a kink may get from nothing to all of the cotangent, and those that tie for one result add up to all
    of it, if nothing but `node` can get it. True: all of the difference is such. False: the difference is only in
    elements that tie, but their shares do not add up. None: it is of another kind, or not known.
    """
    difference = hand_derived - expected
    verdict: bool | None = None
    for at in evidence.through(node, walk):
        g = walk.given.get(at, walk.arrived.get(at))
        if g is not None and meeting(at) and at.primitive.kink is not None:
            found = _at(at, node, np.asarray(g), difference, error)
            if found:
                return True
            verdict = found if verdict is None else verdict
    return verdict


def _at(at: Node, node: Node, g: Array, difference: Array, error: float) -> bool | None:
    """The same, if `at` is the only primitive on the way with a tie or at a kink."""
    kink, shares = at.primitive.kink, _passed(at, at, node, g)
    others = [_passed(_changed(at, change), at, node, g) for change in kink.conventions.values()]
    in_full = None if kink.ties_in_full is None else _changed(at, kink.ties_in_full)
    if in_full is not None:
        others.append(_passed(in_full, at, node, g))
    if shares is None or not others or any(x is None for x in others):
        return None
    low, high = [bound(0, shares, *others) for bound in (_least, _most)]
    ties = high - low > error
    if np.any(np.abs(difference)[~ties] > error):
        return None
    theirs = shares + difference
    if np.any((theirs < low - error) | (theirs > high + error)):
        return False
    if in_full is None or len(at.operands) > 1:  # what `node` does not get, the other operand does
        return True
    tags = np.random.default_rng(0).uniform(1, 2, np.shape(at.like))  # one for each result
    tagged = _passed(in_full, at, node, tags)
    of_results = dict(zip(tags.ravel().tolist(), np.broadcast_to(g, tags.shape).ravel().tolist(), strict=True))
    for tag in [] if tagged is None else np.unique(tagged[ties]):
        if tag not in of_results:  # windows overlap
            return None
        members = ties & (tagged == tag)
        if abs(float(np.sum(theirs[members])) - of_results[tag]) > error * np.count_nonzero(members):
            return False
    return True


def _changed(node: Node, change: Change) -> Node:
    return with_static_args(node, **change) if isinstance(change, Mapping) else with_rules(node, change)


def _least(*arrays: Any) -> Array:
    return np.asarray(functools.reduce(np.minimum, arrays))


def _most(*arrays: Any) -> Array:
    return np.asarray(functools.reduce(np.maximum, arrays))


def _passed(rules: Node, at: Node, node: Node, g: Array) -> Array | None:
    """What `node` gets of a cotangent of `at`; None if there is more between them than a change of shape."""
    arrived: dict[Node, Array] = {}
    Sweep(arrived).pass_on(rules, g)
    for _ in range(20):
        if node in arrived:
            return np.asarray(arrived[node])
        moved = [x for x in arrived if x.primitive is not None and x.primitive.moves and len(x.sources) == 1]
        if not moved:
            return None
        Sweep(arrived).pass_on(moved[0], arrived.pop(moved[0]))
    return None
