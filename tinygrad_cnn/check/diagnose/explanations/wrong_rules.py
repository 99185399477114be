"""Mistakes that amount to another rule at a node: autodiff runs with that rule, and is compared again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.explanations.case import Case
from tinygrad_cnn.check.diagnose.explanations.search import Alteration, Explanation, OtherRule, by_iterations
from tinygrad_cnn.check.diagnose.explanations.wrong_values import FORMS, plainly
from tinygrad_cnn.check.diagnose.steps import with_operand, with_rules
from tinygrad_cnn.engine.graph import Array, Node
from tinygrad_cnn.engine.primitive import Rule
from tinygrad_cnn.names import operands_of

Altered = Iterator[Alteration]
LOTS = 200  # of other values that are tried


class MissingDerivative(OtherRule):
    """The derivative of an elementwise function is left out: a missing factor of the chain rule."""

    def alterations(self, case: Case) -> Altered:
        """See `OtherRule`."""
        for node in case.step:
            if not maps_elements(node):
                continue
            for place, _ in node.sources:
                if node.primitive.rules[place] is None or _is_a_sign(node, place):
                    continue
                rules = [rule if k != place else _unchanged for k, rule in enumerate(node.primitive.rules)]
                yield _missing(case, node, place), {node: with_rules(node, rules)}


class OtherDerivative(OtherRule):
    """An elementwise function is given another derivative: 1 - h where it is 1 - h^2, as of tanh."""

    def alterations(self, case: Case) -> Altered:
        """See `OtherRule`."""
        for node in case.step:
            if len(node.operands) != 1 or _is_a_sign(node, 0) or not maps_elements(node):
                continue
            result, operand = case.names.get(node, "out"), _operand(case, node, 0) or "x"
            for form, made in FORMS.items():
                for name, of_result in ((result, True), (operand, False)):
                    words = sentences.OTHER_DERIVATIVE.format(primitive=case.called(node), derivative=form.format(name))
                    yield words, {node: with_rules(node, [_times(made, of_result)])}


def _times(made: Any, of_result: bool) -> Any:
    return lambda g, out, x, **_: g * made(out if of_result else x)


def maps_elements(node: Node) -> bool:
    """Whether a node computes each element of its result from one of each operand, so that its rules are factors."""
    if not node.primitive.elementwise:
        return False
    return bool(np.broadcast_shapes(*[np.shape(x) for x in node.operands]) == node.like.shape)


def _is_a_sign(node: Node, place: int) -> bool:
    """Whether the derivative by an operand is declared to be 1 or -1."""
    return bool(node.primitive.factors) and node.primitive.factors[place] in ("1", "-1")


def _missing(case: Case, node: Node, place: int) -> str:
    """That the derivative of a node with respect to an operand is missing."""
    called = case.called(node)
    if node.primitive.factors:
        return sentences.DERIVATIVE_MISSING_AS.format(primitive=called, derivative=node.primitive.factors[place])
    if node.primitive.bilinear:
        other = node.operands[1 - place]
        if np.ndim(other) == 0 and 1 - place not in dict(node.sources) and not operands_of(node).get(1 - place):
            return sentences.FACTOR_OF_MISSING.format(factor=f"{other:.6g}", primitive=called)
        factor = _operand(case, node, 1 - place)
        if factor is not None:
            return sentences.FACTOR_MISSING.format(factor=factor)
    return sentences.DERIVATIVE_MISSING.format(primitive=called)


def _operand(case: Case, node: Node, place: int) -> str | None:
    """What an operand is called: by the graph, by the code that computes with it, or by what made it."""
    x = dict(node.sources).get(place)
    if x is not None and x in case.names:
        return case.names[x]
    written = operands_of(node).get(place)
    return written or (f"{x.primitive.__name__}(...)" if x is not None else None)


def _unchanged(g: Array, *_: Any, **static_args: Any) -> Array:
    return g


class HeldConstant(OtherRule):
    """A value that depends on the parameters is taken for a constant: what comes through it is missing."""

    def alterations(self, case: Case) -> Altered:
        """See `OtherRule`."""
        for path, altered in _paths(case):
            yield sentences.CONTRIBUTION_MISSING.format(path=path), altered


def _paths(case: Case) -> Altered:
    """Each of the paths that lead back through the step, and the nodes that block it."""
    for node in case.step:
        for place, x in node.sources:
            if node.primitive.rules[place] is not None:
                rules = [None if k == place else node.primitive.rules[k] for k in range(len(node.operands))]
                path = case.called(node)
                if len(node.sources) > 1:
                    name = case.names.get(x) or operands_of(node).get(place)
                    path = f"operand {place} of {path}" + (f", {name}," if name else "")
                yield path, {node: with_rules(node, rules)}


class WrongContribution(Explanation):
    """Of several contributions one has the wrong sign, or a factor that it should not have."""

    walks = True

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if case.hand_derived.shape != case.expected.shape:
            return None
        for path, blocked in by_iterations(_paths(case)):
            others = case.again(blocked)
            part = case.expected - others
            size = float(np.sum(part * part))
            factor = float(np.sum(part * (case.hand_derived - others))) / size if size else 0.0
            plain = plainly(factor)
            if np.isclose(factor, -1, rtol=1e-6):
                words = sentences.CONTRIBUTION_SIGN.format(path=path)
            elif plain is not None:
                words = sentences.CONTRIBUTION_TIMES.format(path=path, factor=plain)
            else:
                continue
            if case.accounts(others + factor * part):
                return words
        return None


class OtherValue(OtherRule):
    """The backward pass through a product uses another value than was multiplied with."""

    def alterations(self, case: Case) -> Altered:
        """See `OtherRule`."""
        return itertools.islice(self._all(case), LOTS)

    def _all(self, case: Case) -> Altered:
        for node in case.step:
            if not node.primitive.bilinear:
                continue
            for place, _ in node.sources:
                right = np.asarray(node.operands[1 - place])
                for other, name in case.names.items():
                    x = np.asarray(other.value)
                    if x.ndim and x.shape == right.shape and not np.array_equal(x, right):
                        expected = _operand(case, node, 1 - place) or "the other operand"
                        words = sentences.OTHER_VALUE.format(primitive=case.called(node), used=name, expected=expected)
                        yield words, {node: with_operand(node, 1 - place, x)}


class KnownMistake(OtherRule):
    """A wrong rule that a primitive declares, such as that of a matrix product with an operand not transposed."""

    def alterations(self, case: Case) -> Altered:
        """See `OtherRule`."""
        for node in case.step:
            for mistake, rules in node.primitive.mistakes.items():
                mixed = [node.primitive.rules[place] for place in range(len(rules))]
                wrong = [k for k, rule in enumerate(rules) if rule is not None and _fits(node, k, rule)]
                for place in wrong:
                    mixed[place] = rules[place]
                if wrong:
                    words = sentences.KNOWN_MISTAKE.format(primitive=case.called(node), mistake=mistake)
                    yield words, {node: with_rules(node, mixed)}


def _fits(node: Node, place: int, rule: Rule) -> bool:
    """Whether a rule gives an array of the shape of an operand, so that its mistake is possible there."""
    try:
        given = rule(np.zeros_like(node.like), node.value, *node.operands, **node.static_args)
    except ValueError:  # of shapes that do not go together
        return False
    return bool(np.shape(given) == np.shape(node.operands[place]))
