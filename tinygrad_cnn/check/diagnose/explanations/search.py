"""What an explanation is, and how the simplest one that accounts for a difference is found."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.deadline import time_left
from tinygrad_cnn.check.diagnose.explanations.case import Case
from tinygrad_cnn.check.results import Cause
from tinygrad_cnn.engine.graph import Node

SOME = 24  # other rules that are tried two by two, and each with a factor
FEW = 24  # iterations of a loop, each of which is tried alone too

Alteration = tuple[str, dict[Node, Node]]  # a mistake in words, and the nodes to be exchanged for others


class Explanation:
    """One common mistake."""

    def explain(self, case: Case) -> str | Cause | None:
        """The mistake in a clause, if it accounts for the whole difference; else None."""
        raise NotImplementedError


class SmallestEdit(Explanation):
    """The smallest edit of the right backward pass that gives the hand-derived numbers: see `edits/`."""

    def explain(self, case: Case) -> Cause | None:
        """See `Explanation`."""
        return case.smallest_edit()


class SourceEdit(Explanation):
    """The edit of somebody's own source that makes the gradient right: see `edits/repair.py`."""

    def explain(self, case: Case) -> Cause | None:
        """See `Explanation`."""
        return case.source_edit()


class OtherRule(Explanation):
    """A mistake that amounts to another rule at one or more nodes."""

    def alterations(self, case: Case) -> Iterator[Alteration]:
        """Nodes of the step to be exchanged, with the mistake in words."""
        raise NotImplementedError

    def explain(self, case: Case) -> str | None:
        """The first alteration that accounts for the difference."""
        for words, nodes in self.tried(case):
            if case.deadline.is_over():
                return None
            if case.accounts(case.again(nodes)):
                return words
        return None

    def tried(self, case: Case) -> Iterator[Alteration]:
        """The alterations, in the order in which they are tried."""
        return by_iterations(self.alterations(case))


def by_iterations(alterations: Iterable[Alteration]) -> Iterator[Alteration]:
    """Alterations, those that are alike in all iterations of a loop together first.

    Whoever derives a loop derives one iteration of it. So of a long loop only the first and the last iteration, which
    are the easiest to get wrong, are tried alone; to try each would take time with the square of its length.
    """
    alike: dict[Any, list[Alteration]] = {}
    met: dict[Node, int] = {}
    for words, nodes in alterations:
        time_left()
        first = next(iter(nodes))
        met[first] = met.get(first, 0) + 1
        of = (first.source, first.primitive) if len(nodes) == 1 else first
        alike.setdefault((of, met[first]), []).append((words, nodes))
    for iterations in alike.values():
        if len(iterations) > 1:
            together: dict[Node, Node] = {}
            for _, nodes in iterations:
                together.update(nodes)
            yield sentences.IN_ALL_ITERATIONS.format(mistake=iterations[0][0], n=len(iterations)), together
        yield from iterations if len(iterations) <= FEW else (iterations[0], iterations[-1])


def explain(case: Case, explanations: Sequence[Explanation]) -> Cause | None:
    """The first of the explanations that accounts for the difference."""
    for explanation in explanations:
        time_left()
        found = explanation.explain(case)
        if found is not None:
            return Cause(found) if isinstance(found, str) else found
    if case.deadline.is_over():
        return None
    tried = itertools.chain.from_iterable(e.tried(case) for e in explanations if isinstance(e, OtherRule))
    alterations = list(itertools.islice(tried, SOME))
    return _two(case, alterations) or _with_a_factor(case, alterations)


def _two(case: Case, alterations: Sequence[Alteration]) -> Cause | None:
    """Two other rules."""
    for (words, nodes), (more_words, more) in itertools.combinations(alterations, 2):
        if case.deadline.is_over():
            return None
        if not nodes.keys() & more.keys() and case.accounts(case.again({**nodes, **more})):
            return Cause(sentences.AND.format(one=words, other=more_words))
    return None


def _with_a_factor(case: Case, alterations: Sequence[Alteration]) -> Cause | None:
    """Another rule, and a factor that people forget."""
    for words, nodes in alterations:
        time_left()
        explained = case.again(nodes)
        size = float(np.sum(explained * explained))
        if explained.shape != case.hand_derived.shape or not 0 < size < math.inf:
            continue
        factor = float(np.sum(explained * case.hand_derived)) / size
        for value, plain in ((1, ""), (2, "2"), (0.5, "1/2"), (4, "4"), (0.25, "1/4")):
            if math.isclose(abs(factor), value, rel_tol=1e-8) and factor != 1 and case.accounts(factor * explained):
                sign = "minus " if factor < 0 else ""
                scaled = sentences.EDITS["scale"].format(factor=f"{sign}{plain}") if plain else sentences.EDITS["sign"]
                return Cause(sentences.AND.format(one=words, other=scaled))
    return None
