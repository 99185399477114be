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
from tinygrad_cnn.circle_square.model import forward
from tinygrad_cnn.cli import options
from tinygrad_cnn.escaping import printable


@click.command()
@click.argument("run_folder", metavar="RUN", type=options.path)
@click.argument("files", metavar="IMAGE...", nargs=-1, required=True, type=options.path)
@click.option("--json", "as_json", is_flag=True, help="Print a list as JSON.")
def predict(run_folder: Path, files: tuple[Path, ...], as_json: bool) -> int:
    """Predict the class of each IMAGE with the model trained in RUN.

    An image that cannot be read is reported, the others are still predicted, and the exit code is 2. A prediction is
    marked as unsure if the drawing is unlike those of the training sets.
    """
    trained = weights.read_weights(run_folder)
    answers = [_answer(path, trained) for path in files]
    failed = [answer.error for answer in answers if answer.error is not None]
    if as_json:
        if len(failed) < len(answers):
            print(json.dumps([_as_data(answer, trained.classes) for answer in answers], indent=1, allow_nan=False))
    else:
        width = max(len(printable(path)) for path in files)
        for answer in answers:
            if answer.drawing is not None:
                said = printable(says(answer.sigma, trained.classes))
                print(f"{printable(answer.path):{width}}   {said}{_remarks(answer.drawing)}")
    for error in failed:
        print(f"tinygrad-cnn: {printable(error)}", file=sys.stderr)
    return 2 if failed else 0


class Answer(NamedTuple):
    """The result for one image: either an error, or a drawing and `sigma`."""

    path: Path
    error: str | None
    drawing: images.Drawing | None = None
    sigma: float = np.nan


def _answer(path: Path, trained: weights.Trained) -> Answer:
    try:
        drawing = images.read_drawing(path)
    except InputError as error:
        return Answer(path, str(error))
    sigma = float(forward(trained.scaling(drawing.grey[None]), trained.parameters).sigma[0, 0])
    if not np.isfinite(sigma):
        return Answer(path, f"{path}: the output of the model is not finite, because its weights are too large")
    return Answer(path, None, drawing, sigma)


def _as_data(answer: Answer, classes: tuple[str, str]) -> dict[str, Any]:
    """What `--json` prints of it."""
    image, p = {"image": str(answer.path)}, answer.sigma
    if answer.drawing is None:
        return image | {"error": answer.error}
    return image | {
        "class": classes[int(p > 0.5)],
        "probability": max(p, 1 - p),
        "changes": list(answer.drawing.changes),
        "unsure": answer.drawing.doubt,
    }


def _remarks(drawing: images.Drawing) -> str:
    unsure = [f"unsure: {drawing.doubt}"] if drawing.doubt else []
    return "".join([f"   ({remark})" for remark in [*drawing.changes, *unsure]])


def says(sigma: float, classes: tuple[str, str]) -> str:
    """The prediction for an output of `sigma`: "square, 99.0%"."""
    return f"{classes[1]}, {sigma:.1%}" if sigma > 0.5 else f"{classes[0]}, {1 - sigma:.1%}"
