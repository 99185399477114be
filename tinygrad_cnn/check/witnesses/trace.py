"""One run of a loss, recorded: the graph that it made, and which branches it took."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.check.deadline import time_left
from tinygrad_cnn.check.witnesses.branches import Branches, branches_of
from tinygrad_cnn.engine.graph import Array, Mode, Node, ancestors, differentiating, now, recording
from tinygrad_cnn.engine.primitive import operand
from tinygrad_cnn.engine.sweep import pull_back, seed
from tinygrad_cnn.engine.tensor import Tensor, leaf_on
from tinygrad_cnn.names import names_of


@dataclass(frozen=True)
class Trace:
    """A loss at one point, and how it was computed.

    value        the loss, a NumPy scalar of the dtype that it was computed in
    result       its node; None if it did not come from the parameters, as far as the engine can see
    nodes        what it was computed from, oldest first; `result` is the last
    parameters   the node of each leaf of the parameters
    calls        the `order` of each node that a primitive made in this run, on the way to `result` or not
    also         nodes by the names of further variables that they were bound to (`bindings.py`)
    """

    value: Any
    result: Node | None
    nodes: list[Node]
    parameters: list[Node]
    calls: list[int]
    also: Mapping[str, list[Node]] = field(default_factory=dict)

    def names(self) -> dict[Node, str]:
        """What the values are called: parameters by their place in the tree, others by name or variable."""
        return names_of(self.nodes) | {node: node.name for node in self.parameters if node.name is not None}

    def computed(self) -> list[Node]:
        """The nodes that are no leaves."""
        return [node for node in self.nodes if node.primitive is not None]

    def branches(self) -> Branches:
        """Which branches were taken."""
        return branches_of(self.nodes)

    def is_all(self, dtype: Any) -> bool:
        """Whether every value on the way is of `dtype`."""
        return all(node.like.dtype == dtype for node in self.nodes)

    def cotangents(self) -> dict[Node, Array]:
        """The cotangent of every value; a parameter that the loss does not depend on has zeros."""
        found: dict[Node, Array] = {}
        if self.result is not None:
            with np.errstate(all="ignore"):  # the report says what is not finite
                found = pull_back({self.result: seed(self.result)}, self.nodes, keep=True)
        for node in self.parameters:
            if node not in found:
                found[node] = np.zeros_like(node.like)
        return found


class Calls(Mode):
    """Notes which nodes are made. It keeps none: what a loss computes beside, or within, may be large."""

    def __init__(self) -> None:
        self.orders: list[int] = []

    def made(self, node: Node) -> None:
        """Note it."""
        self.orders.append(node.order)
        time_left()

    def within_checkpoint(self) -> Any:
        """A checkpoint is one call, however often it is run."""
        return True


def trace(loss: Callable[[Any], Any], form: tree.Flat, leaves: Sequence[Array], calls: Calls | None = None) -> Trace:
    """Run `loss` on parameters of this form with these leaves. calls: what is shown the nodes that are made.

    Raises ValueError if it gives more than one number; whatever the loss raises comes through.
    """
    born, calls = now(), Calls() if calls is None else calls
    tensors = [leaf_on(value_of(x), name or "x") for x, name in zip(leaves, form.names, strict=True)]
    parameters = [tensor.node for tensor in tensors]  # now, for the loss may assign to its arguments
    mode = recording.get()
    token = recording.set(mode if isinstance(mode, Mode) else calls)  # in debug mode nodes are shown to that alone
    within = differentiating.set(True)
    try:
        with np.errstate(all="ignore"):  # the report says if the loss is not finite
            result = loss(form.rebuild(list(tensors)))
    finally:
        differentiating.reset(within)
        recording.reset(token)
    if not isinstance(result, Tensor):
        return Trace(one_number(result), None, parameters, parameters, calls.orders)
    nodes, _ = ancestors([result.node], born=born)
    return Trace(one_number(result.node.value), result.node, nodes, parameters, calls.orders)


def value_of(leaf: Array) -> Array:
    """What the node of a leaf holds: a view that nothing writes to, for it may be large; a number if it has no axes."""
    if isinstance(leaf, np.generic):
        return leaf
    if leaf.ndim and leaf.flags.writeable:
        leaf = leaf.view()
        leaf.flags.writeable = False
    return leaf if leaf.ndim else leaf[()]


def one_number(result: Any) -> Any:
    """`result` as a NumPy scalar; ValueError if it is not one number."""
    if result is None:
        raise ValueError("the loss returned None; expected one number: is a `return` missing?")
    array = as_array(result)
    if array.size != 1 or array.dtype.kind not in "fiub":
        raise ValueError(
            f"the loss returned an array of shape {array.shape} and dtype {array.dtype}; expected one real number. "
            "Reduce it with np.sum or np.mean"
        )
    number = array.reshape(())[()]
    return number if array.dtype.kind == "f" else np.float64(number)


def as_array(x: Any) -> Array:
    """`x` as an ndarray: an array or number of NumPy, Python, PyTorch or JAX, or the value of a Tensor.

    Raises TypeError for a masked array and its like.
    """
    if isinstance(x, Tensor):
        return np.asarray(x.node.value)
    if hasattr(x, "detach"):  # PyTorch's, which does not turn into an array while it remembers its history
        x = x.detach().cpu()
    return np.asarray(operand(x))
