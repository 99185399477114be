"""What an explanation is given: a hand-derived cotangent that is wrong, and all that may help to say why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_cnn.check.deadline import Deadline, time_left
from tinygrad_cnn.check.results import Cause
from tinygrad_cnn.check.witnesses.magnitude import largest
from tinygrad_cnn.engine.graph import Array, Node

# How many times its estimated rounding a difference may be, and still be rounding.
SAFETY = 8.0
LARGE = 10**6  # elements


class Fitted:
    """The values of a graph that have a name, except enormous ones, as those of them that fit to a shape."""

    def __init__(self, names: Mapping[Node, str]) -> None:
        self.names = names
        self._found: dict[tuple[int, ...], dict[str, Array]] = {}

    def to(self, shape: tuple[int, ...]) -> dict[str, Array]:
        """By name: broadcast to `shape`, transposed if that is what makes them fit."""
        if shape not in self._found:
            found = {}
            for node, name in self.names.items():
                fitted = broadcast(np.asarray(node.value), shape) if np.size(node.like) < LARGE else None
                if fitted is not None:
                    found[name] = fitted
            self._found[shape] = found
        return self._found[shape]


def broadcast(value: Array, shape: tuple[int, ...]) -> Array | None:
    """`value` broadcast to `shape`, transposed if that is what makes it fit; None if nothing does."""
    for x in (value, value.T):
        if x.ndim <= len(shape) and all(n in (1, m) for n, m in zip(x.shape[::-1], shape[::-1], strict=False)):
            return np.broadcast_to(x, shape)
    return None


@dataclass(frozen=True)
class Case:
    """A hand-derived cotangent that is wrong.

    name           its name
    hand_derived   the cotangent
    expected       the cotangent that autodiff computes from the hand-derived cotangents upstream
    rounding       how large a difference rounding may make, at the size of `expected`
    step           the nodes whose rules lead from there to here, newest first
    fitted         the values of the graph that have names
    again          `expected`, with some nodes of the step exchanged for others
    smallest_edit  looks for the smallest edit of the right program that gives the hand-derived cotangent
    source_edit    looks for the edit of the source of the hand-derived gradient that makes it right
    deadline       when nothing more is to be tried
    """

    name: str
    hand_derived: Array
    expected: Array
    rounding: float
    step: Sequence[Node]
    fitted: Fitted
    again: Callable[[Mapping[Node, Node]], Array]
    smallest_edit: Callable[[], Cause | None] = lambda: None
    source_edit: Callable[[], Cause | None] = lambda: None
    deadline: Deadline = field(default_factory=Deadline)

    @property
    def names(self) -> Mapping[Node, str]:
        """What the graph calls its values."""
        return self.fitted.names

    def values(self) -> dict[str, Array]:
        """The values of the graph that have a name and fit to this cotangent, broadcast to its shape."""
        return self.fitted.to(self.expected.shape)

    def results(self) -> dict[str, Array]:
        """Of the values on the step that have no name those that fit to this cotangent, as "tanh(...)"."""
        found = {}
        for node in self.step:
            if node not in self.names and np.size(node.like) < LARGE:
                fitted = broadcast(np.asarray(node.value), self.expected.shape)
                if fitted is not None:
                    found[f"{node.primitive.__name__}(...)"] = fitted
        return found

    def called(self, node: Node) -> str:
        """A node in a sentence: "maximum", or "maximum (relu)" if its value has a name."""
        name = self.names.get(node)
        return str(node.primitive.__name__) + (f" ({name})" if name else "")

    def accounts(self, explained: Array) -> bool:
        """Whether the hand-derived cotangent is `explained`, up to rounding."""
        time_left()
        if np.shape(explained) != self.hand_derived.shape or not np.all(np.isfinite(explained)):
            return False
        size = largest(explained) / (largest(self.expected) or 1.0)
        within = SAFETY * self.rounding * max(1.0, size)
        with np.errstate(invalid="ignore"):
            return bool(np.all(np.abs(self.hand_derived - explained) <= within))

    def agrees(self, value: Array) -> bool:
        """Whether `value` is what was expected, up to rounding."""
        if np.shape(value) != self.expected.shape:
            return False
        within = SAFETY * max(self.rounding, np.finfo(self.expected.dtype).eps * largest(self.expected))
        with np.errstate(invalid="ignore"):
            return bool(np.all(np.abs(value - self.expected) <= within))


def differing(x: Array, y: Array, error: float) -> tuple[slice, ...] | None:
    """The smallest block outside of which two arrays agree; None if that is all of them, or they have two shapes."""
    if x.shape != y.shape:
        return None
    with np.errstate(invalid="ignore"):
        places = np.argwhere(~(np.abs(x - y) <= error))
    if not places.size:
        return None
    block = tuple(slice(int(a), int(b) + 1) for a, b in zip(places.min(axis=0), places.max(axis=0), strict=True))
    return block if x[block].size < x.size else None


def is_float(x: Any) -> bool:
    """Whether x is an array of floats."""
    return isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f"
