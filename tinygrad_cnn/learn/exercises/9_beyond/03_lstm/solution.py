import numpy as np

weights, later = np.array([1.0, -2.0, 0.5]), np.array([0.3, 0.4, -1.0])
parameters = {
    "f": np.array([0.9, 0.2, 0.6]),
    "i": np.array([0.5, 0.8, 0.1]),
    "o": np.array([0.7, 0.4, 0.95]),
    "new": np.array([0.6, -0.9, 0.3]),
    "before": np.array([1.2, 0.5, -0.8]),
}


def loss(p):
    c = p["f"] * p["before"] + p["i"] * p["new"]
    t = np.tanh(c)
    h = p["o"] * t
    return np.sum(weights * h) + np.sum(later * c)


def by_hand(p):
    f, i, o, new, before = p["f"], p["i"], p["o"], p["new"], p["before"]
    c = f * before + i * new
    t = np.tanh(c)
    dL_dh = weights
    dL_do = dL_dh * t  # blank
    dL_dt = dL_dh * o
    dL_dc = dL_dt * (1 - t**2) + later  # blank
    dL_df = dL_dc * before  # blank
    dL_di = dL_dc * new
    dL_dnew = dL_dc * i
    dL_dbefore = dL_dc * f  # blank
    grads = {"dL_do": dL_do, "dL_dc": dL_dc, "dL_df": dL_df, "dL_di": dL_di}
    return {**grads, "dL_dnew": dL_dnew, "dL_dbefore": dL_dbefore}
