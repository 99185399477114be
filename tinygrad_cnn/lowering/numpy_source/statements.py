"""A listing as a function: which instructions get a line of their own, and what is on it.

An instruction that the user has a name for stands on a line of its own, under that name. What is used once is written
within what uses it, as long as the line stays short; what is used more often, or would make it long, gets a line too,
under the name that the source of the rule gives it, or one that says what it is.
"""

from __future__ import annotations

import builtins
import dataclasses
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.escaping import printable
from tinygrad_cnn.lowering.instructions import Draw, Instruction, Listing
from tinygrad_cnn.lowering.naming import cotangent_name, fresh, identifier
from tinygrad_cnn.lowering.numpy_source.arrays import literal
from tinygrad_cnn.lowering.numpy_source.expressions import Expressions, Text
from tinygrad_cnn.lowering.numpy_source.helpers import HELPERS, source_of, with_what_they_call
from tinygrad_cnn.lowering.numpy_source.loops import Rolling, Statement
from tinygrad_cnn.lowering.numpy_source.wrapping import wrapped
from tinygrad_cnn.lowering.passes.reading.accumulation import chains

WIDTH = 100
LONGEST = WIDTH - 1  # of a line
SHORT = 15
INDENT = "    "
STANDARD = {"import dataclasses", "import math"}
# What an instruction is called that neither the user nor a rule has a name for.
CALLED = {
    "matmul": "product", "conv2d": "conv", "sigmoid": "sigma", "larger": "slope", "softmax": "probabilities",
    "transpose": "transposed", "reshape": "reshaped", "reduce": "total", "getitem": "part",
    "where": "chosen", "concatenate": "joined", "im2col": "columns", "col2im": "image", "pad": "padded",
    "max_pool2d": "pooled", "max_unpool": "unpooled", "multiply": "scaled", "divide": "ratio", "add": "total",
    "subtract": "difference", "setitem": "changed", "add_at": "changed", "negative": "negated",
    "astype": "cast", "broadcast_to": "stretched", "full": "zeros", "item": "item",
    **dict.fromkeys(["equal", "greater", "greater_equal", "less", "less_equal", "not_equal"], "mask"),
}  # fmt: skip

EXTREME = {
    "maximum": "largest", "minimum": "smallest", "logaddexp": "logsumexp", "multiply": "product",
    "logical_and": "every", "logical_or": "any_of",
}  # fmt: skip
NONDESCRIPT = frozenset(
    ["found", "made", "out", "result", "each", "given", "inner", "x", "y"]
)  # locals that say nothing
BIASED = {"conv2d": "conv", "matmul": "affine"}  # what the sum of one and a bias is called


def write(listing: Listing, name: str, source: bool = False) -> str:
    """The listing as a module that defines the function `name`, with the source line of each line if `source`."""
    return Writer(listing, name, source).module()


