"""What an elementwise operation is in C: an expression of its operands' elements."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.c.places import literal
from tinygrad_cnn.lowering.instructions import Instruction
from tinygrad_cnn.lowering.operations import ufunc_of

C_TYPES: dict[Any, str] = {
    np.dtype(bool): "uint8_t",
    np.dtype(np.float64): "double",
    np.dtype(np.float32): "float",
    **{np.dtype(f"i{n}"): f"int{8 * n}_t" for n in (1, 2, 4, 8)},
    **{np.dtype(f"u{n}"): f"uint{8 * n}_t" for n in (1, 2, 4, 8)},
}

# {0} and {1} are the operands, of the type that NumPy computes in; {f} is "f" in single precision.
_ARITHMETIC = {
    "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "negative": "-{0}", "positive": "{0}",
    "square": "{0} * {0}",
}  # fmt: skip
_COMPARISONS = {
    "less": "{0} < {1}", "less_equal": "{0} <= {1}", "greater": "{0} > {1}", "greater_equal": "{0} >= {1}",
    "equal": "{0} == {1}", "not_equal": "{0} != {1}",
    "logical_and": "{0} && {1}", "logical_or": "{0} || {1}", "logical_not": "!{0}", "logical_xor": "!{0} != !{1}",
}  # fmt: skip
_FUNCTIONS = {
    name: f"{c}{{f}}({{0}})"
    for name, c in {
        "sqrt": "sqrt", "cbrt": "cbrt", "exp": "exp", "exp2": "exp2", "expm1": "expm1", "log": "log", "log2": "log2",
        "log10": "log10", "log1p": "log1p", "sin": "sin", "cos": "cos", "tan": "tan", "arcsin": "asin",
        "arccos": "acos", "arctan": "atan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "arcsinh": "asinh",
        "arccosh": "acosh", "arctanh": "atanh", "absolute": "fabs", "fabs": "fabs", "floor": "floor", "ceil": "ceil",
        "trunc": "trunc", "rint": "rint",
    }.items()
}  # fmt: skip
_OF_FLOATS = {
    **_ARITHMETIC, **_COMPARISONS, **_FUNCTIONS,
    "divide": "{0} / {1}", "reciprocal": "1 / {0}", "power": "pow{f}({0}, {1})", "hypot": "hypot{f}({0}, {1})",
    "arctan2": "atan2{f}({0}, {1})", "copysign": "copysign{f}({0}, {1})",
    "maximum": "{0} > {1} || {0} != {0} ? {0} : {1}", "minimum": "{0} < {1} || {0} != {0} ? {0} : {1}",
    "sign": "{0} != {0} ? {0} : ({0} > 0) - ({0} < 0)",
    "isnan": "{0} != {0}", "isfinite": "isfinite({0}) != 0", "isinf": "isinf({0}) != 0",
    "signbit": "signbit({0}) != 0",
    "relu": "{0} > 0 || {0} != {0} ? {0} : 0",
    "sigmoid": "exp{f}({0} <= 0 || {0} != {0} ? {0} : 0) / (1 + exp{f}(-fabs{f}({0})))",
}  # fmt: skip
_OF_INTEGERS = {
    **_ARITHMETIC, **_COMPARISONS,
    "absolute": "{0} < 0 ? -{0} : {0}", "maximum": "{0} > {1} ? {0} : {1}", "minimum": "{0} < {1} ? {0} : {1}",
    "bitwise_and": "{0} & {1}", "bitwise_or": "{0} | {1}", "bitwise_xor": "{0} ^ {1}", "invert": "~{0}",
    "relu": "{0} > 0 ? {0} : 0",
}  # fmt: skip
_OF_BOOLEANS = {
    **_COMPARISONS,
    "add": "{0} | {1}", "multiply": "{0} & {1}", "maximum": "{0} | {1}", "minimum": "{0} & {1}", "absolute": "{0}",
    "bitwise_and": "{0} & {1}", "bitwise_or": "{0} | {1}", "bitwise_xor": "{0} ^ {1}", "invert": "!{0}",
    "isnan": "0", "isinf": "0", "isfinite": "1",
}  # fmt: skip
_TEMPLATES = {"f": _OF_FLOATS, "i": _OF_INTEGERS, "u": _OF_INTEGERS, "b": _OF_BOOLEANS}

C_FUNCTIONS = frozenset(
    [
        name + single
        for text in _OF_FLOATS.values()
        for name in re.findall(r"(\w+)\{f\}\(", text)
        for single in ("", "f", "l")
    ]
    + ["isnan", "isinf", "isfinite", "signbit", "j0", "j1", "y0", "y1"]
)

# What Python computes of its own floats as C does, without an error that it may raise.
_OF_PYTHON_FLOATS = frozenset(["add", "subtract", "multiply", "negative", "positive"])


def loop_dtypes(x: Instruction) -> tuple[Any, ...] | None:
    """The dtypes that an elementwise instruction takes and makes, or None if it has no C form."""
    made = x.result.dtype
    if made not in C_TYPES or any(y.result.dtype not in C_TYPES for y in x.operands):
        return None
    if x.operation in ("astype", "broadcast_to", "view", "scalar", "copy", "reshape", "positive_copy"):
        return _of_copy(x)
    if x.operation == "where":
        return (x.operands[0].result.dtype, made, made, made)
    if x.operation in ("relu", "sigmoid"):
        same = x.operands[0].result.dtype == made and x.operands[0].result.kind != "number"
        return (made, made) if same and (made.kind == "f" or x.operation == "relu") and made.kind != "b" else None
    ufunc = ufunc_of(x.operation) if x.function is None else None
    if ufunc is None or x.parameters:
        return None
    if x.result.kind == "number":
        floats = all(y.result.dtype == np.float64 for y in x.operands) and x.operation in _OF_PYTHON_FLOATS
        return (*[y.result.dtype for y in x.operands], made) if floats else None
    given = [_python_type(y) if y.result.kind == "number" else y.result.dtype for y in x.operands]
    try:
        dtypes = ufunc.resolve_dtypes((*given, *[None] * ufunc.nout))
    except (TypeError, ValueError):
        return None
    taken = set(dtypes[: ufunc.nin])
    if ufunc.nout != 1 or len(taken) != 1 or dtypes[-1] != made or not taken <= set(C_TYPES):
        return None
    templates = _TEMPLATES[dtypes[0].kind]
    if x.operation not in templates or (dtypes[-1].kind != dtypes[0].kind and dtypes[-1].kind != "b"):
        return None
    return tuple(dtypes)


def _of_copy(x: Instruction) -> tuple[Any, ...] | None:
    taken, made = x.operands[0].result.dtype, x.result.dtype
    if "order" in x.parameters:
        return None
    if x.operation == "view":
        return (taken, made) if taken.kind == "b" and made.itemsize == 1 and made.kind in "iu" else None
    if taken.kind == "f" and made.kind in "iu" and made not in (np.dtype(np.int64), np.dtype(np.int32)):
        return None
    return taken, made


def _python_type(x: Instruction) -> Any:
    return {"b": np.dtype(bool), "i": int, "f": float}[x.result.dtype.kind]


def expression(x: Instruction, dtypes: tuple[Any, ...], operands: list[str]) -> str:
    """The element of the result, from the operands' elements, each a name or a literal."""
    given = [
        converted(text, y.result.dtype, dtype, literal(y))
        for text, y, dtype in zip(operands, x.operands, dtypes[:-1], strict=True)
    ]
    if x.operation == "where":
        return f"{given[0]} ? {given[1]} : {given[2]}"
    if len(dtypes) == 2 and x.operation not in _TEMPLATES[dtypes[0].kind]:
        return converted(given[0], dtypes[0], dtypes[1], None)
    single = "f" if dtypes[0] == np.float32 else ""
    return _TEMPLATES[dtypes[0].kind][x.operation].format(*given, f=single)


def converted(text: str, of: Any, to: Any, value: Any) -> str:
    """An element as one of another dtype; `value` if it is a literal."""
    if value is not None:
        return number(value, to)
    if of == to:
        return text
    return f"({text} != 0)" if to.kind == "b" else f"({C_TYPES[to]}){text}"


def number(value: Any, dtype: Any) -> str:
    """A number as C reads it, to the last bit."""
    value = np.asarray(value).astype(dtype)[()]
    if dtype.kind == "f":
        if np.isnan(value):
            return "NAN"
        if np.isinf(value):
            return "INFINITY" if value > 0 else "(-INFINITY)"
        text = str(value) + ("f" if dtype == np.float32 else "")
        return f"({text})" if np.signbit(value) else text
    text = str(int(value))
    if abs(int(value)) >= 1 << 31:
        text = f"({text[:-1]}{int(text[-1])}LL)" if int(value) > -(1 << 63) else "INT64_MIN"
        text = text.replace("LL", "ULL") if dtype.kind == "u" else text
    return f"({text})" if text[0] == "-" else text
