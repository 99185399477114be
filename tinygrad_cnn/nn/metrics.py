"""Metrics: how good predictions are. They are numbers without a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import operand, to_values
from tinygrad_cnn.nn.labels import checked


def accuracy(scores: Array, labels: Array) -> float:
    """The part of examples whose label has the highest score.

    scores: (..., classes), such as logits, labels: integers (...) from 0 to classes - 1. Of tied scores the first
    counts; a NaN is never right. Raises ValueError if the shapes do not fit, a label is out of range, or there are no
    examples; TypeError if labels are not integers.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
    0.5
    """
    return _among_first("accuracy", scores, labels, 1)


def top_k(scores: Array, labels: Array, k: int = 5) -> float:
    """The part of examples whose label is among the `k` highest scores.

    Shapes, ties and errors as in `accuracy`. Raises ValueError if k is not between 1 and the number of classes.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.top_k(np.array([[0.1, 0.9, 0.5], [0.8, 0.2, 0.5]]), np.array([2, 1]), k=2)
    0.5
    """
    return _among_first("top_k", scores, labels, k)


def _among_first(name: str, scores: Any, labels: Any, k: int) -> float:
    scores, labels = to_values(operand(scores)), to_values(operand(labels))
    shape = np.shape(scores)
    if not shape or np.shape(labels) != shape[:-1] or not np.size(labels):
        raise ValueError(
            f"{name}: scores have shape {shape} and labels {np.shape(labels)}; expected (..., classes) and (...), with "
            "at least one example"
        )
    if not 1 <= k <= shape[-1]:
        raise ValueError(f"{name}: k is {k!r}; expected 1 to {shape[-1]}, the number of classes")
    labels = checked(labels, name, "labels", shape[-1])[..., None]
    first = np.argsort(-scores, axis=-1, stable=True)[..., :k]
    wrong = np.isnan(np.take_along_axis(scores, labels, -1))
    return float(np.mean(np.any((first == labels) & ~wrong, axis=-1)))


def confusion_matrix(predicted: Array, labels: Array, classes: int) -> NDArray[np.int64]:
    """How many examples of each label, in rows, were predicted to be of each class, in columns.

    predicted and labels: integers from 0 to classes - 1, of the same shape; returns (classes, classes). Raises
    ValueError if the shapes differ or a number is out of range, TypeError if they are not integers.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), 2)
    array([[1, 1],
           [0, 1]])
    """
    predicted, labels = operand(predicted), operand(labels)
    if np.shape(predicted) != np.shape(labels):
        raise ValueError(
            f"confusion_matrix: predicted has shape {np.shape(predicted)} and labels {np.shape(labels)}; expected the "
            "same shape. Of scores, take np.argmax(scores, -1)"
        )
    rows = checked(labels, "confusion_matrix", "labels", classes)
    columns = checked(predicted, "confusion_matrix", "predicted", classes)
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (rows, columns), 1)
    return counts
