"""A run's folder: metrics.json, weights.safetensors, figures and report.html; written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import safetensors
import safetensors.numpy

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square import figures, report
from tinygrad_cnn.circle_square.data import Drawings, Scaling
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.experiment import Result
from tinygrad_cnn.circle_square.model import Parameters
from tinygrad_cnn.circle_square.pictures import compact_svg
from tinygrad_cnn.circle_square.training import RecipeName, start_of
from tinygrad_cnn.render import files

SHAPES: dict[str, tuple[int, ...]] = {"Wc": (3, 3), "Bc": (1, 1), "Wf": (1, 196), "Bf": (1, 1)}
MODEL = "tinygrad_cnn circle_square"


class OutputFolder:
    """A new or empty folder that is filled when what goes into it is complete.

    What is written goes to a hidden folder aside, which is moved into place at the end; if anything goes wrong before,
    it is removed. Raises InputError if something is in the folder already, or if it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.name = folder
        self.made: list[Path] = []

    def __enter__(self) -> Path:
        try:
            self.folder = self.name.resolve()
            self.is_there = self.folder.exists()
            if self.is_there and (not self.folder.is_dir() or any(self.folder.iterdir())):
                raise InputError(
                    f"{self.name}: there is something already; nothing is overwritten, so name another folder"
                )
            # Within an empty folder, which may be where we are, or on a disk of its own; else beside.
            self.aside = (self.folder if self.is_there else self.folder.parent) / f".{os.getpid()}.partial"
            missing = [parent for parent in self.aside.parents if not parent.exists()]
            self.aside.mkdir(parents=True)
            self.made = [self.aside, *missing]
        except (OSError, RuntimeError) as error:  # RuntimeError: symbolic links that go round in a circle
            raise InputError(f"{self.name}: cannot be written to: {_reason(error)}") from None
        return self.aside

    def __exit__(self, kind: Any, error: BaseException | None, at: Any) -> None:
        if kind is None:
            try:
                if self.is_there:
                    for path in list(self.aside.iterdir()):
                        path.rename(self.folder / path.name)
                    self.aside.rmdir()
                else:
                    self.aside.rename(self.folder)
            except OSError as trouble:
                raise InputError(f"{self.name}: {_reason(trouble)}; the results are in {self.aside}") from None
        else:
            shutil.rmtree(self.aside, ignore_errors=True)
            for folder in self.made[1:]:
                with contextlib.suppress(OSError):
                    folder.rmdir()
            if isinstance(error, OSError):
                raise InputError(f"{self.name}: cannot be written to: {_reason(error)}") from None


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: aside first, then in its place. Raises InputError if it cannot be written."""
    try:
        files.write(path, content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written to: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def free_folder(parent: Path, name: str) -> Path:
    """parent/name, or parent/name-2, parent/name-3, ... if that is taken."""
    number = 1
    while os.path.lexists(folder := parent / (name if number == 1 else f"{name}-{number}")):
        number += 1
    return folder


@np.errstate(all="ignore")  # a picture of numbers that have run away is still a picture
def write(folder: Path, result: Result, other: Result | None) -> None:
    """Write everything that is known of `result` into `folder`; `other` is the other recipe's, for the report."""
    (folder / "metrics.json").write_text(json.dumps(metrics(result, other), indent=1, allow_nan=False) + "\n")
    write_weights(folder / "weights.safetensors", result)
    pictures = {name: figures.png(draw(result)) for name, draw in figures.FIGURES.items()}
    for name, picture in pictures.items():
        (folder / f"{name}.png").write_bytes(picture)
    x, y = result.settings.scaling(result.data.train.grey), result.data.train.y
    graph = compact_svg(x, y, result.final, result.settings.recipe)
    page = report.page(result, other, pictures, graph, versions())
    (folder / "report.html").write_bytes(page.encode(errors="backslashreplace"))  # names of files may be in any code


def metrics(result: Result, other: Result | None) -> dict[str, Any]:
    """What metrics.json holds; plain numbers, lists and words."""
    settings = result.settings
    return {
        "task": settings.task.name,
        "classes": list(result.data.classes),
        "recipe": settings.recipe,
        "gradient": settings.gradient if settings.recipe == "published" else "auto",
        **settings.resolved(),
        "scaling": {"invert": settings.scaling.invert, "top": settings.scaling.top},
        "data": {"source": result.data.source, "train": len(result.data.train), "test": len(result.data.test)},
        "epochs_run": len(result.losses),
        "stopped": result.stopped,
        "interrupted": result.interrupted,
        "seconds": round(result.seconds, 3),
        "train_accuracy": result.train_accuracy,
        "test_accuracy": result.test_accuracy,
        "losses": [_number(loss) for loss in result.losses],
        "accuracies": result.accuracies,
        "predictions": {
            "train": _predictions(result.data.train, result.after.sigma),
            "test": _predictions(result.data.test, result.test.sigma),
        },
        "gradient_comparison": [
            {
                "loss": table.name,
                "tied_windows": table.tied_windows,
                **{
                    row.parameter: {
                        "largest": _number(row.largest),
                        **{
                            pair: {k: _number(v) for k, v in getattr(row, pair)._asdict().items()}
                            for pair in ("auto_hand", "auto_numeric", "hand_numeric")
                        },
                    }
                    for row in table.rows
                },
            }
            for table in result.tables
        ],
        "other_recipe": None if other is None else _summary(other),
        "versions": versions(),
    }


