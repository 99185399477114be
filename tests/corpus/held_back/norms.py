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
    source="https://github.com/denizyuret/Knet.jl/issues/288",
    step="dx",
    cause="The cotangent is multiplied by gamma after it was divided by the deviation, so gamma never reaches dx.",
    fix={"dyivar = dy * ivar": "dyivar = p['gamma'] * dy * ivar"},
    says=r"gamma",
)
def knet_batch_norm_scale(p: Parameters) -> dict[str, Any]:
    n = len(p["x"])
    xmu = p["x"] - p["x"].mean(axis=0)
    var = np.mean(xmu**2, axis=0)
    ivar = 1 / np.sqrt(var + 1e-5)
    dy = 2 * WEIGHT * (p["gamma"] * xmu * ivar + p["beta"])
    dyivar = dy * ivar
    dgamma = np.sum(dy * xmu * ivar, axis=0)
    dbeta = np.sum(dy, axis=0)
    dsigma2 = -0.5 * np.sum(dyivar * xmu * ivar**2, axis=0)
    dmu = -np.sum(dyivar, axis=0) - 2 * dsigma2 * np.sum(xmu, axis=0) / n
    dx = dyivar + dsigma2 * 2 * xmu / n + dmu / n
    return {"dy": dy, "dgamma": dgamma, "dbeta": dbeta, "dx": dx}


@mistake(
    batch_norm,
    BATCH,
    source="https://github.com/mlpack/mlpack/pull/1327, corrected in https://github.com/mlpack/mlpack/pull/1930",
    step="dvar",
    cause="The derivative of the reciprocal root has the wrong sign: 0.5 for -0.5.",
    fix={"ivar**3 * 0.5": "ivar**3 * -0.5", "+ dmu": "+ dmu / n"},
    says=r"sign|-0\.5|-1/2|minus",
)
def mlpack_batch_norm_variance(p: Parameters) -> dict[str, Any]:
    n = len(p["x"])
    xmu = p["x"] - p["x"].mean(axis=0)
    ivar = 1 / np.sqrt(np.mean(xmu**2, axis=0) + 1e-5)
    dy = 2 * WEIGHT * (p["gamma"] * xmu * ivar + p["beta"])
    dgamma = np.sum(dy * xmu * ivar, axis=0)
    dbeta = np.sum(dy, axis=0)
    dxhat = dy * p["gamma"]
    dvar = np.sum(dxhat * xmu, axis=0) * ivar**3 * 0.5
    dmu = np.sum(dxhat * -ivar, axis=0) + dvar * np.mean(-2 * xmu, axis=0)
    dx = dxhat * ivar + xmu * dvar * 2 / n + dmu
    return {"dy": dy, "dgamma": dgamma, "dbeta": dbeta, "dxhat": dxhat, "dvar": dvar, "dmu": dmu, "dx": dx}


CUBE = {"x": normal(8, 2, 3, 4)}
CUBE_GOAL = normal(9, 2, 3, 4)


def layer_norm_of_three_axes(p: Parameters) -> Any:
    xmu = p["x"] - np.mean(p["x"], axis=-1, keepdims=True)
    rstd = 1 / np.sqrt(np.mean(xmu**2, axis=-1, keepdims=True) + 1e-5)
    xhat = xmu * rstd
    return np.sum((xhat - CUBE_GOAL) ** 2)


@mistake(
    layer_norm_of_three_axes,
    CUBE,
    source="https://github.com/flagos-ai/FlagGems/pull/5474",
    step="dx",
    cause="The backward pass takes the means over the last two axes, the forward pass over the last alone.",
    fix={"axes = (1, 2)": "axes = (2,)"},
    says=r"ax[ei]s",
)
def flaggems_layer_norm_rows(p: Parameters) -> dict[str, Any]:
    xmu = p["x"] - p["x"].mean(axis=-1, keepdims=True)
    rstd = 1 / np.sqrt(np.mean(xmu**2, axis=-1, keepdims=True) + 1e-5)
    xhat = xmu * rstd
    dxhat = 2 * (xhat - CUBE_GOAL)
    axes = (1, 2)
    s1 = np.mean(dxhat, axis=axes, keepdims=True)
    s2 = np.mean(dxhat * xhat, axis=axes, keepdims=True)
    dx = rstd * (dxhat - s1 - xhat * s2)
    return {"dxhat": dxhat, "dx": dx}


