"""Attention: a mean of values, weighted by how well their keys fit a query."""

from __future__ import annotations

import math

import numpy as np

from tinygrad_cnn.engine.graph import Array, scope
from tinygrad_cnn.engine.primitive import operand
from tinygrad_cnn.engine.transforms import stop_gradient


@scope("attention", kind="layer")
def scaled_dot_product_attention(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None = None,
    causal: bool = False,
    scale: float | None = None,
) -> Array:
    """softmax(query @ key.T * scale) @ value.

    query: (..., queries, features), key: (..., keys, features), value: (..., keys, outputs); returns (..., queries,
    outputs). mask: (..., queries, keys), booleans that are True where a query may take a key, or floats that are
    added to the products. causal: a query takes only keys at its own position and before. scale: 1 / sqrt(features) by
    default. A query that may take no key at all gets zeros. Raises ValueError if the shapes do not fit.

    Source: A. Vaswani et al., "Attention is all you need", 2017.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> tg.nn.scaled_dot_product_attention(x, x, x, causal=True).round(2)
    array([[1.  , 0.  ],
           [0.33, 0.67]])
    """
    query, key, value = operand(query), operand(key), operand(value)
    shapes = [np.shape(x) for x in (query, key, value)]
    (q, k, v) = shapes
    if min(map(len, shapes)) < 2 or q[-1] != k[-1] or k[-2] != v[-2] or not k[-2] or not q[-1]:
        raise ValueError(
            f"scaled_dot_product_attention: query, key and value have the shapes {q}, {k} and {v}; expected (..., "
            "queries, features), (..., keys, features) and (..., keys, outputs)"
        )
    scores = query @ np.swapaxes(key, -1, -2) * (1 / math.sqrt(q[-1]) if scale is None else scale)
    allowed = np.tri(q[-2], k[-2], dtype=bool) if causal else None
    if mask is not None:
        mask = operand(mask)
        if len(np.shape(mask)) < 2 or np.shape(mask)[-2] not in (1, q[-2]) or np.shape(mask)[-1] not in (1, k[-2]):
            raise ValueError(
                f"scaled_dot_product_attention: mask has shape {np.shape(mask)}; expected (..., {q[-2]}, {k[-2]})"
            )
        if mask.dtype == bool:
            allowed = mask if allowed is None else mask & allowed
        else:
            scores = scores + mask
    if allowed is not None:
        scores = np.where(allowed, scores, -np.inf)
    largest = np.max(stop_gradient(scores), -1, keepdims=True)
    exps = np.exp(scores - np.where(np.equal(largest, -np.inf), 0, largest))
    total = np.sum(exps, -1, keepdims=True)
    return (exps / np.where(np.equal(total, 0), 1, total)) @ value
