"""What a cross-check found, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from tinygrad_cnn import files
from tinygrad_cnn.engine.graph import Array, Node

Verdict = Literal["agree", "differ", "cannot tell"]


class GradientsDifferError(AssertionError):
    """Two witnesses contradict each other; the message is the report."""


@dataclass(frozen=True)
class Comparison:
    """Two witnesses side by side.

    verdict   "agree"; "differ", by more than their errors; "cannot tell"
    apart     the largest difference between them; where they agree, that at the element that is nearest to its error
    error     how far they may be apart there without contradicting each other, estimated
    times     how many times that error they are apart there
    index     that element
    values    what the two say of it; for numbers at a kink the nearer end of what is allowed
    note      why it cannot be told, or what else is to be known
    """

    verdict: Verdict
    apart: float = 0.0
    error: float = 0.0
    times: float = 0.0
    index: tuple[int, ...] = ()
    values: tuple[float, float] = (0.0, 0.0)
    note: str = ""


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    name, node      its place in the tree, and its node
    auto, hand      its gradient, by autodiff and by hand (None if there is none)
    low, high       what the numbers say: NaN where no element was measured; equal but at kinks
    measured        how many elements were
    kinks           how many of these lie at a kink
    auto_numbers, hand_auto, hand_numbers   the witnesses, two by two; None where one is missing
    explanation     why the hand's is wrong, if that was found
    """

    name: str
    node: Node | None
    auto: Array | None
    hand: Array | None
    low: Array
    high: Array
    measured: int
    kinks: int
    auto_numbers: Comparison | None
    hand_auto: Comparison | None
    hand_numbers: Comparison | None
    explanation: str | None = None

    @property
    def size(self) -> int:
        """How many elements it has."""
        return int(np.size(self.low))

    def comparisons(self) -> list[Comparison]:
        """Those that there are."""
        return [c for c in (self.auto_numbers, self.hand_auto, self.hand_numbers) if c is not None]


@dataclass(frozen=True)
class Step:
    """One cotangent on the way back, by hand and by autodiff.

    name          what the hand calls it
    value         what the graph calls the value that it is for
    node          its node
    auto          the cotangent by autodiff
    hand          by hand
    right         what autodiff makes of the hand's own cotangents before this one
    whole         hand against auto: whether it is right
    alone         hand against right: whether this step is, given what came in
    through       the primitives that the step goes through, and where they were called
    explanation   why the step is wrong, if that was found
    convention    the other convention at a kink that it takes, if that is all; then it is right
    """

    name: str
    value: str
    node: Node
    auto: Array
    hand: Array
    right: Array
    whole: Comparison
    alone: Comparison
    through: list[tuple[str, str]]
    explanation: str | None = None
    convention: str | None = None

    @property
    def wrong(self) -> bool:
        """Whether this step is a mistake: neither right nor what follows from the steps before it."""
        return self.alone.verdict == "differ" and self.whole.verdict == "differ"


@dataclass(frozen=True)
class KinkFound:
    """A place where the loss is not smooth: `elements` of what `primitive`, called at `line`, was given lie there."""

    name: str
    primitive: str
    line: str
    elements: int


@dataclass
class Report:
    """What a cross-check found. `print(report)`, `report.ok`, `report.to_html(path)`, `report.raise_if_wrong()`.

    parameters   one by one
    steps        the cotangents by hand on the way back, from the loss on; none if by_hand gave no more than gradients
    kinks        where the loss is not smooth
    because      sentences: what is wrong, where and why
    notes        what else is to be known: names that were not found, elements that were not measured
    directions   Hessian-vector products, with order=2
    """

    loss: float
    parameters: list[Parameter]
    steps: list[Step]
    kinks: list[KinkFound]
    because: list[str]
    notes: list[str]
    precision: str
    evaluations: int
    seconds: float
    result: Node | None = None
    another_loss: str | None = None
    directions: list[Parameter] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether no two witnesses contradict each other, and something was established, of every parameter.

        A step on the way that is wrong and changes the gradient of no parameter is told of, but does not count.
        """
        rows = [*self.parameters, *self.directions]
        return all(c.verdict != "differ" for row in rows for c in row.comparisons()) and all(
            any(c.verdict == "agree" for c in row.comparisons()) for row in rows
        )

    @property
    def verdict(self) -> str:
        """What came out, in a sentence."""
        if self.ok:
            return "The gradients agree."
        if any(c.verdict == "differ" for row in [*self.parameters, *self.directions] for c in row.comparisons()):
            return "They contradict each other."
        return "It cannot be told."

    @property
    def first_wrong(self) -> Step | None:
        """The first step from the loss back at which the hand's differs, given what came in."""
        return next((step for step in self.steps if step.wrong), None)

    def raise_if_wrong(self) -> None:
        """Raise GradientsDifferError, an AssertionError, with the report if `ok` is False."""
        if not self.ok:
            raise GradientsDifferError(f"\n{self}")

    def __str__(self) -> str:
        from tinygrad_cnn.check.report.text import text

        return text(self)

    def to_html(self, path: str | Path | None = None) -> str:
        """The report as one self-contained page, with heat maps; written to `path` if that is given."""
        from tinygrad_cnn.check.report.page import page

        made = page(self)
        if path is not None:
            files.write(Path(path), made.encode(errors="backslashreplace"))
        return made

    def _repr_html_(self) -> str:
        return self.to_html()
