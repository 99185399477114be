"""What the layers below look up in the namespaces for Tensors, which are imported when it is first asked for."""

from __future__ import annotations

import sys
from typing import Any

from tinygrad_cnn.advice import callers
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.replacements import replacements


def array_namespace(self: Tensor, /, *, api_version: Any = None) -> Any:
    """`tinygrad_cnn.numpy`, in which code that is written for the array API standard finds its functions."""
    import numpy

    import tinygrad_cnn.numpy

    numpy.empty(0).__array_namespace__(api_version=api_version)  # raises for a version that NumPy does not support
    return tinygrad_cnn.numpy


Tensor.__array_namespace__ = array_namespace  # type: ignore[attr-defined]  # it is of a layer above


def has_counterpart(function: Any) -> bool:
    """Whether there is a function for Tensors in place of `function`, of another package."""
    import tinygrad_cnn.cmath
    import tinygrad_cnn.math
    import tinygrad_cnn.numpy

    if "scipy" in sys.modules:
        import tinygrad_cnn.scipy

        tinygrad_cnn.scipy.counterparts()
    return id(function) in replacements and replacements[id(function)][0] is function


callers.has_counterpart = has_counterpart
