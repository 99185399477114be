import numpy as np

rng = np.random.default_rng(5)
y = rng.normal(size=(1, 4))
parameters = {
    "flatten": rng.normal(size=(4, 6)),
    "Wf": rng.normal(size=(1, 6)),
    "Bf": rng.normal(size=(1, 1)),
}


def loss(p):
    fc = p["Wf"] @ p["flatten"].T + p["Bf"]
    return np.sum(y * fc)


def by_hand(p):
    flatten, Wf = p["flatten"], p["Wf"]
    dL_dfc = y
    dL_dWf = dL_dfc @ flatten  # blank
    dL_dBf = np.sum(dL_dfc, keepdims=True)  # blank
    dL_dflatten = (Wf.T @ dL_dfc).T  # blank
    return {
        "dL_dfc": dL_dfc,
        "dL_dWf": dL_dWf,
        "dL_dBf": dL_dBf,
        "dL_dflatten": dL_dflatten,
    }
