"""Each instruction as an expression of jax.numpy: what differs from NumPy's.

Arrays do not change: an assignment is x.at[index].set(values). JAX cannot raise depending on values. Where NumPy raises
for an index out of bounds, an array of indices is read with mode="fill": what is out of bounds is NaN, and the smallest
number of an integer dtype, where x[index] would give the last element.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Slot, mapped
from tinygrad_cnn.lowering.jax_source import foreign
from tinygrad_cnn.lowering.jax_source.calls import ArrayOf, UnsupportedError, adapted
from tinygrad_cnn.lowering.jax_source.names import LACKING, NO_UFUNC, RENAMED, SPECIAL
from tinygrad_cnn.lowering.numpy_source.expressions import ATOM, REDUCTIONS, Expressions, NotPrintableError, Text
from tinygrad_cnn.lowering.numpy_source.helpers import HELPERS

SEVERAL_AXES = frozenset({*REDUCTIONS, "logaddexp", "logaddexp2"})
OWN = frozenset(
    {"labels_in_range", "at_least_one", "erfc", "i0_derivative"}
)  # helpers that NumPy has the primitives' own source for


class JaxExpressions(Expressions):
    """What is written for instructions, in jax.numpy."""

    np = "jnp"

    def of(self, x: Instruction, operands: Sequence[Text]) -> Text:
        """The expression of `x`. Raises NotImplementedError for what JAX lacks."""
        if x.result.dtype is not None:
            self.dtype(x.result.dtype, x)
        if x.operation in LACKING:
            raise lacking(f"np.{x.operation}", x)
        if x.operation in OWN and x.operation not in HELPERS:
            return self._own(x, operands)
        if x.operation in ("floor_divide", "remainder") and _may_divide_by_zero(x):
            name = "integer_quotient" if x.operation == "floor_divide" else "integer_remainder"
            self.helpers.setdefault(name)
            return Text(f"{name}({operands[0].text}, {operands[1].text})")
        return super().of(x, operands)

    def _own(self, x: Instruction, operands: Sequence[Text]) -> Text:
        self.helpers.setdefault(x.operation)
        given = [f"{name}={self.parameter(value, operands)}" for name, value in x.parameters.items()]
        return Text(f"{x.operation}({', '.join([operands[0].text, *given])})")

    # Canonical operations.

    def _full(self, x: Instruction, operands: Sequence[Text]) -> Text:
        value, dtype = x.parameters["value"], np.dtype(x.parameters["dtype"])
        shape = self.size(x.result.shape[0]) if len(x.result.shape) == 1 else self.shape(x.result.shape)
        if isinstance(value, float | int) and value in (0, 1) and not np.signbit(value):
            return super()._full(x, operands)
        return Text(f"jnp.full({shape}, {self.parameter(value, ())}, {self.dtype(dtype)})")

    def _reshape(self, x: Instruction, operands: Sequence[Text]) -> Text:
        if x.parameters.get("order", "C") in ("A", "K"):  # as the traced array lay in memory, which JAX's do not
            of = x.operands[0].result
            fortran = len(of.shape) > 1 and not of.row_by_row and _is_column_by_column(of)
            x = x.with_(parameters={**x.parameters, "order": "F" if fortran else "C"})
        return super()._reshape(x, operands)

    def _reduce(self, x: Instruction, operands: Sequence[Text]) -> Text:
        name, axis = x.parameters["ufunc"], x.parameters["axis"]
        if isinstance(axis, tuple) and len(axis) > 1 and name not in SEVERAL_AXES:
            return self._reduce_one_by_one(x, operands)
        if name in REDUCTIONS and "initial" in x.parameters:  # which the method x.sum leaves out, as of JAX 0.10
            return Text(f"jnp.{REDUCTIONS[name]}({', '.join([operands[0].text, *self._along(x, operands)])})")
        if name not in REDUCTIONS and isinstance(x.parameters.get("initial"), int | float):  # of the same dtype
            x = x.with_(parameters={**x.parameters, "initial": x.result.dtype.type(x.parameters["initial"])})
        found = super()._reduce(x, operands)
        return Text(found.text.replace(f"jnp.{name}.reduce(", f"{self.ufunc(name)}.reduce(", 1))

    def _reduce_one_by_one(self, x: Instruction, operands: Sequence[Text]) -> Text:
        """A reduction along several axes, where JAX takes one."""
        if x.parameters.keys() - {"ufunc", "axis", "dtype", "keepdims"}:
            raise lacking(f"np.{x.parameters['ufunc']}.reduce along several axes with where or initial", x)
        text, kept = operands[0].text, ", keepdims=True" if x.parameters["keepdims"] else ""
        for axis in sorted(x.parameters["axis"], reverse=True):
            text = f"{self.ufunc(x.parameters['ufunc'])}.reduce({text}, axis={axis}{kept})"
        return Text(text)

    def _getitem(self, x: Instruction, operands: Sequence[Text]) -> Text:
        x = _with_places(x)
        if not any(_is_dynamic(x.operands[slot.number]) for slot in _index_slots(x)):
            return super()._getitem(x, operands)
        return Text(f'{operands[0].within(ATOM)}.at[{self.index(x.parameters["index"], operands)}].get(mode="fill")')

    def _setitem(self, x: Instruction, operands: Sequence[Text]) -> Text:
        return self._changed(x, operands, "set")

    def _add_at(self, x: Instruction, operands: Sequence[Text]) -> Text:
        return self._changed(x, operands, "add")

    def _changed(self, x: Instruction, operands: Sequence[Text], how: str) -> Text:
        x = _with_places(x)
        index, value = self.index(x.parameters["index"], operands), self.parameter(x.parameters["value"], operands)
        return Text(f"{operands[0].within(ATOM)}.at[{index}].{how}({value})")

    def _helper(self, x: Instruction, operands: Sequence[Text]) -> Text:
        return super()._helper(_with_places(x) if "index" in x.parameters else x, operands)

    def _copy(self, x: Instruction, operands: Sequence[Text]) -> Text:
        return operands[0]

    def _astype(self, x: Instruction, operands: Sequence[Text]) -> Text:
        if x.result.dtype.kind in "iu" and x.operands[0].result.kind != "array":
            return Text(f"jnp.asarray({operands[0].text}, {self.dtype(x.result.dtype)})")
        return super()._astype(x, operands)

    def _scalar(self, x: Instruction, operands: Sequence[Text]) -> Text:
        if x.operands[0].result.kind != "number" and x.operands[0].result.dtype == x.result.dtype:
            return operands[0]
        return Text(f"jnp.asarray({operands[0].text}, {self.dtype(x.result.dtype)})")

    def _array(self, x: Instruction, operands: Sequence[Text]) -> Text:
        shaped = "" if len(x.result.shape) == 1 else f".reshape({', '.join(map(self.size, x.result.shape))})"
        return Text(f"jnp.array([{', '.join([a.text for a in operands])}], {self.dtype(x.result.dtype)}){shaped}")

    def _call(self, x: Instruction, operands: Sequence[Text]) -> Text:
        if x.function in (np.split, np.array_split) and (pieces := self._pieces(x, operands)) is not None:
            return pieces
        if x.function is np.linalg.cholesky and x.parameters["keywords"].get("upper"):  # read from the upper triangle
            text = operands[0].within(ATOM)
            return Text(f"jnp.linalg.cholesky(jnp.conj({text}.mT), upper=True, symmetrize_input=False)")
        try:
            x = adapted(x)
        except UnsupportedError as error:
            raise lacking(f"{super().function(x).replace('jnp.', 'np.', 1)} {error}", x) from None
        return super()._call(x, operands)

    def _pieces(self, x: Instruction, operands: Sequence[Text]) -> Text | None:
        """An array split at places that are not in order, which JAX refuses."""
        of, places, *rest = x.parameters["args"]
        axis = rest[0] if rest else x.parameters["keywords"].get("axis", 0)
        if not isinstance(places, list | tuple | np.ndarray) or not isinstance(of, Slot):
            return None
        n = x.operands[of.number].result.shape[axis]
        ends = [slice(a, b).indices(n)[:2] for a, b in itertools.pairwise([0, *map(int, places), n])]
        if [end for _, end in ends[:-1]] == list(places) == sorted(places):
            return None
        begin = ":, " * (axis % len(x.operands[of.number].result.shape))
        text = operands[of.number].within(ATOM)
        return Text(f"[{', '.join([f'{text}[{begin}{a}:{max(a, b)}]' for a, b in ends])}]")

    def _foreign(self, x: Instruction, operands: Sequence[Text]) -> Text:
        found = super()._foreign(x, operands)
        name = self.foreign_names[x.function]
        source, missing = foreign.for_jax(self.foreign[name])
        if missing is not None:
            raise lacking(f"the primitive {x.operation}, whose forward function has {missing},", x)
        self.foreign[name] = source
        return found

    # Parameters.

    def function(self, x: Instruction) -> str:
        """The name of a function of jax.numpy's, or of jax.scipy's."""
        text = super().function(x)
        if text.startswith("scipy.special."):
            self.imports.pop("import scipy.special")
            name = text.rsplit(".", 1)[-1]
            if name not in SPECIAL:
                raise lacking(text, x)
            return f"jax.scipy.special.{SPECIAL[name]}"
        name = text.removeprefix("jnp.")
        if name == "lib.stride_tricks.sliding_window_view":
            self.helpers.setdefault("sliding_window_view")
            return "sliding_window_view"
        if name in LACKING or name.startswith("lib."):
            raise lacking(f"np.{name}", x)
        owner, _, method = name.partition(".")
        if owner in NO_UFUNC and method:
            return f"{self.ufunc(owner)}.{method}"
        return f"jnp.{RENAMED.get(name, name)}"

    def ufunc(self, name: str) -> str:
        """A ufunc, to call its methods: JAX has many as plain functions."""
        if name not in NO_UFUNC:
            return f"jnp.{name}"
        of = getattr(np, name)
        identity = "" if of.identity is None else f", identity={of.identity}"
        return f"jnp.frompyfunc(jnp.{name}, {of.nin}, {of.nout}{identity})"

    def dtype(self, dtype: Any, x: Instruction | None = None) -> str:
        """A dtype. Integers of 64 bits are JAX's own, which have 32 without x64."""
        dtype = np.dtype(dtype)
        if dtype.kind not in "biufc" or dtype in (np.longdouble, np.clongdouble):
            raise lacking(f"dtype {dtype}", x)
        return "int" if dtype == np.int64 else super().dtype(dtype)

    def index(self, index: Any, operands: Sequence[Text]) -> str:
        """What stands in the brackets of x[...]: JAX takes no lists there."""
        return super().index(mapped_lists(index), operands)

    def parameter(self, x: Any, operands: Sequence[Text]) -> str:
        """A parameter of any kind."""
        text = super().parameter(x, operands)
        return f"jnp.array({text})" if isinstance(x, ArrayOf) else text

    def number(self, value: Any, x: Instruction | None) -> Text:
        """A number, or a constant array."""
        if isinstance(value, np.generic) and not (value.dtype in (np.float64, np.bool_) and x is None):
            return Text(f"jnp.asarray({self.number(value.item(), x).text}, {self.dtype(value.dtype)})")
        if type(value) is int and not -(2**63) <= value < 2**63:
            value = float(value)  # as NumPy has it, which computes with it in floating point
        return super().number(value, x)


