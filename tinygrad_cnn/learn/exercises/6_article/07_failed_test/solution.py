import numpy as np

trained = np.array([[0.1, 0.2, 0.4, 0.9, 0.8]]), np.array([[0], [0], [0], [1], [1]])
tested = np.array([[0.7, 0.8, 0.3, 0.6]]), np.array([[0], [0], [1], [1]])


def accuracy_of(sigma, y):
    hits = (sigma > 0.5) == (y.T == 1)  # blank
    accuracy = np.mean(hits)  # blank
    return hits, accuracy


def gap_of(trained, tested):
    gap = accuracy_of(*trained)[1] - accuracy_of(*tested)[1]  # blank
    return gap


def chance_of(n):
    chance = 0.5**n  # blank
    return chance
