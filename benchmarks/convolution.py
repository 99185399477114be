"""How fast a convolution and its two gradients are: `tg.conv2d` and its rules, against PyTorch.

One process; the contestants take turns in a new order each round, with a rest before each, because the threads of a
matrix product keep spinning for a while and slow whoever comes next. Ratios are the median within rounds. Both get the
same number of threads (--threads, 1 by default: with more, the ratio depends on what else the machine is doing, as the
threads of a product wait for each other).
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

from results import save

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--rounds", type=int, default=15)
arguments = parser.parse_args()

for name in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{name}_NUM_THREADS"] = str(arguments.threads)

import numpy as np  # noqa: E402  (after the number of threads is set)

import tinygrad_cnn as tg  # noqa: E402

SIZES = [  # channels, batch, size, stride
    (16, 32, 28, 1), (16, 128, 28, 1), (16, 128, 14, 1), (64, 32, 28, 1), (64, 32, 14, 1), (64, 128, 14, 1),
    (16, 128, 28, 2), (64, 32, 28, 2),
]  # fmt: skip
Step = Callable[[], list[Any]]


def steps(channels: int, batch: int, size: int, stride: int, dtype: Any) -> dict[str, Step]:
    """What each contestant does: the value, and the gradients of images and filters for a cotangent."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, channels, size, size)).astype(dtype)
    weight = (rng.normal(size=(channels, channels, 3, 3)) * 0.1).astype(dtype)
    out = (size - 1) // stride + 1
    g = rng.normal(size=(batch, channels, out, out)).astype(dtype)
    g.setflags(write=False)

    def ours() -> list[Any]:
        value, pullback = tg.vjp(lambda x, weight: tg.conv2d(x, weight, stride=stride, padding=1), x, weight)
        return [value, *pullback(g)]

    found: dict[str, Step] = {"eager": ours}
    try:
        import torch
    except ImportError:
        return found
    torch.set_num_threads(arguments.threads)
    images, filters = (torch.tensor(a, requires_grad=True) for a in (x, weight))
    cotangent = torch.tensor(g)

    def theirs() -> list[Any]:
        value = torch.nn.functional.conv2d(images, filters, stride=stride, padding=1)
        return [value.detach(), *torch.autograd.grad(value, (images, filters), cotangent)]

    found["PyTorch"] = theirs
    for a, b in zip(ours(), theirs(), strict=True):
        b = np.asarray(b)
        np.testing.assert_allclose(a, b, rtol=0, atol=(1e-5 if dtype == np.float32 else 1e-12) * np.abs(b).max())
    return found


def main() -> None:
    rows = []
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        for channels, batch, size, stride in SIZES:
            contestants = steps(channels, batch, size, stride, dtype)
            seconds: dict[str, list[float]] = {name: [] for name in contestants}
            for _ in range(arguments.rounds):
                for name in rng.permutation(list(contestants)):
                    time.sleep(0.03)
                    contestants[name]()
                    began = time.perf_counter()
                    contestants[name]()
                    contestants[name]()
                    seconds[name].append((time.perf_counter() - began) / 2)
            flops = 6 * batch * channels**2 * 9 * ((size - 1) // stride + 1) ** 2
            what = f"{channels} channels, batch {batch}, {size} x {size}" + f", stride {stride}" * (stride > 1)
            middle = {name: np.median(times) for name, times in seconds.items()}
            others = [f"{1e3 * middle['PyTorch']:.1f}" if "PyTorch" in middle else ""]
            if "PyTorch" in middle:
                others.append(f"{np.median(np.array(seconds['eager']) / seconds['PyTorch']):.2f}")
            ours = middle["eager"]
            rows.append([f"{what}, {dtype.__name__}", f"{1e3 * ours:.1f}", f"{flops / ours / 1e9:.0f}", *others])
    header = ["forward and both gradients, 3 x 3", "eager, ms", "Gflop/s", "PyTorch, ms", "eager takes"]
    save("convolution", header, rows, threads=arguments.threads, rounds=arguments.rounds)


if __name__ == "__main__":
    main()
