"""Cotangents of one element that are assigned where they should be added: of windows, and of what an index picks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.diagnose.explanations.case import Case
from tinygrad_cnn.check.diagnose.explanations.search import Alteration, OtherRule
from tinygrad_cnn.check.diagnose.steps import static_arguments, with_rules
from tinygrad_cnn.engine.graph import Array, Node
from tinygrad_cnn.engine.mutation.versions import picks_once
from tinygrad_cnn.primitives import windows


class AssignedNotAdded(OtherRule):
    """Where windows or indices contribute to one element, the last is assigned instead of added."""

    def alterations(self, case: Case) -> Iterator[Alteration]:
        """See `OtherRule`."""
        for node in case.step:
            rule: Any = None
            if node.primitive.adding is not None and not picks_once(node.static_args["index"]):
                rule = _assigned_places
            elif node.primitive.windowed and not _are_disjoint(node):
                rule = _assigned_columns if node.primitive.moves else _assigned_windows(node)
            if rule is not None:
                yield sentences.OVERWRITTEN.format(primitive=case.called(node)), {node: with_rules(node, [rule])}


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
