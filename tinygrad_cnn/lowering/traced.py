"""Traced: stands for an array while a function is traced, and records what is done with it.

It answers to NumPy's protocols, operators and methods as an array does, whatever its dtype, and a Tensor may hold it.
So the engine differentiates as always, and what its rules compute is recorded too, comparisons and indices included.

It carries an example, the array that it stands for in the traced call: shapes, dtypes, memory layout and errors are
NumPy's own. What would let the elements of the example decide something in Python (a branch, a loop's length, an
array's shape) raises `TracingError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from tinygrad_cnn.engine.graph import Handle
from tinygrad_cnn.engine.mutation.versions import is_basic
from tinygrad_cnn.engine.primitive import implementations
from tinygrad_cnn.lowering.instructions import Instruction, filled, mapped
from tinygrad_cnn.lowering.operations import ufunc_of
from tinygrad_cnn.lowering.recorder import Recorder, TracingError, current
from tinygrad_cnn.sources import calling_line
from tinygrad_cnn.stand_in import StandIn

# Answered by the example, for shapes and dtypes alone decide.
ABOUT_TYPES = frozenset(
    [np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj, np.common_type,
     np.min_scalar_type, np.may_share_memory, np.shares_memory, np.einsum_path]
)  # fmt: skip
# What they give has a shape that depends on elements.
OF_UNKNOWN_SIZE = frozenset(
    [np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.unique_all, np.unique_counts, np.unique_inverse,
     np.unique_values, np.extract, np.trim_zeros, np.intersect1d, np.union1d, np.setdiff1d, np.setxor1d, np.bincount]
)  # fmt: skip
# Complex, or real if all elements allow it.
OF_UNKNOWN_DTYPE = frozenset(
    [np.linalg.eig, np.linalg.eigvals, np.roots, *[getattr(np.emath, name) for name in np.emath.__all__]]
)
CHANGING = frozenset([np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis])
FILLED = {np.zeros_like: 0, np.ones_like: 1, np.empty_like: 0}


def needs_numbers(what: str, instead: str) -> NoReturn:
    """Raise TracingError: `what` wants elements, of which a program knows nothing."""
    raise TracingError(
        f"program: {what} depends on the elements of an array; expected code that is the same for all elements. "
        f"{instead} ({calling_line()})"
    )


class Flags:
    """As an array's `flags`."""

    def __init__(self, example: Any, writeable: bool) -> None:
        flags = example.flags
        self.c_contiguous, self.f_contiguous, self.fnc = flags.c_contiguous, flags.f_contiguous, flags.fnc
        self.forc, self.contiguous, self.owndata = flags.forc, flags.forc, flags.owndata
        self.writeable = writeable


