"""Write the examples of docs/programs.md, in both languages: four programs, printed.

From the root of the project: python docs/programs.py
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.beside import as_markdown
from tinygrad_cnn.circle_square.gradient_program import beside_hand_derived
from tinygrad_cnn.circle_square.gradient_program import loss as article
from tinygrad_cnn.circle_square.model import Parameters

PAGE, KOREAN = (Path(__file__).parent / name for name in ("programs.md", "ko/programs.md"))
CODE = re.compile(r"^```(?:python|javascript)\n.*?^```$", re.MULTILINE | re.DOTALL)
RNG = np.random.default_rng(0)


def cnn(p, x, y):  # noqa: D103 (it is shown as it is)
    h = tg.relu(tg.conv2d(x, p["W1"], p["b1"], padding=1))  # (batch, 4, 14, 14)
    h = tg.max_pool2d(h, 2)  # (batch, 4, 7, 7)
    h = tg.relu(tg.conv2d(h, p["W2"], p["b2"]))  # (batch, 8, 5, 5)
    logits = h.reshape(len(x), -1) @ p["W3"]  # (batch, 1)
    return np.mean(tg.binary_cross_entropy_with_logits(logits, y))


def batch_norm(p, x, y):  # noqa: D103 (it is shown as it is)
    h = x @ p["W1"]  # (batch, 5)
    mean = np.mean(h, axis=0)
    var = np.var(h, axis=0)
    normalised = (h - mean) / np.sqrt(var + 1e-5) * p["gamma"] + p["beta"]
    logits = np.maximum(0, normalised) @ p["W2"]  # (batch, 2)
    return np.mean(np.logaddexp.reduce(logits, axis=1) - np.sum(logits * y, axis=1))


def recurrent(p, xs):  # noqa: D103 (it is shown as it is)
    h = np.zeros_like(p["b"])
    for t in range(len(xs)):
        h = np.tanh(xs[t] @ p["Wx"] + h @ p["Wh"] + p["b"])
    return np.sum(h * h)


def logistic(p, x, y):  # noqa: D103 (it is shown as it is)
    z = x @ p["w"] + p["b"]  # (batch,)
    return np.mean(np.logaddexp(0, z) - y * z)


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
    """Random arrays of these shapes."""
    return [RNG.normal(size=shape) for shape in shapes]


def drawings() -> tuple[Any, Any]:
    """Images and their classes."""
    x = RNG.random((24, 28, 28)) * (RNG.random((24, 28, 28)) < 0.3)
    return x, RNG.integers(0, 2, (24, 1)).astype(float)


def rows() -> tuple[Any, Any]:
    """Rows of four numbers and their classes."""
    return drawn((7, 4))[0], np.eye(2)[RNG.integers(0, 2, 7)]


def named(names: str, *shapes: Any) -> dict[str, Any]:
    """Random parameters of these names and shapes."""
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
    """The program of the loss of a model and its gradient."""
    return tg.program(tg.value_and_grad(model.loss))(model.parameters, *model.data)


EXAMPLES = "## Examples\n"


def page() -> str:
    """The page, with the examples as they are now."""
    preface = PAGE.read_text(encoding="utf-8").split(EXAMPLES)[0]
    how = "Each is printed by `tg.program(tg.value_and_grad(loss))`, and equals the engine's result to rounding.\n"
    parts = [preface + EXAMPLES, how]
    for model in MODELS.values():
        parts.append(f"### {model.title}\n")
        if model.loss is not article:
            parts.append(f"```python\n{inspect.getsource(model.loss)}```\n")
        parts.append(f"```python\n{program_of(model)}```\n")
        if model.loss is article:
            parts.append("### The article's gradient, beside the hand-derived one\n")
            parts.append("`tinygrad-cnn program --beside` prints this; with `--html FILE`, it is a page.\n")
            parts.append(as_markdown(beside_hand_derived(program_of(model))))
    parts.append("### A program as JavaScript\n")
    parts.append(f"```python\n{inspect.getsource(logistic)}```\n")
    parts.append('`tg.program(tg.value_and_grad(loss))(p, x, y).source(to="js")`:\n')
    parts.append(f"```javascript\n{of_regression('js')}```\n")
    parts.append("### The same program as jax.numpy\n")
    parts.append('`tg.program(tg.value_and_grad(loss))(p, x, y).source(to="jax")`:\n')
    parts.append(f"```python\n{of_regression('jax')}```\n")
    return "\n".join(parts)


def of_regression(to: str) -> str:
    """The program of a logistic regression, for a target."""
    p, x, y = named("w b", 4, ()), *drawn((8, 4), (8,))
    return tg.program(tg.value_and_grad(logistic))(p, x, y).source(to=to)


def korean_page() -> str:
    """The Korean page, with the code of the English one."""
    blocks = iter(CODE.findall(page()))
    return CODE.sub(lambda _: next(blocks), KOREAN.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    KOREAN.write_text(korean_page(), encoding="utf-8")
