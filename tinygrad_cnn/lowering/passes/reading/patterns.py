"""What the passes for print have in common: instructions as patterns, and how to make new ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing, Origin, Result, same
from tinygrad_cnn.lowering.passes.dead_code import without_dead_code

Rule = Callable[["Made", Instruction], Instruction | None]


class Made:
    """Collects the instructions that a rule makes, in order.

    uses: how often each instruction's result is taken, so that a rule can leave alone what is needed as it is
    """

    def __init__(self, uses: dict[Instruction, int]) -> None:
        self.uses = uses
        self.new: list[Instruction] = []

    def __call__(
        self, operation: str, operands: tuple[Instruction, ...], result: Result, origin: Origin, **parameters: Any
    ) -> Instruction:
        """A new instruction."""
        return self.add(Instruction(operation, operands, parameters, result, origin))

    def add(self, x: Instruction) -> Instruction:
        """Put an instruction in the listing."""
        self.new.append(x)
        return x

    def number(self, value: float) -> Instruction:
        """A Python number."""
        return self("constant", (), Result.of(value), Origin(), value=value)

    def count(self, value: int) -> Instruction:
        """How many there are of something, which may be written as a length."""
        return self("constant", (), Result.of(value), Origin(), value=value, is_count=True)

    def is_inner(self, x: Instruction) -> bool:
        """Whether one instruction alone takes it, and the user has no name for it."""
        return x.origin.name is None and self.uses.get(x, 1) <= 1


def rewritten(listing: Listing, rule: Rule) -> Listing:
    """The listing with what `rule` makes of each instruction; what it makes of none is kept."""
    listing = without_dead_code(listing)  # what nothing needs is no use of its operands
    uses: dict[Instruction, int] = {}

    def rewrite(x: Instruction, operands: Any) -> Any:
        before, x = x, same(x, operands)
        uses[x] = count[before]
        made = Made(uses)
        found = rule(made, x)
        if found is None:
            return x
        for instruction in made.new:
            uses.setdefault(instruction, 1)
        uses[found] = max(uses.get(found, 0), count[before])
        return [*made.new, found]

    count = dict.fromkeys(listing.instructions, 0)
    for x in [y for z in listing.instructions for y in z.operands] + list(listing.outputs):
        count[x] += 1
    return listing.rewritten(rewrite)


def number_of(x: Instruction) -> int | float | None:
    """The Python number that a constant is."""
    value = x.parameters["value"] if x.operation == "constant" and x.result.kind == "number" else None
    return value if type(value) in (int, float) else None


def is_count(x: Instruction) -> bool:
    """Whether it is a number that `Made.count` made."""
    return "is_count" in x.parameters


def is_float(x: Instruction) -> bool:
    """Whether it is an array or a NumPy scalar of floats."""
    return x.result.kind in ("array", "scalar") and x.result.dtype is not None and x.result.dtype.kind == "f"


def unnamed(x: Instruction) -> Origin:
    """The origin of a part of `x`."""
    return Origin(half=x.origin.half, scope=x.origin.scope, line=x.origin.line)


def axes(x: Instruction) -> tuple[int, ...] | None:
    """The axes along which a reduction or a mean goes, if there are some."""
    ndim, axis = len(x.operands[0].result.shape), x.parameters["axis"]
    if axis is None:
        return tuple(range(ndim))
    return tuple(sorted([int(a) % ndim for a in np.atleast_1d(axis)])) if ndim else None


def is_sum(x: Instruction) -> bool:
    """Whether it is a plain sum of floats."""
    return (
        x.operation == "reduce"
        and x.parameters["ufunc"] == "add"
        and set(x.parameters) == {"ufunc", "axis", "dtype", "keepdims"}
        and x.parameters["dtype"] is None
        and is_float(x)
        and is_float(x.operands[0])
    )
