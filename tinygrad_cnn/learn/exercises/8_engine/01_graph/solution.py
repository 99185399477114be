class Tensor:
    def __init__(self, value, parents=()):
        self.value, self.parents = value, parents

    def __add__(self, other):
        other = constant(other)
        value = self.value + other.value  # blank
        parents = [(self, lambda g: g), (other, lambda g: g)]  # blank
        return Tensor(value, parents)

    def __mul__(self, other):
        other = constant(other)
        value = self.value * other.value
        of_product = [(self, lambda g: g * other.value), (other, lambda g: g * self.value)]  # blank
        return Tensor(value, of_product)


def constant(x):
    return x if isinstance(x, Tensor) else Tensor(x)


def looked_at(out, g):
    """The value, and what each operand gets from the cotangent g."""
    return [out.value, *[pull(g) for _, pull in out.parents]]
