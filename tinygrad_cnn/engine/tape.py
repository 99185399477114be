"""What `Tensor.backward` leaves on the nodes of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_cnn.engine.graph import Node, now
from tinygrad_cnn.recorded_steps import warn_of_recorded_step


def leave_cotangents(nodes: Sequence[Node], found: dict[Node, Any]) -> None:
    """Leave on each of `nodes`, oldest first, the cotangent that a sweep found, and when it first went through."""
    warn_of_recorded_step(nodes, stacklevel=3)
    at = now()
    for node in nodes:
        node.cotangent = found.get(node)
        if not hasattr(node, "swept"):
            node.swept = at
