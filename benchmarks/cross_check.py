"""How long a cross-check takes, on models with long loops and on large ones, of a right gradient and of a wrong one.

python benchmarks/cross_check.py
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from results import save

import tinygrad_cnn as tg

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--only", default="", help="the models whose names contain this")


@dataclass(frozen=True)
class Model:
    """A loss of parameters, and its gradient: by autodiff, or the same with one parameter's part wrong.

    by_hand: the gradient, derived by hand; wrong=True makes the mistake.
    """

    name: str
    loss: Callable[[Any], Any]
    parameters: Any
    by_hand: Callable[..., Any]


def pendulum(steps: int = 199) -> Model:
    """A damped pendulum, by the method of Runge and Kutta, fitted to where it should be at its end."""
    h = 0.05

    def slope(state: Any, p: Any) -> Any:
        return np.stack([state[1], -p["k"] * np.sin(state[0]) - p["c"] * state[1]])

    def step(state: Any, p: Any) -> Any:
        k1 = slope(state, p)
        k2 = slope(state + h / 2 * k1, p)
        k3 = slope(state + h / 2 * k2, p)
        k4 = slope(state + h * k3, p)
        return state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    def loss(p: Any) -> Any:
        state = p["start"]
        for _ in range(steps):
            state = step(state, p)
        return np.sum((state - np.array([0.3, -0.1])) ** 2)

    def by_hand(p: Any, wrong: bool = False) -> Any:
        """The adjoint of each step, with the slope's derivatives written out."""
        states = [p["start"]]
        for _ in range(steps):
            states.append(step(states[-1], p))
        g = 2 * (states[-1] - np.array([0.3, -0.1]))
        dk = dc = 0.0

        def back(v: Any, state: Any) -> tuple[Any, Any, Any]:
            by_angle = -p["k"] * np.cos(state[0]) * v[1]
            return np.stack([by_angle, v[0] - p["c"] * v[1]]), -np.sin(state[0]) * v[1], -state[1] * v[1]

        for state in reversed(states[:-1]):
            k1 = slope(state, p)
            s2 = state + h / 2 * k1
            k2 = slope(s2, p)
            s3 = state + h / 2 * k2
            k3 = slope(s3, p)
            s4 = state + h * k3
            v4 = h / 6 * g
            g4, a4, b4 = back(v4, s4)
            v3 = h / 3 * g + h * g4
            g3, a3, b3 = back(v3, s3)
            v2 = h / 3 * g + (h if wrong else h / 2) * g3
            g2, a2, b2 = back(v2, s2)
            v1 = h / 6 * g + h / 2 * g2
            g1, a1, b1 = back(v1, state)
            g = g + g1 + g2 + g3 + g4
            dk, dc = dk + a1 + a2 + a3 + a4, dc + b1 + b2 + b3 + b4
        return {"k": dk, "c": dc, "start": g}

    parameters = {"k": 2.0, "c": 0.1, "start": np.array([1.0, 0.0])}
    return Model(f"pendulum, Runge-Kutta, {steps} steps", loss, parameters, by_hand)


def lstm(steps: int = 40, inputs: int = 4, hidden: int = 8, batch: int = 5) -> Model:
    """An LSTM over a sequence, with a loss on its last state."""
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(steps, batch, inputs)), rng.normal(size=(batch, hidden))
    parameters = {
        "Wx": rng.normal(size=(inputs, 4 * hidden)) / 2,
        "Wh": rng.normal(size=(hidden, 4 * hidden)) / 3,
        "b": rng.normal(size=4 * hidden) / 3,
    }
    n = hidden

    def sigmoid(z: Any) -> Any:
        return 1 / (1 + np.exp(-z))

    def loss(p: Any) -> Any:
        h = c = np.zeros((batch, n))
        for t in range(steps):
            z = x[t] @ p["Wx"] + h @ p["Wh"] + p["b"]
            i, f, o, u = (
                sigmoid(z[:, :n]),
                sigmoid(z[:, n : 2 * n]),
                sigmoid(z[:, 2 * n : 3 * n]),
                np.tanh(z[:, 3 * n :]),
            )
            c = f * c + i * u
            h = o * np.tanh(c)
        return np.mean((h - target) ** 2)

    def by_hand(p: Any, wrong: bool = False) -> Any:
        h = c = np.zeros((batch, n))
        kept = []
        for t in range(steps):
            z = x[t] @ p["Wx"] + h @ p["Wh"] + p["b"]
            i, f, o, u = (
                sigmoid(z[:, :n]),
                sigmoid(z[:, n : 2 * n]),
                sigmoid(z[:, 2 * n : 3 * n]),
                np.tanh(z[:, 3 * n :]),
            )
            kept.append((h, c, i, f, o, u))
            c = f * c + i * u
            kept[-1] += (c,)
            h = o * np.tanh(c)
        dh, dc = 2 * (h - target) / h.size, np.zeros((batch, n))
        d = {name: np.zeros_like(v) for name, v in p.items()}
        for t in reversed(range(steps)):
            before, c_before, i, f, o, u, c = kept[t]
            tanh_c = np.tanh(c)
            do = dh * tanh_c
            dc = dc + dh * o * (1 - tanh_c**2)
            di, df, du = dc * u, dc * c_before, dc * i
            dz = np.hstack(
                [di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), du * ((1 - u) if wrong else (1 - u**2))]
            )
            d["Wx"] += x[t].T @ dz
            d["Wh"] += before.T @ dz
            d["b"] += dz.sum(axis=0)
            dh, dc = dz @ p["Wh"].T, dc * f
        return d

    return Model(f"LSTM, {steps} steps", loss, parameters, by_hand)


