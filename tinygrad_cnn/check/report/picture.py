"""The graph in the report: each cotangent in a colour that says how far hand and autodiff are apart there."""

from __future__ import annotations

import math

from tinygrad_cnn.check.diagnose.steps import largest
from tinygrad_cnn.check.report.report import Comparison, Report
from tinygrad_cnn.engine.graph import Array, Node, ancestors, handle_on
from tinygrad_cnn.pictures import Mark, render

MOST_NODES = 2000  # a larger graph takes long to draw, and is no help


def svg(report: Report) -> str | None:
    """The picture, as SVG; None if there is no graph, or one that is too large, or nothing by hand to mark on it."""
    if report.result is None or len(ancestors([report.result])[0]) > MOST_NODES:
        return None
    marks = marks_of(report)
    if not marks:
        return None
    try:
        return render(handle_on(report.result), backward=True, values="thumbnails", marks=marks).svg
    except RuntimeError:  # there is nothing that can lay it out, and the report says all of it in tables
        return None


def marks_of(report: Report) -> dict[Node, Mark]:
    """A mark for each cotangent that there is by hand; the first wrong step has a flag."""
    first = report.first_wrong
    marks = {step.node: mark(step.whole, step.auto, step.wrong, step is first) for step in report.steps}
    wrong = [p for p in report.parameters if p.hand_auto is not None and p.hand_auto.verdict == "differ"]
    for p in report.parameters:
        if p.node is not None and p.node not in marks and p.hand_auto is not None and p.auto is not None:
            marks[p.node] = mark(p.hand_auto, p.auto, True, first is None and p in wrong[:1])
    return marks


def mark(comparison: Comparison, auto: Array, wrong: bool, flag: bool) -> Mark:
    """How far a cotangent is off: white for rounding, the darker the more digits are wrong, to red for all of them.

    wrong: it is so by a mistake of its own; what is off by what came in has a paler colour.
    """
    if comparison.verdict != "differ":
        return Mark(0.0, "agrees")
    relative = comparison.apart / (largest(auto) or 1.0)
    digits = 16.0 if not math.isfinite(relative) else min(16.0, max(1.0, 16.0 + math.log10(relative or 1e-16)))
    words = f"off by {comparison.apart:.2g}" if math.isfinite(relative) else "off"
    return Mark(digits / 16 if wrong else 0.3 * digits / 16, words if wrong else f"{words}, by what came in", flag)
