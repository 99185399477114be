"""numpy.lib, whose stride_tricks.as_strided takes Tensors too."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Handle
from tinygrad_cnn.primitives import rearranging
from tinygrad_cnn.replacements import register


def as_strided(x: Any, shape: Any = None, strides: Any = None, *args: Any, **keywords: Any) -> Any:
    """As `np.lib.stride_tricks.as_strided`, of a Tensor that lies in memory row by row, and within its memory."""
    if isinstance(x, Handle):
        return rearranging.as_strided(x, shape, strides)
    return np.lib.stride_tricks.as_strided(x, shape, strides, *args, **keywords)


class _StrideTricks(ModuleType):
    as_strided = staticmethod(as_strided)

    def __getattr__(self, name: str) -> Any:
        return getattr(np.lib.stride_tricks, name)


stride_tricks = _StrideTricks("stride_tricks", np.lib.stride_tricks.__doc__)
register(np.lib.stride_tricks.as_strided, as_strided)
register(np.lib.stride_tricks, stride_tricks)
register(np.lib, sys.modules[__name__])


def __getattr__(name: str) -> Any:
    return getattr(np.lib, name)


def __dir__() -> list[str]:
    return dir(np.lib)
