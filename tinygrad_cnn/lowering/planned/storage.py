"""Where each result is kept: in a buffer that is made once, as a view of one, or in an array that NumPy makes anew.

A buffer is used again as soon as nothing needs what is in it. So a program of hundreds of instructions works in the
memory of a few arrays, which stay in the cache, and calls no allocator.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_cnn.engine.mutation.versions import is_basic
from tinygrad_cnn.lowering.instructions import Instruction, Listing
from tinygrad_cnn.lowering.operations import run, ufunc_of
from tinygrad_cnn.primitives.windows import layout

VIEWS = frozenset(["reshape", "transpose", "broadcast_to", "getitem", "view", "real", "imag"])
# What has a form that writes into a buffer: see `kernels.py`.
INTO_BUFFERS = frozenset(
    ["pad", "im2col", "col2im", "relu", "sigmoid", "max_pool2d", "avg_pool2d", "max_unpool", "max_unpool_shared",
     "unpool", "astype", "concatenate", "setitem", "add_at", "scatter", "conv2d", "conv2d_image_gradient",
     "conv2d_kernel_gradient"]
)  # fmt: skip
ALIGNMENT = 64


@dataclass
class Buffer:
    """Memory for the results of some instructions, one after the other.

    first, last  the instructions, by number, from which to which it is in use
    own          no other may use its memory
    offset       where it begins
    """

    shape: tuple[int, ...]
    dtype: Any
    first: int
    last: int
    own: bool = False
    offset: int = -1
    members: list[Instruction] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """How long it is, rounded up so that the next one is aligned."""
        size: int = self.dtype.itemsize * math.prod(self.shape)
        return -(-max(size, 1) // ALIGNMENT) * ALIGNMENT


class Storage:
    """Where the results of a listing are kept.

    kinds      "fixed" (constants and closed-over arrays), "buffer", "view" (of what is fixed or in a buffer),
               "in place" (an assignment to what is in a buffer), or "made anew" at each call
    buffers    that of each instruction whose result is in one, or is a view of one
    """

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.number = {x: k for k, x in enumerate(listing.instructions)}
        self.last_use = {x: self.number[x] for x in listing.instructions}
        for x in listing.instructions:
            for operand in x.operands:
                self.last_use[operand] = self.number[x]
        self.outputs = set(listing.outputs)
        self.last_use.update(dict.fromkeys(self.outputs, len(listing.instructions)))  # they are copied at the end
        self.kinds: dict[Instruction, str] = {}
        self.held: dict[Instruction, list[Buffer]] = {}  # by what is made anew, and may be a view
        self.buffers: dict[Instruction, Buffer] = {}
        self.all: list[Buffer] = []
        for x in listing.instructions:
            self.kinds[x] = self._place(x)
            if self.kinds[x] == "made anew" and (x.operation in (*VIEWS, "call", "item") or x.function is not None):
                self._holds(x)
        self.length = self._lay_out()

    def is_fixed(self, x: Instruction) -> bool:
        """Whether the array that its result is in is the same at each call."""
        return self.kinds[x] != "made anew"

    def _place(self, x: Instruction) -> str:
        if x.operation in ("constant", "full", "closed_over"):
            return "fixed"
        if x.operation in VIEWS and x.operands and self.is_fixed(x.operands[0]) and self._is_view(x):
            if x.operands[0] in self.buffers:
                self._joins(x, self.buffers[x.operands[0]])
            return "view"
        if x.result.kind != "array" or x in self.outputs or not self._has_form(x):
            return "made anew"
        if x.operation in ("setitem", "add_at") and (buffer := self.buffers.get(x.operands[0])):
            fits = buffer.shape == x.result.shape and buffer.dtype == x.result.dtype
            if fits and not buffer.own and buffer.last == self.number[x]:
                self._joins(x, buffer)
                return "in place"
        buffer = Buffer(x.result.shape, x.result.dtype, self.number[x], self.last_use[x], _keeps_zeros(x))
        self.all.append(buffer)
        self._joins(x, buffer)
        return "buffer"

    def _holds(self, x: Instruction) -> None:
        """Keep the buffers of the operands for as long as the result is needed, for it may be a view of one."""
        held = [buffer for y in x.operands for buffer in (self.buffers.get(y), *self.held.get(y, ())) if buffer]
        self.held[x] = held
        for buffer in held:
            buffer.last = max(buffer.last, self.last_use[x])

    def _joins(self, x: Instruction, buffer: Buffer) -> None:
        self.buffers[x] = buffer
        buffer.members.append(x)
        buffer.last = max(buffer.last, self.last_use[x])

    def _is_view(self, x: Instruction) -> bool:
        """Whether NumPy gives a view here, of an array that lies row by row."""
        if x.operation == "getitem" and (len(x.operands) > 1 or not is_basic(x.parameters["index"])):
            return False
        if x.operands[0].result.kind != "array" or x.result.kind != "array":
            return False
        example = self.example(x.operands[0])
        view = run(x, [example])
        return isinstance(view, np.ndarray) and (view.size == 0 or np.may_share_memory(view, example))

    def example(self, x: Instruction) -> Any:
        """An array that lies in memory as the result of `x` will, without its elements."""
        if self.kinds[x] in ("buffer", "in place"):
            return np.empty(x.result.shape, x.result.dtype)
        if x.operation in ("constant", "closed_over"):
            return x.parameters["value"]
        if x.operation == "full":
            return run(x, ())
        return run(x, [self.example(x.operands[0])])

    def _has_form(self, x: Instruction) -> bool:
        if x.operation == "reduce":
            return True
        if x.operation == "reshape":  # which copies
            return "order" not in x.parameters
        ufunc = ufunc_of(x.operation) if x.function is None else None
        return ufunc is not None or x.operation in INTO_BUFFERS

    def _lay_out(self) -> int:
        """Give each buffer its place in one stretch of memory, and return the length of that.

        A place that is free again is taken by the next buffer of its size, or of a little less.
        """
        end = 0
        free: dict[int, list[int]] = {}  # places by their size
        in_use: list[tuple[int, int, int]] = []  # a heap: until when, where, of which size
        given_on: set[tuple[int, int]] = set()  # places whose first buffer was written over by the next one
        for buffer in self.all:
            while in_use and in_use[0][0] < buffer.first and not buffer.own:
                last, offset, size = heapq.heappop(in_use)
                if (offset, last) in given_on:
                    given_on.discard((offset, last))
                else:
                    free.setdefault(size, []).append(offset)
            over = self._over(buffer)
            size = buffer.bytes
            if over is not None:
                buffer.offset = over.offset
                given_on.add((over.offset, over.last))
            else:
                fitting = next((n for n in (size, *sorted(free)) if size <= n <= 2 * size and free.get(n)), 0)
                if fitting and not buffer.own:
                    buffer.offset, size = free[fitting].pop(), fitting
                else:
                    buffer.offset, end = end, end + size
            if not buffer.own:
                heapq.heappush(in_use, (buffer.last, buffer.offset, size))
        return end

    def _over(self, buffer: Buffer) -> Buffer | None:
        """The buffer that `buffer` may be written over, if there is one.

        Such is that of an operand of an elementwise function, if this is its last use: each element is read before it
        is written.
        """
        x = buffer.members[0]
        if buffer.own or x.function is not None or x.operation == "matmul" or ufunc_of(x.operation) is None:
            return None
        for operand in x.operands:
            other = self.buffers.get(operand)
            if other is None or other.own or other.last != buffer.first:
                continue
            if (other.shape, other.dtype) != (buffer.shape, buffer.dtype):
                continue
            if not any(self.kinds[y] == "view" for y in x.operands if self.buffers.get(y) is other):
                return other
        return None


def _keeps_zeros(x: Instruction) -> bool:
    """Whether it leaves elements of its buffer as they are from call to call, so that no other may write there."""
    if x.operation in ("max_unpool", "max_unpool_shared", "unpool"):
        at = layout(x.result.shape, x.parameters["window"], x.parameters["stride"])
        return at.disjoint and not at.tiles
    return x.operation == "pad"
