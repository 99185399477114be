"""Memory layout and aliasing are part of a value: of every function they are NumPy's, on the same arguments.

Each call that the tables of cases make is run a second time on plain arrays that lie in memory as the operands do.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from all_cases import CASES
from numeric import slope

import tinygrad_cnn as tg
from tinygrad_cnn.engine.graph import Handle, handle_on
from tinygrad_cnn.engine.primitive import implementations

pytestmark = pytest.mark.slow


def strided(x: np.ndarray) -> np.ndarray:
    """`x` with a gap behind each of its elements."""
    around = np.zeros([2 * n for n in x.shape])
    around[tuple([slice(None, None, 2)] * x.ndim)] = x
    return around[tuple([slice(None, None, 2)] * x.ndim)]


def permuted(x: np.ndarray) -> np.ndarray:
    """`x`, whose last axis lies in memory between the others, if it has three."""
    return np.moveaxis(np.moveaxis(x, -1, -2).copy(), -2, -1) if x.ndim > 1 else x.copy()


def backwards(x: np.ndarray) -> np.ndarray:
    """`x`, whose first axis goes back through memory."""
    return x[::-1].copy()[::-1]


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "C": np.array,
    "Fortran": lambda x: np.array(x, order="F"),
    "strided": strided,
    "strided Fortran": lambda x: strided(x.T).T,
    "permuted": permuted,
    "backwards": backwards,
}


def numpys(key: Any) -> Callable[..., Any]:
    """What NumPy itself calls by this key of the table of implementations."""
    return getattr(*key) if isinstance(key, tuple) else key


def leaves(x: Any) -> Iterator[Any]:
    """The arrays in `x`, also within lists and tuples."""
    if isinstance(x, list | tuple):
        for item in x:
            yield from leaves(item)
    elif isinstance(x, Handle | np.ndarray):
        yield x


def plain(x: Any, made: dict[int, Any]) -> Any:
    """`x` with an array in the place of each Tensor: the elements of its value, lying in memory as it does."""
    if isinstance(x, Handle):
        if id(x) not in made:
            made[id(x)] = lying_like(x.node.like, x.node.value)
        return made[id(x)]
    if isinstance(x, list | tuple):
        items = [plain(item, made) for item in x]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    return {name: plain(item, made) for name, item in x.items()} if isinstance(x, dict) else x


def lying_like(like: Any, value: Any) -> Any:
    if isinstance(like, np.generic):
        return like
    ends = [(n - 1) * stride for n, stride in zip(like.shape, like.strides, strict=True)] if like.size else []
    first, last = sum(min(end, 0) for end in ends), sum(max(end, 0) for end in ends)
    room = np.zeros(last - first + like.itemsize, np.uint8)
    array = np.ndarray(like.shape, like.dtype, room, -first, like.strides)
    if array.size:
        array[...] = value
    array.flags.writeable = like.flags.writeable or like is value
    return array


def described(x: Any) -> str:
    """The layout of an array in words: strides of the axes that have more than one element, and contiguity."""
    x = x.node.like if isinstance(x, Handle) else x
    if isinstance(x, np.generic):
        return "a number"
    steps = [stride for n, stride in zip(x.shape, x.strides, strict=True) if n > 1] if x.size else []
    return f"shape {x.shape}, strides {steps}, C {x.flags.c_contiguous}, F {x.flags.f_contiguous}"


def root(x: Any) -> Any:
    return x if x._view is None else x._view.root


class Differences:
    """Wraps all implementations for the length of a test, and collects where a call differs from NumPy's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.found: list[str] = []
        self.inside = False
        for key, implementation in list(implementations.items()):
            if key is not operator.setitem:
                monkeypatch.setitem(implementations, key, self.watched(key, implementation))

    def watched(self, key: Any, implementation: Any) -> Any:
        def call(*args: Any, **settings: Any) -> Any:
            if self.inside:
                return implementation(*args, **settings)
            self.inside = True
            try:
                made: dict[int, Any] = {}
                copies = plain(args, made), plain(settings, made)
                result = implementation(*args, **settings)
                self.compare(key, result, args, settings, copies, made)
                return result
            finally:
                self.inside = False

        call.__dict__.update(getattr(implementation, "__dict__", {}))
        return call

    def compare(self, key: Any, result: Any, args: Any, settings: Any, copies: Any, made: Any) -> None:
        like = {"like": np.zeros(0)} if "like" in settings else {}
        with np.errstate(all="ignore"):
            expected = numpys(key)(*copies[0], **(copies[1] | like))
        name = "".join(getattr(part, "__name__", part) for part in (key if isinstance(key, tuple) else (key,)))
        given = [x for x in leaves([list(args), list(settings.values())]) if isinstance(x, Handle)]
        if isinstance(result, list | tuple) and not isinstance(expected, list | tuple):
            return
        for ours, theirs in zip(each(result), each(expected), strict=True):
            if not isinstance(ours, Handle):
                continue
            if described(ours) != described(theirs):
                self.found.append(f"{name}{tuple(map(described, given))}: {described(ours)}; NumPy {described(theirs)}")
            for x in given:
                shared = root(ours) is root(x)
                same = [made[id(y)] for y in given if root(y) is root(x)]
                if np.size(theirs) and shared != any(np.shares_memory(theirs, y) for y in same):
                    self.found.append(f"{name}({described(x)}): shares memory: {shared}, NumPy {not shared}")


