"""One training step of the article's model, by this engine and by its peers, side by side in one process.

    pip install -e '.[bench]'
    python benchmarks/training_step.py

The step is the same for all: 24 drawings of 28 x 28 in float64, which arrive as a NumPy array as they do after a
shuffle; the shifted cross-entropy, its gradient for the four parameters, and one step of gradient descent. Before
anything is timed, each has to give the same loss and the same new parameters. Then they take turns, in blocks of steps
and in a new order each round, with a rest before each block in which the threads of the one before go to sleep. The
median of the blocks is printed, and how many times as long as this engine it took: the median of that ratio within each
round, for a shared machine is faster in some rounds than in others. Peers that are not installed are left out with a
word.

All libraries get the same number of threads (--threads, 2 by default). The published listing is timed where it is
found; a step of it takes so long that its 501 epochs are 501 times the median of a few.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from listing import LISTING, load
from results import save

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--blocks", type=int, default=40)
parser.add_argument("--steps", type=int, default=20, help="in a block")
parser.add_argument("--listing", type=Path, default=LISTING, help="the article's listing")
arguments = parser.parse_args()

for name in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{name}_NUM_THREADS"] = str(arguments.threads)
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])

import numpy as np  # noqa: E402  (after the number of threads is set)

import tinygrad_cnn as tg  # noqa: E402
from tinygrad_cnn.circle_square.data import Scaling, bundled  # noqa: E402
from tinygrad_cnn.circle_square.losses import binary_cross_entropy_shifted  # noqa: E402
from tinygrad_cnn.circle_square.tasks import TASKS  # noqa: E402
from tinygrad_cnn.circle_square.training import robust_start  # noqa: E402

EPSILON = 1e-4
LEARNING_RATE = 1e-6  # so small that thousands of steps stay where they began

DATA = bundled(TASKS["circle-square"])
Y = DATA.train.y  # (24, 1)
# No two pixels alike and no background at 0, for at ties and kinks the libraries differ by convention.
X = Scaling()(DATA.train.grey) + np.random.default_rng(0).uniform(0, 1e-3, DATA.train.grey.shape)  # (24, 28, 28)
START = {name: value.copy() for name, value in vars(robust_start(np.random.default_rng(0))).items()}
START["Bc"] -= 0.1
Step = Callable[[], tuple[float, dict[str, Any]]]  # takes a step; gives the loss before it and the new parameters


def ours() -> Step:
    def loss(p: dict[str, Any]) -> Any:
        conv = tg.conv2d(X, p["Wc"], padding=1) + p["Bc"]  # (24, 28, 28)
        max_pool = tg.max_pool2d(tg.relu(conv), 2)  # (24, 14, 14)
        fc = p["Wf"] @ max_pool.reshape(len(X), -1).T + p["Bf"]  # (1, 24)
        return np.sum(binary_cross_entropy_shifted(tg.sigmoid(fc), Y.T, EPSILON))

    return with_optimiser(loss)


def ours_loss_as_expression() -> Step:
    def loss(p: dict[str, Any]) -> Any:
        conv = tg.conv2d(X, p["Wc"], padding=1) + p["Bc"]
        max_pool = tg.max_pool2d(tg.relu(conv), 2)
        fc = p["Wf"] @ max_pool.reshape(len(X), -1).T + p["Bf"]
        shifted = tg.sigmoid(fc) + EPSILON
        return np.sum(-Y.T * np.log(shifted) - (1 - Y.T) * np.log(1 - shifted))

    return with_optimiser(loss)


def with_optimiser(loss: Callable[[dict[str, Any]], Any]) -> Step:
    differentiate, descend, p = tg.value_and_grad(loss), tg.SGD(LEARNING_RATE).step, START

    def step() -> tuple[float, dict[str, Any]]:
        nonlocal p
        value, gradient = differentiate(p)
        p = descend(p, gradient)
        return float(value), p

    return step


def listing() -> Step:
    published = load(arguments.listing)
    for name, value in START.items():
        setattr(published, name, value.copy())

    def step() -> tuple[float, dict[str, Any]]:
        sigma = published.forward(X, Y)[1]
        shifted = sigma + EPSILON
        loss = np.sum(-Y.T * np.log(shifted) - (1 - Y.T) * np.log(1 - shifted))
        gradients = dict(zip(("Wf", "Bf", "Wc", "Bc"), published.loss_gradient(X, Y), strict=True))
        for name, gradient in gradients.items():
            setattr(published, name, getattr(published, name) - LEARNING_RATE * gradient)
        return float(loss), {name: getattr(published, name) for name in START}

    return step


def hips_autograd() -> Step:
    import autograd.numpy as anp
    from autograd import value_and_grad

    def loss(p: dict[str, Any]) -> Any:
        padded = np.pad(X, ((0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))  # (24, 28, 28, 3, 3)
        columns = windows.reshape(len(X), 784, 9)
        conv = anp.dot(columns, anp.reshape(p["Wc"], 9)) + p["Bc"][0, 0]  # (24, 784)
        relu = anp.reshape(anp.maximum(0, conv), (len(X), 14, 2, 14, 2))
        fc = anp.dot(p["Wf"], anp.reshape(anp.max(relu, axis=(2, 4)), (len(X), 196)).T) + p["Bf"]
        shifted = 1 / (1 + anp.exp(-fc)) + EPSILON
        return anp.sum(-Y.T * anp.log(shifted) - (1 - Y.T) * anp.log(1 - shifted))

    differentiate, p = value_and_grad(loss), START

    def step() -> tuple[float, dict[str, Any]]:
        nonlocal p
        value, gradient = differentiate(p)
        p = {name: p[name] - LEARNING_RATE * gradient[name] for name in p}
        return float(value), p

    return step


def mygrad() -> Step:
    import mygrad as mg
    from mygrad.nnet.activations import relu, sigmoid
    from mygrad.nnet.layers import conv_nd, max_pool

    p = {name: mg.tensor(value) for name, value in START.items()}

    def step() -> tuple[float, dict[str, Any]]:
        conv = conv_nd(X[:, None], p["Wc"].reshape(1, 1, 3, 3), stride=1, padding=1) + p["Bc"]
        pooled = max_pool(relu(conv), pool=(2, 2), stride=2)
        fc = mg.matmul(p["Wf"], pooled.reshape(len(X), -1).T) + p["Bf"]
        shifted = sigmoid(fc) + EPSILON
        loss = mg.sum(-Y.T * mg.log(shifted) - (1 - Y.T) * mg.log(1 - shifted))
        loss.backward()
        for name in p:
            p[name] = mg.tensor(p[name].data - LEARNING_RATE * p[name].grad)
        return float(loss.data), {name: value.data for name, value in p.items()}

    return step


def pytorch() -> Step:
    import torch
    import torch.nn.functional as f

    torch.set_num_threads(arguments.threads)
    p = {name: torch.tensor(value, requires_grad=True) for name, value in START.items()}
    optimiser = torch.optim.SGD(p.values(), lr=LEARNING_RATE)
    y = torch.from_numpy(Y.T.copy())

    def step() -> tuple[float, dict[str, Any]]:
        x = torch.from_numpy(X)[:, None]
        conv = f.conv2d(x, p["Wc"][None, None], padding=1) + p["Bc"]
        fc = p["Wf"] @ f.max_pool2d(f.relu(conv), 2).reshape(len(X), -1).T + p["Bf"]
        shifted = torch.sigmoid(fc) + EPSILON
        loss = (-y * torch.log(shifted) - (1 - y) * torch.log(1 - shifted)).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.item(), {name: value.detach().numpy() for name, value in p.items()}

    return step


def jax_jit() -> Step:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def loss(p: dict[str, Any], x: Any) -> Any:
        conv = jax.lax.conv_general_dilated(x[:, None], p["Wc"][None, None], (1, 1), "SAME") + p["Bc"]
        relu = jnp.maximum(0, conv)
        pooled = jax.lax.reduce_window(relu, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        fc = p["Wf"] @ pooled.reshape(len(X), -1).T + p["Bf"]
        shifted = jax.nn.sigmoid(fc) + EPSILON
        return jnp.sum(-Y.T * jnp.log(shifted) - (1 - Y.T) * jnp.log(1 - shifted))

    @jax.jit
    def whole_step(p: dict[str, Any], x: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(p, x)
        return value, {name: p[name] - LEARNING_RATE * gradient[name] for name in p}

    p = {name: jnp.array(value) for name, value in START.items()}

    def step() -> tuple[float, dict[str, Any]]:
        nonlocal p
        value, p = whole_step(p, X)
        return float(value), p

    return step


CONTESTANTS: dict[str, Callable[[], Step]] = {
    "tinygrad_cnn": ours,
    "tinygrad_cnn, the loss as an expression": ours_loss_as_expression,
    "JAX, jit": jax_jit,
    "PyTorch, eager": pytorch,
    "HIPS autograd": hips_autograd,
    "MyGrad": mygrad,
    "the article's listing": listing,
}


def prepared() -> dict[str, Step]:
    """The steps of all that are installed, each of which was checked to do the same as the first."""
    steps: dict[str, Step] = {}
    expected: tuple[float, dict[str, Any]] | None = None
    for name, make in CONTESTANTS.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                step = make()
                loss, parameters = step()
        except ImportError as error:
            print(f"{name}: left out ({error})", file=sys.stderr)
            continue
        if expected is None:
            expected = (loss, parameters)
        np.testing.assert_allclose(loss, expected[0], rtol=1e-10, err_msg=name)
        for parameter, value in expected[1].items():
            moved = np.asarray(parameters[parameter]) - START[parameter]
            np.testing.assert_allclose(moved, value - START[parameter], rtol=1e-6, atol=1e-12, err_msg=name)
        steps[name] = step
    return steps


def timed(steps: dict[str, Step]) -> dict[str, list[float]]:
    """Seconds a step, for each block of each contestant."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    rng = np.random.default_rng(0)
    for block in range(arguments.blocks):
        for name in rng.permutation(list(steps)):
            step, slow = steps[name], name == "the article's listing"
            if slow and block % 10:
                continue
            time.sleep(0.05)
            for _ in range(0 if slow else 10):
                step()
            count = 1 if slow else arguments.steps
            began = time.perf_counter()
            for _ in range(count):
                step()
            seconds[name].append((time.perf_counter() - began) / count)
    return seconds


def main() -> None:
    seconds = timed(prepared())
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    mine = seconds["tinygrad_cnn"]
    print(
        "\nA training step, batch 24, float64: medians of blocks, which the libraries take in a new order each round.\n"
    )
    rows = []
    for name, median in medians.items():
        every = len(mine) // len(seconds[name])  # the listing is timed in one round of ten
        ratios = [a / b for a, b in zip(seconds[name], mine[::every], strict=False)]
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        rows.append(
            [
                name,
                f"{1e3 * median:.3f}",
                f"{1e3 * min(seconds[name]):.3f}",
                f"{middle:.2f}",
                f"{low:.2f} to {high:.2f}",
            ]
        )
    save(
        "training_step", ["", "ms per step", "fastest block", "relative", "middle half of the rounds"], rows,
        threads=arguments.threads, blocks=arguments.blocks, steps=arguments.steps,
    )  # fmt: skip
    if "the article's listing" in medians:
        theirs, ours = medians["the article's listing"], medians["tinygrad_cnn"]
        print(f"\n501 epochs: {501 * ours:.2f} s, against {501 * theirs:.0f} s")


if __name__ == "__main__":
    main()
