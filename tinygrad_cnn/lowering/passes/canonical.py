"""Canonical form: what can be written in several ways is written in one.

`np.sum(x)` and `x.sum()` are a "reduce" by add, `np.moveaxis` is a "transpose", windows and strides are pairs. Copies
are left out: an instruction never changes, so a copy is what it is a copy of.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing, Result, Slot, same, slots


def canonical(listing: Listing) -> Listing:
    """The listing in canonical form."""
    return listing.rewritten(_rewrite)


def _rewrite(x: Instruction, operands: Sequence[Instruction]) -> Any:
    x = same(x, operands)
    if x.operation == "copy" and x.operands[0].result.kind == x.result.kind:
        return x.operands[0]
    if x.operation == "call":
        return _call(x)
    if x.operation in ("power_operator", "power"):
        return _power(x)
    if x.operation in ("real", "conjugate") and x.operands[0].result.dtype.kind != "c":
        return x.operands[0]
    if x.operation == "getitem" and _picks_all(x.parameters["index"]) and x.operands[0].function is np.copy:
        return _scalar(x)
    if x.operation == "getitem" and _picks_all(x.parameters["index"]) and x.operands[0].result.kind == x.result.kind:
        return x.operands[0]
    if x.operation in ("max_pool2d", "avg_pool2d", "im2col", "col2im", "unpool") and x.function is not None:
        return _windows(x)
    return x


def _picks_all(index: Any) -> bool:
    return isinstance(index, tuple) and not index


def _scalar(x: Instruction) -> Instruction:
    """np.copy(x)[()]: a number as NumPy's, which decides the dtype of a result as a Python number does not."""
    (number,) = x.operands[0].operands
    if number.result.kind == "scalar" and x.result.kind == "scalar":
        return number
    if number.result.kind == "number" and x.result.kind == "scalar":
        return x.with_(operation="scalar", operands=(number,), parameters={})
    return x


def _windows(x: Instruction) -> Instruction:
    window, stride = x.parameters["window"], x.parameters["stride"]
    window = (window, window) if isinstance(window, int) else tuple(window)
    stride = window if stride is None else (stride, stride) if isinstance(stride, int) else tuple(stride)
    return x.with_(parameters={**x.parameters, "window": window, "stride": stride})


def _power(x: Instruction) -> Instruction:
    """NumPy's ** by a number that it has a faster function for: see `fast_scalar_power` in its source."""
    base, exponent = x.operands
    kind = base.result.dtype.kind
    if x.result.kind == "number":
        return x.with_(operation="power")
    if exponent.operation == "constant" and exponent.result.kind == "number" and kind in "fc":
        if base.result.kind == "array" and exponent.parameters["value"] == 2:
            return x.with_(operation="square", operands=(base,))
        if base.result.kind == "array" and exponent.parameters["value"] == 1:
            return x.with_(operation="positive", operands=(base,))
        return x  # others depend on NumPy's version
    return x


# What NumPy's functions are in canonical form. Each is given the call and its arguments by name, or the operands and
# what the call is with.


def _call(x: Instruction) -> Any:
    rewrite = _CALLS.get(x.function)
    if rewrite is None or x.result.kind == "tuple":
        return x
    try:
        bound = inspect.signature(x.function).bind(*x.parameters["args"], **x.parameters["keywords"])
    except (TypeError, ValueError):
        return x
    bound.apply_defaults()
    return rewrite(x, dict(bound.arguments)) or x


def _operand(x: Instruction, argument: Any) -> Instruction | None:
    return x.operands[argument.number] if isinstance(argument, Slot) else None


def _constant(value: Any) -> Instruction:
    return Instruction("constant", (), {"value": value}, Result.of(value))


def _where(x: Instruction, given: dict[str, Any]) -> Any:
    args = x.parameters["args"]
    if len(args) != 3 or not all(isinstance(a, Slot | bool | int | float) for a in args):
        return None
    numbers = [None if isinstance(a, Slot) else _constant(a) for a in args]
    operands = [_operand(x, a) or number for a, number in zip(args, numbers, strict=True)]
    made = x.with_(operation="where", operands=tuple(operands), parameters={}, function=None)
    return [*[number for number in numbers if number is not None], made]


