"""Write docs/programs.md: what programs are, and four of them, printed.

From the root of the project: python docs/programs.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.gradient_program import loss as article
from tinygrad_cnn.circle_square.model import Parameters

PAGE = Path(__file__).parent / "programs.md"
RNG = np.random.default_rng(0)


def cnn(p, x, y):
    h = tg.relu(tg.conv2d(x, p["W1"], p["b1"], padding=1))  # (batch, 4, 14, 14)
    h = tg.max_pool2d(h, 2)  # (batch, 4, 7, 7)
    h = tg.relu(tg.conv2d(h, p["W2"], p["b2"]))  # (batch, 8, 5, 5)
    logits = h.reshape(len(x), -1) @ p["W3"]  # (batch, 1)
    return np.mean(tg.binary_cross_entropy_with_logits(logits, y))


def batch_norm(p, x, y):
    h = x @ p["W1"]  # (batch, 5)
    mean = np.mean(h, axis=0)
    var = np.var(h, axis=0)
    normalised = (h - mean) / np.sqrt(var + 1e-5) * p["gamma"] + p["beta"]
    logits = np.maximum(0, normalised) @ p["W2"]  # (batch, 2)
    return np.mean(np.logaddexp.reduce(logits, axis=1) - np.sum(logits * y, axis=1))


def recurrent(p, xs):
    h = np.zeros_like(p["b"])
    for t in range(len(xs)):
        h = np.tanh(xs[t] @ p["Wx"] + h @ p["Wh"] + p["b"])
    return np.sum(h * h)


class Model(NamedTuple):
    """A loss, its parameters, and two sets of data.

    lines: how many its printed program has at most, helpers included
    """

    title: str
    loss: Any
    parameters: Any
    data: tuple[Any, ...]
    other: tuple[Any, ...]
    lines: int


def drawn(*shapes: Any) -> list[Any]:
    return [RNG.normal(size=shape) for shape in shapes]


def drawings() -> tuple[Any, Any]:
    x = RNG.random((24, 28, 28)) * (RNG.random((24, 28, 28)) < 0.3)
    return x, RNG.integers(0, 2, (24, 1)).astype(float)


def rows() -> tuple[Any, Any]:
    return drawn((7, 4))[0], np.eye(2)[RNG.integers(0, 2, 7)]


def named(names: str, *shapes: Any) -> dict[str, Any]:
    return dict(zip(names.split(), drawn(*shapes), strict=True))


MODELS = {
    "article": Model(
        "The article's model", article, Parameters(*drawn((3, 3), (1, 1), (1, 196), (1, 1))), drawings(), drawings(), 65
    ),
    "cnn": Model(
        "A network of two convolutions", cnn, named("W1 b1 W2 b2 W3", (4, 1, 3, 3), 4, (8, 4, 3, 3), 8, (200, 1)),
        tuple(drawn((16, 1, 14, 14), (16, 1))), tuple(drawn((16, 1, 14, 14), (16, 1))), 90,
    ),
    "batch norm": Model(
        "Two layers with batch normalisation", batch_norm, named("W1 gamma beta W2", (4, 5), 5, 5, (5, 2)),
        rows(), rows(), 45,
    ),
    "recurrent": Model(
        "A recurrent network", recurrent, named("Wx Wh b", (4, 5), (5, 5), 5),
        tuple(drawn((20, 4))), tuple(drawn((20, 4))), 45,
    ),
}  # fmt: skip


def program_of(model: Model) -> tg.Program:
    return tg.program(tg.value_and_grad(model.loss))(model.parameters, *model.data)


TEXT = '''# Programs

A function of arrays, its gradient included, is a sequence of NumPy operations. `tg.program` writes them out, and `tg.compile`
runs them without the engine:

    program = tg.program(tg.value_and_grad(loss))(p, x, y)     # traced with these shapes and dtypes
    print(program)                                             # a module of NumPy
    program.save("step.py")                                    # defines step(p, x, y), and imports NumPy only
    step = tg.compile(tg.value_and_grad(loss))                 # the same, run fast
    value, gradient = step(p, x, y)

The printed program has the names of the variables of your code; `dL_dconv` is the derivative of the loss with respect to
`conv`. `program.source(lines=True)` adds to each line which line of your code it is from. `tinygrad-cnn program` prints that of
the article's gradient, and with `--beside` each of its steps next to the hand-derived one.

## What can be a program

Everything that the engine takes: derivatives of any order, assignment and views, optimisers, whole loops of training steps. A
program has to be right for all values of its arguments, so that what depends on them in Python raises `tg.TracingError`, with
the line and with what to write instead: a branch on a value, `float(x)`, `np.asarray(x)`, `x[mask]`, whose size is unknown.

- **Shapes and dtypes** are those that it was traced with. `tg.compile` makes a program for each combination that it is called
  with, and keeps the sixteen used last. Arguments that are no arrays or numbers, such as a string, choose a program too.
- **Numbers** that are arguments are inputs: another learning rate is no other program.
- **Arrays that the function closes over** are read at each call. One that cannot be written to (`x.flags.writeable = False`)
  and is no view is a constant, and what depends on constants alone is computed once.
- **Numbers that it closes over** are constants. `tg.compile` notices if one of them has changed, and makes a new program.
- **Random numbers and other hidden state** are found, because a function is traced twice: draw the numbers first, and pass them.
- **What it returns** is yours: arrays that the next call does not write to. Several threads may call one compiled function.
- An exception that a function raises depending on values, such as that of `np.average` for weights whose sum is 0, is no part
  of a program.

`tg.compile(f, verify=True)` compares each call with `f`.

## Examples

Each is printed by `tg.program(tg.value_and_grad(loss))`, and equals the engine's result to the last bit.
'''


def page() -> str:
    """The page."""
    import inspect

    parts = [TEXT]
    for model in MODELS.values():
        parts.append(f"### {model.title}\n")
        if model.loss is not article:
            parts.append(f"```python\n{inspect.getsource(model.loss)}```\n")
        parts.append(f"```python\n{program_of(model)}```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
