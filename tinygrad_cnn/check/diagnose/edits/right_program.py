"""The right program of one step: the rules that lead to a cotangent from those upstream, as a term.

The rules run on the lowering's stand-ins. So the program is there whether or not the user's Python could be traced.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.evaluation import Program
from tinygrad_cnn.check.diagnose.edits.terms import NP, Term, from_ast
from tinygrad_cnn.check.witnesses.named_arrays import name_given, name_of_equal
from tinygrad_cnn.engine.fitting import fit
from tinygrad_cnn.engine.graph import Array, Node
from tinygrad_cnn.lowering.instructions import Argument, Instruction, Listing, Origin, slots
from tinygrad_cnn.lowering.numpy_source import helpers
from tinygrad_cnn.lowering.numpy_source.expressions import Expressions, Text
from tinygrad_cnn.lowering.passes import optimised
from tinygrad_cnn.lowering.recorder import Recorder
from tinygrad_cnn.lowering.traced import Traced
from tinygrad_cnn.names import operands_of

DEEP = 12  # unnamed values in a row that are written out, instead of by the name of what made them
UNKNOWN = "<array>"
LONGEST = 50  # characters of a constant that is called as it is written
SIMPLE = r"[A-Za-z_][\w.]*(\([\w.]*\)|\[\d+\])?"  # how a number is written that has a name


class RightProgram:
    """Traces the rules of a step.

    leaves   for each leaf of the program what it stands for: ("value", node), ("given", node) or None, a constant
    """

    def __init__(self, names: Mapping[Node, str], given: Mapping[Node, Array], given_names: Mapping[Node, str]) -> None:
        self.recorder = Recorder(Traced)
        self.names, self.given, self.given_names = names, given, given_names
        self.arguments: list[Argument] = []
        self.leaves: list[tuple[str, Any, Any]] = []  # name, value, what it stands for
        self._known: dict[Any, Any] = {}
        self._executions = 0

    def of(self, wanted: Node, step: Sequence[Node], seeds: Mapping[Node, Array]) -> tuple[Program, dict[Term, Any]]:
        """The program of the cotangent of `wanted`, and what its leaves stand for. step: newest first."""
        cotangents: dict[Node, Any] = {}
        within = {wanted, *step}
        for node in step:
            if node in self.given:
                g = self._leaf(("given", node), self.given_names[node], self.given[node])
            elif node in cotangents:
                g = cotangents[node]
            elif node in seeds:
                g = self.recorder.of(np.asarray(seeds[node])[()])
            else:
                continue
            for place, x in reversed(node.sources):
                rule = node.primitive.rules[place]
                if x not in within or rule is None or (x in self.given and x is not wanted):
                    continue
                out, operands = self._value(node), [self._operand(node, k) for k in range(len(node.operands))]
                self._begin(node, f"rule {place}")
                made = fit(rule(g, out, *operands, **node.static_args), x.like, node, place)
                self._begin(x, "sum")
                cotangents[x] = cotangents[x] + made if x in cotangents else made
        return self._program(cotangents[wanted])

    def _begin(self, node: Node, what: str) -> None:
        self._executions += 1
        code, instruction = node.source
        self.recorder.origin = Origin(key=self._executions, line=f"{id(code)}:{instruction} {what}")

    def _leaf(self, stands_for: Any, name: str, value: Any) -> Any:
        if stands_for not in self._known:
            argument, x = self.recorder.input(f"_{len(self.leaves)}", value)
            self.arguments.append(argument)
            self.leaves.append((_as_operand(name), value, stands_for))
            self._known[stands_for] = x
        return self._known[stands_for]

    def _value(self, node: Node, depth: int = DEEP) -> Any:
        """The forward value of a node: a leaf if it has a name, else written out."""
        if node in self._known:
            return self._known[node]
        found = None
        if node not in self.names and node.primitive is not None and depth:
            operands = [self._operand(node, k, depth - 1) for k in range(len(node.operands))]
            self._begin(node, "value")
            try:
                made = node.primitive.forward(*operands, **node.static_args)
            except (TypeError, ValueError, AttributeError, NotImplementedError):
                made = None
            if type(made) is Traced and made.shape == node.like.shape and made.dtype == node.like.dtype:
                found = made
        if found is None:  # and it is not kept: it may be written out where there are fewer in a row
            made_by = "" if node.primitive is None else f"{node.primitive.__name__}(...)"
            return self._leaf(("value", node), self.names.get(node) or made_by or UNKNOWN, node.value)
        self._known[node] = found
        return found

    def _operand(self, node: Node, place: int, depth: int = DEEP) -> Any:
        source = dict(node.sources).get(place)
        if source is not None:
            return self._value(source, depth)
        x = node.operands[place]
        if not isinstance(x, np.ndarray | np.generic | int | float) or isinstance(x, bool):
            return x
        written = operands_of(node, longest=LONGEST).get(place)
        if isinstance(x, np.ndarray) and x.ndim:
            return self._leaf(("constant", id(x)), name_given(x) or written or UNKNOWN, x)
        is_plain = node.primitive.elementwise and node.primitive.__name__ != "power"  # of which a rule asks for more
        if is_plain and written is not None and re.fullmatch(SIMPLE, written):
            return self._leaf(("constant", written, float(x)), written, x)
        return float(x) if isinstance(x, np.float64) else x

    def _program(self, result: Any) -> tuple[Program, dict[Term, Any]]:
        settled: dict[Instruction, Instruction] = {}
        for x in self.recorder.instructions:
            made = x.with_(operands=tuple([settled[y] for y in x.operands]))
            if x.operation == "outside":
                made = made.with_(operation="constant", parameters={"value": x.parameters["snapshot"]})
            settled[x] = made
        arguments = tuple([Argument(a.name, settled[a.instruction]) for a in self.arguments])
        instructions = tuple(settled.values())
        output = settled[self.recorder.of(result).instruction]
        listing = optimised(Listing(instructions, arguments, (output,), 0, {}, ""))
        return _terms(listing, self.leaves)


def _terms(listing: Listing, leaves: Sequence[tuple[str, Any, Any]]) -> tuple[Program, dict[Term, Any]]:
    """A listing as a program of terms, and what each leaf stands for."""
    values: dict[Term, Any] = {}
    stands_for: dict[Term, Any] = {}
    terms: dict[Instruction, Term] = {}
    named: dict[str, Term] = {}
    writer = _Writer(values, named)
    for argument, (name, value, of) in zip(listing.arguments, leaves, strict=True):
        terms[argument.instruction] = leaf = Term("name", (), name)
        values[leaf], stands_for[leaf] = value, of
    seen: dict[Any, int] = {}
    for x in listing.instructions:
        if x in terms:
            continue
        texts = []
        for k, y in enumerate(x.operands):
            named[f"_t{k}"] = terms[y]
            texts.append(Text(f"_t{k}"))
        place = (x.origin.line, x.operation, x.origin.key)
        seen[place] = seen.get(place, 0) + 1
        group = (x.origin.line, x.operation, seen[place], x.origin.key) if x.origin.line else None
        tree = ast.parse(writer.of(x, texts).text, mode="eval").body
        made = from_ast(tree, named, group)
        terms[x] = made
    root = terms[listing.outputs[0]]
    return Program(root, values), stands_for


class _Writer(Expressions):
    """Writes instructions, with a name for whatever is no text."""

    def __init__(self, values: dict[Term, Any], named: dict[str, Term]) -> None:
        super().__init__(str, self._constant_array, lambda name: name)
        self.values, self.named = values, named
        self.named["np"] = NP

    def _name(self, name: str, value: Any, shown: str | None = None) -> str:
        if name not in self.named:
            self.named[name] = Term("name", (), shown or name)
            self.values[self.named[name]] = value
        return name

    def _constant_array(self, value: Any, *_: Any) -> str:
        return self._name(f"_c{len(self.named)}", value, name_of_equal(value) or UNKNOWN)

    def number(self, value: Any, x: Instruction | None) -> Text:
        """A number, as Python's."""
        return super().number(float(value) if isinstance(value, np.float64) else value, x)

    def _helper(self, x: Instruction, operands: Sequence[Text]) -> Text:
        self._name(x.operation, getattr(helpers, x.operation))
        return super()._helper(x, operands)

    def _setitem(self, x: Instruction, operands: Sequence[Text]) -> Text:
        self._name("set_at", helpers.set_at)
        return super()._setitem(x, operands)

    def _add_at(self, x: Instruction, operands: Sequence[Text]) -> Text:
        self._name("add_at", helpers.add_at)
        return super()._add_at(x, operands)

    def _foreign(self, x: Instruction, operands: Sequence[Text]) -> Text:
        name = self._name(x.operation.rsplit(".", 1)[-1], x.function)
        own = len(operands) - len(slots(x.parameters))
        given = [a.text for a in operands[:own]]
        given += [f"{k}={self.parameter(v, operands)}" for k, v in x.parameters.items()]
        return Text(f"{name}({', '.join(given)})")

    def function(self, x: Instruction) -> str:
        """The function of a call: NumPy's by its path, another by its name."""
        try:
            text = super().function(x)
        except NotImplementedError:
            text = "scipy."
        if text.startswith("scipy."):
            return self._name(getattr(x.function, "__name__", "function"), x.function)
        return text


def _as_operand(written: str) -> str:
    """What is written for a value, in parentheses if an operator may stand beside it."""
    return written if re.fullmatch(r"[\w.\[\]'\"]+|\w[\w.]*\([^()]*\)|<array>", written) else f"({written})"
