"""`tinygrad-cnn predict`: the predictions of a trained model."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from tinygrad_cnn.circle_square import images, weights
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.ink import ink
from tinygrad_cnn.circle_square.model import forward
from tinygrad_cnn.cli import options
from tinygrad_cnn.escaping import printable
from tinygrad_cnn.recipes import cnn, runs
from tinygrad_cnn.recipes.evaluation import UNSURE


@click.command()
@click.argument("run_folder", metavar="RUN", type=options.path)
@click.argument("files", metavar="IMAGE...", nargs=-1, required=True, type=options.path)
@click.option("--json", "as_json", is_flag=True, help="Print a list as JSON.")
def predict(run_folder: Path, files: tuple[Path, ...], as_json: bool) -> int:
    """Predict the class of each IMAGE with the model trained in RUN.

    An image that cannot be read is reported, the others are still predicted, and the exit code is 2. A prediction is
    marked as unsure if the drawing is unlike those of the training sets.
    """
    recipe = runs.read(run_folder)
    if recipe is not None:
        classes = recipe.classes
        answers = [_answer_of_recipe(path, recipe) for path in files]
    else:
        trained = weights.read_weights(run_folder)
        classes = trained.classes
        answers = [_answer(path, trained) for path in files]
    failed = [answer.error for answer in answers if answer.error is not None]
    if as_json:
        if len(failed) < len(answers):
            print(json.dumps([_as_data(answer, classes) for answer in answers], indent=1, allow_nan=False))
    else:
        width = max(len(printable(path)) for path in files)
        for answer in answers:
            if answer.error is None:
                said = f"{classes[answer.which]}, {answer.probability:.1%}"
                print(f"{printable(answer.path):{width}}   {printable(said)}{_remarks(answer)}")
    for error in failed:
        print(f"tinygrad-cnn: {printable(error)}", file=sys.stderr)
    return 2 if failed else 0


class Answer(NamedTuple):
    """The result for one image: an error, or the class that is likeliest.

    which, probability  the index of that class, and its probability
    changes             what was done to the image
    doubt               why the answer is unsure, or None
    """

    path: Path
    error: str | None
    which: int = 0
    probability: float = np.nan
    changes: tuple[str, ...] = ()
    doubt: str | None = None


def _answer(path: Path, trained: weights.Trained) -> Answer:
    """The answer of the article's model."""
    try:
        drawing = images.read_drawing(path)
    except InputError as error:
        return Answer(path, str(error))
    sigma = float(forward(trained.scaling(drawing.grey[None]), trained.parameters).sigma[0, 0])
    if not np.isfinite(sigma):
        return Answer(path, f"{path}: the output of the model is not finite, because its weights are too large")
    return Answer(path, None, int(sigma > 0.5), max(sigma, 1 - sigma), drawing.changes, drawing.doubt)


def _answer_of_recipe(path: Path, trained: runs.Trained) -> Answer:
    """The answer of a network of the recipes cnn and synthetic, which sees ink."""
    try:
        picture = images.read_picture(path)
    except InputError as error:
        return Answer(path, str(error))
    found = cnn.probabilities(trained.model, ink([picture.grey]))[0]
    which, probability = int(np.argmax(found)), float(np.max(found))
    doubt = f"no class has {UNSURE:.0%}; it may be none of them" if probability < UNSURE else None
    return Answer(path, None, which, probability, picture.changes + picture.conversions, doubt)


def _as_data(answer: Answer, classes: tuple[str, ...]) -> dict[str, Any]:
    """What `--json` prints of it."""
    image = {"image": str(answer.path)}
    if answer.error is not None:
        return image | {"error": answer.error}
    return image | {
        "class": classes[answer.which],
        "probability": answer.probability,
        "changes": list(answer.changes),
        "unsure": answer.doubt,
    }


def _remarks(answer: Answer) -> str:
    unsure = [f"unsure: {answer.doubt}"] if answer.doubt else []
    return "".join([f"   ({remark})" for remark in [*answer.changes, *unsure]])


def says(sigma: float, classes: tuple[str, str]) -> str:
    """The prediction for an output of `sigma`: "square, 99.0%"."""
    return f"{classes[1]}, {sigma:.1%}" if sigma > 0.5 else f"{classes[0]}, {1 - sigma:.1%}"
