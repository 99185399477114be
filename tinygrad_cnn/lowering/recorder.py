"""What records: the instructions so far, and how one is added."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.lowering.instructions import Argument, Instruction, Origin, Place, Result, Slot, mapped, slots
from tinygrad_cnn.lowering.operations import compute
from tinygrad_cnn.sources import calling_line, is_engine

_HERE = __file__.removesuffix("recorder.py")
_ENGINE = _HERE.removesuffix("lowering/") + "engine/"
_SWEEP, _TRACE = _ENGINE + "sweep.py", _HERE + "trace.py"
_NUMPY = np.__file__.removesuffix("__init__.py")
_ENDS, _PASSED_OVER, _LIBRARY, _USER = range(4)


class _Kinds(dict[str, int]):
    """What the frames of a file are to the names of instructions."""

    def __missing__(self, file: str) -> int:
        if file in (_SWEEP, _TRACE):
            self[file] = _ENDS
        elif file.startswith((_HERE, _ENGINE, _NUMPY)) or file.endswith(_OF_CONTEXTS):
            self[file] = _PASSED_OVER
        else:
            self[file] = _LIBRARY if is_engine[file] else _USER
        return self[file]


_OF_CONTEXTS = ("contextlib.py", "functools.py")
_kinds = _Kinds()


class TracingError(TypeError):
    """The function cannot be traced: it wants to know numbers that a program has to be right without."""


# What records at present: the innermost of the traces that are in progress, or None.
current: ContextVar[Recorder | None] = ContextVar("current", default=None)


class Call(NamedTuple):
    """A call within which an instruction was recorded: the frame, by its number, and the instruction in it."""

    frame: int
    place: Place
    by_user: bool


def equal(a: Any, b: Any) -> bool:
    """Whether two arrays have the same elements, NaN and NaN included."""
    return a is b or bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))


class Recorder:
    """The instructions that one run of a function consists of.

    instructions  in order
    places        for each of them, the calls within which it was recorded, the outermost first: its name follows
    lines         where in the user's code each was asked for
    of_rules      those that a reverse sweep recorded
    named         whether `places` and `of_rules` are wanted; `lines` are noted anyway, for errors
    outside       the arrays that the function closes over, or made of no argument, as they were when they were used
    outside_names their names in the user's code, of those that have one
    carried       the origins of what was recorded for the instructions of a batched listing: those of these
    around        the trace that this one is within, or None; `nested` says whether its arrays may be used
    """

    def __init__(self, make: Callable[..., Any], named: bool = True, nested: bool = False) -> None:
        self.make = make
        self.named = named
        self.nested = nested
        self.around = current.get()
        self.instructions: list[Instruction] = []
        self.places: dict[Instruction, list[Call]] = {}
        self.lines: dict[Instruction, Place] = {}
        self.of_rules: set[Instruction] = set()
        self.outside: dict[int, tuple[Any, Any, Instruction]] = {}
        self.outside_names: dict[Instruction, str] = {}
        self.numbers: dict[Any, Instruction] = {}
        self.captured: dict[Instruction, Any] = {}
        self.carried: dict[Instruction, Origin] = {}
        self.origin = Origin()

    def input(self, name: str, value: Any, fixed: bool = True) -> tuple[Argument, Any]:
        """The instruction of a leaf of the arguments, and what stands for it. fixed: it may not be assigned to."""
        x = self._add(Instruction("input", (), {"name": name}, Result.of(value), Origin(name)))
        return Argument(name, x), self.make(self, x, value, fixed=fixed)

    def outside_value(self, value: Any) -> Any:
        """What stands for an array or a number that no argument was needed for."""
        if not isinstance(value, np.ndarray):
            value = value if isinstance(value, bool | int | float | complex | np.generic) else np.asarray(value)
        if not isinstance(value, np.ndarray):
            data = np.asarray(value)
            key = (type(value), data.dtype, data.tobytes())
            if key not in self.numbers:
                self.numbers[key] = self._add(Instruction("constant", (), {"value": value}, Result.of(value)))
            return self.make(self, self.numbers[key], value, fixed=True)
        _, snapshot, x = self.outside.get(id(value), (None, None, None))
        if x is None or not equal(value, snapshot):
            # Whether it is the same at each call, and so a constant, `trace.py` decides.
            snapshot = value.copy("K") if value.flags.writeable or value.base is not None else value
            x = self._add(Instruction("outside", (), {"value": value, "snapshot": snapshot}, Result.of(value)))
            self.outside[id(value)] = (value, snapshot, x)
            if (name := _users_name(value)) is not None:
                self.outside_names[x] = name
        return self.make(self, x, snapshot, fixed=True)

    def record(
        self, operation: str, operands: Sequence[Any], parameters: dict[str, Any] | None = None, function: Any = None
    ) -> Any:
        """Add an instruction; what stands for its result is returned, or a tuple of such.

        operands and parameters: Traced, arrays and numbers.
        """
        inner = current.get()
        if inner is not self and inner is not None and inner.nested and self.is_around(inner):
            return inner.record(operation, operands, parameters, function)
        taken = [self.of(x) for x in operands]
        if parameters:
            parameters = mapped(parameters, lambda x: self._slot(x, taken))
        before = [(x, x.instruction) for x in taken]  # a view that is out of date is taken anew here
        value = compute(operation, function, parameters or {}, [x.example for x in taken])
        if parameters and any(_is_integer(x.example) for x in taken):
            self._check_shape(operation, function, parameters, taken, value)
        for x in taken:
            if value is x.example and isinstance(value, np.ndarray):
                return x
        made = Instruction(
            operation, tuple([i for _, i in before]), parameters or {}, Result.of(value), self.origin, function
        )
        self._add(made)
        if made.result.kind != "tuple":
            return self.make(self, made, value, among=taken)
        items = []
        for number, item in enumerate(value):
            x = Instruction("item", (made,), {"number": number}, Result.of(item), self.origin)
            items.append(self.make(self, self._add(x), item))
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)

    def _check_shape(
        self, operation: str, function: Any, parameters: dict[str, Any], taken: list[Any], value: Any
    ) -> None:
        """Raise TracingError if another integer would make a result of another shape, such as n in x[:n].

        Integers stand for themselves in all that Python computes of shapes, so other ones are tried out.
        """
        examples = [x.example for x in taken]
        axis = next((name for name in parameters if name.startswith("axis") and slots(parameters[name])), None)
        for k, x in enumerate(taken):
            if not _is_integer(x.example) or not _is_of_an_input(x.instruction):
                continue
            for other in (x.example + 1, x.example - 1, x.example * 0, x.example * 0 + 1):
                try:
                    changed = compute(operation, function, parameters, [*examples[:k], other, *examples[k + 1 :]])
                except Exception:  # such as an index that is out of bounds
                    continue
                if axis is not None or _shapes(changed) != _shapes(value):
                    name = getattr(function, "__name__", operation)
                    what = f"the {axis}" if axis else "the shape of the result"
                    raise TracingError(
                        f"program: {what} of {name} depends on an integer that is an argument, or follows from one; "
                        f"expected shapes that are the same for all values. Close over the number ({calling_line()})"
                    )

    def of(self, x: Any) -> Any:
        """The Traced that stands for `x`, an array or a number: itself, if it is one."""
        if not hasattr(type(x), "recorder"):
            return self.outside_value(x)
        if x.recorder is not self:
            if self.nested and x.recorder.is_around(self):
                return self._captured(x)
            raise TracingError(
                "program: the function uses an array that was kept from an earlier run of it, such as the state of an "
                "optimiser that it closes over; expected a function without hidden state. Pass the state as an "
                f"argument, and return what it becomes ({calling_line()})"
            )
        return x

    def is_around(self, other: Recorder) -> bool:
        """Whether the trace `other` is in progress, within this one."""
        recorder: Recorder | None = current.get()
        while recorder is not None and recorder is not other:
            recorder = recorder.around
        while recorder is not None and recorder is not self:
            recorder = recorder.around
        return recorder is self and other is not self

    def _captured(self, x: Any) -> Any:
        """What stands here for an array of a trace around this one."""
        instruction = x.instruction
        if instruction not in self.captured:
            made = Instruction("captured", (), {"value": x}, Result.of(x.example))
            self.captured[instruction] = self.make(self, self._add(made), x.example, fixed=True)
        return self.captured[instruction]

    def _slot(self, x: Any, taken: list[Any]) -> Any:
        if not hasattr(type(x), "recorder") and not isinstance(x, np.ndarray):
            return x
        taken.append(self.of(x))
        return Slot(len(taken) - 1)

    def _add(self, x: Instruction) -> Instruction:
        self.instructions.append(x)
        if x.operation in ("input", "constant", "outside", "captured"):
            return x
        places: list[Call] = []
        frame: Any = sys._getframe(2)
        while frame is not None:
            code = frame.f_code
            kind = _kinds[code.co_filename]
            if kind >= _LIBRARY:
                place = (code, frame.f_lasti)
                places.append(Call(id(frame), place, kind == _USER))
                if kind == _USER and x not in self.lines:
                    self.lines[x] = place
                    if not self.named:
                        return x
            elif kind == _ENDS:
                if code.co_filename == _SWEEP:
                    self.of_rules.add(x)
                break
            frame = frame.f_back
        self.places[x] = places[::-1]
        return x


def _is_integer(x: Any) -> bool:
    return x.dtype.kind in "iu" if isinstance(x, np.ndarray | np.generic) else type(x) is int


def _is_of_an_input(x: Instruction) -> bool:
    """Whether the value of an instruction depends on an argument."""
    waiting, seen = [x], {x}
    for y in waiting:
        if y.operation == "input":
            return True
        new = [z for z in y.operands if z not in seen]
        seen.update(new)
        waiting += new
    return False


def _shapes(value: Any) -> Any:
    return [np.shape(x) for x in value] if isinstance(value, list | tuple) else np.shape(value)


def _users_name(value: Any) -> str | None:
    """The variable of the user's code that has an array."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        if _kinds[frame.f_code.co_filename] == _USER:
            for name, x in frame.f_locals.items():
                if x is value:
                    return str(name)
        frame = frame.f_back
    return None
