"""Indexing and assignment: Slice, Gather and GatherND, Pad and ScatterND."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction
from tinygrad_cnn.lowering.onnx_graph.lengths import Length, Size
from tinygrad_cnn.lowering.onnx_graph.operators import NUMBERS, PADDED, code, run_in
from tinygrad_cnn.lowering.onnx_graph.refusal import refused
from tinygrad_cnn.lowering.onnx_graph.writer import FAR, Writer

INT64 = np.dtype(np.int64)


@dataclass
class Places:
    """An index, taken apart.

    slices     for each axis that a slice stands for, the slice
    arrays     for each axis that an array or a number stands for, the tensor of it and its shape
    extent     the shape that the arrays have together
    layout     the axes of what is picked, in order: a number for an axis of the array, None for a new one, and "arrays"
               for those of the arrays
    """

    slices: dict[int, slice]
    arrays: dict[int, tuple[Any, tuple[Size, ...]]]
    extent: tuple[Size, ...]
    layout: list[Any]

    @property
    def is_basic(self) -> bool:
        """Whether there are only numbers and slices."""
        return all(isinstance(value, int) for value, _ in self.arrays.values())


def places(w: Writer, x: Instruction, index: Any, shape: Sequence[Size]) -> Places:
    """An index of an array of that shape."""
    items: list[Any] = []
    for item in index if isinstance(index, tuple) else (index,):
        items += _items(w, x, item)
    taken = sum([item is not None and item is not Ellipsis for item in items])
    if Ellipsis not in [item for item in items if item is None or item is Ellipsis or isinstance(item, slice)]:
        items.append(Ellipsis)
    advanced = [_is_array(item) for item in items]
    has_arrays = any(a and not isinstance(item, int) for a, item in zip(advanced, items, strict=True))
    found = Places({}, {}, (), [])
    axis, runs, before = 0, 0, False
    for item, array in zip(items, advanced, strict=True):
        if item is Ellipsis:
            for _ in range(len(shape) - taken):
                found.layout.append(axis)
                axis += 1
        elif item is None:
            found.layout.append(None)
        elif isinstance(item, slice):
            if not _is_whole(item, shape[axis]):
                found.slices[axis] = item
            found.layout.append(axis)
            axis += 1
        else:
            found.arrays[axis] = (item, item.result.shape if isinstance(item, Instruction) else np.shape(item))
            if has_arrays and not before:
                runs += 1
                if runs == 1:
                    found.layout.append("arrays")
            axis += 1
        before = array if item is not Ellipsis or len(items) > 1 else before
    if runs > 1:  # arrays that are apart: what they pick comes first
        found.layout = ["arrays", *[k for k in found.layout if k != "arrays"]]
    found.extent = _broadcast([extent for _, extent in found.arrays.values()])
    return found


def _items(w: Writer, x: Instruction, item: Any) -> list[Any]:
    """An item of an index; a constant mask as the places where it holds."""
    if isinstance(item, Instruction):
        known = w.constant_of(item)
        if known is None:
            if item.result.dtype.kind == "b":
                raise refused(x, "how much a mask picks depends on its elements. Use np.where")
            return [item]
        item = known
    if item is None or item is Ellipsis or isinstance(item, slice):
        return [item]
    array = np.asarray(item)
    if array.dtype.kind == "b":
        return list(np.nonzero(array)) if array.ndim else [np.nonzero(np.atleast_1d(array))[0], None][:1]
    if not array.size:
        array = array.astype(np.int64)
    return [int(array)] if array.ndim == 0 else [array.astype(np.int64)]


def _is_array(item: Any) -> bool:
    return isinstance(item, int | np.ndarray | Instruction)


def _is_whole(item: slice, n: Size) -> bool:
    return item.step in (None, 1) and item.start in (None, 0) and (item.stop is None or item.stop == n)


def _broadcast(shapes: Sequence[Sequence[Size]]) -> tuple[Size, ...]:
    ndim = max([len(s) for s in shapes], default=0)
    padded = [(*[1] * (ndim - len(s)), *s) for s in shapes]
    return tuple([next((n for n in lengths if n != 1), 1) for lengths in zip(*padded, strict=True)])


def getitem(w: Writer, x: Instruction) -> str:
    """Slices first, then what arrays pick, then the new axes."""
    y = x.operands[0]
    shape = list(y.result.shape)
    at = places(w, x, w.filled(x)["index"], shape)
    tensor = w.names[y]
    if at.is_basic and len(at.arrays) > 1:  # several numbers are slices of one element
        ones = {axis: slice(k, k + 1 if k != -1 else None) for axis, (k, _) in at.arrays.items()}
        tensor = _sliced(w, tensor, {**at.slices, **ones})
        tensor = w.graph.node("Squeeze", tensor, w.graph.integers(sorted(at.arrays)))
    else:
        tensor = _sliced(w, tensor, at.slices)
        if len(at.arrays) == 1:
            ((axis, (item, _)),) = at.arrays.items()
            tensor = w.graph.node("Gather", tensor, _tensor(w, item), axis=axis)
        elif at.arrays:
            tensor = _gathered(w, tensor, at, len(shape))
    new = [k for k, axis in enumerate(_spread(at)) if axis is None]
    if new:
        tensor = w.graph.node("Unsqueeze", tensor, w.graph.integers(new))
    return w.graph.node("Identity", tensor) if tensor == w.names[y] else tensor


def _spread(at: Places) -> list[Any]:
    """The layout, with an entry for each axis of the arrays."""
    spread: list[Any] = []
    for axis in at.layout:
        spread += ["arrays"] * len(at.extent) if axis == "arrays" else [axis]
    return spread


def _sliced(w: Writer, tensor: str, slices: dict[int, slice]) -> str:
    if not slices:
        return tensor
    starts: list[Size] = []
    stops: list[Size] = []
    for part in slices.values():
        back = (part.step or 1) < 0
        starts.append((FAR if back else 0) if part.start is None else part.start)
        stops.append((-FAR if back else FAR) if part.stop is None else part.stop)
    steps = [part.step or 1 for part in slices.values()]
    more = [w.graph.integers(steps)] if any(step != 1 for step in steps) else []
    return w.graph.node("Slice", tensor, w.lengths(starts), w.lengths(stops), w.graph.integers(slices), *more)


def _tensor(w: Writer, item: Any) -> str:
    return w.operand(item, INT64) if isinstance(item, Instruction) else w.graph.constant(item, INT64)


def _gathered(w: Writer, tensor: str, at: Places, ndim: int) -> str:
    """What several arrays pick, by GatherND: their axes are brought to the front."""
    axes = list(at.arrays)
    others = [k for k in range(ndim) if k not in axes]
    made = w.graph.node("GatherND", w.transpose(tensor, axes + others), _tuples(w, at, at.extent))
    count = len(at.extent)
    where = {axis: count + k for k, axis in enumerate(others)}
    order: list[int] = []
    for axis in at.layout:
        if axis == "arrays":
            order += range(count)
        elif axis is not None:
            order.append(where[axis])
    return w.transpose(made, order)


def _tuples(w: Writer, at: Places, extent: tuple[Size, ...], more: Sequence[Any] = ()) -> str:
    """The places, as vectors along a last axis: of the arrays, and of `more` constants."""
    parts = [*[item for item, _ in at.arrays.values()], *more]
    if not any(isinstance(item, Instruction) for item in parts) and not any(isinstance(n, Length) for n in extent):
        return w.graph.constant(
            np.stack([np.broadcast_to(item, tuple(map(_whole, extent))) for item in parts], axis=-1), INT64
        )
    vectors = []
    for item in parts:
        shape = item.result.shape if isinstance(item, Instruction) else np.shape(item)
        whole = w.expand(_tensor(w, item), shape, extent)
        vectors.append(w.graph.node("Unsqueeze", whole, w.graph.integers([-1])))
    return vectors[0] if len(vectors) == 1 else w.graph.node("Concat", *vectors, axis=-1)


# Assignment.


def setitem(w: Writer, x: Instruction) -> str:
    """An array with a value at an index: padding, if the rest is zeros."""
    y, value = x.operands[0], w.filled(x)["value"]
    if y.operation == "full" and _is_zero(y.parameters["value"]):
        padded = _padded(w, x, value)
        if padded is not None:
            return padded
    return _assigned(w, x, y, value, adds=False)


def add_at(w: Writer, x: Instruction) -> str:
    """An array with a value added at an index."""
    y, value = x.operands[0], w.filled(x)["value"]
    if any(isinstance(n, Length) for n in x.result.shape):
        padded = _padded(w, x, value)
        if padded is not None:
            return w.graph.node("Add", w.names[y], padded)
    return _assigned(w, x, y, value, adds=True)


def scatter(w: Writer, x: Instruction) -> str:
    """Zeros, with what is given added at an index."""
    padded = _padded(w, x, x.operands[0])
    return padded if padded is not None else _assigned(w, x, None, x.operands[0], adds=True)


def _is_zero(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and value == 0 and not np.signbit(value)


def _padded(w: Writer, x: Instruction, value: Any) -> str | None:
    """Zeros around a value, if what the index of `x` picks is a part without gaps."""
    shape, dtype = x.result.shape, x.result.dtype
    index = w.filled(x)["index"]
    if isinstance(index, Instruction) and index.result.dtype.kind == "b":
        return None
    at = places(w, x, index, shape)
    pads = _padding(at, shape)
    if pads is None or any(axis is None for axis in at.layout):
        return None
    given, extent = _value(w, value, dtype)
    kept = [1 if k in at.arrays else _less(n, *pads[k]) for k, n in enumerate(shape)]
    picked = [n for k, n in enumerate(kept) if k not in at.arrays]
    if tuple(extent) != tuple(picked):
        if len(extent) > len(picked) or any(isinstance(n, Length) for n in picked):
            return None
        given = w.expand(given, extent, picked)
    given = w.reshape(given, picked, kept)
    if not any(before or behind for before, behind in pads):
        return w.graph.node("Identity", given)
    ran = run_in(dtype, PADDED)
    amounts = w.lengths([*[before for before, _ in pads], *[behind for _, behind in pads]])
    return w.cast(w.graph.node("Pad", w.cast(given, dtype, ran), amounts), ran, dtype)


def _less(n: Size, before: Size, behind: Size) -> Size:
    for part in (before, behind):
        n = _difference(n, part)
    return n


def _difference(a: Size, b: Size) -> Size:
    first, second = (n if isinstance(n, Length) else Length(0, n) for n in (a, b))
    found = Length(first.scale - second.scale, first.offset - second.offset)
    return found if found.scale else found.offset


def _padding(at: Places, shape: Sequence[Size]) -> list[tuple[Size, Size]] | None:
    """How many elements lie before and behind what a basic index picks, along each axis; None if that is not all."""
    if not at.is_basic:
        return None
    found: list[tuple[Size, Size]] = [(0, 0)] * len(shape)
    for axis, (k, _) in at.arrays.items():
        n = shape[axis]
        before = _difference(n, -k) if k < 0 else k
        found[axis] = (before, _difference(_difference(n, 1), before))
    for axis, part in at.slices.items():
        n = shape[axis]
        if isinstance(n, Length):
            ends = _ends_in_batch(part, n)
            if ends is None:
                return None
            found[axis] = ends
            continue
        if any(isinstance(end, Length) for end in (part.start, part.stop)):
            return None
        start, stop, step = part.indices(n)
        if step != 1 or stop <= start:
            return None
        found[axis] = (start, n - stop)
    return found


def _ends_in_batch(part: slice, n: Length) -> tuple[int, int] | None:
    """How many rows of a batch a slice leaves out before and behind, if these are as many for each length."""
    if part.step not in (None, 1):
        return None
    start, stop = part.start or 0, n if part.stop is None else part.stop
    if isinstance(stop, int) and stop < 0:
        stop = Length(n.scale, n.offset + stop)
    if not isinstance(start, int) or start < 0 or not isinstance(stop, Length) or stop.scale != n.scale:
        return None
    return start, n.offset - stop.offset


def _assigned(w: Writer, x: Instruction, y: Instruction | None, value: Any, adds: bool) -> str:
    """`y`, or zeros, with a value at an index: by ScatterND, along the axes that are indexed."""
    dtype, shape = x.result.dtype, x.result.shape
    given, extent = _value(w, value, dtype)
    index = w.filled(x)["index"]
    mask = index[0] if isinstance(index, tuple) and len(index) == 1 else index
    if (
        y is not None
        and isinstance(mask, Instruction)
        and mask.result.dtype.kind == "b"
        and w.constant_of(mask) is None
    ):
        return _masked(w, x, y, mask, given, extent, adds)
    at = places(w, x, index, shape)
    ran = dtype if code(dtype) in NUMBERS or not adds else run_in(dtype, NUMBERS)
    given = w.cast(given, dtype, ran)
    data = w.cast(w.names[y], dtype, ran) if y is not None else w.expand(w.graph.constant(0, ran), (), shape)
    # What is assigned, in the shape of what is picked, without its new axes.
    picked: list[Size] = []
    lengths = {axis: _count(w, x, part, shape[axis]) for axis, part in at.slices.items()}
    for axis in at.layout:
        picked += at.extent if axis == "arrays" else [1 if axis is None else lengths.get(axis, shape[axis])]
    while len(extent) > len(picked):  # NumPy drops leading axes of length 1
        given, extent = w.reshape(given, extent, extent[1:]), extent[1:]
    updates = w.expand(given, extent, picked)
    kept = [n for n, axis in zip(picked, _spread(at), strict=True) if axis is not None]
    updates = w.reshape(updates, picked, kept)
    order = [axis for axis in _spread(at) if axis is not None]
    axes = [*at.arrays, *at.slices]
    if not axes:
        made = w.graph.node("Add", data, updates) if adds else w.graph.node("Identity", updates)
        return w.cast(made, ran, dtype)
    if 0 in kept:
        return w.graph.node("Identity", w.cast(data, ran, dtype))
    others = [k for k in range(len(shape)) if k not in axes]
    positions = [k for k, axis in enumerate(order) if axis == "arrays"]
    positions += [order.index(axis) for axis in [*at.slices, *others]]
    updates = w.transpose(updates, positions)
    m = len(at.slices)
    count = len(at.extent) if "arrays" in order else 0
    grid = (*at.extent[: count or None], *lengths.values()) if count else tuple(lengths.values())
    more = []
    for k, (axis, part) in enumerate(at.slices.items()):
        start, stop, step = part.indices(_whole(shape[axis]))
        more.append(np.arange(start, stop, step).reshape(-1, *[1] * (m - k - 1)))
    stretched = Places(
        at.slices, {axis: _deeper(w, item, extent, m) for axis, (item, extent) in at.arrays.items()}, (), []
    )
    if not adds and _repeats(stretched, more, grid):
        raise refused(x, "it assigns to an element twice, and a runtime may do so in any order")
    indices = _tuples(w, stretched, grid, more)
    scattered = w.graph.node(
        "ScatterND", w.transpose(data, axes + others), indices, updates, **({"reduction": "add"} if adds else {})
    )
    back = np.argsort(axes + others).tolist()
    return w.cast(w.transpose(scattered, back), ran, dtype)


def _repeats(at: Places, more: Sequence[Any], grid: tuple[Size, ...]) -> bool:
    """Whether constant places are the same twice."""
    parts = [*[item for item, _ in at.arrays.values()], *more]
    if any(isinstance(item, Instruction) for item in parts) or any(isinstance(n, Length) for n in grid):
        return False
    if not at.arrays:
        return False
    tuples = np.stack([np.broadcast_to(item, tuple(map(_whole, grid))).reshape(-1) for item in parts], axis=-1)
    return len(np.unique(tuples, axis=0)) < len(tuples)


def _whole(n: Size) -> int:
    if isinstance(n, Length):
        raise TypeError(f"a length that follows the batch: {n}")
    return n


def _value(w: Writer, value: Any, dtype: Any) -> tuple[str, tuple[Size, ...]]:
    if isinstance(value, Instruction):
        return w.operand(value, dtype), value.result.shape
    return w.graph.constant(np.asarray(value).astype(dtype)), np.shape(value)


def _count(w: Writer, x: Instruction, part: slice, n: Size) -> int:
    if isinstance(n, Length) or any(isinstance(end, Length) for end in (part.start, part.stop, part.step)):
        raise refused(x, "it assigns to a part of the batch. Save it without batch=")
    return len(range(*part.indices(n)))


def _deeper(w: Writer, item: Any, extent: tuple[Size, ...], m: int) -> tuple[Any, tuple[Size, ...]]:
    if not m:
        return item, extent
    after = (*extent, *[1] * m)
    if isinstance(item, Instruction):
        result: Any = type(item.result)
        made = item.with_(operation="reshape", result=result(after, item.result.dtype))
        w.names[made] = w.reshape(w.names[item], extent, after)
        return made, after
    return np.asarray(item).reshape(after), after


def _masked(w: Writer, x: Instruction, y: Instruction, mask: Instruction, given: str, extent: tuple[Size, ...],
            adds: bool) -> str:  # fmt: skip
    """Of a mask along the first axes: what is chosen, element by element."""
    rest = x.result.shape[len(mask.result.shape) :]
    if len(extent) > len(rest):
        raise refused(x, "which value goes where depends on the elements of a mask. Use np.where")
    dtype = x.result.dtype
    ran = run_in(dtype, NUMBERS)
    chosen = w.reshape(w.names[mask], mask.result.shape, (*mask.result.shape, *[1] * len(rest)))
    before, given = w.operand(y, ran), w.cast(given, dtype, ran)
    if adds:
        given = w.graph.node("Add", before, given)
    return w.cast(w.graph.node("Where", chosen, given, before), ran, dtype)
