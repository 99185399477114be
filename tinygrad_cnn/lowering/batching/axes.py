"""Which axis of each array runs over the examples: in_axes and out_axes, as trees in front of arguments and results."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.engine.graph import Handle

_ARRAYS = (np.ndarray, np.generic, Handle)


def checked_axes(axes: Any, name: str) -> Any:
    """`axes`, if every leaf of it is an axis or None. Raises TypeError for another."""
    for leaf, path in zip(*tree.flatten(axes, name)[:2], strict=True):
        if isinstance(leaf, bool) or not hasattr(type(leaf), "__index__"):
            raise TypeError(
                f"vmap: {path} is {leaf!r}; expected an axis or None, or a dict, list, tuple or dataclass of these, as "
                f"the {'arguments' if name == 'in_axes' else 'result'}"
            )
    return axes


def of_arguments(in_axes: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> list[int | None]:
    """The axis of each leaf of the arguments, in order; that of each keyword argument is 0."""
    if in_axes is None or not isinstance(in_axes, tuple | list):
        each = [in_axes] * len(args)
    elif len(in_axes) == len(args):
        each = list(in_axes)
    else:
        raise ValueError(
            f"vmap: in_axes has {len(in_axes)} entries for {len(args)} positional arguments; expected one for each, or "
            "one axis for all. Keyword arguments are mapped over their axis 0"
        )
    found: list[int | None] = []
    for k, (axes, argument) in enumerate(zip(each, args, strict=True)):
        found += spread(axes, argument, f"in_axes[{k}]", "the argument")
    for argument in keywords.values():
        found += spread(0, argument, "in_axes", "the argument")
    return found


def spread(axes: Any, of: Any, path: str, what: str) -> list[int | None]:
    """The axis of each leaf of the tree `of`: `axes` is an axis for all, None, or a tree that `of` begins like."""
    if axes is None or tree.parts_of(axes, path) is None:
        axis = None if axes is None else operator.index(axes)
        return [axis] * len(tree.flatten(of).leaves)
    parts, axes_parts = tree.parts_of(of, path), tree.parts_of(axes, path)
    assert axes_parts is not None
    if parts is None or parts[1] != axes_parts[1]:
        given = ", ".join(axes_parts[1]) or "an empty container"
        found = f"a {type(of).__name__}" if parts is None else ", ".join(parts[1]) or "an empty container"
        raise ValueError(
            f"vmap: {path} has another structure than {what}: it has {given}, and {what} is {found}; expected an axis "
            "or None, or a tree like the beginning of it"
        )
    result: list[int | None] = []
    for child, child_axes, name in zip(parts[0], axes_parts[0], parts[1], strict=True):
        result += spread(child_axes, child, name, what)
    return result


def size_of(leaves: Sequence[Any], names: Sequence[str], axes: Sequence[int | None]) -> int:
    """How many examples there are. Raises ValueError if arrays disagree, have no such axis, or none is mapped."""
    sizes: dict[int, list[str]] = {}
    for leaf, name, axis in zip(leaves, names, axes, strict=True):
        if axis is None:
            continue
        if not isinstance(leaf, _ARRAYS):
            raise ValueError(
                f"vmap: argument {name} is {leaf!r} ({type(leaf).__name__}), which has no axis {axis}; expected an "
                "array. With in_axes None for it, it is the same for all examples"
            )
        shape: tuple[int, ...] = leaf.shape  # type: ignore[union-attr]
        if not -len(shape) <= axis < len(shape):
            raise ValueError(
                f"vmap: argument {name} has shape {shape}, and so no axis {axis}; expected an axis of it in in_axes, "
                "or None if it is the same for all examples"
            )
        sizes.setdefault(shape[axis], []).append(f"{name} (axis {axis} of shape {shape})")
    if not sizes:
        raise ValueError(
            "vmap: in_axes maps no argument, so how many examples there are is unknown; expected an axis for at least "
            "one array"
        )
    if len(sizes) > 1:
        given = "; ".join(f"{size} in {', '.join(found)}" for size, found in sizes.items())
        raise ValueError(f"vmap: the numbers of examples differ: {given}; expected the same in all mapped arguments")
    return next(iter(sizes))
