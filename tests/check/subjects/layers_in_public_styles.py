"""Small layers in the styles of public libraries: where they keep parameters and gradients, and what they return.

`wrong` is a factor of one of the gradients: 1.0 where the layer is right.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np


class NumpyMl:
    """numpy-ml: parameters and gradients in dicts, made at the first call; inputs and gradients are accumulated."""

    def __init__(self, n_out: int, wrong: float = 1.0) -> None:
        self.n_out, self.wrong = n_out, wrong
        self.X: list[Any] = []
        self.Z: list[Any] = []
        self.parameters: dict[str, Any] = {"W": None, "b": None}
        self.gradients: dict[str, Any] = {}
        self.is_initialized = False

    def forward(self, X: Any, retain_derived: bool = True) -> Any:
        if not self.is_initialized:
            self.parameters = {"W": np.random.randn(X.shape[1], self.n_out), "b": np.zeros((1, self.n_out))}
            self.gradients = {name: np.zeros_like(x) for name, x in self.parameters.items()}
            self.is_initialized = True
        Z = X @ self.parameters["W"] + self.parameters["b"]
        if retain_derived:
            self.X.append(X)
            self.Z.append(Z)
        return np.tanh(Z)

    def backward(self, dLdy: Any, retain_grads: bool = True) -> Any:
        dX = []
        for dy, X, Z in zip(dLdy if isinstance(dLdy, list) else [dLdy], self.X, self.Z, strict=True):
            dZ = dy * (1 - np.tanh(Z) ** 2)
            dX.append(dZ @ self.parameters["W"].T)
            self.gradients["W"] += X.T @ dZ * self.wrong
            self.gradients["b"] += dZ.sum(axis=0, keepdims=True)
        return dX[0] if len(dX) == 1 else dX


class NumpyMlMultiply:
    """numpy-ml: a list of inputs is one argument, and a list of their gradients is returned."""

    def __init__(self, wrong: float = 1.0) -> None:
        self.wrong = wrong

    def forward(self, X: Any, retain_derived: bool = True) -> Any:
        self.sum = X[0] * X[1]
        self.X = X
        return np.tanh(self.sum)

    def backward(self, dLdY: Any, retain_grads: bool = True) -> Any:
        d = dLdY * (1 - np.tanh(self.sum) ** 2)
        return [d * self.X[1], d * self.X[0] * self.wrong]


class NumpyMlCell:
    """numpy-ml: two outputs, and a cotangent of the first alone."""

    def __init__(self, wrong: float = 1.0) -> None:
        self.parameters = {"W": np.random.randn(3, 4)}
        self.gradients = {"W": np.zeros((3, 4))}
        self.wrong = wrong

    def forward(self, Xt: Any) -> Any:
        self.Xt = Xt
        self.C = np.tanh(Xt @ self.parameters["W"])
        return self.C**2, self.C

    def backward(self, dLdAt: Any) -> Any:
        d = dLdAt * 2 * self.C * (1 - self.C**2)
        self.gradients["W"] += self.Xt.T @ d * self.wrong
        return d @ self.parameters["W"].T


class DlfsAffine:
    """Deep Learning from Scratch: parameters are attributes, and so are gradients: W, dW."""

    def __init__(self, W: Any, b: Any, wrong: float = 1.0) -> None:
        self.W, self.b, self.wrong = W, b, wrong
        self.x: Any = None
        self.dW: Any = None
        self.db: Any = None

    def forward(self, x: Any) -> Any:
        self.original_x_shape = x.shape
        self.x = x.reshape(x.shape[0], -1)
        return np.dot(self.x, self.W) + self.b

    def backward(self, dout: Any) -> Any:
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0) * self.wrong
        return np.dot(dout, self.W.T).reshape(*self.original_x_shape)


class DlfsRelu:
    """Deep Learning from Scratch: the backward pass writes into the cotangent that it is given."""

    def __init__(self, wrong: float = 1.0) -> None:
        self.wrong = wrong

    def forward(self, x: Any) -> Any:
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout: Any) -> Any:
        dout[self.mask] = 0
        dout *= self.wrong
        return dout


class DlfsSoftmaxWithLoss:
    """Deep Learning from Scratch: a loss of scores and labels, whose backward pass takes its cotangent to be 1."""

    def __init__(self, wrong: float = 1.0) -> None:
        self.wrong = wrong

    def forward(self, x: Any, t: Any) -> Any:
        self.t = t
        e = np.exp(x - np.max(x, axis=1, keepdims=True))
        self.y = e / np.sum(e, axis=1, keepdims=True)
        return -np.sum(np.log(self.y[np.arange(len(t)), t])) / len(t)

    def backward(self, dout: float = 1) -> Any:
        dx = self.y.copy()
        dx[np.arange(len(self.t)), self.t] -= 1
        return dx / len(self.t) * self.wrong


class DlfsDropout:
    """Deep Learning from Scratch: NumPy's global random numbers make the mask."""

    def __init__(self, wrong: float = 1.0) -> None:
        self.wrong = wrong

    def forward(self, x: Any, train_flg: bool = True) -> Any:
        self.mask = np.random.rand(*x.shape) > 0.5
        return x * self.mask

    def backward(self, dout: Any) -> Any:
        return dout * self.mask * self.wrong


