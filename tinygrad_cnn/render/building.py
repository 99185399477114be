"""From the nodes of a graph to what a picture of it shows. Nothing else in this room reads nodes, but what this calls."""

from __future__ import annotations

import functools
import inspect
import textwrap
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.graph import Node, Scope, ancestors, source_line
from tinygrad_cnn.names import names_of, operands_of
from tinygrad_cnn.render import cost, folding, words
from tinygrad_cnn.render.marks import Mark
from tinygrad_cnn.render.sweep import Sweep, sweep
from tinygrad_cnn.render.values import Value, describe
from tinygrad_cnn.render.view import Box, Cost, Edge, Group, Rule, Shown, View
from tinygrad_cnn.tensor import Tensor


def view_of(
    result: Any,
    *,
    backward: bool = False,
    inputs: Any = (),
    values: bool = False,
    explained: bool = False,
    measure: bool = False,
    fold: bool | None = None,
    marks: Mapping[Node, Mark] | None = None,
) -> View:
    """What a picture of the graph of `result`, a Tensor or a tree of Tensors, shows. See `render`.

    explained: with the documentation and the rule of each step, for the page.
    """
    roots = _roots(result)
    nodes, _ = ancestors(roots)
    names = names_of(nodes)
    if fold or (fold is None and len(nodes) > folding.FEW):
        drawn = folding.folded(nodes, names)
    else:
        drawn = folding.unfolded(nodes)
    data = _inputs(inputs, nodes, names)
    # A rule's own steps are shown where they can be looked at: not of what is folded.
    back = sweep(roots, nodes, data) if backward or measure else None
    building = _Building(roots, names, drawn, data, back if backward else None, values)
    building.forward()
    if backward:
        building.backward()
    building.finish()
    if measure and back is not None:
        building.costs(back)
    if marks:
        building.marked(marks, backward)
    if explained:
        building.explained()
    building.close()
    return building.view


def _roots(result: Any) -> list[Node]:
    leaves = tree.flatten(result).leaves
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            what = f"an array of shape {leaf.shape}" if isinstance(leaf, np.ndarray) else f"{type(leaf).__name__}"
            raise TypeError(f"a picture is that of a Tensor, but this is {what}, which has no graph")
    if not leaves:
        raise TypeError("a picture is that of a Tensor, but there is none in what was given")
    return list(dict.fromkeys(leaf.node for leaf in leaves))


def _inputs(inputs: Any, nodes: Sequence[Node], names: Mapping[Node, str]) -> set[Node]:
    """The leaves that `inputs`, names or Tensors, mean."""
    found = set()
    for given in [inputs] if isinstance(inputs, str | Tensor) else inputs:
        leaves = [n for n in nodes if n.primitive is None]
        if isinstance(given, str):
            meant = [n for n in leaves if names.get(n) == given]
        else:
            meant = [n for n in leaves if isinstance(given, Tensor) and n is given.node]
        if not meant:
            known = ", ".join(sorted(names[n] for n in leaves if n in names)) or "none with a name"
            raise ValueError(f"inputs: {given!r} is no leaf of this graph; its leaves are {known}")
        found.update(meant)
    return found


