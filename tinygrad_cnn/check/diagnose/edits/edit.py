"""What an edit is, and what a kind of edits is given to make them from."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.evaluation import FAILURES, Program
from tinygrad_cnn.check.diagnose.edits.numbers import Numbers
from tinygrad_cnn.check.diagnose.edits.terms import BINARY, Term

Array = Any


@dataclass(frozen=True, eq=False)
class Edit:
    """Terms exchanged for others, at a cost: the smaller, the likelier that somebody makes the mistake.

    sentence   of `sentences.EDITS`: its name, and what fills it in
    key        what is equal for the same edit of another iteration of a loop
    fits       whether a number in it was chosen to fit, and has no name; then it takes three elements to be believed
    """

    exchanged: Mapping[Term, Term]
    cost: float
    sentence: str
    words: Mapping[str, Any] = field(default_factory=dict)
    key: Any = None
    fits: bool = False


@dataclass(frozen=True)
class Context:
    """A program, and the numbers that its edit is to give.

    scope      leaves that may take the place of others: values, cotangents, parameters and data, by name
    target     the numbers
    accounts   whether a value is the target, up to rounding
    numbers    the numbers that have a name
    points     at how many other points an edit is confirmed
    """

    program: Program
    scope: Sequence[Term]
    target: Array
    accounts: Callable[[Any], bool]
    numbers: Numbers
    points: int = 0

    @functools.cached_property
    def now(self) -> Array:
        """The value of the program as it is."""
        return np.asarray(self.program.value, float)

    def value(self, x: Term) -> Any:
        """The value of a term; None if it has none."""
        try:
            with np.errstate(all="ignore"):
                return self.program.of(x)
        except FAILURES:
            return None

    def shape(self, x: Term) -> tuple[int, ...]:
        """Its shape."""
        return np.shape(self.value(x))

    def is_float(self, x: Term) -> bool:
        """Whether it is an array or a number of floats."""
        value = self.value(x)
        return isinstance(value, float | np.ndarray | np.generic) and np.asarray(value).dtype.kind == "f"

    def is_array(self, x: Term) -> bool:
        """Whether it is an array of numbers or truth values."""
        value = self.value(x)
        return isinstance(value, np.ndarray | np.generic) and np.asarray(value).dtype.kind in "fiub"

    @functools.cached_property
    def by_shape(self) -> dict[tuple[int, ...], list[Term]]:
        """The leaves that may take the place of others and are arrays."""
        found: dict[tuple[int, ...], list[Term]] = {}
        for leaf in self.scope:
            if self.is_array(leaf):
                found.setdefault(self.shape(leaf), []).append(leaf)
        return found

    @functools.cached_property
    def operands(self) -> set[Term]:
        """Terms that are operands of others as an array is, not the parts of an index or the function of a call."""
        found = {self.program.root}
        for x in self.program.order:
            if x.op in ("index", "attribute"):
                found.add(x.args[0])
            elif x.op == "call":
                found.update(x.args[1 : len(x.args) - len(x.data)])
            elif x.op not in ("slice", "tuple", "list"):
                found.update(x.args)
        return {x for x in found if self.is_array(x)}

    @functools.cached_property
    def constants(self) -> set[Term]:
        """Numbers that arrays are computed with, not the parts of an index, an axis or a shape."""
        found: set[Term] = set()
        for x in self.program.order:
            if x.op in BINARY or x.op in ("-x", "+x"):
                found.update(y for y in x.args if y.op == "constant")
            elif x.op == "call":
                found.update(y for y in x.args[1 : len(x.args) - len(x.data)] if isinstance(y.data, float))
        return found


Kind = Callable[[Term, Context], Iterator[Edit]]
EDITS: list[tuple[float, Kind]] = []


def kind(least: float) -> Callable[[Kind], Kind]:
    """Add a kind of edits to those that are tried. least: what the cheapest of them costs."""

    def add(function: Kind) -> Kind:
        EDITS.append((least, function))
        return function

    return add
