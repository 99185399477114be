"""Sums and products that go on along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.lowering.c.kernels import Kernel
from tinygrad_cnn.lowering.c.places import Place, row_by_row
from tinygrad_cnn.lowering.instructions import Instruction, Result, Slot
from tinygrad_cnn.lowering.javascript.elementwise import converted, expression, loop_dtypes
from tinygrad_cnn.lowering.javascript.kernels import Writing, bound, has_form

_UFUNCS = {np.cumsum: "add", np.cumprod: "multiply"}


def kernel(x: Instruction, places: dict[Instruction, Place]) -> Kernel | None:
    """The kernel of such a function: np.cumsum, np.cumprod, or accumulate of a ufunc."""
    if x.operation != "call" or len(x.operands) != 1 or not has_form(x, *x.operands) or x.operands[0] not in places:
        return None
    ufunc = _UFUNCS.get(x.function) or _accumulated(x.function)
    if ufunc is None:
        return None
    found = _arguments(x)
    taken, made = x.operands[0].result.dtype, x.result.dtype
    if found is None or (made == np.float32 and taken.kind in "iu") or not x.operands[0].result.shape:
        return None
    total, element = [Instruction("input", (), {"name": name}, Result((), made, "scalar")) for name in "ab"]
    step = Instruction(ufunc, (total, element), {}, Result((), made, "scalar"))
    dtypes = loop_dtypes(step)
    if dtypes is None or (made.kind == "b" and taken.kind != "b"):
        return None
    axis = found
    return Kernel("cumulation", list(x.operands), lambda w: _write(w, x, step, dtypes, axis))


def _accumulated(function: Any) -> str | None:
    ufunc: Any = getattr(function, "__self__", None)
    is_it = isinstance(ufunc, np.ufunc) and getattr(function, "__name__", "") == "accumulate"
    return str(ufunc.__name__) if is_it else None


def _arguments(x: Instruction) -> int | None:
    """The axis; None if there is another argument that is not known here."""
    args, keywords = list(x.parameters["args"]), dict(x.parameters["keywords"])
    shape = x.operands[0].result.shape
    if not args or not isinstance(args[0], Slot):
        return None
    if x.function in _UFUNCS:
        given = bound(x)
        if given is None:
            return None
        axis, out = given["axis"], given["out"]
        if axis is None and len(shape) != 1:
            return None
        return None if out is not None else (axis or 0) % max(len(shape), 1)
    if set(keywords) - {"axis"} or len(args) > 2:
        return None
    axis = args[1] if len(args) > 1 else keywords.get("axis", 0)
    return int(axis) % len(shape)


def _write(w: Writing, x: Instruction, step: Instruction, dtypes: Any, axis: int) -> None:
    f, place, out = w.f, w.places[x.operands[0]], row_by_row(x.result.shape)
    others = [size if k != axis else 1 for k, size in enumerate(place.shape)]
    steps = [s if k != axis else 0 for k, s in enumerate(place.strides)]
    to = [s if k != axis else 0 for k, s in enumerate(out)]
    taken, made = x.operands[0].result.dtype, x.result.dtype
    if not x.result.size:
        return
    with f.loops(others) as i:
        f.line(f"let so_far = {converted(f.at(place, i, steps), taken, made, None)};")
        f.line(f"{f.out(x, i, to)} = so_far;")
        if place.shape[axis] == 1:
            return
        with f.block(f"for (let k = 1; k < {place.shape[axis]}; k++)"):
            element = f.at(place, (*i, "k"), (*steps, place.strides[axis]))
            f.line(f"so_far = {expression(step, dtypes, ['so_far', converted(element, taken, made, None)])};")
            f.line(f"{f.out(x, (*i, 'k'), (*to, out[axis]))} = so_far;")
