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


GROUPS = {"x": normal(70, 2, 4, 3), "gamma": 1 + 0.3 * normal(71, 4), "beta": normal(72, 4)}
GROUPS_GOAL = normal(73, 2, 4, 3)


def group_norm(p: Parameters) -> Any:
    grouped = p["x"].reshape(2, 2, 2, 3)
    mean = np.mean(grouped, axis=(2, 3), keepdims=True)
    xmu = grouped - mean
    rstd = 1 / np.sqrt(np.mean(xmu**2, axis=(2, 3), keepdims=True) + 1e-5)
    xhat = (xmu * rstd).reshape(2, 4, 3)
    y = p["gamma"].reshape(1, 4, 1) * xhat + p["beta"].reshape(1, 4, 1)
    return np.sum((y - GROUPS_GOAL) ** 2)


@mistake(
    group_norm,
    GROUPS,
    source="https://github.com/tenstorrent/tt-metal/pull/56202 (the group of a channel in gamma's gradient)",
    step="dgamma",
    cause="The group of a channel is taken as c % groups instead of c // channels per group, for mean and deviation.",
    fix={"g = c % 2": "g = c // 2"},
    says=r"%|//|group|index",
)
def ttmetal_group_of_channel(p: Parameters) -> dict[str, Any]:
    grouped = p["x"].reshape(2, 2, 2, 3)
    mean = grouped.mean(axis=(2, 3))
    rstd = 1 / np.sqrt(grouped.var(axis=(2, 3)) + 1e-5)
    xhat = ((grouped - mean[:, :, None, None]) * rstd[:, :, None, None]).reshape(2, 4, 3)
    dy = 2 * (p["gamma"][:, None] * xhat + p["beta"][:, None] - GROUPS_GOAL)
    dgamma = np.zeros(4)
    for c in range(4):
        g = c % 2
        dgamma[c] = np.sum(dy[:, c] * (p["x"][:, c] - mean[:, g, None]) * rstd[:, g, None])
    dxhat = dy * p["gamma"][:, None]
    d, h = dxhat.reshape(2, 2, 2, 3), xhat.reshape(2, 2, 2, 3)
    inner = d - d.mean(axis=(2, 3), keepdims=True) - h * (d * h).mean(axis=(2, 3), keepdims=True)
    dx = (rstd[:, :, None, None] * inner).reshape(2, 4, 3)
    return {"dy": dy, "dxhat": dxhat, "dgamma": dgamma, "dbeta": np.sum(dy, axis=(0, 2)), "dx": dx}


HEADS = {"x": normal(74, 3, 6)}
HEADS_GOAL = normal(75, 3, 6)


def grouped_rms_norm(p: Parameters) -> Any:
    grouped = p["x"].reshape(3, 2, 3)
    rstd = 1 / np.sqrt(np.mean(grouped**2, axis=-1, keepdims=True) + 1e-5)
    y = (grouped * rstd).reshape(3, 6)
    return np.sum((y - HEADS_GOAL) ** 2)


@mistake(
    grouped_rms_norm,
    HEADS,
    source="https://github.com/state-spaces/mamba/pull/547 (layer_norm_bwd)",
    step="dx",
    cause="The group size is left out of the backward pass: it averages over the whole dimension, not over each group.",
    fix={
        "np.mean(dy * xhat, axis=-1, keepdims=True)": "np.repeat((dy * xhat).reshape(3, 2, 3).mean(axis=-1), 3, axis=1)"
    },
    says=r"group|axis|axes|mean",
)
def mamba_group_size_gradient(p: Parameters) -> dict[str, Any]:
    grouped = p["x"].reshape(3, 2, 3)
    rstd = np.repeat(1 / np.sqrt((grouped**2).mean(axis=-1) + 1e-5), 3, axis=1)
    xhat = p["x"] * rstd
    dy = 2 * (xhat - HEADS_GOAL)
    c1 = np.mean(dy * xhat, axis=-1, keepdims=True)
    dx = (dy - xhat * c1) * rstd
    return {"dy": dy, "dx": dx}


@mistake(
    rms_norm,
    RMS,
    source="Vexives/caspian 1.1.0, caspian/layers/RMSNorm.py (RMSNorm.backward)",
    step="dx",
    cause="Each element's own derivative alone is taken: the sum over the row, through the root, is missing.",
    fix={'dnormed * p["x"] ** 2': 'np.sum(dnormed * p["x"], axis=-1, keepdims=True) * p["x"]'},
    says=r"sum|mean",
)
def the_caspian_rms_norm_sum(p: Parameters) -> dict[str, Any]:
    rms = np.sqrt(np.mean(p["x"] ** 2, axis=-1, keepdims=True) + 1e-6)
    dout = 2 * (p["x"] / rms * p["weight"] - RMS_GOAL)
    dweight = np.sum(dout * p["x"] / rms, axis=0)
    dnormed = dout * p["weight"]
    dx = dnormed / rms - dnormed * p["x"] ** 2 / (5 * rms**3)
    return {"dout": dout, "dweight": dweight, "dnormed": dnormed, "dx": dx}


