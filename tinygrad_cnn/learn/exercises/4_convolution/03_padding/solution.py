import numpy as np

rng = np.random.default_rng(8)
c = rng.uniform(0.5, 2, size=(5, 6))
parameters = {"x": rng.normal(size=(3, 4))}


def loss(p):
    xpad = np.pad(p["x"], 1)
    return np.sum(c * xpad**2) / 2


def by_hand(p):
    xpad = np.pad(p["x"], 1)
    dL_dxpad = c * xpad  # blank
    dL_dx = dL_dxpad[1:-1, 1:-1]  # blank
    return {"dL_dxpad": dL_dxpad, "dL_dx": dL_dx}
