"""Constants that became arrays: in NumPy such an array shares the memory of what it was made of, and changes with it.

Here it does not, for an assignment moves the handle to another node. So an assignment raises as long as somebody holds
the array, or a view of it.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array, Handle


class _Owner:
    """What NumPy takes for the owner of an array's memory, so that all views of that array refer to the array."""

    def __init__(self, array: Array) -> None:
        self.array = array
        pointer, _ = array.__array_interface__["data"]
        self.__array_interface__ = {**array.__array_interface__, "data": (pointer, True)}  # read-only


def lend(handle: Any, array: Array) -> Array:
    """`array`, which holds the value of `handle`, a constant: read-only, and known to be in use while it is."""
    root: Handle = handle if handle._view is None else handle._view.root
    lent = np.asarray(_Owner(array))
    root.node.lent = [*_in_use(root), weakref.ref(lent)]  # type: ignore[attr-defined]
    return lent


def check_not_lent(root: Handle) -> None:
    """Raise NotImplementedError if `root`, which is to be assigned to, has become an array that is still in use."""
    if _in_use(root):
        raise NotImplementedError(
            "this Tensor cannot be assigned to while an array that np.asarray made of it is in use, as the two would "
            "share memory. Assign to it first, or make a copy with np.array"
        )


def _in_use(root: Handle) -> list[Any]:
    return [reference for reference in getattr(root.node, "lent", ()) if reference() is not None]
