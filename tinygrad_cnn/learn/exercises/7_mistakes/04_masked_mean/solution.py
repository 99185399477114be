import numpy as np

rng = np.random.default_rng(74)
x = rng.normal(size=(6, 2)).round(1)
y = rng.normal(size=6).round(1)
mask = np.array([1.0, 1.0, 0.0, 1.0, 0.0, 1.0])
parameters = {"w": np.array([0.7, -0.4])}


def loss(p):
    z = x @ p["w"]
    return np.sum(mask * (z - y) ** 2) / np.sum(mask)


def by_hand(p):
    z = x @ p["w"]
    dL_dz = 2 * mask * (z - y) / np.sum(mask)  # given: dL_dz = 2 * mask * (z - y) / len(z)
    dL_dw = x.T @ dL_dz
    return {"dL_dz": dL_dz, "dL_dw": dL_dw}
