"""Each instruction as an expression: what is written for it, given what is written for its operands."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Slot, mapped
from tinygrad_cnn.lowering.numpy_source import foreign
from tinygrad_cnn.lowering.numpy_source.helpers import HELPERS
from tinygrad_cnn.lowering.operations import ufunc_of

PATHS = ("linalg", "fft", "lib.stride_tricks")


class Text(NamedTuple):
    """An expression, and how tightly its outermost operator binds: an operand that binds less is put in parentheses."""

    text: str
    binds: int = 20

    def within(self, binds: int) -> str:
        """As an operand of an operator that binds so."""
        return self.text if self.binds >= binds else f"({self.text})"


ATOM, UNARY, POWER = 20, 14, 16
OPERATORS = {
    "multiply": ("*", 12), "divide": ("/", 12), "matmul": ("@", 12), "floor_divide": ("//", 12), "remainder": ("%", 12),
    "add": ("+", 10), "subtract": ("-", 10), "left_shift": ("<<", 9), "right_shift": (">>", 9),
    "bitwise_and": ("&", 8), "bitwise_xor": ("^", 7), "bitwise_or": ("|", 6),
    "less": ("<", 5), "less_equal": ("<=", 5), "greater": (">", 5), "greater_equal": (">=", 5),
    "equal": ("==", 5), "not_equal": ("!=", 5),
}  # fmt: skip
SIGNS = {"negative": "-", "positive": "+", "invert": "~"}
REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all", "logical_or": "any",
}  # fmt: skip


class NotPrintableError(NotImplementedError):
    """An instruction that cannot be written as NumPy that stands alone."""


class Expressions:
    """What is written for instructions.

    np       the name of the module that has the functions
    size     how a length is written: "len(x)" for that of the batch, or the number
    helpers  the helper functions used so far
    imports  modules other than NumPy that were needed
    foreign  the source of functions that are printed because a primitive is opaque, by name
    """

    np = "np"

    def __init__(
        self, size: Callable[[int], str], constant: Callable[[Any, str | None], str], fresh: Callable[[str], str]
    ) -> None:
        self.size = size
        self.fresh = fresh
        self.foreign: dict[str, str] = {}
        self.foreign_names: dict[Any, str] = {}
        self.constant = constant
        self.helpers: dict[str, None] = {}
        self.imports: dict[str, None] = {}

    def of(self, x: Instruction, operands: Sequence[Text]) -> Text:
        """The expression of `x`."""
        write = getattr(self, f"_{x.operation}", None)
        if x.function is not None and x.operation in HELPERS:
            return self._helper(x, operands)
        if write is not None:
            return write(x, operands)  # type: ignore[no-any-return]
        if x.operation in OPERATORS:
            return self._operator(x, operands)
        if x.operation == "negative" and _is_product(operands[0]):
            return Text(f"-{operands[0].text}", 12)  # (-a) * b is -(a * b), to the last bit
        if x.operation in SIGNS:
            return Text(SIGNS[x.operation] + operands[0].within(UNARY), UNARY)
        if ufunc_of(x.operation) is not None:
            name = {"absolute": "abs"}.get(x.operation, x.operation)
            return Text(f"{self.np}.{name}({', '.join([a.text for a in operands])})")
        return self._foreign(x, operands)

    def _operator(self, x: Instruction, operands: Sequence[Text]) -> Text:
        sign, binds = OPERATORS[x.operation]
        a, b = operands
        left = binds + 1 if binds == 5 else binds  # comparisons do not chain
        return Text(f"{a.within(left)} {sign} {b.within(binds + 1)}", binds)

    # Canonical operations.

    def _constant(self, x: Instruction, operands: Sequence[Text]) -> Text:
        value = x.parameters["value"]
        return Text(self.size(value)) if "is_count" in x.parameters else self.number(value, x)

    def _full(self, x: Instruction, operands: Sequence[Text]) -> Text:
        value, dtype = x.parameters["value"], x.parameters["dtype"]
        typed = "" if dtype == np.float64 else f", {self.dtype(dtype)}"
        shape = self.size(x.result.shape[0]) if len(x.result.shape) == 1 else self.shape(x.result.shape)
        if isinstance(value, float | int) and value in (0, 1) and not np.signbit(value):
            return Text(f"{self.np}.{'ones' if value else 'zeros'}({shape}{typed})")
        typed = typed or ("" if isinstance(value, float) else f", {self.np}.float64")
        return Text(f"{self.np}.full({shape}, {self.parameter(value, ())}{typed})")

    def _reshape(self, x: Instruction, operands: Sequence[Text]) -> Text:
        order = x.parameters.get("order", "C")
        sizes = ", ".join(map(self.size, x.result.shape)) or "()"
        ordered = "" if order == "C" else f", order={order!r}"
        if x.operands[0].result.kind == "number":
            return Text(f"{self.np}.reshape({operands[0].text}, {self.shape(x.result.shape)})")
        return Text(f"{operands[0].within(ATOM)}.reshape({sizes}{ordered})")

    def _transpose(self, x: Instruction, operands: Sequence[Text]) -> Text:
        axes, a = x.parameters["axes"], operands[0].within(ATOM)
        n = len(axes)
        if axes == tuple(range(n))[::-1]:
            return Text(f"{a}.T")
        if axes == (*range(n - 2), n - 1, n - 2):
            return Text(f"{a}.mT")
        return Text(f"{a}.transpose({', '.join(map(str, axes))})")

    def _broadcast_to(self, x: Instruction, operands: Sequence[Text]) -> Text:
        return Text(f"{self.np}.broadcast_to({operands[0].text}, {self.shape(x.result.shape)})")

    def _concatenate(self, x: Instruction, operands: Sequence[Text]) -> Text:
        axis = x.parameters["axis"]
        return Text(
            f"{self.np}.concatenate([{', '.join([a.text for a in operands])}]{f', axis={axis}' if axis else ''})"
        )

    def _where(self, x: Instruction, operands: Sequence[Text]) -> Text:
        return Text(f"{self.np}.where({', '.join([a.text for a in operands])})")

    def _reduce(self, x: Instruction, operands: Sequence[Text]) -> Text:
        ufunc, given = x.parameters["ufunc"], self._along(x, operands)
        if ufunc in REDUCTIONS:
            return Text(f"{operands[0].within(ATOM)}.{REDUCTIONS[ufunc]}({', '.join(given)})")
        if not any(text.startswith("axis") for text in given) and len(x.operands[0].result.shape) != 1:
            given.insert(0, "axis=None")
        return Text(f"{self.np}.{ufunc}.reduce({', '.join([operands[0].text, *given])})")

    def _mean(self, x: Instruction, operands: Sequence[Text]) -> Text:
        return Text(f"{operands[0].within(ATOM)}.mean({', '.join(self._along(x, operands))})")

    def _along(self, x: Instruction, operands: Sequence[Text]) -> list[str]:
        """The arguments of a reduction, but for those that say nothing."""
        how = {name: value for name, value in x.parameters.items() if name != "ufunc"}
        axis, keepdims, dtype = how.pop("axis"), how.pop("keepdims"), how.pop("dtype")
        ndim = len(x.operands[0].result.shape)
        if isinstance(axis, tuple) and len(axis) == 1:
            axis = axis[0]
        every = axis is None or (axis != () and (ndim < 2 or (isinstance(axis, tuple) and len(axis) == ndim)))
        given = [] if every else [f"axis={axis}"]
        if dtype is not None:
            given.append(f"dtype={self.dtype(np.dtype(dtype))}")
        if keepdims:
            given.append("keepdims=True")
        return given + [f"{name}={self.parameter(value, operands)}" for name, value in how.items()]

    def _getitem(self, x: Instruction, operands: Sequence[Text]) -> Text:
        index, ndim = x.parameters["index"], len(x.operands[0].result.shape)
        if isinstance(index, tuple) and any(i is Ellipsis for i in index) and x.result.shape:
            named = [i for i in index if i is not None and i is not Ellipsis]
            if len(x.operands) == 1 and len(named) == ndim:  # there is nothing for the ellipsis to stand for
                index = tuple([i for i in index if i is not Ellipsis])
        return Text(f"{operands[0].within(ATOM)}[{self.index(_with_whole_axes(index, x), operands)}]")

    def _item(self, x: Instruction, operands: Sequence[Text]) -> Text:
        return Text(f"{operands[0].within(ATOM)}[{x.parameters['number']}]")

    def _setitem(self, x: Instruction, operands: Sequence[Text]) -> Text:
        self.helpers.setdefault("set_at")
        index, value = self._places(x, operands), self.parameter(x.parameters["value"], operands)
        return Text(f"set_at({operands[0].text}, {index}, {value})")

    def _add_at(self, x: Instruction, operands: Sequence[Text]) -> Text:
        self.helpers.setdefault("add_at")
        index, value = self._places(x, operands), self.parameter(x.parameters["value"], operands)
        return Text(f"add_at({operands[0].text}, {index}, {value})")

    def _places(self, x: Instruction, operands: Sequence[Text]) -> str:
        """An index as an argument of a function."""
        index = x.parameters["index"]
        has_slices = isinstance(index, slice) or (isinstance(index, tuple) and any(isinstance(i, slice) for i in index))
        return f"{self.np}.s_[{self.index(index, operands)}]" if has_slices else self.parameter(index, operands)

    def _astype(self, x: Instruction, operands: Sequence[Text]) -> Text:
        return Text(f"{operands[0].within(ATOM)}.astype({self.dtype(x.parameters['dtype'])})")

    def _view(self, x: Instruction, operands: Sequence[Text]) -> Text:
        return Text(f"{operands[0].within(ATOM)}.view({self.dtype(x.parameters['dtype'])})")

    def _copy(self, x: Instruction, operands: Sequence[Text]) -> Text:
        return Text(f"{self.np}.copy({operands[0].text})")

    def _scalar(self, x: Instruction, operands: Sequence[Text]) -> Text:
        return Text(f"{self.np}.{x.result.dtype.name}({operands[0].text})")

    def _array(self, x: Instruction, operands: Sequence[Text]) -> Text:
        shaped = "" if len(x.result.shape) == 1 else f".reshape({', '.join(map(self.size, x.result.shape))})"
        return Text(f"{self.np}.array([{', '.join([a.text for a in operands])}]){shaped}")

    def _real(self, x: Instruction, operands: Sequence[Text]) -> Text:
        return Text(f"{self.np}.real({operands[0].text})")

    def _imag(self, x: Instruction, operands: Sequence[Text]) -> Text:
        return Text(f"{self.np}.imag({operands[0].text})")

    def _square(self, x: Instruction, operands: Sequence[Text]) -> Text:
        return Text(f"{operands[0].within(POWER + 1)}**2", POWER)

    def _power_operator(self, x: Instruction, operands: Sequence[Text]) -> Text:
        a, b = operands
        space = "" if a.binds == b.binds == ATOM else " "
        return Text(f"{a.within(POWER + 1)}{space}**{space}{b.within(POWER + 1)}", POWER)

    def _power(self, x: Instruction, operands: Sequence[Text]) -> Text:
        if any(y.result.kind != "number" for y in x.operands):
            return Text(f"{self.np}.power({operands[0].text}, {operands[1].text})")
        return self._power_operator(x, operands)

    def _relu(self, x: Instruction, operands: Sequence[Text]) -> Text:
        return Text(f"{self.np}.maximum({operands[0].text}, 0)")

    def _pad(self, x: Instruction, operands: Sequence[Text]) -> Text:
        widths, value = x.parameters["pad_width"], x.parameters["constant_values"]
        filled = f", constant_values={self.parameter(value, ())}" if value else ""
        same = widths[0] if len(set(widths)) == 1 else widths
        same = same[0] if isinstance(same[0], int) and same[0] == same[1] else same
        return Text(f"{self.np}.pad({operands[0].text}, {same}{filled})")

    def _call(self, x: Instruction, operands: Sequence[Text]) -> Text:
        args = [self.parameter(a, operands) for a in x.parameters["args"]]
        keywords = {name: self.parameter(a, operands) for name, a in x.parameters["keywords"].items()}
        if not args and keywords:
            args, keywords = foreign.positional(x.function, keywords)
        if x.function is np.stack and len(args) == 1 and not keywords and not any(y.result.shape for y in x.operands):
            return Text(f"{self.np}.array({', '.join(args)})")
        return Text(f"{self.function(x)}({', '.join([*args, *[f'{k}={v}' for k, v in keywords.items()]])})")

    def _helper(self, x: Instruction, operands: Sequence[Text]) -> Text:
        self.helpers.setdefault(x.operation)
        own = len(operands) - len(_slots(x.parameters))
        args = [a.text for a in operands[:own]]
        parameters = dict(x.parameters)
        parameters.pop("ties", None)
        usual = parameters.get("window") if "pool" in x.operation else (1, 1)
        if "stride" in parameters and parameters["stride"] == usual:
            parameters.pop("stride")
        order = ("index", "winners", "shape", "window", "stride", "axis")
        for name in sorted(parameters, key=order.index):
            value = self.parameter(parameters[name], operands)
            if name in ("shape", "index"):
                value = self.shape(x.result.shape) if name == "shape" else self._places(x, operands)
            args.append(f"{name}={value}" if name in ("stride", "axis") else value)
        return Text(f"{x.operation}({', '.join(args)})")

    def _foreign(self, x: Instruction, operands: Sequence[Text]) -> Text:
        """A call of an opaque primitive that has no helper here, whose forward function is printed."""
        name = self.foreign_names.get(x.function) or self.fresh(x.operation.rsplit(".", 1)[-1])
        written = foreign.source_of(x.function, name)
        if written is None:
            raise NotPrintableError(
                f"program: the primitive {x.operation} cannot be printed, as its forward function uses more than NumPy "
                f"({x.origin.line}). Call the program, or use tg.compile"
            )
        self.foreign_names[x.function], source, imports = name, *written
        self.foreign[name] = source
        self.imports.update(dict.fromkeys([f"import {module}" for module in sorted(imports - {"numpy"})]))
        own = len(operands) - len(_slots(x.parameters))
        parameters = foreign.arguments_of(x.function, x.parameters)
        args = [a.text for a in operands[:own]]
        return Text(
            f"{name}({', '.join([*args, *[f'{k}={self.parameter(v, operands)}' for k, v in parameters.items()]])})"
        )

    # Parameters.

    def function(self, x: Instruction) -> str:
        """The name of a function of NumPy's, or of another package."""
        function, name = x.function, getattr(x.function, "__name__", "")
        modules: Any = tuple([(operator.attrgetter(path)(np), f"{self.np}.{path}") for path in PATHS])
        for module, prefix in ((np, self.np), *modules):
            if getattr(module, name, None) is function:
                return f"{prefix}.{name}"
        if isinstance(function, np.ufunc):
            self.imports.setdefault("import scipy.special")
            return f"scipy.special.{name}"
        owner: Any = getattr(function, "__self__", None)
        if isinstance(owner, np.ufunc) and ufunc_of(owner.__name__) is owner:
            return f"{self.np}.{owner.__name__}.{name}"
        raise NotPrintableError(
            f"program: the function {name or type(function).__name__} is not NumPy's, and cannot be printed. Call the "
            f"program, or use tg.compile ({x.origin.line})"
        )

    def shape(self, shape: tuple[int, ...]) -> str:
        """A shape, as a tuple."""
        sizes = list(map(self.size, shape))
        return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"

    def dtype(self, dtype: Any) -> str:
        """A dtype."""
        return "bool" if dtype == np.bool_ else f"{self.np}.{np.dtype(dtype).name}"

    def index(self, index: Any, operands: Sequence[Text]) -> str:
        """What stands in the brackets of x[...]."""
        if isinstance(index, tuple) and index:
            parts = [self._index_part(part, operands) for part in index]
            return ", ".join(parts) + ("," if len(parts) == 1 else "")
        return self._index_part(index, operands)

    def _index_part(self, part: Any, operands: Sequence[Text]) -> str:
        if isinstance(part, slice):
            start, stop, step = (
                "" if x is None else self._index_part(x, operands) for x in (part.start, part.stop, part.step)
            )
            return f"{start}:{stop}" + (f":{step}" if step not in ("", "1") else "")
        if part is Ellipsis:
            return "..."
        return self.parameter(int(part) if isinstance(part, np.integer) else part, operands)

    def parameter(self, x: Any, operands: Sequence[Text]) -> str:
        """A parameter of any kind."""
        if isinstance(x, Slot):
            return operands[x.number].text
        if isinstance(x, tuple):
            items = [self.parameter(item, operands) for item in x]
            return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
        if isinstance(x, list):
            return f"[{', '.join([self.parameter(item, operands) for item in x])}]"
        if isinstance(x, slice):
            return f"slice({', '.join([self.parameter(item, operands) for item in (x.start, x.stop, x.step)])})"
        if isinstance(x, dict):
            return "{" + ", ".join([f"{name!r}: {self.parameter(item, operands)}" for name, item in x.items()]) + "}"
        if x is Ellipsis:
            return "..."
        if x is np._NoValue:
            return "np._NoValue"
        if isinstance(x, np.dtype) or (isinstance(x, type) and issubclass(x, np.generic)):
            return self.dtype(x)
        if isinstance(x, type):
            return x.__name__
        if callable(x):
            called = getattr(x, "__name__", type(x).__name__)
            raise NotPrintableError(
                f"program: the function {called} is an argument of a function of NumPy's, and cannot be printed. Call "
                "the program, or use tg.compile"
            )
        if isinstance(x, str | None):
            return repr(x)
        return self.number(x, None).text

    def number(self, value: Any, x: Instruction | None) -> Text:
        """A number, or a constant array."""
        if isinstance(value, np.ndarray):
            return Text(self.constant(value, x.origin.name if x is not None else None))
        if isinstance(value, np.generic):
            plain = self.number(value.item(), x)
            if value.dtype in (np.float64, np.bool_) and x is None:
                return plain
            return Text(f"{self.np}.{value.dtype.name}({plain.text})")
        if isinstance(value, float) and not np.isfinite(value):
            text = f"{'-' if value < 0 else ''}{self.np}.{'nan' if np.isnan(value) else 'inf'}"
        else:
            text = repr(value)
        return Text(text, UNARY if text.startswith("-") else ATOM)


def _is_product(text: Text) -> bool:
    """Whether it is made of products and quotients alone, outside of parentheses, and has no sign yet."""
    return text.binds == 12 and text.text[0] != "-" and not any(sign in text.text for sign in ("//", "%", "@"))


def _slots(parameters: Any) -> list[Slot]:
    found: list[Slot] = []
    mapped(parameters, lambda x: found.append(x) if isinstance(x, Slot) else None)
    return found


def _with_whole_axes(index: Any, x: Instruction) -> Any:
    """An index with `:` for each slice that takes all of its axis."""
    if not isinstance(index, tuple) or any(i is None or i is Ellipsis or isinstance(i, Slot) for i in index):
        return index
    shape = x.operands[0].result.shape
    whole = [isinstance(i, slice) and i in (slice(0, n), slice(0, n, 1)) for i, n in zip(index, shape, strict=False)]
    return tuple([slice(None) if all_of_it else i for i, all_of_it in zip(index, whole, strict=True)])
