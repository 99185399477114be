import numpy as np

rng = np.random.default_rng(6)
y = rng.normal(size=(3, 4))
parameters = {"conv": rng.normal(size=(3, 4))}


def loss(p):
    relu = np.maximum(0, p["conv"])
    return np.sum((relu - y) ** 2) / 2


def by_hand(p):
    conv = p["conv"]
    relu = np.maximum(0, conv)
    dL_drelu = relu - y  # blank
    dL_dconv = np.where(conv > 0, dL_drelu, 0)  # blank
    return {"dL_drelu": dL_drelu, "dL_dconv": dL_dconv}
