"""`tinygrad-cnn predict`: what images show, by a model that was trained."""

from __future__ import annotations

import json
from pathlib import Path

import click
import numpy as np

from tinygrad_cnn.circle_square import images, runs
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.model import forward
from tinygrad_cnn.commands import options


@click.command()
@click.argument("run_folder", metavar="RUN", type=options.path)
@click.argument("files", metavar="IMAGE...", nargs=-1, required=True, type=options.path)
@click.option("--json", "as_json", is_flag=True, help="Print a list in JSON.")
def predict(run_folder: Path, files: tuple[Path, ...], as_json: bool) -> int:
    """Say what each IMAGE shows, by the model that RUN has trained."""
    trained = runs.read_weights(run_folder)
    drawings = [images.read_drawing(path) for path in files]
    sigma = forward(trained.scaling(np.array([d.grey for d in drawings])), trained.parameters).sigma[0]
    if not np.isfinite(sigma).all():
        raise InputError(f"{run_folder}: these weights are so large that the model gives no number")
    if as_json:
        said = [
            {"image": str(path), "class": trained.classes[int(p > 0.5)], "probability": float(max(p, 1 - p))}
            for path, p in zip(files, sigma, strict=True)
        ]
        print(json.dumps(said, indent=1, allow_nan=False))
        return 0
    width = max(len(str(path)) for path in files)
    for path, read, p in zip(files, drawings, sigma, strict=True):
        note = "   (light on dark, and was inverted)" if read.was_light_on_dark else ""
        print(f"{path!s:{width}}   {says(float(p), trained.classes)}{note}")
    return 0


def says(sigma: float, classes: tuple[str, str]) -> str:
    """What the model says with an output of `sigma`: "square, 99.0%"."""
    return f"{classes[1]}, {sigma:.1%}" if sigma > 0.5 else f"{classes[0]}, {1 - sigma:.1%}"
