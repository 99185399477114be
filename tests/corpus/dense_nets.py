"""Dense networks, and what is regularised in them."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal, sigmoid

X, Y = normal(1, 6, 3), normal(2, 6, 2)
CLASSES = np.eye(2)[[0, 1, 1, 0, 1, 0]]
REG = 0.3
THETA = {"theta1": 0.5 * normal(8, 4, 4), "theta2": 0.5 * normal(9, 2, 5)}
ONES = np.ones((6, 1))


def coursera(p: Parameters) -> Any:
    a1 = np.concatenate([ONES, X], axis=1)
    z2 = a1 @ p["theta1"].T
    a2 = np.concatenate([ONES, 1 / (1 + np.exp(-z2))], axis=1)
    z3 = a2 @ p["theta2"].T
    h = 1 / (1 + np.exp(-z3))
    entropy = np.sum(-CLASSES * np.log(h) - (1 - CLASSES) * np.log(1 - h)) / 6
    return entropy + REG / 12 * (np.sum(p["theta1"][:, 1:] ** 2) + np.sum(p["theta2"][:, 1:] ** 2))


@mistake(
    coursera,
    THETA,
    source="https://github.com/JWarmenhoven/Coursera-Machine-Learning/issues/3",
    step="dtheta2",
    cause="The column of the biases is set to ones instead of zeros, so a constant is added to their gradients.",
    fix={"np.c_[np.ones(2), ": "np.c_[np.zeros(2), ", "np.c_[np.ones(4), ": "np.c_[np.zeros(4), "},
    says=r"\[:, 0\]|zeros|column|ones|0\.05|theta2",
)
def coursera_bias_column(p: Parameters) -> dict[str, Any]:
    a1 = np.c_[ONES, X]
    a2 = np.c_[ONES, sigmoid(a1 @ p["theta1"].T)]
    dz3 = (sigmoid(a2 @ p["theta2"].T) - CLASSES) / 6
    da2 = dz3 @ p["theta2"]
    dz2 = da2[:, 1:] * a2[:, 1:] * (1 - a2[:, 1:])
    theta1_ = np.c_[np.ones(4), p["theta1"][:, 1:]]
    theta2_ = np.c_[np.ones(2), p["theta2"][:, 1:]]
    dtheta1 = dz2.T @ a1 + REG * theta1_ / 6
    dtheta2 = dz3.T @ a2 + REG * theta2_ / 6
    return {"dz3": dz3, "dtheta2": dtheta2, "da2": da2, "dz2": dz2, "dtheta1": dtheta1}


THREE = {
    "W1": normal(10, 5, 3),
    "b1": 0.1 * normal(11, 5, 1),
    "W2": normal(12, 3, 5),
    "b2": 0.1 * normal(13, 3, 1),
    "W3": normal(14, 1, 3),
    "b3": 0.1 * normal(15, 1, 1),
}
COLUMNS, ANSWERS = X.T, np.array([[1.0, 0.0, 0.0, 1.0, 1.0, 0.0]])


def sigmoid_net(p: Parameters) -> Any:
    z1 = p["W1"] @ COLUMNS
    a1 = 1 / (1 + np.exp(-z1))
    z2 = p["W2"] @ a1
    a2 = 1 / (1 + np.exp(-z2))
    z3 = p["W3"] @ a2
    a3 = 1 / (1 + np.exp(-z3))
    return 0.5 * np.sum((a3 - ANSWERS) ** 2)


SIGMOIDS = {"W1": THREE["W1"], "W2": THREE["W2"], "W3": THREE["W3"]}


@mistake(
    sigmoid_net,
    SIGMOIDS,
    source="https://stackoverflow.com/questions/53287032 (also the error signals of Make Your Own Neural Network)",
    step="da2",
    cause="The error is propagated through the weights without the derivative of the sigmoid.",
    fix={".T @ da3": ".T @ dz3", ".T @ da2": ".T @ dz2"},
    says=r"derivative|dz3|a3 \(1 - a3\)",
)
def errors_without_derivative(p: Parameters) -> dict[str, Any]:
    a1 = sigmoid(p["W1"] @ COLUMNS)
    a2 = sigmoid(p["W2"] @ a1)
    a3 = sigmoid(p["W3"] @ a2)
    da3 = a3 - ANSWERS
    dz3 = da3 * a3 * (1 - a3)
    dW3 = dz3 @ a2.T
    da2 = p["W3"].T @ da3
    dz2 = da2 * a2 * (1 - a2)
    dW2 = dz2 @ a1.T
    da1 = p["W2"].T @ da2
    dz1 = da1 * a1 * (1 - a1)
    dW1 = dz1 @ COLUMNS.T
    return {"da3": da3, "dz3": dz3, "dW3": dW3, "da2": da2, "dz2": dz2, "dW2": dW2, "da1": da1, "dz1": dz1, "dW1": dW1}


XOR = {"w_0": normal(20, 2, 2), "w_1": normal(21, 1, 2)}
POINTS, TRUTH = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]), np.array([[0.0, 0.0, 1.0, 1.0]])


def xor_net(p: Parameters) -> Any:
    z_0 = p["w_0"] @ POINTS
    hidden = 1 / (1 + np.exp(-z_0))
    z_1 = p["w_1"] @ hidden
    output = 1 / (1 + np.exp(-z_1))
    return 0.5 * np.sum((output - TRUTH) ** 2)


@mistake(
    xor_net,
    XOR,
    source="https://whosebug.com/question/2948401 (a copy of a question on Stack Overflow)",
    step="dz_0",
    cause="The hidden layer uses the error of the output instead of its own, which was computed.",
    fix={"dz_0 = error * ": "dz_0 = hidden_error * ", "@ error": "@ delta"},
    says=r"error|w_1|z_1",
)
def xor_hidden_error_unused(p: Parameters) -> dict[str, Any]:
    hidden = sigmoid(p["w_0"] @ POINTS)
    output = sigmoid(p["w_1"] @ hidden)
    error = output - TRUTH
    delta = error * output * (1 - output)
    hidden_error = p["w_1"].T @ error
    dz_0 = error * hidden * (1 - hidden)
    dw_1 = delta @ hidden.T
    dw_0 = dz_0 @ POINTS.T
    assert hidden_error.shape == dz_0.shape
    return {"doutput": error, "dz_1": delta, "dw_1": dw_1, "dz_0": dz_0, "dw_0": dw_0}


SQUARE = {"W1": normal(22, 3, 2), "b1": 0.1 * normal(23, 2), "W2": normal(24, 2, 2), "b2": 0.1 * normal(25, 2)}


def wildml(p: Parameters) -> Any:
    z1 = X @ p["W1"] + p["b1"]
    a1 = np.tanh(z1)
    z2 = a1 @ p["W2"] + p["b2"]
    e = np.exp(z2 - np.max(z2, axis=1, keepdims=True))
    probs = e / np.sum(e, axis=1, keepdims=True)
    return -np.sum(CLASSES * np.log(probs))


@mistake(
    wildml,
    SQUARE,
    source="https://github.com/arthurdouillard/deepcourse/issues/6",
    step="dW1",
    cause="The weight's gradient uses the cotangent after the activation instead of the one before it.",
    fix={"dW1 = X.T @ da1": "dW1 = X.T @ dz1"},
    says=r"da1|dz1|derivative",
)
def deepcourse_after_activation(p: Parameters) -> dict[str, Any]:
    a1 = np.tanh(X @ p["W1"] + p["b1"])
    z2 = a1 @ p["W2"] + p["b2"]
    e = np.exp(z2 - z2.max(axis=1, keepdims=True))
    dz2 = e / e.sum(axis=1, keepdims=True) - CLASSES
    dW2 = a1.T @ dz2
    db2 = dz2.sum(axis=0)
    da1 = dz2 @ p["W2"].T
    dz1 = da1 * (1 - a1**2)
    dW1 = X.T @ da1
    db1 = dz1.sum(axis=0)
    return {"dz2": dz2, "dW2": dW2, "db2": db2, "da1": da1, "dz1": dz1, "dW1": dW1, "db1": db1}


WELCH = {"W1": normal(26, 3, 4), "W2": normal(27, 4, 2)}


def scratch_mlp(p: Parameters) -> Any:
    h1 = 1 / (1 + np.exp(-(X @ p["W1"])))
    z2 = h1 @ p["W2"]
    h2 = 1 / (1 + np.exp(-z2))
    return np.sum((Y - h2) ** 2)


@mistake(
    scratch_mlp,
    WELCH,
    source="https://github.com/omar-florez/scratch_mlp/issues/3",
    step="dh2",
    cause="The square's factor 2 is missing.",
    fix={"dh2 = -(Y - h2)": "dh2 = -2 * (Y - h2)"},
    says=r"1/2|2 \*|factor 2|half",
)
def scratch_mlp_two(p: Parameters) -> dict[str, Any]:
    h1 = sigmoid(X @ p["W1"])
    h2 = sigmoid(h1 @ p["W2"])
    dh2 = -(Y - h2)
    dz2 = dh2 * h2 * (1 - h2)
    dW2 = h1.T @ dz2
    dh1 = dz2 @ p["W2"].T
    dW1 = X.T @ (dh1 * h1 * (1 - h1))
    return {"dh2": dh2, "dz2": dz2, "dW2": dW2, "dh1": dh1, "dW1": dW1}


DROPPED = {"W1": normal(29, 3, 4), "W2": normal(30, 4, 2)}
MASK = np.array([[1, 0, 1, 1], [0, 1, 1, 1], [1, 1, 0, 1], [1, 0, 1, 0], [1, 1, 1, 1], [0, 1, 0, 1]])


def dropout_net(p: Parameters) -> Any:
    z1 = X @ p["W1"]
    h = np.tanh(z1)
    d = h * MASK / 0.7
    out = d @ p["W2"]
    return 0.5 * np.sum((out - Y) ** 2) / len(X)


@mistake(
    dropout_net,
    DROPPED,
    source="https://github.com/ddbourgin/numpy-ml/issues/94",
    step="dh",
    cause="The backward pass of dropout divides by the probability to keep a unit, but does not apply the mask.",
    fix={"dh = dd / 0.7": "dh = dd * MASK / 0.7"},
    says=r"mask",
)
def numpyml_dropout_mask(p: Parameters) -> dict[str, Any]:
    h = np.tanh(X @ p["W1"])
    d = h * MASK / 0.7
    dout = (d @ p["W2"] - Y) / len(X)
    dW2 = d.T @ dout
    dd = dout @ p["W2"].T
    dh = dd / 0.7
    dz1 = dh * (1 - h**2)
    dW1 = X.T @ dz1
    return {"dout": dout, "dW2": dW2, "dd": dd, "dh": dh, "dz1": dz1, "dW1": dW1}


@mistake(
    dropout_net,
    DROPPED,
    source="https://github.com/rohitg00/ai-engineering-from-scratch/pull/17 (07-regularization)",
    step="dz1",
    cause="The hidden gradients are computed as if every unit had stayed active: no mask, no scale.",
    fix={"dd * (1 - h**2)": "dd * MASK / 0.7 * (1 - h**2)"},
    says=r"mask",
)
def dropout_ignored(p: Parameters) -> dict[str, Any]:
    h = np.tanh(X @ p["W1"])
    d = h * MASK / 0.7
    dout = (d @ p["W2"] - Y) / len(X)
    dW2 = d.T @ dout
    dd = dout @ p["W2"].T
    dz1 = dd * (1 - h**2)
    dW1 = X.T @ dz1
    return {"dout": dout, "dW2": dW2, "dd": dd, "dz1": dz1, "dW1": dW1}


KEPT = {"x": normal(60, 4, 5), "W": normal(61, 5, 3)}
KEPT_MASK = np.random.default_rng(62).random((4, 5)) > 0.4
KEPT_GOAL = normal(63, 4, 3)


def scaled_dropout(p: Parameters) -> Any:
    scale = 0.6
    d = p["x"] * KEPT_MASK * scale
    y = d @ p["W"]
    return np.sum((y - KEPT_GOAL) ** 2)


@mistake(
    scaled_dropout,
    KEPT,
    source="Vexives/caspian 1.1.0, caspian/layers/Dropout.py (Dropout.backward)",
    step="dx",
    cause="The scale that the forward pass multiplies by is left out.",
    fix={"dx = dd * KEPT_MASK": "dx = dd * KEPT_MASK * 0.6"},
    says=r"scale|0\.6|3/5|5/3|1\.66",
)
def caspian_dropout_scale(p: Parameters) -> dict[str, Any]:
    d = p["x"] * KEPT_MASK * 0.6
    dy = 2 * (d @ p["W"] - KEPT_GOAL)
    dd = dy @ p["W"].T
    dx = dd * KEPT_MASK
    return {"dy": dy, "dd": dd, "dW": d.T @ dy, "dx": dx}


SIAMESE = {"scale": 1 + 0.3 * normal(70, 3)}
LEFT, RIGHT, SIAMESE_GOAL = normal(71, 3, 5), normal(72, 3, 5), normal(73, 3, 5)


def shared_scale(p: Parameters) -> Any:
    y1 = p["scale"][:, None] * LEFT
    y2 = p["scale"][:, None] * RIGHT
    return np.sum((np.tanh(y1) - y2 - SIAMESE_GOAL) ** 2)


@mistake(
    shared_scale,
    SIAMESE,
    source="https://github.com/BVLC/caffe/issues/6604 (beta = 0 where the outer dimension is 1)",
    step="dscale",
    cause="Each of the layers that share the scale writes its gradient over the other's.",
    fix={"dscale = np.sum(dy * x, axis=1)": "dscale = dscale + np.sum(dy * x, axis=1)"},
    says=r"assign|overwrit|added|missing|\+=",
)
def caffe_scale_replaced(p: Parameters) -> dict[str, Any]:
    y1, y2 = p["scale"][:, None] * LEFT, p["scale"][:, None] * RIGHT
    error = 2 * (np.tanh(y1) - y2 - SIAMESE_GOAL)
    dy1, dy2 = error * (1 - np.tanh(y1) ** 2), -error
    dscale = np.zeros(3)
    for dy, x in ((dy2, RIGHT), (dy1, LEFT)):
        dscale = np.sum(dy * x, axis=1)
    return {"dy1": dy1, "dy2": dy2, "dscale": dscale}


CBOW = {"W1": normal(74, 4, 6), "b1": 0.3 * normal(75, 4, 1), "W2": normal(76, 6, 4), "b2": 0.1 * normal(77, 6, 1)}
BAGS = np.abs(normal(78, 6, 5))
CENTRE = np.eye(6)[[0, 3, 2, 5, 3]].T


def continuous_bag_of_words(p: Parameters) -> Any:
    z1 = p["W1"] @ BAGS + p["b1"]
    h = np.maximum(0, z1)
    z = p["W2"] @ h + p["b2"]
    e = np.exp(z - np.max(z, axis=0))
    yhat = e / np.sum(e, axis=0)
    return -np.sum(CENTRE * np.log(yhat)) / 5


@mistake(
    continuous_bag_of_words,
    CBOW,
    source="https://github.com/amanchadha/coursera-natural-language-processing-specialization/issues/4 "
    "(a correction that was proposed)",
    step="db1",
    cause="The gradient of the bias is taken from before the rectifier, the weights' from behind it.",
    fix={"db1 = np.sum(dh, ": "db1 = np.sum(dz1, "},
    says=r"z1|relu|mask|rectif",
)
def coursera_cbow_bias(p: Parameters) -> dict[str, Any]:
    z1 = p["W1"] @ BAGS + p["b1"]
    h = np.maximum(0, z1)
    z = p["W2"] @ h + p["b2"]
    e = np.exp(z - z.max(axis=0))
    dz = (e / e.sum(axis=0) - CENTRE) / 5
    dW2 = dz @ h.T
    db2 = np.sum(dz, axis=1, keepdims=True)
    dh = p["W2"].T @ dz
    dz1 = dh * (z1 > 0)
    dW1 = dz1 @ BAGS.T
    db1 = np.sum(dh, axis=1, keepdims=True)
    return {"dz": dz, "dW2": dW2, "db2": db2, "dh": dh, "dz1": dz1, "dW1": dW1, "db1": db1}
