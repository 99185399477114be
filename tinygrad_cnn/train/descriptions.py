"""Hyperparameters in words that are the same in another process, to compare with those of a file."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

from tinygrad_cnn import tree


def described(x: Any) -> str:
    """An object in words, without an address; a function by its name, and the numbers and functions it closes over."""
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        fields = [f"{field.name}={described(getattr(x, field.name))}" for field in dataclasses.fields(x)]
        return f"{type(x).__name__}({', '.join(fields)})"
    if isinstance(x, FunctionType):
        closure = [described(value) for value in _closed_over(x)]
        return x.__qualname__.replace(".<locals>", "") + (f"[{', '.join(closure)}]" if closure else "")
    if isinstance(x, type | BuiltinFunctionType | np.ufunc):
        return x.__name__
    if isinstance(x, np.ndarray):
        return f"array {x.dtype}{list(x.shape)} {zlib.crc32(np.ascontiguousarray(x).tobytes())}"
    if isinstance(x, list | tuple):
        return f"({', '.join(map(described, x))})"
    return repr(x) if isinstance(x, bool | int | float | complex | str | np.generic | None) else type(x).__name__


def static_fields(tree_: Any, name: str = "") -> dict[str, str]:
    """The static fields of the dataclasses in a tree, in words, by their names ("layers[0].stride")."""
    found: dict[str, str] = {}
    waiting = [(tree_, name)]
    while waiting:
        item, path = waiting.pop()
        children, paths, _ = tree.parts_of(item, path) or ((), (), None)
        waiting.extend(zip(children, paths, strict=True))
        if paths is not None and hasattr(type(item), "__dataclass_fields__"):
            for field in tree.fields(type(item))[1]:
                found[f"{path}.{field}" if path else field] = described(getattr(item, field))
    return found


def _closed_over(function: FunctionType) -> Iterator[Any]:
    """Not containers and other objects, which may change while the function is used."""
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:  # it is not assigned yet
            continue
        if isinstance(value, bool | int | float | str | FunctionType) and value is not function:
            yield value
