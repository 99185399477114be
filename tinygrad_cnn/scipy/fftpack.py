"""scipy.fftpack, the older module of transforms: its inverses of real transforms are not scaled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_cnn.extras import extra
from tinygrad_cnn.replacements import fallback, replaces
from tinygrad_cnn.scipy import fft as newer

with extra("scipy", "tinygrad_cnn.scipy.fftpack"):
    from scipy import fftpack as scipys

__getattr__, __dir__ = fallback(scipys, globals())

_OTHER_TYPE = {1: 1, 2: 3, 3: 2, 4: 4}  # that of the inverse


def _declared(original: Any, function: Callable[..., Any]) -> Any:
    function.__name__ = function.__qualname__ = original.__name__
    function.__doc__ = f"As `scipy.fftpack.{original.__name__}`."
    return replaces(original, f"scipy.fftpack.{original.__name__}")(function)


def _real(original: Any, of_newer: Any, inverse: bool) -> Any:
    def transform(x: Any, type: int = 2, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
        return of_newer(x, _OTHER_TYPE.get(type, type) if inverse else type, n, axis, norm)

    return _declared(original, transform)


def _complex(original: Any, of_newer: Any) -> Any:
    return _declared(original, lambda x, n=None, axis=-1: of_newer(x, n, axis))


dct, idct = _real(scipys.dct, newer.dct, False), _real(scipys.idct, newer.dct, True)
dst, idst = _real(scipys.dst, newer.dst, False), _real(scipys.idst, newer.dst, True)
fft, ifft = _complex(scipys.fft, newer.fft), _complex(scipys.ifft, newer.ifft)
