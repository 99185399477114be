"""A value as a picture shows it: its range, its statistics, and what is wrong with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.view.thumbnails import Thumbnail, side_by_side, thumbnail

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
    numbers = _real(x)
    is_finite = np.isfinite(numbers)
    finite = numbers if is_finite.all() else numbers[is_finite]  # no copy of a large array that needs none
    value = Value(
        number=labels.number(x.reshape(-1)[0].item()) if x.size == 1 else None,
        wrong=_wrong(numbers, finite, flows and x.size > 1),
        sample=_sample(x),
        picture=thumbnail(numbers) if x.size > 1 else None,
        absolute=x.dtype.kind == "c",
    )
    return _with_statistics(value, numbers, finite)


def describe_all(arrays: Sequence[Any], *, flows: bool) -> Value:
    """What is to be shown of arrays that are drawn as one, such as those of the iterations of a loop, in order.

    The range and the statistics are those of all. Pictures are those of the first, of the last, and of the worst where
    that is another: the one with the most elements that are not finite, or else with the largest. Of single elements,
    the picture is the strip of all. What is wrong with some of them alone is said with how many they are, and which is
    the first; zeros are wrong only where all elements of all arrays are 0.
    """
    if len(arrays) == 1:
        return describe(arrays[0], flows=flows)
    if any(array is None for array in arrays):
        return Value(wrong=("freed",))
    several = [np.asarray(array) for array in arrays]
    sizes = np.array([x.size for x in several])
    if not sizes.all():
        return Value(wrong=("empty",))
    numbers = np.concatenate([_real(x).reshape(-1) for x in several])
    starts = np.cumsum(sizes) - sizes
    is_finite = np.isfinite(numbers)
    finite = numbers[is_finite]
    bad = np.add.reduceat(~is_finite, starts)
    largest = np.maximum.reduceat(np.where(is_finite, np.abs(numbers), 0), starts)
    worst = int(np.argmax(bad)) if bad.any() else int(np.argmax(largest))
    if (sizes == 1).all():
        picture = thumbnail(numbers)
    else:
        chosen = {"first": 0, "last": len(several) - 1} | ({"worst": worst} if 0 < worst < len(several) - 1 else {})
        picture = side_by_side({word: _real(several[i]) for word, i in chosen.items()}, numbers)
    wrong = [
        *_in_some("NaN", np.add.reduceat(np.isnan(numbers), starts) > 0),
        *_in_some("Inf", np.add.reduceat(np.isinf(numbers), starts) > 0),
        *_in_some(f"exploding: {labels.number(largest.max())}", largest > HUGE),
    ]
    if flows and sizes.max() > 1 and not numbers.any():
        wrong.append("all zero")
    value = Value(
        wrong=tuple(wrong), sample=_sample(several[0]), picture=picture, absolute=several[0].dtype.kind == "c"
    )
    return _with_statistics(value, numbers, finite)


def _real(x: Any) -> Any:
    """The elements as floats; of complex ones, their absolute values."""
    return np.abs(x) if x.dtype.kind == "c" else x.astype(np.float64, copy=False)


def _in_some(what: str, those: Any) -> list[str]:
    """What is wrong with those of several arrays for which it is true, in words."""
    count = int(those.sum())
    if not count:
        return []
    if count == len(those):
        return [what]
    first = labels.ordinal(int(np.argmax(those)) + 1)
    return [f"{what} in the {first}" if count == 1 else f"{what} in {count:,} of {len(those):,}, the {first} first"]


def _with_statistics(value: Value, numbers: Any, finite: Any) -> Value:
    """`value` with the statistics of these numbers, of which some are finite."""
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
    """A histogram; of what has one value only, or a range that no float holds, there is none.

    Not NumPy's, which raises where the range is a few roundings wide, so that its parts have no edges of their own.
    """
    width = most - least
    if not 0 < width < np.inf:
        return ()
    part = ((some.reshape(-1) - least) / width * BINS).astype(int)
    return tuple(np.bincount(part.clip(0, BINS - 1), minlength=BINS).tolist())


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
        width = max(len(f"{element + 0:.3g}") for element in corner.flat)
        options["formatter"] = {"float_kind": lambda element: f"{element + 0:{width}.3g}"}
    text = np.array2string(corner, precision=3, max_line_width=72, threshold=40, **options)
    return text if corner.size == x.size else f"{text}\n …"
