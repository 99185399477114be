import numpy as np

epsilon = 1e-4
y = np.array([[0.0], [1.0], [1.0], [0.0]])
parameters = {"fc": np.array([[0.3, -1.2, 0.8, -0.5]])}


def loss(p):
    sigma = 1 / (1 + np.exp(-p["fc"]))
    return np.sum(-y.T * np.log1p(sigma) - (1 - y.T) * np.log1p(1 - sigma))


def by_hand(p):
    sigma = 1 / (1 + np.exp(-p["fc"]))
    dL_dsigma = -(y.T / (1 + sigma) - (1 - y.T) / (2 - sigma))  # given: dL_dsigma = -(y.T / (sigma + epsilon) - (1 - y.T) / (1 - sigma - epsilon))
    dL_dfc = dL_dsigma * sigma * (1 - sigma)
    return {"dL_dsigma": dL_dsigma, "dL_dfc": dL_dfc}
