"""The two pairs of shapes that the article trains the model to distinguish, each with its own learning rate."""

from __future__ import annotations

from typing import NamedTuple

from tinygrad_cnn.circle_square.drawing import Shape


class Task(NamedTuple):
    """Circles, whose target is 0, against another shape, whose target is 1; learning_rate and epochs as published."""

    name: str
    shapes: tuple[Shape, Shape]
    learning_rate: float
    epochs: int


TASKS = {
    task.name: task
    for task in (
        Task("circle-square", ("circle", "square"), learning_rate=0.01, epochs=500),
        Task("circle-triangle", ("circle", "triangle"), learning_rate=0.015, epochs=700),
    )
}
