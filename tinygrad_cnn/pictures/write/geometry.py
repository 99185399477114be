"""Where things stand in a picture that Graphviz has laid out, and which of them overlap.

Graphviz keeps boxes apart, but not always if boxes of several frames are to stand side by side.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import NamedTuple

_SVG = "{http://www.w3.org/2000/svg}"
_POINT = re.compile(r"(-?[\d.]+),(-?[\d.]+)")
SLACK = 0.5  # points: borders may touch


class Place(NamedTuple):
    """What stands in a rectangle: a "node", with its id, or the "title" of a frame."""

    kind: str
    id: str
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Place) -> bool:
        """Whether the two have an area in common."""
        return (
            min(self.right, other.right) - max(self.left, other.left) > SLACK
            and min(self.bottom, other.bottom) - max(self.top, other.top) > SLACK
        )


def width_of(text: str, size: float, bold: bool) -> float:
    """About how wide a text is, in points."""
    return len(text) * size * (0.6 if bold else 0.55)


def places(svg: str, width: Callable[[str, float, bool], float] = width_of) -> list[Place]:
    """The boxes and the titles of frames in an SVG of Graphviz."""
    found = []
    for group in ET.fromstring(svg).iter(f"{_SVG}g"):
        kind = group.get("class", "").split(" ")[0]
        if kind not in ("node", "cluster", "title"):
            continue
        points = list(_points(group)) if kind == "node" else []
        if not points:
            points = [corner for text in group.iter(f"{_SVG}text") for corner in corners(text, width)]
        if points:
            across, down = zip(*points, strict=True)
            name = "node" if kind == "node" else "title"
            found.append(Place(name, group.get("id", ""), min(across), min(down), max(across), max(down)))
    return found


def overlapping(found: list[Place]) -> list[tuple[Place, Place]]:
    """The pairs that overlap."""
    pairs = []
    row: list[Place] = []  # what has not ended yet, from left to right
    for place in sorted(found, key=lambda place: place.left):
        row = [other for other in row if other.right > place.left + SLACK]
        pairs += [(other, place) for other in row if other.overlaps(place)]
        row.append(place)
    return pairs


def _points(group: ET.Element) -> Iterator[tuple[float, float]]:
    """The corners of what is drawn in a group."""
    for shape in group.iter():
        yield from points(shape)


def points(shape: ET.Element) -> list[tuple[float, float]]:
    """The corners of a polygon or a path; of all else, none."""
    pairs = _POINT.findall(shape.get("points", "") or shape.get("d", ""))
    return [(float(x), float(y)) for x, y in pairs]


def corners(text: ET.Element, width: Callable[[str, float, bool], float]) -> list[tuple[float, float]]:
    """Two opposite corners of a text."""
    size = float(text.get("font-size", "14"))
    wide = width(text.text or "", size, text.get("font-weight") == "bold")
    x, y = float(text.get("x", "0")), float(text.get("y", "0"))
    left = {"middle": x - wide / 2, "end": x - wide}.get(text.get("text-anchor", ""), x)
    return [(left, y - 0.8 * size), (left + wide, y + 0.2 * size)]
