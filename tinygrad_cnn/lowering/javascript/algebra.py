"""Linear algebra of matrices, and of stacks of them: solve, inv, cholesky, det; and sums of products by einsum."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.lowering.c.kernels import Kernel
from tinygrad_cnn.lowering.c.places import Place, row_by_row
from tinygrad_cnn.lowering.instructions import Instruction, Slot
from tinygrad_cnn.lowering.javascript.elementwise import I64
from tinygrad_cnn.lowering.javascript.kernels import Writing, has_form, is_float, rounded

_OF_ONE = {np.linalg.inv: "inverse", np.linalg.cholesky: "cholesky", np.linalg.det: "determinant"}


def kernel(x: Instruction, places: dict[Instruction, Place]) -> Kernel | None:
    """The kernel of such a function."""
    if x.operation == "item" and x.operands[0].operation == "call" and x.operands[0].function is np.linalg.slogdet:
        matrix = x.operands[0].operands[0]
        name = ("sign_of_determinant", "log_of_determinant")[x.parameters["number"]]
        if not is_float(x, matrix):
            return None
        return Kernel(name, [matrix], lambda w: _of_one(w, x, name, matrix), [x.operands[0]])
    if x.operation != "call" or any(y not in places for y in x.operands):
        return None
    args, keywords = x.parameters["args"], x.parameters["keywords"]
    if x.function is np.einsum:
        return _einsum(x, args, keywords)
    if not is_float(x, *x.operands) or not all(isinstance(a, Slot) for a in args):
        return None
    if keywords and (x.function is not np.linalg.cholesky or keywords != {"upper": False}):
        return None
    if x.function in _OF_ONE and len(args) == 1:
        return Kernel(
            _OF_ONE[x.function], list(x.operands), lambda w: _of_one(w, x, _OF_ONE[x.function], x.operands[0])
        )
    if x.function is np.linalg.solve and len(args) == 2:
        a, b = [x.operands[slot.number] for slot in args]
        return Kernel("solve", [a, b], lambda w: _solve(w, x, a, b))
    return None


def _copy(w: Writing, name: str, place: Place, i: list[str]) -> None:
    """Copy a matrix, of a stack, to an array row by row."""
    shape = place.shape[-2:]
    outer = len(place.shape) - 2
    with w.f.loops(shape, "j") as j:
        steps = (*[0] * (len(i) - outer), *place.strides)
        terms = [f"{v} * {s}" for v, s in zip(j, row_by_row(shape), strict=True) if v != "0"]
        w.f.line(f"{name}[{' + '.join(terms) or '0'}] = {w.f.at(place, (*i, *j), steps)};")


def _of_one(w: Writing, x: Instruction, name: str, of: Instruction) -> None:
    f, place = w.f, w.places[of]
    *outer, n, _ = place.shape
    if not x.result.size:
        return
    matrix = f.scratch("matrix", n * n)
    made = f.scratch("made", n * n) if name == "inverse" else matrix
    with f.loops(outer) as i:
        _copy(w, matrix, place, i)
        if name.endswith("determinant"):
            f.line(f"{f.out(x, i, row_by_row(tuple(outer)))} = {rounded(f'{name}({matrix}, {n})', x)};")
            return
        f.line(f"inverse({matrix}, {made}, {n});" if name == "inverse" else f"cholesky({matrix}, {n});")
        _give(w, x, made, i, (n, n))


def _give(w: Writing, x: Instruction, name: str, i: list[str], shape: tuple[int, ...]) -> None:
    """Copy a result from an array to its place in a stack."""
    f, out = w.f, row_by_row(x.result.shape)
    with f.loops(shape, "j") as j:
        terms = [f"{v} * {s}" for v, s in zip(j, row_by_row(shape), strict=True) if v != "0"]
        f.line(f"{f.out(x, (*i, *j), out[len(out) - len(i) - len(j) :])} = {name}[{' + '.join(terms) or '0'}];")


def _solve(w: Writing, x: Instruction, a: Instruction, b: Instruction) -> None:
    f, left, right = w.f, w.places[a], w.places[b]
    n = left.shape[-1]
    is_vector = len(right.shape) == 1  # as NumPy 2 has it
    if is_vector:
        right = right._replace(shape=(*right.shape, 1), strides=(*right.strides, 0))
    columns = right.shape[-1]
    if not x.result.size:
        return
    outer = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    matrix, made = f.scratch("matrix", n * n), f.scratch("made", n * columns)
    with f.loops(outer) as i:
        for name, place in ((matrix, left), (made, right)):
            sizes = place.shape[:-2]
            steps = [0 if m == 1 else s for m, s in zip(sizes, place.strides, strict=False)]
            _copy(w, name, place._replace(strides=(*steps, *place.strides[-2:])), i)
        f.line(f"solve({matrix}, {made}, {n}, {columns});")
        _give(w, x, made, i, (n,) if is_vector else (n, columns))


# Sums of products.


def _einsum(x: Instruction, args: Any, keywords: Any) -> Kernel | None:
    if not args or not isinstance(args[0], str) or set(keywords) - {"optimize"} or not has_form(x, *x.operands):
        return None
    operands = [x.operands[a.number] for a in args[1:] if isinstance(a, Slot)]
    kinds = {y.result.dtype for y in (x, *operands)}
    if len(operands) != len(args) - 1 or len(kinds) != 1 or (x.result.dtype.kind != "f" and x.result.dtype != I64):
        return None
    found = _axes(args[0], operands)
    return None if found is None else Kernel("einsum", operands, lambda w: _sum(w, x, operands, *found))


def _axes(text: str, operands: list[Instruction]) -> tuple[list[list[str]], list[str]] | None:
    """The letters of the axes of the operands, and of the result; those of an ellipsis are digits."""
    left, arrow, right = text.replace(" ", "").partition("->")
    given = []
    most = 0
    for letters, y in zip(left.split(","), operands, strict=True):
        before, dots, after = letters.partition("...")
        count = len(y.result.shape) - len(before) - len(after) if dots else 0
        if count < 0 or len(before) + len(after) + count != len(y.result.shape):
            return None
        most = max(most, count)
        given.append((before, count, after))
    axes = [[*before, *[f"{most - count + k}" for k in range(count)], *after] for before, count, after in given]
    every = [str(k) for k in range(most)]
    if arrow:
        before, dots, after = right.partition("...")
        return axes, [*before, *(every if dots else []), *after]
    letters_in_order = sorted({a for letters in axes for a in letters if not a.isdigit()})
    once = [a for a in letters_in_order if sum(letters.count(a) for letters in axes) == 1]
    return axes, [*every, *once]


def _sum(w: Writing, x: Instruction, operands: list[Instruction], axes: list[list[str]], made: list[str]) -> None:
    f = w.f
    sizes: dict[str, int] = {}
    for letters, y in zip(axes, operands, strict=True):
        for a, n in zip(letters, y.result.shape, strict=True):
            sizes[a] = n if sizes.get(a, 1) == 1 else sizes[a]
    summed = [a for a in sizes if a not in made]
    with f.loops([sizes[a] for a in made]) as i:
        f.line("let so_far = 0;")
        with f.loops([sizes[a] for a in summed], "k") as k:
            variables = dict(zip((*made, *summed), (*i, *k), strict=True))
            factors = []
            for letters, y in zip(axes, operands, strict=True):
                place = w.places[y]
                steps = [0 if n == 1 else s for n, s in zip(place.shape, place.strides, strict=True)]
                factors.append(f.at(place, [variables[a] for a in letters], steps))
            text = " * ".join(factors)
            f.line(f"so_far += {text};" if x.result.dtype != I64 else f"so_far = exact(so_far + exact({text}));")
        target = f.out(x, i, row_by_row(tuple([sizes[a] for a in made])))
        f.line(f"{target} = {rounded('so_far', x)};")
