"""The interpreter runs a listing instruction by instruction. Every pass and every writer is compared with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing
from tinygrad_cnn.lowering.operations import run


def interpret(listing: Listing, leaves: Sequence[Any]) -> list[Any]:
    """The leaves of the result, from those of the arguments that the listing was traced with."""
    values: dict[Instruction, Any] = {
        argument.instruction: leaf for argument, leaf in zip(listing.arguments, leaves, strict=True)
    }
    for x in listing.instructions:
        if x.operation in ("constant", "closed_over"):
            values[x] = x.parameters["value"]
        elif x.operation != "input":
            values[x] = run(x, [values[operand] for operand in x.operands])
    return [own(values[x]) for x in listing.outputs]


def own(value: Any) -> Any:
    """A result as the caller's own: a copy, as the engine gives it."""
    return np.copy(value) if isinstance(value, np.ndarray) else value
