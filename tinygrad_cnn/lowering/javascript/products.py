"""Matrix products, of stacks of matrices too."""

from __future__ import annotations

import numpy as np

from tinygrad_cnn.lowering.c.kernels import Kernel
from tinygrad_cnn.lowering.c.places import Place, row_by_row
from tinygrad_cnn.lowering.instructions import Instruction
from tinygrad_cnn.lowering.javascript.elementwise import I64
from tinygrad_cnn.lowering.javascript.functions import for_
from tinygrad_cnn.lowering.javascript.kernels import Writing, has_form, rounded

AT_ONCE = 4  # columns of a product that are summed up at a time, so that an element of the left matrix is read once


def kernel(x: Instruction, places: dict[Instruction, Place]) -> Kernel | None:
    """The kernel of a product of matrices or vectors."""
    if x.operation != "matmul" or x.function is not None or x.parameters or not has_form(x, *x.operands):
        return None
    integers = {y.result.dtype for y in (x, *x.operands)} == {I64}
    floats = x.result.dtype.kind == "f" and all(y.result.kind != "number" for y in x.operands)
    if not (floats or integers) or any(y not in places for y in x.operands):
        return None
    return Kernel("product", list(x.operands), lambda w: _write(w, x))


def _write(w: Writing, x: Instruction) -> None:
    """The axes of a vector that matmul adds have length 1, so that all is (..., m, k) times (..., k, n)."""
    f, (a, b) = w.f, [w.places[y] for y in x.operands]
    left = a if len(a.shape) > 1 else a._replace(shape=(1, *a.shape), strides=(0, *a.strides))
    right = b if len(b.shape) > 1 else b._replace(shape=(*b.shape, 1), strides=(*b.strides, 0))
    (m, terms), n = left.shape[-2:], right.shape[-1]
    outer = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    steps = [(*[0] * (len(outer) + 2 - len(p.shape)), *p.strides) for p in (left, right)]
    for p, s in zip((left, right), range(2), strict=True):
        shape = (*[1] * (len(outer) + 2 - len(p.shape)), *p.shape)
        steps[s] = tuple([0 if size == 1 else step for size, step in zip(shape, steps[s], strict=True)])
    out = row_by_row((*outer, m, n))
    with f.loops((*outer, m)) as i:

        def element_of_left(k: str) -> str:
            return f.at(left, (*i, k), steps[0])

        def element_of_right(k: str, j: str, more: int = 0) -> str:
            return f.at(right, (*i[:-1], k, j), steps[1], more * steps[1][-1])

        whole = n - n % AT_ONCE
        if whole:
            with f.block(for_("j0", whole, 0, AT_ONCE)):
                for c in range(AT_ONCE):
                    f.line(f"let sum{c} = 0;")
                with f.block(for_("k0", terms)):
                    f.line(f"const weight = {element_of_left('k0')};")
                    for c in range(AT_ONCE):
                        f.line(f"sum{c} += weight * {element_of_right('k0', 'j0', c)};")
                for c in range(AT_ONCE):
                    target = f.out(x, (*i, "j0"), out, c)
                    f.line(f"{target} = {_finished(x, f'sum{c}')};")
        for c in range(whole, n):
            f.line(f"let sum{c} = 0;" if n > 1 else "let sum = 0;")
        if n > whole:
            with f.block(for_("k0", terms)):
                for c in range(whole, n):
                    more = c if n > 1 else 0
                    f.line(f"sum{c if n > 1 else ''} += {element_of_left('k0')} * {element_of_right('k0', '0', more)};")
        for c in range(whole, n):
            f.line(f"{f.out(x, (*i, '0'), out, c)} = {_finished(x, f'sum{c}' if n > 1 else 'sum')};")


def _finished(x: Instruction, text: str) -> str:
    return f"exact({text})" if x.result.dtype == I64 else rounded(text, x)
