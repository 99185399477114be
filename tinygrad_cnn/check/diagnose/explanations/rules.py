"""Mistakes that amount to another rule at a node: autodiff runs with that rule, and is held against the hand anew."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.explanations.case import Case, Explanation, OtherRule, count, in_turns
from tinygrad_cnn.check.diagnose.explanations.values import FORMS, plainly
from tinygrad_cnn.check.diagnose.steps import with_operand, with_rules, with_static_args
from tinygrad_cnn.check.witnesses.branches import mask, meeting, meets
from tinygrad_cnn.declarations import Change, Kink
from tinygrad_cnn.engine.graph import Array, Node
from tinygrad_cnn.engine.mutation.versions import picks_once
from tinygrad_cnn.engine.primitive import Rule
from tinygrad_cnn.pictures.read.names import operands_of
from tinygrad_cnn.primitives import windows

Altered = Iterator[tuple[str, dict[Node, Node]]]

# What becomes of the cotangent where two ways meet.
_WHOLE = "the cotangent is passed on: >= for >"
_NOTHING = "the cotangent is not passed on: > for >="
_HALF = "half of the cotangent is passed on"
_OTHER = "the cotangent goes the other way"
LOTS = 200  # of conventions that are tried


class LeftOut(OtherRule):
    """The derivative of a function of each element is left out: a missing factor of the chain rule."""

    def alterations(self, case: Case) -> Altered:
        """See `OtherRule`."""
        for node in case.step:
            if not _is_of_each_element(node):
                continue
            for place, _ in node.sources:
                if node.primitive.rules[place] is None or _is_a_sign(node, place):
                    continue
                rules = [rule if k != place else _unchanged for k, rule in enumerate(node.primitive.rules)]
                yield f"the factor {_factor(case, node, place)} is missing", {node: with_rules(node, rules)}


class OtherDerivative(OtherRule):
    """A function of each element has a derivative that is not its own: 1 - h where it is 1 - h^2, as of tanh."""

    def alterations(self, case: Case) -> Altered:
        """See `OtherRule`."""
        for node in case.step:
            if len(node.operands) != 1 or _is_a_sign(node, 0) or not _is_of_each_element(node):
                continue
            result, operand = case.names.get(node, "out"), _operand(case, node, 0) or "x"
            for form, made in FORMS.items():
                for name, of_result in ((result, True), (operand, False)):
                    words = (
                        f"in the way back through {case.called(node)} {form.format(name)} is taken for the derivative"
                    )
                    yield words, {node: with_rules(node, [_times(made, of_result)])}


def _times(made: Any, of_result: bool) -> Any:
    return lambda g, out, x, **_: g * made(out if of_result else x)


def _is_of_each_element(node: Node) -> bool:
    """Whether a node computes each element of its result from one of each operand, so that its rules are factors."""
    if not node.primitive.elementwise:
        return False
    return bool(np.broadcast_shapes(*[np.shape(x) for x in node.operands]) == node.like.shape)


def _is_a_sign(node: Node, place: int) -> bool:
    """Whether the derivative by an operand is declared to be 1 or -1."""
    return bool(node.primitive.factors) and node.primitive.factors[place] in ("1", "-1")


def _factor(case: Case, node: Node, place: int) -> str:
    """The derivative of a node by an operand, in words."""
    if node.primitive.factors:
        return f"of {case.called(node)}, {node.primitive.factors[place]},"
    if node.primitive.bilinear:
        other = node.operands[1 - place]
        if np.ndim(other) == 0 and 1 - place not in dict(node.sources) and not operands_of(node).get(1 - place):
            return f"{other:.6g} of {case.called(node)}"
        return _operand(case, node, 1 - place) or f"of {case.called(node)}"
    return f"of {case.called(node)}, its derivative,"


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
        for through, altered in _ways_back(case):
            yield f"the contribution through {through} is missing: it is held constant", altered


def _ways_back(case: Case) -> Altered:
    """Each of the ways that lead back through the step, and the nodes that close it."""
    for node in case.step:
        for place, x in node.sources:
            if node.primitive.rules[place] is not None:
                rules = [None if k == place else node.primitive.rules[k] for k in range(len(node.operands))]
                through = case.called(node)
                if len(node.sources) > 1:
                    said = case.names.get(x) or operands_of(node).get(place)
                    through = f"operand {place} of {through}" + (f", {said}," if said else "")
                yield through, {node: with_rules(node, rules)}


class InPart(Explanation):
    """Of several contributions one has the wrong sign, or a factor that it should not have."""

    walks = True

    def explain(self, case: Case) -> str | None:
        """See `Explanation`."""
        if case.hand.shape != case.right.shape:
            return None
        for through, closed in in_turns(_ways_back(case)):
            others = case.again(closed)
            part = case.right - others
            size = float(np.sum(part * part))
            factor = float(np.sum(part * (case.hand - others))) / size if size else 0.0
            words = "-1" if np.isclose(factor, -1, rtol=1e-6) else plainly(factor)
            if words is not None and case.accounts(others + factor * part):
                wrong = "has the wrong sign" if words == "-1" else f"is {words} times what it should be"
                return f"the contribution through {through} {wrong}"
        return None


class OtherValue(OtherRule):
    """In the way back through a product another value is used than was multiplied with."""

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
                        meant = _operand(case, node, 1 - place) or "the other operand"
                        words = f"in the way back through {case.called(node)} {name} is used, where {meant} should be"
                        yield words, {node: with_operand(node, 1 - place, x)}


class KnownMistake(OtherRule):
    """A wrong rule that a primitive declares, such as that of a matrix product with an operand not transposed."""

    def alterations(self, case: Case) -> Altered:
        """See `OtherRule`."""
        for node in case.step:
            for mistake, rules in node.primitive.mistakes.items():
                wrong = {
                    place: rule for place, rule in enumerate(rules) if rule is not None and _fits(node, place, rule)
                }
                if wrong:
                    mixed = [wrong.get(place, node.primitive.rules[place]) for place in range(len(rules))]
                    yield f"in the way back through {case.called(node)} {mistake}", {node: with_rules(node, mixed)}


def _fits(node: Node, place: int, rule: Rule) -> bool:
    """Whether a rule gives an array of the shape of an operand, so that its mistake is possible there."""
    try:
        given = rule(np.zeros_like(node.like), node.value, *node.operands, **node.static_args)
    except ValueError:  # of shapes that do not go together
        return False
    return bool(np.shape(given) == np.shape(node.operands[place]))


class TiesInFull(OtherRule):
    """Every element that ties for a maximum gets the whole cotangent, instead of a share."""

    def alterations(self, case: Case) -> Altered:
        """See `OtherRule`."""
        altered, tied = {}, {"window": 0, "element": 0}
        for node in case.step:
            change = None if node.primitive.kink is None else node.primitive.kink.ties_in_full
            if change is not None and not _is_its_own(node, change):
                altered[node] = _changed(node, change)
                tied["element" if node.primitive.elementwise else "window"] += meeting(node)
        counts = [count(n, of) for of, n in tied.items() if n]
        if counts:
            said = "ties are counted in full: each of the elements that tie gets the whole cotangent, in "
            yield said + " and ".join(counts), altered


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
    """At a kink or a tie, another convention: >= for >, or all to one of those that tie."""

    def alterations(self, case: Case) -> Altered:
        """See `OtherRule`. Whoever takes a convention mostly takes it everywhere; so all nodes together come first."""
        ways = [(node, _ways(case, node)) for node in case.step if meeting(node)]
        alike: dict[tuple[Any, str], list[Node]] = {}
        for node, others in ways:
            for said in others:
                alike.setdefault((node.primitive, said), []).append(node)
        together = [(nodes, said) for (_, said), nodes in alike.items()]
        single = [([node], said) for node, others in ways for said in others]
        lots = [lot for lot in together if len(lot[0]) > 1] + single
        for size in (1, 2):
            for chosen in itertools.islice(itertools.combinations(lots, size), LOTS):
                nodes = [node for lot, _ in chosen for node in lot]
                if len(set(nodes)) == len(nodes):
                    altered = {node: dict(ways)[node][said] for lot, said in chosen for node in lot}
                    yield "; and ".join(f"{_where_they_meet(case, lot)}, and {said}" for lot, said in chosen), altered


def _where_they_meet(case: Case, nodes: list[Node]) -> str:
    """Of nodes with the same primitive: "two ways meet at 3 elements of maximum (relu)"."""
    called = case.called(nodes[0]) if len(nodes) == 1 else str(nodes[0].primitive.__name__)
    elements = sum(map(meeting, nodes))
    if not nodes[0].primitive.elementwise:
        return f"elements tie in {count(elements, 'window')} of {called}"
    return f"two ways meet at {count(elements, 'element')} of {called}"


def _ways(case: Case, node: Node) -> dict[str, Node]:
    """The conventions that may be taken at the kinks of a node, other than autodiff's own."""
    here = [place for place, _ in node.sources]
    kink: Kink | None = node.primitive.kink
    by = mask(node)
    if by is not None:
        place = 1 - here[0] if kink is None or kink.mask is None else kink.mask
        otherwise = with_operand(node, place, np.logical_xor(by, meets(node)))
        return {_said(node, here): otherwise, _HALF: with_rules(node, [_mean(node, otherwise, k) for k in range(3)])}
    ways: dict[str, Node] = {}
    for said, change in kink.conventions.items() if kink is not None else ():
        if not _is_its_own(node, change):
            other = _changed(node, change)
            if len(node.operands) > len(here) == 1:  # the other operand is a constant
                said = _WHOLE if _passed(other, here[0]).any() else _NOTHING
            ways[said] = other
    return ways


