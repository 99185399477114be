"""A fused loop: elementwise operations and the reductions of what they compute, without arrays between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from tinygrad_cnn.lowering.c.loops import Layout, Reduction, layout_of
from tinygrad_cnn.lowering.c.places import Place, literal
from tinygrad_cnn.lowering.c.steps import Step
from tinygrad_cnn.lowering.instructions import Instruction
from tinygrad_cnn.lowering.javascript.elementwise import (
    BOOL,
    F32,
    F64,
    converted,
    expression,
    is_atom,
    number,
    rounded,
    uses_once,
    without_parentheses,
)
from tinygrad_cnn.lowering.javascript.functions import Function, for_

SHORT = 60  # characters of an expression that is written within another

_COMBINED = {
    "add": "{0} + {1}", "multiply": "{0} * {1}", "logical_or": "{0} | {1}", "logical_and": "{0} & {1}",
    "maximum": "Math.max({0}, {1})", "minimum": "Math.min({0}, {1})",
}  # fmt: skip


class _Reduction(Reduction):
    """A reduction as JavaScript."""

    def combined(self, a: str, b: str) -> str:
        """Two elements as one; a sum in single precision is rounded once, at its end."""
        dtype = self.x.result.dtype
        text = _COMBINED[self.ufunc].format(a, b)
        if dtype.kind == "f":
            return text
        if self.ufunc == "multiply" and dtype.itemsize < 8:
            text = f"Math.imul({a}, {b})"
        return rounded(self.ufunc, text, dtype, dtype)

    def accumulated(self, total: str, text: str) -> str:
        """The statement that takes an element into account."""
        if self.ufunc == "add" and self.x.result.dtype.kind == "f":
            return f"{total} += {without_parentheses(text)};"
        return f"{total} = {self.combined(total, text)};"

    @property
    def terms(self) -> int:
        """How many elements there are for each of the result."""
        return self.x.operands[0].result.size // self.x.result.size

    def finished(self, text: str) -> str:
        """What is stored, from what was accumulated."""
        mean = f"{text} / {self.terms}" if self.x.operation == "mean" else text
        return f"Math.fround({mean})" if self.x.result.dtype == F32 else mean


def write_loop(
    f: Function, step: Step, places: dict[Instruction, Place], stored: Callable[[Instruction], bool]
) -> None:
    """Write a loop. stored: whether a result is needed in memory."""
    _Writer(f, step, layout_of(step, places, stored)).write()


class _Writer:
    def __init__(self, f: Function, step: Step, layout: Layout) -> None:
        self.f, self.step, self.sizes = f, step, layout.sizes
        self.loads, self.stores = layout.loads, layout.stores
        self.reductions = {r.x: _Reduction(*r) for r in layout.reductions}
        self.variables = [f"i{k}" for k in range(len(self.sizes))]
        self.uses = Counter(y for x in step.instructions for y in x.operands)

    def write(self) -> None:
        f = self.f
        for x in self.step.instructions:
            f.comment(x)
        self.sums = {}  # what is accumulated in an array; in double precision, whatever the result is in
        for r in self.reductions.values():
            if r.outer:
                self.sums[r.x] = f.write(r.x)
                if r.x.result.dtype == F32:
                    self.sums[r.x] = f.scratch(f"{f.names(r.x)}_in_double", r.x.result.size)
                f.line(f"{self.sums[r.x]}.fill({_identity(r)});")
        self.level(0)
        for r in self.reductions.values():
            if r.outer and r.finished("") != "":
                with f.block(for_("k", r.x.result.size)):
                    f.line(f"{f.write(r.x)}[k] = {r.finished(f'{self.sums[r.x]}[k]')};")

    def level(self, depth: int) -> None:
        """The loops from `depth` on."""
        f = self.f
        ends = [r for r in self.reductions.values() if r.inner and len(self.sizes) - r.inner == depth]
        for r in ends:
            f.line(f"let {self.total(r)} = {_identity(r)};")
        if depth == len(self.sizes):
            self.body()
        else:
            with f.block(for_(self.variables[depth], self.sizes[depth])):
                self.level(depth + 1)
        for r in ends:
            if r.outer:
                self.accumulate(r, self.total(r))
            else:
                f.line(f"{f.out(r.x, self.variables, r.kept)} = {r.finished(self.total(r))};")

    def total(self, r: _Reduction) -> str:
        return f"{self.f.names(r.x)}_total"

    def accumulate(self, r: _Reduction, text: str) -> None:
        """Add something to what is accumulated in an array."""
        element = self.f.out(r.x, self.variables, r.kept).replace(f"{self.f.names(r.x)}[", f"{self.sums[r.x]}[", 1)
        self.f.line(r.accumulated(element, text))

    def body(self) -> None:
        """What is done for one element."""
        f = self.f
        local: dict[Instruction, str] = {}
        for x in self.step.instructions:
            for y in x.operands:
                if y not in local and literal(y) is None:
                    place, steps = self.loads[y]
                    local[y] = self.named(y, f.at(place, self.variables, steps))
            given = [local.get(y, "") for y in x.operands]
            if x in self.reductions:
                self.reduce(self.reductions[x], given[0], x)
                continue
            text = expression(x, self.step.dtypes[x], given)
            if x.operation == "reshape":
                f.line(f"{f.out(x, self.variables, self.stores[x])} = {text};")
                continue
            local[x] = self.named(x, text)
            if x in self.stores:
                f.line(f"{f.out(x, self.variables, self.stores[x])} = {without_parentheses(local[x])};")

    def named(self, x: Instruction, text: str) -> str:
        """What stands for the element of a result: a variable, or, of what is used once, the expression itself."""
        users = [y for y in self.step.instructions if x in y.operands]
        once = self.uses[x] + (x in self.stores) == 1
        if once and len(text) <= SHORT and all(self.takes_once(y) for y in users):
            return text if is_atom(text) else f"({text})"
        name = f"{self.f.names(x)}_i"
        self.f.line(f"const {name} = {text};")
        return name

    def takes_once(self, x: Instruction) -> bool:
        return x in self.reductions or uses_once(x, self.step.dtypes[x])

    def reduce(self, r: _Reduction, text: str, x: Instruction) -> None:
        """Take an element into account."""
        taken = self.step.dtypes[x][0]
        made = F64 if r.x.result.dtype.kind == "f" and r.ufunc in ("add", "multiply") else r.x.result.dtype
        text = converted(text, taken, BOOL if r.ufunc.startswith("logical") else made, literal(x.operands[0]))
        if r.inner:
            f = self.f
            f.line(r.accumulated(self.total(r), text))
        elif r.outer:
            self.accumulate(r, text)
        else:  # over axes of one element
            self.f.line(f"{self.f.out(r.x, self.variables, r.kept)} = {r.finished(text)};")


def _identity(r: _Reduction) -> str:
    """What a reduction begins with."""
    dtype = r.x.result.dtype
    if r.ufunc in ("maximum", "minimum"):
        if dtype.kind == "f" or dtype.itemsize == 8:
            return "-Infinity" if r.ufunc == "maximum" else "Infinity"
        info = np.iinfo(dtype)
        return number(info.min if r.ufunc == "maximum" else info.max, dtype)
    return {"add": "0", "multiply": "1", "logical_or": "0", "logical_and": "1"}[r.ufunc]
