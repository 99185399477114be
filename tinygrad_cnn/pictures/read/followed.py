"""An element that is followed through a picture: what it was computed from, and what it influences, lights up."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.pictures.read.cotangents import Sweep
from tinygrad_cnn.pictures.read.influence import called, element_of
from tinygrad_cnn.pictures.read.links import arrays_of, links_of, sizes_of
from tinygrad_cnn.pictures.read.reading import Reading
from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.view.diagram import Diagram
from tinygrad_cnn.pictures.view.influence import Cone, cone_of
from tinygrad_cnn.pictures.view.thumbnails import Lit, thumbnail


def follow(diagram: Diagram, reading: Reading, back: Sweep | None, pixel: Any) -> None:
    """Light up what `pixel`, a value and an index, depends on, and what depends on it, in values and cotangents."""
    box, element = _element(diagram, reading, pixel)
    cone = cone_of(links_of(diagram, reading), sizes_of(diagram), box, element)
    arrays, cotangents = arrays_of(diagram, reading, back), diagram.cotangents()
    for id in [box, *cone.before, *cone.after]:
        lit = _lit(cone, id)
        for shown in (id, cotangents.get(id) if box in cotangents else None):
            if shown is None:
                continue
            of = diagram.boxes[shown]
            of.reached = lit.kind
            if shown in arrays and of.value is not None and of.value.picture is not None:
                picture = thumbnail(arrays[shown].reshape(of.axes), lit)
                of.value = dataclasses.replace(of.value, picture=picture)
    index = list(map(int, np.unravel_index(element, diagram.boxes[box].axes)))
    value = f" = {labels.number(arrays[box][element])}" if box in arrays else ""
    where = f"{called(diagram.boxes[box])}{index if index else ''}{value}"
    diagram.notes.append(f"{where}: yellow is what it was computed from, green what it influences")
    diagram.notes += cone.cut


def pixel_of(diagram: Diagram, reading: Reading, pixel: Any) -> str:
    """`pixel` as the page has it."""
    return "{}_{}".format(*_element(diagram, reading, pixel))


def _element(diagram: Diagram, reading: Reading, pixel: Any) -> tuple[str, int]:
    if not isinstance(pixel, Sequence) or isinstance(pixel, str) or len(pixel) != 2:
        raise TypeError(
            f"render: pixel is {pixel!r}; expected a value and the index of an element, such as ('pool', (0, 3, 4))"
        )
    value, index = pixel
    return element_of(diagram, reading, value, index, "render")


def _lit(cone: Cone, id: str) -> Lit:
    if id == cone.box:
        return Lit("pixel", *cone.itself)
    return Lit("before", *cone.before[id]) if id in cone.before else Lit("after", *cone.after[id])
