"""Products, decompositions and Fourier transforms: a line each, as in `cases.py`."""

from __future__ import annotations

import numpy as np
from cases import Case


def spd(x):
    """A symmetric positive definite matrix, or a stack of them."""
    return x @ x.swapaxes(-1, -2) + 2 * np.eye(x.shape[-1])


def regular(x):
    return x + 4 * np.eye(x.shape[-1])


def rotating(x):
    """A matrix of which two eigenvalues are complex, or a stack of them."""
    return 0.2 * x + np.array([[1.0, -2.0, 0.3], [2.0, 0.5, 0.0], [0.4, 0.0, 4.0]], x.dtype)


def parts(z):
    """What is complex, as something real that shows all of it."""
    return np.real(z) ** 2 + np.imag(z) * 3 + np.real(z) * np.imag(z)


CASES: list[Case] = [
    Case("dot", np.dot, [(2, 3), (3, 4)]),
    Case("dot of vectors", np.dot, [(3,), (3,)]),
    Case("dot of vector and matrix", np.dot, [(3,), (3, 2)]),
    Case("dot of matrix and vector", np.dot, [(2, 3), (3,)]),
    Case("dot of number and matrix", np.dot, [(), (2, 3)]),
    Case("dot of many axes", np.dot, [(2, 2, 3), (4, 3, 2)]),
    Case("dot of many axes and vector", np.dot, [(2, 2, 3), (3,)]),
    Case("dot of nothing", np.dot, [(0, 3), (3, 2)]),
    Case("dot by method", lambda x, y: (x + 0 * y[0, 0]).dot(y), [(2, 3), (3, 4)]),
    Case("vdot", np.vdot, [(2, 3), (3, 2)]),
    Case("inner", np.inner, [(2, 3), (4, 3)]),
    Case("inner of vectors", np.inner, [(3,), (3,)]),
    Case("inner of number and vector", np.inner, [(), (3,)]),
    Case("outer", np.outer, [(2, 2), (3,)]),
    Case("linalg.outer", np.linalg.outer, [(2,), (3,)]),
    Case("vecdot", np.vecdot, [(2, 3), (3,)]),
    Case("vecdot along an axis", lambda x, y: np.vecdot(x, y, axis=0), [(3, 2), (3, 2)]),
    Case("linalg.vecdot", lambda x, y: np.linalg.vecdot(x, y, axis=-1), [(4, 1, 3), (2, 3)]),
    Case("matvec", np.matvec, [(4, 2, 3), (3,)]),
    Case("vecmat", np.vecmat, [(2,), (4, 2, 3)]),
    Case("linalg.matmul", np.linalg.matmul, [(4, 2, 3), (3, 2)]),
    Case("matrix_transpose", lambda x: np.matrix_transpose(x) ** 3, [(4, 2, 3)]),
    Case("linalg.matrix_transpose", lambda x: np.linalg.matrix_transpose(x) ** 3, [(2, 3)]),
    Case("mT", lambda x: x.mT**3, [(4, 2, 3)]),
    Case("tensordot", np.tensordot, [(2, 3, 2), (3, 2, 2)]),
    Case("tensordot over one axis", lambda x, y: np.tensordot(x, y, 1), [(2, 3), (3, 2)]),
    Case("tensordot over none", lambda x, y: np.tensordot(x, y, 0), [(2,), (3,)]),
    Case("tensordot over axes", lambda x, y: np.tensordot(x, y, ([0, -1], [1, 0])), [(2, 3, 4), (4, 2)]),
    Case("linalg.tensordot", lambda x, y: np.linalg.tensordot(x, y, axes=1), [(2, 3), (3, 2)]),
    Case("kron", np.kron, [(2, 3), (2, 2)]),
    Case("kron of vector and matrix", np.kron, [(3,), (2, 2)]),
    Case("cross", np.cross, [(2, 3), (3,)]),
    Case("cross along axes", lambda x, y: np.cross(x, y, axisa=0, axisb=1, axisc=0), [(3, 2), (2, 3)]),
    Case("linalg.cross", lambda x, y: np.linalg.cross(x, y, axis=0), [(3, 2), (3, 2)]),
    Case("trace", lambda x: np.trace(x) ** 3, [(3, 3)]),
    Case("trace, aside", lambda x: np.trace(x, 1, 0, 2) ** 3, [(2, 2, 3)]),
    Case("trace by method", lambda x: x.trace() ** 3, [(2, 3)]),
    Case("linalg.trace", lambda x: np.linalg.trace(x, offset=-1) ** 3, [(2, 3, 3)]),
    Case("linalg.diagonal", lambda x: np.linalg.diagonal(x) ** 3, [(2, 3, 3)]),
    Case("matrix_power 5", lambda x: np.linalg.matrix_power(x, 5), [(2, 2)]),
    Case("matrix_power 0", lambda x: np.linalg.matrix_power(x, 0) * x, [(2, 2)]),
    Case("matrix_power -2", lambda x: np.linalg.matrix_power(regular(x), -2), [(2, 2)]),
    Case("multi_dot", lambda x, y, z: np.linalg.multi_dot([x, y, z]), [(2, 3), (3, 2), (2, 4)]),
    Case("multi_dot from behind", lambda x, y, z: np.linalg.multi_dot([x, y, z]), [(4, 3), (3, 2), (2,)]),
    Case("einsum, matrix product", lambda x, y: np.einsum("ij,jk->ik", x, y), [(2, 3), (3, 4)]),
    Case("einsum, result not said", lambda x, y: np.einsum("ij, jk", x, y), [(2, 3), (3, 4)]),
    Case("einsum, order of letters", lambda x: np.einsum("ba", x) ** 3, [(2, 3)]),
    Case("einsum, trace", lambda x: np.einsum("ii", x) ** 3, [(3, 3)]),
    Case("einsum, diagonal", lambda x: np.einsum("ii->i", x) ** 3, [(3, 3)]),
    Case("einsum, diagonal of three", lambda x: np.einsum("iji->j", x) ** 3, [(2, 3, 2)]),
    Case("einsum, sum", lambda x: np.einsum("ij->", x) ** 3, [(2, 3)]),
    Case("einsum, sum over rows", lambda x, y: np.einsum("ij,k->jk", x, y), [(2, 3), (2,)]),
    Case("einsum, ellipsis", lambda x, y: np.einsum("...ij,...jk->...ik", x, y), [(4, 2, 3), (3, 2)]),
    Case("einsum, ellipsis not said", lambda x, y: np.einsum("...i,i...", x, y), [(2, 3), (3, 2)]),
    Case("einsum, axes of length 1", lambda x, y: np.einsum("ij,ij->i", x, y), [(2, 1), (2, 3)]),
    Case("einsum of three", lambda x, y, z: np.einsum("i,ij,j->", x, y, z, optimize=True), [(2,), (2, 3), (3,)]),
    Case("einsum, the same twice", lambda x: np.einsum("ij,ij->j", x, x), [(2, 3)]),
    Case("einsum by lists", lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [0, 2]), [(2, 3), (3, 4)]),
    Case(
        "einsum, ellipses that broadcast",
        lambda x, y, z: np.einsum("...j,...li,...lm->...i", x, y, z),
        [(2, 1, 3), (4, 2, 3), (2, 4, 2, 2)],
    ),
    Case("einsum, an axis stretched to nothing", lambda x, y: np.einsum("kji,jk", x, y), [(2, 0, 3), (1, 2)]),
    Case("einsum, empty and of length 1", lambda x, y: np.einsum("...jk,...jki->...", x, y), [(1, 0, 1), (1, 1, 1)]),
    Case("einsum of nothing", lambda x, y: np.einsum("ij,jk->ik", x, y), [(2, 0), (0, 3)]),
    Case("inv", lambda x: np.linalg.inv(regular(x)), [(3, 3)]),
    Case("inv of stacks", lambda x: np.linalg.inv(regular(x)), [(2, 2, 2)]),
    Case("solve", lambda x, y: np.linalg.solve(regular(x), y), [(3, 3), (3, 2)]),
    Case("solve of a vector", lambda x, y: np.linalg.solve(regular(x), y), [(2, 2), (2,)]),
    Case("solve, stacks and a vector", lambda x, y: np.linalg.solve(regular(x), y), [(4, 2, 2), (2,)]),
    Case("solve, matrix and stack", lambda x, y: np.linalg.solve(regular(x), y), [(2, 2), (4, 2, 1)]),
    Case("tensorsolve", lambda x, y: np.linalg.tensorsolve(x.reshape(2, 3, 6), y), [(6, 6), (2, 3)], -3, 4),
    Case("tensorinv", lambda x: np.linalg.tensorinv(regular(x).reshape(2, 2, 4), 2), [(4, 4)]),
    Case("pinv, high", np.linalg.pinv, [(3, 2)]),
    Case("pinv, wide", np.linalg.pinv, [(2, 3)]),
    Case("pinv of stacks", np.linalg.pinv, [(2, 3, 2)]),
    Case("lstsq", lambda x, y: np.linalg.lstsq(x, y)[0], [(4, 2), (4,)]),
    Case("lstsq, residuals", lambda x, y: np.linalg.lstsq(x, y)[1], [(4, 2), (4, 3)]),
    Case("lstsq, wide", lambda x, y: np.linalg.lstsq(x, y)[0], [(2, 3), (2,)]),
    *[Case(f"det of {n} x {n}", np.linalg.det, [(n, n)]) for n in (1, 2, 3, 4)],
    Case("det of 5 x 5", lambda x: np.linalg.det(regular(x)) / 100, [(5, 5)]),
    Case("det of stacks", np.linalg.det, [(2, 3, 3)]),
    Case("slogdet", lambda x: np.linalg.slogdet(regular(x))[1], [(3, 3)]),
    Case("slogdet of stacks", lambda x: np.linalg.slogdet(regular(x)).logabsdet, [(2, 2, 2)]),
    Case("cholesky", lambda x: np.linalg.cholesky(spd(x)), [(3, 3)]),
    Case("cholesky of what is not symmetric", lambda x: np.linalg.cholesky(spd(x) + x / 5), [(3, 3)]),
    Case("cholesky, upper, not symmetric", lambda x: np.linalg.cholesky(spd(x) + x / 5, upper=True), [(3, 3)]),
    Case("cholesky, upper, stacks", lambda x: np.linalg.cholesky(spd(x), upper=True), [(2, 2, 2)]),
    Case("eigh", lambda x: np.linalg.eigh(spd(x))[0], [(3, 3)]),
    Case("eigh, vectors", lambda x: np.linalg.eigh(spd(x)).eigenvectors, [(3, 3)]),
    Case("eigh of stacks", lambda x: np.linalg.eigh(spd(x), "U")[1] ** 2, [(2, 2, 2)]),
    Case("eigvalsh", lambda x: np.linalg.eigvalsh(x + x.T), [(3, 3)]),
    Case("eigvalsh of what is not symmetric", np.linalg.eigvalsh, [(3, 3)]),
    Case("eig, complex values", lambda x: parts(np.linalg.eig(rotating(x))[0]), [(3, 3)]),
    Case("eig, complex vectors", lambda x: parts(np.linalg.eig(rotating(x)).eigenvectors), [(3, 3)]),
    Case("eig, real", lambda x: np.linalg.eig(spd(x) * np.arange(1, 4))[0] ** 2, [(3, 3)]),
    Case("eig, real vectors", lambda x: np.linalg.eig(spd(x) * np.arange(1, 4))[1] ** 3, [(3, 3)]),
    Case("eig of stacks", lambda x: parts(np.linalg.eig(rotating(x))[1]), [(2, 3, 3)]),
    Case("eigvals", lambda x: parts(np.linalg.eigvals(rotating(x))), [(3, 3)]),
    Case("eigvals of one number", lambda x: np.linalg.eigvals(x) ** 2, [(1, 1)]),
    Case("roots", lambda p: parts(np.roots(p)), [(5,)]),
    Case("roots, real", lambda p: np.roots(p * [1, 9, 1]) ** 2, [(3,)], 0.5, 1),
    Case("roots, leading and trailing zeros", lambda p: parts(np.roots(np.concatenate([[0.0], p, [0.0]]))), [(4,)]),
    Case("solve, complex", lambda x, y: parts(np.linalg.solve(x * (1 + 2j) + 3 * np.eye(3), y * 1j)), [(3, 3), (3,)]),
    Case("inv, complex", lambda x: parts(np.linalg.inv(x * (1 + 2j) + 3 * np.eye(3))), [(3, 3)]),
    Case("det, complex", lambda x: parts(np.linalg.det(x * (1 + 2j) + 3 * np.eye(3))), [(2, 3, 3)]),
    Case("det of 5 x 5, complex", lambda x: parts(np.linalg.det(x * (0.2 + 0.1j) + np.eye(5))), [(5, 5)]),
    *[
        Case(f"emath.{name}", lambda x, name=name: parts(getattr(np.emath, name)(x)), [(2, 3)], low, high)
        for name in ("sqrt", "log", "log2", "log10", "arcsin", "arccos", "arctanh")
        for low, high in ((-1.5, 1.7), (0.1, 0.9))
    ],
    Case("emath.logn", lambda x: parts(np.emath.logn(3.0, x)), [(2, 3)]),
    Case("emath.power", lambda x: parts(np.emath.power(x, 1.5)), [(2, 3)]),
    Case("emath.power, real", lambda x, p: np.emath.power(x, p), [(2, 3), (3,)], 0.5),
    Case("eigh, upper, not symmetric", lambda x: np.linalg.eigh(x, "U")[1] ** 2, [(3, 3)]),
    Case("svdvals", np.linalg.svdvals, [(3, 2)]),
    Case("svd without vectors", lambda x: np.linalg.svd(x, compute_uv=False), [(2, 3)]),
    Case("svd, u", lambda x: np.linalg.svd(x, full_matrices=False)[0], [(3, 2)]),
    Case("svd, v", lambda x: np.linalg.svd(x, full_matrices=False).Vh, [(2, 3)]),
    Case("svd of square stacks", lambda x: np.linalg.svd(x)[2] * np.linalg.svd(x)[1][..., None], [(2, 2, 2)]),
    Case("qr, q", lambda x: np.linalg.qr(x)[0], [(3, 2)]),
    Case("qr, r", lambda x: np.linalg.qr(x).R, [(3, 3)]),
    Case("qr, wide", lambda x: np.linalg.qr(x, mode="r"), [(2, 4)]),
    Case("qr of stacks", lambda x: np.linalg.qr(x).Q, [(2, 3, 2)]),
    Case("norm", np.linalg.norm, [(2, 3)]),
    Case("norm of vectors", lambda x: np.linalg.norm(x, axis=-1, keepdims=True), [(2, 3)]),
    *[
        Case(f"norm {p} of vectors", lambda x, p=p: np.linalg.norm(x, p, axis=1) ** 3, [(2, 3)])
        for p in (1, 3, 1.5, np.inf, -np.inf, -1)
    ],
    *[
        Case(f"norm {p} of matrices", lambda x, p=p: np.linalg.norm(x, p, axis=(0, 2), keepdims=True) ** 3, [(2, 3, 2)])
        for p in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
    ],
    Case("vector_norm", lambda x: np.linalg.vector_norm(x, axis=(0, 1)), [(2, 3)]),
    Case("matrix_norm", lambda x: np.linalg.matrix_norm(x, ord=2), [(4, 2, 2)]),
    Case("cond", np.linalg.cond, [(3, 2)]),
    Case("cond by 1-norms", lambda x: np.linalg.cond(regular(x), 1), [(3, 3)]),
    Case("real and imag", lambda x, y: parts((x + 1j * y) * (y - 1j * x) / (2 + 1j * x)), [(3,), (3,)]),
    Case("conj", lambda x, y: parts(np.conj(x + 1j * y) ** 2), [(3,), (3,)]),
    Case("conjugate", lambda x: parts(np.conjugate(x * 1j)), [(3,)]),
    Case("abs of complex", lambda x, y: np.abs(x + 1j * y), [(3,), (3,)]),
    Case("angle", lambda x, y: np.angle(x + 1j * y), [(3,), (3,)], 0.5, 1.5),
    Case("angle in degrees", lambda x, y: np.angle(x + 1j * y, deg=True) / 50, [(3,), (3,)], 0.5, 1.5),
    Case("real_if_close", lambda x: np.real_if_close(x * (1 + 0j)) ** 3, [(3,)]),
    Case("exp of complex", lambda x, y: parts(np.exp(x + 1j * y)), [(3,), (3,)]),
    *[
        Case(f"{name} of {n}", lambda x, f=f: parts(f(x)), [(2, n)])
        for name, f in (("fft", np.fft.fft), ("ifft", np.fft.ifft), ("rfft", np.fft.rfft), ("ihfft", np.fft.ihfft))
        for n in (5, 6)
    ],
    Case("fft of complex", lambda x, y: parts(np.fft.fft(x + 1j * y, norm="ortho")), [(4,), (4,)]),
    Case("fft, cropped", lambda x: parts(np.fft.fft(x, 3, axis=0)), [(4, 2)]),
    Case("fft, padded", lambda x: parts(np.fft.ifft(x, 6, norm="forward")), [(2, 4)]),
    Case("rfft, cropped and padded", lambda x: parts(np.fft.rfft(x, 3)) + parts(np.fft.rfft(x, 5))[:2], [(4,)]),
    *[
        Case(f"irfft to {n}", lambda x, y, n=n: np.fft.irfft(x + 1j * y, n) ** 3, [(2, 4), (2, 4)])
        for n in (None, 5, 6, 7, 9)
    ],
    Case("irfft of rfft", lambda x: np.fft.irfft(np.fft.rfft(x) ** 2), [(6,)]),
    Case("hfft", lambda x, y: np.fft.hfft(x + 1j * y, norm="ortho") ** 3, [(4,), (4,)]),
    Case("fft2", lambda x: parts(np.fft.fft2(x)), [(2, 3, 4)]),
    Case("ifft2", lambda x: parts(np.fft.ifft2(x, norm="ortho")), [(3, 4)]),
    Case("fftn", lambda x: parts(np.fft.fftn(x, s=(3, 2), axes=(0, 2))), [(2, 3, 3)]),
    Case("ifftn", lambda x: parts(np.fft.ifftn(x)), [(2, 2, 3)]),
    Case("rfft2", lambda x: parts(np.fft.rfft2(x)), [(3, 4)]),
    Case("irfft2", lambda x, y: np.fft.irfft2(x + 1j * y) ** 3, [(3, 3), (3, 3)]),
    Case("rfftn", lambda x: parts(np.fft.rfftn(x)), [(2, 2, 3)]),
    Case("irfftn", lambda x, y: np.fft.irfftn(x + 1j * y, s=(3, 5), axes=(0, 1)) ** 3, [(3, 3), (3, 3)]),
    Case("fftshift", lambda x: np.fft.fftshift(x) ** 3, [(3, 4)]),
    Case("ifftshift", lambda x: np.fft.ifftshift(x, axes=1) ** 3, [(3, 5)]),
]
