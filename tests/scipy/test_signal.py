"""tinygrad_cnn.scipy.signal: values are SciPy's, derivatives those of differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy_cases import Call, comparisons_of

import tinygrad_cnn as tg

pytest.importorskip("scipy", reason="SciPy is not installed")

import scipy.signal as theirs

from tinygrad_cnn.scipy import signal as ours

B, A = np.array([0.3, 0.2, -0.1]), np.array([1.5, -0.6, 0.2])
SOS = theirs.butter(4, 0.3, output="sos")
MODES = ("full", "same", "valid")
V, S = (12,), (2, 12)


def plus(v, x):
    """A filter that is stable for small x."""
    return v.astype(x.dtype) + x / 20


CALLS = [
    *[
        Call(f"convolve, {mode}, {by}, {s}", lambda m, x, y, mode=mode, by=by: m.convolve(x, y, mode, by), [s, t])
        for mode in MODES for by in ("auto", "direct", "fft")
        for s, t in [((7,), (3,)), ((4, 5), (2, 3))]
    ],
    Call("convolve, the smaller first", lambda m, x, y: m.convolve(x, y, "valid"), [(3,), (7,)]),
    Call("convolve, same as the smaller", lambda m, x, y: m.convolve(x, y, "same"), [(3,), (8,)]),
    Call("convolve of numbers", lambda m, x, y: m.convolve(x, y), [(), ()]),
    *[
        Call(f"{name}, {mode}", lambda m, x, y, name=name, mode=mode: getattr(m, name)(x, y, mode), [(5, 4), (2, 3)])
        for name in ("fftconvolve", "oaconvolve", "correlate", "correlate2d", "convolve2d") for mode in MODES
    ],
    Call("correlate, the smaller first", lambda m, x, y: m.correlate(x, y, "valid"), [(3,), (7,)]),
    Call("correlate of even", lambda m, x, y: m.correlate(x, y, "same"), [(7,), (4,)]),
    *[
        Call(
            f"{name}, {mode}, {boundary}",
            lambda m, x, y, n=name, mode=mode, b=boundary: getattr(m, n)(x, y, mode, b, fillvalue=0.5),
            [(5, 4), (2, 3)],
        )
        for name in ("convolve2d", "correlate2d") for mode in MODES for boundary in ("fill", "symm", "wrap")
    ],
    Call("lfilter", lambda m, b, a, x: m.lfilter(plus(B, b), plus(A, a), x), [(3,), (3,), V]),
    Call("lfilter along axis 0", lambda m, b, a, x: m.lfilter(plus(B, b), plus(A, a), x, 0), [(3,), (3,), (7, 2)]),
    Call("lfilter without recursion", lambda m, b, x: m.lfilter(b, 2.0, x), [(4,), S]),
    Call("lfilter, short", lambda m, b, a, x: m.lfilter(plus(B, b), plus(A, a), x), [(3,), (3,), (2,)]),
    *[
        Call(
            f"lfilter from a state, {k}, {n}",
            lambda m, b, a, x, zi, k=k: m.lfilter(plus(B, b), plus(A, a)[:2], x, zi=zi)[k],
            [(3,), (3,), (2, n), (2, 2)],
        )
        for k in (0, 1) for n in (1, 2, 6)
    ],
    Call("lfilter, a state along an axis", lambda m, x, zi: m.lfilter(B, A, x, 0, zi=zi)[0], [(6, 2), (2, 1)]),
    Call("lfilter_zi", lambda m, b, a: m.lfilter_zi(plus(B, b), plus(A, a)), [(3,), (3,)]),
    Call("lfilter_zi, more b", lambda m, b, a: m.lfilter_zi(plus(B, b), plus(A, a)[:2]), [(3,), (3,)]),
    Call("sosfilt", lambda m, sos, x: m.sosfilt(plus(SOS, np.tanh(sos) * (np.arange(6) != 3)), x), [SOS.shape, S]),
    *[
        Call(f"sosfilt, state, {k}", lambda m, x, zi, k=k: m.sosfilt(SOS, x, axis=0, zi=zi)[k], [(7, 3), (2, 2, 3)])
        for k in (0, 1)
    ],
    *[
        Call(
            f"filtfilt, {padtype}, {padlen}",
            lambda m, b, a, x, t=padtype, n=padlen: m.filtfilt(plus(B, b), plus(A, a), x, padtype=t, padlen=n),
            [(3,), (3,), (2, 12)],
        )
        for padtype, padlen in (("odd", None), ("even", 5), ("constant", 2), (None, None), ("odd", 0))
    ],
    Call("filtfilt along an axis", lambda m, x: m.filtfilt(B, A, x, 0), [(12, 2)]),
    Call("sosfiltfilt", lambda m, x: m.sosfiltfilt(SOS, x), [(2, 20)]),
    Call("sosfiltfilt of one signal", lambda m, x: m.sosfiltfilt(SOS, x), [(20,)]),
    Call("filtfilt of one signal", lambda m, x: m.filtfilt(B, A, x), [V]),
    Call("lfilter without memory", lambda m, x: m.lfilter([0.5], [2.0], x, zi=np.zeros((2, 0)))[0], [S]),
    Call("sosfiltfilt, even", lambda m, x: m.sosfiltfilt(SOS, x, 0, "even", 4), [(9, 2)]),
    *[
        Call(
            f"savgol_filter, {mode}, {width}",
            lambda m, x, mode=mode, w=width: m.savgol_filter(x, w, 2, mode=mode, cval=0.5),
            [(2, 9)],
        )
        for mode in ("interp", "mirror", "constant", "nearest", "wrap") for width in (5, 6)
    ],
    Call("savgol_filter, a derivative", lambda m, x: m.savgol_filter(x, 5, 3, 1, 0.5, axis=0), [(8, 2)]),
    Call("detrend", lambda m, x: m.detrend(x), [S]),
    Call("detrend along an axis", lambda m, x: m.detrend(x, 0), [(6, 2)]),
    Call("detrend, constant", lambda m, x: m.detrend(x, type="constant"), [S]),
    Call("detrend, pieces", lambda m, x: m.detrend(x, bp=[4, 9]), [S]),
    *[
        Call(f"hilbert, {k}, {n}", lambda m, x, k=k, n=n: getattr(m.hilbert(x, n), k), [S])
        for k in ("real", "imag") for n in (None, 11, 2, 15)
    ],
    Call("hilbert along an axis", lambda m, x: np.abs(m.hilbert(x, axis=0)), [(6, 2)]),
    Call("freqz", lambda m, b, a: np.abs(m.freqz(b, plus(A, a), 5)[1]), [(3,), (3,)]),
    Call("freqz at frequencies", lambda m, b: np.real(m.freqz(b, worN=np.array([0.1, 0.7]), fs=2.0)[1]), [(3,)]),
    Call("welch", lambda m, x: m.welch(x, 2.0, nperseg=5)[1], [S]),
    Call(
        "welch, settings",
        lambda m, x: m.welch(x, 2.0, "hamming", 6, 2, 10, "linear", scaling="spectrum", axis=0)[1],
        [(13, 2)],
    ),
    Call("welch, own window", lambda m, x: m.welch(x, window=np.array([1.0, 2, 3, 2]), detrend=False)[1], [V]),
    Call("periodogram", lambda m, x: m.periodogram(x, 2.0)[1], [S]),
    Call("periodogram, more", lambda m, x: m.periodogram(x, 2.0, "hann", 20, scaling="spectrum", axis=0)[1], [(7, 2)]),
]  # fmt: skip


test_values_are_scipys, test_values_of_single_precision_are_scipys, test_derivatives_are_what_differences_give = (
    comparisons_of(CALLS, ours, theirs)
)


def test_the_state_of_a_filter_without_memory_is_empty() -> None:
    assert ours.lfilter([0.5], [2.0], tg.Tensor(np.ones((2, 5))), zi=np.zeros((2, 0)))[1].shape == (2, 0)


def test_a_convolution_costs_a_multiplication_and_an_addition_for_each_product() -> None:
    x, y = tg.Tensor(np.ones(7)), np.ones(3)
    for mode, products in (("full", 7 * 3), ("valid", 5 * 3)):
        node = ours.convolve(x, y, mode).node
        assert node.primitive.flops(node.value, x, y, mode, "direct") == 2 * products


T = tg.Tensor(np.arange(6.0))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ours.convolve(T, np.ones((2, 2))), ValueError, "same dimensionality"),
        (lambda: ours.convolve(T, np.ones(2), "odd"), ValueError, "acceptable mode flags"),
        (lambda: ours.convolve(T.reshape(2, 3), np.ones((3, 2)), "valid"), ValueError, "For 'valid' mode"),
        (lambda: ours.convolve(T, np.ones(2) * 1j), TypeError, "an argument is complex"),
        (lambda: ours.fftconvolve(T, np.ones(2), axes=0), NotImplementedError, "axes=0 is not supported for Tensors"),
        (lambda: ours.convolve2d(T.reshape(2, 3), np.ones((1, 2)), boundary="odd"), ValueError, "boundary flags"),
        (lambda: ours.lfilter(B, A, T, zi=np.zeros(3)), ValueError, "zi has 3 numbers along the axis; expected 2"),
        (lambda: ours.filtfilt(B, A, T), ValueError, "must be greater than padlen, which is 9"),
        (lambda: ours.filtfilt(B, A, T, padtype="x"), ValueError, "Unknown value 'x'"),
        (lambda: ours.filtfilt(B, A, T, method="gust"), NotImplementedError, "method='gust' is not supported"),
        (lambda: ours.sosfiltfilt(tg.Tensor(SOS), T), NotImplementedError, "sos is a Tensor; expected plain numbers"),
        (lambda: ours.savgol_filter(T, 7, 2), ValueError, "window_length must be less than or equal"),
        (lambda: ours.detrend(T, type="odd"), ValueError, "Trend type must be"),
        (lambda: ours.hilbert(T, 0), ValueError, "N must be positive"),
        (lambda: ours.periodogram(T, nfft=3), NotImplementedError, "nfft=3 is less than the 6 elements of x"),
        (lambda: ours.welch(T, average="median"), NotImplementedError, "average='median' is not supported"),
        (lambda: ours.medfilt(T), tg.GradientLostError, "gradient"),
    ],
)  # fmt: skip
def test_what_is_not_supported_raises(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()
