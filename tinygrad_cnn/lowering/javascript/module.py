"""A listing as a module of JavaScript: its steps as functions, the memory that they share, and what calls them."""

from __future__ import annotations

import heapq
import json
import textwrap
from collections import defaultdict
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.c.assignments import in_place
from tinygrad_cnn.lowering.c.kernels import Kernel
from tinygrad_cnn.lowering.c.places import literal, places
from tinygrad_cnn.lowering.c.source import Gaps, last_uses_of_memory
from tinygrad_cnn.lowering.c.steps import GIVEN, Step, Steps, is_elementwise, reduction
from tinygrad_cnn.lowering.instructions import Instruction, Listing
from tinygrad_cnn.lowering.javascript import (
    algebra,
    assignments,
    convolutions,
    cumulation,
    folding,
    gathers,
    moves,
    ordering,
    products,
    windows,
)
from tinygrad_cnn.lowering.javascript.arguments import arguments, returned, shapes
from tinygrad_cnn.lowering.javascript.definitions import with_definitions
from tinygrad_cnn.lowering.javascript.elementwise import ARRAYS, BYTES, number
from tinygrad_cnn.lowering.javascript.elementwise import loop_dtypes as dtypes_of
from tinygrad_cnn.lowering.javascript.functions import Function, names_of_arrays
from tinygrad_cnn.lowering.javascript.helpers import HELPERS, called_by
from tinygrad_cnn.lowering.javascript.kernels import Writing
from tinygrad_cnn.lowering.javascript.loops import write_loop
from tinygrad_cnn.lowering.passes.dead_code import without_dead_code

ALIGNMENT = 64
WIDTH = 118