class Writer:
    """Writes one listing.

    expressions_type  what writes its expressions
    modules           names that stand for modules, which no variable may have
    """

    width = WIDTH
    expressions_type = Expressions
    modules = frozenset({"np", "scipy"})

    def __init__(self, listing: Listing, name: str, source: bool) -> None:
        self.listing, self.name, self.source = listing, name, source
        self.constants: list[tuple[str, str]] = []
        # How many variables there are of each name; what NumPy, Python and the helpers have is none.
        self.taken: Counter[str] = Counter({*self.modules, name, *HELPERS, *_BUILTINS})
        self.parameters = {parameter: self.fresh(parameter) for parameter in listing.signature}
        self.reserved = frozenset(self.taken)
        self.printed: dict[int, str] = {}  # the variables that values have, by the keys of their origins
        self.expressions = self.expressions_type(self.size, self.constant, self.fresh)
        self.texts: dict[Instruction, Text] = {}
        self.named: set[Instruction] = set()  # those that have a line of their own
        self.statements: list[Statement] = []
        self.accumulated = _accumulated(listing)
        self.backward = False
        self.has_gradient = any(x.origin.half == "cotangent" for x in listing.instructions)
        self.after_gradient = _after_gradient(listing)
        self.uses = Counter([y for x in listing.instructions for y in x.operands] + list(listing.outputs))
        self.accesses = _accesses(listing, self.parameters, self.drawn)
        self.batch = _batch(listing, self.parameters)
        self.output_names = dict(zip(listing.outputs, _output_names(listing.structure), strict=True))

    def module(self) -> str:
        """The whole module."""
        for argument in self.listing.arguments:
            self.texts[argument.instruction] = Text(self.accesses[argument.instruction])
        for argument in self.listing.arguments[self.listing.given :]:
            self.statement(argument.instruction, self.texts[argument.instruction], "drawn")
        for x in self.listing.instructions:
            if x.operation == "closed_over":
                self.texts[x] = Text(self.constant(x.parameters["value"], x.origin.name))
            elif x.operation != "input":
                self.instruction(x)
        self.statements.append(Statement("", self.returned()))
        head = f"def {self.name}({', '.join(self.parameters.values())}):"
        body = [head, *textwrap.indent(self.docstring(), INDENT).splitlines(), *self.lines()]
        helpers = [*self.helpers(), *self.expressions.foreign.values()]
        constants = "".join([f"{line}\n" for name, text in self.constants for line in _of_constant(name, text)])
        functions = "\n\n".join([*helpers, "\n".join(body) + "\n"])
        parts = [*self.head(constants + functions), *([constants.rstrip()] if constants else [])]
        return "".join([f"{part}\n\n" for part in parts]) + ("\n" if parts else "") + functions

    def head(self, code: str) -> list[str]:
        """The parts that stand before all others: the imports that the rest of the module needs."""
        standard = sorted(self.expressions.imports.keys() & STANDARD)
        others = sorted(self.expressions.imports.keys() - STANDARD)
        numpy = ["import numpy as np"] if re.search(r"(?<![\w.])np\.", code) else []
        imports = "\n".join([*standard, *([""] if standard and (numpy or others) else []), *numpy, *others])
        return [imports] if imports else []

    def helpers(self) -> list[str]:
        """The helpers that are used, and those that they call."""
        return [source_of(helper) for helper in with_what_they_call(self.expressions.helpers)]

    def drawn(self, generator: str, number: int, draw: Draw) -> str:
        """How a draw from a generator is written, which is its `number`-th."""
        arguments = [_option(x) for x in draw.args] + [f"{name}={_option(x)}" for name, x in draw.keywords.items()]
        return f"{generator}.{draw.method}({', '.join(arguments)})"

    # Lines.

    def instruction(self, x: Instruction) -> None:
        """Write one instruction, or keep it for what uses it."""
        text = self.composed(x)
        name = x.origin.name
        if x in self.output_names and x.operation != "full":
            output = self.output_names[x]
            if x.origin.half == "cotangent":
                output = cotangent_name(output) if output else "gradient"
            if name is not None and output and x.origin.half == "value" and self.taken[identifier(name)]:
                name = f"{name}_{output}"  # one of several of that name, such as updated parameters
            self.statement(x, text, name or output or self.result_name(x))
        elif x in self.accumulated:
            self.statement(x, text, self.accumulated[x])
        elif self.is_short(x, text) or (name is None and self.uses[x] == 1 and _measure(text.text) <= self.width):
            self.texts[x] = text
        elif self.uses[x]:
            self.statement(x, text)

    def result_name(self, x: Instruction) -> str:
        """What a result is called that has no name: the loss, where there are derivatives of it."""
        is_loss = self.has_gradient and not x.result.shape and x.origin.half == "value"
        return "loss" if is_loss else self.listing.title or "result"

    def composed(self, x: Instruction) -> Text:
        """The expression of `x`; operands that would make it long are given lines of their own first."""
        while True:
            text = self.expressions.of(x, [self.texts[operand] for operand in x.operands])
            name, comment = x.origin.name or x.origin.local or "", self.comment(x)
            width = len(INDENT) + len(name) + len(" = ") + _measure(text.text) + len(comment)
            inlined = [y for y in x.operands if y not in self.named and not self.is_short(y, self.texts[y])]
            if width <= self.width or not inlined:
                return text
            longest = max(inlined, key=lambda y: _measure(self.texts[y].text))
            self.statement(longest, self.texts[longest])

    def is_short(self, x: Instruction, text: Text) -> bool:
        """Whether `x` is a mere name or number, or a view of one, to be written wherever it is used."""
        if x.operation in ("input", "constant", "closed_over"):
            return True
        if x.operation == "full" and x.origin.name is None:
            return self.uses[x] == 1 or not x.result.shape
        if x.operation == "getitem" and len(x.operands) == 1 and x.operands[0].operation == "input":
            return x.origin.name is None and len(text.text) <= SHORT  # such as xs[3]
        if x.origin.name is not None:
            return False
        if x.operation == "getitem" and x.operands[0] in self.named and len(x.operands) == 1 and not x.result.shape:
            return len(text.text) <= SHORT  # such as y[0], of a variable
        if x.operation != "transpose":
            return False
        return x.operands[0].operation == "input" or text.text.removesuffix(".T").isidentifier()

    def statement(self, x: Instruction, text: Text, name: str | None = None) -> None:
        """Give `x` a line of its own."""
        begins = x.origin.half == "cotangent" and not self.backward
        ends = self.backward and x in self.after_gradient
        self.backward = (self.backward or begins) and not ends
        origin = x.origin
        if origin.of in self.printed:
            name = cotangent_name(self.printed[origin.of])
        local = origin.local
        if local is None or local in NONDESCRIPT or self.taken[identifier(local)]:
            local = None
        name = self.fresh(name or origin.name or local or called(x))
        if origin.key is not None:
            self.printed[origin.key] = name
        section = "# The gradient." if begins else "# What follows from it." if ends else ""
        self.statements.append(Statement(name, text.text, self.comment(x), section, self.is_added_in_place(x)))
        self.named.add(x)
        self.texts[x] = Text(name)

    def comment(self, x: Instruction) -> str:
        """The shape of a result that is no number, and the source line if it is asked for."""
        comment = f"  # {_shape(x.result.shape)}" if x.result.shape else ""
        if self.source and x.origin.line:
            comment = f"{comment or '  #'} {_short_line(x.origin.line)}"
        return comment

    def is_added_in_place(self, x: Instruction) -> bool:
        """Whether `x` may be written as +=: it adds to a partial sum that nothing else needs."""
        before = x.operands[0] if x.operation == "add" and x in self.accumulated else None
        if before is None or before not in self.accumulated or before.operation not in ("add", "full"):
            return False
        alike = (before.result.shape, before.result.dtype) == (x.result.shape, x.result.dtype)
        return alike and self.uses[before] == 1

    def fresh(self, name: str) -> str:
        """`name`, or one like it that is not in use."""
        return fresh(identifier(name), self.taken)

    # What stands around the lines.

    def docstring(self) -> str:
        """The arguments with their shapes."""
        inputs = [argument.instruction for argument in self.listing.arguments[: self.listing.given]]
        dtypes = {x.result.dtype for x in inputs}
        shown = [
            f"{self.accesses[x]} {_shape(x.result.shape) if x.result.shape else 'a number'}"
            + ("" if len(dtypes) == 1 else f" {x.result.dtype}")
            for x in inputs
        ]
        text = ", ".join(shown) + (f", all {next(iter(dtypes))}" if len(dtypes) == 1 and len(shown) > 1 else "")
        about = f"{self.listing.title or self.name}, traced with " + (text or "no arguments")
        about = about.replace("\\", "\\\\").replace('"' * 3, "'" * 3)
        lines = textwrap.wrap(f"{about}.", WIDTH - len(INDENT) - 6)
        return f'"""{lines[0]}"""' if len(lines) == 1 else "\n".join([f'"""{lines[0]}', *lines[1:], '"""'])

    def lines(self) -> list[str]:
        """The lines of the function, loops written as such."""
        rolling = Rolling(self.statements, self.fresh, self.reserved, self.parameters.values())
        return [part for line in rolling.lines(INDENT) for part in wrapped(line, LONGEST)]

    def returned(self) -> str:
        """The return statement. What the caller gets is nobody else's: what may be is copied."""
        memory: dict[Instruction, Instruction] = {x: _memory(x) for x in self.listing.outputs}
        shared = Counter(memory.values())
        texts = []
        for x in self.listing.outputs:
            text, owner = self.texts[x].text, memory[x]
            given = owner.operation in ("input", "closed_over", "constant") or shared[owner] > 1
            texts.append(self.copied(text) if given and x.result.kind == "array" else text)
        text = _structure(self.listing, self.listing.structure, texts, self.parameters)
        if "dataclasses.replace(" in text:
            self.expressions.imports.setdefault("import dataclasses")
        return f"return {text}"

    def copied(self, text: str) -> str:
        """A copy of an array that somebody else may have."""
        return f"np.copy({text})"

    def size(self, n: int) -> str:
        """A length, as it is written."""
        return self.batch[1] if self.batch is not None and n == self.batch[0] else str(n)

    def constant(self, value: Any, name: str | None = None) -> str:
        """A constant array: as it is if it is small, else a name, which is that of the user's variable."""
        text = literal(value, self.expressions.np)
        if len(text) <= 40:
            return text
        name = self.fresh((name or "constant").upper())
        self.constants.append((name, text))
        return name


