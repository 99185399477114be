"""Inverses, determinants and decompositions of matrices, and of stacks of them; real ones only.

No node holds a tuple. Where NumPy gives several arrays, one primitive packs them in one, of which each is a part.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from tinygrad_cnn.graph import Array
from tinygrad_cnn.primitive import Primitive, implements, primitive, to_values
from tinygrad_cnn.rules.arguments import as_array
from tinygrad_cnn.rules.complex_numbers import squared_size
from tinygrad_cnn.rules.elementwise import root_of_squares


def _t(x: Array) -> Array:
    return x.swapaxes(-1, -2)


def _symmetric(x: Array) -> Array:
    return (x + _t(x)) / 2


def _real_matrices(name: str, x: Any) -> None:
    if x.ndim < 2:
        raise np.linalg.LinAlgError(
            f"np.linalg.{name} is of matrices, or stacks of them, but was given shape {x.shape}"
        )
    if x.dtype.kind == "c":
        raise TypeError(f"np.linalg.{name} of complex matrices has no derivative here")


# Linear systems. Rules: M. Giles, "Collected matrix derivative results for forward and reverse mode", 2008.


@implements(np.linalg.inv)
@primitive
def inv(a: Array, /) -> Array:
    """As `np.linalg.inv`."""
    return np.linalg.inv(a)


inv.vjp(lambda g, out, a: -_t(out) @ g @ _t(out))


def _solve(a: Array, b: Array, /) -> Array:
    return np.linalg.solve(a, b)


solve: Primitive[..., Array] = Primitive(_solve, name="solve", broadcasts=True)
solve.vjp(
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
        raise NotImplementedError("np.linalg.pinv(hermitian=True) does not take Tensors: leave hermitian out")
    _real_matrices("pinv", a)
    cut = {name: x for name, x in (("rcond", rcond), ("rtol", rtol)) if x is not None}
    return _pinv(a, cut=cut)


@primitive
def _pinv(a: Array, /, cut: dict[str, Any]) -> Array:
    return np.linalg.pinv(a, **cut)


@_pinv.vjp
def _pinv_a(g: Array, out: Array, a: Array, cut: dict[str, Any]) -> Array:
    """G. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares", 1973."""
    left, right = np.eye(a.shape[-2], dtype=a.dtype) - a @ out, np.eye(a.shape[-1], dtype=a.dtype) - out @ a
    p, h = out, _t(g)
    return -_t(p @ h @ p) + left @ h @ p @ _t(p) + _t(p) @ p @ h @ right


