"""What a picture shows, before it is drawn: boxes, edges and nested groups, as plain data.

Every writer (DOT, the page, Mermaid, JSON, the table) reads this one description. It holds no node and no array, so a
picture does not keep a graph alive.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from tinygrad_cnn.pictures.view.values import Value

Kind = Literal["input", "parameter", "constant", "primitive", "scope", "cotangent", "rule"]
Flow = Literal["forward", "again", "backward", "earlier", "use", "tie"]
Half = Literal["forward", "backward"]
GroupKind = Literal["scope", "loop", "rule", "part"]


@dataclass(frozen=True)
class Mark:
    """What a tool shows at one step, such as how far two gradients diverge there.

    severity  from 0 (fine) to 1 (as bad as can be); it becomes the colour of the step, from white to dark red
    note      a few words that are written in the step: "off by 0.89"
    flag      this is the step to look at first: it gets a thick border and a sign
    link      where a click on the step leads, within the page that an SVG stands in: "#step-dz"

    `render(loss, marks={node: Mark(...)})` marks steps of a graph, each of which is a `Node` (that of a Tensor is
    `tensor.node`). In a picture with `backward=True` the cotangents of the nodes are marked, otherwise the nodes
    themselves. Raises ValueError for a severity outside 0..1, and for a link out of the page.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = tg.Tensor([1.0, 2.0], "x")
    >>> y = np.sum(x * x)
    >>> "off by a half" in tg.render(y, marks={y.node: Mark(0.5, "off by a half")}).dot
    True
    """

    severity: float
    note: str = ""
    flag: bool = False
    link: str = ""

    def __post_init__(self) -> None:
        if not (isinstance(self.severity, int | float) and 0 <= self.severity <= 1) or math.isnan(self.severity):
            raise ValueError(f"Mark: severity is {self.severity!r}; expected a number from 0 to 1")
        if self.link and not self.link.startswith("#"):
            raise ValueError(f"Mark: link is {self.link!r}; expected a fragment of the page, as '#step-dz'")

    @property
    def rank(self) -> tuple[bool, float]:
        """What marks are compared by: of several at one box, the largest is shown."""
        return self.flag, self.severity


class Cost(NamedTuple):
    """The cost of a step: seconds forward and backward, floating-point operations (None: unknown) and bytes moved."""

    forward: float
    backward: float
    flops: float | None
    bytes: float


class Rule(NamedTuple):
    """How a box was computed, for a reader: a sentence about the function, its source, and the boxes whose elements it
    reads, if it is the rule of a cotangent.
    """

    summary: str
    source: str
    needs: tuple[str, ...] = ()


@dataclass(slots=True)
class Box:
    """One thing that is drawn: a value and what computed it, or a closed group.

    id         unique in the diagram; it has no meaning, the other fields do
    number     the number of the value in formulas ("%3"), and of its cotangent ("∂3"); None for all other boxes
    name       the name that the user gave to the value, or None
    primitive  what computed it: "matmul"; of a cotangent, whose rule did
    summary    the call in short, with a dot for each value that flows in: "max_pool2d(·, window=2)"; of a closed group,
               how many steps it has
    formula    the call: "max_pool2d(relu, window=2)"
    shape, dtype, bytes  of the value; where boxes of several shapes are drawn as one, "1…196×4"
    axes       the shape as numbers, of the first value that is drawn as this box
    group      the innermost group that it is in, or None
    stays      it is drawn even when its group is closed (parameters, inputs and constants, which come from outside)
    order      its place in the order of execution
    count      how many nodes are drawn as this one
    is_result  it is the result that was drawn
    of         the box whose cotangent it is
    layer      what it is in a network: one of `declarations.KINDS`, or ""
    is_part    it is drawn in the place of a part of what nothing else divides
    inherited  all that is wrong with its value was wrong with what it was computed from
    before     for a difference: the value that it had before
    change     for a difference: "added", "removed" or None
    reached    where an element is followed: it is of this value ("pixel"), which it was computed from ("before"), or
               which it influences ("after"); None where it does neither
    shows      of what is drawn in the place of a closed group: the box whose value it shows
    """

    id: str
    kind: Kind
    name: str | None
    primitive: str
    shape: str
    dtype: str
    bytes: int
    order: int
    axes: tuple[int, ...] = ()
    number: int | None = None
    group: str | None = None
    stays: bool = False
    summary: str = ""
    formula: str = ""
    line: str = ""
    count: int = 1
    is_result: bool = False
    of: str | None = None
    layer: str = ""
    is_part: bool = False
    inherited: bool = False
    value: Value | None = None
    before: Value | None = None
    change: str | None = None
    mark: Mark | None = None
    cost: Cost | None = None
    rule: Rule | None = None
    shows: str | None = None
    reached: str | None = None

    @property
    def title(self) -> str:
        """What it is called in a picture."""
        return self.name or self.primitive

    @property
    def half(self) -> Half:
        """The half of the picture that it is in, and so the half of a closed group that is drawn in its place."""
        return "backward" if self.kind in ("cotangent", "rule") else "forward"

    @property
    def is_step(self) -> bool:
        """Whether it counts as something that a group does."""
        return self.kind in ("primitive", "scope", "rule")


@dataclass(slots=True)
class Edge:
    """From one box to another.

    flow    "forward"; "again", to a step of the next iteration of a loop; "backward", a cotangent; "earlier", a
            cotangent for the iteration before; "use", a value that a rule needs; "tie", from a value to its cotangent
    label   the shape of what flows
    detail  a group: the edge is drawn only while that is open
    short   a group: the edge is drawn only while that is closed
    """

    tail: str
    head: str
    flow: Flow
    label: str = ""
    position: int = 0
    count: int = 1
    detail: str | None = None
    short: str | None = None
    change: str | None = None


@dataclass(slots=True)
class Group:
    """A scope, a loop, what a rule computed, or a part of what nothing else divides (`parts`).

    It is drawn as a frame, or closed: as one box, or one for each half.

    forward, backward  the boxes that are drawn in the place of its two halves when it is closed; None if there is none.
                       What a rule computed for a cotangent is closed into that cotangent.
    number             of several with the same name, which it is in the order of execution, from 1 on; 0 if it is alone
    layer              what it is in a network, if it is one of its layers: one of `declarations.KINDS`, or "layer"
    computes           it is what a rule computed for the cotangent `backward`: closed unless `collapse=0`
    """

    id: str
    kind: GroupKind
    name: str
    parent: str | None
    depth: int
    caption: str = ""
    forward: str | None = None
    backward: str | None = None
    computes: bool = False
    layer: str = ""
    number: int = 0
    cost: Cost | None = None

    @property
    def title(self) -> str:
        """What it is called in a picture: "conv2d 2"."""
        return f"{self.name} {self.number}" if self.number else self.name

    @property
    def fewest(self) -> int:
        """The steps from which on it has a frame: a scope of a single step is named in the box of that step."""
        return 2 if self.kind == "scope" else 1


@dataclass
class Diagram:
    """The contents of a picture.

    boxes, groups  by id; `boxes` are in the order of execution, and parents before the groups in them
    group_boxes    the boxes that are drawn in the place of closed groups, by id
    title          what it is a picture of
    notes          what a reader has to know: what was folded, what was compared
    dtype          that of most boxes, which is not repeated in each of them
    is_poster      each step is drawn as one card, with its parameters and what flows back
    steps, parameters  how many nodes of the graph were computed, and how many are leaves that gradients are taken for
    influence      how its values depend on each other, element by element, for a page: see `packed.py`
    pixel          the element that a page follows at first: the id of a box, and a number
    """

    boxes: dict[str, Box] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)
    group_boxes: dict[str, Box] = field(default_factory=dict)
    title: str = ""
    notes: list[str] = field(default_factory=list)
    dtype: str = ""
    is_poster: bool = False
    steps: int = 0
    parameters: int = 0
    influence: dict[str, Any] | None = None
    pixel: str | None = None

    def add_group(self, kind: GroupKind, name: str, parent: str | None, caption: str = "") -> Group:
        """A new group within `parent`."""
        id = f"s{len(self.groups)}"
        group = self.groups[id] = Group(id, kind, name, parent, self._depth(kind, parent), caption)
        return group

    def _depth(self, kind: GroupKind, parent: str | None) -> int:
        return 1 if parent is None else self.groups[parent].depth + (0 if kind == "loop" else 1)

    def sort_groups(self) -> None:
        """Put groups behind those that they are in, after some were put into others, and say how deep they are."""
        found: dict[str, Group] = {}
        for group in self.groups.values():
            around = []
            for outer in self.ancestors(group.id):
                if outer.id in found:
                    break
                around.append(outer)
            for outer in reversed(around):
                found[outer.id] = outer
                outer.depth = self._depth(outer.kind, outer.parent)
        self.groups = found

    def put(self, into: Mapping[str, str | None]) -> None:
        """Put boxes into groups, by their ids, and with each its cotangent and what rules compute for that."""
        cotangents = self.cotangents() if into else {}
        for id, group in into.items():
            self.boxes[id].group = group
            g = self.boxes.get(cotangents.get(id, ""))
            if g is None:
                continue
            rule = self.groups.get(g.group or "")
            if rule is not None and rule.backward == g.id:
                rule.parent = group
            else:
                g.group = group

    def ancestors(self, group: str | None) -> Iterable[Group]:
        """A group and those that it is in, from the inside out."""
        while group is not None:
            found = self.groups[group]
            yield found
            group = found.parent

    def path(self, group: Group) -> str:
        """The names of the scopes from the outermost to this one: "conv/conv2d"."""
        return "/".join(g.name for g in reversed(list(self.ancestors(group.id))) if g.kind != "loop")

    def cotangents(self) -> dict[str, str]:
        """The cotangent of each box that has one, by their ids."""
        return {box.of: box.id for box in self.boxes.values() if box.of is not None}

    def takers(self) -> dict[str, set[str]]:
        """The boxes that take the value of each box, in the forward half."""
        found: dict[str, set[str]] = {}
        for edge in self.edges:
            if edge.flow in ("forward", "again"):
                found.setdefault(edge.tail, set()).add(edge.head)
        return found

    def sources(self) -> dict[str, dict[str, None]]:
        """The boxes whose value each box takes, in the forward half, in the order in which it takes them."""
        found: dict[str, dict[str, None]] = {}
        for edge in self.edges:
            if edge.flow in ("forward", "again"):
                found.setdefault(edge.head, {})[edge.tail] = None
        return found

    def nested(self) -> Iterator[Box | tuple[Literal["begin", "end"], Group]]:
        """Boxes and groups as they are nested: a group begins, its boxes and then its groups follow, and it ends."""
        children: dict[str | None, list[Group]] = {}
        for group in self.groups.values():
            children.setdefault(group.parent, []).append(group)
        inside: dict[str | None, list[Box]] = {}
        for box in self.boxes.values():
            inside.setdefault(box.group, []).append(box)
        yield from inside.get(None, [])
        # A stack of what is still to come, and no recursion: groups may be nested as deeply as memory allows.
        waiting: list[tuple[Literal["begin", "end"], Group]] = []
        waiting += [("begin", group) for group in reversed(children.get(None, []))]
        while waiting:
            event, group = waiting.pop()
            yield event, group
            if event == "begin":
                yield from inside.get(group.id, [])
                waiting.append(("end", group))
                waiting += [("begin", child) for child in reversed(children.get(group.id, []))]