class _Building:
    """A view while it is made."""

    def __init__(
        self,
        roots: list[Node],
        names: Mapping[Node, str],
        drawn: folding.Folded,
        inputs: Collection[Node],
        back: Sweep | None,
        values: bool,
    ) -> None:
        self.roots, self.names, self.drawn, self.inputs, self.back = roots, names, drawn, inputs, back
        self.values = values
        self.view = View(notes=list(drawn.notes), backward=back is not None)
        self.ids: dict[Node, str] = {}
        self.first: dict[str, Node] = {}  # the node whose value a box shows: the first of those that are drawn as it
        self.members: dict[str, list[Node]] = {}
        self.lines: dict[Any, str] = {}
        self.scopes: dict[Any, str] = {}
        self.canonical: dict[tuple[str | None, Scope], Scope] = {}
        self.constants: dict[Any, str] = {}
        self.operands: dict[tuple[str, int], str] = {}  # what each operand of a box is called
        for number, members in enumerate(drawn.classes):
            for node in members:
                self.ids[node] = f"n{number}"

    # Forward.

    def forward(self) -> None:
        """The boxes of nodes and constants, and the edges between them."""
        boxes, results = self.view.boxes, set(self.roots)
        folded = len(self.ids) > len(self.drawn.classes)
        for number, (members, loop) in enumerate(zip(self.drawn.classes, self.drawn.loops, strict=True)):
            node, id = members[0], f"n{number}"
            self.first[id], self.members[id] = node, members
            leaf = node.primitive is None
            like = node.like
            name = self.names.get(node)
            if len(members) > 1 and name is not None and leaf and name != self.names.get(members[-1]):
                name = f"{name} … {self.names.get(members[-1], '')}"
            box = boxes[id] = Box(
                id,
                ("input" if node in self.inputs else "parameter") if leaf else "primitive",
                None if name is None else words.clean(name),
                "" if leaf else words.clean(node.primitive.__name__),
                words.shape(like.shape) if len(members) == 1 else words.shapes([n.like.shape for n in members]),
                _name(like.dtype),
                like.nbytes,
                number,
                line=self._line(node),
                count=len(members),
                axes=tuple(like.shape),
                is_result=node in results if len(members) == 1 else not results.isdisjoint(members),
                stays=leaf,
            )
            if leaf:
                box.primitive = box.kind
            else:
                box.group = self._group(members, loop)
                self._operands(box, node, members[-1])
            if self.values:
                box.value = self._described(node.value, flows=not leaf)
        seen: dict[tuple[str, str, int], Edge] = {}
        for id, members in self.members.items():
            for node in members:
                for position, x in node.sources:
                    tail = self.ids[x]
                    edge = seen.get((tail, id, position)) if folded else None
                    if edge is not None:
                        edge.count += 1
                        continue
                    back = folded and boxes[tail].order >= boxes[id].order
                    edge = Edge(tail, id, "again" if back else "forward", boxes[tail].shape, position)
                    seen[tail, id, position] = edge
                    self.view.edges.append(edge)

    def _described(self, array: Any, flows: bool) -> Value:
        return describe(array, flows=flows)

    def _line(self, node: Node) -> str:
        line = self.lines.get(node.source)
        if line is None:
            file, rest = source_line(node).rsplit(":", 1)
            near = "/".join(file.replace("\\", "/").split("/")[-2:])  # the rest is the machine's
            line = self.lines[node.source] = words.clean(f"{near}:{rest}", None)
        return line

    def _operands(self, box: Box, node: Node, last: Node) -> None:
        """Constants as boxes, or as words in the box of `node`; and its formula.

        last: of the nodes that are drawn as `box`, the last; what differs between it and the first is left out.
        """
        sources = dict(node.sources)
        called: Mapping[int, str] | None = None
        arguments, short, plain = [], [], True  # short: what flows is a dot, and what is as always is left out
        for position, operand in enumerate(node.operands):
            x = sources.get(position)
            if x is not None:
                arguments.append(self._called(x))
                short.append("·")
            elif isinstance(operand, np.ndarray) and operand.size > 1 and operand.dtype.kind in "fciu":
                if called is None:
                    called = operands_of(node)
                arguments.append(self._constant(box, position, operand, called.get(position)))
                short.append("·")
            else:
                arguments.append(words.argument(operand))
                short.append(arguments[-1])
                plain = False
        if node.settings:
            usual = _defaults(node.primitive)
            for name, setting in node.settings.items():
                text = words.argument(setting)
                if last is not node and words.argument(last.settings.get(name)) != text:
                    text = "…"
                arguments.append(f"{name}={text}")
                if name not in _TOLD_BY_SHAPES and not (name in usual and _same(setting, usual[name])):
                    short.append(f"{name}={text}")
                    plain = False
        box.formula = words.clean(f"{box.primitive}({', '.join(arguments)})", 160)
        box.says = box.primitive if plain else words.clean(f"{box.primitive}({', '.join(short)})", 40)

    def _called(self, node: Node) -> str:
        name = self.names.get(node)
        return f"%{self.ids[node][1:]}" if name is None else words.clean(name)

    def _constant(self, taker: Box, position: int, array: Any, name: str | None) -> str:
        """The box of an array that a step takes; one for all that take the same. Gives what it is called."""
        key = id(array) if taker.count == 1 else (taker.id, position)
        found = self.constants.get(key)
        if found is None:
            found = self.constants[key] = f"c{len(self.constants)}"
            box = self.view.boxes[found] = Box(
                found,
                "constant",
                None if name is None else words.clean(name),
                "constant",
                words.shape(array.shape),
                _name(array.dtype),
                array.nbytes,
                taker.order,
                axes=tuple(array.shape),
                count=taker.count,
                stays=True,
            )
            if self.values:
                box.value = self._described(array, flows=False)
        self.view.edges.append(Edge(found, taker.id, "forward", self.view.boxes[found].shape, position, taker.count))
        return self.view.boxes[found].title

    # Groups: scopes, with loops among them.

    def _group(self, members: list[Node], loop: folding.Loop | None) -> str | None:
        """The innermost group of what is drawn as one."""
        node = members[0]
        if loop is None and node.scope is None:
            return None
        scopes = folding.scopes_of(node)
        loops: list[folding.Loop] = []
        while loop is not None:
            loops.append(loop)
            loop = loop.parent
        loops.reverse()
        parent: str | None = None
        for depth in range(len(scopes) + 1):
            while loops and loops[0].depth <= depth:
                parent = self._loop(loops.pop(0), parent, node)
            if depth < len(scopes):
                parent = self._scope(scopes[depth], parent, members, depth)
        return parent

    def _loop(self, loop: folding.Loop, parent: str | None, node: Node) -> str:
        found = self.scopes.get(loop)
        if found is None:
            least, most = min(loop.turns), max(loop.turns)
            times = f"× {least:,}" if least == most else f"× {least:,}…{most:,}"
            line, function = self._line(node).rsplit(" in ", 1)
            found = self._new_group("loop", times, parent, f"the turns of a loop in {function}, {line}")
            self.scopes[loop] = found
        return found

    def _scope(self, scope: Scope, parent: str | None, members: list[Node], depth: int) -> str:
        """The group of a scope; those of all turns of a loop are one."""
        same = [scope]
        if len(members) > 1:
            same = [path[depth] for path in map(folding.scopes_of, members) if len(path) > depth]
        known = next((self.scopes[parent, s] for s in same if (parent, s) in self.scopes), None)
        if known is None:
            kind: Any = "scope" if scope.rule_of is None else "rule"
            known = self._new_group(kind, words.clean(scope.name), parent)
        for s in same:
            self.scopes[parent, s] = known
        return known

    def _new_group(self, kind: Any, name: str, parent: str | None, says: str = "") -> str:
        id = f"s{len(self.view.groups)}"
        depth = 1 if parent is None else self.view.groups[parent].depth + (kind != "loop")
        self.view.groups[id] = Group(id, kind, name, parent, depth, says)
        return id

    # Backward.

    def backward(self) -> None:
        """The cotangent of each box, mirrored to it, and the steps of the rules that compute it."""
        assert self.back is not None
        view, back = self.view, self.back
        whole = next((self.names.get(root) for root in self.roots), None) if len(self.roots) == 1 else None
        of = "L" if whole is None or whole == "loss" else whole
        takers: dict[str, list[Edge]] = {}
        for edge in view.edges:
            takers.setdefault(edge.tail, []).append(edge)
        order = len(view.boxes)
        mirrored: dict[str, str] = {}
        for id in sorted(self.members, key=lambda id: -view.boxes[id].order):
            node = next((n for n in self.members[id] if n in back.values), None)
            if node is None:
                continue
            box, g = view.boxes[id], f"g{id[1:]}"
            mirrored[id] = g
            incoming = [
                e for e in takers.get(id, ()) if e.head in mirrored and self._has_rule(e.head, e.position)
            ] + ([None] if box.is_result else [])
            if len(incoming) > 1:
                by = f"sum of {len(incoming)}"
            else:
                by = "seed" if incoming == [None] else f"vjp of {view.boxes[incoming[0].head].primitive}"
            order += 1
            cotangent = view.boxes[g] = Box(
                g, "cotangent", f"∂{of}/∂{box.title}", by, box.shape, box.dtype, box.bytes, order,
                axes=box.axes, group=box.group, stays=box.stays, count=box.count, of=id, line=box.line,
            )  # fmt: skip
            if self.values:
                cotangent.value = self._described(back.values[node], flows=True)
            for edge in incoming:
                if edge is not None:
                    view.edges.append(
                        Edge(mirrored[edge.head], g, "backward", box.shape, edge.position, edge.count)
                    )
            view.edges.append(Edge(id, g, "tie"))
        if len(self.ids) == len(self.drawn.classes):
            self._rules(mirrored)

    def _has_rule(self, id: str, position: int) -> bool:
        return self.first[id].primitive.rules[position] is not None

    def _rules(self, mirrored: dict[str, str]) -> None:
        """What rules computed, in a group for each cotangent, which is closed to begin with."""
        assert self.back is not None
        view, back = self.view, self.back
        givers: dict[Node, list[str]] = {}  # the cotangent boxes that a recorded node is
        for node, whole in back.whole.items():
            givers.setdefault(whole, []).append(mirrored[self.ids[node]])
        shorts: dict[str, list[Edge]] = {}
        for edge in view.edges:
            if edge.flow == "backward":
                shorts.setdefault(edge.head, []).append(edge)
        number = 0
        for node, made in back.made.items():
            if len(made) < 2:
                for x in made:
                    self._uses(x, mirrored[self.ids[node]], mirrored)
                continue
            g = view.boxes[mirrored[self.ids[node]]]
            group = self._new_group("rule", g.primitive, g.group)
            view.groups[group].backward = g.id
            view.shut.add(group)
            here: dict[Node, str] = {made[-1]: g.id}
            for x in made[:-1]:
                number += 1
                here[x] = f"r{number}"
                view.boxes[here[x]] = Box(
                    here[x], "rule", None, words.clean(x.primitive.__name__), words.shape(x.like.shape),
                    _name(x.like.dtype), x.like.nbytes, g.order, axes=tuple(x.like.shape), group=group, line=g.line,
                )  # fmt: skip
                if self.values:
                    view.boxes[here[x]].value = self._described(x.value, flows=True)
            g.group = group
            for edge in shorts.get(g.id, ()):
                edge.short = group
            for x in made:
                for position, source in x.sources:
                    if source in here:
                        tail, flow = here[source], "backward"
                    elif source in givers:
                        tail, flow = self._giver(givers[source], shorts.get(g.id, ()), x), "backward"
                    elif source in self.ids:
                        tail, flow = self.ids[source], "use"
                    else:
                        continue
                    view.edges.append(
                        Edge(tail, here[x], flow, words.shape(source.like.shape), position, detail=group)  # type: ignore[arg-type]
                    )

    def _uses(self, made: Node, g: str, mirrored: dict[str, str]) -> None:
        """The values that a rule of one step needs."""
        for position, source in made.sources:
            if source in self.ids:
                self.view.edges.append(
                    Edge(self.ids[source], g, "use", words.shape(source.like.shape), position)
                )

    def _giver(self, candidates: list[str], incoming: Collection[Edge], taker: Node) -> str:
        """Of several cotangents that are one and the same, the one that the rule was given."""
        scope = taker.scope
        if scope is not None and scope.rule_of in self.ids:
            given = f"g{self.ids[scope.rule_of][1:]}"
            if given in candidates:
                return given
        return next((e.tail for e in incoming if e.tail in candidates), candidates[0])

    # What is known when all boxes are there.

    def finish(self) -> None:
        """Homes for what comes from outside, the dtype that all have in common, and a title."""
        view = self.view
        takers: dict[str, set[str | None]] = {}
        for edge in view.edges:
            if edge.flow == "forward" and view.boxes[edge.tail].stays:
                takers.setdefault(edge.tail, set()).add(view.boxes[edge.head].group)
        for id, groups in takers.items():
            box = view.boxes[id]
            if box.kind != "input":
                paths = [[group.id for group in view.ancestors(one)][::-1] for one in groups]
                common = [same[0] for same in zip(*paths, strict=False) if len(set(same)) == 1]
                # zip stops at the shortest, and the paths are those of one tree: what is equal is a prefix
                home = common[-1] if common else None
                if box.count == 1:  # what is the same in every turn of a loop stands before it
                    around = [g for g in view.ancestors(home) if g.kind == "loop"]
                    home = around[-1].parent if around else home
                box.group = home
            mirrored = view.boxes.get(f"g{id[1:]}")
            if mirrored is not None and id.startswith("n"):
                rule = mirrored.group
                if rule is not None and view.groups[rule].kind == "rule" and view.groups[rule].backward == mirrored.id:
                    view.groups[rule].parent = box.group
                else:
                    mirrored.group = box.group
        dtypes = Counter(box.dtype for box in view.boxes.values())
        self.view.dtype = dtypes.most_common(1)[0][0] if dtypes else ""
        names = [words.clean(self.names[root]) for root in self.roots if root in self.names]
        what = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
        view.title = what or "result"

    def costs(self, back: Sweep) -> None:
        """What each step costs, measured on the first node of each box."""
        view = self.view
        for id, node in self.first.items():
            if node.primitive is None:
                continue
            box = view.boxes[id]
            one = cost.measured(node, back.values)
            box.cost = Cost(*[None if part is None else part * box.count for part in one])  # type: ignore[arg-type]
            g = view.boxes.get(f"g{id[1:]}")
        incoming: dict[str, float] = {}
        for edge in view.edges:
            if edge.flow == "backward" and edge.detail is None and edge.tail.startswith("g"):
                giver = self.first[f"n{edge.tail[1:]}"]
                spent = cost.of_rule(giver, edge.position, back.values) * view.boxes[edge.tail].count
                incoming[edge.head] = incoming.get(edge.head, 0.0) + spent
        for id, spent in incoming.items():
            g = view.boxes[id]
            g.cost = Cost(0.0, spent, None, g.bytes * g.count)
        for group in view.groups.values():
            parts = [
                box.cost
                for box in view.boxes.values()
                if box.cost is not None and box.kind == "primitive" and group in view.ancestors(box.group)
            ]
            group.cost = cost.total(parts)

    def marked(self, marks: Mapping[Node, Mark], backward: bool) -> None:
        """Marks, on the cotangents in a picture of the gradient, else on the values."""
        for node, mark in marks.items():
            id = self.ids.get(node)
            if id is None:
                raise ValueError(f"marks: {node!r} is not in this graph")
            if backward and (g := f"g{id[1:]}") in self.view.boxes:
                id = g
            box = self.view.boxes[id]
            if box.mark is None or mark.severity > box.mark.severity or mark.flag:
                box.mark = Shown(mark.severity, words.clean(mark.note), mark.flag)

    def explained(self) -> None:
        """For the page: what each primitive and each rule is."""
        for id, node in self.first.items():
            box = self.view.boxes[id]
            if node.primitive is not None:
                box.rule = _forward_rule(node)
        for edge in self.view.edges:
            if edge.flow == "backward" and edge.detail is None and edge.head.startswith("g"):
                node = self.first[f"n{edge.tail[1:]}"]
                g = self.view.boxes[edge.head]
                said = _backward_rule(node, edge.position)
                g.rule = said if g.rule is None else Rule(g.rule.says, f"{g.rule.source}\n\n{said.source}")

    def close(self) -> None:
        """The boxes that stand for groups when they are closed."""
        view = self.view
        inside: dict[str, list[Box]] = {}
        for box in view.boxes.values():
            if not box.stays:
                for group in view.ancestors(box.group):
                    inside.setdefault(group.id, []).append(box)
        leaves = {  # what has left a group: the tails of edges to outside of it
            (edge.tail, edge.flow): None for edge in view.edges
        }
        del leaves
        outs: dict[str, set[str]] = {}
        for edge in view.edges:
            if edge.flow in ("forward", "again"):
                outs.setdefault(edge.tail, set()).add(edge.head)
        for group in view.groups.values():
            if group.kind == "rule" and group.backward is not None:
                continue
            boxes = inside.get(group.id, [])
            ids = {box.id for box in boxes}
            forward = [box for box in boxes if box.kind != "cotangent" and not (box.kind == "rule")]
            if len(forward) < 2 and group.kind != "loop":  # the one step says as much
                continue
            final = [box for box in forward if box.is_result or not outs.get(box.id, set()) <= ids] or forward[-1:]
            shown = max(final, key=lambda box: box.order)
            group.forward = f"t{group.id}"
            view.closed[group.forward] = Box(
                group.forward,
                "scope",
                shown.name,
                group.name,
                shown.shape,
                shown.dtype,
                sum(box.bytes for box in forward),
                shown.order,
                axes=shown.axes,
                group=group.parent,
                says=f"{sum(box.count for box in forward):,} steps",
                line=forward[0].line,
                count=1,
                is_result=any(box.is_result for box in forward),
                value=shown.value,
                mark=max((box.mark for box in forward if box.mark), key=lambda m: m.severity, default=None),
                cost=group.cost,
            )
            back = [box for box in boxes if box.kind == "cotangent"]
            if back:
                g = view.boxes.get(f"g{shown.id[1:]}", back[0])
                group.backward = f"u{group.id}"
                view.closed[group.backward] = Box(
                    group.backward,
                    "cotangent",
                    g.name if shown.name else f"{g.title.split('/')[0]}/∂{group.name}",
                    g.primitive,
                    g.shape,
                    g.dtype,
                    sum(box.bytes for box in back),
                    g.order,
                    axes=g.axes,
                    group=group.parent,
                    line=g.line,
                    of=group.forward,
                    value=g.value,
                    mark=max((box.mark for box in back if box.mark), key=lambda m: m.severity, default=None),
                )


