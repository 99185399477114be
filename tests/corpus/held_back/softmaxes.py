"""Softmax, its logarithm, and logsumexp."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

X = normal(1, 5, 3)
WEIGHTS = {"W": normal(2, 3, 4), "b": 0.1 * normal(3, 4)}
LABELS = np.array([0, 3, 1, 1, 2])
ONE_HOT = np.eye(4)[LABELS]


def squared_error(p: Parameters) -> Any:
    z = X @ p["W"] + p["b"]
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    s = e / np.sum(e, axis=1, keepdims=True)
    return 0.5 * np.sum((s - ONE_HOT) ** 2)


@mistake(
    squared_error,
    WEIGHTS,
    source="https://github.com/jorgenkg/python-neural-network/pull/6",
    step="dz",
    cause="The derivative of the sigmoid is used for softmax: the Jacobian has its diagonal alone.",
    fix={"dz = ds * s * (1 - s)": "dz = s * (ds - np.sum(ds * s, axis=1, keepdims=True))"},
    says=r"sigmoid|s \(1 - s\)|s \* \(1 - s\)|diagonal|Jacobian|sum",
)
def softmax_as_sigmoid(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    s = e / e.sum(axis=1, keepdims=True)
    ds = s - ONE_HOT
    dz = ds * s * (1 - s)
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"ds": ds, "dz": dz, "dW": dW, "db": db}


def cross_entropy(p: Parameters) -> Any:
    z = X @ p["W"] + p["b"]
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    s = e / np.sum(e, axis=1, keepdims=True)
    return -np.sum(ONE_HOT * np.log(s)) / len(X)


@mistake(
    cross_entropy,
    WEIGHTS,
    source="https://github.com/markroxor/fromscratchtoml/issues/65",
    step="dz",
    cause="The gradient of softmax is off by a factor of two.",
    fix={"dz = 2 * (s - ONE_HOT)": "dz = (s - ONE_HOT)"},
    says=r"2 times|factor 2|2 \*",
)
def fromscratchtoml_softmax(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    s = e / e.sum(axis=1, keepdims=True)
    dz = 2 * (s - ONE_HOT) / len(X)
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"dz": dz, "dW": dW, "db": db}


PER_CLASS = np.array([0.4, 1.5, 0.8, 2.0])
SCORES = {"z": normal(20, 5, 4)}


def weighted_cross_entropy(p: Parameters) -> Any:
    e = np.exp(p["z"] - np.max(p["z"], axis=1, keepdims=True))
    s = e / np.sum(e, axis=1, keepdims=True)
    return -np.sum(PER_CLASS[LABELS] * np.log(s[np.arange(5), LABELS])) / 5


@mistake(
    weighted_cross_entropy,
    SCORES,
    source="https://github.com/shicai/Weighted_Softmax_Loss/issues/1 (a correction that was proposed)",
    step="dz",
    cause="The weight of the label's class is multiplied into the label's element alone, not into all classes.",
    fix={"dz[i, label] *= ": "dz[i] *= "},
    says=r"weight|PER_CLASS|label|index|element|row|factor",
)
def the_weighted_softmax_label_alone(p: Parameters) -> dict[str, Any]:
    e = np.exp(p["z"] - p["z"].max(axis=1, keepdims=True))
    dz = (e / e.sum(axis=1, keepdims=True) - ONE_HOT) / 5
    for i, label in enumerate(LABELS):
        dz[i, label] *= PER_CLASS[label]
    return {"dz": dz}