def rnn(steps: int = 200, inputs: int = 3, hidden: int = 8, batch: int = 4) -> Model:
    """A recurrent network with a loss on each output."""
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(steps, batch, inputs)), rng.normal(size=(steps, batch))
    parameters = {
        "Wx": rng.normal(size=(inputs, hidden)),
        "Wh": rng.normal(size=(hidden, hidden)) / 9,
        "b": np.zeros(hidden),
        "v": rng.normal(size=hidden),
    }

    def loss(p: Any) -> Any:
        h, total = np.zeros((batch, hidden)), 0.0
        for t in range(steps):
            h = np.tanh(x[t] @ p["Wx"] + h @ p["Wh"] + p["b"])
            total = total + np.sum((h @ p["v"] - target[t]) ** 2)
        return total / steps

    def by_hand(p: Any, wrong: bool = False) -> Any:
        hs = [np.zeros((batch, hidden))]
        for t in range(steps):
            hs.append(np.tanh(x[t] @ p["Wx"] + hs[-1] @ p["Wh"] + p["b"]))
        d, dh = {name: np.zeros_like(v) for name, v in p.items()}, np.zeros((batch, hidden))
        for t in reversed(range(steps)):
            h = hs[t + 1]
            error = 2 * (h @ p["v"] - target[t]) / steps
            d["v"] += h.T @ error
            dz = (dh + error[:, None] * p["v"]) * ((1 - h) if wrong else (1 - h**2))
            d["Wx"] += x[t].T @ dz
            d["Wh"] += hs[t].T @ dz
            d["b"] += dz.sum(axis=0)
            dh = dz @ p["Wh"].T
        return d

    return Model(f"recurrent network, {steps} steps", loss, parameters, by_hand)


def cnn() -> Model:
    """A convolution of 16 channels and a dense layer, 13,040 parameters; its kernel's gradient flipped, if wrong."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 1, 12, 12)), rng.integers(0, 10, 8)
    parameters = {
        "K": rng.normal(size=(16, 1, 3, 3)) / 3,
        "W": rng.normal(size=(16 * 36, 22)) / 24,
        "b": np.zeros(22),
        "V": rng.normal(size=(22, 10)) / 5,
    }

    def parts(p: Any) -> Any:
        conv = tg.conv2d(x, p["K"], padding=1)
        pool = tg.max_pool2d(np.maximum(0, conv), 2).reshape(len(x), -1)
        h = np.tanh(pool @ p["W"] + p["b"])
        return conv, pool, h, h @ p["V"]

    def loss(p: Any) -> Any:
        _, _, _, logits = parts(p)
        top = np.max(logits, axis=1, keepdims=True)
        logsumexp = np.log(np.sum(np.exp(logits - top), axis=1)) + top[:, 0]
        return np.mean(logsumexp - logits[np.arange(len(x)), y])

    def by_hand(p: Any, wrong: bool = False) -> Any:
        conv, pool, h, logits = parts(p)
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        dlogits = e / e.sum(axis=1, keepdims=True)
        dlogits[np.arange(len(x)), y] -= 1
        dlogits /= len(x)
        dz = (dlogits @ p["V"].T) * (1 - h**2)
        dpool = (dz @ p["W"].T).reshape(8, 16, 6, 6)
        blocks = np.maximum(0, conv).reshape(8, 16, 6, 2, 6, 2)
        drelu = dpool[:, :, :, None, :, None] * (blocks == blocks.max(axis=(3, 5), keepdims=True))
        dconv = drelu.reshape(conv.shape) * (conv > 0)
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        dK = np.array(
            [[np.sum(dconv * padded[:, :, i : i + 12, j : j + 12], axis=(0, 2, 3)) for j in range(3)] for i in range(3)]
        )
        dK = np.moveaxis(dK, 2, 0)[:, None]
        return {"K": dK[..., ::-1, ::-1] if wrong else dK, "W": pool.T @ dz, "b": dz.sum(axis=0), "V": h.T @ dlogits}

    count = sum(v.size for v in parameters.values())
    return Model(f"CNN of {count:,} parameters", loss, parameters, by_hand)


def dense() -> Model:
    """A network of a million parameters."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 784)), rng.normal(size=(16, 10))
    parameters = {"W": rng.normal(size=(784, 1260)) / 28, "b": np.zeros(1260), "V": rng.normal(size=(1260, 10)) / 35}

    def loss(p: Any) -> Any:
        return np.mean((np.tanh(x @ p["W"] + p["b"]) @ p["V"] - y) ** 2)

    def by_hand(p: Any, wrong: bool = False) -> Any:
        h = np.tanh(x @ p["W"] + p["b"])
        error = 2 * (h @ p["V"] - y) / y.size
        dz = error @ p["V"].T * (h if wrong else 1 - h**2)
        return {"W": x.T @ dz, "b": dz.sum(axis=0), "V": h.T @ error}

    count = sum(v.size for v in parameters.values())
    return Model(f"dense network of {count:,} parameters", loss, parameters, by_hand)


def main() -> None:
    only, rows = parser.parse_args().only, []
    for model in (pendulum(), lstm(), rnn(), cnn(), dense()):
        for wrong in (False, True) if only in model.name else ():
            began = time.perf_counter()
            report = tg.check.gradients(
                model.loss, model.parameters, lambda p, m=model, w=wrong: m.by_hand(p, w), progress=False
            )
            seconds = time.perf_counter() - began
            if report.ok == wrong:
                raise SystemExit(f"{model.name}: the verdict is wrong")
            rows.append([model.name, "wrong" if wrong else "right", f"{seconds:.2f}", str(report.evaluations)])
    if not only:
        save("cross_check", ["model", "gradient", "seconds", "evaluations"], rows)


if __name__ == "__main__":
    main()
