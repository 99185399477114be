"""Options and argument types that several commands share, and the printing of text from outside."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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
    """The options that select the drawings, and their scaling."""
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
                show_default="the folders train and test",
                help="How to divide a --data folder that only has a folder for each class: 12+2 takes 12 drawings of "
                "each class for training and 2 for testing; a .json file lists them by number.",
            ),
            click.option(
                "--split-seed",
                type=click.IntRange(min=0),
                default=0,
                help="The seed of the random choice of --split 12+2.",
            ),
            click.option(
                "--invert/--no-invert",
                default=True,
                help="Whether to invert drawings to bright strokes on black, as the article does.",
            ),
            click.option(
                "--scale",
                type=float,
                callback=positive,
                default=10.0,
                help="Pixels are scaled to the range from 0 to this.",
            ),
        )
    ):
        command = option(command)
    return command


def names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Names separated by commas, or click.BadParameter if there are fewer than two, or one twice."""
    if value is None:
        return None
    found = tuple([name.strip() for name in value.split(",")])
    if len(found) < 2 or not all(found):
        raise click.BadParameter(f"{value!r}: expected at least two names, separated by commas: circles,squares")
    if len(set(found)) < len(found):
        raise click.BadParameter(f"{value!r}: a class is named twice")
    return found


def refuse_without_folder(folder: Path | None, split: str | None, classes: tuple[str, ...] | None) -> None:
    """Raise InputError for options that choose among the drawings of a folder, without one."""
    source = click.get_current_context().get_parameter_source("split_seed")
    if folder is None:
        for option, given in (("--split", split), ("--classes", classes)):
            if given is not None:
                raise InputError(f"{option} needs a folder of drawings. Pass it with --data")
    if source is not ParameterSource.DEFAULT and (split is None or split.endswith(".json")):
        raise InputError("--split-seed needs a random split. Pass it with --split, for example --split 12+2")


def load(what: Task, folder: Path | None, split: str | None, split_seed: int) -> data.DataSet:
    """The drawings that those options select. Raises InputError if one of the options would be ignored."""
    refuse_without_folder(folder, split, None)
    return data.load(folder, what, split, split_seed) if folder else data.bundled(what)


def refuse_beside(chosen: str, *others: str) -> None:
    """Raise InputError if one of the options `others` was given too, which would be ignored beside `chosen`."""
    context = click.get_current_context()
    given = [name for name in others if context.get_parameter_source(name) is not ParameterSource.DEFAULT]
    if given:
        raise InputError(f"--{given[0]} cannot be combined with {chosen}, which sets it. Leave one of them out")


def refuse_without(needed: str, *names: str) -> None:
    """Raise InputError if one of the options `names` was given, which has no effect without `needed`."""
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise InputError(f"--{name} has no effect without {needed}. Leave it out, or pass {needed}")


def refuse_others(why: str, allowed: Sequence[str]) -> None:
    """Raise InputError if an option was given whose argument is not among `allowed`; why: "--at " and this."""
    context = click.get_current_context()
    for option in context.command.params:
        name = option.name or ""
        if name not in allowed and context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise InputError(f"{option.opts[0]} {why}. Leave it out")


def positive(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """`value`, or click.BadParameter if it is not a finite number greater than 0."""
    if value is not None and not 0 < value < math.inf:
        raise click.BadParameter(f"{value} is not a finite number greater than 0")
    return value


def shown(text: object) -> str:
    """Text from outside, escaped for Rich: no markup, no control characters."""
    return escape(printable(text))
