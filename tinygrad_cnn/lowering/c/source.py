"""The C source of a listing: its steps as functions, in segments between which NumPy is called."""

from __future__ import annotations

import bisect
import heapq
from dataclasses import dataclass, field

from tinygrad_cnn.lowering.c import assignments, convolutions, loops, products, threads, windows
from tinygrad_cnn.lowering.c.elementwise import C_TYPES
from tinygrad_cnn.lowering.c.functions import Function, Names, comment
from tinygrad_cnn.lowering.c.kernels import Kernel, Writing
from tinygrad_cnn.lowering.c.places import literal, places
from tinygrad_cnn.lowering.c.steps import GIVEN, Step, Steps, is_elementwise
from tinygrad_cnn.lowering.instructions import Instruction, Listing

ALIGNMENT = 64
FRESH = 1 << 14  # bytes, from which on making an array costs less than copying one

_HEAD = """\
/* TITLE, as C: made by tinygrad_cnn. Each function is a step of the program, at the end they are called: `memory`
   holds what they compute, `arrays` the arguments and constants. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#define STEP static __attribute__((noinline)) void

#ifdef __clang__  /* a segment only calls steps: there is nothing to optimise, which would take long */
#define SEGMENT __attribute__((noinline, optnone)) void
#else
#define SEGMENT __attribute__((optimize("O0"))) void
#endif

#ifdef __clang__  /* products are summed up without rounding in between, as BLAS does it; nothing else is */
#define TILE static inline __attribute__((always_inline))
#define CONTRACT _Pragma("clang fp contract(fast)")
#define CONTRACTED
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define TILE static inline __attribute__((always_inline, optimize("fp-contract=fast")))
#define CONTRACT
#define CONTRACTED __attribute__((optimize("fp-contract=fast")))
#define UNROLL _Pragma("GCC unroll 32")
#endif

#if defined(__x86_64__) && !defined(__clang__)  /* or each product would read the vector from memory again */
#define IN_REGISTER(vector) __asm__("" : "+v"(vector))
#else
#define IN_REGISTER(vector)
#endif

"""

_CONTRACTED = ("correlate_tile", "gradient_tile", "product", "product_tile")


@dataclass
class Memory:
    """Where the results that are in memory are: the offset of each in bytes, and how long it is in all."""

    offsets: dict[Instruction, int] = field(default_factory=dict)
    length: int = 0


class Gaps:
    """Memory of which parts are taken and given back.

    length  how much there is: as much as was needed at once
    """

    def __init__(self) -> None:
        self.length = 0
        self._gaps: list[tuple[int, int]] = []  # (begin, end), in order; no two touch

    def take(self, size: int) -> int:
        """Where the first gap of that size begins; the memory grows if there is none."""
        for k, (begin, end) in enumerate(self._gaps):
            if end - begin >= size:
                self._gaps[k : k + 1] = [(begin + size, end)] if end - begin > size else []
                return begin
        begin = self.length
        if self._gaps and self._gaps[-1][1] == begin:
            begin, _ = self._gaps.pop()
        self.length = begin + size
        return begin

    def give(self, begin: int, size: int) -> None:
        """Give back what was taken."""
        end, k = begin + size, bisect.bisect(self._gaps, (begin,))
        if k < len(self._gaps) and self._gaps[k][0] == end:
            end = self._gaps.pop(k)[1]
        if k and self._gaps[k - 1][1] == begin:
            k -= 1
            begin = self._gaps.pop(k)[0]
        self._gaps.insert(k, (begin, end))


def last_uses_of_memory(
    last: dict[Instruction, int], aliases: dict[Instruction, Instruction]
) -> dict[Instruction, int]:
    """The last use of the memory of each result, by what is written over it in place too."""
    ends = dict(last)
    for y, of in aliases.items():
        while of in aliases:
            of = aliases[of]
        ends[of] = max(ends[of], last.get(y, 0))
    return ends


