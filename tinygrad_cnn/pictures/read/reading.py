"""A graph before it is drawn: its nodes, their names, and which of them are drawn as one box."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.engine.graph import Node, ancestors, source_line
from tinygrad_cnn.engine.runs import same as same_value
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.names import names_of
from tinygrad_cnn.pictures.read.loops import FEW, Loop, folded, unfolded
from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.primitives.indexing import picked


@dataclass
class Reading:
    """The graph of some results.

    roots, nodes  the results, and all that they are computed from, oldest first
    names         of those that have one
    inputs        the leaves that are data
    members       the nodes of each box, oldest first, by the id of the box
    numbers       the number of each box, by which formulas call what has no name; its id is made of it
    loops         the loop that each box is in
    ids           the box of each node
    notes         what was folded, in words
    """

    roots: list[Node]
    nodes: list[Node]
    names: Mapping[Node, str]
    inputs: set[Node]
    members: dict[str, list[Node]]
    numbers: dict[str, int]
    loops: dict[str, Loop | None]
    ids: dict[Node, str]
    notes: list[str]
    _lines: dict[Any, str] = field(default_factory=dict)

    @property
    def is_folded(self) -> bool:
        """Whether there are boxes of several nodes."""
        return any(len(several) > 1 for several in self.members.values())

    def first(self, id: str) -> Node:
        """The node whose value a box shows: the oldest of those that are drawn as it."""
        return self.members[id][0]

    def line(self, node: Node) -> str:
        """As `line_of`, which takes time, once for each instruction."""
        line = self._lines.get(node.source)
        if line is None:
            line = self._lines[node.source] = line_of(node)
        return line

    def called(self, node: Node) -> str:
        """What a node is called in a formula: its name, or %7."""
        name = self.names.get(node)
        return f"%{self.numbers[self.ids[node]]}" if name is None else labels.clean(name)


def read_graph(result: Any, inputs: Any = (), fold: bool | None = None) -> Reading:
    """Read the graph of `result`, a Tensor or a tree of them. See `render` for the arguments."""
    given = _roots(result)
    shown = {root: _scalar_itself(root) for root in given}
    roots = list(dict.fromkeys(shown.values()))
    nodes, _ = ancestors(roots)
    names = names_of(list(dict.fromkeys([*nodes, *given])))
    for root, node in shown.items():
        if root is not node and root in names:
            names[node] = names.pop(root)
    data = _inputs(inputs, [node for node in nodes if node.primitive is None], names)
    same = _same_values(nodes, roots)
    distinct = [node for node in nodes if node not in same]
    if fold is None:
        fold = len(distinct) > FEW
    drawn = folded(distinct, names) if fold else unfolded(distinct)
    members = {f"n{number}": several for number, several in enumerate(drawn.classes)}
    ids = {node: id for id, several in members.items() for node in several}
    names = _numbered(members, names)
    for node, original in same.items():
        ids[node] = ids[original]
        names.pop(node, None)
        if original in names:
            names[node] = names[original]
    ids |= {root: ids[node] for root, node in shown.items()}
    return Reading(
        roots,
        nodes,
        names,
        data,
        members,
        {id: number for number, id in enumerate(members)},
        dict(zip(members, drawn.loops, strict=True)),
        ids,
        drawn.notes,
    )


def _same_values(nodes: Sequence[Node], roots: Sequence[Node]) -> dict[Node, Node]:
    """Nodes that stand for an older one, as the argument of a transform does, with that one: both are one box."""
    kept = set(roots)
    found: dict[Node, Node] = {}
    for node in nodes:
        if node.primitive is same_value and node not in kept:
            original = node.sources[0][1]
            found[node] = found.get(original, original)
    return found


def _scalar_itself(root: Node) -> Node:
    """The scalar x of x[()], which `grad` gives in its place: it is the same number, as NumPy's scalar."""
    (_, x), *_ = root.sources or ((0, root),)
    if root.primitive is not picked or x.like.shape != ():
        return root
    return x if root.static_args["index"] == () else root


def _numbered(members: Mapping[str, Sequence[Node]], names: Mapping[Node, str]) -> dict[Node, str]:
    """Names, such that no two boxes have the same: the second box of a variable h is h₂."""
    found = dict(names)
    count: Counter[str] = Counter()
    for several in members.values():
        for name in {names[node]: None for node in several if node in names}:
            count[name] += 1
            for node in several:
                if names.get(node) == name:
                    found[node] = labels.numbered(name, count[name])
    return found


def line_of(node: Node) -> str:
    """The source line of a node: the file with its folder, the line and the function."""
    file, rest = source_line(node).rsplit(":", 1)
    near = "/".join(file.replace("\\", "/").split("/")[-2:])  # the folders above differ from machine to machine
    return labels.clean(f"{near}:{rest}", None)


def primitive_of(node: Node) -> str:
    """The name of the primitive of a node. A leaf that a rule made, such as an array of zeros, is a constant."""
    return "constant" if node.primitive is None else labels.clean(node.primitive.__name__)


def _roots(result: Any) -> list[Node]:
    leaves = tree.flatten(result).leaves
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            what = (
                f"an array of shape {leaf.shape}"
                if isinstance(leaf, np.ndarray)
                else f"an object of type {type(leaf).__name__}"
            )
            raise TypeError(f"cannot draw {what}, which has no graph; expected a Tensor or a tree of Tensors")
    if not leaves:
        raise TypeError("cannot draw a tree without leaves; expected a Tensor or a tree of Tensors")
    return list(dict.fromkeys(leaf.node for leaf in leaves))


def _inputs(inputs: Any, leaves: Sequence[Node], names: Mapping[Node, str]) -> set[Node]:
    """The leaves that `inputs`, names or Tensors, mean."""
    found: set[Node] = set()
    for given in [inputs] if isinstance(inputs, str | Tensor) else inputs:
        if isinstance(given, Tensor):
            meant = [leaf for leaf in leaves if leaf is given.node]
        else:
            meant = [leaf for leaf in leaves if names.get(leaf) == given]
        if not meant:
            known = ", ".join(sorted(names[leaf] for leaf in leaves if leaf in names)) or "without names"
            raise ValueError(f"inputs: {given!r} is not a leaf of this graph; its leaves are {known}")
        found.update(meant)
    return found


def values(node: Node) -> list[Any]:
    """The arrays and numbers that the function of `node` was given."""
    operands = list(node.operands)
    for position, x in node.sources:
        operands[position] = x.value
    return operands


@functools.lru_cache(maxsize=64)
def dtype(of: np.dtype[Any]) -> str:
    """The name of a dtype, cached: NumPy takes 7 µs to make it, and every box has one."""
    return str(of)
