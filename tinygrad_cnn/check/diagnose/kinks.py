"""Where a loss is not smooth at the point that is checked."""

from __future__ import annotations

import numpy as np

from tinygrad_cnn.check.deadline import until
from tinygrad_cnn.check.diagnose.evidence import Evidence
from tinygrad_cnn.check.results import KinkFound
from tinygrad_cnn.check.witnesses.branches import mask, meeting
from tinygrad_cnn.check.witnesses.hand_derived import listed
from tinygrad_cnn.check.witnesses.trace import Trace
from tinygrad_cnn.engine.graph import Array, Node, source_line


def kinks(evidence: Evidence) -> list[KinkFound]:
    """The kinks, by primitive and line."""
    found, beside = dict[tuple[str, str], list[Node]](), list[Trace]()
    for place, node in enumerate(evidence.autodiff.run.nodes):
        if not meeting(node):
            continue
        by = mask(node)
        if by is not None:  # a mask that does not depend on the parameters, as that of dropout, makes no kink
            with until(evidence.deadline):
                beside = beside or evidence.subject.beside()
            if beside and all(_has_mask(run, place, node, by) for run in beside):
                continue
        found.setdefault((node.primitive.__name__, source_line(node)), []).append(node)
    return [_kink(evidence, primitive, line, nodes) for (primitive, line), nodes in found.items()]


def _kink(evidence: Evidence, primitive: str, line: str, nodes: list[Node]) -> KinkFound:
    names = listed(evidence.names[node] for node in nodes if node in evidence.names)
    return KinkFound(names, primitive, line, sum(meeting(node) for node in nodes))


def _has_mask(run: Trace, place: int, node: Node, by: Array) -> bool:
    """Whether the counterpart of `node` in another run has the same mask."""
    if place >= len(run.nodes) or run.nodes[place].primitive is not node.primitive:
        return False
    there = mask(run.nodes[place])
    return there is not None and bool(np.array_equal(by, there))
