"""Incremental evaluation: a loss that is computed again and again, each time with few of its parameters changed.

What does not depend on those is not computed again: a call of a primitive that is the same as in the first run, of the
same operands and static arguments, has the result that it had there. The loss itself is run each time as it is written,
so whatever Python decides on the way is decided anew, and nodes are made as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.check.witnesses.branches import Branches, branches_of
from tinygrad_cnn.check.witnesses.trace import Calls, Trace, trace, value_of
from tinygrad_cnn.engine.graph import Array, Node
from tinygrad_cnn.engine.mutation.versions import Version


class IncrementalLoss:
    """`loss`, as it is computed beside a `first` run of it at `leaves`.

    calls     for each call of a primitive in the first run its node, if another call may have its result
    choices   what was chosen at each node of the first run
    """

    def __init__(
        self, loss: Callable[[Any], Any], form: tree.Flat, leaves: Sequence[Array], first: Trace | None = None
    ) -> None:
        self.loss, self.form, self.leaves = loss, form, leaves
        self.first = trace(loss, form, leaves) if first is None else first
        self.values = [node.value for node in self.first.parameters]
        kept = {node.order: node for node in self.first.computed() if _may_be_taken(node)}
        self.calls = [kept.get(order) for order in self.first.calls]
        branches = self.first.branches()
        self.choices: dict[Node, list[Array]] = {node: [] for node in self.first.nodes}
        self.choices.update(zip(branches.nodes, branches.choices, strict=True))

    def at(self, leaves: Sequence[Array]) -> tuple[Any, Branches]:
        """The loss at other leaves, and its branches there. A leaf that has not changed has to be the same object."""
        kept, again = zip(leaves, self.leaves, self.values, strict=True), _Again(self.calls)
        run = trace(self.loss, self.form, [value if x is same else value_of(x) for x, same, value in kept], again)
        known = {node: self.choices[first] for node, first in again.taken.items()}
        return run.value, branches_of(run.nodes, known)


class _Again(Calls):
    """Goes along the calls of the first run. taken: the nodes whose result is from there, with the node there."""

    def __init__(self, first: Sequence[Node | None]) -> None:
        super().__init__()
        self.first = first
        self.taken: dict[Node, Node] = {}

    def before(
        self, primitive: Any, operands: Sequence[Any], sources: Sequence[tuple[int, Node]], static_args: dict[str, Any]
    ) -> Node | None:
        """The node of the same call in the first run, if this is one with all that it depends on."""
        first = self._there()
        same = first is not None and first.primitive is primitive and _same_call(first, operands, sources, static_args)
        return first if same else None

    def made(self, node: Node) -> None:
        """One call further."""
        first = self._there()
        if first is not None and node.operands is first.operands:
            self.taken[node] = first
        super().made(node)

    def _there(self) -> Node | None:
        """The node of the first run that was made by as many calls as there were here."""
        at = len(self.orders)
        return self.first[at] if at < len(self.first) else None


def _may_be_taken(node: Node) -> bool:
    """Whether a call with the operands and static arguments of `node` has its result.

    The function of a primitive may do as it likes, unless that is declared to be pure. And what was picked from an
    array that had been assigned to has for its operand that array as it was before.
    """
    return node.primitive.pure and not any(isinstance(x, Version) for _, x in node.sources)


def _same_call(
    first: Node, operands: Sequence[Any], sources: Sequence[tuple[int, Node]], static_args: dict[str, Any]
) -> bool:
    """Whether a call is that of the node `first`: values that depend on parameters the same object, constants equal."""
    if len(operands) != len(first.operands) or len(sources) != len(first.sources):
        return False
    for (position, _), (there, _) in zip(sources, first.sources, strict=True):
        if position != there or operands[position] is not first.operands[there]:
            return False
    return all(map(alike, operands, first.operands)) and alike(static_args, first.static_args)


def alike(x: Any, y: Any) -> bool:
    """Whether nothing could tell `x` from `y`.

    What is of no kind that is known here is like itself alone; and if it can be written to, like nothing.
    """
    if type(x) is not type(y):
        return False
    if type(x) is np.ndarray or isinstance(x, np.generic):
        return x is y or (x.dtype == y.dtype and x.shape == y.shape and _same_elements(np.asarray(x), np.asarray(y)))
    if isinstance(x, tuple | list):
        return len(x) == len(y) and all(map(alike, x, y))
    if isinstance(x, dict):
        return x.keys() == y.keys() and all(alike(x[name], y[name]) for name in x)
    if isinstance(x, slice):
        return alike((x.start, x.stop, x.step), (y.start, y.stop, y.step))
    if isinstance(x, float):
        return bool(x.hex() == y.hex())  # tells 0.0 from -0.0
    if isinstance(x, int | str | np.dtype):
        return bool(x == y)
    return x is y and not hasattr(x, "__setitem__")


def _same_elements(x: Array, y: Array) -> bool:
    """Whether arrays of one shape and dtype are the same to the sign of 0; of objects, or with NaN, they never are."""
    if x.dtype.kind in "biu":
        return bool(np.array_equal(x, y))
    if x.dtype.kind != "f" or not np.array_equal(x, y):
        return False
    return bool(np.array_equal(np.signbit(x), np.signbit(y)))
