import numpy as np

rng = np.random.default_rng(9)
xpad = np.pad(rng.normal(size=(4, 4)), 1)
y = rng.normal(size=(1, 16))
images = [xpad[u : u + 4, v : v + 4] for u in range(3) for v in range(3)]
parameters = {"Wc": rng.normal(size=(3, 3)), "cols": np.reshape(images, (9, 16))}


def loss(p):
    conv = p["Wc"].reshape(1, 9) @ p["cols"]
    return np.sum((conv - y) ** 2) / 2


def im2col(xpad):
    rows = np.zeros((9, 16))
    for u in range(3):
        for v in range(3):
            rows[3 * u + v] = xpad[u : u + 4, v : v + 4].reshape(16)  # blank
    return rows


def by_hand(p):
    Wc, cols = p["Wc"], p["cols"]
    rows = im2col(xpad)
    conv = Wc.reshape(1, 9) @ cols
    dL_dconv = conv - y
    dL_dWc = (dL_dconv @ cols.T).reshape(3, 3)  # blank
    dL_dcols = Wc.reshape(9, 1) @ dL_dconv  # blank
    return {
        "dL_dconv": dL_dconv,
        "dL_dWc": dL_dWc,
        "dL_dcols": dL_dcols,
        "rows": rows,
    }
