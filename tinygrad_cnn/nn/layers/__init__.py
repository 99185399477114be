"""Layers: dataclasses that hold parameters, and so trees, which are called like the functions that they use."""

from tinygrad_cnn.nn.layers.attention import MultiHeadAttention
from tinygrad_cnn.nn.layers.base import Layer, static
from tinygrad_cnn.nn.layers.containers import Flatten, Function, Residual, Sequential
from tinygrad_cnn.nn.layers.convolution import Conv1d, Conv2d, ConvTranspose2d
from tinygrad_cnn.nn.layers.dense import Embedding, Linear
from tinygrad_cnn.nn.layers.normalisation import BatchNorm, GroupNorm, LayerNorm, RMSNorm
from tinygrad_cnn.nn.layers.pooling import AdaptiveAvgPool2d, AvgPool2d, GlobalAvgPool2d, MaxPool2d
from tinygrad_cnn.nn.layers.recurrent import GRU, LSTM, RNN
from tinygrad_cnn.nn.layers.regularisation import Dropout

__all__ = [
    "GRU", "LSTM", "RNN", "AdaptiveAvgPool2d", "AvgPool2d", "BatchNorm", "Conv1d", "Conv2d", "ConvTranspose2d",
    "Dropout", "Embedding", "Flatten", "Function", "GlobalAvgPool2d", "GroupNorm", "Layer", "LayerNorm", "Linear",
    "MaxPool2d", "MultiHeadAttention", "RMSNorm", "Residual", "Sequential", "static",
]  # fmt: skip
