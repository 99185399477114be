"""`tinygrad-cnn live`: a page to draw on, on which the model runs, forward, backward and in training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from tinygrad_cnn.circle_square import data, outputs, weights
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.live import live_page, trained
from tinygrad_cnn.circle_square.tasks import TASKS, Task
from tinygrad_cnn.circle_square.training import RecipeName
from tinygrad_cnn.cli import options
from tinygrad_cnn.escaping import printable
from tinygrad_cnn.recipes import runs
from tinygrad_cnn.recipes.live import live_page as page_of_network


@click.command()
@click.argument("run_folder", metavar="[RUN]", type=options.path, required=False)
@options.drawings
@click.option(
    "--recipe",
    type=click.Choice(["published", "robust"]),
    default="published",
    help="Without a RUN: how the model on the page was trained, and how it is trained there.",
)
@click.option("--out", type=options.path, default="live.html", help="The file to write.")
@click.option("--lang", "language", type=click.Choice(["en", "ko"]), default="en", help="The language at first.")
@click.option(
    "--theme", type=click.Choice(["light", "dark", "auto"]), default="auto", help="The colours; `auto` is the reader's."
)
def live(
    run_folder: Path | None,
    task: str,
    folder: Path | None,
    split: str | None,
    split_seed: int,
    invert: bool,
    scale: float,
    recipe: RecipeName,
    out: Path,
    language: str,
    theme: str,
) -> int:
    """Make a page to draw on, on which the model runs in the browser.

    It is one file, which loads nothing: draw a shape, and see what the model makes of it in each step; press B for the
    backward pass, and T to train. RUN is the folder of a run, or its weights.safetensors; without it, the model is
    trained first.
    """
    chosen: Callable[[Task], data.DataSet] = lambda of: options.load(of, folder, split, split_seed)
    with outputs.new_file(out) as put:
        if run_folder is None:
            scaling, drawings = data.Scaling(invert, scale), chosen(TASKS[task])
            p = trained(drawings, scaling, recipe, TASKS[task])
            page = live_page(drawings, scaling, p, recipe, TASKS[task], language, theme)
        else:
            options.refuse_beside("a run", "invert", "scale", "recipe")
            given = click.get_current_context().get_parameter_source("task") is not ParameterSource.DEFAULT
            if folder is not None and runs.read(run_folder) is not None:
                raise InputError("--data has no effect on a run of the recipe cnn or synthetic. Leave it out")
            page = page_of_run(run_folder, language, theme, task if given else None, chosen=chosen)
        put(page.html.encode())
    print(f"Wrote {printable(out)}")
    return 0


def page_of_run(
    run_folder: Path,
    language: str = "en",
    theme: str = "auto",
    task: str | None = None,
    chosen: Callable[[Task], data.DataSet] = data.bundled,
) -> Any:
    """The page of the model of a run. chosen: the drawings of a task that the page trains on.

    Raises InputError if there is no such run, or the drawings are of other classes.
    """
    network = runs.read(run_folder)
    if network is not None:
        if task is not None:
            raise InputError(f"--task has no effect on a run of the recipe {network.recipe}. Leave it out")
        known = [found for found in map(data.bundled, TASKS.values()) if found.classes == network.classes]
        return page_of_network(network, known[0] if known else None, language, theme)
    run = weights.read_weights(run_folder)
    of = TASKS[task or run.task or "circle-square"]  # a run says itself what it was trained on
    drawings = chosen(of)
    run.refuse_others(run_folder, drawings)
    return live_page(drawings, run.scaling, run.parameters, _recipe_of(run_folder), of, language, theme)


def _recipe_of(run_folder: Path) -> RecipeName:
    """By which recipe a run was trained: the published one, if the run does not say it."""
    if not (run_folder.is_dir() and (run_folder / "metrics.json").exists()):
        return "published"
    recipe, _ = weights.read_start(run_folder)
    return recipe
