"""Gradients derived by hand, right ones and ones into which a mistake was planted, each of a named kind.

A `System` is a loss and its gradient by hand, step by step; a step is a place for a mistake. `MUTANTS` are mistakes,
with the step that they are in and words that name the cause; `RIGHT` are gradients without one, at kinks and ties too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import tinygrad_cnn as tg

Step = Callable[..., Any]  # step(name, right value, *what it was computed from)
Parameters = dict[str, Any]


class System(NamedTuple):
    """A loss of a dict of parameters, its gradient by hand through `step`, and a point."""

    name: str
    loss: Callable[[Parameters], Any]
    by_hand: Callable[[Parameters, Step], dict[str, Any]]
    point: Parameters


class Mutant(NamedTuple):
    """A mistake in a step: `mistake` is given what the step was computed from, and gives the wrong value.

    cause   words that the explanation has to have; None if none of those that are known is meant to hold
    """

    system: System
    kind: str
    step: str
    mistake: Callable[..., Any]
    cause: str | None

    def by_hand(self, p: Parameters) -> dict[str, Any]:
        """The gradient with the mistake in it."""

        def step(name: str, right: Any, *context: Any) -> Any:
            return self.mistake(right, *context) if name == self.step else right

        return self.system.by_hand(p, step)


class Right(NamedTuple):
    """A gradient by hand with nothing wrong, and what is special about it."""

    name: str
    loss: Callable[[Parameters], Any]
    by_hand: Callable[[Parameters], dict[str, Any]]
    point: Parameters


def plain(name: str, right: Any, *context: Any) -> Any:
    """A step without a mistake."""
    return right


def _named(local: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in local.items() if name.startswith("dL_d")}


RNG = np.random.default_rng(7)


def normal(*shape: int) -> Any:
    return RNG.standard_normal(shape)


# The article's kind of CNN, small, and its gradient as the article goes about it.

IMAGES, KINDS = 3 * RNG.random((4, 6, 6)), np.array([[0.0, 1.0, 0.0, 1.0]])


def cnn_loss(p: Parameters) -> Any:
    padded = np.pad(IMAGES, ((0, 0), (1, 1), (1, 1)))
    columns = tg.im2col(padded, 3)
    conv = (p["Wc"].reshape(1, 9) @ columns).reshape(4, 6, 6) + p["Bc"]
    relu = np.maximum(0, conv)
    max_pool = tg.max_pool2d(relu, 2)
    flatten = max_pool.reshape(4, 9)
    fc = p["Wf"] @ flatten.T + p["Bf"]
    sigma = tg.sigmoid(fc)
    return np.sum(-KINDS * np.log(sigma) - (1 - KINDS) * np.log(1 - sigma))


def cnn_by_hand(p: Parameters, step: Step) -> dict[str, Any]:
    columns = tg.im2col(np.pad(IMAGES, ((0, 0), (1, 1), (1, 1))), 3)
    conv = (p["Wc"].reshape(1, 9) @ columns).reshape(4, 6, 6) + p["Bc"]
    relu = np.maximum(0, conv)
    max_pool = relu.reshape(4, 3, 2, 3, 2).max(axis=(2, 4))
    flatten = max_pool.reshape(4, 9)
    sigma = 1 / (1 + np.exp(-(p["Wf"] @ flatten.T + p["Bf"])))
    dL_dsigma = step("dL_dsigma", -KINDS / sigma + (1 - KINDS) / (1 - sigma), sigma)
    dL_dfc = step("dL_dfc", dL_dsigma * sigma * (1 - sigma), dL_dsigma, sigma)
    dL_dWf = step("dL_dWf", dL_dfc @ flatten)
    dL_dBf = step("dL_dBf", np.sum(dL_dfc, keepdims=True))
    dL_dflatten = step("dL_dflatten", dL_dfc.T @ p["Wf"])
    dL_dmax_pool = step("dL_dmax_pool", dL_dflatten.reshape(4, 3, 3))
    is_max = relu == max_pool.repeat(2, 1).repeat(2, 2)
    shares = is_max.reshape(4, 3, 2, 3, 2).sum(axis=(2, 4)).repeat(2, 1).repeat(2, 2)
    whole = dL_dmax_pool.repeat(2, 1).repeat(2, 2)
    dL_drelu = step("dL_drelu", is_max * whole / shares, is_max, whole)
    dL_dconv = step("dL_dconv", dL_drelu * (conv > 0), dL_drelu, conv)
    dL_dWc = step("dL_dWc", np.einsum("bkl,bl->k", columns, dL_dconv.reshape(4, 36)).reshape(3, 3))
    dL_dBc = step("dL_dBc", np.sum(dL_dconv).reshape(1, 1), dL_dconv)
    return _named(locals())


CNN = System(
    "CNN", cnn_loss, cnn_by_hand,
    {"Wc": normal(3, 3), "Bc": np.array([[-1.0]]), "Wf": 0.3 * normal(1, 9), "Bf": 0.1 * normal(1, 1)},
)  # fmt: skip

# A net of two layers.

X, T = normal(7, 3), normal(7, 2)


def dense_loss(p: Parameters) -> Any:
    z = X @ p["W1"].T + p["b1"]  # (batch, 5)
    h = np.tanh(z)
    out = h @ p["W2"].T + p["b2"]  # (batch, 2)
    error = out - T
    return np.mean(error**2)


def dense_by_hand(p: Parameters, step: Step) -> dict[str, Any]:
    h = np.tanh(X @ p["W1"].T + p["b1"])
    dL_derror = step("dL_derror", 2 * (h @ p["W2"].T + p["b2"] - T) / T.size)
    dL_dout = step("dL_dout", dL_derror)
    dL_dW2 = step("dL_dW2", dL_dout.T @ h)
    dL_db2 = step("dL_db2", dL_dout.sum(axis=0), dL_dout)
    dL_dh = step("dL_dh", dL_dout @ p["W2"])
    dL_dz = step("dL_dz", dL_dh * (1 - h * h), dL_dh, h)
    dL_dW1 = step("dL_dW1", dL_dz.T @ X)
    dL_db1 = step("dL_db1", dL_dz.sum(axis=0), dL_dz)
    return _named(locals())


DENSE = System(
    "dense net", dense_loss, dense_by_hand, {"W1": normal(5, 3), "b1": normal(5), "W2": normal(2, 5), "b2": normal(2)}
)

# Softmax and cross-entropy.

FEATURES, CLASSES = normal(6, 4), np.eye(3)[[0, 2, 1, 1, 0, 2]]


def softmax(z: Any) -> Any:
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def softmax_loss(p: Parameters) -> Any:
    logits = FEATURES @ p["W"].T + p["b"]  # (batch, 3)
    probabilities = tg.named(softmax(logits), "probabilities")
    return -np.sum(CLASSES * np.log(probabilities)) / len(CLASSES)


def softmax_by_hand(p: Parameters, step: Step) -> dict[str, Any]:
    probabilities = softmax(FEATURES @ p["W"].T + p["b"])
    dL_dprobabilities = step("dL_dprobabilities", -CLASSES / probabilities / 6, probabilities)
    inner = np.sum(dL_dprobabilities * probabilities, axis=-1, keepdims=True)
    dL_dlogits = step("dL_dlogits", probabilities * (dL_dprobabilities - inner), dL_dprobabilities, probabilities)
    dL_dW = step("dL_dW", dL_dlogits.T @ FEATURES)
    dL_db = step("dL_db", dL_dlogits.sum(axis=0), dL_dlogits)
    return _named(locals())


SOFTMAX = System("softmax", softmax_loss, softmax_by_hand, {"W": normal(3, 4), "b": normal(3)})

# A convolution with a stride of 2 and windows of 3, which overlap; of its input too.


def strided_loss(p: Parameters) -> Any:
    padded = np.pad(p["x"], 1)  # (9, 9)
    columns = tg.im2col(padded, 3, 2)  # (9, 16)
    conv = p["w"] @ columns  # (16,)
    return np.sum(np.sin(conv))


def strided_by_hand(p: Parameters, step: Step) -> dict[str, Any]:
    columns = tg.im2col(np.pad(p["x"], 1), 3, 2)
    dL_dconv = step("dL_dconv", np.cos(p["w"] @ columns), p["w"] @ columns)
    dL_dw = step("dL_dw", columns @ dL_dconv)
    dL_dcolumns = step("dL_dcolumns", p["w"][:, None] * dL_dconv)
    added, assigned = np.zeros((9, 9)), np.zeros((9, 9))
    for place in range(16):
        i, j = 2 * (place // 4), 2 * (place % 4)
        added[i : i + 3, j : j + 3] += dL_dcolumns[:, place].reshape(3, 3)
        assigned[i : i + 3, j : j + 3] = dL_dcolumns[:, place].reshape(3, 3)
    dL_dpadded = step("dL_dpadded", added, assigned)
    dL_dx = step("dL_dx", dL_dpadded[1:-1, 1:-1], dL_dpadded)
    return _named(locals())


STRIDED = System("strided convolution", strided_loss, strided_by_hand, {"w": normal(9), "x": normal(7, 7)})

# Batch normalisation.

BATCH, WEIGHT = normal(8, 3), normal(8, 3)


def batch_norm_loss(p: Parameters) -> Any:
    mean = np.mean(p["x"], axis=0)
    centred = p["x"] - mean
    variance = np.mean(centred**2, axis=0)
    scale = 1 / np.sqrt(variance + 1e-5)
    normed = centred * scale
    out = p["gamma"] * normed + p["beta"]
    return np.sum(WEIGHT * np.tanh(out))


def batch_norm_by_hand(p: Parameters, step: Step) -> dict[str, Any]:
    n = len(p["x"])
    centred = p["x"] - p["x"].mean(axis=0)
    scale = 1 / np.sqrt((centred**2).mean(axis=0) + 1e-5)
    normed = centred * scale
    out = p["gamma"] * normed + p["beta"]
    dL_dout = step("dL_dout", WEIGHT * (1 - np.tanh(out) ** 2))
    dL_dgamma = step("dL_dgamma", np.sum(dL_dout * normed, axis=0), dL_dout, normed)
    dL_dbeta = step("dL_dbeta", np.sum(dL_dout, axis=0))
    dL_dnormed = step("dL_dnormed", dL_dout * p["gamma"], dL_dout)
    dL_dscale = step("dL_dscale", np.sum(dL_dnormed * centred, axis=0))
    dL_dvariance = step("dL_dvariance", -0.5 * dL_dscale * scale**3, dL_dscale, scale)
    dL_dcentred = step("dL_dcentred", dL_dnormed * scale + 2 / n * centred * dL_dvariance, dL_dnormed * scale)
    dL_dmean = step("dL_dmean", -dL_dcentred.sum(axis=0))
    dL_dx = step("dL_dx", dL_dcentred + dL_dmean / n, dL_dcentred)
    return _named(locals())


BATCH_NORM = System(
    "batch norm",
    batch_norm_loss,
    batch_norm_by_hand,
    {"x": BATCH, "gamma": 1 + 0.1 * normal(3), "beta": 0.1 * normal(3)},
)

# Layer normalisation: the same along the other axis, from a weight on.

ROWS, GOAL = normal(5, 4), normal(5, 4)


def layer_norm_loss(p: Parameters) -> Any:
    h = ROWS @ p["W"]
    centred = h - np.mean(h, axis=1, keepdims=True)
    deviation = np.sqrt(np.mean(centred**2, axis=1, keepdims=True) + 1e-5)
    normed = centred / deviation
    return np.sum(GOAL * normed) / 5


def layer_norm_by_hand(p: Parameters, step: Step) -> dict[str, Any]:
    h = ROWS @ p["W"]
    centred = h - h.mean(axis=1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
    dL_dnormed = step("dL_dnormed", GOAL / 5)
    dL_ddeviation = step(
        "dL_ddeviation", -np.sum(dL_dnormed * centred, axis=1, keepdims=True) / deviation**2, deviation
    )
    direct = dL_dnormed / deviation
    dL_dcentred = step("dL_dcentred", direct + dL_ddeviation * centred / (4 * deviation), direct, centred)
    dL_dh = step("dL_dh", dL_dcentred - dL_dcentred.mean(axis=1, keepdims=True), dL_dcentred)
    dL_dW = step("dL_dW", ROWS.T @ dL_dh, dL_dh)
    return _named(locals())


LAYER_NORM = System("layer norm", layer_norm_loss, layer_norm_by_hand, {"W": normal(4, 4)})

# Attention, of one head.

TOKENS, VALUE_WEIGHT = normal(5, 4), normal(5, 3)


def attention_loss(p: Parameters) -> Any:
    query = TOKENS @ p["Q"]  # (5, 3)
    key = TOKENS @ p["K"]
    value = TOKENS @ p["V"]
    scores = query @ key.T / np.sqrt(3)  # (5, 5)
    weights = tg.named(softmax(scores), "weights")
    mixed = weights @ value
    return np.sum(VALUE_WEIGHT * mixed)


def attention_by_hand(p: Parameters, step: Step) -> dict[str, Any]:
    query, key, value = TOKENS @ p["Q"], TOKENS @ p["K"], TOKENS @ p["V"]
    weights = softmax(query @ key.T / np.sqrt(3))
    dL_dmixed = step("dL_dmixed", VALUE_WEIGHT)
    dL_dvalue = step("dL_dvalue", weights.T @ dL_dmixed, weights @ dL_dmixed)
    dL_dweights = step("dL_dweights", dL_dmixed @ value.T)
    inner = np.sum(dL_dweights * weights, axis=-1, keepdims=True)
    dL_dscores = step("dL_dscores", weights * (dL_dweights - inner), dL_dweights, weights)
    dL_dquery = step("dL_dquery", dL_dscores @ key / np.sqrt(3))
    dL_dkey = step("dL_dkey", dL_dscores.T @ query / np.sqrt(3), dL_dscores @ query / np.sqrt(3))
    dL_dQ = step("dL_dQ", TOKENS.T @ dL_dquery)
    dL_dK = step("dL_dK", TOKENS.T @ dL_dkey)
    dL_dV = step("dL_dV", TOKENS.T @ dL_dvalue)
    return _named(locals())


ATTENTION = System(
    "attention", attention_loss, attention_by_hand, {"Q": normal(4, 3), "K": normal(4, 3), "V": normal(4, 3)}
)

# On a background of zeros with a bias of its own, windows tie; at a bias of zero, the ReLU is at its kink.

FLAT = {**CNN.point, "Bc": np.array([[0.4]])}


def cnn_on_background(bias: float) -> System:
    images = np.where(np.arange(36).reshape(6, 6) < 15, IMAGES, 0.0)
    point = {**CNN.point, "Bc": np.array([[bias]])}

    def on(images: Any, function: Callable[..., Any]) -> Callable[..., Any]:
        def with_images(*args: Any) -> Any:
            global IMAGES
            before, IMAGES = IMAGES, images
            try:
                return function(*args)
            finally:
                IMAGES = before

        return with_images

    return System("CNN with ties" if bias else "CNN at a kink", on(images, cnn_loss), on(images, cnn_by_hand), point)


TIED, AT_KINK = cnn_on_background(0.4), cnn_on_background(0.0)

SIGN, DOUBLED, HALVED = (lambda g, *_: -g), (lambda g, *_: 2 * g), (lambda g, *_: g / 2)

MUTANTS = [
    Mutant(CNN, "sign", "dL_dsigma", SIGN, "the sign is wrong"),
    Mutant(CNN, "missing chain factor", "dL_dfc", lambda g, dL_dsigma, s: dL_dsigma,
           "the factor sigma * (1 - sigma) is missing"),
    Mutant(CNN, "epsilon in a denominator", "dL_dsigma",
           lambda g, s: -KINDS / (s + 1e-4) + (1 - KINDS) / (1 - s + 1e-4), "an epsilon of 0.0001 in a denominator"),
    Mutant(CNN, "the article's shifted sigma", "dL_dsigma",
           lambda g, s: -KINDS / (s + 1e-4) + (1 - KINDS) / (1 - (s + 1e-4)),
           "there is an epsilon of 0.0001, added to sigma"),
    Mutant(CNN, "mean for sum", "dL_dWf", lambda g: g / 4, "perhaps a mean instead of a sum"),
    Mutant(CNN, "constant factor", "dL_dflatten", lambda g: 3 * g, "it is 3 times"),
    Mutant(CNN, "transposed", "dL_dWc", lambda g: g.T, "it is transposed"),
    Mutant(CNN, "off-by-one window", "dL_dWc", lambda g: np.roll(g, 1, axis=0), "it is off by one along axis 0"),
    Mutant(CNN, "convolution for cross-correlation", "dL_dWc", lambda g: g[::-1, ::-1].copy(), "it is reversed"),
    Mutant(CNN, "missing sum", "dL_dBc", lambda g, dL_dconv: dL_dconv, "the sum over axes (0, 1, 2) is missing"),
    Mutant(CNN, "rounded to float32", "dL_dconv", lambda g, *_: g.astype(np.float32), "computed in float32"),
    Mutant(CNN, "ReLU left out", "dL_dconv", lambda g, dL_drelu, conv: dL_drelu,
           "the factor conv > 0 is missing"),
    Mutant(CNN, "permuted axes", "dL_dmax_pool", lambda g: g.transpose(0, 2, 1), "the axes of it are permuted"),
    Mutant(TIED, "ties counted in full", "dL_drelu", lambda g, is_max, whole: is_max * whole,
           "ties are counted in full"),
    Mutant(DENSE, "sign", "dL_db1", SIGN, "the sign is wrong"),
    Mutant(DENSE, "forgotten 2", "dL_derror", HALVED, "the factor 2 is missing"),
    Mutant(DENSE, "doubled", "dL_dh", DOUBLED, "it is 2 times"),
    Mutant(DENSE, "batch summed, not averaged", "dL_derror", lambda g: 7 * g, "perhaps a sum instead of a mean"),
    Mutant(DENSE, "missing chain factor", "dL_dz", lambda g, dL_dh, h: dL_dh,
           "the factor 1 - h ** 2 is missing"),
    Mutant(DENSE, "a factor too many", "dL_dz", lambda g, dL_dh, h: g * (1 - h * h),
           "the factor 1 - h ** 2 is there twice"),
    Mutant(DENSE, "transposed", "dL_dW2", lambda g: g.T, "it is transposed: shape (5, 2) instead of (2, 5)"),
    Mutant(DENSE, "missing sum over the batch", "dL_db1", lambda g, dL_dz: dL_dz, "the sum over axis 0 is missing"),
    Mutant(DENSE, "assigned in a loop over the batch", "dL_db1", lambda g, dL_dz: dL_dz[-1].copy(),
           "only the last along axis 0 counts"),
    Mutant(DENSE, "mean for sum", "dL_db2", lambda g, d: d.mean(axis=0), "perhaps a mean instead of a sum"),
    Mutant(DENSE, "extra sum", "dL_dh", lambda g: np.broadcast_to(g.sum(0), g.shape),
           "it is replaced by its sum over axis 0"),
    Mutant(DENSE, "rounded to float32", "dL_dW1", lambda g: g.astype(np.float32), "computed in float32"),
    Mutant(SOFTMAX, "sign", "dL_dlogits", SIGN, "the sign is wrong"),
    Mutant(SOFTMAX, "batch not averaged", "dL_dlogits", lambda g, *_: 6 * g, "perhaps a sum instead of a mean"),
    Mutant(SOFTMAX, "epsilon in a denominator", "dL_dprobabilities", lambda g, q: -CLASSES / (q + 1e-3) / 6,
           "an epsilon of 0.001 in a denominator"),
    Mutant(SOFTMAX, "sigmoid's derivative for softmax's", "dL_dlogits", lambda g, d, q: d * q * (1 - q), None),
    Mutant(SOFTMAX, "transposed", "dL_dW", lambda g: g.T, "it is transposed"),
    Mutant(SOFTMAX, "missing sum", "dL_db", lambda g, d: d, "the sum over axis 0 is missing"),
    Mutant(STRIDED, "assigned instead of added", "dL_dpadded", lambda g, assigned: assigned,
           "it is assigned, and should be added"),
    Mutant(STRIDED, "padding not cropped", "dL_dx", lambda g, padded: padded, "the padding is not cropped"),
    Mutant(STRIDED, "cropped at the wrong corner", "dL_dx", lambda g, padded: padded[:7, :7],
           "it keeps the upper left corner"),
    Mutant(STRIDED, "missing chain factor", "dL_dconv", lambda g, conv: np.ones_like(g),
           "the factor np.cos(conv) is missing"),
    Mutant(STRIDED, "off by one", "dL_dw", lambda g: np.roll(g, -1), "is off by one along axis 0"),
    Mutant(STRIDED, "sign", "dL_dcolumns", SIGN, "the sign is wrong"),
    Mutant(BATCH_NORM, "factor of the values missing", "dL_dgamma", lambda g, d, normed: d.sum(axis=0),
           "the factor normed is missing"),
    Mutant(BATCH_NORM, "scale left out", "dL_dnormed", lambda g, d: d, "the factor gamma is missing"),
    Mutant(BATCH_NORM, "variance held constant", "dL_dcentred", lambda g, direct: direct, "is missing"),
    Mutant(BATCH_NORM, "mean held constant", "dL_dx", lambda g, dL_dcentred: dL_dcentred, "is missing"),
    Mutant(BATCH_NORM, "sign of the mean's contribution", "dL_dx", lambda g, dL_dcentred: 2 * dL_dcentred - g,
           "the sign of dL_dmean"),
    Mutant(BATCH_NORM, "forgotten half", "dL_dvariance", lambda g, d, s: 2 * g, "the division by 2 is missing"),
    Mutant(BATCH_NORM, "wrong power", "dL_dvariance", lambda g, d, s: -0.5 * d * s**2,
           "scale ** 2 stands where scale ** 3 should"),
    Mutant(LAYER_NORM, "deviation held constant", "dL_dcentred", lambda g, direct, c: direct, "is missing"),
    Mutant(LAYER_NORM, "mean held constant", "dL_dh", lambda g, dL_dcentred: dL_dcentred, "is missing"),
    Mutant(LAYER_NORM, "wrong power", "dL_ddeviation", lambda g, d: g * d, "the division by deviation is missing"),
    Mutant(LAYER_NORM, "batch not averaged", "dL_dnormed", lambda g: 5 * g, "perhaps a sum instead of a mean"),
    Mutant(LAYER_NORM, "transposed", "dL_dW", lambda g, d: g.T, "it is transposed"),
    Mutant(ATTENTION, "transposed weights", "dL_dvalue", lambda g, other: other, "weights is not transposed"),
    Mutant(ATTENTION, "scores transposed", "dL_dkey", lambda g, other: other, "is not transposed"),
    Mutant(ATTENTION, "scale left out", "dL_dquery", lambda g: g * np.sqrt(3), "the division by np.sqrt(3) is missing"),
    Mutant(ATTENTION, "softmax's sum left out", "dL_dscores", lambda g, d, w: w * d,
           "is missing"),
    Mutant(ATTENTION, "sign", "dL_dK", SIGN, "the sign is wrong"),
    Mutant(ATTENTION, "doubled", "dL_dweights", DOUBLED, "it is 2 times"),
    Mutant(ATTENTION, "a factor too many", "dL_dscores", lambda g, d, w: g * w, "the factor weights is there twice"),
]  # fmt: skip


def _right(system: System, name: str | None = None, **changes: Any) -> Right:
    return Right(
        name or system.name, system.loss, lambda p: system.by_hand(p, plain), {**system.point, **changes}
    )  # fmt: skip


def _elementwise(name: str, f: Callable[..., Any], slope: Callable[..., Any], w: Any) -> Right:
    return Right(name, lambda p: np.sum(f(p["w"])), lambda p: {"w": slope(p["w"])}, {"w": np.array(w)})


RIGHT = [
    *[_right(s) for s in (CNN, DENSE, SOFTMAX, STRIDED, BATCH_NORM, LAYER_NORM, ATTENTION)],
    _right(TIED, "CNN, windows tied"),
    _right(AT_KINK, "CNN, ReLU at 0"),
    _elementwise("ReLU at 0, slope 0", lambda w: np.maximum(0, w), lambda w: (w > 0) * 1.0, [-1.0, 0.0, 2.0]),
    _elementwise("ReLU at 0, slope 1", lambda w: np.maximum(0, w), lambda w: (w >= 0) * 1.0, [-1.0, 0.0, 2.0]),
    _elementwise("|w| at 0", np.abs, np.sign, [-1.0, 0.0, 2.0]),
    _elementwise("a kink within a step of differences", np.abs, np.sign, [1e-8, -1e-7, 1.0]),
    _elementwise("clip at its ends", lambda w: np.clip(w, -1, 1), lambda w: (np.abs(w) < 1) * 1.0, [-1.0, 0.5, 1.0]),
    Right(
        "the largest of equals", lambda p: np.max(p["w"]), lambda p: {"w": np.array([1.0, 0.0, 0.0])},
        {"w": np.array([2.0, 2.0, 1.0])},
    ),
    Right("a sorted pair that ties", lambda p: np.sort(p["w"])[0], lambda p: {"w": np.array([1.0, 0.0])},
          {"w": np.array([2.0, 2.0])}),
    Right("badly scaled", lambda p: 1e9 * p["w"] ** 3 + p["v"], lambda p: {"w": 3e9 * p["w"] ** 2, "v": 1.0},
          {"w": 1e-4, "v": 1e6}),
    Right("nearly cancelled", lambda p: (1e6 + p["w"]) - 1e6, lambda p: {"w": 1.0}, {"w": 0.5}),
]  # fmt: skip
