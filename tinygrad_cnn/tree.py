"""Trees: any nesting of dict, list, tuple, namedtuple and dataclass, as a flat list of leaves and back.

A field of a dataclass whose metadata has "static" is no part of the leaves, but of the structure: a hyperparameter.
"""

from __future__ import annotations

import builtins
import copy
import dataclasses
import functools
import operator
from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tinygrad_cnn.advice.arguments import other_structure

T = TypeVar("T")

MANY = 100_000  # containers and leaves
_SEQUENCES = (list, tuple)
_LEAVES = (np.ndarray, float)  # the usual leaves, known at a glance
_END = object()  # stands behind the children of a container while they are waited for
_ARRAYS = frozenset([np.ndarray, float, np.float64, np.float32])


class Flat(NamedTuple):
    """The leaves of a tree, their names ("layers[0].W"), and a function that rebuilds the tree from other leaves."""

    leaves: list[Any]
    names: list[str]
    rebuild: Callable[[list[Any]], Any]


def flatten(tree: Any, name: str = "") -> Flat:
    """Flatten `tree`. Anything but a container is a leaf; None is an empty container. `name` is the name of the whole.

    Static fields of dataclasses are not leaves, and are the same in what is rebuilt.

    >>> flat = flatten({"W": 1.0, "rest": [2.0, 3.0]})
    >>> flat.leaves, flat.names
    ([1.0, 2.0, 3.0], ['W', 'rest[0]', 'rest[1]'])
    >>> flat.rebuild([4.0, 5.0, 6.0])
    {'W': 4.0, 'rest': [5.0, 6.0]}
    """
    if isinstance(tree, _LEAVES):
        return Flat([tree], [name], operator.itemgetter(0))
    parts = parts_of(tree, name)
    if parts is None:
        return Flat([tree], [name], operator.itemgetter(0))
    if _ARRAYS.issuperset(builtins.map(type, parts[0])):
        return Flat(*parts)  # one container of arrays, as parameters mostly are
    leaves: list[Any] = []
    names: list[str] = []
    # How to remake each container, of how many children, and whether these are leaves alone; None for another leaf.
    visited: list[tuple[Callable[[list[Any]], Any], int, bool] | None] = []
    waiting: list[Any] = [(tree, name)]
    open: dict[int, str] = {}  # the containers that the item is in, by identity, and where they begin
    while waiting:
        item, path = waiting.pop()
        if item is _END:
            del open[path]
            continue
        parts = None if isinstance(item, _LEAVES) else parts_of(item, path)
        if parts is None:
            leaves.append(item)
            names.append(path)
            visited.append(None)
        else:
            children, paths, remake = parts
            if _ARRAYS.issuperset(builtins.map(type, children)):
                leaves += children
                names += paths
                visited.append((remake, len(children), True))
                continue
            visited.append((remake, len(children), False))
            if id(item) in open:
                inner, outer = (repr(p) if p else "the outermost one" for p in (path, open[id(item)]))
                raise ValueError(
                    f"tree: a container contains itself ({inner} is {outer}); expected a finite nesting of dict, list, "
                    "tuple, namedtuple and dataclass"
                )
            open[id(item)] = path
            waiting.append((_END, id(item)))
            waiting.extend(zip(reversed(children), reversed(paths), strict=True))

    def rebuild(leaves: list[Any]) -> Any:
        remaining, built = list(leaves), []
        for container in reversed(visited):  # the children of a container stand behind it, and so are built before it
            if container is None:
                built.append(remaining.pop())
                continue
            remake, count, of_leaves = container
            if of_leaves:
                children = remaining[len(remaining) - count :]
                del remaining[len(remaining) - count :]
            else:
                children = built[: -count - 1 : -1]
                del built[-count:]
            built.append(remake(children))
        return built[0]

    return Flat(leaves, names, rebuild)


def structure(tree: Any) -> tuple[Any, ...]:
    """What a tree is but for its leaves: the types of its containers and their keys, in order, with None for each leaf.

    Of dataclasses with static fields it has the values of these, with their types. Raises TypeError for one that cannot
    be hashed.

    >>> structure({"W": 1.0, "rest": [2.0]}) == structure({"W": 3.0, "rest": [4.0]})
    True
    >>> structure([1.0, None]) == structure([1.0, []])
    False
    """
    return leaves_and_structure(tree)[1]


def leaves_and_structure(tree: Any) -> tuple[list[Any], tuple[Any, ...]]:
    """The leaves that `flatten` finds, and the structure, in half the time of the two."""
    leaves: list[Any] = []
    found: list[Any] = []
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if isinstance(item, _LEAVES):
            leaves.append(item)
            found.append(None)
        elif isinstance(item, dict):
            found.append((kind, *item))
            waiting.extend(reversed(item.values()))
        elif isinstance(item, _SEQUENCES):
            found.append((kind, len(item)))
            waiting.extend(reversed(item))
        elif hasattr(kind, "__dataclass_fields__"):
            names, static = fields(kind)
            found.append((kind, static_values(item)) if static else kind)
            if names:
                waiting.extend([getattr(item, name) for name in reversed(names)])
        elif item is None:
            found.append(NoneType)
        else:
            leaves.append(item)
            found.append(None)
        if len(found) == MANY:
            flatten(tree)  # which raises if the tree contains itself
    return leaves, tuple(found)


