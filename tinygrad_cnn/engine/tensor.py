"""Tensor: an array that gradients flow to. NumPy's functions and operators take it, and are recorded."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, Never, NoReturn

import numpy as np
from numpy.typing import NDArray

from tinygrad_cnn.advice.callers import check_is_meant
from tinygrad_cnn.advice.lacking_rules import no_rule
from tinygrad_cnn.advice.libraries import lacking_attribute
from tinygrad_cnn.advice.lost_gradients import conversion, no_pickle
from tinygrad_cnn.advice.refusals import Refusal
from tinygrad_cnn.engine.conversions import GradientLostError, called_by_adopted_code, note_numbers_taken, warn_of_loss
from tinygrad_cnn.engine.graph import Array, Handle, Node, ancestors, handle_on, read_only, recording
from tinygrad_cnn.engine.mutation import views
from tinygrad_cnn.engine.mutation.lending import lend
from tinygrad_cnn.engine.primitive import (
    Primitive,
    checked,
    finders,
    implementations,
    keyword_calls,
    operand,
    to_values,
)
from tinygrad_cnn.engine.sweep import pull_back, seed
from tinygrad_cnn.engine.tape import leave_cotangents

_PLAIN = frozenset([float, int, np.float64])
_NO_ARGUMENTS: dict[str, Any] = {}  # the static arguments of an operation that has none

# Methods that are NumPy's functions. To a type checker what they give is a Tensor, though it is an array in `no_grad`.


def _operator(ufunc: np.ufunc) -> Callable[[Any, Any], Tensor]:
    return lambda self, other: implementations[ufunc](self, other)


def _reflected(ufunc: np.ufunc) -> Callable[[Any, Any], Tensor]:
    return lambda self, other: implementations[ufunc](other, self)


def _arithmetic(ufunc: np.ufunc, position: int = 0) -> Callable[[Any, Any], Tensor]:
    """An operator of arithmetic, whose operand at `position` is the Tensor.

    With a number or a Tensor it does what calling the primitive does, in two thirds of the time.
    """

    def operate(self: Any, other: Any) -> Any:
        primitive, kind = implementations[ufunc], type(other)
        if kind in _PLAIN and recording.get() is True and type(primitive) is Primitive:
            node = self.node
            if not node.constant:
                x, y = operands = [node.value, other] if position == 0 else [other, node.value]
                value = checked(primitive.compute(x, y), primitive)
                return handle_on(Node(primitive, operands, [(position, node)], _NO_ARGUMENTS, value))
        elif kind is Tensor and position == 0 and recording.get() is True and type(primitive) is Primitive:
            node, second = self.node, other.node
            if not (node.constant or second.constant):
                x, y = node.value, second.value
                value = checked(primitive.compute(x, y), primitive)
                return handle_on(Node(primitive, [x, y], [(0, node), (1, second)], _NO_ARGUMENTS, value))
        return primitive(self, other) if position == 0 else primitive(other, self)

    operate.__annotations__ = {}  # of no use in `help`
    return operate


def _of_one(primitive: Primitive[..., Any], x: Tensor) -> Any:
    """As `primitive(x)`, of a ufunc."""
    node = x.node
    if node.constant or recording.get() is not True:
        return primitive(x)
    value = node.value
    result = checked(primitive.compute(value), primitive)
    return handle_on(Node(primitive, [value], [(0, node)], _NO_ARGUMENTS, result))


def _unary(ufunc: np.ufunc) -> Callable[[Any], Tensor]:
    return lambda self: implementations[ufunc](self)


def _method(function: Any) -> Callable[..., Tensor]:
    def method(self: Tensor, *args: Any, **keywords: Any) -> Any:
        if keywords and keywords.get("out") is not None:
            return function(self, *args, **keywords)  # by way of NumPy, which knows what to do with it
        return implementations[function](self, *args, **keywords)

    method.__doc__ = f"As `ndarray.{function.__name__}`."
    _, *parameters = inspect.signature(function).parameters.values()
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    method.__signature__ = inspect.Signature([this, *parameters])  # type: ignore[attr-defined]
    return method


def _plain_method(function: Any) -> Callable[..., Any]:
    return _method(function)  # what it gives is a plain array or number


def _in_place(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    def changed(self: Tensor, other: Any) -> Any:
        result = implementations[ufunc](self, other)
        old = self.node.like
        if isinstance(old, np.generic):
            return result
        if result.shape != old.shape:
            raise ValueError(
                f"np.{ufunc.__name__} in place: the result has shape {result.shape}; expected the Tensor's shape, "
                f"{old.shape}"
            )
        result = result if result.dtype == old.dtype else result.astype(old.dtype)
        # NumPy makes a number of a result without axes, but what is changed in place stays the array that it is.
        self.become(result if result.ndim else implementations[np.copy](result))
        return self

    return changed


def _of_layout(name: str, doc: str) -> property:
    return property(lambda self: getattr(self.node.like, name), doc=doc)


def _comparison(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], NDArray[np.bool_]]:
    return lambda self, other: compare(self.node.value, to_values(other))


def _named(kind: type[Tensor]) -> type[Tensor]:
    """Let the methods that functions have made go by their names in the class, for `help` and tracebacks."""
    for name, method in vars(kind).items():
        if isinstance(method, FunctionType) and method.__name__ != name:
            method.__name__, method.__qualname__ = name, f"{kind.__qualname__}.{name}"
    return kind


@_named
class Tensor(Handle):
    """An array of floats that remembers how it was computed.

    Tensor([1.0, 2.0], name="W") makes a leaf: `values` are copied, and `name` is for errors and pictures. Anything
    that NumPy computes from a Tensor is a Tensor again. A gradient flows to floats only, so integers raise TypeError.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = tg.Tensor([1.0, 2.0, 3.0])
    >>> y = np.sum(x * x)
    >>> y.backward()
    >>> x.grad
    array([2., 4., 6.])
    """

    __slots__ = ()
    _repr_html_: ClassVar[Callable[[Tensor], str]]  # how a notebook shows it; set by `pictures`, a layer above
    flat: ClassVar[Any]  # a property; set by `numpy_functions`

    def __init__(self, values: Any, name: str | None = None) -> None:
        if isinstance(values, Tensor):
            raise TypeError("Tensor: values is a Tensor already. Use it, or pass its .value to drop its history")
        array = operand(values)
        if not isinstance(array, np.ndarray):
            array = np.copy(array)
        if array.dtype.kind != "f":
            raise TypeError(
                f"Tensor: values have dtype {array.dtype}; expected floats. Write 1.0 for 1, or use .astype(float)"
            )
        self.node, self._view = leaf_tensor(array, name).node, None

    # Assignment moves a handle to another node; views follow their base: see `mutation/`.

    def follow(self, result: Handle) -> Handle:
        """`result`, as a handle that follows this one when it is assigned to."""
        return views.follow(self, result)

    def become(self, result: Any) -> None:
        """Move the handle to `result`, of its own shape and dtype."""
        if self._view is not None:
            self._view.write(result)
        else:
            views.become(self, (result if isinstance(result, Tensor) else Tensor(result, self.name)).node)

    # What it holds.

    @property
    def value(self) -> NDArray[Any]:
        """The array, read-only and without its history: whatever is computed from it is a constant."""
        if not self.node.constant:
            check_is_meant("value")
            note_numbers_taken()
        return read_only(self.node.value)  # type: ignore[no-any-return]

    @value.setter
    def value(self, values: Never) -> None:
        raise AttributeError("Tensor.value is read-only. To assign, write t[...] = values")

    @property
    def grad(self) -> NDArray[Any] | None:
        """The cotangent from the last `backward` through this value, read-only; None if there was none."""
        cotangent = self.node.cotangent
        return None if cotangent is None else read_only(cotangent)

    @grad.setter
    def grad(self, values: Never) -> None:
        raise AttributeError(
            "Tensor.grad is read-only: backward() sets it, and does not add to it, so there is nothing to zero"
        )

    @property
    def name(self) -> str | None:
        """What a person calls it."""
        return self.node.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape, as NumPy's."""
        return self.node.like.shape  # type: ignore[no-any-return]

    @shape.setter
    def shape(self, shape: Any) -> None:
        # What it was goes on as a handle of its own, of which this one is a view from now on.
        was: Any = object.__new__(Tensor)
        was._view = self._view
        if self._view is None:
            was.node = self.node
        reshaped: Any = implementations[np.reshape](was, shape)
        if reshaped._view is None:
            raise AttributeError("Tensor.shape: this shape needs a copy of the elements. Write t = t.reshape(...)")
        self._view = reshaped._view
        if was._view is None:
            del self.node

    @property
    def dtype(self) -> np.dtype[Any]:
        """Its dtype, as NumPy's."""
        return self.node.like.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return self.node.like.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """How many elements it has."""
        return self.node.like.size  # type: ignore[no-any-return]

    @property
    def T(self) -> Tensor:  # noqa: N802 (NumPy's name)
        """Its axes reversed."""
        return implementations[np.transpose](self)  # type: ignore[no-any-return]

    @property
    def mT(self) -> Tensor:  # noqa: N802
        """Its last two axes exchanged."""
        if self.ndim < 2:
            raise ValueError(f"Tensor.mT: the Tensor has shape {self.shape}; expected at least two axes")
        return implementations[np.swapaxes](self, -1, -2)  # type: ignore[no-any-return]

    @property
    def real(self) -> Any:
        """The real part."""
        return implementations[np.real](self)

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return implementations[np.imag](self)

    itemsize, nbytes = _of_layout("itemsize", "Bytes of one element."), _of_layout("nbytes", "Bytes of all elements.")
    strides, device = _of_layout("strides", "As NumPy's."), _of_layout("device", 'As NumPy\'s: "cpu".')

    def backward(self, cotangent: Any = None) -> None:
        """Set the `.grad` of every Tensor that this one was computed from to the derivative of this with respect to it.

        cotangent: the cotangent to begin with, of this Tensor's shape; by default 1, for a result of one element.

        It does not add to the gradients of an earlier call, so there is nothing to zero. Gradients that are to be
        differentiated again come from `tinygrad_cnn.grad`. Raises ValueError if the shapes do not fit. Warns if the
        graph goes through a training step, W = W - rate * W.grad, that should have been taken in `no_grad`.
        """
        nodes, _ = ancestors([self.node])
        given = cotangent if isinstance(cotangent, Tensor | None) else np.array(cotangent)  # it may become a .grad
        found = pull_back({self.node: seed(self.node, given)}, nodes, keep=True)
        leave_cotangents(nodes, found)

    # NumPy's protocols.

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        implementation = implementations.get(ufunc if method == "__call__" else (ufunc, method))
        if type(implementation) is Primitive and implementation.forward is ufunc and len(inputs) == 1 and not keywords:
            return _of_one(implementation, self)
        if implementation is None:
            if method == "__call__" and any(find(ufunc) for find in finders):
                return self.__array_ufunc__(ufunc, method, *inputs, **keywords)
            name = ufunc.__name__ if getattr(np, ufunc.__name__, None) is not ufunc else f"np.{ufunc.__name__}"
            if method == "__call__":
                raise NotImplementedError(Refusal(no_rule, name))  # of NumPy, or of another package
            raise NotImplementedError(Refusal(no_rule, f"{name}.{method}", f'({name}, "{method}")'))
        if keywords and (method == "__call__" or "out" in keywords):
            return keyword_calls["ufunc"](ufunc, method, implementation, inputs, keywords)
        return implementation(*inputs, **keywords)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        implementation = implementations.get(function)
        if implementation is None:
            name = f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1)
            raise NotImplementedError(Refusal(no_rule, name))
        if kwargs and kwargs.get("out") is not None:
            return keyword_calls["function"](function, implementation, args, kwargs)
        return implementation(*args, **kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        if not self._has_gradient():
            array: Any = self.value
            if copy is not True and isinstance(array, np.ndarray) and self.node.constant:
                array = lend(self, array)
            return np.array(array, dtype, copy=copy)
        raise GradientLostError(Refusal(conversion, "array", self))

    if not TYPE_CHECKING:  # to a type checker it has what it has
        requires_grad = property(None, lambda self, flag: _refuse(self, "requires_grad"))

        def __getattr__(self, name: str) -> Any:
            if name == "node":  # of a handle on a view, which has none of its own
                return self._view.node
            return _refuse(self, name)

    # Operators. Comparisons give plain arrays.

    __pandas_priority__: ClassVar[int] = 5000  # column * t is ours to compute: a column's own is 3000, a frame's 4000

    __add__, __radd__ = _arithmetic(np.add), _arithmetic(np.add, 1)
    __sub__, __rsub__ = _arithmetic(np.subtract), _arithmetic(np.subtract, 1)
    __mul__, __rmul__ = _arithmetic(np.multiply), _arithmetic(np.multiply, 1)
    __truediv__, __rtruediv__ = _arithmetic(np.divide), _arithmetic(np.divide, 1)
    __pow__, __rpow__ = _arithmetic(np.power), _arithmetic(np.power, 1)
    __matmul__, __rmatmul__ = _operator(np.matmul), _reflected(np.matmul)
    __mod__, __rmod__ = _operator(np.remainder), _reflected(np.remainder)
    __divmod__, __rdivmod__ = _operator(np.divmod), _reflected(np.divmod)
    __floordiv__, __rfloordiv__ = _operator(np.floor_divide), _reflected(np.floor_divide)
    __pos__, __neg__, __abs__ = _unary(np.positive), _unary(np.negative), _unary(np.abs)

    __lt__, __le__ = _comparison(operator.lt), _comparison(operator.le)
    __gt__, __ge__ = _comparison(operator.gt), _comparison(operator.ge)
    __eq__, __ne__ = _comparison(operator.eq), _comparison(operator.ne)  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]  # as an ndarray: == compares elements

    # ndarray's methods.

    sum, mean, prod, std, var = map(_method, (np.sum, np.mean, np.prod, np.std, np.var))
    max, min, cumsum, cumprod = map(_method, (np.max, np.min, np.cumsum, np.cumprod))
    all, any, argmax, argmin, argsort, argpartition, nonzero, searchsorted = map(
        _plain_method, (np.all, np.any, np.argmax, np.argmin, np.argsort, np.argpartition, np.nonzero, np.searchsorted)
    )
    trace, diagonal, ravel = map(_method, (np.trace, np.diagonal, np.ravel))
    squeeze, repeat, take, choose = map(_method, (np.squeeze, np.repeat, np.take, np.choose))
    round, swapaxes = _method(np.round), _method(np.swapaxes)

    def conjugate(self) -> Tensor:
        """As `ndarray.conjugate`, which of what is real is that itself."""
        return implementations[np.conjugate](self) if self.dtype.kind == "c" else self

    def conj(self) -> Tensor:
        """As `ndarray.conj`."""
        return self.conjugate()

    def dot(self, b: Any) -> Tensor:
        """As `ndarray.dot`."""
        return implementations[np.dot](self, b)  # type: ignore[no-any-return]

    def clip(self, min: Any = None, max: Any = None, out: Any = None, **keywords: Any) -> Tensor:
        """As `ndarray.clip`, which takes one bound alone too."""
        return np.clip(self, min, max, out=out, **keywords)  # type: ignore[no-any-return]

    def compress(self, condition: Any, axis: int | None = None) -> Tensor:
        """As `ndarray.compress`."""
        return implementations[np.compress](condition, self, axis)  # type: ignore[no-any-return]

    def copy(self, order: Any = "C") -> Tensor:
        """As `ndarray.copy`; of a number, as a NumPy scalar is, a number."""
        copied = implementations[np.copy](self, order)
        return copied[()] if isinstance(self.node.like, np.generic) else copied  # type: ignore[no-any-return]

    def flatten(self, order: Any = "C") -> Tensor:
        """As `ndarray.flatten`: the elements in a row, as a copy."""
        return implementations[np.copy](implementations[np.ravel](self, order))  # type: ignore[no-any-return]

    def sort(self, axis: int = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None) -> None:
        """As `ndarray.sort`: in place."""
        self[...] = implementations[np.sort](self, axis, kind, order, stable=stable)

    def partition(self, kth: Any, axis: int = -1, kind: Any = "introselect", order: Any = None) -> None:
        """As `ndarray.partition`: in place."""
        self[...] = implementations[np.partition](self, kth, axis, kind, order)

    def fill(self, value: Any) -> None:
        """As `ndarray.fill`: in place."""
        self[...] = value

    def put(self, indices: Any, values: Any, mode: Any = "raise") -> None:
        """As `ndarray.put`: in place, the elements numbered row by row."""
        implementations[np.put](self, indices, values, mode)

    def tolist(self) -> Any:
        """The elements as Python numbers, without their gradient.

        Warns with GradientLostWarning while the Tensor is being differentiated, because libraries that know only
        arrays call it too; `tg.stop_gradient(t).tolist()` does not warn. In adopted code they are Tensors.
        """
        if self._has_gradient() and called_by_adopted_code():
            return self._elements()
        self._numbers_are_taken("tolist")
        return self.node.value.tolist()

    def tobytes(self, order: Any = "C") -> bytes:
        """As `ndarray.tobytes`."""
        return self.node.value.tobytes(order)  # type: ignore[no-any-return]

    def to_device(self, device: Any, /, **keywords: Any) -> Any:
        """As `ndarray.to_device`: the CPU is the only device."""
        self.node.like.to_device(device, **keywords)
        return self

    def reshape(self, *shape: Any, **keywords: Any) -> Tensor:
        """As `ndarray.reshape`: the sizes one by one, or as a tuple."""
        return implementations[np.reshape](self, shape=shape[0] if len(shape) == 1 else shape, **keywords)  # type: ignore[no-any-return]

    def transpose(self, *axes: Any) -> Tensor:
        """As `ndarray.transpose`: the axes one by one, or as a tuple; reversed where none are given."""
        return implementations[np.transpose](self, axes=axes[0] if len(axes) == 1 else axes or None)  # type: ignore[no-any-return]

    def astype(self, dtype: Any, **keywords: Any) -> Any:
        """As `ndarray.astype`; a plain array if the dtype is of integers or booleans."""
        if keywords and self.node.like.astype(dtype, **keywords) is self.node.like:  # raises NumPy's own errors
            return self  # copy=False
        return implementations[np.astype](self, dtype)

    def item(self, *index: Any) -> float:
        """One element as a Python number, without its gradient; warns as `tolist` does. In adopted code, a Tensor."""
        if self._has_gradient() and called_by_adopted_code():
            place = index[0] if len(index) == 1 and isinstance(index[0], tuple) else index
            self.node.value.item(*index)  # whose errors are ours
            return self[place] if len(place) == self.ndim else self.reshape(-1)[place or 0]  # type: ignore[return-value]
        self._numbers_are_taken("item")
        number: float = self.node.value.item(*index)
        return number

    def _elements(self) -> Any:
        return [row._elements() for row in self] if self.ndim else self[()]

    def _has_gradient(self) -> bool:
        """Whether there is a gradient to lose."""
        return bool(recording.get()) and not self.node.constant

    def _numbers_are_taken(self, method: str) -> None:
        if not self.node.constant:
            note_numbers_taken()
            if recording.get() and self.node.cotangent is None:  # after `backward`, there is no gradient left to lose
                warn_of_loss(method)

    def __getitem__(self, index: Any) -> Tensor:
        view = self._view
        if view is not None and view.is_stale:
            place = view.in_root(index)
            if place is not None:
                return view.root[place]  # type: ignore[no-any-return]
        return implementations[operator.getitem](self, index)  # type: ignore[no-any-return]

    # Assignment: a new node, to which the handle is moved. A number (a result of no axes, as `np.sum` gives it) cannot
    # be changed in NumPy, and so `x += y` gives the name x to a new one.

    def __setitem__(self, index: Any, values: Any) -> None:
        if isinstance(self.node.like, np.generic):
            raise TypeError("a scalar Tensor does not support item assignment, as NumPy's do not. Write t = values")
        place = self._view and self._view.in_root(index)
        if place is not None:
            self._view.root[place] = values
        else:
            self.become(implementations[operator.setitem](self, index, values))

    __iadd__, __isub__ = _in_place(np.add), _in_place(np.subtract)
    __imul__, __itruediv__ = _in_place(np.multiply), _in_place(np.divide)
    __ipow__, __imatmul__ = _in_place(np.power), _in_place(np.matmul)
    __imod__, __ifloordiv__ = _in_place(np.remainder), _in_place(np.floor_divide)

    def __len__(self) -> int:
        return len(self.node.like)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d Tensor")
        return (self[i] for i in range(len(self)))

    def __contains__(self, x: Any) -> bool:
        return bool(np.any(self == x))

    # Conversions to Python numbers raise while there is a gradient to lose. See `conversions.py`.

    def __float__(self) -> float:
        return float(self._number("float"))

    def __int__(self) -> int:
        return int(self._number("int"))

    def __complex__(self) -> complex:
        return complex(self._number("complex"))

    def __index__(self) -> int:
        if self._has_gradient():
            raise GradientLostError(Refusal(conversion, "integer", self))
        raise TypeError("a Tensor holds floats and cannot be used as an integer. Write int(t.value)")

    def __round__(self, digits: int | None = None) -> Any:
        return round(float(self._number("float")), digits)

    def __trunc__(self) -> int:
        return int(self._number("int"))

    def _number(self, kind: str) -> float:
        if self._has_gradient():
            raise GradientLostError(Refusal(conversion, kind, self))
        number: float = self.node.value.item()
        return number

    def __copy__(self) -> Tensor:
        return handle_on(self.node)  # type: ignore[no-any-return]

    def __deepcopy__(self, memo: Any) -> Tensor:
        return self.__copy__()

    def __reduce__(self) -> Any:
        if self.node.constant:
            return self.node.value.__reduce__()
        raise GradientLostError(Refusal(no_pickle))

    def __bool__(self) -> bool:
        return bool(self.node.value)

    def __format__(self, spec: str) -> str:
        return format(self.node.value, spec) if spec else str(self)

    def __str__(self) -> str:
        return str(self.node.value)

    def __repr__(self) -> str:
        shown = np.array2string(np.asarray(self.node.value), separator=", ", prefix="Tensor(")
        dtype = "" if self.dtype == np.float64 else f", dtype={self.dtype}"
        name = f", name={self.name!r}" if self.name else ""
        return f"Tensor({shown}{dtype}{name})"


