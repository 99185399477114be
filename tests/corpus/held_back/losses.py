"""Losses of regression, of classification, of pairs, and of distributions."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

X = normal(1, 6, 3)
LINEAR = {"w": 2 * normal(3, 3)}
SIGNS = np.array([1.0, -1.0, 1.0, 1.0, -1.0, -1.0])


def modified_huber(p: Parameters) -> Any:
    f = X @ p["w"]
    d = SIGNS * f
    return np.sum(np.where(d < -1, -4 * d, np.maximum(0, 1 - d) ** 2))


@mistake(
    modified_huber,
    {"w": 0.4 * LINEAR["w"]},
    source="https://github.com/stdlib-js/stdlib/issues/13111",
    step="dd",
    cause="The quadratic branch lacks its factor 2.",
    fix={"-np.maximum(0, 1 - d)": "-2 * np.maximum(0, 1 - d)"},
    says=r"1/2|2 \*|factor 2|half",
)
def stdlib_modified_huber(p: Parameters) -> dict[str, Any]:
    f = X @ p["w"]
    d = SIGNS * f
    dd = np.where(d < -1, -4.0, -np.maximum(0, 1 - d))
    df = dd * SIGNS
    dw = X.T @ df
    return {"dd": dd, "df": df, "dw": dw}


COUPLES = {"a": normal(4, 4, 3), "b": normal(5, 4, 3)}
SIMILAR = np.array([1.0, 0.0, 0.0, 1.0])


def squared_distance(p: Parameters) -> Any:
    diff = p["a"] - p["b"]
    return np.sum(SIMILAR[:, None] * diff**2)


@mistake(
    squared_distance,
    COUPLES,
    source="https://github.com/BVLC/caffe/issues/2312 (a gradient that was expected)",
    step="da",
    cause="a - 2 b is given as the gradient of |a - b|^2; it is 2 (a - b).",
    fix={"a - 2 * b": "2 * (a - b)"},
    says=r"2 \* \(|2 \* a|2 times|contribution|diff",
)
def caffe_squared_distance(p: Parameters) -> dict[str, Any]:
    a, b = p["a"], p["b"]
    da = SIMILAR[:, None] * (a - 2 * b)
    db = -2 * SIMILAR[:, None] * (a - b)
    return {"da": da, "db": db}


CENTRES = {"feature": normal(80, 5, 3), "centres": normal(81, 2, 3)}
CLASSES = np.array([0, 1, 1, 0, 1])


def centre_loss(p: Parameters) -> Any:
    diff = p["feature"] - p["centres"][CLASSES]
    return np.sum(diff**2) / 2 / 5


@mistake(
    centre_loss,
    CENTRES,
    source="https://github.com/jxgu1016/MNIST_center_loss_pytorch/issues/9",
    step="ddiff",
    cause="The gradient is not divided by the batch size.",
    fix={"ddiff = diff": "ddiff = diff / 5"},
    says=r"1/5|5 times|batch|divid|mean",
)
def center_loss_batch_rule(p: Parameters) -> dict[str, Any]:
    diff = p["feature"] - p["centres"][CLASSES]
    ddiff = diff
    dcentres = np.zeros_like(p["centres"])
    np.add.at(dcentres, CLASSES, -ddiff)
    return {"ddiff": ddiff, "dfeature": ddiff, "dcentres": dcentres}


LOGITS = {"z": normal(82, 5, 3)}
LABELS = np.array([0, 2, 1, 1, 0])
GAMMA = 2.0


def focal_loss(p: Parameters) -> Any:
    e = np.exp(p["z"])
    q = e / np.sum(e, axis=1, keepdims=True)
    qt = q[np.arange(5), LABELS]
    return -np.sum((1 - qt) ** GAMMA * np.log(qt))


@mistake(
    focal_loss,
    LOGITS,
    source="https://github.com/zimenglan-sysu-512/Focal-Loss/issues/2",
    step="dqt",
    cause="The first term has the wrong sign: (1 - p)^gamma over p, times p - 1, gets its sign twice.",
    fix={"dqt = (1 - qt) ** GAMMA / qt +": "dqt = -((1 - qt) ** GAMMA) / qt +"},
    says=r"sign|minus|-1",
)
def focal_loss_first_term_gradient(p: Parameters) -> dict[str, Any]:
    e = np.exp(p["z"])
    q = e / np.sum(e, axis=1, keepdims=True)
    qt = q[np.arange(5), LABELS]
    dqt = (1 - qt) ** GAMMA / qt + GAMMA * (1 - qt) ** (GAMMA - 1) * np.log(qt)
    dq = np.zeros_like(q)
    dq[np.arange(5), LABELS] = dqt
    dz = q * (dq - np.sum(dq * q, axis=1, keepdims=True))
    return {"dqt": dqt, "dq": dq, "dz": dz}


MARGINS = {"z": normal(83, 8)}
OUTCOMES = np.array([1.0, 0, 0, 1, 1, 0, 1, 0])


def binary_focal_loss(p: Parameters) -> Any:
    q = 1 / (1 + np.exp(-p["z"]))
    return -np.sum(OUTCOMES * (1 - q) ** 3 * np.log(q) + (1 - OUTCOMES) * q**3 * np.log(1 - q))


@mistake(
    binary_focal_loss,
    MARGINS,
    source="https://github.com/jhwjhw0123/Imbalance-XGBoost/issues/1",
    step="dz",
    cause="The last term of a label 0 has the wrong sign: -(-p)^(gamma + 1) is not p^(gamma + 1), of even powers.",
    fix={"last = -((OUTCOMES - q) ** 4)": "last = np.where(OUTCOMES == 1, -((1 - q) ** 4), q**4)"},
    says=r"sign|minus|OUTCOMES|where|mask",
)
def imbalance_xgboost_power_gradient(p: Parameters) -> dict[str, Any]:
    q = 1 / (1 + np.exp(-p["z"]))
    log = np.where(OUTCOMES == 1, 3 * (1 - q) ** 3 * q * np.log(q), -3 * q**3 * (1 - q) * np.log(1 - q))
    last = -((OUTCOMES - q) ** 4)
    dz = log + last
    return {"dz": dz}


SHARES = {"prediction": np.abs(normal(84, 4, 3)) + 0.2}
TRUE_SHARES = np.abs(normal(85, 4, 3)) + 0.1


def divergence(p: Parameters) -> Any:
    return np.sum(TRUE_SHARES * np.log(TRUE_SHARES / p["prediction"]))


@mistake(
    divergence,
    SHARES,
    source="Vexives/caspian 1.1.0, caspian/losses/KLDivergence.py (KLDivergence.backward)",
    step="dprediction",
    cause="It is the derivative with respect to the other distribution; it should be minus the ratio.",
    fix={"1 + np.log(TRUE_SHARES / q)": "-TRUE_SHARES / q"},
    says=r"log|ratio|other|TRUE_SHARES / ",
)
def caspian_divergence(p: Parameters) -> dict[str, Any]:
    q = p["prediction"]
    dprediction = 1 + np.log(TRUE_SHARES / q)
    return {"dprediction": dprediction}


ROBUST = {"prediction": 2 * normal(86, 6)}
ROBUST_GOAL = normal(87, 6)


def huber(p: Parameters) -> Any:
    e = p["prediction"] - ROBUST_GOAL
    return np.mean(np.where(np.abs(e) <= 1, 0.5 * e**2, np.abs(e) - 0.5))


@mistake(
    huber,
    ROBUST,
    source="Vexives/caspian 1.1.0, caspian/losses/Huber.py (Huber.backward)",
    step="de",
    cause="The sign is wrong, and the derivatives of the elements are averaged instead of divided by their number.",
    fix={
        "np.where(np.abs(e) <= 1, -e, -np.sign(e))": "np.where(np.abs(e) <= 1, e, np.sign(e)) / 6",
        "np.full(6, np.mean(slopes))": "slopes",
    },
    says=r"sign|minus|mean",
)
def caspian_huber_mean_backward(p: Parameters) -> dict[str, Any]:
    e = p["prediction"] - ROBUST_GOAL
    slopes = np.where(np.abs(e) <= 1, -e, -np.sign(e))
    de = np.full(6, np.mean(slopes))
    return {"de": de, "dprediction": de}


LIKELY = {"p": 1 / (1 + np.exp(-normal(88, 5, 2)))}
FACTS = (normal(89, 5, 2) > 0).astype(float)


def cross_entropy(p: Parameters) -> Any:
    return -np.mean(FACTS * np.log(p["p"]) + (1 - FACTS) * np.log(1 - p["p"]))


@mistake(
    cross_entropy,
    LIKELY,
    source="marcpinet/neuralnetlib 5.0.0, neuralnetlib/losses.py (BinaryCrossentropy.derivative)",
    step="dp",
    cause="The loss is a mean, its derivative that of the sum.",
    fix={"(1 - q))": "(1 - q)) / 10"},
    says=r"1/10|10 times|mean|sum",
)
def neuralnetlib_mean(p: Parameters) -> dict[str, Any]:
    q = p["p"]
    dp = (q - FACTS) / (q * (1 - q))
    return {"dp": dp}


FOCAL = {"a": normal(110, 8)}
PRESENT = np.array([1.0, 0, 0, 1, 1, 0, 1, 0])


def binary_focal(p: Parameters) -> Any:
    prob = 1 / (1 + np.exp(-p["a"]))
    pt = PRESENT * prob + (1 - PRESENT) * (1 - prob)
    return np.sum(-((1 - pt) ** 2) * np.log(pt))


@mistake(
    binary_focal,
    FOCAL,
    source="https://github.com/rahowa/catboost_focal_loss/issues/2",
    step="da",
    cause="The derivative of the probability with respect to the score, p (1 - p), is not multiplied in.",
    fix={"da = dprob": "da = dprob * prob * (1 - prob)"},
    says=r"1 - prob|sigmoid|derivative|factor",
)
def catboost_focal_score(p: Parameters) -> dict[str, Any]:
    prob = 1 / (1 + np.exp(-p["a"]))
    pt = PRESENT * prob + (1 - PRESENT) * (1 - prob)
    dpt = 2 * (1 - pt) * np.log(pt) - (1 - pt) ** 2 / pt
    dprob = dpt * (2 * PRESENT - 1)
    da = dprob
    return {"dpt": dpt, "dprob": dprob, "da": da}


RANKED = {"x1": normal(111, 6), "x2": normal(112, 6)}
FIRST = np.array([1.0, -1.0, 1.0, -1.0, -1.0, 1.0])


def margin_ranking(p: Parameters) -> Any:
    hinge = np.maximum(0, -FIRST * (p["x1"] - p["x2"]) + 0.5)
    return np.mean(hinge)


@mistake(
    margin_ranking,
    RANKED,
    source="https://github.com/mlpack/mlpack/issues/3167",
    step="dx1 dx2",
    cause="It is the derivative with respect to the target: the difference stands where the target should.",
    fix={"dx1 = -active * difference": "dx1 = -active * FIRST", "dx2 = active * difference": "dx2 = active * FIRST"},
    says=r"FIRST|stands where|instead|x1 - x2",
)
def mlpack_margin_target_gradient(p: Parameters) -> dict[str, Any]:
    difference = p["x1"] - p["x2"]
    active = (-FIRST * difference + 0.5 > 0) / 6
    dx1 = -active * difference
    dx2 = active * difference
    return {"dx1": dx1, "dx2": dx2}


BOXES = {"bottom": normal(113, 4, 3)}
BOX_TARGETS, BOX_WEIGHTS = normal(114, 4, 3), 0.3 + np.abs(normal(115, 4, 3))


def weighted_smooth_l1(p: Parameters) -> Any:
    diff = BOX_WEIGHTS * (p["bottom"] - BOX_TARGETS)
    errors = np.where(np.abs(diff) < 1, 0.5 * diff**2, np.abs(diff) - 0.5)
    return np.sum(errors) / 4


@mistake(
    weighted_smooth_l1,
    BOXES,
    source="https://github.com/rbgirshick/fast-rcnn/issues/134 (SmoothL1LossLayer)",
    step="dbottom",
    cause="The weights are multiplied in on the way forward alone.",
    fix={"dbottom = ddiff": "dbottom = ddiff * BOX_WEIGHTS"},
    says=r"WEIGHT|factor",
)
def fast_rcnn_smooth_l1_weights_rule(p: Parameters) -> dict[str, Any]:
    diff = BOX_WEIGHTS * (p["bottom"] - BOX_TARGETS)
    ddiff = np.where(np.abs(diff) < 1, diff, np.sign(diff)) / 4
    dbottom = ddiff
    return {"ddiff": ddiff, "dbottom": dbottom}


GAUSSIANS = {
    "mu1": normal(116, 3, 2),
    "logv1": 0.4 * normal(117, 3, 2),
    "mu2": normal(118, 3, 2),
    "logv2": 0.4 * normal(119, 3, 2),
}


def divergence_of_gaussians(p: Parameters) -> Any:
    ratio = (np.exp(p["logv1"]) + (p["mu1"] - p["mu2"]) ** 2) / np.exp(p["logv2"])
    return 0.5 * np.sum(p["logv2"] - p["logv1"] + ratio - 1)


@mistake(
    divergence_of_gaussians,
    GAUSSIANS,
    source="https://github.com/RuiShu/cvae/issues/1 (a correction that was proposed)",
    step="dmu1 dlogv1 dmu2 dlogv2",
    cause="The gradients of the two distributions are exchanged.",
    fix={
        '"dmu1": dmu2, "dlogv1": dlogv2': '"dmu1": dmu1, "dlogv1": dlogv1',
        '"dmu2": dmu1, "dlogv2": dlogv1': '"dmu2": dmu2, "dlogv2": dlogv2',
    },
    says=r"exchange|swap|mu2|logv2|sign",
)
def cvae_divergence_exchanged_gradient(p: Parameters) -> dict[str, Any]:
    v1, v2, d = np.exp(p["logv1"]), np.exp(p["logv2"]), p["mu1"] - p["mu2"]
    dmu1 = d / v2
    dlogv1 = 0.5 * (v1 / v2 - 1)
    dmu2 = -d / v2
    dlogv2 = 0.5 * (1 - (v1 + d**2) / v2)
    return {"dmu1": dmu2, "dlogv1": dlogv2, "dmu2": dmu1, "dlogv2": dlogv1}


FRAMES = {"logp": np.log(np.abs(normal(120, 3, 4)) + 0.2)}
ALIGNMENTS = [np.array(path) for path in ((1, 2, 2), (1, 1, 2), (0, 1, 2), (1, 0, 2), (1, 2, 0))]  # of "12", blank 0


def connectionist(p: Parameters) -> Any:
    frames = np.arange(3)
    return -np.log(sum(np.exp(np.sum(p["logp"][frames, path])) for path in ALIGNMENTS))


@mistake(
    connectionist,
    FRAMES,
    source="https://github.com/pytorch/pytorch/issues/52241 (also issues/127608)",
    step="dlogp",
    cause="It is the gradient as if the log probabilities were normalised once more: exp(logp) is added.",
    fix={"np.exp(logp) - posterior": "-posterior"},
    says=r"exp|too many|should not|normalis",
)
def pytorch_ctc_normalised_twice(p: Parameters) -> dict[str, Any]:
    logp, frames = p["logp"], np.arange(3)
    scores = np.array([np.exp(np.sum(logp[frames, path])) for path in ALIGNMENTS])
    posterior = np.zeros((3, 4))
    for path, share in zip(ALIGNMENTS, scores / scores.sum(), strict=True):
        posterior[frames, path] += share
    dlogp = np.exp(logp) - posterior
    return {"dlogp": dlogp}
