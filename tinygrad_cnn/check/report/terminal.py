"""The report in a terminal: a table by parameter, a table by step, and sentences."""

from __future__ import annotations

import io
import math
import shutil
from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.report.code_lines import Marked, parts
from tinygrad_cnn.check.report.iterations import by_iteration, named
from tinygrad_cnn.check.report.summary import outcome
from tinygrad_cnn.check.results import Comparison, Parameter, Results, Step
from tinygrad_cnn.extras import extra

with extra("check", "the report of a check of gradients"):
    from rich import box
    from rich.console import Console, Group
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

COLOURS = {"agree": "green", "differ": "bold red", "inconclusive": "yellow"}
WIDTHS = (60, 118)  # in characters
_LOOK: dict[str, Any] = {"box": box.SIMPLE_HEAD}


def width_of_terminal() -> int:
    """How wide a report is: as the terminal, within WIDTHS; the most where there is none."""
    return min(max(WIDTHS[0], shutil.get_terminal_size((WIDTHS[1], 24)).columns), WIDTHS[1])


def text(results: Results, width: int = WIDTHS[1]) -> str:
    """The report as plain text, `width` characters wide."""
    out = io.StringIO()
    Console(file=out, width=width, color_system=None, highlight=False).print(rendered(results))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def rendered(results: Results) -> Group:
    """The report for a Rich console: what is wrong and why on the first screen, then the tables."""
    blocks: list[Any] = [Text(outcome(results), style="bold green" if results.ok else "bold red")]
    for conclusion in results.conclusions:
        blocks += ["", *_conclusion(conclusion)]
    notes = [Text(f"Note: {note}.", style="dim") for note in results.notes]
    if not results.conclusions:
        blocks += notes
    by_hand = any(p.hand_derived is not None for p in results.parameters)
    title = f"{'Hand-derived gradients' if by_hand else 'Gradients'} (diff.: finite differences)"
    blocks += ["", _by_parameter(title, results.parameters, results.steps)]
    if results.directions:
        blocks.append(_by_parameter("Second derivatives, along a random vector", results.directions))
    if of_values(results):
        blocks.append(_by_step(results))
    if results.kinks:
        blocks.append(_kinks(results))
    blocks.append(Text(f"{sentences.LEGEND}", style="dim"))
    if results.conclusions:
        blocks += notes
    blocks.append(
        Text(
            f"Loss {results.loss:.10g}; finite differences from {results.evaluations} evaluations in "
            f"{results.precision}; {results.seconds:.1f} s",
            style="dim",
        )
    )
    return Group(*blocks)


def _conclusion(conclusion: str) -> list[Any]:
    """The sentences, and below them the two lines of code, one exactly above the other."""
    found = parts(conclusion)
    if not found.you:
        return [Text(found.words)]
    code = Table.grid(padding=(0, 1, 0, 0))
    code.add_column(no_wrap=True)
    code.add_column(overflow="fold")
    at = "" if found.line is None else f"  ({found.line})"
    code.add_row(Text("    you:  "), _highlighted(found.you, "bold red") + Text(at, style="dim"))
    code.add_row(Text("    right:"), _highlighted(found.right, "bold green"))
    return [Text(found.words), code]


def _highlighted(pieces: Marked, style: str) -> Text:
    line = Text()
    for piece, only_here in pieces:
        line.append(piece, style if only_here else "")
    return line


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


def _titled(title: str, table: Table) -> Group:
    return Group(Text(title, style="bold"), table)


def _by_parameter(title: str, rows: Sequence[Parameter], steps: Sequence[Step] = ()) -> Group:
    own = {step.node: step.given_upstream for step in steps}
    columns: list[tuple[str, Callable[[Parameter], Any], bool]] = [
        ("vs.\nautodiff", lambda p: p.hand_derived_vs_autodiff, False),
        ("given\nupstream", lambda p: None if p.node is None else own.get(p.node), True),
        ("vs.\ndiff.", lambda p: p.hand_derived_vs_differences, False),
        ("autodiff\nvs. diff.", lambda p: p.autodiff_vs_differences, False),
    ]
    shown = [column for column in columns if any(column[1](p) is not None for p in rows)]
    table = Table("parameter", "shape", "largest", *[name for name, _, _ in shown], **_LOOK)
    for p in rows:
        largest = p.hand_derived if p.autodiff is None else p.autodiff
        size = "" if largest is None else f"{abs(largest).max(initial=0):.1e}"
        cells = [_cell(pair(p), brief) for _, pair, brief in shown]
        table.add_row(escape(p.name), str(p.low.shape), size, *cells)
    return _titled(title, table)


def of_values(results: Results) -> list[Step]:
    """The steps of intermediate values: those of parameters are in the table of parameters."""
    parameters = {p.node for p in results.parameters}
    return [step for step in results.steps if step.node not in parameters]


def _by_step(results: Results) -> Group:
    table = Table("cotangent", "shape", "vs. autodiff", "given upstream", "through", **_LOOK)
    for steps in by_iteration(of_values(results)):
        names = list(dict.fromkeys(name for name, _ in steps[0].through)) or [sentences.THE_LOSS]
        table.add_row(
            escape(named(steps)), str(steps[0].node.like.shape), _cells([x.against_autodiff for x in steps]),
            _cells([x.given_upstream for x in steps]), escape(sentences.shortened(names)),
        )  # fmt: skip
    return _titled("Hand-derived cotangents, from the loss back", table)


def plain_cells(comparisons: Sequence[Comparison]) -> str:
    """The comparisons of all iterations of a loop as one cell: the worst, and of how many it is."""
    worst = worst_of(comparisons)
    n = sum(c.verdict == worst.verdict for c in comparisons)
    of = "" if n == len(comparisons) else f" ({n} of {len(comparisons)})"
    return plain_cell(worst, brief=True) + of


def worst_of(comparisons: Sequence[Comparison]) -> Comparison:
    """The largest difference of those that differ, else what is inconclusive, else the largest difference."""
    order = {"differ": 2, "inconclusive": 1, "agree": 0}
    return max(comparisons, key=lambda c: (order[c.verdict], c.difference))


def _cells(comparisons: Sequence[Comparison]) -> str:
    return f"[{COLOURS[worst_of(comparisons).verdict]}]{escape(plain_cells(comparisons))}[/]"


def _kinks(results: Results) -> Group:
    table = Table("primitive", "value", "elements at a kink", "called at", **_LOOK)
    for kink in results.kinks:
        line = escape(sentences.file_and_line(kink.line))
        table.add_row(kink.primitive, escape(kink.name), str(kink.elements), line)
    return _titled("Where the loss is not smooth", table)