def each(x: Any) -> list[Any]:
    return list(x) if isinstance(x, list | tuple) else [x]


@pytest.mark.parametrize("case", CASES, ids=[case.name.replace(" ", "-") for case in CASES])
def test_layout_and_aliasing_are_numpys(case, monkeypatch) -> None:
    differences = Differences(monkeypatch)
    for lay_out in LAYOUTS.values():
        case.function(*[tg.Tensor(lay_out(x) if x.ndim else x) for x in case.operands()])
    assert differences.found == []


# What the tables of derivatives do not call, or call only where it makes no difference to layout and aliasing:
# n is a number of no axes, v a vector, m, w matrices, s a square one, c a cube, e empty, o of axes of length 1.
OPERANDS: dict[str, Any] = {
    "n": np.array(1.5),
    "v": np.linspace(0.5, 2, 5),
    "m": np.sin(np.arange(12.0)).reshape(3, 4) + 2,
    "w": np.cos(np.arange(12.0)).reshape(3, 4) + 2,
    "s": np.sin(np.arange(9.0)).reshape(3, 3) + 4 * np.eye(3),
    "c": np.sin(np.arange(24.0)).reshape(2, 3, 4) + 2,
    "e": np.zeros((0, 3)),
    "o": np.full((1, 1, 3), 2.0),
}
CALLS = """
np.clip(m, None, None) | np.clip(m, 1, None) | m.clip() | np.clip(n, 1, 2) | np.clip(c, 1, m) | np.clip(m, w, 3)
np.block(m) | np.block([m]) | np.block([[m, w], [w, m]]) | np.block(n) | np.block([n, v])
np.asarray(m, like=m) | np.array(m, like=m) | np.array(m, copy=False, like=m) | np.array(m, copy=None, like=m)
np.ascontiguousarray(m, like=m) | np.asfortranarray(m, like=m) | np.asanyarray(m, like=m)
np.asarray(m, order="F", like=m)
np.array(m, order="F", like=m) | np.array(m, ndmin=3, like=m) | np.ascontiguousarray(n, like=n)
np.asarray(m, float, like=m)
np.asarray(m, np.float32, like=m) | np.array([m, w], like=m) | np.array([m, w], order="F", like=m)
np.asarray(n, like=n)
m.conj() | m.conjugate() | np.conj(m) | np.real(m) | m.real | np.imag(m) | m.imag | np.angle(m) | np.real_if_close(m)
(m + 0j).real | (m + 0j).conj() | (m + 1j).imag | np.real(m * 1j)
np.add.reduce(o, 0) | np.multiply.reduce(o, 0) | np.maximum.reduce(o, 0) | np.minimum.reduce(o, (0, 1)) | np.sum(o, 0)
np.max(o, axis=0) | np.fmax.reduce(o) | np.hypot.reduce(o, 0) | np.logaddexp.reduce(o, 0) | np.subtract.reduce(o, 1)
np.subtract.reduce(c, 1) | np.fmax.reduce(c, (0, 2)) | np.fmax.reduce(c, None) | np.divide.reduce(c, -1, keepdims=True)
np.fmax.reduce(v) | np.fmax.reduce(c, ()) | np.maximum.reduce(m, ()) | np.add.reduce(m, ()) | np.sum(m, axis=())
np.mean(m, ())
np.max(c, axis=1) | np.sum(c, axis=1) | np.mean(c, 0) | np.prod(c, -1, keepdims=True) | np.var(c, 1)
np.std(c, (0, 2))
np.ptp(c, 1) | np.nanmax(c, 1) | np.nanmin(c, axis=(0, 2)) | np.nansum(c, 1) | np.nanprod(c, 1) | np.nanmean(c, 1)
np.nanvar(c, 1) | np.nanstd(c, 1) | np.var(m, keepdims=True) | np.nanmax(m) | np.nanmin(n) | np.average(c, 1)
np.average(m)
np.average(m, returned=True) | np.average(c, 1, [1, 2, 3], returned=True)
np.average(c, 1, returned=True, keepdims=True)
np.add.accumulate(m, 1) | np.maximum.accumulate(m, axis=1) | np.maximum.accumulate(c, 1) | np.fmax.accumulate(m)
np.cumsum(m)
np.fmax.accumulate(c, -1) | np.cumsum(c, 1) | np.cumprod(m, 1) | np.cumsum(n) | np.cumulative_sum(c, axis=1)
np.nancumsum(m, 1)
np.cumulative_sum(m, axis=1, include_initial=True) | np.cumulative_prod(c, axis=0, include_initial=True)
np.nancumprod(m)
np.add.reduceat(m, [0, 1], 1) | np.fmax.reduceat(c, [0, 2, 1], 1) | np.multiply.reduceat(v, [0, 2])
np.hypot.outer(m, v)
np.add.outer(m, n) | np.subtract.outer(m, w) | np.maximum.outer(n, n)
np.median(m) | np.median(c, 1) | np.median(m, axis=(0, 1), keepdims=True) | np.nanmedian(c, axis=-1)
np.quantile(m, 0.3)
np.quantile(m, [0.2, 0.7], axis=0) | np.quantile(c, [[0.1, 0.2], [0.3, 0.4]], axis=1)
np.quantile(c, [0.3, 0.5], (0, 2))
np.percentile(c, [30, 40], axis=1, keepdims=True) | np.nanquantile(m, [0.2, 0.5], axis=1) | np.nanpercentile(c, 30, 1)
np.quantile(c, 0.5, axis=()) | np.median(c, axis=())
np.sort(m) | np.sort(m, 0) | np.sort(c, 1) | np.sort(c, None) | np.partition(m, 1) | np.partition(c, 1, axis=1)
np.sort(e)
np.partition(m, 1, None) | np.sort_complex(m) | np.sort_complex(c)
np.pad(m, 1) | np.pad(m, 1, "maximum") | np.pad(m, 1, "minimum") | np.pad(m, 1, "mean") | np.pad(m, 1, "median")
np.pad(c, 1)
np.pad(c, 1, "maximum") | np.pad(c, 1, "reflect") | np.pad(m, 2, "reflect", reflect_type="odd")
np.pad(c, 1, "linear_ramp")
np.pad(m, 1, "edge") | np.pad(m, 1, "wrap") | np.pad(m, 0) | np.pad(m, 0, "edge") | np.pad(m, 0, "maximum")
np.pad(n, 0)
np.pad(m, 1, constant_values=2.0) | np.pad(m, 1, constant_values=(1, 2)) | np.pad(v, 1, "linear_ramp")
np.gradient(m, axis=-2) | np.gradient(m, axis=1) | np.gradient(c) | np.gradient(c, axis=1) | np.gradient(v)
np.gradient(m, 2.0)
np.gradient(m, [0.0, 1.0, 3.0], axis=0) | np.gradient(c, axis=(0, 2))
np.diff(m) | np.diff(m, axis=0) | np.diff(m, 0) | np.diff(c, 1, 1) | np.diff(m, prepend=0)
np.diff(m, 2, 0, append=m)
np.ediff1d(m) | np.ediff1d(v, 1.0) | np.unwrap(m) | np.unwrap(c, axis=1) | np.nan_to_num(m) | np.nan_to_num(n)
np.sinc(c)
np.sinc(n) | np.i0(m) | np.i0(n) | np.interp(m, v, v) | np.interp(n, v, v) | np.interp(c, [0.0, 1.0], [1.0, 2.0])
np.interp(v, v, v)
np.interp(m, v, v, period=3.0) | np.convolve(v, v) | np.convolve(v, v[:2]) | np.convolve(v[:2], v)
np.convolve(v, v, "same")
np.convolve(v, v[:2], "valid") | np.correlate(v, v[:3]) | np.correlate(v[:3], v, "full") | np.correlate(v, v, "same")
np.correlate(v[:3], v, "same") | np.correlate(v[:3], v) | np.convolve(v, 2.0) | np.convolve(v[:3], v, "valid")
np.vander(v) | np.vander(v, 3) | np.vander(v, 3, True) | np.poly(v) | np.polyval(v, m) | np.polyval(v, n)
np.polyder(v)
np.polyder(v, 0) | np.polyint(v, 0) | np.polyint(v) | np.polyadd(v, v) | np.polyadd(v, v[:2]) | np.polysub(v, v)
np.polyadd(n, v)
np.polymul(v, v) | np.polydiv(v, v[:2]) | np.polyfit(v, v, 1) | np.polyfit(v, v, 1, full=True)
np.polyfit(v, v, 1, cov=True)
np.linspace(n, 3.0, 4) | np.linspace(v, 1.0, 3) | np.linspace(m, w, 3, axis=1)
np.linspace(m, 1.0, 3, axis=-1, retstep=True)
np.linspace(n, 3.0, 4, retstep=True) | np.logspace(v, 1.0, 3) | np.logspace(m, w, 3, axis=-1)
np.geomspace(v, 1.0, 3)
np.geomspace(m, w, 3, axis=1) | np.logspace(n, 2.0, 3) | np.geomspace(n, 2.0, 3)
np.meshgrid(v, v) | np.meshgrid(v, v[:2], indexing="ij") | np.meshgrid(v, v, sparse=True)
np.meshgrid(v, v, copy=False)
np.meshgrid(v, v[:2], v[:3], sparse=True, copy=False) | np.meshgrid(v, v[:2], v[:3]) | np.meshgrid(m, n)
np.ix_(v, v[:2])
np.apply_along_axis(np.sort, 0, m) | np.apply_along_axis(np.sum, 1, c) | np.apply_along_axis(np.diag, 1, c)
np.apply_along_axis(lambda r: r[:2], 0, c) | np.apply_over_axes(np.sum, c, [0, 2])
np.piecewise(m, [m < 2], [1.0, np.square])
np.piecewise(c, [c < 2, c > 2.5], [np.square, 3.0, np.exp]) | np.piecewise(n, [n < 2], [1.0, 2.0])
np.unique(m) | np.unique(m, axis=0) | np.unique(m, axis=1) | np.unique(c, axis=1) | np.unique_values(m)
np.unique_all(m)
np.union1d(m, v) | np.intersect1d(m, m) | np.setdiff1d(m, v) | np.setxor1d(v, v[:2]) | np.histogram(v, 3, weights=v)
np.histogram(m, v) | np.histogram(m, 3, density=True, weights=m) | np.histogram_bin_edges(v)
np.histogram_bin_edges(m, v)
np.bincount([0, 1, 1, 3, 0], v) | np.cov(m) | np.cov(m, w) | np.cov(v) | np.cov(m, rowvar=False) | np.corrcoef(m)
np.corrcoef(v)
np.corrcoef(v, v) | np.cov(m, aweights=[1, 2, 3, 4]) | np.trapezoid(m) | np.trapezoid(c, axis=1) | np.trapezoid(v)
np.trapezoid(m, [0.0, 1.0, 3.0], axis=0)
np.dot(m, w.T) | np.dot(2.0, m) | np.dot(n, m) | np.dot(m, n) | np.dot(v, v) | np.dot(c, c.swapaxes(1, 2))
np.dot(c, w.T) | np.dot(m, w[0])
np.dot(c, w[0]) | np.dot(n, n) | np.dot(n, c) | np.vdot(m, w) | np.inner(m, w) | np.inner(v, v) | np.inner(c, m)
np.inner(n, m) | np.inner(m, w[0])
np.outer(m, v) | np.linalg.outer(v, v) | np.vecdot(m, w) | np.vecdot(c, m) | np.vecdot(c, c, axis=1)
np.linalg.vecdot(v, v)
np.matvec(c, w[0]) | np.vecmat(v[:3], m) | np.matvec(s, m.T) | np.vecmat(m.T, s) | np.matmul(m, w.T)
np.matmul(c, w.T) | np.matmul(m.T, w) | np.linalg.matmul(c, c.swapaxes(1, 2)) | np.matmul(v, v) | np.matmul(m, w[0])
m @ w.T
np.tensordot(m, w) | np.tensordot(c, m, 2) | np.tensordot(c, m, ([1], [0])) | np.tensordot(v, v, 1)
np.tensordot(v, v, 0)
np.tensordot(c, c, ([0, 2], [0, 2])) | np.tensordot(m, w, 0) | np.kron(m, w) | np.kron(m, v) | np.kron(c, m)
np.kron(n, m)
np.kron(v, v) | np.cross(m[:, :3], w[:, 1:]) | np.cross(m.T, w.T) | np.cross(m, w, axis=0)
np.cross(m, w, axisa=0, axisb=0)
np.cross(m[:, :3], w[0, :3]) | np.linalg.cross(s, s) | np.cross(s, s, axisc=0) | np.cross(v[:3], v[1:4])
np.linalg.cross(c, c, axis=1)
np.trace(m) | np.trace(c) | np.trace(c, 0, 1, 2) | np.linalg.trace(c) | np.linalg.diagonal(c) | np.diagonal(m)
np.diagonal(c, 0, 0, 2)
np.linalg.matrix_power(s, 0) | np.linalg.matrix_power(s, 1) | np.linalg.matrix_power(s, 2)
np.linalg.matrix_power(s, 3)
np.linalg.matrix_power(s, -1) | np.linalg.matrix_power(s, 5) | np.linalg.multi_dot([m, w.T, m])
np.linalg.multi_dot([m, w.T])
np.einsum("ij->ji", m) | np.einsum("ij->ij", m) | np.einsum("ii->i", s) | np.einsum("ij->i", m)
np.einsum("ij,kj->ik", m, w)
np.einsum("ijk->kij", c) | np.einsum("iji->ij", np.ones((2, 3, 2)) * n) | np.einsum("ij,ij->ij", m, w)
np.einsum("ij->", m)
np.einsum("ijk,kl->lij", c, w.T) | np.einsum("ij,jk,kl->il", m, w.T, m) | np.einsum("i,i", v, v) | np.einsum("ij", m)
np.einsum("...", m)
np.einsum("ij,ij->ji", m, w) | np.einsum("i,j->ij", v, v) | np.einsum("ijk,ijk->ik", c, c) | np.einsum("ii", s)
np.einsum("...ij->...ji", c)
np.linalg.inv(s) | np.linalg.pinv(m) | np.linalg.pinv(c) | np.linalg.solve(s, m) | np.linalg.solve(s, v[:3])
np.linalg.lstsq(m.T, v[:4])
np.linalg.lstsq(m.T, m.T) | np.linalg.det(s) | np.linalg.slogdet(s) | np.linalg.cholesky(s @ s.T)
np.linalg.cholesky(s @ s.T, upper=True)
np.linalg.eigh(s) | np.linalg.eigh(s[None] * np.ones((2, 1, 1))) | np.linalg.eigvalsh(s) | np.linalg.eigvalsh(s[None])
np.linalg.svd(s)
np.linalg.svd(m, False) | np.linalg.svd(c, False) | np.linalg.svdvals(c) | np.linalg.svd(m, compute_uv=False)
np.linalg.qr(m)
np.linalg.qr(m.T) | np.linalg.qr(c) | np.linalg.qr(m, "r") | np.linalg.qr(c, "r") | np.linalg.qr(s)
np.linalg.tensorinv(s.reshape(3, 3, 1)[..., 0], 1)
np.linalg.tensorsolve(s, v[:3]) | np.linalg.norm(m) | np.linalg.norm(m, axis=0) | np.linalg.norm(c, axis=1)
np.linalg.norm(m, 1)
np.linalg.norm(m, 2) | np.linalg.norm(c, "nuc", (0, 1)) | np.linalg.norm(c, np.inf, (0, 2), True)
np.linalg.norm(v, 3) | np.linalg.norm(m, keepdims=True)
np.linalg.norm(c, 3, 1) | np.linalg.norm(c, -np.inf, 1) | np.linalg.norm(c, 0, 1) | np.linalg.norm(c, 2, (0, 2), True)
np.linalg.norm(c, 1, (0, 1))
np.linalg.vector_norm(m) | np.linalg.vector_norm(c, axis=1) | np.linalg.vector_norm(c, axis=(0, 2), keepdims=True)
np.linalg.vector_norm(c, axis=(0, 1))
np.linalg.matrix_norm(c) | np.linalg.cond(s) | np.linalg.cond(m) | np.linalg.cond(s, 1) | np.linalg.cond(s[None])
np.linalg.cond(s, -2)
np.fft.fft(m) | np.fft.fft(m, axis=0) | np.fft.fft(c, axis=1) | np.fft.fft(m, 3) | np.fft.fft(m, 6)
np.fft.fft(m, 6, axis=0) | np.fft.fft(m, 2, axis=0)
np.fft.ifft(m, 6) | np.fft.rfft(m) | np.fft.rfft(m, axis=0) | np.fft.rfft(m, 6) | np.fft.irfft(m)
np.fft.irfft(m, 9, axis=0) | np.fft.hfft(m)
np.fft.irfft(c, axis=1) | np.fft.ihfft(m) | np.fft.ihfft(c, axis=0) | np.fft.fft2(m) | np.fft.fftn(c)
np.fft.fftn(c, axes=(0, 2)) | np.fft.fftn(c, (4, 2), (0, 1))
np.fft.rfftn(c) | np.fft.irfftn(c) | np.fft.rfft2(c) | np.fft.irfft2(c) | np.fft.ifft2(c)
np.fft.ifftn(c, axes=(1, 0)) | np.fft.fftshift(m) | np.fft.ifftshift(c, 1)
np.fft.fftn(m, axes=()) | np.fft.irfftn(c, axes=(0, 1)) | np.fft.rfftn(c, (4, 6), (0, 1))
m.reshape(-1) | m.reshape(4, 3) | m.reshape(-1, order="F") | np.reshape(c, (6, 4), copy=True)
np.reshape(m, (3, 4), copy=False)
m.ravel() | m.ravel("F") | m.flatten() | m.flatten("F") | m.copy() | m.copy("F") | m.copy("K") | m.copy("A")
np.copy(m) | np.copy(m, "C") | n.copy() | np.copy(n)
m.T | m.mT | np.moveaxis(c, 0, 1) | np.rollaxis(c, 2) | np.expand_dims(m, 1) | np.squeeze(o) | np.squeeze(m)
np.squeeze(n) | np.transpose(v)
np.atleast_1d(m) | np.atleast_1d(n) | np.atleast_2d(v) | np.atleast_3d(m) | np.atleast_3d(c) | np.atleast_2d(n, v, m)
np.broadcast_to(v, (2, 5)) | np.broadcast_to(m, (3, 4))
np.broadcast_arrays(m, w[0]) | np.broadcast_arrays(m, w) | np.stack([m, w]) | np.stack([m, w], 1)
np.stack([m, w], -1) | np.stack([c, c], 1) | np.stack([n, n])
np.concatenate([m, w]) | np.concatenate([m, w], 1) | np.concatenate([m]) | np.concatenate([c, c], 1)
np.concatenate([m, w], None) | np.concatenate([m[:0], w])
np.concatenate([m, w.T.copy().T]) | np.concatenate([e, s]) | np.hstack([m, w]) | np.hstack([v, v]) | np.vstack([m, w])
np.vstack([v, v]) | np.dstack([m, w]) | np.dstack([v, v])
np.column_stack([v, v]) | np.column_stack([m, w]) | np.hstack([m]) | np.vstack([v]) | np.dstack([c, c])
np.column_stack([v[:3], m])
np.split(m, 3) | np.array_split(c, 2, 1) | np.hsplit(m, 2) | np.vsplit(m, 3) | np.dsplit(c, 2) | np.unstack(m)
np.unstack(c, axis=1) | np.split(v, [2]) | np.unstack(v)
np.flip(m) | np.fliplr(m) | np.flipud(m) | np.rot90(m) | np.rot90(m, 2) | np.rot90(m, 0) | np.rot90(m, 3) | np.tril(m)
np.triu(c) | np.roll(m, 1) | np.roll(m, 1, 0) | np.roll(c, 0)
np.repeat(m, 2) | np.repeat(c, 2, 1) | np.repeat(m, 1, 0) | np.resize(m, (2, 3)) | np.resize(m, (3, 4))
np.take(m, [0, 1]) | np.take(c, [1, 0], 1) | np.take(m, 1) | np.take(m, 1, 1) | np.compress([True, False, True], m, 0)
np.diag(m) | np.diag(v) | np.diagflat(m) | np.tile(m, 2) | np.tile(m, (1, 1)) | np.tile(m, (2, 1, 1))
np.delete(m, 1) | np.delete(m, 1, 0) | np.delete(m, [0], 1) | np.extract(m > 2, m)
np.delete(m, []) | np.delete(m, [], 0) | np.delete(c, slice(1), 1) | np.insert(m, 1, 5.0, 1)
np.insert(m, 1, v[:3], 1) | np.append(m, w) | np.append(m, w, 0) | np.insert(c, [0], 1.0, axis=2)
np.take_along_axis(m, np.argsort(m), 1) | np.take_along_axis(c, np.argsort(c, 1), 1) | np.choose([0, 1, 0, 1], [m, w])
np.select([m > 2], [m], w) | np.trim_zeros(v) | np.trim_zeros(m)
np.where(m > 2, m, w) | np.where(m > 2, m, 0) | np.where(m > 2, v[:4], m) | np.where(True, n, 1.0)
np.where(c > 2, m, c) | m.astype(float) | m.astype(np.float32) | m.astype(float, copy=False)
np.astype(m, float, copy=False) | np.astype(m, float)
n.astype(float) | np.astype(n, np.float32)
m.repeat(2) | m.take([1]) | m.squeeze() | o.squeeze(0) | m.compress([1, 0, 1], 0) | m.diagonal() | m.swapaxes(0, 1)
m.round(1) | m.trace() | m.cumsum(1) | m.dot(w.T) | c.transpose(1, 0, 2) | c.transpose()
+m | -m | abs(m) | m + w | m * w[0] | m + n | n + n | m ** 2 | m ** 3 | m ** 1 | m ** 0.5 | m ** 0 | c ** 2
m.T + w.T | m + w.T.copy().T | c * m | c + m[:, ::-1] | 2.0 ** m | m ** w | m % 2 | divmod(m, 2) | m // 2 | m / w
np.modf(m) | np.frexp(m) | np.ldexp(m, 2) | np.divmod(m, w) | np.square(c) | np.positive(m) | np.heaviside(m, 1.0)
np.spacing(m) | np.float_power(m, 2) | np.power(c, m) | np.modf(n) | np.absolute(n) | np.positive(n)
np.zeros_like(m) | np.ones_like(c) | np.empty_like(m, order="C") | np.full_like(m, 2.0) | np.full_like(m, n)
np.full_like(m, v[:4]) | np.full_like(c, n, order="F") | np.full((2, 3), n, like=n) | np.full((2, 4), v[:4], like=n)
np.full((), n, like=n) | np.full((2, 3), n, order="F", like=n)
np.full_like(n, n) | np.full_like(m, n, shape=(2, 2)) | np.full_like(m, n, np.float32)
np.zeros((2, 3), order="F", like=m)
m[1] | m[1:, ::2] | m[::-1] | m[..., None] | m[[0, 1]] | m[:, [0, 1]] | m[[0, 1], 1] | c[:, [0, 1]] | c[0, :, [1, 2]]
c[[0, 1], :, [1, 2]] | m[m > 2] | c[:, [True, False, True]] | n[()] | n[...] | n[None] | m[...] | c[[1]]
c[None, [1]]
c[..., [1, 0]] | c[:, 1, [0, 1]] | c[[[0, 1]], :, 1] | c[[0]][:, 1:] | c[1:, [0, 2], ::2]
np.array([v[0], 1.0], like=v) | np.dot(m.T, w) | np.sum(m * w, -1)
tg.relu(m) | tg.relu(n)
"""
CALLS = [call for line in CALLS.strip().splitlines() for call in line.split(" | ")]


