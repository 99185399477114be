"""The right values in the wrong places: an index off by one, elements reversed, blocks exchanged."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from tinygrad_cnn.check.diagnose.edits.edit import Context, Edit, kind
from tinygrad_cnn.check.diagnose.edits.terms import Term, call, constant, in_order
from tinygrad_cnn.check.sentences import in_brackets, over

BLOCKS = (2, 3, 4)
FEW = 12  # places that are written one by one


@kind(1.05)
def other_index(x: Term, c: Context) -> Iterator[Edit]:
    """An index or a bound that is off by one."""
    if x.op != "index":
        return
    within = c.value(x.args[0])
    if isinstance(within, dict):
        for name, value in within.items():
            if name != x.args[1].data and np.shape(value) == c.shape(x):
                made = Term("index", [x.args[0], constant(name)])
                yield Edit({x: made}, 1.05, "other", {"x": x, "y": made}, ("key", name))
        return
    if not isinstance(within, np.ndarray | list | tuple):
        return
    for y in sorted(in_order([x.args[1]]), key=lambda y: y.op == "constant"):
        if y.op == "constant" and isinstance(y.data, int) and not isinstance(y.data, bool):
            for by in (1, -1) if y.data + 1 else ():
                yield Edit({y: constant(y.data + by)}, 1.05, "index", {"x": x}, ("index", by))
        if y.op == "-x":
            yield Edit({y: y.args[0]}, 1.2, "index", {"x": x}, "sign of index")
        if y.op in ("+", "-") and c.value(y) is not None:
            for made in (y.args[0], Term("-" if y.op == "+" else "+", y.args)):
                yield Edit({y: made}, 1.05, "index", {"x": x}, ("index", made.op))
    whole = Term("slice", (), (False, False, False))
    if x.args[1].op == "tuple":
        for k, part in enumerate(x.args[1].args):
            if part.op == "slice" and part.args:
                made = Term("index", [x.args[0], Term("tuple", [*x.args[1].args[:k], whole, *x.args[1].args[k + 1 :]])])
                yield Edit({x: made}, 1.2, "other", {"x": x, "y": made}, ("whole", k))
        inner = [part for part in x.args[1].args if part.op == "slice" and len(part.args) == 2]
        if len(inner) == len(x.args[1].args):
            for corner in ("upper left", "lower right"):
                parts = []
                for part in inner:
                    low, high = (c.value(y) for y in part.args)
                    if not isinstance(low, int) or not isinstance(high, int):
                        return
                    n = high - low
                    bounds = (
                        [constant(0), constant(n)]
                        if corner == "upper left"
                        else [constant(2 * low), constant(2 * low + n)]
                    )
                    parts.append(Term("slice", bounds, (True, True, False)))
                made = Term("index", [x.args[0], Term("tuple", parts)])
                yield Edit({x: made}, 1.1, "cropped", {"x": x, "corner": corner}, corner)


@kind(1.1)
def moved(x: Term, c: Context) -> Iterator[Edit]:
    """Shifted by one along an axis, or reversed along some."""
    if x not in c.operands or not c.shape(x):
        return
    shape, root = c.shape(x), x is c.program.root
    for axis, n in enumerate(shape):
        if n > 2:
            for by in (1, -1):
                words = {"x": x, "axis": axis, "neighbour": "before" if by == 1 else "after"}
                yield Edit({x: call("roll", x, constant(by), axis=axis)}, 1.2, "shifted", words, ("roll", axis, by))
    for count in range(1, min(len(shape), 4) + 1):
        for axes in itertools.combinations(range(len(shape)), count):
            if all(shape[axis] > 1 for axis in axes):
                along = constant(axes[0]) if count == 1 else Term("tuple", list(map(constant, axes)))
                kernel = count == 2 and axes == (len(shape) - 2, len(shape) - 1)
                name = "reversed_kernel" if kernel else "reversed"
                words = {"x": x, "axes": over(axes)}
                yield Edit(
                    {x: call("flip", x, axis=along)}, 1.1 if root or kernel else 1.25, name, words, ("flip", axes)
                )


@kind(1.4)
def blocks_exchanged(x: Term, c: Context) -> Iterator[Edit]:
    """Blocks along an axis in another order, as the gates of an LSTM."""
    if x not in c.operands or len(c.program.order) > 60:
        return
    shape = c.shape(x)
    for axis, n in enumerate(shape):
        for count in BLOCKS:
            if n % count or n // count == 0 or n < count or (count == n and n < 3 and x is not c.program.root):
                continue
            size = n // count
            for order in itertools.permutations(range(count)):
                if list(order) == sorted(order):
                    continue
                made = call("take", x, _places(order, size), axis=axis)
                words = {"x": x, "axis": axis, "order": list(order), "count": count}
                yield Edit({x: made}, 1.4, "blocks", words, ("blocks", axis, order))


def _places(order: Sequence[int], size: int) -> Term:
    """The places of blocks of a size in an order; few are written one by one."""
    if len(order) * size <= FEW:
        return Term("list", [constant(k * size + j) for k in order for j in range(size)])
    blocks = call(
        "reshape", call("arange", constant(len(order) * size)), Term("tuple", [constant(len(order)), constant(-1)])
    )
    return call("ravel", Term("index", [blocks, Term("list", list(map(constant, order)))]))


@kind(1.15)
def only_a_block(x: Term, c: Context) -> Iterator[Edit]:
    """Only a block of it is computed, and the rest left at 0: a loop that ends too early."""
    comparable = c.target.shape == c.now.shape and c.target.ndim > 0
    if x is not c.program.root or not comparable or not np.any(c.target):
        return
    places = np.argwhere(c.target != 0)
    block = tuple(slice(int(a), int(b) + 1) for a, b in zip(places.min(axis=0), places.max(axis=0), strict=True))
    if any(s.start > 0 and s.stop < n for s, n in zip(block, c.target.shape, strict=True)):
        return  # a loop that ends too early has begun at one end
    rest = c.now.copy()
    rest[block] = 0
    if len(np.unique(c.target[block])) < 3 or np.count_nonzero(rest) < 3:
        return
    functions = [f for f in c.scope if f.data == "set_at"]
    bounds = [Term("slice", [constant(s.start), constant(s.stop)], (True, True, False)) for s in block]
    index = Term("tuple", bounds)
    for set_at in functions[:1]:
        made = Term("call", [set_at, call("zeros_like", x), index, Term("index", [x, index])], ())
        yield Edit({x: made}, 1.15, "block", {"x": x, "block": in_brackets(block)}, "block")


@kind(1.15)
def one_of_each_block(x: Term, c: Context) -> Iterator[Edit]:
    """Of the elements of a cotangent that are added up for each place the first alone, or the last."""
    shape = c.shape(c.program.root)
    if x is not c.program.root or not shape:
        return
    for of, leaves in c.by_shape.items():
        if len(of) != len(shape) or of == shape or any(n == 0 or m % n for m, n in zip(of, shape, strict=True)):
            continue
        steps = [m // n for m, n in zip(of, shape, strict=True)]
        for first in (True, False):
            starts = [None if first or s == 1 else constant(s - 1) for s in steps]
            parts = [_every(start, s) for start, s in zip(starts, steps, strict=True)]
            for leaf in leaves:
                made = Term("index", [leaf, Term("tuple", parts) if len(parts) > 1 else parts[0]])
                yield Edit(
                    {x: made}, 1.15, "one_of_several", {"x": made, "n": math.prod(steps)}, ("block", first, leaf)
                )


def _every(start: Term | None, step: int) -> Term:
    """The slice start::step."""
    given = [y for y in (start, constant(step) if step > 1 else None) if y is not None]
    return Term("slice", given, (start is not None, False, step > 1))
