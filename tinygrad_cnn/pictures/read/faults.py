"""Where a fault arises: the first NaN is what to look at, and those that are computed from it are not."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Node
from tinygrad_cnn.pictures.read.cotangents import Sweep
from tinygrad_cnn.pictures.read.reading import Reading
from tinygrad_cnn.pictures.view.diagram import Diagram
from tinygrad_cnn.pictures.view.values import HUGE

NOTHING: frozenset[str] = frozenset()


def put(diagram: Diagram, reading: Reading, back: Sweep | None) -> None:
    """Set `Box.inherited` where each fault of a value is one of those that the value was computed from."""
    found = {node: faults(node.value) for node in reading.nodes}
    fresh = {reading.ids[node] for node in reading.nodes if found[node] - _of_operands(node, found)}
    if back is not None:
        cotangents = diagram.cotangents()
        fresh |= {cotangents[id] for id in _fresh_cotangents(reading, back, found) if id in cotangents}
    for id, box in diagram.boxes.items():
        if box.value is not None and box.value.wrong and box.kind in ("primitive", "cotangent"):
            box.inherited = id not in fresh


def arises(node: Node) -> bool:
    """Whether a node has a fault that nothing has that it was computed from."""
    found = {x: faults(x.value) for _, x in node.sources}
    return bool(faults(node.value) - _of_operands(node, found))


def faults(array: Any) -> frozenset[str]:
    """What is wrong with an array."""
    x = np.asarray(array)
    if array is None or not x.size or x.dtype.kind not in "fc":
        return NOTHING
    with np.errstate(all="ignore"):
        largest = np.abs(x).max()  # NaN if there is one
    if largest <= HUGE:
        return NOTHING if largest or x.size == 1 else frozenset(["zero"])
    found = []
    if np.isnan(largest):
        found.append("NaN")
    if np.isinf(x).any():
        found.append("Inf")
    if (np.abs(x[np.isfinite(x)]) > HUGE).any():
        found.append("exploding")
    return frozenset(found)


def _of_operands(node: Node, found: dict[Node, frozenset[str]]) -> frozenset[str]:
    sources = dict(node.sources)
    return NOTHING.union(
        *(
            found.get(sources[position], NOTHING) if position in sources else _of_constant(x)
            for position, x in enumerate(node.operands)
        )
    )


def _of_constant(x: Any) -> frozenset[str]:
    return faults(x) if isinstance(x, np.ndarray) else NOTHING


def _fresh_cotangents(reading: Reading, back: Sweep, found: dict[Node, frozenset[str]]) -> set[str]:
    """The boxes whose cotangent has a fault that neither the values nor the cotangents it was computed from have."""
    known: dict[Node, frozenset[str]] = {}
    given: dict[Node, frozenset[str]] = {}
    fresh = set()
    for node in reversed(reading.nodes):
        if node not in back.values:
            continue
        known[node] = faults(back.values[node])
        if known[node] - given.get(node, NOTHING) - found[node]:
            fresh.add(reading.ids[node])
        passed = known[node] | _of_operands(node, found) | found[node]
        for _, x in node.sources:
            given[x] = given.get(x, NOTHING) | passed
    return fresh
