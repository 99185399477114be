"""What an elementwise operation is in JavaScript: an expression of its operands' elements, each a number.

A number of JavaScript is a double. So an element in double precision is itself; one in single precision is rounded by
`Math.fround` after each operation; integers of up to 32 bits wrap around as NumPy's do; those of 64 bits are exact up
to 2^53, and beyond that an error is thrown. A boolean is 0 or 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.c.places import literal
from tinygrad_cnn.lowering.instructions import Instruction
from tinygrad_cnn.lowering.operations import ufunc_of

F64, F32, BOOL, I64, U64 = map(np.dtype, (np.float64, np.float32, bool, np.int64, np.uint64))
ARRAYS: dict[Any, str] = {  # the typed array that holds the elements of a dtype
    F64: "Float64Array", F32: "Float32Array", BOOL: "Uint8Array", I64: "Float64Array", U64: "Float64Array",
    **{np.dtype(f"i{n}"): f"Int{8 * n}Array" for n in (1, 2, 4)},
    **{np.dtype(f"u{n}"): f"Uint{8 * n}Array" for n in (1, 2, 4)},
}  # fmt: skip
BYTES = {dtype: 8 if name == "Float64Array" else dtype.itemsize for dtype, name in ARRAYS.items()}
_WRAPPED = {  # an integer as one of a smaller type
    np.dtype(np.int8): "{0} << 24 >> 24", np.dtype(np.int16): "{0} << 16 >> 16", np.dtype(np.int32): "{0} | 0",
    np.dtype(np.uint8): "{0} & 255", np.dtype(np.uint16): "{0} & 65535", np.dtype(np.uint32): "{0} >>> 0",
    I64: "exact({0})", U64: "unsigned({0})",
}  # fmt: skip

_COMPARISONS = {
    name: f"{{0}} {sign} {{1}} ? 1 : 0"
    for name, sign in {
        "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "===", "not_equal": "!==",
    }.items()
} | {
    "logical_and": "{0} !== 0 && {1} !== 0 ? 1 : 0", "logical_or": "{0} !== 0 || {1} !== 0 ? 1 : 0",
    "logical_not": "{0} === 0 ? 1 : 0", "logical_xor": "({0} !== 0) !== ({1} !== 0) ? 1 : 0",
}  # fmt: skip
_FUNCTIONS = {
    "sqrt": "sqrt", "cbrt": "cbrt", "exp": "exp", "expm1": "expm1", "log": "log", "log2": "log2", "log10": "log10",
    "log1p": "log1p", "sin": "sin", "cos": "cos", "tan": "tan", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "absolute": "abs", "fabs": "abs", "floor": "floor", "ceil": "ceil", "trunc": "trunc",
}  # fmt: skip
_ARITHMETIC = {
    "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "negative": "-{0}", "square": "{0} * {0}",
}  # fmt: skip
_OF_FLOATS = {
    **_ARITHMETIC, **_COMPARISONS, **{name: f"Math.{of}({{0}})" for name, of in _FUNCTIONS.items()},
    "divide": "{0} / {1}", "reciprocal": "1 / {0}", "positive": "{0}", "fmod": "{0} % {1}", "exp2": "2 ** {0}",
    "power": "power({0}, {1})", "float_power": "power({0}, {1})", "hypot": "Math.hypot({0}, {1})",
    "arctan2": "Math.atan2({0}, {1})", "copysign": "copysign({0}, {1})", "rint": "rint({0})",
    "maximum": "Math.max({0}, {1})", "minimum": "Math.min({0}, {1})", "fmax": "fmax({0}, {1})",
    "fmin": "fmin({0}, {1})", "sign": "Math.sign({0}) + 0", "isnan": "{0} !== {0} ? 1 : 0",
    "isfinite": "Number.isFinite({0}) ? 1 : 0", "isinf": "Math.abs({0}) === Infinity ? 1 : 0",
    "signbit": "{0} < 0 || 1 / {0} < 0 ? 1 : 0", "remainder": "remainder({0}, {1})",
    "floor_divide": "floor_divide({0}, {1})", "heaviside": "heaviside({0}, {1})",
    "logaddexp": "logaddexp({0}, {1})", "logaddexp2": "logaddexp2({0}, {1})",
    "deg2rad": "{0} * (Math.PI / 180)", "radians": "{0} * (Math.PI / 180)",
    "rad2deg": "{0} * (180 / Math.PI)", "degrees": "{0} * (180 / Math.PI)",
    "relu": "Math.max({0}, 0)", "sigmoid": "sigmoid({0})", "erf": "erf({0})",
    "erfc": "erfc({0})", "gammaln": "gammaln({0})", "psi": "psi({0})", "xlogy": "xlogy({0}, {1})",
    "xlog1py": "xlog1py({0}, {1})",
}  # fmt: skip
_BITS = {"bitwise_and": "{0} & {1}", "bitwise_or": "{0} | {1}", "bitwise_xor": "{0} ^ {1}"}
_OF_INTEGERS = {
    **_ARITHMETIC, **_COMPARISONS, **_BITS, "multiply": "Math.imul({0}, {1})", "square": "Math.imul({0}, {0})",
    "positive": "{0}", "invert": "~{0}", "absolute": "Math.abs({0})", "sign": "Math.sign({0})",
    "maximum": "Math.max({0}, {1})", "minimum": "Math.min({0}, {1})", "relu": "Math.max({0}, 0)",
    "fmax": "Math.max({0}, {1})", "fmin": "Math.min({0}, {1})",
    "remainder": "integer_remainder({0}, {1})", "floor_divide": "integer_floor_divide({0}, {1})",
    "isnan": "0", "isinf": "0", "isfinite": "1", "signbit": "{0} < 0 ? 1 : 0",
}  # fmt: skip
_OF_LONG_INTEGERS = {
    **_OF_INTEGERS, **_ARITHMETIC, "power": "integer_power({0}, {1})", "invert": "-1 - {0}",
    **{name: "Number(" + text.replace("{0}", "BigInt({0})").replace("{1}", "BigInt({1})") + ")"
       for name, text in _BITS.items()},
}  # fmt: skip
_OF_BOOLEANS = {
    **_COMPARISONS, **_BITS,
    "logical_and": "{0} & {1}", "logical_or": "{0} | {1}", "logical_xor": "{0} ^ {1}",
    "add": "{0} | {1}", "multiply": "{0} & {1}", "maximum": "{0} | {1}", "minimum": "{0} & {1}", "absolute": "{0}",
    "invert": "{0} ^ 1", "isnan": "0", "isinf": "0", "isfinite": "1",
}  # fmt: skip
_EXACT = frozenset(  # what gives a number of the operands' precision, so that nothing is to be rounded
    ["negative", "positive", "maximum", "minimum", "fmax", "fmin", "absolute", "fabs", "sign", "floor", "ceil", "trunc",
     "rint", "relu", "copysign", "heaviside"]
)  # fmt: skip
_OPAQUE = frozenset(["relu", "sigmoid", "erf", "erfc", "gammaln", "psi", "xlogy", "xlog1py"])
# What Python computes of its own numbers as here; a division by zero, which is an error, is `quotient`'s.
_OF_PYTHON = frozenset(
    ["add", "subtract", "multiply", "negative", "positive", "absolute", "divide", "less", "less_equal", "greater",
     "greater_equal", "equal", "not_equal"]
)  # fmt: skip
_CALL = re.compile(r"[\w.]+\(\{0\}(, \{1\})?\)")
COPIES = frozenset(["astype", "broadcast_to", "view", "scalar", "copy", "reshape", "getitem", "transpose"])


def _templates(dtype: Any) -> dict[str, str]:
    if dtype.kind == "f":
        return _OF_FLOATS
    if dtype.kind == "b":
        return _OF_BOOLEANS
    return _OF_LONG_INTEGERS if dtype in (I64, U64) else _OF_INTEGERS


def loop_dtypes(x: Instruction) -> tuple[Any, ...] | None:
    """The dtypes that an elementwise instruction takes and makes, or None if it has no form here."""
    made = x.result.dtype
    if made not in ARRAYS or any(y.result.dtype not in ARRAYS for y in x.operands):
        return None
    if x.operation in COPIES:
        return _of_copy(x)
    if x.operation == "where":
        return (x.operands[0].result.dtype, made, made, made)
    if x.operation in _OPAQUE:
        same = all(y.result.dtype == made for y in x.operands) and made.kind != "b"
        is_known = same and (made.kind == "f" or x.operation == "relu")
        return (*[made] * len(x.operands), made) if is_known else None
    operation = "power" if x.operation == "power_operator" else x.operation
    ufunc = ufunc_of(operation) if x.function is None or x.operation == "power_operator" else None
    if ufunc is None or x.parameters or ufunc.nout != 1:
        return None
    if x.result.kind == "number":
        return _of_python(x)
    given = [_python_type(y) if y.result.kind == "number" else y.result.dtype for y in x.operands]
    try:
        dtypes = ufunc.resolve_dtypes((*given, None))
    except (TypeError, ValueError):
        return None
    taken = set(dtypes[: ufunc.nin])
    if len(taken) != 1 or not taken <= set(ARRAYS) or operation not in _templates(dtypes[0]):
        return None
    if dtypes[-1] != made or (made.kind != dtypes[0].kind and made.kind != "b"):
        return None
    return tuple(dtypes)


def _of_copy(x: Instruction) -> tuple[Any, ...] | None:
    if len(x.operands) != 1 or x.parameters.get("order", "C") not in ("C", "K"):
        return None
    taken, made = x.operands[0].result.dtype, x.result.dtype
    if x.operation in ("getitem", "transpose"):
        return None  # views, or not elementwise
    if x.operation == "view":
        return (taken, made) if taken == made or (taken.kind == "b" and made.kind in "iu") else None
    return taken, made


def _of_python(x: Instruction) -> tuple[Any, ...] | None:
    given = {y.result.dtype for y in x.operands}
    if x.operation not in _OF_PYTHON or not given <= {F64, I64}:
        return None
    common = F64 if F64 in given or x.operation == "divide" else I64
    return (*[common] * len(x.operands), x.result.dtype) if x.result.dtype in (common, BOOL) else None


def _python_type(x: Instruction) -> Any:
    return {"b": np.dtype(bool), "i": int, "f": float}[x.result.dtype.kind]


def expression(x: Instruction, dtypes: tuple[Any, ...], operands: Sequence[str]) -> str:
    """The element of the result, from the operands' elements, each a name, a literal or within parentheses."""
    given = [
        converted(text, y.result.dtype, dtype, literal(y))
        for text, y, dtype in zip(operands, x.operands, dtypes[:-1], strict=True)
    ]
    if x.operation == "where":
        condition = given[0] if dtypes[0].kind == "b" else f"{given[0]} !== 0"
        return f"{condition} ? {given[1]} : {given[2]}"
    if x.operation in COPIES:
        return without_parentheses(converted(given[0], dtypes[0], dtypes[1], None))
    operation = "power" if x.operation == "power_operator" else x.operation
    if x.result.kind == "number" and operation == "divide":
        return f"quotient({given[0]}, {given[1]})"
    template = _templates(dtypes[0])[operation]
    if _CALL.fullmatch(template):
        given = [without_parentheses(text) for text in given]
    return rounded(operation, template.format(*given), dtypes[0], dtypes[-1])


