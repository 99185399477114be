"""What pictures and cross-checks cost, in seconds; each once, for they take long.

    python benchmarks/tools.py

The article's forward is that of its listing, unmodified, on 24 drawings; it is left out with a word where the listing
is not found.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from listing import LISTING, load
from results import save

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.data import Scaling, bundled
from tinygrad_cnn.circle_square.gradient_check import LOSSES, cross_check
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import PUBLISHED_SEED, published_start

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--listing", type=Path, default=LISTING, help="the article's listing")


rows: list[list[str]] = []


def row(what: str, action: Callable[[], Any]) -> Any:
    """Add a line to the table; what the action returned."""
    began = time.perf_counter()
    returned = action()
    rows.append([what, f"{time.perf_counter() - began:.2f}"])
    return returned


def chain(length: int) -> Any:
    """A graph of so many nodes."""
    t = x = tg.Tensor(0.5, "x")
    for _ in range(length // 2):
        t = np.sin(t) * x
    return t


def published(listing: Path, x: Any, y: Any) -> Any:
    """The loss that the article's listing computes, with its parameters for Tensors."""
    module = load(listing)
    for name in ("Wc", "Bc", "Wf", "Bf"):
        setattr(module, name, tg.Tensor(getattr(module, name), name))
    return module.forward(x, y)[0]


def main() -> None:
    listing = parser.parse_args().listing
    drawings = bundled(TASKS["circle-square"]).train
    x, y = Scaling()(drawings.grey), drawings.y
    p = published_start(np.random.RandomState(PUBLISHED_SEED))
    row("cross-check of the article's model, all 207 elements", lambda: cross_check(LOSSES["printed"], x, y, p))
    t = row("a graph of 100,000 nodes, made", lambda: chain(100_000))
    row("... its gradient", t.backward)
    row("... as DOT", lambda: tg.graph(t, fold=False).dot())
    row("... as JSON", lambda: tg.graph(t, fold=False).json())
    if listing.exists():
        images = tg.Tensor(x, "x")
        loss = row("the article's forward, made", lambda: published(listing, images, y))
        row("... its gradient", loss.backward)
        drawn = lambda: tg.render(loss, backward=True, values="thumbnails", inputs="x").svg
        row(f"... its {len(tg.graph(loss, fold=False)):,} nodes drawn, with what flows back", drawn)
    else:
        print(f"The article's forward is left out: {listing} is not there.\n")
    save("tools", ["", "seconds"], rows)


if __name__ == "__main__":
    main()
