"""Graphs that the tests of pictures draw."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square import data, pictures
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import PUBLISHED_SEED, start_of
from tinygrad_cnn.pictures.read.build import diagram_of
from tinygrad_cnn.pictures.view.diagram import Box, Diagram


def circle_square(recipe: Any = "robust", seed: int = 0) -> Any:
    """The loss of the bundled drawings, at the parameters that a recipe begins with."""
    drawings = data.bundled(TASKS["circle-square"]).train
    return pictures.graph_of(data.Scaling()(drawings.grey), drawings.y, start_of(recipe, seed), "published")


def published() -> Any:
    return circle_square("published", PUBLISHED_SEED)


def small() -> tuple[Any, Any]:
    """A parameter W and a loss of it."""
    W = tg.Tensor(np.array([[1.0, -2.0], [0.5, 3.0]]), "W")
    x = np.array([2.0, 1.0])
    hidden = np.tanh(W @ x)
    loss = np.sum(hidden * hidden)
    return W, loss


def named(diagram: Diagram, name: str) -> Box:
    """The one box of this name."""
    found = [box for box in diagram.boxes.values() if box.name == name]
    assert len(found) == 1, [box.name for box in diagram.boxes.values()]
    return found[0]


def edges(diagram: Diagram, flow: str = "forward") -> set[tuple[str, str]]:
    """(tail, head) of the edges of a flow, by what the boxes are called."""
    return {
        (diagram.boxes[e.tail].title, diagram.boxes[e.head].title)
        for e in diagram.edges
        if e.flow == flow and e.detail is None
    }


__all__ = ["circle_square", "diagram_of", "edges", "named", "published", "small"]
