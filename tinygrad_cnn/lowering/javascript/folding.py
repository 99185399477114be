"""Reductions that no fused loop has: by any elementwise function of two operands, with an initial value or a mask."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.lowering.c.kernels import Kernel
from tinygrad_cnn.lowering.c.places import Place, literal, row_by_row
from tinygrad_cnn.lowering.c.steps import REDUCTIONS, reduced_axes, reduction
from tinygrad_cnn.lowering.instructions import Instruction, Result, Slot
from tinygrad_cnn.lowering.javascript.elementwise import converted, expression, loop_dtypes, number
from tinygrad_cnn.lowering.javascript.kernels import Writing, has_form


def kernel(x: Instruction, places: dict[Instruction, Place]) -> Kernel | None:
    """The kernel of such a reduction: element by element, in order."""
    if x.operation == "reduce" and len(x.operands) == 1 and x.parameters["ufunc"] in REDUCTIONS and reduction(x):
        return None  # a loop's
    if x.operation != "reduce" or not has_form(x, *x.operands) or any(y not in places for y in x.operands):
        return None
    if x.operands[0].result.kind == "number":
        return None
    initial, where = x.parameters.get("initial"), x.parameters.get("where", True)
    if isinstance(initial, Slot) or not (where is True or where is None or isinstance(where, Slot)):
        return None
    step = _step(x)
    dtypes = None if step is None else loop_dtypes(step)
    if step is None or dtypes is None:
        return None
    first = _identity(x, initial)
    if first is None and (isinstance(where, Slot) or (x.operands[0].result.size == 0 and x.result.size)):
        return None
    mask = x.operands[where.number] if isinstance(where, Slot) else None
    return Kernel("reduction", list(x.operands), lambda w: _write(w, x, step, dtypes, first, mask))


def _step(x: Instruction) -> Instruction | None:
    """One step of it: an element of the result, from itself and from an element of what is reduced."""
    ufunc, made, taken = x.parameters["ufunc"], x.result.dtype, x.operands[0].result.dtype
    if made == np.float32 and taken.kind in "iu":
        return None  # NumPy computes in another dtype, and it depends
    if ufunc in ("logical_and", "logical_or"):
        made = np.dtype(bool)
    total, element = [Instruction("input", (), {"name": name}, Result((), made, "scalar")) for name in "ab"]
    return Instruction(ufunc, (total, element), {}, Result((), made, "scalar"))


def _identity(x: Instruction, initial: Any) -> str | None:
    """What it begins with; None if that is the first element."""
    if initial is not None and initial is not np._NoValue:
        return number(initial, x.result.dtype)
    identity = getattr(np, x.parameters["ufunc"]).identity
    return None if identity is None or x.parameters["ufunc"] == "logaddexp" else number(identity, x.result.dtype)


def _write(
    w: Writing, x: Instruction, step: Instruction, dtypes: Any, first: str | None, mask: Instruction | None
) -> None:
    f, given = w.f, x.operands[0]
    axes = reduced_axes(x)
    place, shape = w.places[given], given.result.shape
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    out = row_by_row(tuple([shape[axis] for axis in kept]))
    with f.loops([shape[axis] for axis in kept]) as i:
        start = f.at(place, i, [place.strides[axis] for axis in kept]) if first is None else first
        if first is None:
            f.line("let is_first = true;")
        f.line(f"let so_far = {_converted(given, start, step) if first is None else start};")
        with f.loops([shape[axis] for axis in axes], "k") as k:
            order = dict(zip((*kept, *axes), (*i, *k), strict=True))
            at = [order[axis] for axis in range(len(shape))]
            text = _converted(given, f.at(place, at) if literal(given) is None else "", step)
            condition = ""
            if mask is not None:
                held = w.places[mask]
                steps = (*[0] * (len(shape) - len(held.shape)), *held.strides)
                condition = (
                    f"if ({converted(f.at(held, at, steps), mask.result.dtype, np.dtype(bool), literal(mask))}) "
                )
            made = expression(step, dtypes, ["so_far", text])
            if first is None:
                f.line(f"if (is_first) is_first = false; else so_far = {made};")
            else:
                f.line(f"{condition}so_far = {made};")
        f.line(f"{f.out(x, i, out)} = so_far;")


def _converted(given: Instruction, text: str, step: Instruction) -> str:
    found = converted(text, given.result.dtype, step.result.dtype, literal(given))
    return found if found.replace("[", "").replace("]", "").isalnum() else f"({found})"
