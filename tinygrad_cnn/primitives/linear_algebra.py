"""Products of vectors, matrices and arrays of more axes."""

from __future__ import annotations

import functools
import operator
import string
from typing import Any

import numpy as np

from tinygrad_cnn.engine.fitting import sum_to
from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import Primitive, implements
from tinygrad_cnn.primitives.arguments import as_array, refuse_out
from tinygrad_cnn.primitives.complex_numbers import conjugated
from tinygrad_cnn.primitives.rearranging import rearranging
from tinygrad_cnn.primitives.shaping import laid_out, number, row_by_row, thumbnail

# A vector stands for a matrix of one row on the left of the product, of one column on its right; the result lacks that
# axis, so its cotangent is given it back.


def _matmul_x(g: Array, out: Array, x: Array, y: Array) -> Array:
    if y.ndim == 1:
        return g[..., None] * y
    if x.ndim == 1:
        return (y @ g[..., None])[..., 0]
    return _product(g, y.swapaxes(-1, -2))


def _matmul_y(g: Array, out: Array, x: Array, y: Array) -> Array:
    if x.ndim == 1:
        return g * x if y.ndim == 1 else x[:, None] * g[..., None, :]
    if y.ndim == 1:
        return (x.swapaxes(-1, -2) @ g[..., None])[..., 0]
    return _product(x.swapaxes(-1, -2), g)


def _product(x: Array, y: Array) -> Array:
    return x @ y if x.shape[-1] != 1 else x * y  # a column and a row: at twice the speed of the matrix product


# Stacks of matrices broadcast together.
matmul: Primitive[..., Array] = Primitive(
    np.matmul, broadcasts=True, bilinear=True, complex=True, pure=True, kind="linear"
)
matmul.defvjp(_matmul_x, _matmul_y)
matmul.defmistake("the other operand is not transposed", lambda g, out, x, y: g @ y, lambda g, out, x, y: x @ g)
matmul.defmistake(
    "the cotangent is transposed, and should not be",
    lambda g, out, x, y: g.mT @ y.mT,
    lambda g, out, x, y: x.mT @ g.mT,
)
matmul.defflops(lambda out, x, y: 2 * out.size * np.shape(x)[-1])  # a multiplication and an addition for each product
implements(np.matmul, np.linalg.matmul)(matmul)


@implements(np.dot)
def dot(a: Any, b: Any, out: None = None) -> Any:
    """As `np.dot`."""
    refuse_out("dot", out)
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return _by_number(a, b)
    if np.ndim(b) <= 2:
        found = np.matmul(a, b)
        return row_by_row(found) if found.ndim > 2 else found
    return np.tensordot(a, b, (-1, -2))


@implements(np.vdot)
def vdot(a: Any, b: Any, /) -> Any:
    """As `np.vdot`."""
    return np.dot(conjugated(np.ravel(a)), np.ravel(b))


@implements(np.inner)
def inner(a: Any, b: Any, /) -> Any:
    """As `np.inner`."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return _by_number(a, b)
    return number(np.tensordot(a, b, (-1, -1)))


def _by_number(a: Any, b: Any) -> Any:
    return laid_out(np.multiply(a, b), np.dot(thumbnail(a), thumbnail(b)))


@implements(np.outer)
def outer(a: Any, b: Any, out: None = None) -> Any:
    """As `np.outer`."""
    refuse_out("outer", out)
    return np.ravel(a)[:, None] * np.ravel(b)


@implements(np.linalg.outer)
def outer_of_vectors(x1: Any, x2: Any, /) -> Any:
    """As `np.linalg.outer`."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(f"np.linalg.outer: x1 has {np.ndim(x1)} axes and x2 {np.ndim(x2)}; expected one each")
    return np.outer(x1, x2)


@implements(np.vecdot, np.linalg.vecdot)
def vecdot(x: Any, y: Any, /, *, axis: int = -1, keepdims: bool = False) -> Any:
    """As `np.vecdot`."""
    if np.shape(x)[axis] != np.shape(y)[axis]:
        raise ValueError(
            f"np.vecdot: axis {axis} has {np.shape(x)[axis]} and {np.shape(y)[axis]} elements; expected equally many"
        )
    return np.sum(conjugated(np.moveaxis(x, axis, -1)) * np.moveaxis(y, axis, -1), -1, keepdims=keepdims)


@implements(np.matvec)
def matvec(A: Any, x: Any, /) -> Any:
    """As `np.matvec`."""
    return np.matmul(A, as_array(x)[..., None])[..., 0]


@implements(np.vecmat)
def vecmat(x: Any, A: Any, /) -> Any:
    """As `np.vecmat`."""
    return np.matmul(conjugated(as_array(x))[..., None, :], A)[..., 0, :]


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x: Any, /) -> Any:
    """As `np.matrix_transpose`."""
    return x.mT


