"""`tinygrad-cnn experiment`: an answer to a question that the article asks or leaves open, over many draws."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tinygrad_cnn import files
from tinygrad_cnn.circle_square import class_folders, drawing, outputs
from tinygrad_cnn.circle_square.class_folders import Labelled
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.figures import png
from tinygrad_cnn.circle_square.ink import ink
from tinygrad_cnn.cli import options
from tinygrad_cnn.recipes import experiments, pictures
from tinygrad_cnn.recipes.experiments import EXPERIMENTS, Experiment, Row, Trial

NAMES = ("circle", "square", "triangle")
DRAWN = 50  # drawings of each class that the package draws, where a person gives none
FEWEST = 14  # of each class: 12 to train on and 2 to test with


@click.command()
@click.argument("name", type=click.Choice(list(EXPERIMENTS)))
@click.option(
    "--data",
    "folder",
    type=options.path,
    show_default="imitations that the package draws",
    help="A folder with a folder of drawings for each class.",
)
@click.option(
    "--classes",
    callback=options.names,
    show_default="circle,square,triangle, as many of them as the experiment takes",
    help="The folders of the classes.",
)
@click.option(
    "--draws",
    type=click.IntRange(1, 10_000),
    show_default="the experiment's own",
    help="How many draws of drawings to try each condition on.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 1_000_000),
    show_default="the recipe's own start alone; starts: 1000",
    help="Train from so many random starts on each draw; by default on one draw.",
)
@click.option("--jobs", type=click.IntRange(1, 256), default=1, help="How many processes share the work.")
@click.option(
    "--out",
    type=options.path,
    show_default="runs/experiment-NAME, with a number if it exists",
    help="The folder for experiment.json and the plot.",
)
@click.option("--json", "as_json", is_flag=True, help="Print experiment.json, and nothing else.")
def experiment(
    name: str,
    folder: Path | None,
    classes: tuple[str, ...] | None,
    draws: int | None,
    seeds: int | None,
    jobs: int,
    out: Path | None,
    as_json: bool,
) -> int:
    """Answer a question by training on many draws of drawings, and testing with the others.

    inversion: without it; scaling: 1/255; recipes: published against robust; starts: published from 1000 seeds;
    draws: what cnn reaches from 12 + 12; averaging, filters, drawings, augmentation: what each of them adds to cnn;
    folds: cnn on all classes; synthetic: on drawings by people.
    """
    what = EXPERIMENTS[name]
    if folder is None and classes is not None:
        raise InputError("--classes needs a folder of drawings. Pass it with --data")
    if seeds is not None and not what.has_starts:
        able = ", ".join(x for x in EXPERIMENTS if EXPERIMENTS[x].has_starts)
        raise InputError(f"--seeds is for the experiments of the article's model: {able}. Leave it out for {name}")
    drawings, source = _drawings(what, folder, classes)
    count = draws or (what.draws if seeds is None else 1)
    seeds = what.seeds if seeds is None else seeds
    console = Console(quiet=as_json, highlight=False, soft_wrap=True)
    console.print(f"{what.question}\n[dim]{len(drawings)} drawings: {options.shown(source)}[/]")
    to = out or files.free_name(Path("runs") / f"experiment-{name}")
    with outputs.new_folder(to) as aside:
        trials = _run(console, what, drawings, count, jobs, seeds)
        rows = experiments.rows(what, trials)
        text = json.dumps(_as_data(name, what, source, rows, trials), indent=1, allow_nan=False) + "\n"
        (aside / "experiment.json").write_text(text)
        (aside / f"{name}.png").write_bytes(png(pictures.comparison(what.question, rows, trials)))
    if as_json:
        click.echo(text, nl=False)
    _show(console, rows, seeds)
    console.print(f"Written: {options.shown(str(to))}")
    return 0


def _drawings(what: Experiment, folder: Path | None, classes: tuple[str, ...] | None) -> tuple[Labelled, str]:
    names = classes or NAMES[: what.classes or len(NAMES)]
    if what.classes is not None and len(names) != what.classes:
        raise InputError(f"--classes has {len(names)} names; this experiment takes {what.classes}")
    if folder is not None:
        drawings, source = class_folders.load_all(folder, names)
        for k, of_class in enumerate(names):
            if (count := int((drawings.labels == k).sum())) < FEWEST:
                raise InputError(f"{source}: there are {count} drawings of {of_class}; expected at least {FEWEST}")
        return drawings, source
    shapes = drawing.SHAPES[: len(names)]
    grey = drawing.draw_set(shapes, DRAWN, np.random.default_rng(0))
    labels = np.repeat(np.arange(len(shapes)), DRAWN)
    titles = [f"drawn {i + 1}" for i in range(len(labels))]
    return Labelled(grey, ink(grey), labels, titles, []), "imitations that the package draws, no real ones"


def _run(
    console: Console, what: Experiment, drawings: Labelled, draws: int, jobs: int, seeds: int | None
) -> list[Trial]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    trials = []
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("trainings", total=draws * (seeds or 1) * len(what.conditions))
        for trial in experiments.run(what, drawings, draws, jobs, seeds):
            trials.append(trial)
            progress.advance(bar)
    return trials


def _as_data(name: str, what: Experiment, source: str, rows: list[Row], trials: list[Trial]) -> dict[str, object]:
    return {
        "experiment": name,
        "question": what.question,
        "data": source,
        "conditions": [asdict(row) for row in rows],
        "trials": [trial._asdict() for trial in trials],
    }


def _show(console: Console, rows: list[Row], seeds: int | None) -> None:
    titles = ("", "right", "95 % interval", "spread, %", "seeds" if seeds else "draws", "died", "fitted")
    table = Table(*titles, box=box.SIMPLE_HEAD)
    for row in rows:
        low, high = row.interval
        interval = f"{low:.1%} to {high:.1%}" if np.isfinite(low) else ""
        spread = " ".join(f"{100 * share:.0f}" for share in (row.least, *row.quartiles, row.most))
        counts = [str(count) for count in (row.trials, row.died, row.fitted)]
        table.add_row(row.condition, f"{row.mean:.1%}", interval, spread, *counts)
    console.print(table)
    console.print(
        "[dim]right: of the test drawings, on average; spread: the worst training, the quartiles, and the best; "
        "died: trainings that ended with every ReLU at zero; fitted: with every training drawing right[/]"
    )
