import numpy as np

import tinygrad_cnn as tg

x = np.array([[1.0, 2.0], [0.5, -1.0], [2.0, 0.0]])
w, v = np.array([[0.3, -0.2], [0.1, 0.4]]), np.array([1.5, -0.5])
parameters = {"w": w, "v": v}


def loss(p):
    z = x @ p["w"]
    h = np.exp(z)
    r = h * p["v"]
    s = r + h
    return np.sum(s)


def by_hand(p):
    w, v = p["w"], p["v"]
    h = np.exp(x @ w)
    dL_ds = np.ones((3, 2))
    dL_dr = dL_ds  # blank
    dL_dv = np.sum(dL_dr * h, axis=0)  # blank
    dL_dh = dL_ds + dL_dr * v  # blank
    dL_dz = dL_dh * h  # blank
    dL_dw = x.T @ dL_dz
    grads = {"dL_dr": dL_dr, "dL_dv": dL_dv, "dL_dh": dL_dh, "dL_dz": dL_dz}
    return {**grads, "dL_dw": dL_dw}


if __name__ == "__main__":
    print(tg.program(tg.grad(loss))(parameters).source())
