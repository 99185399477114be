"""Activation functions: their derivatives, and where they are taken."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

X, Y = normal(1, 5, 3), normal(2, 5, 4)
LAYER = {"W": normal(3, 3, 4), "b": 0.3 * normal(4, 4)}


def tanh_layer(p: Parameters) -> Any:
    z = X @ p["W"] + p["b"]
    h = np.tanh(z)
    return 0.5 * np.sum((h - Y) ** 2)


@mistake(
    tanh_layer,
    LAYER,
    source="https://github.com/andersbll/nnet/issues/4 (tanh_d)",
    step="dz",
    cause="The derivative is another way to write tanh itself, (exp(2z) - 1) / (exp(2z) + 1).",
    fix={"dh * (e - 1) / (e + 1)": "dh * (1 - ((e - 1) / (e + 1)) ** 2)"},
    says=r"tanh|h instead|1 - h",
)
def nnet_tanh_as_its_derivative(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    dh = np.tanh(z) - Y
    e = np.exp(2 * z)
    dz = dh * (e - 1) / (e + 1)
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"dh": dh, "dz": dz, "dW": dW, "db": db}


@mistake(
    tanh_layer,
    LAYER,
    source="https://github.com/nicodjimenez/lstm/issues/41 (a correction that was proposed)",
    step="dz",
    cause="1 + h^2, which is the derivative of the tangent, for 1 - h^2.",
    fix={"1 + h**2": "1 - h**2"},
    says=r"1 \+ h|1 - h",
)
def tangent_for_tanh(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    h = np.tanh(z)
    dh = h - Y
    dz = dh * (1 + h**2)
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"dh": dh, "dz": dz, "dW": dW, "db": db}


@mistake(
    tanh_layer,
    LAYER,
    source="https://github.com/lazyprogrammer/facial-expression-recognition/issues/2 (a correction that was proposed)",
    step="dz",
    cause="1 - z^2 for 1 - h^2: the square is taken of the value before the activation.",
    fix={"1 - np.arctanh(h) * np.arctanh(h)": "1 - h * h"},
    says=r"1 - z|z instead of h|arctanh|1 - h",
)
def square_before_activation(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    h = np.tanh(z)
    dh = h - Y
    dz = dh * (1 - np.arctanh(h) * np.arctanh(h))
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"dh": dh, "dz": dz, "dW": dW, "db": db}


def leaky_layer(slope: float) -> Any:
    def loss(p: Parameters) -> Any:
        z = X @ p["W"] + p["b"]
        a = np.where(z >= 0, z, slope * z)
        return 0.5 * np.sum((a - Y) ** 2)

    return loss


@mistake(
    leaky_layer(-2.0),
    LAYER,
    source="https://github.com/pytorch/pytorch/issues/31938",
    step="dz",
    cause="In place, the branch is decided by the output, which is positive everywhere for a negative slope.",
    fix={"np.where(a > 0, da, -2.0 * da)": "np.where(z > 0, da, -2.0 * da)"},
    says=r"a instead of z|z > 0|z >= 0|missing|where|branch",
)
def pytorch_leaky_relu_in_place(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    a = np.where(z >= 0, z, -2.0 * z)
    da = a - Y
    dz = np.where(a > 0, da, -2.0 * da)
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"da": da, "dz": dz, "dW": dW, "db": db}


def exponential_layer(p: Parameters) -> Any:
    z = X @ p["W"] + p["b"]
    a = np.exp(z)
    return 0.5 * np.sum((a - Y) ** 2)


@mistake(
    exponential_layer,
    LAYER,
    source="https://github.com/karpathy/nn-zero-to-hero/issues/52 (a correction that was proposed)",
    step="dz",
    cause="The cotangent is multiplied by the input of exp instead of by its output.",
    fix={"dz = z * da": "dz = a * da"},
    says=r"uses z|z instead of a|a \*|\* a|exp\(z\)",
)
def exponential_of_the_input(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"] + p["b"]
    a = np.exp(z)
    da = a - Y
    dz = z * da
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return {"da": da, "dz": dz, "dW": dW, "db": db}


STEEP = {"x": normal(30, 5, 4)}
STEEP_WEIGHT = normal(31, 5, 4)
ALPHA = 0.7


def elu(p: Parameters) -> Any:
    x = p["x"]
    y = np.maximum(x, 0) + np.minimum(0, ALPHA * (np.exp(x) - 1))
    return np.sum(STEEP_WEIGHT * y**2)


@mistake(
    elu,
    STEEP,
    source="borgwang/tinynn 0.1.1, tinynn/core/layer.py (ELU.derivative)",
    step="dx",
    cause="The sum binds before the comparison: x > 0 + (x < 0) alpha exp(x), which is 0 or 1.",
    fix={"(x > 0.0 + (x < 0.0) * ALPHA * np.exp(x))": "((x > 0.0) + (x < 0.0) * ALPHA * np.exp(x))"},
    says=r"compar|>|bracket|parenthes|ALPHA|branch",
)
def tinynn_elu_precedence(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    y = np.maximum(x, 0) + np.minimum(0, ALPHA * (np.exp(x) - 1))
    dy = 2 * STEEP_WEIGHT * y
    dx = (x > 0.0 + (x < 0.0) * ALPHA * np.exp(x)) * dy
    return {"dy": dy, "dx": dx}


def sigmoid_layer(p: Parameters) -> Any:
    z = X @ p["W"] + p["b"]
    h = 1 / (1 + np.exp(-z))
    return 0.5 * np.sum((h - Y) ** 2)


@mistake(
    sigmoid_layer,
    {"W": normal(40, 3, 4), "b": 0.2 * normal(41, 4)},
    source="https://github.com/sausheong/gonn/issues/8 (the formula of the text)",
    step="dz",
    cause="1 - h is subtracted from h instead of multiplied by it.",
    fix={"(h - (1 - h))": "(h * (1 - h))"},
    says=r"1 - h|product|multipl|minus|instead|stands where",
)
def gonn_sigmoid_minus(p: Parameters) -> dict[str, Any]:
    h = 1 / (1 + np.exp(-(X @ p["W"] + p["b"])))
    dh = h - Y
    dz = dh * (h - (1 - h))
    return {"dh": dh, "dz": dz, "dW": X.T @ dz, "db": np.sum(dz, axis=0)}


MISH = {"x": normal(42, 5, 4)}


def mish(p: Parameters) -> Any:
    sp = np.log(1 + np.exp(p["x"]))
    t = np.tanh(sp)
    out = p["x"] * t
    return np.sum((out - Y) ** 2)


@mistake(
    mish,
    MISH,
    source="https://github.com/AlexeyAB/darknet/issues/6526 (a correction that was proposed)",
    step="dsp dx",
    cause="The derivative of softplus, a sigmoid, is taken at the output of softplus instead of at its input.",
    fix={"grad_sp = 1 - 1 / (1 + np.exp(sp))": "grad_sp = 1 - np.exp(-sp)"},
    says=r"\bsp\b|\bx\b|sigmoid|input",
)
def darknet_mish_softplus_backward(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    sp = np.log(1 + np.exp(x))
    tsp = np.tanh(sp)
    dout = 2 * (x * tsp - Y)
    grad_sp = 1 - 1 / (1 + np.exp(sp))
    grad_tsp = (1 - tsp * tsp) * grad_sp
    dx = dout * (x * grad_tsp + tsp)
    return {"dout": dout, "dx": dx}


SOFTPLUS = {"x": np.linspace(-0.2, 0.5, 20).reshape(5, 4)}
SHARP, CUT = 3.0, 1.0


def softplus_with_threshold(p: Parameters) -> Any:
    out = np.where(SHARP * p["x"] > CUT, p["x"], np.log(1 + np.exp(SHARP * p["x"])) / SHARP)
    return np.sum((out - Y) ** 2)


@mistake(
    softplus_with_threshold,
    SOFTPLUS,
    source="https://github.com/pytorch/pytorch/issues/61568",
    step="dx",
    cause="The threshold is compared with the output instead of the input.",
    fix={"SHARP * out > CUT": "SHARP * x > CUT"},
    says=r"\bout\b|\bx\b|threshold|compar",
)
def pytorch_softplus_threshold_rule(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    out = np.where(SHARP * x > CUT, x, np.log(1 + np.exp(SHARP * x)) / SHARP)
    dout = 2 * (out - Y)
    e = np.exp(SHARP * x)
    dx = np.where(SHARP * out > CUT, dout, dout * e / (e + 1))
    return {"dout": dout, "dx": dx}
