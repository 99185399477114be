"""`tinygrad-cnn graph`: pictures of the model's computation graph."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
from click.core import ParameterSource

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square import data, images, pictures, weights
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import PUBLISHED_SEED, RecipeName, start_of
from tinygrad_cnn.cli import options
from tinygrad_cnn.escaping import printable
from tinygrad_cnn.pictures.write.formats import FORMATS, format_of

_TEXTS = ("svg", "dot", "mermaid", "txt", "json")


@click.command()
@options.task
@click.option(
    "--image",
    "files",
    type=options.path,
    multiple=True,
    show_default="the bundled training images",
    help="An image to use instead; may be repeated.",
)
@click.option(
    "--run",
    "run_folder",
    type=options.path,
    show_default="the initial parameters of the published recipe",
    help="Use the trained parameters of this run: its folder, or its weights.safetensors.",
)
@click.option("--before", is_flag=True, help="With --run: also show each value as it was before training.")
@click.option("--backward", is_flag=True, help="Also draw the gradient.")
@click.option("--values", is_flag=True, help="Also draw the values, as thumbnails.")
@click.option("--measure", is_flag=True, help="Also show the cost of each step.")
@click.option(
    "--depth",
    show_default=f"layers in a picture, {pictures.DEPTH} in text",
    help="How far to open it: `layers`, a number of scopes, `all` steps, or also the steps of `rules`.",
)
@click.option("--collapse", default="", help="Draw the scopes with these names (conv,fc) as one box.")
@click.option(
    "--format",
    "format",
    type=click.Choice(FORMATS),
    show_default="from the suffix of --out, or txt",
    help="The format of the picture.",
)
@click.option(
    "--theme",
    type=click.Choice(["light", "dark", "auto"]),
    default="auto",
    help="The colours; `auto` follows the theme of the viewer, in SVG and HTML.",
)
@click.option("--out", type=options.path, show_default="standard output", help="The file to write.")
def graph(
    task: str,
    files: tuple[Path, ...],
    run_folder: Path | None,
    before: bool,
    backward: bool,
    values: bool,
    measure: bool,
    depth: str | None,
    collapse: str,
    format: str | None,
    theme: str,
    out: Path | None,
) -> int:
    """Draw the graph of the loss on the training images, or of the output for an --image.

    Without --run, the parameters are the initial ones of the article's recipe.
    """
    if before and run_folder is None:
        raise InputError("--before needs a run. Pass it with --run")
    recipe: RecipeName = "published"
    parameters, scaling = start_of(recipe, PUBLISHED_SEED), data.Scaling()
    start = None
    if run_folder is not None:
        trained = weights.read_weights(run_folder)
        if click.get_current_context().get_parameter_source("task") is ParameterSource.DEFAULT:
            task = trained.task or task  # a run says itself what it was trained on
        if not files:
            trained.refuse_others(run_folder, data.bundled(TASKS[task]))
        parameters, scaling = trained.parameters, trained.scaling
        if before or (run_folder.is_dir() and (run_folder / "metrics.json").exists()):
            recipe, start = weights.read_start(run_folder)
    x, y = _images(files, task, scaling)
    made = [pictures.graph_of(x, y, p, recipe) for p in (parameters, start if before else None) if p is not None]
    chosen = _format(format, out)
    try:
        picture = tg.render(
            made[0],
            backward=backward,
            values="thumbnails" if values else None,
            measure=measure,
            depth=_depth(depth, chosen),
            collapse=[name.strip() for name in collapse.split(",") if name.strip()],
            inputs=pictures.INPUTS,
            against=made[1] if before else None,
            theme=theme,
            format=chosen,
        )
        if out is None and chosen == "txt" and sys.stdout.isatty():
            print(picture.text(shutil.get_terminal_size().columns))
        elif out is None:
            sys.stdout.write(picture.content(chosen).decode())
        else:
            picture.save(out, chosen)
            print(f"Drew {printable(out)}")
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror or error}") from None
    except (RuntimeError, ValueError) as error:
        raise InputError(str(error)) from None
    return 0


def _images(files: tuple[Path, ...], task: str, scaling: data.Scaling) -> tuple[Any, Any]:
    """The images, and their targets if they are known."""
    if files:
        return scaling(np.array([images.read_drawing(path).grey for path in files])), None
    drawings = data.bundled(TASKS[task]).train
    return scaling(drawings.grey), drawings.y


def _depth(text: str | None, format: str) -> int | str:
    if text is None:
        return pictures.DEPTH if format in _TEXTS and format != "svg" else "layers"
    return int(text) if text.lstrip("-").isdigit() else text


def _format(format: str | None, out: Path | None) -> str:
    if out is None:
        format = format or "txt"
        if format not in _TEXTS:
            raise InputError(f"--format {format} is not text. Pass a file with --out, or one of {', '.join(_TEXTS)}")
        return format
    try:
        return format_of(out, format)
    except ValueError as error:
        raise InputError(f"--out {error}") from None
