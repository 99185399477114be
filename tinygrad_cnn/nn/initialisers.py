"""Initial values of parameters.

A shape is (outputs, inputs) of a linear map, or (filters, channels, kh, kw) of a convolution. fan_in is the number of
inputs of one output, the product of all axes but the first; fan_out is that of the outputs of one input, the product of
all but the second.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Shape = tuple[int, ...]


def he_normal(rng: np.random.Generator, shape: Shape, fan_in: int | None = None) -> Floats:
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
    return _normal(rng, shape, 2 / _fan_in("he_normal", shape, fan_in))


def he_uniform(rng: np.random.Generator, shape: Shape, fan_in: int | None = None) -> Floats:
    """Uniform weights of variance 2 / fan_in; otherwise as `he_normal`.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> round(float(tg.nn.he_uniform(np.random.default_rng(0), (200, 800)).std()), 3)
    0.05
    """
    return _uniform(rng, shape, 2 / _fan_in("he_uniform", shape, fan_in))


def lecun_normal(rng: np.random.Generator, shape: Shape, fan_in: int | None = None) -> Floats:
    """Normal weights of variance 1 / fan_in, for layers without a ReLU; otherwise as `he_normal`.

    Source: Y. LeCun et al., "Efficient backprop", 1998.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> round(float(tg.nn.lecun_normal(np.random.default_rng(0), (200, 400)).std()), 3)
    0.05
    """
    return _normal(rng, shape, 1 / _fan_in("lecun_normal", shape, fan_in))


def lecun_uniform(rng: np.random.Generator, shape: Shape, fan_in: int | None = None) -> Floats:
    """Uniform weights of variance 1 / fan_in; otherwise as `lecun_normal`.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> round(float(tg.nn.lecun_uniform(np.random.default_rng(0), (200, 400)).std()), 3)
    0.05
    """
    return _uniform(rng, shape, 1 / _fan_in("lecun_uniform", shape, fan_in))


def glorot_normal(rng: np.random.Generator, shape: Shape) -> Floats:
    """Normal weights of variance 2 / (fan_in + fan_out), which keep the scale of signals and of gradients.

    shape: at least two axes, as in the module; else ValueError is raised.

    Source: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward networks", 2010.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> round(float(tg.nn.glorot_normal(np.random.default_rng(0), (400, 400)).std()), 3)
    0.05
    """
    return _normal(rng, shape, 2 / _fans("glorot_normal", shape))


def glorot_uniform(rng: np.random.Generator, shape: Shape) -> Floats:
    """Uniform weights of variance 2 / (fan_in + fan_out); otherwise as `glorot_normal`.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> round(float(tg.nn.glorot_uniform(np.random.default_rng(0), (400, 400)).std()), 3)
    0.05
    """
    return _uniform(rng, shape, 2 / _fans("glorot_uniform", shape))


def uniform(rng: np.random.Generator, shape: Shape, low: float = -0.05, high: float = 0.05) -> Floats:
    """Uniform numbers from `low` to `high`. Raises ValueError if low is larger.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.uniform(np.random.default_rng(0), (3,), 0.0, 1.0).round(3)
    array([0.637, 0.27 , 0.041])
    """
    if not low <= high:
        raise ValueError(f"uniform: low is {low!r} and high {high!r}; expected low <= high")
    return rng.uniform(low, high, shape)


def orthogonal(rng: np.random.Generator, shape: Shape, gain: float = 1.0) -> Floats:
    """A random orthogonal matrix times `gain`: it changes no length, which suits recurrent networks.

    shape: (outputs, inputs, ...), of which all axes but the first are taken as one. Rows are orthonormal, or columns
    where there are more rows. Raises ValueError for fewer than two axes.

    Source: A. Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear networks", 2014.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> W = tg.nn.orthogonal(np.random.default_rng(0), (2, 3))
    >>> np.allclose(W @ W.T, np.eye(2))
    True
    """
    _fans("orthogonal", shape)
    rows, columns = shape[0], math.prod(shape[1:])
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.copysign(1.0, np.diagonal(r))  # else they would not be uniformly distributed
    return gain * np.reshape(q if rows >= columns else q.T, shape)


def _normal(rng: np.random.Generator, shape: Shape, variance: float) -> Floats:
    return rng.standard_normal(shape) * math.sqrt(variance)


def _uniform(rng: np.random.Generator, shape: Shape, variance: float) -> Floats:
    limit = math.sqrt(3 * variance)
    return rng.uniform(-limit, limit, shape)


def _fan_in(name: str, shape: Shape, fan_in: int | None) -> int:
    if fan_in is None:
        if len(shape) < 2:
            raise ValueError(
                f"{name}: shape is {shape}; expected at least two axes, (outputs, inputs). For fewer, pass fan_in"
            )
        fan_in = math.prod(shape[1:])
    if fan_in <= 0:
        raise ValueError(f"{name}: fan_in is {fan_in} for shape {shape}; expected at least 1")
    return fan_in


def _fans(name: str, shape: Shape) -> int:
    """fan_in + fan_out."""
    if len(shape) < 2 or not math.prod(shape):
        raise ValueError(f"{name}: shape is {shape}; expected at least two axes, (outputs, inputs), none of them 0")
    return (shape[0] + shape[1]) * math.prod(shape[2:])