def _reducing(ufunc: np.ufunc) -> Callable[[Instruction, dict[str, Any]], Any]:
    def rewrite(x: Instruction, given: dict[str, Any]) -> Any:
        operand = _operand(x, given["a"])
        if operand is None or any(slots(given[name]) for name in given if name != "a"):
            return None
        if operand.result.kind == "number":
            return None
        how: dict[str, Any] = {"ufunc": ufunc.__name__, "axis": given["axis"], "dtype": given.get("dtype")}
        how["keepdims"] = given["keepdims"] is True
        for name in ("initial", "where"):
            if name in given and given[name] is not np._NoValue:
                how[name] = given[name]
        return x.with_(operation="reduce", operands=(operand,), parameters=how, function=None)

    return rewrite


def _to_shape(x: Instruction, given: dict[str, Any]) -> Any:
    operand = _operand(x, x.parameters["args"][0])
    if operand is None or operand.result.kind == "number" or given.get("order", "C") != "C":
        return None
    return x.with_(operation="reshape", operands=(operand,), parameters={"shape": x.result.shape}, function=None)


def _broadcast(x: Instruction, given: dict[str, Any]) -> Any:
    operand = _operand(x, given["array"])
    if operand is None:
        return None
    return x.with_(operation="broadcast_to", operands=(operand,), parameters={"shape": x.result.shape}, function=None)


def _permuted(x: Instruction, given: dict[str, Any]) -> Any:
    operand = _operand(x, x.parameters["args"][0])
    args = x.parameters["args"][1:]
    if operand is None or slots(args):
        return None
    axes = x.function(np.empty(range(len(operand.result.shape))), *args, **x.parameters["keywords"]).shape
    return x.with_(operation="transpose", operands=(operand,), parameters={"axes": axes}, function=None)


def _copied(x: Instruction, given: dict[str, Any]) -> Any:
    operand = _operand(x, given["a"])
    return operand if operand is not None and operand.result.kind == x.result.kind else None


def _joined(x: Instruction, given: dict[str, Any]) -> Any:
    arrays, *axis = x.parameters["args"]
    keywords = x.parameters["keywords"]
    axis = axis[0] if axis else keywords.get("axis", 0)
    if not all(isinstance(a, Slot) for a in arrays) or set(keywords) - {"axis"} or axis is None:
        return None
    operands = tuple([x.operands[a.number] for a in arrays])
    parameters = {"axis": axis % len(x.result.shape)}
    return x.with_(operation="concatenate", operands=operands, parameters=parameters, function=None)


def _part_of_complex(operation: str) -> Callable[[Instruction, dict[str, Any]], Any]:
    def rewrite(x: Instruction, given: dict[str, Any]) -> Any:
        operand = _operand(x, given["val"])
        if operand is None or operand.result.kind == "number":
            return None
        if operation == "real" and operand.result.dtype.kind != "c":
            return operand
        return x.with_(operation=operation, operands=(operand,), parameters={}, function=None)

    return rewrite


def _mean(x: Instruction, given: dict[str, Any]) -> Any:
    operand = _operand(x, given["a"])
    if operand is None or operand.result.kind == "number" or given["where"] is not np._NoValue:
        return None
    how = {"axis": given["axis"], "dtype": given["dtype"], "keepdims": given["keepdims"] is True}
    return x.with_(operation="mean", operands=(operand,), parameters=how, function=None)


_CALLS: dict[Any, Callable[[Instruction, dict[str, Any]], Any]] = {
    np.where: _where,
    np.broadcast_to: _broadcast,
    np.copy: _copied,
    np.mean: _mean,
    np.real: _part_of_complex("real"),
    np.imag: _part_of_complex("imag"),
    np.concatenate: _joined,
    **dict.fromkeys((np.reshape, np.ravel, np.squeeze, np.expand_dims), _to_shape),
    **dict.fromkeys((np.transpose, np.swapaxes, np.moveaxis, np.rollaxis), _permuted),
    **{
        function: _reducing(ufunc)
        for function, ufunc in (
            (np.sum, np.add), (np.prod, np.multiply), (np.max, np.maximum), (np.min, np.minimum),
            (np.amax, np.maximum), (np.amin, np.minimum),
            (np.any, np.logical_or), (np.all, np.logical_and),
        )
    },
}  # fmt: skip
