"""How fast a compiled step is: `tg.compile`, as C and as NumPy, against the engine, JAX with jit, and PyTorch.

One process; the contestants take turns in blocks, in a new order each round, with a rest before each block, because the
threads of a matrix product keep spinning for a while and slow whoever comes next. Ratios are the median within rounds.
All get the same number of threads (--threads, 2 by default). Peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

from results import save

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--rounds", type=int, default=30)
parser.add_argument("--only", default="", help="the name of a model")
arguments = parser.parse_args()

for name in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{name}_NUM_THREADS"] = str(arguments.threads)
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=" + ("true" if arguments.threads > 1 else "false")
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])

import numpy as np  # noqa: E402  (after the number of threads is set)

import tinygrad_cnn as tg  # noqa: E402

Step = Callable[[], tuple[Any, dict[str, Any]]]  # the loss and its gradient, or the parameters after a step of Adam
RNG = np.random.default_rng(0)
RATE = 1e-3


# The article's step: batch 24, float64.


class Article:
    """conv 3 x 3, relu, max-pool, fc, sigmoid, the shifted cross-entropy."""

    steps = 40
    dtype = np.float64

    def __init__(self) -> None:
        self.x = RNG.uniform(0, 10, (24, 28, 28))
        self.y = RNG.integers(0, 2, (24, 1)).astype(float)
        self.p = {
            "Wc": RNG.normal(size=(3, 3)) * 0.1, "Bc": RNG.normal(size=(1, 1)),
            "Wf": RNG.normal(size=(1, 196)) * 0.01, "Bf": RNG.normal(size=(1, 1)),
        }  # fmt: skip

    @staticmethod
    def loss(p: dict[str, Any], x: Any, y: Any) -> Any:
        conv = tg.conv2d(x, p["Wc"], padding=1) + p["Bc"]
        max_pool = tg.max_pool2d(tg.relu(conv), 2)
        fc = p["Wf"] @ max_pool.reshape(len(x), -1).T + p["Bf"]
        shifted = tg.sigmoid(fc) + 1e-4
        return np.sum(-y.T * np.log(shifted) - (1 - y.T) * np.log(1 - shifted))

    @staticmethod
    def jax_loss(p: dict[str, Any], x: Any, y: Any) -> Any:
        import jax
        import jax.numpy as jnp

        conv = jax.lax.conv_general_dilated(x[:, None], p["Wc"][None, None], (1, 1), "SAME") + p["Bc"]
        relu = jnp.maximum(0, conv)
        pooled = jax.lax.reduce_window(relu, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        fc = p["Wf"] @ pooled.reshape(len(x), -1).T + p["Bf"]
        shifted = jax.nn.sigmoid(fc) + 1e-4
        return jnp.sum(-y.T * jnp.log(shifted) - (1 - y.T) * jnp.log(1 - shifted))

    @staticmethod
    def torch_loss(p: dict[str, Any], x: Any, y: Any) -> Any:
        import torch
        import torch.nn.functional as f

        conv = f.conv2d(x[:, None], p["Wc"][None, None], padding=1) + p["Bc"]
        fc = p["Wf"] @ f.max_pool2d(f.relu(conv), 2).reshape(len(x), -1).T + p["Bf"]
        shifted = torch.sigmoid(fc) + 1e-4
        return (-y.T * torch.log(shifted) - (1 - y.T) * torch.log(1 - shifted)).sum()


class ArticleInSinglePrecision(Article):
    """The same in float32."""

    dtype = np.float32

    def __init__(self) -> None:
        super().__init__()
        self.x, self.y = self.x.astype(np.float32), self.y.astype(np.float32)
        self.p = {name: value.astype(np.float32) for name, value in self.p.items()}


# Two convolutions, batch 128, float32.


class TwoConvolutions:
    """conv 3 x 3 to 8 channels, relu, pool, conv 3 x 3 to 16, relu, pool, linear to 10, cross-entropy."""

    steps = 2
    dtype = np.float32

    def __init__(self) -> None:
        self.x = RNG.normal(size=(128, 1, 28, 28)).astype(np.float32)
        self.y = np.eye(10, dtype=np.float32)[RNG.integers(0, 10, 128)]
        shapes = {"W1": (8, 1, 3, 3), "b1": (8,), "W2": (16, 8, 3, 3), "b2": (16,), "W3": (784, 10), "b3": (10,)}
        self.p = {name: (RNG.normal(size=shape) * 0.1).astype(np.float32) for name, shape in shapes.items()}

    @staticmethod
    def loss(p: dict[str, Any], x: Any, y: Any) -> Any:
        h = tg.max_pool2d(tg.relu(tg.conv2d(x, p["W1"], p["b1"], padding=1)), 2)
        h = tg.max_pool2d(tg.relu(tg.conv2d(h, p["W2"], p["b2"], padding=1)), 2)
        logits = h.reshape(len(x), -1) @ p["W3"] + p["b3"]
        return np.mean(np.logaddexp.reduce(logits, axis=1) - np.sum(logits * y, axis=1))

    @staticmethod
    def jax_loss(p: dict[str, Any], x: Any, y: Any) -> Any:
        import jax
        import jax.numpy as jnp

        def block(h: Any, weight: Any, bias: Any) -> Any:
            h = jax.lax.conv_general_dilated(h, weight, (1, 1), "SAME") + bias[:, None, None]
            return jax.lax.reduce_window(jnp.maximum(h, 0), -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

        h = block(block(x, p["W1"], p["b1"]), p["W2"], p["b2"])
        logits = h.reshape(len(x), -1) @ p["W3"] + p["b3"]
        return jnp.mean(jax.nn.logsumexp(logits, axis=1) - jnp.sum(logits * y, axis=1))

    @staticmethod
    def torch_loss(p: dict[str, Any], x: Any, y: Any) -> Any:
        import torch.nn.functional as f

        h = f.max_pool2d(f.relu(f.conv2d(x, p["W1"], p["b1"], padding=1)), 2)
        h = f.max_pool2d(f.relu(f.conv2d(h, p["W2"], p["b2"], padding=1)), 2)
        logits = h.reshape(len(x), -1) @ p["W3"] + p["b3"]
        return (logits.logsumexp(1) - (logits * y).sum(1)).mean()


# Two hidden layers with batch normalisation, batch 128, float64, and Adam.


class Normalised:
    """linear 64 to 128, batch norm, relu, linear to 128, batch norm, relu, linear to 10, mean squared error."""

    steps = 20
    adam = True
    dtype = np.float64

    def __init__(self) -> None:
        self.x, self.y = RNG.normal(size=(128, 64)), RNG.normal(size=(128, 10))
        self.p = {f"{name}{k}": value(128) for k in (0, 1) for name, value in (("g", np.ones), ("b", np.zeros))}
        self.p |= {f"W{k}": RNG.normal(size=shape) * 0.1 for k, shape in enumerate([(64, 128), (128, 128), (128, 10)])}

    @staticmethod
    def _loss(sqrt: Any, p: dict[str, Any], x: Any, y: Any) -> Any:
        h = x
        for k in (0, 1):
            h = h @ p[f"W{k}"]
            h = h - h.mean(0)
            h = h / sqrt((h * h).mean(0) + 1e-5) * p[f"g{k}"] + p[f"b{k}"]
            h = h * (h > 0)
        return ((h @ p["W2"] - y) ** 2).mean()

    def loss(self, p: dict[str, Any], x: Any, y: Any) -> Any:
        return self._loss(np.sqrt, p, x, y)

    def jax_loss(self, p: dict[str, Any], x: Any, y: Any) -> Any:
        import jax.numpy as jnp

        return self._loss(jnp.sqrt, p, x, y)

    def torch_loss(self, p: dict[str, Any], x: Any, y: Any) -> Any:
        import torch

        return self._loss(torch.sqrt, p, x, y)


# A recurrent network of 200 steps, batch 16, float64.


class Recurrent:
    """h = tanh(x_t Wx + h Wh + b), 32 units; the sum of squares of the last h."""

    steps = 5
    dtype = np.float64

    def __init__(self) -> None:
        self.x, self.y = RNG.normal(size=(200, 16, 8)), np.zeros((16, 32))
        shapes = {"Wx": (8, 32), "Wh": (32, 32), "b": (32,)}
        self.p = {name: RNG.normal(size=shape) * 0.1 for name, shape in shapes.items()}

    @staticmethod
    def _loss(tanh: Any, p: dict[str, Any], x: Any, h: Any) -> Any:
        for t in range(len(x)):
            h = tanh(x[t] @ p["Wx"] + h @ p["Wh"] + p["b"])
        return (h**2).sum()

    def loss(self, p: dict[str, Any], x: Any, h: Any) -> Any:
        return self._loss(np.tanh, p, x, h)

    def jax_loss(self, p: dict[str, Any], x: Any, h: Any) -> Any:
        import jax
        import jax.numpy as jnp

        h, _ = jax.lax.scan(lambda h, row: (jnp.tanh(row @ p["Wx"] + h @ p["Wh"] + p["b"]), None), h, x)
        return (h**2).sum()

    def torch_loss(self, p: dict[str, Any], x: Any, h: Any) -> Any:
        import torch

        return self._loss(torch.tanh, p, x, h)


MODELS = {
    "the article's step, float64": Article,
    "the article's step, float32": ArticleInSinglePrecision,
    "two convolutions, batch 128, float32": TwoConvolutions,
    "MLP with batch norm and Adam, batch 128, float64": Normalised,
    "RNN of 200 steps, batch 16, float64": Recurrent,
}


def adam(value_and_grad: Any, sqrt: Any, p: Any, m: Any, v: Any, t: Any, x: Any, y: Any) -> Any:
    """One step of Adam: the loss, the parameters, both moments and the number of steps."""
    value, g = value_and_grad(p, x, y)
    t = t + 1
    m = {name: 0.9 * m[name] + 0.1 * g[name] for name in p}
    v = {name: 0.999 * v[name] + 0.001 * g[name] ** 2 for name in p}
    first, second = 1 - 0.9**t, 1 - 0.999**t
    p = {name: p[name] - RATE * (m[name] / first) / (sqrt(v[name] / second) + 1e-8) for name in p}
    return value, p, m, v, t


def training(step: Any, model: Any) -> Step:
    """Calls of a step of Adam, each with what the one before made."""
    zeros = {name: np.zeros_like(value) for name, value in model.p.items()}
    state = [model.p, zeros, zeros, 0.0]

    def run() -> Any:
        value, *state[:] = step(*state, model.x, model.y)
        return value, state[0]

    return run


def ours(model: Any, compiled: Callable[[Any], Any]) -> Step:
    value_and_grad = tg.value_and_grad(model.loss)
    if getattr(model, "adam", False):
        return training(compiled(functools.partial(adam, value_and_grad, np.sqrt)), model)
    step = compiled(value_and_grad)
    return lambda: step(model.p, model.x, model.y)


def eager(model: Any) -> Step:
    return ours(model, lambda function: function)


def planned(model: Any) -> Step:
    return ours(model, functools.partial(tg.compile, backend="numpy"))


def in_c(model: Any) -> Step:
    return ours(model, functools.partial(tg.compile, backend="c"))


def jax_jit(model: Any) -> Step:
    import jax

    jax.config.update("jax_enable_x64", model.dtype == np.float64)
    value_and_grad = jax.value_and_grad(model.jax_loss)
    p, x, y = jax.device_put((model.p, model.x, model.y))
    if getattr(model, "adam", False):
        update = jax.jit(functools.partial(adam, value_and_grad, jax.numpy.sqrt))
        return training(lambda *state: jax.block_until_ready(update(*state)), model)
    step = jax.jit(value_and_grad)

    def run() -> Any:
        value, gradient = step(p, x, y)
        return value, jax.block_until_ready(gradient)

    return run


def torch_eager(model: Any) -> Step:
    import torch

    torch.set_num_threads(arguments.threads)
    p = {name: torch.tensor(value, requires_grad=True) for name, value in model.p.items()}
    x, y = torch.from_numpy(model.x), torch.from_numpy(model.y)
    optimiser = torch.optim.Adam(p.values(), RATE) if getattr(model, "adam", False) else None

    def run() -> Any:
        for value in p.values():
            value.grad = None
        loss = model.torch_loss(p, x, y)
        loss.backward()
        if optimiser is None:
            return loss.item(), {name: value.grad for name, value in p.items()}
        optimiser.step()
        return loss.item(), {name: value.detach() for name, value in p.items()}

    return run


CONTESTANTS: dict[str, Callable[[Any], Step]] = {
    "C": in_c, "planned NumPy": planned, "eager": eager, "JAX, jit": jax_jit, "PyTorch, eager": torch_eager,
}  # fmt: skip


def prepared(model: Any) -> dict[str, Step]:
    """The steps of all that are installed, each of which was checked to give at first what the first gives."""
    steps: dict[str, Step] = {}
    expected: Any = None
    for name, make in CONTESTANTS.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                step = make(model)
                value, gradient = step()
        except ImportError as error:
            print(f"{name}: left out ({error})", file=sys.stderr)
            continue
        found = {key: np.asarray(g) for key, g in gradient.items()}
        expected = expected or (float(value), found)
        tolerance = 1e-9 if model.dtype == np.float64 else 1e-3
        np.testing.assert_allclose(float(value), expected[0], rtol=tolerance, err_msg=name)
        for key, g in found.items():
            scale = np.abs(expected[1][key]).max()
            np.testing.assert_allclose(g, expected[1][key], rtol=tolerance, atol=tolerance * scale, err_msg=name)
        steps[name] = step
    return steps


def timed(steps: dict[str, Step], count: int) -> dict[str, list[float]]:
    """Seconds a step, for each block of each contestant."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    rng = np.random.default_rng(0)
    for _ in range(arguments.rounds):
        for name in rng.permutation(list(steps)):
            step = steps[name]
            time.sleep(0.05)
            for _ in range(max(count // 4, 1)):
                step()
            began = time.perf_counter()
            for _ in range(count):
                step()
            seconds[name].append((time.perf_counter() - began) / count)
    return seconds


def main() -> None:
    rows = []
    for title, make in MODELS.items():
        if arguments.only not in title:
            continue
        model = make()
        seconds = timed(prepared(model), model.steps)
        for name, blocks in seconds.items():
            takes = [f"{np.median(np.array(seconds[mine]) / blocks):.2f}" for mine in ("C", "planned NumPy")]
            rows.append([title, name, f"{1e3 * np.median(blocks):.3f}", f"{1e3 * min(blocks):.3f}", *takes])
    header = ["model", "", "ms per step", "fastest block", "C takes", "planned takes"]
    save("compiled", header, rows, threads=arguments.threads, rounds=arguments.rounds)


if __name__ == "__main__":
    main()
