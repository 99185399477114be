"""The report as one self-contained HTML page, with heat maps of what the witnesses say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.check.report import picture
from tinygrad_cnn.check.report.heat_maps import Side, side_by_side
from tinygrad_cnn.check.report.report import Parameter, Report, Step
from tinygrad_cnn.check.report.sentences import short
from tinygrad_cnn.check.report.text import said
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


def page(report: Report, facts: Sequence[Any] = ()) -> str:
    """The page, as HTML. facts: what else is known, each with a `title`, whether it was `found`, and what it `says`."""
    return _templates.get_template("check.html").render(
        report=report,
        facts=facts,
        graph=picture.svg(report),
        by_hand=any(p.hand is not None for p in report.parameters),
        said=lambda comparison, brief=False: _plain(said(comparison, brief)),
        short=short,
        pictures_of_parameter=_of_parameter,
        pictures_of_step=_of_step,
        largest=lambda p: "" if p.auto is None else f"{np.abs(p.auto).max(initial=0):.3g}",
    )


def _plain(markup: str) -> str:
    """A cell without the colours that a terminal has."""
    from rich.text import Text

    return Text.from_markup(markup).plain


def _of_parameter(p: Parameter) -> list[tuple[str, Side]]:
    columns: list[tuple[str, Array]] = []
    if p.hand is not None and p.hand.shape == p.low.shape:
        columns.append(("by hand", p.hand))
    if p.auto is not None:
        columns.append(("by autodiff", p.auto))
    if p.measured and not np.isnan(p.low).all():
        columns.append(("by numbers", (p.low + p.high) / 2))
    if len(columns) > 1:
        (one, x), (other, y) = columns[:2]
        columns.append((f"{one} less {other}", x - y))
    return _together(columns)


def _of_step(step: Step) -> list[tuple[str, Side]]:
    if step.hand.shape != step.right.shape:
        return _together([("by hand", step.hand)]) + _together([("right", step.right)])
    return _together(
        [
            ("by hand", step.hand),
            ("right, given what came in", step.right),
            ("by hand less right", step.hand - step.right),
        ]
    )


def _together(columns: list[tuple[str, Array]]) -> list[tuple[str, Side]]:
    if not columns:
        return []
    sides = side_by_side(*[x for _, x in columns])
    return [(name, side) for (name, _), side in zip(columns, sides, strict=True)]
