"""How each operation is run into a buffer: lines of Python that call NumPy with `out`.

What can be made beforehand is: views of buffers, windows and masks have names in the generated code, and no line makes
them anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction
from tinygrad_cnn.primitives.windows import layout

Array = Any


class Lines:
    """The lines of a generated function, and what the names in them stand for."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}
        self.known: dict[int, str] = {}

    def name(self, value: Any, hint: str = "a") -> str:
        """The name of something made beforehand."""
        if id(value) not in self.known:
            name = f"{hint}{len(self.names)}"
            self.known[id(value)] = name
            self.names[name] = value  # which keeps its id from being used again
        return self.known[id(value)]

    def call(self, function: Any, *args: Any, **keywords: Any) -> None:
        """A line that calls `function` with things made beforehand, or with names (`Var`)."""
        if len(args) == 3 and function in (np.maximum, np.minimum):  # which are to take `out` by its name alone
            *args, keywords["out"] = args  # type: ignore[assignment]
        given = [self.text(x) for x in args] + [f"{key}={self.text(x)}" for key, x in keywords.items()]
        self.lines.append(f"{self.name(function, getattr(function, '__name__', 'f') + '_')}({', '.join(given)})")

    def text(self, x: Any) -> str:
        """What is written for an argument."""
        if isinstance(x, Var):
            return x.name
        if x is None or isinstance(x, bool | int | str):
            return repr(x)
        return self.name(x)


class Var:
    """A variable of the generated function: what is another array at each call."""

    def __init__(self, name: str) -> None:
        self.name = name


Kernel = Callable[[Lines, Instruction, Array, list[Any], Callable[[Any, Any], Array]], None]
KERNELS: dict[str, Kernel] = {}


def kernel(*names: str) -> Callable[[Kernel], Kernel]:
    """Register how operations are run.

    The function is given the lines to add to, the instruction, its buffer, its operands (arrays, numbers or `Var`s),
    and a function that makes scratch memory of a shape and dtype.
    """

    def register(function: Kernel) -> Kernel:
        for name in names:
            KERNELS[name] = function
        return function

    return register


def _part(lines: Lines, x: Any, place: Any) -> Any:
    """x[place]: made beforehand, or at each call if `x` is."""
    if not isinstance(x, Var):
        return x[place]
    return Var(f"{x.name}[{lines.name(place, 'place')}]")


@kernel("pad")
def _pad(lines: Lines, x: Instruction, out: Array, operands: list[Any], scratch: Any) -> None:
    out[...] = x.parameters["constant_values"]
    shape, widths = x.operands[0].result.shape, x.parameters["pad_width"]
    inside = tuple([slice(before, before + n) for n, (before, _) in zip(shape, widths, strict=True)])
    lines.call(np.copyto, out[inside], operands[0])


@kernel("im2col")
def _im2col(lines: Lines, x: Instruction, out: Array, operands: list[Any], scratch: Any) -> None:
    at = layout(x.operands[0].result.shape, x.parameters["window"], x.parameters["stride"])
    image = operands[0]
    if isinstance(image, Var) or not image.flags.c_contiguous:
        copy = scratch(x.operands[0].result.shape, x.result.dtype)
        lines.call(np.copyto, copy, image)
        image = copy
    *outer, down, across = image.strides
    shape, element, steps = at.windows, image.dtype, (*outer, down, across, at.stride[0] * down, at.stride[1] * across)
    if at.stride[1] == 1 and image.size:
        shape, steps = shape[:-1], steps[:-1]  # rows of windows lie together: see primitives/windows.py
        element = np.dtype((np.void, at.windows[-1] * element.itemsize))
    lines.call(np.copyto, np.ndarray(shape, element, out), np.ndarray(shape, element, image, 0, steps))


@kernel("col2im")
def _col2im(lines: Lines, x: Instruction, out: Array, operands: list[Any], scratch: Any) -> None:
    at = layout(x.parameters["shape"], x.parameters["window"], x.parameters["stride"])
    columns = operands[0]
    if isinstance(columns, Var):
        lines.lines.append(f"windows = {columns.name}.reshape({lines.name(at.windows)})")
        windows: Any = Var("windows")
    else:
        windows = columns.reshape(at.windows)
    lines.call(out.fill, 0)
    for (u, v), place in at.offsets:
        part = _part(lines, windows, (..., u, v, slice(None), slice(None)))
        if at.disjoint:
            lines.call(np.copyto, out[place], part)
        else:
            lines.call(np.add, out[place], part, out[place])


@kernel("relu")
def _relu(lines: Lines, x: Instruction, out: Array, operands: list[Any], scratch: Any) -> None:
    # Of two arrays, at twice the speed of an array and a number, as long as they are in the cache.
    zero = np.zeros(out.shape if out.size <= 1 << 15 else (), out.dtype)
    lines.call(np.maximum, operands[0], zero, out)


@kernel("sigmoid")
def _sigmoid(lines: Lines, x: Instruction, out: Array, operands: list[Any], scratch: Any) -> None:
    below = scratch(out.shape, out.dtype)
    number = out.dtype.type
    lines.call(np.minimum, operands[0], np.asarray(number(0)), below)
    lines.call(np.exp, below, below)
    lines.call(np.abs, operands[0], out)
    lines.call(np.negative, out, out)
    lines.call(np.exp, out, out)
    lines.call(np.add, out, np.asarray(number(1)), out)
    lines.call(np.divide, below, out, out)


