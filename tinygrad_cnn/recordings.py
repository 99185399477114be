"""A function run once with its graph kept: what it closes over, its pullback, and its results as nodes of their own.

What is differentiated by an equation that it solves (a root, an integral) needs the derivatives of a function of the
caller's, which may close over Tensors. A `Recording` finds these: they become operands of the node of the solution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.engine.graph import Array, Mode, Node, ancestors, differentiating, handle_on, now, recording
from tinygrad_cnn.engine.primitive import OfEach, Primitive
from tinygrad_cnn.engine.sweep import Sweep, dependence
from tinygrad_cnn.engine.tensor import Tensor, leaf_on
from tinygrad_cnn.infinities import Apply, masked_sweep


class recording_aside:  # noqa: N801 (used as a word, as `no_grad` is)
    """A context in which nodes are made, of which the caller sees none."""

    def __enter__(self) -> None:
        mode = recording.get()
        self._token = recording.set(mode.within_checkpoint() if isinstance(mode, Mode) else True)
        self._within = differentiating.set(True)

    def __exit__(self, *error: object) -> None:
        differentiating.reset(self._within)
        recording.reset(self._token)


class Recording:
    """One call of `function` with Tensors of its own in place of arrays of floats.

    inputs   the nodes of its arguments
    results  what it returned, flattened
    outer    the nodes that these are computed from besides: those of Tensors that the function closes over
    """

    def __init__(self, function: Callable[..., Any], *arguments: Array) -> None:
        born = now()
        with recording_aside():
            tensors = [leaf_on(x.copy() if isinstance(x, np.ndarray) else x, None) for x in arguments]
            self.inputs = [x.node for x in tensors]
            self.results = tree.flatten(function(*tensors))
        self.outer = closed_over(self.results.leaves, self.inputs, born)

    @classmethod
    def of(cls, result: Any, outer: list[Node]) -> Recording:
        """The recording of a function without arguments that has been called, from its result and `outer`."""
        run = cls.__new__(cls)
        run.inputs, run.results, run.outer = [], tree.flatten(result), outer
        return run

    def cotangents(self, cotangents: Sequence[Any], recorded: bool = False) -> list[Any]:
        """The cotangents of `inputs` and of `outer`, from those of the results."""
        seeds: dict[Node, Any] = {}
        for x, g in zip(self.results.leaves, cotangents, strict=True):
            if isinstance(x, Tensor):
                seeds[x.node] = seeds[x.node] + g if x.node in seeds else g
        return sweep(seeds, [*self.inputs, *self.outer], recorded)


def closed_over(results: Sequence[Any], inputs: Sequence[Node], born: int) -> list[Node]:
    """The nodes older than `born` that `results` are computed from, the oldest first."""
    nodes = [x.node for x in results if isinstance(x, Tensor)]
    inner = {node for node in ancestors(nodes, inputs, born)[0] if node.order > born}.union(inputs)
    # Those of `inputs` may be computed from older nodes, on behalf of the caller.
    used = {x for node in inner.difference(inputs) for _, x in node.sources}
    outer = used.union(nodes).difference(inner)
    return sorted([node for node in outer if not node.constant], key=lambda node: node.order)


def sweep(seeds: dict[Node, Any], wrt: Sequence[Node], recorded: bool = False) -> list[Any]:
    """The cotangents of the nodes `wrt`, from those of `seeds`. None of `wrt` passes its own on to another of them."""
    path, _ = ancestors(seeds, wrt)
    ends = set(wrt)

    def swept(apply: Apply | None) -> dict[Node, Any]:
        found = dict(seeds)
        passing = Sweep(found, set(path), recorded, apply=apply)
        for node in reversed(path):
            g = found.get(node)
            if g is not None and node not in ends and passing.pass_on(node, g):
                del found[node]
        return found

    found = masked_sweep(swept, lambda: dependence(seeds, path))
    return [found[node] if node in found else np.zeros_like(node.like) for node in wrt]


def node_of(value: Array, operands: Sequence[Any], cotangents: Callable[..., list[Any]], name: str) -> Any:
    """A Tensor of `value`, computed from the Tensors `operands`.

    cotangents: given what a rule is given, returns the cotangents of all operands
    """
    last: Any = None

    def rule(position: int, g: Any, out: Any, *operands: Any) -> Any:
        nonlocal last
        of = (isinstance(out, Tensor), g)  # whether it is recorded, and the cotangent
        if last is None or last[0][0] is not of[0] or last[0][1] is not g:
            with np.errstate(all="ignore"):  # the caller's function has warned already, when it was called first
                last = (of, cotangents(g, out, *operands))
        found = last[1][position]
        if not position:  # the sweep asks for it last
            last = None
        return found

    # Like that of a checkpoint, it has its result already, and returns that whatever it is given.
    made: Primitive[..., Any] = Primitive(lambda *operands: value, name)
    made.rules = OfEach(rule)
    return made(*operands)


def bound(result: Any, inner: Sequence[Node], operands: Sequence[Any], name: str) -> Any:
    """`result`, which was computed from the nodes `inner`, as computed from the Tensors `operands` in their place.

    Its derivative is again such a node, so that there are derivatives of every order. An operand that is no Tensor is a
    constant, whose value is that of its node.
    """
    if not isinstance(result, Tensor):
        return result

    def cotangents(g: Any, out: Any, *operands: Any) -> list[Any]:
        if not isinstance(out, Tensor):
            return sweep({result.node: g}, inner)
        seed = leaf_on(np.array(g.node.value)[()], None) if isinstance(g, Tensor) else g
        with recording_aside():
            found = sweep({result.node: seed}, inner, recorded=True)
        if not isinstance(g, Tensor):
            return [bound(x, inner, operands, name) for x in found]
        return [bound(x, [*inner, seed.node], [*operands, g], name) for x in found]

    return node_of(result.node.value, operands, cotangents, name)


def tensors_on(nodes: Sequence[Node]) -> list[Any]:
    """A Tensor on each of `nodes`."""
    return [handle_on(node) for node in nodes]
