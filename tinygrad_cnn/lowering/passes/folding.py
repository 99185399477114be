"""Constant folding: what depends on constants alone is computed once, and the result is a constant.

An array all of whose elements are one number stays that number and a shape (a "full").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing, Result, same
from tinygrad_cnn.lowering.operations import run

VIEWS = frozenset(["getitem", "reshape", "transpose", "broadcast_to"])


def folded(listing: Listing) -> Listing:
    """The listing with what is constant computed."""
    values: dict[Instruction, Any] = {}

    def rewrite(x: Instruction, operands: Sequence[Instruction]) -> Instruction:
        x = same(x, operands)
        if x.operation == "constant":
            values[x] = x.parameters["value"]
            x = _constant(values[x], x) if x.result.kind == "array" else x
            values[x] = values.get(x, x.parameters["value"]) if x.operation == "constant" else run(x, ())
        elif x.operation == "full":
            values[x] = run(x, ())
        elif x.operation in VIEWS and x.operands[0].origin.name is not None and x.operands[0].operation == "full":
            pass  # what the user has a name for, such as the first state of a recurrence
        elif x.operands and x.result.kind != "tuple" and all(operand in values for operand in x.operands):
            value = run(x, [values[operand] for operand in x.operands])
            x = _constant(value, x)
            values[x] = value
        return x

    return listing.rewritten(rewrite)


def _constant(value: Any, x: Instruction) -> Instruction:
    if isinstance(value, np.ndarray):
        element = value.reshape(-1)[:1]
        if value.size and value.dtype.kind in "fiub" and _all_equal(value, element):
            parameters = {"shape": value.shape, "value": element[0].item(), "dtype": value.dtype, "order": "C"}
            return Instruction("full", (), parameters, Result.of(value), x.origin)
        value = value.copy("K")
        value.setflags(write=False)
    return Instruction("constant", (), {"value": value}, Result.of(value), x.origin)


def _all_equal(value: Any, element: Any) -> bool:
    """Whether all elements have the bits of `element`."""
    if value.dtype.itemsize > 8:  # long double, some of whose bits mean nothing
        return bool(np.all(value == element) and np.all(np.signbit(value) == np.signbit(element)))
    unsigned = f"u{value.dtype.itemsize}"
    return bool((np.ascontiguousarray(value).view(unsigned) == element.copy().view(unsigned)).all())
