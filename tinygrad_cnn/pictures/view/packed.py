"""Links and values for a page, as JSON: their arrays stand one after another in one string, compressed.

{"arrays": <zlib, in base64>, "parts": [["f4", how many], ...],
 "values": {<id of a box>: <number of a part>},
 "links": [{"tail", "head", "counts", "elements", "weights"} or {"tail", "head", "why"}, ...]}

counts, elements and weights are those of the entries of a `Jacobian`: how many each row has, and for each the element
of the operand less that of the entry before, and the derivative. Each is the number of a part, or [x] where all of them
are x. Numbers are of single precision, where that holds them, else of double.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.pictures.view.influence import Array, Link

MOST = 2**21  # entries of all links, and elements of all values


def packed(links: Sequence[Link], values: Mapping[str, Array]) -> dict[str, Any]:
    """Links and values, flat, by the ids of boxes. Of both, the smallest are packed first, until there are too many."""
    arrays = _Arrays()
    kept = _smallest([0 if link.jacobian is None else len(link.jacobian.elements) for link in links])
    shown = _smallest([x.size for x in values.values()])
    found = []
    for link, is_kept in zip(links, kept, strict=True):
        ends: dict[str, Any] = {"tail": link.tail, "head": link.head}
        if link.jacobian is None:
            found.append(ends | {"why": link.why})
            continue
        starts, elements, weights = link.jacobian
        if not is_kept:
            found.append(
                ends | {"why": f"{len(elements):,} weights are more than a page holds (at most {MOST:,} in all)"}
            )
            continue
        parts = {"counts": np.diff(starts), "elements": np.diff(elements, prepend=0), "weights": weights}
        found.append(ends | {name: arrays.part(part) for name, part in parts.items()})
    numbers = {id: arrays.part(x) for (id, x), is_shown in zip(values.items(), shown, strict=True) if is_shown}
    return {"arrays": arrays.text(), "parts": arrays.parts, "values": numbers, "links": found}


def _smallest(sizes: Sequence[int]) -> list[bool]:
    """Which of these have at most `MOST` together, the smallest first."""
    order = np.argsort(sizes, kind="stable")
    found = np.zeros(len(sizes), bool)
    found[order] = np.cumsum(np.array(sizes, np.int64)[order]) <= MOST
    return list(map(bool, found))


class _Arrays:
    """Arrays that are packed one after another; each begins at a multiple of 8 bytes."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, int]] = []
        self._bytes: list[bytes] = []

    def part(self, x: Array) -> int | list[float]:
        """Pack `x`; the number of its part, or its one number."""
        if x.size and np.all(x == x[0]) and np.isfinite(x[0]):
            return [x[0].item()]
        x = _in_few_bytes(x)
        self.parts.append((f"{x.dtype.kind}{x.dtype.itemsize}", x.size))
        data = x.tobytes()
        self._bytes.append(data + b"\0" * (-len(data) % 8))
        return len(self.parts) - 1

    def text(self) -> str:
        return base64.b64encode(zlib.compress(b"".join(self._bytes), 6)).decode()


def _in_few_bytes(x: Array) -> Array:
    if x.dtype.kind in "iub":
        return x.astype("<i4")
    x = x.astype("<f8", copy=False)
    with np.errstate(all="ignore"):
        single = x.astype("<f4")
        sizes = np.abs(x[np.isfinite(x) & (x != 0)])
    limits = np.finfo(np.float32)
    return x if sizes.size and (sizes.max() > limits.max or sizes.min() < limits.tiny) else single
