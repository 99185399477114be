"""tinygrad_cnn.scipy.fft: values are SciPy's, derivatives those of differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy_cases import Call, comparisons_of

import tinygrad_cnn as tg

pytest.importorskip("scipy", reason="SciPy is not installed")

import scipy.fft as theirs

from tinygrad_cnn.scipy import fft as ours

S = (4, 6)


def parts(name: str, *args: object, **more: object) -> list[Call]:
    return [
        Call(f"{name}, {args}, {more}, {part}", lambda m, x, f=f: f(getattr(m, name)(x, *args, **more)), [S])
        for part, f in (("real", np.real), ("imaginary", np.imag))
    ]


CALLS = [
    *[call for name in ("fft", "ifft", "rfft", "ihfft") for call in parts(name)],
    *parts("fft", 5, 0, norm="ortho"), *parts("rfft", 8, norm="forward"),
    *[call for name in ("fft2", "ifft2", "rfft2", "fftn", "ifftn", "rfftn") for call in parts(name)],
    *parts("fftn", (3, 8), (1, 0)),
    *[
        Call(name, lambda m, x, name=name, args=args: getattr(m, name)(x, *args), [S])
        for name, args in (("irfft", ()), ("hfft", ()), ("irfft2", ()), ("irfftn", ()), ("irfft", (7, 0)))
    ],
    Call("fftshift", lambda m, x: m.fftshift(x), [(3, 4)]),
    Call("ifftshift", lambda m, x: m.ifftshift(x, 0), [(3, 4)]),
    *[
        Call(f"{name}, {t}, {norm}", lambda m, x, f=name, t=t, norm=norm: getattr(m, f)(x, t, norm=norm), [(2, 5)])
        for name in ("dct", "idct", "dst", "idst")
        for t in (1, 2, 3, 4)
        for norm in (None, "ortho", "forward")
    ],
    *[
        Call(f"{name} of {n} along an axis", lambda m, x, name=name, n=n: getattr(m, name)(x, n=n, axis=0), [(4, 3)])
        for name in ("dct", "idst") for n in (3, 6)
    ],
    *[Call(name, lambda m, x, name=name: getattr(m, name)(x), [(3, 4)]) for name in ("dctn", "idctn", "dstn", "idstn")],
    Call("dctn along an axis", lambda m, x: m.dctn(x, 3, axes=0, norm="ortho"), [(3, 4)]),
    Call("dctn of a shape", lambda m, x: m.dctn(x, s=(4, 3)), [(3, 4)]),
]  # fmt: skip


test_values_are_scipys, test_values_of_single_precision_are_scipys, test_derivatives_are_what_differences_give = (
    comparisons_of(CALLS, ours, theirs)
)


T = tg.Tensor([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ours.dct(T, 5), ValueError, r"scipy\.fft\.dct: type is 5; expected 1, 2, 3 or 4"),
        (lambda: ours.dst(T, norm="odd"), ValueError, "Invalid norm value 'odd'"),
        (lambda: ours.dct(T, orthogonalize=True), NotImplementedError, "orthogonalize=True is not supported"),
        (lambda: ours.fft(T, 0), ValueError, r"Invalid number of FFT data points \(0\)"),
        (lambda: ours.hfft2(T[None]), tg.GradientLostError, "gradient"),
    ],
)
def test_what_is_not_supported_raises(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()
