"""checkpoint: keep no graph of a function, and run it again when its derivative is needed."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.argnums import Function
from tinygrad_cnn.engine.graph import Array, Mode, Node, differentiating, handle_on, now, recording
from tinygrad_cnn.engine.primitive import OfEach, Primitive, fixed
from tinygrad_cnn.engine.runs import input_on
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.recordings import closed_over, sweep
from tinygrad_cnn.stand_in import StandIn


def checkpoint(function: Function) -> Function:
    """`function`, with only its arguments kept in the graph: it is run again when its derivative is needed.

    This costs one more run of it, and saves the memory of everything between arguments and result. Arguments and
    results may be trees; Tensors that it closes over have gradients too. Raises RuntimeError if the second run computes
    something else, for example because the function draws random numbers, and NotImplementedError if it assigns to an
    argument.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> layer = tg.checkpoint(lambda x, W: np.tanh(W @ np.tanh(W @ x)))
    >>> tg.grad(lambda W: np.sum(layer(np.ones(2), W)))(np.eye(2)).round(3)
    array([[0.695, 0.695],
           [0.695, 0.695]])
    """

    @functools.wraps(function)
    def kept_small(*args: Any, **keywords: Any) -> Any:
        if not recording.get():
            return function(*args, **keywords)
        return _Checkpoint(function, args, keywords).result()

    return kept_small


class _Checkpoint:
    """One call of a checkpointed function: its operands, and how to run it again.

    outer   the nodes that the function closes over
    flat    its results, flattened and concatenated, which the second run has to reproduce
    last    the cotangent that the rule was last asked for, and those of all operands that follow from it
    """

    def __init__(self, function: Function, args: Any, keywords: Any) -> None:
        self.function = function
        self.given = tree.flatten((args, keywords))
        self.places = [k for k, leaf in enumerate(self.given.leaves) if isinstance(leaf, Tensor)]
        self.leaves = [fixed(leaf) for leaf in self.given.leaves]
        self.outer: list[Node] = []
        self.flat: Array = np.zeros(0)
        self.last: tuple[Any, list[Any]] | None = None

    def result(self) -> Any:
        """What the function returns, each leaf a part of one node."""
        tensors = [self.leaves[k] for k in self.places]
        _, outputs, self.outer = self.run(tensors)
        made = [(k, x) for k, x in enumerate(outputs.leaves) if isinstance(x, Tensor)]
        if not made:
            return outputs.rebuild(outputs.leaves)
        self.flat = _in_a_row([x for _, x in made])
        operands = [*tensors, *[handle_on(node) for node in self.outer]]
        again: Any = Primitive(lambda *operands: self.flat, "checkpoint")
        again.rules = OfEach(self.rule)
        whole, start, leaves = again(*operands), 0, list(outputs.leaves)
        for k, x in made:
            part = whole[start : start + x.size].reshape(x.shape)
            part = part if part.dtype.kind == x.dtype.kind else np.real(part)
            leaves[k] = _laid_out(part.astype(x.dtype, copy=False), x.node.like)
            start += x.size
        return outputs.rebuild(leaves)

    def run(self, tensors: list[Any]) -> tuple[list[Node], tree.Flat, list[Node]]:
        """The function on new copies of `tensors`: their nodes, its results, and the nodes it closes over."""
        born, mode = now(), recording.get()
        token = recording.set(mode.within_checkpoint() if isinstance(mode, Mode) else True)
        within = differentiating.set(True)
        try:
            inputs = [input_on(x, "", "checkpoint") for x in tensors]
            wrt = [x.node for x in inputs]
            leaves = list(self.leaves)
            for place, x in zip(self.places, inputs, strict=True):
                leaves[place] = x
            args, keywords = self.given.rebuild(leaves)
            outputs = tree.flatten(self.function(*args, **keywords))
        finally:
            differentiating.reset(within)
            recording.reset(token)
        if any(x.node is not node for x, node in zip(inputs, wrt, strict=True)):
            raise NotImplementedError(
                "checkpoint: the function assigned to its argument, which its caller would not see. Assign to a copy, "
                "x = x.copy(), and return it"
            )
        # What the function closes over: a gradient with respect to it is wanted too.
        return wrt, outputs, closed_over(outputs.leaves, wrt, born)

    def rule(self, position: int, g: Any, out: Any, *operands: Any) -> Any:
        """The cotangent of one operand; those of all are computed when the first is asked for."""
        if self.last is None or self.last[0] is not g:
            self.last = (g, self.cotangents(g, operands))
        found = self.last[1][position]
        if not position:  # the sweep asks for it last
            self.last = None
        return found

    def cotangents(self, g: Any, operands: Any) -> list[Any]:
        """The cotangents of all operands, from that of the result."""
        recorded = isinstance(g, Tensor) or any(isinstance(x, Tensor) for x in operands)
        inputs, outputs, outer = self.run(list(operands[: len(self.places)]))
        made = [x for x in outputs.leaves if isinstance(x, Tensor)]
        if outer != self.outer or not made or not _equal(_in_a_row(made), self.flat):
            raise RuntimeError(
                "checkpoint: the function returned something else when it was run again for its derivative; expected "
                "the same values. It draws random numbers, or closes over something that has changed since: draw or "
                "copy that first, and pass it as an argument"
            )
        wrt = [*inputs, *self.outer]
        seeds: dict[Node, Any] = {}
        start = 0
        for x in made:
            part = g[start : start + x.size].reshape(x.shape)
            seeds[x.node] = seeds[x.node] + part if x.node in seeds else part
            start += x.size
        return sweep(seeds, wrt, recorded)


def _equal(a: Array, b: Array) -> bool:
    """Whether two results are the same; while they are traced, the instructions that are recorded show that."""
    return isinstance(a, StandIn) or np.array_equal(a, b, equal_nan=True)


def _laid_out(part: Tensor, like: Any) -> Any:
    """`part`, whose elements lie row by row, as a number or in the memory order of `like`."""
    if isinstance(like, np.generic):
        return part[()]
    axes = sorted(range(like.ndim), key=lambda axis: -like.strides[axis])
    if axes == sorted(axes):
        return part
    return np.transpose(np.copy(np.transpose(part, axes), "C"), np.argsort(axes))


def _in_a_row(tensors: list[Tensor]) -> Array:
    return np.concatenate([x.node.value.reshape(-1) for x in tensors])
