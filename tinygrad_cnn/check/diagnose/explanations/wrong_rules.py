"""Mistakes that amount to another rule at a node: autodiff runs with that rule, and is compared again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.explanations.case import Case
from tinygrad_cnn.check.diagnose.explanations.search import Alteration, Explanation, OtherRule, by_iterations
from tinygrad_cnn.check.diagnose.explanations.wrong_values import FORMS, plainly
from tinygrad_cnn.check.diagnose.steps import with_operand, with_rules, with_static_args
from tinygrad_cnn.check.witnesses.branches import mask, meeting, meets
from tinygrad_cnn.declarations import Change, Kink
from tinygrad_cnn.engine.graph import Array, Node
from tinygrad_cnn.engine.mutation.versions import picks_once
from tinygrad_cnn.engine.primitive import Rule
from tinygrad_cnn.pictures.read.names import operands_of
from tinygrad_cnn.primitives import windows

Altered = Iterator[Alteration]
LOTS = 200  # of combinations of conventions, and of other values, that are tried


class MissingDerivative(OtherRule):
    """The derivative of an elementwise function is left out: a missing factor of the chain rule."""

    def alterations(self, case: Case) -> Altered:
        """See `OtherRule`."""
        for node in case.step:
            if not _maps_elements(node):
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
            if len(node.operands) != 1 or _is_a_sign(node, 0) or not _maps_elements(node):
                continue
            result, operand = case.names.get(node, "out"), _operand(case, node, 0) or "x"
            for form, made in FORMS.items():
                for name, of_result in ((result, True), (operand, False)):
                    words = sentences.OTHER_DERIVATIVE.format(primitive=case.called(node), derivative=form.format(name))
                    yield words, {node: with_rules(node, [_times(made, of_result)])}


def _times(made: Any, of_result: bool) -> Any:
    return lambda g, out, x, **_: g * made(out if of_result else x)


def _maps_elements(node: Node) -> bool:
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


class TiesInFull(OtherRule):
    """Every element that ties for a maximum gets the whole cotangent instead of a share."""

    def alterations(self, case: Case) -> Altered:
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
    return isinstance(change, Mapping) and change.items() <= _static_arguments(node).items()


def _static_arguments(node: Node) -> dict[str, Any]:
    """The static arguments that a node was given, and the defaults of the others."""
    return {**node.primitive.defaults, **node.static_args}


class OtherSideOfKink(OtherRule):
    """At a kink or a tie, another convention: >= instead of >, or all to one of those that tie."""

    def alterations(self, case: Case) -> Altered:
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


class AssignedNotAdded(OtherRule):
    """Where windows, indices or iterations contribute to one element, the last is assigned instead of added."""

    def alterations(self, case: Case) -> Altered:
        """See `OtherRule`."""
        for node in case.step:
            yield from self._within(case, node)
            if _adds(node):
                yield from self._along_an_axis(case, node)
        yield from self._in_a_loop(case)

    def _within(self, case: Case, node: Node) -> Altered:
        """By one node that adds up windows or picked elements."""
        rule: Any = None
        if node.primitive.adding is not None and not picks_once(node.static_args["index"]):
            rule = _assigned_places
        elif node.primitive.windowed and not _lie_apart(node):
            rule = _assigned_columns if node.primitive.moves else _assigned_windows(node)
        if rule is not None:
            yield sentences.OVERWRITTEN.format(primitive=case.called(node)), {node: with_rules(node, [rule])}

    def _along_an_axis(self, case: Case, node: Node) -> Altered:
        """By one node that adds up along an axis."""
        for axis, n in enumerate(node.like.shape):
            for which, place in (("last", n - 1), ("first", 0)):
                only = [_only(node.primitive.rules[k], axis, place) for k in range(len(node.operands))]
                words = sentences.ONE_PLACE.format(primitive=case.called(node), which=which, axis=axis)
                yield words, {node: with_rules(node, only)}

    def _in_a_loop(self, case: Case) -> Altered:
        """By the nodes of one line, which all have the same source."""
        of_line: dict[Any, list[Node]] = {}
        for node in case.step:
            of_line.setdefault((node.source, node.primitive), []).append(node)
        for nodes in of_line.values():
            shared = set.intersection(*[{x for _, x in node.sources} for node in nodes])
            if len(nodes) < 2 or not shared:
                continue
            primitive = nodes[0].primitive.__name__
            for which, kept in (("last", nodes[0]), ("first", nodes[-1])):
                words = sentences.ONE_ITERATION.format(primitive=primitive, n=len(nodes), which=which)
                yield words, {node: _closed(node, shared) for node in nodes if node is not kept}


def _closed(node: Node, to: set[Node]) -> Node:
    """The node without the rules that lead to some of its sources."""
    rules = [node.primitive.rules[place] for place in range(len(node.operands))]
    for place, x in node.sources:
        if x in to:
            rules[place] = None
    return with_rules(node, rules)


def _adds(node: Node) -> bool:
    """Whether the rules of a node add up elements of its cotangent: of a product of matrices, or of a broadcast."""
    broadcast = _maps_elements(node) and any(x.like.shape != node.like.shape for _, x in node.sources)
    return broadcast or (node.primitive.bilinear and not node.primitive.elementwise)


def _only(rule: Any, axis: int, place: int) -> Any:
    """A rule that lets but one place along an axis of the cotangent pass."""
    if rule is None:
        return None

    def only(g: Array, *given: Any, **static_args: Any) -> Array:
        kept = np.zeros_like(g)
        here = (slice(None),) * axis + (place,)
        kept[here] = g[here]
        return np.asarray(rule(kept, *given, **static_args))

    return only


def _assigned_columns(g: Array, out: Array, x: Array, window: Any, stride: Any = 1) -> Array:
    at = windows.layout(x.shape, window, stride)
    parts, image = g.reshape(at.windows), np.zeros(x.shape, g.dtype)
    for (u, v), place in reversed(at.offsets):  # so that of the windows on an element the last one wins
        image[place] = parts[..., u, v, :, :]
    return image


def _assigned_places(g: Array, out: Array, x: Array, index: Any) -> Array:
    image = np.zeros(x.shape, g.dtype)
    image[index] = g
    return image


def _assigned_windows(node: Node) -> Any:
    def rule(g: Array, out: Array, x: Array, window: Any, stride: Any = None, **ties: Any) -> Array:
        at = windows.layout(x.shape, window, stride)
        (kh, kw), (sh, sw) = at.windows[-4:-2], at.stride
        image = np.zeros(x.shape, g.dtype)
        for i, j in np.ndindex(g.shape[-2:]):  # one window at a time, as a loop that somebody writes does it
            alone = np.zeros(g.shape, g.dtype)
            alone[..., i, j] = g[..., i, j]
            here = (..., slice(i * sh, i * sh + kh), slice(j * sw, j * sw + kw))
            image[here] = node.primitive.rules[0](alone, out, x, window=window, stride=stride, **ties)[here]
        return image

    return rule


def _lie_apart(node: Node) -> bool:
    """Whether no two windows of a node overlap, so that in no element any meet."""
    given = _static_arguments(node)
    return windows.layout(node.operands[0].shape, given["window"], given["stride"]).apart