@kernel("max_pool2d", "avg_pool2d")
def _pool(lines: Lines, x: Instruction, out: Array, operands: list[Any], scratch: Any) -> None:
    at = layout(x.operands[0].result.shape, x.parameters["window"], x.parameters["stride"])
    if x.operation == "avg_pool2d":
        _combined(lines, np.add, [_part(lines, operands[0], place) for _, place in at.offsets], out)
        lines.call(np.divide, out, np.asarray(out.dtype.type(math.prod(x.parameters["window"]))), out)
        return
    if isinstance(operands[0], Var):
        _combined(lines, np.maximum, [_part(lines, operands[0], place) for _, place in at.offsets], out)
        return
    kw = at.windows[-3]
    image = operands[0]
    rows = [image[..., down, :] for _, (_, down, _) in at.offsets[::kw]]
    highest = rows[0]
    if len(rows) > 1:
        highest = scratch(rows[0].shape, out.dtype)
        _combined(lines, np.maximum, rows, highest)
    _combined(lines, np.maximum, [highest[..., across] for _, (_, _, across) in at.offsets[:kw]], out)


def _combined(lines: Lines, combine: Any, parts: list[Any], out: Array) -> None:
    if len(parts) == 1:
        lines.call(np.copyto, out, parts[0])
        return
    lines.call(combine, parts[0], parts[1], out)
    for part in parts[2:]:
        lines.call(combine, out, part, out)


@kernel("max_unpool")
def _max_unpool(lines: Lines, x: Instruction, out: Array, operands: list[Any], scratch: Any) -> None:
    g, image, pooled = operands
    at = layout(x.result.shape, x.parameters["window"], x.parameters["stride"])
    won = scratch(x.operands[2].result.shape, np.dtype(bool))

    def winners(place: Any) -> Any:
        lines.call(np.equal, _part(lines, image, place), pooled, won)
        return won

    _unpooled(lines, at, g, [winners] * len(at.offsets), out, scratch, x)


@kernel("max_unpool_shared")
def _max_unpool_shared(lines: Lines, x: Instruction, out: Array, operands: list[Any], scratch: Any) -> None:
    g, image, pooled = operands
    at, shape = layout(x.result.shape, x.parameters["window"], x.parameters["stride"]), x.operands[2].result.shape
    masks, tied = scratch((len(at.offsets), *shape), np.dtype(bool)), scratch(shape, np.dtype(np.uint8))
    for won, (_, place) in zip(masks, at.offsets, strict=True):
        lines.call(np.equal, _part(lines, image, place), pooled, won)
    _combined(lines, np.add, [won.view(np.uint8) for won in masks], tied)
    share = scratch((1, *shape), out.dtype)[0]
    lines.call(np.divide, g, tied, share)
    _unpooled(lines, at, share, [lambda place, w=w: w for w in masks], out, scratch, x)


@kernel("unpool")
def _unpool(lines: Lines, x: Instruction, out: Array, operands: list[Any], scratch: Any) -> None:
    at = layout(x.result.shape, x.parameters["window"], x.parameters["stride"])
    given = [operands[w.number] if hasattr(w, "number") else w for w in x.parameters["winners"]]
    _unpooled(lines, at, operands[0], [lambda place, w=w: w for w in given], out, scratch, x)


def _unpooled(lines: Lines, at: Any, g: Any, winners: list[Any], out: Array, scratch: Any, x: Instruction) -> None:
    if not at.disjoint:
        lines.call(out.fill, 0)
    elif not at.tiles:
        out[...] = 0  # once: what is in no window stays 0
    # Of floats and booleans, NumPy multiplies contiguous arrays at several times the speed of others.
    shape = x.operands[0].result.shape
    term = scratch(shape, out.dtype)
    if isinstance(g, Var) or not g.flags.c_contiguous:
        whole = scratch((1, 1, *shape), out.dtype)[0, 0]
        lines.call(np.copyto, whole, g)
        g = whole
    for (_, place), won in zip(at.offsets, winners, strict=True):
        lines.call(np.multiply, g, won(place), term)
        if at.disjoint:
            lines.call(np.copyto, out[place], term)
        else:
            lines.call(np.add, out[place], term, out[place])


@kernel("astype")
def _astype(lines: Lines, x: Instruction, out: Array, operands: list[Any], scratch: Any) -> None:
    lines.call(np.copyto, out, operands[0], casting="unsafe")


@kernel("reshape")
def _reshape(lines: Lines, x: Instruction, out: Array, operands: list[Any], scratch: Any) -> None:
    lines.call(np.copyto, out.reshape(x.operands[0].result.shape), operands[0])


@kernel("concatenate")
def _concatenate(lines: Lines, x: Instruction, out: Array, operands: list[Any], scratch: Any) -> None:
    start = 0
    for operand, given in zip(x.operands, operands, strict=True):
        n = operand.result.shape[x.parameters["axis"]]
        place = (*[slice(None)] * x.parameters["axis"], slice(start, start + n))
        lines.call(np.copyto, out[place], given)
        start += n


@kernel("reduce")
def _reduce(lines: Lines, x: Instruction, out: Array, operands: list[Any], scratch: Any) -> None:
    how = dict(x.parameters)
    reduce = getattr(np, how.pop("ufunc")).reduce
    axis, dtype, keepdims = how.pop("axis"), how.pop("dtype"), how.pop("keepdims")
    more = {name: operands[w.number] if hasattr(w, "number") else w for name, w in how.items()}
    lines.call(reduce, operands[0], axis, dtype, out, keepdims, **more)
