"""The recipe `robust`: the article's model of one filter, made to train on every draw of drawings.

What it changes: the initial parameters (He; the article's are standard normal, which leaves most draws dead), the loss
(the mean cross-entropy on logits, which has no pole), and the step (Adam). The model is the article's, and so it still
fits 24 drawings without learning what a circle is: for that, see `cnn`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.data import Scaling
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_on_logits
from tinygrad_cnn.circle_square.training import robust_start


def loss(p: Parameters, x: Any, y: Any) -> Any:
    """The mean cross-entropy of images x (batch, 28, 28) with targets y (batch, 1), 0 or 1."""
    return loss_on_logits(forward(x, p).fc, y)


def train(grey: Any, labels: Any, *, seed: int = 0, steps: int = 301) -> tg.train.Fitted:
    """Train on drawings (batch, 28, 28) uint8, dark on light, with labels 0 or 1, all of them in each step."""
    x, y = Scaling()(grey), np.asarray(labels, float)[:, None]
    start = robust_start(np.random.default_rng(seed))
    return tg.train.fit(start, loss, (x, y), tg.Adam(0.01), epochs=steps, batch_size=len(x), progress=False)
