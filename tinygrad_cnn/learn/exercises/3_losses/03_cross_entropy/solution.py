import numpy as np

y = np.array([[0.0, 1.0, 1.0, 0.0]])
parameters = {"fc": np.array([[-1.2, 0.4, 2.1, 0.9]])}


def loss(p):
    sigma = 1 / (1 + np.exp(-p["fc"]))
    return -np.sum(y * np.log(sigma) + (1 - y) * np.log(1 - sigma))


def by_hand(p):
    fc = p["fc"]
    sigma = 1 / (1 + np.exp(-fc))
    dL_dsigma = -(y / sigma - (1 - y) / (1 - sigma))  # blank
    dL_dfc = dL_dsigma * sigma * (1 - sigma)  # blank
    return {"dL_dsigma": dL_dsigma, "dL_dfc": dL_dfc}
