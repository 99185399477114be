"""Where each result lies: in memory of its own, or as a view of another's, with an offset and strides."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.engine.mutation.versions import is_basic
from tinygrad_cnn.lowering.instructions import Instruction, Listing, slots
from tinygrad_cnn.lowering.operations import run
from tinygrad_cnn.lowering.planned.storage import VIEWS


class Place(NamedTuple):
    """Where an array lies, counted in elements of the memory of `root`."""

    root: Instruction
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def row_by_row(self) -> bool:
        """Whether it lies row by row, without gaps."""
        return self.strides == row_by_row(self.shape)

    @property
    def is_whole(self) -> bool:
        """Whether it is all of its root, in order."""
        return self.offset == 0 and self.shape == self.root.result.shape and self.row_by_row


def row_by_row(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of an array of that shape that lies row by row; 0 along an axis of one element."""
    steps, step = [], 1
    for n in reversed(shape):
        steps.append(step if n != 1 else 0)
        step *= n
    return tuple(reversed(steps))


def places(listing: Listing) -> dict[Instruction, Place]:
    """The place of each result that has one: arrays and numbers of a dtype that C has, or complex."""
    found: dict[Instruction, Place] = {}
    for x in listing.instructions:
        if x.result.dtype is None or x.result.dtype.kind not in "biufc" or x.result.kind == "tuple":
            continue
        found[x] = _view(x, found) or Place(x, 0, x.result.shape, row_by_row(x.result.shape))
    return found


def _view(x: Instruction, found: dict[Instruction, Place]) -> Place | None:
    """The place of a view of an operand's."""
    if x.operation not in VIEWS or len(x.operands) != 1 or "order" in x.parameters or x.operation in ("real", "imag"):
        return None
    of = found.get(x.operands[0])
    if of is None or of.root.result.dtype != x.result.dtype or x.operands[0].result.kind == "number":
        return None
    base = np.lib.stride_tricks.as_strided(
        np.empty(1, np.int8), of.shape, of.strides, writeable=False
    )  # of bytes, for which nothing is allocated: only where elements lie is asked for
    try:
        if x.operation == "reshape":
            view = base.reshape(x.result.shape, copy=False)
        elif x.operation == "getitem":
            index = x.parameters["index"]
            if not is_basic(index) or slots(index):
                return None
            items = index if isinstance(index, tuple) else (index,)
            view = base[items if any(item is Ellipsis for item in items) else (*items, Ellipsis)]
        elif x.operation == "view":
            view = base
        else:
            view = run(x, [base])
    except ValueError:  # a reshape that copies
        return None
    offset = view.__array_interface__["data"][0] - base.__array_interface__["data"][0] if view.size else 0
    strides = tuple([step if n != 1 else 0 for n, step in zip(view.shape, view.strides, strict=True)])
    return Place(of.root, of.offset + offset, x.result.shape, strides)


def literal(x: Instruction) -> Any:
    """The number that all elements of a constant are, or None."""
    if x.operation == "full":
        return np.asarray(x.parameters["value"], x.result.dtype)[()]
    if x.operation == "constant" and not x.result.shape:
        return x.parameters["value"] if x.result.kind == "number" else np.asarray(x.parameters["value"])[()]
    return None
