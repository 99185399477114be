import numpy as np

rng = np.random.default_rng(3)
x = rng.normal(size=(2, 4, 4)).round(1)
xpad = np.pad(x, ((0, 0), (1, 1), (1, 1)))
places = range(3)
seen = np.array([[xpad[:, u : u + 4, v : v + 4] for v in places] for u in places])
weights = rng.normal(size=(2, 4, 4)).round(1)
parameters = {"Wc": rng.normal(size=(3, 3)).round(1), "Bc": np.array([[0.2]])}


def loss(p):
    conv = np.sum(p["Wc"][:, :, None, None, None] * seen, axis=(0, 1)) + p["Bc"]
    relu = np.maximum(0, conv)
    return np.sum(weights * relu)


def by_hand(p):
    conv = np.sum(p["Wc"][:, :, None, None, None] * seen, axis=(0, 1)) + p["Bc"]
    dL_drelu = weights
    dL_dconv = np.where(conv > 0, dL_drelu, 0)  # blank
    dL_dWc = np.sum(seen * dL_dconv, axis=(2, 3, 4))  # blank
    dL_dBc = np.sum(dL_dconv).reshape(1, 1)  # blank
    return {"dL_dconv": dL_dconv, "dL_dWc": dL_dWc, "dL_dBc": dL_dBc}
