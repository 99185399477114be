"""What an explanation is given, what it gives, and how the simplest one that holds is found."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.steps import largest
from tinygrad_cnn.engine.graph import Array, Node

# How many times its estimated rounding a difference may be, and still be rounding.
SAFETY = 8.0
LARGE = 10**6  # elements
TOGETHER = 24  # other rules that are tried two by two, and each with what is seen in the numbers
FEW = 24  # turns of a loop, each of which is tried alone too


class Fitted:
    """The values of a graph that have a name, but for enormous ones, as those of them that fit to a shape."""

    def __init__(self, names: Mapping[Node, str]) -> None:
        self.names = names
        self._found: dict[tuple[int, ...], dict[str, Array]] = {}

    def to(self, shape: tuple[int, ...]) -> dict[str, Array]:
        """By name: broadcast to `shape`, transposed if that is what makes them fit."""
        if shape not in self._found:
            plain = {name: np.asarray(node.value) for node, name in self.names.items() if np.size(node.like) < LARGE}
            fitted = {name: broadcast(value, shape) for name, value in plain.items()}
            self._found[shape] = {name: value for name, value in fitted.items() if value is not None}
        return self._found[shape]


def broadcast(value: Array, shape: tuple[int, ...]) -> Array | None:
    """`value` broadcast to `shape`, transposed if that is what makes it fit; None if nothing does."""
    for x in (value, value.T):
        if x.ndim <= len(shape) and all(n in (1, m) for n, m in zip(x.shape[::-1], shape[::-1], strict=False)):
            return np.broadcast_to(x, shape)
    return None


@dataclass(frozen=True)
class Case:
    """A cotangent by hand that is wrong, and all that may help to say why.

    name        what it is called
    hand        the cotangent by hand
    right       what autodiff makes of the cotangents that the hand had until there
    rounding    how large a difference rounding may make, at the size of `right`
    step        the nodes whose rules lead from there to here, newest first
    fitted      the values of the graph that have names
    again       `right`, with some nodes of the step exchanged for others
    """

    name: str
    hand: Array
    right: Array
    rounding: float
    step: Sequence[Node]
    fitted: Fitted
    again: Callable[[Mapping[Node, Node]], Array]

    @property
    def names(self) -> Mapping[Node, str]:
        """What the graph calls its values."""
        return self.fitted.names

    def values(self) -> dict[str, Array]:
        """The values of the graph that have a name and fit to this cotangent, broadcast to its shape."""
        return self.fitted.to(self.right.shape)

    def results(self) -> dict[str, Array]:
        """Of the values on the step that have no name those that fit to this cotangent, as "tanh(...)"."""
        found = {}
        for node in self.step:
            if node not in self.names and np.size(node.like) < LARGE:
                fitted = broadcast(np.asarray(node.value), self.right.shape)
                if fitted is not None:
                    found[f"{node.primitive.__name__}(...)"] = fitted
        return found

    def called(self, node: Node) -> str:
        """A node in a sentence: "maximum", or "maximum (relu)" if its value has a name."""
        name = self.names.get(node)
        return str(node.primitive.__name__) + (f" ({name})" if name else "")

    def accounts(self, explained: Array) -> bool:
        """Whether the hand's cotangent is `explained`, to rounding."""
        if np.shape(explained) != self.hand.shape or not np.all(np.isfinite(explained)):
            return False
        size = largest(explained) / (largest(self.right) or 1.0)
        within = SAFETY * self.rounding * max(1.0, size)
        with np.errstate(invalid="ignore"):
            return bool(np.all(np.abs(self.hand - explained) <= within))


class Explanation:
    """One mistake that people make.

    walks: whether it goes back through the step anew, again and again; then it is not tried after another rule.
    """

    walks = False

    def explain(self, case: Case) -> str | None:
        """The mistake in a sentence, if it accounts for the whole difference; else None."""
        raise NotImplementedError


class OtherRule(Explanation):
    """A mistake that amounts to another rule at one or more nodes."""

    walks = True

    def alterations(self, case: Case) -> Iterator[tuple[str, dict[Node, Node]]]:
        """Nodes of the step to be exchanged, each lot with the mistake in words."""
        raise NotImplementedError

    def explain(self, case: Case) -> str | None:
        """The first alteration that accounts for the difference."""
        return next((words for words, nodes in self.tried(case) if case.accounts(case.again(nodes))), None)

    def tried(self, case: Case) -> Iterator[tuple[str, dict[Node, Node]]]:
        """The alterations, in the order in which they are tried."""
        return in_turns(self.alterations(case))


def in_turns(alterations: Iterable[tuple[str, dict[Node, Node]]]) -> Iterator[tuple[str, dict[Node, Node]]]:
    """Alterations, those that are alike in all turns of a loop together first.

    Whoever derives a loop derives one turn of it. So of a long loop only the first and the last turn, which are easily
    got wrong, are tried alone; to try each would take time with the square of its length.
    """
    alike: dict[Any, list[tuple[str, dict[Node, Node]]]] = {}
    met: dict[Node, int] = {}
    for words, nodes in alterations:
        first = next(iter(nodes))
        met[first] = met.get(first, 0) + 1
        of = (first.source, first.primitive) if len(nodes) == 1 else first
        alike.setdefault((of, met[first]), []).append((words, nodes))
    for turns in alike.values():
        if len(turns) > 1:
            together = {node: altered for _, nodes in turns for node, altered in nodes.items()}
            yield f"{turns[0][0]} in all {len(turns)} turns of a loop", together
        yield from turns if len(turns) <= FEW else (turns[0], turns[-1])


def explain(case: Case, explanations: Iterable[Explanation], late: Callable[[], bool] = lambda: False) -> str | None:
    """The first of the explanations that accounts for the difference; else the first two that do so together.

    late: whether there is no time left to look for two.
    """
    explanations = list(explanations)
    for explanation in explanations:
        found = explanation.explain(case)
        if found is not None:
            return found
    rules = [e for e in explanations if isinstance(e, OtherRule)]
    others = [e for e in explanations if not e.walks]
    alterations = list(itertools.islice((a for e in rules for a in e.tried(case)), TOGETHER))
    for (words, nodes), (more_words, more) in itertools.combinations(alterations, 2):
        if late():
            break
        if not nodes.keys() & more.keys() and case.accounts(case.again({**nodes, **more})):
            return f"{words}; and {more_words}"
    for words, nodes in alterations:
        if late():
            break
        after = replace(case, right=case.again(nodes))
        if largest(after.right) < 1e-6 * largest(case.right):  # of nothing, anything is some multiple
            continue
        for explanation in others:
            found = explanation.explain(after)
            if found is not None:
                return f"{words}; and {found}"
    block = differing(case.hand, case.right, SAFETY * case.rounding)
    if block is None:
        return None
    part = replace(
        case, hand=case.hand[block], right=case.right[block], again=lambda altered: case.again(altered)[block]
    )
    found = next(filter(None, (explanation.explain(part) for explanation in explanations)), None)
    return None if found is None else f"in {in_brackets(block)} {found}"


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


def in_brackets(block: tuple[slice, ...]) -> str:
    """A block as it is written in an index: "[0:2, 3]"."""
    return f"[{', '.join(str(s.start) if s.stop == s.start + 1 else f'{s.start}:{s.stop}' for s in block)}]"


def count(n: int, one: str, many: str | None = None) -> str:
    """A number of things: "1 window", "4 windows"."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def is_float(x: Any) -> bool:
    """Whether x is an array of floats."""
    return isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f"
