"""The boxes of a graph as it was recorded: leaves, constants and steps, and what flows between them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Node, Scope
from tinygrad_cnn.names import operands_of
from tinygrad_cnn.origins import Origin, first_origin_of
from tinygrad_cnn.pictures.read.loops import Loop, scopes_of
from tinygrad_cnn.pictures.read.reading import Reading, dtype, primitive_of
from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.view.diagram import Box, Diagram, Edge
from tinygrad_cnn.pictures.view.layers import LINEAR
from tinygrad_cnn.pictures.view.values import describe_all


def draw_forward(diagram: Diagram, reading: Reading, values: bool) -> None:
    """Put the boxes and edges of a graph into `diagram`; values: with what they hold."""
    groups, constants = Groups(diagram, reading), Constants(diagram, values, set(reading.names.values()))
    results = set(reading.roots)
    for id, members in reading.members.items():
        order = reading.numbers[id]
        node, leaf = members[0], members[0].primitive is None
        kind: Any = "primitive" if not leaf else "input" if node in reading.inputs else "parameter"
        box = diagram.boxes[id] = Box(
            id,
            kind,
            _name(reading, members),
            kind if leaf else primitive_of(node),
            labels.shapes([n.like.shape for n in members]),
            dtype(node.like.dtype),
            node.like.nbytes,
            order,
            axes=node.like.shape,
            number=order,
            line=reading.line(node),
            count=len(members),
            is_result=not results.isdisjoint(members),
            stays=leaf,
            layer="" if leaf else node.primitive.kind,
        )
        if not leaf:
            box.group = groups.of(members, reading.loops[id])
            _say_call(box, members, reading, constants)
        if values:
            box.value = describe_all([n.value for n in members], flows=not leaf)
    _connect(diagram, reading)


def _name(reading: Reading, members: list[Node]) -> str | None:
    """What a box is called: its nodes' name, or "W0 … W7"."""
    first, last = reading.names.get(members[0]), reading.names.get(members[-1])
    if first is None or last is None or first == last:
        return None if first is None else labels.clean(first)
    return labels.clean(f"{first} … {last}")


def _connect(diagram: Diagram, reading: Reading) -> None:
    """The edges from node to node; of those that are drawn as one, one."""
    seen: dict[tuple[str, str, int], Edge] = {}
    for id, members in reading.members.items():
        for node in members:
            for position, x in node.sources:
                tail = reading.ids[x]
                known = seen.get((tail, id, position)) if len(members) > 1 else None
                if known is not None:
                    known.count += 1
                    continue
                box = diagram.boxes[tail]
                flow: Any = "again" if box.order >= diagram.boxes[id].order else "forward"
                seen[tail, id, position] = made = Edge(tail, id, flow, box.shape, position)
                diagram.edges.append(made)


class Groups:
    """The groups of a diagram, made as boxes come to be put into them."""

    def __init__(self, diagram: Diagram, reading: Reading) -> None:
        self.diagram, self.reading = diagram, reading
        self.known: dict[Any, str] = {}

    def of(self, members: Sequence[Node], loop: Loop | None) -> str | None:
        """The innermost group of what is drawn as one; a loop stands within the scopes that were open around it."""
        if loop is None and members[0].scope is None:
            return None
        loops: list[Loop] = []
        while loop is not None:
            loops.append(loop)
            loop = loop.parent
        scopes = scopes_of(members[0])
        group: str | None = None
        for depth in range(len(scopes) + 1):
            while loops and loops[-1].depth <= depth:
                group = self._loop(loops.pop(), group, members[0])
            if depth < len(scopes):
                group = self._scope(scopes[depth], group, members, depth)
        return group

    def _loop(self, loop: Loop, parent: str | None, node: Node) -> str:
        if loop not in self.known:
            least, most = min(loop.iterations), max(loop.iterations)
            times = f"× {least:,}" if least == most else f"× {least:,}…{most:,}"
            line, function = self.reading.line(node).rsplit(" in ", 1)
            caption = f"the iterations of a loop in {function}, {line}"
            self.known[loop] = self.diagram.add_group("loop", times, parent, caption).id
        return self.known[loop]

    def _scope(self, scope: Scope, parent: str | None, members: Sequence[Node], depth: int) -> str:
        """The group of a scope; in a loop, each iteration enters one of its own, and they are drawn as one."""
        same = [scope]
        if len(members) > 1:
            same = [path[depth] for path in map(scopes_of, members) if len(path) > depth]
        known = next((self.known[parent, s] for s in same if (parent, s) in self.known), None)
        if known is None:
            kind: Any = "scope" if scope.rule_of is None else "rule"
            group = self.diagram.add_group(kind, labels.clean(scope.name) or "scope", parent)
            group.layer = scope.kind
            known = group.id
        for s in same:
            self.known[parent, s] = known
        return known