def lacking(what: str, x: Instruction | None) -> NotPrintableError:
    """The error for what JAX has not."""
    line = f" ({x.origin.line})" if x is not None and x.origin.line else ""
    return NotPrintableError(
        f"program: to='jax': {what} has no counterpart in JAX{line}. Use tg.compile, or another function"
    )


def mapped_lists(index: Any) -> Any:
    """An index with arrays for the lists in it."""
    if isinstance(index, list):
        return np.array(index, np.int64 if not index else None)
    return tuple([mapped_lists(part) for part in index]) if isinstance(index, tuple) else index


def _with_places(x: Instruction) -> Instruction:
    """An index with the numbers of the elements for each constant mask in it: of another, JAX has no shape."""
    index = x.parameters["index"]
    parts: list[Any] = []
    for part in index if isinstance(index, tuple) else (index,):
        value = _constant_of(part, x)
        is_mask = isinstance(value, np.ndarray) and value.dtype == np.bool_ and value.ndim
        parts += list(np.nonzero(value)) if is_mask else [part]
    if len(parts) == 1 and not isinstance(index, tuple):
        return x.with_(parameters={**x.parameters, "index": parts[0]})
    return x.with_(parameters={**x.parameters, "index": tuple(parts)})


def _constant_of(part: Any, x: Instruction) -> Any:
    """The value of a part of an index, where it is known."""
    if isinstance(part, Slot):
        operand = x.operands[part.number]
        return operand.parameters["value"] if operand.operation in ("constant", "closed_over") else None
    return mapped_lists(part)


def _index_slots(x: Instruction) -> list[Slot]:
    found: list[Slot] = []
    mapped(x.parameters["index"], lambda part: found.append(part) if isinstance(part, Slot) else None)
    return found


def _is_dynamic(index: Instruction) -> bool:
    """Whether the elements of an index depend on arguments."""
    return index.operation not in ("constant", "closed_over")


def _may_divide_by_zero(x: Instruction) -> bool:
    """Whether it is a division of integers that JAX gives another result of, if the divisor is 0."""
    divisor = x.operands[1]
    if x.result.dtype.kind not in "iu" or x.result.kind == "number":
        return False
    return divisor.operation != "constant" or not np.all(divisor.parameters["value"])


def _is_column_by_column(of: Any) -> bool:
    step = of.dtype.itemsize
    for n, stride in zip(of.shape, of.strides, strict=True):
        if n > 1 and stride != step:
            return False
        step *= n
    return True
