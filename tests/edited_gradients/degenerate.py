"""Models at degenerate data, where different formulas coincide: one-hot, binary, equal, integer, zero, tiny.

A cause that is found there is false if it is not so at generic data: `judged_elsewhere` runs its lines there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from corpus.judge import Judged, Mistake, judged

import tinygrad_cnn as tg
from edited_gradients.edits import Edit
from edited_gradients.model import ByHand, Model, Parameters, normal

D: dict[str, Any] = {}  # the data of the model that is looked at


class Degenerate(NamedTuple):
    """A model whose data are in D: degenerate data and a degenerate point, and others that are generic."""

    model: Model
    data: dict[str, Any]
    generic: dict[str, Any]
    elsewhere: Parameters

    @contextlib.contextmanager
    def at(self, data: dict[str, Any]) -> Iterator[None]:
        """With these data."""
        D.clear()
        D.update(data)
        yield
        D.clear()


FOUND: list[Degenerate] = []


def degenerate(
    loss: Callable[[Parameters], Any], data: dict[str, Any], point: Parameters
) -> Callable[[ByHand], ByHand]:
    """Enter the function that follows, the gradient of `loss`, into the table."""

    def like(values: dict[str, Any], seed: int) -> dict[str, Any]:
        return {k: generic(np.asarray(x), seed + n) for n, (k, x) in enumerate(values.items())}

    def enter(by_hand: ByHand) -> ByHand:
        model = Model(loss.__name__.replace("_", " "), loss, by_hand, point)
        FOUND.append(Degenerate(model, data, like(data, 500), like(point, 700)))
        return by_hand

    return enter


def generic(x: Any, seed: int) -> Any:
    """Random numbers; other flags for flags, as the model may rely on that."""
    rng = np.random.default_rng(seed)
    if x.dtype.kind in "iub":
        return x
    if len(np.unique(x)) == 2 and set(np.unique(x)) <= {0.0, 1.0}:
        return rng.permuted(x, axis=x.ndim - 1)
    return rng.standard_normal(x.shape)


def judged_elsewhere(found: Degenerate, edit: Edit) -> Judged:
    """What the check says of an edit at degenerate data, judged at generic ones."""
    with found.at(found.data):
        report = tg.check.gradients(found.model.loss, found.model.point, edit.by_hand, evaluations=0)
    with found.at(found.generic):
        known = Mistake(
            found.model.loss, found.elsewhere, edit.by_hand, found.model.by_hand, " ".join(edit.steps), None
        )
        return judged(known, report)


def softmax_of_one_hot(p: Parameters) -> Any:
    z = D["X"] @ p["W"] + p["b"]
    e = np.exp(z)
    s = e / np.sum(e, axis=1, keepdims=True)
    return -np.sum(D["Y"] * np.log(s)) / 4


@degenerate(
    softmax_of_one_hot,
    {"X": np.eye(4)[[0, 1, 1, 3]], "Y": np.eye(3)[[0, 2, 1, 1]]},
    {"W": 0.1 * normal(1, 4, 3), "b": np.zeros(3)},
)
def softmax_of_one_hot_by_hand(p: Parameters) -> dict[str, Any]:
    X, Y = D["X"], D["Y"]
    z = X @ p["W"] + p["b"]
    e = np.exp(z)
    s = e / np.sum(e, axis=1, keepdims=True)
    dz = (s * np.sum(Y, axis=1, keepdims=True) - Y) / 4
    dW = X.T @ dz
    db = np.sum(dz, axis=0)
    return {"dz": dz, "dW": dW, "db": db}


def masked_net(p: Parameters) -> Any:
    z = D["X"] @ p["W1"] + p["b1"]
    h = np.maximum(z, 0)
    d = h * D["M"]
    y = d @ p["W2"]
    return np.sum((y - D["Y"]) ** 2)


@degenerate(
    masked_net,
    {"X": np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), "M": np.array([1.0, 0.0, 1.0]), "Y": np.ones((3, 1))},
    {"W1": normal(2, 2, 3), "b1": np.zeros(3), "W2": normal(3, 3, 1)},
)
def masked_net_by_hand(p: Parameters) -> dict[str, Any]:
    X, M, Y = D["X"], D["M"], D["Y"]
    z = X @ p["W1"] + p["b1"]
    h = np.maximum(z, 0)
    d = h * M
    y = d @ p["W2"]
    dy = 2 * (y - Y)
    dW2 = d.T @ dy
    dd = dy @ p["W2"].T
    dh = dd * M
    dz = dh * (z > 0)
    dW1 = X.T @ dz
    db1 = np.sum(dz, axis=0)
    return {"dy": dy, "dW2": dW2, "dd": dd, "dh": dh, "dz": dz, "dW1": dW1, "db1": db1}


def summed_maxima(p: Parameters) -> Any:
    y = np.stack([np.max(p["x"][i : i + 2]) for i in range(4)])
    return np.sum(y * D["w"])


@degenerate(summed_maxima, {"w": np.ones(4)}, {"x": np.array([5.0, 3.0, 1.0, 2.0, 4.0])})
def summed_maxima_by_hand(p: Parameters) -> dict[str, Any]:
    dy = D["w"] * 1.0
    dx = np.zeros(5)
    for i in range(4):
        k = np.argmax(p["x"][i : i + 2])
        dx[i + k] += dy[i]
    return {"dy": dy, "dx": dx}


def absolute_deviations(p: Parameters) -> Any:
    r = D["X"] @ p["w"] - D["t"]
    a = np.abs(r)
    return np.sum(a * D["c"])


@degenerate(
    absolute_deviations,
    {"X": np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 3.0]]), "t": np.array([1.0, 0.0, 2.0, 1.0]),
     "c": np.ones(4)},
    {"w": np.array([0.5, 0.25])},
)  # fmt: skip
def absolute_deviations_by_hand(p: Parameters) -> dict[str, Any]:
    X, t, c = D["X"], D["t"], D["c"]
    r = X @ p["w"] - t
    da = c * 1.0
    dr = da * np.sign(r)
    dw = X.T @ dr
    return {"da": da, "dr": dr, "dw": dw}


def rnn_of_one_hot(p: Parameters) -> Any:
    h = D["h0"]
    for t in range(3):
        h = np.tanh(D["X"][t] @ p["Wx"] + h @ p["Wh"] + p["b"])
    y = h @ p["Wy"]
    return np.sum(y * D["G"])


@degenerate(
    rnn_of_one_hot,
    {"X": np.eye(3)[[0, 1, 1]], "h0": np.zeros(2), "G": np.array([1.0, -1.0])},
    {"Wx": normal(4, 3, 2), "Wh": np.eye(2), "b": np.zeros(2), "Wy": normal(5, 2, 2)},
)
def rnn_of_one_hot_by_hand(p: Parameters) -> dict[str, Any]:
    hs = [D["h0"]]
    for t in range(3):
        hs.append(np.tanh(D["X"][t] @ p["Wx"] + hs[-1] @ p["Wh"] + p["b"]))
    dWx, dWh, db = np.zeros((3, 2)), np.zeros((2, 2)), np.zeros(2)
    dy = D["G"] * 1.0
    dWy = np.outer(hs[3], dy)
    dh = p["Wy"] @ dy
    for t in reversed(range(3)):
        dz = dh * (1 - hs[t + 1] ** 2)
        dWx += np.outer(D["X"][t], dz)
        dWh += np.outer(hs[t], dz)
        db += dz
        dh = p["Wh"] @ dz
    return {"dy": dy, "dWy": dWy, "dWx": dWx, "dWh": dWh, "db": db}


def batch_norm_as_it_begins(p: Parameters) -> Any:
    h = D["X"] @ p["W"]
    m = np.mean(h, axis=0)
    v = np.mean((h - m) ** 2, axis=0)
    n = (h - m) / np.sqrt(v + 1e-5)
    y = n * p["gamma"] + p["beta"]
    return np.mean((y - D["Y"]) ** 2)


@degenerate(
    batch_norm_as_it_begins,
    {"X": np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 0.0]]), "Y": np.zeros((4, 2))},
    {"W": normal(6, 2, 2), "gamma": np.ones(2), "beta": np.zeros(2)},
)
def batch_norm_as_it_begins_by_hand(p: Parameters) -> dict[str, Any]:
    X, Y = D["X"], D["Y"]
    h = X @ p["W"]
    m = np.mean(h, axis=0)
    v = np.mean((h - m) ** 2, axis=0)
    n = (h - m) / np.sqrt(v + 1e-5)
    y = n * p["gamma"] + p["beta"]
    dy = 2 * (y - Y) / y.size
    dgamma = np.sum(dy * n, axis=0)
    dbeta = np.sum(dy, axis=0)
    dn = dy * p["gamma"]
    dh = (dn - np.mean(dn, axis=0) - n * np.mean(dn * n, axis=0)) / np.sqrt(v + 1e-5)
    dW = X.T @ dh
    return {"dy": dy, "dgamma": dgamma, "dbeta": dbeta, "dn": dn, "dh": dh, "dW": dW}


def box_filter(p: Parameters) -> Any:
    y = p["w"][0] * D["X"][0:3] + p["w"][1] * D["X"][1:4] + p["w"][2] * D["X"][2:5] + p["b"]
    a = np.maximum(y, 0)
    return np.sum(a * D["G"])


@degenerate(
    box_filter,
    {"X": np.array([1.0, 0.0, 2.0, 0.0, 1.0]), "G": np.ones(3)},
    {"w": np.ones(3), "b": np.zeros(1)},
)
def box_filter_by_hand(p: Parameters) -> dict[str, Any]:
    X = D["X"]
    y = p["w"][0] * X[0:3] + p["w"][1] * X[1:4] + p["w"][2] * X[2:5] + p["b"]
    da = D["G"] * 1.0
    dy = da * (y > 0)
    dw = np.zeros(3)
    for k in range(3):
        dw[k] = np.sum(dy * X[k : k + 3])
    db = np.sum(dy, keepdims=True)
    return {"da": da, "dy": dy, "dw": dw, "db": db}


def two_numbers(p: Parameters) -> Any:
    u = p["a"] * D["x"]
    v = np.exp(-u)
    s = 1 / (1 + v)
    return np.sum((s - D["t"]) ** 2) / 2


@degenerate(two_numbers, {"x": np.array([1.0, 1.0]), "t": np.array([0.0, 1.0])}, {"a": np.array([0.5, 0.5])})
def two_numbers_by_hand(p: Parameters) -> dict[str, Any]:
    x, t = D["x"], D["t"]
    u = p["a"] * x
    s = 1 / (1 + np.exp(-u))
    ds = s - t
    du = ds * s * (1 - s)
    da = du * x
    return {"ds": ds, "du": du, "da": da}


def rows_of_equals(p: Parameters) -> Any:
    z = D["X"] @ p["W"]
    h = np.tanh(z)
    y = h @ p["V"]
    return np.mean((y - D["Y"]) ** 2)


@degenerate(
    rows_of_equals,
    {"X": np.ones((3, 2)), "Y": np.zeros((3, 3))},
    {"W": 0.5 * np.ones((2, 3)), "V": normal(8, 3, 3)},
)
def rows_of_equals_by_hand(p: Parameters) -> dict[str, Any]:
    X, Y = D["X"], D["Y"]
    h = np.tanh(X @ p["W"])
    y = h @ p["V"]
    dy = 2 * (y - Y) / y.size
    dV = h.T @ dy
    dh = dy @ p["V"].T
    dz = dh * (1 - h**2)
    dW = X.T @ dz
    return {"dy": dy, "dV": dV, "dh": dh, "dz": dz, "dW": dW}


def counted_words(p: Parameters) -> Any:
    v = p["E"][D["I"]]
    s = np.mean(v, axis=0)
    return np.sum(s * D["g"])


@degenerate(counted_words, {"I": np.array([0, 2, 2, 1]), "g": np.ones(3)}, {"E": np.zeros((4, 3))})
def counted_words_by_hand(p: Parameters) -> dict[str, Any]:
    ds = D["g"] * 1.0
    dv = np.ones((4, 1)) * ds / 4
    dE = np.zeros((4, 3))
    for k in range(4):
        dE[D["I"][k]] += dv[k]
    return {"ds": ds, "dv": dv, "dE": dE}
