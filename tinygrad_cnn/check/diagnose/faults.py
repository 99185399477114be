"""Why autodiff and numbers contradict each other: a rule that is wrong, or a value cut off from its history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.explanations.case import count
from tinygrad_cnn.check.diagnose.steps import largest
from tinygrad_cnn.check.report.sentences import short
from tinygrad_cnn.check.witnesses.branches import meeting
from tinygrad_cnn.check.witnesses.rule_check import rule_slope
from tinygrad_cnn.check.witnesses.trace import Trace, trace
from tinygrad_cnn.engine import tree
from tinygrad_cnn.engine.graph import Array, Node, source_line


def faults(loss: Callable[[Any], Any], form: tree.Flat, leaves: Sequence[Array], run: Trace) -> list[str]:
    """What is wrong with the graph of `run`, a sentence each."""
    found = _no_subgradients(run) + _not_finite(run) + _cut_off(loss, form, leaves, run) + _wrong_rules(run)
    return found or _conventions(run)


def _not_finite(run: Trace) -> list[str]:
    """The rule that makes the first NaN or Inf, as of what a mask left out: it gets a 0, and multiplies by a NaN."""
    cotangents = run.cotangents()
    for node in reversed(run.computed()):
        g = cotangents.get(node)
        if g is None or not np.all(np.isfinite(g)):
            continue
        for place, x in node.sources:
            rule = node.primitive.rules[place]
            made = cotangents.get(x)
            if rule is None or made is None or np.all(np.isfinite(made)):
                continue
            with np.errstate(all="ignore"):
                bad = np.asarray(rule(g, node.value, *node.operands, **node.static_args))
            bad = bad[~np.isfinite(bad)]
            if bad.size:
                return [
                    f"On the way back {_called(node)} makes the first {bad[0]}, of a cotangent that is finite. What is "
                    "left out afterwards, by a mask or a nansum, has a derivative nonetheless, and 0 times that is "
                    f"{bad[0]}: put a harmless number in its place before, as in np.where(mask, x, 1)"
                ]
    return []


def _conventions(run: Trace) -> list[str]:
    """Kinks: a slope was taken at each by itself."""
    at = [f"{count(meeting(node), 'element')} of {_called(node)}" for node in run.computed() if meeting(node)]
    if not at:
        return []
    return [
        f"Two ways meet at {', '.join(at)}. Autodiff takes a slope for each of these by itself, but together they are "
        "no slope of the loss; at a point that lies a little to the side they would be"
    ]


def _no_subgradients(run: Trace) -> list[str]:
    """Poolings that were asked to count ties in full, and have some."""
    said = []
    for node in run.computed():
        kink = node.primitive.kink
        in_full = None if kink is None else kink.ties_in_full
        if isinstance(in_full, Mapping) and in_full.items() <= node.static_args.items() and (tied := meeting(node)):
            asked = ", ".join(f"{name}={x!r}" for name, x in in_full.items())
            said.append(
                f"{node.primitive.__name__} with {asked} ({_line(node)}) gives each of the elements that tie the whole "
                f"cotangent, in {tied} windows: that is what the article does, but no gradient"
            )
    return said


def _cut_off(loss: Callable[[Any], Any], form: tree.Flat, leaves: Sequence[Array], run: Trace) -> list[str]:
    """Constants of the graph that change with the parameters, and so are none."""
    rng = np.random.default_rng(0)
    away = [1e-4 * rng.standard_normal(x.shape) * (largest(x) or 1.0) for x in leaves]
    moved = [(x + v).astype(x.dtype) for x, v in zip(leaves, away, strict=True)]
    other = trace(loss, form, moved)
    if len(other.nodes) != len(run.nodes):
        return []
    said = []
    for one, two in zip(run.nodes, other.nodes, strict=True):
        computed = {place for place, _ in one.sources}
        for place, (x, y) in enumerate(zip(one.operands, two.operands, strict=False)):
            if place not in computed and _is_float(x) and np.shape(x) == np.shape(y) and not np.array_equal(x, y, True):
                said.append(
                    f"Operand {place} of {_called(one)} is a constant to autodiff, but "
                    "it changes with the parameters: something cut it off from its history (.value, stop_gradient)"
                )
    return list(dict.fromkeys(said))


def _called(node: Node) -> str:
    """A node in a sentence: "cube (model.py:12)"."""
    return f"{node.primitive.__name__} ({_line(node)})"


def _line(node: Node) -> str:
    return short(source_line(node))


def _is_float(x: Any) -> bool:
    return isinstance(x, float) or getattr(getattr(x, "dtype", None), "kind", "") == "f"


def _wrong_rules(run: Trace) -> list[str]:
    """Primitives whose rule is not the derivative of their forward function, at the values that they had."""
    rng, seen, said = np.random.default_rng(0), set(), []
    for node in run.nodes:
        if node.primitive is None or meeting(node):
            continue
        for place, _ in node.sources:
            rule = node.primitive.rules[place]
            kind = (node.primitive, place, node.like.shape)
            if rule is None or kind in seen:
                continue
            seen.add(kind)
            slope = rule_slope(node.primitive, node.operands, node.static_args, place, rng)
            if slope is not None and not slope.agree:
                said.append(
                    f"The rule of {node.primitive.__name__} for operand {place} ({_line(node)}) is not its derivative: "
                    f"{slope}"
                )
    return said
