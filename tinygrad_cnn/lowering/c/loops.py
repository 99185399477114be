"""A fused loop in C: elementwise operations and the reductions of what they compute, without arrays between them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.lowering.c.elementwise import converted, expression, number
from tinygrad_cnn.lowering.c.functions import Function, comment, ctype, for_, offset
from tinygrad_cnn.lowering.c.places import Place, literal, row_by_row
from tinygrad_cnn.lowering.c.steps import Step, is_elementwise, reduced_axes
from tinygrad_cnn.lowering.instructions import Instruction

BLOCK = 512  # so many elements are summed up at a time, in several lanes: exact to rounding, and fast
COSTS = {  # nanoseconds an element, about; of all others 0.25
    **dict.fromkeys(["divide", "sqrt", "reciprocal"], 1.0),
    **dict.fromkeys(["exp", "log", "sin", "cos", "tanh", "power", "expm1", "log1p", "sigmoid", "logaddexp"], 8.0),
}
DIRECTLY = 8  # up to so many, one after the other

_COMBINED = {
    "add": "{0} + {1}", "multiply": "{0} * {1}", "logical_or": "{0} | ({1} != 0)", "logical_and": "{0} & ({1} != 0)",
    "maximum": "{0} > {1} || {0} != {0} ? {0} : {1}", "minimum": "{0} < {1} || {0} != {0} ? {0} : {1}",
}  # fmt: skip


class Reduction(NamedTuple):
    """A reduction in a loop.

    kept    the strides of its result along each axis of the loop: 0 along those reduced
    inner   how many of the innermost axes are reduced
    outer   whether others are, too
    """

    x: Instruction
    ufunc: str
    kept: tuple[int, ...]
    inner: int
    outer: bool


class Layout(NamedTuple):
    """A fused loop, but for how it is written.

    sizes       of its axes, those of the step that can be one loop together being one
    loads       what is read: its place, and its strides along those axes
    stores      what is needed in memory, and its strides
    reductions  in the order of the step
    """

    sizes: list[int]
    loads: dict[Instruction, tuple[Place, tuple[int, ...]]]
    stores: dict[Instruction, tuple[int, ...]]
    reductions: list[Reduction]


def layout_of(step: Step, places: dict[Instruction, Place], stored: Callable[[Instruction], bool]) -> Layout:
    """The layout of the loop of a step. stored: whether a result is needed in memory."""
    within = {x for x in step.instructions if is_elementwise(x)}
    loads: dict[Instruction, tuple[Place, tuple[int, ...]]] = {}
    stores: dict[Instruction, tuple[int, ...]] = {}
    reductions: list[tuple[Instruction, tuple[int, ...]]] = []
    for x in step.instructions:
        for y in x.operands:
            if y not in within and literal(y) is None:
                loads[y] = places[y], _along(places[y], step.shape)
        if x.operation in ("reduce", "mean"):
            reductions.append((x, reduced_axes(x)))
        elif stored(x):
            stores[x] = row_by_row(step.shape)
    kept = {x: _kept(step.shape, axes) for x, axes in reductions}
    strides = [*[steps for _, steps in loads.values()], *stores.values(), *kept.values()]
    axes = _merged(step.shape, strides, [axes for _, axes in reductions])

    def of_groups(steps: tuple[int, ...]) -> tuple[int, ...]:
        return tuple([steps[group[-1]] for group in axes])

    found = []
    for x, over in reductions:
        is_reduced = [group[-1] in over for group in axes]
        inner = next((k for k, reduced in enumerate(reversed(is_reduced)) if not reduced), len(is_reduced))
        outer = any(is_reduced[: len(is_reduced) - inner])
        found.append(Reduction(x, x.parameters.get("ufunc", "add"), of_groups(kept[x]), inner, outer))
    return Layout(
        [math.prod([step.shape[axis] for axis in group]) for group in axes],
        {y: (place, of_groups(steps)) for y, (place, steps) in loads.items()},
        {x: of_groups(steps) for x, steps in stores.items()},
        found,
    )


class _Reduction(Reduction):
    """A reduction as C."""

    def combined(self, a: str, b: str) -> str:
        return _COMBINED[self.ufunc].format(a, b)

    @property
    def accumulator(self) -> str:
        """The C type that it is accumulated in."""
        return "double" if self.x.result.dtype.kind == "f" and self.ufunc == "add" else ctype(self.x)


def write_loop(
    f: Function, step: Step, places: dict[Instruction, Place], stored: Callable[[Instruction], bool]
) -> None:
    """Write a loop. stored: whether a result is needed in memory."""
    for x in step.instructions:
        f.comments.append(comment(x, f.names))
    _Writer(f, step, layout_of(step, places, stored)).write()


def _along(place: Place, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of a place that is broadcast to a shape."""
    return (*[0] * (len(shape) - len(place.shape)), *place.strides)


