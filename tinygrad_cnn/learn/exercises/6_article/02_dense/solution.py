import numpy as np

epsilon = 1e-4
y = np.array([[0.0], [1.0], [1.0]])
parameters = {
    "Wf": np.array([[0.5, -0.3, 0.2, 0.4]]),
    "Bf": np.array([[0.1]]),
    "flatten": np.array([[1, 0, 2, 0.5], [0.3, 1.5, 0, 1], [2, 0.7, 1, 0]]),
}


def loss(p):
    fc = p["Wf"] @ p["flatten"].T + p["Bf"]
    sigma = 1 / (1 + np.exp(-fc))
    of_squares = -y.T * np.log(sigma + epsilon)
    of_circles = -(1 - y.T) * np.log(1 - sigma - epsilon)
    return np.sum(of_squares + of_circles)


def by_hand(p):
    Wf, Bf, flatten = p["Wf"], p["Bf"], p["flatten"]
    fc = Wf @ flatten.T + Bf
    sigma = 1 / (1 + np.exp(-fc))
    dL_dsigma = -(y.T / (sigma + epsilon) - (1 - y.T) / (1 - sigma - epsilon))
    dL_dfc = dL_dsigma * sigma * (1 - sigma)
    dL_dWf = dL_dfc @ flatten  # blank
    dL_dBf = np.sum(dL_dfc, keepdims=True)  # blank
    dL_dflatten = (Wf.T @ dL_dfc).T  # blank
    return {"dL_dWf": dL_dWf, "dL_dBf": dL_dBf, "dL_dflatten": dL_dflatten}
