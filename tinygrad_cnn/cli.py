"""The command `tinygrad-cnn`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square import data, drawing, images, report, runs
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.experiment import Result, Settings, run
from tinygrad_cnn.circle_square.model import forward
from tinygrad_cnn.circle_square.tasks import TASKS, Task
from tinygrad_cnn.circle_square.training import Epoch

folder_argument = click.Path(path_type=Path)
task_option = click.option(
    "--task", type=click.Choice(sorted(TASKS)), default="circle-square", help="What is to be told apart."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(tg.__version__, prog_name="tinygrad-cnn")
def command() -> None:
    """Tell circles from squares with one convolution, and see how that is learnt."""


@command.command()
@task_option
@click.option("--data", "folder", type=folder_argument, help="Your own drawings instead of the bundled ones.")
@click.option("--split", help="For a folder with a folder for each class: 12+2, or a .json file that lists numbers.")
@click.option("--split-seed", type=click.IntRange(min=0), default=0, help="Which 12+2 those are.")
@click.option("--recipe", type=click.Choice(["published", "robust"]), default="published")
@click.option(
    "--gradient",
    type=click.Choice(["auto", "hand"]),
    default="auto",
    show_default=True,
    help="Of the published recipe.",
)
@click.option("--epochs", type=click.IntRange(min=0), help="The last epoch; they are counted from 0.")
@click.option("--learning-rate", type=click.FloatRange(min=0, min_open=True))
@click.option("--seed", type=click.IntRange(min=0, max=2**32 - 1), help="Of the parameters and of shuffling.")
@click.option("--invert/--no-invert", default=True, help="Make strokes bright on black, as the article does.")
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="Pixels go from 0 to this.",
)
@click.option("--out", type=folder_argument, help="The folder for the results; runs/... if it is not named.")
@click.option("--json", "as_json", is_flag=True, help="Print metrics.json, and nothing else.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("-v", "--verbose", is_flag=True, help="Print predictions beside targets, as the article does.")
def train(
    task: str,
    folder: Path | None,
    split: str | None,
    split_seed: int,
    recipe: Any,
    gradient: Any,
    epochs: int | None,
    learning_rate: float | None,
    seed: int | None,
    invert: bool,
    scale: float,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Train the model, and write what came of it: metrics, weights, pictures and a report."""
    console = Console(quiet=quiet or as_json, highlight=False)
    what = TASKS[task]
    settings = Settings(what, recipe, gradient, learning_rate, epochs, seed, data.Scaling(invert, scale))
    if folder is None and split:
        raise InputError("--split is for a folder of your own: name it with --data")
    drawings = data.load(folder, what, split, split_seed) if folder else data.bundled(what)
    for note in drawings.notes:
        console.print(f"[dim]{note}[/]")
    to = out or runs.free_folder(Path("runs"), f"{task}-{recipe}" + ("-hand" if gradient == "hand" else ""))
    with runs.OutputFolder(to) as aside:
        result = _train(console, settings, drawings, verbose)
        other = _other(settings, drawings) if not result.interrupted else None
        runs.write(aside, result, other)
    if as_json:
        click.echo((to / "metrics.json").read_text(), nl=False)
    _show(console, result, other, to)
    if result.stopped:
        click.echo(_what_to_do(result), err=True)
    return 130 if result.interrupted else 1 if result.stopped else 0


def _train(console: Console, settings: Settings, drawings: data.DataSet, verbose: bool) -> Result:
    """Train with a progress bar, and a line every fifty epochs."""
    last = settings.resolved()["epochs"]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("training", total=last + 1)

        def watch(epoch: Epoch) -> None:
            progress.advance(bar)
            if epoch.number % 50 == 0 or epoch.number == last:
                right = f"{epoch.accuracy * len(epoch.order):.0f} of {len(epoch.order)} right"
                progress.console.print(f"epoch {epoch.number:4}   loss {epoch.loss:12.6f}   {right}")
                if verbose:
                    beside = _beside(epoch.steps.sigma[0], drawings.train.y[epoch.order, 0])
                    progress.console.print(beside, soft_wrap=True)

        return run(settings, drawings, watch)


def _other(settings: Settings, drawings: data.DataSet) -> Result:
    """The result of the other recipe, with its own settings, on the same images."""
    name: Any = "robust" if settings.recipe == "published" else "published"
    return run(Settings(settings.task, name, scaling=settings.scaling), drawings)


def _beside(sigma: Any, targets: Any) -> str:
    """Predictions, and the targets under them."""
    return (
        "  predicted "
        + " ".join(f"{p:4.2f}" for p in sigma)
        + "\n  target    "
        + " ".join(f"{t:4.0f}" for t in targets)
    )


