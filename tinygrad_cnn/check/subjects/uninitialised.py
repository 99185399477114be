"""Arrays of np.empty hold what was in memory before; a block in which that is NaN shows what is used of it."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


@contextlib.contextmanager
def undefined() -> Iterator[None]:
    """A block in which `np.empty` and `np.empty_like` give arrays of NaN, if they are of floats."""
    before = {name: getattr(np, name) for name in ("empty", "empty_like")}
    for name, function in before.items():
        setattr(np, name, _with_nan(function))
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(np, name, function)


def _with_nan(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def made(*arguments: Any, **keywords: Any) -> Any:
        x = function(*arguments, **keywords)
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            x.fill(np.nan)
        return x

    return made
