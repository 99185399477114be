import numpy as np

y = np.array([[0.5, -1.0], [2.0, 0.3]])
x = np.array(
    [
        [0.0, 0.0, 0.0, 3.0],
        [0.0, 0.0, 1.0, 3.0],
        [2.0, 1.0, 0.0, 0.0],
        [0.0, 1.5, 0.0, 0.0],
    ]
)
parameters = {"Bc": np.array([[0.7]])}


def spread(x):
    """Each element of x, at all four places of its window: (2, 2) to (4, 4)."""
    return x.repeat(2, axis=0).repeat(2, axis=1)


def loss(p):
    conv = x + p["Bc"]
    max_pool = conv.reshape(2, 2, 2, 2).max(axis=(1, 3))
    return np.sum((max_pool - y) ** 2) / 2


def by_hand(p):
    conv = x + p["Bc"]
    max_pool = conv.reshape(2, 2, 2, 2).max(axis=(1, 3))
    dL_dmax_pool = max_pool - y
    is_max = conv == spread(max_pool)
    ties = is_max.reshape(2, 2, 2, 2).sum(axis=(1, 3))  # blank
    dL_dconv = np.where(is_max, spread(dL_dmax_pool / ties), 0)  # blank
    dL_dBc = np.sum(dL_dconv, keepdims=True)  # blank
    return {"ties": ties, "dL_dconv": dL_dconv, "dL_dBc": dL_dBc}
