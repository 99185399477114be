"""Softmax and what belongs to it, without overflow: the largest element is subtracted first."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array, scope
from tinygrad_cnn.engine.primitive import operand
from tinygrad_cnn.engine.transforms import stop_gradient


@scope("softmax", kind="activation")
def softmax(x: Array, axis: int = -1) -> Array:
    """exp(x) / sum(exp(x)) along `axis`: probabilities, whose sum is 1.

    x: any shape, of any numbers; returns the same shape. -inf has probability 0; where all of an axis is -inf, the
    result is NaN. Raises ValueError if the axis has no elements.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.softmax(np.array([1000.0, 1000.0, -np.inf]))
    array([0.5, 0.5, 0. ])
    """
    exps = np.exp(_shifted("softmax", x, axis)[0])
    return exps / np.sum(exps, axis, keepdims=True)


@scope("log_softmax", kind="activation")
def log_softmax(x: Array, axis: int = -1) -> Array:
    """log(softmax(x)) along `axis`, which stays precise where the softmax is 0 in floating point.

    x: any shape, of any numbers; returns the same shape. Raises ValueError if the axis has no elements.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    shifted, _ = _shifted("log_softmax", x, axis)
    return shifted - np.log(np.sum(np.exp(shifted), axis, keepdims=True))


@scope("logsumexp", kind="layer")
def logsumexp(x: Array, axis: int = -1, keepdims: bool = False) -> Array:
    """log(sum(exp(x))) along `axis`; its gradient is the softmax.

    x: any shape, of any numbers; returns it without `axis`, or with that of length 1 (keepdims). Of -inf alone it is
    -inf, with a gradient of 0. Raises ValueError if the axis has no elements.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.logsumexp(np.array([[1000.0, 1000.0], [-np.inf, -np.inf]])).round(3)
    array([1000.693,     -inf])
    """
    shifted, largest = _shifted("logsumexp", x, axis)
    total = np.sum(np.exp(shifted), axis, keepdims=True)
    nothing = total == 0
    out = np.where(nothing, -np.inf, np.log(np.where(nothing, 1, total)) + largest)
    return out if keepdims else np.squeeze(out, axis)


def _shifted(name: str, x: Any, axis: int) -> tuple[Array, Array]:
    """`x` less its largest element along `axis`, and that: a constant, as a softmax does not depend on it."""
    x = operand(x)
    if not -np.ndim(x) <= axis < np.ndim(x) or not x.shape[axis]:
        raise ValueError(f"{name}: x has shape {np.shape(x)}; expected at least one element along axis {axis}")
    largest = np.max(stop_gradient(x), axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    return x - largest, largest
