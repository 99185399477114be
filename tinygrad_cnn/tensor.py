"""Tensor: what gradients flow to. It takes NumPy's own functions and operators, and records what they do."""

from __future__ import annotations

import dis
import operator
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from tinygrad_cnn.backward import pull_back, seed
from tinygrad_cnn.graph import Array, Handle, Node, ancestors
from tinygrad_cnn.primitive import implementations, to_values


def _operator(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    return lambda self, other: implementations[ufunc](self, other)


def _reflected(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    return lambda self, other: implementations[ufunc](other, self)


def _method(function: Any) -> Callable[..., Any]:
    return lambda self, *args, **settings: implementations[function](self, *args, **settings)


def _comparison(ufunc: np.ufunc) -> Callable[[Any, Any], NDArray[np.bool_]]:
    return lambda self, other: ufunc(self.node.value, to_values(other))


class Tensor(Handle):
    """An array of floats that remembers how it was computed.

    Tensor([1.0, 2.0], name="W") makes a leaf: `values` are copied, and `name` is for errors and pictures. Anything
    that NumPy makes of a Tensor is a Tensor again. A gradient flows to floats only, so integers raise TypeError.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = tg.Tensor([1.0, 2.0, 3.0])
    >>> y = np.sum(x * x)
    >>> y.backward()
    >>> x.grad
    array([2., 4., 6.])
    """

    __slots__ = ()

    def __init__(self, values: Any, name: str | None = None) -> None:
        if isinstance(values, Tensor):
            raise TypeError("this is a Tensor already: use it as it is, or its .value to cut it off from its history")
        array = np.array(values)
        if array.dtype.kind != "f":
            raise TypeError(f"a Tensor holds floats, but was given {array.dtype}: write 1.0 for 1, or .astype(float)")
        array.flags.writeable = False
        self.node = Node(None, (), (), {}, array)
        self.node.name = name

    # What it holds.

    @property
    def value(self) -> NDArray[Any]:
        """The array, read-only."""
        return read_only(self.node.value)  # type: ignore[no-any-return]

    @property
    def grad(self) -> NDArray[Any] | None:
        """The cotangent that the last `backward` through this value left, read-only; None before there was one."""
        cotangent = self.node.cotangent
        return None if cotangent is None else read_only(cotangent)

    @property
    def name(self) -> str | None:
        """What a person calls it."""
        return self.node.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape, as NumPy's."""
        return self.node.value.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Its dtype, as NumPy's."""
        return self.node.value.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return self.node.value.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """How many elements it has."""
        return self.node.value.size  # type: ignore[no-any-return]

    @property
    def T(self) -> Any:  # noqa: N802 (NumPy's name)
        """Its axes reversed."""
        return implementations[np.transpose](self)

    def backward(self, cotangent: Any = None) -> None:
        """Set the `.grad` of every Tensor that this one was computed from to the derivative of this with respect to it.

        cotangent: what to begin with, of this Tensor's shape; 1 by default, which wants a result of one element.

        It sets, and does not add to what an earlier call has left: there is nothing to zero. Gradients that are to be
        differentiated again come from `tinygrad_cnn.grad`. Raises ValueError if the shapes do not fit.
        """
        nodes, _ = ancestors([self.node])
        found = pull_back({self.node: seed(self.node, cotangent)}, nodes, keep=True)
        for node in nodes:
            node.cotangent = found.get(node)

    # NumPy's protocols.

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        implementation = implementations.get(ufunc if method == "__call__" else (ufunc, method))
        if implementation is None:
            unsupported(f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}"))
        if "out" in settings:
            raise TypeError(f"np.{ufunc.__name__}(out=...) would write a Tensor into an array: use what it returns")
        return implementation(*inputs, **settings)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        implementation = implementations.get(function)
        if implementation is None:
            unsupported(f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1))
        return implementation(*args, **kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise TypeError(
            "a Tensor does not turn into an array by itself, for its gradient would be lost. "
            "Write t.value for the array; np.stack or np.concatenate to join Tensors in one Tensor"
        )

    # Operators. Comparisons give plain arrays.

    __add__, __radd__ = _operator(np.add), _reflected(np.add)
    __sub__, __rsub__ = _operator(np.subtract), _reflected(np.subtract)
    __mul__, __rmul__ = _operator(np.multiply), _reflected(np.multiply)
    __truediv__, __rtruediv__ = _operator(np.divide), _reflected(np.divide)
    __pow__, __rpow__ = _operator(np.power), _reflected(np.power)
    __matmul__, __rmatmul__ = _operator(np.matmul), _reflected(np.matmul)
    __neg__, __abs__ = _method(np.negative), _method(np.abs)

    __lt__, __le__ = _comparison(np.less), _comparison(np.less_equal)
    __gt__, __ge__ = _comparison(np.greater), _comparison(np.greater_equal)
    __eq__, __ne__ = _comparison(np.equal), _comparison(np.not_equal)  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]  # as an ndarray: == compares elements

    # ndarray's methods.

    sum, mean = _method(np.sum), _method(np.mean)
    max, min = _method(np.max), _method(np.min)
    argmax, argmin = _method(np.argmax), _method(np.argmin)

    def reshape(self, *shape: Any, **settings: Any) -> Any:
        """As `ndarray.reshape`: the sizes one by one, or as a tuple."""
        return implementations[np.reshape](self, shape=shape[0] if len(shape) == 1 else shape, **settings)

    def transpose(self, *axes: Any) -> Any:
        """As `ndarray.transpose`: the axes one by one, or as a tuple; reversed where none are given."""
        return implementations[np.transpose](self, axes=axes[0] if len(axes) == 1 else axes or None)

    swapaxes = _method(np.swapaxes)

    def astype(self, dtype: Any) -> Any:
        """The same values in another dtype; a plain array if that is not a float."""
        if np.dtype(dtype).kind != "f":
            return self.node.value.astype(dtype)
        return implementations[np.astype](self, dtype)

    def item(self, *index: Any) -> float:
        """One element as a Python number, without its history."""
        return self.node.value.item(*index)  # type: ignore[no-any-return]

    def __getitem__(self, index: Any) -> Any:
        return implementations[operator.getitem](self, index)

    def __len__(self) -> int:
        return len(self.node.value)

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise TypeError("a Tensor of no axes cannot be iterated over")
        return (self[i] for i in range(len(self)))

    def __contains__(self, x: Any) -> bool:
        return bool(np.any(self == x))

    # Conversions, where nothing is lost by accident.

    def __float__(self) -> float:
        caller = sys._getframe(1)
        if dis.opname[caller.f_code.co_code[caller.f_lasti]] == "STORE_SUBSCR":
            self.__array__()  # array[i] = t, which NumPy carries out by float(t)
        return float(self.node.value)

    def __bool__(self) -> bool:
        return bool(self.node.value)

    def __int__(self) -> int:
        return int(self.node.value)

    def __format__(self, spec: str) -> str:
        return format(self.node.value, spec) if spec else str(self)

    def __str__(self) -> str:
        return str(self.node.value)

    def __repr__(self) -> str:
        shown = np.array2string(np.asarray(self.node.value), separator=", ", prefix="Tensor(")
        dtype = "" if self.dtype == np.float64 else f", dtype={self.dtype}"
        name = f", name={self.name!r}" if self.name else ""
        return f"Tensor({shown}{dtype}{name})"


def read_only(array: Array) -> Array:
    """`array`, or a view of it, that cannot be written to."""
    if isinstance(array, np.ndarray) and array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array


def unsupported(name: str) -> NoReturn:
    """Say that the NumPy function `name` has no rule here, and how it would get one."""
    raise NotImplementedError(
        f"{name} does not take Tensors yet. To add it:\n"
        f"    @tg.implements({name})\n"
        f"    @tg.primitive\n"
        f"    def {name.rsplit('.', 1)[-1]}(x, /, ...): return {name}(x, ...)  # and its .vjp(lambda g, out, x: ...)"
    )