def rounded(operation: str, text: str, taken: Any, made: Any) -> str:
    """What an operation gives, as a number of the dtype of its result."""
    if made.kind == "b" or taken.kind == "b" or (operation in _EXACT and made.kind == "f"):
        return text
    if made == F32:
        return f"Math.fround({text})"
    if made.kind in "iu" and operation not in ("maximum", "minimum", "positive", "relu", "sign", "fmax", "fmin"):
        return _WRAPPED[made].format(text if made in (I64, U64) or text.endswith(")") else f"({text})")
    return text


def uses_once(x: Instruction, dtypes: tuple[Any, ...]) -> bool:
    """Whether the expression has each operand once, so that what it is may be written within."""
    operation = "power" if x.operation == "power_operator" else x.operation
    if x.operation in COPIES or x.operation == "where":
        return True
    return _templates(dtypes[0])[operation].count("{0}") == 1


def converted(text: str, of: Any, to: Any, value: Any) -> str:
    """An element as one of another dtype; `value` if it is a literal."""
    if value is not None:
        return number(value, to)
    if of == to or (to == F64) or (to == F32 and of.kind in "biu" and of.itemsize < 4):
        return text
    if to.kind == "b":
        return f"({text} !== 0 ? 1 : 0)"
    if to == F32:
        return f"Math.fround({text})"
    if of.kind == "f":
        low, high = (np.iinfo(to).min, np.iinfo(to).max) if to not in (I64, U64) else (1 - 2**53, 2**53 - 1)
        return f"integer({text}, {max(low, 0) if to.kind == 'u' else low}, {high})"
    if np.can_cast(of, to):
        return text
    return _WRAPPED[to].format(text) if to in (I64, U64) else f"({_WRAPPED[to].format(text)})"


