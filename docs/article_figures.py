"""Make the figures of docs/tutorials/article.md, in docs/images/article: each for light pages and for dark ones.

    python docs/article_figures.py

They are those of `tinygrad-cnn train`. The site has them made anew at each build (`docs/site/figures.py`).
"""

from __future__ import annotations

from pathlib import Path

from tinygrad_cnn.circle_square.data import bundled
from tinygrad_cnn.circle_square.experiment import Settings, run
from tinygrad_cnn.circle_square.figures import FIGURES, png
from tinygrad_cnn.circle_square.palette import PALETTES
from tinygrad_cnn.circle_square.tasks import TASKS

IMAGES = Path(__file__).parent / "images" / "article"
NAMES = ("training_images", "maps_before", "loss", "maps_after", "weights", "test_images")


def make(folder: Path) -> None:
    """Train as the article does, and write the figures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    task = TASKS["circle-square"]
    result = run(Settings(task), bundled(task))
    for name in NAMES:
        for theme in PALETTES:
            (folder / f"{name}_{theme}.png").write_bytes(png(FIGURES[name](result, theme)))


if __name__ == "__main__":
    make(IMAGES)
