"""The article's gradient, derived by hand, in plain NumPy. It uses no automatic differentiation.

It is the gradient of the shifted cross-entropy, -y log(sigma + epsilon) - (1 - y) log(1 - sigma - epsilon), summed over
the batch, and not of the loss that the article prints. Where elements of a pooling window tie, each of them receives
the whole cotangent; where conv is 0, ReLU lets it through.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EPSILON = 1e-4


class Cotangents(NamedTuple):
    """The derivative of the loss with respect to each step of the model, from the loss back."""

    dL_dsig: Floats  # (1, batch)
    dL_dfc: Floats  # (1, batch)
    dL_dWf: Floats  # (1, 196)
    dL_dBf: Floats  # (1, 1)
    dL_dflatten: Floats  # (batch, 196)
    dL_dmax: Floats  # (batch, 14, 14)
    dL_drelu: Floats  # (batch, 28, 28)
    dL_dconv: Floats  # (batch, 28, 28)
    dL_dWc: Floats  # (3, 3)
    dL_dBc: Floats  # (1, 1)


def hand_derived(x: Floats, y: Floats, p: Any, epsilon: float = EPSILON) -> Cotangents:
    """The hand-derived gradient, and every intermediate cotangent.

    x: images (batch, 28, 28); y: targets (batch, 1); p: the four parameters. Source: the article's listing.
    """
    # Forward, once more.
    batch, height, width = x.shape
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))  # (batch, 30, 30)
    shifted = {(u, v): padded[:, u : u + height, v : v + width] for u in range(3) for v in range(3)}
    conv = p.Bc + sum(p.Wc[u, v] * image for (u, v), image in shifted.items())  # (batch, 28, 28)
    relu = np.maximum(0, conv)
    max_pool = relu.reshape(batch, height // 2, 2, width // 2, 2).max(axis=(2, 4))  # (batch, 14, 14)
    flatten = max_pool.reshape(batch, -1)  # (batch, 196)
    fc = p.Wf @ flatten.T + p.Bf  # (1, batch)
    sigma = 1 / (1 + np.exp(-fc))  # (1, batch)

    # Backward, a step a line.
    dL_dsig = -(y.T / (sigma + epsilon) - (1 - y.T) / (1 - (sigma + epsilon)))
    dL_dfc = dL_dsig * sigma * (1 - sigma)
    dL_dWf = dL_dfc @ flatten
    dL_dBf = np.sum(dL_dfc, keepdims=True)
    dL_dflatten = (p.Wf.T @ dL_dfc).T
    dL_dmax = dL_dflatten.reshape(max_pool.shape)
    is_max = relu == _to_each_of_a_window(max_pool)
    dL_drelu = np.where(is_max, _to_each_of_a_window(dL_dmax), 0)
    dL_dconv = np.where(conv >= 0, dL_drelu, 0)
    dL_dWc = np.array([[np.sum(dL_dconv * shifted[u, v]) for v in range(3)] for u in range(3)])
    dL_dBc = np.sum(dL_dconv).reshape(1, 1)
    return Cotangents(dL_dsig, dL_dfc, dL_dWf, dL_dBf, dL_dflatten, dL_dmax, dL_drelu, dL_dconv, dL_dWc, dL_dBc)


def _to_each_of_a_window(x: Floats) -> Floats:
    """(batch, 14, 14) to (batch, 28, 28): every element of a 2 x 2 window gets what the window has."""
    return x.repeat(2, axis=1).repeat(2, axis=2)


def max_pool_gradient(
    dL_dmax: Floats, relu: Floats, max_pool: Floats, window: int = 2, stride: int = 2
) -> NDArray[np.float64]:
    """The article's backward pass of max-pooling, for any stride: dL_drelu (batch, height, width).

    dL_dmax, max_pool: (batch, out_h, out_w). Window by window the cotangent is *assigned* to each element that equals
    the maximum, and 0 to the others. With a stride of the window's size, as in the model, that is what `hand_derived`
    does; where windows overlap, the last one wins, and the result is no gradient. Source: the article's listing
    (backward_Max_Pooling, col2im).
    """
    dL_drelu = np.zeros(relu.shape)
    for i in range(max_pool.shape[1]):
        for j in range(max_pool.shape[2]):
            of_window = (slice(None), slice(i * stride, i * stride + window), slice(j * stride, j * stride + window))
            is_max = relu[of_window] == max_pool[:, i, j, None, None]
            dL_drelu[of_window] = np.where(is_max, dL_dmax[:, i, j, None, None], 0)
    return dL_drelu
