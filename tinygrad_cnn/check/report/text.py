"""The report in a terminal: a table by parameter, a table by step, and sentences."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

from tinygrad_cnn.check.report.report import Comparison, Parameter, Report
from tinygrad_cnn.check.report.sentences import enough, short
from tinygrad_cnn.extras import extra

with extra("check", "the report of a check of gradients"):
    from rich import box
    from rich.console import Console, Group
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

COLOURS = {"agree": "green", "differ": "bold red", "cannot tell": "yellow"}
LEGEND = (
    "✓ agree, to the difference shown; ✗ differ by that, which is so many times the estimated error; "
    "? cannot be told.\n"
)
_LOOK: dict[str, Any] = {"box": box.SIMPLE_HEAD, "title_justify": "left", "title_style": "bold"}


def text(report: Report, width: int = 118) -> str:
    """The report as plain text, `width` characters wide."""
    out = io.StringIO()
    Console(file=out, width=width, color_system=None, highlight=False).print(rendered(report))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def rendered(report: Report) -> Group:
    """The report for a Rich console."""
    parts: list[Any] = [_by_parameter("Gradients", report.parameters)]
    if report.directions:
        parts.append(_by_parameter("Second derivatives, along a random vector", report.directions))
    if report.steps:
        parts.append(_by_step(report))
    if report.kinks:
        parts.append(_kinks(report))
    parts.append(Text(LEGEND, style="dim"))
    parts.append(Text(report.verdict, style="bold green" if report.ok else "bold red"))
    parts += [Text(sentence) for sentence in report.because]
    parts += [Text(f"Note: {note}.", style="dim") for note in report.notes]
    parts.append(
        Text(
            f"Loss {report.loss:.10g}; numbers from {report.evaluations} evaluations in {report.precision}; "
            f"{report.seconds:.1f} s",
            style="dim",
        )
    )
    return Group(*parts)


def said(comparison: Comparison | None, brief: bool = False) -> str:
    """A comparison as a cell of a table; `brief`: without how many times the error it is."""
    if comparison is None:
        return "[dim]-[/]"
    if comparison.verdict == "agree":
        words = f"✓ {comparison.apart:.0e}" if comparison.apart else "✓"
    elif comparison.verdict == "differ":
        times = "" if brief or not math.isfinite(comparison.times) else f" ({_short(comparison.times)}x)"
        words = f"✗ {comparison.apart:.2g}{times}" if math.isfinite(comparison.apart) else f"✗ {comparison.note}"
    else:
        words = f"? {comparison.note}"
    return f"[{COLOURS[comparison.verdict]}]{escape(words)}[/]"


def _short(x: float) -> str:
    return f"{x:.0f}" if x < 1e4 else f"{x:.0e}".replace("e+", "e")


def _by_parameter(title: str, rows: Sequence[Parameter]) -> Table:
    table = Table("parameter", "shape", "largest", "autodiff, numbers", title=title, **_LOOK)
    by_hand = any(p.hand is not None for p in rows)
    numbers = any(p.hand_numbers is not None for p in rows)
    if by_hand:
        table.add_column("by hand, autodiff")
    if numbers:
        table.add_column("by hand, numbers")
    for p in rows:
        size = "" if p.auto is None else f"{abs(p.auto).max(initial=0):.2e}"
        row = [escape(p.name), str(p.low.shape), size, said(p.auto_numbers)]
        table.add_row(*row, *[said(p.hand_auto)] * by_hand, *[said(p.hand_numbers)] * numbers)
    return table


def _by_step(report: Report) -> Table:
    table = Table(
        "by hand", "shape", "against autodiff", "this step alone", "through",
        title="Step by step, from the loss back", **_LOOK,
    )  # fmt: skip
    for step in report.steps:
        names = list(dict.fromkeys(name for name, _ in step.through)) or ["the loss"]
        table.add_row(
            escape(step.name), str(step.node.like.shape), said(step.whole, brief=True),
            said(step.alone, brief=True), escape(enough(names)),
        )  # fmt: skip
    return table


def _kinks(report: Report) -> Table:
    table = Table(
        "primitive", "value", "elements at a kink", "called at", title="Where the loss is not smooth", **_LOOK
    )
    for kink in report.kinks:
        table.add_row(
            kink.primitive,
            escape(kink.name),
            str(kink.elements),
            escape(short(kink.line)),
        )
    return table
