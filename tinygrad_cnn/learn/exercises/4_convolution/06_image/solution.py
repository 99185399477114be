import numpy as np

rng = np.random.default_rng(11)
y = rng.normal(size=(2, 2))
Wc = rng.normal(size=(3, 3))
parameters = {"x": rng.normal(size=(4, 4))}


def convolution(x):
    shifts = [(u, v) for u in range(3) for v in range(3)]
    return sum(Wc[u, v] * x[u : u + 2, v : v + 2] for u, v in shifts)


def loss(p):
    conv = convolution(p["x"])
    return np.sum((conv - y) ** 2) / 2


def by_hand(p):
    dL_dconv = convolution(p["x"]) - y
    dpad = np.pad(dL_dconv, 2)
    kernel = Wc[::-1, ::-1]  # blank
    dL_dx = np.zeros((4, 4))
    for a in range(4):
        for b in range(4):
            dL_dx[a, b] = np.sum(dpad[a : a + 3, b : b + 3] * kernel)  # blank
    return {"kernel": kernel, "dL_dconv": dL_dconv, "dL_dx": dL_dx}