def _of_constant(name: str, text: str) -> list[str]:
    """The lines that define a constant; the bytes of a large one are one line."""
    lines = wrapped(f"{name} = {text}", LONGEST)
    return lines if max(map(len, lines)) <= LONGEST else [f"{name} = {text}  # noqa: E501"]


def _measure(text: str) -> int:
    """How long an expression is, but for the numbers in it: so each iteration of a loop is written the same."""
    return len(re.sub(r"\d+", "0", re.sub(r"_\d+\b", "", text)))


def called(x: Instruction) -> str:
    """What an instruction is called by what it does."""
    if x.operation == "add" and x.operands[0].operation in BIASED:
        return BIASED[x.operands[0].operation]
    if x.operation == "full" and x.parameters["value"] != 0:
        return "ones" if x.parameters["value"] == 1 else "filled"
    if x.operation == "reduce":
        return EXTREME.get(x.parameters["ufunc"], "total")
    if x.operation == "call":
        return str(getattr(x.function, "__name__", "result"))
    return CALLED.get(x.operation, x.operation.rsplit(".", 1)[-1])


_BUILTINS = frozenset(dir(builtins))


def _after_gradient(listing: Listing) -> set[Instruction]:
    """The values that are computed after all cotangents, such as updated parameters."""
    found: set[Instruction] = set()
    for x in reversed(listing.instructions):
        if x.origin.half == "cotangent" and x.operands:
            return found
        found.add(x)
    return set()


