import numpy as np

rng = np.random.default_rng(94)
weights = rng.normal(size=(3, 2)).round(1)
q, k, v = (rng.normal(size=s).round(1) for s in [(3, 4), (4, 4), (4, 2)])
parameters = {"q": q, "k": k, "v": v}


def loss(p):
    s = p["q"] @ p["k"].T / 2
    e = np.exp(s)
    a = e / np.sum(e, axis=1, keepdims=True)
    out = a @ p["v"]
    return np.sum(weights * out)


def by_hand(p):
    q, k, v = p["q"], p["k"], p["v"]
    s = q @ k.T / 2
    e = np.exp(s)
    a = e / np.sum(e, axis=1, keepdims=True)
    dL_dout = weights
    dL_dv = a.T @ dL_dout  # blank
    dL_da = dL_dout @ v.T  # blank
    dL_ds = a * (dL_da - np.sum(a * dL_da, axis=1, keepdims=True))  # blank
    dL_dq = dL_ds @ k / 2  # blank
    dL_dk = dL_ds.T @ q / 2  # blank
    grads = {"dL_dv": dL_dv, "dL_da": dL_da, "dL_ds": dL_ds}
    return {**grads, "dL_dq": dL_dq, "dL_dk": dL_dk}
