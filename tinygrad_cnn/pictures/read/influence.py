"""Which elements an element of a value was computed from, and which it influenced."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.pictures.read.forward_half import draw_forward
from tinygrad_cnn.pictures.read.links import links_of, sizes_of
from tinygrad_cnn.pictures.read.reading import Reading, read_graph
from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.view.diagram import Box, Diagram
from tinygrad_cnn.pictures.view.influence import cone_of


def influence_of(result: Any, value: Any, index: Any) -> Influence:
    """What `influence` returns."""
    reading, diagram = read_graph(result, fold=False), Diagram()
    draw_forward(diagram, reading, values=False)
    return Influence(diagram, reading, *element_of(diagram, reading, value, index, "influence"))


def element_of(diagram: Diagram, reading: Reading, value: Any, index: Any, caller: str) -> tuple[str, int]:
    """The box of a value, given as a Tensor or by its name, and the number of its element at `index`."""
    if isinstance(value, Tensor):
        id = reading.ids.get(value.node)
        if id is None:
            raise ValueError(f"{caller}: {value!r} is none of the values that the result was computed from")
    else:
        id = _ids(diagram).get(value)
        if id is None:
            known = ", ".join([called(box) for box in diagram.boxes.values() if box.half == "forward"])
            raise ValueError(f"{caller}: no value is named {value!r}; this graph has {known}")
    box = diagram.boxes[id]
    try:
        place = tuple(map(operator.index, index if isinstance(index, tuple | list) else [index]))
        if len(place) != len(box.axes):
            raise IndexError
        return id, int(np.arange(math.prod(box.axes)).reshape(box.axes)[place])
    except (IndexError, TypeError):
        raise IndexError(
            f"{caller}: {index!r} is not the index of an element of {called(box)}; expected integers within its shape, "
            f"{box.axes}"
        ) from None


def _ids(diagram: Diagram) -> dict[str, str]:
    """The boxes of values, by their names and by their numbers."""
    boxes = [box for box in diagram.boxes.values() if box.half == "forward"]
    numbered = {f"%{box.number}": box.id for box in boxes if box.number is not None}
    return numbered | {box.name: box.id for box in boxes if box.name}


def called(box: Box) -> str:
    """What a value is called: its name, or "%3", as in a table of the graph."""
    return box.title if box.name or box.number is None else f"%{box.number}"


class Influence:
    """What an element was computed from, and what it influenced; see `tinygrad_cnn.influence`."""

    def __init__(self, diagram: Diagram, reading: Reading, box: str, element: int) -> None:
        cone = cone_of(links_of(diagram, reading), sizes_of(diagram), box, element)
        of = diagram.boxes[box]
        self.index = tuple(map(int, np.unravel_index(element, of.axes)))
        self.cut = cone.cut
        self._title, self._boxes, self._cone = called(of), diagram.boxes, cone
        self._of_nodes, self._of_names = reading.ids, _ids(diagram)
        self.before = {called(diagram.boxes[id]): self._array(id) for id in cone.before}
        self.after = {called(diagram.boxes[id]): self._array(id) for id in cone.after}

    def __getitem__(self, value: Any) -> Any:
        id = self._of_nodes.get(value.node) if isinstance(value, Tensor) else self._of_names.get(value)
        if id is None:
            raise KeyError(f"{value!r} is none of the values that the result was computed from")
        return self._array(id)

    def __repr__(self) -> str:
        lines = [f"{self._title}{list(self.index)}"]
        for says, arrays in (("computed from", self.before), ("influences", self.after)):
            for name, weights in arrays.items():
                many = f"{weights.count():,} of {weights.size:,}"
                lines.append(f"  {says:14} {name:12} {many:>18}   weights {_range(weights)}")
        return "\n".join([*lines, *[f"  {why}" for why in self.cut]])

    def _array(self, id: str) -> Any:
        shape, reach = self._boxes[id].axes, self._cone.of(id)
        if reach is None:
            return np.ma.array(np.zeros(shape), mask=True)
        return np.ma.array(reach.weights.reshape(shape), mask=~reach.elements.reshape(shape))


def _range(weights: Any) -> str:
    found = weights.compressed()
    ends = labels.number(found.min()), labels.number(found.max())
    return ends[0] if ends[0] == ends[1] else " … ".join(ends)
