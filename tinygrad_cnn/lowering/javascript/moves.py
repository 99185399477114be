"""Functions that only move elements: where each is from is known beforehand, and stands in a table.

What such a function does is found by applying it to the numbers of the elements; that it does nothing else is
confirmed with random ones. A table that counts up in equal steps is a loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.c.kernels import Kernel
from tinygrad_cnn.lowering.c.places import Place
from tinygrad_cnn.lowering.instructions import Instruction, mapped
from tinygrad_cnn.lowering.javascript.elementwise import converted, number
from tinygrad_cnn.lowering.javascript.functions import for_
from tinygrad_cnn.lowering.javascript.kernels import Writing, has_form
from tinygrad_cnn.lowering.operations import run

Array = Any

_NUMPYS = [
    "append", "array", "array_split", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "atleast_1d",
    "atleast_2d", "atleast_3d", "block", "broadcast_arrays", "broadcast_to", "column_stack", "compress",
    "concatenate", "copy", "delete", "diag", "diagflat", "diagonal", "dsplit", "dstack", "expand_dims", "flip",
    "fliplr", "flipud", "full_like", "hsplit", "hstack", "insert", "ix_", "matrix_transpose", "meshgrid",
    "moveaxis", "pad", "permute_dims", "ravel", "repeat", "reshape", "resize", "roll", "rollaxis", "rot90", "split",
    "squeeze", "stack", "swapaxes", "take", "take_along_axis", "tile", "transpose", "tril", "triu", "unstack",
    "vsplit", "vstack", "zeros_like", "ones_like", "zeros", "ones", "full", "eye", "identity", "tri", "arange"
]  # fmt: skip
MOVERS = {getattr(np, name) for name in _NUMPYS if hasattr(np, name)} | {
    np.linalg.diagonal, np.linalg.matrix_transpose, np.fft.fftshift, np.fft.ifftshift,
    np.lib.stride_tricks.sliding_window_view
}  # fmt: skip
_OPERATIONS = frozenset(["array", "getitem", "scatter", "reshape", "transpose", "broadcast_to"])


def kernel(x: Instruction, places: dict[Instruction, Place]) -> Kernel | None:
    """The kernel of such a function, or of what is taken out of the arrays that it returns."""
    call = x.operands[0] if x.operation == "item" else x
    if not (call.operation == "call" and call.function in MOVERS) and call.operation not in _OPERATIONS:
        return None
    if x.operation != "item" and x.result.kind == "tuple":
        return None
    if not has_form(x, *call.operands) or any(y not in places for y in call.operands):
        return None
    sources = _sources(x, call)
    if sources is None:
        return None
    reads = list(dict.fromkeys(call.operands))
    return Kernel("moved", reads, lambda w: _write(w, x, list(call.operands), *sources), parts_of(x))


def parts_of(x: Instruction) -> list[Instruction]:
    """The call that returns several arrays, of which `x` is one; there is no array of it."""
    return [x.operands[0]] if x.operation == "item" else []


def _computed(x: Instruction, call: Instruction, operands: Sequence[Array]) -> Array:
    made = run(call, operands)
    return made if x.operation != "item" else made[x.parameters["number"]]


def _sources(x: Instruction, call: Instruction) -> tuple[Array, Array, Array] | None:
    """For each element of the result the operand that it is from, -1 for none, and its number there; and the others."""
    sizes = [y.result.size for y in call.operands]
    starts = np.cumsum([1, *sizes])
    shapes = [(y.result.shape, y.result.kind) for y in call.operands]
    rng = np.random.default_rng(0)

    def applied(numbers: Sequence[Array]) -> Array | None:
        given = [
            of.reshape(shape) if kind == "array" else of[0].item() if kind == "number" else of[0]
            for of, (shape, kind) in zip(numbers, shapes, strict=True)
        ]
        try:
            return np.asarray(_computed(x, _without_dtype(call), given), np.float64).ravel()
        except (TypeError, ValueError, IndexError):
            return None

    def applied_to(shift: float) -> Array | None:
        return applied([np.arange(n) + (start + shift) for n, start in zip(sizes, starts[:-1], strict=True)])

    first, second = applied_to(0.25), applied_to(0.5)
    if first is None or second is None or first.shape != second.shape or first.size != x.result.size:
        return None
    is_moved = second - first == 0.25
    if not np.all((second == first) | is_moved):
        return None
    numbers = np.where(is_moved, first - 0.25, 0).astype(np.int64)
    operand = np.where(is_moved, np.searchsorted(starts, numbers, "right") - 1, -1)
    numbers = np.where(is_moved, numbers - starts[np.maximum(operand, 0)], 0)
    random = [rng.permutation(n) + 1000.0 * rng.random() + 0.3 for n in sizes]
    found = applied(random)
    expected = first.copy()
    for k, values in enumerate(random):
        expected[operand == k] = values[numbers[operand == k]]
    if found is None or not np.array_equal(found, expected):
        return None
    return operand, numbers, np.where(is_moved, 0, first)


def _without_dtype(call: Instruction) -> Instruction:
    """The call with doubles for what has a dtype, so that numbers of elements go through it."""
    return call.with_(parameters=mapped(call.parameters, lambda p: np.dtype(np.float64) if _is_dtype(p) else p))


def _is_dtype(p: Any) -> bool:
    return isinstance(p, np.dtype) or (isinstance(p, type) and issubclass(p, np.generic | bool | int | float))


def _write(
    w: Writing, x: Instruction, operands: list[Instruction], operand: Array, numbers: Array, rest: Array
) -> None:
    f, dtype = w.f, x.result.dtype
    others = rest[operand < 0]
    if others.size:
        value = others[0]
        f.line(f"{f.write(x)}.fill({number(value, dtype)});")
        for k in np.flatnonzero((operand < 0) & (rest != value)).tolist():
            f.line(f"{f.write(x)}[{k}] = {number(rest[k], dtype)};")
    for n, y in enumerate(operands):
        at = np.flatnonzero(operand == n)
        if not at.size:
            continue
        place = w.places[y]
        source = _offsets(place)[numbers[at]]
        to, shape = _as_loops(at, source)
        if to is not None:
            _loop(w, x, y, place, to, shape)
            continue
        name = f.names(x)
        f_from = f.table(f"{name}_from", source - place.offset)
        f_to = None if np.array_equal(at, np.arange(len(at))) else f.table(f"{name}_to", at)
        with f.block(for_("k", len(at))):
            read = f"{f.read(place.root)}[{_plus(f'{f_from}[k]', f.offset(place.root, (), (), place.offset))}]"
            target = f"{f.write(x)}[{f'{f_to}[k]' if f_to else 'k'}]"
            f.line(f"{target} = {converted(read, y.result.dtype, dtype, None)};")


def _plus(text: str, start: str) -> str:
    return f"{text} + {start}"


def _loop(w: Writing, x: Instruction, y: Instruction, place: Place, to: Any, shape: list[int]) -> None:
    f = w.f
    (start, steps), (start_from, steps_from) = to
    with f.loops(shape) as i:
        read = f.at(place, i, steps_from, start_from - place.offset)
        f.line(f"{f.out(x, i, steps, start)} = {converted(read, y.result.dtype, x.result.dtype, None)};")


def _offsets(place: Place) -> Array:
    """Where the elements of a view are, row by row."""
    at = np.full(place.shape, place.offset, np.int64)
    for axis, (n, step) in enumerate(zip(place.shape, place.strides, strict=True)):
        at = at + (np.arange(n) * step).reshape([-1 if k == axis else 1 for k in range(len(place.shape))])
    return at.ravel()


def _as_loops(at: Array, source: Array) -> tuple[Any, list[int]]:
    """Both as the same nested loops, with a start and strides for each; or None."""
    if len(at) == 1:
        return ((int(at[0]), []), (int(source[0]), [])), []
    sizes: list[int] = []
    steps: list[tuple[int, int]] = []
    a, b = at, source
    while len(a) > 1:
        da, db = int(a[1] - a[0]), int(b[1] - b[0])
        run_ = 1 + int(np.argmax(np.append((np.diff(a) != da) | (np.diff(b) != db), True)))
        if len(a) % run_ or run_ == 1 or len(sizes) == 4:
            return None, []
        inner = np.arange(run_)
        rows_a, rows_b = a.reshape(-1, run_), b.reshape(-1, run_)
        if (rows_a != rows_a[:, :1] + da * inner).any() or (rows_b != rows_b[:, :1] + db * inner).any():
            return None, []
        sizes.insert(0, run_)
        steps.insert(0, (da, db))
        a, b = rows_a[:, 0], rows_b[:, 0]
    to = (int(at[0]), [s for s, _ in steps]), (int(source[0]), [s for _, s in steps])
    return to, sizes
