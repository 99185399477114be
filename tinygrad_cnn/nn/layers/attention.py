"""Attention of several heads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from tinygrad_cnn.engine.graph import Array, scope
from tinygrad_cnn.nn.attention import scaled_dot_product_attention
from tinygrad_cnn.nn.layers.base import Layer, initialised, size_of, static
from tinygrad_cnn.nn.layers.dense import Linear


@dataclass(frozen=True, repr=False, eq=False)
class MultiHeadAttention(Layer):
    """Attention of `heads` heads, each for its part of the features: (..., time, features) to the same.

    layer(x) attends to x itself, and layer(x, key, value) to other sequences, whose value is their key by default;
    mask: (..., heads or 1, queries, keys) or (queries, keys), as in `nn.scaled_dot_product_attention`. causal: only
    from the same time and before. features: of the result, None for those of the example; a multiple of heads. query,
    key, value and output are `Linear`.

    Source: A. Vaswani et al., "Attention is all you need", 2017.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = np.ones((5, 7, 8))
    >>> tg.nn.MultiHeadAttention(2, causal=True).init(np.random.default_rng(0), x)(x).shape
    (5, 7, 8)
    """

    sizes: ClassVar[tuple[str, ...]] = ("heads", "features")

    heads: int = static()
    features: int | None = static(None)
    causal: bool = static(False, kw_only=True)
    use_bias: bool = static(True, kw_only=True)
    query: Any = field(default=None, kw_only=True)
    key: Any = field(default=None, kw_only=True)
    value: Any = field(default=None, kw_only=True)
    output: Any = field(default=None, kw_only=True)

    def parameters(self, rng: np.random.Generator, x: Array, *others: Any, **keywords: Any) -> dict[str, Any]:
        features = size_of(self, x, -1, "features") if self.features is None else self.features
        if features % self.heads:
            raise ValueError(f"{self!r}: the features are {features}; expected a multiple of {self.heads} heads")
        layers = {name: Linear(None, features, use_bias=self.use_bias) for name in ("query", "key", "value", "output")}
        return {"features": features, **layers}

    @scope("multi_head_attention", kind="layer")
    def __call__(self, x: Array, key: Array | None = None, value: Array | None = None, mask: Any = None) -> Array:
        query = initialised(self, self.query)
        key = x if key is None else key
        value = key if value is None else value
        q, k, v = (self._heads(part) for part in (query(x), self.key(key), self.value(value)))
        out = np.swapaxes(scaled_dot_product_attention(q, k, v, mask, self.causal), -2, -3)
        return self.output(out.reshape(*out.shape[:-2], -1))

    def _heads(self, x: Array) -> Array:
        """(..., time, features) to (..., heads, time, features / heads)."""
        return np.swapaxes(x.reshape(*x.shape[:-1], self.heads, -1), -2, -3)
