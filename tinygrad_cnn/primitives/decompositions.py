"""Inverses, determinants and decompositions of matrices, and of stacks of them; these last of real ones only.

No node holds a tuple. Where NumPy gives several arrays, one primitive packs them in one, of which each is a part.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import Primitive, implements, primitive, to_values
from tinygrad_cnn.primitives.arguments import as_array, axes_of
from tinygrad_cnn.primitives.complex_numbers import squared_size
from tinygrad_cnn.primitives.elementwise import root_of_squares
from tinygrad_cnn.primitives.shaping import laid_out, number, thumbnail


def _t(x: Array) -> Array:
    return x.swapaxes(-1, -2)


def _of_triangle(x: Array, lower: bool) -> Array:
    """The cotangent of a matrix of which one triangle alone is read, from that of the symmetric matrix it stands for.

    An element beside the diagonal stands for two elements of the symmetric matrix, and the other triangle for none.
    """
    both = x + _t(x)
    triangle = np.tril(both) if lower else np.triu(both)
    return triangle - np.eye(x.shape[-1], dtype=x.dtype) * x


def matrices(name: str, x: Any) -> None:
    """Raise NumPy's error unless `x` is a matrix or a stack of them."""
    if x.ndim < 2:
        raise np.linalg.LinAlgError(
            f"np.linalg.{name}: a has shape {x.shape}; expected a matrix or a stack of matrices"
        )


def square_matrices(name: str, x: Any) -> None:
    """Raise NumPy's error unless `x` is a square matrix or a stack of them."""
    matrices(name, x)
    if x.shape[-1] != x.shape[-2]:
        raise np.linalg.LinAlgError(f"np.linalg.{name}: a has shape {x.shape}; expected square matrices")


def _real_matrices(name: str, x: Any) -> None:
    matrices(name, x)
    if x.dtype.kind == "c":
        raise TypeError(
            f"np.linalg.{name}: a is complex; expected a real matrix, as the derivative for complex ones is not "
            "supported"
        )


# Linear systems. Rules: M. Giles, "Collected matrix derivative results for forward and reverse mode", 2008.


@implements(np.linalg.inv)
@primitive(complex=True, pure=True)
def inv(a: Array, /) -> Array:
    """As `np.linalg.inv`."""
    return np.linalg.inv(a)


inv.defvjp(lambda g, out, a: -_t(out) @ g @ _t(out))
inv.defmistake("the inverse is not transposed", lambda g, out, a: -out @ g @ out)


def _solve(a: Array, b: Array, /) -> Array:
    return np.linalg.solve(a, b)


solve: Primitive[..., Array] = Primitive(_solve, "solve", broadcasts=True, complex=True, pure=True)
solve.defvjp(
    lambda g, out, a, b: -np.matmul(np.linalg.solve(_t(a), g), _t(out)),
    lambda g, out, a, b: np.linalg.solve(_t(a), g),
)


@implements(np.linalg.solve)
def solve_of_numpy(a: Any, b: Any) -> Any:
    """As `np.linalg.solve`: b is a vector if it has one axis, else a matrix or a stack of them."""
    return solve(a, as_array(b)[:, None])[..., 0] if np.ndim(b) == 1 else solve(a, b)