@mistake(
    group_norm,
    GROUPS,
    source="https://github.com/uxlfoundation/oneDNN/issues/3543 (the formula of layer norm, corrected by pull/3615)",
    step="dx",
    cause="gamma is multiplied in after the means were taken, as if it were the same for the channels of a group.",
    fix={
        "d, h = dy.reshape": "d, h = (dy * p['gamma'][:, None]).reshape",
        'p["gamma"][:, None] * (rstd * inner)': "(rstd * inner)",
    },
    says=r"gamma",
)
def onednn_group_norm_scale_gradient(p: Parameters) -> dict[str, Any]:
    grouped = p["x"].reshape(2, 2, 2, 3)
    rstd = 1 / np.sqrt(grouped.var(axis=(2, 3), keepdims=True) + 1e-5)
    xhat = ((grouped - grouped.mean(axis=(2, 3), keepdims=True)) * rstd).reshape(2, 4, 3)
    dy = 2 * (p["gamma"][:, None] * xhat + p["beta"][:, None] - GROUPS_GOAL)
    dgamma, dbeta = np.sum(dy * xhat, axis=(0, 2)), np.sum(dy, axis=(0, 2))
    d, h = dy.reshape(2, 2, 2, 3), xhat.reshape(2, 2, 2, 3)
    inner = d - d.mean(axis=(2, 3), keepdims=True) - h * (d * h).mean(axis=(2, 3), keepdims=True)
    dx = p["gamma"][:, None] * (rstd * inner).reshape(2, 4, 3)
    return {"dy": dy, "dgamma": dgamma, "dbeta": dbeta, "dx": dx}


RESPONSES = {"a": normal(100, 3, 6)}
RESPONSES_GOAL = normal(101, 3, 6)
ALPHA, BETA = 0.3, 0.75
NEIGHBOURS = (np.abs(np.arange(6)[:, None] - np.arange(6)) <= 1).astype(float)


def local_response(p: Parameters) -> Any:
    scale = 1 + ALPHA / 3 * (p["a"] ** 2 @ NEIGHBOURS)
    b = p["a"] * scale**-BETA
    return np.sum((b - RESPONSES_GOAL) ** 2)


@mistake(
    local_response,
    RESPONSES,
    source="https://github.com/BVLC/caffe/issues/5105 (a correction that was proposed)",
    step="da",
    cause="In the sum over neighbours the own cotangent stands for theirs, with another factor scale**-BETA.",
    fix={"* scale**-BETA * db * ((b / scale) @ NEIGHBOURS)": "* ((db * b / scale) @ NEIGHBOURS)"},
    says=r"\bdb\b|scale",
)
def caffe_lrn_own_cotangent_gradient(p: Parameters) -> dict[str, Any]:
    a = p["a"]
    scale = 1 + ALPHA / 3 * (a**2 @ NEIGHBOURS)
    b = a * scale**-BETA
    db = 2 * (b - RESPONSES_GOAL)
    da = db * scale**-BETA - 2 * ALPHA * BETA / 3 * a * scale**-BETA * db * ((b / scale) @ NEIGHBOURS)
    return {"db": db, "da": da}


MOMENTS = normal(102, 4), 1 + np.abs(normal(103, 4))


def batch_norm_by_given_moments(p: Parameters) -> Any:
    rstd = 1 / np.sqrt(MOMENTS[1] + 1e-5)
    xhat = (p["x"] - MOMENTS[0]) * rstd
    y = p["gamma"] * xhat + p["beta"]
    return np.sum(WEIGHT * y**2)


@mistake(
    batch_norm_by_given_moments,
    BATCH,
    source="https://github.com/vlfeat/matconvnet/issues/1174 (moments given from outside)",
    step="dx",
    cause="Mean and variance are given, and the gradient goes through them all the same.",
    fix={"(dxhat - dxhat.mean(axis=0) - xhat * np.mean(dxhat * xhat, axis=0))": "dxhat"},
    says=r"mean|too many|should not|contribution|constant",
)
def matconvnet_given_moments(p: Parameters) -> dict[str, Any]:
    rstd = 1 / np.sqrt(MOMENTS[1] + 1e-5)
    xhat = (p["x"] - MOMENTS[0]) * rstd
    dy = 2 * WEIGHT * (p["gamma"] * xhat + p["beta"])
    dxhat = dy * p["gamma"]
    dx = rstd * (dxhat - dxhat.mean(axis=0) - xhat * np.mean(dxhat * xhat, axis=0))
    return {"dy": dy, "dgamma": np.sum(dy * xhat, axis=0), "dbeta": np.sum(dy, axis=0), "dxhat": dxhat, "dx": dx}
