"""The folder of a run: metrics.json, weights.safetensors, pictures and report.html; and reading its network back."""

from __future__ import annotations

import base64
import json
import os
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.circle_square.errors import InputError, reason
from tinygrad_cnn.circle_square.runs import versions
from tinygrad_cnn.extras import extra
from tinygrad_cnn.recipes import cnn, pictures
from tinygrad_cnn.recipes.evaluation import UNSURE
from tinygrad_cnn.recipes.training import Plan, Result

with extra("cnn", "the report of a run"):
    import jinja2

MODEL = "tinygrad_cnn recipes"
_LARGEST = 1000  # classes of a file of weights that is believed

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("tinygrad_cnn.recipes"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Trained:
    """A trained network, as a run keeps it; trained_on: the checksums of the ink of its training drawings."""

    recipe: str
    classes: tuple[str, ...]
    model: nn.Sequential
    trained_on: frozenset[int]


def write(folder: Path, result: Result) -> None:
    """Write everything that is known of `result` into `folder`."""
    (folder / "metrics.json").write_text(json.dumps(metrics(result), indent=1, allow_nan=False) + "\n")
    about = {
        "model": MODEL,
        "recipe": result.plan.recipe,
        "classes": list(result.data.names),
        "trained_on": np.array([zlib.crc32(ink.tobytes()) for ink in result.data.train.ink], np.int64),
    }
    tg.save(folder / "weights.safetensors", about | {"network": result.model})
    drawn = pictures.of_run(result)
    for name, picture in drawn.items():
        (folder / f"{name}.png").write_bytes(picture)
    (folder / "report.html").write_bytes(page(result, drawn).encode(errors="backslashreplace"))


def page(result: Result, drawn: dict[str, bytes]) -> str:
    """The report, as HTML that loads nothing from elsewhere."""
    return _templates.get_template("report.html").render(
        result=result,
        classes=result.data.names,
        model=str(result.model),
        pictures={name: "data:image/png;base64," + base64.b64encode(png).decode() for name, png in drawn.items()},
        most=pictures.MOST,
        unsure_below=UNSURE,
        unsure_scribbles=_unsure_scribbles(result),
        unsure_drawings=float(np.mean((result.test or result.train).sure < UNSURE)),
        versions=versions(),
        percent=lambda share: f"{100 * share:.0f} %",
    )


def metrics(result: Result) -> dict[str, Any]:
    """What metrics.json holds; plain numbers, lists and words."""
    return {
        **asdict(result.plan),
        "classes": list(result.data.names),
        "data": {
            "source": result.data.source,
            "train": len(result.data.train),
            "test": None if result.data.test is None else len(result.data.test),
        },
        "epochs_run": len(result.losses),
        "stopped": result.stopped,
        "backend": result.backend,
        "seconds": round(result.seconds, 3),
        "losses": [float(loss) for loss in result.losses],
        "accuracies": {str(number): list(both) for number, both in result.accuracies.items()},
        "train": result.train.as_data(),
        "test": None if result.test is None else result.test.as_data(),
        "unsure_scribbles": _unsure_scribbles(result),
        "versions": versions(),
    }


def _unsure_scribbles(result: Result) -> float:
    return float(np.mean(result.none.max(axis=1) < UNSURE))


def read(run: Path) -> Trained | None:
    """The network of a run's folder or file of weights; None if it was trained by another kind of recipe.

    Raises InputError if there is none, or it is damaged.
    """
    path = run / "weights.safetensors" if os.path.isdir(run) else run
    if not os.path.isfile(path):
        return None
    try:
        found = tg.load(path)
    except tg.train.DamagedFileError as error:
        raise InputError(f"{path}: the weights cannot be read: {reason(error)}") from None
    except (ValueError, TypeError, OSError):
        return None
    if not isinstance(found, dict) or found.get("model") != MODEL:
        return None
    try:
        classes = tuple(found["classes"])
        if not (2 <= len(classes) <= _LARGEST and all(isinstance(name, str) for name in classes)):
            raise ValueError(f"classes {classes!r}")
        like = {key: found[key] for key in ("model", "recipe", "classes", "trained_on")}
        like["network"] = cnn.network(len(classes))
        model = tg.load(path, like=like)["network"]
        if not all(np.isfinite(leaf).all() for leaf in tg.tree.flatten(model).leaves):
            raise ValueError("a weight is not finite")
        return Trained(str(found["recipe"]), classes, model, frozenset(int(k) for k in found["trained_on"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: the weights are damaged, or of another version: {reason(error)}") from None


def write_plan(folder: Path, plan: Plan, drawings: int) -> None:
    """Write what a training that is resumed needs to know; `drawings`: their checksum."""
    (folder / "plan.json").write_text(json.dumps(asdict(plan) | {"drawings": drawings}, indent=1) + "\n")


def read_plan(folder: Path) -> tuple[Plan, int]:
    """The plan of a training that was interrupted, and the checksum of its drawings. Raises InputError."""
    path = folder / "plan.json"
    try:
        found = json.loads(path.read_text())
        drawings = found.pop("drawings")
        plan = Plan(**found)
        if plan.classes is not None:
            plan = Plan(**found | {"classes": tuple(plan.classes)})
        return plan, int(drawings)
    except OSError as error:
        raise InputError(f"{path}: {reason(error)}; there is no training to resume") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: not the plan of a training: {reason(error)}") from None
