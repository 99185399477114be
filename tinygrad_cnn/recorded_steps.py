"""Whether a graph goes through a training step, W = W - rate * W.grad, that should have been taken in `no_grad`.

Such a step makes a graph that contains all graphs before it: the thousandth backward sweep goes through a thousand
steps. It is recognised by its direction, on the nodes that `Tensor.backward` goes through.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.advice.arguments import recorded_step
from tinygrad_cnn.sources import line_of

Node = Any  # one of `engine/graph.py`, which is a layer above

_UPDATES = frozenset(["add", "subtract"])


def warn_of_recorded_step(nodes: Sequence[Node], stacklevel: int) -> None:
    """Warn if there is a recorded step among `nodes`, oldest first. stacklevel: as of a warning by the caller."""
    update = _recorded_update(nodes)
    if update is not None:
        warnings.warn(recorded_step(line_of(update.source), update.name or "W"), stacklevel=stacklevel + 1)


def _recorded_update(nodes: Sequence[Node]) -> Node | None:
    """The node of a step x + c or x - c that was taken after a sweep through x, and took it in the direction of x.grad.

    The direction of another vector, as with momentum, is recognised at the second such step on top of the first. So is
    that of a single number, which always has the direction of another.
    """
    updated: set[Node] = set()
    for node in nodes:
        made_by = node.primitive and node.primitive.__name__
        if made_by == "copy" and node.sources[0][1] in updated:  # x -= c of an array without axes ends in a copy
            updated.add(node)
        if made_by not in _UPDATES or len(node.sources) != 1:
            continue
        ((position, x),) = node.sources
        step = node.operands[1 - position]
        is_array = isinstance(step, np.ndarray | np.generic) and step.shape == x.like.shape  # as a gradient of x is
        if is_array and getattr(x, "swept", node.order) < node.order:
            if x in updated or _is_multiple(step, x.cotangent):
                return node
            updated.add(node)
    return None


def _is_multiple(x: Any, of: Any) -> bool:
    """Whether the array `x` is `of`, an array or None, times a number, to rounding."""
    if of is None or x.size < 2:
        return False
    square = np.sum(of * of)
    if not 0 < square < np.inf:
        return False
    factor = np.sum(x * of) / square
    rounding = 8 * np.finfo(np.result_type(x, of)).eps
    return bool(factor and np.max(np.abs(x - factor * of)) <= rounding * np.max(np.abs(x)))