@implements(np.tensordot, np.linalg.tensordot)
def tensordot(a: Any, b: Any, /, axes: Any = 2) -> Any:
    """As `np.tensordot`: axes laid together in two matrices, whose product is laid apart again."""
    shape_a, shape_b = np.shape(a), np.shape(b)
    if isinstance(axes, int | np.integer):
        of_a, of_b = list(range(len(shape_a) - axes, len(shape_a))), list(range(axes))
    else:
        of_a, of_b = ([int(i) for i in np.atleast_1d(part)] for part in axes)
    of_a, of_b = [range(len(shape_a))[i] for i in of_a], [range(len(shape_b))[i] for i in of_b]
    if [shape_a[i] for i in of_a] != [shape_b[i] for i in of_b]:
        raise ValueError(f"shape-mismatch for sum: tensordot of shapes {shape_a} and {shape_b} over {of_a} and {of_b}")
    left = [i for i in range(len(shape_a)) if i not in of_a]
    right = [i for i in range(len(shape_b)) if i not in of_b]
    summed = int(np.prod([shape_a[i] for i in of_a]))
    rows, columns = [shape_a[i] for i in left], [shape_b[i] for i in right]
    matrix_a = np.transpose(a, left + of_a).reshape((int(np.prod(rows)), summed))
    matrix_b = np.transpose(b, of_b + right).reshape((summed, int(np.prod(columns))))
    return (matrix_a @ matrix_b).reshape(rows + columns)


@implements(np.kron)
def kron(a: Any, b: Any) -> Any:
    """As `np.kron`."""
    n = max(np.ndim(a), np.ndim(b))
    shape_a, shape_b = ((1,) * (n - np.ndim(x)) + np.shape(x) for x in (a, b))
    apart = np.reshape(a, [m for k in shape_a for m in (k, 1)]) * np.reshape(b, [m for k in shape_b for m in (1, k)])
    return apart.reshape([i * j for i, j in zip(shape_a, shape_b, strict=True)])


