"""The forms in which hand-derived gradients come: a tree, a list in the order of the parameters, names, or several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.check.witnesses.trace import as_array

Named = list[tuple[str, Any]]


@dataclass
class Returned:
    """What a hand-derived gradient returned.

    gradients   one for each parameter, in their order; None if they are among the named ones
    named       gradients and intermediate values, by name
    loss        the loss, if it came too
    rest        what has neither a place nor a name, so that it cannot be compared
    """

    gradients: list[Any] | None = None
    named: Named = field(default_factory=list)
    loss: Any = None
    rest: list[str] = field(default_factory=list)


def sorted_out(returned: Any, form: tree.Flat, shapes: Sequence[tuple[int, ...]]) -> Returned:
    """Sort out what was returned, for parameters of this tree structure and these shapes.

    Understood are the tree structure of the parameters; a tuple or list with one gradient for each, in their order; a
    dict, namedtuple, dataclass or any other object, by the names of its items or attributes; and a tuple of several of
    these, with the loss in the first place or without it: (loss, gradients), (gradients, intermediate values), ...
    """
    alone = _gradients(returned, form, shapes)
    if alone is not None:
        return Returned(alone)
    if not _is_sequence(returned):
        return Returned(named=named_parts(returned))
    items = list(returned)
    if len(items) > 1 and _is_number(items[0]):
        without_loss = _several(items[1:], form, shapes)
        # Of one parameter without a name, a number beside a dict is the gradient.
        if without_loss.gradients is not None or (without_loss.named and form.names != [""]):
            without_loss.loss = items[0]
            return without_loss
    return _several(items, form, shapes)


def _several(items: Sequence[Any], form: tree.Flat, shapes: Sequence[tuple[int, ...]]) -> Returned:
    """Several parts: the gradients, together or each by itself, and others by name, in any order."""
    gradients, leaves = _gradients(list(items), form, shapes), [item for item in items if _is_leaf(item)]
    if gradients is not None:
        return Returned(gradients)
    found = Returned(leaves if len(leaves) == len(shapes) else None)
    for k, item in enumerate(items):
        if found.gradients is None:
            found.gradients = _gradients(item, form, shapes)
            if found.gradients is not None:
                continue
        parts = named_parts(item)
        if parts:
            found.named += parts
        elif item is not None and not (_is_leaf(item) and len(leaves) == len(shapes)):
            found.rest.append(f"item {k} of what by_hand returned")
    return found


def _gradients(item: Any, form: tree.Flat, shapes: Sequence[tuple[int, ...]]) -> list[Any] | None:
    """The gradients in the order of the parameters, if `item` is that, by its structure."""
    flat = tree.flatten(item)
    if flat.names == form.names or (not any(flat.names) and len(flat.leaves) == len(form.leaves)):
        return flat.leaves
    if not _is_sequence(item) or not item or not all(map(_is_leaf, item)):
        return None
    if len(shapes) == 1:  # [dW], or a list with the elements of dW
        whole = shapes[0] == (len(item),) and all(map(_is_number, item))
        return [np.array(item)] if whole else list(item) if len(item) == 1 and _shape(item[0]) == shapes[0] else None
    return list(item) if len(item) == len(shapes) else None


def named_parts(item: Any) -> Named:
    """The leaves of `item` that have a name: an item of a dict, a field, or an attribute of an object."""
    if _is_sequence(item):
        return []
    flat = tree.flatten(item, "")
    if flat.names != [""]:
        return list(zip(flat.names, flat.leaves, strict=True))
    found: Named = []
    for name, attribute in getattr(item, "__dict__", {}).items():
        if not name.startswith("__"):
            inner = tree.flatten(attribute, name)
            found += [(path, x) for path, x in zip(inner.names, inner.leaves, strict=True) if is_array(x)]
    return found


def is_array(x: Any) -> bool:
    """Whether `x` is an array or number, of any library."""
    return isinstance(x, np.ndarray | np.generic | float | int) or (hasattr(x, "shape") and hasattr(x, "dtype"))


def _is_sequence(x: Any) -> bool:
    return isinstance(x, tuple | list) and not hasattr(x, "_fields")


def _is_leaf(x: Any) -> bool:
    return not isinstance(x, dict | tuple | list) and is_array(x)


def _shape(x: Any) -> tuple[int, ...] | None:
    return as_array(x).shape if _is_leaf(x) else None


def _is_number(x: Any) -> bool:
    return _is_leaf(x) and as_array(x).size == 1