PRE = {"residual": normal(13, 3, 4), "x": normal(14, 3, 4)}
FORWARD, SKIP = normal(15, 3, 4), normal(16, 3, 4)


def pre_norm(p: Parameters) -> Any:
    res = p["residual"] + p["x"]
    rms = np.sqrt(np.mean(res**2, axis=-1, keepdims=True) + 1e-6)
    out = res / rms
    return np.sum(FORWARD * out) + np.sum(SKIP * res)


@mistake(
    pre_norm,
    PRE,
    source="https://github.com/Dao-AILab/quack/pull/53",
    step="dres",
    cause="The cotangent of the skip connection is added before the backward pass of the norm, not after it.",
    fix={"g = FORWARD + SKIP": "g = FORWARD", "dres = g / rms": "dres = SKIP + g / rms"},
    says=r"\+|add|sum|skip|contribution",
)
def quack_pre_norm(p: Parameters) -> dict[str, Any]:
    res = p["residual"] + p["x"]
    rms = np.sqrt(np.mean(res**2, axis=-1, keepdims=True) + 1e-6)
    g = FORWARD + SKIP
    dres = g / rms - res * np.mean(g * res, axis=-1, keepdims=True) / rms**3
    return {"dres": dres, "dresidual": dres, "dx": dres}


VECTORS = {"x": normal(17, 3, 4)}
UNIT_GOAL = normal(18, 3, 4)


def unit_vectors(p: Parameters) -> Any:
    norm = np.sqrt(np.sum(p["x"] ** 2, axis=1, keepdims=True))
    z = p["x"] / norm
    return np.sum(np.sin(z) * UNIT_GOAL)


