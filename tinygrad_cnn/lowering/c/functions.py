"""A C function while it is written: its lines, and the arrays that it reads and writes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from tinygrad_cnn.lowering.c.elementwise import C_FUNCTIONS, C_TYPES
from tinygrad_cnn.lowering.c.places import Place, literal
from tinygrad_cnn.lowering.c.threads import parts_of
from tinygrad_cnn.lowering.instructions import Instruction
from tinygrad_cnn.lowering.naming import identifier

# What C, its mathematics and the loops written here have a use for.
_WORDS = """auto break case char const continue default do double else enum extern float for goto if inline int long
    register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm
    typeof memory arrays i k start length lane total image weights sums g finite highest share tied pooled element all
    part begin end given task parts split panel terms rows apart in_one_thread
    memcpy memset j0 j1 jn y0 y1 yn gamma lgamma tgamma signgam erf erfc fma div abs main linux unix"""
_TAKEN = C_FUNCTIONS | set(_WORDS.split())
_LOCAL = re.compile(
    r"[iju]\d+|i_[a-z]|(won|at_)\d+|.*_(i|row|total|parts|mask|t)|(step|segment)_\d+.*|.*_x\d+|[A-Z_]+|product_of.*"
    r"|.*_of_.*"
)

_SIZES = {"int": 4, **{name: dtype.itemsize for dtype, name in C_TYPES.items()}}


class Names:
    """The C names of what instructions compute: those of the program, made unique.

    inlined  those that have no array: views, and what is computed within a kernel
    words    names that the language has a use for
    local    names that the loops written have a use for
    called   what an instruction is called that has no name from the source
    """

    def __init__(
        self, inlined: Collection[Instruction] = (), words: Collection[str] = _TAKEN, local: re.Pattern[str] = _LOCAL,
        called: Callable[[Instruction], str] = lambda x: x.operation,
    ) -> None:  # fmt: skip
        self.inlined, self.words, self.local, self.called = inlined, words, local, called
        self.of: dict[Instruction, str] = {}
        self.taken: set[str] = set()
        self._next: dict[str, int] = {}  # the number to try next, of each name that was wanted before

    def __call__(self, x: Instruction) -> str:
        """The name of `x`."""
        if x not in self.of:
            origin = x.origin
            hint = x.parameters["name"] if x.operation == "input" else origin.name or origin.local or self.called(x)
            self.of[x] = self.unique(hint)
        return self.of[x]

    def unique(self, hint: str) -> str:
        """A name that nothing else has."""
        base = re.sub(r"_+", "_", identifier(hint))[:40]
        if base in self.words or base.startswith("_") or self.local.fullmatch(base):
            base = f"{base}_" if not base.startswith("_") else f"x{base}"
        name, number = base, self._next.get(base, 2)
        while name in self.taken:
            name, number = f"{base}_{number}", number + 1
        self.taken.add(name)
        self._next[base] = number
        return name


def comment(x: Instruction, names: Names) -> str:
    """What an instruction computes, and where it is from, as a comment."""
    return f"/* {description(x, names)} */"


def description(x: Instruction, names: Names) -> str:
    """What an instruction computes, and where it is from."""
    text = f"{names(x)} = {_computed(x, names)}  {x.result.shape}"
    if x.origin.line:
        text += f"  [{re.sub(_FOLDER, '', x.origin.line)}{', backward' if x.origin.half == 'cotangent' else ''}]"
    return _harmless(text)


_FOLDER = re.compile(r"^.*[/\\](?=[^/\\]+:\d+)")


def _computed(x: Instruction, names: Names) -> str:
    """An instruction as a call; what has no array of its own is written within it."""

    def operand(y: Instruction) -> str:
        if (value := literal(y)) is not None:
            return repr(value.item() if hasattr(value, "item") else value)
        return _computed(y, names) if y in names.inlined else names(y)

    operands = [operand(y) for y in x.operands]
    if x.operation == "getitem" and len(operands) == 1:
        index = x.parameters["index"]
        return f"{operands[0]}[{', '.join(map(_index, index if isinstance(index, tuple) else (index,)))}]"
    if x.operation == "reshape":
        operands.append(str(x.result.shape))
    if x.operation in _INFIX and len(operands) == 2:
        sides = [f"({text})" if y in names.inlined and y.operation in _INFIX else text
                 for text, y in zip(operands, x.operands, strict=True)]  # fmt: skip
        return f"{sides[0]} {_INFIX[x.operation]} {sides[1]}"
    operation = f"{x.parameters['ufunc']}.reduce" if x.operation == "reduce" else x.operation
    return f"{operation}({', '.join(operands)})"


_INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "matmul": "@", "less": "<", "less_equal": "<=",
    "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!=",
}  # fmt: skip


def _index(item: Any) -> str:
    if isinstance(item, slice):
        parts = ["" if n is None else str(n) for n in (item.start, item.stop, item.step)]
        return ":".join(parts if parts[2] else parts[:2])
    return "..." if item is Ellipsis else str(item)


def _harmless(text: str) -> str:
    """Text that ends no comment and continues no line."""
    if not text.isprintable() or "\\" in text:
        text = "".join(c if c.isprintable() and c != "\\" else "?" for c in text)
    return text.replace("*/", "* /").replace("/*", "/ *")


class Function:
    """A C function of the arrays that it reads and writes.

    Where it is `relative`, it is given the address of the first element of a view, so that one function serves for
    views that lie alike: for each row of an array, for instance.

    Where it is divided into `parts`, it is three functions: `lines` are one part of the work, `before` and `after` are
    what is done once.
    """

    def __init__(self, names: Names, relative: bool) -> None:
        self.names, self.relative = names, relative
        self.starts: dict[Instruction, int] = {}  # where in an array its pointer points to
        self.comments: list[str] = []
        self.lines: list[str] = []
        self.before: list[str] = []
        self.after: list[str] = []
        self.parts = 1
        self.depth = 1
        self.arrays: dict[Instruction, bool] = {}  # and whether it is written to
        self.helpers: dict[str, None] = {}
        self.scratches: dict[str, tuple[str, int]] = {}  # of each, its type and size in bytes
        self._apart: dict[str, int] = {}

    def divide(self, extent: int, nanoseconds: float, scratch: int = 0) -> tuple[Any, Any]:
        """Divide a loop of that many iterations, which takes about so long, into parts.

        Returns where a part begins and ends. It is called before anything is written.
        scratch: how many bytes each part needs for itself.
        """
        self.parts = parts_of(extent, nanoseconds, scratch)
        if self.parts == 1:
            return 0, extent
        self.line(f"const long begin = part * {extent} / {self.parts}, end = (part + 1) * {extent} / {self.parts};")
        return "begin", "end"

    @contextlib.contextmanager
    def once(self, when: list[str]) -> Iterator[None]:
        """Lines that are not of a part, but of `before` or `after` all of them."""
        if self.parts == 1:
            yield
            return
        lines, depth, self.lines, self.depth = self.lines, self.depth, when, 1
        yield
        self.lines, self.depth = lines, depth

    def line(self, text: str) -> None:
        """Add a line."""
        self.lines.append("    " * self.depth + text)

    @contextlib.contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Lines within braces."""
        self.line(f"{head} {{" if head else "{")
        self.depth += 1
        yield
        self.depth -= 1
        self.line("}")

    @contextlib.contextmanager
    def loops(
        self, sizes: Sequence[int], letter: str = "i", outermost: tuple[Any, Any] | None = None
    ) -> Iterator[list[str]]:
        """Nested loops; gives their variables, "0" where there is nothing to iterate over.

        outermost: where the first of them begins and ends, if it is not the whole.
        """
        variables = []
        with contextlib.ExitStack() as stack:
            for number, size in enumerate(sizes):
                variables.append(f"{letter}{number}" if size != 1 else "0")
                if size != 1:
                    start, end = outermost if outermost and not number else (0, size)
                    stack.enter_context(self.block(for_(variables[-1], end, start)))
            yield variables

    def read(self, root: Instruction) -> str:
        """The name of an array that is read."""
        self.arrays.setdefault(root, False)
        return self.names(root)

    def write(self, root: Instruction) -> str:
        """The name of an array that is written to."""
        self.arrays[root] = True
        return self.names(root)

    def start(self, place: Place) -> int:
        """Where a view begins, counted from where the pointer points to."""
        if self.relative:
            return place.offset - self.starts.setdefault(place.root, place.offset)
        return place.offset

    def shape(self) -> str:
        """What is equal for functions that differ in the names of arrays alone."""
        known: dict[str, str] = {}

        def positional(found: re.Match[str]) -> str:
            name, suffix = found[1], found[2] or ""
            return known.setdefault(name, f"#{len(known)}") + suffix if name in self.names.taken else found[0]

        text = "\n".join([*self.parameters(), *self.before, "", *self.lines, "", *self.after, str(self.parts)])
        return re.sub(r"\b([A-Za-z_]\w*?)(_i|_row|_total|_parts)?\b", positional, text)

    def parameters(self) -> list[str]:
        """The parameters in C."""
        found = [
            f"{C_TYPES[x.result.dtype]} *restrict {self.names(x)}"
            if written
            else f"const {C_TYPES[x.result.dtype]} *{self.names(x)}"
            for x, written in self.arrays.items()
        ]
        return [*found, *[f"{type_} *restrict {name}" for name, (type_, _) in self.scratches.items()]]

    def element(self, place: Place, variables: Sequence[str], write: bool = False) -> str:
        """The element of an array at an index."""
        name = self.write(place.root) if write else self.read(place.root)
        return f"{name}[{offset(variables, place.strides, self.start(place))}]"

    def scratch(self, name: str, type_: str, count: int, each: bool = False) -> str:
        """Memory for the midst of the step: an array of numbers or of vectors, which are at most 64 bytes long.

        each: every part has its own.
        """
        item = _SIZES.get(type_, 64)
        if each and self.parts > 1:
            count = -(-count * item // 64) * 64 // item  # as far from each other as vectors are to be aligned
            self.line(f"{name} += part * {count};")
            self._apart[name] = count
            count *= self.parts
        self.scratches[name] = type_, count * item
        return name

    def apart(self, name: str) -> int:
        """How far the scratch memory of one part is from that of the next, in elements."""
        return self._apart[name]

    def helper(self, name: str) -> str:
        """The name of a helper function, which is put in front."""
        self.helpers.setdefault(name)
        return name


def for_(variable: str, end: Any, start: Any = 0, step: int = 1) -> str:
    """The head of a loop."""
    return f"for (long {variable} = {start}; {variable} < {end}; {variable} += {step})".replace("+= 1)", "++)").replace(
        f"{variable} ++", f"{variable}++"
    )


def offset(variables: Sequence[str], strides: Sequence[int], start: int = 0) -> str:
    """Where an element lies."""
    terms = [
        variable if step == 1 else f"{variable} * {step}"
        for variable, step in zip(variables, strides, strict=True)
        if step and variable != "0"
    ]
    if start:
        terms.append(str(start))
    return " + ".join(terms).replace("+ -", "- ") or "0"


def ctype(x: Instruction) -> str:
    """The C type of the elements of a result."""
    return C_TYPES[x.result.dtype]
