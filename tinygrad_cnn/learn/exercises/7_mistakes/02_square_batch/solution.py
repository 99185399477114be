import numpy as np

rng = np.random.default_rng(72)
x = rng.normal(size=(3, 2)).round(1)
y = rng.normal(size=(3, 3)).round(1)
parameters = {"w": rng.normal(size=(2, 3)).round(1), "b": rng.normal(size=3).round(1)}


def loss(p):
    z = x @ p["w"] + p["b"]
    return np.sum((z - y) ** 2) / 2


def by_hand(p):
    z = x @ p["w"] + p["b"]
    dL_dz = z - y
    dL_dw = x.T @ dL_dz
    dL_db = dL_dz.sum(axis=0)  # given: dL_db = dL_dz.sum(axis=1)
    return {"dL_dz": dL_dz, "dL_dw": dL_dw, "dL_db": dL_db}
