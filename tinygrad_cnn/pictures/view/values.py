"""A value as a picture shows it: its range, its statistics, and what is wrong with it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.view.thumbnails import Thumbnail, thumbnail

HUGE = 1e6  # larger absolute values are marked as exploding
BINS = 24  # of a histogram


@dataclass(frozen=True)
class Value:
    """An array as a picture shows it, without the array.

    number    a single element, written out; else None
    least, most, mean, std  of the finite elements; None where there are none
    zeros     the share of elements that are 0, in 0..1
    wrong     what is wrong with it, in words: "12 NaN", "all zero", ...
    counts    the histogram: how many finite elements lie in each of `BINS` equal parts of least..most
    sample    the first elements, written out
    picture   a PNG, how wide and high it is shown in points, and what it shows ("6 of 24"); None of a single element
    absolute  the elements are complex: all but `number` and `sample` are about their absolute values
    """

    number: str | None = None
    least: float | None = None
    most: float | None = None
    mean: float | None = None
    std: float | None = None
    zeros: float = 0.0
    wrong: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    sample: str = ""
    picture: Thumbnail | None = field(default=None, repr=False)
    absolute: bool = False

    @property
    def range(self) -> str:
        """The least and the largest element: "0 … 18.3", or "|0 … 18.3|" of complex ones, by absolute value."""
        if self.least is None or self.most is None:
            return ""
        ends = labels.number(self.least), labels.number(self.most)
        text = ends[0] if self.least == self.most else f"{ends[0]} … {ends[1]}"
        return f"|{text}|" if self.absolute else text


def describe(array: Any, *, flows: bool) -> Value:
    """What is to be shown of `array`.

    flows: it was computed, so that zeros alone are a sign that something is dead (they are none in a constant).
    """
    if array is None:
        return Value(wrong=("freed",))
    x = np.asarray(array)
    if not x.size:
        return Value(wrong=("empty",))
    numbers = np.abs(x) if x.dtype.kind == "c" else x.astype(np.float64, copy=False)
    is_finite = np.isfinite(numbers)
    finite = numbers if is_finite.all() else numbers[is_finite]  # no copy of a large array that needs none
    value = Value(
        number=labels.number(x.reshape(-1)[0].item()) if x.size == 1 else None,
        wrong=_wrong(numbers, finite, flows and x.size > 1),
        sample=_sample(x),
        picture=thumbnail(numbers) if x.size > 1 else None,
    )
    if not finite.size:
        return value
    least, most = float(finite.min()), float(finite.max())
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = float(finite.mean()), float(finite.std())
    return dataclasses.replace(
        value,
        least=least,
        most=most,
        mean=mean,
        std=std,
        zeros=float(np.mean(numbers == 0)),
        counts=_counts(finite, least, most),
        absolute=x.dtype.kind == "c",
    )


def _wrong(numbers: Any, finite: Any, zeros_are: bool) -> tuple[str, ...]:
    """What is wrong with an array, of which these elements are finite."""
    wrong = []
    for name, test in (("NaN", np.isnan), ("Inf", np.isinf)):
        count = int(test(numbers).sum())
        if count:
            wrong.append(name if count == numbers.size else f"{count} {name}")
    if finite.size:
        largest = finite.flat[np.argmax(np.abs(finite))]
        if abs(largest) > HUGE:
            wrong.append(f"exploding: {labels.number(largest)}")
    if zeros_are and not numbers.any():
        wrong.append("all zero")
    return tuple(wrong)


def _counts(some: Any, least: float, most: float) -> tuple[int, ...]:
    """A histogram; of what has one value only, or a range that no float holds, there is none."""
    width = most - least
    if not 0 < width < np.inf or least + width / BINS == least:
        return ()
    return tuple(np.histogram(some, BINS, (least, most))[0].tolist())


def _sample(x: Any) -> str:
    """The first elements, written out: of a matrix those of its corner, of a stack of matrices those of the first."""
    if x.ndim >= 2:
        corner = x[(0,) * (x.ndim - 2)][:6, :5]
    elif x.ndim == 1:
        corner = x[:5]
    else:
        corner = x
    options: Any = {}
    if corner.dtype.kind == "f":  # by itself NumPy writes 3.780e+00 where there is a 0.002 beside it
        width = max(len(f"{element:.3g}") for element in corner.flat)
        options["formatter"] = {"float_kind": lambda element: f"{element:{width}.3g}"}
    text = np.array2string(corner, precision=3, max_line_width=72, threshold=40, **options)
    return text if corner.size == x.size else f"{text}\n …"
