"""The report as one self-contained HTML page, with heat maps of the gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.report import marked_graph
from tinygrad_cnn.check.report.heat_maps import Side, side_by_side
from tinygrad_cnn.check.report.terminal import plain_cell
from tinygrad_cnn.check.results import Parameter, Results, Step
from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.extras import extra

with extra("check", "a page of a check of gradients"):
    import jinja2

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("tinygrad_cnn.check.report"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(report: Results, facts: Sequence[Any] = ()) -> str:
    """The page, as HTML. facts: what else is known, each with a `title`, whether it was `found`, and what it `says`."""
    return _templates.get_template("check.html").render(
        report=report,
        facts=facts,
        graph=marked_graph.svg(report),
        has_hand_derived=any(p.hand_derived is not None for p in report.parameters),
        legend=sentences.LEGEND,
        cell=plain_cell,
        file_and_line=sentences.file_and_line,
        heat_maps_of_parameter=_of_parameter,
        heat_maps_of_step=_of_step,
        largest=_largest,
    )


def _largest(p: Parameter) -> str:
    return "" if p.autodiff is None else f"{np.abs(p.autodiff).max(initial=0):.3g}"


def _of_parameter(p: Parameter) -> list[tuple[str, Side]]:
    columns: list[tuple[str, Array]] = []
    if p.hand_derived is not None and p.hand_derived.shape == p.low.shape:
        columns.append(("hand-derived", p.hand_derived))
    if p.autodiff is not None:
        columns.append(("autodiff", p.autodiff))
    if p.measured and not np.isnan(p.low).all():
        columns.append(("finite differences", (p.low + p.high) / 2))
    if len(columns) > 1:
        (one, x), (other, y) = columns[:2]
        columns.append((f"{one} − {other}", x - y))
    return _together(columns)


def _of_step(step: Step) -> list[tuple[str, Side]]:
    if step.hand_derived.shape != step.expected.shape:
        return _together([("hand-derived", step.hand_derived)]) + _together([("expected", step.expected)])
    return _together(
        [
            ("hand-derived", step.hand_derived),
            ("expected, given upstream", step.expected),
            ("hand-derived − expected", step.hand_derived - step.expected),
        ]
    )


def _together(columns: list[tuple[str, Array]]) -> list[tuple[str, Side]]:
    if not columns:
        return []
    sides = side_by_side(*[x for _, x in columns])
    return [(name, side) for (name, _), side in zip(columns, sides, strict=True)]
