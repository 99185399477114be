import numpy as np


def fitted(g, shape):
    in_front = g.ndim - len(shape)  # blank
    g = g.sum(axis=tuple(range(in_front)))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1)
    result = g.sum(axis=stretched, keepdims=True)  # blank
    return result


class Tensor:
    def __init__(self, value, parents=()):
        self.value, self.parents = np.asarray(value, float), parents

    def __add__(self, other):
        pull_self = lambda g: fitted(g, self.value.shape)
        pull_other = lambda g: fitted(g, other.value.shape)
        pairs = [(self, pull_self), (other, pull_other)]
        return Tensor(self.value + other.value, pairs)

    def __mul__(self, other):
        def pull_back(g):
            cotangent = fitted(g * other.value, self.value.shape)  # blank
            return cotangent

        pull_other = lambda g: fitted(g * self.value, other.value.shape)
        pairs = [(self, pull_back), (other, pull_other)]
        return Tensor(self.value * other.value, pairs)


def looked_at(out, g):
    return [pull(g) for _, pull in out.parents]


x = np.arange(12.0).reshape(4, 3)
row, column = np.array([[1.0, 2.0, 3.0]]), np.array([[1.0], [0.0], [2.0], [5.0]])
b = np.ones(3)
g = np.array([[1.0, 2, 0], [0, 1, 4], [3, 0, 2], [1, 1, 1]])
