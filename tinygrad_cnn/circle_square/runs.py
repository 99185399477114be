"""A run's folder: metrics.json, weights.safetensors, figures and report.html."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square import figures, inputs, report
from tinygrad_cnn.circle_square.data import DataSet, Drawings, Scaling
from tinygrad_cnn.circle_square.errors import InputError, reason
from tinygrad_cnn.circle_square.experiment import Result
from tinygrad_cnn.circle_square.gradient_check import largest, relative
from tinygrad_cnn.circle_square.model import Parameters
from tinygrad_cnn.circle_square.pictures import compact_svg
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import RecipeName, start_of
from tinygrad_cnn.extras import extra

with extra("cnn", "a run"):
    import cv2
    import safetensors
    import safetensors.numpy

SHAPES: dict[str, tuple[int, ...]] = {"Wc": (3, 3), "Bc": (1, 1), "Wf": (1, 196), "Bf": (1, 1)}
MODEL = "tinygrad_cnn circle_square"
_LARGEST_WEIGHTS = 2**26  # bytes, of a file


@np.errstate(all="ignore")  # parameters that diverged are drawn too
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
        "compiled": result.backend,
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
                "loss": checked.name,
                "tied_windows": checked.tied_windows,
                **{parameter.name: _gradients(parameter) for parameter in checked.report.parameters},
            }
            for checked in result.checked_losses
        ],
        "other_recipe": None if other is None else _summary(other),
        "versions": versions(),
    }


def _gradients(parameter: tg.check.Parameter) -> dict[str, Any]:
    """The three gradients of a parameter, two by two."""
    pairs = {
        "auto_hand": parameter.hand_derived_vs_autodiff,
        "auto_numeric": parameter.autodiff_vs_differences,
        "hand_numeric": parameter.hand_derived_vs_differences,
    }
    found: dict[str, Any] = {"largest": _number(largest(parameter)), "measured": parameter.measured}
    for name, comparison in pairs.items():
        if comparison is not None:
            found[name] = {
                "verdict": comparison.verdict,
                "absolute": _number(comparison.difference) if comparison.verdict != "inconclusive" else None,
                "relative": _number(relative(comparison, parameter)),
            }
    return found


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

    @property
    def task(self) -> str | None:
        """The name of the task with these classes, if there is one."""
        return next((name for name, task in TASKS.items() if task.shapes == self.classes), None)

    def refuse_others(self, run: Path, data: DataSet) -> None:
        """Raise InputError unless it was trained on the classes of `data`, in this order."""
        if self.classes != data.classes:
            advice = f"Pass --task {self.task}" if self.task else "Pass the drawings that it was trained on with --data"
            raise InputError(
                f"{run}: it was trained on the classes {' and '.join(self.classes)}, but the drawings are "
                f"{' and '.join(data.classes)}. {advice}"
            )


def read_weights(path: Path) -> Trained:
    """The model that a run has trained: of its folder, or of its file of weights.

    Raises InputError if there is none, if the file is damaged, or if it is another model's.
    """
    if os.path.isdir(path):  # unlike Path's, these do not raise of a name that is too long
        path = path / "weights.safetensors"
    if not os.path.exists(path):
        raise InputError(f"{path}: no such file; expected the folder of a run, or its weights.safetensors")
    content = inputs.read(path, _LARGEST_WEIGHTS, "file of weights")
    try:
        arrays = dict(safetensors.deserialize(content))  # type: ignore[no-untyped-call]
        about = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")]).get("__metadata__", {})
    except (safetensors.SafetensorError, ValueError, TypeError) as error:
        raise InputError(
            f"{path}: the weights cannot be read: {reason(error)}; expected the folder of a run, or its "
            "weights.safetensors"
        ) from None
    shapes = {name: tuple(array["shape"]) for name, array in arrays.items()}
    if shapes != SHAPES:
        raise InputError(
            f"{path}: these are weights of another model: {_described(shapes)}; expected {_described(SHAPES)}"
        )
    if about.get("model") != MODEL:
        raise InputError(f"{path}: these are weights of another model: their metadata do not name {MODEL!r}")
    parameters = {}
    for name, array in arrays.items():
        if array["dtype"] == "F64":
            parameters[name] = np.frombuffer(array["data"], "<f8").astype(np.float64).reshape(SHAPES[name])
        if name not in parameters or not np.isfinite(parameters[name]).all():
            raise InputError(f"{path}: the weights are damaged: {name} is not an array of finite float64 numbers")
    try:
        first, second = json.loads(about["classes"])
        scaling = Scaling(**json.loads(about["scaling"]))
        if not (isinstance(first, str) and isinstance(second, str) and scaling.is_right()):
            raise ValueError
    except (KeyError, TypeError, ValueError, RecursionError):
        raise InputError(f"{path}: the weights are damaged: their metadata lack the classes or the scaling") from None
    return Trained(Parameters(**parameters), (first, second), scaling)


def read_start(path: Path) -> tuple[RecipeName, Parameters]:
    """By which recipe a run was trained, and the parameters that it began with, drawn anew from its seed.

    Raises InputError if its metrics.json is not there or does not say it.
    """
    metrics_file = (path if path.is_dir() else path.parent) / "metrics.json"
    try:
        metrics = inputs.read_json(metrics_file, "run's metrics.json")
        recipe, seed = metrics["recipe"], metrics["seed"]
        if recipe not in ("published", "robust") or type(seed) is not int:
            raise ValueError(f"recipe {recipe!r}, seed {seed!r}")
        return recipe, start_of(recipe, seed)
    except InputError as error:
        raise InputError(f"{error}; it is needed for the initial parameters of the run") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{metrics_file}: it lacks the recipe or the seed of the run ({type(error).__name__}: {error})"
        ) from None


def _described(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in sorted(shapes.items())) or "none"
