"""Models of statistics, of physics, and of learning by comparison."""

from __future__ import annotations

from typing import Any

import numpy as np

from edited_gradients.model import Parameters, gradient_of, normal

X, Y = normal(101, 6, 3), normal(102, 6)
NOISE, DATA = normal(103, 4, 2), normal(104, 4, 3)


def vae(p: Parameters) -> Any:
    mu = DATA @ p["M"]
    logvar = DATA @ p["S"]
    std = np.exp(0.5 * logvar)
    z = mu + std * NOISE
    out = z @ p["D"]
    kl = -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar))
    return 0.5 * np.sum((out - DATA) ** 2) + kl


@gradient_of(vae, M=normal(105, 3, 2), S=0.4 * normal(106, 3, 2), D=normal(107, 2, 3))
def vae_by_hand(p: Parameters) -> dict[str, Any]:
    mu, logvar = DATA @ p["M"], DATA @ p["S"]
    std = np.exp(0.5 * logvar)
    z = mu + std * NOISE
    dout = z @ p["D"] - DATA
    dD = z.T @ dout
    dz = dout @ p["D"].T
    dstd = dz * NOISE
    dmu = dz + mu
    dlogvar = 0.5 * dstd * std - 0.5 * (1 - np.exp(logvar))
    dM = DATA.T @ dmu
    dS = DATA.T @ dlogvar
    return {"dout": dout, "dD": dD, "dz": dz, "dstd": dstd, "dmu": dmu, "dlogvar": dlogvar, "dM": dM, "dS": dS}


LEFT, RIGHT = normal(108, 4, 3), normal(109, 4, 3)


def info_nce(p: Parameters) -> Any:
    a, b = LEFT @ p["A"], RIGHT @ p["B"]
    logits = a @ b.T / 0.5
    e = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    s = e / np.sum(e, axis=1, keepdims=True)
    return -np.sum(np.eye(4) * np.log(s)) / 4


@gradient_of(info_nce, A=0.6 * normal(110, 3, 2), B=0.6 * normal(111, 3, 2))
def info_nce_by_hand(p: Parameters) -> dict[str, Any]:
    a, b = LEFT @ p["A"], RIGHT @ p["B"]
    logits = a @ b.T / 0.5
    e = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    s = e / np.sum(e, axis=1, keepdims=True)
    dlogits = (s - np.eye(4)) / 4
    da = dlogits @ b / 0.5
    db = dlogits.T @ a / 0.5
    dA = LEFT.T @ da
    dB = RIGHT.T @ db
    return {"dlogits": dlogits, "da": da, "db": db, "dA": dA, "dB": dB}


OBSERVED = normal(112, 3)


def kalman_filter(p: Parameters) -> Any:
    m, v = np.zeros(2), np.array([1.0, 2.0])
    loss = 0.0
    for t in range(3):
        mp = p["a"] * m
        vp = p["a"] ** 2 * v + p["q"]
        k = vp / (vp + 0.5)
        e = OBSERVED[t] - mp
        m = mp + k * e
        v = (1 - k) * vp
        loss = loss + 0.5 * np.sum(e**2 / (vp + 0.5) + np.log(vp + 0.5))
    return loss


@gradient_of(kalman_filter, a=np.array([0.9, 0.6]), q=np.array([0.3, 0.8]))
def kalman_filter_by_hand(p: Parameters) -> dict[str, Any]:
    m, v, kept = np.zeros(2), np.array([1.0, 2.0]), []
    for t in range(3):
        mp, vp = p["a"] * m, p["a"] ** 2 * v + p["q"]
        k, e = vp / (vp + 0.5), OBSERVED[t] - mp
        kept.append((m, v, vp, k, e))
        m, v = mp + k * e, (1 - k) * vp
    da, dq = np.zeros(2), np.zeros(2)
    dmp, dvp, dk = [None] * 3, [None] * 3, [None] * 3
    dm, dv = np.zeros(2), np.zeros(2)
    for t in reversed(range(3)):
        m, v, vp, k, e = kept[t]
        dk[t] = dm * e - dv * vp
        de = dm * k + e / (vp + 0.5)
        dmp[t] = dm - de
        dvp[t] = dv * (1 - k) + dk[t] * 0.5 / (vp + 0.5) ** 2 + 0.5 / (vp + 0.5) - 0.5 * e**2 / (vp + 0.5) ** 2
        dq += dvp[t]
        da += dmp[t] * m + dvp[t] * 2 * p["a"] * v
        dm = dmp[t] * p["a"]
        dv = dvp[t] * p["a"] ** 2
    return {"dmp": dmp, "dvp": dvp, "da": da, "dq": dq}


def runge_kutta(p: Parameters) -> Any:
    y = np.array([1.0, 0.5, -0.3])
    for _ in range(3):
        k1 = np.sin(p["A"] @ y)
        k2 = np.sin(p["A"] @ (y + 0.1 * k1))
        y = y + 0.2 * k2
    return np.sum(y**2)