def number(value: Any, dtype: Any) -> str:
    """A number as JavaScript reads it, to the last bit; within parentheses if it is negative."""
    value = np.asarray(value).astype(dtype)[()]
    if dtype.kind == "f":
        if np.isnan(value):
            return "NaN"
        text = "Infinity" if np.isinf(value) else repr(float(value))
        text = text.removeprefix("-").removesuffix(".0").replace("e+", "e")
        return f"(-{text})" if np.signbit(value) else text
    if abs(int(value)) >= 1 << 53:
        raise NotImplementedError(f"program: to='js': the integer {value} is beyond 2^53, up to which they are exact")
    return f"({int(value)})" if value < 0 else str(int(value))


def without_parentheses(text: str) -> str:
    """An expression without parentheses around all of it."""
    return text[1:-1] if text.startswith("(") and _closes(text, 0) == len(text) - 1 else text


def is_atom(text: str) -> bool:
    """Whether an expression is a name, a number, a call or an element of an array, which needs no parentheses."""
    head = re.match(r"[\w.]+", text)
    if head is None or head.end() == len(text):
        return head is not None
    return text[head.end()] in "([" and _closes(text, head.end()) == len(text) - 1


def _closes(text: str, opening: int) -> int:
    """Where the parenthesis or bracket at `opening` is closed."""
    depth = 0
    for place in range(opening, len(text)):
        depth += (text[place] in "([") - (text[place] in ")]")
        if not depth:
            return place
    return -1
