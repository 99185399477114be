import numpy as np

rng = np.random.default_rng(1)
y = rng.normal(size=(2, 4))
parameters = {"W": rng.normal(size=(2, 3)), "x": rng.normal(size=(3, 4))}


def loss(p):
    z = p["W"] @ p["x"]
    return np.sum((z - y) ** 2) / 2


def by_hand(p):
    W, x = p["W"], p["x"]
    z = W @ x
    dL_dz = z - y  # blank
    dL_dW = dL_dz @ x.T  # blank
    dL_dx = W.T @ dL_dz  # blank
    return {"dL_dz": dL_dz, "dL_dW": dL_dW, "dL_dx": dL_dx}
