"""`tinygrad-cnn draw`: imitations of hand drawings, by the generator that made the bundled ones."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from tinygrad_cnn.circle_square import drawing, images, outputs
from tinygrad_cnn.circle_square.tasks import TASKS, Task
from tinygrad_cnn.cli import options
from tinygrad_cnn.escaping import printable


@click.command()
@click.argument("folder", type=options.path)
@options.task
@click.option("--seed", type=click.IntRange(min=0), default=0, help="The seed of the drawings.")
@click.option("--train", "train_each", type=click.IntRange(min=1), default=12, help="Training drawings of each shape.")
@click.option("--test", "test_each", type=click.IntRange(min=1), default=2, help="Test drawings of each shape.")
def draw(folder: Path, task: str, seed: int, train_each: int, test_each: int) -> int:
    """Write a set of imitated hand drawings to FOLDER/train and FOLDER/test."""
    with outputs.new_folder(folder) as aside:
        write_set(aside, TASKS[task], seed, train_each, test_each)
    train, test = printable(folder / "train"), printable(folder / "test")
    print(f"Drew {2 * train_each} drawings into {train} and {2 * test_each} into {test}")
    return 0


def write_set(folder: Path, task: Task, seed: int, train_each: int, test_each: int) -> None:
    """Draw a set into `folder`: first what is trained on, then what is tested with, from one stream of numbers."""
    rng = np.random.default_rng(seed)
    for part, each in (("train", train_each), ("test", test_each)):
        (folder / part).mkdir()
        for number, grey in enumerate(drawing.draw_set(task.shapes, each, rng), 1):
            images.write_image(folder / part / f"drawing({number}).png", grey)
