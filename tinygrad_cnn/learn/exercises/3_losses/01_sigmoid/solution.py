import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(6, 3))
y = rng.normal(size=(6, 5))
n = len(x)
parameters = {"w": rng.normal(size=(3, 5))}


def loss(p):
    z = x @ p["w"]
    h = 1 / (1 + np.exp(-z))
    return 0.5 * np.sum((h - y) ** 2) / n


def by_hand(p):
    z = x @ p["w"]
    h = 1 / (1 + np.exp(-z))
    dL_dh = (h - y) / n  # blank
    dL_dz = dL_dh * h * (1 - h)  # blank
    dL_dw = x.T @ dL_dz  # blank
    return {"dL_dh": dL_dh, "dL_dz": dL_dz, "dL_dw": dL_dw}
