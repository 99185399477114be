"""Operands of a product exchanged or transposed; axes permuted; a reshape for a transpose."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from tinygrad_cnn.check.diagnose.edits.edit import Context, Edit, kind
from tinygrad_cnn.check.diagnose.edits.terms import Term, constant


def turned(x: Term, ndim: int = 2) -> Term:
    """The transpose, without a second one."""
    name = "T" if ndim == 2 else "mT"
    return x.args[0] if x.op == "attribute" and x.data == name else Term("attribute", [x], name)


@kind(1.1)
def other_product(x: Term, c: Context) -> Iterator[Edit]:
    """a.T @ b, b @ a and so on for a @ b."""
    if x.op != "@":
        return
    a, b = x.args
    m, n = len(c.shape(a)), len(c.shape(b))
    if m < 2 or n < 2:
        if c.shape(a) != c.shape(b):
            yield _instead(x, Term("@", [b, a]), "exchanged")
        if m == 2:
            yield _instead(x, Term("@", [turned(a), b]), "left")
        if n == 2:
            yield _instead(x, Term("@", [a, turned(b)]), "right")
        return
    at, bt = turned(a, m), turned(b, n)
    pairs = [(at, b), (a, bt), (at, bt), (b, a), (bt, a), (b, at), (bt, at)]
    for k, (left, right) in enumerate(pairs):
        yield _instead(x, Term("@", [left, right]), k)


def _instead(x: Term, made: Term, key: object) -> Edit:
    return Edit({x: made}, 1.1, "other", {"x": x, "y": made}, key)


@kind(0.9)
def transposed(x: Term, c: Context) -> Iterator[Edit]:
    """Axes permuted."""
    if x not in c.operands:
        return
    ndim, root = len(c.shape(x)), x is c.program.root
    if ndim == 2:
        words = {"x": x, "actual": c.shape(x)[::-1], "expected": c.shape(x)}
        sentence = "transposed_shape" if root and c.target.shape != c.shape(x) else "transposed"
        yield Edit({x: turned(x)}, 0.9 if root else 1.1, sentence, words, "T")
    elif 3 <= ndim <= 4:
        for axes in itertools.permutations(range(ndim)):
            if list(axes) != sorted(axes):
                method = Term("attribute", [x], "transpose")
                made = Term("call", [method, *map(constant, axes)], ())
                yield Edit({x: made}, 1.1 if root else 1.3, "permuted", {"x": x, "axes": axes}, axes)


@kind(0.9)
def reshaped(x: Term, c: Context) -> Iterator[Edit]:
    """A reshape for a transpose, or the order of the elements of Fortran."""
    if x not in c.operands or not c.shape(x):
        return
    if x is c.program.root and c.target.shape != c.shape(x) and c.target.size == c.value(x).size:
        made = _to(x, c.target.shape)
        yield Edit({x: made}, 0.9, "reshaped", {"x": x, "actual": c.target.shape, "expected": c.shape(x)}, "shape")
    is_turned = x.op == "attribute" and x.data in ("T", "mT")
    inner = x.args[0] if is_turned else None
    if x.op == "call" and x.args[0].op == "attribute" and x.args[0].data in ("transpose", "reshape"):
        inner = x.args[0].args[0]
    if inner is not None and c.is_array(inner):
        made = _to(inner, c.shape(x))
        yield Edit({x: made}, 1.1, "other", {"x": x, "y": made}, "reshape")
        ndim = len(c.shape(inner))
        for axes in itertools.permutations(range(ndim)) if ndim <= 4 else ():
            method = Term("call", [Term("attribute", [inner], "transpose"), *map(constant, axes)], ())
            if c.value(method) is not None and c.value(method).size == c.value(x).size:
                made = method if c.shape(method) == c.shape(x) else _to(method, c.shape(x))
                yield Edit({x: made}, 1.3, "other", {"x": x, "y": made}, ("axes", axes))


def _to(x: Term, shape: tuple[int, ...]) -> Term:
    return Term("call", [Term("attribute", [x], "reshape"), *map(constant, shape or (1,))], ())
