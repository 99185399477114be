"""The functions of `tg.nn`: a line each, with the same function of PyTorch.

`test_derivatives.py` and the tests of programs take them like all others; `tests/nn` compares them with PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from cases import Case

import tinygrad_cnn as tg

nn = tg.nn


class Peer(NamedTuple):
    """A case, and the function of PyTorch, which gets the module torch first."""

    case: Case
    theirs: Callable[..., Any]


def row(
    name: str,
    ours: Callable[..., Any],
    theirs: Callable[..., Any],
    *shapes: tuple[int, ...],
    low: float = -1.5,
    high: float = 1.7,
) -> Peer:
    return Peer(Case(f"nn.{name}", ours, list(shapes), low, high), theirs)


def f(torch: Any) -> Any:
    return torch.nn.functional


LABELS = np.array([2, 0, 3, 2])
IGNORED = np.array([2, -100, 3, 2])
MASK = np.array([[True, False, True, True], [False, True, True, False], [False, False, False, True]])
ADDED = np.where(MASK, 0.0, -2.0)
PROBABILITIES = np.array([[0.1, 0.2, 0.3, 0.4], [1.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]])
RUNNING = (np.array([0.1, -0.2, 0.3]), np.array([0.5, 1.5, 2.0]))


def running(dtype: Any) -> Any:
    return tuple([x.astype(dtype) for x in RUNNING])


def in_training(x, w, b):
    return nn.batch_norm(x, running(x.dtype), w, b)[0]


def in_use(x, w, b):
    return nn.batch_norm(x, running(x.dtype), w, b, training=False)[0]


def recurrent_of_torch(kind: str, hidden: int, stateful: bool = False) -> Callable[..., Any]:
    """PyTorch's module with the weights given, whose gradients flow."""

    def run(torch: Any, x: Any, *weights: Any) -> Any:
        module = getattr(torch.nn, kind)(x.shape[-1], hidden, batch_first=True, dtype=x.dtype)
        names = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
        *weights, h = weights if stateful else (*weights, None)
        state = () if h is None else ((h[None], h[None].tanh()) if kind == "LSTM" else h[None],)
        out, last = torch.func.functional_call(module, dict(zip(names, weights, strict=True)), (x, *state))
        return out + (last[1] if kind == "LSTM" else last)[0][:, None]

    return run


def recurrent(function: Callable[..., Any], stateful: bool = False) -> Callable[..., Any]:
    """The outputs, and what is left of the last state, so that the gradients of both are compared."""
    has_cell = function is nn.lstm  # asked here, for within adopted code nn is another

    def run(x, *weights):
        *weights, h = weights if stateful else (*weights, None)
        state = h if h is None or not has_cell else (h, np.tanh(h))
        out, last = function(x, *weights, state=state)
        return out + (last[1] if has_cell else last)[:, None]

    return run


def weights_of(gates: int) -> list[tuple[int, ...]]:
    return [(2, 3, 2), (gates * 2, 2), (gates * 2, 2), (gates * 2,), (gates * 2,)]


ELEMENTWISE_LOSSES = [
    ("mse", nn.mse, "mse_loss"),
    ("l1", nn.l1, "l1_loss"),
    ("huber", nn.huber, "huber_loss"),
    ("binary cross-entropy", nn.binary_cross_entropy_with_logits, "binary_cross_entropy_with_logits"),
]

