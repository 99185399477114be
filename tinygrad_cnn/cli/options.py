"""What the commands have in common: kinds of arguments, and how what comes from outside is printed."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.markup import escape

from tinygrad_cnn.circle_square import data
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.tasks import TASKS, Task
from tinygrad_cnn.escaping import printable

path = click.Path(path_type=Path)
task = click.option(
    "--task", type=click.Choice(sorted(TASKS)), default="circle-square", help="The two shapes to distinguish."
)
SEEDS = click.IntRange(0, 2**32 - 1)


def drawings(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which drawings are meant, and how they become numbers."""
    for option in reversed(
        (
            task,
            click.option(
                "--data",
                "folder",
                type=path,
                show_default="the bundled drawings",
                help="A folder of your own drawings: with folders train and test, or with a folder for each class.",
            ),
            click.option(
                "--split",
                show_default="as the folders train and test say",
                help="How to divide a --data folder that has only a folder for each class: 12+2 takes 12 drawings of "
                "each class to train on and 2 to test with; a .json file lists them by number.",
            ),
            click.option(
                "--split-seed",
                type=click.IntRange(min=0),
                default=0,
                help="The seed by which --split 12+2 chooses those drawings.",
            ),
            click.option(
                "--invert/--no-invert",
                default=True,
                help="Whether to make strokes bright on black, as the article does.",
            ),
            click.option(
                "--scale",
                type=float,
                callback=positive,
                default=10.0,
                help="The largest value of a pixel: they are scaled to 0 to this.",
            ),
        )
    ):
        command = option(command)
    return command


def load(what: Task, folder: Path | None, split: str | None, split_seed: int) -> data.DataSet:
    """The drawings that those options mean. Raises InputError for options of which one would be ignored."""
    source = click.get_current_context().get_parameter_source("split_seed")
    if folder is None and split is not None:
        raise InputError("--split is for a folder of your own: name it with --data")
    if source is not ParameterSource.DEFAULT and (split is None or split.endswith(".json")):
        raise InputError("--split-seed chooses which drawings --split 12+2 takes: name such a --split with it")
    return data.load(folder, what, split, split_seed) if folder else data.bundled(what)


def refuse_beside(chosen: str, *others: str) -> None:
    """Raise InputError if one of the options `others` was given too, which would be ignored beside `chosen`."""
    context = click.get_current_context()
    given = [name for name in others if context.get_parameter_source(name) is not ParameterSource.DEFAULT]
    if given:
        raise InputError(f"--{given[0]} does nothing beside {chosen}, which brings its own: leave one of them out")


def positive(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """`value`, or click.BadParameter if it is not a finite number above 0."""
    if value is not None and not 0 < value < math.inf:
        raise click.BadParameter(f"{value} is not a finite number above 0")
    return value


def shown(text: object) -> str:
    """What comes from outside, for Rich to print: it is neither markup nor does it move the cursor."""
    return escape(printable(text))
