"""A case: a program of a public package, and where its gradient is judged."""

from __future__ import annotations

import importlib
import pkgutil
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from inspect import getsource
from typing import Any

import numpy as np

Program = Callable[[Any], Any]


@dataclass(frozen=True)
class Case:
    """`make` imports what it needs and returns the program: a function of a number or an array, to a number."""

    package: str  # as it is called on PyPI
    function: str  # as a person would look it up
    x: float | list[Any]
    make: Callable[[], Program]
    adopt: tuple[str, ...]  # the modules that belong to the program, with their submodules
    limit: str  # why the gradient of the program, as it is executed, is not that of what it is for; or nothing
    scale: float  # how far an element of x can move before the program is another one, relative to the element

    @property
    def name(self) -> str:
        return self.make.__name__

    @property
    def point(self) -> Any:
        return float(self.x) if isinstance(self.x, int | float) else np.array(self.x, dtype=float)

    @property
    def source(self) -> str:
        """The source of `make`, without its decorator."""
        lines = textwrap.dedent(getsource(self.make)).splitlines(keepends=True)
        return "".join(lines[next(i for i, line in enumerate(lines) if line.startswith("def ")) :])


CASES: dict[str, Case] = {}


def case(
    package: str,
    function: str,
    x: float | list[Any],
    adopt: Sequence[str] | None = None,
    scale: float = 1.0,
    limit: str = "",
) -> Callable[[Callable[[], Program]], Callable[[], Program]]:
    """Enter a program in the table. `adopt` is the package itself unless it is given."""
    modules = tuple(adopt) if adopt is not None else (package.lower().replace("-", "_"),)

    def enter(make: Callable[[], Program]) -> Callable[[], Program]:
        if make.__name__ in CASES:
            raise ValueError(f"two cases are called {make.__name__}")
        CASES[make.__name__] = Case(package, function, x, make, modules, limit, scale)
        return make

    return enter


def load() -> dict[str, Case]:
    """All cases, by name."""
    from public_programs import cases

    for module in pkgutil.iter_modules(cases.__path__):
        importlib.import_module(f"{cases.__name__}.{module.name}")
    return CASES


def weighted(*results: Any) -> Any:
    """A sum of all elements with weights that differ, so that a wrong element of a gradient cannot hide."""
    total: Any = 0.0
    for k, result in enumerate(_leaves(results)):
        weights = np.cos(0.7 * k + 0.3 * np.arange(float(np.size(result)))).reshape(np.shape(result))
        total = total + np.sum(weights * result)
    return total


def _leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        for each in tree:
            yield from _leaves(each)
    else:
        yield tree
