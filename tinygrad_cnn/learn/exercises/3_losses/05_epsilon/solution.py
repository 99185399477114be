import numpy as np

epsilon = 0.01
y = np.array([[0.0, 1.0, 1.0, 0.0]])
parameters = {"fc": np.array([[-1.2, 0.4, 2.1, 0.9]])}


def loss(p):
    sigma = 1 / (1 + np.exp(-p["fc"]))
    s = sigma + epsilon
    return -np.sum(y * np.log(s) + (1 - y) * np.log(1 - s))


def by_hand(p):
    sigma = 1 / (1 + np.exp(-p["fc"]))
    s = sigma + epsilon
    dL_ds = -(y / s - (1 - y) / (1 - s))  # blank
    dL_dsigma = dL_ds  # blank
    dL_dfc = dL_dsigma * sigma * (1 - sigma)  # blank
    return {"dL_ds": dL_ds, "dL_dsigma": dL_dsigma, "dL_dfc": dL_dfc}
