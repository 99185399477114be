"""Formulas that a person would have written for a step, recognised by their value: softmax, normalisations, residuals.

Rules go through an exponential, a sum and a quotient; a textbook has p * (g - (g * p).sum()). Whatever formula over the
values in scope equals the right cotangent is such a program, however the loss computed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.evaluation import FAILURES, Program
from tinygrad_cnn.check.diagnose.edits.kinds.operands import FORMS
from tinygrad_cnn.check.diagnose.edits.kinds.scales import multiple
from tinygrad_cnn.check.diagnose.edits.numbers import Numbers
from tinygrad_cnn.check.diagnose.edits.terms import Term, call, constant
from tinygrad_cnn.check.diagnose.edits.textbook import alike

Array = Any
SHORT = 10  # terms of a program that needs no shorter one
MANY = 40  # values that are tried
POWERS = (-3, -2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2, 3)


def closed_forms(
    program: Program, cotangents: Sequence[Term], values: Sequence[Term], numbers: Numbers
) -> Iterator[Program]:
    """Shorter programs with the same value."""
    if len(program.order) <= SHORT:
        return
    expected = np.asarray(program.value)
    fitting = [x for x in values if np.shape(program.values[x]) == expected.shape][:MANY]
    gs = [x for x in cotangents if np.shape(program.values[x]) == expected.shape]
    seen = 0
    for root in (*_formulas(program, gs, fitting, expected), *_multiples(program, gs, fitting, expected, numbers)):
        try:
            with np.errstate(all="ignore"):
                value = program.of(root)
        except FAILURES:
            continue
        if alike(value, expected):
            yield Program(root, program.leaves)
            seen += 1
            if seen == 3:
                return


def _b(op: str, x: Term, y: Term) -> Term:
    return Term(op, [x, y])


def _over(x: Term, axis: int, name: str = "sum") -> Term:
    method = Term("attribute", [x], name)
    return Term("call", [method, constant(axis), constant(True)], ("axis", "keepdims"))


def _formulas(program: Program, gs: Sequence[Term], values: Sequence[Term], expected: Array) -> Iterator[Term]:
    """Of softmax, its logarithm, a length and a variance of 1."""
    with np.errstate(all="ignore"):
        for g in gs:
            for v in values:
                value = np.asarray(program.values[v], float)
                for p, numbers in ((v, value), (call("exp", v), np.exp(value))):
                    for axis in range(expected.ndim):
                        if np.allclose(numbers.sum(axis), 1, rtol=1e-9) and np.all(numbers >= 0):
                            yield _b("*", p, _b("-", g, _over(_b("*", g, p), axis)))
                            yield _b("-", g, _b("*", p, _over(g, axis)))
                for axis in range(expected.ndim):
                    if np.allclose((value * value).sum(axis), 1, rtol=1e-6):
                        yield from _divided(_b("-", g, _b("*", v, _over(_b("*", g, v), axis))), program, expected)
                    if np.allclose(value.mean(axis), 0, atol=1e-9) and np.allclose(value.var(axis), 1, rtol=0.2):
                        of_variance = _b("*", v, _over(_b("*", g, v), axis, "mean"))
                        centred = _b("-", _b("-", g, _over(g, axis, "mean")), of_variance)
                        yield from _divided(centred, program, expected)
                for form in FORMS[:7]:
                    yield _b("*", g, form(v))


def _divided(x: Term, program: Program, expected: Array) -> Iterator[Term]:
    """A formula times or by any value that is broadcast."""
    yield x
    for v, value in list(program.leaves.items()):
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or value.ndim > expected.ndim:
            continue
        if all(n in (1, m) for n, m in zip(value.shape[::-1], expected.shape[::-1], strict=False)):
            yield _b("/", x, v)
            yield _b("*", x, v)


def _multiples(
    program: Program, gs: Sequence[Term], values: Sequence[Term], expected: Array, numbers: Numbers
) -> Iterator[Term]:
    """A multiple of a difference of two values, or of a cotangent and a power of one."""
    flat = expected.ravel()
    largest = int(np.argmax(np.abs(flat))) if flat.size else 0

    def times(x: Term) -> Iterator[Term]:
        try:
            with np.errstate(all="ignore"):
                value = np.asarray(program.of(x), float)
                if value.shape != expected.shape or not value.ravel()[largest]:
                    return
                factor = float(flat[largest] / value.ravel()[largest])
                if not alike(factor * value, expected):
                    return
        except FAILURES:
            return
        if abs(factor - 1) < 1e-9:
            yield x
        elif numbers.name(abs(factor)) is not None:
            yield Term("-x", [multiple(-factor, x)]) if factor < 0 else multiple(factor, x)

    if flat.size < 2:
        return
    for a in values:
        for b in values:
            if a is not b:
                yield from times(_b("-", a, b))
    for g in gs:
        for v in values:
            for p in POWERS:
                yield from times(_b("*", g, v if p == 1 else _b("**", v, constant(p))))
