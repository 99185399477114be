"""Cotangents of one element that are assigned where they should be added: windows, indices, loops, broadcasts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.explanations.case import Case
from tinygrad_cnn.check.diagnose.explanations.search import Alteration, OtherRule
from tinygrad_cnn.check.diagnose.explanations.wrong_rules import maps_elements
from tinygrad_cnn.check.diagnose.steps import static_arguments, with_rules
from tinygrad_cnn.engine.graph import Array, Node
from tinygrad_cnn.engine.mutation.versions import picks_once
from tinygrad_cnn.primitives import windows


class AssignedNotAdded(OtherRule):
    """Where windows, indices or iterations contribute to one element, the last is assigned instead of added."""

    def alterations(self, case: Case) -> Iterator[Alteration]:
        """See `OtherRule`."""
        for node in case.step:
            yield from self._within(case, node)
            if _adds(node):
                yield from self._along_an_axis(case, node)
        yield from self._in_a_loop(case)

    def _within(self, case: Case, node: Node) -> Iterator[Alteration]:
        """By one node that adds up windows or picked elements."""
        rule: Any = None
        if node.primitive.adding is not None and not picks_once(node.static_args["index"]):
            rule = _assigned_places
        elif node.primitive.windowed and not _are_disjoint(node):
            rule = _assigned_columns if node.primitive.moves else _assigned_windows(node)
        if rule is not None:
            yield sentences.OVERWRITTEN.format(primitive=case.called(node)), {node: with_rules(node, [rule])}

    def _along_an_axis(self, case: Case, node: Node) -> Iterator[Alteration]:
        """By one node that adds up along an axis."""
        for axis, n in enumerate(node.like.shape):
            for which, place in (("last", n - 1), ("first", 0)):
                only = [_only(node.primitive.rules[k], axis, place) for k in range(len(node.operands))]
                words = sentences.ONE_PLACE.format(primitive=case.called(node), which=which, axis=axis)
                yield words, {node: with_rules(node, only)}

    def _in_a_loop(self, case: Case) -> Iterator[Alteration]:
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
    broadcast = maps_elements(node) and any(x.like.shape != node.like.shape for _, x in node.sources)
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


def _are_disjoint(node: Node) -> bool:
    """Whether no two windows of a node overlap, so that in no element any meet."""
    given = static_arguments(node)
    return windows.layout(node.operands[0].shape, given["window"], given["stride"]).disjoint
