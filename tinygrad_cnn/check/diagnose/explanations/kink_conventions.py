"""Mistakes and conventions at kinks and ties: which slope is taken there, and who gets the cotangent."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.explanations.case import Case
from tinygrad_cnn.check.diagnose.explanations.search import Alteration, OtherRule
from tinygrad_cnn.check.diagnose.steps import static_arguments, with_operand, with_rules, with_static_args
from tinygrad_cnn.check.witnesses.branches import mask, meeting, meets
from tinygrad_cnn.declarations import Change, Kink
from tinygrad_cnn.engine.graph import Array, Node

LOTS = 200  # of combinations of conventions that are tried


class TiesInFull(OtherRule):
    """Every element that ties for a maximum gets the whole cotangent instead of a share."""

    def alterations(self, case: Case) -> Iterator[Alteration]:
        """See `OtherRule`."""
        altered, tied = {}, {"window": 0, "element": 0}
        for node in case.step:
            change = None if node.primitive.kink is None else node.primitive.kink.ties_in_full
            if change is not None and not _is_its_own(node, change):
                altered[node] = _changed(node, change)
                tied["element" if node.primitive.elementwise else "window"] += meeting(node)
        places = [sentences.count(n, of) for of, n in tied.items() if n]
        if places:
            yield sentences.TIES_IN_FULL.format(places=" and ".join(places)), altered


def _changed(node: Node, change: Change) -> Node:
    """The node with other rules, or with other static arguments."""
    return with_static_args(node, **change) if isinstance(change, Mapping) else with_rules(node, change)


def _is_its_own(node: Node, change: Change) -> bool:
    """Whether a node has these static arguments already."""
    return isinstance(change, Mapping) and change.items() <= static_arguments(node).items()


class OtherSideOfKink(OtherRule):
    """At a kink or a tie, another convention: >= instead of >, or all to one of those that tie."""

    def alterations(self, case: Case) -> Iterator[Alteration]:
        """See `OtherRule`."""
        conventions = {node: _conventions(node) for node in case.step if meeting(node)}
        choices = _choices(conventions)
        for size in (1, 2):
            for chosen in itertools.islice(itertools.combinations(choices, size), LOTS):
                altered: dict[Node, Node] = {}
                for nodes, convention in chosen:
                    altered.update({node: conventions[node][convention] for node in nodes})
                if len(altered) == sum(len(nodes) for nodes, _ in chosen):  # no node twice
                    yield "; and ".join(_at_kink(case, nodes, convention) for nodes, convention in chosen), altered


def _choices(conventions: Mapping[Node, Mapping[str, Node]]) -> list[tuple[list[Node], str]]:
    """Nodes, and a convention for them. Whoever takes one mostly takes it everywhere: all nodes together come first."""
    alike: dict[tuple[Any, str], list[Node]] = {}
    single = []
    for node, others in conventions.items():
        for convention in others:
            alike.setdefault((node.primitive, convention), []).append(node)
            single.append(([node], convention))
    together = [(nodes, convention) for (_, convention), nodes in alike.items() if len(nodes) > 1]
    return together + single


def _at_kink(case: Case, nodes: list[Node], convention: str) -> str:
    """Of nodes with the same primitive: "3 elements of maximum (relu) at a kink: ..."."""
    called = case.called(nodes[0]) if len(nodes) == 1 else str(nodes[0].primitive.__name__)
    n = sum(meeting(node) for node in nodes)
    if nodes[0].primitive.elementwise:
        elements = sentences.count(n, "element")
        return sentences.AT_KINK.format(elements=elements, primitive=called, convention=convention)
    return sentences.AT_TIES.format(windows=sentences.count(n, "window"), primitive=called, convention=convention)


def _conventions(node: Node) -> dict[str, Node]:
    """The conventions that may be taken at the kinks of a node, other than autodiff's own, each as another node."""
    here = [place for place, _ in node.sources]
    kink: Kink | None = node.primitive.kink
    by = mask(node)
    if by is not None:
        place = 1 - here[0] if kink is None or kink.mask is None else kink.mask
        otherwise = with_operand(node, place, np.logical_xor(by, meets(node)))
        half = with_rules(node, [_mean(node, otherwise, k) for k in range(3)])
        return {_where_it_goes(node, here): otherwise, sentences.PASSED_BY_HALF: half}
    found: dict[str, Node] = {}
    for convention, change in kink.conventions.items() if kink is not None else ():
        if not _is_its_own(node, change):
            other = _changed(node, change)
            if len(node.operands) > len(here) == 1:  # the other operand is a constant
                convention = sentences.PASSED_ON if _passed(other, here[0]).any() else sentences.NOT_PASSED_ON
            found[convention] = other
    return found


def _mean(one: Node, other: Node, place: int) -> Any:
    """A rule that is the mean of those of two nodes; None for an operand that has no rule."""
    if place >= len(one.operands) or one.primitive.rules[place] is None:
        return None
    rule = one.primitive.rules[place]

    def mean(g: Array, out: Array, *operands: Any) -> Array:
        return np.asarray((rule(g, out, *one.operands) + rule(g, out, *other.operands)) / 2)

    return mean


def _where_it_goes(node: Node, here: list[int]) -> str:
    """What becomes of a cotangent at the kinks of a node with a mask, if the mask is the other way round there."""
    if len(here) > 1:
        return sentences.PASSED_TO_OTHER
    passed = _passed(node, here[0])
    if passed.all():
        return sentences.NOT_PASSED_ON
    return sentences.PASSED_TO_OTHER if passed.any() else sentences.PASSED_ON


def _passed(node: Node, place: int) -> Array:
    """What becomes of a cotangent of ones at the kinks of a node."""
    ones = np.ones(np.shape(node.value))
    return np.broadcast_to(node.primitive.rules[place](ones, node.value, *node.operands), ones.shape)[meets(node)]
