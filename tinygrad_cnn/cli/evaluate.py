"""`tinygrad-cnn evaluate`: how good a trained model is on other drawings, and how sure one can be of it."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tinygrad_cnn import files
from tinygrad_cnn.circle_square import class_folders, outputs
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.figures import png
from tinygrad_cnn.cli import options
from tinygrad_cnn.recipes import evaluation, pictures, predictors
from tinygrad_cnn.recipes.evaluation import UNSURE, Evaluation


@click.command()
@click.argument("run_folder", metavar="RUN", type=options.path)
@click.option(
    "--data",
    "folder",
    type=options.path,
    required=True,
    help="A folder with a folder of drawings for each class, or with a folder test that has them.",
)
@click.option(
    "--classes",
    callback=options.names,
    show_default="the classes of RUN",
    help="The folders of the classes, in the order of those of RUN: ellipse,rectangle,triangle.",
)
@click.option("--average", is_flag=True, help="Predict from the mean over a drawing and seven variants of it.")
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    help="Do not test the model, but its recipe: divide the drawings into so many parts, and for each of them, train "
    "anew on the others and test with it.",
)
@click.option(
    "--out",
    type=options.path,
    show_default="RUN/evaluation, with a number if it exists",
    help="The folder for evaluation.json and pictures: the wrong answers, confusion and calibration.",
)
@click.option("--json", "as_json", is_flag=True, help="Print evaluation.json, and nothing else.")
def evaluate(
    run_folder: Path,
    folder: Path,
    classes: tuple[str, ...] | None,
    average: bool,
    folds: int | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Test the model trained in RUN on other drawings.

    The accuracy is given with its 95 % interval. Drawings that a network of the recipe cnn was trained on are left out.
    """
    model = predictors.read(run_folder, average)
    names = classes or model.classes
    if len(names) != len(model.classes):
        raise InputError(
            f"--classes has {len(names)} names; {run_folder} was trained on {len(model.classes)} classes: "
            f"{', '.join(model.classes)}"
        )
    drawings, source = class_folders.load_all(folder, names)
    console = Console(quiet=as_json, highlight=False, soft_wrap=True)
    for note in drawings.notes:
        console.print(f"[dim]{options.shown(note)}[/]")
    if folds is None:
        drawings = _unseen(console, model, drawings, folder)
        found = model.evaluate(drawings)
    elif model.recipe == "cnn":
        found, drawings = _by_folds(console, drawings, model.classes, folds, average)
    else:
        raise InputError(
            f"{run_folder}: --folds needs a run of the recipe cnn, which is trained on drawings of a folder"
        )
    base = run_folder if run_folder.is_dir() else run_folder.parent
    to = out or files.free_name(base / "evaluation")
    how = {"run": str(run_folder), "data": source, "folds": folds, "average": average}
    text = json.dumps(how | found.as_data(), indent=1, allow_nan=False) + "\n"
    with outputs.new_folder(to) as aside:
        (aside / "evaluation.json").write_text(text)
        for name, draw in pictures.OF_A_TEST.items():
            (aside / f"{name}.png").write_bytes(png(draw(found)))
        if len(found.wrong):
            wrong = pictures.wrong_answers(found, drawings.grey)
            (aside / "wrong.png").write_bytes(png(wrong))
    if as_json:
        click.echo(text, nl=False)
    _show(console, found, source, to)
    return 0


def _unseen(
    console: Console, model: predictors.Predictor, drawings: class_folders.Labelled, folder: Path
) -> class_folders.Labelled:
    """The drawings that the model was not trained on."""
    new = [i for i, ink in enumerate(drawings.ink) if zlib.crc32(ink.tobytes()) not in model.trained_on]
    seen = len(drawings) - len(new)
    if not new:
        raise InputError(f"{folder}: the model was trained on all of these drawings; expected others, to test it with")
    if seen:
        console.print(f"{seen} of the {len(drawings)} drawings are left out: the model was trained on them.")
    return drawings.chosen(new)


def _by_folds(
    console: Console, drawings: class_folders.Labelled, classes: tuple[str, ...], folds: int, average: bool
) -> tuple[Evaluation, class_folders.Labelled]:
    """The recipe, tested on every drawing once; and the drawings in that order."""
    for k, name in enumerate(classes):
        if (count := int((drawings.labels == k).sum())) < folds:
            raise InputError(
                f"--folds {folds}: there are {count} drawings of {name}; expected at least as many as folds"
            )
    divisions = evaluation.folds_of(drawings.labels, folds)
    parts = []
    for k, (train, test) in enumerate(track(divisions, "folds", console=console, transient=True)):
        found = predictors.trained_on(drawings.chosen(train), drawings.chosen(test), classes, k, average)
        console.print(f"fold {k + 1:2} of {folds}   {found.right} of {len(found.labels)} right")
        parts.append(found)
    order = [i for _, test in divisions for i in test]
    return evaluation.joined(parts), drawings.chosen(order)


def _show(console: Console, found: Evaluation, source: str, to: Path) -> None:
    table = Table("drawn, predicted:", *[options.shown(name) for name in found.classes], box=box.SIMPLE_HEAD)
    for name, row in zip(found.classes, found.confusion, strict=True):
        table.add_row(options.shown(name), *[str(count) for count in row])
    console.print(table)
    console.print(f"{options.shown(source)}: {found.sentence()}.")
    if len(found.labels) < 50:
        console.print(f"{len(found.labels)} drawings are few: see the interval.")
    for i in found.wrong[:20]:
        drawn, said = (options.shown(found.classes[which[i]]) for which in (found.labels, found.said))
        console.print(f"[red]{options.shown(found.names[i])}[/], {drawn}: {said}, {found.sure[i]:.0%}")
    console.print(
        f"Calibration error {found.calibration_error:.3f}: the mean distance of the probability said from the share "
        f"that is right. {found.unsure} of {len(found.labels)} have no class of {UNSURE:.0%} or more: a picture of "
        "none of the classes should be among such."
    )
    console.print(f"Written: {options.shown(str(to))}", soft_wrap=True)
