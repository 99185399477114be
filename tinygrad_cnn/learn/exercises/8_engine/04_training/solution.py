import itertools

import numpy as np

import tinygrad_cnn as tg

count = itertools.count()


class Tensor:
    def __init__(self, value, parents=()):
        self.value, self.parents = np.asarray(value, float), parents
        self.number = next(count)

    def __add__(self, other):
        pull_self = lambda g: fitted(g, self.value.shape)
        pull_other = lambda g: fitted(g, other.value.shape)
        pairs = [(self, pull_self), (other, pull_other)]
        return Tensor(self.value + other.value, pairs)

    def __mul__(self, other):
        pull_self = lambda g: fitted(g * other.value, self.value.shape)
        pull_other = lambda g: fitted(g * self.value, other.value.shape)
        pairs = [(self, pull_self), (other, pull_other)]
        return Tensor(self.value * other.value, pairs)

    def __matmul__(self, other):
        a, b = self.value, other.value
        pull_a = lambda g: g @ b.T  # blank
        pull_b = lambda g: a.T @ g  # blank
        return Tensor(a @ b, [(self, pull_a), (other, pull_b)])

    def relu(self):
        x = self.value
        pull_x = lambda g: g * (x > 0)  # blank
        return Tensor(np.maximum(0, x), [(self, pull_x)])

    def sum(self):
        shape = self.value.shape
        pull_sum = lambda g: g * np.ones(shape)  # blank
        return Tensor(self.value.sum(), [(self, pull_sum)])


def fitted(g, shape):
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def gradient(f, *values):
    arguments = [Tensor(x) for x in values]
    out = f(*arguments)
    cotangents, waiting = {out.number: np.ones(())}, {out.number: out}
    while waiting:
        node = waiting.pop(max(waiting))  # the newest
        for parent, pull in node.parents:
            n, g = parent.number, pull(cotangents[node.number])
            cotangents[n] = cotangents.get(n, 0.0) + g
            waiting[n] = parent
    return [cotangents[a.number] for a in arguments]


def model(w1, b, w2, x, relu):
    error = relu(w1 @ x + b)
    out = w2 @ error
    return (out * out).sum()


rng = np.random.default_rng(8)
w1, b, w2, x = (rng.normal(size=s).round(1) for s in [(4, 3), (4, 1), (2, 4), (3, 5)])


def yours():
    return gradient(lambda w1, b, w2, x: model(w1, b, w2, x, Tensor.relu), w1, b, w2, x)


def agrees():
    ours = tg.grad(lambda *a: model(*a, tg.relu), argnums=(0, 1, 2, 3))(w1, b, w2, x)
    return all(np.allclose(y, o) for y, o in zip(yours(), ours))
