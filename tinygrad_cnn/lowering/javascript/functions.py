"""A JavaScript function while it is written: its lines, and the arrays that it reads and writes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from tinygrad_cnn.lowering.c.functions import Names, description
from tinygrad_cnn.lowering.c.places import Place
from tinygrad_cnn.lowering.instructions import Instruction
from tinygrad_cnn.lowering.javascript.helpers import HELPERS
from tinygrad_cnn.lowering.numpy_source.statements import called

# What JavaScript, and what is written here, has a use for.
_WORDS = """abstract arguments await boolean break byte case catch char class const continue debugger default delete do
    double else enum eval export extends false final finally float for function goto if implements import in instanceof
    int interface let long native new null package private protected public return short static super switch
    synchronized this throw throws transient true try typeof undefined var void volatile while with yield
    NaN Infinity Math Number BigInt Array Object ArrayBuffer Float64Array Float32Array Int32Array Int16Array Int8Array
    Uint32Array Uint16Array Uint8Array RangeError TypeError DataView
    given into memory shapes sum so_far highest share tied weight is_first order k step"""
_TAKEN = frozenset(_WORDS.split()) | set(HELPERS)
_LOCAL = re.compile(r"[ijkuvw]\d+|.*_(i|total|at)|(sum|weight|row|at|won|value)_?\d+")
_START = re.compile(r"( \+ )?⟦(\w+)\|(-?\d+)⟧")


def names_of_arrays(inlined: Collection[Instruction]) -> Names:
    """Names that JavaScript can have, and that nothing written here uses; what has none is called by what it does."""
    return Names(inlined, _TAKEN, _LOCAL, called)


class Function:
    """A function of the arrays that it reads and writes.

    Where an array begins is written so that it can be made a parameter: then one function serves for views that lie
    alike, for each row of an array for instance. Such a start stands as ⟦name|more⟧ in the lines.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.starts: dict[Instruction, int] = {}  # where what is first read of an array begins
        self.comments: list[str] = []
        self.lines: list[str] = []
        self.depth = 1
        self.arrays: dict[Instruction, bool] = {}  # and whether it is written to
        self.constants: dict[str, str] = {}  # arrays beside those of the program, and how they are made

    def table(self, hint: str, numbers: Any) -> str:
        """The name of a table of integers."""
        name = self.names.unique(hint)
        self.constants[name] = f"Int32Array.of({', '.join(map(str, numbers.tolist()))})"
        return name

    def scratch(self, hint: str, size: int, kind: str = "Float64Array") -> str:
        """The name of an array to work in."""
        name = self.names.unique(hint)
        self.constants[name] = f"new {kind}({size})"
        return name

    def comment(self, x: Instruction) -> None:
        """Say what is computed."""
        self.comments.append(f"// {description(x, self.names)}")

    def line(self, text: str) -> None:
        """Add a line."""
        self.lines.append("  " * self.depth + text)

    @contextlib.contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Lines within braces."""
        self.line(f"{head} {{")
        self.depth += 1
        yield
        self.depth -= 1
        self.line("}")

    @contextlib.contextmanager
    def loops(self, sizes: Sequence[int], letter: str = "i") -> Iterator[list[str]]:
        """Nested loops; gives their variables, "0" where there is nothing to iterate over."""
        variables = []
        with contextlib.ExitStack() as stack:
            for number, size in enumerate(sizes):
                variables.append(f"{letter}{number}" if size != 1 else "0")
                if size != 1:
                    stack.enter_context(self.block(for_(variables[-1], size)))
            yield variables

    def read(self, root: Instruction) -> str:
        """The name of an array that is read."""
        self.arrays.setdefault(root, False)
        return self.names(root)

    def write(self, root: Instruction) -> str:
        """The name of an array that is written to."""
        self.arrays[root] = True
        return self.names(root)

    def offset(
        self, root: Instruction, variables: Sequence[str], strides: Sequence[int], start: int | None = None
    ) -> str:
        """Where an element of an array is; `start` is where the view of it begins."""
        terms = _terms(variables, strides)
        if start is not None:
            first = self.starts.setdefault(root, start)
            terms.append(f"⟦{self.names(root)}|{start - first}⟧")
        return " + ".join(terms) or "0"

    def at(self, place: Place, variables: Sequence[str], strides: Sequence[int] | None = None, more: int = 0) -> str:
        """An element of a view that is read."""
        name = self.read(place.root)
        steps = place.strides if strides is None else strides
        return f"{name}[{self.offset(place.root, variables, steps, place.offset + more)}]"

    def out(self, root: Instruction, variables: Sequence[str], strides: Sequence[int], start: int = 0) -> str:
        """An element that is written."""
        terms = _terms(variables, strides) + ([str(start)] if start else [])
        return f"{self.write(root)}[{' + '.join(terms) or '0'}]"

    def shape(self) -> str:
        """What is equal for functions that differ in the names of arrays alone, and in where they begin."""
        known: dict[str, str] = {}

        def positional(found: re.Match[str]) -> str:
            name, suffix = found[1], found[2] or ""
            return known.setdefault(name, f"#{len(known)}") + suffix if name in self.names.taken else found[0]

        types = [(str(x.result.dtype), written) for x, written in self.arrays.items()]
        text = "\n".join(
            [",".join([self.names(x) for x in self.arrays]), *self.lines, str(types), *self.constants.values()]
        )
        return re.sub(r"\b([A-Za-z_]\w*?)(_i|_total)?\b", positional, text)

    def text(self, name: str, moving: Collection[int]) -> str:
        """The function. moving: the numbers of the arrays of which the start is a parameter."""
        parameters: list[str] = []
        starts: dict[str, int | None] = {}
        for number, x in enumerate(self.arrays):
            parameters.append(self.names(x))
            if number in moving:
                parameters.append(f"{self.names(x)}_at")
            starts[self.names(x)] = None if number in moving else self.starts.get(x, 0)

        def start(found: re.Match[str]) -> str:
            plus, array, more = found[1] or "", found[2], int(found[3])
            begin = starts[array]
            if begin is not None:
                where = begin + more
                return f"{plus}{where}" if where or not plus else ""
            return f"{plus}{array}_at" + (f" + {more}" if more > 0 else f" - {-more}" if more else "")

        lines = [_START.sub(start, line) for line in self.lines]
        return "\n".join([*self.comments, f"function {name}({', '.join(parameters)}) {{", *lines, "}", ""])

    def call(self, name: str, moving: Collection[int]) -> str:
        """A call of it."""
        given = []
        for number, x in enumerate(self.arrays):
            given.append(self.names(x))
            if number in moving:
                given.append(str(self.starts.get(x, 0)))
        return f"{name}({', '.join(given)});"


def for_(variable: str, end: Any, start: Any = 0, step: int = 1) -> str:
    """The head of a loop."""
    return f"for (let {variable} = {start}; {variable} < {end}; {variable}{'++' if step == 1 else f' += {step}'})"


def _terms(variables: Sequence[str], strides: Sequence[int]) -> list[str]:
    return [
        variable if step == 1 else f"{variable} * {step}" if step > 0 else f"{variable} * ({step})"
        for variable, step in zip(variables, strides, strict=True)
        if step and variable != "0"
    ]
