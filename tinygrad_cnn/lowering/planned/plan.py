"""The plan of a listing: one Python function without a decision in it, made once for each thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.instructions import Instruction, Listing, Slot, filled, slots
from tinygrad_cnn.lowering.operations import bound, run, ufunc_of
from tinygrad_cnn.lowering.passes.simplification import WITH_NUMBERS
from tinygrad_cnn.lowering.planned.convolutions import with_large_convolutions
from tinygrad_cnn.lowering.planned.kernels import KERNELS, Lines, Var
from tinygrad_cnn.lowering.planned.storage import ALIGNMENT, VIEWS, Storage


class Plan:
    """A listing that runs in buffers of its own. Each thread that calls it has its own buffers."""

    def __init__(self, listing: Listing) -> None:
        self.listing = with_large_convolutions(listing)
        self.storage = Storage(self.listing)
        self._threads = threading.local()

    def __call__(self, leaves: Sequence[Any]) -> list[Any]:
        """The leaves of the result, which are the caller's own."""
        try:
            step = self._threads.step
        except AttributeError:
            step = self._threads.step = _Generated(self.listing, self.storage).function()
        return step(*leaves)  # type: ignore[no-any-return]


class _Generated:
    """Generates the function."""

    def __init__(self, listing: Listing, storage: Storage) -> None:
        self.listing, self.storage, self.lines = listing, storage, Lines()
        memory = np.empty(storage.length + ALIGNMENT, np.uint8)
        self.memory = memory[-memory.ctypes.data % ALIGNMENT :]
        self.where: dict[Instruction, Any] = {}  # an array, or a Var
        self.scratches: dict[Any, Any] = {}

    def function(self) -> Callable[..., list[Any]]:
        """The function of the leaves of the arguments."""
        parameters = []
        for number, argument in enumerate(self.listing.arguments):
            parameters.append(f"i{number}")
            self.where[argument.instruction] = Var(f"i{number}")
        for number, x in enumerate(self.listing.instructions):
            if x.operation != "input":
                self.instruction(number, x)
        returned = self.returned()
        body = "\n    ".join([*self.lines.lines, f"return [{', '.join(returned)}]"])
        source = f"def step({', '.join(parameters)}):\n    {body}\n"
        names = dict(self.lines.names)
        exec(compile(source, "<planned>", "exec"), names)
        names["step"].source = source  # for those who want to see it
        return names["step"]  # type: ignore[no-any-return]

    def instruction(self, number: int, x: Instruction) -> None:
        """Add the lines of one instruction."""
        kind, operands = self.storage.kinds[x], [self.where[operand] for operand in x.operands]
        if kind == "fixed":
            value = run(x, ()) if x.operation == "full" else x.parameters["value"]
            self.where[x] = value
        elif kind == "view":
            self.where[x] = run(x, operands)
        elif kind == "in place":
            self.where[x] = operands[0]
            self.assigned(x, operands[0], operands)
        elif kind == "buffer":
            buffer = self.storage.buffers[x]
            out = np.ndarray(x.result.shape, x.result.dtype, self.memory, buffer.offset)
            self.where[x] = out
            self.into(x, out, operands)
        else:
            self.where[x] = Var(f"v{number}")
            self.lines.lines.append(f"v{number} = {self.expression(x, operands)}")

    def into(self, x: Instruction, out: Any, operands: list[Any]) -> None:
        """Add the lines that write the result into a buffer."""
        kernel = KERNELS.get(x.operation)
        if kernel is not None:
            kernel(self.lines, x, out, operands, self.scratch)
        elif x.operation in ("setitem", "add_at"):
            self.lines.call(np.copyto, out, operands[0])
            self.assigned(x, out, operands)
        elif x.operation == "scatter":
            self.lines.call(out.fill, 0)
            index = self.parameter(x.parameters["index"], operands)
            add_at = self.lines.name(np.add.at)
            self.lines.lines.append(f"{add_at}({self.lines.name(out)}, {index}, {self.text(operands[0])})")
        else:
            given = [self.number(operand, place, x) for operand, place in zip(x.operands, operands, strict=True)]
            self.lines.call(ufunc_of(x.operation), *given, out)

    def number(self, x: Instruction, place: Any, user: Instruction) -> Any:
        """An operand; a number as an array without axes, which NumPy need not make of it at each call."""
        if x.operation == "constant" and x.result.kind == "number" and user.operation in WITH_NUMBERS:
            dtypes = {y.result.dtype for y in user.operands if y.result.kind != "number"}
            if len(dtypes) == 1 and next(iter(dtypes)).kind == "f" and isinstance(place, int | float):
                value = np.array(place, next(iter(dtypes)))
                if value == place or value != value:
                    return value
        return place

    def assigned(self, x: Instruction, out: Any, operands: list[Any]) -> None:
        """Add an assignment to a part of an array."""
        index, value = (self.parameter(x.parameters[name], operands) for name in ("index", "value"))
        if x.operation == "setitem":
            self.lines.lines.append(f"{self.lines.name(out)}[{index}] = {value}")
        else:
            self.lines.lines.append(f"{self.lines.name(np.add.at)}({self.lines.name(out)}, {index}, {value})")

    def expression(self, x: Instruction, operands: list[Any]) -> str:
        """What makes the result anew."""
        text = [self.text(a) for a in operands]
        if x.operation == "item":
            return f"{text[0]}[{x.parameters['number']}]"
        if x.operation == "getitem":
            return f"{text[0]}[{self.parameter(x.parameters['index'], operands)}]"
        if x.operation == "reshape" and x.operands[0].result.kind != "number" and "order" not in x.parameters:
            return f"{text[0]}.reshape({x.parameters['shape']!r})"
        if x.operation == "where":
            return f"{self.lines.name(np.where, 'where_')}({', '.join(text)})"
        if x.operation == "transpose":
            return f"{text[0]}.transpose({x.parameters['axes']!r})"
        if x.operation == "reduce" and not set(x.parameters) - {"ufunc", "axis", "dtype", "keepdims"}:
            how = x.parameters
            reduce = self.lines.name(getattr(np, how["ufunc"]).reduce, "reduce_")
            dtype = self.lines.text(how["dtype"])
            return f"{reduce}({text[0]}, {how['axis']!r}, {dtype}, None, {how['keepdims']})"
        ufunc = ufunc_of(x.operation) if x.function is None else None
        if ufunc is not None and x.result.kind != "number" and x.operation not in ("real", "imag"):
            return f"{self.lines.name(ufunc, x.operation + '_')}({', '.join(text)})"
        if x.operation == "call":
            given = [self.parameter(a, operands) for a in x.parameters["args"]]
            given += [f"{key}={self.parameter(a, operands)}" for key, a in x.parameters["keywords"].items()]
            return f"{self.lines.name(x.function, 'call_')}({', '.join(given)})"
        of = bound(x)
        return f"{self.lines.name(of, x.operation.replace('.', '_') + '_')}([{', '.join(text)}])"

    def parameter(self, parameter: Any, operands: list[Any]) -> str:
        """A parameter as it is written: by a name if it is made beforehand."""
        if isinstance(parameter, Slot):
            return self.text(operands[parameter.number])
        if not any(isinstance(operands[slot.number], Var) for slot in slots(parameter)):
            return self.lines.name(filled(parameter, operands), "p")
        if isinstance(parameter, tuple):
            return f"({''.join([self.parameter(item, operands) + ', ' for item in parameter])})"
        if isinstance(parameter, list):
            return f"[{', '.join([self.parameter(item, operands) for item in parameter])}]"
        if isinstance(parameter, slice):
            items = [self.parameter(item, operands) for item in (parameter.start, parameter.stop, parameter.step)]
            return f"slice({', '.join(items)})"
        items = [f"{key!r}: {self.parameter(item, operands)}" for key, item in parameter.items()]
        return "{" + ", ".join(items) + "}"

    def text(self, x: Any) -> str:
        """What is written for an operand."""
        return self.lines.text(x)

    def scratch(self, shape: Any, dtype: Any) -> Any:
        """Memory for the midst of one instruction; others use it too."""
        key = (tuple(shape), np.dtype(dtype))
        if key not in self.scratches:
            self.scratches[key] = np.empty(*key)
        return self.scratches[key]

    def returned(self) -> list[str]:
        """What is written for each output: what may be anybody else's is copied."""
        texts, seen = [], set()
        for x in self.listing.outputs:
            text = self.text(self.where[x])
            fresh = _is_made(x, self.storage)
            if x.result.kind == "array" and (not fresh or x in seen):
                text = f"{self.lines.name(np.copy, 'copy')}({text})"
            seen.add(x)
            texts.append(text)
        return texts


def _is_made(x: Instruction, storage: Storage) -> bool:
    """Whether a result is an array that is made anew at each call, and that nobody else has."""
    while x.operation in ("reshape", "transpose"):
        x = x.operands[0]
        if x in storage.outputs:
            return False
    views = (*VIEWS, "input", "call", "item")
    return storage.kinds[x] == "made anew" and x.operation not in views
