"""Elements at indices that are known when the program runs: taken, assigned or added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.lowering.c.kernels import Kernel
from tinygrad_cnn.lowering.c.places import Place, literal, row_by_row
from tinygrad_cnn.lowering.instructions import Instruction, Slot
from tinygrad_cnn.lowering.javascript.assignments import assigned, begin, element, value_of
from tinygrad_cnn.lowering.javascript.elementwise import converted
from tinygrad_cnn.lowering.javascript.kernels import Writing, bound, has_form


class _Axis(NamedTuple):
    """What is taken along an axis of an array: a slice, or the elements of an array of integers, or one integer."""

    start: int
    step: int
    at: Any  # the array of integers: an instruction or an array; None of a slice


class _Index(NamedTuple):
    """An index.

    axes     for each axis of the array
    shape    that of what is indexed
    where    for each axis of that the axis of the array that it runs along, -1 for those of the arrays of integers, -2
             for a new one
    arrays   the shape that the arrays of integers have together
    """

    axes: list[_Axis]
    shape: tuple[int, ...]
    where: list[int]
    arrays: tuple[int, ...]


def kernel(x: Instruction, places: dict[Instruction, Place]) -> Kernel | None:
    """The kernel of an operation with such an index."""
    if not has_form(x, *x.operands) or any(y not in places for y in x.operands):
        return None
    if x.operation == "call":
        return _of_call(x)
    if x.operation == "labels_in_range":
        return Kernel("labels", list(x.operands), lambda w: _labels(w, x))
    if x.operation == "at_least_one":
        return Kernel("count", list(x.operands), lambda w: _at_least_one(w, x))
    if x.operation not in ("getitem", "setitem", "add_at", "scatter"):
        return None
    whole = x.operands[0].result.shape if x.operation == "getitem" else x.result.shape
    mask = _mask(x)
    if mask is not None and x.operation != "getitem":
        value = value_of(x)
        if value is None or (isinstance(value, Instruction) and value.result.shape not in ((), (1,))):
            return None
        return Kernel(x.operation, list(x.operands), lambda w: _masked(w, x, mask, value))
    index = _index(x, whole)
    if index is None:
        return None
    if x.operation == "getitem":
        if index.shape != x.result.shape:
            return None
        return Kernel("gather", list(x.operands), lambda w: _gather(w, x, x.operands[0], index))
    value = value_of(x)
    if value is None:
        return None
    return Kernel(x.operation, list(x.operands), lambda w: _assign(w, x, index, value))


def _mask(x: Instruction) -> Instruction | None:
    """The array of booleans that is the whole index."""
    index = x.parameters["index"]
    items = index if isinstance(index, tuple) else (index,)
    if len(items) != 1 or not isinstance(items[0], Slot):
        return None
    mask = x.operands[items[0].number]
    return mask if mask.result.dtype == bool and mask.result.shape else None


def _index(x: Instruction, whole: tuple[int, ...]) -> _Index | None:
    given = x.parameters["index"]
    items: list[Any] = []
    for item in given if isinstance(given, tuple) else (given,):
        if isinstance(item, Slot):
            item = x.operands[item.number]
            if item.result.dtype.kind not in "iu":
                return None
        elif isinstance(item, np.ndarray | list):
            item = np.asarray(item)
            if item.dtype == bool:
                items += list(np.nonzero(item))
                continue
            if item.dtype.kind not in "iu":
                return None
        items.append(item)
    used = sum(item is not None and item is not Ellipsis for item in items)
    if not any(item is Ellipsis for item in items):
        items.append(Ellipsis)
    place = next(k for k, item in enumerate(items) if item is Ellipsis)
    items[place : place + 1] = [slice(None)] * (len(whole) - used)
    axes: list[_Axis] = []
    layout: list[tuple[int, int]] = []  # of each axis of the result: which of the array, and how long
    advanced: list[int] = []  # where in the result arrays stand
    shapes = []
    for item in items:
        if item is None:
            layout.append((-2, 1))
        elif isinstance(item, slice):
            start, stop, step = item.indices(whole[len(axes)])
            layout.append((len(axes), len(range(start, stop, step))))
            axes.append(_Axis(start, step, None))
        else:
            shapes.append(item.result.shape if isinstance(item, Instruction) else np.shape(item))
            advanced.append(len(layout))
            layout.append((-1, 0))
            axes.append(_Axis(0, 0, item))
    if not shapes:
        return None
    arrays = np.broadcast_shapes(*shapes)
    together = advanced == list(range(advanced[0], advanced[0] + len(advanced)))
    first = advanced[0] if together else 0
    rest = [pair for pair in layout if pair[0] != -1]
    ordered = [*rest[:first], *[(-1, n) for n in arrays], *rest[first:]]
    return _Index(axes, tuple([n for _, n in ordered]), [axis for axis, _ in ordered], arrays)


def _address(w: Writing, index: _Index, i: Sequence[str], whole: tuple[int, ...], steps: Sequence[int]) -> str:
    """Where the element of an array is that an index picks."""
    f = w.f
    of_arrays = [i[k] for k, axis in enumerate(index.where) if axis == -1]
    terms, start = [], 0
    for axis, (at, n, step) in enumerate(zip(index.axes, whole, steps, strict=True)):
        if at.at is None:
            start += at.start * step
            variable = i[index.where.index(axis)]
            if variable != "0" and at.step * step:
                terms.append(f"{variable} * {at.step * step}" if at.step * step != 1 else variable)
            continue
        if isinstance(at.at, Instruction) and literal(at.at) is None:
            place = w.places[at.at]
            text = f.at(place, of_arrays, (*[0] * (len(of_arrays) - len(place.shape)), *place.strides))
        else:
            numbers = np.asarray(literal(at.at) if isinstance(at.at, Instruction) else at.at)
            if not numbers.shape:
                text = str(int(numbers))
            else:
                name = f.table("indices", numbers.ravel())
                strides = (*[0] * (len(of_arrays) - numbers.ndim), *row_by_row(numbers.shape))
                text = f"{name}[{_sum(of_arrays, strides)}]"
        terms.append(f"index({text}, {n}, {axis})" + (f" * {step}" if step != 1 else ""))
    return " + ".join([*terms, *([str(start)] if start or not terms else [])])


def _sum(variables: Sequence[str], strides: Sequence[int]) -> str:
    terms = [f"{v} * {step}" for v, step in zip(variables, strides, strict=True) if v != "0" and step]
    return " + ".join(terms) or "0"


def _gather(w: Writing, x: Instruction, source: Instruction, index: _Index) -> None:
    f, place = w.f, w.places[source]
    with f.loops(x.result.shape) as i:
        at = _address(w, index, i, place.shape, place.strides)
        read = f"{f.read(place.root)}[{at} + {f.offset(place.root, (), (), place.offset)}]"
        f.line(f"{f.out(x, i, row_by_row(x.result.shape))} = {read};")


def _assign(w: Writing, x: Instruction, index: _Index, value: Any) -> None:
    f = w.f
    begin(w, x)
    with f.loops(index.shape) as i:
        at = _address(w, index, i, x.result.shape, row_by_row(x.result.shape))
        text = element(w, value, i, index.shape, x.result.dtype)
        f.line(assigned(x, f"{f.write(x)}[{at}]", text))


def _masked(w: Writing, x: Instruction, mask: Instruction, value: Any) -> None:
    """A number, assigned to or added to the elements where a mask holds."""
    f, held = w.f, w.places[mask]
    begin(w, x)
    shape = x.result.shape
    with f.loops(shape) as i:
        text = element(w, value, i, shape, x.result.dtype)
        steps = (*held.strides, *[0] * (len(shape) - len(held.shape)))
        f.line(f"if ({f.at(held, i, steps)}) {assigned(x, f.out(x, i, row_by_row(shape)), text)}")


# Functions of NumPy.


def _of_call(x: Instruction) -> Kernel | None:
    given = bound(x) if x.function in (np.take, np.take_along_axis) else None
    if given is None:
        return None
    of = given["a"] if x.function is np.take else given["arr"]
    if not isinstance(of, Slot) or not isinstance(given["indices"], Slot):
        return None
    source, indices = x.operands[of.number], x.operands[given["indices"].number]
    axis = given["axis"]
    if axis is None or indices.result.dtype.kind not in "iu":
        return None
    if x.function is np.take_along_axis:
        return Kernel("gather", list(x.operands), lambda w: _along(w, x, source, indices, axis % len(x.result.shape)))
    if given["out"] is not None or given["mode"] != "raise":
        return None
    index = (*[slice(None)] * (axis % len(source.result.shape)), given["indices"])
    found = _index(Instruction("getitem", x.operands, {"index": index}, x.result), source.result.shape)
    if found is None or found.shape != x.result.shape:
        return None
    return Kernel("gather", list(x.operands), lambda w: _gather(w, x, source, found))


def _along(w: Writing, x: Instruction, source: Instruction, indices: Instruction, axis: int) -> None:
    f, place, at, shape = w.f, w.places[source], w.places[indices], x.result.shape
    n, step = place.shape[axis], place.strides[axis]
    others = [0 if k == axis or place.shape[k] == 1 else s for k, s in enumerate(place.strides)]
    steps = [0 if m == 1 else s for m, s in zip(at.shape, at.strides, strict=True)]
    with f.loops(shape) as i:
        along = f"index({f.at(at, i, steps)}, {n}, {axis}) * {step}"
        read = f"{f.read(place.root)}[{along} + {f.offset(place.root, i, others, place.offset)}]"
        f.line(f"{f.out(x, i, row_by_row(shape))} = {read};")


def _labels(w: Writing, x: Instruction) -> None:
    """The labels, those that are ignored as 0; another one out of range is an error."""
    f, place, (ignored, count) = w.f, w.places[x.operands[0]], (x.parameters["ignored"], x.parameters["count"])
    dtype = x.operands[0].result.dtype
    with f.loops(x.result.shape) as i:
        label = f.at(place, i)
        kept = f"label({label}, {count})"
        if ignored is not None:
            kept = f"{label} === {ignored} ? 0 : {kept}"
        f.line(f"{f.out(x, i, row_by_row(x.result.shape))} = {converted(kept, dtype, x.result.dtype, None)};")


def _at_least_one(w: Writing, x: Instruction) -> None:
    """A count, which is an error if it is 0."""
    place, ignored = w.places[x.operands[0]], x.parameters["ignored"]
    count = f"at_least_one({w.f.at(place, [])}, {ignored})"
    dtype = x.operands[0].result.dtype
    w.f.line(f"{w.f.out(x, [], [])} = {converted(count, dtype, x.result.dtype, None)};")
