"""A program as a textbook has it: 1 - h**2 instead of (1 - h) * (1 + h), a mean as a mean, no double negatives.

Rules are for numerical stability and for any shape; people write what is the same in fewer signs. Every rewriting is
checked on the values, so that one which does not hold for these is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.evaluation import FAILURES, Program
from tinygrad_cnn.check.diagnose.edits.terms import Term, constant, in_order

Rewrite = Callable[[Term, "Values"], Term | None]
ALIKE = 1e-11  # relative
ROUNDS = 4


class Values:
    """The values of terms, also of new ones."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def of(self, x: Term) -> Any:
        """The value; None if there is none."""
        try:
            with np.errstate(all="ignore"):
                return self.program.of(x)
        except FAILURES:
            return None

    def same(self, x: Term, y: Term) -> bool:
        """Whether two terms have the same value, up to rounding."""
        return alike(self.of(x), self.of(y))

    def shape(self, x: Term) -> tuple[int, ...]:
        """The shape of the value."""
        return np.shape(self.of(x))


def alike(a: Any, b: Any, within: float = ALIKE) -> bool:
    """Whether two values are the same up to rounding."""
    if a is None or b is None or np.shape(a) != np.shape(b):
        return False
    try:
        size = np.max(np.abs(b), initial=0.0)
        with np.errstate(invalid="ignore"):
            return bool(np.isfinite(size) and np.all(np.abs(np.subtract(a, b, dtype=float)) <= within * size))
    except (TypeError, ValueError):
        return False


def textbook(program: Program, for_all: bool = False) -> Program:
    """The program in textbook form. for_all: without rewritings that hold for certain values alone."""
    values, root = Values(program), program.root
    for _ in range(ROUNDS):
        made: dict[Term, Term] = {}
        for x in in_order([root]):
            args = [made[y] for y in x.args]
            own = x if all(a is b for a, b in zip(args, x.args, strict=True)) else x.with_args(args)
            made[x] = _rewritten(own, values, RULES[1:] if for_all else RULES)
        if made[root] is root:
            break
        root = made[root]
    return Program(root, program.leaves)


def _rewritten(x: Term, values: Values, rules: Sequence[Rewrite]) -> Term:
    for rule in rules:
        found = rule(x, values)
        if found is not None and values.same(found, x):
            found.group = found.group or x.group
            return found
    return x


def number(x: Term) -> Any:
    """The number that a constant is; None if it is no constant."""
    if x.op == "-x" and x.args[0].op == "constant" and isinstance(x.args[0].data, int | float):
        return -x.args[0].data
    return x.data if x.op == "constant" and isinstance(x.data, int | float) and not isinstance(x.data, bool) else None


def binary(op: str, a: Term, b: Term, like: Term | None = None) -> Term:
    """An operator between two terms."""
    return Term(op, [a, b], None, None if like is None else like.group)


def negative(x: Term) -> Term:
    """The negative, without a second sign."""
    if x.op == "-x":
        return x.args[0]
    value = number(x)
    return constant(-value) if value is not None else Term("-x", [x], None, x.group)


def _negatives(x: Term, values: Values) -> Term | None:
    """Signs come to the front, and two cancel."""
    a, *rest = x.args or (x,)
    if x.op == "-x":
        if a.op == "-x":
            return a.args[0]
        if a.op == "-" and number(a.args[0]) is None:
            return binary("-", a.args[1], a.args[0], a)
    if x.op == "+" and rest[0].op == "-x":
        return binary("-", a, rest[0].args[0], x)
    if x.op == "+" and a.op == "-x" and rest[0].op != "-x":
        return binary("-", rest[0], a.args[0], x)
    if x.op == "-" and rest[0].op == "-x":
        return binary("+", a, rest[0].args[0], x)
    if x.op in ("*", "/", "@"):
        if a.op == "-x":
            return negative(binary(x.op, a.args[0], rest[0], x))
        if rest[0].op == "-x":
            return negative(binary(x.op, a, rest[0].args[0], x))
    if reduction(x) is not None and operand(x).op == "-x":
        return negative(_on(x, operand(x).args[0]))
    if x.op == "attribute" and x.data in ("T", "mT") and a.op == "-x":
        return negative(Term("attribute", [a.args[0]], x.data, x.group))
    if is_reshape(x) and operand(x).op == "-x":
        return negative(_on(x, operand(x).args[0]))
    return None


def _numbers(x: Term, values: Values) -> Term | None:
    """1 * x is x, 2.0 is 2, 0.125 * x is x / 8."""
    value = number(x) if x.op == "constant" else None
    if isinstance(value, float) and value == int(value or 0) and abs(value) < 1e6:
        return constant(int(value))
    if x.op == "*":
        for a, b in (x.args, x.args[::-1]):
            factor = number(a)
            if factor == 1:
                return b
            if isinstance(factor, float) and 0 < abs(factor) < 1 and abs(round(1 / factor) * factor - 1) < 1e-15:
                return binary("/", b, constant(round(1 / factor)), x)
        if number(x.args[1]) is not None and number(x.args[0]) is None:
            return binary("*", x.args[1], x.args[0], x)
        if number(x.args[0]) is not None and x.args[1].op == "*" and number(x.args[1].args[0]) is not None:
            return binary("*", constant(number(x.args[0]) * number(x.args[1].args[0])), x.args[1].args[1], x)
    if x.op == "/" and number(x.args[1]) == 1:
        return x.args[0]
    if x.op in ("+", "-") and number(x.args[1]) == 0:
        return x.args[0]
    if x.op == "+" and number(x.args[0]) == 0:
        return x.args[1]
    return None


