"""What is told of an array: its numbers in short, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_cnn.pictures.view import labels

HUGE = 1e6  # what has grown beyond this in absolute value is said to explode
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
    absolute  all numbers but those of `number` and `sample` are told of absolute values, for the elements are complex
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
    picture: Any = field(default=None, repr=False)
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
    """What is to be told of `array`.

    flows: it was computed, so that zeros alone are a sign that something is dead (they are none in a constant).
    """
    if array is None:
        return Value(wrong=("freed",))
    x = np.asarray(array)
    if not x.size:
        return Value(wrong=("empty",))
    numbers = np.abs(x) if x.dtype.kind == "c" else x.astype(np.float64, copy=False)
    finite = np.isfinite(numbers)
    nans, infinite = int(np.isnan(numbers).sum()), int(np.isinf(numbers).sum())
    some = numbers if finite.all() else numbers[finite]
    wrong = []
    if nans:
        wrong.append("NaN" if nans == x.size else f"{nans} NaN")
    if infinite:
        wrong.append("Inf" if infinite == x.size else f"{infinite} Inf")
    if some.size and float(np.max(np.abs(some))) > HUGE:
        wrong.append(f"exploding: {labels.number(some.flat[np.argmax(np.abs(some))])}")
    if flows and x.size > 1 and not numbers.any():
        wrong.append("all zero")
    number = labels.number(x.reshape(-1)[0].item()) if x.size == 1 else None
    picture = None
    if number is None:
        from tinygrad_cnn.pictures.view import thumbnails

        picture = thumbnails.thumbnail(numbers)
    if not some.size:
        return Value(number=number, wrong=tuple(wrong), sample=_sample(x), picture=picture)
    least, most = float(some.min()), float(some.max())
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = float(some.mean()), float(some.std())
    return Value(
        number=number,
        least=least,
        most=most,
        mean=mean,
        std=std,
        zeros=float(np.mean(numbers == 0)),
        wrong=tuple(wrong),
        counts=_counts(some, least, most),
        sample=_sample(x),
        picture=picture,
        absolute=x.dtype.kind == "c",
    )


def _counts(some: Any, least: float, most: float) -> tuple[int, ...]:
    """A histogram; of what has one value only, or a range that no float holds, there is none."""
    width = most - least
    if not 0 < width < np.inf or least + width / BINS == least:
        return ()
    return tuple(np.histogram(some, BINS, (least, most))[0].tolist())


def _sample(x: Any) -> str:
    corner = x[(0,) * (x.ndim - 2)][:6, :5] if x.ndim >= 2 else x[:5] if x.ndim else x
    said: Any = {}
    if corner.dtype.kind == "f":  # NumPy writes 3.780e+00 where 0.002 stands beside
        width = max(len(f"{element:.3g}") for element in corner.flat)
        said["formatter"] = {"float_kind": lambda element: f"{element:{width}.3g}"}
    text = np.array2string(corner, precision=3, max_line_width=72, threshold=40, **said)
    return text + ("" if corner.size == x.size else "\n …")
