"""Losses, element by element: the sum or the mean is the caller's to take."""

from __future__ import annotations

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import primitive
from tinygrad_cnn.nn.activations import sigmoid


@primitive(elementwise=True, pure=True)
def binary_cross_entropy_with_logits(logits: Array, targets: Array, /) -> Array:
    """Cross-entropy of sigmoid(logits), computed without overflow or loss of precision: log(1 + exp(z)) - y z.

    logits: any numbers, targets: probabilities in 0..1, of shapes that broadcast; returns a loss for each element, in
    nats.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.binary_cross_entropy_with_logits(np.array([-1000.0, 0.0, 1000.0]), 1.0)
    array([1.00000000e+03, 6.93147181e-01, 0.00000000e+00])
    """
    return np.logaddexp(0, logits) - targets * logits


binary_cross_entropy_with_logits.defvjp(
    lambda g, out, logits, targets: g * (sigmoid(logits) - targets),
    lambda g, out, logits, targets: -g * logits,
)
