"""Functions that have no derivative, or one that is zero everywhere: on Tensors they give plain arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.primitive import implementations, to_values


def _on_values(function: Callable[..., Any]) -> Callable[..., Any]:
    def plain(*args: Any, **settings: Any) -> Any:
        return function(*to_values(args), **{name: to_values(x) for name, x in settings.items()})

    return plain


for _function in (
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.sign, np.isnan, np.isinf, np.isfinite,
    np.shape, np.ndim, np.size, np.argmax, np.argmin, np.argsort,
    np.array_equal, np.allclose, np.isclose,
):  # fmt: skip
    implementations[_function] = _on_values(_function)
