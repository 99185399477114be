"""Other data for a loss and its hand-derived gradient: where data are one-hot, binary or equal, formulas coincide.

Data that functions take from their modules, from closures or from an object are exchanged for others while a context
lasts; nobody's arrays are changed. What is one-hot, binary, positive or a probability remains so, as the code may rely
on it.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.source_files import is_somebodys

LARGE = 10**6  # elements of an array that is left as it is
FEW = 3  # distinct values of an array of flags
AWAY = 0.4

Place = tuple[Any, Any]  # what holds data, and the key, the attribute or nothing of a cell


@contextlib.contextmanager
def moved(functions: Sequence[Any], seed: int, scale: float = 1.0) -> Iterator[None]:
    """Within it, functions find other data, so many times as large."""
    rng = np.random.default_rng(seed)
    others: dict[int, Any] = {}
    with exchanged(places_of(functions), lambda value: _other(value, others, rng, scale)):
        yield


def is_data(functions: Sequence[Any]) -> bool:
    """Whether there is data that `moved` moves."""
    rng, others = np.random.default_rng(0), dict[int, Any]()
    values = [value_in(place) for place in places_of(functions)]
    return any(_other(value, others, rng, 1.0) is not value for value in values)


@contextlib.contextmanager
def exchanged(places: Sequence[Place], instead: Callable[[Any], Any]) -> Iterator[None]:
    """Within it there is something else in places: what `instead` makes of a value, which may be the value itself."""
    before: list[tuple[Place, Any]] = []
    try:
        for place in places:
            value = value_in(place)
            other = instead(value)
            if other is not value:
                before.append((place, value))
                _put(place, other)
        yield
    finally:
        for place, value in reversed(before):
            _put(place, value)


def other_array(x: Any, rng: np.random.Generator, scale: float = 1.0) -> Any:
    """An array of the same kind of data."""
    x = np.asarray(x)
    if _is_symmetric(x):  # of which somebody need not say whether it is transposed
        made = _other_array(x, rng, scale)
        lower = np.tril(made)
        return lower + np.tril(made, -1).T
    return _other_array(x, rng, scale)


def _is_symmetric(x: Any) -> bool:
    return x.ndim == 2 and x.shape[0] == x.shape[1] > 1 and bool(np.array_equal(x, x.T)) and not _is_one_hot(x)


def _other_array(x: Any, rng: np.random.Generator, scale: float) -> Any:
    distinct = np.unique(x)
    if len(distinct) == 1:
        noise = AWAY * rng.standard_normal(x.shape)
        return (scale * (x * np.exp(noise) if distinct[0] else noise)).astype(x.dtype)
    if len(distinct) <= FEW and np.all(distinct == np.round(distinct)):
        return rng.permuted(x, axis=x.ndim - 1) if _is_one_hot(x) else rng.permuted(x.ravel()).reshape(x.shape)
    size = AWAY * float(np.std(x))
    made = x * np.exp(AWAY * rng.standard_normal(x.shape))
    if np.any(x < 0):
        made = made + size * rng.standard_normal(x.shape)
    if x.ndim and np.all(x >= 0) and np.allclose(x.sum(axis=-1), 1):
        made = made / made.sum(axis=-1, keepdims=True)
    else:
        made = scale * made
    return made.astype(x.dtype)


def _is_one_hot(x: Any) -> bool:
    return x.ndim > 1 and bool(np.all(np.sort(x, axis=-1) == np.sort(x.reshape(-1, x.shape[-1])[0])))


def _other(value: Any, others: dict[int, Any], rng: np.random.Generator, scale: float) -> Any:
    """Other data; `value` itself if it is none. The same for the same object."""
    if id(value) in others:
        return others[id(value)]
    made = value
    if type(value) is np.ndarray and value.dtype.kind == "f" and value.ndim and 0 < value.size < LARGE:
        made = other_array(value, rng, scale) if np.all(np.isfinite(value)) else value
    elif type(value) in (list, tuple) and len(value) < 1000:
        parts = [_other(x, others, rng, scale) for x in value]
        if any(a is not b for a, b in zip(parts, value, strict=True)):
            made = type(value)(parts)
    elif type(value) is dict:
        parts = [_other(x, others, rng, scale) for x in value.values()]
        if any(a is not b for a, b in zip(parts, value.values(), strict=True)):
            made = dict(zip(value, parts, strict=True))
    others[id(value)] = made
    return made


def places_of(functions: Sequence[Any]) -> list[Place]:
    """Where somebody's functions, and those that they call, find what is no argument."""
    found: dict[Any, Place] = {}
    waiting, seen = list(functions), set[int]()
    while waiting:
        f = waiting.pop()
        if id(f) in seen:
            continue
        seen.add(id(f))
        if hasattr(f, "__wrapped__"):
            waiting.append(f.__wrapped__)
        if isinstance(f, functools.partial):
            waiting.append(f.func)
        elif isinstance(f, MethodType):
            waiting.append(f.__func__)
            for name in getattr(f.__self__, "__dict__", {}):
                found[id(f.__self__), name] = (f.__self__, name)
        elif isinstance(f, FunctionType) and is_somebodys(f.__code__.co_filename):
            for name in _names(f.__code__):
                if name in f.__globals__:
                    found[id(f.__globals__), name] = (f.__globals__, name)
                    waiting.append(f.__globals__[name])
            for cell in f.__closure__ or ():
                with contextlib.suppress(ValueError):  # an empty one
                    waiting.append(cell.cell_contents)
                    found[id(cell)] = (cell, None)
    return list(found.values())


def _names(code: CodeType) -> set[str]:
    inner = [_names(x) for x in code.co_consts if isinstance(x, CodeType)]
    return set(code.co_names).union(*inner)


def value_in(place: Place) -> Any:
    """What is there."""
    holder, key = place
    if isinstance(holder, CellType):
        return holder.cell_contents
    return holder[key] if isinstance(holder, dict) else getattr(holder, key)


def _put(place: Place, value: Any) -> None:
    holder, key = place
    if isinstance(holder, CellType):
        holder.cell_contents = value
    elif isinstance(holder, dict):
        holder[key] = value
    else:
        setattr(holder, key, value)
