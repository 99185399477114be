"""What a picture shows, before anybody draws it: boxes, edges and nested groups, as plain data.

Every writer (DOT, the page, Mermaid, JSON, the table) reads this one description, and none of them sees a node. It
holds no array and no node, so a picture does not keep a graph alive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tinygrad_cnn.pictures.read.values import Value

Kind = Literal["input", "parameter", "constant", "primitive", "scope", "cotangent", "rule"]
Flow = Literal["forward", "again", "backward", "earlier", "use", "tie"]


class Cost(NamedTuple):
    """What a step costs: seconds forward and backward, floating-point operations (None: unknown) and bytes moved."""

    forward: float
    backward: float
    flops: float | None
    bytes: float


class Shown(NamedTuple):
    """A mark, as it is drawn: see `Mark`."""

    severity: float
    note: str
    flag: bool


class Rule(NamedTuple):
    """What a reader wants to know of how a box came about: what is said of the function, its source, and the boxes
    whose elements it reads, if it is the rule of a cotangent.
    """

    says: str
    source: str
    needs: tuple[str, ...] = ()


@dataclass(slots=True)
class Box:
    """One thing that is drawn: a value and what computed it, or a group that is closed.

    id         "n3" forward, "g3" the cotangent of n3, "c1" a constant, "r1" a step of a rule, "s1" and "t1" the forward
               and the backward half of a closed group
    name       what a person calls the value, or None
    primitive  what computed it: "matmul"; of a cotangent, whose rule
    says       the call in short, what flows as dots: "max_pool2d(·, window=2)"
    formula    the call: "max_pool2d(relu, window=2)"
    shape, dtype, bytes  of the value; where boxes of several shapes are drawn as one, "1…196×4"
    axes       the shape as numbers, of the first that is drawn as this box
    group      the innermost group that it is in, or None
    stays      it is drawn even when its group is closed (what comes from outside: parameters, inputs, constants)
    order      its place in the order of execution
    count      how many nodes are drawn as this one
    is_result  it is what was asked for
    of         the box whose cotangent it is
    before     for a difference: the value that it had before
    change     for a difference: "added", "removed" or None
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
    group: str | None = None
    stays: bool = False
    says: str = ""
    formula: str = ""
    line: str = ""
    count: int = 1
    is_result: bool = False
    of: str | None = None
    value: Value | None = None
    before: Value | None = None
    change: str | None = None
    mark: Shown | None = None
    cost: Cost | None = None
    rule: Rule | None = None

    @property
    def title(self) -> str:
        """What it is called in a picture."""
        return self.name or self.primitive


@dataclass(slots=True)
class Edge:
    """From one box to another.

    flow    "forward"; "again", to a step of the next turn of a loop; "backward", a cotangent; "earlier", a cotangent
            for the turn before; "use", a value that a rule needs; "tie", from a value to its cotangent
    label   the shape of what flows
    detail  the group of a rule within which it is drawn, when that is open
    short   the group of a rule in whose place it is drawn, when that is closed
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
    """A scope, a loop, or what a rule computed; drawn as a frame, or closed: as one box, or one for each direction.

    forward, backward  the boxes that stand for it when it is closed; None if there is nothing to stand for. What a rule
                       computed is closed into the cotangent that it computed.
    """

    id: str
    kind: Literal["scope", "loop", "rule"]
    name: str
    parent: str | None
    depth: int
    says: str = ""
    forward: str | None = None
    backward: str | None = None
    cost: Cost | None = None


@dataclass
class View:
    """A picture's contents.

    boxes, groups  by id; `boxes` are in the order of execution
    closed         the boxes that stand for groups when they are closed, by id
    title          what it is a picture of
    notes          what a reader has to be told: what was folded, which dtype everything has
    shut           the groups that are closed to begin with
    dtype          that of most boxes, which is not said in each of them
    steps, parameters  how many nodes of the graph were computed, and how many are leaves of which gradients are taken
    """

    boxes: dict[str, Box] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)
    closed: dict[str, Box] = field(default_factory=dict)
    title: str = ""
    notes: list[str] = field(default_factory=list)
    shut: set[str] = field(default_factory=set)
    dtype: str = ""
    steps: int = 0
    parameters: int = 0

    def ancestors(self, group: str | None) -> Iterable[Group]:
        """A group and those that it is in, from the inside out."""
        while group is not None:
            found = self.groups[group]
            yield found
            group = found.parent

    def box(self, id: str) -> Box:
        """The box with this id, whether it is one of the graph's or stands for a group."""
        return self.boxes[id] if id in self.boxes else self.closed[id]
