"""Building blocks of models and of training: layers, activations, pooling, losses, initialisers, optimisers."""

from tinygrad_cnn.nn.activations import relu, sigmoid
from tinygrad_cnn.nn.initialisers import he_normal
from tinygrad_cnn.nn.layers import conv2d, linear
from tinygrad_cnn.nn.losses import binary_cross_entropy_with_logits
from tinygrad_cnn.nn.optimisers import SGD, Adam, Momentum
from tinygrad_cnn.primitives.windows import avg_pool2d, max_pool2d

__all__ = [
    "SGD",
    "Adam",
    "Momentum",
    "avg_pool2d",
    "binary_cross_entropy_with_logits",
    "conv2d",
    "he_normal",
    "linear",
    "max_pool2d",
    "relu",
    "sigmoid",
]
