"""Assignments to a part of an array, and what is scattered into one: in place where nothing else reads the old one."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.mutation.versions import is_basic
from tinygrad_cnn.lowering.c.elementwise import C_TYPES, converted, number
from tinygrad_cnn.lowering.c.functions import ctype, offset
from tinygrad_cnn.lowering.c.kernels import Kernel, Writing
from tinygrad_cnn.lowering.c.places import Place, literal, row_by_row
from tinygrad_cnn.lowering.instructions import Instruction, Slot, slots


def kernel(x: Instruction, places: dict[Instruction, Place]) -> Kernel | None:
    """The kernel of an assignment, a concatenation or a scattering, if it has one."""
    if x.result.kind != "array" or x.result.dtype not in C_TYPES or x.result.size == 0 or x not in places:
        return None
    if any(y not in places or y.result.dtype not in C_TYPES for y in x.operands):
        return None
    if x.operation == "concatenate":
        return Kernel("concatenate", list(x.operands), lambda w: _concatenate(w, x))
    if x.operation not in ("setitem", "add_at", "scatter"):
        return None
    index = x.parameters["index"]
    if slots(index) or not is_basic(index):
        return None
    value = x.parameters["value"] if x.operation != "scatter" else Slot(0)
    if not isinstance(value, Slot | bool | int | float):
        return None
    given = x.operands[value.number] if isinstance(value, Slot) else None
    if given is not None and not np.can_cast(given.result.dtype, x.result.dtype, "same_kind"):
        return None
    part = _part(x, index)
    if len(given.result.shape if given is not None else ()) > len(part.shape):
        return None
    return Kernel(x.operation, [y for y in x.operands if literal(y) is None], lambda w: _assign(w, x, given, value))


def _part(x: Instruction, index: Any) -> Place:
    """The part of the result that is assigned to."""
    whole = Place(x, 0, x.result.shape, row_by_row(x.result.shape))
    base = np.lib.stride_tricks.as_strided(np.empty(1, np.int8), whole.shape, whole.strides, writeable=False)
    items = index if isinstance(index, tuple) else (index,)
    view = base[items if any(item is Ellipsis for item in items) else (*items, Ellipsis)]
    start = view.__array_interface__["data"][0] - base.__array_interface__["data"][0] if view.size else 0
    return Place(x, start, view.shape, view.strides)


def _assign(w: Writing, x: Instruction, given: Instruction | None, value: Any) -> None:
    f = w.f
    part = _part(x, x.parameters["index"])
    if x.operation == "scatter":
        f.starts[x] = 0
        f.line(f"memset({f.write(x)}, 0, {x.result.size} * sizeof({ctype(x)}));")
    elif x not in w.in_place:
        old = x.operands[0]
        with f.loops(x.result.shape) as i:
            text = f.element(w.places[old], i) if literal(old) is None else number(literal(old), x.result.dtype)
            f.line(f"{f.element(w.places[x], i, write=True)} = {text};")
    else:
        f.write(x)
    if 0 in part.shape:
        return
    with f.loops(part.shape) as i:
        if given is None:
            text = number(value, x.result.dtype)
        elif literal(given) is not None:
            text = number(literal(given), x.result.dtype)
        else:
            place = w.places[given]
            steps = (*[0] * (len(part.shape) - len(place.shape)), *place.strides)
            text = f"{f.read(place.root)}[{offset(i, steps, f.start(place))}]"
            text = converted(text, given.result.dtype, x.result.dtype, None)
        sign = "=" if x.operation == "setitem" else "+="
        f.line(f"{f.element(part, i, write=True)} {sign} {text};")


def _concatenate(w: Writing, x: Instruction) -> None:
    f, out, start, axis = w.f, w.places[x], 0, x.parameters["axis"]
    for y in x.operands:
        if y.result.size:
            with f.loops(y.result.shape) as i:
                text = f.element(w.places[y], i) if literal(y) is None else ""
                text = converted(text, y.result.dtype, x.result.dtype, literal(y))
                f.line(f"{f.write(x)}[{offset(i, out.strides, start * out.strides[axis])}] = {text};")
        start += y.result.shape[axis]


def in_place(
    steps: Any, last: dict[Instruction, int], places: dict[Instruction, Place]
) -> dict[Instruction, Instruction]:
    """The assignments that are done in the memory of the array that they change, and which that is."""
    found: dict[Instruction, Instruction] = {}
    for number_, step in enumerate(steps.all):
        x = step.instructions[0]
        if step.kind not in ("setitem", "add_at"):
            continue
        old = x.operands[0]
        root = steps.root(old)
        if root not in steps.of or old not in places or not places[old].is_whole or root.result.dtype != x.result.dtype:
            continue
        given = [y for y in x.operands[1:] if steps.root(y) is root]
        if last[root] == number_ and not given:
            found[x] = root
    return found
