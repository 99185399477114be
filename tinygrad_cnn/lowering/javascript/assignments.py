"""Assignments to a part of an array, what is scattered into one, and concatenation."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.mutation.versions import is_basic
from tinygrad_cnn.lowering.c.kernels import Kernel
from tinygrad_cnn.lowering.c.places import Place, literal, row_by_row
from tinygrad_cnn.lowering.instructions import Instruction, Slot, slots
from tinygrad_cnn.lowering.javascript.elementwise import ARRAYS, converted
from tinygrad_cnn.lowering.javascript.elementwise import rounded as as_dtype
from tinygrad_cnn.lowering.javascript.kernels import Writing, has_form


def kernel(x: Instruction, places: dict[Instruction, Place]) -> Kernel | None:
    """The kernel of an assignment, a concatenation or a scattering to a slice."""
    if x.result.kind != "array" or x not in places or not has_form(x, *x.operands):
        return None
    if any(y not in places for y in x.operands):
        return None
    if x.operation == "concatenate":
        return Kernel("concatenate", list(x.operands), lambda w: _concatenate(w, x))
    if x.operation not in ("setitem", "add_at", "scatter"):
        return None
    index = x.parameters["index"]
    value = value_of(x)
    if value is None or slots(index) or not is_basic(index):
        return None
    part = part_of(x, index)
    if part is None or len(np.shape(value) if not isinstance(value, Instruction) else value.result.shape) > len(
        part.shape
    ):
        return None
    return Kernel(x.operation, list(x.operands), lambda w: _assign(w, x, value, part))


def value_of(x: Instruction) -> Any:
    """What is assigned or scattered: an instruction, or a number; None if it is neither or has another dtype."""
    value = Slot(0) if x.operation == "scatter" else x.parameters["value"]
    if isinstance(value, Slot):
        given = x.operands[value.number]
        casting: Any = "unsafe" if x.operation == "setitem" else "same_kind"
        return given if np.can_cast(given.result.dtype, x.result.dtype, casting) else None
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, bool | int | float) else None


def part_of(x: Instruction, index: Any) -> Place | None:
    """The part of the result that is assigned to."""
    base = np.lib.stride_tricks.as_strided(
        np.empty(1, np.int8), x.result.shape, row_by_row(x.result.shape), writeable=False
    )
    items = index if isinstance(index, tuple) else (index,)
    view = base[items if any(item is Ellipsis for item in items) else (*items, Ellipsis)]
    start = view.__array_interface__["data"][0] - base.__array_interface__["data"][0] if view.size else 0
    return Place(x, start, view.shape, view.strides)


def begin(w: Writing, x: Instruction) -> None:
    """What the result is before something is assigned."""
    f = w.f
    if x.operation == "scatter":
        f.line(f"{f.write(x)}.fill(0);")
    elif x in w.in_place:
        f.write(x)
    else:
        old = x.operands[0]
        with f.loops(x.result.shape) as i:
            f.line(f"{f.out(x, i, row_by_row(x.result.shape))} = {element(w, old, i, x.result.shape, x.result.dtype)};")


def element(w: Writing, y: Any, i: Any, shape: tuple[int, ...], dtype: Any) -> str:
    """The element of an operand, broadcast to a shape, as one of a dtype; or a number."""
    if not isinstance(y, Instruction):
        return converted("", dtype, dtype, y)
    if (value := literal(y)) is not None:
        return converted("", y.result.dtype, dtype, value)
    place = w.places[y]
    steps = (*[0] * (len(shape) - len(place.shape)), *place.strides)
    return converted(w.f.at(place, i, steps), y.result.dtype, dtype, None)


def assigned(x: Instruction, target: str, text: str) -> str:
    """An assignment to an element, or an addition to it."""
    if x.operation == "setitem":
        return f"{target} = {text};"
    if ARRAYS[x.result.dtype] == "Float64Array" and x.result.dtype.kind != "f":
        return f"{target} = {as_dtype('add', f'{target} + {text}', x.result.dtype, x.result.dtype)};"
    return f"{target} |= {text};" if x.result.dtype.kind == "b" else f"{target} += {text};"


def _assign(w: Writing, x: Instruction, value: Any, part: Place) -> None:
    begin(w, x)
    if 0 in part.shape:
        return
    with w.f.loops(part.shape) as i:
        text = element(w, value, i, part.shape, x.result.dtype)
        w.f.line(assigned(x, w.f.out(x, i, part.strides, part.offset), text))


def _concatenate(w: Writing, x: Instruction) -> None:
    f, out, start, axis = w.f, row_by_row(x.result.shape), 0, x.parameters["axis"]
    for y in x.operands:
        if y.result.size:
            with f.loops(y.result.shape) as i:
                text = element(w, y, i, y.result.shape, x.result.dtype)
                f.line(f"{f.out(x, i, out, start * out[axis])} = {text};")
        start += y.result.shape[axis]
