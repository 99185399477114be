"""A function of one example, run for many: it is recorded once, and its listing run by batching rules.

Derivatives are the engine's own. The results for all examples are one node, whose rule runs the pullback of the
function for many examples in the same way. So what a primitive, a `stop_gradient` or a user's rule says of one example
holds for all, and derivatives of every order follow.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.engine.graph import Node, differentiating, now, recording
from tinygrad_cnn.engine.runs import input_on
from tinygrad_cnn.engine.tensor import Tensor, leaf_on
from tinygrad_cnn.lowering.batching.interpreter import batched, example_of
from tinygrad_cnn.lowering.batching.sums import summed
from tinygrad_cnn.lowering.batching.values import Batched, for_each, is_batched
from tinygrad_cnn.lowering.draws import DrawnFrom
from tinygrad_cnn.lowering.instructions import Argument, Draw, Listing
from tinygrad_cnn.lowering.passes.canonical import canonical
from tinygrad_cnn.lowering.passes.dead_code import without_dead_code
from tinygrad_cnn.lowering.recorder import Recorder, TracingError, current
from tinygrad_cnn.lowering.trace import NUMBERS, Tracing, recording_to, same_twice, settled_instructions
from tinygrad_cnn.lowering.traced import Traced
from tinygrad_cnn.recordings import closed_over, node_of, recording_aside, sweep, tensors_on

Function = Callable[[list[Any]], Any]  # of the leaves of its arguments
_ARRAYS = (np.ndarray, *NUMBERS)


def for_examples(
    function: Function, leaves: list[Any], names: list[str], n: int, sums: Sequence[int] = ()
) -> tuple[list[Any], tree.Flat]:
    """The leaves of the result of `function` for `n` examples, and the result for one, flattened.

    leaves: what is mapped is `Batched`. The leaves of the result are `Batched` too, or the same for all examples; those
    at the places `sums` are their sums over all examples.
    """
    tensors = [k for k, x in enumerate(leaves) if isinstance(_content(x), Tensor) and not _content(x).node.constant]
    values = [_value(x) for x in leaves]
    run = _Recorded(function, values, names, tensors if recording.get() else [])
    live = []
    if recording.get() and (run.wrt or run.outer):
        live = [k for k, x in enumerate(run.outputs.leaves) if isinstance(x, Tensor) and not x.node.constant]
    found = batched(run.listing, n, run.inputs(values, n), [k for k in sums if k not in live])
    if live:
        pullback = _Pullback(function, leaves, names, n, tensors)
        pullback.outer, pullback.live = run.outer, live
        for k, x in zip(live, pullback.results([for_each(found[k], n) for k in live]), strict=True):
            found[k] = Batched(x) if is_batched(found[k]) or not n else x[0]
            if k in sums:
                found[k] = summed(found[k], n)
    return found, run.outputs


def _content(x: Any) -> Any:
    return x.value if is_batched(x) else x


def _value(x: Any) -> Any:
    """A leaf without a Tensor."""
    content = _content(x)
    if not isinstance(content, Tensor):
        return x
    return Batched(content.node.value) if is_batched(x) else content.node.value


class _Recorded:
    """A function, recorded on one example: a listing, whose last arguments are drawn from generators.

    wrt      the nodes of the arguments that are Tensors
    outer    those of Tensors that the function closes over
    outputs  the result for the example, flattened
    """

    def __init__(self, function: Function, values: list[Any], names: list[str], tensors: list[int]) -> None:
        self.wrt: list[Node] = []
        self.outer: list[Node] = []
        self.outputs = tree.flatten(None)
        self.arrays = [k for k, x in enumerate(values) if is_batched(x) or isinstance(x, _ARRAYS)]
        listing = self._once(function, values, names, tensors)
        if self.around is None:  # else what is around is run twice
            outputs, wrt, outer = self.outputs, self.wrt, self.outer
            try:
                listing = same_twice(listing, self._once(function, values, names, tensors))
            except TracingError as error:
                error.args = (str(error).replace("program:", "vmap:", 1),)
                raise
            self.outputs, self.wrt, self.outer = outputs, wrt, outer
        self.listing = without_dead_code(canonical(listing))

    def _once(self, function: Function, values: list[Any], names: list[str], tensors: list[int]) -> Listing:
        self.around = current.get()
        named = self.around is not None and self.around.named
        recorder = Recorder(Traced, named=named, nested=True)
        arguments: list[Argument] = []
        draws: list[tuple[Argument, Draw]] = []
        given = list(values)
        for k, (x, name) in enumerate(zip(values, names, strict=True)):
            if k in self.arrays:
                argument, given[k] = recorder.input(name, example_of(x))
                arguments.append(argument)
            elif isinstance(x, np.random.Generator):
                plain = x._noting[0] if isinstance(x, DrawnFrom) else x
                given[k] = DrawnFrom(plain, k, name, recorder, draws)
        mode, born = Tracing(recorder), now()
        within = differentiating.set(bool(tensors) or differentiating.get())
        try:
            with recording_to(mode):
                for k in tensors:
                    given[k] = _tensor(given[k])
                inputs = [given[k] for k in tensors]
                self.wrt = [x.node for x in inputs]
                self.outputs = tree.flatten(function(given))
        finally:
            differentiating.reset(within)
        if any(x.node is not node for x, node in zip(inputs, self.wrt, strict=True)):
            raise NotImplementedError(
                "vmap: the function assigns to its argument; expected a function without side effects. Assign to a "
                "copy, x = x.copy(), and return it"
            )
        self.outer = closed_over(self.outputs.leaves, self.wrt, born)
        found = [recorder.of(_checked(x, name)).instruction for x, name in zip(*self.outputs[:2], strict=True)]
        settled = settled_instructions(mode, named)
        every = [*arguments, *[argument for argument, _ in draws]]
        return Listing(
            tuple(settled.values()),
            tuple([Argument(a.name, settled[a.instruction]) for a in every]),
            tuple([settled[x] for x in found]),
            None,
            {},
            "",
            tuple([draw for _, draw in draws]),
        )

    def inputs(self, values: list[Any], n: int) -> list[Any]:
        """What the listing is run with: the draws of one example follow on those of the one before, as in a loop."""
        draws = self.listing.draws
        drawn = [
            [getattr(values[draw.leaf], draw.method)(*draw.args, **draw.keywords) for draw in draws] for _ in range(n)
        ]
        results = [a.instruction.result for a in self.listing.arguments[self.listing.given :]]
        return [
            *[values[k] for k in self.arrays],
            *[
                Batched(np.stack([row[k] for row in drawn]) if n else np.zeros((0, *result.shape), result.dtype))
                for k, result in enumerate(results)
            ],
        ]


def _tensor(x: Any) -> Tensor:
    """A new Tensor on what is traced, or computed from a Tensor."""
    return leaf_on(x, None) if x.dtype.kind == "c" and not isinstance(x, Tensor) else input_on(x, "", "vmap")


def _checked(leaf: Any, name: str) -> Any:
    """The value of a leaf of a result. Raises TypeError for what is no array and no number."""
    value = leaf.node.value if isinstance(leaf, Tensor) else leaf
    if not isinstance(value, (Traced, *_ARRAYS)):
        raise TypeError(
            f"vmap: the function returns {name or 'its result'} = {value!r}, of type {type(value).__name__}; expected "
            "arrays and numbers, in any nesting of dict, list, tuple, namedtuple and dataclass"
        )
    return value


class _Pullback:
    """The pullback of a function for many examples.

    tensors  the places of the leaves of its arguments that are Tensors
    outer    the nodes of Tensors that it closes over
    live     the places of its results that depend on either
    """

    def __init__(self, function: Function, leaves: list[Any], names: list[str], n: int, tensors: list[int]) -> None:
        self.function, self.leaves, self.names, self.n, self.tensors = function, leaves, names, n, tensors
        self.outer: list[Node] = []
        self.live: list[int] = []

    def results(self, values: list[Any]) -> list[Any]:
        """The results at `live` as Tensors, from their values for all examples."""
        operands = [*[_content(self.leaves[k]) for k in self.tensors], *tensors_on(self.outer)]
        if len(values) == 1:
            return [node_of(values[0], operands, lambda g, *rest: self.cotangents([g], *rest), "vmap")]
        sizes = np.cumsum([0, *[x.size for x in values]]).tolist()  # one node for all of them, in a row
        ends = list(itertools.pairwise(sizes))

        def of_all(g: Any, *rest: Any) -> list[Any]:
            parts = [g[start:stop].reshape(x.shape) for (start, stop), x in zip(ends, values, strict=True)]
            return self.cotangents(parts, *rest)

        row = node_of(np.concatenate([x.reshape(-1) for x in values]), operands, of_all, "vmap")
        found = []
        for (start, stop), x in zip(ends, values, strict=True):
            part = row[start:stop].reshape(x.shape)
            part = part if part.dtype.kind == x.dtype.kind else np.real(part)
            found.append(part.astype(x.dtype, copy=False))
        return found

    def cotangents(self, gs: list[Any], out: Any, *operands: Any) -> list[Any]:
        """The cotangents of all operands, from those of the results."""
        recorded = isinstance(out, Tensor)
        leaves = list(self.leaves)
        for k, x in zip(self.tensors, operands, strict=False):
            leaves[k] = Batched(x) if is_batched(leaves[k]) else x

        def pull(given: list[Any]) -> list[Any]:
            given, cotangents = given[: len(leaves)], given[len(leaves) :]
            born = now()
            with recording_aside():
                for k in self.tensors:
                    given[k] = _tensor(given[k])
                wrt = [given[k].node for k in self.tensors]
                results = tree.flatten(self.function(given)).leaves
                if closed_over(results, wrt, born) != self.outer:
                    raise RuntimeError(
                        "vmap: the function closes over other Tensors when it is run again for its derivative; "
                        "expected the same. Pass what changes as an argument"
                    )
                seeds: dict[Node, Any] = {}
                for k, g in zip(self.live, cotangents, strict=True):
                    node = results[k].node
                    seeds[node] = seeds[node] + g if node in seeds else g
                return sweep(seeds, [*wrt, *self.outer], recorded)

        names = [*self.names, *[f"cotangent_{k}" for k in self.live]]
        mapped = [is_batched(leaves[k]) for k in self.tensors]
        sums = [k for k in range(len(self.tensors) + len(self.outer)) if k >= len(mapped) or not mapped[k]]
        found, _ = for_examples(pull, [*leaves, *map(Batched, gs)], names, self.n, sums)
        return [x if k in sums else for_each(x, self.n) for k, x in enumerate(found)]
