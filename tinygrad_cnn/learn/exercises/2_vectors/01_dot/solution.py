import numpy as np

y = 0.5
parameters = {"w": np.array([0.4, -1.2, 0.7]), "x": np.array([1.5, -0.3, 2.0])}


def loss(p):
    z = p["w"] @ p["x"]
    return (z - y) ** 2 / 2


def by_hand(p):
    w, x = p["w"], p["x"]
    z = w @ x
    dL_dz = z - y  # blank
    dL_dw = dL_dz * x  # blank
    dL_dx = dL_dz * w  # blank
    return {"dL_dz": dL_dz, "dL_dw": dL_dw, "dL_dx": dL_dx}
