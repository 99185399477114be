"""The report as one self-contained HTML page, with heat maps of the gradients."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.report import marked_graph
from tinygrad_cnn.check.report.anchors import Anchors
from tinygrad_cnn.check.report.code_lines import Conclusion, parts
from tinygrad_cnn.check.report.heat_maps import Side, side_by_side
from tinygrad_cnn.check.report.iterations import by_iteration, named
from tinygrad_cnn.check.report.strip import Strip, strip
from tinygrad_cnn.check.report.summary import outcome
from tinygrad_cnn.check.report.terminal import of_values, plain_cell, plain_cells, worst_of
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
    steps, anchors = of_values(report), Anchors(report)
    graph, shown, head = marked_graph.svg(report, anchors), strip(report), _head(report)
    width = re.search(r'<svg[^>]* width="([\d.]+)"', graph or "")
    return _templates.get_template("check.html").render(
        **head,
        in_full=True,
        strip=shown,
        strip_after=_about(shown, head["conclusions"]),
        anchors=anchors,
        facts=facts,
        graph=graph,
        graph_width="60rem" if width is None else f"{width[1]}px",
        has_hand_derived=any(p.hand_derived is not None for p in report.parameters),
        has_autodiff=any(p.autodiff is not None for p in report.parameters),
        own={step.node: step for step in report.steps},
        steps=steps,
        groups=by_iteration(steps),
        alone=[[step] for step in steps],
        pictured=_pictured(steps),
        legend=sentences.LEGEND,
        cell=plain_cell,
        cells=plain_cells,
        worst_of=worst_of,
        named=named,
        through=_through,
        file_and_line=sentences.file_and_line,
        heat_maps_of_parameter=_of_parameter,
        heat_maps_of_step=_of_step,
        largest=_largest,
    )


def head(report: Results) -> str:
    """The head of the page, which a notebook shows: the verdict, what is wrong, and why."""
    return _templates.get_template("head.html").render(**_head(report), in_full=False, strip=None)


def _head(report: Results) -> dict[str, Any]:
    found = [parts(conclusion) for conclusion in report.conclusions]
    return {"report": report, "outcome": outcome(report), "conclusions": found}


def _about(shown: Strip | None, conclusions: Sequence[Conclusion]) -> int:
    """Which conclusion is about what the strip shows: the first one that names it."""
    if shown is None:
        return -1
    return next((k for k, found in enumerate(conclusions) if shown.row.name in found.words), 0)


def _pictured(steps: Sequence[Step]) -> list[tuple[Step, int]]:
    """The steps to show heat maps of, of a loop the first that is wrong or differs; with how many there are."""
    found = []
    for group in by_iteration([step for step in steps if step.against_autodiff.verdict == "differ"]):
        found.append((next((step for step in group if step.wrong), group[0]), len(group)))
    return found


def _through(step: Step) -> str:
    return sentences.shortened(list(dict.fromkeys(name for name, _ in step.through)) or [sentences.THE_LOSS])


def _largest(p: Parameter) -> str:
    return "" if p.autodiff is None else f"{np.abs(p.autodiff).max(initial=0):.3g}"


def _of_parameter(p: Parameter) -> list[tuple[str, Side]]:
    columns: list[tuple[str, Array]] = []
    if p.hand_derived is not None and p.hand_derived.shape == p.low.shape:
        columns.append(("hand-derived", p.hand_derived))
    if p.autodiff is not None:
        columns.append(("autodiff", p.autodiff))
    if p.measured and not np.isnan(p.low).all():
        slopes = (p.low + p.high) / 2
        columns.append(("finite differences", np.ma.masked_invalid(slopes) if p.measured < p.size else slopes))
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