class Dlfs2MatMul:
    """The second book: parameters and gradients in lists, and gradients are written into arrays that are there."""

    def __init__(self, W: Any, b: Any, wrong: float = 1.0) -> None:
        self.params = [W, b]
        self.grads = [np.zeros_like(W), np.zeros_like(b)]
        self.wrong = wrong

    def forward(self, x: Any) -> Any:
        W, b = self.params
        self.x = x
        return np.dot(x, W) + b

    def backward(self, dout: Any) -> Any:
        W, _ = self.params
        self.grads[0][...] = np.dot(self.x.T, dout) * self.wrong
        self.grads[1][...] = np.sum(dout, axis=0)
        return np.dot(dout, W.T)


def cs231n_forward(x: Any, w: Any, b: Any) -> Any:
    """cs231n: functions with a cache."""
    return x.reshape(len(x), -1) @ w + b, (x, w, b)


def cs231n_backward(dout: Any, cache: Any, wrong: float = 1.0) -> Any:
    x, w, _ = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, wrong * dout.sum(axis=0)


def cs231n_relu_forward(x: Any) -> Any:
    """cs231n: the cache is the input."""
    return np.maximum(0, x), x


def cs231n_relu_backward(dout: Any, cache: Any, wrong: float = 1.0) -> Any:
    return wrong * dout * (cache > 0)


def cs231n_lstm_step_forward(x: Any, prev_h: Any, prev_c: Any, Wx: Any) -> Any:
    """cs231n: two outputs, and then the cache."""
    a = x @ Wx + prev_h
    i, g = 1 / (1 + np.exp(-a)), np.tanh(a)
    next_c = i * g + prev_c
    next_h = i * np.tanh(next_c)
    return next_h, next_c, (x, Wx, i, g, next_c)


def cs231n_lstm_step_backward(dnext_h: Any, dnext_c: Any, cache: Any, wrong: float = 1.0) -> Any:
    x, Wx, i, g, next_c = cache
    dc = dnext_c + wrong * dnext_h * i * (1 - np.tanh(next_c) ** 2)
    di = dnext_h * np.tanh(next_c) + dc * g
    da = di * i * (1 - i) + dc * i * (1 - g**2)
    return da @ Wx.T, da, dc, x.T @ da


class Cs231nNet:
    """cs231n: `loss` returns the loss and the gradients, by name."""

    def __init__(self, wrong: float = 1.0) -> None:
        self.params = {"W1": np.random.randn(3, 4), "b1": np.zeros(4)}
        self.wrong = wrong

    def loss(self, X: Any, y: Any = None) -> Any:
        scores = X @ self.params["W1"] + self.params["b1"]
        e = np.exp(scores - np.max(scores, axis=1, keepdims=True))
        p = e / np.sum(e, axis=1, keepdims=True)
        N = len(X)
        loss = -np.sum(np.log(p[np.arange(N), y])) / N + 0.05 * np.sum(self.params["W1"] ** 2)
        dscores = p.copy()
        dscores[np.arange(N), y] -= 1
        dscores /= N
        grads = {"W1": X.T @ dscores + 0.1 * self.wrong * self.params["W1"], "b1": np.sum(dscores, axis=0)}
        return loss, grads


class MlFromScratch:
    """ML-From-Scratch: the backward pass hands gradients to optimisers, copies of one, and keeps what they return."""

    def __init__(self, n_units: int, input_shape: Any, wrong: float = 1.0) -> None:
        self.n_units, self.input_shape, self.wrong = n_units, input_shape, wrong
        self.W: Any = None
        self.w0: Any = None

    def initialize(self, optimizer: Any) -> None:
        limit = 1 / math.sqrt(self.input_shape[0])
        self.W = np.random.uniform(-limit, limit, (self.input_shape[0], self.n_units))
        self.w0 = np.zeros((1, self.n_units))
        self.W_opt, self.w0_opt = copy.copy(optimizer), copy.copy(optimizer)

    def forward_pass(self, X: Any, training: bool = True) -> Any:
        self.layer_input = X
        return X.dot(self.W) + self.w0

    def backward_pass(self, accum_grad: Any) -> Any:
        W = self.W
        grad_w = self.layer_input.T.dot(accum_grad) * self.wrong
        self.W = self.W_opt.update(self.W, grad_w)
        self.w0 = self.w0_opt.update(self.w0, np.sum(accum_grad, axis=0, keepdims=True))
        return accum_grad.dot(W.T)


