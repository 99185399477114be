"""The report in a terminal: a table by parameter, a table by step, and sentences."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.results import Comparison, Parameter, Results
from tinygrad_cnn.extras import extra

with extra("check", "the report of a check of gradients"):
    from rich import box
    from rich.console import Console, Group
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

COLOURS = {"agree": "green", "differ": "bold red", "inconclusive": "yellow"}
_LOOK: dict[str, Any] = {"box": box.SIMPLE_HEAD, "title_justify": "left", "title_style": "bold"}


def text(results: Results, width: int = 118) -> str:
    """The report as plain text, `width` characters wide."""
    out = io.StringIO()
    Console(file=out, width=width, color_system=None, highlight=False).print(rendered(results))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def rendered(results: Results) -> Group:
    """The report for a Rich console."""
    blocks: list[Any] = [_by_parameter("Gradients (diff.: finite differences)", results.parameters)]
    if results.directions:
        blocks.append(_by_parameter("Second derivatives, along a random vector", results.directions))
    if results.steps:
        blocks.append(_by_step(results))
    if results.kinks:
        blocks.append(_kinks(results))
    blocks.append(Text(f"{sentences.LEGEND}\n", style="dim"))
    blocks.append(Text(results.verdict, style="bold green" if results.ok else "bold red"))
    blocks += [Text(sentence) for sentence in results.conclusions]
    blocks += [Text(f"Note: {note}.", style="dim") for note in results.notes]
    blocks.append(
        Text(
            f"Loss {results.loss:.10g}; finite differences from {results.evaluations} evaluations in "
            f"{results.precision}; {results.seconds:.1f} s",
            style="dim",
        )
    )
    return Group(*blocks)


def plain_cell(comparison: Comparison | None, brief: bool = False) -> str:
    """A comparison as a cell of a table, without colour; `brief`: without how many times the error it is."""
    if comparison is None:
        return "-"
    if comparison.verdict == "inconclusive":
        return f"? {comparison.note}"
    if comparison.verdict == "agree":
        return f"✓ {comparison.difference:.0e}" if comparison.difference else "✓"
    if not math.isfinite(comparison.difference):
        return f"✗ {comparison.note}"
    if brief or not math.isfinite(comparison.difference_over_error):
        return f"✗ {comparison.difference:.2g}"
    return f"✗ {comparison.difference:.2g} ({_short(comparison.difference_over_error)}x)"


def _cell(comparison: Comparison | None, brief: bool = False) -> str:
    """The same with colour, in Rich's markup."""
    colour = "dim" if comparison is None else COLOURS[comparison.verdict]
    return f"[{colour}]{escape(plain_cell(comparison, brief))}[/]"


def _short(x: float) -> str:
    return f"{x:.0f}" if x < 1e4 else f"{x:.0e}".replace("e+", "e")


def _by_parameter(title: str, rows: Sequence[Parameter]) -> Table:
    table = Table("parameter", "shape", "largest", "autodiff\nvs. diff.", title=title, **_LOOK)
    with_autodiff = any(p.hand_derived is not None for p in rows)
    with_differences = any(p.hand_derived_vs_differences is not None for p in rows)
    if with_autodiff:
        table.add_column("hand-derived\nvs. autodiff")
    if with_differences:
        table.add_column("hand-derived\nvs. diff.")
    for p in rows:
        size = "" if p.autodiff is None else f"{abs(p.autodiff).max(initial=0):.1e}"
        cells = [escape(p.name), str(p.low.shape), size, _cell(p.autodiff_vs_differences)]
        if with_autodiff:
            cells.append(_cell(p.hand_derived_vs_autodiff))
        if with_differences:
            cells.append(_cell(p.hand_derived_vs_differences))
        table.add_row(*cells)
    return table


def _by_step(results: Results) -> Table:
    table = Table(
        "cotangent", "shape", "vs. autodiff", "given upstream", "through",
        title="Hand-derived steps, from the loss back", **_LOOK,
    )  # fmt: skip
    for step in results.steps:
        names = list(dict.fromkeys(name for name, _ in step.through)) or ["the loss"]
        table.add_row(
            escape(step.name), str(step.node.like.shape), _cell(step.against_autodiff, brief=True),
            _cell(step.given_upstream, brief=True), escape(sentences.shortened(names)),
        )  # fmt: skip
    return table


def _kinks(results: Results) -> Table:
    table = Table(
        "primitive", "value", "elements at a kink", "called at", title="Where the loss is not smooth", **_LOOK
    )
    for kink in results.kinks:
        line = escape(sentences.file_and_line(kink.line))
        table.add_row(kink.primitive, escape(kink.name), str(kink.elements), line)
    return table