class Module:
    """A listing as JavaScript.

    head, body  what stands in front of the function, and the function
    """

    def __init__(self, listing: Listing, name: str) -> None:
        listing = without_dead_code(with_definitions(listing))
        check_dtypes(listing)
        self.listing, self.name = with_copied_outputs(listing), name
        self.places = places(self.listing)
        self.numbers = {x: number for number, x in enumerate(self.listing.instructions)}
        self.kernels = self._kernels()
        self.steps = _Steps(self.listing, self.places, self.kernels)
        for step in self.steps.all:
            if step.kind == "numpy":
                raise unsupported(step.instructions[0])
        self.last = self._last_uses()
        self.aliases = in_place(self.steps, self.last, self.places)
        within = {y for kernel in self.kernels.values() for y in kernel.parts}
        self.names = names_of_arrays(within | {x for x in self.places if self.steps.is_view(x)})
        for argument in self.listing.arguments:
            self.names(argument.instruction)
        self.functions = [self._function(step) for step in self.steps.all]
        self.used = {x for f in self.functions for x in f.arrays} | set(self.listing.outputs)

    def _kernels(self) -> dict[Instruction, Kernel]:
        found = convolutions.kernels(self.listing, self.places)
        inner = {y for kernel in found.values() for y in kernel.parts}
        for x in self.listing.instructions:
            if x in found or x in inner or (x in self.places and self.places[x].root is not x):
                continue
            for family in (windows, products, assignments, folding, ordering, cumulation, algebra, moves, gathers):
                if kernel := family.kernel(x, self.places):
                    found[x] = kernel
                    break
        return found

    def _read_by(self, step: Step) -> list[Instruction]:
        """What a step takes, from memory or from itself."""
        if step.kind == "loop":
            return [y for x in step.instructions for y in x.operands if literal(y) is None]
        return [y for x in step.instructions for y in self.kernels[x].reads]

    def _last_uses(self) -> dict[Instruction, int]:
        """The last step that needs what is in the memory of an instruction; only of what has to be in memory."""
        last: dict[Instruction, int] = {}
        for number_, step in enumerate(self.steps.all):
            within = {x for x in step.instructions if is_elementwise(x)} if step.kind == "loop" else set()
            for y in self._read_by(step):
                root = self.steps.root(y)
                if root not in within or y is not root:
                    last[root] = number_
            for x in step.instructions:
                if step.kind != "loop" or not is_elementwise(x):
                    last.setdefault(x, number_)
        return last | dict.fromkeys(self.listing.outputs, len(self.steps.all))

    def _function(self, step: Step) -> Function:
        f = Function(self.names)
        if step.kind == "loop":
            write_loop(f, step, self.places, lambda x: x in self.last)
            return f
        (x,) = step.instructions
        f.comment(x)
        self.kernels[x].write(Writing(f, self.places, self.aliases))
        return f

    def _lay_out(self) -> tuple[dict[Instruction, int], int]:
        """Give each result that is needed in memory a place where nothing else is for as long; and how long that is."""
        offsets: dict[Instruction, int] = {}
        free = Gaps()
        in_use: list[tuple[int, int, int]] = []  # a heap of (last step, begin, size)
        ends = last_uses_of_memory(self.last, self.aliases)
        roots = [x for x in self.last if x.operation not in GIVEN]
        for x in sorted(roots, key=lambda x: (self.steps.of[x], self.numbers[x])):
            if x in self.aliases:
                offsets[x] = offsets[self.aliases[x]]
                continue
            while in_use and in_use[0][0] < self.steps.of[x]:
                _, begin, size = heapq.heappop(in_use)
                free.give(begin, size)
            size = -(-max(BYTES[x.result.dtype] * x.result.size, 1) // ALIGNMENT) * ALIGNMENT
            begin = free.take(size)
            heapq.heappush(in_use, (ends[x], begin, size))
            offsets[x] = begin
        return offsets, free.length

    def text(self, exported: bool = True) -> str:
        """The source. exported: as a module; otherwise as an expression statement that defines the function alone."""
        export = "export " if exported else ""
        steps = self._steps()
        body = "\n".join([*self._memory(), "", *steps, *self._step(export)])
        helpers = [HELPERS[name] for name in called_by(body)]
        about = f"{self.title}, as JavaScript: made by tinygrad_cnn."
        head = [f"// {about}", "//", *[f"//   {line}" for line in self._usage()], ""]
        shown = f"{export}const shapes = {shapes(self.listing)};\n"
        if exported:
            return "\n".join([*head, shown, "\n".join(helpers), body])
        inner = textwrap.indent("\n".join(["\n".join(helpers), body, f"return {self.name};"]), "  ")
        inner = "\n".join([line.rstrip() for line in inner.splitlines()])
        return "\n".join([*head, f"const {self.name} = (() => {{", inner, "})();", ""])

    @property
    def title(self) -> str:
        """What the program is called."""
        return "".join([c for c in self.listing.title if c.isalnum() or c in "_."]) or self.name

    def _usage(self) -> list[str]:
        given, made = arguments(self.listing)[0], shapes(self.listing, names=True)
        return textwrap.wrap(f"{self.name}({given}) returns {made}", WIDTH - 6, break_long_words=False)

    def _memory(self) -> list[str]:
        """The arrays: where they are in memory, or the numbers in them."""
        offsets, length = self._lay_out()
        lines = [f"const memory = new ArrayBuffer({length});"] if length else []
        for x in sorted(self.used, key=self.numbers.__getitem__):
            kind, shape = ARRAYS[x.result.dtype], x.result.shape
            about = f"  // {shape}" if shape else ""
            if x in offsets:
                lines.append(f"const {self.names(x)} = new {kind}(memory, {offsets[x]}, {x.result.size});{about}")
            elif x.operation == "full":
                value = number(literal(x), x.result.dtype)
                lines.append(f"const {self.names(x)} = new {kind}({x.result.size}).fill({value});{about}")
            elif x.operation in ("constant", "closed_over"):
                elements = np.asarray(x.parameters["value"]).ravel().tolist()
                text = ", ".join([number(n, x.result.dtype).strip("()") for n in elements])
                lines += _wrapped(f"const {self.names(x)} = {kind}.of({text});", about)
        for f in self.written:
            for name, text in f.constants.items():
                lines += _wrapped(f"const {name} = {text};", "")
        return lines

    def _steps(self) -> list[str]:
        """The functions, each once for all steps that it serves for; the calls are kept for `_step`."""
        alike: dict[str, list[int]] = defaultdict(list)
        for number_, f in enumerate(self.functions):
            alike[f.shape()].append(number_)
        texts, calls = {}, {}
        self.written = [self.functions[numbers[0]] for numbers in alike.values()]
        for numbers in alike.values():
            first = self.functions[numbers[0]]
            starts = [[f.starts.get(x, 0) for x in f.arrays] for f in (self.functions[n] for n in numbers)]
            moving = {k for k, of_array in enumerate(zip(*starts, strict=True)) if len(set(of_array)) > 1}
            made = [x for x, is_written in first.arrays.items() if is_written] or self.steps.all[
                numbers[0]
            ].instructions
            name = self.names.unique(f"compute_{self.names(made[-1])}")
            texts[numbers[0]] = first.text(name, moving)
            for n in numbers:
                f = self.functions[n]
                calls[n] = [*(f.comments if n != numbers[0] else []), f.call(name, moving)]
        self.calls = [line for n in range(len(self.functions)) for line in calls[n]]
        return [texts[n] for n in sorted(texts)]

    def _step(self, export: str) -> list[str]:
        """The function of the arguments."""
        accesses = arguments(self.listing)[1]
        lines = []
        for argument in self.listing.arguments:
            x = argument.instruction
            if x in self.used:
                access, result = accesses[x], x.result
                given = f"given{access}"
                lines.append(
                    f"const {self.names(x)} = array({given}, {json.dumps(argument.name)}, {ARRAYS[result.dtype]}, "
                    f"{list(result.shape)}, {json.dumps(result.dtype.name)});"
                )
        lines += self.calls
        values = []
        for x in self.listing.outputs:
            is_number = not x.result.shape
            values.append((self.names(x), is_number, x.result.dtype.kind == "b"))
        lines.append(f"return {returned(self.listing, values)};")
        return [f"{export}function {self.name}(given, into) {{", *[f"  {line}" for line in lines], "}", ""]


def _wrapped(text: str, about: str) -> list[str]:
    """A line, or several if what is within parentheses is long."""
    if len(text + about) <= WIDTH:
        return [text + about]
    opening, rest = text.split("(", 1)
    inner = textwrap.wrap(rest.removesuffix(");"), WIDTH - 2, initial_indent="  ", subsequent_indent="  ")
    return [f"{opening}({about}", *inner, ");"]


class _Steps(Steps):
    def loop_shape(self, x: Instruction) -> tuple[tuple[int, ...], tuple[Any, ...]] | None:
        """The shape of the loop that `x` is computed in, and its dtypes; None if it has no such form."""
        if x not in self.places or any(y not in self.places for y in x.operands):
            return None
        if x.operation in ("reduce", "mean"):
            return reduction(x)
        dtypes = dtypes_of(x)
        if dtypes is None:
            return None
        return x.operands[0].result.shape if x.operation == "reshape" else x.result.shape, dtypes


def with_copied_outputs(listing: Listing) -> Listing:
    """The listing with a copy of each output that is an argument, a constant, a view or another output.

    So each has memory of its own, which is copied to the caller's arrays when all else is done: those may be the
    arguments' own.
    """
    found = places(listing)
    instructions, outputs, seen = list(listing.instructions), [], set()
    for x in listing.outputs:
        if x in seen or x.operation in GIVEN or found[x].root is not x:
            copied = Instruction("copy", (x,), {}, x.result, x.origin)
            instructions.append(copied)
            outputs.append(copied)
        else:
            outputs.append(x)
        seen.add(x)
    return listing.with_(instructions=tuple(instructions), outputs=tuple(outputs))


def check_dtypes(listing: Listing) -> None:
    """Raise NotImplementedError for a dtype that JavaScript lacks, or an integer that it has not exactly."""
    for x in listing.instructions:
        if x.result.kind != "tuple" and x.result.dtype not in ARRAYS and (x.operands or x.operation == "input"):
            raise NotImplementedError(
                f"program: to='js': {_called(x)} is {x.result.dtype}; expected float64, float32, bool or integers, "
                "which JavaScript has. Use to='numpy', or another dtype"
            )
        for y in x.operands:
            if y.operation in ("constant", "full", "closed_over") and y.result.dtype.kind in "iu":
                largest = max(map(abs, np.ravel(y.parameters["value"]).tolist()), default=0)
                if largest >= 1 << 53:
                    raise NotImplementedError(
                        f"program: to='js': {_called(x)} takes the integer {largest}; expected less than 2^53, up to "
                        "which integers are exact in JavaScript. Use to='numpy', or floating-point numbers"
                    )


def unsupported(x: Instruction) -> NotImplementedError:
    """The error of an operation that is not written here."""
    given = ", ".join([f"{y.result.dtype} {y.result.shape}" for y in x.operands])
    return NotImplementedError(
        f"program: to='js': {_called(x)} of {given or 'nothing'} has no form in JavaScript; docs/programs.md says what "
        "has. Use to='numpy', or compute it outside of the program"
    )


def _called(x: Instruction) -> str:
    """An operation, and where in the user's code it is from."""
    name = x.operation
    if name == "call":
        module, function = getattr(x.function, "__module__", None) or "", getattr(x.function, "__name__", "call")
        name = f"{module}.{function}" if module else function
    elif name == "reduce":
        name = f"{x.parameters['ufunc']}.reduce"
    elif name == "input":
        name = f"argument {x.parameters['name']}"
    return f"{name} ({x.origin.line})" if x.origin.line else name
