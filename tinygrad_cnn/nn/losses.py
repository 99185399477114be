"""Losses. Each has reduction="mean", "sum" or "none", which gives the loss of each element or each example."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from tinygrad_cnn.engine.graph import Array, scope
from tinygrad_cnn.engine.primitive import operand, primitive
from tinygrad_cnn.nn.activations import sigmoid
from tinygrad_cnn.nn.labels import checked
from tinygrad_cnn.nn.softmaxes import log_softmax

Reduction = Literal["mean", "sum", "none"]


def _reduced(name: str, losses: Array, reduction: Reduction) -> Array:
    """The mean or the sum of `losses`, or themselves."""
    if reduction == "none":
        return losses
    if reduction == "sum":
        return np.sum(losses)
    if reduction != "mean":
        raise ValueError(f"{name}: reduction is {reduction!r}; expected 'mean', 'sum' or 'none'")
    if not np.size(losses):
        raise ValueError(f"{name}: the batch is empty, and has no mean; expected at least one element")
    return np.mean(losses)


def _of_one_shape(name: str, predictions: Any, targets: Any) -> tuple[Array, Array]:
    """Both as arrays. Of (batch, 1) and (batch,) NumPy would make (batch, batch), which nobody means."""
    predictions, targets = operand(predictions), operand(targets)
    if np.shape(predictions) != np.shape(targets) and np.shape(targets):
        raise ValueError(
            f"{name}: predictions have shape {np.shape(predictions)} and targets {np.shape(targets)}; expected the "
            "same shape. Reshape one of them"
        )
    return predictions, targets


@primitive(elementwise=True, pure=True, kind="loss")
def binary_cross_entropy_with_logits(logits: Array, targets: Array, /) -> Array:
    """Cross-entropy of sigmoid(logits), computed without overflow or loss of precision: log(1 + exp(z)) - y z.

    logits: any numbers, targets: probabilities in 0..1, of shapes that broadcast; returns a loss for each element, in
    nats. The one in `tg.nn` takes the mean.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.binary_cross_entropy_with_logits(np.array([-1000.0, 0.0, 1000.0]), 1.0)
    array([1.00000000e+03, 6.93147181e-01, 0.00000000e+00])
    """
    return np.logaddexp(0, logits) - targets * logits


binary_cross_entropy_with_logits.defvjp(
    lambda g, out, logits, targets: g * (sigmoid(logits) - targets),
    lambda g, out, logits, targets: -g * logits,
)


def mean_binary_cross_entropy_with_logits(logits: Array, targets: Array, reduction: Reduction = "mean") -> Array:
    """Cross-entropy of sigmoid(logits), computed without overflow or loss of precision, in nats.

    logits: any shape, of any numbers; targets: probabilities in 0..1 of the same shape, or one for all. Returns one
    number, or with reduction="none" one for each element, as `tg.binary_cross_entropy_with_logits` does. Raises
    ValueError if the shapes differ, or for the mean of nothing.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.binary_cross_entropy_with_logits(np.array([-1000.0, 1000.0]), np.array([1.0, 1.0]))
    np.float64(500.0)
    """
    logits, targets = _of_one_shape("binary_cross_entropy_with_logits", logits, targets)
    losses = binary_cross_entropy_with_logits(logits, targets)
    return _reduced("binary_cross_entropy_with_logits", losses, reduction)


@scope("softmax_cross_entropy", kind="loss")
def softmax_cross_entropy(
    logits: Array,
    targets: Array,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
) -> Array:
    """Cross-entropy of softmax(logits) along the last axis, in nats.

    logits: (..., classes), of any numbers. targets: integer labels (...) from 0 to classes - 1, or probabilities
    (..., classes). Returns one number, or with reduction="none" one for each example, (...). label_smoothing: the part,
    0..1, of the probability that is spread evenly over all classes. ignore_index: examples of this label have loss 0
    and no gradient, and do not count in the mean. Raises ValueError if shapes do not fit, a label is out of range,
    or there is nothing to take the mean of; TypeError if labels are not integers.

    Source of label smoothing: C. Szegedy et al., "Rethinking the Inception architecture for computer vision", 2016.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> logits = np.array([[0.0, 1000.0], [0.0, 0.0]])
    >>> tg.nn.softmax_cross_entropy(logits, np.array([1, 0]), reduction="none").round(3)
    array([-0.   ,  0.693])
    """
    name = "softmax_cross_entropy"
    logits, targets = operand(logits), operand(targets)
    shape = np.shape(logits)
    if not shape or np.shape(targets) not in (shape, shape[:-1]):
        raise ValueError(
            f"{name}: logits have shape {shape} and targets {np.shape(targets)}; expected (..., classes) and integer "
            "labels (...), or probabilities (..., classes)"
        )
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"{name}: label_smoothing is {label_smoothing!r}; expected a number from 0 to 1")
    if np.shape(targets) == shape:
        if ignore_index is not None:
            raise ValueError(f"{name}: ignore_index is {ignore_index}, but targets are probabilities; expected labels")
        log_probabilities = log_softmax(logits)
        losses = -np.sum(targets * log_probabilities, -1)
    else:
        labels = checked(targets, name, "labels", shape[-1], ignore_index)
        log_probabilities = log_softmax(logits)
        is_label = np.equal(labels[..., None], np.arange(shape[-1]))
        losses = -np.sum(np.where(is_label, log_probabilities, 0), -1)
    if label_smoothing:
        losses = (1 - label_smoothing) * losses - label_smoothing * np.mean(log_probabilities, -1)
    if ignore_index is None:
        return _reduced(name, losses, reduction)
    kept = np.not_equal(targets, ignore_index)
    losses = np.where(kept, losses, 0)
    if reduction != "mean" or not np.size(losses):
        return _reduced(name, losses, reduction)
    count = at_least_one(np.sum(kept), name=name, ignored=ignore_index)
    return np.sum(losses) / count.astype(losses.dtype)


@primitive(pure=True, opaque=True)
def at_least_one(count: Array, /, name: str, ignored: int) -> Array:
    """`count`, or an error if nothing is left to take the mean of. One instruction of a program, as `checked` is."""
    if not count:
        raise ValueError(f"{name}: all labels are {ignored}, which is ignored; expected at least one other")
    return count


at_least_one.defflops(lambda out, count, **_: np.size(count))


@scope("mse", kind="loss")
def mse(predictions: Array, targets: Array, reduction: Reduction = "mean") -> Array:
    """The squared error, (predictions - targets)**2.

    predictions: any shape, targets: the same, or one number. Returns one number, or with reduction="none" one for each
    element. Raises ValueError if the shapes differ, or for the mean of nothing.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.mse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    np.float64(2.0)
    """
    predictions, targets = _of_one_shape("mse", predictions, targets)
    return _reduced("mse", np.square(predictions - targets), reduction)


@scope("l1", kind="loss")
def l1(predictions: Array, targets: Array, reduction: Reduction = "mean") -> Array:
    """The absolute error, |predictions - targets|; its slope at 0 is 0.

    Shapes, reduction and errors as in `mse`.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.l1(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    np.float64(1.0)
    """
    predictions, targets = _of_one_shape("l1", predictions, targets)
    return _reduced("l1", np.abs(predictions - targets), reduction)


@scope("huber", kind="loss")
def huber(predictions: Array, targets: Array, reduction: Reduction = "mean", delta: float = 1.0) -> Array:
    """Half of the squared error where it is at most `delta`, and a line of slope `delta` beyond.

    Shapes, reduction and errors as in `mse`. Raises ValueError if delta is not positive.

    Source: P. Huber, "Robust estimation of a location parameter", 1964.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.huber(np.array([0.0, 0.0]), np.array([1.0, 10.0]), reduction="none")
    array([0.5, 9.5])
    """
    if not delta > 0:
        raise ValueError(f"huber: delta is {delta!r}; expected a positive number")
    predictions, targets = _of_one_shape("huber", predictions, targets)
    error = np.abs(predictions - targets)
    near = np.minimum(error, delta)
    return _reduced("huber", 0.5 * near * near + delta * (error - near), reduction)


@scope("kl", kind="loss")
def kl(log_predictions: Array, targets: Array, reduction: Reduction = "mean") -> Array:
    """The Kullback-Leibler divergence of predicted probabilities from targets: sum(y (log(y) - log_predictions)).

    log_predictions: (..., classes), logarithms of probabilities, such as `log_softmax` gives; targets: probabilities of
    the same shape, where y log(y) is 0 at 0. Returns one number, or with reduction="none" one for each example, (...).
    The mean is that over the examples, which PyTorch calls "batchmean". Raises ValueError if the shapes differ, or
    for the mean of nothing.

    Source: S. Kullback and R. Leibler, "On information and sufficiency", 1951.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.nn.kl(np.log([[0.5, 0.5]]), np.array([[1.0, 0.0]])).round(4)
    np.float64(0.6931)
    """
    log_predictions, targets = operand(log_predictions), operand(targets)
    if np.shape(log_predictions) != np.shape(targets) or not np.shape(targets):
        raise ValueError(
            f"kl: log_predictions have shape {np.shape(log_predictions)} and targets {np.shape(targets)}; expected "
            "(..., classes) for both"
        )
    positive = np.greater(targets, 0)
    ratio = np.log(np.where(positive, targets, 1)) - log_predictions
    return _reduced("kl", np.sum(np.where(positive, targets * ratio, 0), -1), reduction)
