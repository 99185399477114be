"""Another operand from what is in scope, or a factor more."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np

from tinygrad_cnn.check.diagnose.edits.edit import Context, Edit, kind
from tinygrad_cnn.check.diagnose.edits.terms import Term, call, constant, in_order

LARGE = 40  # terms of a program, of which only some are tried with everything


def _alike_names(a: str, b: str) -> bool:
    """Whether two are the same value of other iterations: h[0] and h[1]."""
    return re.sub(r"\[\d+\]", "", a) == re.sub(r"\[\d+\]", "", b)


@kind(1.0)
def other_operand(x: Term, c: Context) -> Iterator[Edit]:
    """Another value of the same shape stands in its place."""
    if x not in c.operands:
        return
    shape, plain = c.shape(x), x.op == "name"
    if x is c.program.root and plain:
        shape = c.target.shape
    if not shape or (not plain and len(c.program.order) > LARGE):
        return
    for other in c.by_shape.get(shape, ()):
        if other is not x and not (x.op == "index" and other is x.args[0]) and np.any(c.value(other)):
            cost = 1.05 if plain else 1.3
            if plain and _alike_names(x.data, other.data):
                cost = 1.0
            yield Edit({x: other}, cost, "other", {"x": x, "y": other}, ("other", _shift(x, other)))
    if len(shape) == 2 and plain:
        for other in c.by_shape.get(shape[::-1], ()):
            if other is not x:
                turned = Term("attribute", [other], "T")
                yield Edit({x: turned}, 1.5, "other", {"x": x, "y": turned}, ("turned", other.data))
    if plain and len(c.program.order) <= LARGE:
        for it, others in c.by_shape.items():
            for other in others:
                if it != shape and it != shape[::-1] and c.is_float(other):
                    yield Edit({x: other}, 1.4, "other", {"x": x, "y": other}, ("other", other.data))


def _shift(x: Term, other: Term) -> object:
    """What is alike in all iterations of a loop, if one value stands for another."""
    numbers = [[int(n) for n in re.findall(r"\[(\d+)\]", str(y.data))] for y in (x, other)]
    plain = re.sub(r"\[\d+\]", "", str(other.data))
    if x.op != "name" or not all(numbers):
        return other.data if x.op != "name" else (plain, bool(numbers[1]))
    return plain, numbers[1][0] - numbers[0][0]


Form = Callable[[Term], Term]


def _binary(op: str, a: Term, b: Term) -> Term:
    return Term(op, [a, b])


def _square(v: Term) -> Term:
    return _binary("**", v, constant(2))


FORMS: tuple[Form, ...] = (
    lambda v: v,
    lambda v: _binary("-", constant(1), v),
    lambda v: _binary("-", constant(1), _square(v)),
    lambda v: _binary("*", v, _binary("-", constant(1), v)),
    _square,
    lambda v: _binary("+", constant(1), v),
    lambda v: _binary(">", v, constant(0)),
    lambda v: call("sqrt", v),
    lambda v: call("exp", v),
)


@kind(1.3)
def factor_more(x: Term, c: Context) -> Iterator[Edit]:
    """A factor too many, or a division, by a value in scope or a simple function of one."""
    root = x is c.program.root
    if x not in c.operands or not c.is_float(x) or not (root or len(c.program.order) <= LARGE):
        return
    shape = c.shape(x)
    for others in c.by_shape.values():
        for v in others:
            if not c.is_float(v) or not _fits(c.shape(v), shape) or np.ptp(c.value(v)) == 0:
                continue
            for k, form in enumerate(FORMS if root else FORMS[:2]):
                factor, cost = form(v), 1.3 + 0.05 * min(k, 4) + 0.1 * (not root)
                yield Edit({x: _binary("*", x, factor)}, cost, "factor_more", {"x": factor}, ("*", k, v.data))
                yield Edit({x: _binary("/", x, factor)}, cost, "division_more", {"x": factor}, ("/", k, v.data))


@kind(1.4)
def term_more(x: Term, c: Context) -> Iterator[Edit]:
    """A term too many, from scope."""
    if x is not c.program.root or not c.is_float(x):
        return
    for v in c.by_shape.get(c.shape(x), ()):
        yield Edit({x: _binary("+", x, v)}, 1.4, "term_more", {"x": v}, ("+", v.data))
        yield Edit({x: _binary("-", x, v)}, 1.4, "term_more", {"x": Term("-x", [v])}, ("-", v.data))


def _fits(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    return len(small) <= len(large) and all(n in (1, m) for n, m in zip(small[::-1], large[::-1], strict=False))


@kind(1.7)
def another_formula(x: Term, c: Context) -> Iterator[Edit]:
    """A simple function of one value instead of all."""
    if x is c.program.root and c.shape(x):
        for v in c.by_shape.get(c.shape(x), ()):
            for k, form in enumerate(FORMS[1:]):
                made = form(v)
                yield Edit({x: made}, 1.7 + 0.01 * k, "another", {"x": x, "y": made}, ("formula", k, v.data))


def _is_a_value(x: Term, c: Context) -> bool:
    """Whether it is a variable, or an element of a list or a dict of arrays."""
    return x.op == "name" or (x.op == "index" and not c.is_array(x.args[0]))


@kind(1.25)
def other_form(x: Term, c: Context) -> Iterator[Edit]:
    """Another derivative: 1 - h for 1 - h**2, of a term that one value alone is in."""
    if x not in c.operands or x.op in ("name", "constant"):
        return
    names = [y for y in in_order([x]) if c.is_array(y) and c.shape(y) and _is_a_value(y, c)]
    if len(names) != 1 or c.shape(names[0]) != c.shape(x) or len(in_order([x])) > 20:
        return
    for k, form in enumerate(FORMS):
        made = form(names[0])
        yield Edit({x: made}, 1.25 + 0.01 * k, "other", {"x": x, "y": made}, ("form", k))
