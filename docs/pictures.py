"""Make the pictures of docs/pictures.md and docs/tour.md, in docs/images.

    python docs/pictures.py

The screenshots of the page need Chromium and playwright (`pip install '.[test]'`), and are left as they are without.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import runpy
import shutil
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square import card, data, experiment
from tinygrad_cnn.circle_square.gradient_check import LOSSES, cross_check
from tinygrad_cnn.circle_square.pictures import DEPTH, INPUTS, film_of, graph_of
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import PUBLISHED_SEED, published_start

IMAGES = Path(__file__).parent / "images"


def recurrent(steps: int = 24) -> Any:
    """A recurrent network, whose iterations are drawn once."""
    rng = np.random.default_rng(0)
    W, U = tg.Tensor(0.4 * rng.normal(size=(8, 8)), "W"), tg.Tensor(rng.normal(size=(8, 3)), "U")
    x, state = rng.normal(size=(steps, 3)), np.zeros(8)
    total = 0.0
    for t in range(steps):
        state = np.tanh(W @ state + U @ x[t])
        total = total + np.sum(state * state)
    return tg.named(total, "loss")


def dead() -> Any:
    """A model that three things are wrong with."""
    x = tg.Tensor(np.linspace(-3, -1, 24).reshape(4, 6), "x")
    w = tg.Tensor(np.full((6, 3), 2.0), "w")
    with np.errstate(all="ignore"):
        relu = tg.relu(x @ w)
        ratio = relu / np.sum(relu, axis=1, keepdims=True)
        return tg.named(np.mean(ratio) + np.mean(np.exp(-x * 8)), "loss")


def tangled(steps: int = 3_000) -> Any:
    """A graph without any structure: each step takes values that any of those before it computed."""
    rng = np.random.default_rng(0)
    values = [tg.Tensor(rng.normal(size=4), name) for name in "abc"]
    untaken = list(values)
    for _ in range(steps - 2):
        first = untaken.pop(rng.integers(len(untaken))) if len(untaken) > 12 else values[rng.integers(len(values))]
        other = values[rng.integers(len(values))]
        values.append(np.arctan2(first, other) if rng.random() < 0.5 else np.sin(first))
        untaken.append(values[-1])
    return tg.named(np.mean(np.concatenate(untaken)), "loss")


def tour() -> None:
    """Run the code of docs/tour.md, as printed, up to where it draws."""
    text = (IMAGES.parent / "tour.md").read_text(encoding="utf-8")
    found = [
        re.search(rf"## {name}\n\n((?:    .*\n|\n)+)", text) for name in ("A model is an expression", "A picture of it")
    ]
    code = textwrap.dedent("".join(section[1] for section in found if section is not None))
    code = "".join(line for line in code.splitlines(keepends=True) if not line.startswith("print("))
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        path = Path("tour.py")  # a file, so that values have the names of its variables
        path.write_text(code, encoding="utf-8")
        runpy.run_path(str(path))
        shutil.copy("graph.svg", IMAGES / "graph_tour.svg")


def main() -> None:
    """Train, and draw."""
    settings = experiment.Settings(TASKS["circle-square"], "robust")
    drawings = data.bundled(settings.task)
    result = experiment.run(settings, drawings)
    x, y = settings.scaling(drawings.train.grey), drawings.train.y
    before, after = (graph_of(x, y, p, "robust") for p in (result.start, result.final))
    shown: Any = {"inputs": INPUTS, "values": "thumbnails"}

    published = experiment.run(experiment.Settings(settings.task), drawings)
    film_of(published).save(IMAGES / "training.svg")
    (IMAGES / "card.png").write_bytes(card.png(published))
    tour()
    tg.render(before, IMAGES / "graph_poster.svg", backward=True, **shown)
    tg.render(before, IMAGES / "graph_forward.svg", depth=DEPTH, **shown)
    tg.render(before, IMAGES / "graph_backward.svg", backward=True, depth=DEPTH, **shown)
    tg.render(before, IMAGES / "graph_collapsed.svg", backward=True, depth=1, **shown)
    tg.render(after, IMAGES / "graph_training.svg", backward=True, against=before, **shown)
    tg.render(after, IMAGES / "graph_pixel.svg", backward=True, inputs=INPUTS, pixel=("max_pool", (0, 10, 10)))
    tg.render(after, IMAGES / "graph_cost.svg", backward=True, depth=DEPTH, measure=True, inputs=INPUTS)
    tg.render(recurrent(), IMAGES / "graph_loop.svg", backward=True, values="thumbnails", fold=True)
    tg.render(dead(), IMAGES / "graph_wrong.svg", values="thumbnails")
    tg.render(tangled(), IMAGES / "graph_parts.svg", fold=False)
    slope = tg.grad(lambda x: tg.sigmoid(x) * x)(tg.Tensor(0.5, "x"))
    tg.render(slope, IMAGES / "graph_second.svg", backward=True, values="thumbnails", depth="all")
    screenshots(before)


def tied() -> Any:
    """The cross-check of the article's gradient where the flat background ties in every window."""
    drawings = data.bundled(TASKS["circle-square"]).train
    p = published_start(np.random.RandomState(PUBLISHED_SEED))
    p = dataclasses.replace(p, Bc=np.abs(p.Bc))
    return cross_check(LOSSES["shifted"], data.Scaling()(drawings.grey), drawings.y, p, evaluations=100, progress=False)


def screenshots(loss: Any) -> None:
    """The page in light and dark, at a step backward; and the first wrong step of a cross-check."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        program = None
    if program is None:
        print("no Chromium or no playwright: the screenshots are left as they are")
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "graph.html"
        tg.render(loss, path, backward=True, inputs=INPUTS)
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        for theme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme=theme)
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-ready]")
            page.keyboard.press("End")
            while page.locator("#panel h2").inner_text() != "∂L/∂relu":
                page.keyboard.press("ArrowLeft")
            shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")  # of fewer colours, some would be wrong
            shot.save(IMAGES / f"page_{theme}.png", optimize=True)
        tied().to_html(path)
        page = browser.new_page(viewport={"width": 1000, "height": 900}, color_scheme="light")
        page.goto(path.as_uri())
        shot = Image.open(io.BytesIO(page.locator(".gradient-check").screenshot())).convert("RGB")
        shot.save(IMAGES / "check_light.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
