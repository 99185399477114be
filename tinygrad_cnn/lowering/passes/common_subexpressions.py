"""Common subexpressions: what is computed twice from the same operands is computed once.

All operations are pure, so two instructions of the same operation, operands and parameters have the same result. The
first one stays, with the better of the two names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing, same


def without_repetition(listing: Listing) -> Listing:
    """The listing with equal instructions made one."""
    listing = _with_best_names(listing)
    seen: dict[Any, Instruction] = {}

    def rewrite(x: Instruction, operands: Sequence[Instruction]) -> Instruction:
        x = same(x, operands)
        return x if x.operation == "input" else seen.setdefault(key(x), x)

    return listing.rewritten(rewrite)


def _with_best_names(listing: Listing) -> Listing:
    """The listing with the name that one of several equal instructions has given to the first of them."""
    number: dict[Instruction, int] = {}
    first: dict[Any, Instruction] = {}
    origins = {}
    for x in listing.instructions:
        operands = tuple([number[operand] for operand in x.operands])
        leader = x if x.operation == "input" else first.setdefault((key(x)[1:], operands), x)
        number[x] = number.setdefault(leader, len(number))
        if leader is not x and leader.origin.name is None and x.origin.name is not None:
            origins[leader] = x.origin
    return listing.renamed(origins)


def key(x: Instruction) -> Any:
    """What is equal for instructions that compute the same."""
    return x.operands, x.operation, x.function, x.result.dtype, x.result.kind, _hashable(x.parameters)


def _hashable(parameter: Any) -> Any:
    kind = type(parameter)
    if kind in _BY_VALUE:
        return (kind, parameter)  # True is not 1
    if kind is float:
        return (kind, repr(parameter))  # -0.0 is not 0.0, and NaN is itself
    if isinstance(parameter, dict):
        return tuple([(name, _hashable(parameter[name])) for name in sorted(parameter)])
    if isinstance(parameter, list | tuple):
        return (kind, tuple(map(_hashable, parameter)))
    if isinstance(parameter, slice):
        return ("slice", _hashable([parameter.start, parameter.stop, parameter.step]))
    if isinstance(parameter, np.ndarray):
        return id(parameter)
    if isinstance(parameter, bool | int | float | complex | np.generic):
        return (kind, np.asarray(parameter).tobytes())
    try:
        hash(parameter)
    except TypeError:
        return id(parameter)
    return parameter


_BY_VALUE = frozenset([int, bool, str, type(None)])
