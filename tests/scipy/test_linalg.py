"""tinygrad_cnn.scipy.linalg: values are SciPy's, derivatives those of differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy_cases import Call, each, gradients_agree, values_agree

import tinygrad_cnn as tg

pytest.importorskip("scipy", reason="SciPy is not installed")

import scipy.linalg as theirs

from tinygrad_cnn.scipy import linalg as ours

UPPER = np.triu(np.full((3, 3), 7.0), 1)  # what is not read
E = np.array([[0.3, -0.2, 0.5], [0.1, 0.4, -0.3], [0.2, 0.6, 0.1]])
M, V, N = (3, 3), (3,), (3, 2)


def regular(x):
    return x + 4 * np.eye(x.shape[-1], dtype=x.dtype)


def positive(x):
    return x @ x.swapaxes(-1, -2) + np.eye(x.shape[-1], dtype=x.dtype)


def lower_of(x):
    """A positive definite matrix in the lower triangle, and something else in the other."""
    return np.tril(positive(x)) + UPPER.astype(x.dtype)


def stable(x):
    return x / 4 - np.eye(3, dtype=x.dtype)


CALLS = [
    Call("solve", lambda m, a, b: m.solve(regular(a), b), [M, V]),
    Call("solve for matrices", lambda m, a, b: m.solve(regular(a), b), [M, N]),
    Call("solve of stacks", lambda m, a, b: m.solve(regular(a), b), [(2, 3, 3), (2, 3, 2)]),
    Call("solve of a number", lambda m, a, b: m.solve(a, b), [(1, 1), V], 0.5, 2),
    Call("solve, transposed", lambda m, a, b: m.solve(regular(a), b, transposed=True), [M, N]),
    *[
        Call(
            f"solve, {kind}, {lower}",
            lambda m, a, b, f=f, k=kind, lo=lower: m.solve(f(a, lo), b, assume_a=k, lower=lo),
            [M, V],
        )
        for kind, f in {
            "sym": lambda a, lower: lower_of(a) if lower else lower_of(a).T,
            "pos": lambda a, lower: lower_of(a) if lower else lower_of(a).T,
            "upper triangular": lambda a, lower: regular(a),
            "lower triangular": lambda a, lower: regular(a),
            "diagonal": lambda a, lower: regular(a),
            "tridiagonal": lambda a, lower: regular(a),
            "general": lambda a, lower: regular(a),
        }.items()
        for lower in (True, False)
    ],
    *[
        Call(
            f"solve_triangular, {trans}, {lower}, {unit}",
            lambda m, a, b, t=trans, lo=lower, u=unit: m.solve_triangular(regular(a), b, t, lo, unit_diagonal=u),
            [M, shape],
        )
        for trans, shape in ((0, V), (1, N), ("T", V), ("N", N))
        for lower in (True, False)
        for unit in (True, False)
    ],
    Call("solve_triangular of stacks", lambda m, a, b: m.solve_triangular(regular(a), b), [(2, 3, 3), (2, 3, 1)]),
    *[
        Call(f"solve_banded of {b}", lambda m, ab, b: m.solve_banded((1, 2), ab + RAISED[:4], b), [(4, 5), b])
        for b in ((5,), (5, 2))
    ],
    Call("solveh_banded", lambda m, ab, b: m.solveh_banded(ab / 4 + RAISED[:3], b), [(3, 5), (5,)]),
    Call("solveh_banded, low", lambda m, ab, b: m.solveh_banded(ab / 4 + RAISED[2:], b, lower=True), [(3, 5), (5, 2)]),
    Call("solve_toeplitz", lambda m, c, b: m.solve_toeplitz(c + 4 * np.eye(3)[0], b), [V, V]),
    Call("solve_toeplitz of two", lambda m, c, r, b: m.solve_toeplitz((c + 4 * np.eye(3)[0], r), b), [V, V, N]),
    Call("matmul_toeplitz", lambda m, c, r, x: m.matmul_toeplitz((c, r), x), [V, V, N]),
    Call("inv", lambda m, a: m.inv(regular(a)), [(2, 3, 3)]),
    Call("inv of a positive definite matrix", lambda m, a: m.inv(lower_of(a), assume_a="pos", lower=True), [M]),
    Call("det", lambda m, a: m.det(a), [(2, 3, 3)]),
    Call("lstsq", lambda m, a, b: m.lstsq(a, b)[0], [(4, 2), (4,)]),
    Call("lstsq, residuals", lambda m, a, b: m.lstsq(a, b)[1], [(4, 2), (4, 3)]),
    Call("lstsq, wide", lambda m, a, b: m.lstsq(a, b)[0], [(2, 4), (2, 3)]),
    Call("pinv", lambda m, a: m.pinv(a), [(4, 2)]),
    Call("pinv, cut off", lambda m, a: m.pinv(a @ np.diag([1.0, 1.0, 1e-9]), rtol=1e-5), [(4, 3)]),
    Call("solve_sylvester", lambda m, a, b, q: m.solve_sylvester(regular(a), b + np.eye(2), q), [M, (2, 2), N]),
    Call("solve_continuous_lyapunov", lambda m, a, q: m.solve_continuous_lyapunov(regular(a), q), [M, M]),
    Call("solve_discrete_lyapunov", lambda m, a, q: m.solve_discrete_lyapunov(a / 4, q), [M, M]),
    *[
        Call(
            name,
            lambda m, a, b, q, r, name=name: getattr(m, name)(a, b, positive(q), positive(r)),
            [M, N, M, (2, 2)],
        )
        for name in ("solve_continuous_are", "solve_discrete_are")
    ],
    Call("cholesky", lambda m, a: m.cholesky(lower_of(a).T), [M]),
    Call("cholesky, lower", lambda m, a: m.cholesky(lower_of(a), lower=True), [M]),
    Call("cho_factor", lambda m, a: np.triu(m.cho_factor(lower_of(a).T)[0]), [M]),
    Call("cho_solve", lambda m, a, b: m.cho_solve(m.cho_factor(lower_of(a).T), b), [M, V]),
    Call("cho_solve, lower", lambda m, a, b: m.cho_solve(m.cho_factor(lower_of(a), lower=True), b), [M, N]),
    Call("lu_factor", lambda m, a: m.lu_factor(a)[0], [M]),
    Call("lu_solve", lambda m, a, b: m.lu_solve(m.lu_factor(a), b), [M, N]),
    Call("lu_solve, transposed", lambda m, a, b: m.lu_solve(m.lu_factor(a), b, 1), [M, V]),
    Call("lu, left", lambda m, a: m.lu(a)[1], [M]),
    Call("lu, right", lambda m, a: m.lu(a)[2], [M]),
    Call("lu, rows exchanged", lambda m, a: m.lu(a, permute_l=True)[0], [M]),
    *[
        Call(f"qr, {mode}, {k}", lambda m, a, mode=mode, k=k: m.qr(a, mode=mode)[k], [shape])
        for mode, k, shape in (
            ("economic", 0, (4, 2)), ("economic", 1, (4, 2)), ("full", 0, M), ("full", 1, (2, 3)), ("r", 0, (4, 2)),
        )
    ],
    Call("qr, pivoting", lambda m, a: m.qr(a, mode="economic", pivoting=True)[1], [(4, 3)]),
    *[
        Call(f"svd, {k}", lambda m, a, k=k: m.svd(a, full_matrices=False)[k], [(4, 3)])
        for k in range(3)
    ],
    Call("svd, values alone", lambda m, a: m.svd(a, compute_uv=False), [(4, 3)]),
    Call("svdvals", lambda m, a: m.svdvals(a), [(4, 3)]),
    *[
        Call(f"polar, {side}, {k}", lambda m, a, side=side, k=k: m.polar(a, side)[k], [M])
        for side in ("left", "right") for k in (0, 1)
    ],
    *[
        Call(f"orthogonal_procrustes, {k}", lambda m, a, b, k=k: m.orthogonal_procrustes(a, b)[k], [(4, 3), (4, 3)])
        for k in (0, 1)
    ],
    *[
        Call(f"eigh, {k}, {lower}", lambda m, a, k=k, lo=lower: m.eigh(a + SPREAD, lower=lo)[k], [M])
        for k in (0, 1) for lower in (True, False)
    ],
    *[
        Call(f"eigh, two, {k}, {lo}", lambda m, a, b, k=k, lo=lo: m.eigh(a + SPREAD, positive(b), lower=lo)[k], [M] * 2)
        for k in (0, 1) for lo in (True, False)
    ],
    Call("eigh, some", lambda m, a: m.eigh(a + SPREAD, subset_by_index=[1, 2])[1], [M]),
    Call("eigvalsh", lambda m, a, b: m.eigvalsh(a, positive(b)), [M, M]),
    Call("eigh_tridiagonal", lambda m, d, e: m.eigh_tridiagonal(d + 2 * np.arange(4), e)[1] ** 2, [(4,), (3,)]),
    Call("eigvalsh_tridiagonal", lambda m, d, e: m.eigvalsh_tridiagonal(d, e), [(4,), (3,)]),
    Call("norm", lambda m, a: m.norm(a), [(3,)]),
    Call("norm, nuclear", lambda m, a: m.norm(a, "nuc"), [M]),
    Call("norm along an axis", lambda m, a: m.norm(a, 1, axis=0, keepdims=True), [M]),
    *[
        Call(name, lambda m, a, name=name: getattr(m, name)(a), [M], -1, 1)
        for name in ("expm", "sinm", "cosm", "tanm", "sinhm", "coshm", "tanhm")
    ],
    Call("expm of stacks", lambda m, a: m.expm(a), [(2, 2, 2)]),
    *[Call(name, lambda m, a, name=name: getattr(m, name)(regular(a)), [M]) for name in ("logm", "sqrtm")],
    Call("sqrtm of stacks", lambda m, a: m.sqrtm(regular(a)), [(2, 2, 2)]),
    Call("fractional_matrix_power", lambda m, a: np.real(m.fractional_matrix_power(regular(a), 0.3)), [M]),
    Call("fractional_matrix_power, whole", lambda m, a: m.fractional_matrix_power(a, 3), [M]),
    Call("expm_frechet", lambda m, a, e: m.expm_frechet(a, e)[1], [M, M], -1, 1),
    Call("block_diag", lambda m, a, b, c: m.block_diag(a, b, c, [[1.0]]), [(2, 3), (2,), ()]),
    Call("toeplitz", lambda m, c: m.toeplitz(c), [(3,)]),
    Call("toeplitz of two", lambda m, c, r: m.toeplitz(c, r), [(3,), (4,)]),
    Call("hankel", lambda m, c: m.hankel(c), [(3,)]),
    Call("hankel of two", lambda m, c, r: m.hankel(c, r), [(3,), (4,)]),
    Call("circulant", lambda m, c: m.circulant(c), [(4,)]),
    Call("khatri_rao", lambda m, a, b: m.khatri_rao(a, b), [(2, 3), (4, 3)]),
]  # fmt: skip
RAISED = np.array([0, 0, 8, 0, 0])[:, None] * np.ones(5)
SPREAD = np.diag([0.0, 2.0, 5.0])  # so that the eigenvalues lie apart
IMPRECISE = ("logm", "fractional_matrix_power")  # of which SciPy warns in single precision


@each(CALLS)
def test_values_are_scipys(call: Call) -> None:
    values_agree(call, ours, theirs)


@each([call for call in CALLS if call.name not in IMPRECISE])
def test_values_of_single_precision_are_scipys(call: Call) -> None:
    values_agree(call, ours, theirs, np.float32)


@each(CALLS)
def test_derivatives_are_what_differences_give(call: Call) -> None:
    gradients_agree(call, ours)


def test_the_gradient_lies_in_what_is_read() -> None:
    a, b = lower_of(E), np.ones(3)
    for name in ("pos", "sym"):
        found = tg.grad(lambda a, name=name: np.sum(ours.solve(a, b, assume_a=name, lower=True)))(a)
        assert np.all(found[np.triu_indices(3, 1)] == 0)
        assert np.all(found[np.tril_indices(3)] != 0)


def test_the_factor_has_zeros_where_scipy_leaves_it_undefined() -> None:
    c, lower = ours.cho_factor(tg.Tensor(positive(E)))
    assert np.all(c.value[np.tril_indices(3, -1)] == 0)
    assert lower is False


def test_the_rank_and_the_permutations_are_plain() -> None:
    a = tg.Tensor(regular(E))
    assert ours.lstsq(a, np.ones(3))[2] == ours.pinv(a, return_rank=True)[1] == 3
    assert isinstance(ours.lu(a)[0], np.ndarray)
    assert isinstance(ours.lu_factor(a)[1], np.ndarray)


T = tg.Tensor(regular(E))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ours.solve(T, np.ones(2)), ValueError, "incompatible shapes"),
        (lambda: ours.solve(T, np.ones(3), assume_a="odd"), ValueError, "odd is not a recognized matrix structure"),
        (lambda: ours.solve(0 * T, np.ones(3)), np.linalg.LinAlgError, "singular"),
        (lambda: ours.solve(T, np.ones(3) * 1j), TypeError, r"scipy\.linalg\.solve: an argument is complex; expected"),
        (lambda: ours.solve(T, [np.nan, 1, 1]), ValueError, "array must not contain infs or NaNs"),
        (lambda: ours.solve_triangular(T, np.ones(3), "X"), ValueError, "trans is 'X'; expected"),
        (lambda: ours.cholesky(-T), np.linalg.LinAlgError, "not positive definite"),
        (lambda: ours.logm(-T @ T), NotImplementedError, r"scipy\.linalg\.logm: the result is complex"),
        (lambda: ours.fractional_matrix_power(np.eye(2), tg.Tensor(0.5)), NotImplementedError, "t is a Tensor"),
        (lambda: ours.lu(T[:2]), NotImplementedError, r"a has shape \(2, 3\), which is not supported"),
        (lambda: ours.qr(T, mode="raw"), NotImplementedError, "mode='raw' is not supported for Tensors"),
        (lambda: ours.qr(T[:, :2]), NotImplementedError, "mode='complete' of a 3 x 2 matrix"),
        (lambda: ours.svd(T[:2]), NotImplementedError, "full_matrices=True of a 2 x 3 matrix"),
        (lambda: ours.eigh(T, np.eye(3), type=2), NotImplementedError, "type=2 is not supported for Tensors"),
        (lambda: ours.polar(T, "up"), ValueError, "`side` must be either 'right' or 'left'"),
        (lambda: ours.toeplitz(T), NotImplementedError, "an argument has shape"),
        (lambda: ours.block_diag(T[None]), NotImplementedError, "stacks of matrices"),
        (lambda: ours.eig(T), tg.GradientLostError, "gradient"),
    ],
)  # fmt: skip
def test_what_is_not_supported_raises(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()
