"""Infinite slopes in a program: where nothing depends on a result, its operands have the cotangent 0.

The engine looks for NaN after a sweep, and only then masks them (see `infinities.py`). A program has to be the same for
all elements. So the masks are put in where they may be needed: at a primitive with an infinite slope, whose result has
a cotangent that may be 0 because something was chosen, and whose operand is not known to be where the slope is finite.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.infinities import Rule, masked
from tinygrad_cnn.lowering.instructions import Instruction
from tinygrad_cnn.lowering.recorder import Recorder

Array = Any

# What makes zeros out of numbers that are none.
CHOOSING = frozenset(["where", "unpool", "scatter", "setitem", "add_at", "pad", "col2im"])
# The operand that an infinite slope depends on: it is finite where that is positive.
DECIDING = {
    "divide": 1, "sqrt": 0, "log": 0, "log2": 0, "log10": 0, "log1p": 0, "reciprocal": 0, "cbrt": 0, "power": 0,
    "root_of_squares": 0,
}  # fmt: skip
NOT_NEGATIVE = frozenset(["square", "exp", "exp2", "absolute", "sqrt", "sigmoid", "relu", "cosh"])
SAME_ELEMENTS = frozenset(["reshape", "transpose", "broadcast_to", "getitem", "copy", "astype"])


class Masks:
    """Runs the rules of a sweep that is traced."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self._zeros: dict[Instruction, bool] = {}

    def __call__(self, rule: Rule, node: Any, g: Array, out: Array, operands: Sequence[Array]) -> Array:
        """What `rule` gives, masked if it may be NaN where nothing depends on the result."""
        cotangent = rule(g, out, *operands, **node.static_args)
        if not node.primitive.singular or not self._may_be_zero(_instruction(g)) or self._is_finite(node):
            return cotangent
        if not node.primitive.elementwise:
            return masked(np.where(np.all(np.equal(g, 0)), 0, 1), cotangent, ())
        if hasattr(type(cotangent), "recorder") and all(hasattr(type(x), "recorder") for x in (g, *operands)):
            return self.recorder.record("masked", [g, cotangent, *operands], {}, masked_cotangent)
        return masked(g, cotangent, operands)

    def _may_be_zero(self, x: Instruction | None) -> bool:
        """Whether elements of it may be 0 because something else was chosen. (No recursion: a program may be deep.)"""
        if x is None:
            return True
        waiting = [x]
        while waiting:
            y = waiting[-1]
            if y in self._zeros:
                waiting.pop()
                continue
            if _chooses(y):
                self._zeros[y] = True
            elif missing := [operand for operand in y.operands if operand not in self._zeros]:
                waiting += missing
                continue
            else:
                self._zeros[y] = any(self._zeros[operand] for operand in y.operands)
            waiting.pop()
        return self._zeros[x]

    def _is_finite(self, node: Any) -> bool:
        """Whether the slopes are known to be finite."""
        position = DECIDING.get(node.primitive.__name__)
        if position is None:
            return False
        x = dict(node.sources).get(position)
        operand = node.operands[position] if x is None else x.value
        if not hasattr(type(operand), "recorder"):
            return bool(np.all(np.greater(operand, 0)))
        return _is_positive(operand.instruction)


def masked_cotangent(g: Array, cotangent: Array, *operands: Array) -> Array:
    """The cotangent that a rule gave, but 0 where a cotangent `g` of 0 met an infinite slope."""
    return masked(g, cotangent, operands)


def _instruction(g: Any) -> Instruction | None:
    value: Any = g if hasattr(type(g), "recorder") else getattr(getattr(g, "node", None), "value", None)
    return value.instruction if hasattr(type(value), "recorder") else None


def _chooses(x: Instruction) -> bool:
    if x.operation in ("constant", "full", "outside"):
        value = x.parameters["value"]
        return isinstance(value, bool | int | float | np.ndarray | np.generic) and not np.all(value)
    return x.operation in CHOOSING or x.function is np.where or x.result.dtype == np.bool_


def _is_positive(x: Instruction) -> bool:
    """Whether all elements are known to be greater than 0."""
    if x.operation in ("constant", "full", "outside"):
        return bool(np.all(np.greater(x.parameters["value"], 0)))
    if x.operation == "add":
        a, b = x.operands
        return (_is_positive(a) and _is_not_negative(b)) or (_is_positive(b) and _is_not_negative(a))
    if x.operation == "maximum":
        return any(map(_is_positive, x.operands))
    return x.operation in (*SAME_ELEMENTS, "sqrt") and _is_positive(x.operands[0])


def _is_not_negative(x: Instruction) -> bool:
    """Whether no element is known to be less than 0."""
    if x.operation in NOT_NEGATIVE or x.function in (np.var, np.std, np.linalg.norm) or _is_positive(x):
        return True
    if x.operation in ("power_operator", "power"):
        exponent = x.operands[1]
        return exponent.operation == "constant" and bool(np.all(np.equal(exponent.parameters["value"], 2)))
    if x.operation in ("multiply", "divide"):
        a, b = x.operands
        return (a is b and x.operation == "multiply") or (_is_not_negative(a) and _is_not_negative(b))
    if x.operation == "constant":
        return bool(np.all(np.greater_equal(x.parameters["value"], 0)))
    if x.operation == "call":
        return x.function in (np.mean, np.sum, np.copy) and _is_not_negative(x.operands[0])
    along = x.operation == "reduce" and x.parameters["ufunc"] in ("add", "maximum", "minimum")
    return (along or x.operation in SAME_ELEMENTS) and _is_not_negative(x.operands[0])
