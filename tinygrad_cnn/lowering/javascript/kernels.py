"""Kernels: operations that are loops of a kind of their own, and several instructions that are one of them."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from tinygrad_cnn.lowering.c.places import Place
from tinygrad_cnn.lowering.instructions import Instruction
from tinygrad_cnn.lowering.javascript.elementwise import ARRAYS, F32
from tinygrad_cnn.lowering.javascript.functions import Function


@dataclass
class Writing:
    """What a kernel is written with; in_place are the assignments that are done in the memory of what they change."""

    f: Function
    places: dict[Instruction, Place]
    in_place: Collection[Instruction]


def has_form(*given: Instruction) -> bool:
    """Whether all are arrays or numbers of a dtype that JavaScript has."""
    return all(x.result.dtype in ARRAYS and x.result.kind != "tuple" for x in given)


def is_float(*given: Instruction) -> bool:
    """Whether all are of one dtype, in single or double precision."""
    return has_form(*given) and len({x.result.dtype for x in given}) == 1 and given[0].result.dtype.kind == "f"


def rounded(text: str, x: Instruction) -> str:
    """An expression in double precision as an element of a result."""
    return f"Math.fround({text})" if x.result.dtype == F32 else text


def bound(x: Instruction) -> dict[str, Any] | None:
    """The arguments of a call by name, defaults included; None if NumPy does not say what they are."""
    try:
        found = inspect.signature(x.function).bind(*x.parameters["args"], **x.parameters["keywords"])
    except (TypeError, ValueError):
        return None
    found.apply_defaults()
    return dict(found.arguments)
