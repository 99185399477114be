"""The report as data: dicts, lists, strings and numbers, as JSON takes them."""

from __future__ import annotations

import math
from typing import Any

from tinygrad_cnn.check.report.iterations import cause_of, mistakes
from tinygrad_cnn.check.results import Cause, Comparison, Parameter, Results, Step


def as_dict(report: Results) -> dict[str, Any]:
    """Everything in a report but the arrays. NaN and infinities are None."""
    return {
        "ok": report.ok,
        "verdict": report.verdict,
        "loss": number(report.loss),
        "conclusions": report.conclusions,
        "notes": report.notes,
        "first_wrong": None if report.first_wrong is None else report.first_wrong.name,
        "mistakes": [
            {"steps": [step.name for step in alike], "cause": _cause(cause_of(alike))}
            for alike in mistakes(report.steps)
        ],
        "parameters": {p.name: _parameter(p) for p in report.parameters},
        "steps": {step.name: _step(step) for step in report.steps},
        "second_derivatives": {p.name: _parameter(p) for p in report.directions},
        "forward_values": {value.name: comparison(value.comparison) for value in report.forward},
        "kinks": [
            {"value": kink.name, "primitive": kink.primitive, "line": kink.line, "elements": kink.elements}
            for kink in report.kinks
        ],
        "another_loss": report.another_loss,
        "precision": report.precision,
        "evaluations": report.evaluations,
        "seconds": report.seconds,
    }


def _parameter(p: Parameter) -> dict[str, Any]:
    return {
        "shape": list(p.low.shape),
        "autodiff_vs_differences": comparison(p.autodiff_vs_differences),
        "hand_derived_vs_autodiff": comparison(p.hand_derived_vs_autodiff),
        "hand_derived_vs_differences": comparison(p.hand_derived_vs_differences),
        "measured": p.measured,
        "kinks": p.kinks,
        "explanation": p.explanation,
        "cause": _cause(p.cause),
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        **comparison(step.given_upstream),
        "shape": list(step.node.like.shape),
        "wrong": step.wrong,
        "against_autodiff": comparison(step.against_autodiff),
        "through": [{"primitive": name, "line": line} for name, line in step.through],
        "convention": step.convention,
        "explanation": step.explanation,
        "cause": _cause(step.cause),
    }


def _cause(cause: Cause | None) -> dict[str, Any] | None:
    if cause is None:
        return None
    return {
        "words": cause.words,
        "kind": cause.kind or None,
        "you": cause.you,
        "right": cause.right,
        "line": cause.line,
    }


def comparison(c: Comparison | None) -> dict[str, Any]:
    """Two witnesses compared; {} if one of them is missing."""
    if c is None:
        return {}
    return {
        "verdict": c.verdict,
        "difference": number(c.difference),
        "error": number(c.error),
        "index": list(c.index),
        "values": [number(x) for x in c.values],
        "note": c.note or None,
    }


def number(x: float) -> float | None:
    """A number as JSON has it, which knows no NaN."""
    return float(x) if math.isfinite(x) else None
