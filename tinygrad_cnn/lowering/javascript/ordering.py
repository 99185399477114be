"""Sorting, and what follows from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.lowering.c.kernels import Kernel
from tinygrad_cnn.lowering.c.places import Place, row_by_row
from tinygrad_cnn.lowering.instructions import Instruction, Slot
from tinygrad_cnn.lowering.javascript.kernels import Writing, bound, has_form

_FUNCTIONS = {np.sort: "sorted", np.argsort: "argsorted", np.argmax: "argmax", np.argmin: "argmin"}


def kernel(x: Instruction, places: dict[Instruction, Place]) -> Kernel | None:
    """The kernel of such a function, along an axis."""
    name = _FUNCTIONS.get(x.function) if x.operation == "call" else None
    if name is None or not has_form(x, *x.operands) or len(x.operands) != 1 or x.operands[0] not in places:
        return None
    given = bound(x)
    if given is None:
        return None
    given.pop("kind", None), given.pop("stable", None)
    if not isinstance(given.pop("a"), Slot):
        return None
    axis, shape = given.pop("axis"), x.operands[0].result.shape
    if any(value is not None and value is not np._NoValue for value in given.values()) or not shape:
        return None
    if axis is None and (len(shape) > 1 or 0 in shape):
        return None
    along = 0 if axis is None else axis % len(shape)
    return Kernel(name, list(x.operands), lambda w: _write(w, x, name, along))


def _write(w: Writing, x: Instruction, name: str, axis: int) -> None:
    f, place = w.f, w.places[x.operands[0]]
    n = place.shape[axis]
    others = [size if k != axis else 1 for k, size in enumerate(place.shape)]
    steps = [s if k != axis else 0 for k, s in enumerate(place.strides)]
    keeps_axis = name in ("sorted", "argsorted")
    out: Any = row_by_row(x.result.shape) if keeps_axis else row_by_row(tuple(others))
    to = [s if k != axis else 0 for k, s in enumerate(out)]
    along = out[axis] if keeps_axis else 0
    line = f.scratch("line", n)
    with f.loops(others) as i:
        with f.loops((n,), "k") as (k,):
            f.line(f"{line}[{k}] = {f.at(place, (*i, k), (*steps, place.strides[axis]))};")
        if not keeps_axis:
            f.line(f"{f.out(x, i, to)} = {name}({line});")
            return
        f.line(f"const order = {name}({line});")
        with f.loops((n,), "k") as (k,):
            f.line(f"{f.out(x, (*i, k), (*to, along))} = order[{k}];")
