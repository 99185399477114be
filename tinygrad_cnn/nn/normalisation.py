"""Normalisation: to mean 0 and variance 1, over the batch, the features or groups of channels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array, scope
from tinygrad_cnn.engine.primitive import operand
from tinygrad_cnn.engine.transforms import stop_gradient

Axes = int | tuple[int, ...]
Statistics = tuple[Array, Array]


@scope("batch_norm", kind="normalisation")
def batch_norm(
    x: Array,
    running: Statistics,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = True,
    momentum: float = 0.1,
    epsilon: float = 1e-5,
) -> tuple[Array, Statistics]:
    """Each channel less its mean and divided by its standard deviation, over the batch and all positions.

    x: (batch, channels, ...), weight and bias: (channels,), which scale and shift the result. running: mean and
    variance, (channels,) each, at first zeros and ones. Returns the result, of the shape of x, and the new running
    statistics, which are constants: (1 - momentum) running + momentum * that of the batch, whose variance is the
    unbiased one. training=False normalises by `running` and returns it unchanged. Raises ValueError if the shapes do
    not fit, or if in training a channel has fewer than two elements.

    Source: S. Ioffe and C. Szegedy, "Batch normalization", 2015.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x, running = np.array([[1.0], [3.0]]), (np.zeros(1), np.ones(1))
    >>> out, (mean, variance) = tg.nn.batch_norm(x, running, epsilon=0.0)
    >>> out.ravel(), mean, variance
    (array([-1.,  1.]), array([0.2]), array([1.1]))
    """
    x = operand(x)
    if np.ndim(x) < 2:
        raise ValueError(f"batch_norm: x has shape {np.shape(x)}; expected (batch, channels, ...)")
    channels = x.shape[1]
    named = {"running mean": running[0], "running variance": running[1], "weight": weight, "bias": bias}
    for name, given in named.items():
        if given is not None and np.shape(given) != (channels,):
            raise ValueError(
                f"batch_norm: {name} has shape {np.shape(given)}; expected ({channels},), for {channels} channels"
            )
    along = (-1, *[1] * (np.ndim(x) - 2))  # channels beside axes of length 1
    if training:
        axes = (0, *range(2, np.ndim(x)))
        count = math.prod([x.shape[axis] for axis in axes])
        if count < 2:
            raise ValueError(
                f"batch_norm: x has shape {x.shape}; expected at least two elements for each channel in training"
            )
        mean = np.mean(x, axes, keepdims=True)
        centred = x - mean
        variance = np.mean(np.square(centred), axes, keepdims=True)
        of_batch = np.ravel(stop_gradient(mean)), np.ravel(stop_gradient(variance)) * (count / (count - 1))
        running = tuple([(1 - momentum) * old + momentum * new for old, new in zip(running, of_batch, strict=True)])
    else:
        centred = x - np.reshape(running[0], along)
        variance = np.reshape(running[1], along)
    out = centred / np.sqrt(variance + epsilon)
    return _scaled(out, weight, bias, along), running


def _scaled(x: Array, weight: Array | None, bias: Array | None, along: tuple[int, ...] | None = None) -> Array:
    if weight is not None:
        x = x * (weight if along is None else np.reshape(weight, along))
    if bias is not None:
        x = x + (bias if along is None else np.reshape(bias, along))
    return x


@scope("layer_norm", kind="normalisation")
def layer_norm(
    x: Array, weight: Array | None = None, bias: Array | None = None, axis: Axes = -1, epsilon: float = 1e-5
) -> Array:
    """Less the mean along `axis`, and divided by the standard deviation, each example for itself.

    x: any shape, axis: one or several, weight and bias: shapes that broadcast to x, such as (features,). Returns the
    shape of x. Raises ValueError if the shapes do not fit.

    Source: J. Ba et al., "Layer normalization", 2016.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.layer_norm(np.array([[1.0, 3.0], [10.0, 30.0]]), epsilon=0.0)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    x = _fitting("layer_norm", x, axis, weight=weight, bias=bias)
    centred = x - np.mean(x, axis, keepdims=True)
    out = centred / np.sqrt(np.mean(np.square(centred), axis, keepdims=True) + epsilon)
    return _scaled(out, weight, bias)


@scope("rms_norm", kind="normalisation")
def rms_norm(x: Array, weight: Array | None = None, axis: Axes = -1, epsilon: float = 1e-6) -> Array:
    """Divided by the root of the mean square along `axis`: a `layer_norm` that does not subtract the mean.

    Shapes and errors as in `layer_norm`.

    Source: B. Zhang and R. Sennrich, "Root mean square layer normalization", 2019.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.rms_norm(np.array([3.0, -3.0]), epsilon=0.0)
    array([ 1., -1.])
    """
    x = _fitting("rms_norm", x, axis, weight=weight)
    return _scaled(x / np.sqrt(np.mean(np.square(x), axis, keepdims=True) + epsilon), weight, None)


def _fitting(name: str, x: Any, axis: Axes, **given: Any) -> Array:
    x = operand(x)
    axes = axis if isinstance(axis, tuple) else (axis,)
    if not all(-np.ndim(x) <= n < np.ndim(x) and x.shape[n] for n in axes):
        raise ValueError(f"{name}: x has shape {np.shape(x)}; expected at least one element along axis {axis}")
    for what, array in given.items():
        if array is None:
            continue
        shape = np.shape(array)
        if len(shape) > np.ndim(x) or any(
            n not in (1, size) for n, size in zip(shape[::-1], x.shape[::-1], strict=False)
        ):
            raise ValueError(
                f"{name}: {what} has shape {shape}; expected a shape that broadcasts to that of x, {x.shape}"
            )
    return x


@scope("group_norm", kind="normalisation")
def group_norm(
    x: Array, groups: int, weight: Array | None = None, bias: Array | None = None, epsilon: float = 1e-5
) -> Array:
    """Each group of channels less its mean and divided by its standard deviation, each example for itself.

    x: (batch, channels, ...), groups: how many, a divisor of channels, weight and bias: (channels,). Returns the shape
    of x. One group for each channel is instance normalisation. Raises ValueError if the shapes do not fit.

    Source: Y. Wu and K. He, "Group normalization", 2018.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.group_norm(np.array([[1.0, 3.0, 10.0, 30.0]]), 2, epsilon=0.0)
    array([[-1.,  1., -1.,  1.]])
    """
    x = operand(x)
    if np.ndim(x) < 2 or type(groups) is not int or groups < 1 or x.shape[1] % groups:
        raise ValueError(
            f"group_norm: x has shape {np.shape(x)} and groups is {groups!r}; expected (batch, channels, ...) and an "
            "integer that divides the channels"
        )
    for name, given in (("weight", weight), ("bias", bias)):
        if given is not None and np.shape(given) != (x.shape[1],):
            raise ValueError(
                f"group_norm: {name} has shape {np.shape(given)}; expected ({x.shape[1]},), one for each channel"
            )
    size = math.prod(x.shape[1:]) // groups
    out = layer_norm(np.reshape(x, (x.shape[0], groups, size)), epsilon=epsilon)
    return _scaled(np.reshape(out, x.shape), weight, bias, (-1, *[1] * (np.ndim(x) - 2)))
