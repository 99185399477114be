"""`tinygrad-cnn live`: a page to draw on, on which the model runs, forward, backward and in training."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from tinygrad_cnn.circle_square import data, outputs, weights
from tinygrad_cnn.circle_square.live import live_page, trained
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import RecipeName
from tinygrad_cnn.cli import options
from tinygrad_cnn.escaping import printable


@click.command()
@click.argument("run_folder", metavar="[RUN]", type=options.path, required=False)
@options.task
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
def live(run_folder: Path | None, task: str, recipe: RecipeName, out: Path, language: str, theme: str) -> int:
    """Make a page to draw on, on which the model runs in the browser.

    It is one file, which loads nothing: draw a shape, and see what the model makes of it in each step; press B for the
    backward pass, and T to train. RUN is the folder of a run, or its weights.safetensors; without it, the model is
    trained first.
    """
    with outputs.new_file(out) as put:
        scaling = data.Scaling()
        if run_folder is not None:
            run = weights.read_weights(run_folder)
            if click.get_current_context().get_parameter_source("task") is ParameterSource.DEFAULT:
                task = run.task or task  # a run says itself what it was trained on
            p, scaling, classes = run.parameters, run.scaling, run.classes
            recipe = "published"
            if run_folder.is_dir() and (run_folder / "metrics.json").exists():
                recipe, _ = weights.read_start(run_folder)
            known = data.bundled(TASKS[task])
            drawings = known if known.classes == classes else None
        else:
            drawings = data.bundled(TASKS[task])
            p, classes = trained(drawings, recipe, TASKS[task]), drawings.classes
        page = live_page(drawings, classes, scaling, p, recipe, TASKS[task], language, theme)
        put(page.html.encode())
    print(f"Wrote {printable(out)}")
    return 0
