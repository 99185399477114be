"""Which values a rule needs, found by running it on stand-ins, which note when their elements are read.

The graph of a recorded sweep does not show it, for a rule may need what is not in that graph: the place of the largest
element of a window, the sign of a value, a constant.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tinygrad_cnn.engine.graph import Node, no_grad
from tinygrad_cnn.pictures.read.reading import values

RESULT = -1  # the position of a step's result, among those of its operands

_OF_SHAPES = {"dtype", "itemsize", "nbytes", "ndim", "shape", "size", "strides"}
_ABOUT_SHAPES = {
    np.empty_like, np.full_like, np.iscomplexobj, np.isrealobj, np.ndim, np.ones_like, np.result_type, np.shape,
    np.size, np.zeros_like,
}  # fmt: skip


class StandIn(NDArrayOperatorsMixin):
    """An array to every NumPy function; `position` is added to `read` when its elements are read."""

    def __init__(self, array: Any, position: int, read: set[int]) -> None:
        self._array, self._position, self._read = array, position, read

    def _elements(self) -> Any:
        self._read.add(self._position)
        return self._array

    def __getattr__(self, name: str) -> Any:
        return getattr(self._array if name in _OF_SHAPES else self._elements(), name)

    def __getitem__(self, index: Any) -> Any:
        return self._elements()[index]

    def __len__(self) -> int:
        return len(self._array)

    def __bool__(self) -> bool:
        return bool(self._elements())

    def __float__(self) -> float:
        return float(self._elements())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self._elements(), dtype) if copy else np.asarray(self._elements(), dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any, **keywords: Any) -> Any:
        return getattr(ufunc, method)(*_elements(operands), **_elements(keywords))

    def __array_function__(self, function: Any, _types: Any, operands: Any, keywords: Any) -> Any:
        values = _arrays if function in _ABOUT_SHAPES else _elements
        return function(*values(operands), **values(keywords))


def _elements(x: Any) -> Any:
    return _replaced(x, StandIn._elements)


def _arrays(x: Any) -> Any:
    return _replaced(x, lambda stand_in: stand_in._array)


def _replaced(x: Any, by: Any) -> Any:
    if isinstance(x, StandIn):
        return by(x)
    if type(x) in (list, tuple):
        return type(x)([_replaced(item, by) for item in x])
    if isinstance(x, dict):
        return {name: _replaced(item, by) for name, item in x.items()}
    return x


def needed(node: Node, position: int, g: Any, among: Collection[int]) -> set[int]:
    """Which of the operands `among`, and `RESULT`, the rule of `node` for the operand at `position` reads elements of.

    g: the cotangent of `node`. A rule that does not run on stand-ins is taken to need all of them.
    """
    try:
        return read(node, position, g, among)
    except Exception:  # whatever a rule of a user's raises: the sweep has shown that it runs on arrays and Tensors
        return {RESULT, *among}


def read(node: Node, position: int, g: Any, among: Collection[int]) -> set[int]:
    """As `needed`; raises what the rule raises if it does not run on stand-ins."""
    found: set[int] = set()
    operands = [StandIn(x, at, found) if at in among else x for at, x in enumerate(values(node))]
    with no_grad(), np.errstate(all="ignore"):
        node.primitive.rules[position](g, StandIn(node.value, RESULT, found), *operands, **node.static_args)
    return found
