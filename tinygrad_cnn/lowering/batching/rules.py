"""Batching rules: what each operation of `operations.py` is for many examples at once.

A rule is given the number of examples, the operands of which some are `Batched`, and the parameters; it returns an
array whose axis 0 runs over the examples. It is plain NumPy, and so can itself be traced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.lowering.batching import indexing
from tinygrad_cnn.lowering.batching.values import (
    Array,
    Batched,
    aligned,
    elementwise,
    for_each,
    is_batched,
    rank,
    shape_of,
)
from tinygrad_cnn.lowering.operations import ufunc_of

Rule = Callable[..., Array]


def behind(axis: Any, ndim: int) -> Any:
    """Axes of one example as axes of all: one, several, or None for all of them."""
    if axis is None:
        return tuple(range(1, ndim + 1))
    if isinstance(axis, tuple | list):
        return tuple([behind(one, ndim) for one in axis])
    return axis % ndim + 1 if ndim else axis + 1


def _reduce(
    n: int, x: Any, *, ufunc: str, axis: Any, where: Any = True, initial: Any = None, dtype: Any, keepdims: bool
) -> Array:
    if is_batched(initial):
        raise NotImplementedError("an initial value that differs from example to example")
    how: dict[str, Any] = {} if initial is None else {"initial": initial}
    ndim = rank(x)
    values = for_each(x, n)
    if where is not True:
        how["where"] = aligned([Batched(values), where])[1]
    axes = behind(axis, ndim)
    if isinstance(axes, tuple) and len(axes) == 1:
        (axes,) = axes  # not every ufunc can be reduced along several
    return getattr(np, ufunc).reduce(values, axis=axes, dtype=dtype, keepdims=keepdims, **how)


def _mean(n: int, x: Any, *, axis: Any, dtype: Any, keepdims: bool) -> Array:
    return np.mean(x.value, behind(axis, rank(x)), dtype, keepdims=keepdims)


def _reshape(n: int, x: Any, *, shape: tuple[int, ...], order: str = "C") -> Array:
    if order == "C":
        return x.value.reshape((n, *shape))
    backwards = (0, *range(rank(x), 0, -1))
    reversed_shape = x.value.transpose(backwards).reshape((n, *shape[::-1]))
    return reversed_shape.transpose((0, *range(len(shape), 0, -1)))


def _transpose(n: int, x: Any, *, axes: tuple[int, ...]) -> Array:
    return x.value.transpose((0, *[axis + 1 for axis in axes]))


def _broadcast_to(n: int, x: Any, *, shape: tuple[int, ...]) -> Array:
    like = np.broadcast_to(False, shape)
    return np.broadcast_to(aligned([x, like])[0], (n, *shape))


def _concatenate(n: int, *arrays: Any, axis: int) -> Array:
    return np.concatenate([for_each(x, n) for x in arrays], axis + 1)


def _full(n: int, *, shape: tuple[int, ...], value: Any, dtype: Any, order: Any = "C") -> Array:
    return np.copy(_broadcast_to(n, value, shape=shape)).astype(dtype)


def _view(n: int, x: Any, *, dtype: Any) -> Array:
    same_size = np.dtype(dtype).itemsize == x.value.dtype.itemsize
    if not same_size and not rank(x):
        raise NotImplementedError("a view of a number as one of another size")
    return (x.value if same_size else np.copy(x.value, "C")).view(dtype)


def matmul(n: int, a: Any, b: Any) -> Array:
    """The product a @ b: with a matrix that is the same for all examples, one product of larger matrices."""
    if not is_batched(b) and rank(b) == 2 and rank(a) in (1, 2):
        *outer, inner = a.value.shape
        return (a.value.reshape((int(np.prod(outer)), inner)) @ b).reshape((*outer, np.shape(b)[1]))
    if not is_batched(a) and rank(a) in (1, 2) and rank(b) == 1:
        return b.value @ a.T
    if not is_batched(b) and rank(a) == rank(b) == 1:
        return a.value @ b
    one_row = rank(a) == 2 or (rank(a) > 2 and shape_of(a)[-2] == 1)
    if not is_batched(b) and rank(b) > 2 and one_row:
        # As more rows of each of the matrices: a convolution whose kernel differs is one with more channels.
        rows = np.moveaxis(a.value, 0, -3)
        *outer, _, m, k = rows.shape
        product = rows.reshape((*outer, n * m, k)) @ b
        *outer, _, p = product.shape
        return np.moveaxis(product.reshape((*outer, n, m, p)), -3, 0)
    row, column = rank(a) == 1, rank(b) == 1
    if row:
        a = Batched(a.value[:, None, :]) if is_batched(a) else a[None, :]
    if column:
        b = Batched(b.value[:, :, None]) if is_batched(b) else b[:, None]
    product = np.matmul(*aligned([a, b], core=[2, 2]))
    if row:
        product = product[..., 0, :]
    return product[..., 0] if column else product


def _along_core(ufunc: Any) -> Rule:
    """The rule of a ufunc that takes vectors or matrices, as its signature "(m,n),(n)->(m)" says."""
    operands = ufunc.signature.split("->")[0].split("),(")
    core = [len([name for name in operand.strip("()").split(",") if name]) for operand in operands]

    def rule(n: int, *operands: Any, axis: int = -1, **how: Any) -> Array:
        if "axes" in how:
            raise NotImplementedError(f"np.{ufunc.__name__} with axes=")
        if axis != -1:
            last = [behind(axis, rank(x)) if is_batched(x) else axis for x in operands]
            operands = tuple(
                [Batched(np.moveaxis(x.value, at, -1)) if is_batched(x) else np.moveaxis(x, at, -1)
                 for x, at in zip(operands, last, strict=True)]
            )  # fmt: skip
        return ufunc(*aligned(operands, core), **how)

    return rule


RULES: dict[str, Rule] = {
    "add_at": indexing.add_at,
    "astype": lambda n, x, *, dtype: x.value.astype(dtype),
    "broadcast_to": _broadcast_to,
    "concatenate": _concatenate,
    "copy": lambda n, x, *, order="K": x.value,  # which nothing assigns to
    "full": _full,
    "getitem": indexing.getitem,
    "imag": lambda n, x: np.imag(x.value),
    "item": lambda n, x, *, number: x.value[number],
    "matmul": matmul,
    "mean": _mean,
    "power_operator": elementwise(lambda x, y: x**y),
    "real": lambda n, x: np.real(x.value),
    "reduce": _reduce,
    "reshape": _reshape,
    "scalar": lambda n, x: x.value,
    "setitem": indexing.setitem,
    "transpose": _transpose,
    "view": _view,
    "where": elementwise(np.where),
}


def of_ufunc(ufunc: Any) -> Rule:
    """The rule of a ufunc."""
    return elementwise(ufunc) if ufunc.signature is None else _along_core(ufunc)


def rule_of(operation: str) -> Rule | None:
    """The batching rule of an operation, or None."""
    if operation in RULES:
        return RULES[operation]
    ufunc = ufunc_of(operation)
    return None if ufunc is None else of_ufunc(ufunc)
