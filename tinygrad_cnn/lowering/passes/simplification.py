"""Simplification: what changes nothing is left out. Every rule here keeps each bit, NaN and the sign of zero included.

So x + 0 stays (it makes 0 of -0), and x * 1 and x - 0 do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing, Result, Slot, same
from tinygrad_cnn.primitives.arguments import axes_of

WITH_NUMBERS = frozenset(
    ["add", "subtract", "multiply", "divide", "greater", "greater_equal", "less", "less_equal", "equal", "not_equal"]
)


def simplified(listing: Listing) -> Listing:
    """The listing without what changes nothing."""
    return listing.rewritten(_rewrite)


def _rewrite(x: Instruction, operands: Sequence[Instruction]) -> Any:
    x = same(x, operands)
    rule = _RULES.get(x.operation)
    found = rule(x) if rule is not None else None
    if found is None and x.operation in WITH_NUMBERS:
        return _with_numbers(x)
    return found or x


def _number(x: Instruction) -> Any:
    """The number that all elements of a constant are, or None."""
    if x.operation == "full":
        return x.parameters["value"]
    if x.operation == "constant" and not x.result.shape:
        value = x.parameters["value"]
        return value if x.result.kind == "number" else value.item()
    return None


def _stays(x: Instruction, operand: Instruction) -> Instruction | None:
    """`operand`, if the result of `x` has its shape, dtype and kind."""
    mine, its = x.result, operand.result
    return operand if (mine.shape, mine.dtype, mine.kind) == (its.shape, its.dtype, its.kind) else None


def _is_one(x: Instruction) -> bool:
    number = _number(x)
    return number is not None and not isinstance(number, bool | np.bool_) and bool(number == 1)


def _multiply(x: Instruction) -> Instruction | None:
    a, b = x.operands
    if _is_one(b) and (found := _stays(x, a)):
        return found
    if _is_one(a) and (found := _stays(x, b)):
        return found
    for ones, other in ((a, b), (b, a)):
        of_arrays = x.result.kind == "array" and other.result.kind != "number"
        if _is_one(ones) and other.result.dtype == x.result.dtype and of_arrays:
            return x.with_(operation="broadcast_to", operands=(other,), parameters={"shape": x.result.shape})
    return None


def _divide(x: Instruction) -> Instruction | None:
    a, b = x.operands
    return _stays(x, a) if _is_one(b) else None


def _subtract(x: Instruction) -> Instruction | None:
    a, b = x.operands
    number = _number(b)
    if number is not None and bool(number == 0) and not np.signbit(number):
        return _stays(x, a)
    return None


def _same_shape(x: Instruction) -> Instruction | None:
    """Reshape and broadcast_to."""
    (a,) = x.operands
    if a.result.shape == x.result.shape:
        return _stays(x, a)
    if a.operation == x.operation and "order" not in {**a.parameters, **x.parameters}:
        return _rewrite(x, a.operands)  # type: ignore[no-any-return]
    return None


def _reshape(x: Instruction) -> Instruction | None:
    """Also of a reduction, to the shape that it has with its axes kept."""
    (a,) = x.operands
    if a.operation == "reduce" and not a.parameters["keepdims"] and a.parameters["axis"] is not None:
        reduced, shape = a.operands[0].result.shape, x.result.shape
        axes = axes_of(a.parameters["axis"], len(reduced)) if reduced else ()
        if shape == tuple([1 if axis in axes else n for axis, n in enumerate(reduced)]) and len(shape) == len(reduced):
            return x.with_(operation="reduce", operands=a.operands, parameters={**a.parameters, "keepdims": True})
    return _same_shape(x)


def _transpose(x: Instruction) -> Instruction | None:
    (a,) = x.operands
    axes = x.parameters["axes"]
    if axes == tuple(range(len(axes))):
        return _stays(x, a)
    if a.operation == "transpose":
        inner = a.parameters["axes"]
        both = x.with_(operands=a.operands, parameters={"axes": tuple([inner[axis] for axis in axes])})
        return _transpose(both) or both
    return None


def _astype(x: Instruction) -> Instruction | None:
    return _stays(x, x.operands[0])


def _twice(x: Instruction) -> Instruction | None:
    """A negation of a negation."""
    (a,) = x.operands
    return _stays(x, a.operands[0]) if a.operation == x.operation else None


def _getitem(x: Instruction) -> Instruction | None:
    """Of a product of a matrix and a vector, which a rule writes as one of two matrices: (A @ v[..., None])[..., 0]."""
    product = x.operands[0]
    if not _is_index(x, (Ellipsis, 0)) or product.operation != "matmul":
        return None
    matrix, column = product.operands
    if not _is_index(column, (Ellipsis, None)) or len(matrix.result.shape) < 2:
        return None
    vector = column.operands[0]
    if len(vector.result.shape) != 1:
        return None
    return x.with_(operation="matmul", operands=(matrix, vector), parameters={})


def _is_index(x: Instruction, index: tuple[Any, ...]) -> bool:
    """Whether `x` picks by this index."""
    given = x.parameters["index"] if x.operation == "getitem" else None
    return (
        isinstance(given, tuple) and len(given) == len(index) and all(a is b for a, b in zip(given, index, strict=True))
    )


def _setitem(x: Instruction) -> Instruction | None:
    """An assignment to the whole of an array."""
    if x.parameters["index"] is Ellipsis and isinstance(x.parameters["value"], Slot):
        return _stays(x, x.operands[x.parameters["value"].number])
    return None


_RULES: dict[str, Callable[[Instruction], Instruction | None]] = {
    "astype": _astype,
    "broadcast_to": _same_shape,
    "divide": _divide,
    "getitem": _getitem,
    "multiply": _multiply,
    "negative": _twice,
    "positive": _astype,
    "reshape": _reshape,
    "setitem": _setitem,
    "subtract": _subtract,
    "transpose": _transpose,
    "view": _astype,
}


def _with_numbers(x: Instruction) -> Any:
    """`x` with a number in place of an array of one number, and without broadcasting that it does itself."""
    numbers, operands = [], list(x.operands)
    for position, operand in enumerate(x.operands):
        other = operands[1 - position]
        if other.result.shape != x.result.shape or other.result.kind != "array":
            continue
        if operand.operation == "broadcast_to":
            operand = operand.operands[0]
            operands[position] = operand
        if operand.operation == "scalar" and operand.result.dtype == other.result.dtype:
            operands[position] = operand.operands[0]
            continue
        value = None if operand.origin.name else _number(operand)
        of_type = operand.result.dtype == other.result.dtype and other.result.dtype.kind == "f"
        if value is None or not of_type or operand.result.kind == "number":
            continue
        number = Instruction("constant", (), {"value": float(value)}, Result.of(float(value)))
        numbers.append(number)
        operands[position] = number
    return [*numbers, same(x, operands)]
