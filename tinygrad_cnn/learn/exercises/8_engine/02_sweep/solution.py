import itertools

count = itertools.count()


class Tensor:
    def __init__(self, value, parents=()):
        self.value, self.parents, self.number = value, parents, next(count)

    def __add__(self, other):
        other = constant(other)
        pairs = [(self, lambda g: g), (other, lambda g: g)]
        return Tensor(self.value + other.value, pairs)

    def __mul__(self, other):
        other = constant(other)
        pairs = [(self, lambda g: g * other.value), (other, lambda g: g * self.value)]
        return Tensor(self.value * other.value, pairs)


def constant(x):
    return x if isinstance(x, Tensor) else Tensor(x)


def ancestors(out):
    found, waiting = {}, [out]
    while waiting:
        node = waiting.pop()
        if node.number not in found:
            found[node.number] = node
            waiting += [parent for parent, _ in node.parents]
    return list(found.values())


def sweep(out):
    reached = ancestors(out)
    order = sorted(reached, key=lambda node: node.number, reverse=True)  # blank
    cotangents = {node.number: 0.0 for node in reached}
    cotangents[out.number] = 1.0  # blank
    for node in order:
        g = cotangents[node.number]  # blank
        for parent, pull in node.parents:
            cotangents[parent.number] += pull(g)  # blank
    return cotangents


def gradient(f, *values):
    arguments = [Tensor(x) for x in values]
    cotangents = sweep(f(*arguments))
    return [cotangents.get(a.number, 0.0) for a in arguments]


def diamond(a, b):
    c = a * b
    d = c + a
    return d * c