@implements(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """As `np.linalg.lstsq`; the rank is a plain number, and taken as constant."""
    _, _, rank, _ = np.linalg.lstsq(to_values(a), to_values(b), rcond)
    a = as_array(a)
    a = a if a.dtype.kind in "fc" else a.astype(np.float64)
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
        last = [k % a.ndim for k in axes]
        a = np.transpose(a, [i for i in range(a.ndim) if i not in last] + last)
    return np.linalg.solve(a.reshape((np.size(b), -1)), np.ravel(b)).reshape(shape)


# Determinants.


@implements(np.linalg.det)
@primitive
def det(a: Array, /) -> Array:
    """As `np.linalg.det`. Up to 4 x 4 its derivatives are those of minors, and right for singular matrices too."""
    return np.linalg.det(a)


@det.vjp
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


@primitive
def _logabsdet(a: Array, /) -> Array:
    _real_matrices("slogdet", a)
    return np.linalg.slogdet(a)[1]


_logabsdet.vjp(lambda g, out, a: g[..., None, None] * _t(np.linalg.inv(a)))


# Decompositions.


@implements(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """As `np.linalg.cholesky`, of (a + a.T) / 2: its gradient is a symmetric matrix."""
    _real_matrices("cholesky", a)
    lower = _cholesky(a)
    return _t(lower) if upper else lower


@primitive
def _cholesky(a: Array, /) -> Array:
    return np.linalg.cholesky(a)


@_cholesky.vjp
def _cholesky_a(g: Array, out: Array, a: Array) -> Array:
    """I. Murray, "Differentiation of the Cholesky decomposition", 2016, equation 10."""
    weights = np.tril(np.ones(a.shape[-2:], a.dtype)) - np.eye(a.shape[-1], dtype=a.dtype) / 2
    inner = weights * (_t(out) @ g)
    return _symmetric(np.linalg.solve(_t(out), _t(np.linalg.solve(_t(out), _t(inner)))))


@primitive
def _eigh(a: Array, /, UPLO: str) -> Array:
    """Eigenvalues as the first row, and beneath them the eigenvectors."""
    w, v = np.linalg.eigh(a, UPLO)  # type: ignore[call-overload]
    return np.concatenate([w[..., None, :], v], -2)


@_eigh.vjp
def _eigh_a(g: Array, out: Array, a: Array, UPLO: str) -> Array:
    """Giles, 2008. Equal eigenvalues: right for what depends on the space of their vectors, and not on the choice."""
    w, v = out[..., 0, :], out[..., 1:, :]
    gaps = w[..., None, :] - w[..., :, None]
    apart = np.not_equal(gaps, 0)
    inner = np.where(apart, _t(v) @ g[..., 1:, :] / np.where(apart, gaps, 1), 0)
    inner = inner + g[..., 0, None, :] * np.eye(a.shape[-1], dtype=a.dtype)
    return _symmetric(v @ inner @ _t(v))


@implements(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:
    """As `np.linalg.eigh`, of (a + a.T) / 2: its gradient is a symmetric matrix."""
    _real_matrices("eigh", a)
    packed = _eigh(a, UPLO=UPLO)
    return type(np.linalg.eigh(np.eye(1)))(packed[..., 0, :], packed[..., 1:, :])


@implements(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """As `np.linalg.eigvalsh`; see `eigh`."""
    return eigh(a, UPLO).eigenvalues


@primitive
def _svd(a: Array, /) -> Array:
    """The rows of u, then the singular values as one row, then the rows of v."""
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return np.concatenate([u, s[..., None, :], _t(vh)], -2)


@_svd.vjp
def _svd_a(g: Array, out: Array, a: Array) -> Array:
    """J. Townsend, "Differentiating the singular value decomposition", 2016. Equal singular values: as `_eigh`."""
    m, n = a.shape[-2:]
    u, s, v = out[..., :m, :], out[..., m, :], out[..., m + 1 :, :]
    gu, gs, gv = g[..., :m, :], g[..., m, :], g[..., m + 1 :, :]
    squares = s * s
    gaps = squares[..., None, :] - squares[..., :, None]
    apart = np.not_equal(gaps, 0)
    f = np.where(apart, 1 / np.where(apart, gaps, 1), 0)
    eye = np.eye(min(m, n), dtype=a.dtype)
    row, column = s[..., None, :], s[..., :, None]
    uu, vv = f * (_t(u) @ gu), f * (_t(v) @ gv)
    result = u @ ((uu + _t(uu)) * row + column * (vv + _t(vv)) + gs[..., None, :] * eye) @ _t(v)
    if m > n:
        result = result + (gu - u @ (_t(u) @ gu)) / row @ _t(v)
    if n > m:
        result = result + u @ _t((gv - v @ (_t(v) @ gv)) / row)
    return result


@implements(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """As `np.linalg.svd`, with full_matrices=False; of square matrices that makes no difference."""
    _real_matrices("svd", a)
    if hermitian:
        raise NotImplementedError("np.linalg.svd(hermitian=True) does not take Tensors: use np.linalg.eigh")
    m, n = a.shape[-2:]
    if not compute_uv:
        return np.linalg.svdvals(a)
    if full_matrices and m != n:
        raise NotImplementedError(
            f"np.linalg.svd of {m} x {n} matrices: the vectors beyond the {min(m, n)} singular values are any basis of "
            "what is left, and have no derivative. Write full_matrices=False"
        )
    packed = _svd(a)
    u, s, vh = packed[..., :m, :], packed[..., m, :], _t(packed[..., m + 1 :, :])
    return type(np.linalg.svd(np.eye(1)))(u, s, vh)


@implements(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    """As `np.linalg.svdvals`."""
    _real_matrices("svdvals", x)
    return _svd(x)[..., x.shape[-2], :]


@primitive
def _qr(a: Array, /) -> Array:
    """The rows of q, then those of the transpose of r."""
    q, r = np.linalg.qr(a)
    return np.concatenate([q, _t(r)], -2)


@_qr.vjp
def _qr_a(g: Array, out: Array, a: Array) -> Array:
    """Of matrices that are no wider than high, from dQ = dA R^-1 - Q dR R^-1 and the triangle that dR is."""
    m = a.shape[-2]
    q, r = out[..., :m, :], _t(out[..., m:, :])
    gq, gr = g[..., :m, :], _t(g[..., m:, :])
    inner = r @ _t(gr) - _t(gq) @ q
    lower = np.tril(inner, -1)
    diagonal = inner * np.eye(a.shape[-1], dtype=a.dtype)
    return _t(np.linalg.solve(r, _t(gq + q @ (lower + _t(lower) + diagonal))))


@implements(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """As `np.linalg.qr` in the modes "reduced" and "r", and in "complete" where that makes no difference."""
    _real_matrices("qr", a)
    m, n = a.shape[-2:]
    if mode not in ("reduced", "r", "complete") or (mode == "complete" and m > n):
        raise NotImplementedError(f"np.linalg.qr(mode={mode!r}) of {m} x {n} matrices: write mode='reduced'")
    packed = _qr(a[..., :, : min(m, n)])
    q, r = packed[..., :m, :], _t(packed[..., m:, :])
    if n > m:
        r = np.concatenate([r, _t(q) @ a[..., :, m:]], -1)
    return r if mode == "r" else type(np.linalg.qr(np.eye(1)))(q, r)


# Norms.


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """As `np.linalg.norm`. Where it has a kink at 0, its slope there is 0."""
    if axis is None:
        if ord is None or (np.ndim(x) == 2 and ord == "fro") or (np.ndim(x) == 1 and ord == 2):
            found = _root_of_squares(np.ravel(x), (0,), False)
            return found.reshape((1,) * np.ndim(x)) if keepdims else found
        axis = tuple(range(np.ndim(x)))
        if len(axis) not in (1, 2):
            raise ValueError("Improper number of dimensions to norm.")
    axes = normalize_axis_tuple(axis, np.ndim(x))
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
        return np.sum(np.not_equal(size, 0), axes, keepdims=keepdims).astype(x.dtype)
    if ord == 1:
        return np.sum(size, axes, keepdims=keepdims)
    total = np.sum(size**ord, axes, keepdims=keepdims)
    if ord < 1:
        return total ** (1 / ord)
    none = np.equal(total, 0)
    return np.where(none, 0, np.where(none, 1, total) ** (1 / ord))


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
    return found if keepdims else np.squeeze(found, axes)


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """As `np.linalg.vector_norm`."""
    axes = tuple(range(np.ndim(x))) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return _vector_norm(x, ord, axes, keepdims)


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
    return np.where(np.isfinite(plain), found, plain)