# What to write in place of an attribute that a Tensor lacks; `numpy_functions/lacking.py` fills it in.
advice: dict[str, str] = {}


def _refuse(tensor: Tensor, name: str) -> NoReturn:
    """Raise AttributeError for the attribute `name` of a Tensor, with what to write instead, where that is known."""
    instead = advice.get(name)
    if instead is None and getattr(np, name, None) in implementations:
        instead = f"use the function np.{name}"
    if instead is None:  # given the object, Python adds the name that may be meant
        text: Any = f"a Tensor has no attribute {name!r}"  # NumPy asks for names with __ again and again
        text = text if name.startswith("__") else Refusal(lacking_attribute, name, "")
        raise AttributeError(text, name=name, obj=tensor)
    raise AttributeError(Refusal(lacking_attribute, name, instead))


def leaf_tensor(x: Array, name: str | None) -> Tensor:
    """A Tensor that nothing was computed for, with the elements of `x`, an array or a number of floats."""
    if not isinstance(x, np.ndarray):
        return leaf_on(x, name)
    leaf = leaf_on(x.copy("K"), name)
    if x.strides != leaf.node.value.strides:  # with gaps, or backwards, which decides what NumPy has a view of
        leaf.node.like = x
    return leaf


def leaf_on(value: Array, name: str | None, kind: type[Node] = Node) -> Tensor:
    """A Tensor that nothing was computed for. `value`, an array or number of floats, is the node's own from now on."""
    value.setflags(write=False)
    node = kind(None, (), (), {}, value)
    node.name = name
    return handle_on(node)  # type: ignore[no-any-return]
