"""Initial values of parameters."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def he_normal(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int | None = None) -> NDArray[np.float64]:
    """Normal weights of variance 2 / fan_in, which keep the scale of a signal through a layer and its ReLU.

    shape: (outputs, inputs) of a linear map, or (filters, channels, kh, kw) of a convolution. fan_in: the number of
    inputs of one output; by default the product of all axes but the first. It has to be given for a (kh, kw) filter,
    where it is kh * kw: two axes are taken for a linear map. Raises ValueError if it is not positive, or does not
    follow from `shape`. Source: K. He et al., "Delving deep into rectifiers", 2015.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> W = tg.he_normal(np.random.default_rng(0), (200, 800))
    >>> round(float(W.std()), 3)
    0.05
    """
    if fan_in is None:
        if len(shape) < 2:
            raise ValueError(
                f"he_normal: shape is {shape}; expected at least two axes, (outputs, inputs). For fewer, pass fan_in"
            )
        fan_in = math.prod(shape[1:])
    if fan_in <= 0:
        raise ValueError(f"he_normal: fan_in is {fan_in} for shape {shape}; expected at least 1")
    return rng.standard_normal(shape) * math.sqrt(2 / fan_in)