def _forward_rule(node: Node) -> Rule:
    forward = node.primitive.forward
    doc = inspect.getdoc(node.primitive) or ""
    if isinstance(forward, np.ufunc):
        doc = doc.split("\n\n", 1)[-1]
    return Rule(words.clean(doc.split("\n\n")[0].replace("\n", " "), 300), _source(forward))


def _backward_rule(node: Node, position: int) -> Rule:
    rule: Any = node.primitive.rules[position]
    rule = getattr(rule, "func", rule)
    doc = (inspect.getdoc(rule) or "").split("\n")[0]
    return Rule(words.clean(doc, 300), _source(rule))


@functools.lru_cache(maxsize=1024)
def _source(function: Any) -> str:
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return ""
    lines = source.rstrip().split("\n")
    kept = lines if len(lines) <= 24 else [*lines[:24], "…"]
    return "\n".join(words.clean(line.expandtabs(4), 140) for line in kept)


_TOLD_BY_SHAPES = frozenset(("shape", "axes", "pad_width", "winners"))  # settings that the shapes on the arrows tell of


@functools.lru_cache(maxsize=64)
def _name(dtype: np.dtype[Any]) -> str:
    return str(dtype)


@functools.lru_cache(maxsize=1024)
def _defaults(primitive: Any) -> dict[str, Any]:
    """The settings of a primitive that have a usual value."""
    if isinstance(primitive.forward, np.ufunc):
        return {}
    parameters = inspect.signature(primitive.forward).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _same(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) and isinstance(a, int | float | str) and a == b)
