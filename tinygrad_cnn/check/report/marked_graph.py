"""The graph in the report: each cotangent in a colour that shows how far the hand-derived one is from it."""

from __future__ import annotations

import math
from dataclasses import replace

from tinygrad_cnn.check.report.anchors import Anchors
from tinygrad_cnn.check.report.iterations import by_iteration
from tinygrad_cnn.check.report.terminal import of_values
from tinygrad_cnn.check.results import Comparison, Parameter, Results, Step
from tinygrad_cnn.check.witnesses.magnitude import largest
from tinygrad_cnn.engine.graph import Array, Node, ancestors, handle_on
from tinygrad_cnn.pictures import Mark, render
from tinygrad_cnn.pictures.view.contracted import contracted
from tinygrad_cnn.pictures.view.diagram import Diagram
from tinygrad_cnn.pictures.write.picture import Picture

MOST_NODES = 2000  # a larger graph takes long to draw, and is no help
MOST_BOXES = 60  # of a larger picture, only what was derived by hand is drawn, and parameters


def svg(report: Results, anchors: Anchors) -> str | None:
    """The picture, as SVG, whose boxes lead to the rows of steps.

    None without a graph, or if it is too large, or if nothing hand-derived is to be marked.
    """
    if report.result is None or len(ancestors([report.result])[0]) > MOST_NODES:
        return None
    marks = marks_of(report, anchors)
    if not marks:
        return None
    picture = render(handle_on(report.result), backward=True, values="thumbnails", depth="all", marks=marks, fold=True)
    if len(picture.diagram.boxes) > MOST_BOXES and of_values(report):
        picture = Picture(contracted(picture.diagram, _marked(picture.diagram)))
    try:
        return picture.svg
    except RuntimeError:  # no program to lay it out is installed; the tables have all of it
        return None


def _marked(diagram: Diagram) -> set[str]:
    """The boxes of the values whose cotangents are marked, these, parameters and their gradients, and the result."""
    cotangents = diagram.cotangents()
    kept = {id for id, box in diagram.boxes.items() if box.is_result or box.kind in ("parameter", "input")}
    kept |= {of for of, g in cotangents.items() if diagram.boxes[g].mark is not None}
    return kept | {cotangents[id] for id in kept if id in cotangents}


def marks_of(report: Results, anchors: Anchors) -> dict[Node, Mark]:
    """A mark for each cotangent that was derived by hand; the first wrong step has a flag."""
    first: Step | Parameter | None = report.first_wrong
    marks = {step.node: mark(step.against_autodiff, step.autodiff, step.wrong, step is first) for step in report.steps}
    if first is None:
        first = next((p for p in report.parameters if p.autodiff is not None and p.is_wrong), None)
    for p in report.parameters:
        if (
            p.node is not None
            and p.node not in marks
            and p.hand_derived_vs_autodiff is not None
            and p.autodiff is not None
        ):
            marks[p.node] = mark(p.hand_derived_vs_autodiff, p.autodiff, True, p is first)
    rows: dict[Node, Step | Parameter] = {p.node: p for p in report.parameters if p.node is not None}
    rows |= {step.node: step for step in report.steps}
    links = {node: anchors.of(row) for node, row in rows.items()}
    links |= {step.node: anchors.of_all(group) for group in by_iteration(of_values(report)) for step in group}
    return {node: replace(mark, link=f"#{links[node]}") for node, mark in marks.items()}


def mark(comparison: Comparison, auto: Array, wrong: bool, flag: bool) -> Mark:
    """How far a cotangent is off: white for rounding, the darker the more digits are wrong, to red for all of them.

    wrong: its own step is a mistake; what is off because of its upstream cotangents has a paler colour.
    """
    if comparison.verdict != "differ":
        return Mark(0.0, "agrees")
    relative = comparison.difference / (largest(auto) or 1.0)
    digits = 16.0 if not math.isfinite(relative) else min(16.0, max(1.0, 16.0 + math.log10(relative or 1e-16)))
    words = f"off by {comparison.difference:.2g}" if math.isfinite(relative) else "off"
    return Mark(digits / 16 if wrong else 0.3 * digits / 16, words if wrong else f"{words}, because of upstream", flag)