def map(function: Callable[..., Any], tree: T, *others: Any) -> T:
    """Apply `function` to the leaves of `tree` and to those of `others`, which have the same structure.

    >>> map(lambda x, y: x + y, {"a": 1.0, "b": [2.0]}, {"a": 10.0, "b": [20.0]})
    {'a': 11.0, 'b': [22.0]}
    """
    first, rest = flatten(tree), [flatten(other) for other in others]
    for other in rest:
        if other.names != first.names:
            raise ValueError(other_structure("tree.map: a tree", other.names, "the first", first.names))
    mapped = builtins.map(function, first.leaves, *[other.leaves for other in rest])
    return first.rebuild(list(mapped))  # type: ignore[no-any-return]


def _fields(kind: type) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the fields of a dataclass: of those that hold children, and of those that are static."""
    children = [field.name for field in dataclasses.fields(kind) if not field.metadata.get("static")]
    static = [field.name for field in dataclasses.fields(kind) if field.metadata.get("static")]
    return tuple(children), tuple(static)


fields: Callable[[type], tuple[tuple[str, ...], tuple[str, ...]]] = functools.lru_cache(maxsize=1024)(_fields)


def static_values(item: Any) -> tuple[Any, ...]:
    """The values of the static fields of a container, each with its type, for 1, 1.0 and True are equal."""
    kind = type(item)
    if not hasattr(kind, "__dataclass_fields__"):
        return ()
    names = fields(kind)[1]
    if not names:
        return ()
    values = operator.attrgetter(*names)(item) if len(names) > 1 else (getattr(item, names[0]),)
    types = tuple(builtins.map(type, values))
    if tuple in types:
        values = tuple(builtins.map(_typed, values))
    try:
        hash(values)
    except TypeError:
        raise TypeError(
            f"tree: {kind.__name__} has the static fields {dict(zip(names, values, strict=True))}; expected "
            "values that can be hashed, such as a number, a string, a function or a tuple of these"
        ) from None
    return (*values, *types)


def _typed(value: Any) -> Any:
    return (tuple, *builtins.map(_typed, value)) if type(value) is tuple else (type(value), value)


def parts_of(item: Any, path: str) -> tuple[list[Any], list[str], Callable[[list[Any]], Any]] | None:
    """The children of a container, their names, and a function that rebuilds it from others; None for a leaf."""
    if isinstance(item, dict):
        keys = tuple(item)
        return list(item.values()), _item_names(path, keys), lambda new: _with_items(item, keys, new)
    if isinstance(item, tuple) and hasattr(item, "_fields"):
        return list(item), _field_names(path, item._fields), lambda new: type(item)(*new)
    if isinstance(item, _SEQUENCES):
        return list(item), [f"{path}[{i}]" for i in range(len(item))], type(item)
    if hasattr(type(item), "__dataclass_fields__"):  # which dataclasses.is_dataclass looks for too, in thrice the time
        names, _ = fields(type(item))
        return (
            [getattr(item, name) for name in names],
            _field_names(path, names),
            lambda new: replaced(item, names, new),
        )
    if item is None:
        return [], [], lambda _: None
    return None


# The same parameters come again at every step, so their names are kept.


@functools.lru_cache(maxsize=1024)
def _field_names(path: str, fields: tuple[str, ...]) -> list[str]:
    return [f"{path}.{field}" if path else field for field in fields]


@functools.lru_cache(maxsize=1024)
def _item_names(path: str, keys: tuple[Any, ...]) -> list[str]:
    return [_item_name(path, key) for key in keys]


def _item_name(path: str, key: Any) -> str:
    if isinstance(key, str) and key.isidentifier():
        return f"{path}.{key}" if path else key
    return f"{path}[{key!r}]"


def _with_items(original: Any, keys: tuple[Any, ...], values: list[Any]) -> Any:
    items = zip(keys, values, strict=True)
    if type(original) is dict:
        return dict(items)
    new = copy.copy(original)  # a subclass may know more than its items, as a defaultdict does
    new.update(items)
    return new


def replaced(original: T, names: Sequence[str], values: list[Any]) -> T:
    """A copy of a dataclass with other values of some fields. It is not made by its constructor, which may do more."""
    kind = type(original)
    if not names and kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        return original  # nothing of it can change
    if _is_plain(kind):  # at a third of the time
        new = object.__new__(kind)
        new.__dict__.update(original.__dict__)
        new.__dict__.update(zip(names, values, strict=True))
        return new
    new = copy.copy(original)
    for name, value in zip(names, values, strict=True):
        object.__setattr__(new, name, value)  # also of a frozen dataclass
    return new


def _has_only_attributes(kind: type) -> bool:
    """Whether an object of that class is what its `__dict__` holds, and is copied so."""
    special = ("__copy__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__new__")
    own = {name for base in kind.__mro__[:-1] for name in vars(base)}
    return not own.intersection(special) and not any("__slots__" in vars(base) for base in kind.__mro__[:-1])


_is_plain: Callable[[type], bool] = functools.lru_cache(maxsize=1024)(_has_only_attributes)
