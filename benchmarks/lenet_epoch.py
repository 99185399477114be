"""An epoch of LeNet on 60,000 images of 28 x 28, and the memory of a step, beside PyTorch, JAX and MyGrad.

    pip install -e '.[bench]'
    python benchmarks/lenet_epoch.py

float32, batches of 128 of random images, in an order that is drawn; cross-entropy, and gradient descent. All begin with
the same weights, and have to give the same loss and the same new weights before anything is timed. Then they take turns
in blocks of steps, in a new order each round, with a rest before each block; all get the same number of threads
(--threads, 2 by default). An epoch is 469 times the median step, which includes picking the batch. Ratios are the
median within rounds.

Memory is the peak resident size of a process of its own in which a contestant takes three steps. To leave out what
libraries and compilers take, it is that with a batch of 1,152 less that with one of 128, per 128 images.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--rounds", type=int, default=20)
parser.add_argument("--images", type=int, default=60_000)
parser.add_argument(
    "--peak", nargs=2, metavar=("NAME", "BATCH"), help="print the peak memory of one contestant, and end"
)
arguments = parser.parse_args()

for name in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{name}_NUM_THREADS"] = str(arguments.threads)
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=" + ("true" if arguments.threads > 1 else "false")
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])

import numpy as np  # noqa: E402  (after the number of threads is set)
from results import save  # noqa: E402

import tinygrad_cnn as tg  # noqa: E402
from tinygrad_cnn import nn  # noqa: E402

BATCH, RATE = 128, 0.01
Arrays = list[Any]
Step = Callable[[Any, Any], tuple[float, Callable[[], Arrays]]]  # of a batch: its loss; and a way to get the weights

MODEL = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding=2), nn.relu, nn.MaxPool2d(2),  # (batch, 6, 14, 14)
    nn.Conv2d(6, 16, 5), nn.relu, nn.MaxPool2d(2),  # (batch, 16, 5, 5)
    nn.Flatten(), nn.Linear(None, 120), nn.relu, nn.Linear(None, 84), nn.relu, nn.Linear(None, 10),
).init(np.random.default_rng(0), np.zeros((1, 1, 28, 28), np.float32))  # fmt: skip
WEIGHTS: Arrays = tg.tree.flatten(MODEL).leaves  # of each layer the weight and the bias


def ours(run: Callable[[Any], Any]) -> Step:
    def loss(model: Any, x: Any, y: Any) -> Any:
        return nn.softmax_cross_entropy(model(x), y)

    optimiser = nn.SGD(RATE)
    model, state = MODEL, optimiser.init(MODEL)

    @run
    def whole_step(model: Any, state: Any, x: Any, y: Any) -> Any:
        value, gradient = tg.value_and_grad(loss)(model, x, y)
        return value, *optimiser.update(model, gradient, state)

    def step(x: Any, y: Any) -> tuple[float, Callable[[], Arrays]]:
        nonlocal model, state
        value, model, state = whole_step(model, state, x, y)
        return float(value), lambda: tg.tree.flatten(model).leaves

    return step


def pytorch() -> Step:
    import torch

    torch.set_num_threads(arguments.threads)
    layers = torch.nn
    model = layers.Sequential(
        layers.Conv2d(1, 6, 5, padding=2), layers.ReLU(), layers.MaxPool2d(2),
        layers.Conv2d(6, 16, 5), layers.ReLU(), layers.MaxPool2d(2),
        layers.Flatten(), layers.Linear(400, 120), layers.ReLU(), layers.Linear(120, 84), layers.ReLU(),
        layers.Linear(84, 10),
    )  # fmt: skip
    for parameter, weight in zip(model.parameters(), WEIGHTS, strict=True):
        parameter.data = torch.tensor(weight)
    optimiser = torch.optim.SGD(model.parameters(), lr=RATE)

    def step(x: Any, y: Any) -> tuple[float, Callable[[], Arrays]]:
        value = torch.nn.functional.cross_entropy(model(torch.from_numpy(x)), torch.from_numpy(y))
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        return value.item(), lambda: [p.detach().numpy() for p in model.parameters()]

    return step


def jax_jit() -> Step:
    import jax
    import jax.numpy as jnp

    def pooled(h: Any) -> Any:
        return jax.lax.reduce_window(h, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

    def loss(p: Arrays, x: Any, y: Any) -> Any:
        h = x
        for weight, bias, padding in ((p[0], p[1], "SAME"), (p[2], p[3], "VALID")):
            h = jax.lax.conv_general_dilated(h, weight, (1, 1), padding) + bias[:, None, None]
            h = pooled(jax.nn.relu(h))
        h = h.reshape(len(x), -1)
        h = jax.nn.relu(h @ p[4].T + p[5])
        h = jax.nn.relu(h @ p[6].T + p[7])
        return -jnp.mean(jax.nn.log_softmax(h @ p[8].T + p[9])[jnp.arange(len(y)), y])

    @jax.jit
    def whole_step(p: Arrays, x: Any, y: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(p, x, y)
        return value, [a - RATE * g for a, g in zip(p, gradient, strict=True)]

    p = [jnp.array(weight) for weight in WEIGHTS]

    def step(x: Any, y: Any) -> tuple[float, Callable[[], Arrays]]:
        nonlocal p
        value, p = whole_step(p, x, y)
        return float(value), lambda: [np.asarray(weight) for weight in p]

    return step


def mygrad() -> Step:
    import mygrad as mg
    from mygrad.nnet.activations import relu
    from mygrad.nnet.layers import conv_nd, max_pool
    from mygrad.nnet.losses import softmax_crossentropy

    p = [mg.tensor(weight) for weight in WEIGHTS]

    def step(x: Any, y: Any) -> tuple[float, Callable[[], Arrays]]:
        h = mg.tensor(x, constant=True)
        for weight, bias, padding in ((p[0], p[1], 2), (p[2], p[3], 0)):
            h = conv_nd(h, weight, stride=1, padding=padding) + bias.reshape(1, -1, 1, 1)
            h = max_pool(relu(h), pool=(2, 2), stride=2)
        h = h.reshape(len(x), -1)
        h = relu(h @ p[4].T + p[5])
        h = relu(h @ p[6].T + p[7])
        value = softmax_crossentropy(h @ p[8].T + p[9], y)
        value.backward()
        p[:] = [mg.tensor(weight.data - np.float32(RATE) * weight.grad) for weight in p]
        return float(value.data), lambda: [weight.data for weight in p]

    return step


CONTESTANTS: dict[str, Callable[[], Step]] = {
    "tinygrad_cnn, C": lambda: ours(lambda f: tg.compile(f, backend="c")),
    "tinygrad_cnn, planned NumPy": lambda: ours(lambda f: tg.compile(f, backend="numpy")),
    "tinygrad_cnn, eager": lambda: ours(lambda f: f),
    "JAX, jit": jax_jit,
    "PyTorch, eager": pytorch,
    "MyGrad": mygrad,
}


def images(count: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.random((count, 1, 28, 28), np.float32), rng.integers(0, 10, count)


def prepared(x: Any, y: Any) -> dict[str, Step]:
    """The steps of all that are installed, each of which was checked to do the same as the first."""
    steps: dict[str, Step] = {}
    expected: tuple[float, Arrays] | None = None
    for name, make in CONTESTANTS.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                step = make()
                loss, weights = step(x, y)
        except (ImportError, RuntimeError) as error:  # RuntimeError: there is no C compiler
            print(f"{name}: left out ({error})", file=sys.stderr)
            continue
        if expected is None:
            expected = (loss, weights())
        np.testing.assert_allclose(loss, expected[0], rtol=1e-5, err_msg=name)
        for before, found, wanted in zip(WEIGHTS, weights(), expected[1], strict=True):
            moved = np.abs(wanted - before).max()
            np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-3 * moved + 1e-7, err_msg=name)
        steps[name] = step
    return steps


def timed(steps: dict[str, Step], x: Any, y: Any) -> dict[str, list[float]]:
    """Seconds for a step with the picking of its batch, for each block of each contestant."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    rng = np.random.default_rng(1)
    for _ in range(arguments.rounds):
        for name in rng.permutation(list(steps)):
            step, count = steps[name], 1 if name == "MyGrad" else 8
            chosen = rng.integers(0, len(x), (count + 1, BATCH))
            time.sleep(0.05)
            step(x[chosen[-1]], y[chosen[-1]])
            began = time.perf_counter()
            for batch in chosen[:-1]:
                step(x[batch], y[batch])
            seconds[name].append((time.perf_counter() - began) / count)
    return seconds