def _products(x: Term, values: Values) -> Term | None:
    """(1 - h) * (1 + h) is 1 - h**2, and h * h is h**2."""
    if x.op == "*":
        a, b = x.args
        if a.op == "-" and b.op == "+" and number(a.args[0]) == number(b.args[0]) == 1 and a.args[1] is b.args[1]:
            return binary("-", constant(1), binary("**", a.args[1], constant(2)), x)
        if a is b:
            return binary("**", a, constant(2), x)
    if x.op == "/" and x.args[0].op == "/" and x.args[0].args[1] is x.args[1]:
        return binary("/", x.args[0].args[0], binary("**", x.args[1], constant(2)), x)
    return None


def _transposes(x: Term, values: Values) -> Term | None:
    """(a @ b).T is b.T @ a.T, and two transposes are none."""
    if x.op != "attribute" or x.data != "T":
        return None
    (a,) = x.args
    if a.op == "attribute" and a.data == "T":
        return a.args[0]
    has_one = any(y.op == "attribute" and y.data == "T" for y in a.args)
    if (a.op == "@" or (a.op == "*" and has_one)) and all(len(values.shape(y)) == 2 for y in a.args):
        turned = [y.args[0] if y.op == "attribute" and y.data == "T" else _turned(y, x) for y in a.args]
        return binary(a.op, turned[1], turned[0], a) if a.op == "@" else binary(a.op, turned[0], turned[1], a)
    return None


def _turned(x: Term, like: Term) -> Term:
    return Term("attribute", [x], "T", like.group)


def reduction(x: Term) -> str | None:
    """The name of a reduction: "sum" of x.sum(axis=0) and of np.sum(x, axis=0)."""
    if x.op == "call" and x.args[0].op == "attribute" and x.args[0].data in ("sum", "mean", "max", "min", "prod"):
        return str(x.args[0].data)
    return None


def is_reshape(x: Term) -> bool:
    """Whether it is x.reshape(...)."""
    return x.op == "call" and x.args[0].op == "attribute" and x.args[0].data == "reshape"


def _is_method(x: Term) -> bool:
    owner = x.args[0].args[0]
    return not (owner.op == "name" and owner.data == "np")


def operand(x: Term) -> Term:
    """What a call of NumPy's is of: x of x.sum() and of np.sum(x)."""
    return x.args[0].args[0] if _is_method(x) else x.args[1]


def _on(x: Term, operand: Term) -> Term:
    """The same call of another operand."""
    if _is_method(x):
        method = Term("attribute", [operand], x.args[0].data, x.args[0].group)
        return x.with_args([method, *x.args[1:]])
    return x.with_args([x.args[0], operand, *x.args[2:]])


def _sums(x: Term, values: Values) -> Term | None:
    """A sum with one more axis of length 1 keeps its dimensions."""
    if is_reshape(x):
        inner = operand(x)
        shape = values.shape(x)
        if reduction(inner) == "sum" and "keepdims" not in inner.data:
            summed = values.shape(operand(inner))
            if len(summed) == len(shape) and all(a in (1, b) for a, b in zip(shape, summed, strict=True)):
                return Term("call", [*inner.args, constant(True)], (*inner.data, "keepdims"), inner.group)
    return None


def _negligible(x: Term, values: Values) -> Term | None:
    """A contribution that is 0 but for rounding, as that of a maximum that only keeps exp from overflowing."""
    if x.op not in ("+", "-"):
        return None
    for mine, other in (x.args, x.args[::-1]):
        a, b = values.of(mine), values.of(other)
        if isinstance(b, np.ndarray) and b.dtype.kind == "f" and b.size and np.shape(a) == values.shape(x):
            size = np.max(np.abs(a), initial=0.0)
            if size > 0 and np.max(np.abs(b)) <= 1e-14 * size:
                return mine if mine is x.args[0] or x.op == "+" else None
    return None


def _relu(x: Term, values: Values) -> Term | None:
    """0.5 * ((z > 0) + (z >= 0)), which shares a tie, is z > 0 where none is."""
    if x.op != "+" or not all(_viewed(y) for y in x.args):
        return None
    strict, other = (y.args[0].args[0] for y in x.args)
    if strict.op == ">" and other.op == ">=" and strict.args[0] is other.args[0]:
        return binary("*", constant(2), strict, x)
    return None


def _viewed(x: Term) -> bool:
    return x.op == "call" and x.args[0].op == "attribute" and x.args[0].data == "view"


def _halved(x: Term, values: Values) -> Term | None:
    """X * (2 * y) / 2."""
    if x.op == "/" and number(x.args[1]) is not None and x.args[0].op == "*":
        for a, b in (x.args[0].args, x.args[0].args[::-1]):
            if b.op == "*" and number(b.args[0]) == number(x.args[1]):
                return binary("*", a, b.args[1], x)
    if x.op == "*" and x.args[1].op == "*" and number(x.args[1].args[0]) is not None and number(x.args[0]) is None:
        return binary("*", x.args[1].args[0], binary("*", x.args[0], x.args[1].args[1], x), x)
    if x.op == "/" and number(x.args[1]) is not None and x.args[0].op == "*" and number(x.args[0].args[0]) is not None:
        factor = number(x.args[0].args[0]) / number(x.args[1])
        if factor == round(factor) or factor in (0.5, 0.25):
            return binary("*", constant(factor), x.args[0].args[1], x)
    return None


RULES: list[Rewrite] = [_negligible, _negatives, _numbers, _products, _transposes, _sums, _relu, _halved]