def _mean(one: Node, other: Node, place: int) -> Any:
    """A rule that takes either of two ways by half; None for an operand that has no rule."""
    if place >= len(one.operands) or one.primitive.rules[place] is None:
        return None
    rule = one.primitive.rules[place]

    def mean(g: Array, out: Array, *operands: Any) -> Array:
        return np.asarray((rule(g, out, *one.operands) + rule(g, out, *other.operands)) / 2)

    return mean


def _said(node: Node, here: list[int]) -> str:
    """What becomes of a cotangent at the kinks of a node with a mask, if it goes the other way than it does."""
    if len(here) > 1:
        return _OTHER
    passed = _passed(node, here[0])
    return _OTHER if passed.any() and not passed.all() else _NOTHING if passed.any() else _WHOLE


def _passed(node: Node, place: int) -> Array:
    """What becomes of a cotangent of ones where two ways meet at a node."""
    ones = np.ones(np.shape(node.value))
    return np.broadcast_to(node.primitive.rules[place](ones, node.value, *node.operands), ones.shape)[meets(node)]


class Assigned(OtherRule):
    """Where windows, indices or turns of a loop meet in one element, the last is assigned instead of added."""

    def alterations(self, case: Case) -> Altered:
        """See `OtherRule`."""
        for node in case.step:
            yield from self._where_they_meet(case, node)
            if _adds(node):
                yield from self._in_a_loop(case, node)
        yield from self._in_turns(case)

    def _where_they_meet(self, case: Case, node: Node) -> Altered:
        rule: Any = None
        if node.primitive.adding is not None and not picks_once(node.static_args["index"]):
            rule = _assigned_places
        elif node.primitive.windowed and not _lie_apart(node):
            rule = _assigned_columns if node.primitive.moves else _assigned_windows(node)
        if rule is not None:
            at = f"in the rule of {case.called(node)} cotangents that meet in one element are assigned"
            yield f"{at}, the last over the others, where they should be added", {node: with_rules(node, [rule])}

    def _in_turns(self, case: Case) -> Altered:
        turns: dict[Any, list[Node]] = {}
        for node in case.step:
            turns.setdefault((node.source, node.primitive), []).append(node)
        for nodes in turns.values():
            shared = set.intersection(*[{x for _, x in node.sources} for node in nodes])
            if len(nodes) < 2 or not shared:
                continue
            for which, kept in (("last", nodes[0]), ("first", nodes[-1])):
                words = f"of what comes back through {nodes[0].primitive.__name__} in {len(nodes)} turns of a loop only"
                yield (
                    f"{words} that of the {which} turn counts: it is assigned, where all should be added up",
                    {node: _closed(node, shared) for node in nodes if node is not kept},
                )

    def _in_a_loop(self, case: Case, node: Node) -> Altered:
        for axis, n in enumerate(node.like.shape):
            for which, place in (("last", n - 1), ("first", 0)):
                only = [_only(node.primitive.rules[k], axis, place) for k in range(len(node.operands))]
                words = f"of what comes back through {case.called(node)} only the {which} along axis {axis} counts"
                yield f"{words}: it is assigned, where all should be added up", {node: with_rules(node, only)}


def _closed(node: Node, to: set[Node]) -> Node:
    """The node without the rules that lead to some of its sources."""
    rules = [node.primitive.rules[place] for place in range(len(node.operands))]
    for place, x in node.sources:
        if x in to:
            rules[place] = None
    return with_rules(node, rules)


def _adds(node: Node) -> bool:
    """Whether the rules of a node add up elements of its cotangent: of a product of matrices, or of a broadcast."""
    broadcast = _is_of_each_element(node) and any(x.like.shape != node.like.shape for _, x in node.sources)
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
        for i, j in np.ndindex(g.shape[-2:]):  # a window at a time, as loops by hand do it
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
