"""Dense networks, and what is regularised in them."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal, sigmoid

X, Y = normal(1, 6, 3), normal(2, 6, 2)
NET = {"W1": normal(3, 3, 4), "b1": 0.2 * normal(4, 4), "W2": normal(5, 4, 2), "b2": 0.2 * normal(6, 2)}
CLASSES = np.eye(2)[[0, 1, 1, 0, 1, 0]]
REG = 0.3


def regularised(p: Parameters) -> Any:
    z1 = X @ p["W1"] + p["b1"]
    h1 = np.maximum(0, z1)
    scores = h1 @ p["W2"] + p["b2"]
    e = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    probs = e / np.sum(e, axis=1, keepdims=True)
    data = -np.sum(CLASSES * np.log(probs)) / len(X)
    return data + REG * (np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2) + np.sum(p["b1"] ** 2) + np.sum(p["b2"] ** 2))


@mistake(
    regularised,
    NET,
    source="https://github.com/Burton2000/CS231n-2017/issues/9",
    step="db2",
    cause="The loss regularises the biases too, the gradient does not: 2 reg b is missing.",
    fix={
        "db2 = dscores.sum(axis=0)": "db2 = dscores.sum(axis=0) + 2 * REG * p['b2']",
        "db1 = dz1.sum(axis=0)": "db1 = dz1.sum(axis=0) + 2 * REG * p['b1']",
    },
    says=r"b2|contribution|regular",
)
def cs231n_biases_regularised(p: Parameters) -> dict[str, Any]:
    z1 = X @ p["W1"] + p["b1"]
    h1 = np.maximum(0, z1)
    scores = h1 @ p["W2"] + p["b2"]
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    dscores = (e / e.sum(axis=1, keepdims=True) - CLASSES) / len(X)
    dW2 = h1.T @ dscores + 2 * REG * p["W2"]
    db2 = dscores.sum(axis=0)
    dh1 = dscores @ p["W2"].T
    dz1 = dh1 * (z1 > 0)
    dW1 = X.T @ dz1 + 2 * REG * p["W1"]
    db1 = dz1.sum(axis=0)
    return {"dscores": dscores, "dW2": dW2, "db2": db2, "dh1": dh1, "dz1": dz1, "dW1": dW1, "db1": db1}


SVM = {"W": 0.5 * normal(7, 3, 4)}
CORRECT = np.array([0, 2, 1, 3, 1, 2])


def svm(p: Parameters) -> Any:
    scores = X @ p["W"]
    margins = np.maximum(0, scores - scores[np.arange(6), CORRECT][:, None] + 1)
    return (np.sum(margins) - 6) / 6 + REG * np.sum(p["W"] * p["W"])


@mistake(
    svm,
    SVM,
    source="https://github.com/jingtinghuang/CS231n-Spring-2017/issues/3",
    step="dW",
    cause="The gradient of the regularisation lacks its factor 2.",
    fix={"+ REG * p": "+ 2 * REG * p"},
    says=r"2 \*|1/2|twice|half|contribution through operand . of multiply, W",
)
def cs231n_svm_regularisation(p: Parameters) -> dict[str, Any]:
    scores = X @ p["W"]
    rows = np.arange(6)
    over = scores - scores[rows, CORRECT][:, None] + 1 > 0
    dscores = over / 6
    dscores[rows, CORRECT] = dscores[rows, CORRECT] - over.sum(axis=1) / 6
    dW = X.T @ dscores + REG * p["W"]
    return {"dscores": dscores, "dW": dW}


def weight_decay(p: Parameters) -> Any:
    out = X @ p["W1"]
    return 0.5 * np.mean(np.sum((out - np.tile(Y, 2)) ** 2, axis=1)) + 0.5 * REG * np.sum(p["W1"] ** 2)


@mistake(
    weight_decay,
    {"W1": NET["W1"]},
    source="https://github.com/andersbll/nnet/issues/4 (weight decay)",
    step="dW1",
    cause="The gradient of the regularisation is subtracted instead of added.",
    fix={"- REG * p": "+ REG * p"},
    says=r"sign|subtract|\+",
)
def nnet_weight_decay_sign(p: Parameters) -> dict[str, Any]:
    dout = (X @ p["W1"] - np.tile(Y, 2)) / len(X)
    dW1 = X.T @ dout - REG * p["W1"]
    return {"dout": dout, "dW1": dW1}


THREE = {
    "W1": normal(10, 5, 3),
    "b1": 0.1 * normal(11, 5, 1),
    "W2": normal(12, 3, 5),
    "b2": 0.1 * normal(13, 3, 1),
    "W3": normal(14, 1, 3),
    "b3": 0.1 * normal(15, 1, 1),
}
COLUMNS, ANSWERS = X.T, np.array([[1.0, 0.0, 0.0, 1.0, 1.0, 0.0]])


def three_layers(p: Parameters) -> Any:
    Z1 = p["W1"] @ COLUMNS + p["b1"]
    A1 = np.maximum(0, Z1)
    Z2 = p["W2"] @ A1 + p["b2"]
    A2 = np.maximum(0, Z2)
    Z3 = p["W3"] @ A2 + p["b3"]
    A3 = 1 / (1 + np.exp(-Z3))
    return np.sum(-ANSWERS * np.log(A3) - (1 - ANSWERS) * np.log(1 - A3)) / 6


@mistake(
    three_layers,
    THREE,
    source="https://github.com/bighuang624/Andrew-Ng-Deep-Learning-notes/issues/10 (dW2 and db1)",
    step="dW2 db1",
    cause="The weight's gradient is doubled, and the bias' is divided by m / 4.",
    fix={"@ A1.T) * 2": "@ A1.T)", "4 / m * np.sum(dZ1": "1 / m * np.sum(dZ1"},
    says=r"[24] times|\* 2|2 \*|4 / m|factor 2",
)
def deeplearning_ai_gradient_checking(p: Parameters) -> dict[str, Any]:
    m = COLUMNS.shape[1]
    A1 = np.maximum(0, p["W1"] @ COLUMNS + p["b1"])
    A2 = np.maximum(0, p["W2"] @ A1 + p["b2"])
    A3 = sigmoid(p["W3"] @ A2 + p["b3"])
    dZ3 = A3 - ANSWERS
    dW3 = 1 / m * (dZ3 @ A2.T)
    db3 = 1 / m * np.sum(dZ3, axis=1, keepdims=True)
    dZ2 = (p["W3"].T @ dZ3) * (A2 > 0)
    dW2 = 1 / m * (dZ2 @ A1.T) * 2
    db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = (p["W2"].T @ dZ2) * (A1 > 0)
    dW1 = 1 / m * (dZ1 @ COLUMNS.T)
    db1 = 4 / m * np.sum(dZ1, axis=1, keepdims=True)
    return {"dW3": dW3, "db3": db3, "dW2": dW2, "db2": db2, "dW1": dW1, "db1": db1}


DEEP = {"W1": normal(16, 3, 3), "W2": normal(17, 3, 3), "W3": normal(18, 3, 3), "W4": normal(19, 3, 3)}


def four_layers(p: Parameters) -> Any:
    Z1 = p["W1"] @ COLUMNS
    A1 = np.tanh(Z1)
    Z2 = p["W2"] @ A1
    A2 = np.tanh(Z2)
    Z3 = p["W3"] @ A2
    A3 = np.tanh(Z3)
    A4 = p["W4"] @ A3
    return 0.5 * np.sum((A4 - 1) ** 2)


@mistake(
    four_layers,
    DEEP,
    source="https://github.com/fanghao6666/neural-networks-and-deep-learning/pull/7",
    step="dZ2",
    cause="In the loop over the layers, the last layer's dA is used again instead of the one above.",
    fix={"dZ2 = dA3 * (1 - A2**2)": "dZ2 = dA2 * (1 - A2**2)"},
    says=r"dA3|dA2",
)
def model_backward_last_layer(p: Parameters) -> dict[str, Any]:
    A1 = np.tanh(p["W1"] @ COLUMNS)
    A2 = np.tanh(p["W2"] @ A1)
    A3 = np.tanh(p["W3"] @ A2)
    dA4 = p["W4"] @ A3 - 1
    dW4 = dA4 @ A3.T
    dA3 = p["W4"].T @ dA4
    dZ3 = dA3 * (1 - A3**2)
    dW3 = dZ3 @ A2.T
    dA2 = p["W3"].T @ dZ3
    dZ2 = dA3 * (1 - A2**2)
    dW2 = dZ2 @ A1.T
    dA1 = p["W2"].T @ dZ2
    dW1 = (dA1 * (1 - A1**2)) @ COLUMNS.T
    return {
        "dA4": dA4,
        "dW4": dW4,
        "dA3": dA3,
        "dZ3": dZ3,
        "dW3": dW3,
        "dA2": dA2,
        "dZ2": dZ2,
        "dW2": dW2,
        "dA1": dA1,
        "dW1": dW1,
    }


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
    source="https://github.com/dennybritz/nn-from-scratch/pull/3 (the formula in the notebook)",
    step="dz1",
    cause="The derivative of tanh is taken at z2, of the layer above, instead of at z1.",
    fix={"np.tanh(z2) ** 2": "np.tanh(z1) ** 2"},
    says=r"z2|z1|a1|derivative",
)
def wildml_tanh_of_z2(p: Parameters) -> dict[str, Any]:
    z1 = X @ p["W1"] + p["b1"]
    a1 = np.tanh(z1)
    z2 = a1 @ p["W2"] + p["b2"]
    e = np.exp(z2 - z2.max(axis=1, keepdims=True))
    delta3 = e / e.sum(axis=1, keepdims=True) - CLASSES
    dW2 = a1.T @ delta3
    db2 = delta3.sum(axis=0)
    da1 = delta3 @ p["W2"].T
    delta2 = da1 * (1 - np.tanh(z2) ** 2)
    dW1 = X.T @ delta2
    db1 = delta2.sum(axis=0)
    return {"dz2": delta3, "dW2": dW2, "db2": db2, "da1": da1, "dz1": delta2, "dW1": dW1, "db1": db1}


@mistake(
    wildml,
    SQUARE,
    source="https://proxieslive.com/tag/checking/ (a question on derivatives that fail a gradient check)",
    step="db2",
    cause="The bias gets the cotangent of every sample: the sum over the batch is missing.",
    fix={"db2 = dz2": "db2 = dz2.sum(axis=0)", "db1 = dz1": "db1 = dz1.sum(axis=0)"},
    says=r"sum",
)
def bias_not_summed(p: Parameters) -> dict[str, Any]:
    a1 = np.tanh(X @ p["W1"] + p["b1"])
    z2 = a1 @ p["W2"] + p["b2"]
    e = np.exp(z2 - z2.max(axis=1, keepdims=True))
    dz2 = e / e.sum(axis=1, keepdims=True) - CLASSES
    dW2 = a1.T @ dz2
    db2 = dz2
    da1 = dz2 @ p["W2"].T
    dz1 = da1 * (1 - a1**2)
    dW1 = X.T @ dz1
    db1 = dz1
    return {"dz2": dz2, "dW2": dW2, "db2": db2, "da1": da1, "dz1": dz1, "dW1": dW1, "db1": db1}


WELCH = {"W1": normal(26, 3, 4), "W2": normal(27, 4, 2)}


def demystified(p: Parameters) -> Any:
    z2 = X @ p["W1"]
    a2 = 1 / (1 + np.exp(-z2))
    z3 = a2 @ p["W2"]
    yHat = 1 / (1 + np.exp(-z3))
    return 0.5 * np.sum((Y - yHat) ** 2) / len(X) + REG / 2 * (np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2))


@mistake(
    demystified,
    WELCH,
    source="https://github.com/stephencwelch/Neural-Networks-Demystified/issues/15 (the video of part 7)",
    step="dW2 dW1",
    cause="The cost is divided by the number of samples, the data term of the gradient is not.",
    fix={"a2.T @ delta3": "a2.T @ delta3 / len(X)", "X.T @ delta2": "X.T @ delta2 / len(X)"},
    says=r"6|mean|len|length|divide",
)
def demystified_not_averaged(p: Parameters) -> dict[str, Any]:
    a2 = sigmoid(X @ p["W1"])
    yHat = sigmoid(a2 @ p["W2"])
    delta3 = -(Y - yHat) * yHat * (1 - yHat)
    dW2 = a2.T @ delta3 + REG * p["W2"]
    delta2 = delta3 @ p["W2"].T * a2 * (1 - a2)
    dW1 = X.T @ delta2 + REG * p["W1"]
    return {"dW2": dW2, "dW1": dW1}


LOGISTIC = {"W": normal(28, 3)}


def log_cosh(p: Parameters) -> Any:
    error = Y[:, 0] - X @ p["W"]
    return np.sum(np.log(np.cosh(error)))


@mistake(
    log_cosh,
    LOGISTIC,
    source="RoboticsClubIITJ/ML-DL-implementation, MLlib/loss_func.py (derivative_logcosh)",
    step="dW",
    cause="The gradient is summed over the weights too: one number for a vector.",
    fix={"dW = np.sum(t)": "dW = t"},
    says=r"sum",
)
def mldl_log_cosh_summed(p: Parameters) -> dict[str, Any]:
    derror = np.tanh(Y[:, 0] - X @ p["W"])
    t = derror @ (-X)
    dW = np.sum(t)
    return {"derror": derror, "dW": dW}


LINEAR = {"x": normal(70, 4, 3), "W": normal(71, 2, 3)}
LINEAR_GOAL = normal(72, 4, 2)


def linear(p: Parameters) -> Any:
    y = p["x"] @ p["W"].T
    out = np.tanh(y)
    return np.sum((out - LINEAR_GOAL) ** 2)


@mistake(
    linear,
    LINEAR,
    source="Vexives/caspian 1.1.0, caspian/layers/Linear.py (Linear.backward)",
    step="dx dW",
    cause="The cotangent is multiplied by the layer's output, as if that were the derivative of an activation.",
    fix={"derr = dy * y": "derr = dy"},
    says=r"\by\b|output",
)
def caspian_linear_output(p: Parameters) -> dict[str, Any]:
    y = p["x"] @ p["W"].T
    out = np.tanh(y)
    dout = 2 * (out - LINEAR_GOAL)
    dy = dout * (1 - out**2)
    derr = dy * y
    return {"dout": dout, "dy": dy, "dW": derr.T @ p["x"], "dx": derr @ p["W"]}


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
    source="https://github.com/FahdSeddik/DeepLearning.AI-Natural-Language-Processing-Specialization/issues/1",
    step="dz1",
    cause="The rectifier is applied to the cotangent instead of its derivative, a mask, multiplied in.",
    fix={"dz1 = np.maximum(0, dh)": "dz1 = dh * (z1 > 0)"},
    says=r"z1|derivative|maximum|mask",
)
def coursera_relu_of_cotangent(p: Parameters) -> dict[str, Any]:
    z1 = p["W1"] @ BAGS + p["b1"]
    h = np.maximum(0, z1)
    z = p["W2"] @ h + p["b2"]
    e = np.exp(z - z.max(axis=0))
    dz = (e / e.sum(axis=0) - CENTRE) / 5
    dW2 = dz @ h.T
    db2 = np.sum(dz, axis=1, keepdims=True)
    dh = p["W2"].T @ dz
    dz1 = np.maximum(0, dh)
    dW1 = dz1 @ BAGS.T
    db1 = np.sum(dz1, axis=1, keepdims=True)
    return {"dz": dz, "dW2": dW2, "db2": db2, "dh": dh, "dz1": dz1, "dW1": dW1, "db1": db1}