@implements(np.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """As `np.cross`, of vectors in space."""
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    if np.shape(a)[axisa] != 3 or np.shape(b)[axisb] != 3:
        raise ValueError(
            f"np.cross: a and b have shapes {np.shape(a)} and {np.shape(b)}; expected vectors of 3 elements"
        )
    x, y = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    one, two = [1, 2, 0], [2, 0, 1]
    return np.moveaxis(row_by_row(x[..., one] * y[..., two] - x[..., two] * y[..., one]), -1, axisc)


@implements(np.linalg.cross)
def cross_of_vectors(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """As `np.linalg.cross`."""
    return np.cross(x1, x2, axis=axis)


@implements(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None) -> Any:
    """As `np.trace`."""
    refuse_out("trace", out)
    return np.sum(np.diagonal(a, offset, axis1, axis2), -1, dtype)


@implements(np.linalg.trace)
def trace_of_matrices(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """As `np.linalg.trace`."""
    return np.trace(x, offset, -2, -1, dtype)


@implements(np.linalg.diagonal)
def diagonal_of_matrices(x: Any, /, *, offset: int = 0) -> Any:
    """As `np.linalg.diagonal`."""
    return np.diagonal(x, offset, -2, -1)


@implements(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """As `np.linalg.matrix_power`: by squaring."""
    if np.ndim(a) < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(f"np.linalg.matrix_power: a has shape {np.shape(a)}; expected square matrices")
    n = operator.index(n)
    if n < 0:
        return np.linalg.matrix_power(np.linalg.inv(a), -n)
    result: Any = None
    if n == 0:
        result = np.zeros_like(a)
        result[...] = np.eye(a.shape[-1], dtype=a.dtype)
    while n:
        if n % 2:
            result = a if result is None else result @ a
        n //= 2
        a = a @ a if n else a
    return result


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Any, *, out: None = None) -> Any:
    """As `np.linalg.multi_dot`, multiplied from that end which makes the smaller matrix."""
    refuse_out("linalg.multi_dot", out)
    if len(arrays) < 2:
        raise ValueError(f"np.linalg.multi_dot: {len(arrays)} arrays given; expected at least two")
    if any(np.ndim(x) not in ((1, 2) if k in (0, len(arrays) - 1) else (2,)) for k, x in enumerate(arrays)):
        raise np.linalg.LinAlgError(
            f"np.linalg.multi_dot: shapes {[np.shape(x) for x in arrays]} given; expected matrices, or vectors at the "
            "ends"
        )
    first, last = np.shape(arrays[0])[0], np.shape(arrays[-1])[-1]
    if first <= last:
        return functools.reduce(np.dot, arrays)
    return functools.reduce(lambda right, left: np.dot(left, right), reversed(arrays))


# Sums over indices.

_einsum: Primitive[..., Array] = Primitive(
    lambda *arrays, indices, result: np.einsum(f"{','.join(indices)}->{result}", *arrays, optimize=len(arrays) > 2),
    "einsum",
    complex=True,
    pure=True,
)


@_einsum.defvjp_argnum
def _einsum_x(position: int, g: Array, out: Array, *arrays: Array, indices: tuple[str, ...], result: str) -> Array:
    """The same sum, with the cotangent in the place of the operand; no index comes twice in any of them.

    An index that only the operand had was summed over: all of its elements have the same share.
    """
    own, shape = indices[position], arrays[position].shape
    others = [k for k in range(len(arrays)) if k != position]
    known = set(result).union(*[indices[k] for k in others])
    shared = "".join(i for i in own if i in known)
    cotangent = np.einsum(
        f"{','.join([result, *[indices[k] for k in others]])}->{shared}", g, *[arrays[k] for k in others]
    )
    # Where this operand has an axis of length 1 it was stretched; where all the others have, their share is the same.
    lengths = dict(zip(own, shape, strict=True))
    unstretched = [1 if lengths[i] == 1 else n for i, n in zip(shared, cotangent.shape, strict=True)]
    cotangent = sum_to(cotangent, tuple(unstretched))
    kept = dict(zip(shared, cotangent.shape, strict=True))
    return np.broadcast_to(cotangent.reshape([kept.get(i, 1) for i in own]), shape)


def diagonal(x: Any, axis1: int, axis2: int) -> Any:
    """As `np.diagonal`, but it may be assigned to, as a diagonal that `np.einsum` gives may."""
    axes = list(range(x.ndim))
    axes[axis2] = axis1
    of_arrays: Any = np.einsum
    return of_arrays(x, axes, [i for i in axes if i != axis1] + [axis1])


_diagonal = rearranging(diagonal, "x")


@implements(np.einsum)
def einsum(*operands: Any, out: None = None, optimize: Any = False, **keywords: Any) -> Any:
    """As `np.einsum`, in either of its forms; `optimize` chooses nothing but the order of the sums."""
    refuse_out("einsum", out)
    if keywords:
        raise NotImplementedError(
            f"np.einsum: {next(iter(keywords))}= is not supported for Tensors. Use .astype on the operands"
        )
    indices, result, arrays = _parsed(operands)
    if len(indices) != len(arrays):
        raise ValueError(f"np.einsum: {len(arrays)} operands given; expected {len(indices)}, as in the subscripts")
    for k, (own, x) in enumerate(zip(indices, arrays, strict=True)):
        if len(own) != np.ndim(x):
            raise ValueError(
                f"np.einsum: operand {k} has {np.ndim(x)} axes; expected {len(own)}, as in its subscripts {own!r}"
            )
        for i in sorted(set(own), key=own.index):
            while indices[k].count(i) > 1:  # a diagonal
                one = indices[k].index(i)
                two = indices[k].index(i, one + 1)
                if arrays[k].shape[one] != arrays[k].shape[two]:
                    raise ValueError(
                        f"np.einsum: operand {k} has shape {np.shape(x)}; expected equal axes for the repeated "
                        f"subscript {i!r}"
                    )
                arrays[k] = _diagonal(arrays[k], one, two)
                indices[k] = indices[k][:one] + indices[k][one + 1 : two] + indices[k][two + 1 :] + i
    found = _einsum(*arrays, indices=tuple(indices), result=result)
    if len(arrays) <= 2 and not optimize:
        return found
    of_arrays: Any = np.einsum
    return laid_out(found, of_arrays(f"{','.join(indices)}->{result}", *map(thumbnail, arrays), optimize=optimize))


def _parsed(operands: Any) -> tuple[list[str], str, list[Any]]:
    """The indices of each operand and of the result, with letters in the place of the ellipses; and the operands."""
    if isinstance(operands[0], str):
        subscripts, arrays = operands[0].replace(" ", ""), list(operands[1:])
    else:  # operand, list of numbers, operand, list of numbers, ..., perhaps that of the result
        arrays, lists = list(operands[0 : len(operands) // 2 * 2 : 2]), list(operands[1::2])
        given = [*lists, operands[-1]] if len(operands) % 2 else lists
        numbers = sorted({i for part in given for i in part if i is not Ellipsis})
        letter = dict(zip(numbers, string.ascii_letters, strict=False))
        words = ["".join("..." if i is Ellipsis else letter[i] for i in part) for part in given]
        subscripts = ",".join(words[: len(arrays)]) + ("->" + words[-1] if len(operands) % 2 else "")
    left, arrow, result = subscripts.partition("->")
    indices = left.split(",")
    free = [i for i in string.ascii_letters if i not in subscripts]
    extra = [np.ndim(x) - len(own.replace("...", "")) for own, x in zip(indices, arrays, strict=False) if "..." in own]
    stretched = "".join(free[: max(extra, default=0)])
    if arrow and stretched and "..." not in result:
        raise ValueError(
            f"np.einsum: the result {result!r} has no ellipsis; expected one, as those of the operands have axes"
        )
    if not arrow:
        names = left.replace(",", "").replace(".", "")
        result = "..." * bool(extra) + "".join(sorted(i for i in set(names) if names.count(i) == 1))
    for k, x in enumerate(arrays[: len(indices)]):
        count = np.ndim(x) - len(indices[k].replace("...", ""))
        indices[k] = indices[k].replace("...", stretched[len(stretched) - count :] if count > 0 else "")
    return indices, result.replace("...", stretched), arrays