@implements(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """As `np.linalg.pinv`; the rank is taken as constant."""
    if hermitian:
        raise NotImplementedError("np.linalg.pinv: hermitian=True is not supported for Tensors. Leave it out")
    _real_matrices("pinv", a)
    cut = {name: x for name, x in (("rcond", rcond), ("rtol", rtol)) if x is not None}
    return _pinv(a, cut=cut)


@primitive(pure=True)
def _pinv(a: Array, /, cut: dict[str, Any]) -> Array:
    return np.linalg.pinv(a, **cut)


@_pinv.defvjp
def _pinv_a(g: Array, out: Array, a: Array, cut: dict[str, Any]) -> Array:
    """G. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares", 1973."""
    left, right = np.eye(a.shape[-2], dtype=a.dtype) - a @ out, np.eye(a.shape[-1], dtype=a.dtype) - out @ a
    p, h = out, _t(g)
    return -_t(p @ h @ p) + left @ h @ p @ _t(p) + _t(p) @ p @ h @ right


@implements(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """As `np.linalg.lstsq`; the rank is a plain number, and taken as constant."""
    _, _, rank, _ = np.linalg.lstsq(to_values(a), to_values(b), rcond)
    a, b = as_array(a), as_array(b)
    # The dtype in which NumPy computes: that of floats which holds both.
    dtype = np.result_type(*[x.dtype if x.dtype.kind in "fc" else np.float64 for x in (a, b)])
    a, b = (x if x.dtype == dtype else x.astype(dtype) for x in (a, b))
    m, n = a.shape
    cut = np.finfo(a.dtype).eps * max(m, n) if rcond is None else max(rcond, 0)
    x = np.linalg.pinv(a, rcond=cut) @ b
    residuals: Any = np.zeros(0, a.dtype)
    if rank == n < m:
        residuals = np.sum(np.square(b - a @ x), 0)
        residuals = residuals.reshape(1) if np.ndim(b) == 1 else residuals
    return x, residuals, rank, np.linalg.svdvals(a)


@implements(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    """As `np.linalg.tensorinv`."""
    shape = np.linalg.tensorinv(to_values(a), ind).shape
    return np.linalg.inv(a.reshape((int(np.prod(a.shape[:ind])), -1))).reshape(shape)


@implements(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """As `np.linalg.tensorsolve`."""
    shape = np.linalg.tensorsolve(to_values(a), to_values(b), axes).shape
    if axes is not None:
        last = axes_of(axes, a.ndim)
        a = np.transpose(a, (*[i for i in range(a.ndim) if i not in last], *last))
    return np.linalg.solve(a.reshape((np.size(b), math.prod(shape))), np.ravel(b)).reshape(shape)


# Determinants.


@implements(np.linalg.det)
@primitive(complex=True, pure=True)
def det(a: Array, /) -> Array:
    """As `np.linalg.det`. Up to 4 x 4 its derivatives are those of minors, and right for singular matrices too."""
    return np.linalg.det(a)


@det.defvjp
def _det_a(g: Array, out: Array, a: Array) -> Array:
    n = a.shape[-1]
    if n > 4:
        return (g * out)[..., None, None] * _t(np.linalg.inv(a))
    if n == 1:
        return g[..., None, None] * np.ones_like(a)
    rest = np.array([[k for k in range(n) if k != i] for i in range(n)])
    minors = np.linalg.det(a[..., rest[:, None, :, None], rest[None, :, None, :]])
    return g[..., None, None] * ((-1.0) ** np.add.outer(range(n), range(n))).astype(a.dtype) * minors


@implements(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    """As `np.linalg.slogdet`: the sign is a plain array."""
    plain = np.linalg.slogdet(to_values(a))
    return type(plain)(plain.sign, _logabsdet(a))


@primitive(pure=True)
def _logabsdet(a: Array, /) -> Array:
    _real_matrices("slogdet", a)
    return np.linalg.slogdet(a)[1]


_logabsdet.defvjp(lambda g, out, a: g[..., None, None] * _t(np.linalg.inv(a)))


# Decompositions. Those of symmetric matrices read one triangle, as NumPy's do, and the gradient lies in that triangle:
# it is the derivative of what is computed. Of f((a + a.T) / 2) the gradient is symmetric.


@implements(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """As `np.linalg.cholesky`, which reads one triangle of a: the lower, or with `upper` the upper.

    The gradient is that of what is read: it has zeros in the other triangle, and an element beside the diagonal has the
    slopes of both elements that it stands for. Of cholesky((a + a.T) / 2) the gradient is a symmetric matrix.
    """
    _real_matrices("cholesky", a)
    return _cholesky(a, upper=upper)


@primitive(pure=True)
def _cholesky(a: Array, /, upper: bool) -> Array:
    return np.linalg.cholesky(a, upper=upper)


@_cholesky.defvjp
def _cholesky_a(g: Array, out: Array, a: Array, upper: bool) -> Array:
    """I. Murray, "Differentiation of the Cholesky decomposition", 2016, equation 10."""
    g, factor = (_t(g), _t(out)) if upper else (g, out)
    weights = np.tril(np.ones(a.shape[-2:], a.dtype)) - np.eye(a.shape[-1], dtype=a.dtype) / 2
    inner = weights * (_t(factor) @ g)
    whole = np.linalg.solve(_t(factor), _t(np.linalg.solve(_t(factor), _t(inner))))
    return _of_triangle((whole + _t(whole)) / 2, lower=not upper)


@primitive(pure=True)
def _eigh(a: Array, /, UPLO: str) -> Array:
    """Eigenvalues as the first row, and beneath them the eigenvectors."""
    w, v = np.linalg.eigh(a, UPLO)  # type: ignore[call-overload]
    return np.concatenate([w[..., None, :], v], -2)


@_eigh.defvjp
def _eigh_a(g: Array, out: Array, a: Array, UPLO: str) -> Array:
    """Giles, 2008. Equal eigenvalues: right for what depends on the space of their vectors, and not on the choice.

    What it may give for eigenvalues that are equal but for rounding, `doubt_vectors` says in debug mode.
    """
    w, v = out[..., 0, :], out[..., 1:, :]
    gaps = w[..., None, :] - w[..., :, None]
    distinct = np.not_equal(gaps, 0)
    inner = np.where(distinct, _t(v) @ g[..., 1:, :] / np.where(distinct, gaps, 1), 0)
    inner = inner + g[..., 0, None, :] * np.eye(a.shape[-1], dtype=a.dtype)
    return _of_triangle(v @ inner @ _t(v), lower=UPLO == "L")


def doubt_vectors(name: str, numbers: Array, g: Array) -> str | None:
    """Why the cotangent of a matrix is not to be trusted: it comes from vectors `g` whose numbers are nearly equal.

    The vectors turn by 1 / gap where the matrix changes, and the gap is known to eps times the largest number only.
    """
    if not np.any(g) or numbers.shape[-1] < 2:
        return None
    gaps = np.min(np.abs(np.diff(np.sort(numbers, axis=-1), axis=-1)), -1)
    scale = np.max(np.abs(numbers), -1)
    least, eps = np.min(np.where(scale > 0, gaps / np.where(scale > 0, scale, 1), 0)), np.finfo(numbers.dtype).eps
    if least >= np.sqrt(eps):
        return None
    return (
        f"{name}: two of the values differ by {least:.1e} of the largest, so that their vectors are hardly determined: "
        "the gradient through the vectors has few right digits, or none"
    )


_eigh.defdoubt(lambda g, out, a, UPLO: doubt_vectors("np.linalg.eigh", out[..., 0, :], g[..., 1:, :]))


@implements(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:
    """As `np.linalg.eigh`, which reads one triangle of a, the lower or with UPLO="U" the upper.

    The gradient lies in that triangle, as that of `cholesky` does. It is not to be trusted through the eigenvectors
    where two eigenvalues are nearly equal: the vectors rotate by 1 / (w[i] - w[j]), and a difference that is rounding
    error gives finite numbers without a meaning; `tinygrad_cnn.debug()` warns of it. Eigenvalues that are equal to the
    last digit count as one space, and the gradient is that of a function that depends on the space and not on the
    choice of its vectors. Through the eigenvalues alone the gradient is always finite.
    """
    _real_matrices("eigh", a)
    UPLO = UPLO.upper()
    packed = _eigh(a, UPLO=UPLO)
    plain = np.linalg.eigh(thumbnail(a))
    return type(plain)(laid_out(packed[..., 0, :], plain[0]), laid_out(packed[..., 1:, :], plain[1]))


@implements(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """As `np.linalg.eigvalsh`; see `eigh`."""
    return eigh(a, UPLO).eigenvalues


@primitive(pure=True)
def _svd(a: Array, /) -> Array:
    """The rows of u, then the singular values as one row, then the rows of v.

    The values in it are for the rule alone: what a caller gets of them comes from `_singular_values`, whose derivative
    asks nothing of the vectors.
    """
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return np.concatenate([u, s[..., None, :], _t(vh)], -2)


@_svd.defvjp
def _svd_a(g: Array, out: Array, a: Array) -> Array:
    """J. Townsend, "Differentiating the singular value decomposition", 2016. Equal singular values: as `_eigh`."""
    m, n = a.shape[-2:]
    u, s, v = out[..., :m, :], out[..., m, :], out[..., m + 1 :, :]
    gu, gs, gv = g[..., :m, :], g[..., m, :], g[..., m + 1 :, :]
    squares = s * s
    gaps = squares[..., None, :] - squares[..., :, None]
    distinct = np.not_equal(gaps, 0)
    f = np.where(distinct, 1 / np.where(distinct, gaps, 1), 0)
    eye = np.eye(min(m, n), dtype=a.dtype)
    row, column = s[..., None, :], s[..., :, None]
    uu, vv = f * (_t(u) @ gu), f * (_t(v) @ gv)
    result = u @ ((uu + _t(uu)) * row + column * (vv + _t(vv)) + gs[..., None, :] * eye) @ _t(v)
    if m > n:
        result = result + (gu - u @ (_t(u) @ gu)) / row @ _t(v)
    if n > m:
        result = result + u @ _t((gv - v @ (_t(v) @ gv)) / row)
    return result


@_svd.defdoubt
def _doubt_svd(g: Array, out: Array, a: Array) -> str | None:
    m = a.shape[-2]
    return doubt_vectors("np.linalg.svd", out[..., m, :], np.concatenate([g[..., :m, :], g[..., m + 1 :, :]], -2))


@primitive(pure=True)
def _singular_values(a: Array, /) -> Array:
    return np.linalg.svdvals(a)


@_singular_values.defvjp
def _singular_values_a(g: Array, out: Array, a: Array) -> Array:
    """Finite for every matrix: where singular values are equal or zero, that of one choice of the vectors."""
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return (u * g[..., None, :]) @ vh


@implements(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """As `np.linalg.svd`, with full_matrices=False; of square matrices that makes no difference.

    The gradient through the singular values alone is finite for every matrix; where one is zero, or two are equal, it
    is a subgradient. Through the vectors it is NaN where a matrix that is not square lacks rank, and not to be
    trusted where two singular values are nearly equal: see `eigh`.
    """
    _real_matrices("svd", a)
    if hermitian:
        raise NotImplementedError("np.linalg.svd: hermitian=True is not supported for Tensors. Use np.linalg.eigh")
    m, n = a.shape[-2:]
    if not compute_uv:
        return np.linalg.svdvals(a)
    if full_matrices and m != n:
        raise NotImplementedError(
            f"np.linalg.svd: full_matrices=True of a {m} x {n} matrix is not supported for Tensors, as the vectors "
            f"beyond the first {min(m, n)} are an arbitrary basis without a derivative. Pass full_matrices=False"
        )
    packed = _svd(a)
    u, vh = packed[..., :m, :], _t(packed[..., m + 1 :, :])
    plain = np.linalg.svd(thumbnail(a), full_matrices=False)
    return type(plain)(laid_out(u, plain[0]), _singular_values(a), laid_out(vh, plain[2]))


@implements(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    """As `np.linalg.svdvals`."""
    _real_matrices("svdvals", x)
    return _singular_values(x)


@primitive(pure=True)
def _qr(a: Array, /) -> Array:
    """The rows of q, then those of the transpose of r."""
    q, r = np.linalg.qr(a)
    return np.concatenate([q, _t(r)], -2)


@_qr.defvjp
def _qr_a(g: Array, out: Array, a: Array) -> Array:
    """Of matrices that are no wider than high, from dQ = dA R^-1 - Q dR R^-1 and the triangle that dR is.

    NaN where the matrix lacks rank: R has no inverse, and what rounding leaves of it would give numbers without a
    meaning.
    """
    m = a.shape[-2]
    q, r = out[..., :m, :], _t(out[..., m:, :])
    gq, gr = g[..., :m, :], _t(g[..., m:, :])
    inner = r @ _t(gr) - _t(gq) @ q
    lower = np.tril(inner, -1)
    diagonal = inner * np.eye(a.shape[-1], dtype=a.dtype)
    pivots = np.abs(np.diagonal(r, axis1=-2, axis2=-1))
    eps = np.finfo(a.dtype).eps * max(a.shape[-2:])
    lacking = np.any(pivots <= eps * np.max(pivots, axis=-1, keepdims=True, initial=0), axis=-1)[..., None, None]
    r = np.where(lacking, np.eye(a.shape[-1], dtype=a.dtype), r)
    found = _t(np.linalg.solve(r, _t(gq + q @ (lower + _t(lower) + diagonal))))
    return np.where(lacking, np.nan, found)


@implements(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """As `np.linalg.qr` in the modes "reduced" and "r", and in "complete" where that makes no difference."""
    _real_matrices("qr", a)
    m, n = a.shape[-2:]
    if mode not in ("reduced", "r", "complete") or (mode == "complete" and m > n):
        raise NotImplementedError(
            f"np.linalg.qr: mode={mode!r} of a {m} x {n} matrix is not supported for Tensors. Pass mode='reduced'"
        )
    packed = _qr(a[..., :, : min(m, n)])
    q, r = packed[..., :m, :], _t(packed[..., m:, :])
    if n > m:
        r = np.concatenate([r, _t(q) @ a[..., :, m:]], -1)
    of_arrays: Any = np.linalg.qr
    plain = of_arrays(thumbnail(a), mode)
    return laid_out(r, plain) if mode == "r" else type(plain)(laid_out(q, plain.Q), laid_out(r, plain.R))


# Norms.


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """As `np.linalg.norm`. Where it has a kink at 0, its slope there is 0.

    The norms of singular values (2, -2 and "nuc") have the slope of `svdvals` there, which is finite.
    """
    if axis is None:
        if ord is None or (np.ndim(x) == 2 and ord == "fro") or (np.ndim(x) == 1 and ord == 2):
            found = _root_of_squares(np.ravel(x), (0,), False)
            return found.reshape((1,) * np.ndim(x)) if keepdims else found
        axis = tuple(range(np.ndim(x)))
        if len(axis) not in (1, 2):
            raise ValueError("Improper number of dimensions to norm.")
    axes = axes_of(axis, np.ndim(x))
    if len(axes) == 1:
        return _vector_norm(x, 2 if ord is None else ord, axes, keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, "fro" if ord is None else ord, axes, keepdims)
    raise ValueError("Improper number of dimensions to norm.")


def _root_of_squares(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    return root_of_squares(np.sum(squared_size(x), axes, keepdims=keepdims))


def _vector_norm(x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if ord == 2:
        return _root_of_squares(x, axes, keepdims)
    if isinstance(ord, str):
        raise ValueError(f"Invalid norm order '{ord}' for vectors")
    size = np.abs(x)
    if ord == np.inf:
        return np.max(size, axes, keepdims=keepdims, initial=0)
    if ord == -np.inf:
        return np.min(size, axes, keepdims=keepdims)
    if ord == 0:
        return np.sum(np.not_equal(size, 0), axes, keepdims=keepdims).astype(size.dtype)
    if ord == 1:
        return np.sum(size, axes, keepdims=keepdims)
    total = np.sum(size**ord, axes, keepdims=keepdims)
    if ord < 1:
        return total ** (1 / ord)
    none = np.equal(total, 0)
    return number(np.where(none, 0, np.where(none, 1, total) ** (1 / ord)))


def _matrix_norm(x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if axes[0] == axes[1]:
        raise ValueError("Duplicate axes given.")
    row, column = axes
    if ord in ("fro", "f"):
        return _root_of_squares(x, axes, keepdims)
    if ord in (1, -1, np.inf, -np.inf):
        along, rest = (row, column) if abs(ord) == 1 else (column, row)
        sums = np.sum(np.abs(x), along, keepdims=True)
        found = np.max(sums, rest, keepdims=True, initial=0) if ord > 0 else np.min(sums, rest, keepdims=True)
    elif ord in (2, -2, "nuc"):
        s = np.linalg.svdvals(np.moveaxis(x, axes, (-2, -1)))
        found = np.sum(s, -1) if ord == "nuc" else np.max(s, -1, initial=0) if ord == 2 else np.min(s, -1)
        return np.expand_dims(found, axes) if keepdims else found
    else:
        raise ValueError(f"Invalid norm order {ord!r} for matrices")
    return found if keepdims else number(np.squeeze(found, axes))


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """As `np.linalg.vector_norm`."""
    return _vector_norm(x, ord, axes_of(axis, np.ndim(x)), keepdims)


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """As `np.linalg.matrix_norm`."""
    return np.linalg.norm(x, ord, (-2, -1), keepdims)


@implements(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    """As `np.linalg.cond`; of a singular matrix it is infinite, and a constant."""
    plain = np.linalg.cond(to_values(x), p)
    if p is None or p in (2, -2):
        s = np.linalg.svdvals(x)
        found = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    else:
        found = np.linalg.norm(x, p, (-2, -1)) * np.linalg.norm(np.linalg.inv(x), p, (-2, -1))
    return number(np.where(np.isfinite(plain), found, plain))
