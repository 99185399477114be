"""Random draws from a `numpy.random.Generator` that is an argument: they are inputs of the program.

While a function is traced, a generator that it is given is replaced by one that notes what is drawn. Each time that
the program is run, the same is drawn from the generator of that call, in the same order, before all else: so the
numbers are those that the function itself would get, whatever runs the program.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.lowering.instructions import Argument, Draw, Listing
from tinygrad_cnn.lowering.recorder import Recorder, TracingError
from tinygrad_cnn.sources import calling_line

Found = tuple[Argument, Draw]
_INPUTS = (np.ndarray, bool, int, float, complex, np.generic)
_METHODS = frozenset(name for name in vars(np.random.Generator) if not name.startswith("_"))
_REFUSED = frozenset({"bit_generator", "bytes", "shuffle", "spawn"})  # what draws no array
_PLAIN = (bool, int, float, str, type(None), type, np.dtype, np.bool_, np.number)


def inputs_of(listing: Listing, leaves: Sequence[Any]) -> list[Any]:
    """The inputs of a program, from the leaves of the arguments of a call: arrays, numbers, and what is drawn."""
    given = [x for x in leaves if isinstance(x, _INPUTS)]
    return given + [getattr(leaves[draw.leaf], draw.method)(*draw.args, **draw.keywords) for draw in listing.draws]


def copied_generators(given: Any) -> Any:
    """The arguments, with generators that draw the same."""
    return tree.map(lambda x: copy.deepcopy(x) if isinstance(x, np.random.Generator) else x, given)


class DrawnFrom(np.random.Generator):
    """What stands for a generator while a function is traced."""

    def __init__(
        self, generator: np.random.Generator, leaf: int, name: str, recorder: Recorder, found: list[Found]
    ) -> None:
        plain = copy.deepcopy(generator)  # the examples are drawn from a copy, for the caller's is to stay as it is
        super().__init__(plain.bit_generator)
        self._noting = (plain, leaf, name, recorder, found)

    def __getattribute__(self, name: str) -> Any:
        if name in _REFUSED:
            called = super().__getattribute__("_noting")[2]
            raise TracingError(
                f"program: the function uses {called}.{name} ({calling_line()}); expected draws of arrays, such as "
                "permutation in place of shuffle"
            )
        return functools.partial(_noted, self, name) if name in _METHODS else super().__getattribute__(name)


def _noted(generator: DrawnFrom, method: str, *args: Any, **keywords: Any) -> Any:
    """What stands for the numbers that are drawn."""
    plain, leaf, name, recorder, found = generator._noting
    if not _is_plain([*args, *keywords.values()]):
        raise TracingError(
            f"program: {name}.{method} is called with an array, or with what depends on an argument "
            f"({calling_line()}); expected numbers and shapes. Draw standard numbers, and scale them"
        )
    value = getattr(plain, method)(*args, **keywords)
    argument, stand_in = recorder.input(f"{name}_{method}_{len(found)}", value, fixed=False)
    found.append((argument, Draw(leaf, method, *copy.deepcopy((args, keywords)))))
    return stand_in


def _is_plain(x: Any) -> bool:
    """Whether an argument of a draw is the same at each call. A Traced, which is of that type only in name, is not."""
    return all(map(_is_plain, x)) if isinstance(x, list | tuple) else issubclass(type(x), _PLAIN)
