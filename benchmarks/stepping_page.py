"""How long the page of a large graph takes to open, to step, and to open a box, in Chromium.

    python benchmarks/stepping_page.py [--steps 10000] [--tangled]

The graph is a network of blocks of 100 steps, unrolled; with --tangled it has neither loops nor scopes. Times are by
the page's own clock: from the start of its loading until it can be used, from a key until the page is laid out again,
and from a click on a closed box until what is in it is drawn.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

import tinygrad_cnn as tg

KEY = """key => {
  const start = performance.now();
  document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
  document.body.getBoundingClientRect();
  return performance.now() - start;
}"""
OPEN = """() => new Promise(done => {
  const start = performance.now(), root = document.documentElement;
  const watch = new MutationObserver(() => { if (!root.dataset.busy) done(performance.now() - start); });
  watch.observe(root, {attributes: true});
  document.querySelector("#graph .node[aria-expanded]").dispatchEvent(new MouseEvent("click", {bubbles: true}));
})"""


def blocks(steps: int) -> Any:
    """A network of blocks of five units, each of 20 steps of six kinds in an order of its own."""
    functions = [np.tanh, np.sin, np.exp, tg.sigmoid, np.cos, np.arctan]
    rng = np.random.default_rng(0)
    h = tg.Tensor(np.linspace(0.1, 1, 8), "x")
    for block in range(steps // 100):
        with tg.scope(f"block{block}"):
            for unit in range(5):
                with tg.scope(f"unit{unit}"):
                    for _ in range(20):
                        h = np.tanh(functions[rng.integers(6)](h))
    return tg.named(np.sum(h), "loss")


def tangled(steps: int) -> Any:
    """Steps of which each takes two of the last twenty values."""
    rng = np.random.default_rng(0)
    values = [tg.Tensor(rng.normal(size=4), name) for name in "abc"]
    for i in range(steps):
        a, b = (values[-1 - rng.integers(min(20, len(values)))] for _ in range(2))
        values.append(np.sin(a) if i % 2 else np.arctan2(a, b))
    return tg.named(np.sum(np.stack(values[-20:])), "loss")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--tangled", action="store_true")
    options = parser.parse_args()
    loss = (tangled if options.tangled else blocks)(options.steps // (1 if options.tangled else 2))
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("no Chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "graph.html"
        start = time.perf_counter()
        tg.render(loss, path, backward=True, fold=False, **({} if options.tangled else {"depth": 1}))
        print(f"written in {time.perf_counter() - start:.1f} s, {path.stat().st_size / 1e6:.1f} MB")
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        page.goto(path.as_uri(), wait_until="commit")
        page.wait_for_selector("html[data-ready]", timeout=120_000)
        ready = page.evaluate("performance.now()")
        print(f"opens in {ready / 1e3:.2f} s, {page.locator('#graph .node').count()} boxes are drawn")
        page.evaluate(KEY, "Home")
        taken = [page.evaluate(KEY, key) for key in ["ArrowRight"] * 30 + ["End"] + ["ArrowLeft"] * 30]
        print(f"a step takes {statistics.median(taken):.1f} ms, {max(taken):.1f} ms at most")
        page.evaluate(KEY, "Escape")
        taken = [page.evaluate(OPEN) for _ in range(5)]
        print(f"a box opens in {statistics.median(taken):.0f} ms, {max(taken):.0f} ms at most")
        browser.close()


if __name__ == "__main__":
    main()
