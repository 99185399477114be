"""`tinygrad-cnn train`: train the model, and write the results."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tinygrad_cnn import files
from tinygrad_cnn.circle_square import card as cards
from tinygrad_cnn.circle_square import data, outputs, runs
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.experiment import Result, Settings, run
from tinygrad_cnn.circle_square.gradient_check import difference, largest
from tinygrad_cnn.circle_square.pictures import film_of
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import PUBLISHED_SEED, Epoch
from tinygrad_cnn.cli import jax_engine, options, recipe_training, signals
from tinygrad_cnn.cli.predict import says
from tinygrad_cnn.pictures.write.formats import FILM_FORMATS

FILMS = tuple(f".{format}" for format in FILM_FORMATS)


@click.command()
@options.drawings
@click.option(
    "--recipe",
    type=click.Choice(["published", "robust", "cnn", "synthetic"]),
    default="published",
    help="How to train: `published` is the article's recipe, down to the random draws (normal initial parameters, "
    "gradient descent on the summed loss); `robust` seldom fails on the same model (He initialisation, Adam, the mean "
    "loss on logits); `cnn` is a small CNN, trained on variants of the drawings, of any number of classes; `synthetic` "
    "is the same, trained on shapes that the package draws. See `tinygrad-cnn recipes`.",
)
@click.option(
    "--classes",
    callback=options.names,
    show_default="all folders in the --data folder",
    help="For cnn and synthetic: the folders of the classes, separated by commas: circles,squares,triangles.",
)
@click.option(
    "--resume",
    type=options.path,
    help="For cnn and synthetic: continue a training to this folder that was interrupted, by Ctrl-C or in any other "
    "way. The result is the same as without the interruption.",
)
@click.option(
    "--gradient",
    type=click.Choice(["auto", "hand"]),
    default="auto",
    help="The gradient for the published recipe: by automatic differentiation, or the article's hand-derived one.",
)
@click.option(
    "--epochs",
    type=click.IntRange(min=0),
    show_default="published: 500, for circle-triangle 700; robust: 300; cnn and synthetic: 8",
    help="The number of the last epoch; the first is 0, for cnn and synthetic 1.",
)
@click.option(
    "--learning-rate",
    type=float,
    callback=options.positive,
    show_default="published: 0.01, for circle-triangle 0.015; robust: 0.01",
    help="The learning rate.",
)
@click.option(
    "--seed",
    type=options.SEEDS,
    show_default=f"published: {PUBLISHED_SEED}; robust: 0",
    help="The seed of the initial parameters, and, for the published recipe, of shuffling.",
)
@click.option(
    "--out",
    type=options.path,
    show_default="runs/TASK-RECIPE, with a number if it exists",
    help="The folder for the results; it is created, or must be empty.",
)
@click.option(
    "--eager",
    is_flag=True,
    help="Record and differentiate at each step anew, instead of running the gradient as a compiled program.",
)
@jax_engine.with_options
@click.option(
    "--film",
    type=options.path,
    help="Also write a film: the picture of the model, forward and backward, whose values play through the epochs; as "
    ".svg, .gif, or .png (animated).",
)
@click.option(
    "--card",
    type=options.path,
    help="Also write a card, a PNG file of 1200 by 630 pixels to share: the drawings, what was learnt, the verdict.",
)
@click.option("--lang", type=click.Choice(list(cards.WORDS)), default="en", help="The language of the card.")
@click.option("--dark", is_flag=True, help="Draw the card in light colours on dark.")
@click.option("--json", "as_json", is_flag=True, help="Print metrics.json, and nothing else.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("-v", "--verbose", is_flag=True, help="Also print predictions and targets, as the article does.")
def train(
    task: str,
    folder: Path | None,
    split: str | None,
    split_seed: int,
    recipe: Any,
    classes: tuple[str, ...] | None,
    resume: Path | None,
    gradient: Any,
    epochs: int | None,
    learning_rate: float | None,
    seed: int | None,
    invert: bool,
    scale: float,
    out: Path | None,
    eager: bool,
    engine: str,
    devices: int | None,
    coordinator: str | None,
    processes: int | None,
    process: int | None,
    film: Path | None,
    card: Path | None,
    lang: Any,
    dark: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Train the model; write metrics, weights, pictures and a report."""
    if engine == "own":
        options.refuse_without("--engine jax", *recipe_training.OF_JAX)
    elif resume is None and recipe not in ("cnn", "synthetic"):
        raise InputError(f"--engine jax has no effect with --recipe {recipe}; expected cnn or synthetic")
    else:
        devices = jax_engine.begin(devices, coordinator, processes, process)
    console = Console(quiet=quiet or as_json or bool(process), highlight=False)
    if resume is not None:
        options.refuse_others("cannot be combined with --resume", recipe_training.WITH_RESUME)
        return recipe_training.resume(console, resume, as_json, devices)
    if recipe in ("cnn", "synthetic"):
        options.refuse_others(f"has no effect with --recipe {recipe}", recipe_training.OPTIONS)
        options.refuse_without_folder(folder, split, classes)
        where = None if folder is None else str(folder)
        plan = recipe_training.plan(recipe, task, where, classes, split, split_seed, seed, epochs)
        return recipe_training.begin(console, plan, out, as_json, devices)
    if classes is not None:
        raise InputError(f"--classes needs --recipe cnn or synthetic; for --recipe {recipe}, pass --task")
    what = TASKS[task]
    if recipe == "robust" and gradient == "hand":
        raise InputError(
            "--gradient hand needs --recipe published: the loss of the robust recipe has no hand-derived gradient"
        )
    settings = Settings(what, recipe, gradient, learning_rate, epochs, seed, data.Scaling(invert, scale), eager)
    drawings = options.load(what, folder, split, split_seed)
    own = Settings(what, recipe).resolved()["learning_rate"]
    if learning_rate is not None and learning_rate > 100 * own and not quiet:
        print(
            f"tinygrad-cnn: warning: --learning-rate {learning_rate:g} is {learning_rate / own:.0e} times that of the "
            f"recipe, {own:g}: training is likely to diverge, or to stop at once with every ReLU at zero",
            file=sys.stderr,
        )
    for note in drawings.notes:
        console.print(f"[dim]{options.shown(note)}[/]")
    to = out or files.free_name(Path("runs") / (f"{task}-{recipe}" + ("-hand" if gradient == "hand" else "")))
    with contextlib.ExitStack() as files_beside, signals.noted() as asked:
        draw = [files_beside.enter_context(opened) for opened in _drawn_beside(film, card, lang, dark)]
        with outputs.new_folder(to) as aside:
            result = _train(console, settings, drawings, verbose, asked)
            other = None if asked() else _other(settings, drawings, asked)
            runs.write(aside, result, other)
            metrics = (aside / "metrics.json").read_text()
        for put in draw:
            put(result)
    if as_json:
        sys.stdout.write(metrics)
    _show(console, result, other, to)
    if result.stopped:
        print(_what_to_do(result), file=sys.stderr)
    return 130 if asked() else 1 if result.stopped else 0


