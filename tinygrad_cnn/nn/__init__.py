"""Building blocks of models and of training, as functions: arrays in, arrays out, and Tensors too.

All of them are expressions of primitives. Those that the package has at its top level too are the same, but for three,
which are primitives there: `tg.max_pool2d` and `tg.avg_pool2d` have no padding, and
`tg.binary_cross_entropy_with_logits` is elementwise, where the one here takes the mean.
"""

from tinygrad_cnn.nn.activations import elu, gelu, leaky_relu, relu, sigmoid, silu, softplus
from tinygrad_cnn.nn.attention import scaled_dot_product_attention
from tinygrad_cnn.nn.convolutions import conv1d, conv2d, conv_transpose2d
from tinygrad_cnn.nn.gradients import clip_by_norm, clip_by_value, global_norm, moving_average
from tinygrad_cnn.nn.initialisers import (
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    lecun_normal,
    lecun_uniform,
    orthogonal,
    uniform,
)
from tinygrad_cnn.nn.labels import embedding, one_hot
from tinygrad_cnn.nn.layers import (
    GRU,
    LSTM,
    RNN,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Embedding,
    Flatten,
    Function,
    GlobalAvgPool2d,
    GroupNorm,
    Layer,
    LayerNorm,
    Linear,
    MaxPool2d,
    MultiHeadAttention,
    Residual,
    RMSNorm,
    Sequential,
    static,
)
from tinygrad_cnn.nn.linear_map import linear
from tinygrad_cnn.nn.losses import huber, kl, l1, mse, softmax_cross_entropy
from tinygrad_cnn.nn.losses import mean_binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from tinygrad_cnn.nn.metrics import accuracy, confusion_matrix, top_k
from tinygrad_cnn.nn.normalisation import batch_norm, group_norm, layer_norm, rms_norm
from tinygrad_cnn.nn.optimisers import SGD, Adagrad, Adam, AdamW, Lion, Momentum, RMSprop
from tinygrad_cnn.nn.pooling import (
    adaptive_avg_pool2d,
    adaptive_max_pool2d,
    avg_pool2d,
    global_avg_pool2d,
    global_max_pool2d,
    max_pool2d,
)
from tinygrad_cnn.nn.recurrent import gru, lstm, rnn
from tinygrad_cnn.nn.regularisation import dropout
from tinygrad_cnn.nn.schedules import (
    constant_schedule,
    cosine_schedule,
    one_cycle_schedule,
    step_schedule,
    warmup_schedule,
)
from tinygrad_cnn.nn.softmaxes import log_softmax, logsumexp, softmax

__all__ = [
    "GRU", "LSTM", "RNN", "SGD", "Adagrad", "Adam", "AdamW", "AdaptiveAvgPool2d", "AvgPool2d", "BatchNorm",
    "Conv1d", "Conv2d", "ConvTranspose2d", "Dropout", "Embedding", "Flatten", "Function", "GlobalAvgPool2d",
    "GroupNorm", "Layer", "LayerNorm", "Linear", "Lion", "MaxPool2d", "Momentum", "MultiHeadAttention", "RMSNorm",
    "RMSprop", "Residual", "Sequential", "accuracy", "adaptive_avg_pool2d", "adaptive_max_pool2d", "avg_pool2d",
    "batch_norm", "binary_cross_entropy_with_logits", "clip_by_norm", "clip_by_value", "confusion_matrix",
    "constant_schedule", "conv1d", "conv2d", "conv_transpose2d", "cosine_schedule", "dropout", "elu", "embedding",
    "gelu", "global_avg_pool2d", "global_max_pool2d", "global_norm", "glorot_normal", "glorot_uniform",
    "group_norm", "gru", "he_normal", "he_uniform", "huber", "kl", "l1", "layer_norm", "leaky_relu", "lecun_normal",
    "lecun_uniform", "linear", "log_softmax", "logsumexp", "lstm", "max_pool2d", "moving_average", "mse",
    "one_cycle_schedule", "one_hot", "orthogonal", "relu", "rms_norm", "rnn", "scaled_dot_product_attention",
    "sigmoid", "silu", "softmax", "softmax_cross_entropy", "softplus", "static", "step_schedule", "top_k",
    "uniform", "warmup_schedule",
]  # fmt: skip
