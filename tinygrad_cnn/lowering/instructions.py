"""Instructions: a traced function as a straight line of operations on arrays.

An instruction never changes. It refers to the older instructions whose results it takes, so a listing is in an order in
which it can be run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

Place = tuple[CodeType, int]  # a code object, and an instruction in it


@dataclass(frozen=True)
class Slot:
    """Stands in a parameter for the result of the operand of that number."""

    number: int


@dataclass(frozen=True)
class Result:
    """What an instruction computes, but for its elements.

    kind     "array", "scalar" (a NumPy scalar), "number" (a Python number), or "tuple" (several arrays)
    strides  how the traced result lay in memory
    """

    shape: tuple[int, ...]
    dtype: Any
    kind: str = "array"
    strides: tuple[int, ...] = ()

    @classmethod
    def of(cls, value: Any) -> Result:
        """That of an array, a number, or a tuple of them."""
        if isinstance(value, np.ndarray):
            return cls(value.shape, value.dtype, "array", value.strides)
        if isinstance(value, np.generic):
            return cls((), value.dtype, "scalar")
        if isinstance(value, list | tuple):
            return cls((), None, "tuple")
        return cls((), np.dtype(type(value)), "number")

    @property
    def key(self) -> tuple[str, tuple[int, ...], Any]:
        """All but how it lies in memory."""
        return self.kind, self.shape, self.dtype

    @property
    def size(self) -> int:
        """How many elements it has."""
        size = 1
        for n in self.shape:
            size *= n
        return size

    @property
    def row_by_row(self) -> bool:
        """Whether it lay in memory row by row, without gaps."""
        step = self.dtype.itemsize
        for n, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if n > 1 and stride != step:
                return False
            step *= n
        return True


@dataclass(frozen=True)
class Origin:
    """Where an instruction is from.

    name     what the user calls it: his variable, or the cotangent's name that follows from one
    local    what the package's own source calls it: a variable of a rule or of a forward function
    key      a number of the value of a node, and of what the user has a name for
    of       of a cotangent, the key of what it is the cotangent of
    half     "value" or "cotangent"
    scope    the names of the scopes that were open
    line     the line of the user's code, as "file:line in function"
    """

    name: str | None = None
    local: str | None = None
    key: int | None = None
    of: int | None = None
    half: str = "value"
    scope: tuple[str, ...] = ()
    line: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Instruction:
    """One operation: its operands, its parameters and what it computes.

    operation   its name: that of a ufunc ("add"), of a canonical operation ("reshape"), of an opaque primitive
                ("im2col"), or "call" for what only NumPy runs; `operations.py` has them
    operands    the instructions whose results it takes; those for which slots stand come last
    function    what computes it, of a "call" and of an opaque primitive; of all others the operation says it
    parameters  by name; where an operand stands within one, as in an index, a `Slot` stands for it
    """

    operation: str
    operands: tuple[Instruction, ...]
    parameters: dict[str, Any]
    result: Result
    origin: Origin = field(default_factory=Origin)
    function: Any = None

    def with_(self, **changes: Any) -> Instruction:
        """A new instruction like this one, but for `changes`."""
        mine = {"operation": self.operation, "operands": self.operands, "parameters": self.parameters,
                "result": self.result, "origin": self.origin, "function": self.function}  # fmt: skip
        mine.update(changes)
        return Instruction(**mine)  # as `dataclasses.replace`, in half the time

    def __repr__(self) -> str:
        return f"<{self.operation} {self.result.dtype}{list(self.result.shape)}>"


@dataclass(frozen=True)
class Argument:
    """A leaf of the arguments of a traced function; `name` says which, as "p.Wc"."""

    name: str
    instruction: Instruction


class Draw(NamedTuple):
    """A call of a method of a generator, which is the leaf of the arguments of that number."""

    leaf: int
    method: str
    args: tuple[Any, ...]
    keywords: dict[str, Any]


@dataclass(frozen=True)
class Listing:
    """A traced function.

    instructions  in order; the inputs are among them
    arguments     the leaves of the arguments
    outputs       the leaves of the result
    structure     the result, with the number of an output for each leaf
    signature     the arguments by name, with the number of an input for each array and number among the leaves
    draws         what is drawn from generators among the leaves at each call; these are the last of the arguments
    title         the name of the function
    doc           its docstring
    """

    instructions: tuple[Instruction, ...]
    arguments: tuple[Argument, ...]
    outputs: tuple[Instruction, ...]
    structure: Any
    signature: dict[str, Any]
    title: str
    draws: tuple[Draw, ...] = ()
    doc: str = ""

    @property
    def given(self) -> int:
        """How many of the arguments are leaves of the call; the others are drawn."""
        return len(self.arguments) - len(self.draws)

    def with_(self, **changes: Any) -> Listing:
        """A new listing like this one, but for `changes`."""
        return dataclasses.replace(self, **changes)

    def batch(self) -> tuple[str, int] | None:
        """The first argument whose length is the batch's, and that length; None if it cannot be known from shapes.

        It is an array by itself, of more than one axis, and no other axis of any argument is as long as its first.
        """
        leaves = {name: self.arguments[k].instruction.result for name, k in self.signature.items() if type(k) is int}
        others = [
            size
            for argument in self.arguments
            for axis, size in enumerate(argument.instruction.result.shape)
            if axis or argument.name not in leaves
        ]
        for name, result in leaves.items():
            n = result.shape[0] if len(result.shape) > 1 else 0
            if n > 1 and n not in others:
                return name, n
        return None

    def uses(self) -> dict[Instruction, list[Instruction]]:
        """Which instructions take the result of each, once for each time; the outputs are not among them."""
        found: dict[Instruction, list[Instruction]] = {x: [] for x in self.instructions}
        for x in self.instructions:
            for operand in x.operands:
                found[operand].append(x)
        return found

    def rewritten(self, rewrite: Callable[[Instruction, Sequence[Instruction]], Any]) -> Listing:
        """The listing that `rewrite` makes of each instruction and of its new operands.

        rewrite returns one instruction, which stands for the old one, or several: then the last does. What is new is
        put in the listing; what is there already is not put there again.
        """
        new: dict[Instruction, Instruction] = {}
        listed: dict[Instruction, None] = {}
        names: dict[Instruction, Origin] = {}
        for x in self.instructions:
            made = rewrite(x, tuple([new[operand] for operand in x.operands]))
            if type(made) is not Instruction:
                for instruction in made:
                    listed[instruction] = None
                made = made[-1]
            new[x] = made
            if made is not x and x.origin.name is not None and made.origin.name is None and made.operands:
                names.setdefault(made, x.origin)  # what stands for it keeps its name
            listed[made] = None
        listing = self.with_(
            instructions=tuple(listed),
            arguments=tuple([dataclasses.replace(a, instruction=new[a.instruction]) for a in self.arguments]),
            outputs=tuple([new[x] for x in self.outputs]),
        )
        return listing.renamed(names) if names else listing

    def renamed(self, origins: dict[Instruction, Origin]) -> Listing:
        """The listing with other origins of some of its instructions."""
        return self.rewritten(
            lambda x, operands: x.with_(operands=operands, origin=origins[x]) if x in origins else same(x, operands)
        )


def same(x: Instruction, operands: Sequence[Instruction]) -> Instruction:
    """`x` with these operands: itself, if it has them already."""
    for a, b in zip(x.operands, operands, strict=True):
        if a is not b:
            return x.with_(operands=tuple(operands))
    return x


def slots(parameter: Any) -> list[Slot]:
    """The slots in a parameter, in order."""
    found: list[Slot] = []
    _add_slots(parameter, found)
    return found


def _add_slots(parameter: Any, found: list[Slot]) -> None:
    if type(parameter) in _WITHOUT_SLOTS:
        return
    if isinstance(parameter, Slot):
        found.append(parameter)
    elif isinstance(parameter, tuple | list):
        for item in parameter:
            _add_slots(item, found)
    elif isinstance(parameter, dict):
        for item in parameter.values():
            _add_slots(item, found)
    elif isinstance(parameter, slice):
        for item in (parameter.start, parameter.stop, parameter.step):
            _add_slots(item, found)


_WITHOUT_SLOTS = frozenset([int, float, bool, str, type(None)])  # most of what parameters are made of


def mapped(parameter: Any, change: Callable[[Any], Any]) -> Any:
    """A parameter with `change` of everything in it that is no list, tuple, dict or slice."""
    if isinstance(parameter, Slot):
        return change(parameter)
    if isinstance(parameter, tuple | list):
        items = [mapped(item, change) for item in parameter]
        return type(parameter)(*items) if hasattr(parameter, "_fields") else type(parameter)(items)
    if isinstance(parameter, dict):
        return {name: mapped(item, change) for name, item in parameter.items()}
    if isinstance(parameter, slice):
        return slice(*[mapped(item, change) for item in (parameter.start, parameter.stop, parameter.step)])
    return change(parameter)


def filled(parameter: Any, operands: Sequence[Any]) -> Any:
    """A parameter with what belongs into its slots."""
    return mapped(parameter, lambda x: operands[x.number] if isinstance(x, Slot) else x)
