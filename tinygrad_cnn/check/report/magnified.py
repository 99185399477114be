"""A place of an array drawn large, with its numbers: a window of which some elements win, or an element with others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.check.report.heat_maps import colours_of, floats
from tinygrad_cnn.engine.graph import Array, Node, ancestors
from tinygrad_cnn.primitives import windows

BESIDE = 1, 2  # neighbours above and below, and on the left and on the right
LARGEST = 6  # rows or columns of a window that is drawn


class Place(NamedTuple):
    """Rows and columns of one image of a stack; `window`: the output of a primitive that they are the window of."""

    leading: tuple[int, ...]
    rows: range
    columns: range
    window: tuple[Node, tuple[int, ...]] | None = None

    def of(self, x: Array) -> Array:
        """The elements there."""
        image = x[self.leading] if x.ndim > 1 else x.reshape(1, -1)
        return image[self.rows.start : self.rows.stop, self.columns.start : self.columns.stop]

    def frame(self, height: int, width: int) -> str:
        """Where it is on an image of this size, in CSS."""
        down, across = 100 / height, 100 / width
        return (
            f"top:{self.rows.start * down:.4g}%;height:{len(self.rows) * down:.4g}%;"
            f"left:{self.columns.start * across:.4g}%;width:{len(self.columns) * across:.4g}%"
        )


@dataclass(frozen=True)
class Cell:
    """A number, in the colours that it has in the heat map, and whether it is where the two arrays differ."""

    number: str
    fill: str
    ink: str
    differs: bool


@dataclass(frozen=True)
class Grid:
    """Numbers in rows and columns, with their indices; of a window of a pooling, also their sum."""

    caption: str
    columns: Sequence[int]
    rows: Sequence[tuple[int, list[Cell]]]
    total: str = ""


def place(index: tuple[int, ...], shape: tuple[int, ...], node: Node | None, result: Node | None) -> Place:
    """What to magnify around an element of the cotangent of a node: its window, if it is pooled, or its neighbours."""
    leading, (row, column) = index[:-2], (0, *index)[-2:]
    height, width = (1, *shape)[-2:]
    for pooled in _pooled_from(node, result):
        at = windows.layout(shape, pooled.static_args["window"], pooled.static_args.get("stride"))
        (kh, kw, out_h, out_w), (sh, sw) = at.windows[-4:], at.stride
        i, j = min(row // sh, out_h - 1), min(column // sw, out_w - 1)
        rows, columns = range(i * sh, i * sh + kh), range(j * sw, j * sw + kw)
        if row in rows and column in columns and max(kh, kw) <= LARGEST:
            return Place(leading, rows, columns, (pooled, (*leading, i, j)))
    return Place(leading, _around(row, height, BESIDE[0]), _around(column, width, BESIDE[1]))


def _pooled_from(node: Node | None, result: Node | None) -> Iterable[Node]:
    """What is computed from the windows of a node, of which some elements win."""
    if node is None or result is None:
        return
    for x in ancestors([result])[0]:
        competes = x.primitive is not None and x.primitive.windowed and x.primitive.kink is not None
        if competes and any(of is node for _, of in x.sources):
            yield x


def _around(at: int, size: int, beside: int) -> range:
    """An index with its neighbours; at an end of the axis as many, on the other side."""
    count = min(2 * beside + 1, size)
    begin = min(max(at - beside, 0), size - count)
    return range(begin, begin + count)


def grid(caption: str, x: Array, at: Place, scale: float, apart: Array | None, digits: int) -> Grid:
    """The elements of `x` at a place, in colours to `scale`; `apart`: where they are not what they should be."""
    here = floats(at.of(x))
    differs = np.zeros(here.shape, bool) if apart is None else at.of(apart)
    rows = [
        (row, [_cell(v, scale, digits, bool(d)) for v, d in zip(values, wrong, strict=True)])
        for row, values, wrong in zip(at.rows, here, differs, strict=True)
    ]
    total = "" if at.window is None or apart is None else number(here.sum(), max(digits, 4))
    return Grid(caption, at.columns, rows, total)


def _cell(x: Any, scale: float, digits: int, differs: bool) -> Cell:
    if np.ma.is_masked(x):
        return Cell("", "none", "inherit", False)
    return Cell(number(x, digits), *colours_of(x, scale), differs)


def number(x: float, digits: int) -> str:
    """A number in so many digits, of which a zero has no sign."""
    return f"{x + 0.0:.{digits}g}"


def digits_for(one: Array, other: Array, apart: Array) -> int:
    """In how many digits any two elements that differ are written differently."""
    pairs = list(zip(one[apart].tolist(), other[apart].tolist(), strict=True))
    return next((d for d in (3, 4, 6, 9, 12) if all(number(x, d) != number(y, d) for x, y in pairs)), 17)
