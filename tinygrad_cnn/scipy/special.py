"""scipy.special: the functions that are no ufuncs. (Its ufuncs take Tensors themselves.)"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.primitive import operand
from tinygrad_cnn.extras import extra
from tinygrad_cnn.replacements import replaces
from tinygrad_cnn.scipy._fallback import fallback

with extra("scipy", "tinygrad_cnn.scipy.special"):
    from scipy import special as scipys

__getattr__, __dir__ = fallback(scipys, globals())


@replaces(scipys.log_softmax)
def log_softmax(x: Any, axis: Any = None) -> Any:
    """As `scipy.special.log_softmax`."""
    x = operand(x)
    return x - np.logaddexp.reduce(x, axis, keepdims=True)
