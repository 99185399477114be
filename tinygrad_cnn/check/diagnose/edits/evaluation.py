"""The value of each term of a program, and what the result becomes if some terms are exchanged for others."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.terms import NP, Term, in_order
from tinygrad_cnn.lowering.numpy_source import helpers

Array = Any
Exchanged = Mapping[Term, Term]

FAILURES = (
    ArithmeticError, AttributeError, LookupError, MemoryError, NotImplementedError, TypeError, ValueError,
)  # fmt: skip
EACH = 8  # operations that it takes to make an edit and to look at the result
SMALL = 2000  # elements that take as long as a call of NumPy
QUICK = 4  # how many products of a matrix product take as long as another operation on one element
ENORMOUS = 10**7  # elements that an edit could make of two arrays that are broadcast together
_OPERATORS: dict[str, Any] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "@": operator.matmul,
    "**": operator.pow, "//": operator.floordiv, "%": operator.mod, "&": operator.and_, "|": operator.or_,
    "^": operator.xor, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq,
    "!=": operator.ne, "-x": operator.neg, "+x": operator.pos, "~x": operator.invert, "not x": operator.not_,
}  # fmt: skip


def _refuse_misfit(function: Any, x: Any, index: Any, values: Any) -> None:
    """Raise ValueError if values do not fit: NumPy 2.4's `add.at` crashes then, of a scalar index."""
    target, added = (x, values) if function is helpers.add_at else (np.empty(values), x)
    np.broadcast_to(added, target[index].shape)


def compute(x: Term, args: Sequence[Any]) -> Any:
    """The value of a term that is no name, from those that it takes."""
    op = x.op
    if op in _OPERATORS:
        if len(args) == 2 and op != "@" and np.size(args[0]) * np.size(args[1]) > ENORMOUS:
            _refuse_enormous(*args)
        return _OPERATORS[op](*args)
    if op == "constant":
        return x.data
    if op == "call":
        if args[0] in (helpers.add_at, helpers.scatter):
            _refuse_misfit(*args)
        positional = len(args) - len(x.data)
        return args[0](*args[1:positional], **dict(zip(x.data, args[positional:], strict=True)))
    if op == "attribute":
        return getattr(args[0], x.data)
    if op == "index":
        return args[0][args[1]]
    if op == "slice":
        given = iter(args)
        return slice(*[next(given) if there else None for there in x.data])
    if op in ("tuple", "list"):
        return tuple(args) if op == "tuple" else list(args)
    raise KeyError(x.data)


def _refuse_enormous(a: Any, b: Any) -> None:
    """Raise ValueError if two arrays that are broadcast together make an enormous one."""
    if math.prod(np.broadcast_shapes(np.shape(a), np.shape(b))) > ENORMOUS:
        raise ValueError("enormous")


def _size(x: Any) -> int:
    return x.size if isinstance(x, np.ndarray) else 0


class Program:
    """A term with the values of all that it is made of.

    root     the term
    leaves   the values of the names in it, and of others that may take their place
    values   of every term
    users    the terms that take each
    spent    operations that edits of it took so far
    """

    def __init__(self, root: Term, leaves: Mapping[Term, Any]) -> None:
        self.root, self.leaves = root, leaves
        self.order = in_order([root])
        self.place = {x: k for k, x in enumerate(self.order)}
        self.values: dict[Term, Any] = {NP: np, **leaves}
        for x in self.order:
            if x not in self.values:
                self.values[x] = compute(x, [self.values[y] for y in x.args])
        self.users: dict[Term, list[Term]] = {x: [] for x in self.order}
        for x in self.order:
            for y in x.args:
                self.users[y].append(x)
        self._above: dict[Term, list[Term]] = {}
        self.spent = 0.0

    @property
    def value(self) -> Any:
        """That of the root."""
        return self.values[self.root]

    def above(self, x: Term) -> list[Term]:
        """`x` and what depends on it, in order."""
        if x not in self._above:
            found, waiting = {x}, [x]
            while waiting:
                for user in self.users[waiting.pop()]:
                    if user not in found:
                        found.add(user)
                        waiting.append(user)
            self._above[x] = sorted(found, key=self.place.__getitem__)
        return self._above[x]

    def edited(self, exchanged: Exchanged) -> Any:
        """The value of the root with some terms exchanged; None if that cannot be computed."""
        if len(exchanged) == 1:
            affected = self.above(next(iter(exchanged)))
        else:
            affected = sorted({y for x in exchanged for y in self.above(x)}, key=self.place.__getitem__)
        self.spent += EACH + sum([self.weights[x] for x in affected])
        now: dict[Term, Any] = {}
        try:
            with np.errstate(all="ignore"):
                for x in affected:
                    if x.op == "name" or x in self.leaves:
                        now[x] = self.values[x]
                    elif any(y in now for y in x.args):
                        now[x] = compute(x, [now[y] if y in now else self.values[y] for y in x.args])
                    else:
                        now[x] = self.values[x]
                    if x in exchanged:
                        now[x] = self.of(exchanged[x], now)
        except FAILURES:
            return None
        return now[self.root]

    def taken(self) -> float:
        """How many operations edits took since this was asked."""
        spent, self.spent = self.spent, 0.0
        return spent

    @functools.cached_property
    def weights(self) -> dict[Term, float]:
        """How many operations on small arrays each term is worth."""
        return {x: 1.0 + self._work(x) / SMALL for x in self.order}

    def _work(self, x: Term) -> float:
        """Elements of a term that are arrays; of a product, a share of how many are multiplied."""
        size, inner = _size(self.values[x]), _size(self.values[x.args[0]]) if x.op == "@" else 0
        of_product = inner * _size(self.values[x.args[1]]) / size if inner and size else 0.0
        return float(size + np.sqrt(of_product) * size / QUICK)

    def of(self, x: Term, now: Mapping[Term, Any] | None = None) -> Any:
        """The value of any term of this program's terms and leaves."""
        now = now or {}
        if x in now:
            return now[x]
        if x in self.values:
            return self.values[x]
        value = compute(x, [self.of(y, now) for y in x.args])
        if not now:
            self.values[x] = value
        return value

    def with_leaves(self, leaves: Mapping[Term, Any]) -> Program:
        """The same program at other values of its leaves."""
        return Program(self.root, {**self.leaves, **leaves})
