"""How long it takes to make a program: for the article's model, and for recurrences of more and more steps.

For NumPy that is tracing twice, comparing, the passes and planning; for C the compiler comes on top, without its cache.
Seconds of the processor, so that what else the machine is doing counts little, and the time of the first call, which
is a step too; the least of --repeat. The first program of a process is told separately: it reads the source files.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from results import save

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--repeat", type=int, default=3)
parser.add_argument("--steps", type=int, nargs="*", default=[10, 100, 450, 1000], help="of the recurrences")
parser.add_argument("--most-in-c", type=int, default=450, help="so many steps at most are compiled as C")
arguments = parser.parse_args()

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402  (after the number of threads is set)

import tinygrad_cnn as tg  # noqa: E402

RNG = np.random.default_rng(0)
Model = tuple[Callable[..., Any], tuple[Any, ...]]


def article() -> Model:
    """The article's model: value and gradient."""
    shapes = {"Wc": (3, 3), "Bc": (1, 1), "Wf": (1, 196), "Bf": (1, 1)}
    p = {name: RNG.normal(size=shape) * 0.1 for name, shape in shapes.items()}

    def loss(p: dict[str, Any], x: Any, y: Any) -> Any:
        conv = tg.conv2d(x, p["Wc"], padding=1) + p["Bc"]
        max_pool = tg.max_pool2d(tg.relu(conv), 2)
        fc = p["Wf"] @ max_pool.reshape(len(x), -1).T + p["Bf"]
        shifted = tg.sigmoid(fc) + 1e-4
        return np.sum(-y.T * np.log(shifted) - (1 - y.T) * np.log(1 - shifted))

    return tg.value_and_grad(loss), (p, RNG.uniform(0, 10, (24, 28, 28)), RNG.integers(0, 2, (24, 1)).astype(float))


def recurrent(steps: int) -> Model:
    """A recurrence, h = tanh(x_t Wx + h Wh + b): value and gradient."""
    shapes = {"Wx": (8, 32), "Wh": (32, 32), "b": (32,)}
    p = {name: RNG.normal(size=shape) * 0.1 for name, shape in shapes.items()}

    def loss(p: dict[str, Any], x: Any, h: Any) -> Any:
        for t in range(len(x)):
            h = np.tanh(x[t] @ p["Wx"] + h @ p["Wh"] + p["b"])
        return np.sum(h**2)

    return tg.value_and_grad(loss), (p, RNG.normal(size=(steps, 16, 8)), np.zeros((16, 32)))


def spent() -> float:
    """Seconds of the processor so far, those of a compiler included."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(x.ru_utime + x.ru_stime for x in both)


def first_call(model: Model, backend: Any) -> tuple[float, float]:
    """Milliseconds of the processor, and by the clock, for the first call of a compiled function."""
    function, given = model
    step = tg.compile(function, backend=backend)
    began, clock = spent(), time.perf_counter()
    step(*given)
    return 1e3 * (spent() - began), 1e3 * (time.perf_counter() - clock)


def least(model: Model, backend: Any) -> list[str]:
    """The least of several first calls; nothing where there is no compiler."""
    found = []
    for _ in range(arguments.repeat):
        with tempfile.TemporaryDirectory() as cache:
            os.environ["XDG_CACHE_HOME"] = cache
            try:
                found.append(first_call(model, backend))
            except RuntimeError:
                return ["", ""]
    return [f"{min(column):.0f}" for column in zip(*found, strict=True)]


def main() -> None:
    rows = []
    model = article()
    count = len(tg.program(model[0])(*model[1]).listing.instructions)
    of_c = least(model, "c")
    rows.append(["the article's model", str(count), *least(model, "numpy"), *of_c])
    for steps in arguments.steps:
        model = recurrent(steps)
        count = len(tg.program(model[0])(*model[1]).listing.instructions)
        of_c = least(model, "c") if steps <= arguments.most_in_c else ["", ""]
        rows.append([f"RNN of {steps} steps", f"{count:,}", *least(model, "numpy"), *of_c])
    header = [
        "program",
        "instructions",
        "planned, ms of processor",
        "by the clock",
        "C, ms of processor",
        "by the clock ",
    ]
    save("compile_time", header, rows, repeat=arguments.repeat)


def first_of_the_process() -> None:
    cpu, clock = first_call(article(), "numpy")
    print(f"the first program of a process, the article's, planned: {cpu:.0f} ms of the processor, {clock:.0f} ms\n")


TRAINING = """
from tinygrad_cnn.circle_square.data import bundled
from tinygrad_cnn.circle_square.experiment import Settings, run
from tinygrad_cnn.circle_square.tasks import TASKS

task = TASKS["circle-square"]
run(Settings(task), bundled(task))
"""


def whole_training() -> None:
    """A process that trains the article's model, 501 epochs, and draws nothing."""
    found = []
    for _ in range(arguments.repeat):
        began, clock = spent(), time.perf_counter()
        subprocess.run([sys.executable, "-c", TRAINING], check=True)
        found.append((spent() - began, time.perf_counter() - clock))
    cpu, clock = (min(column) for column in zip(*found, strict=True))
    print(f"a process that trains the article's model: {cpu:.2f} s of the processor, {clock:.2f} s\n")


if __name__ == "__main__":
    first_of_the_process()
    whole_training()
    main()
