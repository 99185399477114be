"""numpy.emath, whose functions take lists of Tensors too."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from tinygrad_cnn.numpy._lists import aware
from tinygrad_cnn.replacements import register

globals().update(aware(np.emath, np.emath.__all__))
register(np.emath, sys.modules[__name__])


def __getattr__(name: str) -> Any:
    return getattr(np.emath, name)


def __dir__() -> list[str]:
    return dir(np.emath)
