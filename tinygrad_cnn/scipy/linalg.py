"""scipy.linalg, of real matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Handle
from tinygrad_cnn.engine.primitive import operand, to_values
from tinygrad_cnn.extras import extra
from tinygrad_cnn.replacements import fallback, replaces

with extra("scipy", "tinygrad_cnn.scipy.linalg"):
    from scipy import linalg as scipys

    from tinygrad_cnn.scipy import _matrices
    from tinygrad_cnn.scipy._matrices import as_float64, real, transposed

__getattr__, __dir__ = fallback(scipys, globals())


# Systems of equations.


@replaces(scipys.solve)
def solve(a: Any, b: Any, lower: bool = False, assume_a: Any = None, transposed: bool = False) -> Any:
    """As `scipy.linalg.solve`; of what `assume_a` says is not read, the gradient is 0."""
    a, b = real("solve", a, b)
    if a.size == 1:
        return b / np.ravel(a)[0]
    vector = np.ndim(b) == 1
    found = _matrices.solve(a, b[:, None] if vector else b, assume_a=assume_a, lower=lower, trans=transposed)
    return found[..., 0] if vector else found


@replaces(scipys.solve_triangular)
def solve_triangular(a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False) -> Any:
    """As `scipy.linalg.solve_triangular`; the gradient lies in the triangle that is read."""
    a, b = real("solve_triangular", a, b)
    transpose = {0: False, "N": False, 1: True, "T": True, 2: True, "C": True}.get(trans)
    if transpose is None:
        raise ValueError(f"scipy.linalg.solve_triangular: trans is {trans!r}; expected 0, 1, 2, 'N', 'T' or 'C'")
    vector = np.ndim(b) == 1
    found = _matrices.solve_triangular(
        a, b[:, None] if vector else b, trans=transpose, lower=bool(lower), unit=bool(unit_diagonal)
    )
    return found[..., 0] if vector else found


@replaces(scipys.solve_banded)
def solve_banded(l_and_u: Any, ab: Any, b: Any) -> Any:
    """As `scipy.linalg.solve_banded`."""
    ab, b = real("solve_banded", ab, b)
    return _matrices.solve_banded(ab, b, below=int(l_and_u[0]), above=int(l_and_u[1]))


@replaces(scipys.solveh_banded)
def solveh_banded(ab: Any, b: Any, lower: bool = False) -> Any:
    """As `scipy.linalg.solveh_banded`."""
    ab, b = real("solveh_banded", ab, b)
    scipys.solveh_banded(to_values(ab), to_values(b), lower=lower)  # SciPy's own errors
    width = ab.shape[0] - 1
    if lower:
        whole = np.concatenate([_matrices.transposed_band(ab, width, 0)[:-1], ab])
    else:
        whole = np.concatenate([ab, _matrices.transposed_band(ab, 0, width)[1:]])
    return _matrices.solve_banded(whole, b, below=width, above=width)


@replaces(scipys.solve_toeplitz)
def solve_toeplitz(c_or_cr: Any, b: Any) -> Any:
    """As `scipy.linalg.solve_toeplitz`; the matrix is made, and solved as any other."""
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    return solve(toeplitz(c, r), b, assume_a="general")


@replaces(scipys.matmul_toeplitz)
def matmul_toeplitz(c_or_cr: Any, x: Any) -> Any:
    """As `scipy.linalg.matmul_toeplitz`; the matrix is made."""
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    found = toeplitz(c, r) @ operand(x)
    return found.astype(scipys.matmul_toeplitz(to_values((c, c if r is None else r)), to_values(x)).dtype)


@replaces(scipys.inv)
def inv(a: Any, *, assume_a: Any = None, lower: bool = False) -> Any:
    """As `scipy.linalg.inv`."""
    (a,) = real("inv", a)
    if assume_a is None:
        return np.linalg.inv(a)
    return solve(a, np.eye(a.shape[-1], dtype=a.dtype), lower=lower, assume_a=assume_a)


@replaces(scipys.det)
def det(a: Any) -> Any:
    """As `scipy.linalg.det`."""
    return as_float64(np.linalg.det(*real("det", a)))


@replaces(scipys.lstsq)
def lstsq(a: Any, b: Any, cond: Any = None) -> Any:
    """As `scipy.linalg.lstsq`; the rank is a plain number, and taken as constant."""
    a, b = real("lstsq", a, b)
    cut = np.finfo(np.result_type(a.dtype, b.dtype, np.float32)).eps if cond is None else cond
    x, _, rank, s = np.linalg.lstsq(a, b, cut)
    whole = a.shape[0] > a.shape[1] == rank
    return x, np.sum((a @ x - b) ** 2, 0) if whole else np.empty(0, to_values(x).dtype), rank, s


@replaces(scipys.pinv)
def pinv(a: Any, *, atol: Any = None, rtol: Any = None, return_rank: bool = False) -> Any:
    """As `scipy.linalg.pinv`; the rank is a plain number, and taken as constant."""
    (a,) = real("pinv", a)
    plain, rank = scipys.pinv(to_values(a), atol=atol, rtol=rtol, return_rank=True)
    largest = np.max(scipys.svdvals(to_values(a)), initial=0)
    cut = (atol or 0) + largest * (np.finfo(plain.dtype).eps * max(a.shape) if rtol is None else rtol)
    found = np.linalg.pinv(a, cut / largest if largest else 0)
    return (found, rank) if return_rank else found


@replaces(scipys.solve_sylvester)
def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """As `scipy.linalg.solve_sylvester`."""
    return _matrices.solve_sylvester(*real("solve_sylvester", a, b, q))


@replaces(scipys.solve_continuous_lyapunov)
def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """As `scipy.linalg.solve_continuous_lyapunov`."""
    a, q = real("solve_continuous_lyapunov", a, q)
    return _matrices.solve_sylvester(a, a.T, q)


@replaces(scipys.solve_discrete_lyapunov)
def solve_discrete_lyapunov(a: Any, q: Any) -> Any:
    """As `scipy.linalg.solve_discrete_lyapunov`, by the method "direct"."""
    return _matrices.discrete_lyapunov(*real("solve_discrete_lyapunov", a, q))


@replaces(scipys.solve_continuous_are)
def solve_continuous_are(a: Any, b: Any, q: Any, r: Any) -> Any:
    """As `scipy.linalg.solve_continuous_are`; the gradients by q and r, which are symmetric, are symmetric."""
    return _matrices.continuous_riccati(*real("solve_continuous_are", a, b, q, r))


@replaces(scipys.solve_discrete_are)
def solve_discrete_are(a: Any, b: Any, q: Any, r: Any) -> Any:
    """As `scipy.linalg.solve_discrete_are`; the gradients by q and r, which are symmetric, are symmetric."""
    return _matrices.discrete_riccati(*real("solve_discrete_are", a, b, q, r))


# Factors. A result of which one triangle alone is defined has zeros in the other.


@replaces(scipys.cholesky)
def cholesky(a: Any, lower: bool = False) -> Any:
    """As `scipy.linalg.cholesky`; the gradient lies in the triangle that is read, as that of `np.linalg.cholesky`."""
    return np.linalg.cholesky(*real("cholesky", a), upper=not lower)


@replaces(scipys.cho_factor)
def cho_factor(a: Any, lower: bool = False) -> Any:
    """As `scipy.linalg.cho_factor`."""
    return np.linalg.cholesky(*real("cho_factor", a), upper=not lower), lower


@replaces(scipys.cho_solve)
def cho_solve(c_and_lower: Any, b: Any) -> Any:
    """As `scipy.linalg.cho_solve`."""
    c, lower = c_and_lower
    half = solve_triangular(c, b, 0 if lower else 1, lower)
    return solve_triangular(c, half, 1 if lower else 0, lower)


@replaces(scipys.lu_factor)
def lu_factor(a: Any) -> Any:
    """As `scipy.linalg.lu_factor`, of a square matrix; the pivots are a plain array."""
    (a,) = real("lu_factor", a)
    if np.ndim(a) != 2 or a.shape[0] != a.shape[1]:
        raise NotImplementedError(
            f"scipy.linalg.lu_factor: a has shape {a.shape}, which is not supported for Tensors; expected a "
            "square matrix"
        )
    _, pivots = scipys.lu_factor(to_values(a))
    order = np.arange(len(pivots))
    for k, pivot in enumerate(pivots):
        order[[k, pivot]] = order[[pivot, k]]
    return _matrices.lu(a, order=order), pivots


@replaces(scipys.lu_solve)
def lu_solve(lu_and_piv: Any, b: Any, trans: int = 0) -> Any:
    """As `scipy.linalg.lu_solve`."""
    packed, pivots = lu_and_piv
    b = operand(b)
    order = np.arange(len(pivots))
    for k, pivot in enumerate(pivots):
        order[[k, pivot]] = order[[pivot, k]]
    if trans:
        half = solve_triangular(packed, b, 1)
        return solve_triangular(packed, half, 1, lower=True, unit_diagonal=True)[np.argsort(order)]
    return solve_triangular(packed, solve_triangular(packed, b[order], lower=True, unit_diagonal=True))


@replaces(scipys.lu)
def lu(a: Any, permute_l: bool = False) -> Any:
    """As `scipy.linalg.lu`, of a square matrix; the permutation is a plain array."""
    packed, _ = lu_factor(a)
    p, _, _ = scipys.lu(to_values(a))
    left, right = np.tril(packed, -1) + np.eye(len(p), dtype=p.dtype), np.triu(packed)
    return (p @ left, right) if permute_l else (p, left, right)


@replaces(scipys.qr)
def qr(a: Any, mode: str = "full", pivoting: bool = False) -> Any:
    """As `scipy.linalg.qr` in the modes "economic" and "r", and in "full" where that makes no difference."""
    (a,) = real("qr", a)
    if mode not in ("full", "economic", "r"):
        raise NotImplementedError(f"scipy.linalg.qr: mode={mode!r} is not supported for Tensors. Pass mode='economic'")
    columns = scipys.qr(to_values(a), mode=mode, pivoting=True)[-1] if pivoting else slice(None)
    names = {"full": "complete", "economic": "reduced", "r": "reduced"}
    decompose: Any = np.linalg.qr
    q, r = decompose(a[..., columns], names[mode])
    if mode == "r" and a.shape[-2] > a.shape[-1]:
        missing = a.shape[-2] - a.shape[-1]
        r = np.concatenate([r, np.zeros((*r.shape[:-2], missing, r.shape[-1]), r.dtype)], -2)
    return (*((r,) if mode == "r" else (q, r)), *((columns,) if pivoting else ()))


@replaces(scipys.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """As `scipy.linalg.svd` with full_matrices=False; of square matrices that makes no difference."""
    decompose: Any = np.linalg.svd
    found = decompose(*real("svd", a), full_matrices, compute_uv)
    return tuple(found) if compute_uv else found


@replaces(scipys.svdvals)
def svdvals(a: Any) -> Any:
    """As `scipy.linalg.svdvals`."""
    return np.linalg.svdvals(*real("svdvals", a))


@replaces(scipys.polar)
def polar(a: Any, side: str = "right") -> Any:
    """As `scipy.linalg.polar`."""
    if side not in ("right", "left"):
        raise ValueError("`side` must be either 'right' or 'left'")
    w, s, vh = svd(a, full_matrices=False)
    positive = (transposed(vh) * s[..., None, :]) @ vh if side == "right" else (w * s[..., None, :]) @ transposed(w)
    return w @ vh, positive


@replaces(scipys.orthogonal_procrustes)
def orthogonal_procrustes(A: Any, B: Any) -> Any:
    """As `scipy.linalg.orthogonal_procrustes`."""
    A, B = real("orthogonal_procrustes", A, B)
    u, w, vt = svd(A.T @ B)
    return u @ vt, np.sum(w)


@replaces(scipys.eigh)
def eigh(a: Any, b: Any = None, *, lower: bool = True, eigvals_only: bool = False, subset_by_index: Any = None) -> Any:
    """As `scipy.linalg.eigh`; see `np.linalg.eigh` for what its gradient is, and where it is not to be trusted."""
    (a,) = real("eigh", a)
    plain = scipys.eigh(to_values(a), to_values(b), lower=lower)[1]
    if b is None:
        w, v = np.linalg.eigh(a, "L" if lower else "U")
    else:  # with b = l l.T: the eigenvalues of l^-1 a l^-T
        factor = np.linalg.cholesky(*real("eigh", b), upper=not lower)
        factor = factor if lower else transposed(factor)
        symmetric = np.tril(a) + transposed(np.tril(a, -1)) if lower else np.triu(a) + transposed(np.triu(a, 1))
        half = _matrices.solve_triangular(factor, symmetric, trans=False, lower=True, unit=False)
        inner = _matrices.solve_triangular(factor, transposed(half), trans=False, lower=True, unit=False)
        w, v = np.linalg.eigh((inner + transposed(inner)) / 2)
        v = _matrices.solve_triangular(factor, v, trans=True, lower=True, unit=False)
    v = _with_signs(v, plain)
    if subset_by_index is not None:
        some = slice(subset_by_index[0], subset_by_index[1] + 1)
        w, v = w[..., some], v[..., some]
    return w if eigvals_only else (w, v)


def _with_signs(v: Any, plain: Any) -> Any:
    """The vectors `v`, with the signs of those that SciPy gives: LAPACK leaves them open."""
    return v * np.where(np.sum(to_values(v) * plain, -2, keepdims=True) < 0, -1, 1).astype(v.dtype)


@replaces(scipys.eigvalsh)
def eigvalsh(a: Any, b: Any = None, *, lower: bool = True, subset_by_index: Any = None) -> Any:
    """As `scipy.linalg.eigvalsh`."""
    return eigh(a, b, lower=lower, eigvals_only=True, subset_by_index=subset_by_index)


@replaces(scipys.eigh_tridiagonal)
def eigh_tridiagonal(d: Any, e: Any, eigvals_only: bool = False) -> Any:
    """As `scipy.linalg.eigh_tridiagonal`; the matrix is made, and decomposed as any other."""
    d, e = real("eigh_tridiagonal", d, e)
    w, v = np.linalg.eigh(np.diag(d) + np.diag(e, -1))
    return w if eigvals_only else (w, _with_signs(v, scipys.eigh_tridiagonal(to_values(d), to_values(e))[1]))


@replaces(scipys.eigvalsh_tridiagonal)
def eigvalsh_tridiagonal(d: Any, e: Any) -> Any:
    """As `scipy.linalg.eigvalsh_tridiagonal`."""
    return eigh_tridiagonal(d, e, eigvals_only=True)


@replaces(scipys.norm)
def norm(a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """As `scipy.linalg.norm`."""
    a = operand(a)
    plain = scipys.norm(to_values(a), ord, axis, keepdims)
    found = np.linalg.norm(a, ord, axis, keepdims)
    return as_float64(found) if isinstance(plain, float) else found


# Functions of a matrix.

_functions = {
    original.__name__: _matrices.matrix_function(original)
    for original in (
        scipys.expm, scipys.logm, scipys.sqrtm, scipys.sinm, scipys.cosm, scipys.tanm, scipys.sinhm, scipys.coshm,
        scipys.tanhm, scipys.fractional_matrix_power,
    )
}  # fmt: skip


def _function_of_a_matrix(original: Any) -> Any:
    def function(A: Any) -> Any:
        return _functions[original.__name__](*real(original.__name__, A))

    function.__name__ = function.__qualname__ = original.__name__
    function.__doc__ = f"As `scipy.linalg.{original.__name__}`, where the result is real."
    return replaces(original)(function)


expm, logm, sqrtm = map(_function_of_a_matrix, (scipys.expm, scipys.logm, scipys.sqrtm))
sinm, cosm, tanm = map(_function_of_a_matrix, (scipys.sinm, scipys.cosm, scipys.tanm))
sinhm, coshm, tanhm = map(_function_of_a_matrix, (scipys.sinhm, scipys.coshm, scipys.tanhm))


@replaces(scipys.fractional_matrix_power)
def fractional_matrix_power(A: Any, t: Any) -> Any:
    """As `scipy.linalg.fractional_matrix_power`, where the result is real; t is a plain number."""
    if isinstance(t, Handle):
        raise NotImplementedError("scipy.linalg.fractional_matrix_power: t is a Tensor; expected a plain number")
    (A,) = real("fractional_matrix_power", A)
    if t == int(t):
        return np.linalg.matrix_power(A, int(t))
    found = _functions["fractional_matrix_power"](A, t=t)
    return found + 0j if np.iscomplexobj(scipys.fractional_matrix_power(to_values(A), t)) else found


@replaces(scipys.expm_frechet)
def expm_frechet(A: Any, E: Any, compute_expm: bool = True) -> Any:
    """As `scipy.linalg.expm_frechet`."""
    A, E = real("expm_frechet", A, E)
    both = as_float64(_functions["expm"](_matrices.with_direction(A, E)))
    n = A.shape[-1]
    return (both[..., :n, :n], both[..., :n, n:]) if compute_expm else both[..., :n, n:]


# Matrices of a structure.


@replaces(scipys.block_diag)
def block_diag(*arrs: Any) -> Any:
    """As `scipy.linalg.block_diag`, of matrices."""
    blocks = [np.atleast_2d(operand(x)) for x in arrs]
    if any(x.ndim > 2 for x in blocks):
        raise NotImplementedError("scipy.linalg.block_diag: stacks of matrices are not supported for Tensors")
    columns = sum(x.shape[1] for x in blocks)
    rows, before = [], 0
    for x in blocks:
        zeros = [np.zeros((x.shape[0], n), x.dtype) for n in (before, columns - before - x.shape[1])]
        rows.append(np.concatenate([zeros[0], x, zeros[1]], 1))
        before += x.shape[1]
    return np.concatenate(rows)


@replaces(scipys.toeplitz)
def toeplitz(c: Any, r: Any = None) -> Any:
    """As `scipy.linalg.toeplitz`."""
    c, r = _vectors("toeplitz", c, c if r is None else r)
    places = len(c) - 1 + np.subtract.outer(-np.arange(len(c)), -np.arange(len(r)))
    return np.concatenate([c[::-1], r[1:]])[places]


@replaces(scipys.hankel)
def hankel(c: Any, r: Any = None) -> Any:
    """As `scipy.linalg.hankel`."""
    c, r = _vectors("hankel", c, np.zeros_like(to_values(operand(c))) if r is None else r)
    return np.concatenate([c, r[1:]])[np.add.outer(np.arange(len(c)), np.arange(len(r)))]


@replaces(scipys.circulant)
def circulant(c: Any) -> Any:
    """As `scipy.linalg.circulant`."""
    (c,) = _vectors("circulant", c)
    return c[np.subtract.outer(np.arange(len(c)), np.arange(len(c))) % len(c)]


def _vectors(name: str, *arrays: Any) -> list[Any]:
    found = [np.atleast_1d(operand(x)) for x in arrays]
    for x in found:
        if x.ndim != 1:
            raise NotImplementedError(
                f"scipy.linalg.{name}: an argument has shape {x.shape}, which is not supported for Tensors; expected "
                "one axis"
            )
    return found


@replaces(scipys.khatri_rao)
def khatri_rao(a: Any, b: Any) -> Any:
    """As `scipy.linalg.khatri_rao`."""
    a, b = operand(a), operand(b)
    return (a[..., :, None, :] * b[..., None, :, :]).reshape((*a.shape[:-2], -1, a.shape[-1]))
