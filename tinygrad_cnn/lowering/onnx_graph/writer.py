"""A listing as a graph: its instructions in order, each by what `EMITTERS` has for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.escaping import printable
from tinygrad_cnn.lowering.instructions import Instruction, Listing, filled
from tinygrad_cnn.lowering.naming import cotangent_name, identifier
from tinygrad_cnn.lowering.numpy_source.statements import _output_names
from tinygrad_cnn.lowering.onnx_graph.graph import Graph, Tensor, type_of
from tinygrad_cnn.lowering.onnx_graph.lengths import Length, Size
from tinygrad_cnn.lowering.onnx_graph.operators import ALL, code, run_in
from tinygrad_cnn.lowering.onnx_graph.refusal import refused

Emitter = Callable[["Writer", Instruction], str]
FAR = np.iinfo(np.int64).max


class Writer:
    """Writes one listing.

    n       what the length of the batch is called, or ""
    values  arrays that arguments have unless others are given, by name
    fixed   whether no others can be given
    names   the tensor of each instruction
    """

    def __init__(
        self, listing: Listing, emitters: Mapping[str, Emitter], n: str, values: Mapping[str, Any], fixed: bool
    ) -> None:
        self.listing, self.emitters, self.n, self.values, self.fixed = listing, emitters, n, values, fixed
        self.graph = Graph()
        self.names: dict[Instruction, str] = {}
        self.inner: list[Tensor] = []
        self.docs: dict[str, str] = {}
        self._batch = ""

    def write(self, name: str, doc: str) -> bytes:
        """The file."""
        listing, graph = self.listing, self.graph
        arguments = [self._input(k) for k in range(len(listing.arguments))]
        inputs = [x for x in arguments if not (self.fixed and x.name in self.values)]
        wanted = self._output_names()
        for name_ in wanted.values():
            graph.taken[name_] += 1
        for x in listing.instructions:
            if x.operation != "input":
                self._instruction(x, wanted)
        outputs = [self._output(x, name_) for x, name_ in self._outputs(wanted)]
        return graph.model(name, inputs, outputs, self.inner, doc, self.docs)

    def _input(self, k: int) -> Tensor:
        argument = self.listing.arguments[k]
        x = argument.instruction
        self._check(x)
        graph = self.graph
        name = graph.fresh(argument.name or f"argument_{k}")
        self.names[x] = name
        if name in self.values:
            (graph.constants if self.fixed else graph.defaults)[name] = np.asarray(self.values[name], x.result.dtype)
        if k >= self.listing.given:
            draw = self.listing.draws[k - self.listing.given]
            self.docs[name] = f"to be drawn for each call: {draw.method} with {draw.args} {draw.keywords or ''}".strip()
        found = Tensor(name, x.result.dtype, self.shape_of(x))
        if not self._batch and self.n in found.shape:
            self.graph.prefix = self.n
            axis = found.shape.index(self.n)
            self._batch = self.graph.node("Shape", name, start=axis, end=axis + 1)
        return found

    def _check(self, x: Instruction) -> None:
        if x.result.dtype is not None and code(x.result.dtype) not in ALL:
            raise refused(x, f"it is {x.result.dtype}; expected float32, float64, integers or booleans")

    def _instruction(self, x: Instruction, wanted: dict[Instruction, str]) -> None:
        self._check(x)
        graph = self.graph
        name = wanted.get(x) or graph.fresh(self._name(x))
        since, graph.prefix = len(graph.nodes), name
        emit = self.emitters.get(x.operation)
        if emit is None:
            raise refused(x, "it has no operator")
        if 0 in x.result.shape and not any(isinstance(n, Length) for n in x.result.shape):
            made = graph.constant(
                np.zeros(x.result.shape, x.result.dtype)
            )  # runtimes fail for operands without elements
        else:
            made = emit(self, x)
        if len(graph.nodes) > since and made in graph.nodes[-1].outputs:
            graph.rename(made, name, since)
            made = name
            self.inner.append(Tensor(name, x.result.dtype, self.shape_of(x)))
        self.names[x] = made
        for node in graph.nodes[since:]:
            node.doc = _line(x)

    def _name(self, x: Instruction) -> str:
        """What an instruction is called: what the user calls it, or the source of the rule, or what it is a part of."""
        called = x.origin.name or x.origin.local or x.operation
        return ".".join(map(identifier, called.split("."))) if x.origin.name is None else identifier(called)

    # Names of outputs.

    def _output_names(self) -> dict[Instruction, str]:
        """The name of each instruction that is an output: the user's, the cotangent's, or that of its place."""
        has_gradient = any(x.origin.half == "cotangent" for x in self.listing.instructions)
        found: dict[Instruction, str] = {}
        taken = {a.name for a in self.listing.arguments}
        for x, key in zip(self.listing.outputs, _output_names(self.listing.structure), strict=True):
            if x in found:
                continue
            if x.origin.half == "cotangent":
                name = x.origin.name or (cotangent_name(key) if key else "gradient")
            else:
                is_loss = has_gradient and not x.result.shape
                name = x.origin.name or key or ("loss" if is_loss else self.listing.title or "result")
            name, k = identifier(name), 1
            while name in taken:
                k += 1
                name = f"{identifier(x.origin.name or key or 'result')}_{k}"
            taken.add(name)
            found[x] = name
        return found

    def _outputs(self, wanted: dict[Instruction, str]) -> list[tuple[Instruction, str]]:
        """Each output and its name; what is returned twice is so again, under another name."""
        found, used = [], set()
        for x in self.listing.outputs:
            name = wanted[x]
            found.append((x, self.graph.fresh(name) if name in used else name))
            used.add(found[-1][1])
        return found

    def _output(self, x: Instruction, name: str) -> Tensor:
        if self.names[x] != name:
            made = self.graph.node("Identity", self.names[x])
            self.graph.rename(made, name, len(self.graph.nodes) - 1)
        return Tensor(name, x.result.dtype, self.shape_of(x))

    # What emitters call.

    def shape_of(self, x: Instruction) -> tuple[int | str, ...]:
        """Its shape, as it is declared."""
        return tuple([n.text(self.n) if isinstance(n, Length) else n for n in x.result.shape])

    def constant_of(self, x: Instruction) -> np.ndarray | None:
        """The elements of what is constant."""
        return self.graph.constants.get(self.names[x])

    def cast(self, tensor: str, before: Any, after: Any) -> str:
        """A tensor in another dtype."""
        if before == after:
            return tensor
        if tensor in self.graph.constants:
            with np.errstate(all="ignore"):
                return self.graph.constant(self.graph.constants[tensor].astype(after))
        return self.graph.node("Cast", tensor, to=type_of(after))

    def operand(self, x: Instruction, dtype: Any) -> str:
        """The tensor of `x`, in a dtype."""
        return self.cast(self.names[x], x.result.dtype, np.dtype(dtype))

    def node_in(self, among: frozenset[str], operator: str, dtype: Any, operands: Sequence[Instruction], *more: str,
                **attributes: Any) -> str:  # fmt: skip
        """A node whose operands and result have `dtype`, which is run in a dtype that the operator has."""
        ran = run_in(dtype, among)
        made = self.graph.node(operator, *[self.operand(y, ran) for y in operands], *more, **attributes)
        return self.cast(made, ran, dtype)

    def batch_lengths(self, length: Length) -> str:
        """A length that follows the batch, as a vector of one."""
        made = self._batch
        if length.scale != 1:
            made = self.graph.node("Mul", made, self.graph.integers([length.scale]))
        return made if not length.offset else self.graph.node("Add", made, self.graph.integers([length.offset]))

    def lengths(self, shape: Sequence[Size]) -> str:
        """A shape, as a vector."""
        if not any(isinstance(n, Length) for n in shape):
            return self.graph.integers([int(n) for n in shape])  # type: ignore[arg-type]
        parts = [self.batch_lengths(n) if isinstance(n, Length) else self.graph.integers([n]) for n in shape]
        return parts[0] if len(parts) == 1 else self.graph.node("Concat", *parts, axis=0)

    def reshape(self, tensor: str, before: Sequence[Size], after: Sequence[Size]) -> str:
        """A tensor in another shape, of which one length may be whatever is left."""
        if tuple(before) == tuple(after):
            return tensor
        if tensor in self.graph.constants and not any(isinstance(n, Length) for n in after):
            return self.graph.constant(self.graph.constants[tensor].reshape(after), name=tensor)
        free = [isinstance(n, Length) for n in after]
        if sum(free) == 1 and 0 not in after:
            return self.graph.node("Reshape", tensor, self.lengths([-1 if isinstance(n, Length) else n for n in after]))
        zero = {"allowzero": 1} if 0 in after else {}
        return self.graph.node("Reshape", tensor, self.lengths(after), **zero)

    def expand(self, tensor: str, before: Sequence[Size], after: Sequence[Size]) -> str:
        """A tensor, stretched to a shape; a length that it has already need not be known."""
        if tuple(before) == tuple(after):
            return tensor
        padded = [1] * (len(after) - len(before)) + list(before)
        known = [1 if n == m and isinstance(n, Length) else n for n, m in zip(after, padded, strict=True)]
        return self.graph.node("Expand", tensor, self.lengths(known))

    def transpose(self, tensor: str, axes: Sequence[int]) -> str:
        """A tensor with its axes in another order."""
        if list(axes) == sorted(axes):
            return tensor
        if tensor in self.graph.constants:
            return self.graph.constant(self.graph.constants[tensor].transpose(axes), name=tensor)
        return self.graph.node("Transpose", tensor, perm=list(axes))

    def filled(self, x: Instruction) -> dict[str, Any]:
        """The parameters, with an instruction for each slot."""
        given: dict[str, Any] = filled(x.parameters, x.operands)
        return given


def _line(x: Instruction) -> str:
    """Where an instruction is from: its scopes, the line of the user's code, and whether it is of the gradient."""
    line = printable(x.origin.line.replace("\\", "/").rsplit("/", 1)[-1])
    parts = [" / ".join(map(printable, x.origin.scope)), line]
    return ": ".join([*(["the gradient"] if x.origin.half == "cotangent" else []), *[part for part in parts if part]])
