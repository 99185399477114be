"""The article's CNN, as an expression: conv, relu, max_pool, flatten, fc, sigmoid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.losses import binary_cross_entropy_as_printed, binary_cross_entropy_shifted

Array = Any


@dataclass(frozen=True)
class Parameters:
    """What is learnt: 207 numbers.

    Wc  (3, 3)    the filter
    Bc  (1, 1)    its bias
    Wf  (1, 196)  the weight of each place of the pooled map, row by row
    Bf  (1, 1)    its bias
    """

    Wc: Array
    Bc: Array
    Wf: Array
    Bf: Array


class Forward(NamedTuple):
    """Every step of the model, under the article's names. `sigma` is the probability that it is not a circle."""

    conv: Array  # (batch, 28, 28)
    relu: Array  # (batch, 28, 28)
    max_pool: Array  # (batch, 14, 14)
    flatten: Array  # (batch, 196)
    fc: Array  # (1, batch)
    sigma: Array  # (1, batch)


def forward(x: Array, p: Parameters, ties: Literal["share", "all"] = "share", at_zero: float = 0.0) -> Forward:
    """The model.

    x: images (batch, 28, 28), bright strokes on 0, scaled to 0..10. ties, at_zero: what max-pooling does with ties,
    and the slope of ReLU at 0; "all" and 1.0 are what the article's gradient takes.

    >>> import numpy as np
    >>> p = Parameters(Wc=np.ones((3, 3)), Bc=np.zeros((1, 1)), Wf=np.ones((1, 196)), Bf=np.zeros((1, 1)))
    >>> forward(np.zeros((2, 28, 28)), p).sigma
    array([[0.5, 0.5]])
    """
    with tg.scope("conv"):
        conv = tg.conv2d(x, p.Wc, padding=1) + p.Bc
    relu = tg.relu(conv, at_zero)
    with tg.scope("pool"):
        max_pool = tg.max_pool2d(relu, 2, ties=ties)
        flatten = max_pool.reshape(len(x), -1)
    with tg.scope("fc"):
        fc = p.Wf @ flatten.T + p.Bf
    sigma = tg.sigmoid(fc)
    return Forward(conv, relu, max_pool, flatten, fc, sigma)


@tg.scope("loss")
def loss_as_printed(sigma: Array, y: Array) -> Array:
    """The loss that the article prints. sigma (1, batch), y (batch, 1): 0 for a circle, 1 for the other shape."""
    losses = binary_cross_entropy_as_printed(sigma, y.T)  # (1, batch)
    return np.sum(losses)


@tg.scope("loss")
def loss_shifted(sigma: Array, y: Array, epsilon: float = 1e-4) -> Array:
    """The loss that the article's gradient is the gradient of. Shapes as for `loss_as_printed`."""
    losses = binary_cross_entropy_shifted(sigma, y.T, epsilon)  # (1, batch)
    return np.sum(losses)


@tg.scope("loss")
def loss_on_logits(fc: Array, y: Array) -> Array:
    """The mean cross-entropy, on what goes into the sigmoid: it has no pole, and does not grow with the batch."""
    losses = tg.binary_cross_entropy_with_logits(fc, y.T)  # (1, batch)
    return np.mean(losses)
