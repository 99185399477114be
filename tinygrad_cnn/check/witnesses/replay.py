"""Replay: a loss that is computed again and again, as the program that it amounts to instead of in Python.

The program (see `lowering/`) has for its results the loss and whatever was chosen on the way: signs, masks, places. So
the branches at each point are seen as they are when the loss itself is run. A loss that Python decides about is no
program: `replay` is None then, and the loss is run as it is written.

Where one parameter alone changes, so does a part of the program; the rest is a constant, computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.check.deadline import NEVER, time_left, until
from tinygrad_cnn.check.witnesses.branches import Branches, branches_of
from tinygrad_cnn.check.witnesses.magnitude import largest
from tinygrad_cnn.check.witnesses.trace import Trace, one_number, trace, value_of
from tinygrad_cnn.engine.graph import Array, ancestors, differentiating, now
from tinygrad_cnn.engine.tensor import leaf_on
from tinygrad_cnn.lowering.instructions import Instruction, Listing, same
from tinygrad_cnn.lowering.passes.canonical import canonical
from tinygrad_cnn.lowering.passes.common_subexpressions import without_repetition
from tinygrad_cnn.lowering.passes.dead_code import without_dead_code
from tinygrad_cnn.lowering.passes.folding import folded
from tinygrad_cnn.lowering.planned.plan import Plan
from tinygrad_cnn.lowering.trace import traced_once
from tinygrad_cnn.stand_in import StandIn

TRACING = 5e-5  # seconds for a node, about
NEARBY = 1e-3  # relative to the largest element of a leaf
FEW = 4  # elements of a leaf that get no program of their own: it would be run too seldom


class Replay:
    """The program of a loss, to be run at leaves that differ from `leaves` in few elements.

    listing: the program; its first result is the loss, the others are what was chosen.
    """

    def __init__(self, listing: Listing, leaves: Sequence[Array]) -> None:
        self.listing, self.leaves = listing, leaves
        self._programs: dict[int | None, _Program] = {}  # by the leaf that alone changes; None is for any
        _, *self.choices = self._program(None).plan([value_of(x) for x in leaves])

    def at(self, leaves: Sequence[Array]) -> tuple[Any, Branches]:
        """The loss at other leaves, and its branches there. A leaf that has not changed has to be the same object."""
        changed = [k for k, (x, before) in enumerate(zip(leaves, self.leaves, strict=True)) if x is not before]
        only = changed[0] if len(changed) == 1 and np.size(leaves[changed[0]]) >= FEW else None
        program, given = self._program(only), leaves if only is None else [leaves[only]]
        with np.errstate(all="ignore"):  # the report says if the loss is not finite
            value, *made = program.plan([value_of(x) for x in given])
        choices = list(self.choices)
        for number, choice in zip(program.choices, made, strict=True):
            choices[number] = choice
        return one_number(value), Branches(range(len(choices)), [[np.asarray(x)] for x in choices], ())

    def _program(self, leaf: int | None) -> _Program:
        if leaf not in self._programs:
            every = list(range(len(self.listing.outputs) - 1))
            made = _Program(Plan(self.listing), every) if leaf is None else self._of_one_leaf(leaf)
            self._programs[leaf] = made
        return self._programs[leaf]

    def _of_one_leaf(self, leaf: int) -> _Program:
        """The program with all leaves but one for constants, and without the choices that it has no part in."""
        inputs = {a.instruction: value_of(x) for a, x in zip(self.listing.arguments, self.leaves, strict=True)}
        mine = self.listing.arguments[leaf]
        del inputs[mine.instruction]

        def rewrite(x: Instruction, operands: Sequence[Instruction]) -> Instruction:
            if x in inputs:
                return x.with_(operation="constant", parameters={"value": inputs[x]})
            return same(x, operands)

        listing = folded(self.listing.with_(arguments=(mine,)).rewritten(rewrite))
        value, *choices = listing.outputs
        numbers = [number for number, x in enumerate(choices) if x.operation not in ("constant", "full")]
        listing = listing.with_(outputs=(value, *[choices[number] for number in numbers]))
        return _Program(Plan(without_dead_code(listing)), numbers)


@dataclass(frozen=True)
class _Program:
    """A plan whose results are the loss and these of the choices, by number."""

    plan: Plan
    choices: list[int]


def _settled(x: Instruction, operands: Sequence[Instruction]) -> Instruction:
    """An array that the loss closes over is a constant: the check takes no time in which it may change."""
    if x.operation == "outside":
        return x.with_(operation="constant", parameters={"value": x.parameters["snapshot"]})
    return same(x, operands)


def replay(loss: Callable[[Any], Any], form: tree.Flat, leaves: Sequence[Array], first: Trace) -> Replay | None:
    """The program of `loss`, traced at `leaves`; None if it is none.

    first: the loss, run there. A loss that catches what tracing raises may go another way, and one may keep what it
    computed: so the program has to give what the loss gives, there and nearby.
    """

    def recorded(*stand_ins: Any) -> list[Any]:
        born = now()
        tensors = [leaf_on(x, name or "x") for x, name in zip(stand_ins, form.names, strict=True)]
        within = differentiating.set(True)
        try:
            result = loss(form.rebuild(list(tensors)))
        finally:
            differentiating.reset(within)
        nodes, _ = ancestors([result.node], born=born)
        chosen = [x for choices in branches_of(nodes).choices for x in choices if isinstance(x, StandIn)]
        return [result.node.value, *chosen]

    time_left(TRACING * len(first.nodes))
    try:
        with np.errstate(all="ignore"):
            listing = traced_once(recorded, tuple([value_of(x) for x in leaves]), {}, named=False)
            listing = listing.rewritten(_settled)
            for run in (canonical, without_dead_code, folded, without_repetition):
                listing = run(listing)
            found = Replay(listing, leaves)
            rng = np.random.default_rng(0)
            nearby = [(x + NEARBY * largest(x) * rng.standard_normal(x.shape)).astype(x.dtype) for x in leaves]
            there = trace(loss, form, nearby).value
            return found if _near(found.at(leaves)[0], first.value) and _near(found.at(nearby)[0], there) else None
    except Exception:  # whatever a loss does that a program cannot: it is run in Python then
        return None
    finally:
        with until(NEVER):
            trace(loss, form, leaves)  # what the loss keeps is numbers again, and not what stood for them


def _near(x: Any, y: Any) -> bool:
    """Whether two losses are one, to rounding."""
    return bool(abs(x - y) <= 1e-12 * abs(y) or (x != x and y != y))
