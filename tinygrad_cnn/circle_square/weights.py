"""The weights that a run has trained: weights.safetensors, written and read; and those that it began with."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from tinygrad_cnn.circle_square import inputs
from tinygrad_cnn.circle_square.data import DataSet, Scaling
from tinygrad_cnn.circle_square.errors import InputError, reason
from tinygrad_cnn.circle_square.experiment import Result
from tinygrad_cnn.circle_square.model import Parameters
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import RecipeName, start_of
from tinygrad_cnn.extras import extra

with extra("cnn", "a run"):
    import safetensors
    import safetensors.numpy

SHAPES: dict[str, tuple[int, ...]] = {"Wc": (3, 3), "Bc": (1, 1), "Wf": (1, 196), "Bf": (1, 1)}
MODEL = "tinygrad_cnn circle_square"
_LARGEST_WEIGHTS = 2**26  # bytes, of a file


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
