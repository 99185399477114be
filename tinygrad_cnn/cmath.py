"""Python's cmath, in which functions take Tensors: `import tinygrad_cnn.cmath as cmath`. See `tinygrad_cnn.math`.

>>> import numpy as np, tinygrad_cnn as tg
>>> import tinygrad_cnn.cmath as cmath
>>> tg.grad(lambda x: np.real(cmath.exp(1j * x)))(0.5).round(6)
np.float64(-0.479426)
"""

from __future__ import annotations

import cmath as _cmath
import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_cnn.math import exchanged, of_numbers, of_values
from tinygrad_cnn.replacements import fallback

if TYPE_CHECKING:
    from cmath import *  # noqa: F403


def _complex(function: Any) -> Any:
    """`function` of complex numbers."""
    return lambda z: function(z + 0j)


def _log(z: Any, base: Any = None) -> Any:
    return np.log(z + 0j) if base is None else np.log(z + 0j) / np.log(base + 0j)


_OF_TENSORS: dict[str, Any] = {
    "acos": _complex(np.arccos), "acosh": _complex(np.arccosh), "asin": _complex(np.arcsin),
    "asinh": _complex(np.arcsinh), "atan": _complex(np.arctan), "atanh": _complex(np.arctanh),
    "cos": _complex(np.cos), "cosh": _complex(np.cosh), "exp": _complex(np.exp), "log": _log,
    "log10": _complex(np.log10), "phase": _complex(np.angle), "polar": lambda z: (np.abs(z), np.angle(z + 0j)),
    "rect": lambda r, phi: r * np.exp(1j * phi), "sin": _complex(np.sin), "sinh": _complex(np.sinh),
    "sqrt": _complex(np.sqrt), "tan": _complex(np.tan), "tanh": _complex(np.tanh),
}  # fmt: skip
_STEPS = ("isclose", "isfinite", "isinf", "isnan")

_calls: dict[str, Any] = dict.fromkeys(_STEPS, of_values)
_calls.update({name: functools.partial(of_numbers, of_tensors=function) for name, function in _OF_TENSORS.items()})
globals().update(exchanged(_cmath, _calls))
__getattr__, __dir__ = fallback(_cmath, globals())
