"""A graph that grows: nodes, constants, and what is known of each tensor. `onnx` is imported here alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.extras import extra
from tinygrad_cnn.lowering.naming import fresh
from tinygrad_cnn.lowering.onnx_graph.operators import IR_VERSION, OPSET

with extra("onnx", "a program as ONNX"):
    import onnx
    from onnx import helper, numpy_helper


@dataclass
class Node:
    """An operator, the names of the tensors that it takes and makes, and the line that it is from."""

    operator: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]
    doc: str = ""
    name: str = ""


class Tensor(NamedTuple):
    """A tensor of the graph; a length of its shape is a number or, where it follows the batch, a text."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | str, ...]


@dataclass
class Graph:
    """What has been written so far.

    constants  the tensors that are constant, by name
    defaults   those of inputs that need not be given
    taken      how many tensors there are of each name
    prefix     what the names of intermediate tensors begin with: the instruction that is being written
    """

    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    defaults: dict[str, np.ndarray] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)
    prefix: str = ""
    _known: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def fresh(self, name: str) -> str:
        """`name`, or one like it that is not in use."""
        return fresh(name, self.taken)

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """A new node; the name of the tensor that it makes."""
        return self.nodes_of(operator, inputs, 1, **attributes)[0]

    def nodes_of(self, operator: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> list[str]:
        """A new node that makes several tensors."""
        made = [self.fresh(f"{self.prefix}.{operator}") for _ in range(outputs)]
        self.nodes.append(Node(operator, list(inputs), made, attributes))
        return made

    def constant(self, value: Any, dtype: Any = None, name: str | None = None) -> str:
        """A constant tensor; one that is there already is taken again."""
        array = np.asarray(value, dtype)
        key = (array.dtype.str, array.shape, array.tobytes(), name)
        if key not in self._known:
            self._known[key] = self.fresh(name or _called(array))
            self.constants[self._known[key]] = array
        return self._known[key]

    def integers(self, values: Iterable[int]) -> str:
        """A vector of int64, as axes and shapes are."""
        return self.constant(list(values), np.int64)

    def rename(self, before: str, after: str, since: int) -> None:
        """Give a tensor that a node made another name; `since`: the first node that may have it."""
        for node in self.nodes[since:]:
            node.inputs = [after if x == before else x for x in node.inputs]
            node.outputs = [after if x == before else x for x in node.outputs]

    def model(self, name: str, inputs: Sequence[Tensor], outputs: Sequence[Tensor], inner: Sequence[Tensor], doc: str,
              docs: dict[str, str]) -> bytes:  # fmt: skip
        """The file. doc: of the model; docs: of its inputs and outputs, by name."""
        nodes = self._needed([x.name for x in outputs])
        used = {x for node in nodes for x in node.inputs}
        kept = {x for node in nodes for x in node.outputs}
        made = [
            helper.make_node(
                n.operator, n.inputs, n.outputs, name=n.outputs[0], doc_string=n.doc or None, **n.attributes
            )
            for n in nodes
        ]
        constants = [numpy_helper.from_array(value, name) for name, value in self.constants.items() if name in used]
        constants += [numpy_helper.from_array(value, name) for name, value in self.defaults.items()]
        graph = helper.make_graph(
            made, name, [_info(x, docs) for x in inputs], [_info(x, docs) for x in outputs], constants,
            value_info=[_info(x, {}) for x in inner if x.name in kept], doc_string=doc,
        )  # fmt: skip
        model = helper.make_model(
            graph, producer_name="tinygrad_cnn", doc_string=doc, ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )  # fmt: skip
        onnx.checker.check_model(model, full_check=True)
        written: bytes = model.SerializeToString(deterministic=True)
        return written

    def _needed(self, outputs: Iterable[str]) -> list[Node]:
        """The nodes that the outputs need, in order."""
        needed, kept = set(outputs), []
        for node in reversed(self.nodes):
            if needed & set(node.outputs):
                kept.append(node)
                needed.update(node.inputs)
        return kept[::-1]


def _called(array: np.ndarray) -> str:
    """What a constant is called: its value, if it is one number."""
    if array.size == 1 and array.dtype.kind in "fiub":
        return f"{array.reshape(())[()]!s}"
    return "constant" if array.dtype != np.int64 or array.ndim != 1 or array.size > 6 else f"{array.tolist()}"


def _info(x: Tensor, docs: dict[str, str]) -> Any:
    return helper.make_tensor_value_info(x.name, type_of(x.dtype), x.shape, doc_string=docs.get(x.name, ""))


def type_of(dtype: Any) -> int:
    """The number that ONNX has for a dtype."""
    found: int = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return found