@mistake(
    unit_vectors,
    VECTORS,
    source="https://github.com/HIPS/autograd/issues/73 (L2Normalize)",
    step="dx",
    cause="The cotangent is divided by the norm and multiplied by x; the term through the norm is missing.",
    fix={"dx = dz / norm * x": "dx = dz / norm - x * np.sum(dz * x, axis=1, keepdims=True) / norm**3"},
    says=r"norm",
)
def l2_normalize_as_a_factor(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    norm = np.sqrt(np.sum(x**2, axis=1, keepdims=True))
    dz = np.cos(x / norm) * UNIT_GOAL
    dx = dz / norm * x
    return {"dz": dz, "dx": dx}


CHANNELS = {"a": normal(19, 3, 5)}
RESPONSE = normal(20, 3, 5)


def local_response(p: Parameters) -> Any:
    squares = np.pad(p["a"] ** 2, ((0, 0), (1, 1)))
    scale = 1 + 0.5 * (squares[:, :-2] + squares[:, 1:-1] + squares[:, 2:])
    b = p["a"] * scale**-0.75
    return np.sum(RESPONSE * np.tanh(b))


@mistake(
    local_response,
    CHANNELS,
    source="https://github.com/andersbll/deeppy/issues/15",
    step="da",
    cause="The layer's backward pass hands the cotangent on unchanged: the derivative of the normalisation is missing.",
    fix={
        "da = db": "inner = np.pad(db * a * scale**-1.75, ((0, 0), (1, 1)))\n"
        "    da = db * scale**-0.75 - 0.75 * a * (inner[:, :-2] + inner[:, 1:-1] + inner[:, 2:])"
    },
    says=r"scale|missing",
)
def deeppy_response_norm(p: Parameters) -> dict[str, Any]:
    a = p["a"]
    squares = np.pad(a**2, ((0, 0), (1, 1)))
    scale = 1 + 0.5 * (squares[:, :-2] + squares[:, 1:-1] + squares[:, 2:])
    db = RESPONSE * (1 - np.tanh(a * scale**-0.75) ** 2)
    da = db
    return {"db": db, "da": da}


BLOCKS = {"x": normal(70, 2, 4, 3, 3), "gamma": 1 + 0.3 * normal(71, 4), "beta": normal(72, 4)}
BLOCKS_GOAL = normal(73, 2, 4, 3, 3)


def group_norm(p: Parameters) -> Any:
    grouped = p["x"].reshape(2, 2, 18)
    xmu = grouped - np.mean(grouped, axis=2, keepdims=True)
    rstd = 1 / np.sqrt(np.mean(xmu**2, axis=2, keepdims=True) + 1e-5)
    xhat = (xmu * rstd).reshape(2, 4, 3, 3)
    y = p["gamma"].reshape(1, 4, 1, 1) * xhat + p["beta"].reshape(1, 4, 1, 1)
    return np.sum((y - BLOCKS_GOAL) ** 2)


@mistake(
    group_norm,
    BLOCKS,
    source="https://github.com/linkedin/Liger-Kernel/pull/1376",
    step="dgamma dbeta",
    cause="The width is taken for the number of elements of a channel, so only the first row of each is summed.",
    fix={"hidden_size = dy.shape[-1]": "hidden_size = dy.shape[-1] * dy.shape[-2]"},
    says=r"row|width|only|first|slice|part|index|hidden_size",
)
def liger_first_row_backward(p: Parameters) -> dict[str, Any]:
    grouped = p["x"].reshape(2, 2, 18)
    xmu = grouped - grouped.mean(axis=2, keepdims=True)
    rstd = 1 / np.sqrt((xmu**2).mean(axis=2, keepdims=True) + 1e-5)
    xhat = (xmu * rstd).reshape(2, 4, 3, 3)
    gamma = p["gamma"][:, None, None]
    dy = 2 * (gamma * xhat + p["beta"][:, None, None] - BLOCKS_GOAL)
    hidden_size = dy.shape[-1]
    dgamma = np.sum((dy * xhat).reshape(2, 4, 9)[:, :, :hidden_size], axis=(0, 2))
    dbeta = np.sum(dy.reshape(2, 4, 9)[:, :, :hidden_size], axis=(0, 2))
    dxhat = dy * gamma
    d, h = dxhat.reshape(2, 2, 18), xhat.reshape(2, 2, 18)
    inner = d - d.mean(axis=2, keepdims=True) - h * (d * h).mean(axis=2, keepdims=True)
    return {"dy": dy, "dgamma": dgamma, "dbeta": dbeta, "dxhat": dxhat, "dx": (rstd * inner).reshape(2, 4, 3, 3)}


ROWS = {"x": normal(74, 6, 3), "gamma": 1 + 0.3 * normal(75, 3), "beta": normal(76, 3)}
ROWS_GOAL = normal(77, 6, 3)


def batch_norm_by_variance(p: Parameters) -> Any:
    mu = np.mean(p["x"], axis=0)
    xmu = p["x"] - mu
    var = np.mean(xmu**2, axis=0)
    xhat = xmu / np.sqrt(var + 1e-8)
    y = p["gamma"] * xhat + p["beta"]
    return np.sum((y - ROWS_GOAL) ** 2)


@mistake(
    batch_norm_by_variance,
    ROWS,
    source="Vexives/caspian 1.1.0, caspian/layers/BatchNorm.py (BatchNorm.backward)",
    step="dxmu dx",
    cause="The cotangent is multiplied by the variance where it should be divided by the standard deviation.",
    fix={"dxhat * var +": "dxhat / np.sqrt(var + 1e-8) +", "dxhat * -var": "dxhat / -np.sqrt(var + 1e-8)"},
    says=r"\bvar\b|variance|deviation|sqrt",
)
def caspian_batch_norm_variance(p: Parameters) -> dict[str, Any]:
    xmu = p["x"] - p["x"].mean(axis=0)
    var = (xmu**2).mean(axis=0)
    xhat = xmu / np.sqrt(var + 1e-8)
    dy = 2 * (p["gamma"] * xhat + p["beta"] - ROWS_GOAL)
    dgamma, dbeta = np.sum(dy * xhat, axis=0), np.sum(dy, axis=0)
    dxhat = dy * p["gamma"]
    dmu = np.sum(dxhat * -var, axis=0)
    dvar = np.sum(dxhat * xmu, axis=0) * -0.5 * (var + 1e-8) ** -1.5
    dx = dxhat * var + dvar * 2 * xmu / 6 + dmu / 6
    return {"dy": dy, "dgamma": dgamma, "dbeta": dbeta, "dxhat": dxhat, "dx": dx}


PLANES = {"x": normal(78, 2, 4, 3), "weight": 1 + 0.3 * normal(79, 4)}
PLANES_GOAL = normal(80, 2, 4, 3)


def weighted_group_norm(p: Parameters) -> Any:
    grouped = p["x"].reshape(2, 2, 2, 3)
    xmu = grouped - np.mean(grouped, axis=(2, 3), keepdims=True)
    std = np.sqrt(np.mean(xmu**2, axis=(2, 3), keepdims=True) + 1e-8)
    xhat = xmu / std
    y = xhat * p["weight"].reshape(1, 2, 2, 1)
    return np.sum((y - PLANES_GOAL.reshape(2, 2, 2, 3)) ** 2)


@mistake(
    weighted_group_norm,
    PLANES,
    source="Vexives/caspian 1.1.0, caspian/layers/GroupNorm.py (GroupNorm.backward)",
    step="dx",
    cause="The means of the backward pass are over the last axis alone; a group has two axes.",
    fix={
        "dxhat.mean(axis=-1, keepdims=True)": "dxhat.mean(axis=(-1, -2), keepdims=True)",
        "(dxhat * xhat).mean(axis=-1, keepdims=True)": "(dxhat * xhat).mean(axis=(-1, -2), keepdims=True)",
    },
    says=r"axis|axes|mean",
)
def caspian_group_norm_axis_backward(p: Parameters) -> dict[str, Any]:
    grouped = p["x"].reshape(2, 2, 2, 3)
    xmu = grouped - grouped.mean(axis=(2, 3), keepdims=True)
    std = np.sqrt((xmu**2).mean(axis=(2, 3), keepdims=True) + 1e-8)
    xhat = xmu / std
    weight = p["weight"].reshape(2, 2, 1)
    dy = 2 * (xhat * weight - PLANES_GOAL.reshape(2, 2, 2, 3))
    dxhat = dy * weight
    dweight = np.sum(dy * xhat, axis=(0, 3)).reshape(4)
    dx = (dxhat - dxhat.mean(axis=-1, keepdims=True) - xhat * (dxhat * xhat).mean(axis=-1, keepdims=True)) / std
    return {"dy": dy, "dxhat": dxhat, "dweight": dweight, "dx": dx.reshape(2, 4, 3)}


@mistake(
    batch_norm,
    BATCH,
    source="https://github.com/ROCm/MIOpen/issues/104",
    step="dx",
    cause="gamma is missing from one of the three terms, the cotangent itself.",
    fix={"6 * dy - tmp1": "6 * dxhat - tmp1"},
    says=r"gamma|dxhat",
)
def miopen_batch_norm_one_term_derived(p: Parameters) -> dict[str, Any]:
    xmu = p["x"] - p["x"].mean(axis=0)
    ivar = 1 / np.sqrt(np.mean(xmu**2, axis=0) + 1e-5)
    xhat = xmu * ivar
    dy = 2 * WEIGHT * (p["gamma"] * xhat + p["beta"])
    dgamma, dbeta = np.sum(dy * xhat, axis=0), np.sum(dy, axis=0)
    dxhat = dy * p["gamma"]
    tmp1 = np.sum(dxhat, axis=0)
    tmp2 = 6 * dy - tmp1
    dx = ivar / 6 * (tmp2 - xhat * np.sum(dxhat * xhat, axis=0))
    return {"dy": dy, "dgamma": dgamma, "dbeta": dbeta, "dxhat": dxhat, "dx": dx}


SPHERE = {"x": normal(100, 5, 4), "W": normal(101, 4, 3)}
SPHERE_GOAL = normal(102, 5, 3)


def inner_products_with_unit_weights(p: Parameters) -> Any:
    norm = np.sqrt(np.sum(p["W"] ** 2, axis=0))
    U = p["W"] / norm
    y = p["x"] @ U
    return np.sum((y - SPHERE_GOAL) ** 2)


@mistake(
    inner_products_with_unit_weights,
    SPHERE,
    source="https://github.com/wy1iu/sphereface/issues/2",
    step="dW",
    cause="The weights are normalised in the forward pass, and the gradient does not know it.",
    fix={"dW = dU": "dW = (dU - U * np.sum(dU * U, axis=0)) / norm"},
    says=r"norm|constant|contribution|divi|derivative",
)
def sphereface_unit_weights(p: Parameters) -> dict[str, Any]:
    norm = np.sqrt(np.sum(p["W"] ** 2, axis=0))
    U = p["W"] / norm
    dy = 2 * (p["x"] @ U - SPHERE_GOAL)
    dU = p["x"].T @ dy
    dW = dU
    dx = dy @ U.T
    return {"dy": dy, "dU": dU, "dW": dW, "dx": dx}


UNIT = {"x": normal(103, 4, 5)}
UNIT_TARGET = normal(104, 4, 5)


def unit_rows(p: Parameters) -> Any:
    norm = np.sqrt(np.sum(p["x"] ** 2, axis=1, keepdims=True))
    y = p["x"] / norm
    return np.sum((y - UNIT_TARGET) ** 2)


@mistake(
    unit_rows,
    UNIT,
    source="https://github.com/zhreshold/mxnet-ssd/issues/48 (a correction that was proposed)",
    step="dx",
    cause="The term of the norm is divided by the norm once more.",
    fix={"(dy - y * temp / norm) / norm": "(dy - y * temp) / norm"},
    says=r"norm|divi",
)
def mxnet_ssd_divided_once_more_gradient(p: Parameters) -> dict[str, Any]:
    norm = np.sqrt(np.sum(p["x"] ** 2, axis=1, keepdims=True))
    y = p["x"] / norm
    dy = 2 * (y - UNIT_TARGET)
    temp = np.sum(dy * y, axis=1, keepdims=True)
    dx = (dy - y * temp / norm) / norm
    return {"dy": dy, "dx": dx}


@mistake(
    unit_rows,
    UNIT,
    source="https://github.com/AlexeyAB/darknet/issues/3949 (l2normalize_cpu)",
    step="dx",
    cause="The derivative of a normalised element is taken as (1 - y) / norm, of itself alone.",
    fix={"dx = dy * (1 - y) / norm": "dx = (dy - y * np.sum(dy * y, axis=1, keepdims=True)) / norm"},
    says=r"sum|contribution|missing|term|instead",
)
def darknet_l2_normalise(p: Parameters) -> dict[str, Any]:
    norm = np.sqrt(np.sum(p["x"] ** 2, axis=1, keepdims=True))
    y = p["x"] / norm
    dy = 2 * (y - UNIT_TARGET)
    dx = dy * (1 - y) / norm
    return {"dy": dy, "dx": dx}
