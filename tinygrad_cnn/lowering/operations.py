"""What each operation computes: the meaning of an instruction, on arrays.

Every ufunc of NumPy's is an operation by its name. The others are here, except for the opaque primitives, which are by
their own names ("im2col") and bring their forward function with them. What is none of these is a "call" of a NumPy
function.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, filled, slots

Array = Any

# What a ufunc is to Python numbers, which it would make NumPy's.
ON_NUMBERS: dict[str, Callable[..., Any]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
    "power": operator.pow, "remainder": operator.mod, "floor_divide": operator.floordiv, "matmul": operator.matmul,
    "negative": operator.neg, "positive": operator.pos, "absolute": abs, "invert": operator.invert,
    "less": operator.lt, "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge,
    "equal": operator.eq, "not_equal": operator.ne, "bitwise_and": operator.and_, "bitwise_or": operator.or_,
    "bitwise_xor": operator.xor, "left_shift": operator.lshift, "right_shift": operator.rshift,
}  # fmt: skip


def ufunc_of(operation: str) -> Any:
    """NumPy's ufunc of that name, or None."""
    found = getattr(np, operation, None)
    return found if isinstance(found, np.ufunc) else None


def _reduce(x: Array, *, ufunc: str, where: Any = True, initial: Any = None, **how: Any) -> Array:
    among = {} if initial is None else {"initial": initial}
    if where is not True:
        among["where"] = where
    return getattr(np, ufunc).reduce(x, **how, **among)


def _setitem(x: Array, *, value: Any, index: Any) -> Array:
    changed = np.copy(x)
    changed[index] = value
    return changed


def _add_at(x: Array, *, value: Any, index: Any) -> Array:
    changed = np.copy(x)
    np.add.at(changed, index, value)
    return changed


def _full(*, shape: Any, value: Any, dtype: Any, order: Any = "C") -> Array:
    return np.full(shape, value, dtype, order)


def _transpose(x: Array, *, axes: Any) -> Array:
    return x.transpose(axes)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "add_at": _add_at,
    "astype": lambda x, *, dtype: x.astype(dtype),
    "broadcast_to": lambda x, *, shape: np.broadcast_to(x, shape),
    "concatenate": lambda *arrays, axis: np.concatenate(arrays, axis),
    "copy": lambda x, *, order="K": x.copy(order) if isinstance(x, np.ndarray) else np.copy(x),
    "full": _full,
    "getitem": lambda x, *, index: x[index],
    "imag": np.imag,
    "item": lambda x, *, number: x[number],
    "mean": lambda x, *, axis, dtype, keepdims: np.mean(x, axis, dtype, keepdims=keepdims),
    "power_operator": lambda x, y: x**y,
    "real": np.real,
    "reduce": _reduce,
    "reshape": lambda x, *, shape, order="C": x.reshape(shape, order=order),
    "scalar": lambda x: np.asarray(x)[()],
    "setitem": _setitem,
    "transpose": _transpose,
    "view": lambda x, *, dtype: x.view(dtype),
    "where": lambda condition, x, y: np.where(condition, x, y),
}


def compute(operation: str, function: Any, parameters: dict[str, Any], operands: Sequence[Any]) -> Any:
    """The result of an operation on arrays and numbers."""
    given = filled(parameters, operands) if parameters else parameters
    if operation == "call":
        return function(*given["args"], **given["keywords"])
    of = function or OPERATIONS.get(operation)
    if of is not None:
        return of(*operands[: len(operands) - len(slots(parameters))], **given)
    if all(type(x) in (int, float, bool, complex) for x in operands):
        return ON_NUMBERS[operation](*operands)
    return getattr(np, operation)(*operands, **given)


def bound(x: Instruction) -> Callable[[Sequence[Any]], Any]:
    """An instruction as a function of its operands; what is known of it beforehand is looked up once."""
    of = x.function or OPERATIONS.get(x.operation)
    if x.operation == "call" or of is None or slots(x.parameters):
        return lambda operands: run(x, operands)
    return lambda operands: of(*operands, **x.parameters)


def run(instruction: Instruction, operands: Sequence[Any]) -> Any:
    """The result of an instruction, from those of its operands."""
    return compute(instruction.operation, instruction.function, instruction.parameters, operands)
