"""Which operators of ONNX there are, and for which dtypes onnxruntime runs each on a CPU.

Measured with onnxruntime 1.21, 1.23 and 1.32; the tests compare this table with the one that is installed. Cos has a
kernel in float64 in the last of these alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction
from tinygrad_cnn.lowering.onnx_graph.refusal import refused
from tinygrad_cnn.lowering.operations import ufunc_of

OPSET = 18  # the first with bitwise operators and with axes as inputs; read by onnxruntime since 1.14
IR_VERSION = 8

FLOATS = frozenset(["f4", "f8"])
SINGLE = frozenset(["f4"])
WIDE = frozenset(["i4", "i8"])
SIGNED = frozenset(["i1", "i4", "i8"])
INTEGERS = frozenset(["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])
BOOL = frozenset(["b1"])
ALL = FLOATS | INTEGERS | BOOL

# The operator of a ufunc, and the dtypes that it is run in; an integer of another one is cast to one that is there.
UFUNCS: dict[str, tuple[str, frozenset[str]]] = {
    "add": ("Add", FLOATS | WIDE), "subtract": ("Sub", FLOATS | WIDE), "multiply": ("Mul", FLOATS | WIDE),
    "divide": ("Div", FLOATS), "negative": ("Neg", FLOATS | SIGNED), "absolute": ("Abs", FLOATS | INTEGERS),
    "fabs": ("Abs", FLOATS), "reciprocal": ("Reciprocal", FLOATS), "sign": ("Sign", FLOATS | INTEGERS),
    "power": ("Pow", FLOATS | WIDE), "power_operator": ("Pow", FLOATS | WIDE), "float_power": ("Pow", FLOATS),
    "maximum": ("Max", FLOATS | WIDE | frozenset(["u8"])), "minimum": ("Min", FLOATS | WIDE | frozenset(["u8"])),
    "fmod": ("Mod", FLOATS), "exp": ("Exp", FLOATS), "log": ("Log", FLOATS), "sqrt": ("Sqrt", FLOATS),
    "sin": ("Sin", FLOATS), "cos": ("Cos", FLOATS), "tanh": ("Tanh", FLOATS), "sigmoid": ("Sigmoid", SINGLE),
    "tan": ("Tan", SINGLE), "arcsin": ("Asin", SINGLE), "arccos": ("Acos", SINGLE), "arctan": ("Atan", SINGLE),
    "sinh": ("Sinh", SINGLE), "cosh": ("Cosh", SINGLE), "arcsinh": ("Asinh", SINGLE), "arccosh": ("Acosh", SINGLE),
    "arctanh": ("Atanh", SINGLE), "floor": ("Floor", FLOATS), "ceil": ("Ceil", FLOATS), "rint": ("Round", FLOATS),
    "isnan": ("IsNaN", FLOATS), "isinf": ("IsInf", FLOATS), "relu": ("Relu", FLOATS | SIGNED),
    "equal": ("Equal", FLOATS | INTEGERS | BOOL), "less": ("Less", FLOATS | INTEGERS),
    "less_equal": ("LessOrEqual", FLOATS | INTEGERS), "greater": ("Greater", FLOATS | INTEGERS),
    "greater_equal": ("GreaterOrEqual", FLOATS | INTEGERS),
    "bitwise_and": ("BitwiseAnd", INTEGERS), "bitwise_or": ("BitwiseOr", INTEGERS),
    "bitwise_xor": ("BitwiseXor", INTEGERS), "invert": ("BitwiseNot", INTEGERS),
    "logical_and": ("And", BOOL), "logical_or": ("Or", BOOL), "logical_xor": ("Xor", BOOL),
    "logical_not": ("Not", BOOL),
}  # fmt: skip
# What a ufunc is of booleans.
OF_BOOLEANS = {
    "add": "Or", "multiply": "And", "maximum": "Or", "minimum": "And", "bitwise_and": "And", "bitwise_or": "Or",
    "bitwise_xor": "Xor", "invert": "Not", "absolute": "Identity",
}  # fmt: skip
REDUCTIONS = {
    "add": "ReduceSum", "multiply": "ReduceProd", "maximum": "ReduceMax", "minimum": "ReduceMin",
    "logaddexp": "ReduceLogSumExp", "logical_and": "ReduceMin", "logical_or": "ReduceMax",
}  # fmt: skip
# The dtypes of the others that do not run in all.
NUMBERS = FLOATS | WIDE  # of reductions, products and Where
SORTED = FLOATS | WIDE
PADDED = ALL - frozenset(["i2", "u2"])
# Those that the other modules write.
STRUCTURAL = frozenset([
    "square", "not_equal", "positive", "conjugate", "deg2rad", "radians", "rad2deg", "degrees",
    "matmul", "where", "reshape", "transpose", "broadcast_to", "concatenate", "astype", "copy", "full", "getitem",
    "setitem", "add_at", "scatter", "array", "scalar", "view", "pad", "real", "mean", "tuple", "softmax",
])  # fmt: skip


def has_operator(x: Instruction, stands_for_operator: bool) -> bool:
    """Whether `x` is written as it is. stands_for_operator: as a part of what it is itself composed of."""
    operation, kind = x.operation, code(x.result.dtype)
    if operation == "call":
        direct = any(x.function is f for f in (np.einsum, np.take_along_axis, np.copy))
        return direct or (stands_for_operator and x.function is np.argsort)
    if operation == "reduce":
        plain = set(x.parameters) <= {"ufunc", "axis", "dtype", "keepdims"}
        return plain and (x.parameters["ufunc"] in REDUCTIONS or x.parameters["axis"] == ())
    if operation in STRUCTURAL:
        return True
    if operation in ("conv2d", "conv2d_kernel_gradient", "conv2d_image_gradient", "avg_pool2d"):
        return kind == "f4"
    if operation == "max_pool2d":
        return kind in FLOATS
    if operation in ("floor_divide", "remainder", "fmod") and kind not in FLOATS:
        return stands_for_operator
    if operation not in UFUNCS or (
        ufunc_of(operation) is None and operation not in ("relu", "sigmoid", "power_operator")
    ):
        return False
    dtypes = UFUNCS[operation][1]
    if dtypes == SINGLE:
        return kind == "f4" or (stands_for_operator and kind == "f8")
    return True


def code(dtype: Any) -> str:
    """A dtype as "f8"; "" for None."""
    return "" if dtype is None else f"{dtype.kind}{dtype.itemsize}"


def run_in(dtype: Any, among: frozenset[str]) -> Any:
    """The dtype of `among` that what is computed in `dtype` is computed in: itself, or one that holds its values."""
    if code(dtype) in among:
        return dtype
    if not among & WIDE:
        return np.dtype(np.float64)
    small = dtype.kind == "b" or (dtype.kind in "iu" and dtype.itemsize < 4)
    return np.dtype(np.int32 if small and "i4" in among else np.int64)


def computed_in(x: Instruction) -> tuple[Any, ...]:
    """The dtypes of the operands and of the result of a ufunc's loop."""
    name = {"power_operator": "power"}.get(x.operation, x.operation)
    ufunc = ufunc_of(name)
    if ufunc is None:  # relu, sigmoid
        return (x.result.dtype, x.result.dtype)
    given = [y.result for y in x.operands]
    if set(x.parameters) - {"dtype", "casting", "subok"}:
        raise refused(x, f"it has the parameters {', '.join(map(repr, x.parameters))}")
    if x.parameters.get("dtype") is not None:
        dtype = np.dtype(x.parameters["dtype"])
        return (*[dtype] * ufunc.nin, dtype)
    if all(r.kind == "number" for r in given):
        types: list[Any] = [r.dtype for r in given]
    else:
        types = [type(r.dtype.type(0).item()) if r.kind == "number" and r.dtype.kind != "b" else r.dtype for r in given]
    found: tuple[Any, ...] = ufunc.resolve_dtypes((*types, *[None] * ufunc.nout))
    return found
