"""How the time of a step grows: with the batch, the size of images, the channels and the depth of a network.

For each, the time per step and per unit of work, and the local exponent: 1 where twice the work takes twice the time.
A step is the value and gradient of a network of convolutions (3 x 3, relu; the mean of squares at the end). The
speed is set beside that of a large matrix product on this machine, and memory traffic (each value and each cotangent is
written and read once, about) beside the bandwidth of a large copy. Contestants take turns; the least of --rounds.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from results import save

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument(
    "--seconds", type=float, default=20.0, help="for one contestant on one curve; larger steps are left out"
)
parser.add_argument("--only", default="", help="one of batch, size, channels, depth")
parser.add_argument("--without", nargs="*", default=[], help="contestants to leave out")
arguments = parser.parse_args()

for name in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{name}_NUM_THREADS"] = str(arguments.threads)
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=" + ("true" if arguments.threads > 1 else "false")

import numpy as np  # noqa: E402  (after the number of threads is set)

import tinygrad_cnn as tg  # noqa: E402

RNG = np.random.default_rng(0)
Step = Callable[[], Any]
# (batch, size, channels, depth)
CURVES: dict[str, list[tuple[int, int, int, int]]] = {
    "batch": [(n, 8, 8, 2) for n in (1, 4, 16, 64, 256, 1024, 4096)],
    "size": [(4, n, 8, 2) for n in (28, 56, 112, 224)],
    "channels": [(16, 28, n, 2) for n in (1, 2, 4, 8, 16, 32, 64)],
    "depth": [(16, 14, 8, n) for n in (2, 5, 10, 20, 50)],
}
PLACE = {"batch": 0, "size": 1, "channels": 2, "depth": 3}
POWER = {"batch": 1, "size": 2, "channels": 2, "depth": 1}  # how the work grows


class Network:
    """Convolutions of as many channels as the images have."""

    def __init__(self, batch: int, size: int, channels: int, depth: int) -> None:
        self.x = RNG.normal(size=(batch, channels, size, size)).astype(np.float32)
        scale = 1 / math.sqrt(9 * channels)
        shape = (channels, channels, 3, 3)
        self.p = [(RNG.normal(size=shape) * scale).astype(np.float32) for _ in range(depth)]
        self.flops = 2.0 * 9 * channels * self.x.size * (3 * depth - 1)
        self.bytes = 4.0 * self.x.size * depth * 8  # of a convolution and of a relu: values, cotangents, both ways

    @staticmethod
    def loss(p: Any, x: Any) -> Any:
        for weight in p:
            x = tg.relu(tg.conv2d(x, weight, padding=1))
        return np.mean(x * x)

    @staticmethod
    def torch_loss(p: Any, x: Any) -> Any:
        import torch.nn.functional as f

        for weight in p:
            x = f.relu(f.conv2d(x, weight, padding=1))
        return (x * x).mean()

    @staticmethod
    def jax_loss(p: Any, x: Any) -> Any:
        import jax
        import jax.numpy as jnp

        for weight in p:
            x = jnp.maximum(jax.lax.conv_general_dilated(x, weight, (1, 1), "SAME"), 0)
        return (x * x).mean()


def eager(net: Network) -> Step:
    step = tg.value_and_grad(net.loss)
    return lambda: step(net.p, net.x)


def planned(net: Network) -> Step:
    step = tg.compile(tg.value_and_grad(net.loss), backend="numpy")
    return lambda: step(net.p, net.x)


def in_c(net: Network) -> Step:
    step = tg.compile(tg.value_and_grad(net.loss), backend="c")
    return lambda: step(net.p, net.x)


def torch_eager(net: Network) -> Step:
    import torch

    torch.set_num_threads(arguments.threads)
    p, x = [torch.tensor(weight, requires_grad=True) for weight in net.p], torch.from_numpy(net.x)
    return lambda: torch.autograd.grad(net.torch_loss(p, x), p)


def jax_jit(net: Network) -> Step:
    import jax

    step = jax.jit(jax.value_and_grad(net.jax_loss))
    p, x = jax.device_put((net.p, net.x))
    return lambda: jax.block_until_ready(step(p, x))


CONTESTANTS: dict[str, Callable[[Network], Step]] = {
    "eager": eager, "planned NumPy": planned, "C": in_c, "PyTorch, eager": torch_eager, "JAX, jit": jax_jit,
}  # fmt: skip


def seconds(step: Step, least: float = 0.02) -> float:
    """The time of a step, from so many of them that they take a while."""
    count = 1
    while True:
        began = time.perf_counter()
        for _ in range(count):
            step()
        took = time.perf_counter() - began
        if took >= least or count >= 1024:
            return took / count
        count *= 4


def machine() -> tuple[float, float]:
    """Floating-point operations a second of a large product of float32, and bytes a second of a large copy."""
    a = RNG.normal(size=(1024, 1024)).astype(np.float32)
    x, y = np.ones(2**24, np.float32), np.zeros(2**24, np.float32)
    products = min(seconds(lambda: a @ a) for _ in range(5))
    copies = min(seconds(lambda: np.copyto(y, x)) for _ in range(5))
    return 2 * 1024**3 / products, 2 * x.nbytes / copies


def curve(axis: str) -> Iterator[tuple[str, int, float, Network]]:
    """For each contestant and each size of a problem: the time of a step."""
    spent = dict.fromkeys(CONTESTANTS, 0.0)
    for sizes in CURVES[axis]:
        net = Network(*sizes)
        for name, make in CONTESTANTS.items():
            if name in arguments.without or spent[name] > arguments.seconds:
                continue
            began = time.perf_counter()
            try:
                step = make(net)
                step()
            except (ImportError, RuntimeError) as error:
                print(f"{name}: left out ({error})")
                arguments.without.append(name)
                continue
            yield name, sizes[PLACE[axis]], min(seconds(step) for _ in range(arguments.rounds)), net
            spent[name] += time.perf_counter() - began


def main() -> None:
    product, copy = machine()
    rows: list[list[str]] = []
    for axis in CURVES:
        if arguments.only not in axis:
            continue
        before: dict[str, tuple[int, float]] = {}
        for name, n, took, net in curve(axis):
            exponent = ""
            if name in before:
                m, earlier = before[name]
                exponent = f"{math.log(took / earlier) / (POWER[axis] * math.log(n / m)):.2f}"
            before[name] = (n, took)
            elements = net.x.size * len(net.p)
            rows.append([
                f"{axis} {n:,}", name, f"{1e3 * took:.3f}", f"{1e9 * took / elements:.2f}", exponent,
                f"{100 * net.flops / took / product:.0f}", f"{100 * net.bytes / took / copy:.0f}",
            ])  # fmt: skip
            print(rows[-1], flush=True)
    rows.sort(key=lambda row: ([*CURVES].index(row[0].split()[0]), [*CONTESTANTS].index(row[1])))
    header = ["", "with", "ms per step", "ns per element", "exponent", "% of product's speed", "% of copy's bandwidth"]
    settings = {"threads": arguments.threads, "Gflop/s": round(product / 1e9), "GB/s": round(copy / 1e9)}
    save("growth", header, rows, **settings)


if __name__ == "__main__":
    main()