def print_peak(name: str, batch: int) -> None:
    """Print the peak resident size of this process after three steps, in bytes, as JSON."""
    x, y = images(batch)
    step = CONTESTANTS[name]()
    for _ in range(3):
        step(x, y)
    lines = Path("/proc/self/status").read_text().splitlines()
    print(json.dumps(1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))))


def memory(name: str) -> float:
    """Bytes for a batch of 128."""
    peaks = []
    for batch in (BATCH, 9 * BATCH):
        command = [sys.executable, __file__, "--threads", str(arguments.threads), "--peak", name, str(batch)]
        peaks.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    return (peaks[1] - peaks[0]) / 8


def main() -> None:
    x, y = images(arguments.images)
    steps = prepared(x[:BATCH], y[:BATCH])
    seconds = timed(steps, x, y)
    del x
    first = seconds[next(iter(seconds))]
    batches = math.ceil(arguments.images / BATCH)
    rows = []
    for name, values in seconds.items():
        low, middle, high = np.quantile(np.array(values) / first, [0.25, 0.5, 0.75])
        megabytes = f"{memory(name) / 1e6:.1f}" if Path("/proc/self/status").exists() else ""
        rows.append([
            name, f"{batches * np.median(values):.1f}", f"{1e3 * np.median(values):.2f}", f"{middle:.2f}",
            f"{low:.2f} to {high:.2f}", megabytes,
        ])  # fmt: skip
    header = ["", "s per epoch", "ms per step", "relative", "middle half of the rounds", "MB per step"]
    save("lenet_epoch", header, rows, threads=arguments.threads, rounds=arguments.rounds, images=arguments.images)


if __name__ == "__main__":
    if arguments.peak:
        print_peak(arguments.peak[0], int(arguments.peak[1]))
    else:
        main()
