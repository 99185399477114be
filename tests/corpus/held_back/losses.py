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