def _show(console: Console, result: Result, other: Result | None, to: Path) -> None:
    """The test, the comparison of gradients, and where everything lies."""
    shapes = result.data.classes
    table = Table("test image", "it is a", "the model says", box=box.SIMPLE_HEAD)
    for name, target, sigma in zip(result.data.test.names, result.data.test.y[:, 0], result.test.sigma[0], strict=True):
        said = int(sigma > 0.5)
        colour = "green" if said == target else "red"
        table.add_row(name, shapes[int(target)], f"[{colour}]{_says(sigma, shapes)}[/]")
    console.print(table)
    console.print(f"{_score(result)}.")
    if other:
        console.print(f"[dim]By the {other.settings.recipe} recipe: {_score(other)}.[/]")
    console.print(
        "\nThe gradient, by autodiff, by hand and by central differences, at the final parameters. "
        "A cell: the largest difference, and in brackets its size relative to the gradient."
    )
    for comparison in result.tables:
        console.print(f"\nOf {comparison.says}:")
        rows = Table("", "largest", "autodiff, hand", "autodiff, diffs", "hand, diffs", box=box.SIMPLE_HEAD)
        for row in comparison.rows:
            pairs = [report.difference(pair) for pair in (row.auto_hand, row.auto_numeric, row.hand_numeric)]
            rows.add_row(row.parameter, f"{row.largest:.2e}", *pairs)
        console.print(rows)
        if comparison.tied_windows:
            console.print(f"[dim]In {comparison.tied_windows} pooling windows elements tie for the maximum.[/]")
    if result.interrupted:
        console.print("Interrupted: what was trained until then is kept.")
    console.print(f"Report: {to / 'report.html'}", soft_wrap=True)


def _says(sigma: float, shapes: tuple[str, str]) -> str:
    return f"{shapes[1]}, {sigma:.1%}" if sigma > 0.5 else f"{shapes[0]}, {1 - sigma:.1%}"


def _score(result: Result) -> str:
    trained, tested = result.data.train, result.data.test
    return (
        f"{result.train_accuracy * len(trained):.0f} of {len(trained)} training images right, "
        f"{result.test_accuracy * len(tested):.0f} of {len(tested)} test images"
    )


def _what_to_do(result: Result) -> str:
    robust = "" if result.settings.recipe == "robust" else "; or --recipe robust (He initialisation and the mean loss)"
    return (
        f"tinygrad-cnn: training stopped at {result.stopped}. Try a smaller --learning-rate, or another --seed{robust}"
    )


@command.command()
@click.argument("run_folder", metavar="RUN", type=folder_argument)
@click.argument("files", metavar="IMAGE...", nargs=-1, required=True, type=folder_argument)
@click.option("--json", "as_json", is_flag=True, help="Print a list in JSON.")
def predict(run_folder: Path, files: tuple[Path, ...], as_json: bool) -> int:
    """Say what each IMAGE shows, by the model that RUN has trained."""
    trained = runs.read_weights(run_folder)
    drawings = [images.read_drawing(path) for path in files]
    sigma = forward(trained.scaling(np.array([d.grey for d in drawings])), trained.parameters).sigma[0]
    if as_json:
        shapes = trained.classes
        said = [{"image": str(path), "class": shapes[int(p > 0.5)], "probability": float(max(p, 1 - p))} for path, p in zip(files, sigma, strict=True)]  # fmt: skip  # noqa: E501
        click.echo(json.dumps(said, indent=1))
        return 0
    width = max(len(str(path)) for path in files)
    for path, read, p in zip(files, drawings, sigma, strict=True):
        note = "   (light on dark, and was inverted)" if read.was_light_on_dark else ""
        click.echo(f"{path!s:{width}}   {_says(p, trained.classes)}{note}")
    return 0


@command.command()
@click.argument("folder", type=folder_argument)
@task_option
@click.option("--seed", type=click.IntRange(min=0), default=0)
@click.option("--train", "train_each", type=click.IntRange(min=1), default=12, help="Of each shape.")
@click.option("--test", "test_each", type=click.IntRange(min=1), default=2, help="Of each shape.")
def draw(folder: Path, task: str, seed: int, train_each: int, test_each: int) -> int:
    """Draw a set of drawings as by hand into FOLDER, in train and test."""
    with runs.OutputFolder(folder) as aside:
        write_set(aside, TASKS[task], seed, train_each, test_each)
    click.echo(f"Drew {2 * train_each} drawings into {folder / 'train'} and {2 * test_each} into {folder / 'test'}")
    return 0


def write_set(folder: Path, task: Task, seed: int, train_each: int, test_each: int) -> None:
    """Draw a set into `folder`: first what is trained on, then what is tested with, from one stream of numbers."""
    rng = np.random.default_rng(seed)
    for part, each in (("train", train_each), ("test", test_each)):
        (folder / part).mkdir()
        for number, grey in enumerate(drawing.draw_set(task.shapes, each, rng), 1):
            images.write_image(folder / part / f"drawing({number}).png", grey)


def main() -> None:
    """Run the command; what a person gave wrong is one line and exit code 2."""
    try:
        code = command.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 2
    except click.ClickException as error:
        click.echo(f"tinygrad-cnn: {' '.join(error.format_message().split())}", err=True)
        code = 2
    except InputError as error:
        click.echo(f"tinygrad-cnn: {error}", err=True)
        code = 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("tinygrad-cnn: interrupted, nothing was written", err=True)
        code = 130
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
