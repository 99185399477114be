import numpy as np

x, w = np.array([1.0, -0.5, 2.0, 0.3, -1.2, 0.8]), np.array([0.5, -1.0, 2.0])
parameters = {"x": x, "w": w}


def loss(p):
    x, w = p["x"], p["w"]
    z = w[0] * x[:4] + w[1] * x[1:5] + w[2] * x[2:]
    return np.sum(z**2) / 2


def by_hand(p):
    x, w = p["x"], p["w"]
    z = w[0] * x[:4] + w[1] * x[1:5] + w[2] * x[2:]
    dL_dz = z
    dL_dw = np.array([np.sum(dL_dz * x[k : k + 4]) for k in range(3)])
    dL_dx = np.convolve(dL_dz, w)  # given: dL_dx = np.convolve(dL_dz, w[::-1])
    return {"dL_dz": dL_dz, "dL_dw": dL_dw, "dL_dx": dL_dx}
