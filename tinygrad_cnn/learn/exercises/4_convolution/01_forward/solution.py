import numpy as np


def convolution(xpad, Wc, Bc):
    height = xpad.shape[0] - 3 + 1  # blank
    width = xpad.shape[1] - 3 + 1
    conv = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            window = xpad[i : i + 3, j : j + 3]  # blank
            conv[i, j] = np.sum(window * Wc) + Bc  # blank
    return conv


xpad = np.arange(30.0).reshape(5, 6) ** 2 % 7
Wc = np.array([[1.0, 2.0, -1.0], [0.0, 0.5, 3.0], [-2.0, 1.0, 0.0]])
