import numpy as np

weights = np.array([1.0, -2.0, 0.5, 3.0, -1.0, 0.2])
x = np.array([0.3, 2.0, -1.1, 0.8, -0.4, 1.7])
parameters = {"x": x, "gamma": np.array(1.5), "beta": np.array(0.2)}


def loss(p):
    c = p["x"] - np.mean(p["x"])
    s = np.sqrt(np.mean(c**2))
    xhat = c / s
    h = p["gamma"] * xhat + p["beta"]
    return np.sum(weights * h)


def by_hand(p):
    x, gamma = p["x"], p["gamma"]
    c = x - np.mean(x)
    s = np.sqrt(np.mean(c**2))
    xhat = c / s
    dL_dh = weights
    dL_dgamma = np.sum(dL_dh * xhat)  # blank
    dL_dbeta = np.sum(dL_dh)  # blank
    dL_dxhat = dL_dh * gamma  # blank
    dL_dx = (dL_dxhat - np.mean(dL_dxhat) - xhat * np.mean(dL_dxhat * xhat)) / s  # blank
    grads = {"dL_dgamma": dL_dgamma, "dL_dbeta": dL_dbeta}
    return {**grads, "dL_dxhat": dL_dxhat, "dL_dx": dL_dx}