class Source:
    """A listing as C.

    text      the source
    steps     in order
    segments  numbers of steps that one function of the library runs, in order; those of NumPy are alone
    divided   whether there are steps that threads share
    memory    where results are, and how much of it is needed, scratch memory included
    fresh     outputs that are not in memory
    arrays    what is not in memory, in the order of the pointers that are given to the library
    """

    def __init__(self, listing: Listing, vector: int) -> None:
        self.listing, self.vector = listing, vector
        self.places = places(listing)
        self.numbers = {x: number for number, x in enumerate(listing.instructions)}
        self.kernels = self._kernels()
        self.steps = Steps(listing, self.places, self.kernels)
        self.last = self._last_uses()
        self.aliases = assignments.in_place(self.steps, self.last, self.places)
        self.fresh = self._fresh()
        self.memory = self._lay_out()
        self.results = self.memory.length
        self.arrays: list[Instruction] = []
        self.segments = self._segments()
        self.text = self._write()

    def _kernels(self) -> dict[Instruction, Kernel]:
        found = convolutions.kernels(self.listing, self.places)
        inner = {y for kernel in found.values() for y in kernel.parts}
        for x in self.listing.instructions:
            if x in found or x in inner:
                continue
            for family in (windows, products, assignments):
                if kernel := family.kernel(x, self.places):
                    found[x] = kernel
                    break
        return found

    def read_by(self, step: Step) -> list[Instruction]:
        """What a step takes, from memory or from itself."""
        if step.kind in ("loop", "numpy"):
            return [y for x in step.instructions for y in x.operands if literal(y) is None or step.kind == "numpy"]
        return [y for x in step.instructions for y in self.kernels[x].reads]

    def _last_uses(self) -> dict[Instruction, int]:
        """The last step that needs what is in the memory of an instruction; only of what has to be in memory."""
        last: dict[Instruction, int] = {}
        holds: dict[Instruction, list[Instruction]] = {}  # of what NumPy makes: it may be views of those
        for number, step in enumerate(self.steps.all):
            within = {x for x in step.instructions if is_elementwise(x)} if step.kind == "loop" else set()
            for y in self.read_by(step):
                for root in (self.steps.root(y), *holds.get(y, ())):
                    if root not in within or y is not root:
                        last[root] = number
            for x in step.instructions:
                if x not in self.places:
                    holds[x] = [r for y in x.operands for r in (self.steps.root(y), *holds.get(y, ()))]
                elif step.kind != "loop" or not is_elementwise(x):
                    last.setdefault(x, number)
        for x in self.listing.outputs:
            for root in (self.steps.root(x), *holds.get(x, ())):
                last[root] = len(self.steps.all)
        return last

    def is_stored(self, x: Instruction) -> bool:
        """Whether a result is needed in memory."""
        return x in self.last

    def _fresh(self) -> set[Instruction]:
        """The large outputs that C writes to an array that is made at each call, and is the caller's."""
        changed = {*self.aliases, *self.aliases.values()}
        return {
            x for x in self.listing.outputs
            if x in self.places and self.places[x].root is x and x.result.kind == "array" and x not in changed
            and x in self.steps.of and self.steps.all[self.steps.of[x]].in_c
            and x.result.size * x.result.dtype.itemsize >= FRESH
        }  # fmt: skip

    def is_elsewhere(self, root: Instruction) -> bool:
        """Whether an array is not in the memory of the program: arguments, constants, and large outputs."""
        return root in self.fresh or (
            root.operation in GIVEN and (root.operation != "input" or root.result.kind == "array")
        )

    def _lay_out(self) -> Memory:
        """Give each result that is needed in memory a place where nothing else is for as long."""
        memory = Memory()
        free = Gaps()
        in_use: list[tuple[int, int, int]] = []  # a heap of (last step, begin, size)
        roots = [x for x in self.last if x in self.places and not self.is_elsewhere(x)]
        ends = last_uses_of_memory(self.last, self.aliases)
        for x in sorted(roots, key=lambda x: (self.steps.of.get(x, -1), self.numbers[x])):
            if x in self.aliases:
                memory.offsets[x] = memory.offsets[self.aliases[x]]
                continue
            first = self.steps.of.get(x, -1)
            while in_use and in_use[0][0] < first:
                _, begin, size = heapq.heappop(in_use)
                free.give(begin, size)
            size = -(-max(x.result.dtype.itemsize * x.result.size, 1) // ALIGNMENT) * ALIGNMENT
            begin = free.take(size)
            heapq.heappush(in_use, (ends[x], begin, size))
            memory.offsets[x] = begin
        memory.length = free.length
        return memory

    def _segments(self) -> list[list[int]]:
        found: list[list[int]] = []
        for number, step in enumerate(self.steps.all):
            if step.in_c and found and self.steps.all[found[-1][-1]].in_c:
                found[-1].append(number)
            else:
                found.append([number])
        return found

    def _write(self) -> str:
        within = {y for kernel in self.kernels.values() for y in kernel.parts}
        names = Names(within | {x for x in self.places if self.steps.is_view(x)})
        for x in self.listing.instructions:
            if x.operation == "input":
                names(x)
        functions = {number: self._function(step, names) for number, step in enumerate(self.steps.all) if step.in_c}
        self.divided = any(f.parts > 1 for f in functions.values())
        title = "".join(c for c in self.listing.title if c.isalnum() or c in "_.") or "step"
        parts = [_HEAD.replace("TITLE", title), threads.TYPES, self._helpers(list(functions.values()))]
        alike: dict[str, str] = {}  # the names of functions, by what is equal for all that they serve for
        calls: dict[int, list[str]] = {}
        for number, f in functions.items():
            shape, first = f.shape(), f"step_{number}"
            name = alike.setdefault(shape, first)
            if name == first:
                parts.append(self._definition(name, f))
            comments = [] if name == first else f.comments
            calls[number] = [*comments, *self._calls(name, f)]
        for k, segment in enumerate(self.segments):
            if self.steps.all[segment[0]].in_c:
                lines = [line for number in segment for line in calls[number]]
                if any(functions[number].parts > 1 for number in segment):
                    lines.insert(0, "if (!split) split = in_one_thread;")
                body = "".join([f"    {line}\n" for line in lines])
                parts.append(f"SEGMENT segment_{k}(char *memory, void **arrays, Split *split)\n{{\n{body}}}\n\n")
            else:
                (x,) = self.steps.all[segment[0]].instructions
                parts.append(f"/* NumPy: */\n{comment(x, names)}\n\n")
        return "".join(parts)

    def _function(self, step: Step, names: Names) -> Function:
        """A step as a function."""
        f = Function(names, step.kind in ("loop", "product", "setitem", "add_at", "scatter", "concatenate"))
        if step.kind == "loop":
            loops.write_loop(f, step, self.places, self.is_stored)
            return f
        (x,) = step.instructions
        f.comments.append(comment(x, names))
        self.kernels[x].write(Writing(f, self.places, self.vector, self.is_elsewhere, self.aliases))
        return f

    def _helpers(self, functions: list[Function]) -> str:
        texts: dict[str, None] = {}
        for name in dict.fromkeys([name for f in functions for name in f.helpers]):
            kind, *rest = name.split()
            if kind == "product_tile":
                texts.setdefault(convolutions.helper("vector", *rest))
                texts.setdefault(products.tile_helper(*rest))
            elif kind in ("correlate_tile", "gradient_tile"):
                texts.setdefault(convolutions.helper("vector", *rest))
                texts.setdefault(convolutions.helper(kind, *rest))
            elif kind == "scatter":
                texts.setdefault(convolutions.helper(kind, *rest))
            elif kind == "product":
                texts.setdefault(products.helper(*rest))
            else:
                texts.setdefault(loops.row_helper(name) + "\n")
        return "".join(texts)

    def _definition(self, name: str, f: Function) -> str:
        """The text of a function; where it is divided into parts, of all its functions."""
        contracted = any(helper.split()[0] in _CONTRACTED for helper in f.helpers)
        step, parameters = f"{'CONTRACTED ' if contracted else ''}STEP", f.parameters()

        def text(name: str, parameters: list[str], lines: list[str]) -> str:
            head = f"{step} {name}(\n    {(',' + chr(10) + '    ').join(parameters)})\n{{"
            return "\n".join([head, *lines, "}", "", ""])

        comments = [f"    {text}" for text in f.comments]
        if f.parts == 1:
            return text(name, parameters, [*comments, *f.lines])
        given = ", ".join([*[f"given[{k}]" for k in range(len(parameters))], "part"])
        task = f"static void {name}_part(long part, void **given)\n{{\n    {name}({given});\n}}\n\n"
        before = text(f"{name}_before", parameters, f.before) if f.before else ""
        after = text(f"{name}_after", parameters, f.after) if f.after else ""
        return before + text(name, [*parameters, "long part"], [*comments, *f.lines]) + task + after

    def _calls(self, name: str, f: Function) -> list[str]:
        """How a function is called."""
        given = ", ".join(self._arguments(f))
        if f.parts == 1:
            return [f"{name}({given});"]
        parts = f"split({name}_part, {f.parts}, (void *[]){{{given}}});"
        before = [f"{name}_before({given});"] if f.before else []
        return [*before, parts, *([f"{name}_after({given});"] if f.after else [])]

    def _arguments(self, f: Function) -> list[str]:
        """The pointers that a function is called with. Scratch memory follows what is in memory, for all steps."""
        found, scratch = [], self.results
        for x in f.arrays:
            type_, start = C_TYPES[x.result.dtype], f.starts.get(x, 0)
            if self.is_elsewhere(x):
                found.append(f"({type_} *)arrays[{self.array(x)}]" + (f" + {start}" if start else ""))
            else:
                found.append(f"({type_} *)(memory + {self.memory.offsets[x] + start * x.result.dtype.itemsize})")
        for type_, size in f.scratches.values():
            found.append(f"({type_} *)(memory + {scratch})")
            scratch += -(-size // ALIGNMENT) * ALIGNMENT
        self.memory.length = max(self.memory.length, scratch)
        return found

    def array(self, root: Instruction) -> int:
        """The number of an array that is not in memory."""
        if root not in self.arrays:
            self.arrays.append(root)
        return self.arrays.index(root)
