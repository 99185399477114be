"""Composites: what models are built of, each an ordinary expression of primitives; initialisers and optimisers."""

from tinygrad_cnn.nn.initialisers import he_normal
from tinygrad_cnn.nn.layers import conv2d, linear
from tinygrad_cnn.nn.optimisers import SGD, Adam, Momentum

__all__ = ["SGD", "Adam", "Momentum", "conv2d", "he_normal", "linear"]
