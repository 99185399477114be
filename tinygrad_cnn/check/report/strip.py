"""The first wrong step as a strip: hand-derived, right and their difference, and the worst place of it magnified."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.report.heat_maps import MOST_PIXELS, Side, largest_of, side_by_side
from tinygrad_cnn.check.report.magnified import Grid, Place, digits_for, grid, number, place
from tinygrad_cnn.check.results import Comparison, Parameter, Results, Step, Written
from tinygrad_cnn.engine.graph import Array

LARGE = 240  # CSS pixels of the longer side of an image


@dataclass(frozen=True)
class Strip:
    """What the page shows of the first wrong step, or of the first wrong parameter.

    row        it
    sides      the arrays as heat maps, with what each is
    frame      where on them the magnified place is, in CSS; None if nothing is magnified
    grids      the numbers at that place
    words      what the magnified place is
    written    the source, if it is known
    """

    row: Step | Parameter
    sides: list[tuple[str, Side]]
    frame: str | None
    grids: list[Grid]
    words: str
    written: Written | None


def strip(report: Results) -> Strip | None:
    """The strip; None if nothing hand-derived is wrong."""
    row: Step | Parameter | None = report.first_wrong or next((p for p in report.parameters if p.is_wrong), None)
    if row is None or row.hand_derived is None:
        return None
    hand, right, comparison = row.hand_derived, _right(row), _comparison(row)
    reference = sentences.RIGHT_ARRAY if isinstance(row, Step) or row.autodiff is not None else sentences.BY_DIFFERENCES
    if any(
        p.autodiff_vs_differences is not None and p.autodiff_vs_differences.verdict == "differ"
        for p in report.parameters
    ):
        reference = sentences.BY_AUTODIFF
    if hand.shape != right.shape or not hand.size:
        sides = [(sentences.BY_HAND, side_by_side(hand)[0]), (reference, side_by_side(right)[0])]
        return Strip(row, sides, None, [], "", row.written)
    names = (sentences.BY_HAND, reference, sentences.DIFFERENCE)
    with np.errstate(invalid="ignore", over="ignore"):
        arrays = (hand, right, hand - right)
    index = comparison.index if len(comparison.index) == hand.ndim else (0,) * hand.ndim  # not along a direction
    at = place(index, hand.shape, row.node, report.result)
    sides = list(zip(names, side_by_side(*arrays, only=at.leading, longest=LARGE), strict=True))
    if hand.size == 1:
        return Strip(row, sides, None, [], "", row.written)
    apart = ~(np.abs(np.ma.filled(arrays[2], 0.0)) <= comparison.error)
    height, width = (1, *hand.shape)[-2:]
    frame = at.frame(height, width) if max(height, width) <= MOST_PIXELS else None
    return Strip(row, sides, frame, _grids(report, row, names, arrays, at, apart), _words(at, report), row.written)


def _right(row: Step | Parameter) -> Array:
    if isinstance(row, Step):
        return row.expected
    return np.ma.masked_invalid((row.low + row.high) / 2) if row.autodiff is None else row.autodiff


def _comparison(row: Step | Parameter) -> Comparison:
    if isinstance(row, Step):
        return row.given_upstream
    found = row.hand_derived_vs_differences if row.autodiff is None else row.hand_derived_vs_autodiff
    assert found is not None  # it is wrong
    return found


def _grids(
    report: Results, row: Step | Parameter, names: tuple[str, ...], arrays: tuple[Array, ...], at: Place, apart: Array
) -> list[Grid]:
    """The numbers of the place: the value itself, if it is that of a step, and the three arrays."""
    scale, found = largest_of(*arrays[:2]), []
    digits = digits_for(at.of(arrays[0]), at.of(arrays[1]), at.of(apart))
    if isinstance(row, Step) and row.node.value is not None:
        value = np.asarray(row.node.value)
        found.append(grid(sentences.VALUE_OF.format(value=row.value), value, at, largest_of(value), None, 4))
    for name, x in zip(names, arrays, strict=True):
        of = largest_of(x) if x is arrays[2] else scale
        found.append(grid(name, x, at, of, apart, 3 if x is arrays[2] else digits))
    return found


def _words(at: Place, report: Results) -> str:
    """What is magnified, and of a window which cotangent it is given."""
    if at.window is None:
        return sentences.NEIGHBOURS
    pooled, index = at.window
    size = f"{len(at.rows)} x {len(at.columns)}"
    step = next((step for step in report.steps if step.node is pooled), None)
    if step is None or step.hand_derived.shape != pooled.like.shape:
        return sentences.WINDOW.format(size=size, primitive=pooled.primitive.__name__)
    return sentences.WINDOW_GIVEN.format(
        size=size, primitive=pooled.primitive.__name__, index=f"{step.name}[{', '.join(map(str, index))}]",
        value=number(float(step.hand_derived[index]), 4),
    )  # fmt: skip