def _binary(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    def method(self: Traced, other: Any) -> Any:
        return NotImplemented if isinstance(other, Handle) else self.recorder.record(ufunc.__name__, (self, other))

    return method


def _reflected(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    def method(self: Traced, other: Any) -> Any:
        return NotImplemented if isinstance(other, Handle) else self.recorder.record(ufunc.__name__, (other, self))

    return method


def _unary(ufunc: np.ufunc) -> Callable[[Any], Any]:
    return lambda self: self.recorder.record(ufunc.__name__, (self,))


def _in_place(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    def method(self: Traced, other: Any) -> Any:
        if isinstance(other, Handle):
            return NotImplemented
        result = self.recorder.record(ufunc.__name__, (self, other))
        if not isinstance(self.example, np.ndarray):
            return result
        if result.shape != self.shape:
            raise ValueError(f"np.{ufunc.__name__} in place: the result has shape {result.shape}, not {self.shape}")
        self[...] = result if result.dtype == self.dtype else result.astype(self.dtype)
        return self

    return method


def _method(function: Any) -> Callable[..., Any]:
    return lambda self, *args, **keywords: self.__array_function__(function, (), (self, *args), keywords)


# The opaque primitives that have been traced, by what an instruction has of them: their forward functions.
primitives: dict[Any, Any] = {}


class Traced(StandIn):
    """Stands for an array, a NumPy scalar or a Python number.

    example      what it stands for in this call
    fixed        it cannot be written to
    instruction  what computes it; after an assignment to it, that which assigns
    base         the Traced whose memory this one's is a part of, or None
    """

    __slots__ = ("_instruction", "_parent", "_seen", "base", "changes", "example", "fixed", "recorder")
    recorder: Recorder

    def __init__(
        self, recorder: Recorder, instruction: Instruction, example: Any, among: Sequence[Any] = (), fixed: bool = False
    ) -> None:
        self.recorder, self._instruction, self.example, self.fixed = recorder, instruction, example, fixed
        self.base: Traced | None = None
        self._parent: Traced | None = None
        self.changes = self._seen = 0
        memory = example.base if isinstance(example, np.ndarray) else None
        if memory is not None:
            for x in among:
                if x.example is memory or getattr(x.example, "base", None) is memory:
                    self._parent, self.base = x, x if x.base is None else x.base
                    self._seen = self.base.changes
                    break

    @property
    def instruction(self) -> Instruction:
        """What computes it. A view of what was assigned to since is taken anew."""
        if self._parent is not None and self.base is not None and self._seen != self.base.changes:
            parent, old = self._parent, self._instruction
            operands = [parent.instruction if x is old.operands[0] else x for x in old.operands]
            self._instruction = self.recorder._add(old.with_(operands=tuple(operands)))
            self._seen = self.base.changes
        return self._instruction

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # so that isinstance takes it for what it stands for
        return type(self.example)

    def lift(self, x: Any) -> Any:
        """The Traced of an array or a number."""
        return self.recorder.of(x)

    def call(self, primitive: Any, forward: Any, operands: Sequence[Any], static_args: dict[str, Any]) -> Any:
        """One instruction for an opaque primitive."""
        ours = forward.__module__.startswith("tinygrad_cnn.")
        name = primitive.__name__ if ours else f"{forward.__module__}.{primitive.__name__}"
        primitives[forward] = primitive
        return self.recorder.record(name, operands, primitive.defaults | static_args, forward)

    # NumPy's protocols.

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        if any(isinstance(x, Handle) for x in inputs):
            return NotImplemented
        if method == "at":
            return self._change_at(ufunc, inputs)
        self._refuse_out(f"np.{ufunc.__name__}", keywords)
        name = ufunc.__name__
        known = ufunc_of(name) is ufunc
        if method == "__call__" and known and not keywords and not all(map(_is_number, inputs)):
            return self.recorder.record(name, inputs)
        if method == "reduce" and known:
            x, *rest = inputs
            how = {"axis": 0, **dict(zip(("axis", "dtype", "out", "keepdims", "initial", "where"), rest, strict=False))}
            return self._reduced(ufunc, x, {**how, **keywords})
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        return self._called(function, inputs, keywords)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        if any(issubclass(kind, Handle) for kind in types):
            return NotImplemented
        name = f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1)
        self._refuse_out(name, keywords)
        if function in ABOUT_TYPES:
            return function(*_examples(args), **_examples(keywords))
        counts_known = function is np.bincount and not isinstance(args[0], StandIn)
        if (function in OF_UNKNOWN_SIZE and not counts_known) or (function is np.where and len(args) == 1):
            needs_numbers(f"the size of the result of {name}", "Compute a mask, and use np.where(mask, x, y)")
        if function in OF_UNKNOWN_DTYPE:
            needs_numbers(f"whether the result of {name} is complex", "Use np.linalg.eigh, or a cast")
        if function in CHANGING:
            return self._changed(function, name, args, keywords)
        if function in FILLED:
            return self._filled(FILLED[function], args, keywords, function)
        return self._called(function, args, keywords)

    def _changed(self, function: Any, name: str, args: Any, keywords: Any) -> None:
        """What a function of NumPy's does that changes an array in place, as an assignment to it."""
        target, *rest = args
        if type(target) is not Traced:
            raise TracingError(
                f"{name}: the array that it changes is not traced, and what it puts there is; expected one made of an "
                f"argument, such as np.zeros_like(x) ({calling_line()})"
            )
        function(np.copy(target.example), *_examples(rest), **_examples(keywords))  # NumPy's own errors
        implementations[function](*args, **keywords)

    def _called(self, function: Any, args: Any, keywords: Any) -> Any:
        return self.recorder.record("call", (), {"args": tuple(args), "keywords": dict(keywords)}, function)

    def _reduced(self, ufunc: np.ufunc, x: Any, how: dict[str, Any]) -> Any:
        how = {"axis": None, "dtype": None, "keepdims": False} | {k: v for k, v in how.items() if k != "out"}
        if how.get("where", True) is True:
            how.pop("where", None)
        if "initial" in how and (how["initial"] is None or how["initial"] is np._NoValue):
            how.pop("initial")
        return self.recorder.record("reduce", (x,), {"ufunc": ufunc.__name__, **how})

    def _filled(self, value: int, args: Any, keywords: Any, function: Any) -> Any:
        example = function(*_examples(args), **_examples(keywords))
        if not example.flags.forc:
            return self._called(np.zeros_like if function is np.empty_like else function, args, keywords)
        order = "F" if example.flags.fnc else "C"
        parameters = {"shape": example.shape, "value": value, "dtype": example.dtype, "order": order}
        return self.recorder.record("full", (), parameters)

    def _refuse_out(self, name: str, keywords: dict[str, Any]) -> None:
        out = keywords.get("out")
        if any(x is not None for x in (out if isinstance(out, tuple) else (out,))):
            raise TracingError(f"{name}: out= is given; expected none. Use the result ({calling_line()})")

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        needs_numbers(
            "np.asarray(x)",
            "Use NumPy's functions of it, np.stack for a list; to fill an array, begin with np.zeros_like(x)",
        )

    # What an array is.

    shape = property(lambda self: np.shape(self.example), doc="As NumPy's.")
    ndim = property(lambda self: np.ndim(self.example), doc="As NumPy's.")
    size = property(lambda self: np.size(self.example), doc="As NumPy's.")
    dtype = property(lambda self: np.asarray(self.example).dtype, doc="As NumPy's.")
    strides = property(lambda self: self.example.strides, doc="As NumPy's.")
    itemsize = property(lambda self: self.dtype.itemsize, doc="As NumPy's.")
    nbytes = property(lambda self: self.size * self.itemsize, doc="As NumPy's.")
    device = property(lambda self: self.example.device, doc="As NumPy's.")
    flags = property(lambda self: Flags(self.example, not self.fixed), doc="As NumPy's.")

    def setflags(self, write: Any = None, align: Any = None, uic: Any = None) -> None:
        """As `ndarray.setflags`, of `write`."""
        self.fixed = self.fixed or write is False

    def __getattr__(self, name: str) -> Any:
        instead = f". Use the function np.{name}" if callable(getattr(np, name, None)) else ""
        raise AttributeError(f"program: an array that is traced has no attribute {name!r}{instead}")

    # Operators.

    __add__, __radd__ = _binary(np.add), _reflected(np.add)
    __sub__, __rsub__ = _binary(np.subtract), _reflected(np.subtract)
    __mul__, __rmul__ = _binary(np.multiply), _reflected(np.multiply)
    __truediv__, __rtruediv__ = _binary(np.divide), _reflected(np.divide)
    __matmul__, __rmatmul__ = _binary(np.matmul), _reflected(np.matmul)
    __mod__, __rmod__ = _binary(np.remainder), _reflected(np.remainder)
    __floordiv__, __rfloordiv__ = _binary(np.floor_divide), _reflected(np.floor_divide)
    __and__, __rand__ = _binary(np.bitwise_and), _reflected(np.bitwise_and)
    __or__, __ror__ = _binary(np.bitwise_or), _reflected(np.bitwise_or)
    __xor__, __rxor__ = _binary(np.bitwise_xor), _reflected(np.bitwise_xor)
    __lshift__, __rshift__ = _binary(np.left_shift), _binary(np.right_shift)
    __lt__, __le__ = _binary(np.less), _binary(np.less_equal)
    __gt__, __ge__ = _binary(np.greater), _binary(np.greater_equal)
    __eq__, __ne__ = _binary(np.equal), _binary(np.not_equal)
    __neg__, __pos__, __abs__ = _unary(np.negative), _unary(np.positive), _unary(np.absolute)
    __invert__ = _unary(np.invert)
    __hash__ = None  # type: ignore[assignment]  # as an ndarray
    __iadd__, __isub__ = _in_place(np.add), _in_place(np.subtract)
    __imul__, __itruediv__ = _in_place(np.multiply), _in_place(np.divide)
    __imod__, __ifloordiv__ = _in_place(np.remainder), _in_place(np.floor_divide)
    __iand__, __ior__ = _in_place(np.bitwise_and), _in_place(np.bitwise_or)

    def __pow__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, Handle) else self._power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, Handle) else self._power(other, self)

    def _power(self, x: Any, y: Any) -> Any:
        """NumPy's ** is not np.power: x ** 2 is np.square(x)."""
        return self.recorder.record("power_operator", (x, y))

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    # Methods.

    sum, prod, max, min = map(_method, (np.sum, np.prod, np.max, np.min))
    all, any, mean, std, var = map(_method, (np.all, np.any, np.mean, np.std, np.var))
    argmax, argmin, argsort, cumsum, cumprod = map(_method, (np.argmax, np.argmin, np.argsort, np.cumsum, np.cumprod))
    trace, diagonal, squeeze, repeat, take = map(_method, (np.trace, np.diagonal, np.squeeze, np.repeat, np.take))
    round, dot, clip, searchsorted = map(_method, (np.round, np.dot, np.clip, np.searchsorted))
    nonzero, conjugate, conj, choose = map(_method, (np.nonzero, np.conjugate, np.conj, np.choose))
    argpartition = _method(np.argpartition)

    def reshape(self, *shape: Any, order: Any = "C", copy: Any = None) -> Any:
        """As `ndarray.reshape`."""
        wanted = shape[0] if len(shape) == 1 else shape
        if order not in ("C", "F") or copy is not None:
            return self._called(np.reshape, (self, wanted), {"order": order, "copy": copy})
        found = np.broadcast_to(0, self.shape).reshape(wanted).shape
        ordered = {} if order == "C" else {"order": order}
        return self.recorder.record("reshape", (self,), {"shape": found, **ordered})

    def ravel(self, order: Any = "C") -> Any:
        """As `ndarray.ravel`."""
        return self._called(np.ravel, (self, order), {})

    def flatten(self, order: Any = "C") -> Any:
        """As `ndarray.flatten`."""
        return self.ravel(order).copy()

    def transpose(self, *axes: Any) -> Any:
        """As `ndarray.transpose`."""
        wanted = axes[0] if len(axes) == 1 else axes or None
        axes = np.empty(range(self.ndim)).transpose(wanted).shape  # an axis says by its length which it was
        return self.recorder.record("transpose", (self,), {"axes": axes})

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """As `ndarray.swapaxes`."""
        return self.transpose(np.empty(range(self.ndim)).swapaxes(axis1, axis2).shape)

    T = property(lambda self: self.transpose(), doc="Its axes reversed.")
    mT = property(lambda self: self.swapaxes(-1, -2), doc="Its last two axes exchanged.")
    real = property(lambda self: self.recorder.record("real", (self,)), doc="The real part.")
    imag = property(lambda self: self.recorder.record("imag", (self,)), doc="The imaginary part.")

    def astype(self, dtype: Any, copy: bool = True, **keywords: Any) -> Any:
        """As `ndarray.astype`."""
        if not copy and np.dtype(dtype) == self.dtype:
            return self
        return self.recorder.record("astype", (self,), {"dtype": np.dtype(dtype)})

    def view(self, dtype: Any = None) -> Any:
        """As `ndarray.view`."""
        return self.recorder.record("view", (self,), {"dtype": np.dtype(self.dtype if dtype is None else dtype)})

    def copy(self, order: Any = "C") -> Any:
        """As `ndarray.copy`."""
        return self.recorder.record("copy", (self,), {"order": order})

    def fill(self, value: Any) -> None:
        """As `ndarray.fill`."""
        self[...] = value

    def sort(self, axis: int = -1, **keywords: Any) -> None:
        """As `ndarray.sort`: in place."""
        self[...] = np.sort(self, axis, **keywords)

    # Elements.

    def __getitem__(self, index: Any) -> Any:
        for part in index if isinstance(index, tuple) else (index,):
            if isinstance(part, Traced) and part.dtype == bool:
                needs_numbers("the size of x[mask]", "Use np.where(mask, x, 0), or np.sum(x, where=mask)")
        return self.recorder.record("getitem", (self,), {"index": index})

    def __setitem__(self, index: Any, value: Any) -> None:
        self._set("setitem", index, value)

    def _change_at(self, ufunc: np.ufunc, inputs: Any) -> None:
        target, index, *value = inputs
        if not isinstance(target, Traced) or ufunc not in (np.add, np.subtract):
            raise TracingError(
                f"np.{ufunc.__name__}.at: it is not supported in a program; expected np.add.at ({calling_line()})"
            )
        target._set("add_at", index, value[0] if ufunc is np.add else np.negative(value[0]))

    def _set(self, operation: str, index: Any, value: Any) -> None:
        owner = self if self.base is None else self.base
        if current.get() is not self.recorder and current.get() is not None:
            raise TracingError(
                "vmap: the function assigns to an array that it closes over; expected a function without side effects. "
                f"Return what is computed for each example ({calling_line()})"
            )
        if owner.fixed or self.fixed or not isinstance(self.example, np.ndarray):
            raise TracingError(
                "program: an array that the function was given, or closes over, is assigned to; expected a function "
                f"without side effects. Assign to a copy, x = x.copy(), and return it ({calling_line()})"
            )
        if isinstance(value, Traced) and value._parent is self and operation == "setitem":
            # `a[i] += x` changes the view a[i], which is to change `a`, and then assigns it to a[i].
            made = value._instruction
            if made.operation == "getitem" and is_basic(index) and made.parameters["index"] == index:
                return
        recorder, before, taken = self.recorder, self.instruction, [self]
        given = {"index": index, "value": recorder.of(value)}
        parameters = mapped(given, lambda x: recorder._slot(x, taken))
        operands = (before, *[x.instruction for x in taken[1:]])
        real = filled(parameters, [x.example for x in taken])
        if operation == "setitem":
            self.example[real["index"]] = real["value"]
        else:
            np.add.at(self.example, real["index"], real["value"])
        made = Instruction(operation, operands, parameters, before.result, recorder.origin)
        recorder._add(made)
        if self._parent is not None:
            self._write_through(made, self._parent)
        else:
            self._instruction = made
            self.changes += 1

    def _write_through(self, content: Instruction, parent: Traced) -> None:
        """Assign to what this is a view of, so that `content` is what is seen through it."""
        made = self._instruction
        if made.operation != "getitem" or not is_basic(made.parameters["index"]):
            raise TracingError(
                f"program: a view that {made.operation} made is assigned to; expected x[index] = values, with one "
                f"index ({calling_line()})"
            )
        parent._set("setitem", made.parameters["index"], Traced(self.recorder, content, self.example.copy()))

    def __len__(self) -> int:
        return len(self.example)

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __contains__(self, x: Any) -> NoReturn:
        needs_numbers("x in array", "Use np.any(array == x), as a value")

    # What wants numbers.

    def __bool__(self) -> bool:
        needs_numbers("a branch", "Use np.where(condition, x, y), or take the branch by an argument that is no array")

    def __float__(self) -> float:
        needs_numbers("float(x)", "Use the array itself")

    def __int__(self) -> int:
        needs_numbers("int(x)", "Use the array itself, or close over the number")

    def __complex__(self) -> complex:
        needs_numbers("complex(x)", "Use the array itself")

    def __index__(self) -> int:
        needs_numbers("an integer, as range(x), a shape or an index of a list needs it,", "Close over the number")

    def __round__(self, digits: int | None = None) -> Any:
        return np.round(self, digits or 0)

    def item(self, *index: Any) -> Any:
        """Raises TracingError."""
        needs_numbers("x.item()", "Use x[index]")

    def tolist(self) -> Any:
        """Raises TracingError."""
        needs_numbers("x.tolist()", "Use the array itself")

    def tobytes(self, order: Any = "C") -> Any:
        """Raises TracingError."""
        needs_numbers("x.tobytes()", "Use the array itself")

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return f"Traced({self.dtype}{list(self.shape)})"

    def __copy__(self) -> Any:
        return self.copy("K")

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy("K")

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TracingError("program: an array that is traced cannot be pickled")


def _is_number(x: Any) -> bool:
    """Whether it is a Python number, or stands for one."""
    return isinstance(x, bool | int | float | complex) and not isinstance(x, np.generic)


def _examples(x: Any) -> Any:
    """`x` with the example of each Traced in it."""
    if type(x) is Traced:
        return x.example
    if type(x) in (list, tuple):
        return type(x)([_examples(item) for item in x])
    if type(x) is dict:
        return {name: _examples(item) for name, item in x.items()}
    return x