def _accumulated(listing: Listing) -> dict[Instruction, str]:
    """The partial sums of long sums of cotangents, and where each begins: the name of the whole."""
    found: dict[Instruction, str] = {}
    for chain in chains(listing):
        if chain[0].origin.name is not None:
            found.update(dict.fromkeys([*chain, chain[-1].operands[0]], chain[0].origin.name))
    return found


def _shape(shape: tuple[int, ...]) -> str:
    return f"({shape[0]},)" if len(shape) == 1 else f"({', '.join(map(str, shape))})"


def _short_line(line: str) -> str:
    """The file without its folder, and the number of the line."""
    return printable(line.rsplit("/", 1)[-1].split(" in ")[0])


def _memory(x: Instruction) -> Instruction:
    """The instruction whose result the memory of that of `x` may be a part of."""
    views = ("reshape", "transpose", "broadcast_to", "getitem", "view", "real", "imag", "item", "call")
    while x.operation in views and x.operands:
        x = x.operands[0]
    return x


def _accesses(
    listing: Listing, parameters: dict[str, str], drawn: Callable[[str, int, Draw], str]
) -> dict[Instruction, str]:
    """How each input is reached from the arguments: p["Wc"], or drawn: rng.random((5, 3))."""
    found: dict[Instruction, str] = {}
    generators: dict[int, str] = {}

    def walk(item: Any, text: str) -> None:
        if isinstance(item, int):
            found[listing.arguments[item].instruction] = text
        elif isinstance(item, np.random.Generator):
            generators[id(item)] = text
        else:
            for key, child in children_of(item):
                walk(child, _access(text, key))

    for name, item in listing.signature.items():
        walk(item, parameters[name])
    leaves = tree.flatten(listing.signature).leaves
    numbers: Counter[str] = Counter()
    for argument, draw in zip(listing.arguments[listing.given :], listing.draws, strict=True):
        generator = generators[id(leaves[draw.leaf])]
        found[argument.instruction] = drawn(generator, numbers[generator], draw)
        numbers[generator] += 1
    return found


