"""A loss that is computed again and again, each time with few of its parameters changed.

What does not depend on those is not computed again: a call of a primitive that is the same as in the first run, of the
same operands and settings, has the result that it had there. The loss itself is run each time as it is written, so
whatever Python decides on the way is decided anew, and nodes are made as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.check.branches import Branches, branches_of
from tinygrad_cnn.check.trace import Calls, Trace, trace, value_of
from tinygrad_cnn.graph import Array, Node


class Rerun:
    """`loss`, as it is computed beside a `first` run of it at `leaves`."""

    def __init__(
        self, loss: Callable[[Any], Any], form: tree.Flat, leaves: Sequence[Array], first: Trace | None = None
    ) -> None:
        self.loss, self.form, self.leaves = loss, form, leaves
        self.first = trace(loss, form, leaves) if first is None else first
        self.values = [node.value for node in self.first.parameters]
        branches = self.first.branches()
        self.choices: dict[Node, list[Array]] = {node: [] for node in self.first.nodes}
        self.choices.update(zip(branches.nodes, branches.choices, strict=True))

    def at(self, leaves: Sequence[Array]) -> tuple[Any, Branches]:
        """The loss at other leaves, and its branches there. A leaf that has not changed has to be the same object."""
        kept, again = zip(leaves, self.leaves, self.values, strict=True), _Again(self.first.calls)
        run = trace(self.loss, self.form, [value if x is same else value_of(x) for x, same, value in kept], again)
        known = {node: self.choices[first] for node, first in again.taken.items() if first in self.choices}
        return run.value, branches_of(run.nodes, known)


class _Again(Calls):
    """Goes along the calls of the first run. taken: the nodes whose result is from there, with the node there."""

    def __init__(self, first: Sequence[Node]) -> None:
        super().__init__()
        self.first = first
        self.taken: dict[Node, Node] = {}
        self._found: Node | None = None

    def before(
        self, primitive: Any, operands: Sequence[Any], sources: Sequence[tuple[int, Node]], settings: dict[str, Any]
    ) -> Node | None:
        """The node of the same call in the first run, if this is one with all that it depends on."""
        at = len(self.nodes)
        first = self.first[at] if at < len(self.first) else None
        same = first is not None and first.primitive is primitive and _same_call(first, operands, sources, settings)
        self._found = first if same else None
        return self._found

    def made(self, node: Node) -> None:
        """One call further."""
        super().made(node)
        if self._found is not None:
            self.taken[node] = self._found
            self._found = None


def _same_call(
    first: Node, operands: Sequence[Any], sources: Sequence[tuple[int, Node]], settings: dict[str, Any]
) -> bool:
    """Whether a call is that of the node `first`: values that depend on parameters the same object, constants equal.

    Of a primitive that a person has declared it is never known, whose function may do what it likes.
    """
    if len(operands) != len(first.operands) or len(sources) != len(first.sources):
        return False
    for (position, _), (there, _) in zip(sources, first.sources, strict=True):
        if position != there or operands[position] is not first.operands[there]:
            return False
    return _is_ours(first.primitive) and all(map(alike, operands, first.operands)) and alike(settings, first.settings)


def _is_ours(primitive: Any) -> bool:
    forward: Any = primitive.forward
    return isinstance(forward, np.ufunc) or str(forward.__module__).startswith("tinygrad_cnn.rules.")


def alike(x: Any, y: Any) -> bool:
    """Whether nothing could tell `x` from `y`. What is of no kind that is known here is like itself alone."""
    if x is y:
        return True
    if type(x) is not type(y):
        return False
    if isinstance(x, np.ndarray | np.generic):
        return x.dtype == y.dtype and x.shape == y.shape and _same_elements(np.asarray(x), np.asarray(y))
    if isinstance(x, tuple | list):
        return len(x) == len(y) and all(map(alike, x, y))
    if isinstance(x, dict):
        return x.keys() == y.keys() and all(alike(x[name], y[name]) for name in x)
    if isinstance(x, slice):
        return alike((x.start, x.stop, x.step), (y.start, y.stop, y.step))
    if isinstance(x, float):
        return bool(x.hex() == y.hex())  # tells 0.0 from -0.0
    return isinstance(x, int | str | np.dtype) and bool(x == y)


def _same_elements(x: Array, y: Array) -> bool:
    """Whether arrays of one shape and dtype are the same to the sign of 0; of objects, or with NaN, they never are."""
    if x.dtype.kind in "biu":
        return bool(np.array_equal(x, y))
    if x.dtype.kind != "f" or not np.array_equal(x, y):
        return False
    return bool(np.array_equal(np.signbit(x), np.signbit(y)))