@pytest.mark.parametrize("call", CALLS)
def test_layout_and_aliasing_of_a_call_are_numpys(call) -> None:
    for layout, lay_out in LAYOUTS.items():
        arrays = {name: lay_out(x) if x.ndim else x.copy() for name, x in OPERANDS.items()}
        tensors = {name: tg.Tensor(x) for name, x in arrays.items()}
        results = [each(eval(call, {"np": np, "tg": tg}, names)) for names in (tensors, arrays)]
        for ours, theirs in zip(*results, strict=True):
            if isinstance(ours, Handle):
                assert described(ours) == described(theirs), layout
                for name, x in tensors.items():
                    shared = np.shares_memory(theirs, arrays[name])
                    assert not np.size(theirs) or (root(ours) is x) == shared, f"{layout}: shares memory with {name}"


def assigned(x: Any) -> bool:
    """Assign to what NumPy, or a Tensor's function, gave; whether it lets itself be assigned to."""
    try:
        x[...] = x * 1.5 + 1
    except (
        ValueError,
        TypeError,
        FutureWarning,
        DeprecationWarning,
    ):  # read-only; a number; what NumPy is going to make read-only
        return False
    return True


@pytest.mark.parametrize("call", [call for call in CALLS if not any(x in call for x in ("empty_like", "imag", "j)"))])
def test_results_and_operands_that_are_assigned_to_change_as_numpys_do(call) -> None:
    for layout, lay_out in LAYOUTS.items():
        arrays = {name: lay_out(x) if x.ndim else x.copy() for name, x in OPERANDS.items()}
        tensors = {name: tg.Tensor(x) for name, x in arrays.items()}
        with np.errstate(all="ignore"):
            pairs = list(
                zip(*[each(eval(call, {"np": np, "tg": tg}, names)) for names in (tensors, arrays)], strict=True)
            )
            pairs = [(ours, theirs) for ours, theirs in pairs if isinstance(ours, Handle)]
            for ours, theirs in pairs:
                assert assigned(ours) == assigned(theirs), layout
            for name, x in arrays.items():
                x[...] = x * 2 - 0.5
                tensors[name][...] = tensors[name] * 2 - 0.5
        for ours, theirs in [*pairs, *zip(tensors.values(), arrays.values(), strict=True)]:
            np.testing.assert_allclose(ours.value, theirs, rtol=1e-8, atol=1e-8, err_msg=layout)


