"""Normalisations: of batches, of layers, of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

WEIGHT = normal(1, 6, 4)
BATCH = {"x": normal(2, 6, 4), "gamma": 1 + 0.3 * normal(3, 4), "beta": 0.1 * normal(4, 4)}


def batch_norm(p: Parameters) -> Any:
    mu = np.mean(p["x"], axis=0)
    xmu = p["x"] - mu
    var = np.mean(xmu**2, axis=0)
    ivar = 1 / np.sqrt(var + 1e-5)
    xhat = xmu * ivar
    y = p["gamma"] * xhat + p["beta"]
    return np.sum(WEIGHT * y**2)


@mistake(
    batch_norm,
    BATCH,
    source="https://github.com/deeplearning4j/deeplearning4j/pull/8379",
    step="dx",
    cause="Mean and variance are held constant: their contributions to dx are missing.",
    fix={
        "dx = dxhat * ivar": "dx = (dxhat - dxhat.mean(axis=0) - xmu * ivar**2 * np.mean(dxhat * xmu, axis=0)) * ivar"
    },
    says=r"contribution|held constant|mean|the term .* is missing",
)
def dl4j_batch_norm_statistics(p: Parameters) -> dict[str, Any]:
    xmu = p["x"] - p["x"].mean(axis=0)
    ivar = 1 / np.sqrt(np.mean(xmu**2, axis=0) + 1e-5)
    dy = 2 * WEIGHT * (p["gamma"] * xmu * ivar + p["beta"])
    dgamma = np.sum(dy * xmu * ivar, axis=0)
    dbeta = np.sum(dy, axis=0)
    dxhat = dy * p["gamma"]
    dx = dxhat * ivar
    return {"dy": dy, "dgamma": dgamma, "dbeta": dbeta, "dxhat": dxhat, "dx": dx}


@mistake(
    batch_norm,
    BATCH,
    source="https://github.com/Oneflow-Inc/oneflow/pull/6149",
    step="dgamma dbeta",
    cause="The gradients of gamma and beta are exchanged.",
    fix={'"dgamma": dbeta, "dbeta": dgamma': '"dgamma": dgamma, "dbeta": dbeta'},
    says=r"exchange|swap|xhat|factor",
)
def oneflow_gamma_beta(p: Parameters) -> dict[str, Any]:
    xmu = p["x"] - p["x"].mean(axis=0)
    ivar = 1 / np.sqrt(np.mean(xmu**2, axis=0) + 1e-5)
    xhat = xmu * ivar
    dy = 2 * WEIGHT * (p["gamma"] * xhat + p["beta"])
    dgamma = np.sum(dy * xhat, axis=0)
    dbeta = np.sum(dy, axis=0)
    dxhat = dy * p["gamma"]
    dx = (dxhat - dxhat.mean(axis=0) - xhat * np.mean(dxhat * xhat, axis=0)) * ivar
    return {"dy": dy, "dgamma": dbeta, "dbeta": dgamma, "dxhat": dxhat, "dx": dx}


ROWS = {"x": normal(5, 5, 4), "gamma": 1 + 0.3 * normal(6, 4)}
GOAL = normal(7, 5, 4)


def layer_norm(p: Parameters) -> Any:
    mean = np.mean(p["x"], axis=-1, keepdims=True)
    xmu = p["x"] - mean
    rstd = 1 / np.sqrt(np.mean(xmu**2, axis=-1, keepdims=True) + 1e-5)
    xhat = xmu * rstd
    y = p["gamma"] * xhat
    return np.sum((y - GOAL) ** 2)


@mistake(
    layer_norm,
    ROWS,
    source="https://github.com/tenstorrent/tt-metal/pull/53215",
    step="dx",
    cause="The mean of the cotangent is subtracted twice.",
    fix={"dxhat - 2 * s1": "dxhat - s1"},
    says=r"twice|2 times|two times|2 \*",
)
def ttmetal_layer_norm_mean_twice(p: Parameters) -> dict[str, Any]:
    xmu = p["x"] - p["x"].mean(axis=-1, keepdims=True)
    rstd = 1 / np.sqrt(np.mean(xmu**2, axis=-1, keepdims=True) + 1e-5)
    xhat = xmu * rstd
    dy = 2 * (p["gamma"] * xhat - GOAL)
    dgamma = np.sum(dy * xhat, axis=0)
    dxhat = dy * p["gamma"]
    s1 = dxhat.mean(axis=-1, keepdims=True)
    s2 = np.mean(dxhat * xhat, axis=-1, keepdims=True)
    dx = rstd * (dxhat - 2 * s1 - xhat * s2)
    return {"dy": dy, "dgamma": dgamma, "dxhat": dxhat, "dx": dx}


@mistake(
    layer_norm,
    ROWS,
    source="https://github.com/mlpack/mlpack/pull/1930 (LayerNorm, which had it from BatchNorm)",
    step="dx",
    cause="The contribution through the mean is a sum; the division by the number of features is missing.",
    fix={"- dxhat.sum(axis=-1, keepdims=True) * rstd": "- dxhat.mean(axis=-1, keepdims=True) * rstd"},
    says=r"sum|mean|4 times",
)
def mlpack_layer_norm_mean(p: Parameters) -> dict[str, Any]:
    xmu = p["x"] - p["x"].mean(axis=-1, keepdims=True)
    rstd = 1 / np.sqrt(np.mean(xmu**2, axis=-1, keepdims=True) + 1e-5)
    dy = 2 * (p["gamma"] * xmu * rstd - GOAL)
    dgamma = np.sum(dy * xmu * rstd, axis=0)
    dxhat = dy * p["gamma"]
    dvar = -0.5 * np.sum(dxhat * xmu, axis=-1, keepdims=True) * rstd**3
    dx = dxhat * rstd + 2 * dvar * xmu / xmu.shape[-1] - dxhat.sum(axis=-1, keepdims=True) * rstd
    return {"dy": dy, "dgamma": dgamma, "dxhat": dxhat, "dx": dx}


RMS = {"x": normal(10, 3, 5), "weight": 1 + 0.4 * normal(11, 5)}
RMS_GOAL = normal(12, 3, 5)


def rms_norm(p: Parameters) -> Any:
    rms = np.sqrt(np.mean(p["x"] ** 2, axis=-1, keepdims=True) + 1e-6)
    normed = p["x"] / rms
    out = normed * p["weight"]
    return np.sum((out - RMS_GOAL) ** 2)


@mistake(
    rms_norm,
    RMS,
    source="https://github.com/karpathy/llm.c/pull/763 (a mistake that a reviewer found in an implementation of his)",
    step="dx",
    cause="The cotangent is not multiplied by the weight.",
    fix={"dnormed = dout": "dnormed = dout * p['weight']"},
    says=r"weight",
)
def llmc_rms_norm_weight(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    rms = np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-6)
    dout = 2 * (x / rms * p["weight"] - RMS_GOAL)
    dweight = np.sum(dout * x / rms, axis=0)
    dnormed = dout
    dx = dnormed / rms - x * np.mean(dnormed * x, axis=-1, keepdims=True) / rms**3
    return {"dout": dout, "dweight": dweight, "dx": dx}


VECTORS = {"x": normal(17, 3, 4)}
UNIT_GOAL = normal(18, 3, 4)


def normalize(p: Parameters) -> Any:
    norm = np.sqrt(np.sum(p["x"] ** 2, axis=1, keepdims=True)) + 0.1
    y = p["x"] / norm
    return np.sum((y - UNIT_GOAL) ** 2)


@mistake(
    normalize,
    VECTORS,
    source="https://github.com/chainer/chainer/pull/4190",
    step="dx",
    cause="The derivative of the root is divided by the norm with the epsilon, not by the norm.",
    fix={"* x / norm": "* x / (norm - 0.1)"},
    says=r"norm stands where|epsilon|0\.1",
)
def chainer_normalize_epsilon(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    norm = np.sqrt(np.sum(x**2, axis=1, keepdims=True)) + 0.1
    dy = 2 * (x / norm - UNIT_GOAL)
    dx = dy * norm - np.sum(x * dy, axis=1, keepdims=True) * x / norm
    dx = dx / norm**2
    return {"dy": dy, "dx": dx}
