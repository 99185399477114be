import numpy as np

import tinygrad_cnn as tg

exp = "result"  # blank
sin = "operand"  # blank
tanh = "result"  # blank
triple = "nothing"  # blank
square = "operand"  # blank


def printed(f):
    def loss(z):
        h = f(z)
        return np.sum(h * np.array([1.0, 2.0]))

    return tg.program(tg.value_and_grad(loss))(np.ones(2)).source()


if __name__ == "__main__":
    functions = {"exp": np.exp, "sin": np.sin, "tanh": np.tanh}
    functions |= {"triple": lambda z: 3 * z, "square": lambda z: z**2}
    for name, f in functions.items():
        print(f"# ---- {name}", printed(f), sep="\n")
