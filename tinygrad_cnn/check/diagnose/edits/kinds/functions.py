"""Another function: cos for sin, no root, an epsilon outside of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinygrad_cnn.check.diagnose.edits.edit import Context, Edit, kind
from tinygrad_cnn.check.diagnose.edits.terms import COMPARISONS, Term, call, constant
from tinygrad_cnn.check.diagnose.edits.textbook import number

SIBLINGS = (
    ("sin", "cos"), ("sinh", "cosh", "tanh"), ("exp", "log", "log1p", "expm1"), ("sqrt", "square", "abs"),
    ("maximum", "minimum"), ("max", "min", "argmax", "argmin"), ("sum", "mean", "max", "prod"), ("std", "var"),
    ("log", "log2", "log10"), ("floor", "round", "ceil"), ("add_at", "set_at"), ("zeros_like", "ones_like"),
    ("tanh", "sin"), ("triu", "tril"), ("argsort", "sort"), ("sign", "abs"), ("outer", "dot"),
)  # fmt: skip


@kind(1.0)
def sibling(x: Term, c: Context) -> Iterator[Edit]:
    """Another function of the same operands."""
    if x.op != "call" or x.args[0].op != "attribute":
        return
    name = x.args[0].data
    for family in SIBLINGS:
        if name in family:
            for other in family:
                if other != name:
                    function = Term("attribute", x.args[0].args, other)
                    made = x.with_args([function, *x.args[1:]])
                    yield Edit(
                        {x: made}, 1.0 if {name, other} == {"sum", "mean"} else 1.1, "other", {"x": x, "y": made}, other
                    )


@kind(1.0)
def assigned_not_added(x: Term, c: Context) -> Iterator[Edit]:
    """Assigned where it should be added: of several contributions to one element the last one counts."""
    if x.op == "call" and x.args[0].op == "name" and x.args[0].data == "add_at":
        for other in c.scope:
            if other.data == "set_at":
                made = x.with_args([other, *x.args[1:]])
                yield Edit({x: made}, 1.0, "assigned", {"x": x}, "assigned")


@kind(1.0)
def stored_or_added(x: Term, c: Context) -> Iterator[Edit]:
    """x[index] += v, which adds once what comes several times; x[index] = v, which does not add."""
    if x.op != "call" or x.args[0].op != "name" or x.args[0].data != "set_at" or len(x.args) != 4:
        return
    _, before, index, stored = x.args
    if stored.op == "call" and stored.args[0] is x.args[0]:  # in a part of a part
        return
    for function in c.scope:
        if function.data == "add_at" and _has_arrays(c.value(index)):
            made = x.with_args([function, before, index, stored])
            yield Edit({x: made}, 1.0, "scattered", {"x": x}, "scattered")
    here = Term("index", [before, index])
    if stored.op == "+" and stored.args[0].op == "index" and stored.args[0].args == (before, index):
        for function in c.scope:
            if function.data == "add_at":
                made = x.with_args([function, before, index, stored.args[1]])
                yield Edit({x: made}, 1.0, "added_once", {"x": x}, "add_at")
        yield Edit({x: x.with_args([*x.args[:3], stored.args[1]])}, 1.1, "assigned", {"x": stored.args[1]}, "set_at")
    else:
        yield Edit({x: x.with_args([*x.args[:3], Term("+", [here, stored])])}, 1.0, "added", {"x": x}, "added")


@kind(1.05)
def function_more(x: Term, c: Context) -> Iterator[Edit]:
    """A root, a square or the like too many."""
    if x not in c.operands or not c.is_float(x) or x.op == "constant":
        return
    if any(user.op in COMPARISONS for user in c.program.users.get(x, ())):
        yield Edit({x: call("abs", x)}, 1.05, "other", {"x": x, "y": call("abs", x)}, "abs in a comparison")
    for made in (call("sqrt", x), Term("**", [x, constant(2)]), call("abs", x), Term("/", [constant(1), x])):
        cost = 1.2 if made.op == "**" else 1.3
        yield Edit({x: made}, cost, "other", {"x": x, "y": made}, str(made.data or made.op) + str(len(made.args)))


@kind(1.1)
def constant_outside(x: Term, c: Context) -> Iterator[Edit]:
    """An epsilon outside of the root: sqrt(v) + eps for sqrt(v + eps), and the other way."""
    if x not in c.operands:
        return
    if x.op == "call" and len(x.args) == 2 and x.args[1].op == "+" and _is_constant(x.args[1].args[1], c):
        v, epsilon = x.args[1].args
        made = Term("+", [x.with_args([x.args[0], v]), epsilon])
        yield Edit({x: made}, 1.1, "other", {"x": x, "y": made}, "outside")
    if x.op == "**" and x.args[0].op == "+" and _is_constant(x.args[0].args[1], c):
        v, epsilon = x.args[0].args
        made = Term("+", [Term("**", [v, x.args[1]]), epsilon])
        yield Edit({x: made}, 1.1, "other", {"x": x, "y": made}, "outside")
    if x.op == "+" and x.args[0].op == "call" and len(x.args[0].args) == 2 and _is_constant(x.args[1], c):
        inner = x.args[0]
        made = inner.with_args([inner.args[0], Term("+", [inner.args[1], x.args[1]])])
        yield Edit({x: made}, 1.1, "other", {"x": x, "y": made}, "inside")


def _is_constant(x: Term, c: Context) -> bool:
    return number(x) is not None or (x.op == "name" and not c.shape(x))


@kind(1.05)
def other_exponent(x: Term, c: Context) -> Iterator[Edit]:
    """Another exponent."""
    if x.op == "**" and number(x.args[1]) is not None:
        p = number(x.args[1])
        for q in (p + 1, p - 1, p + 0.5, p - 0.5, -p, 1 / p if p else 0):
            if q not in (p, 1):
                made = Term("**", [x.args[0], constant(q)])
                yield Edit({x: made}, 1.05, "other", {"x": x, "y": made}, ("power", q - p))


def _has_arrays(index: object) -> bool:
    """Whether an index can come several times: if it is an array, or has one."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(x, np.ndarray | list) for x in parts)