def _drawn_beside(
    film: Path | None, card: Path | None, language: Any, is_dark: bool
) -> Iterator[contextlib.AbstractContextManager[Callable[[Result], None]]]:
    """For the film and the card that were asked for, what opens the file and gives a function that writes it.

    Raises InputError at once for what cannot be drawn.
    """
    if film is not None:
        format = film.suffix.lower()
        if format not in FILMS:
            raise InputError(f"{film}: --film writes {', '.join(FILMS)}. Choose a name that ends in one of these")
        yield _file(film, lambda result: film_of(result).content(format[1:]))
    if card is None:
        options.refuse_without("--card", "lang", "dark")
        return
    if card.suffix.lower() != ".png":
        raise InputError(f"{card}: --card writes .png. Choose a name that ends in it")
    if film is not None and film.resolve() == card.resolve():
        raise InputError(f"{card}: --film and --card are the same file. Choose another name for one")
    cards.font_for(language)
    yield _file(card, lambda result: cards.png(result, language, "dark" if is_dark else "light"))


@contextlib.contextmanager
def _file(path: Path, drawn: Callable[[Result], bytes]) -> Iterator[Callable[[Result], None]]:
    """A function that writes what is drawn of a result to `path`, of which it is known by then that it can be."""
    with outputs.new_file(path) as put:
        yield lambda result: put(drawn(result))


