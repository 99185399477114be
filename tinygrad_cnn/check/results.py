"""What a cross-check finds, as data: comparisons, parameters, steps, kinks, and all of them together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.engine.graph import Array, Node

Verdict = Literal["agree", "differ", "inconclusive"]


@dataclass(frozen=True)
class Comparison:
    """Two witnesses side by side.

    verdict      "agree"; "differ", by more than their errors; "inconclusive"
    difference   the largest between them; where they agree, that at the element that comes closest to its error
    error        the estimated error there: a smaller difference is no contradiction
    difference_over_error   how many times that error the difference is
    index        that element
    values       the values of the two; for finite differences at a kink, the nearer end of what is allowed
    note         why it is inconclusive, or a further remark
    """

    verdict: Verdict
    difference: float = 0.0
    error: float = 0.0
    difference_over_error: float = 0.0
    index: tuple[int, ...] = ()
    values: tuple[float, float] = (0.0, 0.0)
    note: str = ""


@dataclass(frozen=True)
class Cause:
    """Why a hand-derived gradient is wrong.

    words   the mistake, as a clause
    kind    which mistake it is: a name of `sentences.EDITS`, or of `sentences.EDITS_OF_LINES` where only an edit of the
            source mends it; "" if it is none
    you     the wrong line of code, as an assignment; None where it has no short one
    right   what it should be
    line    where it is, as "model.py:12", if it is a line of somebody's source
    """

    words: str
    kind: str = ""
    you: str | None = None
    right: str | None = None
    line: str | None = None


@dataclass(frozen=True)
class Written:
    """A statement of somebody's source, with the lines around it.

    place        where it is, as "model.py:12"
    first, last  its lines
    lines        the lines around it, each with its number
    """

    place: str
    first: int
    last: int
    lines: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    name, node               its place in the tree, and its node
    autodiff, hand_derived   its gradient according to each; None if there is none
    low, high                the slopes by finite differences: NaN where none was taken; equal except at kinks
    measured                 of how many elements they were taken
    kinks                    how many of these are at a kink
    autodiff_vs_differences, hand_derived_vs_autodiff, hand_derived_vs_differences
                             the witnesses in pairs; None where one is missing
    cause                    why the hand-derived gradient is wrong, if that was found
    written                  the source of the first wrong one, where it is known
    """

    name: str
    node: Node | None
    autodiff: Array | None
    hand_derived: Array | None
    low: Array
    high: Array
    measured: int
    kinks: int
    autodiff_vs_differences: Comparison | None
    hand_derived_vs_autodiff: Comparison | None
    hand_derived_vs_differences: Comparison | None
    cause: Cause | None = None
    written: Written | None = None

    @property
    def explanation(self) -> str | None:
        """The cause as a clause."""
        return None if self.cause is None else self.cause.words

    @property
    def is_wrong(self) -> bool:
        """Whether the hand-derived gradient is contradicted: by autodiff, or where there is none by differences."""
        against = self.hand_derived_vs_differences if self.autodiff is None else self.hand_derived_vs_autodiff
        return against is not None and against.verdict == "differ"

    @property
    def size(self) -> int:
        """How many elements it has."""
        return int(np.size(self.low))

    def comparisons(self) -> list[Comparison]:
        """Those that there are."""
        pairs = (self.autodiff_vs_differences, self.hand_derived_vs_autodiff, self.hand_derived_vs_differences)
        return [pair for pair in pairs if pair is not None]


@dataclass(frozen=True)
class Step:
    """One cotangent in the backward pass, hand-derived and by autodiff.

    name               its name in the hand-derived gradient
    value              what the graph calls the value that it is for
    node               its node
    autodiff           the cotangent by autodiff
    hand_derived       the hand-derived one
    expected           the cotangent that autodiff computes from the hand-derived cotangents upstream
    against_autodiff   hand_derived compared with autodiff: whether the cotangent is right
    given_upstream     hand_derived compared with expected: whether this step is right
    through            the primitives that the step goes through, and where they were called
    cause              why the step is wrong, if that was found
    convention         the other convention at a kink that it takes, if that is all; then it is right
    written            the source of the first wrong one, where it is known
    """

    name: str
    value: str
    node: Node
    autodiff: Array
    hand_derived: Array
    expected: Array
    against_autodiff: Comparison
    given_upstream: Comparison
    through: list[tuple[str, str]]
    cause: Cause | None = None
    convention: str | None = None
    written: Written | None = None

    @property
    def explanation(self) -> str | None:
        """The cause as a clause."""
        return None if self.cause is None else self.cause.words

    @property
    def wrong(self) -> bool:
        """Whether this step is a mistake: neither right nor what follows from its upstream cotangents."""
        return self.given_upstream.verdict == "differ" and self.against_autodiff.verdict == "differ"


@dataclass(frozen=True)
class ForwardValue:
    """A value of the forward pass that the hand-derived gradient returned too, compared with that of the loss.

    name         its name there
    value        what the graph calls it
    comparison   the two values compared
    """

    name: str
    value: str
    comparison: Comparison


@dataclass(frozen=True)
class KinkFound:
    """A place where the loss is not smooth: `elements` of the operands of `primitive`, called at `line`, are there."""

    name: str
    primitive: str
    line: str
    elements: int


@dataclass
class Results:
    """All that a cross-check found.

    loss                    the loss at the parameters
    parameters              one by one
    steps                   the hand-derived cotangents, from the loss back; none if by_hand gave gradients only
    kinks                   where the loss is not smooth
    conclusions             sentences: what is wrong, where and why
    notes                   what else there is to know: names that were not found, elements that were not measured
    precision, evaluations  of finite differences: the dtypes, and how often the loss was computed
    seconds                 how long the check took
    result                  the node of the loss
    another_loss            the name of the loss of which it is the gradient instead, if that was found
    directions              Hessian-vector products, with order=2
    forward                 values of the forward pass that by_hand returned too
    """

    loss: float
    parameters: list[Parameter]
    steps: list[Step]
    kinks: list[KinkFound]
    conclusions: list[str]
    notes: list[str]
    precision: str
    evaluations: int
    seconds: float
    result: Node | None = None
    another_loss: str | None = None
    directions: list[Parameter] = field(default_factory=list)
    forward: list[ForwardValue] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether no two witnesses contradict each other, and at least two agree on every parameter.

        A wrong step that changes the gradient of no parameter is reported, but does not count.
        """
        if self._contradictions():
            return False
        return all(any(c.verdict == "agree" for c in row.comparisons()) for row in self._rows())

    @property
    def verdict(self) -> str:
        """The outcome in a sentence."""
        if self.ok:
            return sentences.AGREE
        return sentences.CONTRADICT if self.contradicts else sentences.INCONCLUSIVE

    @property
    def contradicts(self) -> bool:
        """Whether two witnesses contradict each other."""
        return bool(self._contradictions())

    @property
    def first_wrong(self) -> Step | None:
        """The first step, from the loss back, at which the hand-derived gradient goes wrong."""
        return next((step for step in self.steps if step.wrong), None)

    def _rows(self) -> list[Parameter]:
        return [*self.parameters, *self.directions]

    def _contradictions(self) -> list[Comparison]:
        return [c for row in self._rows() for c in row.comparisons() if c.verdict == "differ"]
