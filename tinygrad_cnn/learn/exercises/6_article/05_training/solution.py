import numpy as np

flatten = np.array([[2.0, 0.0, 1.0], [1.5, 0.5, 0.0], [0.0, 2.0, 1.0], [0.5, 1.5, 2.0]])
y = np.array([[0.0], [0.0], [1.0], [1.0]])


def gradient(Wf, Bf):
    fc = Wf @ flatten.T + Bf
    sigma = 1 / (1 + np.exp(-fc))
    loss = -np.sum(y.T * np.log(sigma) + (1 - y.T) * np.log(1 - sigma))
    dL_dfc = sigma - y.T
    return loss, dL_dfc @ flatten, np.sum(dL_dfc, keepdims=True)


def train(N, lr):
    Wf, Bf = np.array([[0.1, -0.2, 0.3]]), np.array([[0.5]])
    losses = []
    epochs = range(N + 1)  # blank
    for epoch in epochs:
        loss, dL_dWf, dL_dBf = gradient(Wf, Bf)
        losses.append(float(loss))
        Wf = Wf - lr * dL_dWf  # blank
        Bf = Bf - lr * dL_dBf  # blank
    return Wf, Bf, losses