class Constants:
    """The arrays that steps take and that have no node."""

    def __init__(self, diagram: Diagram, values: bool, taken: Collection[str]) -> None:
        self.diagram, self.values, self.taken = diagram, values, taken
        self.known: dict[Any, str] = {}
        self.named: Counter[str] = Counter()

    def _called(self, name: str | None) -> str | None:
        """A name that no other box has; where a step has it too, as in `h = tanh(h)`, this is h₀."""
        if name is None:
            return None
        name = labels.clean(name)
        self.named[name] += 1
        place = self.named[name] - (name in self.taken)
        return labels.numbered(name, place)

    def box(self, taker: Box, position: int, arrays: Sequence[Any], node: Node) -> Box:
        """The box of a constant, with an edge to what takes it; one box for all that take the same.

        arrays: what the nodes that are drawn as `taker`, of which `node` is the first, take there. What the steps hold
        are copies; arrays of one name and equal elements are one. What was moved from an array is drawn so.
        """
        origins = [first_origin_of(array) for array in arrays]
        if None in origins:
            found = self._array(arrays, operands_of(node).get(position) or _image(node, position), taker)
        else:
            found = self._moved([origin for origin in origins if origin is not None], arrays, node, taker)
        self.diagram.edges.append(Edge(found.id, taker.id, "forward", found.shape, position, len(arrays)))
        return found

    def _array(self, arrays: Sequence[Any], name: str | None, taker: Box) -> Box:
        array = arrays[0]
        key = tuple(map(id, arrays)) if name is None else (name, *map(_contents, arrays))
        id_ = self.known.get(key)
        if id_ is not None:
            return self.diagram.boxes[id_]
        id_ = self.known[key] = f"c{len(self.known)}"
        box = self.diagram.boxes[id_] = Box(
            id_,
            "constant",
            self._called(name),
            "mask" if array.dtype == bool else "constant",
            labels.shapes([x.shape for x in arrays]),
            dtype(array.dtype),
            array.nbytes,
            taker.order,
            axes=array.shape,
            count=len(arrays),
            stays=True,
        )
        if self.values:
            box.value = describe_all(arrays, flows=False)
        return box

    def _moved(self, origins: Sequence[Origin], arrays: Sequence[Any], node: Node, taker: Box) -> Box:
        """The box of what was moved from arrays before any node was recorded, with the box of those."""
        source = self._array([origin.source for origin in origins], _image(node, 0), taker)
        id_ = f"m{len(self.diagram.boxes)}"
        steps, array = origins[0].steps, arrays[0]
        box = self.diagram.boxes[id_] = Box(
            id_,
            "primitive",
            None,
            steps.rsplit(", ", 1)[-1],
            labels.shapes([x.shape for x in arrays]),
            dtype(array.dtype),
            array.nbytes,
            taker.order - 1,
            axes=array.shape,
            group=taker.group,
            summary=steps,
            formula=f"{steps} of {source.title}, before anything was recorded",
            line=taker.line,
            count=len(arrays),
        )
        if self.values:
            box.value = describe_all(arrays, flows=False)
        self.diagram.edges.append(Edge(source.id, id_, "forward", source.shape, 0, len(arrays)))
        return box


def _image(node: Node, position: int) -> str | None:
    """What the first operand of a convolution or a linear layer is, as the call of that is written."""
    scope = node.scope
    if position or scope is None or scope.kind not in LINEAR:
        return None
    return operands_of(node, scope.name).get(0)


def _contents(array: Any) -> Any:
    """What two arrays have in common if and only if they are equal."""
    return array.shape, array.dtype.str, hashlib.blake2b(array.tobytes()).digest()


def _say_call(box: Box, members: list[Node], reading: Reading, constants: Constants) -> None:
    """The formula of a box, in whole and in short; numbers are written out, arrays get boxes of their own.

    In short, what flows is a dot, and static arguments that are as usual, or implied by the shapes, are left out. What
    differs among the nodes of a box is "…".
    """
    node, last = members[0], members[-1]
    sources = dict(node.sources)
    arguments, short, plain = [], [], True
    for position, operand in enumerate(node.operands):
        x = sources.get(position)
        if x is not None:
            arguments.append(reading.called(x))
            short.append("·")
        elif isinstance(operand, np.ndarray) and operand.size > 1 and operand.dtype.kind in "fciub":
            arrays = [n.operands[position] for n in members if position not in dict(n.sources)]
            arguments.append(constants.box(box, position, arrays, node).title)
            short.append("·")
        else:
            text = labels.argument(operand)
            arguments.append(text)
            short.append(text)
            plain = False
    for name, argument in node.static_args.items():
        text = labels.argument(argument)
        if last is not node and labels.argument(last.static_args.get(name)) != text:
            text = "…"
        arguments.append(f"{name}={text}")
        if name not in node.primitive.implied and not _is_usual(name, argument, node.primitive.defaults):
            short.append(f"{name}={text}")
            plain = False
    box.formula = labels.clean(f"{box.primitive}({', '.join(arguments)})", 160)
    box.summary = box.primitive if plain else labels.clean(f"{box.primitive}({', '.join(short)})", 40)


def _is_usual(name: str, argument: Any, usual: dict[str, Any]) -> bool:
    if name == "where" and argument is True:  # of every function of NumPy that has it
        return True
    if name not in usual:
        return False
    value = usual[name]
    return argument is value or (
        type(argument) is type(value) and isinstance(argument, int | float | str) and argument == value
    )
