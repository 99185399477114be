"""What many devices would gain: measured steps and communication, and a cost model to 1,024 devices.

    pip install -e '.[bench]'
    python benchmarks/scaling.py
    python benchmarks/scaling.py --bandwidth 25e9 --latency 5e-6

Measured, here, on one device: the time of a step (the loss and its gradient, in float32) by `tg.compile`, and by JAX
with the whole batch and with an eighth of it. The difference of these two is what devices divide among them; the rest
is the same on each. Read from the program that XLA compiles for 8 devices: the bytes that they reduce.

Modelled: a ring all-reduce among n devices, 2 (n - 1) / n * bytes / bandwidth + 2 (n - 1) * latency, which begins when
the gradient is computed and overlaps with nothing. Each device is as fast as this one. The default is Ethernet of
10 Gbit/s with 50 microseconds a message; the second command is for a fast interconnect. Neither was measured.

Strong scaling divides this batch among the devices: the table has how many times as fast a step is. Weak scaling gives
each device such a batch: the table has the share of the time in which a device computes.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import time
from typing import Any, NamedTuple

DEVICES = 8
os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={DEVICES}"  # before JAX begins

import jax  # noqa: E402
import numpy as np  # noqa: E402
from jax.sharding import Mesh, NamedSharding, PartitionSpec  # noqa: E402
from results import save  # noqa: E402

import tinygrad_cnn as tg  # noqa: E402
from tinygrad_cnn import nn  # noqa: E402

COUNTS = (2, 8, 64, 256, 1024)
ITEM = {"f32": 4, "f64": 8, "s32": 4, "pred": 1}  # bytes
COLLECTIVE = re.compile(
    r" = (.*?) (all-reduce|all-gather|all-to-all|reduce-scatter|collective-permute)(?:-start)?\(", re.MULTILINE
)

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--bandwidth", type=float, default=1.25e9, help="bytes a second, to and from each device")
parser.add_argument("--latency", type=float, default=50e-6, help="seconds for a message")
parser.add_argument("--steps", type=int, default=7, help="how many are timed")


def mlp(*widths: int) -> list[Any]:
    layers: list[Any] = [nn.Flatten()]
    for width in widths:
        layers += [nn.Linear(None, width), nn.relu]
    return [*layers, nn.Linear(None, 10)]


MODELS = {  # layers, and the batch
    "the article's model": (
        [nn.Conv2d(1, 1, 3, padding=1), nn.relu, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(None, 1)], 24,
    ),
    "LeNet": (
        [nn.Conv2d(1, 6, 5, padding=2), nn.relu, nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.relu, nn.MaxPool2d(2),
         nn.Flatten(), nn.Linear(None, 120), nn.relu, nn.Linear(None, 84), nn.relu, nn.Linear(None, 10)], 1024,
    ),
    "MLP of a million": (mlp(900, 300), 1024),
    "MLP of ten million": (mlp(2700, 2800), 1024),
}  # fmt: skip


class Measured(NamedTuple):
    """A model, a batch, and their step."""

    parameters: int
    batch: int
    own: float  # seconds a step, by tg.compile on no device of JAX's
    whole: float  # seconds a step, by JAX on one
    fixed: float  # of these, what devices do not divide
    reduced: int  # bytes
    collectives: dict[str, int]  # how many of each kind

    def communication(self, devices: int, bandwidth: float, latency: float) -> float:
        """Seconds for a ring all-reduce."""
        return 2 * (devices - 1) / devices * self.reduced / bandwidth + 2 * (devices - 1) * latency

    def strong(self, devices: int, *link: float) -> float:
        """How many times as fast a step of the same batch is."""
        return self.whole / (self.fixed + (self.whole - self.fixed) / devices + self.communication(devices, *link))

    def weak(self, devices: int, *link: float) -> float:
        """The share of the time in which a device computes, with a batch of its own."""
        return self.whole / (self.whole + self.communication(devices, *link))


def loss(model: Any, x: Any, y: Any) -> Any:
    logits = model(x)
    if logits.shape[1] == 1:
        return nn.binary_cross_entropy_with_logits(logits[:, 0], y.astype(np.float32))
    return nn.softmax_cross_entropy(logits, y)


def measured(layers: list[Any], batch: int, steps: int) -> Measured:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, 1, 28, 28)).astype(np.float32)
    model = nn.Sequential(*layers).init(rng, x[:1])
    y = rng.integers(0, 2, batch).astype(np.int32)
    whole, part = [seconds(model, x[:size], y[:size], steps) for size in (batch, batch // DEVICES)]
    fixed = max(0.0, (DEVICES * part - whole) / (DEVICES - 1))  # of a time that is linear in the batch
    own = tg.compile(tg.value_and_grad(loss))
    text = compiled_for_devices(model, x, y)
    kinds = [kind for _, kind in COLLECTIVE.findall(text)]
    reduced = sum(size(result) for result, kind in COLLECTIVE.findall(text))
    parameters = sum(np.size(leaf) for leaf in tg.tree.flatten(model).leaves)
    counts = {kind: kinds.count(kind) for kind in sorted({*kinds})}
    return Measured(parameters, batch, timed(own, model, x, y, steps), whole, min(fixed, whole), reduced, counts)


def seconds(model: Any, x: Any, y: Any, steps: int) -> float:
    """For a step by JAX on one device."""
    step = jax.jit(tg.to_jax(tg.value_and_grad(loss))(model, x, y))
    return timed(step, *jax.device_put((model, x, y)), steps)  # where they are after the first step


def timed(step: Any, model: Any, x: Any, y: Any, steps: int) -> float:
    """The median of steps, after two that compile and warm up."""
    times = []
    for _ in range(steps + 2):
        began = time.perf_counter()
        jax.block_until_ready(step(model, x, y))
        times.append(time.perf_counter() - began)
    return statistics.median(times[2:])


def compiled_for_devices(model: Any, x: Any, y: Any) -> str:
    """The program that XLA compiles if the batch is divided, as text."""
    mesh = Mesh(np.array(jax.devices()), ("batch",))
    everywhere, divided = NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec("batch"))
    program = jax.jit(
        tg.to_jax(tg.value_and_grad(loss))(model, x, y),
        in_shardings=(everywhere, divided, divided), out_shardings=everywhere,
    )  # fmt: skip
    return str(program.lower(model, x, y).compile().as_text())


def size(result: str) -> int:
    """The bytes of an array or a tuple of arrays, as XLA prints its type."""
    shapes = re.findall(r"(\w+)\[([\d,]*)\]", result)
    return sum(ITEM[dtype] * int(np.prod([int(n) for n in shape.split(",") if n])) for dtype, shape in shapes)


def main() -> None:
    arguments = parser.parse_args()
    link = arguments.bandwidth, arguments.latency
    found = {name: measured(layers, batch, arguments.steps) for name, (layers, batch) in MODELS.items()}
    header = ["", "parameters", "batch", "own, ms", "JAX, ms", "MB reduced", "scaling", *map(str, COUNTS)]
    rows = []
    for name, of in found.items():
        start = [
            name,
            f"{of.parameters:,}",
            of.batch,
            f"{1e3 * of.own:.2f}",
            f"{1e3 * of.whole:.2f}",
            f"{of.reduced / 1e6:.3f}",
        ]
        times = [f"{of.strong(n, *link):.2f}" if of.batch % n == 0 else "" for n in COUNTS]
        rows.append([*start, "strong, times as fast", *times])
        rows.append(["", "", "", "", "", "", "weak, share computing", *[f"{of.weak(n, *link):.0%}" for n in COUNTS]])
    save("scaling", header, rows, bandwidth=arguments.bandwidth, latency=arguments.latency)
    print("\nTwo devices gain where they take less than the faster of the two ways on one:\n")
    for name, of in found.items():
        two, one = of.whole / of.strong(2, *link), min(of.own, of.whole)
        kinds = ", ".join(f"{count} {kind}" for kind, count in of.collectives.items())
        print(
            f"{name}: {1e3 * two:.2f} ms against {1e3 * one:.2f} ms: they {'gain' if two < one else 'lose'}; "
            f"{1e3 * of.communication(2, *link):.2f} ms are the communication ({kinds}, {of.reduced:,} bytes)"
        )


if __name__ == "__main__":
    main()
