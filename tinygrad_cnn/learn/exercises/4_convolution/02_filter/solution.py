import numpy as np

rng = np.random.default_rng(7)
xpad = np.pad(rng.normal(size=(4, 4)), 1)
y = rng.normal(size=(4, 4))
parameters = {"Wc": rng.normal(size=(3, 3)), "Bc": np.array([[0.2]])}


def convolution(Wc, Bc):
    shifts = [(u, v) for u in range(3) for v in range(3)]
    return Bc + sum(Wc[u, v] * xpad[u : u + 4, v : v + 4] for u, v in shifts)


def loss(p):
    conv = convolution(p["Wc"], p["Bc"])
    return np.sum((conv - y) ** 2) / 2


def by_hand(p):
    conv = convolution(p["Wc"], p["Bc"])
    dL_dconv = conv - y  # blank
    dL_dBc = np.sum(dL_dconv, keepdims=True)  # blank
    dL_dWc = np.zeros((3, 3))
    for u in range(3):
        for v in range(3):
            dL_dWc[u, v] = np.sum(dL_dconv * xpad[u : u + 4, v : v + 4])  # blank
    return {"dL_dconv": dL_dconv, "dL_dBc": dL_dBc, "dL_dWc": dL_dWc}
