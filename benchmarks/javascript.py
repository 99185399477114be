"""Programs as JavaScript, in Node and in Chromium, beside C and NumPy: the article's training, and a stroke's forward.

    pip install -e '.[bench]' playwright
    python benchmarks/javascript.py

Of a training the loss, its gradient and the new parameters are one program. The forward of a stroke is that of one
image. Each is called in blocks until a second is over, and the fastest block is printed, for a shared machine is slower
in some than in others; all run in one thread. A program is compared with NumPy's before it is timed. What is not
installed is left out with a word.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TINYGRAD_CNN_THREADS", "1")

import numpy as np
from results import save

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.data import Scaling, bundled
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_as_printed, loss_shifted
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import published_start

DATA = bundled(TASKS["circle-square"])
X, Y = Scaling()(DATA.train.grey), DATA.train.y  # (24, 28, 28), (24, 1)
P = published_start(np.random.RandomState(230129))
RNG = np.random.default_rng(0)

# Decodes arguments, calls the program, and times blocks of calls: what it returned first, and milliseconds a call.
TIME = """
async ({ module, given, seconds, block }) => {
  const typed = (x) => x !== null && typeof x === "object" && "bytes" in x
    ? new Float64Array(Uint8Array.from(atob(x.bytes), (c) => c.charCodeAt(0)).buffer)
    : typeof x !== "object" ? x : Object.fromEntries(Object.entries(x).map(([key, item]) => [key, typed(item)]));
  const { step } = await import("data:text/javascript;base64," + module);
  const x = typed(given), first = step(x), times = [];
  const numbers = [first].flat(Infinity).flatMap((part) => typeof part === "number" ? [part]
    : ArrayBuffer.isView(part) ? [...part] : Object.values(part).flatMap((array) => [...array]));
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end || times.length < 3) {
    const before = performance.now();
    for (let k = 0; k < block; k++) step(x);
    times.push((performance.now() - before) / block);
  }
  return { numbers, times };
}
"""


class Measured(NamedTuple):
    """A program: the function and its arguments, and how often it is called in a block."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    block: int


def training_step(p: Parameters, x: np.ndarray, y: np.ndarray) -> Any:
    """The loss that the article prints, and the parameters after a step."""

    def loss(p: Parameters) -> Any:
        steps = forward(x, p, ties="all", at_zero=1.0)
        return loss_shifted(steps.sigma, y), steps

    gradients, steps = tg.grad(loss, has_aux=True)(p)
    return loss_as_printed(steps.sigma, y), tg.tree.map(lambda a, g: a - 1e-9 * g, p, gradients)


def every_value(p: Parameters, x: np.ndarray) -> Any:
    """What the live page shows of one drawing."""
    return forward(x, p)


def cnn_step(p: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> Any:
    """Two convolutions of several channels, as of LeNet."""

    def loss(p: dict[str, np.ndarray]) -> Any:
        h = tg.max_pool2d(tg.relu(tg.conv2d(x, p["W1"], padding=2)), 2)  # (batch, 6, 14, 14)
        h = tg.max_pool2d(tg.relu(tg.conv2d(h, p["W2"])), 2)  # (batch, 16, 5, 5)
        logits = np.tanh(h.reshape(len(x), -1) @ p["W3"]) @ p["W4"]  # (batch, 10)
        return np.mean(np.logaddexp.reduce(logits, axis=1) - np.sum(logits * y, axis=1))

    value, gradients = tg.value_and_grad(loss)(p)
    return value, tg.tree.map(lambda a, g: a - 1e-9 * g, p, gradients)


CNN = {
    "W1": RNG.normal(size=(6, 1, 5, 5)) / 5, "W2": RNG.normal(size=(16, 6, 5, 5)) / 12,
    "W3": RNG.normal(size=(400, 84)) / 20, "W4": RNG.normal(size=(84, 10)) / 9,
}  # fmt: skip
MEASURED = [
    Measured("article, a training step of 24 images", training_step, (P, X, Y), 20),
    Measured("article, forward of one drawing", every_value, (P, X[:1]), 200),
    Measured("two convolutions, a training step of 8 images", cnn_step,
             (CNN, RNG.normal(size=(8, 1, 28, 28)), np.eye(10)[RNG.integers(0, 10, 8)]), 2),
]  # fmt: skip


def encoded(x: Any) -> Any:
    """Arguments as JSON."""
    if isinstance(x, np.ndarray):
        return {"bytes": base64.b64encode(np.ascontiguousarray(x).tobytes()).decode()}
    items = x if isinstance(x, dict) else vars(x)
    return {name: encoded(item) for name, item in items.items()}


def in_node(data: Any) -> Any:
    """The driver's result in Node, or None."""
    if shutil.which("node") is None:
        return None
    text = (
        "let text = ''; for await (const part of process.stdin.setEncoding('utf8')) text += part;\n"
        f"process.stdout.write(JSON.stringify(await ({TIME})(JSON.parse(text))));"
    )
    made = subprocess.run(["node", "--input-type=module", "-e", text], input=json.dumps(data), capture_output=True,
                          text=True, check=True)  # fmt: skip
    return json.loads(made.stdout)


def in_chromium(data: Any) -> Any:
    """The driver's result on a page of Chromium, or None."""
    executable = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if executable is None:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        try:
            return browser.new_page().evaluate(TIME, data)
        finally:
            browser.close()


def timed(call: Callable[[], Any], block: int) -> float:
    """Milliseconds a call in Python."""
    call()
    times, end = [], time.perf_counter() + 1
    while time.perf_counter() < end or len(times) < 3:
        before = time.perf_counter()
        for _ in range(block):
            call()
        times.append((time.perf_counter() - before) / block)
    return 1e3 * min(times)


def rows() -> list[list[Any]]:
    """A row for each program: milliseconds in each way."""
    found = []
    for m in MEASURED:
        program = tg.program(m.function)(*m.arguments)
        names = list(program.listing.signature)
        given = {name: encoded(x) for name, x in zip(names, m.arguments, strict=True)}
        data = {
            "module": base64.b64encode(program.source(to="js").encode()).decode(), "given": given, "seconds": 1,
            "block": m.block,
        }  # fmt: skip
        expected = np.concatenate([np.ravel(x) for x in tg.tree.flatten(m.function(*m.arguments)).leaves])
        row: list[Any] = [m.name]
        for run in (in_node, in_chromium):
            made = run(data)
            if made is not None:
                np.testing.assert_allclose(made["numbers"], expected, rtol=1e-10, atol=1e-12)
            row.append("not installed" if made is None else f"{min(made['times']):.3f}")
        planned, in_c = tg.compile(m.function, backend="numpy"), tg.compile(m.function, backend="c")
        row += [f"{timed(lambda step=step, m=m: step(*m.arguments), m.block):.3f}" for step in (in_c, planned)]  # type: ignore[misc]
        found.append(row)
    return found


if __name__ == "__main__":
    save("javascript", ["milliseconds a call", "Node", "Chromium", "C", "NumPy, planned"], rows(), threads=1)
