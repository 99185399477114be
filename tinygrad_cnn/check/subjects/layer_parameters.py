"""Where a layer keeps its parameters: paths through attributes, dicts and lists."""

from __future__ import annotations

from types import FunctionType, ModuleType
from typing import Any

import numpy as np

CONTAINERS = ("params", "parameters", "weights")
BACKWARD = ("backward", "backward_pass", "bprop", "backprop")


def get(layer: Any, path: str) -> Any:
    """What stands at a path: "W", "params.W", "params.0", "cell.W"; "W" also of `params` and its like.

    Raises KeyError if there is nothing.
    """
    x = layer
    for name in _resolved(layer, path):
        x = _item(x, name)
    return x


def put(layer: Any, path: str, value: Any) -> None:
    """Put a value there."""
    *parents, name = _resolved(layer, path)
    x = layer
    for parent in parents:
        x = _item(x, parent)
    if isinstance(x, dict):
        x[_key(x, name)] = value
    elif isinstance(x, list):
        x[int(name)] = value
    else:
        setattr(x, name, value)


def places_of(layer: Any, x: Any) -> list[tuple[Any, ...]]:
    """Where else in a layer an array is: the same one may stand in `params` and be an attribute, of a layer within too.

    A place is a tuple of names of attributes and, within lists and dicts, of one-element tuples with an index or a key.
    """
    found: list[tuple[Any, ...]] = []
    seen: set[int] = set()

    def look(holder: Any, place: tuple[Any, ...]) -> None:
        if holder is x:
            found.append(place)
        if id(holder) in seen or isinstance(holder, np.ndarray | type | ModuleType | FunctionType):
            return
        seen.add(id(holder))
        if isinstance(holder, dict):
            parts = [((key,), inner) for key, inner in holder.items()]
        elif isinstance(holder, list | tuple):
            parts = [((k,), inner) for k, inner in enumerate(holder)]
        else:
            parts = list(getattr(holder, "__dict__", {}).items())
        for key, inner in parts:
            look(inner, (*place, key))

    for name, inner in getattr(layer, "__dict__", {}).items():
        look(inner, (name,))
    return found


def put_at(layer: Any, place: tuple[Any, ...], value: Any) -> None:
    """Put a value at one of the places that `places_of` found; a tuple is left as it is."""
    *parents, key = place
    x = layer
    for parent in parents:
        x = x[parent[0]] if isinstance(parent, tuple) else getattr(x, parent)
    if isinstance(key, tuple) and not isinstance(x, tuple):
        x[key[0]] = value
    elif not isinstance(key, tuple):
        setattr(x, key, value)


def found_parameters(layer: Any, depth: int = 3) -> list[str]:
    """The paths of what may be parameters: the entries of `params` and its like, else attributes; in layers within too.

    depth: how many layers within one another are looked at.
    """
    for name in CONTAINERS:
        container = container_of(layer, name)
        if isinstance(container, dict | list) and container:
            keys = container if isinstance(container, dict) else range(len(container))
            found = [f"{name}.{key}" for key in keys if is_parameter(_item(container, str(key)))]
            if found:
                return found
    attributes = getattr(layer, "__dict__", {})
    inner = [(name, x) for name, x in attributes.items() if depth and is_layer(x)]
    return [name for name, x in attributes.items() if is_parameter(x)] + [
        f"{name}.{path}" for name, x in inner for path in found_parameters(x, depth - 1)
    ]


def in_container(path: str) -> bool:
    """Whether a path goes through `params` or its like."""
    return any(name in CONTAINERS for name in path.split(".")[:-1])


def is_layer(x: Any) -> bool:
    """Whether `x` is a layer itself, though it can be called, and not what makes one."""
    return not isinstance(x, type) and any(hasattr(x, name) for name in BACKWARD)


def container_of(layer: Any, name: str) -> Any:
    """An attribute; None if there is none, or none yet: a property may need what the first forward pass makes."""
    try:
        return getattr(layer, name, None)
    except Exception:  # whatever a property may raise
        return None


def is_parameter(x: Any) -> bool:
    """Whether `x` may be a parameter: an array of floats."""
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def _resolved(layer: Any, path: str) -> list[str]:
    """The names on a path; of one that is no attribute, within the container that has it."""
    names = path.split(".")
    if not hasattr(layer, names[0]):
        for container in CONTAINERS:
            inner = container_of(layer, container)
            if isinstance(inner, dict) and any(str(key) == names[0] for key in inner):
                return [container, *names]
    return names


def _item(x: Any, name: str) -> Any:
    if isinstance(x, dict):
        return x[_key(x, name)]
    if isinstance(x, list | tuple) and name.isdigit() and int(name) < len(x):
        return x[int(name)]
    if not hasattr(x, name):
        raise KeyError(name)
    return getattr(x, name)


def _key(x: dict[Any, Any], name: str) -> Any:
    return next((key for key in x if str(key) == name), name)