# Derivatives, where something was assigned to that lies in memory otherwise than C has it.

IN_PLACE = {
    "+=": operator.iadd, "-=": operator.isub, "*=": operator.imul, "/=": operator.itruediv, "**=": operator.ipow,
    "%=": operator.imod, "@=": operator.imatmul,
}  # fmt: skip
COPIES: dict[str, Callable[[Any], Any]] = {
    "x": lambda x: x,
    "x.copy('F')": lambda x: x.copy("F"),
    "x.copy()": lambda x: x.copy(),
    "x.T.copy().T": lambda x: x.T.copy().T,
    "np.copy(x)[::-1]": lambda x: np.copy(x)[::-1],
    "np.zeros_like(x) + x": lambda x: np.zeros_like(x) + x,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", IN_PLACE)
@pytest.mark.parametrize("copy", COPIES)
def test_what_is_changed_in_place_in_another_memory_order_has_its_derivatives(copy, name, layout) -> None:
    def program(x):
        other = np.exp(x * 0.3) + 1  # lies in memory as x does
        a = COPIES[copy](x)
        a = IN_PLACE[name](a, other)
        row = a.ravel()
        row[:2] *= row[1:3] * 0.3
        a /= other.T
        return np.concatenate([a.reshape(-1), row])

    def total(x):
        return np.sum(program(x))

    lay_out, x = LAYOUTS[layout], np.sin(np.arange(9.0)).reshape(3, 3) + 2
    direction = np.cos(np.arange(9.0)).reshape(3, 3)
    np.testing.assert_allclose(program(tg.Tensor(lay_out(x))).value, program(lay_out(x)), rtol=1e-13)
    # Each way of differentiation goes through the graph by itself.
    expected = pytest.approx(slope(lambda t: total(lay_out(x + t * direction))), rel=1e-8)
    assert np.sum(tg.grad(total)(lay_out(x)) * direction) == expected
    assert tg.jvp(total, [lay_out(x)], [direction])[1] == expected
    leaf = tg.Tensor(lay_out(x))
    start = handle_on(leaf.node)
    total(leaf).backward()
    assert np.sum(start.grad * direction) == expected
    second = slope(lambda t: np.sum(tg.grad(total)(lay_out(x + t * direction)) * direction))
    assert np.sum(tg.hvp(total, lay_out(x), direction) * direction) == pytest.approx(second, rel=1e-7)


VIEWS = """
m[1] | m[1:, ::2] | m[::-1] | m[..., None] | m[...] | m.T | np.flip(m) | np.rot90(m) | m.reshape(-1) | m.reshape(4, 3)
m.ravel() | m.ravel("F") | m.reshape(-1, order="F") | m.T.ravel() | m[:, 1:].reshape(-1) | c.reshape(6, 4)
c[1].T.ravel() | np.moveaxis(c, 0, 1) | np.squeeze(c[:, :1], 1) | np.split(c, 2, 2)[1] | np.einsum("ijk->kij", c)
np.einsum("ii->i", m[:, :3]) | np.asarray(m, like=m) | np.ascontiguousarray(m, like=m) | np.asfortranarray(m, like=m)
np.broadcast_arrays(m, c)[0] | np.diagonal(c)[0] | np.atleast_3d(m) | np.unstack(c, axis=1)[1]
m.astype(float, copy=False) | m.real | m.conj() | n[...] | m[::-1, ::-1].ravel() | np.flip(v).ravel()
np.flip(v[::-1]).ravel() | np.meshgrid(v, v, sparse=True, copy=False)[1] | np.ix_(v, v)[0] | np.diff(m, 0)
np.trim_zeros(v) | m.swapaxes(0, 1)[1]
"""
VIEWS = [call for line in VIEWS.strip().splitlines() for call in line.split(" | ")]


@pytest.mark.parametrize("call", VIEWS)
def test_what_is_assigned_through_views_has_its_derivatives(call) -> None:
    operands = {name: OPERANDS[name] for name in ("n", "v", "m", "c")}
    directions = {name: np.cos(np.arange(1.0, x.size + 1)).reshape(x.shape) for name, x in operands.items()}

    def total(names):
        names = {**names, "n": np.copy(names["n"])}  # an array of no axes
        result = eval(call, {"np": np}, names)
        if not call.startswith(("np.diagonal", "np.broadcast")):  # which NumPy gives read-only, or is going to
            result *= result * 0.3
            result[...] = result + np.sin(result) * names["n"]
        for x in names.values():
            x *= np.exp(x * 0.1)
        return sum(np.sum(x * np.cos(x)) for x in (*names.values(), result))

    for layout, lay_out in LAYOUTS.items():

        def at(t, lay_out=lay_out):
            laid = {name: x + t * directions[name] for name, x in operands.items()}
            return {name: lay_out(x) if np.ndim(x) else x for name, x in laid.items()}

        gradient = tg.grad(total)(at(0.0))
        found = sum(np.sum(gradient[name] * directions[name]) for name in operands)
        assert found == pytest.approx(slope(lambda t, at=at: total(at(t))), rel=1e-7), layout
        assert tg.value_and_grad(total)(at(0.0))[0] == pytest.approx(total(at(0.0)), rel=1e-12), layout
