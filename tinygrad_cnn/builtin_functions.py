"""What Python's functions make of a Tensor in adopted code: float, complex, int, round, isinstance, hasattr and type.

In code that cannot be edited, `float(x)` means that x is one number, and not that its gradient is to be lost.
"""

from __future__ import annotations

import builtins
import typing
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Handle
from tinygrad_cnn.engine.tensor import Tensor


def number(x: Any) -> Any:
    """`x`, but if it is a Tensor of one element, that as a number: what float(x) is of an array. Raises TypeError."""
    if not builtins.isinstance(x, Tensor):
        return x
    like = x.node.like
    if builtins.isinstance(like, np.generic):
        return x
    if like.size != 1:
        raise TypeError("only length-1 arrays can be converted to Python scalars")
    return x.reshape(())[()]


def number_value(x: Any) -> Any:
    """`x`, but if it is a Tensor of one element, its value as a Python number."""
    return number(x).node.value.item() if builtins.isinstance(x, Handle) else x


class StandIn(type):
    """The class of what stands for a class of Python: an instance of that is one of this, and the two are equal."""

    original: Any

    def __instancecheck__(cls, x: object) -> bool:
        return isinstance(x, cls.original)

    def __subclasscheck__(cls, kind: Any) -> bool:
        return issubclass(kind, cls.original)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is cls.original

    def __hash__(cls) -> builtins.int:
        return hash(cls.original)

    def __repr__(cls) -> str:
        return repr(cls.original)


class float(builtins.float, metaclass=StandIn):  # noqa: N801
    """As Python's float. Of a Tensor of one element it is that element, still a Tensor."""

    original = builtins.float
    dtype = np.dtype(builtins.float)  # what NumPy looks for in a class that it does not know

    def __new__(cls, x: Any = 0.0, /) -> Any:
        """A float, or a Tensor."""
        return number(x) if builtins.isinstance(x, Handle) else builtins.float(x)


class complex(builtins.complex, metaclass=StandIn):  # noqa: N801
    """As Python's complex. Of Tensors of one element it is a Tensor."""

    original = builtins.complex
    dtype = np.dtype(builtins.complex)

    def __new__(cls, real: Any = 0.0, *imag: Any, **keywords: Any) -> Any:
        """A complex number, or a Tensor."""
        parts = (*imag, *keywords.values())
        if not any(builtins.isinstance(x, Handle) for x in (real, *parts)):
            return builtins.complex(real, *imag, **keywords)
        return sum([1j * number(x) for x in parts], number(real) + 0j)


class int(builtins.int, metaclass=StandIn):  # noqa: N801
    """As Python's int. A Tensor gives a plain integer, for the derivative is zero."""

    original = builtins.int
    dtype = np.dtype(builtins.int)

    def __new__(cls, x: Any = 0, /, *base: Any, **keywords: Any) -> Any:
        """An integer."""
        return builtins.int(number_value(x), *base, **keywords)


class float64(np.float64, metaclass=StandIn):  # noqa: N801
    """As NumPy's float64, where it is a variable of its own: `dtype = np.float64`, which is called too."""

    original = np.float64

    def __new__(cls, x: Any = 0.0, /) -> Any:
        """A number or an array, or a Tensor."""
        if not builtins.isinstance(x, Handle):
            return cls.original(x)
        found = x.astype(cls.original)  # type: ignore[attr-defined]
        return found if found.ndim else found[()]


class float32(np.float32, metaclass=StandIn):  # noqa: N801
    """As NumPy's float32."""

    original = np.float32
    __new__ = float64.__new__  # type: ignore[assignment]


class ndarray(np.ndarray, metaclass=StandIn):  # noqa: N801
    """As NumPy's ndarray, where it is a pattern, which a Tensor matches as its value does."""

    original = np.ndarray

    def __new__(cls, *args: Any, **keywords: Any) -> Any:
        """An array."""
        return cls.original(*args, **keywords)


def isinstance(x: Any, kinds: Any, /) -> bool:
    """As Python's isinstance. A Tensor is an instance of what its value is one of: np.ndarray, or np.float64."""
    if not builtins.isinstance(x, Handle):
        return builtins.isinstance(x, kinds)
    return builtins.isinstance(x.node.like, kinds) or _is_among(builtins.type(x).__mro__, kinds)


def _is_among(ours: tuple[Any, ...], kinds: Any) -> bool:
    """Whether `kinds` are, or have among them, one of the classes `ours`. An abstract class is asked of the value."""
    several = kinds if builtins.isinstance(kinds, tuple) else typing.get_args(kinds)
    return any(_is_among(ours, kind) for kind in several) if several else kinds in ours


def hasattr(x: Any, name: str, /) -> bool:
    """As Python's hasattr. A Tensor has the attributes that its value has: a number has no __len__."""
    return builtins.hasattr(x.node.like if builtins.isinstance(x, Handle) else x, name)


def round(number: Any, ndigits: Any = None) -> Any:
    """As Python's round. A Tensor gives a plain number, for the derivative is zero."""
    return builtins.round(number_value(number), ndigits)


_STAND_INS: dict[Any, Any] = {builtins.float: float, builtins.complex: complex, builtins.int: int}


def type(x: Any, /, *more: Any) -> Any:
    """As Python's type. Of a Tensor it is that of its value; of a Python number, what stands for its class here."""
    if more:
        return builtins.type(x, *more)
    kind = builtins.type(x.node.like if builtins.isinstance(x, Handle) else x)
    return _STAND_INS.get(kind, kind)
