"""Losses of regression, of classification, of pairs, and of distributions."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

X = normal(1, 6, 3)
Y = 3 * normal(2, 6)
LINEAR = {"w": 2 * normal(3, 3)}


def huber(p: Parameters) -> Any:
    e = X @ p["w"] - Y
    return np.sum(np.where(np.abs(e) <= 1, 0.5 * e**2, np.abs(e) - 0.5))


@mistake(
    huber,
    LINEAR,
    source="https://github.com/BobMcDear/attorch/issues/13",
    step="de",
    cause="The threshold is compared with the signed difference: large negative ones take the quadratic branch.",
    fix={"np.where(e <= 1": "np.where(np.abs(e) <= 1"},
    says=r"abs|sign|where|branch",
)
def attorch_huber_signed(p: Parameters) -> dict[str, Any]:
    e = X @ p["w"] - Y
    de = np.where(e <= 1, e, np.sign(e))
    dw = X.T @ de
    return {"de": de, "dw": dw}


@mistake(
    huber,
    LINEAR,
    source="https://github.com/marlbenchmark/on-policy/issues/47",
    step="de",
    cause="The linear branch is taken for e > d, not for |e| > d: large negative errors get nothing.",
    fix={"b = e > 1": "b = np.abs(e) > 1"},
    says=r"abs|sign|\b0\b|branch|\[",
)
def on_policy_huber_one_side(p: Parameters) -> dict[str, Any]:
    e = X @ p["w"] - Y
    a = np.abs(e) <= 1
    b = e > 1
    de = a * e + b * np.sign(e)
    dw = X.T @ de
    return {"de": de, "dw": dw}


def weighted_huber(p: Parameters) -> Any:
    e = X @ p["w"] - Y
    y = np.where(np.abs(e) <= 1, 0.5 * e**2, np.abs(e) - 0.5)
    return np.sum(np.arange(1.0, 7.0) * y)


@mistake(
    weighted_huber,
    LINEAR,
    source="https://github.com/chainer/chainer/pull/1178",
    step="de",
    cause="The backward pass is right for cotangents of ones alone: that of the output is not multiplied in.",
    fix={"de = np.clip(e, -1, 1)": "de = dy * np.clip(e, -1, 1)"},
    says=r"dy|factor|missing",
)
def chainer_huber_cotangent(p: Parameters) -> dict[str, Any]:
    e = X @ p["w"] - Y
    dy = np.arange(1.0, 7.0)
    de = np.clip(e, -1, 1)
    dw = X.T @ de
    return {"dy": dy, "de": de, "dw": dw}


def pseudo_huber(p: Parameters) -> Any:
    e = X @ p["w"] - Y
    return np.sum(0.25 * (np.sqrt(1 + (e / 0.5) ** 2) - 1))


@mistake(
    pseudo_huber,
    LINEAR,
    source="https://github.com/RubixML/ML/pull/446",
    step="de",
    cause="A factor alpha is missing; it is 1 in the tests.",
    fix={"de = e / ": "de = 0.5 * e / "},
    says=r"2 times|alpha|0\.5",
)
def rubix_pseudo_huber_alpha(p: Parameters) -> dict[str, Any]:
    e = X @ p["w"] - Y
    de = e / np.sqrt(e**2 + 0.5**2)
    dw = X.T @ de
    return {"de": de, "dw": dw}


COUPLES = {"a": normal(4, 4, 3), "b": normal(5, 4, 3)}
SIMILAR = np.array([1.0, 0.0, 0.0, 1.0])


def contrastive(p: Parameters) -> Any:
    diff = p["a"] - p["b"]
    dist = np.sqrt(np.sum(diff**2, axis=1))
    return np.sum(SIMILAR * dist**2 + (1 - SIMILAR) * np.maximum(0, 4 - dist) ** 2) / 8


@mistake(
    contrastive,
    COUPLES,
    source="BVLC/caffe, src/caffe/layers/contrastive_loss_layer.cpp",
    step="ddiff",
    cause="There is 1e-4 in the denominator of the gradient of a distance that the loss does not have.",
    fix={"(dist + 1e-4)": "dist"},
    says=r"epsilon|0\.0001|1e-4",
)
def caffe_contrastive_epsilon(p: Parameters) -> dict[str, Any]:
    diff = p["a"] - p["b"]
    dist = np.sqrt(np.sum(diff**2, axis=1))
    beta = np.where(SIMILAR == 1, 1.0, -np.maximum(0, 4 - dist) / (dist + 1e-4))
    ddiff = beta[:, None] * diff / 4
    return {"ddiff": ddiff, "da": ddiff, "db": -ddiff}


TRIPLET = {"x": normal(6, 5, 3), "x1": normal(7, 5, 3), "x2": normal(8, 5, 3)}


def triplet(p: Parameters) -> Any:
    near = np.sum((p["x"] - p["x1"]) ** 2, axis=1)
    far = np.sum((p["x"] - p["x2"]) ** 2, axis=1)
    hinge = near - far + 1
    return np.sum(np.maximum(0, hinge))


@mistake(
    triplet,
    TRIPLET,
    source="https://github.com/xiaolonw/caffe-video_triplet/issues/2 (a question on what the gradient should be)",
    step="dx1",
    cause="The gradients of a scalar product, for normalised vectors, are used for distances.",
    fix={
        'dx1 = -2 * on * p["x"]': "dx1 = -2 * on * (p['x'] - p['x1'])",
        'dx2 = 2 * on * p["x"]': "dx2 = 2 * on * (p['x'] - p['x2'])",
    },
    says=r"x1|contribution|x instead",
)
def triplet_of_normalised_vectors(p: Parameters) -> dict[str, Any]:
    near = np.sum((p["x"] - p["x1"]) ** 2, axis=1)
    far = np.sum((p["x"] - p["x2"]) ** 2, axis=1)
    on = (near - far + 1 > 0)[:, None]
    dx = 2 * on * (p["x2"] - p["x1"])
    dx1 = -2 * on * p["x"]
    dx2 = 2 * on * p["x"]
    return {"dx": dx, "dx1": dx1, "dx2": dx2}


CATEGORICAL = {"a": normal(9, 3, 4)}


def categorical_divergence(p: Parameters) -> Any:
    e = np.exp(p["a"] - np.max(p["a"], axis=1, keepdims=True))
    q = e / np.sum(e, axis=1, keepdims=True)
    return np.sum(q * (np.log(q) - np.log(1 / 4)))


@mistake(
    categorical_divergence,
    CATEGORICAL,
    source="https://github.com/Kaixhin/Autoencoders/issues/9",
    step="dq",
    cause="The gradient of the divergence has the wrong sign.",
    fix={"np.log(1 / 4) - np.log(q) - 1": "np.log(q) + 1 - np.log(1 / 4)"},
    says=r"sign|minus",
)
def categorical_vae_sign(p: Parameters) -> dict[str, Any]:
    e = np.exp(p["a"] - p["a"].max(axis=1, keepdims=True))
    q = e / e.sum(axis=1, keepdims=True)
    dq = np.log(1 / 4) - np.log(q) - 1
    da = q * (dq - np.sum(dq * q, axis=1, keepdims=True))
    return {"dq": dq, "da": da}


GAUSSIAN = {"mu": normal(10, 3, 2), "logstd": 0.5 * normal(11, 3, 2)}


def gaussian_divergence(p: Parameters) -> Any:
    return -0.5 * np.sum(1 + 2 * p["logstd"] - p["mu"] ** 2 - np.exp(p["logstd"]) ** 2)


@mistake(
    gaussian_divergence,
    GAUSSIAN,
    source="https://github.com/pyg-team/pytorch_geometric/pull/1368",
    step="dlogstd",
    cause="The logarithm of the deviation is treated as the logarithm of the variance: a square is missing.",
    fix={"-0.5 * (1 - np.exp(logstd))": "-(1 - np.exp(2 * logstd))"},
    says=r"exp|square|\*\* 2|variance",
)
def graph_vae_logvar_for_logstd(p: Parameters) -> dict[str, Any]:
    mu, logstd = p["mu"], p["logstd"]
    dmu = mu
    dlogstd = -0.5 * (1 - np.exp(logstd))
    return {"dmu": dmu, "dlogstd": dlogstd}


KERNEL_X, KERNEL_Y = normal(12, 5, 2), normal(13, 5)
LENGTH = {"length": np.array(1.7)}


def gaussian_process(p: Parameters) -> Any:
    r2 = np.sum((KERNEL_X[:, None] - KERNEL_X) ** 2, axis=2)
    K = np.exp(-0.5 * r2 / p["length"] ** 2) + 0.1 * np.eye(5)
    S = np.linalg.inv(K)
    return 0.5 * KERNEL_Y @ S @ KERNEL_Y


@mistake(
    gaussian_process,
    LENGTH,
    source="https://github.com/scikit-learn/scikit-learn/issues/11113 (right, but of the logarithm)",
    step="dlength",
    cause="The gradient is that with respect to the logarithm of the length: its power is -2 instead of -3.",
    fix={"K * r2 / length**2": "K * r2 / length**3"},
    says=r"length|1\.7",
)
def sklearn_length_scale(p: Parameters) -> dict[str, Any]:
    length = p["length"]
    r2 = np.sum((KERNEL_X[:, None] - KERNEL_X) ** 2, axis=2)
    K = np.exp(-0.5 * r2 / length**2)
    S = np.linalg.inv(K + 0.1 * np.eye(5))
    alpha = S @ KERNEL_Y
    dK = -0.5 * np.outer(alpha, alpha)
    dlength = np.sum(dK * K * r2 / length**2)
    return {"dK": dK, "dlength": dlength}


QUERY = {"x": normal(14, 2)}
ELL = 1.6


def posterior_mean(p: Parameters) -> Any:
    d = p["x"] - KERNEL_X
    k = np.exp(-0.5 * np.sum(d**2, axis=1) / ELL**2)
    return k @ KERNEL_Y


@mistake(
    posterior_mean,
    QUERY,
    source="https://github.com/sarmueller/gibo/issues/3",
    step="dd",
    cause="The length scale is not squared in the gradient of the kernel.",
    fix={"* d / ELL": "* d / ELL**2"},
    says=r"ELL|1\.6",
)
def gibo_length_not_squared(p: Parameters) -> dict[str, Any]:
    d = p["x"] - KERNEL_X
    k = np.exp(-0.5 * np.sum(d**2, axis=1) / ELL**2)
    dk = KERNEL_Y
    dd = -(dk * k)[:, None] * d / ELL
    dx = dd.sum(axis=0)
    return {"dk": dk, "dd": dd, "dx": dx}


CERTAIN = {"prediction": 1 / (1 + np.exp(-normal(80, 5, 3)))}
ACTUAL = (normal(81, 5, 3) > 0).astype(float)


def binary_cross_entropy(p: Parameters) -> Any:
    q = p["prediction"]
    return -np.mean(ACTUAL * np.log(q) + (1 - ACTUAL) * np.log(1 - q))


@mistake(
    binary_cross_entropy,
    CERTAIN,
    source="Vexives/caspian 1.1.0, caspian/losses/BinaryCrossEntropy.py (BinaryCrossEntropy.backward)",
    step="dprediction",
    cause="It is the gradient with respect to the logits, and of a sum: nothing is divided by p (1 - p).",
    fix={"dprediction = q - ACTUAL": "dprediction = (q - ACTUAL) / (q * (1 - q)) / ACTUAL.size"},
    says=r"1/15|15 times|mean|logit|1 - q|1 - prediction",
)
def caspian_binary_cross_entropy(p: Parameters) -> dict[str, Any]:
    q = p["prediction"]
    dprediction = q - ACTUAL
    return {"dprediction": dprediction}


COLUMN = {"prediction": normal(90, 5, 1)}
ROW = normal(91, 5)


def absolute_differences(p: Parameters) -> Any:
    e = p["prediction"] - ROW
    return np.sum(np.abs(e)) / 5


@mistake(
    absolute_differences,
    COLUMN,
    source="wiseodd/hipsternet, hipsternet/loss.py (l1_regression and dl1_regression)",
    step="dprediction",
    cause="The forward pass broadcasts a column with a row, and compares each with all; the gradient is of pairs.",
    fix={
        'np.sign(p["prediction"] - ROW.reshape(-1, 1))': 'np.sum(np.sign(p["prediction"] - ROW), axis=1, keepdims=True)'
    },
    says=r"broadcast|sum|shape|axis",
)
def hipsternet_broadcast_target_backward(p: Parameters) -> dict[str, Any]:
    dprediction = np.sign(p["prediction"] - ROW.reshape(-1, 1)) / 5
    return {"dprediction": dprediction}


EMBEDDED = {"anchor": normal(110, 5, 3), "positive": normal(111, 5, 3), "negative": normal(112, 5, 3)}


def triplet_embedding(p: Parameters) -> Any:
    near = np.sum((p["anchor"] - p["positive"]) ** 2, axis=1)
    far = np.sum((p["anchor"] - p["negative"]) ** 2, axis=1)
    hinge = np.maximum(0, near - far + 0.2)
    return np.mean(hinge)


@mistake(
    triplet_embedding,
    EMBEDDED,
    source="https://github.com/Atcold/torch-TripletEmbedding/issues/6 (a correction that was proposed)",
    step="dpositive dnegative",
    cause="The vectors are taken to be of unit length, which the loss does not know: a term is left out.",
    fix={
        "dpositive = scale * -a": "dpositive = scale * (b - a)",
        "dnegative = scale * a": "dnegative = scale * (a - c)",
    },
    says=r"term|missing|positive|negative",
)
def torch_triplet_unit_vectors(p: Parameters) -> dict[str, Any]:
    a, b, c = p["anchor"], p["positive"], p["negative"]
    hinge = np.sum((a - b) ** 2, axis=1) - np.sum((a - c) ** 2, axis=1) + 0.2
    scale = 2 * (hinge > 0)[:, None] / len(a)
    danchor = scale * (c - b)
    dpositive = scale * -a
    dnegative = scale * a
    return {"danchor": danchor, "dpositive": dpositive, "dnegative": dnegative}


RANKED = {"query": normal(113, 4, 3), "similar": normal(114, 4, 3), "dissimilar": normal(115, 4, 3)}


def ranking_hinge(p: Parameters) -> Any:
    margin = 1 - np.sum(p["query"] * (p["similar"] - p["dissimilar"]), axis=1)
    hinge = np.maximum(0, margin)
    return np.sum(hinge) / 4


@mistake(
    ranking_hinge,
    RANKED,
    source="https://github.com/BVLC/caffe/pull/603 (the query's diff, which the tests check)",
    step="dquery",
    cause="The gradient of the query is never computed, and stays 0.",
    fix={"dquery = np.zeros_like(q)": "dquery = -active * (s - d)"},
    says=r"\b0\b|zero|missing|nothing",
)
def caffe_ranking_query(p: Parameters) -> dict[str, Any]:
    q, s, d = p["query"], p["similar"], p["dissimilar"]
    active = ((1 - np.sum(q * (s - d), axis=1)) > 0)[:, None] / 4
    dquery = np.zeros_like(q)
    dsimilar = -active * q
    ddissimilar = active * q
    return {"dquery": dquery, "dsimilar": dsimilar, "ddissimilar": ddissimilar}


FRAMES = {"logp": np.log(np.abs(normal(116, 2, 3, 4)) + 0.2)}
ALIGNMENTS = [np.array(path) for path in ((1, 2, 2), (1, 1, 2), (0, 1, 2), (1, 0, 2), (1, 2, 0))]  # of "12", blank 0
IMPORTANCE = np.array([0.4, 1.7])


def connectionist(p: Parameters) -> Any:
    nll = [-np.log(sum(np.exp(np.sum(p["logp"][b, np.arange(3), path])) for path in ALIGNMENTS)) for b in range(2)]
    return np.sum(IMPORTANCE * np.stack(nll))


@mistake(
    connectionist,
    FRAMES,
    source="https://github.com/pytorch/pytorch/issues/11750",
    step="dlogp",
    cause="The cotangent of each sequence's loss is not multiplied in.",
    fix={"dlogp[b] -= posterior": "dlogp[b] -= IMPORTANCE[b] * posterior"},
    says=r"IMPORTANCE|cotangent|factor|weight",
)
def pytorch_ctc_cotangent_gradient(p: Parameters) -> dict[str, Any]:
    logp, frames = p["logp"], np.arange(3)
    dlogp = np.zeros_like(logp)
    for b in range(2):
        scores = np.array([np.exp(np.sum(logp[b, frames, path])) for path in ALIGNMENTS])
        posterior = np.zeros((3, 4))
        for path, share in zip(ALIGNMENTS, scores / scores.sum(), strict=True):
            posterior[frames, path] += share
        dlogp[b] -= posterior
    return {"dlogp": dlogp}


SIGNED = {"w": normal(117, 3)}
LABELLED = np.array([1.0, -1.0, 1.0, 1.0, -1.0, 1.0])


def logistic_of_margins(p: Parameters) -> Any:
    m = LABELLED * (X @ p["w"])
    return np.sum(np.log(1 + np.exp(-m)))


@mistake(
    logistic_of_margins,
    SIGNED,
    source="https://github.com/Yorko/mlcourse.ai/issues/640 (the minus in the argument of sigma)",
    step="dm",
    cause="The sigmoid is taken of the margin instead of minus the margin.",
    fix={"dm = -1 / (1 + np.exp(-m))": "dm = -1 / (1 + np.exp(m))"},
    says=r"sign|minus|-m|1 - |exp\(m\)",
)
def mlcourse_margin_sign(p: Parameters) -> dict[str, Any]:
    m = LABELLED * (X @ p["w"])
    dm = -1 / (1 + np.exp(-m))
    dw = X.T @ (LABELLED * dm)
    return {"dm": dm, "dw": dw}


WRAPPED = {"logits": normal(118, 4, 5)}
NEXT_WORD = np.array([0, 3, 1, 4])
OUTER = 0.3


def cross_entropy_with_penalty(p: Parameters) -> Any:
    e = np.exp(p["logits"] - np.max(p["logits"], axis=1, keepdims=True))
    s = e / np.sum(e, axis=1, keepdims=True)
    largest = np.max(p["logits"], axis=1)
    return OUTER * (-np.mean(np.log(s[np.arange(4), NEXT_WORD])) + 0.1 * np.sum(largest**2))


@mistake(
    cross_entropy_with_penalty,
    WRAPPED,
    source="https://github.com/fla-org/flash-linear-attention/pull/963",
    step="dlogits",
    cause="The gradient of the penalty is not multiplied by the cotangent from above, that of the loss is.",
    fix={"dlogits = OUTER * dce + glogits": "dlogits = OUTER * dce + OUTER * glogits"},
    says=r"OUTER|0\.3|factor|cotangent",
)
def fla_l2wrap_unscaled_backward(p: Parameters) -> dict[str, Any]:
    logits = p["logits"]
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    dce = (e / e.sum(axis=1, keepdims=True) - np.eye(5)[NEXT_WORD]) / 4
    glogits = 0.2 * logits * (logits == logits.max(axis=1, keepdims=True))
    dlogits = OUTER * dce + glogits
    return {"dlogits": dlogits}
