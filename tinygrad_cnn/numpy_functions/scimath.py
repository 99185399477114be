"""np.emath (numpy.lib.scimath): functions that go on in the complex plane where the real one has no value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.primitive import implementations, implements, to_values
from tinygrad_cnn.primitives.arguments import as_array


def _in_dtype_of(plain: Any, x: Any) -> Any:
    """`x`, as complex as NumPy's result `plain` is."""
    return (x + 0j).astype(plain.dtype) if np.iscomplexobj(plain) and not np.iscomplexobj(x) else x


def _going_on(function: Callable[..., Any], ufunc: Any) -> Callable[..., Any]:
    def call(x: Any) -> Any:
        """As NumPy's: complex if one of the elements has no real result."""
        return ufunc(_in_dtype_of(function(to_values(x)), x))

    return call


for _function, _ufunc in (
    (np.emath.sqrt, np.sqrt), (np.emath.log, np.log), (np.emath.log2, np.log2), (np.emath.log10, np.log10),
    (np.emath.arcsin, np.arcsin), (np.emath.arccos, np.arccos), (np.emath.arctanh, np.arctanh),
):  # fmt: skip
    implementations[_function] = _going_on(_function, _ufunc)


@implements(np.emath.logn)
def logn(n: Any, x: Any) -> Any:
    """As `np.emath.logn`."""
    return np.emath.log(as_array(x)) / np.emath.log(as_array(n))


@implements(np.emath.power)
def power(x: Any, p: Any) -> Any:
    """As `np.emath.power`."""
    plain = np.emath.power(to_values(x), to_values(p))
    return np.power(_in_dtype_of(plain, as_array(x)), as_array(p))
