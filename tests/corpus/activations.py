"""Activation functions: their derivatives, and where they are taken."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal, sigmoid

X, Y = normal(1, 5, 3), normal(2, 5, 4)
LAYER = {"W": normal(3, 3, 4), "b": 0.3 * normal(4, 4)}


def tanh_layer(p: Parameters) -> Any:
    z = X @ p["W"] + p["b"]
    h = np.tanh(z)
    return 0.5 * np.sum((h - Y) ** 2)


@mistake(
    tanh_layer,
    LAYER,
    source="https://github.com/scutan90/DeepLearning-500-questions/issues/544 (a table of derivatives)",
    step="dz",
    cause="The 1 of tanh's derivative, 1 - tanh^2, is missing.",
    fix={"dh * -(np.tanh(z) ** 2)": "dh * (1 - np.tanh(z) ** 2)"},
    says=r"1 - |derivative",
)
def tanh_without_one(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    dh = np.tanh(z) - Y
    dz = dh * -(np.tanh(z) ** 2)
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"dh": dh, "dz": dz, "dW": dW, "db": db}


@mistake(
    tanh_layer,
    LAYER,
    source="https://github.com/davidrmiller/neural2d/issues/40",
    step="dz",
    cause="The derivative of tanh is taken at the output instead of at the input: tanh is applied twice.",
    fix={"1 - np.tanh(h) ** 2": "1 - np.tanh(z) ** 2"},
    says=r"tanh\(h\)|h instead of z|output",
)
def neural2d_derivative_at_output(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    h = np.tanh(z)
    dh = h - Y
    dz = dh * (1 - np.tanh(h) ** 2)
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"dh": dh, "dz": dz, "dW": dW, "db": db}


def softplus_layer(p: Parameters) -> Any:
    z = X @ p["W"] + p["b"]
    a = np.log(1 + np.exp(z))
    return 0.5 * np.sum((a - Y) ** 2)


@mistake(
    softplus_layer,
    LAYER,
    source="https://github.com/zserge/nanonn/issues/4",
    step="dz",
    cause="The derivative of softplus, a sigmoid, is taken at the output; of the output it would be 1 - exp(-a).",
    fix={"da * sigmoid(a)": "da * (1 - np.exp(-a))"},
    says=r"sigmoid|a instead of z|exp\(-",
)
def nanonn_softplus(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    a = np.log(1 + np.exp(z))
    da = a - Y
    dz = da * sigmoid(a)
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"da": da, "dz": dz, "dW": dW, "db": db}


def leaky_layer(slope: float) -> Any:
    def loss(p: Parameters) -> Any:
        z = X @ p["W"] + p["b"]
        a = np.where(z >= 0, z, slope * z)
        return 0.5 * np.sum((a - Y) ** 2)

    return loss


@mistake(
    leaky_layer(0.0),
    LAYER,
    source="https://github.com/chainer/chainer/pull/5898",
    step="dz",
    cause="The sign is asked of the output, which is 0 where the slope is 0: everything is passed on.",
    fix={"np.where(a >= 0, da, 0.0 * da)": "np.where(z >= 0, da, 0.0 * da)"},
    says=r"a instead of z|z >= 0|z > 0|missing|where|passed",
)
def chainer_leaky_relu_zero_slope(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    a = np.where(z >= 0, z, 0.0 * z)
    da = a - Y
    dz = np.where(a >= 0, da, 0.0 * da)
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"da": da, "dz": dz, "dW": dW, "db": db}


def relu_layer(p: Parameters) -> Any:
    z = X @ p["W"] + p["b"]
    h = 1 / (1 + np.exp(-z))
    return -np.sum((Y > 0) * np.log(h) + (Y <= 0) * np.log(1 - h))


@mistake(
    relu_layer,
    LAYER,
    source="https://github.com/JuliaML/LossFunctions.jl/issues/135 (a correction that was proposed)",
    step="dh",
    cause="h (1 - h), a sigmoid's derivative, is given as the derivative of the cross-entropy.",
    fix={"dh = h * (1 - h)": "dh = (1 - t) / (1 - h) - t / h"},
    says=r"log|/ h|h \(1 - h\)|1 - h",
)
def cross_entropy_as_sigmoid(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    h = sigmoid(z)
    t = 1.0 * (Y > 0)
    dh = h * (1 - h) + 0 * t
    dz = dh * h * (1 - h)
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"dh": dh, "dz": dz, "dW": dW, "db": db}


CONTAINED = {"x": normal(30, 4, 3), "W": normal(31, 3, 2)}
CONTAINED_GOAL = normal(32, 4, 2)


def contained_sigmoid(p: Parameters) -> Any:
    a = 1 / (1 + np.exp(-p["x"]))
    y = a @ p["W"]
    return np.sum((y - CONTAINED_GOAL) ** 2)


@mistake(
    contained_sigmoid,
    CONTAINED,
    source="Vexives/caspian 1.1.0, caspian/layers/Container.py (Container.backward, with activations/Sigmoid.py)",
    step="dx",
    cause="The derivative of the activation is a function of its output, and is given the input.",
    fix={"dx = da * x * (1 - x)": "dx = da * a * (1 - a)"},
    says=r"\bx\b.*\ba\b|input",
)
def caspian_container_input(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    a = 1 / (1 + np.exp(-x))
    dy = 2 * (a @ p["W"] - CONTAINED_GOAL)
    da = dy @ p["W"].T
    dx = da * x * (1 - x)
    return {"dy": dy, "da": da, "dW": a.T @ dy, "dx": dx}


RECTIFIED = {"W": normal(40, 3, 4), "b": 0.2 * normal(41, 4)}


def rectified_layer(p: Parameters) -> Any:
    z = X @ p["W"] + p["b"]
    h = np.maximum(0, z)
    return 0.5 * np.sum((h - Y) ** 2)


@mistake(
    rectified_layer,
    RECTIFIED,
    source="https://github.com/haifengl/smile/issues/528",
    step="dz",
    cause="The cotangent is overwritten by the derivative, 0 or 1, instead of multiplied by it.",
    fix={"dz = (z > 0).astype(float)": "dz = dh * (z > 0)"},
    says=r"\bdh\b|cotangent|factor",
)
def smile_rectifier_overwritten(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    dh = np.maximum(0, z) - Y
    dz = (z > 0).astype(float)
    return {"dh": dh, "dz": dz, "dW": X.T @ dz, "db": np.sum(dz, axis=0)}


SWISH = {"x": normal(42, 5, 4), "beta": 1 + 0.3 * normal(43, 4)}


def swish_with_slope(p: Parameters) -> Any:
    s = sigmoid(p["beta"] * p["x"])
    out = p["x"] * s
    return np.sum((out - Y) ** 2)


@mistake(
    swish_with_slope,
    SWISH,
    source="https://github.com/RubixML/ML/pull/437 (Swish, dBeta)",
    step="dbeta",
    cause="The derivative of the sigmoid, with its inner x, is missing from the gradient of the slope.",
    fix={"np.sum(dout * x, axis=0)": "np.sum(dout * x * s * (1 - s) * x, axis=0)"},
    says=r"1 - s|sigmoid|factor|derivative",
)
def rubix_swish_slope_gradient(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    s = sigmoid(p["beta"] * x)
    dout = 2 * (x * s - Y)
    dbeta = np.sum(dout * x, axis=0)
    dx = dout * (s + p["beta"] * x * s * (1 - s))
    return {"dout": dout, "dbeta": dbeta, "dx": dx}


CLIPPED = {"x": 1.5 * normal(44, 5, 4)}
LIMIT = 1.0


def soft_relu(p: Parameters) -> Any:
    c = np.clip(p["x"], -LIMIT, LIMIT)
    out = np.log(1 + np.exp(c))
    return np.sum((out - Y) ** 2)


@mistake(
    soft_relu,
    CLIPPED,
    source="https://github.com/PaddlePaddle/Paddle/pull/18678",
    step="dx",
    cause="Whether it was clipped is asked of the output instead of the input.",
    fix={"(out > -LIMIT) & (out < LIMIT)": '(p["x"] > -LIMIT) & (p["x"] < LIMIT)'},
    says=r"\bx\b|\bout\b|clip|mask",
)
def paddle_soft_relu_clip_mistake(p: Parameters) -> dict[str, Any]:
    out = np.log(1 + np.exp(np.clip(p["x"], -LIMIT, LIMIT)))
    dout = 2 * (out - Y)
    inside = (out > -LIMIT) & (out < LIMIT)
    dx = dout * (1 - np.exp(-out)) * inside
    return {"dout": dout, "dx": dx}
