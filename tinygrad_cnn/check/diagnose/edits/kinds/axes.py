"""Sums along the wrong axis, too many or too few; one element of a sum instead of all."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from tinygrad_cnn.check.diagnose.edits.edit import Context, Edit, kind
from tinygrad_cnn.check.diagnose.edits.terms import Term, call, constant
from tinygrad_cnn.check.diagnose.edits.textbook import operand, reduction
from tinygrad_cnn.check.sentences import over


def _axis(value: Any) -> Term:
    return Term("tuple", list(map(constant, value))) if isinstance(value, tuple) else constant(value)


@kind(1.05)
def other_axis(x: Term, c: Context) -> Iterator[Edit]:
    """Another axis, all, or none; a mean along another one."""
    if x.op != "call" or ("axis" not in x.data and reduction(x) is None):
        return
    places = [k for k, name in enumerate(x.data) if name == "axis"]
    if places:
        place = len(x.args) - len(x.data) + places[0]
        of = operand(x) if reduction(x) is not None or x.args[0].op == "attribute" else None
        ndim = len(c.shape(of)) if of is not None and c.is_array(of) else 3
        now = c.value(x.args[place])
        for axis in (*range(ndim), *itertools.combinations(range(ndim), 2)):
            if axis != now and (not isinstance(now, int) or axis != now % ndim):
                made = x.with_args([*x.args[:place], _axis(axis), *x.args[place + 1 :]])
                yield Edit({x: made}, 1.05, "other", {"x": x, "y": made}, ("axis", axis))
                if "keepdims" not in x.data:
                    kept = Term("call", [*made.args, constant(True)], (*made.data, "keepdims"), x.group)
                    yield Edit({x: kept}, 1.15, "other", {"x": x, "y": kept}, ("axis", axis, "kept"))
        without = Term(
            "call", [*x.args[:place], *x.args[place + 1 :]], tuple(n for n in x.data if n != "axis"), x.group
        )
        yield Edit({x: without}, 1.1, "other", {"x": x, "y": without}, "no axis")
    elif len(c.shape(operand(x))) > 1:
        for axis in range(len(c.shape(operand(x)))):
            made = Term("call", [*x.args, constant(axis)], (*x.data, "axis"), x.group)
            yield Edit({x: made}, 1.1, "other", {"x": x, "y": made}, ("axis", axis))


@kind(1.1)
def one_of_a_sum(x: Term, c: Context) -> Iterator[Edit]:
    """The first or the last of what should be added."""
    if reduction(x) not in ("sum", "mean"):
        return
    of = operand(x)
    shape, result = c.shape(of), c.shape(x)
    for axis in range(len(shape)):
        for which, place in (("last", -1), ("first", 0)):
            picked = _picked(of, axis, place, len(shape))
            if len(result) == len(shape):
                picked = _picked(of, axis, place, len(shape), keep=True)
            yield Edit({x: picked}, 1.1, "one_place", {"x": x, "which": which, "axis": axis}, (which, axis))


def _picked(x: Term, axis: int, place: int, ndim: int, keep: bool = False) -> Term:
    whole = Term("slice", (), (False, False, False))
    if keep:
        bounds = [constant(place)] if place else [constant(0), constant(1)]
        last: Term = Term("slice", bounds, (True, place == 0, False))
    else:
        last = constant(place)
    parts = [whole] * axis + [last]
    return Term("index", [x, parts[0] if len(parts) == 1 else Term("tuple", parts)])


@kind(1.2)
def one_of_a_product(x: Term, c: Context) -> Iterator[Edit]:
    """Of the products that a matrix product adds up, the first or the last."""
    if x.op != "@" or len(c.shape(x.args[0])) != 2 or len(c.shape(x.args[1])) != 2:
        return
    a, b = x.args
    whole = Term("slice", (), (False, False, False))
    for which, place in (("last", -1), ("first", 0)):
        bounds = [constant(place)] if place else [constant(0), constant(1)]
        part = Term("slice", bounds, (True, place == 0, False))
        made = Term("@", [Term("index", [a, Term("tuple", [whole, part])]), Term("index", [b, part])])
        yield Edit({x: made}, 1.2, "one_product", {"x": x, "which": which}, which)


@kind(1.0)
def summed(x: Term, c: Context) -> Iterator[Edit]:
    """A sum too many, spread over all; or where the result has another shape."""
    if x not in c.operands or not c.is_float(x):
        return
    shape = c.shape(x)
    for name, cost in (("sum", 1.2), ("mean", 1.3)):
        method = Term("attribute", [x], name)
        for count in range(1, min(len(shape), 3) + 1):
            for axes in itertools.combinations(range(len(shape)), count):
                axis = constant(axes[0]) if count == 1 else Term("tuple", list(map(constant, axes)))
                kept = Term("call", [method, axis, constant(True)], ("axis", "keepdims"))
                same = call("broadcast_to", kept, Term("tuple", list(map(constant, shape))))
                same = same if x is c.program.root else kept
                words = {"x": x, "axes": over(axes), "name": name}
                yield Edit({x: same}, cost, "summed", words, (name, axes))
                if x is c.program.root and c.target.shape != shape:
                    yield Edit({x: kept}, 1.1, "summed", words, (name, axes, "kept"))
                    plain = Term("call", [method, axis], ("axis",))
                    yield Edit({x: plain}, 1.0, "summed", words, (name, axes, "plain"))