@gradient_of(runge_kutta, A=normal(113, 3, 3))
def runge_kutta_by_hand(p: Parameters) -> dict[str, Any]:
    A, y = p["A"], [np.array([1.0, 0.5, -0.3])]
    k1 = []
    for t in range(3):
        k1.append(np.sin(A @ y[t]))
        y.append(y[t] + 0.2 * np.sin(A @ (y[t] + 0.1 * k1[t])))
    dA = np.zeros((3, 3))
    dk1, dk2 = [None] * 3, [None] * 3
    dy = 2 * y[3]
    for t in reversed(range(3)):
        dk2[t] = 0.2 * dy
        du = dk2[t] * np.cos(A @ (y[t] + 0.1 * k1[t]))
        dA += np.outer(du, y[t] + 0.1 * k1[t])
        dmid = A.T @ du
        dk1[t] = 0.1 * dmid
        dw = dk1[t] * np.cos(A @ y[t])
        dA += np.outer(dw, y[t])
        dy = dy + dmid + A.T @ dw
    return {"dk2": dk2, "dk1": dk1, "dA": dA}


PLACES, SEEN = normal(114, 4, 2), normal(115, 4)
SQUARED = np.sum((PLACES[:, None] - PLACES) ** 2, axis=2)


def gaussian_process(p: Parameters) -> Any:
    K = p["s"] ** 2 * np.exp(-0.5 * SQUARED / p["l"] ** 2)
    S = np.linalg.inv(K + 0.2 * np.eye(4))
    return 0.5 * SEEN @ S @ SEEN - 0.5 * np.linalg.slogdet(S)[1]


@gradient_of(gaussian_process, s=np.array(1.3), l=np.array(0.9))
def gaussian_process_by_hand(p: Parameters) -> dict[str, Any]:
    s, l = p["s"], p["l"]  # noqa: E741
    K = s**2 * np.exp(-0.5 * SQUARED / l**2)
    S = np.linalg.inv(K + 0.2 * np.eye(4))
    alpha = S @ SEEN
    dK = -0.5 * np.outer(alpha, alpha) + 0.5 * S.T
    ds = np.sum(dK * 2 * K / s)
    dl = np.sum(dK * K * SQUARED / l**3)
    return {"dK": dK, "ds": ds, "dl": dl}


EMITTED = np.abs(normal(116, 4, 3)) + 0.2


def hidden_markov_model(p: Parameters) -> Any:
    e = np.exp(p["T"])
    A = e / np.sum(e, axis=1, keepdims=True)
    alpha = EMITTED[0] / 3
    for t in range(1, 4):
        alpha = (alpha @ A) * EMITTED[t]
    return -np.log(np.sum(alpha))


@gradient_of(hidden_markov_model, T=normal(117, 3, 3))
def hidden_markov_model_by_hand(p: Parameters) -> dict[str, Any]:
    e = np.exp(p["T"])
    A = e / np.sum(e, axis=1, keepdims=True)
    alpha = [EMITTED[0] / 3]
    for t in range(1, 4):
        alpha.append((alpha[t - 1] @ A) * EMITTED[t])
    dA = np.zeros((3, 3))
    dalpha = -np.ones(3) / np.sum(alpha[3])
    for t in reversed(range(1, 4)):
        dpred = dalpha * EMITTED[t]
        dA += np.outer(alpha[t - 1], dpred)
        dalpha = A @ dpred
    dT = A * (dA - np.sum(dA * A, axis=1, keepdims=True))
    return {"dA": dA, "dT": dT}


def mixture(p: Parameters) -> Any:
    gap = p["mu"][:, None] - Y
    logits = p["w"][:, None] - 0.5 * gap**2
    e = np.exp(logits)
    total = np.sum(e, axis=0)
    return -np.sum(np.log(total)) / 6 + np.log(np.sum(np.exp(p["w"])))


@gradient_of(mixture, mu=normal(118, 3), w=0.5 * normal(119, 3))
def mixture_by_hand(p: Parameters) -> dict[str, Any]:
    gap = p["mu"][:, None] - Y
    e = np.exp(p["w"][:, None] - 0.5 * gap**2)
    total = np.sum(e, axis=0)
    dtotal = -1 / (6 * total)
    de = np.tile(dtotal, (3, 1))
    dlogits = de * e
    dgap = -dlogits * gap
    dmu = np.sum(dgap, axis=1)
    dw = np.sum(dlogits, axis=1) + np.exp(p["w"]) / np.sum(np.exp(p["w"]))
    return {"dtotal": dtotal, "de": de, "dlogits": dlogits, "dgap": dgap, "dmu": dmu, "dw": dw}


COUNTS = np.array([1.0, 0.0, 3.0, 2.0, 1.0, 4.0])


def poisson_regression(p: Parameters) -> Any:
    eta = X @ p["w"] + p["b"]
    rate = np.exp(eta)
    return np.sum(rate - COUNTS * np.log(rate)) + 0.5 * 0.3 * np.sum(p["w"] ** 2)


