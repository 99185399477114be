import numpy as np

rng = np.random.default_rng(10)
y = rng.normal(size=(1, 16))
Wc = rng.normal(size=(3, 3))
parameters = {"x": rng.normal(size=(4, 4))}


def im2col(xpad):
    images = [xpad[u : u + 4, v : v + 4] for u in range(3) for v in range(3)]
    return np.stack([image.reshape(16) for image in images])


def loss(p):
    xpad = np.pad(p["x"], 1)
    cols = im2col(xpad)
    conv = Wc.reshape(1, 9) @ cols
    return np.sum((conv - y) ** 2) / 2


def by_hand(p):
    conv = Wc.reshape(1, 9) @ im2col(np.pad(p["x"], 1))
    dL_dconv = conv - y
    dL_dcols = Wc.reshape(9, 1) @ dL_dconv
    patches = dL_dcols.reshape(3, 3, 4, 4)  # blank
    dL_dxpad = np.zeros((6, 6))
    for u in range(3):
        for v in range(3):
            place = slice(u, u + 4), slice(v, v + 4)  # u : u + 4, v : v + 4
            dL_dxpad[place] = dL_dxpad[place] + patches[u, v]  # blank
    dL_dx = dL_dxpad[1:-1, 1:-1]  # blank
    return {"patches": patches, "dL_dxpad": dL_dxpad, "dL_dx": dL_dx}
