"""The computation graph: nodes, the order of their creation, and the names by which people know them.

A node records how a value was computed: the primitive, its operands and its static arguments. It never changes, and it
refers only to nodes that are older than itself. Hence the three things that everything else relies on: the order of
creation is a topological order, a graph has no cycle, and a graph that nothing refers to any more is freed at once, by
reference counting.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar, Token
from operator import attrgetter
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from tinygrad_cnn.declarations import known_kind
from tinygrad_cnn.sources import is_engine, line_of

P = ParamSpec("P")
R = TypeVar("R")

# An ndarray, a NumPy or Python number, or the Tensor that stands for one: whatever NumPy code may be handed. It is
# `Any` to the type checker, because the point of the package is that NumPy code need not know which of them it has.
Array = Any

_age = itertools.count()
_order = attrgetter("order")
_new = object.__new__


def now() -> int:
    """A number between the `order` of every node that there is and that of every node to come."""
    return next(_age)


class Node:
    """One value, and how it was computed. Immutable, but for the labels `name` and `cotangent`.

    primitive   the `Primitive` that computed it; None for a leaf, which a person made
    operands    what its forward function was given: arrays and numbers
    sources     (position, Node) for each operand that has a node, in order; the others are constants
    static_args the arguments to which no gradient flows (axis, stride, ...), by name
    value       the array (or, where NumPy gives one, the NumPy scalar)
    like        an array of the shape and dtype of `value` that lies in memory as NumPy's would, at no cost. Only that
                is true of it: nobody reads its elements, for they need not be those of the value
    order       when it was made: the sources of a node have smaller numbers than it has
    scope       the innermost `scope` that was open, or None
    source      the code object and the instruction that asked for it, for errors and pictures
    name        what a person calls it, or None
    cotangent   the gradient that `Tensor.backward` left here, or None
    swept       when `Tensor.backward` first went through here, in the numbers of `order`; not set before
    """

    __slots__ = (
        "cotangent", "like", "name", "operands", "order", "primitive", "scope", "source", "sources", "static_args",
        "swept", "value",
    )  # fmt: skip
    constant = False  # whether no gradient flows to it, and so none is lost where it becomes a number or an array

    def __init__(
        self,
        primitive: Any,
        operands: Sequence[Any],
        sources: Sequence[tuple[int, Node]],
        static_args: dict[str, Any],
        value: Array,
    ) -> None:
        self.primitive = primitive
        self.operands = operands
        self.sources = sources
        self.static_args = static_args
        self.value = self.like = value
        self.order = next(_age)
        self.scope = _scope.get()
        frame: Any = sys._getframe(2)  # what called the function that makes the node
        code = frame.f_code
        try:
            while is_engine[code.co_filename]:
                frame = frame.f_back
                code = frame.f_code
        except AttributeError:  # there is nothing but the engine
            frame = sys._getframe(2)
        self.source = (code, frame.f_lasti)
        self.name: str | None = None
        self.cotangent: Array = None
        self.swept: int

    def __repr__(self) -> str:
        made_by = "leaf" if self.primitive is None else self.primitive.__name__
        label = f" {self.name!r}" if self.name else ""
        return f"<Node {self.order}{label}: {made_by} {self.like.dtype}{list(self.like.shape)}>"


class Constant(Node):
    """A node that depends on nothing that is differentiated: an array made within a transform, so that Tensors can be
    assigned to it, and what is computed from such arrays alone.

    lent  references to the arrays that it has become; not set before. See `mutation/lending.py`
    """

    __slots__ = ("lent",)
    constant = True


class Handle:
    """What refers to a node: what a person holds, and may assign to. Its one subclass is `Tensor`.

    node   the node that it refers to; where it is a view (see `mutation/`), it is looked up through that
    _view  what this handle is a view of another by, or None
    """

    __slots__ = ("_view", "node")
    node: Node
    _view: Any

    def __init_subclass__(cls) -> None:
        global _handle_type
        _handle_type = cls

    def follow(self, result: Handle) -> Handle:
        """`result`, as a handle that follows this one: the result's memory is part of this one's."""
        raise NotImplementedError

    def become(self, result: Any) -> None:
        """Move this handle to `result`, of its own shape and dtype, as when it is assigned to."""
        raise NotImplementedError


_handle_type: type[Handle] = Handle


def handle_on(node: Node) -> Any:
    """A Tensor on `node`."""
    handle = _new(_handle_type)
    handle.node = node
    handle._view = None
    return handle


def read_only(array: Array) -> Array:
    """`array`, or a view of it, that cannot be written to. A NumPy scalar is returned as it is."""
    array = array.view() if array.flags.writeable else array
    array.setflags(write=False)
    return array


def source_line(node: Node) -> str:
    """Where `node` was asked for, as "file:line in function"."""
    return line_of(node.source)


def ancestors(roots: Iterable[Node], stop: Iterable[Node] = (), born: int = -1) -> tuple[list[Node], bool]:
    """Every node that `roots` are computed from, `roots` included, in the order in which they were made.

    The walk goes no further down than the nodes of `stop`, which are included, and leaves out what is older than
    `born`; whether it came upon anything that old is the second result. It uses a stack of its own, so a graph may be
    as deep as memory allows.
    """
    found = set(roots)
    waiting = list(found.difference(stop))
    found.update(stop)
    outside = False
    while waiting:
        for _, x in waiting.pop().sources:
            if x not in found:
                if x.order < born:
                    outside = True
                else:
                    found.add(x)
                    waiting.append(x)
    return sorted(found, key=_order), outside


# Recording, and the names of the parts of a model. Both are context variables: each thread and each asyncio task has
# its own.

# Whether nodes are made: True or False; or a `Mode`: then they are, and it is notified of each of them.
recording: ContextVar[Any] = ContextVar("recording", default=True)

# Whether a function is being run by a transform, such as `grad`, which will differentiate what it returns.
differentiating: ContextVar[bool] = ContextVar("differentiating", default=False)


class Mode:
    """What looks on as nodes are made and cotangents are passed on. This one does nothing; others do some of it."""

    def before(
        self, primitive: Any, operands: Sequence[Any], sources: Sequence[tuple[int, Node]], static_args: dict[str, Any]
    ) -> Node | None:
        """A node that has the result of this call already, or None: then the result is computed."""

    def made(self, node: Node) -> None:
        """A node was made by a primitive."""

    def passed(self, node: Node, position: int, g: Array, cotangent: Array) -> None:
        """The rule of `node` for the operand at `position` gave `cotangent`, of the cotangent `g` of the node."""

    def declared(self, primitive: Any, example: Sequence[Any] | None) -> None:
        """Rules were declared, with operands to try them on."""

    def within_checkpoint(self) -> Any:
        """What `recording` is while nodes are made of which none is to be kept."""
        return self


class no_grad:  # noqa: N801 (used as a word, like the functions of contextlib)
    """A context in which nothing is recorded: every result is a plain array.

    >>> import tinygrad_cnn as tg
    >>> t = tg.Tensor([1.0, 2.0])
    >>> with tg.no_grad():
    ...     print(type(t * 3).__name__)
    ndarray
    """

    def __init__(self) -> None:
        self._tokens: list[Token[Any]] = []  # a stack: one object may be entered within itself

    def __enter__(self) -> None:
        self._tokens.append(recording.set(False))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        recording.reset(self._tokens.pop())


class Scope:
    """A named part of a model, such as one convolution; each entry into a `scope` makes one of its own.

    name     what a person calls it
    parent   the scope that it is in, or None
    kind     what kind of layer it is, or ""
    rule_of  the node whose rule is run in it, when a gradient is recorded; else None
    order    when it was entered, in the numbers that nodes have
    """

    __slots__ = ("kind", "name", "order", "parent", "rule_of")

    def __init__(self, name: str, parent: Scope | None, kind: str = "", rule_of: Node | None = None) -> None:
        self.name, self.kind, self.parent = name, kind, parent
        self.rule_of = rule_of
        self.order = next(_age)

    def path(self) -> tuple[str, ...]:
        """The names from the outermost scope to this one."""
        names, scope = [], self
        while scope is not None:
            names.append(scope.name)
            scope = scope.parent  # type: ignore[assignment]
        return tuple(reversed(names))

    def __repr__(self) -> str:
        return f"<Scope {'/'.join(self.path())}>"


_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)


@contextlib.contextmanager
def scope_of_rule(node: Node) -> Iterator[None]:
    """The scope of what the rule of `node` computes."""
    token = _scope.set(Scope(f"vjp of {node.primitive.__name__}", node.scope, rule_of=node))
    try:
        yield
    finally:
        _scope.reset(token)


class scope:  # noqa: N801
    """A context that names a part of a model, for pictures and reports. It can also decorate a function.

    kind: what it is in a network, if it is one of its layers: "convolution", "activation", "pooling", "linear",
    "normalisation", "loss", or "layer" for any other. A picture draws a layer as one box of that colour.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> with tg.scope("head"):
    ...     t = np.exp(tg.Tensor(0.0))
    >>> t.node.scope
    <Scope head>
    """

    def __init__(self, name: str, kind: str = "") -> None:
        self.name, self.kind = name, known_kind(kind)
        self._tokens: list[Token[Scope | None]] = []

    def __enter__(self) -> Scope:
        entered = Scope(self.name, _scope.get(), self.kind)
        self._tokens.append(_scope.set(entered))
        return entered

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _scope.reset(self._tokens.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """`function`, each call of which is in a scope of its own."""

        @functools.wraps(function)
        def within(*args: P.args, **kwargs: P.kwargs) -> R:
            token = _scope.set(Scope(self.name, _scope.get(), self.kind))
            try:
                return function(*args, **kwargs)
            finally:
                _scope.reset(token)

        return within
