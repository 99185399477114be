import numpy as np

relu = np.zeros((5, 4, 4))
relu[0, 1:3, 1:3] = 2.0
relu[1, :, 0] = 1.5
relu[2, 0] = relu[2, :, 3] = 3.0
relu[3, 3, 3] = 0.5
y = np.array([[0], [0], [1], [1], [1]])


def shown(relu, y):
    max_pool = relu.reshape(len(relu), 2, 2, 2, 2).max(axis=(2, 4))
    lit = np.mean(relu > 0, axis=(1, 2))  # blank
    dead = not np.any(relu > 0)  # blank
    square = y[:, 0] == 1  # (B,)
    difference = max_pool[square].mean(axis=0) - max_pool[~square].mean(axis=0)  # blank
    return lit, bool(dead), difference
