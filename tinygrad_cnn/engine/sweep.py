"""The reverse sweep: cotangents carried from results back to what they were computed from, each node once.

Older nodes have smaller numbers, so the nodes from the newest to the oldest are an order in which every node has its
whole cotangent before it is asked to pass it on. That is all of reverse-mode differentiation; the mathematics stands in
the rules.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import (
    Array,
    Handle,
    Node,
    handle_on,
    recording,
    scope_of_rule,
    source_line,
)


def pull_back(
    seeds: dict[Node, Array], path: Sequence[Node], recorded: type[Handle] | None = None, keep: bool = False
) -> dict[Node, Array]:
    """The cotangents of the leaves of a path, from those of the results.

    seeds     the results, and their cotangents
    path      the nodes that the results are computed from, oldest first; a cotangent goes no further than these
    recorded  the kind of handle that rules are to be given for nodes, so that what they do is recorded; else arrays
    keep      return the cotangents of all nodes of the path, not of its leaves alone

    A node that no cotangent reaches is not in the answer; with `keep`, nor is a version of an array that was assigned
    to afterwards.

    Each contribution to a cotangent is an array of its own, but for two kinds of primitives, whose work would else grow
    with the square of the length of a loop. What picks from an array (`adding`) adds to the cotangent that is there
    already. What writes to a part of an array (`overwriting`) hands its own cotangent down, after it has written zeros
    to that part.
    """
    cotangents = dict(seeds)
    reached = set(path)
    own: set[Node] = set()  # whose cotangent is an array that this sweep alone holds, and may write to
    handed: set[Node] = set()  # whose cotangent was handed down from a node that has no more use for it
    mode = recording.get()
    watched = mode if mode is not True else None  # in debug mode
    for node in reversed(path):
        g = cotangents.get(node)
        sources = node.sources
        if g is None or not sources:
            continue
        primitive, operands, settings = node.primitive, node.operands, node.settings
        # The rules of what picks or writes go by shapes alone, and the value of a version may take a copy of it.
        out = node.like if primitive.in_part else node.value
        if recorded is not None:
            out, operands = handle_on(node, recorded), list(operands)
            for position, x in sources:
                operands[position] = handle_on(x, recorded)
        rules, passed_on = primitive.rules, False
        for position, x in reversed(sources):
            if x not in reached:
                continue
            passed_on, rule = True, rules[position]
            if rule is None:
                continue
            if position == 0 and primitive.in_part:
                if primitive.adding is not None:
                    total = cotangents.get(x)
                    if total is None:
                        total = np.zeros(x.like.shape, x.like.dtype)
                        own.add(x)
                    elif x not in own and not isinstance(total, Handle):
                        total = np.array(total)  # an array even where `total` is a number: it is written to
                        own.add(x)
                    cotangents[x] = primitive.adding(total, g, out, *operands, **settings)
                    continue
                if not isinstance(g, Handle):
                    if node in (handed if keep else own):
                        del cotangents[node]
                        passed_on = False
                    else:
                        g = np.array(g)
                    rule = primitive.overwriting
            if recorded is None:
                cotangent = rule(g, out, *operands, **settings)
            else:
                with scope_of_rule(node):
                    cotangent = rule(g, out, *operands, **settings)
            value = x.like
            try:
                fits = cotangent.shape == value.shape and cotangent.dtype is value.dtype
            except AttributeError:
                raise TypeError(
                    f"the rule of {primitive.__name__} for operand {position} gave {cotangent!r}, but a cotangent is "
                    f"an array of the operand's shape, {value.shape} ({source_line(node)})"
                ) from None
            if not fits:
                cotangent = fit(cotangent, value, node, position)
            total = cotangents.get(x)
            if total is None:
                cotangents[x] = cotangent
                if cotangent is g and primitive.in_part:
                    own.add(x)
                    handed.add(x)
            else:
                cotangents[x] = total + cotangent
                own.discard(x)
                handed.discard(x)
            if watched:
                watched.passed(node, position, g, cotangent)
        if passed_on and not keep:
            del cotangents[node]
    return cotangents


def fit(cotangent: Array, value: Array, node: Node, position: int) -> Array:
    """The cotangent of an operand with the shape and dtype of its value, or an error that names the rule at fault."""
    if cotangent.shape != value.shape:
        if not node.primitive.broadcasts:
            raise ValueError(
                f"the rule of {node.primitive.__name__} for operand {position} gave a cotangent of shape "
                f"{cotangent.shape}, but the operand has shape {value.shape} ({source_line(node)})"
            )
        cotangent = sum_to(cotangent, value.shape)
    if cotangent.dtype == value.dtype:
        return cotangent
    if cotangent.dtype.kind == "c" != value.dtype.kind:
        cotangent = np.real(cotangent)
    return cotangent.astype(value.dtype)


def sum_to(x: Array, shape: tuple[int, ...]) -> Array:
    """`x` summed over the axes along which an array of `shape` was stretched to become like it."""
    return np.add.reduce(x, axis=_stretched_axes(x.shape, shape)).reshape(shape)


@functools.lru_cache(maxsize=1024)
def _stretched_axes(to: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    added = len(to) - len(shape)
    return (*range(added), *[axis for axis, n in enumerate(shape, added) if n == 1 and to[axis] != 1])


def seed(node: Node, cotangent: Any = None) -> Array:
    """The cotangent to begin a sweep from `node` with: what was given, or one for a result of one element."""
    value = node.like
    if cotangent is None:
        if value.size != 1:
            raise ValueError(
                f"a gradient is that of one number, but this result has shape {value.shape}: "
                "reduce it, with np.sum or np.mean, or give the cotangent to begin with"
            )
        if value.dtype.kind == "c":
            raise TypeError(
                "a gradient is that of a real number, but this result is complex: take np.real or np.abs of it"
            )
        return np.ones(value.shape, value.dtype) if value.shape else value.dtype.type(1)
    given: Any = cotangent if isinstance(cotangent, Handle) else np.asarray(cotangent)
    if given.dtype.kind == "c" != value.dtype.kind:
        raise TypeError(f"the cotangent of a real result of {value.dtype} is real too, but was given {given.dtype}")
    cotangent = given if isinstance(given, Handle) else given.astype(value.dtype, copy=False)
    if np.shape(cotangent) != value.shape:
        raise ValueError(f"the cotangent has shape {np.shape(cotangent)}, but the result has shape {value.shape}")
    return cotangent
