"""Models of which the tests, and docs/pictures.py, draw pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from render_graphs import circle_square

import tinygrad_cnn as tg
import tinygrad_cnn.nn


def parameters(seed: int, **shapes: tuple[int, ...]) -> dict[str, Any]:
    """Parameters of these shapes, by their names; vectors are 0."""
    rng = np.random.default_rng(seed)
    return {
        name: tg.Tensor(0.3 * rng.normal(size=shape) if len(shape) > 1 else np.zeros(shape), name)
        for name, shape in shapes.items()
    }


def tour() -> Any:
    """The model of docs/tour.md, as printed there."""

    def model(x, p):
        conv = tg.conv2d(x, p["Wc"], padding=1) + p["Bc"]
        pool = tg.max_pool2d(np.maximum(0, conv), 2)
        return pool.reshape(len(x), -1) @ p["Wf"] + p["Bf"]

    def loss(p, x, y):
        return np.mean(tg.binary_cross_entropy_with_logits(model(x, p), y))

    rng = np.random.default_rng(0)
    x, y = rng.random((24, 28, 28)), rng.integers(0, 2, 24)
    p = {"Wc": rng.normal(size=(3, 3)), "Bc": 0.0, "Wf": 0.1 * rng.normal(size=196), "Bf": 0.0}
    return loss({name: tg.Tensor(w, name) for name, w in p.items()}, x, y)


def two_convolutions() -> Any:
    """A CNN of two convolutions with ten classes."""
    p = parameters(1, W1=(8, 1, 3, 3), b1=(8,), W2=(16, 8, 3, 3), b2=(16,), W3=(10, 784), b3=(10,))
    rng = np.random.default_rng(1)
    x, y = rng.random((16, 1, 28, 28)), rng.integers(0, 10, 16)
    h = tg.relu(tg.conv2d(x, p["W1"], p["b1"], padding=1))
    h = tg.max_pool2d(h, 2)
    h = tg.relu(tg.conv2d(h, p["W2"], p["b2"], padding=1))
    h = tg.max_pool2d(h, 2)
    logits = tg.linear(h.reshape(len(x), -1), p["W3"], p["b3"])
    return tg.named(tg.nn.softmax_cross_entropy(logits, y), "loss")


def batch_norm_mlp() -> Any:
    """A perceptron with batch normalisation, written out."""
    p = parameters(2, W1=(64, 20), b1=(64,), shift=(64,), W2=(3, 64), b2=(3,)) | {
        "scale": tg.Tensor(np.ones(64), "scale")
    }
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(32, 20)), rng.integers(0, 3, 32)
    h = tg.linear(x, p["W1"], p["b1"])
    h = (h - np.mean(h, axis=0)) / np.sqrt(np.var(h, axis=0) + 1e-5) * p["scale"] + p["shift"]
    logits = tg.linear(tg.relu(h), p["W2"], p["b2"])
    return tg.named(tg.nn.softmax_cross_entropy(logits, y), "loss")


def lstm(steps: int = 20) -> Any:
    """An LSTM, written out, of so many steps."""
    p = parameters(3, W=(8, 64), U=(16, 64), b=(64,), Wo=(16, 1))
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(steps, 4, 8)), rng.integers(0, 2, (4, 1))
    h = c = np.zeros((4, 16))
    for t in range(steps):
        z = x[t] @ p["W"] + h @ p["U"] + p["b"]
        i, f, o = tg.sigmoid(z[:, :16]), tg.sigmoid(z[:, 16:32]), tg.sigmoid(z[:, 32:48])
        c = f * c + i * np.tanh(z[:, 48:])
        h = o * np.tanh(c)
    return tg.named(np.mean(tg.binary_cross_entropy_with_logits(h @ p["Wo"], y)), "loss")


def attention() -> Any:
    """Self-attention of a sequence, with a residual connection."""
    p = parameters(4, Wq=(8, 8), Wk=(8, 8), Wv=(8, 8), Wo=(8, 8))
    x = np.random.default_rng(4).normal(size=(2, 6, 8))
    q, k, v = x @ p["Wq"], x @ p["Wk"], x @ p["Wv"]
    weights = tg.nn.softmax(q @ np.swapaxes(k, -1, -2) / np.sqrt(8))
    out = weights @ v @ p["Wo"] + x
    return tg.named(np.mean(out**2), "loss")


def autoencoder() -> Any:
    """A variational autoencoder."""
    p = parameters(
        5, W1=(64, 32), b1=(32,), Wm=(32, 4), bm=(4,), Wv=(32, 4), bv=(4,), W2=(4, 32), b2=(32,), W3=(32, 64), b3=(64,)
    )
    rng = np.random.default_rng(5)
    x, eps = rng.random((16, 64)), rng.normal(size=(16, 4))
    h = np.tanh(x @ p["W1"] + p["b1"])
    mu, logvar = h @ p["Wm"] + p["bm"], h @ p["Wv"] + p["bv"]
    z = mu + np.exp(logvar / 2) * eps
    out = np.tanh(z @ p["W2"] + p["b2"]) @ p["W3"] + p["b3"]
    rebuilt = np.mean(np.sum(tg.binary_cross_entropy_with_logits(out, x), axis=1))
    divergence = -0.5 * np.mean(np.sum(1 + logvar - mu**2 - np.exp(logvar), axis=1))
    return tg.named(rebuilt + divergence, "loss")


def second() -> Any:
    """A second derivative."""
    return tg.grad(tg.grad(lambda x: np.tanh(x) * np.exp(-x * x)))(tg.Tensor(0.5, "x"))


def recurrent(steps: int = 24) -> Any:
    """A recurrent network, whose iterations are drawn once."""
    rng = np.random.default_rng(0)
    W, U = tg.Tensor(0.4 * rng.normal(size=(8, 8)), "W"), tg.Tensor(rng.normal(size=(8, 3)), "U")
    x, state = rng.normal(size=(steps, 3)), np.zeros(8)
    total = 0.0
    for t in range(steps):
        state = np.tanh(W @ state + U @ x[t])
        total = total + np.sum(state * state)
    return tg.named(total, "loss")


def random_graph(seed: int, steps: int = 40) -> Any:
    """A graph without structure: each step takes values that any of those before it computed."""
    rng = np.random.default_rng(seed)
    values = [tg.Tensor(rng.normal(size=4), name) for name in "abc"]
    functions: list[Callable[[Any], Any]] = [np.tanh, np.sin, np.cos, lambda h: h + 1.0]
    for _ in range(steps):
        first, other = (values[rng.integers(len(values))] for _ in range(2))
        if rng.random() < 0.5:
            values.append(functions[rng.integers(len(functions))](first))
        else:
            with tg.scope(f"part{rng.integers(3)}"):
                values.append(np.tanh(first * other))
    return tg.named(np.sum(sum(values[-6:])), "loss")


def tangled(steps: int = 3_000, seed: int = 0) -> Any:
    """A graph without any repetition or scope, and without steps that the result does not depend on."""
    rng = np.random.default_rng(seed)
    values = [tg.Tensor(rng.normal(size=4), name) for name in "abc"]
    untaken = list(values)
    for _ in range(steps - 2):
        first = untaken.pop(rng.integers(len(untaken))) if len(untaken) > 12 else values[rng.integers(len(values))]
        other = values[rng.integers(len(values))]
        values.append(np.arctan2(first, other) if rng.random() < 0.5 else np.sin(first))
        untaken.append(values[-1])
    return tg.named(np.mean(np.concatenate(untaken)), "loss")


MODELS: dict[str, Callable[[], Any]] = {
    "tour": tour,
    "circle_square": circle_square,
    "two_convolutions": two_convolutions,
    "batch_norm_mlp": batch_norm_mlp,
    "lstm": lstm,
    "attention": attention,
    "autoencoder": autoencoder,
    "second": second,
    "recurrent": recurrent,
}
