"""Kernels: operations that are loops of a kind of their own, and several instructions that are one of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.c.functions import Function
from tinygrad_cnn.lowering.c.places import Place
from tinygrad_cnn.lowering.instructions import Instruction


@dataclass
class Kernel:
    """How a result is computed.

    kind   its name
    reads  the instructions whose results it reads
    write  writes it into a function, given a `Writing`
    parts  the instructions that are computed within it and are nowhere in memory
    """

    kind: str
    reads: list[Instruction]
    write: Callable[[Any], None]
    parts: list[Instruction] = field(default_factory=list)


@dataclass
class Writing:
    """What a kernel is written with.

    vector        how many bytes a vector register has
    is_elsewhere  whether an array is not in the memory of the program, so that reading a vector past its end may crash
    in_place      the assignments that are done in place
    """

    f: Function
    places: dict[Instruction, Place]
    vector: int
    is_elsewhere: Callable[[Instruction], bool]
    in_place: Collection[Instruction]


FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def is_real(*given: Instruction) -> bool:
    """Whether all are arrays of one dtype, in single or double precision."""
    dtypes = {x.result.dtype for x in given}
    return len(dtypes) == 1 and next(iter(dtypes)) in FLOATS and all(x.result.kind == "array" for x in given)