PEERS: list[Peer] = [
    row("linear", nn.linear, lambda t, x, W, b: f(t).linear(x, W, b), (2, 3, 4), (2, 4), (2,)),
    # convolutions
    row(
        "conv2d, dilated",
        lambda x, W: nn.conv2d(x, W, dilation=(2, 3)),
        lambda t, x, W: f(t).conv2d(x, W, dilation=(2, 3)),
        (2, 2, 6, 5),
        (3, 2, 3, 2),
    ),
    row(
        "conv2d, groups",
        lambda x, W, b: nn.conv2d(x, W, b, padding=1, groups=2),
        lambda t, x, W, b: f(t).conv2d(x, W, b, padding=1, groups=2),
        (2, 4, 4, 3),
        (6, 2, 3, 2),
        (6,),
    ),
    row(
        "conv2d, depthwise",
        lambda x, W: nn.conv2d(x, W, stride=2, groups=3),
        lambda t, x, W: f(t).conv2d(x, W, stride=2, groups=3),
        (2, 3, 5, 4),
        (3, 1, 2, 2),
    ),
    row(
        "conv2d, all at once",
        lambda x, W: nn.conv2d(x, W, stride=(2, 1), padding=(1, 2), dilation=2, groups=2),
        lambda t, x, W: f(t).conv2d(x, W, stride=(2, 1), padding=(1, 2), dilation=2, groups=2),
        (1, 4, 6, 5),
        (2, 2, 3, 2),
    ),
    row(
        "conv2d, same",
        lambda x, W: nn.conv2d(x, W, padding="same"),
        lambda t, x, W: f(t).conv2d(x, W, padding="same"),
        (2, 2, 5, 4),
        (3, 2, 3, 2),
    ),
    row(
        "conv2d, same and dilated",
        lambda x, W: nn.conv2d(x, W, padding="same", dilation=2),
        lambda t, x, W: f(t).conv2d(x, W, padding="same", dilation=2),
        (1, 2, 5, 4),
        (3, 2, 2, 3),
    ),
    row(
        "conv2d, valid",
        lambda x, W: nn.conv2d(x, W, padding="valid"),
        lambda t, x, W: f(t).conv2d(x, W),
        (1, 2, 5, 4),
        (3, 2, 2, 3),
    ),
    row(
        "conv2d, padding of each side",
        lambda x, W: nn.conv2d(x, W, padding=((2, 0), (1, 3))),
        lambda t, x, W: f(t).conv2d(f(t).pad(x, (1, 3, 2, 0)), W),
        (1, 2, 3, 4),
        (3, 2, 2, 3),
    ),
    row(
        "conv2d of one image",
        lambda x, W: nn.conv2d(x, W, padding=1),
        lambda t, x, W: f(t).conv2d(x, W, padding=1),
        (2, 3, 4),
        (3, 2, 2, 3),
    ),
    row(
        "conv2d of batches of images",
        lambda x, W: nn.conv2d(x, W),
        lambda t, x, W: t.stack([f(t).conv2d(y, W) for y in x]),
        (2, 1, 2, 3, 4),
        (3, 2, 2, 3),
    ),
    row(
        "conv2d of one channel, dilated",
        lambda x, W: nn.conv2d(x, W, padding="same", dilation=2),
        lambda t, x, W: f(t).conv2d(x[:, None], W[None, None], padding="same", dilation=2)[:, 0],
        (2, 5, 4),
        (3, 2),
    ),
    row(
        "conv1d",
        lambda x, W, b: nn.conv1d(x, W, b, stride=2, padding=1),
        lambda t, x, W, b: f(t).conv1d(x, W, b, stride=2, padding=1),
        (2, 3, 6),
        (4, 3, 3),
        (4,),
    ),
    row(
        "conv1d, same, dilated, groups",
        lambda x, W: nn.conv1d(x, W, padding="same", dilation=2, groups=2),
        lambda t, x, W: f(t).conv1d(x, W, padding="same", dilation=2, groups=2),
        (2, 4, 6),
        (2, 2, 2),
    ),
    row(
        "conv1d, causal",
        lambda x, W: nn.conv1d(x, W, padding=(2, 0)),
        lambda t, x, W: f(t).conv1d(f(t).pad(x, (2, 0)), W),
        (2, 2, 4),
        (3, 2, 3),
    ),
    row(
        "conv_transpose2d",
        lambda x, W, b: nn.conv_transpose2d(x, W, b),
        lambda t, x, W, b: f(t).conv_transpose2d(x, W, b),
        (2, 3, 3, 4),
        (3, 2, 2, 3),
        (2,),
    ),
    row(
        "conv_transpose2d, strided",
        lambda x, W: nn.conv_transpose2d(x, W, stride=(2, 3), padding=(1, 0), output_padding=(1, 2)),
        lambda t, x, W: f(t).conv_transpose2d(x, W, stride=(2, 3), padding=(1, 0), output_padding=(1, 2)),
        (1, 3, 3, 2),
        (3, 2, 3, 2),
    ),
    row(
        "conv_transpose2d, more padding than window",
        lambda x, W: nn.conv_transpose2d(x, W, padding=2),
        lambda t, x, W: f(t).conv_transpose2d(x, W, padding=2),
        (1, 2, 5, 5),
        (2, 2, 2, 2),
    ),
    row(
        "conv_transpose2d, dilated, in groups",
        lambda x, W, b: nn.conv_transpose2d(x, W, b, stride=2, padding=1, dilation=(2, 3), groups=2),
        lambda t, x, W, b: f(t).conv_transpose2d(x, W, b, stride=2, padding=1, dilation=(2, 3), groups=2),
        (2, 4, 3, 2),
        (4, 3, 3, 2),
        (6,),
    ),
    # pooling
    row(
        "max_pool2d, padded",
        lambda x: nn.max_pool2d(x, 3, 2, padding=1),
        lambda t, x: f(t).max_pool2d(x, 3, 2, padding=1),
        (2, 2, 5, 4),
        low=-3,
        high=-1,
    ),
    row(
        "avg_pool2d, padded",
        lambda x: nn.avg_pool2d(x, (2, 3), 1, padding=(1, 1)),
        lambda t, x: f(t).avg_pool2d(x, (2, 3), 1, padding=(1, 1)),
        (2, 2, 4, 5),
    ),
    row(
        "avg_pool2d, same",
        lambda x: nn.avg_pool2d(x, 3, 1, padding="same"),
        lambda t, x: f(t).avg_pool2d(x, 3, 1, padding=1),
        (2, 2, 4, 5),
    ),
    row("global_max_pool2d", nn.global_max_pool2d, lambda t, x: x.amax((-2, -1)), (2, 3, 4, 2)),
    row("global_avg_pool2d", nn.global_avg_pool2d, lambda t, x: x.mean((-2, -1)), (2, 3, 4, 2)),
    row(
        "adaptive_max_pool2d",
        lambda x: nn.adaptive_max_pool2d(x, (3, 2)),
        lambda t, x: f(t).adaptive_max_pool2d(x, (3, 2)),
        (2, 2, 5, 3),
    ),
    row(
        "adaptive_avg_pool2d",
        lambda x: nn.adaptive_avg_pool2d(x, (3, 2)),
        lambda t, x: f(t).adaptive_avg_pool2d(x, (3, 2)),
        (2, 2, 5, 3),
    ),
    row(
        "adaptive_avg_pool2d, divided evenly",
        lambda x: nn.adaptive_avg_pool2d(x, 2),
        lambda t, x: f(t).adaptive_avg_pool2d(x, 2),
        (2, 2, 4, 6),
    ),
    row(
        "adaptive_avg_pool2d, enlarged",
        lambda x: nn.adaptive_avg_pool2d(x, 4),
        lambda t, x: f(t).adaptive_avg_pool2d(x, 4),
        (1, 2, 3, 2),
    ),
    # activations
    row("relu", nn.relu, lambda t, x: f(t).relu(x), (3, 4)),
    row("sigmoid", nn.sigmoid, lambda t, x: t.sigmoid(x), (3, 4)),
    row("leaky_relu", lambda x: nn.leaky_relu(x, 0.2), lambda t, x: f(t).leaky_relu(x, 0.2), (3, 4)),
    row("elu", lambda x: nn.elu(x, 0.7), lambda t, x: f(t).elu(x, 0.7), (3, 4)),
    row("gelu", nn.gelu, lambda t, x: f(t).gelu(x), (3, 4)),
    row("gelu by tanh", lambda x: nn.gelu(x, "tanh"), lambda t, x: f(t).gelu(x, approximate="tanh"), (3, 4)),
    row("silu", nn.silu, lambda t, x: f(t).silu(x), (3, 4)),
    row("softplus", nn.softplus, lambda t, x: f(t).softplus(x), (3, 4)),
    row("softmax", nn.softmax, lambda t, x: f(t).softmax(x, -1), (2, 3, 4)),
    row("softmax of another axis", lambda x: nn.softmax(x, 1), lambda t, x: f(t).softmax(x, 1), (2, 3, 4)),
    row("log_softmax", nn.log_softmax, lambda t, x: f(t).log_softmax(x, -1), (2, 3, 4)),
    row("log_softmax of another axis", lambda x: nn.log_softmax(x, 0), lambda t, x: f(t).log_softmax(x, 0), (2, 3)),
    row("logsumexp", nn.logsumexp, lambda t, x: t.logsumexp(x, -1), (2, 3, 4)),
    row(
        "logsumexp, keepdims",
        lambda x: nn.logsumexp(x, 0, keepdims=True),
        lambda t, x: t.logsumexp(x, 0, keepdim=True),
        (2, 3),
    ),
    row("dropout", lambda x: nn.dropout(x, 0.0, np.random.default_rng(0)), lambda t, x: f(t).dropout(x, 0.0), (2, 3)),
    # normalisation
    row(
        "batch_norm",
        in_training,
        lambda t, x, w, b: f(t).batch_norm(x, None, None, w, b, training=True),
        (3, 3, 2, 2),
        (3,),
        (3,),
    ),
    row(
        "batch_norm of features",
        in_training,
        lambda t, x, w, b: f(t).batch_norm(x, None, None, w, b, training=True),
        (4, 3),
        (3,),
        (3,),
    ),
    row(
        "batch_norm in use",
        in_use,
        lambda t, x, w, b: f(t).batch_norm(x, *map(t.tensor, RUNNING), w, b),
        (3, 3, 2, 2),
        (3,),
        (3,),
    ),
    row("layer_norm", nn.layer_norm, lambda t, x, w, b: f(t).layer_norm(x, (4,), w, b), (2, 3, 4), (4,), (4,)),
    row(
        "layer_norm of two axes",
        lambda x: nn.layer_norm(x, axis=(-2, -1)),
        lambda t, x: f(t).layer_norm(x, (3, 4)),
        (2, 3, 4),
    ),
    row(
        "rms_norm",
        lambda x, w: nn.rms_norm(x, w, epsilon=1e-3),
        lambda t, x, w: f(t).rms_norm(x, (4,), w, 1e-3),
        (2, 3, 4),
        (4,),
    ),
    row(
        "group_norm",
        lambda x, w, b: nn.group_norm(x, 2, w, b),
        lambda t, x, w, b: f(t).group_norm(x, 2, w, b),
        (2, 4, 3, 2),
        (4,),
        (4,),
    ),
    # losses
    *[
        row(
            f"{name}, {how}",
            lambda x, y, ours=ours, how=how: ours(x, y, reduction=how),
            lambda t, x, y, theirs=theirs, how=how: getattr(f(t), theirs)(x, y, reduction=how),
            (3, 4),
            (3, 4),
        )
        for how in ("mean", "sum", "none")
        for name, ours, theirs in ELEMENTWISE_LOSSES
    ],
    row(
        "huber, delta",
        lambda x, y: nn.huber(x, y, delta=0.3),
        lambda t, x, y: f(t).huber_loss(x, y, delta=0.3),
        (3, 4),
        (3, 4),
    ),
    row(
        "kl",
        lambda x, y: nn.kl(x, y),
        lambda t, x, y: f(t).kl_div(x, y, reduction="batchmean"),
        (3, 4),
        (3, 4),
        low=0.1,
        high=0.9,
    ),
    row(
        "kl, none",
        lambda x, y: nn.kl(x, y, "none"),
        lambda t, x, y: f(t).kl_div(x, y, reduction="none").sum(-1),
        (3, 4),
        (3, 4),
        low=0.1,
        high=0.9,
    ),
    *[
        row(
            f"softmax_cross_entropy, {how}",
            lambda x, how=how: nn.softmax_cross_entropy(x, LABELS, how),
            lambda t, x, how=how: f(t).cross_entropy(x, t.tensor(LABELS), reduction=how),
            (4, 5),
        )
        for how in ("mean", "sum", "none")
    ],
    *[
        row(
            f"softmax_cross_entropy, smoothed and ignored, {how}",
            lambda x, how=how: nn.softmax_cross_entropy(x, IGNORED, how, 0.1, -100),
            lambda t, x, how=how: f(t).cross_entropy(x, t.tensor(IGNORED), reduction=how, label_smoothing=0.1),
            (4, 5),
        )
        for how in ("mean", "sum", "none")
    ],
    row(
        "softmax_cross_entropy of probabilities",
        lambda x: nn.softmax_cross_entropy(x, PROBABILITIES.astype(x.dtype), label_smoothing=0.2),
        lambda t, x: f(t).cross_entropy(x, t.tensor(PROBABILITIES), label_smoothing=0.2),
        (3, 4),
    ),
    row(
        "softmax_cross_entropy of positions",
        lambda x: nn.softmax_cross_entropy(x, LABELS.reshape(2, 2)),
        lambda t, x: f(t).cross_entropy(x.movedim(-1, 1), t.tensor(LABELS.reshape(2, 2))),
        (2, 2, 5),
    ),
    # lookup, attention, recurrence
    row(
        "embedding",
        lambda W: nn.embedding(LABELS.reshape(2, 2), W),
        lambda t, W: f(t).embedding(t.tensor(LABELS.reshape(2, 2)), W),
        (5, 3),
    ),
    row(
        "attention",
        nn.scaled_dot_product_attention,
        lambda t, *x: f(t).scaled_dot_product_attention(*x),
        (2, 3, 2),
        (2, 4, 2),
        (2, 4, 3),
    ),
    row(
        "attention, masked",
        lambda *x: nn.scaled_dot_product_attention(*x, mask=MASK),
        lambda t, *x: f(t).scaled_dot_product_attention(*x, attn_mask=t.tensor(MASK)),
        (2, 3, 2),
        (2, 4, 2),
        (2, 4, 3),
    ),
    row(
        "attention, added mask",
        lambda *x: nn.scaled_dot_product_attention(*x, mask=ADDED.astype(x[0].dtype), scale=0.3),
        lambda t, *x: f(t).scaled_dot_product_attention(*x, attn_mask=t.tensor(ADDED), scale=0.3),
        (2, 3, 2),
        (2, 4, 2),
        (2, 4, 3),
    ),
    row(
        "attention, causal",
        lambda *x: nn.scaled_dot_product_attention(*x, causal=True),
        lambda t, *x: f(t).scaled_dot_product_attention(*x, is_causal=True),
        (2, 2, 3, 2),
        (2, 2, 3, 2),
        (2, 2, 3, 1),
    ),
    row("rnn", recurrent(nn.rnn), recurrent_of_torch("RNN", 2), *weights_of(1)),
    row(
        "rnn with a state",
        recurrent(nn.rnn, stateful=True),
        recurrent_of_torch("RNN", 2, stateful=True),
        *weights_of(1),
        (2, 2),
    ),
    row("lstm", recurrent(nn.lstm), recurrent_of_torch("LSTM", 2), *weights_of(4)),
    row(
        "lstm with a state",
        recurrent(nn.lstm, stateful=True),
        recurrent_of_torch("LSTM", 2, stateful=True),
        *weights_of(4),
        (2, 2),
    ),
    row("gru", recurrent(nn.gru), recurrent_of_torch("GRU", 2), *weights_of(3)),
    row(
        "gru with a state",
        recurrent(nn.gru, stateful=True),
        recurrent_of_torch("GRU", 2, stateful=True),
        *weights_of(3),
        (2, 2),
    ),
]

CASES = [peer.case for peer in PEERS]
