"""scipy.signal: convolutions, filters and spectra, of real signals."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Handle
from tinygrad_cnn.engine.primitive import operand, to_values
from tinygrad_cnn.extras import extra
from tinygrad_cnn.primitives.arguments import axis_of
from tinygrad_cnn.replacements import fallback, holds_tensor, replaces

with extra("scipy", "tinygrad_cnn.scipy.signal"):
    from scipy import signal as scipys

    from tinygrad_cnn.scipy import _filtering
    from tinygrad_cnn.scipy._convolution import center, convolution

__getattr__, __dir__ = fallback(scipys, globals())


def _array(x: Any) -> Any:
    x = operand(x)
    if not isinstance(x, Handle):
        x = np.asarray(x)
        x = x if x.dtype.kind == "f" else x.astype(np.float64) if x.dtype.kind in "iub" else x
    if to_values(x).dtype.kind == "c":
        raise TypeError("scipy.signal: an argument is complex; expected real arrays where a Tensor is given")
    return x


# Convolutions.


def _convolved(name: str, in1: Any, in2: Any, mode: str, method: str) -> Any:
    if in1.ndim != in2.ndim:
        raise ValueError(f"scipy.signal.{name}: in1 and in2 should have the same dimensionality")
    if mode not in ("full", "same", "valid"):
        raise ValueError("acceptable mode flags are 'valid', 'same', or 'full'")
    if in1.ndim == 0:
        return in1 * in2
    if method == "auto":
        method = scipys.choose_conv_method(to_values(in1), to_values(in2), mode)
    if mode != "valid":
        full = convolution(in1, in2, mode="full", method=method)
        return center(full, in1.shape) if mode == "same" else full
    if all(n <= m for n, m in zip(in1.shape, in2.shape, strict=True)):
        in1, in2 = in2, in1
    if any(n < m for n, m in zip(in1.shape, in2.shape, strict=True)):
        raise ValueError(f"scipy.signal.{name}: For 'valid' mode, one must be at least as large as the other")
    return convolution(in1, in2, mode="valid", method=method)


@replaces(scipys.convolve)
def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """As `scipy.signal.convolve`."""
    return _convolved("convolve", _array(in1), _array(in2), mode, method)


@replaces(scipys.fftconvolve)
def fftconvolve(in1: Any, in2: Any, mode: str = "full") -> Any:
    """As `scipy.signal.fftconvolve`, along all axes."""
    return _convolved("fftconvolve", _array(in1), _array(in2), mode, "fft")


@replaces(scipys.oaconvolve)
def oaconvolve(in1: Any, in2: Any, mode: str = "full") -> Any:
    """As `scipy.signal.oaconvolve`, along all axes."""
    return _convolved("oaconvolve", _array(in1), _array(in2), mode, "fft")


@replaces(scipys.correlate)
def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """As `scipy.signal.correlate`."""
    in2 = _array(in2)
    return _convolved("correlate", _array(in1), np.flip(in2) if in2.ndim else in2, mode, method)


_PADDING = {"fill": "constant", "pad": "constant", "symm": "symmetric", "symmetric": "symmetric", "wrap": "wrap"}


@replaces(scipys.convolve2d)
def convolve2d(in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0) -> Any:
    """As `scipy.signal.convolve2d`."""
    in1, in2 = _array(in1), _array(in2)
    if boundary not in _PADDING:
        raise ValueError("Acceptable boundary flags are 'fill', 'circular' (or 'wrap'), and 'symmetric' (or 'symm').")
    if mode == "valid" or (_PADDING[boundary] == "constant" and fillvalue == 0):
        return _convolved("convolve2d", in1, in2, mode, "direct")
    padding: dict[str, Any] = {"constant_values": fillvalue} if _PADDING[boundary] == "constant" else {}
    around: Any = [(m - 1, m - 1) for m in in2.shape]
    pad: Any = np.pad
    full = convolution(pad(in1, around, _PADDING[boundary], **padding), in2, mode="valid", method="direct")
    return center(full, in1.shape) if mode == "same" else full


@replaces(scipys.correlate2d)
def correlate2d(in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0) -> Any:
    """As `scipy.signal.correlate2d`."""
    found = convolve2d(in1, np.flip(operand(in2)), "full" if mode == "same" else mode, boundary, fillvalue)
    if mode != "same":
        return found
    starts = [m // 2 for m in np.shape(in2)]  # of two middles the other one
    return found[tuple([slice(start, start + n) for start, n in zip(starts, np.shape(in1), strict=True)])]


# Filters.


@replaces(scipys.lfilter)
def lfilter(b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """As `scipy.signal.lfilter`, with respect to the coefficients, the signal and the state."""
    b, a, x = np.atleast_1d(_array(b)), np.atleast_1d(_array(a)), np.moveaxis(_array(x), axis, -1)
    if zi is None:
        return np.moveaxis(_filtering.lfilter(b, a, x), -1, axis)
    y, state = _filtering.with_state(b, a, x, np.moveaxis(_array(zi), axis, -1))
    return np.moveaxis(y, -1, axis), np.moveaxis(state, -1, axis)


@replaces(scipys.lfilter_zi)
def lfilter_zi(b: Any, a: Any) -> Any:
    """As `scipy.signal.lfilter_zi`."""
    return _filtering.steady_state(np.atleast_1d(_array(b)), np.atleast_1d(_array(a)))


@replaces(scipys.sosfilt)
def sosfilt(sos: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """As `scipy.signal.sosfilt`."""
    sos, x = _array(sos), np.moveaxis(_array(x), axis, -1)
    states = None if zi is None else np.moveaxis(_array(zi), axis_of(axis, x.ndim) + 1, -1)
    found = []
    for k in range(len(sos)):
        if states is None:
            x = _filtering.lfilter(sos[k, :3], sos[k, 3:], x)
        else:
            x, state = _filtering.with_state(sos[k, :3], sos[k, 3:], x, states[k])
            found.append(state)
    x = np.moveaxis(x, -1, axis)
    return x if states is None else (x, np.moveaxis(np.stack(found), -1, axis_of(axis, x.ndim) + 1))


def _extended(x: Any, padtype: Any, padlen: int) -> Any:
    """`x` with `padlen` elements more at both ends of its last axis."""
    if padtype not in ("odd", "even", "constant", None):
        raise ValueError(f"Unknown value '{padtype}' given to padtype; expected 'even', 'odd', 'constant' or None")
    if padtype is None or padlen == 0:
        return x
    if x.shape[-1] <= padlen:
        raise ValueError(f"The length of the input vector x must be greater than padlen, which is {padlen}.")
    first, last = x[..., :1], x[..., -1:]
    before, behind = x[..., padlen:0:-1], x[..., -2 : -(padlen + 2) : -1]
    if padtype == "odd":
        before, behind = 2 * first - before, 2 * last - behind
    elif padtype == "constant":
        shape = (*x.shape[:-1], padlen)
        before, behind = np.broadcast_to(first, shape), np.broadcast_to(last, shape)
    return np.concatenate([before, x, behind], -1)


@replaces(scipys.filtfilt)
def filtfilt(b: Any, a: Any, x: Any, axis: int = -1, padtype: Any = "odd", padlen: Any = None) -> Any:
    """As `scipy.signal.filtfilt`, by the method "pad"."""
    b, a, x = np.atleast_1d(_array(b)), np.atleast_1d(_array(a)), np.moveaxis(_array(x), axis, -1)
    edge = 0 if padtype is None else 3 * max(len(a), len(b)) if padlen is None else padlen
    y, state = _extended(x, padtype, edge), _filtering.steady_state(b, a)
    for _ in range(2):  # forwards and backwards
        y = _filtering.with_state(b, a, y, state * y[..., :1])[0][..., ::-1]
    return np.moveaxis(y[..., edge : y.shape[-1] - edge], -1, axis)


@replaces(scipys.sosfiltfilt)
def sosfiltfilt(sos: Any, x: Any, axis: int = -1, padtype: Any = "odd", padlen: Any = None) -> Any:
    """As `scipy.signal.sosfiltfilt`; the sections are plain numbers."""
    if holds_tensor((sos,)):
        raise NotImplementedError("scipy.signal.sosfiltfilt: sos is a Tensor; expected plain numbers. Use filtfilt")
    sos, x = np.asarray(sos, np.float64), np.moveaxis(_array(x), axis, -1)
    taps = 2 * len(sos) + 1 - min((sos[:, 2] == 0).sum(), (sos[:, 5] == 0).sum())
    edge = 0 if padtype is None else int(3 * taps) if padlen is None else padlen
    y, states = _extended(x, padtype, edge), scipys.sosfilt_zi(sos)
    for _ in range(2):
        first = y[..., :1]
        for section, state in zip(sos, states, strict=True):
            y = _filtering.with_state(section[:3], section[3:], y, state * first)[0]
        y = y[..., ::-1]
    return np.moveaxis(y[..., edge : y.shape[-1] - edge], -1, axis)


@replaces(scipys.savgol_filter)
def savgol_filter(
    x: Any, window_length: int, polyorder: int, deriv: int = 0, delta: float = 1.0, axis: int = -1,
    mode: str = "interp", cval: float = 0.0,
) -> Any:  # fmt: skip
    """As `scipy.signal.savgol_filter`."""
    x = np.moveaxis(_array(x), axis, -1)
    n, half = x.shape[-1], window_length // 2
    settings = (window_length, polyorder, deriv, delta)
    scipys.savgol_filter(np.zeros(n), *settings, mode=mode)  # SciPy's own errors
    kernel = scipys.savgol_coeffs(window_length, polyorder, deriv=deriv, delta=delta).astype(x.dtype)
    before = window_length - 1 - half
    padded = x
    if mode != "interp":
        names = {"mirror": "reflect", "nearest": "edge", "wrap": "wrap", "constant": "constant"}
        values: dict[str, Any] = {"constant_values": cval} if mode == "constant" else {}
        around: Any = [(0, 0)] * (x.ndim - 1) + [(before, half)]
        pad: Any = np.pad
        padded = pad(x, around, names[mode], **values)
    kernel = kernel.reshape((1,) * (x.ndim - 1) + (-1,))
    inner = convolution(padded, kernel, mode="valid", method="direct")
    if mode == "interp":  # at the ends, the values of the polynomial that is fitted to the first or the last window
        fitted = scipys.savgol_filter(np.eye(window_length), *settings, axis=0).astype(x.dtype)
        start = x[..., :window_length] @ fitted[:half].T
        end = x[..., n - window_length :] @ fitted[window_length - half :].T
        inner = np.concatenate([start, inner[..., half - before :], end], -1)
    return np.moveaxis(inner, -1, axis)


@replaces(scipys.detrend)
def detrend(data: Any, axis: int = -1, type: str = "linear", bp: Any = 0) -> Any:
    """As `scipy.signal.detrend`."""
    if type not in ("linear", "l", "constant", "c"):
        raise ValueError("Trend type must be 'linear' or 'constant'.")
    data = _array(data)
    if type[0] == "c":
        return data - np.mean(data, axis, keepdims=True)
    x = np.moveaxis(data, axis, -1)
    ends = np.unique(np.concatenate(np.atleast_1d(0, bp, x.shape[-1])))
    if np.any(ends > x.shape[-1]):
        raise ValueError("Breakpoints must be less than length of data along given axis.")
    parts = []
    for start, end in itertools.pairwise(ends):
        basis, _ = np.linalg.qr(np.stack([np.arange(end - start), np.ones(end - start)], 1))
        part, basis = x[..., start:end], basis.astype(x.dtype)
        parts.append(part - (part @ basis) @ basis.T)
    return np.moveaxis(np.concatenate(parts, -1), -1, axis)


# Spectra.


@replaces(scipys.hilbert)
def hilbert(x: Any, N: Any = None, axis: int = -1) -> Any:
    """As `scipy.signal.hilbert`."""
    x = _array(x)
    n = x.shape[axis] if N is None else N
    if n <= 0:
        raise ValueError("N must be positive.")
    weights = np.zeros(n, x.dtype)
    weights[: (n + 1) // 2], weights[0] = 2, 1
    if n % 2 == 0:
        weights[n // 2] = 1
    shape = [1] * x.ndim
    shape[axis] = n
    return np.fft.ifft(np.fft.fft(x, n, axis) * weights.reshape(shape), axis=axis)


@replaces(scipys.freqz)
def freqz(
    b: Any, a: Any = 1, worN: Any = 512, whole: bool = False, fs: float = 2 * np.pi, include_nyquist: bool = False
) -> Any:
    """As `scipy.signal.freqz`, with respect to the coefficients; the frequencies are a plain array."""
    b, a = np.atleast_1d(_array(b)), np.atleast_1d(_array(a))
    settings = {"whole": whole, "fs": fs, "include_nyquist": include_nyquist}
    w, plain = scipys.freqz(to_values(b), to_values(a), worN, **settings)
    above, below = (np.exp(-1j * np.outer(w * (2 * np.pi / fs), np.arange(len(v)))) @ v for v in (b, a))
    return w, (above / below).astype(plain.dtype)


@replaces(scipys.welch)
def welch(
    x: Any, fs: float = 1.0, window: Any = "hann_periodic", nperseg: Any = None, noverlap: Any = None, nfft: Any = None,
    detrend: Any = "constant", scaling: str = "density", axis: int = -1,
) -> Any:  # fmt: skip
    """As `scipy.signal.welch`, of one side and averaged by the mean; the frequencies are a plain array."""
    x = np.moveaxis(_array(x), axis, -1)
    plain = to_values(x)
    settings = {"nperseg": nperseg, "noverlap": noverlap, "nfft": nfft, "scaling": scaling}
    f, _ = scipys.welch(plain, fs, window, detrend=detrend, **settings)  # SciPy's own errors, too
    if isinstance(window, str | tuple):
        size = min(256 if nperseg is None else nperseg, x.shape[-1])
        window = scipys.get_window(window, size)
    window = np.asarray(window, x.dtype)
    size = len(window)
    step = size - (size // 2 if noverlap is None else noverlap)
    starts = np.arange(0, x.shape[-1] - size + 1, step)
    segments = x[..., starts[:, None] + np.arange(size)]
    return f, np.moveaxis(_power(segments, fs, window, nfft, detrend, scaling), -1, axis)


def _power(segments: Any, fs: float, window: Any, nfft: Any, detrending: Any, scaling: str) -> Any:
    """The mean power of the segments (..., segments, time) at each frequency."""
    if detrending is not False:
        segments = detrend(segments, type=detrending)
    n = len(window) if nfft is None else nfft
    scale = 1 / np.sum(window) ** 2 if scaling == "spectrum" else 1 / (fs * np.sum(window * window))
    twice = np.full(n // 2 + 1, 2.0)
    twice[0] = 1
    if n % 2 == 0:
        twice[-1] = 1
    spectrum = np.fft.rfft(segments * window, n)
    power = np.real(spectrum) ** 2 + np.imag(spectrum) ** 2
    return np.mean(power, -2) * (twice * scale).astype(segments.dtype)


@replaces(scipys.periodogram)
def periodogram(
    x: Any, fs: float = 1.0, window: Any = "boxcar", nfft: Any = None, detrend: Any = "constant",
    scaling: str = "density", axis: int = -1,
) -> Any:  # fmt: skip
    """As `scipy.signal.periodogram`, of one side; the frequencies are a plain array."""
    x = _array(x)
    if nfft is not None and nfft < x.shape[axis]:
        raise NotImplementedError(
            f"scipy.signal.periodogram: nfft={nfft} is less than the {x.shape[axis]} elements of x, which is not "
            "supported for Tensors. Shorten x"
        )
    settings = {"nperseg": x.shape[axis], "noverlap": 0, "nfft": nfft, "detrend": detrend, "scaling": scaling}
    return welch(x, fs, window, axis=axis, **settings)
