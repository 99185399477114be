"""A listing that runs as C: its library, the memory of each thread, and the calls of NumPy in between."""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.c.compiler import compiler, library
from tinygrad_cnn.lowering.c.source import ALIGNMENT, Source
from tinygrad_cnn.lowering.c.threads import split_function
from tinygrad_cnn.lowering.instructions import Instruction, Listing
from tinygrad_cnn.lowering.operations import run, ufunc_of


class CPlan:
    """A listing that runs as C. Each thread that calls it has memory of its own."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.source = Source(listing, compiler().vector)
        self.library = library(self.source.text)
        self.split = split_function(self.source.divided)
        self._threads = threading.local()

    def __call__(self, leaves: Sequence[Any]) -> list[Any]:
        """The leaves of the result, which are the caller's own."""
        try:
            step = self._threads.step
        except AttributeError:
            step = self._threads.step = _Bound(self.source, self.library, self.split).function()
        return step(*leaves)  # type: ignore[no-any-return]


class _Bound:
    """The Python function that runs the steps, in memory of its own."""

    def __init__(self, source: Source, library: Any, split: Any) -> None:
        self.source, self.library = source, library
        memory = np.zeros(source.memory.length + 2 * ALIGNMENT, np.uint8)  # a vector may be read past the end
        self.memory = memory[-memory.ctypes.data % ALIGNMENT :]
        self.pointers = (ctypes.c_void_p * max(len(source.arrays), 1))()
        self.names: dict[str, Any] = {
            "copy": np.copy,
            "empty": np.empty,
            "contiguous": _contiguous,
            "pointers": self.pointers,
        }
        self.names["split"] = split
        self.lines: list[str] = []
        self.values: dict[Instruction, str] = {}  # what is written for a result that is a Python object
        self.inputs = {argument.instruction: f"i{k}" for k, argument in enumerate(source.listing.arguments)}

    def function(self) -> Callable[..., list[Any]]:
        """The function of the leaves of the arguments."""
        for x, name in self.inputs.items():
            self.given(x, name)
        for number, x in enumerate(self.source.arrays):
            if x.operation in ("constant", "full"):
                array = np.ascontiguousarray(run(x, ()) if x.operation == "full" else x.parameters["value"])
                self.name(array)
                self.pointers[number] = array.ctypes.data
            elif x.operation == "closed_over":
                name = self.name(x.parameters["value"])
                self.lines.append(f"kept{number} = contiguous({name})")
                self.lines.append(f"pointers[{number}] = kept{number}.__array_interface__['data'][0]")
            elif x in self.source.fresh:
                self.values[x] = f"made{number}"
                self.lines.append(f"made{number} = empty({x.result.shape}, {self.name(x.result.dtype)})")
                self.lines.append(f"pointers[{number}] = made{number}.__array_interface__['data'][0]")
        address = ctypes.c_void_p(self.memory.ctypes.data)
        self.names["memory"], self.names["kept"] = address, self.memory  # an address alone keeps nothing
        for k, segment in enumerate(self.source.segments):
            step = self.source.steps.all[segment[0]]
            if step.in_c:
                call = getattr(self.library, f"segment_{k}")
                call.restype, call.argtypes = None, (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
                self.names[f"segment_{k}"] = call
                self.lines.append(f"segment_{k}(memory, pointers, split)")
            else:
                self.numpy(step.instructions[0])
        returned = ", ".join([self.returned(x) for x in self.source.listing.outputs])
        body = "\n    ".join([*self.lines, f"return [{returned}]"])
        text = f"def step({', '.join(self.inputs.values())}):\n    {body}\n"
        names = dict(self.names)
        exec(compile(text, "<program>", "exec"), names)
        return names["step"]  # type: ignore[no-any-return]

    def name(self, value: Any) -> str:
        """The name of something made beforehand."""
        name = f"a{len(self.names)}"
        self.names[name] = value
        return name

    def given(self, x: Instruction, name: str) -> None:
        """An argument: its address for C, or its value in memory if it is a number."""
        if x in self.source.arrays:
            number = self.source.arrays.index(x)
            self.lines.append(
                f"if not ({name}.flags.c_contiguous and {name}.flags.aligned): {name} = contiguous({name})"
            )
            self.lines.append(f"pointers[{number}] = {name}.__array_interface__['data'][0]")
        elif x in self.source.memory.offsets:
            self.lines.append(f"{self.name(self.array(x))}[()] = {name}")

    def array(self, x: Instruction) -> Any:
        """The array in memory that a result is, or is a view of."""
        place = self.source.places[x]
        item = x.result.dtype.itemsize
        start = self.source.memory.offsets[place.root] + place.offset * item
        strides = [step * item for step in place.strides]
        return np.ndarray(place.shape, x.result.dtype, self.memory, start, strides)

    def value(self, x: Instruction) -> str:
        """What is written for the result of `x`, as NumPy would have it."""
        if x in self.values:
            return self.values[x]
        root = self.source.steps.root(x)
        if x.operation in ("constant", "closed_over"):
            return self.name(x.parameters["value"])
        if x.operation == "full":
            return self.name(run(x, ()))
        if x in self.inputs:
            return self.inputs[x]
        if x is not root and root not in self.source.memory.offsets:  # a view of what is elsewhere
            return f"{self.name(lambda *operands, x=x: run(x, operands))}({', '.join(map(self.value, x.operands))})"
        array = self.name(self.array(x))
        return array if x.result.kind == "array" else f"{array}[()]" if x.result.kind == "scalar" else f"{array}.item()"

    def numpy(self, x: Instruction) -> None:
        """Add the call of NumPy that computes `x`."""
        operands = ", ".join(map(self.value, x.operands))
        if x not in self.source.memory.offsets:
            name = f"v{len(self.values)}"
            self.lines.append(f"{name} = {self.name(lambda *operands: run(x, operands))}({operands})")
            self.values[x] = name
            return
        out = self.array(x)
        ufunc = ufunc_of(x.operation) if x.function is None and not x.parameters else None
        if ufunc is not None and ufunc.nout == 1 and x.result.kind != "number":
            self.lines.append(f"{self.name(ufunc)}({operands}, out={self.name(out)})")
            return
        computed = f"{self.name(lambda *operands: run(x, operands))}({operands})"
        if x.result.kind == "number":
            computed = f"{self.name(functools.partial(_as_traced, x))}({computed})"
        self.lines.append(f"{self.name(out)}[...] = {computed}")

    def returned(self, x: Instruction) -> str:
        """What is written for an output: the caller's own."""
        text = self.value(x)
        if x.result.kind == "array" and (x not in self.source.fresh or self.source.listing.outputs.count(x) > 1):
            return f"copy({text})"
        return text


def _as_traced(x: Instruction, value: Any) -> Any:
    """A Python number that Python has computed, if memory can hold it as what it was when it was traced."""
    if np.asarray(value).dtype == x.result.dtype:
        return value
    given = repr(value) if len(repr(value)) <= 30 else f"an integer of {value.bit_length()} bits"
    raise TypeError(
        f"compile: {x.operation} of Python numbers gave {given}; expected {x.result.dtype}, as when the program was "
        f"made. Give an argument as an array of float64, or use backend='numpy' ({x.origin.line})"
    )


def _contiguous(x: Any) -> Any:
    """An array row by row, and aligned."""
    return np.require(x, requirements=["C", "A"])
