"""How fast a program written for JAX is: `tg.to_jax` under `jax.jit`, against `tg.compile` and PyTorch.

On the processor, and on a GPU where JAX finds one; where there is none, it says so. The contestants take turns.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import tinygrad_cnn as tg

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--rounds", type=int, default=20)
arguments = parser.parse_args()
RNG = np.random.default_rng(0)


def cnn(p: dict[str, Any], x: Any, y: Any) -> Any:
    h = tg.max_pool2d(tg.relu(tg.conv2d(x, p["W1"], padding=1)), 2)
    h = tg.max_pool2d(tg.relu(tg.conv2d(h, p["W2"], padding=1)), 2)
    return np.mean((h.reshape(len(x), -1) @ p["W3"] - y) ** 2)


def in_torch(p: dict[str, Any], x: Any, y: Any) -> Callable[[], Any]:
    import torch
    from torch.nn.functional import conv2d, max_pool2d, relu

    q = {name: torch.tensor(value, requires_grad=True) for name, value in p.items()}
    x, y = torch.tensor(x), torch.tensor(y)

    def step() -> Any:
        h = max_pool2d(relu(conv2d(x, q["W1"], padding=1)), 2)
        h = max_pool2d(relu(conv2d(h, q["W2"], padding=1)), 2)
        loss = ((h.reshape(len(x), -1) @ q["W3"] - y) ** 2).mean()
        return loss, torch.autograd.grad(loss, list(q.values()))

    return step


def in_jax(step: Any, device: Any, *args: Any) -> Callable[[], Any]:
    given = jax.device_put(args, device)
    jitted = jax.jit(step)
    return lambda: jax.block_until_ready(jitted(*given))


def main() -> None:
    shapes = {"W1": (8, 1, 3, 3), "W2": (16, 8, 3, 3), "W3": (784, 1)}
    p = {name: RNG.normal(size=shape).astype(np.float32) * 0.1 for name, shape in shapes.items()}
    x, y = (RNG.normal(size=(arguments.batch, *s)).astype(np.float32) for s in ((1, 28, 28), (1,)))
    function = tg.value_and_grad(cnn)
    compiled, step = tg.compile(function), tg.to_jax(function)(p, x, y)
    contestants = {
        "tg.compile": lambda: compiled(p, x, y),
        "tg.to_jax, processor": in_jax(step, jax.devices("cpu")[0], p, x, y),
    }
    try:
        contestants["tg.to_jax, GPU"] = in_jax(step, jax.devices("gpu")[0], p, x, y)
    except RuntimeError:
        print("no GPU is found: it is not measured")
    try:
        contestants["PyTorch, eager"] = in_torch(p, x, y)
    except ImportError:
        print("PyTorch is not installed: it is not measured")
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values():
        run()
    for _ in range(arguments.rounds):
        for name, run in contestants.items():
            begin = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - begin)
    print(f"value and gradient of a CNN, float32, {arguments.batch} images: ms a step, median of {arguments.rounds}")
    for name, found in times.items():
        print(f"{name:<22} {1e3 * np.median(found):8.2f}")


if __name__ == "__main__":
    main()
