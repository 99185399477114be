"""A C source that stands alone: a function of arrays, with the memory and the constants of the program in the file."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.lowering.c.compiler import CompilerError, compiler
from tinygrad_cnn.lowering.c.elementwise import C_TYPES
from tinygrad_cnn.lowering.c.source import ALIGNMENT, Source
from tinygrad_cnn.lowering.instructions import Instruction, Listing
from tinygrad_cnn.lowering.naming import identifier
from tinygrad_cnn.lowering.operations import run

PER_LINE = 8  # numbers of a constant


def source(listing: Listing, name: str) -> str:
    """A listing as C that defines the function `name`, for this machine if it has a compiler.

    Its parameters are the leaves of the arguments, arrays row by row and numbers by value, then one array for each leaf
    of the result. Raises NotImplementedError for what has no form in C.
    """
    try:
        vector = compiler().vector
    except CompilerError:
        vector = 32
    return _Standalone(Source(listing, vector), name).text()


class _Standalone:
    """Writes the function that calls the steps."""

    def __init__(self, made: Source, name: str) -> None:
        self.made, self.listing, self.name = made, made.listing, name
        self.constants: list[str] = []
        self.taken = {name, "memory", "arrays"}
        self.inputs = {a.instruction: self.fresh(a.name or "x") for a in self.listing.arguments}
        names = tree.flatten(self.listing.structure).names
        self.outputs = [
            self.fresh("_".join(["out", *re.findall(r"\w+", path)])) for path in names[: len(self.listing.outputs)]
        ]

    def fresh(self, text: str) -> str:
        """A name that nothing else has."""
        name = wanted = identifier(text)
        number = 1
        while name in self.taken:
            number += 1
            name = f"{wanted}_{number}"
        self.taken.add(name)
        return name

    def text(self) -> str:
        """The whole file."""
        lines: list[str] = []
        for number, x in enumerate(self.made.arrays):
            lines.append(f"arrays[{number}] = (void *){self.elsewhere(x)};")
        for x, name in self.inputs.items():
            if x.result.kind == "number" and x in self.made.memory.offsets:
                lines.append(f"*({self.type(x)} *)(memory + {self.made.memory.offsets[x]}) = {name};")
        for number, segment in enumerate(self.made.segments):
            step = self.made.steps.all[segment[0]]
            if not step.in_c:
                self.refuse(step.instructions[0])
            lines.append(f"segment_{number}(memory, arrays, 0);")
        for x, name in zip(self.listing.outputs, self.outputs, strict=True):
            lines += self.returned(x, name)
        parameters = [*map(self.parameter, self.inputs), *map(self.result, self.listing.outputs, self.outputs)]
        length = self.made.memory.length + 2 * ALIGNMENT  # a vector may be read past the end
        head = (
            f"/* The program. It uses memory of its own, so that one thread at a time may call it. */\n"
            f"static char memory[{length}] __attribute__((aligned({ALIGNMENT})));\n\n"
            f"void {self.name}(\n    {(',' + chr(10) + '    ').join(parameters)})\n{{\n"
            f"    void *arrays[{max(len(self.made.arrays), 1)}];\n"
        )
        return "".join([self.made.text, *self.constants, head, *[f"    {line}\n" for line in lines], "}\n"])

    def refuse(self, x: Instruction) -> None:
        """Raise for what NumPy would have to compute."""
        what = x.parameters.get("ufunc", x.operation) if x.operation != "call" else getattr(x.function, "__name__", "")
        where = f" ({x.origin.line})" if x.origin.line else ""
        raise NotImplementedError(
            f"program: {what} of {x.result.dtype} has no form in C{where}. Save the program as .py, or use "
            "tg.compile, which lets NumPy compute it"
        )

    def type(self, x: Instruction) -> str:
        """The C type of an element."""
        if x.result.dtype not in C_TYPES:
            self.refuse(x)
        return C_TYPES[x.result.dtype]

    def parameter(self, x: Instruction) -> str:
        """An argument."""
        if x.result.kind == "number":
            return f"{self.type(x)} {self.inputs[x]}"
        return f"const {self.type(x)} *{self.inputs[x]}  /* {x.result.shape} */"

    def result(self, x: Instruction, name: str) -> str:
        """Where a leaf of the result is written to."""
        return f"{self.type(x)} *{name}  /* {x.result.shape} */"

    def elsewhere(self, x: Instruction) -> str:
        """What is written for an array that is not in the memory of the program."""
        if x in self.inputs:
            return self.inputs[x]
        if x in self.made.fresh:
            return self.outputs[self.listing.outputs.index(x)]
        name = self.fresh(f"constant_{len(self.constants)}")
        value = np.asarray(run(x, ()) if x.operation == "full" else x.parameters["value"])
        numbers = [_literal(item) for item in value.ravel()] or ["0"]
        rows = [", ".join(numbers[k : k + PER_LINE]) for k in range(0, len(numbers), PER_LINE)]
        body = ",\n    ".join(rows)
        self.constants.append(f"static const {self.type(x)} {name}[] = {{  /* {value.shape} */\n    {body}\n}};\n\n")
        return name

    def returned(self, x: Instruction, name: str) -> list[str]:
        """The lines that copy a leaf of the result out of the memory, unless a step has written it there."""
        if x in self.made.fresh and self.elsewhere(x) == name:
            return []
        place = self.made.places.get(x)
        if place is None:
            self.refuse(x)
            return []
        if place.root in self.made.memory.offsets:
            base = f"(const {self.type(x)} *)(memory + {self.made.memory.offsets[place.root]})"
        elif place.root in self.made.fresh or place.root in self.inputs:
            base = self.elsewhere(place.root)
            if place.root in self.inputs and place.root.result.kind == "number":
                base = f"&{base}"
        else:
            base = self.elsewhere(place.root)
        axes = range(len(place.shape))
        loops = "".join([f"for (long i{k} = 0; i{k} < {place.shape[k]}; i{k}++) " for k in axes])
        at = " + ".join([str(place.offset), *[f"{place.strides[k]} * i{k}" for k in axes]])
        counted = "i0" if place.shape else "0"
        for k in axes[1:]:
            counted = f"({counted}) * {place.shape[k]} + i{k}"
        return [f"{loops}{name}[{counted}] = ({base})[{at}];"]


def _literal(x: Any) -> str:
    """A number as C writes it, to the last bit."""
    if x.dtype.kind in "biu":
        return f"{int(x)}{'u' if x.dtype.kind == 'u' else ''}{'ll' if x.dtype.itemsize == 8 else ''}"
    if np.isnan(x):
        return "NAN"
    if np.isinf(x):
        return "-INFINITY" if x < 0 else "INFINITY"
    return f"{float(x).hex()}{'f' if x.dtype == np.float32 else ''}"
