"""The article's two cross-entropies: the one that it prints, and the one whose gradient it derives.

Each could be an expression of logarithms, but for two things: 0 log 0, which is 0 here and NaN there; and eight or ten
nodes for one number an image, a twentieth of a training step of a small model (`benchmarks/training_step.py` has both).
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_cnn as tg

Array = Any


@tg.primitive(elementwise=True, singular=True, pure=True, kind="loss")
def binary_cross_entropy_as_printed(sigma: Array, targets: Array, /) -> Array:
    """The article's loss, as it is printed: -y log(1 + sigma) - (1 - y) log(2 - sigma).

    sigma, targets: probabilities in 0..1, of shapes that broadcast; returns a loss for each element. It is no
    cross-entropy: it has no pole, its minimum for a target of 0 or 1 is -log 2, and its slope at a confident wrong
    answer is no steeper than at a right one.

    >>> import numpy as np
    >>> from tinygrad_cnn.circle_square.losses import binary_cross_entropy_as_printed
    >>> binary_cross_entropy_as_printed(np.array([0.0, 1.0]), 1.0)
    array([-0.        , -0.69314718])
    """
    return -targets * np.log1p(sigma) - (1 - targets) * np.log1p(1 - sigma)


binary_cross_entropy_as_printed.defvjp(
    lambda g, out, sigma, targets: g * ((1 - targets) / (2 - sigma) - targets / (1 + sigma)),
    lambda g, out, sigma, targets: g * (np.log1p(1 - sigma) - np.log1p(sigma)),
)


@tg.primitive(elementwise=True, singular=True, pure=True, kind="loss")
def binary_cross_entropy_shifted(sigma: Array, targets: Array, /, epsilon: float = 1e-4) -> Array:
    """The loss whose gradient the article derives: -y log(sigma + epsilon) - (1 - y) log(1 - sigma - epsilon).

    sigma, targets: probabilities in 0..1, of shapes that broadcast; returns a loss for each element. For a target of 0
    it has a pole at sigma = 1 - epsilon; beyond it the loss is NaN, and its derivative a number of the wrong sign.

    >>> import numpy as np
    >>> from tinygrad_cnn.circle_square.losses import binary_cross_entropy_shifted
    >>> binary_cross_entropy_shifted(np.array([0.0, 0.5, 1.0]), 1.0)
    array([ 9.21034037e+00,  6.92947201e-01, -9.99950003e-05])
    """
    shifted, others = sigma + epsilon, 1 - targets
    # Where a target is 0 or 1, one of the logarithms does not count, whatever it is of.
    chosen, rest = np.where(targets, shifted, 1), np.where(others, 1 - shifted, 1)
    return -targets * np.log(chosen) - others * np.log(rest)


binary_cross_entropy_shifted.defvjp(
    lambda g, out, sigma, targets, epsilon=1e-4: g * _slope(sigma + epsilon, targets),
    lambda g, out, sigma, targets, epsilon=1e-4: g * (np.log(1 - (sigma + epsilon)) - np.log(sigma + epsilon)),
)


def _slope(shifted: Array, targets: Array) -> Array:
    return (1 - targets) / (1 - shifted) - targets / shifted
