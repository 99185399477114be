"""What it costs to call a primitive by NumPy's name, to call the functions of tinygrad_cnn.numpy and tinygrad_cnn.math
without a Tensor, and to import the package.

python benchmarks/overhead.py
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
from results import save

import tinygrad_cnn as tg
import tinygrad_cnn.math
import tinygrad_cnn.numpy
from tinygrad_cnn.engine.primitive import implementations


def seconds(call: Callable[[], object], repeat: int) -> float:
    start = time.perf_counter()
    for _ in range(repeat):
        call()
    return (time.perf_counter() - start) / repeat


def dispatch(blocks: int = 200, repeat: int = 500) -> None:
    t = tg.Tensor(np.ones((4, 4)))
    calls = {
        "np.tanh(t)": (lambda: np.tanh(t), lambda tanh=implementations[np.tanh]: tanh(t)),
        "np.multiply(t, t)": (lambda: np.multiply(t, t), lambda multiply=implementations[np.multiply]: multiply(t, t)),
        "t * t": (lambda: t * t, lambda multiply=implementations[np.multiply]: multiply(t, t)),
        "np.sum(t, axis=0)": (lambda: np.sum(t, axis=0), lambda total=implementations[np.sum]: total(t, axis=0)),
        "np.reshape(t, (16,))": (
            lambda: np.reshape(t, (16,)),
            lambda reshape=implementations[np.reshape]: reshape(t, (16,)),
        ),
    }
    rows = []
    for name, (by_name, direct) in calls.items():
        pairs = [(seconds(by_name, repeat), seconds(direct, repeat)) for _ in range(blocks)]
        named, plain = (statistics.median(column) * 1e6 for column in zip(*pairs, strict=True))
        rows.append([f"`{name}`", f"{named:.2f}", f"{plain:.2f}", f"{named - plain:.2f}"])
    save("overhead", ["call", "microseconds", "by the primitive", "more"], rows, blocks=blocks, repeat=repeat)


def without_tensors(blocks: int = 200, repeat: int = 500) -> None:
    """The functions of the namespaces, outside a transform, beside those whose place they take."""
    a = np.ones((4, 4))
    calls = {
        "np.asarray(a)": lambda np, math: lambda: np.asarray(a),
        "np.zeros(3)": lambda np, math: lambda: np.zeros(3),
        "np.array([1.0, 2.0])": lambda np, math: lambda: np.array([1.0, 2.0]),
        "np.arange(3.0)": lambda np, math: lambda: np.arange(3.0),
        "np.exp(a)": lambda np, math: lambda: np.exp(a),
        "np.sum(a, axis=0)": lambda np, math: lambda: np.sum(a, axis=0),
        "np.linalg.norm(a)": lambda np, math: lambda: np.linalg.norm(a),
        "np.r_[1.0, 2.0]": lambda np, math: lambda: np.r_[1.0, 2.0],
        "np.pi": lambda np, math: lambda: np.pi,
        "math.sqrt(2.0)": lambda np, math: lambda: math.sqrt(2.0),
    }
    rows = []
    for name, call in calls.items():
        ours, theirs = call(tinygrad_cnn.numpy, tinygrad_cnn.math), call(np, math)
        pairs = [(seconds(ours, repeat), seconds(theirs, repeat)) for _ in range(blocks)]
        aware, plain = (statistics.median(column) * 1e6 for column in zip(*pairs, strict=True))
        rows.append([f"`{name}`", f"{plain:.2f}", f"{aware:.2f}", f"{aware - plain:.2f}"])
    save(
        "overhead_without_tensors", ["call", "microseconds, NumPy's or Python's", "ours", "more"], rows,
        blocks=blocks, repeat=repeat,
    )  # fmt: skip


def importing(runs: int = 25) -> None:
    statements = {"tinygrad_cnn": "import tinygrad_cnn", "numpy": "import numpy", "nothing": "pass"}
    found: dict[str, list[float]] = {name: [] for name in statements}
    with tempfile.TemporaryDirectory() as compiled:  # as after an install, which compiles to byte code
        environment = dict(os.environ, PYTHONPYCACHEPREFIX=compiled)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for run in range(runs + 1):
            for name, statement in statements.items():
                start = time.perf_counter()
                subprocess.run([sys.executable, "-c", statement], check=True, env=environment)
                if run:
                    found[name].append(time.perf_counter() - start)
    middle = {name: statistics.median(times) for name, times in found.items()}
    ours, numpy = middle["tinygrad_cnn"] - middle["nothing"], middle["numpy"] - middle["nothing"]
    print(f"\nimport tinygrad_cnn: {ours * 1e3:.0f} ms, import numpy: {numpy * 1e3:.0f} ms, {ours / numpy:.2f} times")


if __name__ == "__main__":
    dispatch()
    print()
    without_tensors()
    importing()
