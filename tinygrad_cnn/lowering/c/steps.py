"""A listing as steps: loops, into which elementwise operations and reductions are fused; kernels; calls of NumPy.

An instruction joins a loop over its shape that is there already, if all that it takes is known by then: read from
memory, or computed in that loop for the same element. Otherwise it begins a step of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.c.elementwise import C_TYPES, loop_dtypes
from tinygrad_cnn.lowering.c.places import Place, literal
from tinygrad_cnn.lowering.instructions import Instruction, Listing
from tinygrad_cnn.primitives.arguments import axes_of

MOST = 40  # instructions in a loop, of which each reduction counts as 5: compilers take long over long ones
# Functions that NumPy computes several elements at a time, up to ten times as fast as the C library does, and from how
# many elements on that is worth a call.
NUMPYS_FROM = {
    **dict.fromkeys(["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "power"], 1024),
    **dict.fromkeys(["tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "cbrt", "arctan2"], 128),
    **dict.fromkeys(["arcsinh", "arccosh", "arctanh"], 128),
}
REDUCTIONS = frozenset(["add", "multiply", "maximum", "minimum", "logical_or", "logical_and"])
GIVEN = frozenset(["input", "constant", "closed_over", "full"])


@dataclass
class Step:
    """Something that runs as a whole.

    kind          "loop", "numpy", or the name of a kernel
    instructions  what it computes; of a kernel, that may be several that are one
    shape         what a loop runs over
    """

    kind: str
    instructions: list[Instruction]
    shape: tuple[int, ...] = ()
    dtypes: dict[Instruction, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def in_c(self) -> bool:
        """Whether it is C."""
        return self.kind != "numpy"


class Steps:
    """The steps of a listing, in order.

    of     the step that computes an instruction; those that are given, or views, have none
    """

    def __init__(self, listing: Listing, places: dict[Instruction, Place], kernels: dict[Instruction, Any]) -> None:
        self.places = places
        self.all: list[Step] = []
        self.of: dict[Instruction, int] = {}
        part_of = {y: x for x, kernel in kernels.items() for y in kernel.parts}
        for x in listing.instructions:
            if x.operation in GIVEN or self.is_view(x):
                continue
            if x in part_of and part_of[x] is not x:
                continue  # computed within that kernel, and never in memory
            if x in kernels:
                self._new(Step(kernels[x].kind, [x]))
            elif (shape := self.loop_shape(x)) is not None:
                self._join(x, *shape)
            else:
                self._new(Step("numpy", [x]))

    def is_view(self, x: Instruction) -> bool:
        """Whether `x` is a view of the memory of another."""
        return x in self.places and self.places[x].root is not x

    def root(self, x: Instruction) -> Instruction:
        """The instruction in whose memory the result of `x` is."""
        return self.places[x].root if x in self.places else x

    def _new(self, step: Step) -> None:
        for x in step.instructions:
            self.of[x] = len(self.all)
        self.all.append(step)

    def loop_shape(self, x: Instruction) -> tuple[tuple[int, ...], tuple[Any, ...]] | None:
        """The shape of the loop that `x` is computed in, and its dtypes; None if it has no such form."""
        if x.result.size == 0 or x not in self.places or any(y not in self.places for y in x.operands):
            return None
        if x.operation in ("reduce", "mean"):
            return reduction(x)
        if x.result.size >= NUMPYS_FROM.get(x.operation, x.result.size + 1):
            return None
        dtypes = loop_dtypes(x)
        if dtypes is None:
            return None
        return x.operands[0].result.shape if x.operation == "reshape" else x.result.shape, dtypes

    def _join(self, x: Instruction, shape: tuple[int, ...], dtypes: tuple[Any, ...]) -> None:
        earliest = 0
        for y in x.operands:
            made = self.of.get(self.root(y))
            if made is None:
                continue
            step = self.all[made]
            same_element = step.kind == "loop" and step.shape == shape and is_elementwise(y) and self.root(y) is y
            earliest = max(earliest, made if same_element else made + 1)
        for number in range(len(self.all) - 1, earliest - 1, -1):
            step = self.all[number]
            if step.kind == "loop" and step.shape == shape and _length(step) < MOST:
                step.instructions.append(x)
                step.dtypes[x] = dtypes
                self.of[x] = number
                return
        self._new(Step("loop", [x], shape, {x: dtypes}))


def _length(step: Step) -> int:
    return sum(1 if is_elementwise(x) else 5 for x in step.instructions)


def is_elementwise(x: Instruction) -> bool:
    """Whether an instruction of a loop computes one element at each iteration, for others to take."""
    return x.operation not in ("reduce", "mean", "reshape")


def reduction(x: Instruction) -> tuple[tuple[int, ...], tuple[Any, ...]] | None:
    """The shape that a reduction runs over, and its dtypes, if it has a C form."""
    (taken, *others) = x.operands
    given, made = taken.result, x.result.dtype
    ufunc = x.parameters.get("ufunc", "add")
    more = set(x.parameters) - {"ufunc", "axis", "dtype", "keepdims"}
    if others or ufunc not in REDUCTIONS or any(x.parameters[name] is not None for name in more):
        return None
    if given.size == 0 or given.kind == "number" or given.dtype not in C_TYPES or made not in C_TYPES:
        return None
    if made.kind == "b" and ufunc not in ("logical_or", "logical_and"):
        return None
    if ufunc in ("logical_or", "logical_and") and made.kind != "b":
        return None
    if x.operation == "mean" and made.kind != "f":
        return None
    if made == np.float32 and given.dtype.kind in "iu":
        return None  # NumPy computes in another dtype, and it depends
    return given.shape, (given.dtype, made)


def reduced_axes(x: Instruction) -> tuple[int, ...]:
    """The axes that a reduction runs over."""
    ndim, axis = len(x.operands[0].result.shape), x.parameters["axis"]
    return tuple(range(ndim)) if axis is None else tuple(axes_of(axis, ndim))


def reads(x: Instruction) -> list[Instruction]:
    """The operands that are read from memory, or computed: all but literals."""
    return [y for y in x.operands if literal(y) is None]
