"""Integer labels: as vectors of 0 and 1, and as rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tinygrad_cnn.engine.graph import Array, scope
from tinygrad_cnn.engine.primitive import operand, primitive


def checked(labels: Any, name: str, what: str, count: int, ignored: int | None = None) -> Array:
    """`labels` as integers of range(count), those that are `ignored` as 0, or an error that begins with `name`.

    In a program this is one instruction, so that labels that are arguments of it are checked at each call.
    """
    labels = operand(labels)
    kind = np.dtype(getattr(labels, "dtype", type(labels)))
    if kind.kind not in "iu":
        raise TypeError(f"{name}: {what} have dtype {kind}; expected integers from 0 to {count - 1}")
    return labels_in_range(labels, name=name, what=what, count=count, ignored=ignored)


@primitive(pure=True, opaque=True)
def labels_in_range(labels: Array, /, name: str, what: str, count: int, ignored: int | None) -> Array:
    """The labels, those that are ignored as 0, if all are in range(count)."""
    labels = np.array(labels)  # a copy: what returns its operand is no instruction
    if ignored is not None:
        labels[np.equal(labels, ignored)] = 0
    wrong = (labels < 0) | (labels >= count)
    if np.any(wrong):
        place = tuple(map(int, np.argwhere(wrong)[0]))
        raise ValueError(
            f"{name}: {what}{list(place) if place else ''} is {labels[place]}; expected 0 to {count - 1}"
            + ("" if ignored is None else f", or {ignored}, which is ignored")
        )
    return labels


labels_in_range.defflops(lambda out, labels, **_: np.size(labels))


def one_hot(labels: Array, classes: int, dtype: DTypeLike = np.float64) -> Array:
    """Vectors of zeros with a 1 at the label.

    labels: integers from 0 to classes - 1, of any shape; returns (*shape of labels, classes) of `dtype`. Raises
    ValueError if a label is out of range, TypeError if labels are not integers.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.one_hot(np.array([2, 0]), 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    labels = checked(labels, "one_hot", "labels", classes)
    return np.equal(labels[..., None], np.arange(classes)).astype(dtype)


@scope("embedding", kind="layer")
def embedding(indices: Array, weight: Array) -> Array:
    """The rows of `weight` that `indices` name.

    indices: integers from 0 to rows - 1, of any shape, weight: (rows, features); returns (*shape of indices,
    features). Rows that are named several times get the sum of the cotangents. Raises ValueError if an index is out of
    range, also a negative one, TypeError if indices are not integers.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.embedding(np.array([2, 0, 2]), np.array([[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]]))
    array([[2. , 2.5],
           [0. , 0.5],
           [2. , 2.5]])
    """
    weight = operand(weight)
    if np.ndim(weight) != 2:
        raise ValueError(f"embedding: weight has shape {np.shape(weight)}; expected (rows, features)")
    return weight[checked(indices, "embedding", "indices", weight.shape[0])]