def _train(
    console: Console, settings: Settings, drawings: data.DataSet, verbose: bool, stop: Callable[[], bool]
) -> Result:
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

        return run(settings, drawings, watch, stop)


def _other(settings: Settings, drawings: data.DataSet, stop: Callable[[], bool]) -> Result | None:
    """The result of the other recipe, with its own settings, on the same images; None if it was interrupted."""
    name: Any = "robust" if settings.recipe == "published" else "published"
    result = run(Settings(settings.task, name, scaling=settings.scaling, eager=settings.eager), drawings, stop=stop)
    return None if result.interrupted else result


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
    table = Table("test image", "class", "prediction", "", box=box.SIMPLE_HEAD)
    for name, target, sigma in zip(result.data.test.names, result.data.test.y[:, 0], result.test.sigma[0], strict=True):
        said = int(sigma > 0.5)
        colour = "green" if said == target else "red"
        table.add_row(
            options.shown(name),
            options.shown(shapes[int(target)]),
            options.shown(says(sigma, shapes)),
            f"[{colour}]{'✓ right' if said == target else '✗ wrong'}[/]",
        )
    console.print(table)
    console.print(f"{_score(result)}. {_pace(result)}.")
    if other:
        console.print(f"[dim]By the {other.settings.recipe} recipe: {_score(other)}.[/]")
    console.print(
        "\nThe gradient at the final parameters: by autodiff, hand-derived, and by finite differences of some "
        "elements of each parameter. A cell: the largest difference, and in brackets its size relative to the "
        "gradient; ✓ they agree, ✗ they differ by more than their errors."
    )
    for checked in result.checked_losses:
        console.print(f"\nOf {checked.title}:")
        rows = Table("", "largest", "autodiff, hand", "autodiff, diffs", "hand, diffs", box=box.SIMPLE_HEAD)
        for row in checked.report.parameters:
            pairs = row.hand_derived_vs_autodiff, row.autodiff_vs_differences, row.hand_derived_vs_differences
            rows.add_row(row.name, f"{largest(row):.2e}", *[difference(pair, row) for pair in pairs])
        console.print(rows)
        measured, size = (sum(getattr(row, what) for row in checked.report.parameters) for what in ("measured", "size"))
        console.print(f"[dim]Finite differences of {measured} of {size} elements.[/]")
        if checked.tied_windows:
            console.print(f"[dim]In {checked.tied_windows} pooling windows elements tie for the maximum.[/]")
    if result.interrupted:
        console.print("Interrupted: what was trained until then is kept.")
    console.print(f"Report: {options.shown(str(to / 'report.html'))}", soft_wrap=True)


def _score(result: Result) -> str:
    trained, tested = result.data.train, result.data.test
    return (
        f"{result.train_accuracy * len(trained):.0f} of {len(trained)} training images right, "
        f"{result.test_accuracy * len(tested):.0f} of {len(tested)} test images"
    )


def _pace(result: Result) -> str:
    """How long training took, and how the gradient was computed."""
    how = {
        "c": "with the gradient compiled to C",
        "numpy": "with the gradient compiled to NumPy calls",
        None: "with the hand-derived gradient"
        if result.settings.gradient == "hand"
        else "with the gradient recorded anew at each step",
    }
    return f"{len(result.losses)} epochs in {result.seconds:.2f} s, {how[result.backend]}"


def _what_to_do(result: Result) -> str:
    robust = "" if result.settings.recipe == "robust" else "; or --recipe robust (He initialisation and the mean loss)"
    return (
        f"tinygrad-cnn: training stopped at {result.stopped}. Try a smaller --learning-rate, or another --seed{robust}"
    )