class MlFromScratchRecurrent:
    """ML-From-Scratch: buffers of zeros that are filled step by step."""

    def __init__(self, n_units: int, input_shape: Any, wrong: float = 1.0) -> None:
        self.n_units, self.input_shape, self.wrong = n_units, input_shape, wrong

    def initialize(self, optimizer: Any) -> None:
        self.U = 0.5 * np.random.uniform(-1, 1, (self.n_units, self.input_shape[1]))
        self.W = 0.5 * np.random.uniform(-1, 1, (self.n_units, self.n_units))
        self.U_opt, self.W_opt = copy.copy(optimizer), copy.copy(optimizer)

    def forward_pass(self, X: Any, training: bool = True) -> Any:
        self.layer_input = X
        n, steps, _ = X.shape
        self.states = np.zeros((n, steps + 1, self.n_units))
        for t in range(steps):
            self.states[:, t] = np.tanh(X[:, t].dot(self.U.T) + self.states[:, t - 1].dot(self.W.T))
        return self.states[:, :-1]

    def backward_pass(self, accum_grad: Any) -> Any:
        n, steps, _ = accum_grad.shape
        grad_U, grad_W = np.zeros_like(self.U), np.zeros_like(self.W)
        accum_grad_next, later = np.zeros_like(self.layer_input), np.zeros((n, self.n_units))
        for t in reversed(range(steps)):
            d = (accum_grad[:, t] + later) * (1 - self.states[:, t] ** 2)
            grad_U += d.T.dot(self.layer_input[:, t])
            grad_W += d.T.dot(self.states[:, t - 1]) * self.wrong
            accum_grad_next[:, t] = d.dot(self.U)
            later = d.dot(self.W)
        self.U, self.W = self.U_opt.update(self.U, grad_U), self.W_opt.update(self.W, grad_W)
        return accum_grad_next


def hipsternet_forward(X: Any, gamma: Any, beta: Any) -> Any:
    """hipsternet: the cache stands in the second place, and statistics after it."""
    mu, var = np.mean(X, axis=0), np.var(X, axis=0)
    X_norm = (X - mu) / np.sqrt(var + 1e-8)
    return gamma * X_norm + beta, (X, X_norm, mu, var, gamma), mu, var


def hipsternet_backward(dout: Any, cache: Any, wrong: float = 1.0) -> Any:
    X, X_norm, mu, var, gamma = cache
    std_inv = 1 / np.sqrt(var + 1e-8)
    dX_norm = dout * gamma
    dvar = -0.5 * np.sum(dX_norm * (X - mu), axis=0) * std_inv**3 * wrong
    dX = dX_norm * std_inv + 2 * dvar * (X - mu) / len(X) - np.mean(dX_norm * std_inv, axis=0)
    return dX, np.sum(dout * X_norm, axis=0), np.sum(dout, axis=0)


class TinynnBatchNorm:
    """tinynn: `params` and `grads` by the same names, made at the first call; running statistics are among them."""

    def __init__(self, wrong: float = 1.0) -> None:
        self.params: dict[str, Any] = {}
        self.grads: dict[str, Any] = {}
        self.is_init, self.wrong = False, wrong

    def forward(self, inputs: Any) -> Any:
        if not self.is_init:
            shape = inputs.shape[1:]
            self.params = {"gamma": 1.5 * np.ones(shape), "beta": np.zeros(shape), "r_mean": np.zeros(shape)}
            self.is_init = True
        mean, var = inputs.mean(axis=0), inputs.var(axis=0)
        self.params["r_mean"] = 0.9 * self.params["r_mean"] + 0.1 * mean
        self.std = (var + 1e-5) ** 0.5
        self.X_norm = (inputs - mean) / self.std
        return self.params["gamma"] * self.X_norm + self.params["beta"]

    def backward(self, grad: Any) -> Any:
        self.grads = {"r_mean": 0, "gamma": np.sum(self.X_norm * grad, axis=0), "beta": np.sum(grad, axis=0)}
        g = grad * self.params["gamma"]
        return (g - np.mean(g, axis=0) - self.wrong * self.X_norm * np.mean(g * self.X_norm, axis=0)) / self.std
