"""Softmax, its logarithm, and logsumexp."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

X = normal(1, 5, 3)
WEIGHTS = {"W": normal(2, 3, 4), "b": 0.1 * normal(3, 4)}
LABELS = np.array([0, 3, 1, 1, 2])
ONE_HOT = np.eye(4)[LABELS]
GOAL = normal(4, 5, 4)


def squared_error(p: Parameters) -> Any:
    z = X @ p["W"] + p["b"]
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    s = e / np.sum(e, axis=1, keepdims=True)
    return 0.5 * np.sum((s - ONE_HOT) ** 2)


@mistake(
    squared_error,
    WEIGHTS,
    source="https://github.com/HomericIntelligence/Odyssey/issues/2134",
    step="dz",
    cause="The sum over the classes, through the denominator, is missing.",
    fix={"dz = s * ds": "dz = s * (ds - np.sum(ds * s, axis=1, keepdims=True))"},
    says=r"sum|denominator|contribution|held constant",
)
def odyssey_softmax_dot(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    s = e / e.sum(axis=1, keepdims=True)
    ds = s - ONE_HOT
    dz = s * ds
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"ds": ds, "dz": dz, "dW": dW, "db": db}


@mistake(
    squared_error,
    WEIGHTS,
    source="https://github.com/pjreddie/darknet/pull/96",
    step="dz",
    cause="The backward pass of softmax copies the cotangent of its output: the derivative is missing.",
    fix={"dz = ds": "dz = s * (ds - np.sum(ds * s, axis=1, keepdims=True))"},
    says=r"softmax|exp|derivative|passed on|\bs \*",
)
def darknet_softmax_copied(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    s = e / e.sum(axis=1, keepdims=True)
    ds = s - ONE_HOT
    dz = ds
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"ds": ds, "dz": dz, "dW": dW, "db": db}


def two_sided_entropy(p: Parameters) -> Any:
    z = X @ p["W"] + p["b"]
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    s = e / np.sum(e, axis=1, keepdims=True)
    return np.sum(-ONE_HOT * np.log(s) - (1 - ONE_HOT) * np.log(1 - s))


@mistake(
    two_sided_entropy,
    WEIGHTS,
    source="https://github.com/eriklindernoren/ML-From-Scratch/issues/71",
    step="dz",
    cause="The gradient of softmax is taken as p (1 - p), as for a sigmoid: other classes are ignored.",
    fix={"dz = ds * (s * (1 - s))": "dz = s * (ds - np.sum(ds * s, axis=1, keepdims=True))"},
    says=r"sigmoid|s \(1 - s\)|s \* \(1 - s\)|diagonal|Jacobian|sum",
)
def mlfromscratch_softmax(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    s = e / e.sum(axis=1, keepdims=True)
    ds = -(ONE_HOT / s) + (1 - ONE_HOT) / (1 - s)
    dz = ds * (s * (1 - s))
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"ds": ds, "dz": dz, "dW": dW, "db": db}


def log_softmax(p: Parameters) -> Any:
    z = X @ p["W"] + p["b"]
    m = z - np.max(z, axis=1, keepdims=True)
    y = m - np.log(np.sum(np.exp(m), axis=1, keepdims=True))
    return np.sum(GOAL * y) / len(X)


@mistake(
    log_softmax,
    WEIGHTS,
    source="https://github.com/uxlfoundation/oneDNN/issues/616",
    step="dz",
    cause="The inner product of cotangent and output is subtracted instead of softmax times the sum of the cotangent.",
    fix={"dz = dy - np.sum(dy * y, axis=1, keepdims=True)": "dz = dy - np.exp(y) * np.sum(dy, axis=1, keepdims=True)"},
    says=r"exp\(y\)|softmax",
)
def onednn_log_softmax(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    m = z - z.max(axis=1, keepdims=True)
    y = m - np.log(np.sum(np.exp(m), axis=1, keepdims=True))
    dy = GOAL / len(X)
    dz = dy - np.sum(dy * y, axis=1, keepdims=True)
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"dy": dy, "dz": dz, "dW": dW, "db": db}


@mistake(
    log_softmax,
    WEIGHTS,
    source="https://github.com/mlpack/mlpack/issues/2360",
    step="dz",
    cause="Softmax is added to the cotangent; it should be subtracted, times the cotangent's sum.",
    fix={"dz = np.exp(y) + dy": "dz = dy - np.exp(y) * np.sum(dy, axis=1, keepdims=True)"},
    says=r"sum|exp\(y\)",
)
def mlpack_log_softmax(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    m = z - z.max(axis=1, keepdims=True)
    y = m - np.log(np.sum(np.exp(m), axis=1, keepdims=True))
    dy = GOAL / len(X)
    dz = np.exp(y) + dy
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"dy": dy, "dz": dz, "dW": dW, "db": db}


def log_sum_exp(p: Parameters) -> Any:
    z = X @ p["W"] + p["b"]
    out = np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return np.sum(GOAL[:, :1] * out)


@mistake(
    log_sum_exp,
    WEIGHTS,
    source="https://github.com/pytorch/pytorch/pull/7254 (a formula that a review proposed)",
    step="dz",
    cause="exp(z) is divided by the output, which is the logarithm of the sum, instead of by the sum.",
    fix={"np.exp(z) / out": "np.exp(z) / np.exp(out)"},
    says=r"exp\(out\)|exp\(z - out\)|out|sum",
)
def pytorch_logsumexp_formula(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    out = np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    dout = GOAL[:, :1]
    dz = dout * np.exp(z) / out
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"dout": dout, "dz": dz, "dW": dW, "db": db}
