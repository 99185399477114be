"""Why finite differences contradict autodiff: a rule that is wrong, or a value cut off from its history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.witnesses.autodiff import Subject
from tinygrad_cnn.check.witnesses.branches import meeting
from tinygrad_cnn.check.witnesses.magnitude import largest
from tinygrad_cnn.check.witnesses.rule_check import rule_slope
from tinygrad_cnn.check.witnesses.trace import Trace
from tinygrad_cnn.engine.graph import Array, Node, source_line
from tinygrad_cnn.names import operands_of


def faults(subject: Subject, run: Trace) -> list[str]:
    """What is wrong with the graph of `run`, a sentence each."""
    found = _ties_as_asked(run) + _first_not_finite(run) + _cut_off(subject, run) + _wrong_rules(run)
    return found or _kinks_together(run)


def _first_not_finite(run: Trace) -> list[str]:
    """The rule that makes the first NaN or Inf, as of what a mask left out: it gets a 0, and multiplies by a NaN."""
    cotangents = run.cotangents()
    for node in reversed(run.computed()):
        g = cotangents.get(node)
        if g is None or not np.all(np.isfinite(g)):
            continue
        for place, x in node.sources:
            made = cotangents.get(x)
            if made is None or np.all(np.isfinite(made)):
                continue
            value = _value_that_is_not_finite(node, place, g)
            if value is not None:
                return [sentences.FIRST_NOT_FINITE.format(primitive=_called(node), value=value)]
    return []


def _value_that_is_not_finite(node: Node, place: int, g: Array) -> Any:
    """The first NaN or Inf that the rule for an operand makes of a finite cotangent; None if it makes none."""
    rule = node.primitive.rules[place]
    if rule is None:
        return None
    with np.errstate(all="ignore"):
        made = np.asarray(rule(g, node.value, *node.operands, **node.static_args))
    bad = made[~np.isfinite(made)]
    return bad[0] if bad.size else None


def _kinks_together(run: Trace) -> list[str]:
    """Kinks, at each of which autodiff took a slope by itself."""
    at = [f"{sentences.count(meeting(node), 'element')} of {_called(node)}" for node in run.computed() if meeting(node)]
    return [sentences.KINKS_TOGETHER.format(elements=", ".join(at))] if at else []


def _ties_as_asked(run: Trace) -> list[str]:
    """Poolings that were asked to count ties in full, and have some."""
    found = []
    for node in run.computed():
        kink = node.primitive.kink
        in_full = None if kink is None else kink.ties_in_full
        if not isinstance(in_full, Mapping) or not in_full.items() <= node.static_args.items() or not meeting(node):
            continue
        found.append(
            sentences.TIES_AS_ASKED.format(
                primitive=node.primitive.__name__,
                arguments=", ".join(f"{name}={x!r}" for name, x in in_full.items()),
                line=_line(node),
                windows=sentences.count(meeting(node), "window"),
            )
        )
    return found


def _cut_off(subject: Subject, run: Trace) -> list[str]:
    """Constants of the graph that change with the parameters, and so are none."""
    rng = np.random.default_rng(0)
    away = [1e-4 * rng.standard_normal(x.shape) * (largest(x) or 1.0) for x in subject.leaves]
    other = subject.run([(x + v).astype(x.dtype) for x, v in zip(subject.leaves, away, strict=True)])
    if len(other.nodes) != len(run.nodes):
        return []
    found = []
    for one, two in zip(run.nodes, other.nodes, strict=True):
        computed = {place for place, _ in one.sources}
        for place, (x, y) in enumerate(zip(one.operands, two.operands, strict=False)):
            if place not in computed and _changed(x, y):
                found.append(sentences.CUT_OFF.format(operand=_written(one, place), primitive=_called(one)))
    return list(dict.fromkeys(found))


def _changed(x: Any, y: Any) -> bool:
    """Whether two constants of one shape differ."""
    return _is_float(x) and np.shape(x) == np.shape(y) and not np.array_equal(x, y, equal_nan=True)


def _is_float(x: Any) -> bool:
    return isinstance(x, float) or getattr(getattr(x, "dtype", None), "kind", "") == "f"


def _wrong_rules(run: Trace) -> list[str]:
    """Primitives whose rule is not the derivative of their forward function, at the values that they had."""
    rng, seen, found = np.random.default_rng(0), set(), []
    for node in run.nodes:
        if node.primitive is None or meeting(node):
            continue
        for place, _ in node.sources:
            kind = (node.primitive, place, node.like.shape)
            if node.primitive.rules[place] is None or kind in seen:
                continue
            seen.add(kind)
            slope = rule_slope(node.primitive, node.operands, node.static_args, place, rng)
            if slope is not None and not slope.agree:
                name = node.primitive.__name__
                found.append(
                    sentences.WRONG_RULE.format(primitive=name, position=place, line=_line(node), slopes=slope)
                )
    return found


def _written(node: Node, place: int) -> str:
    """An operand as it is written in the source, else which one it is."""
    return operands_of(node).get(place) or sentences.WHICH_OPERAND.format(which=sentences.ordinal(place))


def _called(node: Node) -> str:
    """A node in a sentence: "cube (model.py:12)"."""
    return f"{node.primitive.__name__} ({_line(node)})"


def _line(node: Node) -> str:
    return sentences.file_and_line(source_line(node))