def _summary(result: Result) -> dict[str, Any]:
    return {
        "recipe": result.settings.recipe,
        **result.settings.resolved(),
        "train_accuracy": result.train_accuracy,
        "test_accuracy": result.test_accuracy,
        "stopped": result.stopped,
    }


def _predictions(drawings: Drawings, sigma: Any) -> list[dict[str, Any]]:
    return [
        {"name": name, "target": int(target), "probability": _number(probability)}
        for name, target, probability in zip(drawings.names, drawings.y[:, 0], sigma[0], strict=True)
    ]


def _number(x: Any) -> float | None:
    """`x` for JSON, which knows no NaN and no infinity."""
    return float(x) if np.isfinite(x) else None


def versions() -> dict[str, str]:
    """What the run was made with."""
    return {
        "tinygrad_cnn": tg.__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }


# Weights.


def write_weights(path: Path, result: Result) -> None:
    """Write the final parameters, with what is needed to use them."""
    about = {
        "model": MODEL,
        "classes": json.dumps(list(result.data.classes)),
        "scaling": json.dumps({"invert": result.settings.scaling.invert, "top": result.settings.scaling.top}),
    }
    arrays = {field.name: np.ascontiguousarray(getattr(result.final, field.name)) for field in fields(Parameters)}
    path.write_bytes(safetensors.numpy.save(arrays, metadata=about))


@dataclass(frozen=True)
class Trained:
    """A trained model, as a run keeps it."""

    parameters: Parameters
    classes: tuple[str, str]
    scaling: Scaling


def read_weights(path: Path) -> Trained:
    """The model that a run has trained: of its folder, or of its file of weights.

    Raises InputError if there is none, if the file is damaged, or if it is another model's.
    """
    try:
        if path.is_dir():
            path = path / "weights.safetensors"
        if not path.is_file():
            raise InputError(f"{path}: there is no such file; name a run's folder, or its weights.safetensors")
        with safetensors.safe_open(path, framework="numpy") as file:
            about = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (OSError, safetensors.SafetensorError, ValueError, TypeError) as error:
        why = " ".join(_reason(error).split())
        raise InputError(
            f"{path}: the weights cannot be read: {why}; name a run's folder, or its weights.safetensors"
        ) from None
    shapes = {name: array.shape for name, array in arrays.items()}
    if shapes != SHAPES:
        raise InputError(f"{path}: these are weights of another model: {_described(shapes)}, not {_described(SHAPES)}")
    if about.get("model") != MODEL:
        raise InputError(f"{path}: these are weights of another model: they are not said to be of {MODEL!r}")
    for name, array in arrays.items():
        if array.dtype != np.float64 or not np.isfinite(array).all():
            raise InputError(f"{path}: the weights are damaged: {name} is not of finite numbers of 64 bits")
    try:
        first, second = json.loads(about["classes"])
        scaling = Scaling(**json.loads(about["scaling"]))
        if not (isinstance(first, str) and isinstance(second, str) and scaling.is_right()):
            raise ValueError
    except (KeyError, TypeError, ValueError, RecursionError):
        raise InputError(
            f"{path}: the weights are damaged: their metadata do not say of which classes and scaling they are"
        ) from None
    return Trained(Parameters(**arrays), (first, second), scaling)


def read_start(path: Path) -> tuple[RecipeName, Parameters]:
    """By which recipe a run was trained, and the parameters that it began with, drawn anew from its seed.

    Raises InputError if its metrics.json is not there or does not say it.
    """
    metrics_file = (path if path.is_dir() else path.parent) / "metrics.json"
    try:
        metrics = json.loads(metrics_file.read_bytes())
        recipe, seed = metrics["recipe"], metrics["seed"]
        if recipe not in ("published", "robust") or type(seed) is not int:
            raise ValueError(f"recipe {recipe!r}, seed {seed!r}")
        return recipe, start_of(recipe, seed)
    except OSError as error:
        raise InputError(f"{metrics_file}: {_reason(error)}; it says how the run began") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"{metrics_file}: it does not say how the run began ({type(error).__name__}: {error})"
        ) from None


def _described(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in sorted(shapes.items())) or "none"
