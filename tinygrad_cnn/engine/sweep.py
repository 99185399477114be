"""The reverse sweep: cotangents carried from the results of a graph to its leaves, through each node once.

A node is newer than its sources. So, from the newest node to the oldest, the cotangent of each node is complete before
it is passed on. That is all of reverse-mode differentiation; the mathematics is in the rules.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from tinygrad_cnn.advice.arguments import not_one_number
from tinygrad_cnn.engine.fitting import fit
from tinygrad_cnn.engine.graph import Array, Handle, Mode, Node, handle_on, read_only, recording, scope_of_rule
from tinygrad_cnn.engine.mutation.ownership import Ownership
from tinygrad_cnn.infinities import Apply, Dependence, masked_sweep, simply
from tinygrad_cnn.stand_in import StandIn

_float64 = np.float64


def pull_back(
    seeds: dict[Node, Array], path: Sequence[Node], recorded: bool = False, keep: bool = False
) -> dict[Node, Array]:
    """The cotangents of the leaves of a path, from those of the results.

    seeds     the results, and their cotangents
    path      the nodes that the results are computed from, oldest first; a cotangent goes no further than these
    recorded  give the rules Tensors, so that what they do is recorded; else arrays
    keep      return the cotangents of all nodes of the path, not of its leaves alone

    A node that no cotangent reaches is not in the answer; with `keep`, nor is a version of an array that was assigned
    to afterwards.
    """
    looked_on = recording.get() not in (True, False)
    return masked_sweep(
        lambda apply: _swept(seeds, path, recorded, keep, apply), lambda: dependence(seeds, path), looked_on, keep
    )


def dependence(seeds: dict[Node, Array], path: Sequence[Node]) -> dict[Node, Array]:
    """For each node of the path, numbers that are 0 for the elements on which the results do not depend."""
    with np.errstate(all="ignore"):
        depends = Dependence(path)
        return _swept({x: depends.not_zero(g) for x, g in seeds.items()}, path, False, True, depends)


def _swept(
    seeds: dict[Node, Array], path: Sequence[Node], recorded: bool, keep: bool, apply: Apply | None = None
) -> dict[Node, Array]:
    cotangents, mode = dict(seeds), recording.get()
    looks_on = None if mode is True or isinstance(apply, Dependence) else mode or None
    sweep = Sweep(cotangents, set(path), recorded, looks_on, hands_down=True, keep=keep, apply=apply)
    for node in reversed(path):
        g = cotangents.get(node)
        if g is not None and sweep.pass_on(node, g) and not keep:
            del cotangents[node]
    return cotangents


class Sweep:
    """A sweep under way: the cotangents so far, and how a node passes its own on to its sources.

    cotangents  of the nodes that something has reached
    within      the nodes that cotangents go to; None for all
    recorded    see `pull_back`
    mode        what looks on, if something does
    hands_down  what writes to a part of an array may hand its cotangent down to what it wrote to, and lose it
    keep        see `pull_back`
    apply       what runs the rules, if they are not simply called
    """

    __slots__ = ("apply", "cotangents", "hands_down", "keep", "mode", "ownership", "recorded", "watched", "within")

    def __init__(
        self,
        cotangents: dict[Node, Array],
        within: Container[Node] | None = None,
        recorded: bool = False,
        mode: Mode | None = None,
        hands_down: bool = False,
        keep: bool = False,
        apply: Apply | None = None,
    ) -> None:
        self.cotangents, self.within, self.recorded, self.mode = cotangents, within, recorded, mode
        self.hands_down, self.keep, self.apply = hands_down and not recorded, keep, apply
        self.ownership: Ownership | None = None  # made when it is needed first
        self.watched = recorded or mode is not None or apply is not None

    def pass_on(self, node: Node, g: Array) -> bool:
        """Add what the rules of `node` make of its cotangent `g` to the cotangents of its sources, if there are any."""
        sources, cotangents, within = node.sources, self.cotangents, self.within
        if not sources:
            return False
        primitive, static_args, operands = node.primitive, node.static_args, node.operands
        # What picks or writes goes by shapes alone, and the value of a version may take a copy of it.
        out = node.like if primitive.in_part else node.value
        watched = self.watched
        if watched and self.recorded:
            out, operands = _as_tensors(node)
        if not primitive.pure and not isinstance(g, Handle):  # of ours no rule writes to its cotangent
            g = read_only(g)
        passed_on = False
        for position, x in reversed(sources):
            if within is not None and x not in within:
                continue
            passed_on, rule = True, primitive.rules[position]
            if rule is None or (position == 0 and primitive.in_part and self._in_part(node, x, g, out, operands)):
                continue
            if watched:
                with scope_of_rule(node) if self.recorded else nullcontext():
                    cotangent = (self.apply or simply)(rule, node, g, out, operands)
            elif static_args:
                cotangent = rule(g, out, *operands, **static_args)
            else:  # to pass on an empty dict takes as long as all the rest of the call
                cotangent = rule(g, out, *operands)
            like = x.like
            if type(cotangent) is not _float64 or type(like) is not _float64:
                try:
                    fits = cotangent.shape == like.shape and cotangent.dtype is like.dtype
                except AttributeError:
                    fits = False
                if not fits:
                    cotangent = fit(cotangent, like, node, position)
            total = cotangents.get(x)
            if total is None:
                cotangents[x] = cotangent
            else:
                cotangents[x] = total + cotangent
                if self.ownership is not None:
                    self.ownership.given_up(x)
            if watched and self.mode is not None:
                self.mode.passed(node, position, g, cotangent)
        return passed_on

    def _in_part(self, node: Node, x: Node, g: Array, out: Array, operands: Sequence[Any]) -> bool:
        """Whether the cotangent of what picks from `x`, or writes to it, went on without a copy: see `mutation/`."""
        if self.ownership is None:
            self.ownership = Ownership(self.cotangents, self.keep)
        if node.primitive.adding is not None:
            self.ownership.add_part(x, node, g, out, operands)
            return True
        if self.hands_down and not isinstance(g, Handle):
            self.ownership.hand_down(x, node, g, operands)
            return True
        return False


def _as_tensors(node: Node) -> tuple[Any, list[Any]]:
    """The result and the operands of `node` as Tensors, so that what its rules do is recorded."""
    operands = list(node.operands)
    for position, x in node.sources:
        operands[position] = handle_on(x)
    return handle_on(node), operands


def seed(node: Node, cotangent: Any = None, caller: str = "backward") -> Array:
    """The cotangent that a sweep from `node` begins with: the given one, or 1 for a result of one element."""
    value = node.like
    if cotangent is None:
        if value.size != 1:
            raise ValueError(not_one_number(caller, value.shape))
        if value.dtype.kind == "c":
            raise TypeError(f"{caller}: the result is complex; expected a real number. Take its np.real or np.abs")
        if isinstance(value, StandIn):
            return np.ones_like(value)[()]
        return np.ones(value.shape, value.dtype) if value.shape else value.dtype.type(1)
    given: Any = cotangent if isinstance(cotangent, Handle | StandIn) else np.asarray(cotangent)
    if given.dtype.kind == "c" != value.dtype.kind:
        raise TypeError(
            f"{caller}: the cotangent has dtype {given.dtype}; expected a real one for a result of dtype {value.dtype}"
        )
    cotangent = given if isinstance(given, Handle) else given.astype(value.dtype, copy=False)
    if np.shape(cotangent) != value.shape:
        raise ValueError(
            f"{caller}: the cotangent has shape {np.shape(cotangent)}; expected {value.shape}, the shape of the result"
        )
    return cotangent
