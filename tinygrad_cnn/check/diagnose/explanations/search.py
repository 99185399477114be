"""What an explanation is, and how the simplest one that accounts for a difference is found."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.explanations.case import SAFETY, Case, differing
from tinygrad_cnn.check.results import Cause
from tinygrad_cnn.check.witnesses.magnitude import largest
from tinygrad_cnn.engine.graph import Node

TOGETHER = 24  # other rules that are tried two by two, and each with what the values show
FEW = 24  # iterations of a loop, each of which is tried alone too

Alteration = tuple[str, dict[Node, Node]]  # a mistake in words, and the nodes to be exchanged for others


class Explanation:
    """One common mistake.

    walks: whether it goes back through the step anew, again and again; then it is not tried after another rule.
    """

    walks = False

    def explain(self, case: Case) -> str | Cause | None:
        """The mistake in a clause, if it accounts for the whole difference; else None."""
        raise NotImplementedError


class SmallestEdit(Explanation):
    """The smallest edit of the right backward pass that gives the hand-derived numbers: see `edits/`."""

    walks = True

    def explain(self, case: Case) -> Cause | None:
        """See `Explanation`."""
        return case.smallest_edit()


class OtherRule(Explanation):
    """A mistake that amounts to another rule at one or more nodes."""

    walks = True

    def alterations(self, case: Case) -> Iterator[Alteration]:
        """Nodes of the step to be exchanged, with the mistake in words."""
        raise NotImplementedError

    def explain(self, case: Case) -> str | None:
        """The first alteration that accounts for the difference."""
        return next((words for words, nodes in self.tried(case) if case.accounts(case.again(nodes))), None)

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


def explain(case: Case, explanations: Iterable[Explanation], late: Callable[[], bool] = lambda: False) -> Cause | None:
    """The first of the explanations that accounts for the difference; else the first two that do so together.

    late: whether there is no time left to look for two.
    """
    explanations = list(explanations)
    found = _one(case, explanations) or _two(case, explanations, late) or _within_a_block(case, explanations)
    return Cause(found) if isinstance(found, str) else found


def _one(case: Case, explanations: Sequence[Explanation]) -> str | Cause | None:
    for explanation in explanations:
        found = explanation.explain(case)
        if found is not None:
            return found
    return None


def _two(case: Case, explanations: Sequence[Explanation], late: Callable[[], bool]) -> str | None:
    """Two other rules; or another rule, and a mistake that the values show."""
    tried = itertools.chain.from_iterable(e.tried(case) for e in explanations if isinstance(e, OtherRule))
    alterations = list(itertools.islice(tried, TOGETHER))
    for (words, nodes), (more_words, more) in itertools.combinations(alterations, 2):
        if late():
            return None
        if not nodes.keys() & more.keys() and case.accounts(case.again({**nodes, **more})):
            return sentences.AND.format(one=words, other=more_words)
    others = [e for e in explanations if not e.walks]
    for words, nodes in alterations:
        if late():
            return None
        after = replace(case, expected=case.again(nodes))
        if largest(after.expected) < 1e-6 * largest(case.expected):  # of nothing, anything is some multiple
            continue
        found = _one(after, others)
        if found is not None:
            return sentences.AND.format(one=words, other=found)
    return None


def _within_a_block(case: Case, explanations: Sequence[Explanation]) -> str | None:
    """One explanation for the only block of the elements that differs."""
    block = differing(case.hand_derived, case.expected, SAFETY * case.rounding)
    if block is None:
        return None
    part = replace(
        case,
        hand_derived=case.hand_derived[block],
        expected=case.expected[block],
        again=lambda altered: case.again(altered)[block],
    )
    found = _one(part, explanations)
    return None if found is None else sentences.IN_BLOCK.format(block=sentences.in_brackets(block), explanation=found)
