"""Neural networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from edited_gradients.model import Parameters, gradient_of, normal

X, Y = normal(1, 6, 3), normal(2, 6, 2)
CLASSES = np.eye(3)[[0, 2, 1, 1, 0, 2]]


def dense_net(p: Parameters) -> Any:
    z1 = X @ p["W1"] + p["b1"]
    h1 = np.tanh(z1)
    out = h1 @ p["W2"] + p["b2"]
    return np.mean((out - Y) ** 2)


@gradient_of(dense_net, W1=normal(3, 3, 4), b1=normal(4, 4), W2=normal(5, 4, 2), b2=normal(6, 2))
def dense_net_by_hand(p: Parameters) -> dict[str, Any]:
    h1 = np.tanh(X @ p["W1"] + p["b1"])
    out = h1 @ p["W2"] + p["b2"]
    dout = 2 * (out - Y) / Y.size
    dW2 = h1.T @ dout
    db2 = np.sum(dout, axis=0)
    dh1 = dout @ p["W2"].T
    dz1 = dh1 * (1 - h1**2)
    dW1 = X.T @ dz1
    db1 = np.sum(dz1, axis=0)
    return {"dout": dout, "dW2": dW2, "db2": db2, "dh1": dh1, "dz1": dz1, "dW1": dW1, "db1": db1}


def classifier(p: Parameters) -> Any:
    z = X @ p["W1"] + p["b1"]
    h = np.maximum(z, 0)
    logits = h @ p["W2"]
    e = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    s = e / np.sum(e, axis=1, keepdims=True)
    return -np.sum(CLASSES * np.log(s)) / 6 + 0.05 * np.sum(p["W2"] ** 2)


@gradient_of(classifier, W1=normal(7, 3, 5), b1=0.3 * normal(8, 5), W2=normal(9, 5, 3))
def classifier_by_hand(p: Parameters) -> dict[str, Any]:
    z = X @ p["W1"] + p["b1"]
    h = np.maximum(z, 0)
    logits = h @ p["W2"]
    e = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    s = e / np.sum(e, axis=1, keepdims=True)
    dlogits = (s - CLASSES) / 6
    dW2 = h.T @ dlogits + 0.1 * p["W2"]
    dh = dlogits @ p["W2"].T
    dz = dh * (z > 0)
    dW1 = X.T @ dz
    db1 = np.sum(dz, axis=0)
    return {"dlogits": dlogits, "dW2": dW2, "dh": dh, "dz": dz, "dW1": dW1, "db1": db1}


SIGNAL, RESPONSE = normal(10, 4, 7), normal(11, 4, 5)


def convolution(p: Parameters) -> Any:
    conv = p["w"][0] * SIGNAL[:, 0:5] + p["w"][1] * SIGNAL[:, 1:6] + p["w"][2] * SIGNAL[:, 2:7] + p["b"]
    act = 1 / (1 + np.exp(-conv))
    return 0.5 * np.sum((act - RESPONSE) ** 2)


@gradient_of(convolution, w=normal(12, 3), b=normal(13, 1))
def convolution_by_hand(p: Parameters) -> dict[str, Any]:
    conv = p["w"][0] * SIGNAL[:, 0:5] + p["w"][1] * SIGNAL[:, 1:6] + p["w"][2] * SIGNAL[:, 2:7] + p["b"]
    act = 1 / (1 + np.exp(-conv))
    dact = act - RESPONSE
    dconv = dact * act * (1 - act)
    dw = np.array([np.sum(dconv * SIGNAL[:, 0:5]), np.sum(dconv * SIGNAL[:, 1:6]), np.sum(dconv * SIGNAL[:, 2:7])])
    db = np.sum(dconv, keepdims=True)[0]
    return {"dact": dact, "dconv": dconv, "dw": dw, "db": db}


IMAGE_GOAL = normal(14, 2, 2)


def picture(p: Parameters) -> Any:
    k = p["k"]
    conv = k[0, 0] * p["x"][:4, :4] + k[0, 1] * p["x"][:4, 1:] + k[1, 0] * p["x"][1:, :4] + k[1, 1] * p["x"][1:, 1:]
    relu = np.maximum(conv, 0)
    pool = np.mean(relu.reshape(2, 2, 2, 2), axis=(1, 3))
    return np.sum((pool - IMAGE_GOAL) ** 2)


@gradient_of(picture, k=normal(15, 2, 2), x=normal(16, 5, 5))
def picture_by_hand(p: Parameters) -> dict[str, Any]:
    x, k = p["x"], p["k"]
    conv = k[0, 0] * x[:4, :4] + k[0, 1] * x[:4, 1:] + k[1, 0] * x[1:, :4] + k[1, 1] * x[1:, 1:]
    relu = np.maximum(conv, 0)
    pool = np.mean(relu.reshape(2, 2, 2, 2), axis=(1, 3))
    dpool = 2 * (pool - IMAGE_GOAL)
    drelu = np.repeat(np.repeat(dpool, 2, axis=0), 2, axis=1) / 4
    dconv = drelu * (conv > 0)
    dk, dx = np.zeros((2, 2)), np.zeros((5, 5))
    for i in range(2):
        for j in range(2):
            dk[i, j] = np.sum(dconv * x[i : i + 4, j : j + 4])
            dx[i : i + 4, j : j + 4] += k[i, j] * dconv
    return {"dpool": dpool, "drelu": drelu, "dconv": dconv, "dk": dk, "dx": dx}


WEIGHT = normal(17, 6, 3)


def batch_norm(p: Parameters) -> Any:
    xmu = p["x"] - np.mean(p["x"], axis=0)
    var = np.mean(xmu**2, axis=0)
    ivar = 1 / np.sqrt(var + 1e-5)
    xhat = xmu * ivar
    out = p["gamma"] * xhat + p["beta"]
    return np.sum(WEIGHT * np.sin(out))


@gradient_of(batch_norm, x=normal(18, 6, 3), gamma=1 + 0.3 * normal(19, 3), beta=0.2 * normal(20, 3))
def batch_norm_by_hand(p: Parameters) -> dict[str, Any]:
    n = 6
    xmu = p["x"] - np.mean(p["x"], axis=0)
    ivar = 1 / np.sqrt(np.mean(xmu**2, axis=0) + 1e-5)
    xhat = xmu * ivar
    dout = WEIGHT * np.cos(p["gamma"] * xhat + p["beta"])
    dgamma = np.sum(dout * xhat, axis=0)
    dbeta = np.sum(dout, axis=0)
    dxhat = dout * p["gamma"]
    divar = np.sum(dxhat * xmu, axis=0)
    dvar = -0.5 * divar * ivar**3
    dxmu = dxhat * ivar + 2 * xmu * dvar / n
    dx = dxmu - np.mean(dxmu, axis=0)
    return {
        "dout": dout, "dgamma": dgamma, "dbeta": dbeta, "dxhat": dxhat, "divar": divar, "dvar": dvar, "dxmu": dxmu,
        "dx": dx,
    }  # fmt: skip


ROW_GOAL = normal(21, 4, 5)


def layer_norm(p: Parameters) -> Any:
    h = X[:4] @ p["W"]
    xmu = h - np.mean(h, axis=1, keepdims=True)
    std = np.sqrt(np.mean(xmu**2, axis=1, keepdims=True) + 1e-5)
    xhat = xmu / std
    return 0.5 * np.sum((p["gamma"] * xhat - ROW_GOAL) ** 2)


@gradient_of(layer_norm, W=normal(22, 3, 5), gamma=1 + 0.3 * normal(23, 5))
def layer_norm_by_hand(p: Parameters) -> dict[str, Any]:
    h = X[:4] @ p["W"]
    xmu = h - np.mean(h, axis=1, keepdims=True)
    std = np.sqrt(np.mean(xmu**2, axis=1, keepdims=True) + 1e-5)
    xhat = xmu / std
    dy = p["gamma"] * xhat - ROW_GOAL
    dgamma = np.sum(dy * xhat, axis=0)
    dxhat = dy * p["gamma"]
    dh = (dxhat - np.mean(dxhat, axis=1, keepdims=True) - xhat * np.mean(dxhat * xhat, axis=1, keepdims=True)) / std
    dW = X[:4].T @ dh
    return {"dgamma": dgamma, "dxhat": dxhat, "dh": dh, "dW": dW}


GROUPS = normal(24, 3, 2, 4)


def group_norm(p: Parameters) -> Any:
    g = p["x"].reshape(3, 2, 4)
    xmu = g - np.mean(g, axis=2, keepdims=True)
    var = np.mean(xmu**2, axis=2, keepdims=True)
    rstd = (var + 1e-5) ** -0.5
    xhat = xmu * rstd
    return np.sum(GROUPS * xhat**2)


@gradient_of(group_norm, x=normal(25, 3, 8))
def group_norm_by_hand(p: Parameters) -> dict[str, Any]:
    g = p["x"].reshape(3, 2, 4)
    xmu = g - np.mean(g, axis=2, keepdims=True)
    var = np.mean(xmu**2, axis=2, keepdims=True)
    rstd = (var + 1e-5) ** -0.5
    xhat = xmu * rstd
    dxhat = 2 * GROUPS * xhat
    drstd = np.sum(dxhat * xmu, axis=2, keepdims=True)
    dvar = -0.5 * drstd * (var + 1e-5) ** -1.5
    dxmu = dxhat * rstd + dvar * xmu / 2
    dg = dxmu - np.mean(dxmu, axis=2, keepdims=True)
    dx = dg.reshape(3, 8)
    return {"dxhat": dxhat, "drstd": drstd, "dvar": dvar, "dxmu": dxmu, "dg": dg, "dx": dx}


def residual(p: Parameters) -> Any:
    z = X @ p["W"]
    a = np.log(1 + np.exp(z))
    r = X + a @ p["V"]
    return np.sum(np.abs(r))


@gradient_of(residual, W=normal(26, 3, 4), V=normal(27, 4, 3))
def residual_by_hand(p: Parameters) -> dict[str, Any]:
    z = X @ p["W"]
    a = np.log(1 + np.exp(z))
    r = X + a @ p["V"]
    dr = np.sign(r)
    dV = a.T @ dr
    da = dr @ p["V"].T
    dz = da / (1 + np.exp(-z))
    dW = X.T @ dz
    return {"dr": dr, "dV": dV, "da": da, "dz": dz, "dW": dW}


TOKENS, MIXED = normal(28, 5, 3), normal(29, 5, 2)


def attention(p: Parameters) -> Any:
    q, k, v = TOKENS @ p["Q"], TOKENS @ p["K"], TOKENS @ p["V"]
    scores = q @ k.T / np.sqrt(4)
    e = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    w = e / np.sum(e, axis=1, keepdims=True)
    mixed = w @ v
    return np.sum(MIXED * mixed)


@gradient_of(attention, Q=normal(30, 3, 4), K=normal(31, 3, 4), V=normal(32, 3, 2))
def attention_by_hand(p: Parameters) -> dict[str, Any]:
    q, k, v = TOKENS @ p["Q"], TOKENS @ p["K"], TOKENS @ p["V"]
    scores = q @ k.T / np.sqrt(4)
    e = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    w = e / np.sum(e, axis=1, keepdims=True)
    dv = w.T @ MIXED
    dw = MIXED @ v.T
    dscores = w * (dw - np.sum(dw * w, axis=1, keepdims=True))
    dq = dscores @ k / np.sqrt(4)
    dk = dscores.T @ q / np.sqrt(4)
    dQ = TOKENS.T @ dq
    dK = TOKENS.T @ dk
    dV = TOKENS.T @ dv
    return {"dv": dv, "dw": dw, "dscores": dscores, "dq": dq, "dk": dk, "dQ": dQ, "dK": dK, "dV": dV}


WORDS = np.array([[0, 2, 2], [1, 3, 0], [4, 4, 4]])
BAG_GOAL = normal(33, 3, 2)


def embedding(p: Parameters) -> Any:
    rows = p["E"][WORDS]
    bag = np.mean(rows, axis=1)
    out = bag @ p["W"]
    return 0.5 * np.sum((out - BAG_GOAL) ** 2)


@gradient_of(embedding, E=normal(34, 5, 3), W=normal(35, 3, 2))
def embedding_by_hand(p: Parameters) -> dict[str, Any]:
    bag = np.mean(p["E"][WORDS], axis=1)
    dout = bag @ p["W"] - BAG_GOAL
    dW = bag.T @ dout
    dbag = dout @ p["W"].T
    drows = np.repeat(dbag[:, None, :], 3, axis=1) / 3
    dE = np.zeros((5, 3))
    np.add.at(dE, WORDS, drows)
    return {"dout": dout, "dW": dW, "dbag": dbag, "drows": drows, "dE": dE}


STEPS = 3
INPUTS, STATE_GOAL = normal(36, STEPS, 2), normal(37, STEPS, 3)
START = 0.5 * normal(38, 3)


def rnn(p: Parameters) -> Any:
    h = START
    loss = 0.0
    for t in range(STEPS):
        z = p["U"] @ INPUTS[t] + p["W"] @ h
        h = np.tanh(z)
        loss = loss + 0.5 * np.sum((h - STATE_GOAL[t]) ** 2)
    return loss


@gradient_of(rnn, U=normal(39, 3, 2), W=0.7 * normal(40, 3, 3))
def rnn_by_hand(p: Parameters) -> dict[str, Any]:
    h = [START]
    for t in range(STEPS):
        h.append(np.tanh(p["U"] @ INPUTS[t] + p["W"] @ h[t]))
    dU, dW = np.zeros((3, 2)), np.zeros((3, 3))
    dh, dz = [None] * STEPS, [None] * STEPS
    dnext = np.zeros(3)
    for t in reversed(range(STEPS)):
        dh[t] = h[t + 1] - STATE_GOAL[t] + dnext
        dz[t] = dh[t] * (1 - h[t + 1] ** 2)
        dU += np.outer(dz[t], INPUTS[t])
        dW += np.outer(dz[t], h[t])
        dnext = p["W"].T @ dz[t]
    return {"dh": dh, "dz": dz, "dU": dU, "dW": dW}


READ, CELL = normal(41, 2, 3), normal(42, 3)


def lstm(p: Parameters) -> Any:
    h, c = START, CELL
    loss = 0.0
    for t in range(2):
        a = p["W"] @ np.concatenate([h, INPUTS[t]])
        i = 1 / (1 + np.exp(-a[0:3]))
        f = 1 / (1 + np.exp(-a[3:6]))
        o = 1 / (1 + np.exp(-a[6:9]))
        g = np.tanh(a[9:12])
        c = f * c + i * g
        h = o * np.tanh(c)
        loss = loss + np.sum(READ[t] * h)
    return loss


@gradient_of(lstm, W=normal(43, 12, 5))
def lstm_by_hand(p: Parameters) -> dict[str, Any]:
    h, c, gates = [START], [CELL], []
    for t in range(2):
        a = p["W"] @ np.concatenate([h[t], INPUTS[t]])
        i, f, o = (1 / (1 + np.exp(-a[k : k + 3])) for k in (0, 3, 6))
        g = np.tanh(a[9:12])
        gates.append((i, f, o, g))
        c.append(f * c[t] + i * g)
        h.append(o * np.tanh(c[t + 1]))
    dW = np.zeros((12, 5))
    dh, dc, da = [None] * 2, [None] * 2, [None] * 2
    dhnext, dcnext = np.zeros(3), np.zeros(3)
    for t in reversed(range(2)):
        i, f, o, g = gates[t]
        dh[t] = READ[t] + dhnext
        dc[t] = dcnext + dh[t] * o * (1 - np.tanh(c[t + 1]) ** 2)
        di = dc[t] * g * i * (1 - i)
        df = dc[t] * c[t] * f * (1 - f)
        do = dh[t] * np.tanh(c[t + 1]) * o * (1 - o)
        dg = dc[t] * i * (1 - g**2)
        da[t] = np.concatenate([di, df, do, dg])
        dW += np.outer(da[t], np.concatenate([h[t], INPUTS[t]]))
        dhnext = (p["W"].T @ da[t])[:3]
        dcnext = dc[t] * f
    return {"dc": dc, "da": da, "dW": dW}


def gru(p: Parameters) -> Any:
    h = START
    loss = 0.0
    for t in range(2):
        z = 1 / (1 + np.exp(-(p["Wz"] @ INPUTS[t] + p["Uz"] @ h)))
        r = 1 / (1 + np.exp(-(p["Wr"] @ INPUTS[t] + p["Ur"] @ h)))
        rh = r * h
        n = np.tanh(p["Wn"] @ INPUTS[t] + p["Un"] @ rh)
        h = (1 - z) * n + z * h
        loss = loss + np.sum(READ[t] * h)
    return loss


@gradient_of(
    gru,
    **{name: normal(44 + k, 3, 2) for k, name in enumerate(("Wz", "Wr", "Wn"))},
    **{name: normal(47 + k, 3, 3) for k, name in enumerate(("Uz", "Ur", "Un"))},
)
def gru_by_hand(p: Parameters) -> dict[str, Any]:
    h, gates = [START], []
    for t in range(2):
        z = 1 / (1 + np.exp(-(p["Wz"] @ INPUTS[t] + p["Uz"] @ h[t])))
        r = 1 / (1 + np.exp(-(p["Wr"] @ INPUTS[t] + p["Ur"] @ h[t])))
        n = np.tanh(p["Wn"] @ INPUTS[t] + p["Un"] @ (r * h[t]))
        gates.append((z, r, n))
        h.append((1 - z) * n + z * h[t])
    dWz, dWr, dWn = np.zeros((3, 2)), np.zeros((3, 2)), np.zeros((3, 2))
    dUz, dUr, dUn = np.zeros((3, 3)), np.zeros((3, 3)), np.zeros((3, 3))
    dz, dr, dn, drh = [None] * 2, [None] * 2, [None] * 2, [None] * 2
    dnext = np.zeros(3)
    for t in reversed(range(2)):
        z, r, n = gates[t]
        dh = READ[t] + dnext
        dn[t] = dh * (1 - z)
        dan = dn[t] * (1 - n**2)
        drh[t] = p["Un"].T @ dan
        dr[t] = drh[t] * h[t]
        dar = dr[t] * r * (1 - r)
        dz[t] = dh * (h[t] - n)
        daz = dz[t] * z * (1 - z)
        dWz += np.outer(daz, INPUTS[t])
        dWr += np.outer(dar, INPUTS[t])
        dWn += np.outer(dan, INPUTS[t])
        dUz += np.outer(daz, h[t])
        dUr += np.outer(dar, h[t])
        dUn += np.outer(dan, r * h[t])
        dnext = dh * z + drh[t] * r + p["Uz"].T @ daz + p["Ur"].T @ dar
    return {
        "dn": dn, "drh": drh, "dr": dr, "dz": dz, "dWz": dWz, "dWr": dWr, "dWn": dWn, "dUz": dUz, "dUr": dUr, "dUn": dUn
    }  # fmt: skip
