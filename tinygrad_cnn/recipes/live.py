"""A trained network on a live page: to draw for it."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.circle_square.data import DataSet
from tinygrad_cnn.circle_square.drawing import SIZE
from tinygrad_cnn.circle_square.ink import LONGER, SIDE, as_input, ink
from tinygrad_cnn.recipes.runs import Trained

RATE = 0.001  # of a training in small steps from what was learnt


def live_page(trained: Trained, drawings: DataSet | None, language: str = "en", theme: str = "auto") -> Any:
    """The page of a network. It sees ink, and so does the page: in the middle, and of one size.

    drawings: those that it trains on there, beside those that are drawn; None without any of its classes.
    """
    parts = [] if drawings is None else [drawings.train, drawings.test]
    data, test = [(as_input(ink(part.grey)), part.y[:, 0].astype(int)) for part in parts] or (None, None)
    return tg.live(
        trained.model,
        np.zeros((1, 1, SIZE, SIZE), np.float32),
        classes=trained.classes,
        data=data,
        test=test,
        optimiser=nn.AdamW(RATE, weight_decay=0.01),
        epochs=100,
        ink=(0, 1),
        centred=LONGER / SIDE,
        language=language,
        theme=theme,
    )
