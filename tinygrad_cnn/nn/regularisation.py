"""Dropout."""

from __future__ import annotations

import numpy as np

from tinygrad_cnn.engine.graph import Array, scope
from tinygrad_cnn.engine.primitive import operand


@scope("dropout", kind="layer")
def dropout(x: Array, rate: float, rng: np.random.Generator | None) -> Array:
    """Zero for each element with probability `rate`, and else x / (1 - rate), so that the mean stays.

    x: any shape; rate: at least 0 and below 1; rng: draws which, or None, with which x is returned unchanged, as for
    predictions. In a compiled function rng is an argument of that. Raises ValueError if rate is out of range.

    Source: N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.dropout(np.ones(8), 0.5, np.random.default_rng(0))
    array([2., 0., 0., 0., 2., 2., 2., 2.])
    """
    if not 0 <= rate < 1:
        raise ValueError(f"dropout: rate is {rate!r}; expected a probability, at least 0 and below 1")
    x = operand(x)
    if rng is None or rate == 0:
        return x
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"dropout: rng is {rng!r}; expected a numpy.random.Generator, or None to drop nothing")
    return np.where(rng.random(np.shape(x)) >= rate, x / (1 - rate), 0)
