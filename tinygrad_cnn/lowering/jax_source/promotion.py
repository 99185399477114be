"""Casts that NumPy makes and JAX does not, as instructions.

NumPy computes int64 * float32 in float64, JAX in float32. What JAX makes of Python's numbers alone, such as
jnp.sqrt(2.0), stays weak: it takes the precision of whatever it meets next. So before a listing is written for JAX, an
operand of another kind than NumPy computes in is cast to that dtype, and numbers become arrays where NumPy makes one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing, Result, Slot
from tinygrad_cnn.lowering.operations import ufunc_of

Made = list[Instruction]


def with_casts(listing: Listing) -> Listing:
    """The listing with these casts written out: to NumPy, the same program."""
    items: dict[Instruction, Any] = {}  # the most precise of the results of a call that has several
    for x in listing.instructions:
        if x.operation == "item" and x.result.dtype is not None and x.result.dtype.kind in "fc":
            of = x.operands[0]
            items[of] = np.result_type(items.get(of, x.result.dtype), x.result.dtype)
    return listing.rewritten(lambda x, operands: _with_casts(x, operands, items.get(x, x.result.dtype)))


def _with_casts(x: Instruction, operands: Sequence[Instruction], dtype: Any) -> Made:
    made: Made = []
    operands = list(operands)
    rewrite = _BY_OPERATION.get(x.operation)
    if x.operation in ("call", "reduce"):
        _of_call(dtype, operands, made)
    elif rewrite is not None:
        rewrite(x, operands, made)
    elif (
        x.function is None and (ufunc_of(x.operation) or x.operation == "power_operator") and x.result.kind != "number"
    ):
        _of_ufunc(x, operands, made)
    return [*made, x if operands == list(x.operands) else x.with_(operands=tuple(operands))]


def _of_ufunc(x: Instruction, operands: Made, made: Made) -> None:
    kinds, ufunc = [type_of(y) for y in operands], ufunc_of(x.operation) or np.power
    loop = ufunc.resolve_dtypes((*kinds, *[None] * ufunc.nout))
    for k, dtype in enumerate(loop[: len(operands)]):
        others = [(y.result, wanted) for j, (y, wanted) in enumerate(zip(operands, loop, strict=False)) if j != k]
        _make_typed(operands, k, dtype, [result for result, wanted in others if wanted == dtype], made)


def type_of(x: Instruction) -> Any:
    """What NumPy's promotion knows of a result: its dtype, or the type of a Python number."""
    if x.result.kind != "number":
        return x.result.dtype
    return {"b": np.dtype(bool), "i": int, "f": float, "c": complex}[x.result.dtype.kind]


def _make_typed(operands: Made, k: int, dtype: Any, others: Sequence[Result], made: Made) -> None:
    """Cast an operand to `dtype`, unless JAX computes in that anyway, as another operand has it."""
    x = operands[k]
    if x.result.dtype == dtype and x.result.kind != "number":
        return
    if any(other.kind != "number" and other.dtype == dtype for other in others):
        return
    if x.result.kind == "number" and any(other.kind != "number" for other in others):
        return  # the other operand is cast
    operands[k] = cast(x, dtype, made)


def cast(x: Instruction, dtype: Any, made: Made) -> Instruction:
    """`x` as an array of that dtype."""
    shape = x.result.shape
    if x.result.kind == "number":
        y = Instruction("scalar", (x,), {}, Result((), np.dtype(dtype), "scalar"), x.origin)
    else:
        parameters = {"dtype": np.dtype(dtype)}
        y = Instruction("astype", (x,), parameters, Result(shape, np.dtype(dtype), x.result.kind), _unnamed(x))
    made.append(y)
    return y


def _unnamed(x: Instruction) -> Any:
    return type(x.origin)(half=x.origin.half, scope=x.origin.scope, line=x.origin.line)


def _of_values(first: int) -> Callable[[Instruction, Made, Made], None]:
    """For an operation whose operands from `first` on are promoted to the result's dtype."""

    def rewrite(x: Instruction, operands: Made, made: Made) -> None:
        for k in range(first, len(operands)):
            others = [y.result for j, y in enumerate(operands) if j >= first and j != k]
            _make_typed(operands, k, x.result.dtype, others, made)

    return rewrite


def _of_assigned(x: Instruction, operands: Made, made: Made) -> None:
    """What is assigned takes the dtype of what it is assigned to."""
    value = x.parameters["value"]
    if isinstance(value, Slot) and operands[value.number].result.dtype != x.result.dtype:
        given = operands[value.number]
        if given.result.kind != "number" or given.result.dtype.kind > x.result.dtype.kind:
            operands[value.number] = cast(given, x.result.dtype, made)


def _of_mean(x: Instruction, operands: Made, made: Made) -> None:
    if operands[0].result.dtype.kind in "biu" and x.result.dtype.kind in "fc":
        operands[0] = cast(operands[0], x.result.dtype, made)


def _of_number(x: Instruction, operands: Made, made: Made) -> None:
    """An array of a number."""
    if operands[0].result.kind == "number":
        operands[0] = cast(operands[0], x.result.dtype, made)


def _of_call(dtype: Any, operands: Made, made: Made) -> None:
    """A function of NumPy's whose result is more precise than its operands."""
    if dtype is None or dtype.kind not in "fc":
        return
    arrays = [y.result.dtype for y in operands if y.result.kind != "number"]
    as_precise = [d for d in arrays if d.kind in "fc" and _precision(d) >= _precision(dtype)]
    if as_precise or not arrays:
        return
    floats = [k for k, y in enumerate(operands) if y.result.kind != "number" and y.result.dtype.kind == "f"]
    for k in floats or [k for k, y in enumerate(operands) if y.result.dtype.kind in "biu"]:
        operands[k] = cast(operands[k], np.empty(0, dtype).real.dtype, made)


def _precision(dtype: Any) -> int:
    """The size of a real number of a dtype."""
    return int(dtype.itemsize // (2 if dtype.kind == "c" else 1))


_BY_OPERATION: dict[str, Callable[[Instruction, Made, Made], None]] = {
    "where": _of_values(1),
    "concatenate": _of_values(0),
    "setitem": _of_assigned,
    "add_at": _of_assigned,
    "mean": _of_mean,
    "reshape": _of_number,
    "broadcast_to": _of_number,
}