def _kept(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of the result of a reduction along the axes of what is reduced."""
    return row_by_row(tuple([1 if axis in axes else n for axis, n in enumerate(shape)]))


def _merged(
    shape: tuple[int, ...], strides: list[tuple[int, ...]], reduced: list[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """The axes to loop over, those that can be one loop together."""
    groups: list[tuple[int, ...]] = []
    for axis, n in enumerate(shape):
        if n == 1:
            continue
        before = groups[-1][-1] if groups else None
        if (
            before is not None
            and all(steps[before] == steps[axis] * n for steps in strides)
            and all((before in axes) == (axis in axes) for axes in reduced)
        ):
            groups[-1] = (*groups[-1], axis)
        else:
            groups.append((axis,))
    return groups


class _Writer:
    def __init__(self, f: Function, step: Step, layout: Layout) -> None:
        self.f, self.step, self.sizes = f, step, layout.sizes
        self.loads, self.stores = layout.loads, layout.stores
        self.reductions = [_Reduction(*r) for r in layout.reductions]
        self.variables = [f"i{k}" for k in range(len(self.sizes))]

    def write(self) -> None:
        f = self.f
        self.outermost = f.divide(self.sizes[0], self.nanoseconds()) if self.sizes else (0, 1)
        # What is reduced along the axis that is divided: each part has its own result of it.
        self.of_parts = {
            r.x: f.scratch(f"{f.names(r.x)}_parts", self.accumulated(r), r.x.result.size, each=True)
            for r in self.reductions
            if f.parts > 1 and (r.outer or r.inner == len(self.sizes))
        }
        for r in self.reductions:
            if r.outer:
                self.line_per_result(r, lambda out, r=r: f"{out} = {identity(r)};")
        self.level(0)
        with f.once(f.after):
            for r in self.reductions:
                self.finish(r)

    def nanoseconds(self) -> float:
        """About how long the loop takes."""
        each = sum(COSTS.get(x.operation, 0.25) for x in self.step.instructions) + 0.15 * len(self.loads)
        return each * math.prod(self.sizes)

    def accumulated(self, r: _Reduction) -> str:
        """The C type of what each part makes of a reduction."""
        return ctype(r.x) if r.outer else r.accumulator

    def finish(self, r: _Reduction) -> None:
        """What is done after all elements were gone through."""
        mean = f" /= {number(self.count(r), r.x.result.dtype)};" if r.x.operation == "mean" else ""
        if r.x not in self.of_parts:
            if r.outer and mean:
                self.line_per_result(r, lambda out: out + mean)
            return
        f, out, size = self.f, f"{self.f.write(r.x)}[i]", r.x.result.size
        with f.block(for_("i", size)):
            f.line(f"{self.accumulated(r)} total = {identity(r)};")
            element = f"{self.of_parts[r.x]}[part * {f.apart(self.of_parts[r.x])} + i]"
            f.line(f"{for_('part', f.parts)} total = {r.combined('total', element)};")
            f.line(f"{out} = total{f' / {self.count(r)}' if mean else ''};")

    def result(self, r: _Reduction) -> str:
        """The array that a reduction is written to."""
        return self.of_parts.get(r.x) or self.f.write(r.x)

    def line_per_result(self, r: _Reduction, text: Any) -> None:
        size = r.x.result.size
        name = self.result(r)
        if size == 1:
            self.f.line(text(f"{name}[0]"))
        else:
            self.f.line(f"{for_('i', size)} {text(f'{name}[i]')}")

    def count(self, r: _Reduction) -> int:
        return r.x.operands[0].result.size // r.x.result.size

    def level(self, depth: int) -> None:
        """The loops from `depth` on."""
        f, ends = self.f, [r for r in self.reductions if r.inner and len(self.sizes) - r.inner == depth]
        for r in ends:
            f.line(f"{r.accumulator} {self.total(r)} = {identity(r)};")
        start, end = (0, self.sizes[depth]) if depth and depth < len(self.sizes) else self.outermost
        if depth == len(self.sizes):
            self.body()
        elif depth == len(self.sizes) - 1:
            self.innermost(start, end)
        else:
            with f.block(for_(self.variables[depth], end, start)):
                self.level(depth + 1)
        for r in ends:
            out = f"{self.result(r)}[{offset(self.variables, r.kept)}]"
            made = self.total(r)
            if r.outer:
                f.line(f"{out} = {r.combined(out, made)};")
            elif r.x.operation == "mean" and r.x not in self.of_parts:
                f.line(f"{out} = {made} / {self.count(r)};")
            else:
                f.line(f"{out} = {made};")

    def total(self, r: _Reduction) -> str:
        return f"{self.f.names(r.x)}_total"

    def innermost(self, start: Any, end: Any) -> None:
        f, i = self.f, self.variables[-1]
        size = end if isinstance(end, int) else -(-self.sizes[0] // f.parts)  # at most
        rows = [r for r in self.reductions if r.inner] if size > DIRECTLY else []
        if not rows:
            with f.block(for_(i, end, start)):
                self.body()
            return
        blocks = size > BLOCK or (f.parts > 1 and len(self.sizes) == 1)
        with f.block(for_("start", end, start, BLOCK)) if blocks else contextlib.nullcontext():
            length = str(size)
            if blocks:
                whole = isinstance(end, int) and size % BLOCK == 0
                f.line(
                    f"const long length = {BLOCK if whole else f'start + {BLOCK} < {end} ? {BLOCK} : {end} - start'};"
                )
                length = "length"
            for r in rows:
                f.line(f"{ctype(r.x)} {f.names(r.x)}_row[{min(size, BLOCK)}];")
            with f.block(for_("k", length)):
                f.line(f"const long {i} = {'start + k' if blocks else 'k'};")
                self.body(set(rows))
            for r in rows:
                row = f"{f.helper(f'{r.ufunc}_of_{ctype(r.x)}')}({f.names(r.x)}_row, {length})"
                f.line(f"{self.total(r)} = {r.combined(self.total(r), row)};")

    def body(self, rows: set[_Reduction] = frozenset()) -> None:  # type: ignore[assignment]
        """What is done for one element."""
        f = self.f
        local: dict[Instruction, str] = {}
        by_instruction = {r.x: r for r in self.reductions}
        for x in self.step.instructions:
            texts = []
            for y in x.operands:
                if y not in local and literal(y) is None:
                    place, steps = self.loads[y]
                    local[y] = f"{f.read(place.root)}[{offset(self.variables, steps, f.start(place))}]"
                texts.append(local.get(y, ""))
            if x in by_instruction:
                self.reduce(by_instruction[x], texts[0], rows)
                continue
            text = expression(x, self.step.dtypes[x], texts)
            if x.operation == "reshape":
                f.line(f"{f.write(x)}[{offset(self.variables, self.stores[x])}] = {text};")
                continue
            local[x] = f"{f.names(x)}_i"
            f.line(f"const {ctype(x)} {local[x]} = {text};")
            if x in self.stores:
                f.line(f"{f.write(x)}[{offset(self.variables, self.stores[x])}] = {local[x]};")

    def reduce(self, r: _Reduction, text: str, rows: set[_Reduction]) -> None:
        taken, made = self.step.dtypes[r.x]
        y = r.x.operands[0]
        text = converted(text, taken, made, literal(y))
        if r in rows:
            self.f.line(f"{self.f.names(r.x)}_row[k] = {text};")
        elif r.inner:
            self.f.line(f"{self.total(r)} = {r.combined(self.total(r), text)};")
        elif r.outer:
            out = f"{self.result(r)}[{offset(self.variables, r.kept)}]"
            self.f.line(f"{out} = {r.combined(out, text)};")
        else:  # along axes of one element
            text = r.combined(identity(r), text) if r.ufunc == "add" else text  # which makes 0 of -0, as NumPy does
            self.f.line(f"{self.f.write(r.x)}[{offset(self.variables, r.kept)}] = {text};")


def identity(r: _Reduction) -> str:
    """What a reduction begins with."""
    dtype = r.x.result.dtype
    if r.ufunc in ("maximum", "minimum"):
        if dtype.kind == "f":
            return "-INFINITY" if r.ufunc == "maximum" else "INFINITY"
        info = np.iinfo(dtype)
        return number(info.min if r.ufunc == "maximum" else info.max, dtype)
    first = {"add": 0, "multiply": 1, "logical_or": 0, "logical_and": 1}[r.ufunc]
    return number(first, np.dtype(np.float64) if r.accumulator == "double" else dtype)


def row_helper(name: str) -> str:
    """The source of a helper that reduces a row: of "add_of_double", for instance."""
    ufunc, _, of = name.partition("_of_")
    begin = {
        "maximum": "x[0]", "minimum": "x[0]", "add": "0", "multiply": "1",
        "logical_or": "0", "logical_and": "1",
    }[ufunc]  # fmt: skip
    each = _COMBINED[ufunc]
    return f"""static __attribute__((noinline)) {of} {name}(const {of} *restrict x, long n)
{{
    {of} lanes[16], all = {begin};
    for (long k = 0; k < 16; k++) lanes[k] = {begin};
    long i = 0;
    for (; i + 16 <= n; i += 16)
        for (long k = 0; k < 16; k++) lanes[k] = {each.format("lanes[k]", "x[i + k]")};
    for (; i < n; i++) all = {each.format("all", "x[i]")};
    for (long k = 0; k < 16; k++) all = {each.format("all", "lanes[k]")};
    return all;
}}
"""
