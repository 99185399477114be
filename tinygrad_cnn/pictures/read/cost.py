"""What a step costs: the time of its function and of its rules, floating-point operations, and bytes moved.

Floating-point operations are what a primitive declares (`Primitive.defflops`), by one convention:

    elementwise functions (exp, add, relu, where, ...)           1 for each element of the result, however hard it is
    matmul                                                       2 for each product: a multiplication and an addition
    sum, mean, prod, max, min, cumsum, cumprod                   1 for each element of the operand
    max_pool2d, avg_pool2d                                       1 for each element of each window
    col2im, index_add, scatter                                   1 for each element that is added
    what only moves elements (reshape, pad, im2col, ...)         0
    all else (einsum, decompositions, Fourier transforms)        unknown, as long as it is not declared

Bytes are those of the operands, which are read, and of the result, which is written.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from tinygrad_cnn.engine.fitting import fit
from tinygrad_cnn.engine.graph import Node, no_grad
from tinygrad_cnn.pictures.read.cotangents import Sweep
from tinygrad_cnn.pictures.read.reading import Reading, values
from tinygrad_cnn.pictures.view.diagram import Cost, Diagram, Edge

LEAST = 2e-4  # seconds that a step is timed for, at least
TIMES = 5  # how often, at least; the quickest counts, for whatever else the machine does only makes it slower


def put(diagram: Diagram, reading: Reading, back: Sweep) -> None:
    """Measure the first node of each box, and set the costs of boxes and groups, times the number of nodes.

    What a step's rules cost is counted at the step, and shown at each cotangent for the rules that computed it.
    """
    for id in reading.members:
        node, box = reading.first(id), diagram.boxes[id]
        if node.primitive is not None:
            box.cost = times(measured(node, back.values), box.count)
    spent: dict[str, float] = {}
    for edge in diagram.edges:
        if edge.flow in ("backward", "earlier") and edge.detail is None:
            giver = diagram.boxes[edge.tail]
            giving = _giving(edge, diagram, reading, back)
            if giving is not None:
                seconds = of_rule(giving, edge.position, back.values)
                spent[edge.head] = spent.get(edge.head, 0.0) + seconds * giver.count
    for id, seconds in spent.items():
        g = diagram.boxes[id]
        g.cost = Cost(0.0, seconds, None, float(g.bytes * g.count))
    parts: dict[str, list[Cost]] = {id: [] for id in diagram.groups}
    for box in diagram.boxes.values():
        if box.cost is not None and box.kind == "primitive":
            for group in diagram.ancestors(box.group):
                parts[group.id].append(box.cost)
    for group in diagram.groups.values():
        if parts[group.id]:
            group.cost = total(parts[group.id])


def _giving(edge: Edge, diagram: Diagram, reading: Reading, back: Sweep) -> Node | None:
    """The first node whose rule gives what flows along an edge to a cotangent.

    Not always the first node: the first iteration may take a constant where the others take what the last computed.
    """
    giver, taker = diagram.boxes[edge.tail].of, diagram.boxes[edge.head].of
    assert giver is not None  # both are cotangents
    return next(
        (
            node
            for node in reading.members[giver]
            if node in back.values and any(at == edge.position and reading.ids[x] == taker for at, x in node.sources)
        ),
        None,
    )


def times(cost: Cost, count: int) -> Cost:
    """What `count` of a step cost."""
    flops = None if cost.flops is None else cost.flops * count
    return Cost(cost.forward * count, cost.backward * count, flops, cost.bytes * count)


def measured(node: Node, cotangents: Mapping[Node, Any]) -> Cost:
    """What `node` costs: its function and all of its rules, each run anew on the values of the graph."""
    operands = values(node)
    moved = sum(np.asarray(x).nbytes for x in operands) + node.like.nbytes
    with no_grad(), np.errstate(all="ignore"):
        forward = _seconds(lambda: node.primitive.forward(*operands, **node.static_args))
    backward = sum(of_rule(node, position, cotangents) for position, _ in node.sources)
    return Cost(forward, backward, flops(node), float(moved))


def of_rule(node: Node, position: int, cotangents: Mapping[Node, Any]) -> float:
    """The seconds that the rule of `node` for one operand takes; 0 if no cotangent goes there."""
    g, x, rule = cotangents.get(node), dict(node.sources)[position], node.primitive.rules[position]
    if g is None or rule is None or x not in cotangents:
        return 0.0
    operands, out, like = values(node), node.value, x.like

    def run() -> None:
        given = rule(g, out, *operands, **node.static_args)
        if given.shape != like.shape or given.dtype != like.dtype:
            fit(given, like, node, position)

    with no_grad(), np.errstate(all="ignore"):
        return _seconds(run)


def _seconds(run: Callable[[], Any]) -> float:
    """How long `run` takes, at best."""
    best, spent, times = math.inf, 0.0, 0
    while times < TIMES or spent < LEAST:
        began = time.perf_counter()
        run()
        took = time.perf_counter() - began
        best, spent, times = min(best, took), spent + took, times + 1
    return best


def flops(node: Node) -> float | None:
    """The floating-point operations of `node`'s function; None if its primitive declares none."""
    count = node.primitive.flops
    return None if count is None else float(count(node.like, *node.operands, **node.static_args))


def total(parts: Iterable[Cost]) -> Cost:
    """The sum of costs; operations that are unknown are left out, and the sum is then a lower bound."""
    parts = list(parts)
    known = [part.flops for part in parts if part.flops is not None]
    return Cost(
        sum(part.forward for part in parts),
        sum(part.backward for part in parts),
        sum(known) if known else None,
        sum(part.bytes for part in parts),
    )