@gradient_of(poisson_regression, w=0.5 * normal(120, 3), b=np.array([0.2]))
def poisson_regression_by_hand(p: Parameters) -> dict[str, Any]:
    rate = np.exp(X @ p["w"] + p["b"])
    drate = 1 - COUNTS / rate
    deta = drate * rate
    dw = X.T @ deta + 0.3 * p["w"]
    db = np.sum(deta, keepdims=True)
    return {"drate": drate, "deta": deta, "dw": dw, "db": db}


def factorisation_machine(p: Parameters) -> Any:
    s = X @ p["V"]
    q = X**2 @ p["V"] ** 2
    out = X @ p["w"] + 0.5 * np.sum(s**2 - q, axis=1)
    return np.mean((out - Y) ** 2)


@gradient_of(factorisation_machine, w=normal(121, 3), V=0.7 * normal(122, 3, 2))
def factorisation_machine_by_hand(p: Parameters) -> dict[str, Any]:
    s = X @ p["V"]
    q = X**2 @ p["V"] ** 2
    out = X @ p["w"] + 0.5 * np.sum(s**2 - q, axis=1)
    dout = 2 * (out - Y) / 6
    dw = X.T @ dout
    ds = dout[:, None] * s
    dq = -0.5 * dout[:, None] * np.ones((1, 2))
    dV = X.T @ ds + 2 * p["V"] * ((X**2).T @ dq)
    return {"dout": dout, "dw": dw, "ds": ds, "dq": dq, "dV": dV}


def cosine_similarity(p: Parameters) -> Any:
    na = np.sqrt(np.sum(p["a"] ** 2, axis=1, keepdims=True))
    nb = np.sqrt(np.sum(p["b"] ** 2, axis=1, keepdims=True))
    u, v = p["a"] / na, p["b"] / nb
    c = np.sum(u * v, axis=1)
    return np.sum((1 - c) ** 2)


@gradient_of(cosine_similarity, a=normal(123, 4, 3), b=normal(124, 4, 3))
def cosine_similarity_by_hand(p: Parameters) -> dict[str, Any]:
    na = np.sqrt(np.sum(p["a"] ** 2, axis=1, keepdims=True))
    nb = np.sqrt(np.sum(p["b"] ** 2, axis=1, keepdims=True))
    u, v = p["a"] / na, p["b"] / nb
    c = np.sum(u * v, axis=1)
    dc = -2 * (1 - c)
    du = dc[:, None] * v
    dv = dc[:, None] * u
    da = (du - u * np.sum(du * u, axis=1, keepdims=True)) / na
    db = (dv - v * np.sum(dv * v, axis=1, keepdims=True)) / nb
    return {"dc": dc, "du": du, "dv": dv, "da": da, "db": db}


FIELD = normal(125, 6)


def diffusion(p: Parameters) -> Any:
    u = p["u"]
    for _ in range(3):
        lap = np.roll(u, 1) - 2 * u + np.roll(u, -1)
        u = u + 0.1 * p["k"] * lap
    return 0.5 * np.sum((u - FIELD) ** 2)


@gradient_of(diffusion, u=normal(126, 6), k=1 + 0.3 * normal(127, 6))
def diffusion_by_hand(p: Parameters) -> dict[str, Any]:
    u = [p["u"]]
    for t in range(3):
        u.append(u[t] + 0.1 * p["k"] * (np.roll(u[t], 1) - 2 * u[t] + np.roll(u[t], -1)))
    dk = np.zeros(6)
    dlap = [None] * 3
    dnext = u[3] - FIELD
    for t in reversed(range(3)):
        dk += 0.1 * dnext * (np.roll(u[t], 1) - 2 * u[t] + np.roll(u[t], -1))
        dlap[t] = 0.1 * p["k"] * dnext
        dnext = dnext + np.roll(dlap[t], -1) - 2 * dlap[t] + np.roll(dlap[t], 1)
    du = 1.0 * dnext
    return {"dlap": dlap, "dk": dk, "du": du}


def triplet(p: Parameters) -> Any:
    f = X @ p["W"]
    near = np.sum((f[0:2] - f[2:4]) ** 2, axis=1)
    far = np.sum((f[0:2] - f[4:6]) ** 2, axis=1)
    hinge = np.maximum(near - far + 4, 0)
    return np.sum(hinge)


@gradient_of(triplet, W=normal(128, 3, 4))
def triplet_by_hand(p: Parameters) -> dict[str, Any]:
    f = X @ p["W"]
    near = np.sum((f[0:2] - f[2:4]) ** 2, axis=1)
    far = np.sum((f[0:2] - f[4:6]) ** 2, axis=1)
    dnear = 1.0 * (near - far + 4 > 0)
    dfar = -1.0 * (near - far + 4 > 0)
    df = np.zeros((6, 4))
    df[0:2] = 2 * dnear[:, None] * (f[0:2] - f[2:4]) + 2 * dfar[:, None] * (f[0:2] - f[4:6])
    df[2:4] = -2 * dnear[:, None] * (f[0:2] - f[2:4])
    df[4:6] = -2 * dfar[:, None] * (f[0:2] - f[4:6])
    dW = X.T @ df
    return {"dnear": dnear, "dfar": dfar, "df": df, "dW": dW}