def _option(x: Any) -> str:
    """An argument of a draw."""
    return repr(np.dtype(x).name) if isinstance(x, type | np.dtype) else repr(x)


def _access(text: str, key: Any) -> str:
    return f"{text}.{key}" if isinstance(key, _Field) else f"{text}[{_quoted(key)}]"


class _Field(str):
    """The name of a field, and not of an item."""

    __slots__ = ()


def _quoted(key: Any) -> str:
    if isinstance(key, str) and '"' not in key and "\\" not in key and key.isprintable():
        return f'"{key}"'
    return repr(key)


def children_of(item: Any) -> list[tuple[Any, Any]]:
    """What a container of a tree holds, by keys, places or fields; nothing of anything else."""
    if isinstance(item, dict):
        return list(item.items())
    if isinstance(item, tuple) and hasattr(item, "_fields"):
        return [(_Field(name), x) for name, x in zip(item._fields, item, strict=True)]
    if isinstance(item, list | tuple):
        return list(enumerate(item))
    if dataclasses.is_dataclass(item) and not isinstance(item, type):
        return [(_Field(name), getattr(item, name)) for name in tree.fields(type(item))[0]]
    return []


def _output_names(structure: Any, name: str = "") -> list[str]:
    """For each output, the last key or field on the way to it, or nothing."""
    if isinstance(structure, int):
        return [name]
    names = []
    for key, child in children_of(structure):
        names += _output_names(child, str(key) if isinstance(key, str) else name)
    return names


def _structure(listing: Listing, item: Any, texts: Sequence[str], parameters: dict[str, str]) -> str:
    """The result, as it is written."""
    if isinstance(item, int) and not isinstance(item, bool):
        return texts[item]
    if item is None:
        return "None"
    parts = [(key, _structure(listing, child, texts, parameters)) for key, child in children_of(item)]
    if isinstance(item, dict):
        return "{" + ", ".join([f"{_quoted(key)}: {text}" for key, text in parts]) + "}"
    if isinstance(item, list):
        return f"[{', '.join([text for _, text in parts])}]"
    if type(item) is tuple:
        inner = ", ".join([text for _, text in parts])
        return f"({inner},)" if len(parts) == 1 else f"({inner})" if item is not listing.structure else inner
    fields = ", ".join([f"{key}={text}" for key, text in parts])
    example = _like(item, listing.signature, parameters)
    if example is not None and tree.static_values(item):  # which the constructor would not get
        return f"dataclasses.replace({example}, {fields})" if fields else example
    return f"type({example})({fields})" if example is not None else f"dict({fields})"


def _like(container: Any, signature: dict[str, Any], parameters: dict[str, str]) -> str | None:
    """How an argument, or a part of one, is reached that has the type and the static fields of a container."""
    kind, static = type(container), tree.static_values(container)
    waiting = [(item, parameters[name]) for name, item in signature.items()]
    for item, text in waiting:
        if type(item) is kind and tree.static_values(item) == static:
            return text
        waiting += [(child, _access(text, key)) for key, child in children_of(item)]
    return None


def _batch(listing: Listing, parameters: dict[str, str]) -> tuple[int, str] | None:
    """The length of the batch and how it is written, where it can be known."""
    found = listing.batch()
    return None if found is None else (found[1], f"len({parameters[found[0]]})")
